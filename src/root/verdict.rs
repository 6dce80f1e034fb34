//! What was found out about the bytes of one file, for whoever asks again: clients of every kind walk over the same
//! files on many days, and neither the bytes nor the keys change.
//!
//! First floor: pure; a verdict is what a fresh answer would be.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::Key;
use super::shape::{Shape, ShapeError};
use crate::key::{PublicKey, Scheme};

/// The verdicts on a file, shared by all its clones.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    /// Of each signature, under which keys that sign in a scheme it verifies, and under which not: few, whoever asks.
    good: Mutex<BTreeMap<usize, Vec<Judged>>>,
    /// What clients want of a file before they count, and whether it is that.
    shapes: Mutex<Vec<(Shape, Result<(), ShapeError>)>>,
    byte_exact: OnceLock<bool>,
}

/// Under which key, in which scheme, and whether it verifies.
type Judged = (Scheme, PublicKey, bool);

impl Verdicts {
    /// Whether the signature at an index is good under a key: `verify` says so once.
    pub(super) fn good(&self, index: usize, key: &Key, verify: impl Fn() -> bool) -> bool {
        let (Some(scheme), Some(public)) = (key.scheme(), key.public()) else { return false };
        let is_it = |(s, p, _): &&Judged| *s == scheme && p == public;
        let known =
            lock(&self.good).get(&index).and_then(|all| all.iter().find(is_it)).map(|k| k.2);
        if let Some(good) = known {
            return good;
        }
        // Not under the lock: others may ask about other signatures meanwhile.
        let good = verify();
        lock(&self.good).entry(index).or_default().push((scheme, public.clone(), good));
        good
    }

    /// Takes a signature as good under a key, by which somebody else found it good.
    pub(super) fn assume_good(&self, index: usize, scheme: Scheme, key: &PublicKey) {
        let mut known = lock(&self.good);
        let all = known.entry(index).or_default();
        all.retain(|(other, public, _)| (*other, public) != (scheme, key));
        all.push((scheme, key.clone(), true));
    }

    /// Whether every signature that anybody asked about was good.
    pub(super) fn are_good(&self) -> bool {
        lock(&self.good).values().flatten().all(|(_, _, good)| *good)
    }

    /// Whether the file has a shape: `check` says so once.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub(super) fn shape(
        &self,
        shape: &Shape,
        check: impl FnOnce() -> Result<(), ShapeError>,
    ) -> Result<(), ShapeError> {
        let mut known = lock(&self.shapes);
        if let Some((_, said)) = known.iter().find(|(other, _)| other == shape) {
            return said.clone();
        }
        let said = check();
        known.push((*shape, said.clone()));
        said
    }

    /// Whether a Notary server would write the same bytes: `compare` says so once.
    pub(super) fn byte_exact(&self, compare: impl FnOnce() -> bool) -> bool {
        *self.byte_exact.get_or_init(compare)
    }
}

fn lock<T>(known: &Mutex<T>) -> MutexGuard<'_, T> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
