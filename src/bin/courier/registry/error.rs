//! Why there is no digest to sign.
//!
//! Annex; pure.

use std::path::PathBuf;

use officiant::digest::Digest;
use officiant::room::media;

use super::document::Flaw;
use crate::net;

/// Why a registry or a layout gave nothing that can be signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A document that is no manifest and no index.
    #[error("what `{what}` names can not be signed")]
    Document {
        /// The image or file.
        what: String,
        /// Why not.
        because: Flaw,
    },
    /// A folder that is no layout, or not whole.
    #[error("`{}` is no whole OCI image layout", folder.display())]
    Layout {
        /// The folder.
        folder: PathBuf,
    },
    /// A file that cannot be read.
    #[error(transparent)]
    Media(#[from] media::Error),
    /// The registry has no such image.
    #[error("the registry has no image `{image}`")]
    Missing {
        /// The image.
        image: String,
    },
    /// The registry gave no answer that can be used.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// Other bytes than the digest or length says.
    #[error("`{what}` came as another document, of SHA-256 {found}")]
    Other {
        /// The image or file.
        what: String,
        /// The digest of what came.
        found: Digest,
    },
    /// No image, or several, under a tag.
    #[error("`{}` holds {} under the tag `{tag}`", folder.display(), match found {
        0 => "no image".to_owned(),
        found => format!("{found} images"),
    })]
    Tag {
        /// The folder.
        folder: PathBuf,
        /// The tag.
        tag: String,
        /// How many.
        found: usize,
    },
}
