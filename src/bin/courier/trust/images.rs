//! Images of the command line, by repository: what concerns one repository goes up together.
//!
//! Annex; pure.

use std::collections::BTreeMap;
use std::path::Path;

use officiant::name::Name;

use super::change::Unchanged;
use super::{Error, args};
use crate::image::Image;

/// Where a change goes that others are to sign: a folder holds that of one repository.
///
/// # Errors
/// [`Unchanged::Nothing`] for several repositories.
pub(super) fn apart(apart: &args::Apart, repositories: usize) -> Result<Option<&Path>, Error> {
    match &apart.apart {
        Some(_) if repositories > 1 => Err(Error::from(Unchanged::Nothing {
            what: "`--apart` is for one repository at a time",
        })),
        folder => Ok(folder.as_deref()),
    }
}

/// The images that a person named, each repository once.
///
/// # Errors
/// [`Error::Image`].
pub(super) fn by_repository(texts: &[String]) -> Result<BTreeMap<Name, Vec<Image>>, Error> {
    let mut all: BTreeMap<Name, Vec<Image>> = BTreeMap::new();
    for text in texts {
        let image = Image::parse(text)?;
        all.entry(image.gun().clone()).or_default().push(image);
    }
    Ok(all)
}
