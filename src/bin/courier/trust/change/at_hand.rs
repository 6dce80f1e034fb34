//! The keys of a person that are at hand for one command, each unlocked once.
//!
//! Annex: the key store.

use std::collections::BTreeMap;
use std::path::Path;

use officiant::key::PublicKey;
use officiant::root::threshold::Electorate;
use officiant::root::{Key, KeyId, Signature, targets};

use super::super::Error;
use super::super::place::Place;
use crate::keys::Private;
use crate::store::{self, Signer, Store};

/// The keys at hand.
pub(crate) struct KeysAtHand {
    store: Store,
    /// By canonical id.
    open: BTreeMap<KeyId, Signer>,
}

impl KeysAtHand {
    /// The keys of the person whose place it is.
    pub(crate) fn of(place: &Place) -> Self {
        Self::in_store(&place.trust_dir)
    }

    /// The keys below a trust folder of a person.
    pub(crate) fn in_store(trust_dir: &Path) -> Self {
        Self { store: Store::open(trust_dir), open: BTreeMap::new() }
    }

    /// Adds a key from elsewhere, which is unlocked already.
    ///
    /// # Errors
    /// [`store::Error::Kind`] for a key that Notary has no name for.
    pub(crate) fn add(&mut self, private: Private) -> Result<(), store::Error> {
        self.open.insert(store::canonical_id(private.public())?, private.into());
        Ok(())
    }

    /// Whether one of the keys that count is at hand.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn holds_one_of(&self, electorate: &Electorate<'_>) -> Result<bool, Error> {
        Ok(self.held(electorate)? > 0)
    }

    /// How many of the keys that count are at hand.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub(crate) fn held(&self, electorate: &Electorate<'_>) -> Result<i64, Error> {
        let mut held = 0;
        for public in electorate.keys.values().filter_map(|key| key.public()) {
            held += i64::from(self.store.find_public(public)?.is_some());
        }
        Ok(held)
    }

    /// Signs by every key that counts and is at hand, in the order of their ids.
    ///
    /// # Errors
    /// [`store::Error`] of the first key that does not open or sign.
    pub(crate) fn sign(
        &mut self,
        electorate: &Electorate<'_>,
        message: &[u8],
    ) -> Result<Vec<Signature>, store::Error> {
        let mut signatures = Vec::new();
        for (id, key) in &electorate.keys {
            let (Some(public), Some(scheme)) = (key.public(), key.scheme()) else { continue };
            let Some(signer) = self.signer(key, public)? else { continue };
            let bytes = signer.sign(scheme, message)?;
            signatures.extend(targets::signature(id, key, bytes));
        }
        Ok(signatures)
    }

    fn signer(&mut self, key: &Key, public: &PublicKey) -> Result<Option<&Signer>, store::Error> {
        let Some(id) = key.canonical_id() else { return Ok(None) };
        if !self.open.contains_key(&id) {
            let Some(stored) = self.store.find_public(public)? else { return Ok(None) };
            let signer = self.store.unlock(&stored)?;
            self.open.insert(id.clone(), signer);
        }
        Ok(self.open.get(&id))
    }
}
