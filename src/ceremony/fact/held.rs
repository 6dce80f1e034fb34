//! What facts say of a token as a thing: what its maker attests, and the bag that it is in.
//!
//! Second floor: pure.

use serde::{Deserialize, Serialize};

use super::Fact;
use crate::attestation::{PinPolicy, TouchPolicy};
use crate::digest::Digest;
use crate::key::PublicKey;

/// The bag and the seal of a token or paper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bagged {
    /// The token or paper.
    pub holder: String,
    /// What is printed on bag and seal.
    pub bag: String,
}

/// What the maker of a token says of a key of it, by certificates that the custody folder keeps: they name its serial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attested {
    /// SHA-256 of the file of the certificates. Nobody finds a serial by it: they are signed by the token.
    pub file: Digest,
    /// The firmware of the token, such as `5.7.1`.
    pub firmware: String,
    /// When the key asks for the PIN.
    pub pin: PinPolicy,
    /// When it asks for a touch.
    pub touch: TouchPolicy,
    /// Whether a maker that is known signed them; otherwise an exception stands before this entry.
    pub by_maker: bool,
}

impl Fact {
    /// What the makers of tokens say of keys, each with the key.
    pub fn attested(&self) -> impl Iterator<Item = (&PublicKey, &Attested)> {
        let (first, second) = match self {
            Self::KeyMade { public, attested, .. } => (Some(public).zip(attested.as_ref()), None),
            Self::TokenEnrolled { attest, seal, attested, seal_attested, .. } => {
                (Some(attest).zip(attested.as_ref()), seal.as_ref().zip(seal_attested.as_ref()))
            }
            _ => (None, None),
        };
        first.into_iter().chain(second)
    }
}
