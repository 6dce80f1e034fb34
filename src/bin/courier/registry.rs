//! What a registry, or a layout on disk, holds under a tag: the digest and length that are signed.
//!
//! Annex: the network, and the files of a layout; no Docker daemon. Not by `oci-client`: it takes an answer of any size,
//! and shows credentials to whatever token server a registry names.

mod document;
mod error;
mod layout;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use officiant::digest::Digest;
use reqwest::Url;

use super::args;
use super::auth::Action;
use super::environment::Environment;
use super::image::Image;
use super::net::{self, Net};

pub(crate) use error::Error;
pub(crate) use layout::Layout;

/// The document that a tag points to: a manifest, or the index of several. Its digest is what docker signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// SHA-256 of the bytes that came.
    pub(crate) digest: Digest,
    /// Their number.
    pub(crate) length: u64,
    /// What the document says that it is, or what it plainly is where it does not say.
    pub(crate) media_type: &'static str,
}

impl Manifest {
    fn of(what: &str, bytes: &[u8]) -> Result<Self, Error> {
        let media_type = document::media_type(bytes)
            .map_err(|because| Error::Document { what: what.to_owned(), because })?;
        Ok(Self { digest: Digest::of(bytes), length: bytes.len() as u64, media_type })
    }
}

/// The registries that images are in, each asked with the credentials that docker has for it.
pub(crate) struct Registry {
    network: args::Network,
    environment: Environment,
    clients: Mutex<BTreeMap<String, Arc<Net>>>,
}

impl Registry {
    /// Asks nobody yet.
    pub(crate) fn new(network: args::Network, environment: Environment) -> Self {
        Self { network, environment, clients: Mutex::default() }
    }

    /// What the image's digest, or else its tag, or else `latest` names in its registry.
    ///
    /// # Errors
    /// [`Error::Document`], [`Error::Missing`], [`Error::Net`], [`Error::Other`].
    pub(crate) async fn manifest(&self, image: &Image) -> Result<Manifest, Error> {
        let net = self.client(image.registry())?;
        let what = image.to_string();
        let bytes = self.fetch(&net, image).await?;
        let bytes = bytes.ok_or_else(|| Error::Missing { image: what.clone() })?;
        let manifest = Manifest::of(&what, &bytes)?;
        match image.digest() {
            Some(named) if *named != manifest.digest => {
                Err(Error::Other { what, found: manifest.digest })
            }
            _ => Ok(manifest),
        }
    }

    /// A registry on this machine speaks plainly, unless an authority is kept for it or it answers as one with TLS does.
    async fn fetch(&self, net: &Net, image: &Image) -> Result<Option<Vec<u8>>, Error> {
        let get = async |url: Url| net.get_as(Action::Pull, &url, document::ACCEPT, MAX).await;
        let secure = url("https", image)?;
        let has_authority =
            self.folder(image.registry()).is_some_and(|folder| folder.join("ca.crt").exists());
        if !net::is_here(&secure) || has_authority {
            return Ok(get(secure).await?);
        }
        match get(url("http", image)?).await {
            Err(net::Error::Status { status: 400, .. }) => Ok(get(secure).await?),
            answer => Ok(answer?),
        }
    }

    fn client(&self, registry: &str) -> Result<Arc<Net>, Error> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(match clients.entry(registry.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let folder = self.folder(registry);
                let net =
                    Net::of_registry(&self.network, &self.environment, registry, folder.as_deref());
                new.insert(Arc::new(net?))
            }
        }))
    }

    /// Where docker, or a docker without root, keeps what is for the TLS of one registry.
    fn folder(&self, registry: &str) -> Option<PathBuf> {
        let own = self.environment.home().join(".config/docker/certs.d");
        let folders = [own.as_path(), Path::new("/etc/docker/certs.d")].map(|f| f.join(registry));
        folders.into_iter().find(|folder| folder.is_dir())
    }
}

fn url(scheme: &str, image: &Image) -> Result<Url, Error> {
    let host = match image.registry() {
        "docker.io" => "registry-1.docker.io",
        host => host,
    };
    let reference = match image.digest() {
        Some(digest) => format!("sha256:{digest}"),
        None => image.tag_or_latest().to_owned(),
    };
    let url = format!("{scheme}://{host}/v2/{}/manifests/{reference}", image.repository());
    Ok(net::url(&url)?)
}

/// The largest document that is read: what registries take.
const MAX: usize = 4 << 20;
