//! What the vault is asked, and what it answers.
//!
//! Roof: goes over the wire.

use serde::{Deserialize, Serialize};

use super::typed::By;
use crate::child::wire::Bytes;
use crate::digest::Digest;
use crate::key::{Algorithm, PublicKey, ToSign};
use crate::room::token::Wrapped;
use crate::seal::{SealKey, SealTo};
use crate::share::{self, Combinations, Set, ShareIndex, Threshold};

#[derive(Serialize, Deserialize)]
pub(super) enum Question {
    Asked {
        sealed: Bytes,
        to: SealKey,
    },
    Challenge(SealKey),
    Combinations(Set),
    Forget(String),
    ForgetShares(share::SetId),
    Generate {
        name: String,
        algorithm: Algorithm,
        threshold: Threshold,
        to: Vec<SealTo>,
    },
    /// Secrets: the file, and its passphrase.
    Import {
        name: String,
        pin: Digest,
        algorithm: Algorithm,
        threshold: Threshold,
        to: Vec<SealTo>,
    },
    /// Secrets: the file, and its passphrase.
    ImportFor {
        pin: Digest,
        algorithm: Algorithm,
        to: SealKey,
    },
    /// Secrets: the agreed x coordinate; what was decapsulated, if it is sealed to both halves.
    Meet {
        sealed: Bytes,
        to: SealKey,
    },
    /// Secrets: those of [`Question::Meet`].
    Open {
        set: Set,
        index: ShareIndex,
        sealed: Bytes,
        to: SealKey,
    },
    /// Secret: what was typed.
    OpenBy {
        set: Set,
        index: ShareIndex,
        sealed: Bytes,
        by: By,
    },
    /// Answered with a secret: the passphrase.
    Passphrase {
        set: share::SetId,
        index: ShareIndex,
    },
    Rebuild {
        name: String,
        set: Set,
        expected: PublicKey,
    },
    Reshare {
        name: String,
        set: Set,
        expected: PublicKey,
        threshold: Threshold,
        to: Vec<SealTo>,
    },
    Sign {
        name: String,
        inputs: Vec<ToSign>,
    },
    SignDry {
        algorithm: Algorithm,
        inputs: Vec<ToSign>,
    },
    /// Secret: what was typed.
    UnlockBy {
        index: ShareIndex,
        sealed: Bytes,
        by: By,
    },
    Wrap {
        set: Set,
        expected: PublicKey,
        to: SealKey,
    },
}

#[derive(Serialize, Deserialize)]
pub(super) enum Answer {
    Asked { point: Bytes, ciphertext: Option<Bytes> },
    Combinations(Combinations),
    Done,
    Dry { public: PublicKey, signatures: Vec<Bytes> },
    File(Bytes),
    Signatures(Vec<Bytes>),
    Split { set: Set, shares: Vec<Bytes> },
    Wrapped { public: PublicKey, ways: Vec<Wrapped> },
}
