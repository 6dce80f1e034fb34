//! `courier fetch`: the roots as they are and the keys that the online side offers, onto media.
//!
//! Annex. Nothing is judged here: what is fetched is checked in the room, against the plan.

mod error;
pub(crate) mod names;
mod source;
mod spool;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use officiant::digest::Digest;
use officiant::key::PublicKey;
use officiant::list::{self, Last, List, Pins};
use officiant::name::{Name, look_alikes};
use officiant::request::{Line, PAGE, Page, REPOSITORIES, Repository, Role};
use officiant::room::media::{self, Content, Kind};
use officiant::root::{Dialect, SignedRoot};
use officiant::sums;
use serde_json::Value;

use super::fleet::{self, Pace};
use super::report::{Output, words};
use super::{args, files};
pub(crate) use error::{Error, Failure};
pub(crate) use names::Own;
use spool::Spool;

/// Does it, and says what stands on media now.
///
/// # Errors
/// [`Failure`]; media is untouched unless the error is one of writing.
pub(crate) async fn run(args: &args::Fetch, is_json: bool) -> Result<Output, Failure> {
    of(args, names::all(args)?, is_json).await
}

/// The same of these repositories, each with keys of its own.
///
/// # Errors
/// As [`run`].
pub(crate) async fn of(
    args: &args::Fetch,
    names: BTreeMap<Name, Own>,
    is_json: bool,
) -> Result<Output, Failure> {
    files::check_ready(&args.out, Kind::In, folder(args)).map_err(Error::from)?;
    // Everything in the request was asked for, or confirmed, at this moment or after it.
    let fetched = now()?;
    let source = Arc::new(source::Source::new(args, names.len())?);
    let (dialect, server) = (source.dialect(), args.server.clone());
    let page = Page { dialect, fetched, server, repositories: names.len() };
    page.check().map_err(Error::from)?;
    let spool = Arc::new(Spool::open(args, dialect)?);
    if spool.is_new() {
        // An earlier run that was killed has perhaps written its draft, and not the request.
        check_draft(args)?;
    }
    let pace = Pace { what: "fetched", jobs: args.network.jobs, weight: fleet::one };
    let all: Vec<Name> = names.keys().cloned().collect();
    let work = |name: Name, own| {
        let (source, spool) = (Arc::clone(&source), Arc::clone(&spool));
        async move { one(&name, own, &source, &spool).await }
    };
    let failed = fleet::each(pace, names, || Error::Task, work, |_, ()| Ok(())).await;
    if !failed.is_nothing() {
        return Err(Failure::Some { failed, kept: spool.count() });
    }
    let spool = Arc::into_inner(spool).ok_or(Error::Task)?;
    Ok(write(args, &page, spool, is_json)?.output(&all))
}

/// One repository, as an earlier run has it if the server confirms that, or else anew.
async fn one(name: &Name, own: Own, source: &source::Source, spool: &Spool) -> Result<(), Error> {
    if let Some((place, repository)) = spool.before(name)
        && source.is_still(name, &own, &repository).await?
    {
        spool.take(name, place);
        return Ok(());
    }
    let repository = source.repository(name, own).await?;
    spool.keep(&Line::of(name, &repository)?)
}

/// Sees that the media is ready, before anybody is asked for anything.
///
/// # Errors
/// [`Error::Media`].
pub(crate) fn check(args: &args::Fetch) -> Result<(), Failure> {
    files::check_ready(&args.out, Kind::In, folder(args)).map_err(Error::from)?;
    Ok(check_draft(args)?)
}

fn check_draft(args: &args::Fetch) -> Result<(), Error> {
    match args.second {
        true => Ok(()),
        false => Ok(files::check_ready(&args.out, Kind::In, DRAFT)?),
    }
}

const fn folder(args: &args::Fetch) -> &'static str {
    if args.second { "request-2" } else { "request" }
}

/// Writes the draft and then the request, so that where a request is, its draft is too.
fn write(args: &args::Fetch, page: &Page, spool: Spool, is_json: bool) -> Result<Fetched, Error> {
    let mut fetched = Fetched {
        digest: Digest::of(b""),
        folder: args.out.join(folder(args)),
        draft: (!args.second).then(|| args.out.join(DRAFT)),
        new: 0,
        list: String::new(),
        repositories: is_json.then(Vec::new),
    };
    let lines = spool.each(|name, repository| fetched.take(name, repository, page.dialect))?;
    let bytes = page.to_bytes();
    let sums = Page::sums(&bytes, lines).map_err(officiant::request::Error::from)?;
    fetched.digest = sums.digest();
    files::mark(&args.out, Kind::In)?;
    if let Some(draft) = &fetched.draft {
        media::write_new(draft, format!("{HEAD}{}", fetched.list).as_bytes())?;
    }
    let sums = sums.to_text().into_bytes();
    let files: [(&str, &(dyn Content + Sync)); 3] =
        [(PAGE, &bytes), (REPOSITORIES, &spool), (sums::FILE, &sums)];
    let files = files.map(|(path, content)| (path.to_owned(), content));
    media::write_tree(&args.out, folder(args), &BTreeMap::from(files))?;
    spool.done();
    Ok(fetched)
}

/// What was fetched.
struct Fetched {
    digest: Digest,
    folder: PathBuf,
    draft: Option<PathBuf>,
    /// How many are new to the server.
    new: usize,
    /// The draft's lines.
    list: String,
    /// Each for machines, where they asked.
    repositories: Option<Vec<Value>>,
}

impl Fetched {
    fn take(&mut self, name: &Name, repository: &Repository, dialect: Dialect) {
        self.new += usize::from(repository.roots.is_empty());
        let line = BTreeMap::from([(name.clone(), entry(repository, dialect))]);
        self.list += &List(line).to_string();
        if let Some(repositories) = &mut self.repositories {
            repositories.push(one_for_machines(name, repository));
        }
    }

    /// What is said of it.
    fn output(self, all: &[Name]) -> Output {
        Output { text: self.text(all), json: self.json() }
    }

    /// For people: the digest as hex and words, and where things are.
    fn text(&self, all: &[Name]) -> String {
        let repositories = if all.len() == 1 { "repository" } else { "repositories" };
        let mut text = format!("request   {}\n", self.digest.grouped());
        text += &words("words     ", &self.digest);
        text += &format!(
            "holds     {} {repositories}, {} of them new to the server\n",
            all.len(),
            self.new
        );
        text += &format!("written   {}\n", self.folder.display());
        if let Some(draft) = &self.draft {
            text += &format!("draft     {}: compare each pin with its owner\n", draft.display());
        }
        let alike = look_alikes(all);
        for (a, b) in alike.iter().take(MOST_ALIKE) {
            text += &format!("alike     `{a}` and `{b}` are one character apart\n");
        }
        if let Some(more @ 1..) = alike.len().checked_sub(MOST_ALIKE) {
            text += &format!("alike     {more} more pairs, which the room shows\n");
        }
        text
    }

    /// For machines.
    fn json(self) -> Value {
        serde_json::json!({
            "request": self.digest,
            "words": self.digest.words(),
            "folder": self.folder,
            "draft": self.draft,
            "list": self.list,
            "repositories": self.repositories,
        })
    }
}

fn one_for_machines(name: &Name, repository: &Repository) -> Value {
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

fn pins(repository: &Repository, last: Option<&SignedRoot>) -> Pins {
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

/// The most pairs of names that are shown.
const MOST_ALIKE: usize = 20;

const DRAFT: &str = "repositories.txt";

const HEAD: &str = "\
# Draft by courier fetch. Before it goes into a plan, compare each pin with what the owner of the key says
# by a way that did not pass this machine.
# NAME VERSION SHA256 [ROLE=SHA256 of a key that is new in the role]
";
