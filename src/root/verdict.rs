//! What was found out about the bytes of one file, for whoever asks again: clients of every kind walk over the same
//! files on many days, and neither the bytes nor the keys change.
//!
//! First floor: pure; a verdict is what a fresh answer would be.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::Key;
use crate::key::{PublicKey, Scheme};

/// The verdicts on a file, shared by all its clones.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    /// Whether the signature at an index verifies under a key that signs in a scheme.
    good: Mutex<HashMap<(usize, Scheme, PublicKey), bool>>,
    byte_exact: OnceLock<bool>,
}

impl Verdicts {
    /// Whether the signature at an index is good under a key: `verify` says so once.
    pub(super) fn good(&self, index: usize, key: &Key, verify: impl Fn() -> bool) -> bool {
        let (Some(scheme), Some(public)) = (key.scheme(), key.public()) else { return false };
        let entry = (index, scheme, public.clone());
        let known = || self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(good) = known().get(&entry) {
            return *good;
        }
        // Not under the lock: others may ask about other signatures meanwhile.
        let good = verify();
        known().insert(entry, good);
        good
    }

    /// Takes a signature as good under a key, by which somebody else found it good.
    pub(super) fn assume_good(&self, index: usize, scheme: Scheme, key: &PublicKey) {
        let mut known = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((index, scheme, key.clone()), true);
    }

    /// Whether every signature that anybody asked about was good.
    pub(super) fn are_good(&self) -> bool {
        let known = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().all(|good| *good)
    }

    /// Whether a Notary server would write the same bytes: `compare` says so once.
    pub(super) fn byte_exact(&self, compare: impl FnOnce() -> bool) -> bool {
        *self.byte_exact.get_or_init(compare)
    }
}
