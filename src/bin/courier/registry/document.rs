//! Manifests and indexes of images, of the OCI and of Docker before it.
//!
//! Annex; pure.

use oci_spec::image::{ImageIndex, ImageManifest};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// What is asked for: anything that can be signed.
pub(super) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// What a document is. One that can be read as a manifest and as an index is neither (CVE-2021-41190): what is signed
/// means the same to everybody.
///
/// # Errors
/// [`Flaw`].
pub(super) fn media_type(bytes: &[u8]) -> Result<&'static str, Flaw> {
    let members: Members = serde_json::from_slice(bytes).map_err(|_| Flaw::Other)?;
    let is_manifest = members.config.is_some() || members.layers.is_some();
    let is_index = members.manifests.is_some();
    let (own, of_docker) = match (is_manifest, is_index) {
        (true, true) => return Err(Flaw::Both),
        (true, false) => (OCI_MANIFEST, DOCKER_MANIFEST),
        (false, true) => (OCI_INDEX, DOCKER_LIST),
        (false, false) => return Err(Flaw::Other),
    };
    let is_whole = match is_index {
        true => ImageIndex::from_reader(bytes).is_ok_and(|index| index.schema_version() == 2),
        false => ImageManifest::from_reader(bytes).is_ok_and(|one| one.schema_version() == 2),
    };
    match members.media_type.as_deref() {
        _ if !is_whole => Err(Flaw::Other),
        None => Ok(own),
        Some(said) if said == own => Ok(own),
        Some(said) if said == of_docker => Ok(of_docker),
        Some(_) => Err(Flaw::Type),
    }
}

/// What is wrong with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    /// It is ambiguous.
    #[error("it is a manifest and an index at once")]
    Both,
    /// It is something else, or one of Docker's first kind, whose digest is not that of its bytes.
    #[error("it is no manifest and no index of schema 2")]
    Other,
    /// Its media type is that of something else.
    #[error("its media type is not of what it holds")]
    Type,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members {
    media_type: Option<String>,
    config: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
    manifests: Option<IgnoredAny>,
}

const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(kind: &str) -> String {
        let digest = "0".repeat(64);
        format!(r#"{{"mediaType":"{kind}","size":1,"digest":"sha256:{digest}"}}"#)
    }

    fn manifest(more: &str) -> String {
        let layer = descriptor("application/vnd.oci.image.layer.v1.tar+gzip");
        let config = descriptor("application/vnd.oci.image.config.v1+json");
        format!(r#"{{"schemaVersion":2,{more}"config":{config},"layers":[{layer}]}}"#)
    }

    fn index(more: &str) -> String {
        let one = descriptor(OCI_MANIFEST);
        format!(r#"{{"schemaVersion":2,{more}"manifests":[{one}]}}"#)
    }

    fn saying(kind: &str) -> String {
        format!(r#""mediaType":"{kind}","#)
    }

    #[test]
    fn a_document_is_what_it_says_and_holds() {
        for (document, expected) in [
            (manifest(""), OCI_MANIFEST),
            (manifest(&saying(OCI_MANIFEST)), OCI_MANIFEST),
            (manifest(&saying(DOCKER_MANIFEST)), DOCKER_MANIFEST),
            (index(""), OCI_INDEX),
            (index(&saying(OCI_INDEX)), OCI_INDEX),
            (index(&saying(DOCKER_LIST)), DOCKER_LIST),
        ] {
            assert_eq!(media_type(document.as_bytes()), Ok(expected), "{document}");
            assert!(ACCEPT.contains(expected));
        }
    }

    #[test]
    fn what_is_no_single_thing_is_refused() {
        let both = index(r#""layers":[],"#);
        for (document, flaw) in [
            (both.as_str(), Flaw::Both),
            (&manifest(&saying(OCI_INDEX)), Flaw::Type),
            (&index(&saying(DOCKER_MANIFEST)), Flaw::Type),
            (&manifest(&saying("application/json")), Flaw::Type),
            (r#"{"schemaVersion":2,"layers":[]}"#, Flaw::Other),
            (r#"{"schemaVersion":1,"name":"demo","tag":"1","fsLayers":[]}"#, Flaw::Other),
            (&index("").replace(":2,", ":1,"), Flaw::Other),
            (r#"{"schemaVersion":2}"#, Flaw::Other),
            ("<html>", Flaw::Other),
            ("", Flaw::Other),
        ] {
            assert_eq!(media_type(document.as_bytes()), Err(flaw), "{document}");
        }
    }
}
