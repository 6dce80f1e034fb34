//! Images in a folder: OCI image layouts, as `skopeo` and builders without a daemon write them.
//!
//! Annex: reads files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use oci_spec::image::{ANNOTATION_REF_NAME, Descriptor, ImageIndex};
use officiant::digest::Digest;

use super::{Error, MAX, Manifest};
use crate::files;

/// A layout, whose own index is read once for all its tags.
pub(crate) struct Layout {
    folder: PathBuf,
    named: BTreeMap<String, Vec<Descriptor>>,
}

impl Layout {
    /// Reads the index.
    ///
    /// # Errors
    /// [`Error::Layout`], [`Error::Media`].
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let no_layout = || Error::Layout { folder: folder.to_owned() };
        let bytes = files::read(&folder.join("index.json"), MAX)?.ok_or_else(no_layout)?;
        let index = ImageIndex::from_reader(&bytes[..]).map_err(|_| no_layout())?;
        let mut named: BTreeMap<String, Vec<Descriptor>> = BTreeMap::new();
        for one in index.manifests() {
            let name = one.annotations().as_ref().and_then(|all| all.get(ANNOTATION_REF_NAME));
            if let Some(name) = name {
                named.entry(name.clone()).or_default().push(one.clone());
            }
        }
        Ok(Self { folder: folder.to_owned(), named })
    }

    /// The document that the index has under `tag`.
    ///
    /// # Errors
    /// [`Error::Document`], [`Error::Layout`], [`Error::Media`], [`Error::Other`], [`Error::Tag`].
    pub(crate) fn manifest(&self, tag: &str) -> Result<Manifest, Error> {
        let folder = &self.folder;
        let no_layout = || Error::Layout { folder: folder.clone() };
        let named = self.named.get(tag).map(Vec::as_slice).unwrap_or_default();
        let [one] = named else {
            let (folder, tag) = (folder.clone(), tag.to_owned());
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
}
