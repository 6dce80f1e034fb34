//! A key as the fast verifier holds it: made where a key is checked, since that is most of the work, and kept.
//!
//! Ground floor: pure, touches nothing. It says nothing that the encoding of the key does not say.

use std::cmp::Ordering;
use std::hash::{Hash as Hashed, Hasher};
use std::sync::Arc;

use aws_lc_rs::signature::ParsedPublicKey;

use super::Hash;

/// What the verifier made of a key on a curve, for signatures over [`Ready::HASH`]; none of other keys.
#[derive(Clone)]
pub(super) struct Ready(pub(super) Option<Arc<ParsedPublicKey>>);

impl Ready {
    /// What nearly all signatures are over.
    pub(super) const HASH: Hash = Hash::Sha256;
}

// Keys are one where their encodings are.
impl PartialEq for Ready {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Ready {}

impl PartialOrd for Ready {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ready {
    fn cmp(&self, _: &Self) -> Ordering {
        Ordering::Equal
    }
}

impl Hashed for Ready {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
