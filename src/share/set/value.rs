//! What is public about a set of shares.
//!
//! First floor: pure.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::key::PublicKey;
use crate::share::Commitment;

/// Which set: 128 random bits, written as 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SetId([u8; 16]);

impl SetId {
    /// Wraps 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for SetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl FromStr for SetId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| Error::NotASetId)?;
        Ok(Self(bytes.try_into().map_err(|_| Error::NotASetId)?))
    }
}

impl TryFrom<String> for SetId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<SetId> for String {
    fn from(id: SetId) -> Self {
        id.to_string()
    }
}

/// How many shares there are, and how many are needed: 2 ≤ needed ≤ total ≤ 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "(u8, u8)", into = "(u8, u8)")]
pub struct Threshold {
    needed: u8,
    total: u8,
}

impl Threshold {
    /// Takes both numbers.
    ///
    /// # Errors
    /// [`Error::Threshold`].
    pub const fn new(needed: u8, total: u8) -> Result<Self, Error> {
        if needed < 2 || needed > total || total > MAX_TOTAL {
            return Err(Error::Threshold { needed, total });
        }
        Ok(Self { needed, total })
    }

    /// How many are needed.
    pub const fn needed(self) -> u8 {
        self.needed
    }

    /// How many there are.
    pub const fn total(self) -> u8 {
        self.total
    }
}

impl TryFrom<(u8, u8)> for Threshold {
    type Error = Error;

    fn try_from((needed, total): (u8, u8)) -> Result<Self, Error> {
        Self::new(needed, total)
    }
}

impl From<Threshold> for (u8, u8) {
    fn from(threshold: Threshold) -> Self {
        (threshold.needed, threshold.total)
    }
}

/// Everything public about a set: what custody.json and the record hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    /// Which set.
    pub id: SetId,
    /// The public key of the key in shares.
    pub key: PublicKey,
    /// How many shares there are, and how many are needed.
    pub threshold: Threshold,
    /// The commitment of each share, in the order of their indices from 1.
    pub commitments: Vec<Commitment>,
}

/// More shares than any room holds, and few enough that the number of subsets fits 64 bits.
const MAX_TOTAL: u8 = 32;
