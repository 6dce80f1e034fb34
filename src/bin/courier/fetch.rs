//! `courier fetch`: the roots as they are and the keys that the online side offers, onto media.
//!
//! Annex. Nothing is judged here: what is fetched is checked in the room, against the plan.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use officiant::digest::Digest;
use officiant::key::PublicKey;
use officiant::list::{self, Last, List};
use officiant::name::{self, Name, look_alikes};
use officiant::request::{self, Repository, Request, Role};
use officiant::room::media::{self, Kind};
use officiant::root::{Dialect, SignedRoot};
use officiant::sums;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::args;
use super::mouth::Progress;
use super::net::{self, Net};
use super::report::words;
use super::{files, keys, notary, tuf};

/// Does it, and says what stands on media now.
///
/// # Errors
/// [`Error`]; media is untouched unless the error is one of writing.
pub(crate) async fn run(args: &args::Fetch) -> Result<Fetched, Error> {
    let folder = if args.second { "request-2" } else { "request" };
    files::check_ready(&args.out, Kind::In, folder)?;
    if !args.second {
        files::check_ready(&args.out, Kind::In, DRAFT)?;
    }
    let names = names(args)?;
    let (dialect, source) = source(args, names.len())?;
    let repositories = gather(Arc::new(source), names, args.network.jobs).await?;
    let request = Request { dialect, fetched: now()?, server: args.server.clone(), repositories };
    let files = request.files()?;
    let digest = Digest::of(files.get(sums::FILE).map_or(&[][..], Vec::as_slice));
    files::mark(&args.out, Kind::In)?;
    media::write_tree(&args.out, folder, &files)?;
    let list =
        List(request.repositories.iter().map(|(n, r)| (n.clone(), entry(r, dialect))).collect());
    let draft = (!args.second).then(|| args.out.join(DRAFT));
    if let Some(draft) = &draft {
        media::write_new(draft, format!("{HEAD}{list}").as_bytes())?;
    }
    Ok(Fetched { digest, folder: args.out.join(folder), draft, request, list })
}

/// What was fetched.
pub(crate) struct Fetched {
    digest: Digest,
    folder: PathBuf,
    draft: Option<PathBuf>,
    request: Request,
    list: List,
}

impl Fetched {
    /// For people: the digest as hex and words, and where things are.
    pub(crate) fn text(&self) -> String {
        let all = self.request.repositories.len();
        let new = self.request.repositories.values().filter(|r| r.roots.is_empty()).count();
        let repositories = if all == 1 { "repository" } else { "repositories" };
        let mut text = format!("request   {}\n", self.digest.grouped());
        text += &words("words     ", &self.digest);
        text += &format!("holds     {all} {repositories}, {new} of them new to the server\n");
        text += &format!("written   {}\n", self.folder.display());
        if let Some(draft) = &self.draft {
            text += &format!("draft     {}: compare each pin with its owner\n", draft.display());
        }
        for (a, b) in look_alikes(self.request.repositories.keys()) {
            text += &format!("alike     `{a}` and `{b}` are one character apart\n");
        }
        text
    }

    /// For machines.
    pub(crate) fn json(&self) -> serde_json::Value {
        let repositories: Vec<_> =
            self.request.repositories.iter().map(Fetched::repository).collect();
        serde_json::json!({
            "request": self.digest,
            "words": self.digest.words(),
            "folder": self.folder,
            "draft": self.draft,
            "list": self.list.to_string(),
            "repositories": repositories,
        })
    }

    fn repository((name, repository): (&Name, &Repository)) -> impl Serialize {
        let offered: BTreeMap<&str, Vec<Digest>> = repository
            .keys
            .iter()
            .map(|(role, keys)| (role.name(), keys.iter().map(PublicKey::id).collect()))
            .collect();
        serde_json::json!({
            "name": name,
            "latest": repository.latest(),
            "root": repository.roots.last().map(|root| Digest::of(root)),
            "offered": offered,
        })
    }
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The machine's clock shows no time that can be written.
    #[error("the clock of this machine shows no time from 1970 on")]
    Clock,
    /// A key file.
    #[error(transparent)]
    Key(#[from] keys::Error),
    /// The list names nothing, or is no text.
    #[error("`{}` is missing or no list of names", file.display())]
    List {
        /// The file.
        file: PathBuf,
    },
    /// Media.
    #[error(transparent)]
    Media(#[from] media::Error),
    /// A name.
    #[error(transparent)]
    Name(#[from] name::Error),
    /// The network.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// A Notary server.
    #[error(transparent)]
    Notary(#[from] notary::Error),
    /// One place for several TUF repositories, or a key that only such may have.
    #[error("`{option}` does not fit: {why}")]
    Option {
        /// The option.
        option: &'static str,
        /// Why.
        why: &'static str,
    },
    /// What was fetched is no request.
    #[error(transparent)]
    Request(#[from] request::Error),
    /// A task of ours ended early.
    #[error("a task of courier ended early")]
    Task,
    /// A TUF repository.
    #[error(transparent)]
    Tuf(#[from] tuf::Error),
    /// A name twice.
    #[error("repository `{name}` is named twice")]
    Twice {
        /// The name.
        name: Name,
    },
}

/// Where the repositories come from, with the keys that the command line offers.
struct Source {
    place: Place,
    offered: BTreeMap<Role, Vec<PublicKey>>,
}

enum Place {
    Notary(notary::Server),
    Tuf(tuf::Source),
}

impl Source {
    async fn repository(&self, name: &Name) -> Result<Repository, Error> {
        let mut keys = self.offered.clone();
        let roots = match &self.place {
            Place::Tuf(source) => source.roots(name).await?,
            Place::Notary(server) => {
                let roots = server.roots(name).await?;
                for role in [Role::Snapshot, Role::Timestamp] {
                    if let Entry::Vacant(own) = keys.entry(role) {
                        own.insert(vec![server.key(name, role).await?]);
                    }
                }
                roots
            }
        };
        Ok(Repository { roots, keys })
    }
}

fn source(args: &args::Fetch, count: usize) -> Result<(Dialect, Source), Error> {
    let timeout = std::time::Duration::from_secs(args.network.timeout);
    let net = Arc::new(Net::new(args.network.ca.as_deref(), timeout)?);
    let offered = offered(args)?;
    match args.dialect {
        args::DialectName::Notary => {
            if offered.contains_key(&Role::Timestamp) {
                let why = "a Notary server makes the timestamp key itself";
                return Err(Error::Option { option: "--timestamp-key", why });
            }
            let place = Place::Notary(notary::Server::new(net, &args.server)?);
            Ok((Dialect::Notary, Source { place, offered }))
        }
        args::DialectName::Tuf => {
            if count > 1 && !args.server.contains("{name}") {
                let why = "several repositories need a `{name}` in it";
                return Err(Error::Option { option: "--server", why });
            }
            let place = Place::Tuf(tuf::Source::new(net, &args.server));
            Ok((Dialect::Tuf, Source { place, offered }))
        }
    }
}

fn offered(args: &args::Fetch) -> Result<BTreeMap<Role, Vec<PublicKey>>, Error> {
    let mut offered = BTreeMap::new();
    for (role, files) in [
        (Role::Targets, &args.targets_key),
        (Role::Snapshot, &args.snapshot_key),
        (Role::Timestamp, &args.timestamp_key),
    ] {
        let keys = files.iter().map(|file| keys::public(file)).collect::<Result<Vec<_>, _>>()?;
        if !keys.is_empty() {
            offered.insert(role, keys);
        }
    }
    Ok(offered)
}

fn names(args: &args::Fetch) -> Result<BTreeSet<Name>, Error> {
    let listed = args.list.as_deref().map(listed).transpose()?.unwrap_or_default();
    let mut names = BTreeSet::new();
    for text in args.names.iter().chain(&listed) {
        let name: Name = text.parse()?;
        if !names.insert(name.clone()) {
            return Err(Error::Twice { name });
        }
    }
    Ok(names)
}

fn listed(file: &Path) -> Result<Vec<String>, Error> {
    let bad = || Error::List { file: file.to_owned() };
    let bytes = files::read(file, request::MAX_PAGE)?.ok_or_else(bad)?;
    let text = String::from_utf8(bytes).map_err(|_| bad())?;
    let first = |line: &str| line.split_whitespace().next().map(str::to_owned);
    let names: Vec<_> =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(first).collect();
    if names.is_empty() { Err(bad()) } else { Ok(names) }
}

async fn gather(
    source: Arc<Source>,
    names: BTreeSet<Name>,
    jobs: u8,
) -> Result<BTreeMap<Name, Repository>, Error> {
    let permits = Arc::new(Semaphore::new(usize::from(jobs)));
    let mut progress = Progress::new("fetched", names.len());
    let mut tasks = JoinSet::new();
    for name in names {
        let (source, permits) = (Arc::clone(&source), Arc::clone(&permits));
        tasks.spawn(async move {
            let _permit = permits.acquire_owned().await.map_err(|_| Error::Task)?;
            Ok::<_, Error>((source.repository(&name).await?, name))
        });
    }
    let mut repositories = BTreeMap::new();
    // The first refusal ends the rest: the tasks go with their set.
    while let Some(done) = tasks.join_next().await {
        let (repository, name) = done.map_err(|_| Error::Task)??;
        repositories.insert(name, repository);
        progress.step();
    }
    Ok(repositories)
}

/// What the draft says of a repository: its last root, and a pin for each key that would be new in a role.
fn entry(repository: &Repository, dialect: Dialect) -> list::Entry {
    let Some(last) = repository.roots.last() else {
        return list::Entry { last: Last::None, pins: pins(repository, None) };
    };
    let root = SignedRoot::parse(dialect, last).ok();
    let sha256 = Digest::of(last);
    let last = Last::Root { version: repository.latest(), sha256 };
    list::Entry { last, pins: pins(repository, root.as_ref()) }
}

fn pins(repository: &Repository, last: Option<&SignedRoot>) -> BTreeSet<(Role, Digest)> {
    let is_new = |role: Role, key: &PublicKey| match last {
        Some(last) => last.root().role_keys(role).all(|(_, known)| known.public() != Some(key)),
        None => true,
    };
    let offered =
        repository.keys.iter().flat_map(|(role, keys)| keys.iter().map(|key| (*role, key)));
    offered.filter(|(role, key)| is_new(*role, key)).map(|(role, key)| (role, key.id())).collect()
}

fn now() -> Result<jiff::Timestamp, Error> {
    jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).map_err(|_| Error::Clock)
}

const DRAFT: &str = "repositories.txt";

const HEAD: &str = "\
# Draft by courier fetch. Before it goes into a plan, compare each pin with what the owner of the key says
# by a way that did not pass this machine.
# NAME VERSION SHA256 [ROLE=SHA256 of a key that is new in the role]
";
