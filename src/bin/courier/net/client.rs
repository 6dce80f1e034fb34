//! The clients of one server: their bounds in time, whom they trust, and what they show.
//!
//! Annex: reads the files of authorities and certificates.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{CACHE_CONTROL, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, Identity};

use super::Error;
use super::error::deepest;
use crate::args;

/// What every client of one server is made of. The files are read at once; a client is made when the first request
/// needs it, which costs the reading of the system's authorities where nobody names others.
pub(super) struct Maker {
    timeout: Duration,
    authorities: Authorities,
    identity: Option<Identity>,
}

/// Whom a client trusts to say who a server is.
enum Authorities {
    /// These beside the system's.
    Also(Vec<Certificate>),
    /// These alone.
    Only(Vec<Certificate>),
}

impl Maker {
    /// As the command line says, or else as `folder` does, where docker keeps what is for one server: `ca.crt` beside
    /// the system's authorities, and `client.cert` with `client.key`.
    ///
    /// # Errors
    /// [`Error::Authority`], [`Error::Identity`].
    pub(super) fn new(args: &args::Network, folder: Option<&Path>) -> Result<Self, Error> {
        let kept = |name: &str| folder.map(|folder| folder.join(name)).filter(|file| file.exists());
        let authorities = match (&args.ca, kept(AUTHORITY)) {
            (Some(file), _) => Authorities::Only(authorities(file)?),
            (None, Some(file)) => Authorities::Also(authorities(&file)?),
            (None, None) => Authorities::Also(Vec::new()),
        };
        let both = args.tls_cert.clone().zip(args.tls_key.clone());
        let both = both.or_else(|| kept("client.cert").zip(kept("client.key")));
        let identity = both.map(|(certificate, key)| identity(&certificate, &key)).transpose()?;
        Ok(Self { timeout: Duration::from_secs(args.timeout), authorities, identity })
    }

    /// Makes a client; one that `is_direct` goes past every proxy.
    ///
    /// # Errors
    /// [`Error::Client`].
    pub(super) fn make(&self, is_direct: bool) -> Result<Client, Error> {
        // A cache on the way must not show what was served before an upload.
        let headers = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static("no-cache"))]);
        let mut builder = Client::builder()
            .user_agent(concat!("officiant-courier/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.timeout.min(Duration::from_secs(10)))
            .timeout(self.timeout);
        if is_direct {
            builder = builder.no_proxy();
        }
        builder = match &self.authorities {
            Authorities::Also(more) => builder.tls_certs_merge(more.clone()),
            Authorities::Only(all) => builder.tls_certs_only(all.clone()),
        };
        if let Some(identity) = &self.identity {
            builder = builder.identity(identity.clone());
        }
        builder.build().map_err(|error| Error::Client { because: deepest(&error) })
    }
}

fn authorities(file: &Path) -> Result<Vec<Certificate>, Error> {
    let read = std::fs::read(file).ok().and_then(|pem| Certificate::from_pem_bundle(&pem).ok());
    let found = read.filter(|authorities| !authorities.is_empty());
    found.ok_or_else(|| Error::Authority { file: file.to_owned() })
}

fn identity(certificate: &Path, key: &Path) -> Result<Identity, Error> {
    let both = || {
        let (certificate, key) = (std::fs::read(certificate).ok()?, std::fs::read(key).ok()?);
        Identity::from_pem(&[certificate, b"\n".to_vec(), key].concat()).ok()
    };
    both()
        .ok_or_else(|| Error::Identity { certificate: certificate.to_owned(), key: key.to_owned() })
}

/// The authority of one server, in its folder.
pub(super) const AUTHORITY: &str = "ca.crt";
