//! Images in a folder: OCI image layouts, as `skopeo` and builders without a daemon write them.
//!
//! Annex: reads files.

use std::path::Path;

use oci_spec::image::{ANNOTATION_REF_NAME, Descriptor, ImageIndex};
use officiant::digest::Digest;

use super::{Error, MAX, Manifest};
use crate::files;

/// The document that the layout's own index has under `tag`.
///
/// # Errors
/// [`Error::Document`], [`Error::Layout`], [`Error::Media`], [`Error::Other`], [`Error::Tag`].
pub(crate) fn of_layout(folder: &Path, tag: &str) -> Result<Manifest, Error> {
    let no_layout = || Error::Layout { folder: folder.to_owned() };
    let bytes = files::read(&folder.join("index.json"), MAX)?.ok_or_else(no_layout)?;
    let index = ImageIndex::from_reader(&bytes[..]).map_err(|_| no_layout())?;
    let is_named = |one: &&Descriptor| {
        let name = one.annotations().as_ref().and_then(|all| all.get(ANNOTATION_REF_NAME));
        name.is_some_and(|name| name == tag)
    };
    let named: Vec<_> = index.manifests().iter().filter(is_named).collect();
    let [one] = named[..] else {
        let (folder, tag) = (folder.to_owned(), tag.to_owned());
        return Err(Error::Tag { folder, tag, found: named.len() });
    };
    let hex = one.digest().as_ref().strip_prefix("sha256:");
    let digest: Digest = hex.and_then(|hex| hex.parse().ok()).ok_or_else(no_layout)?;
    let blob = folder.join("blobs/sha256").join(digest.to_string());
    let what = blob.display().to_string();
    let bytes = files::read(&blob, MAX)?.ok_or_else(no_layout)?;
    let manifest = Manifest::of(&what, &bytes)?;
    match manifest.digest == digest && manifest.length == one.size() {
        true => Ok(manifest),
        false => Err(Error::Other { what, found: manifest.digest }),
    }
}
