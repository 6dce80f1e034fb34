//! Why a command about keys was not done.

use std::path::PathBuf;

use officiant::{name, room::media};

use crate::store;
use crate::{keys, store::Stored};

/// Why it was not done, and what is now true.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Why.
    pub(crate) error: Error,
    /// What is now true.
    pub(crate) standing: String,
}

impl Failure {
    /// A failure after which `standing` is true.
    pub(super) fn then(error: impl Into<Error>, standing: impl Into<String>) -> Self {
        Self { error: error.into(), standing: standing.into() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::then(error, "nothing was written")
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Error::from(error).into()
    }
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The public half would overwrite a file.
    #[error("`{}` already exists", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The repository's name.
    #[error(transparent)]
    Gun(#[from] name::Error),
    /// The file says that the key is another's than the command line does.
    #[error("`{}` holds a key of `{found}`, the command line says `{given}`", path.display())]
    Named {
        /// The file.
        path: PathBuf,
        /// Whose key the file says that it is.
        found: String,
        /// What was given.
        given: String,
    },
    /// There is nothing to export.
    #[error("no key of `{gun}` is in the store")]
    NoneOf {
        /// The repository.
        gun: String,
    },
    /// A key in a file needs nothing that a module does.
    #[error("`{option}` is for keys on tokens, and none is named")]
    NoToken {
        /// The option.
        option: &'static str,
    },
    /// The file holds no private key.
    #[error("`{}` holds a `{label}`, expected a `PRIVATE KEY`", path.display())]
    NotPrivate {
        /// The file.
        path: PathBuf,
        /// What it holds.
        label: String,
    },
    /// A key on a token does not leave it.
    #[error("{stored} is on a token")]
    OnToken {
        /// The key.
        stored: Box<Stored>,
    },
    /// Others may read the file or write to it.
    #[error("`{}` is open to others (mode {mode:03o})", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The key is not encrypted in the store.
    #[error("{stored} is not encrypted, and is not written anywhere as it is")]
    Plain {
        /// The key.
        stored: Box<Stored>,
    },
    /// The name is a role's.
    #[error("`{name}` is the name of a role, and no signer has it")]
    Reserved {
        /// The name.
        name: String,
    },
    /// No role whose keys publishers hold.
    #[error("keys of `{role}` are not made or loaded here; expected `targets` or `snapshot`")]
    Role {
        /// The role.
        role: String,
    },
    /// A root key.
    #[error("{what} is a root key")]
    Root {
        /// The key.
        what: String,
    },
    /// No name that a signer can have.
    #[error(
        "`{name}` is no name of a signer: expected a-z, 0-9, `_` and `-`, and a letter or digit at its beginning"
    )]
    Signer {
        /// The name.
        name: String,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The file does not say whose the key is, and neither does the command line.
    #[error("`{}` does not say whose key it is", path.display())]
    Unnamed {
        /// The file.
        path: PathBuf,
    },
}

impl From<media::Error> for Error {
    fn from(error: media::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<keys::Error> for Error {
    fn from(error: keys::Error) -> Self {
        Self::Store(error.into())
    }
}
