//! Root metadata of both dialects as one model that keeps every byte the signatures cover.
//!
//! First floor: pure, touches nothing but the ground floor.
//!
//! Roots, files and keys never change once they are read, and share what they hold: a clone costs a count. All of them
//! may go to other threads and be read by several at once, as may a [`walk::Chain`]; repositories have nothing in
//! common, so that as many of them are read and walked at a time as there are cores.

pub mod certificate;
pub mod diff;
mod document;
#[cfg(test)]
pub(crate) mod fixture;
pub mod horizon;
mod listed;
pub mod notary;
pub mod online;
pub mod profile;
pub mod shape;
pub mod succession;
pub mod targets;
mod term;
pub mod threshold;
pub mod tuf;
mod verdict;
pub mod walk;
#[cfg(test)]
mod words;

use std::fmt;

use crate::cjson::{self, Members, Value};
use crate::key::{self, Algorithm};
pub use document::{Root, Signature, SignedRoot};
pub use listed::Key;
use listed::Read;
pub use term::{Dialect, Expiry, KeyId, Role, Version};

/// The keys of a role and how many of them must sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleKeys {
    /// The ids, in the order of the document.
    pub ids: Vec<KeyId>,
    /// How many must sign; a foreign document may say 0 or less.
    pub threshold: i64,
}

/// Why a document is no root, or a key no key of its dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The dialect's roots take no such key.
    #[error("a {dialect} root takes no key of {algorithm}")]
    Algorithm {
        /// The dialect.
        dialect: Dialect,
        /// The kind of the key.
        algorithm: Algorithm,
    },
    /// `expires` is no date and time.
    #[error("`expires` is a date and time of RFC 3339, found `{found}`")]
    Expires {
        /// What stands there.
        found: String,
    },
    /// Not the JSON of signed metadata.
    #[error(transparent)]
    Json(#[from] cjson::Error),
    /// A key or a signature is refused.
    #[error(transparent)]
    Key(#[from] key::Error),
    /// Another role's metadata, or another dialect's.
    #[error("expected `_type` `{expected}`, found `{found}`")]
    Kind {
        /// What a root says.
        expected: &'static str,
        /// What this says.
        found: String,
    },
    /// A field is missing.
    #[error("`{field}` is missing in {place}")]
    Missing {
        /// The field.
        field: String,
        /// Where it belongs.
        place: String,
    },
    /// A field holds another type.
    #[error("`{field}` is {expected}")]
    Type {
        /// The field.
        field: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The version is not from 1 to 2^53.
    #[error("a version is a number from 1 to 2^53, found {found}")]
    Version {
        /// What stands there.
        found: i64,
    },
}

impl Error {
    pub(crate) fn wrong(field: &str, expected: &'static str) -> Self {
        Error::Type { field: field.to_owned(), expected }
    }
}

/// The members of an object, with errors that name the field.
pub(crate) struct Fields<'a> {
    place: Place<'a>,
    members: &'a Members,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(place: &'a str, value: &'a Value) -> Result<Self, Error> {
        Self::at(Place::Named(place), value)
    }

    fn of_role(role: &'a str, value: &'a Value) -> Result<Self, Error> {
        Self::at(Place::Role(role), value)
    }

    fn at(place: Place<'a>, value: &'a Value) -> Result<Self, Error> {
        let members =
            value.as_map().ok_or_else(|| Error::wrong(&place.to_string(), "an object"))?;
        Ok(Self { place, members })
    }

    pub(crate) fn get(&self, field: &str) -> Result<&'a Value, Error> {
        self.members.get(field).ok_or_else(|| Error::Missing {
            field: field.to_owned(),
            place: self.place.to_string(),
        })
    }

    pub(crate) fn text(&self, field: &str) -> Result<&'a str, Error> {
        self.get(field)?.as_text().ok_or_else(|| Error::wrong(field, "text"))
    }

    pub(crate) fn integer(&self, field: &str) -> Result<i64, Error> {
        self.get(field)?.as_integer().ok_or_else(|| Error::wrong(field, "an integer"))
    }

    pub(crate) fn map(&self, field: &str) -> Result<&'a Members, Error> {
        self.get(field)?.as_map().ok_or_else(|| Error::wrong(field, "an object"))
    }
}

/// Where fields stand, in the words of an error.
enum Place<'a> {
    Named(&'a str),
    Role(&'a str),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Named(name) => f.write_str(name),
            Place::Role(name) => write!(f, "role `{name}`"),
        }
    }
}
