//! `request.json`: the page that names the repositories of a request.
//!
//! First floor, documents: pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::key::PublicKey;
use crate::name::Name;

use super::{
    Dialect, Error, MAX_VERSIONS, Repository, Request, Role, SCHEMA, Served, file, key_path,
    root_path, served_path,
};

/// `request.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    schema: String,
    dialect: Dialect,
    fetched: String,
    server: String,
    repositories: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Name,
    latest: u64,
    keys: Keys,
}

/// SHA-256 of each offered key's SubjectPublicKeyInfo, in the order of the file.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    snapshot: Vec<Digest>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    targets: Vec<Digest>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    timestamp: Vec<Digest>,
}

impl Keys {
    /// One list for each of [`Role::ONLINE`]; a request never offers a root key.
    fn lists(&mut self) -> [(Role, &mut Vec<Digest>); 3] {
        let Self { snapshot, targets, timestamp } = self;
        [(Role::Snapshot, snapshot), (Role::Targets, targets), (Role::Timestamp, timestamp)]
    }
}

impl Page {
    pub(super) fn of(request: &Request) -> Self {
        let entry = |(name, repository): (&Name, &Repository)| {
            let mut keys = Keys::default();
            for (role, list) in keys.lists() {
                let offered = repository.keys.get(&role).into_iter().flatten();
                *list = offered.map(PublicKey::id).collect();
            }
            Entry { name: name.clone(), latest: repository.latest(), keys }
        };
        Self {
            schema: SCHEMA.to_owned(),
            dialect: request.dialect,
            fetched: request.fetched.to_string(),
            server: request.server.clone(),
            repositories: request.repositories.iter().map(entry).collect(),
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Strings, numbers and lists only: there is nothing that JSON could not hold.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    pub(super) fn read(self, files: &BTreeMap<String, Vec<u8>>) -> Result<Request, Error> {
        if self.schema != SCHEMA {
            return Err(Error::Page { line: 2, column: 1 });
        }
        let fetched = self.fetched.parse().map_err(|_| Error::Time { found: self.fetched })?;
        let mut repositories = BTreeMap::new();
        for entry in self.repositories {
            let name = entry.name.clone();
            if repositories.insert(name.clone(), entry.read(files)?).is_some() {
                return Err(Error::Repeated { name });
            }
        }
        Ok(Request { dialect: self.dialect, fetched, server: self.server, repositories })
    }
}

impl Entry {
    fn read(mut self, files: &BTreeMap<String, Vec<u8>>) -> Result<Repository, Error> {
        if self.latest > MAX_VERSIONS {
            return Err(Error::Versions { name: self.name, found: self.latest });
        }
        let folder = self.name.folder();
        let root = |version| file(files, &root_path(&folder, version)).map(<[u8]>::to_vec);
        let roots = (1..=self.latest).map(root).collect::<Result<_, _>>()?;
        let mut keys = BTreeMap::new();
        for (role, listed) in self.keys.lists() {
            if listed.is_empty() {
                continue;
            }
            let offered = read_keys(files, key_path(&folder, role))?;
            if !offered.iter().map(PublicKey::id).eq(listed.iter().copied()) {
                return Err(Error::Keys { name: self.name, role });
            }
            keys.insert(role, offered);
        }
        let served = |role| files.get(&served_path(&folder, role)).cloned();
        // One without the other is not written again, and so refused.
        let served = served(Role::Timestamp).zip(served(Role::Snapshot));
        let served = served.map(|(timestamp, snapshot)| Served { timestamp, snapshot });
        Ok(Repository { roots, keys, served })
    }
}

fn read_keys(files: &BTreeMap<String, Vec<u8>>, path: String) -> Result<Vec<PublicKey>, Error> {
    let text =
        str::from_utf8(file(files, &path)?).map_err(|_| Error::Form { path: path.clone() })?;
    let blocks = text.split_inclusive("-----END PUBLIC KEY-----\n");
    let keys = blocks.map(PublicKey::from_pem).collect::<Result<_, _>>();
    keys.map_err(|source| Error::Key { path, source })
}
