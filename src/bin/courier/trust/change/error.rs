//! Why a repository's lists are not changed.
//!
//! Annex; pure.

use std::path::PathBuf;

use officiant::check::Check;
use officiant::cjson;
use officiant::digest::Digest;
use officiant::name::Name;
use officiant::root::targets::{ListRole, NotARole};
use officiant::root::{self, KeyId};
use officiant::wording::{Count, List};

use super::changed::Shown;
use crate::registry;

/// Why a repository's lists are not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unchanged {
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
    /// A key of a kind that Notary does not know.
    #[error("`{}`: {source}", file.display())]
    Kind {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: root::Error,
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
    /// Not a digest in hex.
    #[error("`{text}` is no {algorithm} in hex")]
    Hex {
        /// What was written.
        text: String,
        /// The algorithm.
        algorithm: &'static str,
    },
    /// Somebody else published first.
    #[error("repository `{gun}`: others publish all the time, and each time first")]
    Meanwhile {
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
    /// A list whose keys are not at hand.
    #[error("repository `{gun}`: no key of `{role}` is at hand, and docker believes it")]
    NotOurs {
        /// The repository.
        gun: Name,
        /// The role.
        role: ListRole,
    },
    /// A tag that the role may not name.
    #[error("`{role}` may not name `{tag}`: it is outside its paths")]
    Path {
        /// The role.
        role: ListRole,
        /// The tag.
        tag: String,
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
    /// The server did not take it.
    #[error("repository `{gun}`: the server does not take the change")]
    Upload {
        /// The repository.
        gun: Name,
        /// What it said.
        because: String,
    },
}
