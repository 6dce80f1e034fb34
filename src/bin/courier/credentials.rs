//! Whose credentials go with a request: those of `NOTARY_AUTH`, or what docker keeps for the registry of the repository.
//!
//! Annex: reads `NOTARY_AUTH`, as `notary` does, and docker's `config.json`; runs the credential helper named there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::BASE64;
use docker_credential::{CredentialRetrievalError, DockerCredential};
use zeroize::Zeroizing;

use super::environment::Environment;
use super::files;

/// What shows a server who asks.
pub(crate) enum Credentials {
    /// A token that a token server exchanges for its own: docker's identity token.
    Identity(Zeroizing<String>),
    /// User and password.
    Password { user: String, password: Zeroizing<String> },
}

/// The credentials of one person, by registry; looked up when a server asks, and once.
pub(crate) struct Keyring {
    /// Those of `NOTARY_AUTH`, which go to every trust server.
    notary: Option<Arc<Credentials>>,
    /// Docker's configuration.
    file: PathBuf,
    found: Mutex<BTreeMap<String, Option<Arc<Credentials>>>>,
}

impl Keyring {
    /// What goes to registries.
    pub(crate) fn of_registries(environment: &Environment) -> Self {
        let file = environment.docker_config().join("config.json");
        Self { notary: None, file, found: Mutex::default() }
    }

    /// What goes to trust servers: `NOTARY_AUTH` where it is set, else what a registry would get, as docker does it.
    ///
    /// # Errors
    /// [`Error::Notary`].
    pub(crate) fn of_trust_servers(environment: &Environment) -> Result<Self, Error> {
        let notary = match std::env::var_os("NOTARY_AUTH") {
            None => None,
            Some(text) => {
                let read = text.to_str().and_then(Credentials::read).ok_or(Error::Notary)?;
                Some(Arc::new(read))
            }
        };
        Ok(Self { notary, ..Self::of_registries(environment) })
    }

    /// The credentials for a registry, or for what a trust server knows of it; a helper may ask the person.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Helper`].
    pub(crate) async fn of(
        &self,
        registry: Option<&str>,
    ) -> Result<Option<Arc<Credentials>>, Error> {
        let Some(registry) = registry.filter(|_| self.notary.is_none()) else {
            return Ok(self.notary.clone());
        };
        let known =
            self.found.lock().unwrap_or_else(PoisonError::into_inner).get(registry).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let (file, host) = (self.file.clone(), registry.to_owned());
        let found = tokio::task::spawn_blocking(move || kept(&file, &host)).await;
        let found = found.map_err(|_| self.no_help(registry, "it was interrupted"))??;
        let found = found.map(Arc::new);
        let mut known = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(registry.to_owned(), found.clone());
        Ok(found)
    }

    /// Whether there were credentials to give.
    pub(crate) fn gave(&self, registry: Option<&str>) -> bool {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = registry.and_then(|registry| found.get(registry));
        self.notary.is_some() || kept.is_some_and(Option::is_some)
    }

    fn no_help(&self, registry: &str, because: &str) -> Error {
        no_help(&self.file, registry, because)
    }
}

impl Credentials {
    /// Whether they can be shown to the server itself.
    pub(crate) fn is_password(&self) -> bool {
        matches!(self, Self::Password { .. })
    }

    fn read(base64: &str) -> Option<Self> {
        let text = Zeroizing::new(BASE64.decode(base64.trim().as_bytes()).ok()?);
        let (user, password) = str::from_utf8(&text).ok()?.split_once(':')?;
        let password = Zeroizing::new(password.to_owned());
        Some(Self::Password { user: user.to_owned(), password })
    }
}

/// What docker's configuration keeps for a registry, itself or through its helper.
fn kept(file: &Path, registry: &str) -> Result<Option<Credentials>, Error> {
    use CredentialRetrievalError as E;
    let bad = || Error::File { file: file.to_owned() };
    let Some(bytes) = files::read(file, MAX).map_err(|_| bad())? else { return Ok(None) };
    let bytes = Zeroizing::new(bytes);
    let key = if registry == "docker.io" { HUB } else { registry };
    match docker_credential::get_credential_from_reader(&bytes[..], key) {
        Ok(DockerCredential::IdentityToken(token)) => {
            Ok(Some(Credentials::Identity(Zeroizing::new(token))))
        }
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            let password = Zeroizing::new(password);
            Ok(Some(Credentials::Password { user, password }))
        }
        Err(E::NoCredentialConfigured) => Ok(None),
        Err(E::HelperFailure { stdout, .. }) if stdout.contains(NOT_FOUND) => Ok(None),
        Err(E::HelperFailure { stdout, stderr, .. }) => {
            let said = if stdout.trim().is_empty() { stderr } else { stdout };
            Err(no_help(file, registry, said.trim()))
        }
        Err(error @ (E::HelperCommunicationError | E::MalformedHelperResponse)) => {
            Err(no_help(file, registry, &error.to_string()))
        }
        Err(_) => Err(bad()),
    }
}

fn no_help(file: &Path, registry: &str, because: &str) -> Error {
    let [registry, because] = [registry, because].map(str::to_owned);
    Error::Helper { file: file.to_owned(), registry, because }
}

/// Why there are no credentials where there should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Docker's configuration.
    #[error("`{}` is no configuration of docker whose credentials can be read", file.display())]
    File {
        /// The file.
        file: PathBuf,
    },
    /// The credential helper.
    #[error("the credential helper that `{}` names for `{registry}` gives nothing", file.display())]
    Helper {
        /// The file.
        file: PathBuf,
        /// Whose credentials were wanted.
        registry: String,
        /// What it said.
        because: String,
    },
    /// `NOTARY_AUTH`.
    #[error("`NOTARY_AUTH` is set, and is no base64 of user:password")]
    Notary,
}

/// Under which key docker keeps what is for its own registry.
const HUB: &str = "https://index.docker.io/v1/";
/// The largest configuration that is read.
const MAX: usize = 1 << 20;
/// How every credential helper says that it has none.
const NOT_FOUND: &str = "credentials not found in native keychain";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_base64_of_user_and_password() {
        let Some(Credentials::Password { user, password }) =
            Credentials::read("bWU6cGFzczp3b3Jk\n")
        else {
            panic!()
        };
        assert_eq!((user.as_str(), password.as_str()), ("me", "pass:word"));
        assert!(Credentials::read("me:password").is_none());
        assert!(Credentials::read("bWU=").is_none());
    }
}
