//! The publisher's and the consumer's side of Docker Content Trust: what `docker trust` and `notary` did, under a root
//! that is nowhere online.
//!
//! Annex.

mod anchor;
mod authority;
mod cache;
mod client;
mod draft;
mod error;
mod keyring;
mod pins;
mod place;
mod snapshot;
pub(crate) mod verify;
mod view;

use super::args::trust as args;
pub(crate) use error::Error;
