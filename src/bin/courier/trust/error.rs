//! Why a repository is not trusted, or not changed.
//!
//! Annex; pure.

use std::path::PathBuf;

use officiant::check::Check;
use officiant::cjson;
use officiant::digest::Digest;
use officiant::name::Name;
use officiant::room::media;
use officiant::root::targets::{ListRole, NotARole};
use officiant::root::{self, KeyId, Version, walk};
use officiant::wording::{Count, List};

use super::changed::{Done, Shown};
use crate::{fetch, image, keys, net, notary, publish, registry, store};

impl From<fetch::Failure> for Error {
    fn from(failure: fetch::Failure) -> Self {
        Self::Fetch(Box::new(failure))
    }
}

/// Why a repository is not trusted, or not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// What stopped the work when repositories had been changed before.
    #[error("{error}")]
    After {
        /// What stopped it.
        error: Box<Error>,
        /// What was done before.
        done: Box<Done>,
    },
    /// A delegation's list that does not hold.
    #[error("repository `{gun}`: the list of `{role}` {why}")]
    Broken {
        /// The repository.
        gun: Name,
        /// The role.
        role: ListRole,
        /// What is wrong.
        why: &'static str,
    },
    /// The cached root is none.
    #[error("repository `{gun}`: the root in the trust cache is damaged")]
    Cache {
        /// The repository.
        gun: Name,
    },
    /// What was uploaded is not what is served.
    #[error(
        "repository `{gun}`: what is served for `{role}` is not what was uploaded {}",
        Check::PublishCompared
    )]
    Compared {
        /// The repository.
        gun: Name,
        /// The role.
        role: String,
    },
    /// Too few keys are at hand.
    #[error(
        "repository `{gun}`: `{role}` must be signed by {needed} of its keys, with {found} at hand"
    )]
    Few {
        /// The repository.
        gun: Name,
        /// The role.
        role: ListRole,
        /// How many must sign.
        needed: i64,
        /// How many did.
        found: usize,
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
    /// The server knows the repository already.
    #[error(
        "repository `{gun}` has trust data on the server already, version {version} of its root"
    )]
    Begun {
        /// The repository.
        gun: Name,
        /// The version.
        version: u64,
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
    /// What goes with a target is no JSON that every client reads alike.
    #[error("`{}`: {source}", file.display())]
    Custom {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: cjson::Error,
    },
    /// Another change than the one that was agreed to.
    #[error("the digest of this change is {digest}, and that is not what `--agree` says")]
    Disagreed {
        /// Its digest.
        digest: Digest,
    },
    /// The trust folder.
    #[error(transparent)]
    Folder(#[from] Box<publish::Error>),
    /// A list does not name a target.
    #[error("repository `{gun}`: the list of `{role}` does not name `{target}`")]
    NotListed {
        /// The repository.
        gun: Name,
        /// The role.
        role: ListRole,
        /// The target.
        target: String,
    },
    /// What a person wrote is no image.
    #[error(transparent)]
    Image(#[from] image::Error),
    /// A key.
    #[error(transparent)]
    Key(#[from] keys::Error),
    /// A key of a kind that Notary does not know.
    #[error("`{}`: {source}", file.display())]
    Kind {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: root::Error,
    },
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
    /// Nobody at hand can sign again what a signer signed.
    #[error("repository `{gun}`: {what} in `{role}` would be signed by too few of its keys")]
    LeavesUnsigned {
        /// The repository.
        gun: Name,
        /// The role.
        role: ListRole,
        /// What it names.
        what: String,
    },
    /// The chain of roots is longer than we go.
    #[error("repository `{gun}`: the newest root is more than {steps} versions or 32 MiB away")]
    Long {
        /// The repository.
        gun: Name,
        /// How many versions were read.
        steps: u64,
    },
    /// Not a digest in hex.
    #[error("`{text}` is no {algorithm} in hex")]
    Hex {
        /// What was written.
        text: String,
        /// The algorithm.
        algorithm: &'static str,
    },
    /// A file of this machine.
    #[error(transparent)]
    Media(#[from] media::Error),
    /// Somebody else published first.
    #[error("repository `{gun}`: others publish all the time, and each time first")]
    Meanwhile {
        /// The repository.
        gun: Name,
    },
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
    /// A folder that is no candidate, or of another change.
    #[error("`{}` is no change to sign: {why}", folder.display())]
    NoCandidate {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// A role does not have this key.
    #[error("`{role}` has no key `{id}`")]
    NoKey {
        /// The role.
        role: ListRole,
        /// The id.
        id: KeyId,
    },
    /// A folder that is there already, or in none.
    #[error("`{}` names no new folder", folder.display())]
    NoNewFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// Nobody delegates to it.
    #[error("repository `{gun}` has no role `{role}`")]
    NoRole {
        /// The repository.
        gun: Name,
        /// The role.
        role: ListRole,
    },
    /// The snapshot key is neither here nor with the server.
    #[error(
        "repository `{gun}`: its snapshot key is not with the server, and not in the key store"
    )]
    NoSnapshotKey {
        /// The repository.
        gun: Name,
    },
    /// Not the name of a signer.
    #[error(
        "`{name}` is no name of a signer: `a-z`, `0-9`, `_` and `-`, beginning with a letter or digit, and not `releases`"
    )]
    NotASigner {
        /// The name.
        name: String,
    },
    /// The command line asks for nothing.
    #[error("{what}")]
    Nothing {
        /// What to say instead.
        what: &'static str,
    },
    /// No role in which a person could sign.
    #[error("repository `{gun}`: no key at hand signs `{tag}` in any role")]
    NoSigner {
        /// The repository.
        gun: Name,
        /// The tag.
        tag: String,
    },
    /// The trust folder does not have it.
    #[error("the trust folder `{}` has no root of `{gun}`", folder.display())]
    NotInFolder {
        /// The folder.
        folder: PathBuf,
        /// The repository.
        gun: Name,
    },
    /// A list whose keys are not at hand.
    #[error("repository `{gun}`: no key of `{role}` is at hand, and docker believes it")]
    NotOurs {
        /// The repository.
        gun: Name,
        /// The role.
        role: ListRole,
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
    /// A tag that the role may not name.
    #[error("`{role}` may not name `{tag}`: it is outside its paths")]
    Path {
        /// The role.
        role: ListRole,
        /// The tag.
        tag: String,
    },
    /// The configuration with the pins.
    #[error("`{}`: {why}", file.display())]
    Pins {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The registry, or an image layout.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// Not the name of a role.
    #[error(transparent)]
    Role(#[from] NotARole),
    /// A change that was made on something else than what is there.
    #[error(
        "repository `{gun}`: the change makes version {found} of `{role}`, and the next is {wanted}; or it has expired"
    )]
    Stale {
        /// The repository.
        gun: Name,
        /// The role.
        role: ListRole,
        /// Its version.
        found: i64,
        /// The version that would follow.
        wanted: i64,
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
    /// A signature that does not belong there.
    #[error(
        "`{role}`: the signature under key `{id}` is not by a key of the role over these bytes"
    )]
    Stranger {
        /// The role.
        role: ListRole,
        /// The id.
        id: KeyId,
    },
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
    /// More keys must sign than there are.
    #[error("`{role}`: {threshold} of its keys must sign, and it would have {}", Count(*keys, "key"))]
    Threshold {
        /// The role.
        role: ListRole,
        /// How many must sign.
        threshold: i64,
        /// How many it has.
        keys: usize,
    },
    /// The repository's own list has its keys in the root.
    #[error("`targets` itself is delegated to by the root")]
    Top,
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
    /// Lists that anybody can have written.
    #[error(
        "repository `{gun}`: too few of their keys have signed {}: whoever has the server may have written that",
        List::names(&shown.roles)
    )]
    Unvouched {
        /// The repository.
        gun: Name,
        /// What they say.
        shown: Box<Shown>,
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
    /// The server did not take it.
    #[error("repository `{gun}`: the server does not take the change")]
    Upload {
        /// The repository.
        gun: Name,
        /// What it said.
        because: String,
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
    /// The same, when something was verified before.
    pub(super) fn halfway(self) -> Self {
        Self::Halfway { error: Box::new(self) }
    }

    /// The same, when a change had been sent.
    pub(super) fn sent(self) -> Self {
        Self::Sent { error: Box::new(self) }
    }
}
