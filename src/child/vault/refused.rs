//! Why a vault refuses.
//!
//! Roof: goes over the wire.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::key::{Algorithm, file};
use crate::seal;
use crate::share;

/// Why the vault refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refused {
    /// The sealed challenge did not come back as it was sent.
    #[error("the token opened the challenge to something else than was sealed")]
    Challenge,
    /// A file gives no key.
    #[error("the key file: {0}")]
    KeyFile(#[from] file::Error),
    /// The vault holds no key of that name.
    #[error("the vault holds no key `{name}`")]
    KeyMissing {
        /// The name.
        name: String,
    },
    /// The vault holds a key of that name already.
    #[error("the vault already holds a key `{name}`")]
    KeyTaken {
        /// The name.
        name: String,
    },
    /// The file holds another key than the plan imports.
    #[error("the file holds key {found}, the plan imports {pin}")]
    OtherFile {
        /// SHA-256 of the SubjectPublicKeyInfo of the key in the file.
        found: Digest,
        /// What the plan says.
        pin: Digest,
    },
    /// The set is of another key than the one that the signed root lists (docs/threats.md rule 17).
    #[error("set {set} is of another key than the signed root lists")]
    OtherKey {
        /// The set.
        set: share::SetId,
    },
    /// A passphrase is shown once.
    #[error("the passphrase of share {share} was shown already, or never drawn")]
    PassphraseGone {
        /// Which share.
        share: u8,
    },
    /// One token's sealing key for each share is needed.
    #[error("{total} shares need {total} sealing keys, there are {found}")]
    SealKeys {
        /// How many shares are to be made.
        total: u8,
        /// How many keys there are.
        found: usize,
    },
    /// The same sealing key stands twice, so one token or identity would hold two shares.
    #[error("shares {first} and {second} would go to the same key")]
    SealKeyTwice {
        /// The one share.
        first: u8,
        /// The other.
        second: u8,
    },
    /// A sealed file.
    #[error(transparent)]
    Seal(#[from] seal::Error),
    /// The sealed file of one share.
    #[error("share {share}: {refused}")]
    SealedShare {
        /// Which share.
        share: u8,
        /// What is wrong with its file.
        refused: seal::Error,
    },
    /// A share or a set of shares.
    #[error(transparent)]
    Share(#[from] share::Error),
    /// A key cannot make that kind of signature.
    #[error("a key of {algorithm} cannot make that kind of signature")]
    Signature {
        /// The kind of key.
        algorithm: Algorithm,
    },
    /// Only P-256 keys are put onto a token.
    #[error("a key of {algorithm} cannot be wrapped for a token")]
    Unwrappable {
        /// The kind of key.
        algorithm: Algorithm,
    },
    /// The vault was asked in a way that makes no sense.
    #[error("the vault was asked for something without its secret")]
    SecretMissing,
}
