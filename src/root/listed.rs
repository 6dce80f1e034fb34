//! A key as metadata lists it: its object, and what that says.
//!
//! First floor: pure.

use std::sync::{Arc, OnceLock};

use super::certificate::Bundle;
use super::{Dialect, Error, KeyId, notary, tuf};
use crate::cjson::Value;
use crate::key::{PublicKey, Scheme};

/// A key as metadata states it. A clone shares all of it.
#[derive(Clone, Debug)]
pub struct Key(Arc<Listed>);

#[derive(Debug)]
struct Listed {
    dialect: Dialect,
    value: Value,
    /// Read when somebody asks first: a document is read more often than each of its keys is looked at.
    read: OnceLock<Read>,
}

/// What a key object says.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) id: KeyId,
    pub(super) scheme: Option<Scheme>,
    pub(super) public: Option<PublicKey>,
    pub(super) bundle: Option<Bundle>,
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
        Ok(Self::of(dialect, value))
    }

    /// A key object; what is unknown stays opaque.
    pub(super) fn of(dialect: Dialect, value: Value) -> Self {
        Self(Arc::new(Listed { dialect, value, read: OnceLock::new() }))
    }

    /// Says whether `value` is the object of this key.
    pub(super) fn is_of(&self, dialect: Dialect, value: &Value) -> bool {
        self.0.dialect == dialect && self.0.value == *value
    }

    /// A Notary root key: a certificate.
    pub fn certificate(bundle: &Bundle) -> Self {
        let key = Self::of(Dialect::Notary, notary::certificate_key(bundle));
        // Any other text is not what the object holds.
        if bundle.is_exact() {
            key.0.read.get_or_init(|| notary::read_certificate(key.value(), bundle.clone()));
        }
        key
    }

    fn read(&self) -> &Read {
        let Listed { dialect, value, read } = &*self.0;
        read.get_or_init(|| match dialect {
            Dialect::Notary => notary::read_key(value),
            Dialect::Tuf => tuf::read_key(value),
        })
    }

    /// The key object of the document.
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    /// The id recomputed from the key object, as this dialect's strict clients do.
    pub fn id(&self) -> &KeyId {
        &self.read().id
    }

    /// The id of the key without its certificate, under which Notary keeps private keys and lists keys.
    pub fn canonical_id(&self) -> Option<KeyId> {
        self.public().map(notary::plain_id)
    }

    /// The public key, unless it is of a kind that we cannot read.
    pub fn public(&self) -> Option<&PublicKey> {
        self.read().public.as_ref()
    }

    /// How this key signs, unless it is of a kind that we cannot read.
    pub fn scheme(&self) -> Option<Scheme> {
        self.read().scheme
    }

    /// The certificate and its intermediates, when the key has one.
    pub fn bundle(&self) -> Option<&Bundle> {
        self.read().bundle.as_ref()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.is_of(other.0.dialect, &other.0.value)
    }
}

impl Eq for Key {}
