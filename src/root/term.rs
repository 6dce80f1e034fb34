//! The words of root metadata as types: dialect, version, key id, role, expiry.
//!
//! First floor: pure.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Error, notary, tuf};
use crate::digest::Digest;
use crate::key::{Algorithm, Scheme};

/// Which metadata a repository speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Notary v1, which Docker Content Trust uses.
    Notary,
    /// TUF 1.0.
    Tuf,
}

impl Dialect {
    /// The scheme in which a key of this kind signs root metadata.
    ///
    /// # Errors
    /// [`Error::Algorithm`] when clients of the dialect take no such key for a root.
    pub fn scheme(self, algorithm: Algorithm) -> Result<Scheme, Error> {
        match self {
            Dialect::Notary => notary::scheme(algorithm),
            Dialect::Tuf => tuf::scheme(algorithm),
        }
    }

    pub(super) const fn kind(self) -> &'static str {
        match self {
            Dialect::Notary => "Root",
            Dialect::Tuf => "root",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dialect::Notary => "notary",
            Dialect::Tuf => "tuf",
        })
    }
}

/// The version of a root, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(NonZeroU64);

impl Version {
    /// The first version.
    pub const FIRST: Version = Version(NonZeroU64::MIN);

    /// Takes a number from 1 to 2^53.
    pub fn new(number: u64) -> Option<Self> {
        NonZeroU64::new(number).filter(|n| n.get() <= 1 << 53).map(Self)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// The version after this one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of a key inside metadata: 64 lower-case hex digits in all that we write, any text in what we read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// Takes an id as a document writes it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Digest> for KeyId {
    fn from(digest: Digest) -> Self {
        Self(digest.to_string())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One of the four roles that every root must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Signs roots.
    Root,
    /// Signs the list of current files.
    Snapshot,
    /// Signs the targets and delegations.
    Targets,
    /// Signs what is newest, often.
    Timestamp,
}

impl Role {
    /// All four, in the order of their names.
    pub const ALL: [Role; 4] = [Role::Root, Role::Snapshot, Role::Targets, Role::Timestamp];

    /// The three whose keys are online or with publishers.
    pub const ONLINE: [Role; 3] = [Role::Snapshot, Role::Targets, Role::Timestamp];

    /// The name in metadata.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Root => "root",
            Role::Snapshot => "snapshot",
            Role::Targets => "targets",
            Role::Timestamp => "timestamp",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Role::ALL.into_iter().find(|role| role.name() == text).ok_or(())
    }
}

/// When a document expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    text: String,
    instant: Timestamp,
}

impl Expiry {
    /// Takes an instant and cuts it to whole seconds, the form that both dialects read.
    pub fn at(instant: Timestamp) -> Self {
        let text = instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let instant = Timestamp::from_second(instant.as_second()).unwrap_or(instant);
        Self { text, instant }
    }

    /// Takes the text of a document (RFC 3339, any offset and fraction).
    pub fn from_text(text: &str) -> Option<Self> {
        let shape = text.len() >= 20 && text.as_bytes()[10] == b'T' && !text.contains('[');
        let instant = text.parse().ok().filter(|_| shape)?;
        Some(Self { text: text.to_owned(), instant })
    }

    /// The text that stands in the document.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The instant.
    pub fn instant(&self) -> Timestamp {
        self.instant
    }
}
