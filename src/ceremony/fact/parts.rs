//! The parts that facts are made of.
//!
//! Second floor: pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// One person's watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// The seat that read it.
    pub who: String,
    /// What the watch showed, to the minute.
    pub read: Timestamp,
    /// What the machine's clock showed at that moment.
    pub machine: Timestamp,
}

/// A PKCS#11 module as it lay on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleRead {
    /// The room's name for it.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: Digest,
}

/// A certificate for one repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certified {
    /// The repository.
    pub repository: String,
    /// PEM as Go writes it.
    pub certificate: String,
}

/// A share, by what may be known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareMade {
    /// Index, 1 to n.
    pub index: u8,
    /// The token or recipient that it is sealed to, or the paper that it stands on.
    pub holder: String,
    /// Commitment to the whole share.
    pub commitment: Digest,
    /// SHA-256 of the sealed file.
    pub sealed: Digest,
}

/// A root by repository and version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootMade {
    /// The repository.
    pub repository: String,
    /// The version.
    pub version: u64,
    /// SHA-256: of the signed part of a candidate, of the file of a complete root.
    pub sha256: Digest,
}

/// A signature over one repository's candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// The repository.
    pub repository: String,
    /// The signature as the metadata carries it, in base64.
    pub signature: String,
}

/// A share that went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareGone {
    /// Its set.
    pub set: String,
    /// Which share of it, from 1.
    pub index: u8,
}

/// A root key that a token has still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyDrilled {
    /// The key.
    pub key: String,
    /// By the key itself.
    pub statement: Statement,
}

/// What a token's attest key signed of a fact: nobody writes that fact without the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// A head that the record had before.
    pub head: Digest,
    /// 32 bytes drawn for it, in hex.
    pub random: String,
    /// Over the text of [`statement`](crate::ceremony::statement), in base64: DER for ECDSA.
    pub signature: String,
}
