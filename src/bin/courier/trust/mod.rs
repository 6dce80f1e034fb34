//! The publisher's and the consumer's side of Docker Content Trust: what `docker trust` and `notary` did, under a root
//! that is nowhere online.
//!
//! Annex.

pub(crate) mod add;
pub(crate) mod change;
mod client;
pub(crate) mod countersign;
pub(crate) mod delegation;
mod error;
mod horizon;
mod images;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod list;
mod place;
pub(crate) mod revoke;
pub(crate) mod server;
pub(crate) mod sign;
pub(crate) mod signer;
pub(crate) mod status;
pub(crate) mod verify;
pub(crate) mod witness;

use super::args::trust as args;
pub(crate) use error::Error;
pub(crate) use place::Places;
