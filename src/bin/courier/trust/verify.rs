//! `courier verify`: what a tag means, signed from the root down.
//!
//! Annex.

use officiant::digest::Digest;
use serde_json::json;

use super::anchor::Because;
use super::client::Wanted;
use super::place::Place;
use super::{Error, args};
use crate::environment::Environment;
use crate::image::Image;
use crate::report::Output;

/// An image whose digest is signed.
pub(crate) struct Verified {
    pub(crate) image: Image,
    /// The SHA-256 of its manifest.
    pub(crate) digest: Digest,
    pub(crate) length: u64,
    pub(crate) because: Because,
    /// The version of the root that it hangs from.
    pub(crate) root: u64,
}

/// Verifies every image.
///
/// # Errors
/// [`Error`] for the first that is not signed; then none is shown.
pub(crate) async fn run(args: &args::Verify) -> Result<Output, Error> {
    let environment = Environment::read();
    let mut all = Vec::new();
    for text in &args.images {
        all.push(image(text, &args.trust, &environment).await?);
    }
    let text = all.iter().map(|verified| verified.reference() + "\n").collect();
    let json = all.iter().map(Verified::json).collect();
    Ok(Output { text, json })
}

/// Verifies one image by its tag; with a digest beside the tag, that this is the one.
///
/// # Errors
/// [`Error`].
pub(crate) async fn image(
    text: &str,
    trust: &args::Trust,
    environment: &Environment,
) -> Result<Verified, Error> {
    let image = Image::parse(text)?;
    let tag = image.tag().unwrap_or(LATEST).to_owned();
    let gun = image.gun().clone();
    let seen = Place::of(gun.clone(), trust, environment)?.look(Wanted::Tags).await?;
    let unsound =
        |why| Error::Unsound { gun: gun.clone(), role: "targets/releases".to_owned(), why };
    let found = seen.view.tag(&tag).map_err(unsound)?;
    let unsigned = || Error::TagUnsigned { gun: gun.clone(), tag: tag.clone() };
    let (_, target) = found.ok_or_else(unsigned)?;
    let signed = target.sha256().ok_or_else(unsigned)?;
    match image.digest() {
        Some(asked) if *asked != signed => {
            let asked = *asked;
            Err(Error::TagOther { gun: gun.clone(), tag: tag.clone(), signed, asked })
        }
        _ => Ok(Verified {
            digest: signed,
            length: target.length,
            because: seen.because,
            root: seen.view.root().version().get(),
            image,
        }),
    }
}

impl Verified {
    /// The image by its digest.
    pub(crate) fn reference(&self) -> String {
        self.image.by_digest(&self.digest)
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "image": self.image.to_string(),
            "reference": self.reference(),
            "digest": format!("sha256:{}", self.digest),
            "length": self.length,
            "root": self.root,
            "trusted_by": self.because.word(),
        })
    }
}

/// The tag of an image that is named without one, as docker has it.
const LATEST: &str = "latest";
