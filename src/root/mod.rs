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

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cjson::{self, Value};
use crate::key::{self, Algorithm, PublicKey, Scheme};
use certificate::Bundle;
pub use document::{Root, Signature, SignedRoot};
pub use term::{Dialect, Expiry, KeyId, Role, Version};

/// The keys of a role and how many of them must sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleKeys {
    /// The ids, in the order of the document.
    pub ids: Vec<KeyId>,
    /// How many must sign; a foreign document may say 0 or less.
    pub threshold: i64,
}

/// A key as metadata states it. A clone shares all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(Arc<Parts>);

#[derive(Debug, PartialEq, Eq)]
struct Parts {
    dialect: Dialect,
    value: Value,
    id: KeyId,
    scheme: Option<Scheme>,
    public: Option<PublicKey>,
    bundle: Option<Bundle>,
}

impl Key {
    /// A plain key of `dialect`: what online roles have, and TUF roots.
    ///
    /// # Errors
    /// [`Error::Algorithm`] when the dialect has no such key.
    pub fn plain(dialect: Dialect, key: &PublicKey) -> Result<Self, Error> {
        let value = match dialect {
            Dialect::Notary => notary::plain_key(key),
            Dialect::Tuf => tuf::key_value(key)?,
        };
        Ok(Self::read(dialect, &value))
    }

    /// Reads a key object; what is unknown stays opaque.
    fn read(dialect: Dialect, value: &Value) -> Self {
        match dialect {
            Dialect::Notary => notary::read_key(value),
            Dialect::Tuf => tuf::read_key(value),
        }
    }

    /// Says whether reading `value` gives this key.
    fn is_read_from(&self, dialect: Dialect, value: &Value) -> bool {
        self.0.dialect == dialect && self.0.value == *value
    }

    /// A Notary root key: a certificate.
    pub fn certificate(bundle: &Bundle) -> Self {
        Self::read(Dialect::Notary, &notary::certificate_key(bundle))
    }

    /// The key object of the document.
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    /// The id recomputed from the key object, as this dialect's strict clients do.
    pub fn id(&self) -> &KeyId {
        &self.0.id
    }

    /// The id of the key without its certificate, under which Notary keeps private keys and lists keys.
    pub fn canonical_id(&self) -> Option<KeyId> {
        self.public().map(notary::plain_id)
    }

    /// The public key, unless it is of a kind that we cannot read.
    pub fn public(&self) -> Option<&PublicKey> {
        self.0.public.as_ref()
    }

    /// How this key signs, unless it is of a kind that we cannot read.
    pub fn scheme(&self) -> Option<Scheme> {
        self.0.scheme
    }

    /// The certificate and its intermediates, when the key has one.
    pub fn bundle(&self) -> Option<&Bundle> {
        self.0.bundle.as_ref()
    }
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
    place: &'a str,
    members: &'a BTreeMap<String, Value>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(place: &'a str, value: &'a Value) -> Result<Self, Error> {
        let members = value.as_map().ok_or(Error::wrong(place, "an object"))?;
        Ok(Self { place, members })
    }

    pub(crate) fn get(&self, field: &str) -> Result<&'a Value, Error> {
        self.members
            .get(field)
            .ok_or_else(|| Error::Missing { field: field.to_owned(), place: self.place.to_owned() })
    }

    pub(crate) fn text(&self, field: &str) -> Result<&'a str, Error> {
        self.get(field)?.as_text().ok_or(Error::wrong(field, "text"))
    }

    pub(crate) fn integer(&self, field: &str) -> Result<i64, Error> {
        self.get(field)?.as_integer().ok_or(Error::wrong(field, "an integer"))
    }

    pub(crate) fn map(&self, field: &str) -> Result<&'a BTreeMap<String, Value>, Error> {
        self.get(field)?.as_map().ok_or(Error::wrong(field, "an object"))
    }
}
