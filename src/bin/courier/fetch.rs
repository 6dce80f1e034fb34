//! `courier fetch`: the roots as they are and the keys that the online side offers, onto media.
//!
//! Annex. Nothing is judged here: what is fetched is checked in the room, against the plan.

mod error;
pub(crate) mod names;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use officiant::digest::Digest;
use officiant::key::PublicKey;
use officiant::list::{self, Last, List};
use officiant::name::{Name, look_alikes};
use officiant::request::{Repository, Request, Role};
use officiant::room::media::{self, Kind};
use officiant::root::{Dialect, SignedRoot};
use officiant::sums;
use serde::Serialize;

use super::fleet::{self, ENOUGH, Pace};
use super::report::{Output, words};
use super::{args, files};
pub(crate) use error::{Error, Failure};
pub(crate) use names::Own;

/// Does it, and says what stands on media now.
///
/// # Errors
/// [`Failure`]; media is untouched unless the error is one of writing.
pub(crate) async fn run(args: &args::Fetch) -> Result<Fetched, Failure> {
    of(args, names::all(args)?).await
}

/// The same of these repositories, each with keys of its own.
///
/// # Errors
/// As [`run`].
pub(crate) async fn of(args: &args::Fetch, names: BTreeMap<Name, Own>) -> Result<Fetched, Failure> {
    check(args)?;
    let folder = folder(args);
    let source = Arc::new(source::Source::new(args, names.len())?);
    let dialect = source.dialect();
    let pace = Pace { what: "fetched", jobs: args.network.jobs, failures: ENOUGH };
    let work = |name: Name, own| {
        let source = Arc::clone(&source);
        async move { source.repository(&name, own).await }
    };
    let repositories = fleet::each(pace, names, || Error::Task, work).await.whole()?;
    let request = Request { dialect, fetched: now()?, server: args.server.clone(), repositories };
    Ok(write(args, folder, request)?)
}

/// Sees that the media is ready, before anybody is asked for anything.
///
/// # Errors
/// [`Error::Media`].
pub(crate) fn check(args: &args::Fetch) -> Result<(), Failure> {
    files::check_ready(&args.out, Kind::In, folder(args)).map_err(Error::from)?;
    if !args.second {
        files::check_ready(&args.out, Kind::In, DRAFT).map_err(Error::from)?;
    }
    Ok(())
}

const fn folder(args: &args::Fetch) -> &'static str {
    if args.second { "request-2" } else { "request" }
}

/// Writes the draft and then the request, so that where a request is, its draft is too.
fn write(args: &args::Fetch, folder: &str, request: Request) -> Result<Fetched, Error> {
    let files = request.files()?;
    let digest = Digest::of(files.get(sums::FILE).map_or(&[][..], Vec::as_slice));
    let repositories = request.repositories.iter();
    let list = List(repositories.map(|(n, r)| (n.clone(), entry(r, request.dialect))).collect());
    files::mark(&args.out, Kind::In)?;
    let draft = (!args.second).then(|| args.out.join(DRAFT));
    if let Some(draft) = &draft {
        media::write_new(draft, format!("{HEAD}{list}").as_bytes())?;
    }
    media::write_tree(&args.out, folder, &files)?;
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
    /// What is said of it.
    pub(crate) fn output(&self) -> Output {
        Output { text: self.text(), json: self.json() }
    }

    /// For people: the digest as hex and words, and where things are.
    fn text(&self) -> String {
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
    fn json(&self) -> serde_json::Value {
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
