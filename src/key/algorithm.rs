//! The kinds of keys, by the names that plans use.
//!
//! Ground floor: pure, touches nothing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use x509_cert::der::asn1::ObjectIdentifier;

use super::Error;

/// The kind of a key, written as plans write it: `ecdsa-p256`, `rsa-3072`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Algorithm {
    /// ECDSA on NIST P-224: only ever met in foreign roots, and not verified.
    EcdsaP224,
    /// ECDSA on NIST P-256.
    EcdsaP256,
    /// ECDSA on NIST P-384.
    EcdsaP384,
    /// ECDSA on NIST P-521: only ever met in foreign roots.
    EcdsaP521,
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// RSA with a modulus of this many bits.
    Rsa(u16),
}

impl Algorithm {
    /// The algorithms that a plan may name for a new key.
    pub const OFFERED: [Algorithm; 5] = [
        Algorithm::EcdsaP256,
        Algorithm::EcdsaP384,
        Algorithm::Ed25519,
        Algorithm::Rsa(3072),
        Algorithm::Rsa(4096),
    ];

    /// Says whether a plan may name this algorithm for a new key.
    pub fn is_offered(self) -> bool {
        Self::OFFERED.contains(&self)
    }

    /// Says whether a key of this algorithm can be held in shares: its private half is 32 bytes, a scalar or a seed, as
    /// many as the block that is split has for it.
    pub const fn fits_shares(self) -> bool {
        matches!(self, Algorithm::EcdsaP256 | Algorithm::Ed25519)
    }

    /// The bytes of one coordinate or scalar, for the elliptic curves over primes.
    pub const fn width(self) -> Option<usize> {
        match self {
            Algorithm::EcdsaP224 => Some(28),
            Algorithm::EcdsaP256 => Some(32),
            Algorithm::EcdsaP384 => Some(48),
            Algorithm::EcdsaP521 => Some(66),
            Algorithm::Ed25519 | Algorithm::Rsa(_) => None,
        }
    }

    pub(super) const fn curve(self) -> Option<ObjectIdentifier> {
        match self {
            Algorithm::EcdsaP224 => Some(P224),
            Algorithm::EcdsaP256 => Some(P256),
            Algorithm::EcdsaP384 => Some(P384),
            Algorithm::EcdsaP521 => Some(P521),
            Algorithm::Ed25519 | Algorithm::Rsa(_) => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Algorithm::EcdsaP224 => f.write_str("ecdsa-p224"),
            Algorithm::EcdsaP256 => f.write_str("ecdsa-p256"),
            Algorithm::EcdsaP384 => f.write_str("ecdsa-p384"),
            Algorithm::EcdsaP521 => f.write_str("ecdsa-p521"),
            Algorithm::Ed25519 => f.write_str("ed25519"),
            Algorithm::Rsa(bits) => write!(f, "rsa-{bits}"),
        }
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = || Error::UnknownAlgorithm { found: text.to_owned() };
        match text {
            "ecdsa-p224" => Ok(Algorithm::EcdsaP224),
            "ecdsa-p256" => Ok(Algorithm::EcdsaP256),
            "ecdsa-p384" => Ok(Algorithm::EcdsaP384),
            "ecdsa-p521" => Ok(Algorithm::EcdsaP521),
            "ed25519" => Ok(Algorithm::Ed25519),
            _ => {
                let bits = text.strip_prefix("rsa-").ok_or_else(unknown)?;
                let algorithm = Algorithm::Rsa(bits.parse().map_err(|_| unknown())?);
                (algorithm.to_string() == text).then_some(algorithm).ok_or_else(unknown)
            }
        }
    }
}

impl TryFrom<String> for Algorithm {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Algorithm> for String {
    fn from(algorithm: Algorithm) -> Self {
        algorithm.to_string()
    }
}

pub(super) const P224: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.33");
pub(super) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
pub(super) const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
pub(super) const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
