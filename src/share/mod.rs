//! Keys in shares: a private key split over tokens, and put together again.
//!
//! First floor: pure but for one named impurity: splitting draws from the kernel's generator, because the
//! `shamirsecretsharing` crate does (docs/threats.md rule 16). Runs in the vault only.

pub mod paper;
mod scalar;
mod set;
#[expect(clippy::module_inception, reason = "one share, beside the set it belongs to")]
mod share;

pub use scalar::{draw, public_key};
pub use set::{
    Admitted, Combinations, Error, MAX_COMBINATIONS, Quorum, Set, SetId, Split, Threshold, split,
};
pub use share::{Commitment, Damage, SHARE_LEN, Share, ShareIndex};
