//! The request: what `courier fetch` brings and `officiant` reads, byte for byte.
//!
//! First floor: pure, bytes to values and back.
//!
//! The folder `request/` on media holds
//! - `SHA256SUMS`, whose own SHA-256 is the request's digest, pinned by the plan;
//! - `request.json`, the page that names the repositories ([`SCHEMA`]);
//! - `metadata/<folder>/<N>.root.json`, every version from 1 to the latest;
//! - `keys/<folder>/<role>.pem`, the public keys offered for a role, one PEM block each;
//! - `served/<folder>/timestamp.json` and `snapshot.json`, both or neither: what a Notary server serves beside the root.
//!
//! One request has one spelling: what is read is written again and compared, so nothing in the folder
//! can say more than the values below.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::digest::Digest;
use crate::key::{self, PublicKey};
use crate::name::Name;
use crate::root::Dialect;
use crate::sums::{self, Sums};

use page::Page;

mod page;
pub mod proof;

pub use crate::root::Role;

/// The schema that the page names.
pub const SCHEMA: &str = "officiant-request-1";
/// The page's file name.
pub const PAGE: &str = "request.json";
/// Most repositories in one request.
pub const MAX_REPOSITORIES: usize = 20_000;
/// Most versions of one root.
pub const MAX_VERSIONS: u64 = 10_000;
/// Most keys offered for one role.
pub const MAX_KEYS: usize = 32;
/// Most bytes of the page, and of its sums.
pub const MAX_PAGE: usize = 32 << 20;
/// Most bytes of one root.
pub const MAX_ROOT: usize = 4 << 20;
/// Most bytes of one timestamp or snapshot.
pub const MAX_SERVED: usize = 4 << 20;
/// Most bytes of one file of keys.
pub const MAX_KEY_FILE: usize = 64 << 10;

/// What the online side asks, with the current trust to start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The dialect of every repository.
    pub dialect: Dialect,
    /// When it was fetched, by the clock of the machine that fetched; whole seconds.
    pub fetched: Timestamp,
    /// The server or folder it came from, for people; at most 1024 bytes, no control characters.
    pub server: String,
    /// The repositories.
    pub repositories: BTreeMap<Name, Repository>,
}

/// One repository of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repository {
    /// The bytes of each root, version 1 first; empty when the server does not know the repository.
    /// Only carried: whether they are a chain is for the ceremony to say.
    pub roots: Vec<Vec<u8>>,
    /// The keys offered for each online role, each once.
    pub keys: BTreeMap<Role, Vec<PublicKey>>,
    /// What a Notary server serves beside the root; none of a repository that it does not know, and in TUF.
    pub served: Option<Served>,
}

/// The bytes of what a Notary server signs itself. Only carried, like roots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Its timestamp.
    pub timestamp: Vec<u8>,
    /// The snapshot that the timestamp names.
    pub snapshot: Vec<u8>,
}

/// Reads the name of a role whose keys are online or with publishers.
///
/// # Errors
/// [`Error::Role`], for `root` too.
pub fn online_role(text: &str) -> Result<Role, Error> {
    let found = Role::ONLINE.into_iter().find(|role| role.name() == text);
    found.ok_or_else(|| Error::Role { role: text.to_owned() })
}

impl Request {
    /// Reads the files of a request folder, by path inside it (`request.json`, `keys/…`).
    ///
    /// # Errors
    /// [`Error`]: the folder is refused whole, with the first file that is wrong.
    pub fn parse(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Error> {
        for (path, bytes) in files {
            let most = limit(path).ok_or_else(|| Error::Stranger { path: path.clone() })?;
            if bytes.len() > most {
                return Err(Error::Large { path: path.clone(), bytes: bytes.len(), most });
            }
        }
        Sums::parse(file(files, sums::FILE)?)?.check(files)?;
        let page: Page = serde_json::from_slice(file(files, PAGE)?)
            .map_err(|error| Error::Page { line: error.line(), column: error.column() })?;
        let request = page.read(files)?;
        // Sums, order, repeated fields and spare files all show here, whatever the code above forgot.
        let written = request.files()?;
        let wrong = |(path, bytes): &(&String, &Vec<u8>)| written.get(*path) != Some(*bytes);
        // From the end, so that the sums, which differ with every other file, come last.
        match files.iter().rev().find(wrong) {
            Some((path, _)) => Err(Error::Form { path: path.clone() }),
            None => Ok(request),
        }
    }

    /// Writes the files of the request folder, by path inside it.
    ///
    /// # Errors
    /// [`Error`] when the values break a limit that [`Request::parse`] would refuse.
    pub fn files(&self) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        self.check()?;
        let mut files = BTreeMap::new();
        for (name, repository) in &self.repositories {
            let folder = name.folder();
            for (at, root) in repository.roots.iter().enumerate() {
                files.insert(root_path(&folder, at as u64 + 1), root.clone());
            }
            if let Some(Served { timestamp, snapshot }) = &repository.served {
                files.insert(served_path(&folder, Role::Timestamp), timestamp.clone());
                files.insert(served_path(&folder, Role::Snapshot), snapshot.clone());
            }
            for (role, keys) in &repository.keys {
                let text: String = keys.iter().map(PublicKey::to_pem).collect();
                files.insert(key_path(&folder, *role), text.into_bytes());
            }
        }
        files.insert(PAGE.to_owned(), Page::of(self).to_bytes());
        for (path, bytes) in &files {
            let most = limit(path).ok_or_else(|| Error::Stranger { path: path.clone() })?;
            if bytes.len() > most {
                return Err(Error::Large { path: path.clone(), bytes: bytes.len(), most });
            }
        }
        let sums = Sums::of(&files)?.to_text();
        files.insert(sums::FILE.to_owned(), sums.into_bytes());
        Ok(files)
    }

    /// The request's digest: the SHA-256 of its `SHA256SUMS`.
    ///
    /// # Errors
    /// As [`Request::files`].
    pub fn digest(&self) -> Result<Digest, Error> {
        let files = self.files()?;
        Ok(Digest::of(file(&files, sums::FILE)?))
    }

    fn check(&self) -> Result<(), Error> {
        if self.repositories.is_empty() || self.repositories.len() > MAX_REPOSITORIES {
            return Err(Error::Count { found: self.repositories.len() });
        }
        if self.server.len() > 1024 || self.server.chars().any(char::is_control) {
            return Err(Error::Server);
        }
        if self.fetched.subsec_nanosecond() != 0 {
            return Err(Error::Time { found: self.fetched.to_string() });
        }
        self.repositories.iter().try_for_each(|(name, repository)| repository.check(name))
    }
}

impl Repository {
    /// The latest version; 0 when the server does not know the repository.
    pub fn latest(&self) -> u64 {
        self.roots.len() as u64
    }

    fn check(&self, name: &Name) -> Result<(), Error> {
        if self.latest() > MAX_VERSIONS {
            return Err(Error::Versions { name: name.clone(), found: self.latest() });
        }
        for (role, keys) in &self.keys {
            let twice = keys.iter().enumerate().any(|(at, key)| keys[..at].contains(key));
            if *role == Role::Root || keys.is_empty() || keys.len() > MAX_KEYS || twice {
                return Err(Error::Keys { name: name.clone(), role: *role });
            }
        }
        Ok(())
    }
}

/// Why a folder is not a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No repository, or too many.
    #[error("a request has 1 to {MAX_REPOSITORIES} repositories, found {found}")]
    Count {
        /// How many.
        found: usize,
    },
    /// A file is not written as requests are.
    #[error("`request/{path}` is not written as a request writes it")]
    Form {
        /// The path in the folder.
        path: String,
    },
    /// A file of keys holds no key that we know, in the one form that we read.
    #[error("`request/{path}`: {source}")]
    Key {
        /// The path in the folder.
        path: String,
        /// What is wrong with it.
        source: key::Error,
    },
    /// The keys of a role: none, too many, one twice, or not those of the page.
    #[error(
        "repository `{name}`: expected 1 to {MAX_KEYS} different keys for role `{role}`, those that `request.json` lists"
    )]
    Keys {
        /// The repository.
        name: Name,
        /// The role.
        role: Role,
    },
    /// A file is too large.
    #[error("`request/{path}` has {bytes} bytes, at most {most} are read")]
    Large {
        /// The path in the folder.
        path: String,
        /// Its length.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// A file is missing.
    #[error("`request/{path}` is missing")]
    Missing {
        /// The path in the folder.
        path: String,
    },
    /// The page is not JSON of the schema.
    #[error("request/request.json:{line}:{column}: not a page of schema `{SCHEMA}`")]
    Page {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A repository stands twice.
    #[error("repository `{name}` is in the request twice")]
    Repeated {
        /// The repository.
        name: Name,
    },
    /// No online role has this name.
    #[error("`{role}` is no online role; expected `snapshot`, `targets` or `timestamp`")]
    Role {
        /// The name.
        role: String,
    },
    /// The server's name is too long or holds control characters.
    #[error("the server of a request is named by at most 1024 bytes without control characters")]
    Server,
    /// A file that no request has.
    #[error("`request/{path}` is no file of a request")]
    Stranger {
        /// The path in the folder.
        path: String,
    },
    /// The sums are wrong.
    #[error("request: {0}")]
    Sums(#[from] sums::Error),
    /// The time is not a UTC instant in whole seconds.
    #[error("expected a time like `2026-11-22T14:00:00Z`, found `{found}`")]
    Time {
        /// The text.
        found: String,
    },
    /// Too many versions.
    #[error("repository `{name}` has {found} versions, at most {MAX_VERSIONS} are read")]
    Versions {
        /// The repository.
        name: Name,
        /// How many.
        found: u64,
    },
}

/// The path of a root below `request/` and below a trust folder alike.
pub fn root_path(folder: &str, version: u64) -> String {
    format!("metadata/{folder}/{version}.root.json")
}

/// The path of the keys offered for a role, below `request/`.
pub fn key_path(folder: &str, role: Role) -> String {
    format!("keys/{folder}/{role}.pem")
}

/// The path of what a Notary server serves of a role, below `request/`.
pub fn served_path(folder: &str, role: Role) -> String {
    format!("served/{folder}/{role}.json")
}

/// The most bytes that the file at `path` below `request/` may have; none when no request has such a file.
pub fn limit(path: &str) -> Option<usize> {
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        [PAGE | sums::FILE] => Some(MAX_PAGE),
        ["metadata", _, file] if file.ends_with(".root.json") => Some(MAX_ROOT),
        ["served", _, "timestamp.json" | "snapshot.json"] => Some(MAX_SERVED),
        ["keys", _, file] if file.ends_with(".pem") => Some(MAX_KEY_FILE),
        _ => None,
    }
}

fn file<'a>(files: &'a BTreeMap<String, Vec<u8>>, path: &str) -> Result<&'a [u8], Error> {
    let found = files.get(path).ok_or_else(|| Error::Missing { path: path.to_owned() })?;
    Ok(found)
}

#[cfg(test)]
mod tests;
