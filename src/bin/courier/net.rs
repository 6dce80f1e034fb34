//! HTTP with bounds: every answer has a largest size and a longest time, only GET is tried again.
//!
//! Annex: the network. https anywhere, http on this machine alone; no redirects, so that a server cannot
//! send credentials or questions elsewhere.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::WWW_AUTHENTICATE;
use reqwest::multipart::Form;
use reqwest::{Certificate, Client, Method, RequestBuilder, Response, StatusCode, Url};

use super::auth::{Challenge, Tokens};

/// A client of one server.
pub(crate) struct Net {
    client: Client,
    tokens: Tokens,
}

impl Net {
    /// Makes a client that trusts the authorities in `ca`, or else the system's.
    ///
    /// # Errors
    /// [`Error::Authority`], [`Error::Client`].
    pub(crate) fn new(ca: Option<&Path>, timeout: Duration) -> Result<Self, Error> {
        let mut builder = Client::builder()
            .user_agent(concat!("officiant-courier/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .timeout(timeout);
        if let Some(file) = ca {
            let bad = || Error::Authority { file: file.to_owned() };
            let pem = std::fs::read(file).map_err(|_| bad())?;
            let authorities = Certificate::from_pem_bundle(&pem).map_err(|_| bad())?;
            if authorities.is_empty() {
                return Err(bad());
            }
            builder = builder.tls_certs_only(authorities);
        }
        let client = builder.build().map_err(|error| Error::Client { because: deepest(&error) })?;
        Ok(Self { client, tokens: Tokens::default() })
    }

    /// Fetches at most `most` bytes; none when the server answers that there is nothing (404).
    ///
    /// # Errors
    /// [`Error`], after three attempts where another attempt may help.
    pub(crate) async fn get(&self, url: &Url, most: usize) -> Result<Option<Vec<u8>>, Error> {
        let mut attempt = 1;
        loop {
            match self.get_once(url, most).await {
                Err(error) if error.may_pass() && attempt < ATTEMPTS => {
                    tokio::time::sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
                answer => return answer,
            }
        }
    }

    /// Posts named parts once. An error does not say that the server did nothing: fetch back.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn post(&self, url: &Url, parts: &[(&str, &[u8])]) -> Result<(), Error> {
        let form = || {
            parts.iter().fold(Form::new(), |form, (name, bytes)| {
                let part = reqwest::multipart::Part::bytes(bytes.to_vec());
                form.part("files", part.file_name((*name).to_owned()))
            })
        };
        // The first answer may be a challenge; the form is sent again with a token.
        let response = self.send(Method::POST, url, |request| request.multipart(form())).await?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(refused(url, status, response).await),
        }
    }

    async fn get_once(&self, url: &Url, most: usize) -> Result<Option<Vec<u8>>, Error> {
        let response = self.send(Method::GET, url, |request| request).await?;
        match response.status() {
            StatusCode::OK => body(url, response, most).await.map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(refused(url, status, response).await),
        }
    }

    async fn send(
        &self,
        method: Method,
        url: &Url,
        fill: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Error> {
        let request = |token: Option<String>| {
            let request = fill(self.client.request(method.clone(), url.clone()));
            match token {
                Some(token) => request.bearer_auth(token),
                None => request,
            }
        };
        let scope = format!("{method} {}", url.path());
        let response = request(self.tokens.known(&scope)).send().await;
        let response = response.map_err(|error| Error::of(url, &error))?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let challenge = response.headers().get(WWW_AUTHENTICATE).and_then(|v| v.to_str().ok());
        let Some(challenge) = challenge.and_then(Challenge::parse) else {
            return Err(Error::Unauthorized { url: url.to_string() });
        };
        let token = self.token(url, &challenge).await?;
        self.tokens.keep(scope, token.clone());
        request(Some(token)).send().await.map_err(|error| Error::of(url, &error))
    }

    async fn token(&self, url: &Url, challenge: &Challenge) -> Result<String, Error> {
        let unauthorized = || Error::Unauthorized { url: url.to_string() };
        let realm = challenge.url().ok_or_else(unauthorized)?;
        check_url(&realm)?;
        let mut request = self.client.get(realm.clone());
        if let Some((user, password)) = Tokens::credentials() {
            request = request.basic_auth(user, Some(password));
        }
        let response = request.send().await.map_err(|error| Error::of(&realm, &error))?;
        if response.status() != StatusCode::OK {
            return Err(unauthorized());
        }
        let answer = body(&realm, response, 64 << 10).await?;
        Challenge::token(&answer).ok_or_else(unauthorized)
    }
}

/// Reads a URL that may be asked: https, or http to this machine.
///
/// # Errors
/// [`Error::Url`], [`Error::Plain`].
pub(crate) fn url(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).map_err(|_| Error::Url { url: text.to_owned() })?;
    let odd = url.query().is_some() || url.fragment().is_some() || !url.username().is_empty();
    if odd || url.cannot_be_a_base() {
        return Err(Error::Url { url: text.to_owned() });
    }
    check_url(&url)?;
    Ok(url)
}

fn check_url(url: &Url) -> Result<(), Error> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match url.scheme() {
        "https" => Ok(()),
        "http" if here => Ok(()),
        _ => Err(Error::Plain { url: url.to_string() }),
    }
}

async fn body(url: &Url, mut response: Response, most: usize) -> Result<Vec<u8>, Error> {
    let large = || Error::Large { url: url.to_string(), most };
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Err(large());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Error::of(url, &error))? {
        if bytes.len() + chunk.len() > most {
            return Err(large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn refused(url: &Url, status: StatusCode, response: Response) -> Error {
    let said = body(url, response, 64 << 10).await.unwrap_or_default();
    // The text comes from elsewhere: one line, and nothing that moves a terminal's cursor.
    let said = String::from_utf8_lossy(&said);
    let said = said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(600).collect();
    Error::Status { url: url.to_string(), status: status.as_u16(), said }
}

/// Why a server gave no answer that could be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file of authorities.
    #[error("`{}` holds no certificate authority in PEM", file.display())]
    Authority {
        /// The file.
        file: PathBuf,
    },
    /// The client cannot be made.
    #[error("no client can be made for TLS")]
    Client {
        /// Why.
        because: String,
    },
    /// The answer is too large.
    #[error("{url}: the answer is larger than {most} bytes")]
    Large {
        /// What was asked.
        url: String,
        /// The bound.
        most: usize,
    },
    /// http to another machine.
    #[error("{url}: only https, or http to this machine, is asked")]
    Plain {
        /// The address.
        url: String,
    },
    /// The answer took too long.
    #[error("{url}: no whole answer in time")]
    Slow {
        /// What was asked.
        url: String,
    },
    /// An answer that is neither success nor 404.
    #[error("{url}: the server answered {status}")]
    Status {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of what it said.
        said: String,
    },
    /// The server wants credentials that we lack.
    #[error("{url}: the server wants credentials")]
    Unauthorized {
        /// What was asked.
        url: String,
    },
    /// The server was not reached, or the connection broke.
    #[error("{url}: no answer")]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why.
        because: String,
    },
    /// Not an address of a server.
    #[error("`{url}` is not the URL of a server")]
    Url {
        /// The text.
        url: String,
    },
}

impl Error {
    fn of(url: &Url, error: &reqwest::Error) -> Self {
        let url = url.to_string();
        if error.is_timeout() {
            return Self::Slow { url };
        }
        Self::Unreachable { url, because: deepest(error) }
    }

    /// Whether the same question may find a better answer a moment later.
    fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Status { status, .. } => matches!(status, 429 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// The reason behind it, where there is one.
    pub(crate) fn because(&self) -> Option<&str> {
        match self {
            Self::Client { because } | Self::Unreachable { because, .. } => Some(because),
            Self::Status { said, .. } if !said.is_empty() => Some(said),
            _ => None,
        }
    }
}

/// The innermost cause, in one line.
fn deepest(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = std::error::Error::source(cause) {
        cause = source;
    }
    let text = cause.to_string();
    text.split(" (os error").next().unwrap_or(&text).replace('\n', " ")
}

const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_asked() {
        for good in [
            "https://trust.example",
            "http://localhost:1",
            "http://127.0.0.1:1/x",
            "http://[::1]:1",
        ] {
            assert!(url(good).is_ok(), "{good}");
        }
        for (bad, words) in [
            (
                "http://trust.example",
                "http://trust.example/: only https, or http to this machine, is asked",
            ),
            ("ftp://localhost", "ftp://localhost/: only https, or http to this machine, is asked"),
            (
                "http://localhost.example",
                "http://localhost.example/: only https, or http to this machine, is asked",
            ),
            ("https://user@host", "`https://user@host` is not the URL of a server"),
            ("https://host/?a", "`https://host/?a` is not the URL of a server"),
            ("host:1", "`host:1` is not the URL of a server"),
        ] {
            assert_eq!(url(bad).unwrap_err().to_string(), words);
        }
    }
}
