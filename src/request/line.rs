//! One repository of a request as one line of JSON.
//!
//! First floor, documents: pure.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::key::PublicKey;
use crate::name::Name;

use super::{Error, MAX_LINE, Repository, Role, Served};

/// The line of a repository, with its line feed, in its one spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    name: Name,
    bytes: Vec<u8>,
}

/// The fields of a line. Nothing in it ever needs an escape, so what is read is borrowed from the line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<T> {
    name: T,
    roots: Vec<T>,
    keys: Keys<T>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    served: Option<Both<T>>,
}

/// The keys of each of [`Role::ONLINE`]; a request never offers a root key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys<T> {
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    snapshot: Vec<T>,
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    targets: Vec<T>,
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    timestamp: Vec<T>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Both<T> {
    timestamp: T,
    snapshot: T,
}

impl Line {
    /// Writes the line of a repository.
    ///
    /// # Errors
    /// [`Error`] when the values break a limit that [`Line::parse`] would refuse.
    pub fn of(name: &Name, repository: &Repository) -> Result<Self, Error> {
        repository.check(name)?;
        let keys = |role| {
            let offered = repository.keys.get(&role).into_iter().flatten();
            offered.map(|key| BASE64.encode(key.der())).collect()
        };
        let form = Form {
            name: name.as_str().to_owned(),
            roots: repository.roots.iter().map(|root| BASE64.encode(root)).collect(),
            keys: Keys {
                snapshot: keys(Role::Snapshot),
                targets: keys(Role::Targets),
                timestamp: keys(Role::Timestamp),
            },
            served: repository.served.as_ref().map(|served| Both {
                timestamp: BASE64.encode(&served.timestamp),
                snapshot: BASE64.encode(&served.snapshot),
            }),
        };
        // Strings and lists only: there is nothing that JSON could not hold.
        let mut bytes = serde_json::to_vec(&form).unwrap_or_default();
        bytes.push(b'\n');
        match bytes.len() > MAX_LINE {
            true => Err(Error::Long),
            false => Ok(Self { name: name.clone(), bytes }),
        }
    }

    /// Reads the line of a repository, in the one spelling that [`Line::of`] gives.
    ///
    /// # Errors
    /// [`Error`].
    pub fn parse(bytes: &[u8]) -> Result<(Self, Repository), Error> {
        let (name, repository) = Self::read_again(bytes)?;
        // Order, spacing and repeated fields all show here, whatever the code above forgot.
        let line = Self::of(&name, &repository)?;
        if line.bytes == bytes { Ok((line, repository)) } else { Err(Error::Spelling) }
    }

    /// Reads a line that was read before, as it was.
    ///
    /// # Errors
    /// [`Error`].
    pub(super) fn read_again(bytes: &[u8]) -> Result<(Name, Repository), Error> {
        let form: Form<&str> = serde_json::from_slice(bytes)
            .map_err(|error| Error::Line { column: error.column() })?;
        form.read()
    }

    /// The repository's name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The line, with its line feed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Form<&str> {
    fn read(&self) -> Result<(Name, Repository), Error> {
        let name: Name = self.name.parse()?;
        let roots = self.roots.iter().map(|root| decoded(root)).collect::<Result<_, _>>()?;
        let served = match &self.served {
            None => None,
            Some(Both { timestamp, snapshot }) => {
                Some(Served { timestamp: decoded(timestamp)?, snapshot: decoded(snapshot)? })
            }
        };
        let mut keys = BTreeMap::new();
        let Keys { snapshot, targets, timestamp } = &self.keys;
        let lists =
            [(Role::Snapshot, snapshot), (Role::Targets, targets), (Role::Timestamp, timestamp)];
        for (role, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            let bad = |source| Error::Key { name: name.clone(), role, source };
            let key = |text: &&str| PublicKey::from_der(&decoded(text)?).map_err(bad);
            keys.insert(role, list.iter().map(key).collect::<Result<_, _>>()?);
        }
        Ok((name, Repository { roots, keys, served }))
    }
}

fn decoded(text: &str) -> Result<Vec<u8>, Error> {
    BASE64.decode(text.as_bytes()).map_err(|_| Error::Spelling)
}

/// What stands for a field that is not there, whatever its type.
const fn none<T>() -> Option<T> {
    None
}
