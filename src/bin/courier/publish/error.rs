//! Why something is not published, in words.
//!
//! Annex; pure.

use officiant::check::Check;
use officiant::name::{self, Name};
use officiant::refusal::Refusal;
use officiant::room::media;
use officiant::root::{self, Dialect, Role, succession, threshold, walk};
use officiant::trust;

use crate::fleet::ENOUGH;
use crate::trust as trust_side;
use crate::{journal, keys, net, notary, store};

/// Why something is not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A root that the server would take and then serve damaged.
    #[error(
        "repository `{name}`: version {version} is not byte for byte what the server writes {}",
        Check::RootBytes
    )]
    Bytes {
        /// The repository.
        name: Name,
        /// The version.
        version: u64,
    },
    /// What is served is not what went up.
    #[error(
        "repository `{name}`: the server now serves another `{file}` than was uploaded {}",
        Check::PublishCompared
    )]
    Compared {
        /// The repository.
        name: Name,
        /// The file.
        file: String,
    },
    /// A folder that belongs into the room.
    #[error("`{path}` is a custody folder, which never leaves the room {}", Check::MediaKind)]
    Custody {
        /// The folder.
        path: String,
    },
    /// A repository of another dialect than the place.
    #[error("repository `{name}` is of dialect `{found}`, which is not published there")]
    Dialect {
        /// The repository.
        name: Name,
        /// Its dialect.
        found: Dialect,
    },
    /// The server refuses without a reason.
    #[error("repository `{name}`: the server refuses version {version} without a reason")]
    Ended {
        /// The repository.
        name: Name,
        /// The version.
        version: u64,
    },
    /// The server has another document under a version that we have too.
    #[error(
        "repository `{name}`: the server's version {version} is not the trust folder's {}",
        Check::PublishFork
    )]
    Fork {
        /// The repository.
        name: Name,
        /// The version.
        version: u64,
    },
    /// The journal.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// A key file.
    #[error(transparent)]
    Key(#[from] keys::Error),
    /// What is to be signed apart is not one list.
    #[error("{why}")]
    Apart {
        /// Why not.
        why: &'static str,
    },
    /// The lists that others are to sign.
    #[error(transparent)]
    Lists(#[from] Box<trust_side::Error>),
    /// The key store.
    #[error(transparent)]
    Keys(#[from] store::Error),
    /// Media, or a folder.
    #[error(transparent)]
    Media(#[from] media::Error),
    /// Somebody else publishes at the same time.
    #[error(
        "repository `{name}`: somebody changed `root.json` while the versions were written {}",
        Check::PublishFork
    )]
    Meanwhile {
        /// The repository.
        name: Name,
    },
    /// A name.
    #[error(transparent)]
    Name(#[from] name::Error),
    /// The network.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// The folder to publish to.
    #[error("`{path}`, to publish to, is missing")]
    NoFolder {
        /// The folder.
        path: String,
    },
    /// No destination.
    #[error("no place to publish to is named")]
    NoPlace,
    /// The trust folder holds no roots.
    #[error("`{path}` holds no `metadata` of repositories that are published there")]
    NoRoots {
        /// The folder.
        path: String,
    },
    /// A Notary server.
    #[error(transparent)]
    Notary(#[from] notary::Error),
    /// An online role of a TUF repository has not signed with the keys that it gets.
    #[error(
        "repository `{name}`: version {version} has other keys for `{role}`, and the served `{file}` is not signed by them {}",
        Check::TargetsUnsigned
    )]
    OnlineUnsigned {
        /// The repository.
        name: Name,
        /// The version.
        version: u64,
        /// The role.
        role: Role,
        /// What is served.
        file: String,
    },
    /// One place for several repositories.
    #[error(
        "`{place}` is one place for {count} repositories; name one by `--repository`, or put `{{name}}` into it"
    )]
    OnePlace {
        /// The place.
        place: String,
        /// How many repositories.
        count: usize,
    },
    /// A repository that the trust folder does not hold.
    #[error("repository `{name}` is not in the trust folder")]
    Other {
        /// The name.
        name: Name,
    },
    /// A rehearsal.
    #[error("`{what}` is of a rehearsal {}", Check::Rehearsal)]
    Rehearsal {
        /// What says so.
        what: String,
    },
    /// A file is no root.
    #[error("`{path}`: {source} {}", Check::RootBytes)]
    Root {
        /// The file.
        path: String,
        /// Why.
        source: root::Error,
    },
    /// A kept `root.json` that is no version of the chain.
    #[error(
        "repository `{name}`: the published `root.json` is none of the published versions {}",
        Check::PublishFork
    )]
    RootJson {
        /// The repository.
        name: Name,
    },
    /// The server does not hold the snapshot key.
    #[error(
        "repository `{name}`: version {version} leaves the snapshot key with a client {}",
        Check::SnapshotClient
    )]
    SnapshotClient {
        /// The repository.
        name: Name,
        /// The version.
        version: u64,
    },
    /// An object store.
    #[error("object store: {what}")]
    Store {
        /// What was tried.
        what: String,
        /// What it said.
        because: String,
    },
    /// A root that cannot follow.
    #[error("repository `{name}`: version {version}: {source} {}", source.check())]
    Succession {
        /// The repository.
        name: Name,
        /// The version.
        version: u64,
        /// Why.
        source: Box<succession::Error>,
    },
    /// The targets key changes, or is new, and nothing that it signed goes up with the root.
    #[error(
        "repository `{name}`: version {version} needs {needed} of its targets keys to sign, {found} can {}",
        Check::TargetsUnsigned
    )]
    TargetsUnsigned {
        /// The repository.
        name: Name,
        /// The version.
        version: u64,
        /// How many must sign.
        needed: i64,
        /// How many keys were given.
        found: usize,
    },
    /// A task of ours ended early.
    #[error("a task of courier ended early")]
    Task,
    /// The signatures of a root are not enough, or not good.
    #[error(
        "repository `{name}`: version {version} has {found} of {needed} signatures by the keys of version {of} {}",
        Check::RootThreshold
    )]
    Threshold {
        /// The repository.
        name: Name,
        /// The version.
        version: u64,
        /// Whose keys count.
        of: u64,
        /// How many are needed.
        needed: i64,
        /// How many are there.
        found: usize,
    },
    /// A signature that should not be there.
    #[error("repository `{name}`: version {version}: {source} {}", Check::RootThreshold)]
    Signature {
        /// The repository.
        name: Name,
        /// The version.
        version: u64,
        /// Why.
        source: threshold::Error,
    },
    /// The server does not hold the timestamp key.
    #[error(
        "repository `{name}`: version {version} names a timestamp key that the server does not have"
    )]
    TimestampForeign {
        /// The repository.
        name: Name,
        /// The version.
        version: u64,
    },
    /// The trust folder does not hold together.
    #[error("{source} {}", Check::TrustFolder)]
    Trust {
        /// Why.
        #[from]
        source: trust::Error,
    },
    /// What is served beside the root is not what a client takes.
    #[error("repository `{name}`: the server's `{role}.json` {why} {}", Check::PublishCompared)]
    Unsound {
        /// The repository.
        name: Name,
        /// The role whose file it is.
        role: Role,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A client would be cut off.
    #[error("repository `{name}`: {profile} with {start} is cut off: {stop} {}", Check::Walk)]
    Walk {
        /// The repository.
        name: Name,
        /// The client.
        profile: &'static str,
        /// What it holds.
        start: String,
        /// Where it stops, and why.
        stop: Box<walk::Stop>,
    },
    /// The words that were given are of another trust folder.
    #[error("{0}")]
    Words(Refusal),
    /// The trust folder is behind what is published.
    #[error(
        "repository `{name}`: the server is at version {latest}, the trust folder at version {ours} {}",
        Check::PublishFork
    )]
    Behind {
        /// The repository.
        name: Name,
        /// The server's version.
        latest: u64,
        /// Ours.
        ours: u64,
    },
}

impl Error {
    /// Whether it is the fault of the place that everything goes to, or of the way there, and not of one repository.
    pub(super) const fn is_of_the_place(&self) -> bool {
        match self {
            Self::Journal(_) | Self::Store { .. } | Self::Media(_) => true,
            Self::Net(net) | Self::Notary(notary::Error::Net(net)) => {
                !matches!(net, net::Error::Status { status: 400..=428 | 430..=499, .. })
            }
            _ => false,
        }
    }

    /// Whether the place said no to what is to be published there.
    pub(super) const fn is_refused(&self) -> bool {
        matches!(
            self,
            Self::Ended { .. }
                | Self::Notary(notary::Error::Net(net::Error::Status { status: 400..=499, .. }))
                | Self::SnapshotClient { .. }
                | Self::TimestampForeign { .. }
        )
    }

    /// How much it weighs against going on with others. A server that gave no answer was waited for already.
    pub(super) const fn weight(&self) -> usize {
        match self {
            Self::Net(net) | Self::Notary(notary::Error::Net(net)) if net.may_pass() => ENOUGH,
            _ if self.is_of_the_place() => ENOUGH / 4,
            _ => 1,
        }
    }
}
