//! What goes wrong with a child.
//!
//! Roof: pure.

use super::fence::Unfenced;
use super::vault::Refused;
use super::wire::Fault;
use crate::room::{picture, pkcs11};

/// Why a child did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The process crashed, hung or sent nonsense. It was ended; what it held in memory is gone.
    #[error("the process for `{child}` was lost: {fault}")]
    Lost {
        /// Which child.
        child: String,
        /// What happened on the wire.
        fault: Fault,
    },
    /// The picture cannot be read.
    #[error(transparent)]
    Picture(#[from] picture::Error),
    /// The process could not be started.
    #[error("the process for `{child}` cannot be started")]
    Start {
        /// Which child.
        child: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The token, or the module in front of it, refused or failed.
    #[error(transparent)]
    Token(#[from] pkcs11::Error),
    /// The machine does not let the process be fenced in, so it holds nothing and loads nothing.
    #[error("the process for `{child}` cannot be fenced in: {reason}")]
    Unfenced {
        /// Which child.
        child: String,
        /// What cannot be denied.
        reason: Unfenced,
    },
    /// The vault refused.
    #[error(transparent)]
    Vault(#[from] Refused),
}
