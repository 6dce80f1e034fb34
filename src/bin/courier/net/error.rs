//! Why a server gave no answer that can be used.
//!
//! Annex; pure.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use crate::auth::Action;
use crate::credentials;

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
    /// The credentials of the person.
    #[error(transparent)]
    Credentials(#[from] credentials::Error),
    /// The server sends to another host for a token, and no option says that it may have the credentials.
    #[error("{url}: the server asks for the credentials at another host, `{host}`")]
    Elsewhere {
        /// What was asked.
        url: String,
        /// The host of the token server.
        host: String,
    },
    /// The files of our own certificate.
    #[error("`{}` and `{}` hold no certificate with its private key in PEM", certificate.display(), key.display())]
    Identity {
        /// The certificate.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
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
        /// After which time it may be asked again, where it says so.
        after: Option<Duration>,
    },
    /// The server does not let us: it wants credentials, or other ones (401, 403).
    #[error("{url}: {}", match given {
        true => format!("the server does not let these credentials {}", action.word()),
        false => "the server wants credentials".to_owned(),
    })]
    Unauthorized {
        /// What was asked.
        url: String,
        /// What it was asked for.
        action: Action,
        /// The HTTP status.
        status: u16,
        /// Whether there are credentials.
        given: bool,
        /// The registry that they are for, where one is named.
        registry: Option<String>,
        /// Whether `NOTARY_AUTH` may hold them.
        notary: bool,
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
    pub(super) fn of(url: &Url, error: &reqwest::Error) -> Self {
        let url = url.to_string();
        if error.is_timeout() {
            return Self::Slow { url };
        }
        Self::Unreachable { url, because: deepest(error) }
    }

    /// How long to wait before the same question is asked again for the `attempt`th time, if that may help.
    pub(crate) fn pause(&self, attempt: u32) -> Option<Duration> {
        let usual = PAUSE * attempt;
        match self {
            _ if attempt >= ATTEMPTS || !self.may_pass() => None,
            Self::Status { after, .. } => Some(after.map_or(usual, |after| after.min(LONGEST))),
            _ => Some(usual),
        }
    }

    /// Whether it is of the moment: the same question may get an answer later.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Status { status: 429 | 502..=504, .. })
    }

    /// The reason behind it, where there is one.
    pub(crate) fn because(&self) -> Option<&str> {
        match self {
            Self::Client { because } | Self::Unreachable { because, .. } => Some(because),
            Self::Credentials(credentials::Error::Helper { because, .. }) => Some(because),
            Self::Status { said, .. } if !said.is_empty() => Some(said),
            _ => None,
        }
    }
}

/// The innermost cause, in one line.
pub(super) fn deepest(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = std::error::Error::source(cause) {
        cause = source;
    }
    let text = cause.to_string();
    text.split(" (os error").next().unwrap_or(&text).replace('\n', " ")
}

const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(300);
/// The longest that a server may have us wait.
const LONGEST: Duration = Duration::from_secs(30);
