//! `courier digest`: what a registry holds under a tag, as `sign` would sign it. Nothing is verified.
//!
//! Annex: the network, or a layout on disk.

use serde_json::json;

use super::args;
use super::environment::Environment;
use super::image::{self, Image};
use super::registry::{self, Layout, Manifest, Registry};
use super::report::Output;

/// What each image is.
pub(crate) struct Digests(Vec<(Image, Manifest)>);

/// Asks for each image, one after the other.
///
/// # Errors
/// [`Error`], at the first that has no digest.
pub(crate) async fn run(args: &args::Digest) -> Result<Digests, Error> {
    let registry = Registry::new(args.network.clone(), Environment::read());
    let layout = args.layout.as_deref().map(Layout::open).transpose()?;
    let mut found = Vec::new();
    for text in &args.images {
        let image = Image::parse(text)?;
        let manifest = match &layout {
            Some(layout) => layout.manifest(image.tag_or_latest())?,
            None => registry.manifest(&image).await?,
        };
        found.push((image, manifest));
    }
    Ok(Digests(found))
}

impl Digests {
    /// A line each: the name by digest, the length and the media type.
    pub(crate) fn output(&self) -> Output {
        let line = |(image, manifest): &(Image, Manifest)| {
            let Manifest { digest, length, media_type } = manifest;
            format!("{} {length} {media_type}\n", image.by_digest(digest))
        };
        let member = |(image, manifest): &(Image, Manifest)| {
            json!({
                "image": image.to_string(),
                "by_digest": image.by_digest(&manifest.digest),
                "length": manifest.length,
                "media_type": manifest.media_type,
            })
        };
        Output {
            text: self.0.iter().map(line).collect(),
            json: json!({ "images": self.0.iter().map(member).collect::<Vec<_>>() }),
        }
    }
}

/// Why an image has no digest.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// What was named is no image.
    #[error(transparent)]
    Image(#[from] image::Error),
    /// The registry or layout gave none.
    #[error(transparent)]
    Registry(#[from] registry::Error),
}
