//! What a Notary server serves beside the root, followed as a client follows it: the timestamp names the snapshot,
//! the snapshot names root and targets, and each is signed by its role.
//!
//! Annex: the network through the server's API.

use jiff::Timestamp;
use officiant::digest::Digest;
use officiant::name::Name;
use officiant::root::online::{Named, Signed};
use officiant::root::{Role, SignedRoot};

use super::Error;
use crate::notary::Server;

/// What is served.
pub(super) struct Served {
    /// The root that the snapshot names.
    pub(super) root: Named,
    /// The bytes of the targets that the snapshot names; whose keys signed them is for the caller to see.
    pub(super) targets: Vec<u8>,
    /// Of the timestamp, which stands for all of it.
    pub(super) timestamp: Digest,
}

/// Follows what is served under the keys of `root`.
///
/// # Errors
/// [`Error::Unsound`] for the first file that a client would not take; [`Error::Notary`].
pub(super) async fn follow(
    server: &Server,
    name: &Name,
    root: &SignedRoot,
    now: Timestamp,
) -> Result<Served, Error> {
    let unsound = |role: Role, why| Error::Unsound { name: name.clone(), role, why };
    let timestamp = server.file(name, "timestamp.json").await?;
    let timestamp = timestamp.ok_or_else(|| unsound(Role::Timestamp, MISSING))?;
    let stands_for_all = Digest::of(&timestamp);
    let timestamp = Signed::read(root.root(), Role::Timestamp, &timestamp, now)
        .map_err(|why| unsound(Role::Timestamp, why))?;
    let named = |by: &Signed, role| Named::by(by, role).ok_or_else(|| unsound(role, UNNAMED));

    let of_snapshot = named(&timestamp, Role::Snapshot)?;
    let snapshot = fetch(server, name, Role::Snapshot, of_snapshot).await?;
    let snapshot = Signed::read(root.root(), Role::Snapshot, &snapshot, now)
        .map_err(|why| unsound(Role::Snapshot, why))?;
    let of_targets = named(&snapshot, Role::Targets)?;
    let targets = fetch(server, name, Role::Targets, of_targets).await?;
    Ok(Served { root: named(&snapshot, Role::Root)?, targets, timestamp: stands_for_all })
}

/// Fetches the file with the digest that was named, as clients do: no cache holds another one under this name.
async fn fetch(server: &Server, name: &Name, role: Role, named: Named) -> Result<Vec<u8>, Error> {
    let bytes = server.file(name, &format!("{role}.{}.json", named.sha256)).await?;
    let found = bytes.filter(|bytes| named.is(bytes));
    found.ok_or_else(|| Error::Unsound { name: name.clone(), role, why: OTHER })
}

const MISSING: &str = "is missing";
const OTHER: &str = "is not the one that is named by what was signed over it";
const UNNAMED: &str = "is not named by what is signed over it";
