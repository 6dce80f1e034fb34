//! Where a repository's trust data is for this person: its server, its cache, and what it is trusted by.
//!
//! Annex: made of the command line and the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use officiant::name::Name;

use super::client::anchor::{self, Because, Grounds};
use super::client::cache::Cache;
use super::client::pins::Pins;
use super::client::view::View;
use super::client::{Client, Wanted};
use super::{Error, args};
use crate::environment::{self, Environment};
use crate::net::{self, Net};
use crate::notary::Server;

/// Where one repository's trust data is.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) gun: Name,
    pub(crate) server: Arc<Server>,
    pub(crate) trust_dir: PathBuf,
    cache: Cache,
    pins: Arc<Pins>,
    folder: Option<PathBuf>,
    first_use: bool,
    patience: Duration,
}

/// A repository as it is now, and what it is trusted by.
pub(crate) struct Seen {
    pub(crate) view: View,
    pub(crate) because: Because,
}

/// Where the trust data of many repositories is: one client and its connections for each server, pins read once.
pub(crate) struct Places<'a> {
    args: &'a args::Trust,
    environment: &'a Environment,
    trust_dir: PathBuf,
    pins: Arc<Pins>,
    /// By address.
    servers: BTreeMap<String, Arc<Server>>,
}

impl<'a> Places<'a> {
    /// None of them yet.
    ///
    /// # Errors
    /// [`Error::Pins`].
    pub(crate) fn new(args: &'a args::Trust, environment: &'a Environment) -> Result<Self, Error> {
        let trust_dir = environment::trust_dir(args.trust_dir.as_deref());
        let pins = match &args.pins {
            Some(file) => Pins::required(file)?,
            None => Pins::read(&trust_dir.join("config.json"))?,
        };
        Ok(Self { args, environment, trust_dir, pins: Arc::new(pins), servers: BTreeMap::new() })
    }

    /// The place of `gun`.
    ///
    /// # Errors
    /// [`Error::Net`].
    pub(crate) fn of(&mut self, gun: Name) -> Result<Place, Error> {
        let url = server_of(&gun, self.args.server.as_deref(), self.environment);
        Ok(Place {
            server: self.server(url)?,
            cache: Cache::of(&self.trust_dir, &gun),
            pins: Arc::clone(&self.pins),
            folder: self.args.trust_folder.clone(),
            first_use: self.args.trust_on_first_use,
            // A server that answers each question just in time would keep us for days.
            patience: Duration::from_secs(self.args.network.timeout.saturating_mul(ANSWERS)),
            gun,
            trust_dir: self.trust_dir.clone(),
        })
    }

    fn server(&mut self, url: String) -> Result<Arc<Server>, Error> {
        if let Some(server) = self.servers.get(&url) {
            return Ok(Arc::clone(server));
        }
        let mut network = self.args.network.clone();
        fill_in(&mut network, &url, self.environment);
        let server = Arc::new(Server::new(Arc::new(Net::new(&network)?), &url)?);
        self.servers.insert(url, Arc::clone(&server));
        Ok(server)
    }
}

impl Place {
    /// The place of one repository.
    ///
    /// # Errors
    /// [`Error::Net`], [`Error::Pins`].
    pub(crate) fn of(
        gun: Name,
        args: &args::Trust,
        environment: &Environment,
    ) -> Result<Self, Error> {
        Places::new(args, environment)?.of(gun)
    }

    /// Looks at the repository as a client that trusts nothing but what the person gave it, and what it saw before.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn look(&self, wanted: Wanted) -> Result<Seen, Error> {
        let late = |_| Error::Late { gun: self.gun.clone(), seconds: self.patience.as_secs() };
        let before = self.cache.read("root")?;
        let looked = tokio::time::timeout(self.patience, self.look_at(wanted)).await;
        match looked.map_err(late).flatten() {
            // A newer root that holds stays trusted, whatever is wrong with the rest.
            Err(error) if self.cache.read("root")? != before => Err(error.halfway()),
            seen => seen,
        }
    }

    /// Looks at the repository under the root that is to be published, where the trust folder has a newer one than the
    /// server; and says whether that is so. The lists are those that are served.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn coming(&self) -> Result<(View, bool), Error> {
        let Some(folder) = self.folder.as_deref() else {
            return Ok((self.look(Wanted::All).await?.view, false));
        };
        let newest = anchor::of_folder(folder, &self.gun)?;
        let served = self.server.file(&self.gun, "root.json").await?;
        let version = served.as_deref().and_then(crate::notary::version).unwrap_or_default();
        if newest.version().get() <= version {
            return Ok((self.look(Wanted::All).await?.view, false));
        }
        if served.is_none() {
            return Ok((View::unpublished(self.gun.clone(), newest), true));
        }
        let seen = self.clone_without_folder().look(Wanted::All).await?;
        Ok((View { root: newest, ..seen.view }, true))
    }

    /// The root of the trust folder is not the server's yet: what is served hangs from the one before.
    fn clone_without_folder(&self) -> Self {
        Self { folder: None, ..self.clone() }
    }

    async fn look_at(&self, wanted: Wanted) -> Result<Seen, Error> {
        let (gun, server, cache) = (&self.gun, &self.server, &self.cache);
        let client = Client { gun, server, cache, now: Timestamp::now() };
        let grounds =
            Grounds { folder: self.folder.as_deref(), pins: &self.pins, first_use: self.first_use };
        let anchor = anchor::find(&client, &grounds).await?;
        let view = client.update(&anchor, wanted).await?;
        Ok(Seen { view, because: anchor.because })
    }
}

/// What a person says of a server.
pub(super) struct Reach<'a> {
    pub(super) server: Option<&'a str>,
    pub(super) network: &'a crate::args::Network,
}

/// The server of a request.
///
/// # Errors
/// [`Error::Net`].
pub(super) fn server(fetch: &crate::args::Fetch) -> Result<Server, Error> {
    Ok(Server::new(Arc::new(Net::new(&fetch.network)?), &fetch.server)?)
}

/// How the request of a repository is fetched onto media.
pub(super) fn fetching(gun: &Name, reach: Reach<'_>, out: &Path) -> crate::args::Fetch {
    let environment = Environment::read();
    let server = server_of(gun, reach.server, &environment);
    let mut network = reach.network.clone();
    fill_in(&mut network, &server, &environment);
    crate::args::Fetch {
        names: Vec::new(),
        list: None,
        dialect: crate::args::DialectName::Notary,
        server,
        out: out.to_owned(),
        second: false,
        targets_key: Vec::new(),
        snapshot_key: Vec::new(),
        timestamp_key: Vec::new(),
        going_on: crate::args::GoingOn::default(),
        network,
    }
}

/// As docker chooses it: what the person says, Docker's own for Docker Hub, else the host of the registry.
fn server_of(gun: &Name, said: Option<&str>, environment: &Environment) -> String {
    let said = said.or_else(|| environment.server());
    let host = gun.as_str().split('/').next().unwrap_or_default();
    match (said, host) {
        (Some(url), _) => url.to_owned(),
        (None, "docker.io") => "https://notary.docker.io".to_owned(),
        (None, host) => format!("https://{host}"),
    }
}

/// Docker's own place for the files of TLS, `tls/HOST:PORT` in its configuration, where the command line names none.
fn fill_in(network: &mut crate::args::Network, url: &str, environment: &Environment) {
    let Ok(url) = net::url(url) else { return };
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let folder = environment.docker_config().join("tls").join(host);
    let there = |name: &str| Some(folder.join(name)).filter(|path: &PathBuf| Path::exists(path));
    if network.ca.is_none() {
        network.ca = there("ca.crt");
    }
    if let (None, Some(certificate), Some(key)) =
        (&network.tls_cert, there("client.cert"), there("client.key"))
    {
        (network.tls_cert, network.tls_key) = (Some(certificate), Some(key));
    }
}

/// How many answers may each take all their time.
const ANSWERS: u64 = 4;
