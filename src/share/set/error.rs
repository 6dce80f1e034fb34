//! Why shares are refused.
//!
//! First floor: pure.

use serde::{Deserialize, Serialize};

use super::SetId;
use crate::key::Algorithm;
use crate::share::Damage;

/// Why shares are refused. Each names the share by the index that it was brought as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Error {
    /// Admitted shares gave something else than the key.
    #[error("the shares combine to another key than the set says")]
    Combined,
    /// The bytes are no share.
    #[error("share {share} is damaged: {damage}")]
    Damaged {
        /// Which share.
        share: u8,
        /// What is wrong with it.
        damage: Damage,
    },
    /// One share was brought twice.
    #[error("share {share} was given twice")]
    Duplicate {
        /// Which share.
        share: u8,
    },
    /// The share is whole, and yet not the one that was committed to.
    #[error("share {share} is not the share that was recorded when the set was made")]
    Forged {
        /// Which share.
        share: u8,
    },
    /// The share has an index beyond the set.
    #[error("share {share} cannot be: the set has {total} shares")]
    IndexBeyond {
        /// The index.
        share: u8,
        /// How many shares there are.
        total: u8,
    },
    /// The share says index 0, with which it would decide alone what comes out.
    #[error("share {share} is forged: it says that its index is 0")]
    IndexZero {
        /// The index that it was brought as.
        share: u8,
    },
    /// Random bytes could not be had, or cannot be random.
    #[error("no random bytes could be drawn")]
    NoEntropy,
    /// A private key of this kind does not fit.
    #[error(
        "a key of {algorithm} cannot be held in shares: only ecdsa-p256 and ed25519 fit the 32 bytes"
    )]
    NoShares {
        /// The kind of key.
        algorithm: Algorithm,
    },
    /// The bytes are no private key of the curve.
    #[error("these 32 bytes are no private key")]
    NotAKey,
    /// The text is no set id.
    #[error("a set id is written as 32 lower-case hex digits")]
    NotASetId,
    /// The share is another one of the set.
    #[error("share {share} is in truth share {found}")]
    OtherIndex {
        /// The index that it was brought as.
        share: u8,
        /// The index that it says.
        found: u8,
    },
    /// The share names another key or threshold than its set.
    #[error("share {share} was made for another key or threshold")]
    OtherKey {
        /// Which share.
        share: u8,
    },
    /// The share is of another set.
    #[error("share {share} belongs to set {found}, expected set {expected}")]
    OtherSet {
        /// Which share.
        share: u8,
        /// The set that it says.
        found: SetId,
        /// The set that is wanted.
        expected: SetId,
    },
    /// A threshold that cannot be.
    #[error(
        "{needed} of {total} shares cannot be: at least 2 are needed, and there are at most 32"
    )]
    Threshold {
        /// How many would be needed.
        needed: u8,
        /// How many there would be.
        total: u8,
    },
    /// There are not enough shares.
    #[error("{found} of the {needed} shares that are needed are here")]
    TooFew {
        /// How many are here.
        found: u8,
        /// How many are needed.
        needed: u8,
    },
}
