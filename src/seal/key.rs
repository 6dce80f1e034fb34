//! The public keys that shares are sealed to.
//!
//! First floor: pure.

use age_core::primitives::bech32_encode;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::key::{Algorithm, KemKey, PublicKey};

/// A public key that things can be sealed to: P-256, its private half in a token, and beside it an ML-KEM-768 key where
/// that token has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Halves", into = "Halves")]
pub struct SealKey {
    point: PublicKey,
    kem: Option<KemKey>,
}

type Halves = (PublicKey, Option<KemKey>);

impl SealKey {
    /// Puts the two halves of a key together.
    ///
    /// # Errors
    /// [`Error::NotASealKey`].
    pub fn new(point: PublicKey, kem: Option<KemKey>) -> Result<Self, Error> {
        match point.algorithm() {
            Algorithm::EcdsaP256 => Ok(Self { point, kem }),
            algorithm => Err(Error::NotASealKey { algorithm }),
        }
    }

    /// The P-256 public key.
    pub fn public(&self) -> &PublicKey {
        &self.point
    }

    /// The ML-KEM half.
    pub fn kem(&self) -> Option<&KemKey> {
        self.kem.as_ref()
    }

    /// The point, uncompressed (SEC 1 2.3.3).
    pub fn point(&self) -> [u8; 65] {
        std::array::from_fn(|i| self.point.material()[i])
    }

    /// The recipient as `age` writes it: `age1tag1…`, and of both halves `age1tagpq1…`.
    pub fn recipient(&self) -> String {
        let (hrp, bytes) = match &self.kem {
            None => (HRP, self.compressed().to_vec()),
            Some(kem) => (HYBRID_HRP, [kem.as_bytes(), &self.point()].concat()),
        };
        // The prefixes are constants, and good ones. BIP-173's limit of 90 characters does not hold for `age`.
        let hrp = bech32::Hrp::parse(hrp).ok();
        hrp.map(|hrp| bech32_encode(hrp, &bytes)).unwrap_or_default()
    }

    pub(super) fn compressed(&self) -> [u8; 33] {
        super::compressed(&self.point())
    }
}

impl TryFrom<PublicKey> for SealKey {
    type Error = Error;

    fn try_from(key: PublicKey) -> Result<Self, Error> {
        Self::new(key, None)
    }
}

impl TryFrom<Halves> for SealKey {
    type Error = Error;

    fn try_from((point, kem): Halves) -> Result<Self, Error> {
        Self::new(point, kem)
    }
}

impl From<SealKey> for Halves {
    fn from(key: SealKey) -> Self {
        (key.point, key.kem)
    }
}

const HRP: &str = "age1tag";
const HYBRID_HRP: &str = "age1tagpq";
