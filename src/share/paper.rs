//! A sealed share as it stands on paper: in codes for a camera, and in lines for people.
//!
//! First floor: pure. What stands on paper is, numbers big endian:
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 4 | `OFSP` |
//! | 4 | 1 | version, 1 |
//! | 5 | 16 | set id |
//! | 21 | 1 | index, 1 to *n* |
//! | 22 | 1 | *k*, how many are needed |
//! | 23 | 1 | *n*, how many there are |
//! | 24 | 32 | SHA-256 of the public key's SubjectPublicKeyInfo |
//! | 56 | 2 | length of the sealed share |
//! | 58 | … | the sealed share, an `age` file |
//! | … | 8 | checksum: the first 8 bytes of the digest of parts (`officiant paper checksum v1`; all bytes before) |
//!
//! All of it is public, for the share is sealed. Its text is base32 (RFC 4648, upper case, no padding): in [`codes`] of
//! letters that a QR code takes without a loss, and in [`lines`] that are typed, each with a word that checks it.
//!
//! [`codes`]: PaperShare::codes
//! [`lines`]: PaperShare::lines

mod code;
mod error;
mod line;

use data_encoding::BASE32_NOPAD;

use super::set::{Error as SetError, Set, SetId, Threshold};
use super::share::{Damage, ShareIndex};
use crate::digest::Digest;

pub use code::MAX_CODE;
pub use error::Error;
pub use line::{LETTERS, Line, TypedLine};

/// A sealed share, and what may be known of it. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaperShare {
    /// The set that it is of.
    pub set: SetId,
    /// Its place there.
    pub index: ShareIndex,
    /// How many there are, and how many are needed.
    pub threshold: Threshold,
    /// SHA-256 of the public key's SubjectPublicKeyInfo.
    pub key: Digest,
    /// The `age` file.
    pub sealed: Vec<u8>,
}

impl PaperShare {
    /// The share of that index of `set`, sealed.
    pub fn of(set: &Set, index: ShareIndex, sealed: &[u8]) -> Self {
        let (threshold, key) = (set.threshold, set.key.id());
        Self { set: set.id, index, threshold, key, sealed: sealed.to_vec() }
    }

    /// The bytes that stand on paper.
    ///
    /// # Errors
    /// [`Error::TooLong`].
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let length = u16::try_from(self.sealed.len()).ok();
        let length = length.filter(|_| self.sealed.len() <= MAX_SEALED).ok_or(Error::TooLong)?;
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        bytes.extend(self.set.as_bytes());
        bytes.extend([self.index.get(), self.threshold.needed(), self.threshold.total()]);
        bytes.extend(self.key.as_bytes());
        bytes.extend(length.to_be_bytes());
        bytes.extend(&self.sealed);
        bytes.extend(checksum(&bytes));
        Ok(bytes)
    }

    /// Decodes strictly: this magic, version, length and checksum, and a place that can be.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::IndexZero`], [`Error::Place`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let damaged = |damage| Err(Error::Damaged { damage });
        if bytes.get(..4).is_some_and(|magic| magic != MAGIC) {
            return damaged(Damage::Magic);
        }
        if let Some(version) = bytes.get(4).filter(|version| **version != VERSION) {
            return damaged(Damage::Version { found: *version });
        }
        let (found, expected) = (bytes.len(), length(bytes));
        if expected.is_none_or(|expected| expected != found) {
            return Err(Error::Length { found });
        }
        let (body, sum) = bytes.split_at_checked(found - SUM).unwrap_or_default();
        if sum != checksum(body) {
            return damaged(Damage::Checksum);
        }
        let (needed, total) = (body[22], body[23]);
        let index = ShareIndex::new(body[21]).ok_or(Error::IndexZero)?;
        let threshold = Threshold::new(needed, total).ok().filter(|_| index.get() <= total);
        let place = Error::Place { index: index.get(), needed, total };
        Ok(Self {
            set: SetId::from_bytes(std::array::from_fn(|i| body[5 + i])),
            index,
            threshold: threshold.ok_or(place)?,
            key: Digest::from_bytes(std::array::from_fn(|i| body[24 + i])),
            sealed: body[HEAD..].to_vec(),
        })
    }

    /// Says whether it is share `index` of `set`, by all that can be known while it is sealed.
    ///
    /// # Errors
    /// [`SetError::OtherSet`], [`SetError::OtherIndex`], [`SetError::OtherKey`].
    pub fn expect(&self, set: &Set, index: ShareIndex) -> Result<(), SetError> {
        let (share, found) = (index.get(), self.index.get());
        if self.set != set.id {
            return Err(SetError::OtherSet { share, found: self.set, expected: set.id });
        }
        if found != share {
            return Err(SetError::OtherIndex { share, found });
        }
        if self.threshold != set.threshold || self.key != set.key.id() {
            return Err(SetError::OtherKey { share });
        }
        Ok(())
    }

    /// SHA-256 of the sealed share, as the record and custody.json have it.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.sealed)
    }

    /// Its text.
    fn text(&self) -> Result<String, Error> {
        Ok(BASE32_NOPAD.encode(&self.encode()?))
    }

    fn from_text(text: &str) -> Result<Self, Error> {
        let bytes = BASE32_NOPAD.decode(text.as_bytes());
        Self::decode(&bytes.map_err(|error| Error::Letter { place: error.position + 1 })?)
    }
}

/// How long all of it is, as its beginning says.
fn length(bytes: &[u8]) -> Option<usize> {
    let high = usize::from(*bytes.get(56)?) << 8;
    let sealed = high | usize::from(*bytes.get(57)?);
    (sealed <= MAX_SEALED).then_some(HEAD + sealed + SUM)
}

fn checksum(bytes: &[u8]) -> [u8; SUM] {
    let digest = Digest::of_parts(CHECKSUM, &[bytes]);
    std::array::from_fn(|i| digest.as_bytes()[i])
}

const MAGIC: [u8; 4] = *b"OFSP";
const VERSION: u8 = 1;
/// What stands before the sealed share.
const HEAD: usize = 58;
const SUM: usize = 8;
/// The longest sealed share that a page has room for; ours have 358 bytes.
const MAX_SEALED: usize = 600;
const CHECKSUM: &str = "officiant paper checksum v1";

#[cfg(test)]
mod tests;
