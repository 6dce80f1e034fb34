//! The API of a Notary v1 trust server, as far as roots need it.
//!
//! Annex: the network, through [`Net`].

use std::sync::Arc;

use data_encoding::BASE64;
use officiant::key::PublicKey;
use officiant::name::Name;
use officiant::request::{MAX_ROOT, MAX_VERSIONS, Role, Served};
use officiant::root::online::{Named, Signed};
use officiant::root::{Dialect, Root, Version};
use reqwest::Url;
use serde::Deserialize;

use super::auth::Action;
use super::budget::{Budget, Spent};
use super::net::{self, Net};

/// A trust server.
pub(crate) struct Server {
    net: Arc<Net>,
    base: String,
}

/// The roots of one repository as a server has them: version 1 first.
pub(crate) type Roots = Vec<Vec<u8>>;

impl Server {
    /// A server at `url`.
    ///
    /// # Errors
    /// [`net::Error`] for an address that is not asked.
    pub(crate) fn new(net: Arc<Net>, url: &str) -> Result<Self, net::Error> {
        let base = net::url(url)?.as_str().trim_end_matches('/').to_owned();
        Ok(Self { net, base })
    }

    /// A file by its name in the API (`root.json`, `3.root.json`); none when the server has none.
    ///
    /// # Errors
    /// [`Error::Net`].
    pub(crate) async fn file(&self, name: &Name, file: &str) -> Result<Option<Vec<u8>>, Error> {
        let most = if file.ends_with("root.json") { MAX_ROOT } else { MAX_OTHER };
        self.bounded(name, file, most).await
    }

    /// A file of at most so many bytes.
    ///
    /// # Errors
    /// [`Error::Net`].
    pub(crate) async fn bounded(
        &self,
        name: &Name,
        file: &str,
        most: usize,
    ) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.net.get(Action::Pull, &self.url(name, file)?, most).await?)
    }

    /// One version of the root; none when the server has none.
    ///
    /// # Errors
    /// [`Error::Net`].
    pub(crate) async fn root(
        &self,
        name: &Name,
        version: Version,
    ) -> Result<Option<Vec<u8>>, Error> {
        self.file(name, &format!("{version}.root.json")).await
    }

    /// The latest version of the root; 0 when the server does not know the repository.
    async fn latest(&self, name: &Name) -> Result<(u64, Vec<u8>), Error> {
        let Some(bytes) = self.file(name, "root.json").await? else {
            // A server with a database loses `root.json` alone when it stored a root that it writes otherwise itself.
            return match self.file(name, "1.root.json").await? {
                None => Ok((0, Vec::new())),
                Some(_) => Err(Error::Damaged { name: name.clone() }),
            };
        };
        let version = version(&bytes).filter(|version| (1..=MAX_VERSIONS).contains(version));
        let version = version.ok_or_else(|| Error::NoVersion { name: name.clone() })?;
        Ok((version, bytes))
    }

    /// Every version of the root, from 1 to the latest; empty when the server does not know the repository.
    ///
    /// # Errors
    /// [`Error`]: a version that is missing, or a latest one that is served in two ways.
    pub(crate) async fn roots(&self, name: &Name, budget: &Budget) -> Result<Roots, Error> {
        let (latest, last) = self.latest(name).await?;
        let mut roots = Vec::new();
        // Version 0 is never asked for: SQL stores answer it with any version.
        for version in 1..=latest {
            let root = self.file(name, &format!("{version}.root.json")).await?;
            let root = root.ok_or_else(|| Error::Gap { name: name.clone(), version })?;
            budget.take(root.len())?;
            roots.push(root);
        }
        match roots.last() {
            Some(root) if *root != last => Err(Error::TwoLatest { name: name.clone(), latest }),
            _ => Ok(roots),
        }
    }

    /// What the server serves beside the root: its timestamp, and the snapshot that this names. None where there is
    /// none; the room says what is missing.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn served(
        &self,
        name: &Name,
        budget: &Budget,
    ) -> Result<Option<Served>, Error> {
        let Some(timestamp) = self.file(name, "timestamp.json").await? else { return Ok(None) };
        let signed = Signed::parse(Dialect::Notary, &timestamp);
        let Some(named) = signed.and_then(|signed| Named::by(&signed, Role::Snapshot)) else {
            return Ok(None);
        };
        let snapshot = self.file(name, &format!("snapshot.{}.json", named.sha256)).await?;
        let Some(snapshot) = snapshot else { return Ok(None) };
        budget.take(timestamp.len())?;
        budget.take(snapshot.len())?;
        Ok(Some(Served { timestamp, snapshot }))
    }

    /// The public key that the server keeps for `role`; it makes one where it has none.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn key(&self, name: &Name, role: Role) -> Result<PublicKey, Error> {
        let file = format!("{role}.key");
        let answer = self.net.get(Action::Push, &self.url(name, &file)?, MAX_KEY).await?;
        let key = answer.as_deref().and_then(read_key);
        key.ok_or_else(|| Error::NoKey { name: name.clone(), role })
    }

    /// Has the server make a new key for `role`, which it uses once a root names it.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn new_key(&self, name: &Name, role: Role) -> Result<PublicKey, Error> {
        let answer = self.net.make(&self.url(name, &format!("{role}.key"))?, MAX_KEY).await?;
        read_key(&answer).ok_or_else(|| Error::NoKey { name: name.clone(), role })
    }

    /// Uploads files by role, all or none.
    ///
    /// # Errors
    /// [`Error::Net`]; the server may have stored them all the same.
    pub(crate) async fn upload(&self, name: &Name, files: &[(&str, &[u8])]) -> Result<(), Error> {
        Ok(self.net.post(&self.url(name, "")?, files).await?)
    }

    fn url(&self, name: &Name, file: &str) -> Result<Url, Error> {
        Ok(net::url(&format!("{}/v2/{name}/_trust/tuf/{file}", self.base))?)
    }
}

/// A public key as the server answers it.
fn read_key(answer: &[u8]) -> Option<PublicKey> {
    let answer: KeyAnswer = serde_json::from_slice(answer).ok()?;
    let bytes = BASE64.decode(answer.keyval.public.as_bytes()).ok()?;
    match answer.keytype.as_str() {
        "ecdsa" | "rsa" => PublicKey::from_der(&bytes).ok(),
        "ed25519" => PublicKey::from_ed25519(&bytes).ok(),
        _ => None,
    }
}

/// The version that a metadata file says it has.
pub(crate) fn version(bytes: &[u8]) -> Option<u64> {
    let file: VersionOnly = serde_json::from_slice(bytes).ok()?;
    Some(file.signed.version)
}

/// Why a server's answers do not make a chain of roots.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// What the room may read is used up.
    #[error(transparent)]
    Budget(#[from] Spent),
    /// A repository that was damaged by an upload.
    #[error("repository `{name}`: the server has a `1.root.json`, but no `root.json`")]
    Damaged {
        /// The repository.
        name: Name,
    },
    /// A version is missing.
    #[error("repository `{name}`: the server has no version {version} of the root")]
    Gap {
        /// The repository.
        name: Name,
        /// The version.
        version: u64,
    },
    /// No answer.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// The server gives no key.
    #[error("repository `{name}`: the server gives no `{role}` key that can be read")]
    NoKey {
        /// The repository.
        name: Name,
        /// The role.
        role: Role,
    },
    /// The latest root has no version.
    #[error(
        "repository `{name}`: the server's `root.json` has no version from 1 to {MAX_VERSIONS}"
    )]
    NoVersion {
        /// The repository.
        name: Name,
    },
    /// Two files for one version.
    #[error("repository `{name}`: the server's `root.json` and `{latest}.root.json` differ")]
    TwoLatest {
        /// The repository.
        name: Name,
        /// The version.
        latest: u64,
    },
}

impl Error {
    /// What the network said, where it is that.
    pub(crate) const fn net(&self) -> Option<&net::Error> {
        match self {
            Self::Net(net) => Some(net),
            _ => None,
        }
    }

    /// Whether the server refused an upload since it cannot sign for this role under `root`. It has a sentence of its own
    /// for each; the signer behind it only says which key that does not have.
    pub(crate) fn lacks_key(&self, root: &Root, role: Role) -> bool {
        let sentence = match role {
            Role::Snapshot => "does not hold current snapshot key",
            Role::Timestamp => "timestamp keys exist on the server",
            Role::Root | Role::Targets => return false,
        };
        let Self::Net(net::Error::Status { said, .. }) = self else { return false };
        let ids = root.role(role).map(|keys| keys.ids.as_slice()).unwrap_or_default();
        let names_one = || ids.iter().any(|id| said.contains(id.as_str()));
        said.contains(sentence) || said.contains("NotFound") && names_one()
    }
}

#[derive(Deserialize)]
struct VersionOnly {
    signed: VersionField,
}

#[derive(Deserialize)]
struct VersionField {
    version: u64,
}

#[derive(Deserialize)]
struct KeyAnswer {
    keytype: String,
    keyval: KeyValue,
}

#[derive(Deserialize)]
struct KeyValue {
    public: String,
}

const MAX_KEY: usize = 256 << 10;
/// Targets of a large repository; Notary's own clients take 100 MiB.
const MAX_OTHER: usize = 64 << 20;
