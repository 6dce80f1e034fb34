//! The publisher's and the consumer's side of Docker Content Trust: what `docker trust` and `notary` did, under a root
//! that is nowhere online.
//!
//! Annex.

pub(crate) mod add;
mod anchor;
pub(crate) mod at_hand;
mod authority;
mod cache;
mod candidate;
mod changed;
mod client;
mod content;
pub(crate) mod countersign;
pub(crate) mod delegation;
mod difference;
pub(crate) mod draft;
mod error;
mod images;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod list;
mod pins;
mod place;
pub(crate) mod revoke;
pub(crate) mod server;
mod settle;
pub(crate) mod sign;
pub(crate) mod signer;
mod snapshot;
pub(crate) mod verify;
mod view;
pub(crate) mod witness;

use super::args::trust as args;
pub(crate) use error::Error;
