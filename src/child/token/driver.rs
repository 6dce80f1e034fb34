//! What drives a token, and what its child is told of that.
//!
//! Roof: values only.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::room::binding::Needs;
use crate::room::token::Uri;

/// What drives the token.
#[derive(Clone, Debug)]
pub enum Driver {
    /// A PKCS#11 module.
    Module {
        /// The shared library.
        module: PathBuf,
        /// What it must be; without, any is loaded.
        sha256: Option<Digest>,
        /// For a soft token: the configuration file that stands in its own directory. The child has it in its environment.
        softhsm: Option<PathBuf>,
        /// What the module needs besides.
        needs: Box<Needs>,
        /// Which of those that it shows is meant; without, all are shown.
        uri: Option<Uri>,
    },
    /// This binary itself, by PIV: a YubiKey.
    YubiKey {
        /// The one that is meant; without, all are shown.
        serial: Option<u32>,
    },
}

/// What the child is told before it raises its fence.
#[derive(Serialize, Deserialize)]
pub(super) enum Terms {
    Module {
        module: PathBuf,
        sha256: Option<Digest>,
        token: Option<PathBuf>,
        needs: Box<Needs>,
        uri: Option<Uri>,
    },
    YubiKey {
        serial: Option<u32>,
    },
}

impl Driver {
    /// The environment of the child, and what it is told.
    pub(super) fn terms(&self) -> (Vec<(&str, &OsStr)>, Terms) {
        match self {
            Self::Module { module, sha256, softhsm, needs, uri } => {
                let token = softhsm.as_deref().and_then(Path::parent).map(Path::to_owned);
                let own = softhsm.iter().map(|conf| ("SOFTHSM2_CONF", conf.as_os_str()));
                let said = needs.environment.iter();
                let said = said.map(|(name, value)| (name.as_str(), OsStr::new(value)));
                let (module, needs, uri) = (module.clone(), needs.clone(), uri.clone());
                let terms = Terms::Module { module, sha256: *sha256, token, needs, uri };
                (own.chain(said).collect(), terms)
            }
            Self::YubiKey { serial } => (Vec::new(), Terms::YubiKey { serial: *serial }),
        }
    }
}
