//! What the vault is asked, and what it answers.
//!
//! Roof: goes over the wire.

use serde::{Deserialize, Serialize};

use crate::child::wire::Bytes;
use crate::digest::Digest;
use crate::key::{Algorithm, PublicKey, ToSign};
use crate::room::token::Wrapped;
use crate::seal::{SealKey, SealTo};
use crate::share::{self, Combinations, Set, ShareIndex, Threshold};

#[derive(Serialize, Deserialize)]
pub(super) enum Question {
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
    /// Secret: the agreed x coordinate.
    Meet {
        sealed: Bytes,
        to: SealKey,
    },
    /// Secret: the agreed x coordinate.
    Open {
        set: Set,
        index: ShareIndex,
        sealed: Bytes,
        to: SealKey,
    },
    /// Secret: the passphrase.
    OpenPaper {
        set: Set,
        index: ShareIndex,
        sealed: Bytes,
    },
    /// Answered with a secret: the passphrase.
    Passphrase {
        set: share::SetId,
        index: ShareIndex,
    },
    Peer {
        sealed: Bytes,
        to: SealKey,
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
    /// Secret: the passphrase.
    UnlockPaper {
        index: ShareIndex,
        sealed: Bytes,
    },
    Wrap {
        set: Set,
        expected: PublicKey,
        to: SealKey,
    },
}

#[derive(Serialize, Deserialize)]
pub(super) enum Answer {
    Combinations(Combinations),
    Done,
    Dry { public: PublicKey, signatures: Vec<Bytes> },
    File(Bytes),
    Point(Bytes),
    Signatures(Vec<Bytes>),
    Split { set: Set, shares: Vec<Bytes> },
    Wrapped { public: PublicKey, ways: Vec<Wrapped> },
}
