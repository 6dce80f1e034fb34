//! Why a repository is not trusted, or not changed.
//!
//! Annex; pure.

use std::path::PathBuf;

use officiant::check::Check;
use officiant::digest::Digest;
use officiant::name::Name;
use officiant::room::media;
use officiant::root::targets::{ListRole, NotARole};
use officiant::root::{Version, walk};

use super::change::changed::Done;
use crate::{fetch, image, keys, net, notary, publish, registry, store};

use super::change::Unchanged;

impl From<NotARole> for Error {
    fn from(error: NotARole) -> Self {
        Self::Change(error.into())
    }
}

impl From<registry::Error> for Error {
    fn from(error: registry::Error) -> Self {
        Self::Change(error.into())
    }
}

impl From<fetch::Failure> for Error {
    fn from(failure: fetch::Failure) -> Self {
        Self::Fetch(Box::new(failure))
    }
}

/// Why a repository is not trusted, or not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A task of ours ended early.
    #[error("the work on one repository ended early")]
    Task,
    /// What was to be changed was not.
    #[error(transparent)]
    Change(#[from] Unchanged),
    /// Neither a file nor a repository.
    #[error("`{text}` is no file here, and no repository with its registry")]
    NoList {
        /// What was written.
        text: String,
    },
    /// What stopped the work when repositories had been changed before.
    #[error("{error}")]
    After {
        /// What stopped it.
        error: Box<Error>,
        /// What was done before.
        done: Box<Done>,
    },
    /// The cached root is none.
    #[error("repository `{gun}`: the root in the trust cache is damaged")]
    Cache {
        /// The repository.
        gun: Name,
    },
    /// The pins, or the trust folder, and the cache are of different chains.
    #[error(
        "repository `{gun}`: version {version} of the root in the trust cache is not the one that {whose} leads to {}",
        Check::TrustAnchor
    )]
    Fork {
        /// The repository.
        gun: Name,
        /// The version.
        version: Version,
        /// What the other chain begins with.
        whose: &'static str,
    },
    /// A request that was not fetched.
    #[error("no request was fetched")]
    Fetch(Box<fetch::Failure>),
    /// A file that is not what is signed.
    #[error("`{}` is not what is signed as `{target}` [TAG-UNSIGNED]", file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// The target.
        target: String,
    },
    /// The trust folder.
    #[error(transparent)]
    Folder(#[from] Box<publish::Error>),
    /// What a person wrote is no image.
    #[error(transparent)]
    Image(#[from] image::Error),
    /// A key.
    #[error(transparent)]
    Key(#[from] keys::Error),
    /// The whole work took too long.
    #[error(
        "repository `{gun}`: the server keeps us waiting, after {seconds} s there is no whole answer"
    )]
    Late {
        /// The repository.
        gun: Name,
        /// How long.
        seconds: u64,
    },
    /// A list of before is no more.
    #[error(
        "repository `{gun}`: the server has no `{role}` any more, version {had} was seen before {}",
        Check::TrustRollback
    )]
    Gone {
        /// The repository.
        gun: Name,
        /// The role.
        role: ListRole,
        /// The version that was seen.
        had: i64,
    },
    /// What stopped the work when something had been verified, and remembered, before.
    #[error("{error}")]
    Halfway {
        /// What stopped it.
        error: Box<Error>,
    },
    /// The chain of roots is longer than we go.
    #[error("repository `{gun}`: the newest root is more than {steps} versions or 32 MiB away")]
    Long {
        /// The repository.
        gun: Name,
        /// How many versions were read.
        steps: u64,
    },
    /// A file of this machine.
    #[error(transparent)]
    Media(#[from] media::Error),
    /// The client.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// Nothing says which root is right.
    #[error(
        "repository `{gun}`: nothing says which root is its own: no pin, no trust cache, no trust folder {}",
        Check::TrustAnchor
    )]
    NoAnchor {
        /// The repository.
        gun: Name,
    },
    /// The trust folder does not have it.
    #[error("the trust folder `{}` has no root of `{gun}`", folder.display())]
    NotInFolder {
        /// The folder.
        folder: PathBuf,
        /// The repository.
        gun: Name,
    },
    /// No root on the server satisfies the pin.
    #[error(
        "repository `{gun}`: no root on the server is signed by the keys that are pinned for it {}",
        Check::TrustAnchor
    )]
    NotPinned {
        /// The repository.
        gun: Name,
    },
    /// A server's answer.
    #[error(transparent)]
    Notary(#[from] notary::Error),
    /// Older than what was seen.
    #[error(
        "repository `{gun}`: the server has `{role}` version {found}, version {had} was seen before {}",
        Check::TrustRollback
    )]
    Older {
        /// The repository.
        gun: Name,
        /// The role.
        role: String,
        /// What was seen.
        had: i64,
        /// What is served.
        found: i64,
    },
    /// The configuration with the pins.
    #[error("`{}`: {why}", file.display())]
    Pins {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// What went wrong when a change had been sent.
    #[error("{error}")]
    Sent {
        /// What it was.
        error: Box<Error>,
    },
    /// The key store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A tag that nobody signed.
    #[error("`{gun}:{tag}` is not signed {}", Check::TagUnsigned)]
    TagUnsigned {
        /// The repository.
        gun: Name,
        /// The tag.
        tag: String,
    },
    /// A tag that is signed for another digest than the one that was asked for.
    #[error(
        "`{gun}:{tag}` is signed for sha256:{signed}, not for sha256:{asked} {}",
        Check::TagUnsigned
    )]
    TagOther {
        /// The repository.
        gun: Name,
        /// The tag.
        tag: String,
        /// What is signed.
        signed: Digest,
        /// What was asked for.
        asked: Digest,
    },
    /// Two files of one version.
    #[error(
        "repository `{gun}`: the server's `{role}` version {version} is not the one that was seen before {}",
        Check::TrustRollback
    )]
    Twice {
        /// The repository.
        gun: Name,
        /// The role.
        role: String,
        /// The version of both.
        version: i64,
    },
    /// The server does not know it.
    #[error("the server has no trust data for `{gun}`")]
    Unknown {
        /// The repository.
        gun: Name,
    },
    /// A file that does not hold.
    #[error("repository `{gun}`: what the server has for `{role}` {why} {}", Check::TrustServed)]
    Unsound {
        /// The repository.
        gun: Name,
        /// The role.
        role: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The chain of roots does not hold.
    #[error("repository `{gun}`: the root does not hold: {stop} {}", Check::Walk)]
    Walk {
        /// The repository.
        gun: Name,
        /// Where it stops.
        stop: Box<walk::Stop>,
    },
}

impl Error {
    /// Whether the server gave no answer that could be judged.
    pub(super) fn is_unanswered(&self) -> bool {
        match self {
            Self::Halfway { error } => error.is_unanswered(),
            Self::Late { .. } | Self::Net(_) | Self::Notary(notary::Error::Net(_)) => true,
            _ => false,
        }
    }

    /// The same, when something was verified before.
    pub(super) fn halfway(self) -> Self {
        Self::Halfway { error: Box::new(self) }
    }

    /// The same, when a change had been sent.
    pub(super) fn sent(self) -> Self {
        Self::Sent { error: Box::new(self) }
    }
}
