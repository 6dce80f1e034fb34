//! Why nothing was fetched, in words.
//!
//! Annex; pure.

use std::path::PathBuf;

use officiant::name::{self, Name};
use officiant::request::{self, MAX_REPOSITORIES};
use officiant::room::media;

use crate::budget::Spent;
use crate::fleet::Failed;
use crate::{journal, keys, net, notary, tuf};

/// Why nothing was fetched.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nothing was asked, or nothing could be written.
    Whole(Error),
    /// Some repositories could not be fetched.
    Some {
        /// Why, and which were not asked for.
        failed: Failed<Error>,
        /// How many the journal keeps for the next run.
        kept: usize,
    },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Whole(error)
    }
}

/// Why nothing was fetched, or not from one repository.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// What the room may read is used up.
    #[error(transparent)]
    Budget(#[from] Spent),
    /// The machine's clock shows no time that can be written.
    #[error("the clock of this machine shows no time from 1970 on")]
    Clock,
    /// The journal.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// A key file.
    #[error(transparent)]
    Key(#[from] keys::Error),
    /// The list names nothing, or is no text.
    #[error("`{}` is missing or no list of names", file.display())]
    List {
        /// The file.
        file: PathBuf,
    },
    /// More repositories than a request has.
    #[error("a request has at most {MAX_REPOSITORIES} repositories, {found} are named")]
    Many {
        /// How many.
        found: usize,
    },
    /// Media.
    #[error(transparent)]
    Media(#[from] media::Error),
    /// A name.
    #[error(transparent)]
    Name(#[from] name::Error),
    /// The network.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// A Notary server.
    #[error(transparent)]
    Notary(#[from] notary::Error),
    /// One place for several TUF repositories, or a key that only such may have.
    #[error("`{option}` does not fit: {why}")]
    Option {
        /// The option.
        option: &'static str,
        /// Why.
        why: &'static str,
    },
    /// What was fetched is no request.
    #[error(transparent)]
    Request(#[from] request::Error),
    /// A task of ours ended early.
    #[error("a task of courier ended early")]
    Task,
    /// A TUF repository.
    #[error(transparent)]
    Tuf(#[from] tuf::Error),
    /// A name twice.
    #[error("repository `{name}` is named twice")]
    Twice {
        /// The name.
        name: Name,
    },
}
