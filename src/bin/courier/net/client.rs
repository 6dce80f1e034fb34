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

/// Makes a client as the command line says, or else as `folder` does, where docker keeps what is for one server:
/// `ca.crt` beside the system's authorities, and `client.cert` with `client.key`.
pub(super) fn client(
    args: &args::Network,
    folder: Option<&Path>,
    is_direct: bool,
) -> Result<Client, Error> {
    let timeout = Duration::from_secs(args.timeout);
    // A cache on the way must not show what was served before an upload.
    let headers = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static("no-cache"))]);
    let mut builder = Client::builder()
        .user_agent(concat!("officiant-courier/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(timeout.min(Duration::from_secs(10)))
        .timeout(timeout);
    if is_direct {
        builder = builder.no_proxy();
    }
    let kept = |name: &str| folder.map(|folder| folder.join(name)).filter(|file| file.exists());
    if let Some(file) = &args.ca {
        builder = builder.tls_certs_only(authorities(file)?);
    } else if let Some(file) = kept(AUTHORITY) {
        builder = builder.tls_certs_merge(authorities(&file)?);
    }
    if let (Some(certificate), Some(key)) = (&args.tls_cert, &args.tls_key) {
        builder = builder.identity(identity(certificate, key)?);
    } else if let (Some(certificate), Some(key)) = (kept("client.cert"), kept("client.key")) {
        builder = builder.identity(identity(&certificate, &key)?);
    }
    builder.build().map_err(|error| Error::Client { because: deepest(&error) })
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
