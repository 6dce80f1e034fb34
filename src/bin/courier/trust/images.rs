//! Images of the command line, by repository: what concerns one repository goes up together.
//!
//! Annex; pure.

use std::collections::BTreeMap;

use officiant::name::Name;

use super::Error;
use crate::image::Image;

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
