//! Public keys of ML-KEM-768, to which shares are sealed where a token has one.
//!
//! Ground floor: pure, touches nothing.

use std::fmt;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::digest::Digest;

/// An ML-KEM-768 encapsulation key (FIPS 203 7.2); serializes as the base64 of its 1184 bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KemKey(Box<[u8]>);

impl KemKey {
    /// Takes the bytes of an encapsulation key.
    ///
    /// # Errors
    /// [`Error::NotKem`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        // FIPS 203 7.2: the length, and every coefficient, 12 bits each, below the modulus. Libraries check the first only.
        let pairs = bytes.get(..VECTOR).filter(|_| bytes.len() == VECTOR + SEED);
        let pairs = pairs.ok_or(Error::NotKem)?.chunks_exact(3);
        let number = |low: u8, high: u8| u16::from(low) | u16::from(high) << 8;
        let mut coefficients =
            pairs.flat_map(|pair| [number(pair[0], pair[1] & 0xf), number(pair[1], pair[2]) >> 4]);
        match coefficients.all(|coefficient| coefficient < MODULUS) {
            true => Ok(Self(bytes.into())),
            false => Err(Error::NotKem),
        }
    }

    /// The 1184 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The SHA-256 of the bytes.
    pub fn id(&self) -> Digest {
        Digest::of(&self.0)
    }
}

impl fmt::Debug for KemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KemKey({})", self.id())
    }
}

impl TryFrom<String> for KemKey {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::from_bytes(&BASE64.decode(text.as_bytes()).map_err(|_| Error::NotKem)?)
    }
}

impl From<KemKey> for String {
    fn from(key: KemKey) -> Self {
        BASE64.encode(&key.0)
    }
}

/// The bytes of the vector of polynomials, and of the seed behind it.
const VECTOR: usize = 1152;
const SEED: usize = 32;
const MODULUS: u16 = 3329;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_what_is_none_is_refused() {
        let key = KemKey::from_bytes(&[0; 1184]).unwrap();
        let text = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<KemKey>(&text).unwrap(), key);
        let short = KemKey::from_bytes(&[0; 1183]).unwrap_err();
        assert_eq!(short.to_string(), "no public key of ML-KEM-768");
        // The last coefficient: the largest there is, and one more.
        let ending = |coefficient: u16| {
            let mut bytes = [0; 1184];
            bytes[1150..1152].copy_from_slice(&(coefficient << 4).to_le_bytes());
            KemKey::from_bytes(&bytes).map(|_| ())
        };
        assert_eq!((ending(3328), ending(3329)), (Ok(()), Err(Error::NotKem)));
        assert_eq!(KemKey::try_from("*".to_owned()), Err(Error::NotKem));
    }
}
