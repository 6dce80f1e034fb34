//! A TUF repository's metadata where it is published: `N.root.json` below a URL or in a folder.
//!
//! Annex: the network through [`Net`], or the file system.

use std::path::PathBuf;
use std::sync::Arc;

use officiant::name::Name;
use officiant::request::{MAX_ROOT, MAX_VERSIONS};
use officiant::room::media;

use super::auth::Action;
use super::budget::{Budget, Spent};
use super::files;
use super::net::{self, Net};
use super::notary::Roots;

/// Where the metadata of repositories is read; `{name}` stands for the repository's name.
pub(crate) struct Source {
    net: Arc<Net>,
    place: String,
}

impl Source {
    /// Metadata at a URL or in a folder.
    pub(crate) fn new(net: Arc<Net>, place: &str) -> Self {
        Self { net, place: place.to_owned() }
    }

    /// Every root from version 1 on, up to the last one there (TUF 5.3.3); empty when there is none. Where a
    /// `root.json` is kept it must be one of them: else the chain is cut, and what was fetched is not the newest.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn roots(&self, name: &Name, budget: &Budget) -> Result<Roots, Error> {
        let place = at(&self.place, name);
        let mut roots = Vec::new();
        for version in 1..=MAX_VERSIONS {
            match self.file(&place, &format!("{version}.root.json")).await? {
                Some(root) => {
                    budget.take(root.len())?;
                    roots.push(root);
                }
                None => break,
            }
        }
        match self.file(&place, "root.json").await? {
            Some(kept) if roots.is_empty() || !roots.contains(&kept) => {
                let (name, next) = (name.clone(), roots.len() as u64 + 1);
                Err(if roots.is_empty() {
                    Error::NoFirst { name }
                } else {
                    Error::Cut { name, next }
                })
            }
            _ => Ok(roots),
        }
    }

    /// Whether no root follows these, the first and those after it. A folder costs nothing to read again.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn is_last(&self, name: &Name, roots: &Roots) -> Result<bool, Error> {
        let (place, next) = (at(&self.place, name), roots.len() + 1);
        Ok(place.contains("://")
            && self.file(&place, &format!("{next}.root.json")).await?.is_none())
    }

    async fn file(&self, place: &str, file: &str) -> Result<Option<Vec<u8>>, Error> {
        if !place.contains("://") {
            return Ok(files::read(&PathBuf::from(place).join(file), MAX_ROOT)?);
        }
        let url = net::url(&format!("{}/{file}", place.trim_end_matches('/')))?;
        match self.net.get(Action::Pull, &url, MAX_ROOT).await {
            // Object stores that may not be listed answer so for what is not there, and clients read it so.
            Err(net::Error::Unauthorized { status: 403, .. }) => Ok(None),
            answer => Ok(answer?),
        }
    }
}

/// The place of one repository.
pub(crate) fn at(place: &str, name: &Name) -> String {
    place.replace("{name}", name.as_str())
}

/// Why a place does not give a chain of roots.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// What the room may read is used up.
    #[error(transparent)]
    Budget(#[from] Spent),
    /// There is a root that is none of the versions from the first one on.
    #[error(
        "repository `{name}` has a `root.json` that is none of its versions, and no `{next}.root.json`"
    )]
    Cut {
        /// The repository.
        name: Name,
        /// The first version that is not there.
        next: u64,
    },
    /// A folder cannot be read.
    #[error(transparent)]
    Media(#[from] media::Error),
    /// No answer.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// There is a root, but not from the first version on.
    #[error("repository `{name}` has a `root.json`, but no `1.root.json`")]
    NoFirst {
        /// The repository.
        name: Name,
    },
}
