//! Changes of a repository's lists: made, signed by the keys at hand, uploaded and compared; or written for others.
//!
//! Annex: the key store, media, and the network.

pub(crate) mod at_hand;
pub(crate) mod candidate;
pub(super) mod changed;
pub(super) mod content;
pub(super) mod difference;
pub(crate) mod draft;
mod error;
pub(super) mod settle;
mod snapshot;

pub(crate) use error::Unchanged;
