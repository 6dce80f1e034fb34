//! What can be wrong with a key of the store, in words that name it.

use std::path::PathBuf;

use officiant::key::Algorithm;
use officiant::room::{console, media};
use officiant::root::KeyId;

use super::passphrase::{SHORTEST, Source};
use super::stored::Stored;
use crate::keys;

/// Why a key of the store is not had, or not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The cryptographic library answered with nothing.
    #[error("the key could not be encrypted")]
    Crypto,
    /// A file of the store is no private key.
    #[error("`{}` is no key: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// What is in the file, once it is opened.
    #[error(transparent)]
    Key(keys::Error),
    /// A kind of key that Notary has no name for.
    #[error("Notary has no keys of {algorithm}")]
    Kind {
        /// The kind.
        algorithm: Algorithm,
    },
    /// Several keys begin so.
    #[error("the ids of several keys begin with `{typed}`")]
    Many {
        /// What was typed.
        typed: String,
    },
    /// A file or folder.
    #[error(transparent)]
    Media(#[from] media::Error),
    /// No key begins so.
    #[error("`{}` holds no key with the id `{typed}`", folder.display())]
    None {
        /// What was typed.
        typed: String,
        /// The store.
        folder: PathBuf,
    },
    /// The file holds another key than its name says.
    #[error("`{}` holds another key than its name says: {found}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// The id of the key in it.
        found: KeyId,
    },
    /// The passphrase does not open the key.
    #[error("{what} is not opened by the passphrase that {}", match from {
        Source::Environment => "is set in the environment",
        Source::Terminal => "was typed",
    })]
    Passphrase {
        /// The key.
        what: String,
        /// Where the passphrase came from.
        from: Source,
    },
    /// A root key signs in the room.
    #[error("key {id} is a root key, with which `courier` signs nothing")]
    Root {
        /// Its first letters.
        id: String,
    },
    /// Too few letters of an id.
    #[error(
        "`{typed}` is too short for the id of a key, expected {} letters or more",
        Stored::SHORT
    )]
    Short {
        /// What was typed.
        typed: String,
    },
    /// Nobody answered.
    #[error("nobody was asked for the passphrase of {what}")]
    Unasked {
        /// The key.
        what: String,
        /// Why.
        source: console::Error,
    },
    /// Other letters were typed.
    #[error("{what} was not confirmed")]
    Unconfirmed {
        /// The key.
        what: String,
    },
    /// No passphrase was typed twice alike.
    #[error("no new passphrase was typed twice alike in 3 attempts")]
    Untyped,
    /// The passphrase of the environment is too short for a new key.
    #[error(
        "the passphrase in the environment is too short for a new key, expected {SHORTEST} characters or more"
    )]
    Weak,
}
