//! Which root is trusted before the server is asked: that of a trust folder, one that a pin names, the one in the
//! cache; or, only where a person says so, the first that the server shows.
//!
//! Annex: the cache, and the network for the chain that a pin looks for.

use std::path::Path;

use officiant::name::Name;
use officiant::root::profile::STRICTEST_NOTARY;
use officiant::root::{Dialect, SignedRoot, Version};

use super::super::Error;
use super::Client;
use super::pins::Pins;
use crate::publish::trust as folder;

/// What a person has to begin with.
pub(crate) struct Grounds<'a> {
    /// A trust folder of a ceremony.
    pub(crate) folder: Option<&'a Path>,
    /// Pins of keys and authorities.
    pub(crate) pins: &'a Pins,
    /// Whether the first root that the server shows may do.
    pub(crate) first_use: bool,
}

/// A root that is trusted, and why.
pub(crate) struct Anchor {
    pub(crate) root: SignedRoot,
    pub(crate) because: Because,
    /// A root that the chain from it must contain: the one in the cache.
    pub(crate) through: Option<SignedRoot>,
}

/// Why a root is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Because {
    /// It was seen before.
    Cached,
    /// It is the first.
    FirstUse,
    /// A trust folder has it.
    Folder,
    /// A pin names its keys.
    Pinned,
}

impl Because {
    /// In words, after "trusted by".
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Cached => "the trust cache",
            Self::FirstUse => "first use",
            Self::Folder => "the trust folder",
            Self::Pinned => "a pin",
        }
    }
}

/// Finds the root to begin with.
///
/// # Errors
/// [`Error::NoAnchor`], [`Error::NotPinned`], [`Error::NotInFolder`], [`Error::Unknown`], [`Error::Cache`].
pub(crate) async fn find(client: &Client<'_>, grounds: &Grounds<'_>) -> Result<Anchor, Error> {
    let cached = cached(client)?;
    if let Some(folder) = grounds.folder {
        let root = of_folder(folder, client.gun)?;
        return Ok(through(cached, root, Because::Folder));
    }
    if grounds.pins.name(client.gun) {
        let is_pinned = |root: &SignedRoot| grounds.pins.hold(client.gun, root, client.now);
        if let Some(root) = cached.clone().filter(is_pinned) {
            return Ok(through(None, root, Because::Cached));
        }
        let root = newest_pinned(client, is_pinned).await?;
        return Ok(through(cached, root, Because::Pinned));
    }
    if let Some(root) = cached {
        return Ok(through(None, root, Because::Cached));
    }
    if !grounds.first_use || grounds.pins.forbid_first_use() {
        return Err(Error::NoAnchor { gun: client.gun.clone() });
    }
    Ok(through(None, shown(client).await?, Because::FirstUse))
}

/// The newest root that the server shows.
async fn shown(client: &Client<'_>) -> Result<SignedRoot, Error> {
    let unknown = || Error::Unknown { gun: client.gun.clone() };
    let root = client.server.file(client.gun, "root.json").await?.ok_or_else(unknown)?;
    let root = SignedRoot::parse(Dialect::Notary, &root);
    root.map_err(|_| client.unsound("root", "is no root"))
}

/// The newest root of the server that a pin names, no further back than the newest is reached from.
async fn newest_pinned(
    client: &Client<'_>,
    is_pinned: impl Fn(&SignedRoot) -> bool,
) -> Result<SignedRoot, Error> {
    let mut root = shown(client).await?;
    for _ in 0..=STRICTEST_NOTARY.most_steps {
        if is_pinned(&root) {
            return Ok(root);
        }
        let Some(version) = Version::new(root.version().get() - 1) else { break };
        let Some(before) = client.server.root(client.gun, version).await? else { break };
        let before = SignedRoot::parse(Dialect::Notary, &before).ok();
        let before = before.filter(|before| before.version() == version);
        root = before.ok_or_else(|| client.unsound("root", "is no root of that version"))?;
    }
    Err(Error::NotPinned { gun: client.gun.clone() })
}

fn cached(client: &Client<'_>) -> Result<Option<SignedRoot>, Error> {
    let root = client.cache.read("root")?;
    let root = root.map(|root| SignedRoot::parse(Dialect::Notary, &root)).transpose();
    root.map_err(|_| Error::Cache { gun: client.gun.clone() })
}

/// The newest root that a trust folder has of a repository.
///
/// # Errors
/// [`Error::NotInFolder`], [`Error::Folder`].
pub(crate) fn of_folder(path: &Path, gun: &Name) -> Result<SignedRoot, Error> {
    let roots = folder::roots_of(path, gun).map_err(Box::new)?;
    let root = roots.into_iter().next_back();
    root.ok_or_else(|| Error::NotInFolder { folder: path.to_owned(), gun: gun.clone() })
}

/// The cache was filled from somewhere: what it has must lie on the way from the anchor.
fn through(cached: Option<SignedRoot>, root: SignedRoot, because: Because) -> Anchor {
    let through = cached.filter(|cached| cached.version() >= root.version());
    Anchor { root, because, through }
}
