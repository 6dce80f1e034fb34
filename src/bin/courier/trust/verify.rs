//! `courier verify`: what a tag means, signed from the root down.
//!
//! Annex.

use officiant::digest::Digest;
use serde_json::json;

use super::client::Wanted;
use super::client::anchor::Because;
use super::client::view::View;
use super::place::Places;
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
    let mut places = Places::new(&args.trust, &environment)?;
    let mut all = Vec::new();
    for text in &args.images {
        all.push(image(text, &mut places).await?);
    }
    let text = all.iter().map(|verified| verified.reference() + "\n").collect();
    let json = all.iter().map(Verified::json).collect();
    Ok(Output { text, json })
}

/// Verifies one image by its tag; with a digest beside the tag, that this is the one.
///
/// # Errors
/// [`Error`].
pub(crate) async fn image(text: &str, places: &mut Places<'_>) -> Result<Verified, Error> {
    let image = Image::parse(text)?;
    let tag = image.tag_or_latest().to_owned();
    let seen = places.of(image.gun().clone())?.look(Wanted::Tags).await?;
    let asked = image.digest();
    let (digest, length) = signed(&seen.view, &tag, asked).map_err(Error::halfway)?;
    let (because, root) = (seen.because, seen.view.root().version().get());
    Ok(Verified { image, digest, length, because, root })
}

/// The digest and length that a tag is signed for; where one digest is asked for, that one.
fn signed(view: &View, tag: &str, asked: Option<&Digest>) -> Result<(Digest, u64), Error> {
    let (gun, tag) = (view.gun.clone(), tag.to_owned());
    let found = match view.tag(&tag) {
        Ok(found) => found.and_then(|(_, target)| Some((target.sha256()?, target.length))),
        Err(why) => return Err(Error::Unsound { gun, role: "targets/releases".to_owned(), why }),
    };
    match (found, asked) {
        (None, _) => Err(Error::TagUnsigned { gun, tag }),
        (Some((signed, _)), Some(&asked)) if asked != signed => {
            Err(Error::TagOther { gun, tag, signed, asked })
        }
        (Some(found), _) => Ok(found),
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
