//! Why something is not published, in words.
//!
//! Annex; pure.

use officiant::check::Check;
use officiant::name::{self, Name};
use officiant::room::media;
use officiant::root::{self, succession, threshold, walk};

use crate::{keys, net, notary};

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
    /// A version between the server's and ours is missing.
    #[error(
        "repository `{name}`: the server is at version {latest}, the trust folder begins at version {first} {}",
        Check::RootSequence
    )]
    Gap {
        /// The repository.
        name: Name,
        /// The server's version.
        latest: u64,
        /// Our first.
        first: u64,
    },
    /// A key file.
    #[error(transparent)]
    Key(#[from] keys::Error),
    /// Media, or a folder.
    #[error(transparent)]
    Media(#[from] media::Error),
    /// A name.
    #[error(transparent)]
    Name(#[from] name::Error),
    /// The network.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// No destination.
    #[error("no place to publish to is named")]
    NoPlace,
    /// The trust folder holds no roots.
    #[error("`{path}` holds no `metadata` of repositories")]
    NoRoots {
        /// The folder.
        path: String,
    },
    /// A Notary server.
    #[error(transparent)]
    Notary(#[from] notary::Error),
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
    /// The targets in force cannot be carried over.
    #[error(
        "repository `{name}`: the server's `targets.json` is no metadata that can be signed again"
    )]
    Targets {
        /// The repository.
        name: Name,
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
    /// A file among the roots that is none, or not under its own version.
    #[error("`{path}` is not the root that its name says {}", Check::RootBytes)]
    Stranger {
        /// The file.
        path: String,
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
