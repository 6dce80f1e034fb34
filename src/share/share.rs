//! One share: versioned, checksummed, bound to its set, its key and its place.
//!
//! First floor: pure. A share is 176 bytes:
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 4 | `OFSH` |
//! | 4 | 1 | version, 1 |
//! | 5 | 16 | set id, random |
//! | 21 | 1 | index, 1 to *n* |
//! | 22 | 1 | *k*, how many are needed |
//! | 23 | 1 | *n*, how many there are |
//! | 24 | 32 | SHA-256 of the public key's SubjectPublicKeyInfo |
//! | 56 | 32 | key share of `shamirsecretsharing`, without its index byte, which is the one above |
//! | 88 | 80 | ciphertext of `shamirsecretsharing`, the same in every share of a set |
//! | 168 | 8 | checksum: the first 8 bytes of the digest of parts (`officiant share checksum v1`; bytes 0 to 167) |
//!
//! The digest of parts is that of [`Digest::of_parts`]: SHA-256 over the domain, a zero byte, and each part after its length
//! in 8 bytes, big endian. A share's [`Commitment`] is the digest of parts (`officiant share v1`; all 176 bytes).

use std::fmt;
use std::num::NonZeroU8;

use serde::{Deserialize, Serialize};

use super::set::{Set, SetId, Threshold};
use crate::digest::Digest;
use crate::secret::{Secret, SecretBytes};

/// The length of an encoded share in bytes.
pub const SHARE_LEN: usize = 176;

/// The place of a share in its set, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShareIndex(NonZeroU8);

impl ShareIndex {
    /// Takes a number from 1 to 255. Zero is no index: such a share would make all others count for nothing.
    pub const fn new(index: u8) -> Option<Self> {
        match NonZeroU8::new(index) {
            Some(index) => Some(Self(index)),
            None => None,
        }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0.get()
    }

    /// Every index of a set of `total`.
    pub fn all(total: u8) -> impl Iterator<Item = Self> {
        (1..=total).filter_map(Self::new)
    }
}

impl fmt::Display for ShareIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a share was when it was made: a digest over all of it. Public, recorded, compared before a share is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Commitment(Digest);

impl Commitment {
    /// Commits to the bytes of a share.
    pub fn of(encoded: &SecretBytes) -> Self {
        Self(Digest::of_parts(COMMITMENT, &[encoded.expose()]))
    }

    /// A commitment as a record or custody file has it.
    pub const fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest.
    pub const fn digest(&self) -> &Digest {
        &self.0
    }
}

/// What is wrong with bytes that should be a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Damage {
    /// The checksum is not that of the bytes.
    #[error("its checksum is wrong")]
    Checksum,
    /// There are more or fewer bytes than a share has.
    #[error("expected {SHARE_LEN} bytes, found {found}")]
    Length {
        /// How many there are.
        found: usize,
    },
    /// The bytes do not begin as a share does.
    #[error("it does not begin as a share does")]
    Magic,
    /// The share is of a version that this program does not know.
    #[error("expected version 1, found {found}")]
    Version {
        /// The version it says.
        found: u8,
    },
}

/// A share whose form is right. What it says of itself is public; the rest is secret.
pub struct Share(Secret<SHARE_LEN>);

/// The place of a new share: what stands before its secret part.
pub(super) struct Place<'a> {
    pub(super) set: &'a SetId,
    pub(super) index: u8,
    pub(super) threshold: Threshold,
    pub(super) key: &'a Digest,
}

impl Share {
    /// Encodes what `shamirsecretsharing` made: an index byte, a key share, a ciphertext.
    pub(super) fn encode(place: &Place<'_>, raw: &[u8]) -> Option<SecretBytes> {
        let secret = raw.get(1..RAW_LEN).filter(|_| raw.len() == RAW_LEN)?;
        Some(SecretBytes::fill(SHARE_LEN, |bytes| {
            bytes[..4].copy_from_slice(&MAGIC);
            bytes[4] = VERSION;
            bytes[5..21].copy_from_slice(place.set.as_bytes());
            bytes[21] = place.index;
            bytes[22] = place.threshold.needed();
            bytes[23] = place.threshold.total();
            bytes[24..56].copy_from_slice(place.key.as_bytes());
            bytes[56..CHECKED].copy_from_slice(secret);
            let sum = checksum(&bytes[..CHECKED]);
            bytes[CHECKED..].copy_from_slice(&sum);
        }))
    }

    /// Decodes strictly: this length, this magic, this version, this checksum, and nothing else.
    ///
    /// # Errors
    /// [`Damage`].
    pub fn decode(encoded: &SecretBytes) -> Result<Self, Damage> {
        let bytes = encoded.expose();
        let share = Secret::copy_of(bytes).ok_or(Damage::Length { found: bytes.len() })?;
        if bytes[..4] != MAGIC {
            return Err(Damage::Magic);
        }
        if bytes[4] != VERSION {
            return Err(Damage::Version { found: bytes[4] });
        }
        if bytes[CHECKED..] != checksum(&bytes[..CHECKED]) {
            return Err(Damage::Checksum);
        }
        Ok(Self(share))
    }

    /// The set it says it is of.
    pub fn set(&self) -> SetId {
        SetId::from_bytes(self.array(5))
    }

    /// The index it says it has; zero in a forgery.
    pub fn index(&self) -> u8 {
        self.0.expose()[21]
    }

    /// Says whether *k*, *n* and the key are those of `set`.
    pub(super) fn agrees_with(&self, set: &Set) -> bool {
        let bytes = self.0.expose();
        bytes[22] == set.threshold.needed()
            && bytes[23] == set.threshold.total()
            && self.array::<32>(24) == *set.key.id().as_bytes()
    }

    /// What `shamirsecretsharing` made, with the index byte before it.
    pub(super) fn raw(&self) -> SecretBytes {
        SecretBytes::fill(RAW_LEN, |raw| {
            raw[0] = self.index();
            raw[1..].copy_from_slice(&self.0.expose()[56..CHECKED]);
        })
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        std::array::from_fn(|i| self.0.expose()[at + i])
    }
}

pub(super) fn checksum(bytes: &[u8]) -> [u8; 8] {
    let digest = Digest::of_parts(CHECKSUM, &[bytes]);
    std::array::from_fn(|i| digest.as_bytes()[i])
}

const MAGIC: [u8; 4] = *b"OFSH";
const VERSION: u8 = 1;
const CHECKED: usize = SHARE_LEN - 8;
const RAW_LEN: usize = shamirsecretsharing::SHARE_SIZE;
const COMMITMENT: &str = "officiant share v1";
const CHECKSUM: &str = "officiant share checksum v1";
