//! What can be wrong with a key of the store, in words that name it.

use std::path::PathBuf;

use officiant::child::Error as ChildError;
use officiant::key::Algorithm;
use officiant::room::token::TriesLeft;
use officiant::room::{console, media};
use officiant::root::KeyId;
use officiant::wording::Count;

use super::passphrase::{SHORTEST, Wanted};
use super::stored::Stored;
use crate::keys;

/// Why a key of the store is not had, or not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The token does not show the key that it was registered with.
    #[error("{token} does not show the key")]
    Absent {
        /// The token.
        token: String,
    },
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
    /// No key of the token fits, or several do.
    #[error("{token} shows {} that fit `{uri}`, expected 1", Count(*found, "key"))]
    Keys {
        /// The token.
        token: String,
        /// What was typed.
        uri: String,
        /// How many fit.
        found: usize,
    },
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
    #[error("{what} is not opened by {}", match is_set {
        true => "any passphrase that is set in the environment",
        false => "the passphrase that was typed",
    })]
    Passphrase {
        /// The key.
        what: String,
        /// Whether it came from the environment.
        is_set: bool,
    },
    /// Text that no line of a file carries.
    #[error("`{text}` cannot stand in a line: there is a character in it that nobody sees")]
    Line {
        /// The text.
        text: String,
    },
    /// The token refused the PIN.
    #[error("{token} refused the PIN, {left}")]
    Pin {
        /// The token.
        token: String,
        /// What it says of the tries left.
        left: TriesLeft,
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
    /// A token whose user makes no keys.
    #[error("{token} makes keys for whoever knows its management key, and not for its user")]
    SoMakes {
        /// The token.
        token: String,
    },
    /// The token, or the process that drives it.
    #[error(transparent)]
    Token(Box<ChildError>),
    /// No token fits, or several do.
    #[error("{} fit `{uri}`, expected 1", Count(*found, "token"))]
    Tokens {
        /// What was typed.
        uri: String,
        /// How many fit.
        found: usize,
    },
    /// One more wrong PIN locks the token, or did.
    #[error("{token} takes no PIN from here: {left}")]
    Tries {
        /// The token.
        token: String,
        /// What it says of the tries left.
        left: TriesLeft,
    },
    /// Nobody answered.
    #[error("nobody was asked for {wanted} {what}")]
    Unasked {
        /// What was wanted.
        wanted: Wanted,
        /// Of which key or token.
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
    /// No URI that names a key on a token.
    #[error("`{text}` names no key: {why}")]
    Uri {
        /// What was typed.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A variable that no module gets.
    #[error("`{text}` is no variable for a module: {why}")]
    Variable {
        /// What was typed.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The passphrase of the environment is too short for a new key.
    #[error(
        "the passphrase in the environment is too short for a new key, expected {SHORTEST} characters or more"
    )]
    Weak,
}
