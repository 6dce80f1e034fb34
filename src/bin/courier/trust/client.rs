//! A client of Notary v1: from what it trusted before to what the server says now (TUF 5.3 to 5.6).
//!
//! Annex: the network through the server's API, and the cache. Roots are judged by the walk of the strictest reader,
//! signatures by the one counter; here stands what goes with what.

use std::collections::BTreeMap;

use jiff::Timestamp;
use officiant::name::Name;
use officiant::request::Role;
use officiant::root::online::{Named, Signed};
use officiant::root::profile::STRICTEST_NOTARY;
use officiant::root::targets::{ListRole, Targets};
use officiant::root::threshold::Electorate;
use officiant::root::walk::{Chain, Walker};
use officiant::root::{Dialect, SignedRoot, Version};

use super::Error;
use super::anchor::Anchor;
use super::cache::Cache;
use super::view::{Broken, List, View};
use crate::notary::Server;

/// A client of one repository.
pub(crate) struct Client<'a> {
    pub(crate) gun: &'a Name,
    pub(crate) server: &'a Server,
    pub(crate) cache: &'a Cache,
    pub(crate) now: Timestamp,
}

/// Which lists are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of them.
    All,
    /// Those by which docker decides what a tag means.
    Tags,
}

impl Client<'_> {
    /// Goes from a trusted root to what is served now, and remembers what it verified.
    ///
    /// # Errors
    /// [`Error`]. A newer root that holds is remembered even then.
    pub(crate) async fn update(&self, anchor: &Anchor, wanted: Wanted) -> Result<View, Error> {
        match self.update_once(anchor, wanted).await {
            // Something may have been published between two of our questions.
            Err(Error::Unsound { .. }) => self.update_once(anchor, wanted).await,
            result => result,
        }
    }

    async fn update_once(&self, anchor: &Anchor, wanted: Wanted) -> Result<View, Error> {
        let next = anchor.root.version().next();
        let (next, timestamp) = tokio::join!(
            self.server.root(self.gun, next),
            self.server.bounded(self.gun, "timestamp.json", MOST_TIMESTAMP)
        );
        let root = self.newest(anchor, next?).await?;
        if root.bytes() != self.cache.read("root")?.unwrap_or_default() {
            self.cache.write("root", root.bytes())?;
        }
        let bytes = timestamp?.ok_or_else(|| self.unsound("timestamp", MISSING))?;
        let timestamp = Signed::read(root.root(), Role::Timestamp, &bytes, self.now)
            .map_err(|why| self.unsound("timestamp", why))?;
        self.not_older(&root, Role::Timestamp, &timestamp)?;
        let named = Named::by(&timestamp, Role::Snapshot);
        let snapshot_bytes = self.named("snapshot", named).await?;
        let snapshot = Signed::read(root.root(), Role::Snapshot, &snapshot_bytes, self.now)
            .map_err(|why| self.unsound("snapshot", why))?;
        self.not_older(&root, Role::Snapshot, &snapshot)?;
        if !Named::by(&snapshot, Role::Root).is_some_and(|named| named.is(root.bytes())) {
            return Err(self.unsound("root", OTHER));
        }
        let (lists, broken, files) = self.lists(&root, &snapshot, wanted).await?;
        self.keep("timestamp", &bytes)?;
        self.keep("snapshot", &snapshot_bytes)?;
        for (role, bytes) in files {
            self.keep(role.as_str(), &bytes)?;
        }
        Ok(View { gun: self.gun.clone(), root, snapshot, timestamp, lists, broken })
    }

    /// Walks from the anchor to the newest root, `next` being the one after it if there is one.
    async fn newest(
        &self,
        anchor: &Anchor,
        mut next: Option<Vec<u8>>,
    ) -> Result<SignedRoot, Error> {
        let start = anchor.root.version();
        let (mut roots, mut bytes, mut version) = (vec![anchor.root.clone()], 0, start);
        while let Some(file) = next {
            version = version.next();
            bytes += file.len();
            let steps = version.get() - start.get();
            if bytes > MOST_ROOTS || steps > STRICTEST_NOTARY.most_steps {
                return Err(Error::Long { gun: self.gun.clone(), steps });
            }
            let root = SignedRoot::parse(Dialect::Notary, &file);
            roots.push(root.map_err(|_| self.unsound("root", "is no root"))?);
            next = self.server.root(self.gun, version.next()).await?;
        }
        let newest = roots.last().unwrap_or(&anchor.root).clone();
        let named = (start.get()..).filter_map(Version::new).zip(roots);
        let chain = Chain::published(named);
        let (profile, repository) = (&STRICTEST_NOTARY, self.gun.as_str());
        let walker = Walker { profile, repository, at: self.now };
        let stopped = |stop| Error::Walk { gun: self.gun.clone(), stop: Box::new(stop) };
        walker.walk(&chain, Some(start)).map_err(stopped)?;
        self.passes(&chain, anchor)?;
        Ok(newest)
    }

    /// Refuses a chain that does not go through the root in the cache.
    fn passes(&self, chain: &Chain, anchor: &Anchor) -> Result<(), Error> {
        let Some(through) = &anchor.through else { return Ok(()) };
        let (gun, version) = (self.gun.clone(), through.version());
        match chain.files().get(&version) {
            Some(root) if root.bytes() == through.bytes() => Ok(()),
            Some(_) => Err(Error::Fork { gun, version, whose: anchor.because.word() }),
            None => {
                let found = chain.newest().map_or(0, |newest| newest.get() as i64);
                Err(Error::Older { gun, role: "root".to_owned(), had: version.get() as i64, found })
            }
        }
    }

    /// Refuses a file that is older than the one of its role that was seen before. What keys of now did not sign was
    /// seen under others, and says nothing.
    fn not_older(&self, root: &SignedRoot, role: Role, file: &Signed) -> Result<(), Error> {
        let before = self.cache.read(role.name())?;
        let before = before.and_then(|bytes| Signed::parse(Dialect::Notary, &bytes));
        let before = before.filter(|before| before.is_signed_for(root.root(), role));
        self.at_least(role.name(), before.as_ref(), file)
    }

    fn at_least(&self, role: &str, before: Option<&Signed>, file: &Signed) -> Result<(), Error> {
        let (had, found) = (before.and_then(Signed::version), file.version());
        match (had, found) {
            (Some(had), Some(found)) if found < had => {
                Err(Error::Older { gun: self.gun.clone(), role: role.to_owned(), had, found })
            }
            (_, Some(_)) => Ok(()),
            (_, None) => Err(self.unsound(role, "has no version")),
        }
    }

    /// The lists that are wanted, from the repository's own downward.
    async fn lists(
        &self,
        root: &SignedRoot,
        snapshot: &Signed,
        wanted: Wanted,
    ) -> Result<Lists, Error> {
        let (mut lists, mut broken) = (BTreeMap::<ListRole, List>::new(), BTreeMap::new());
        let mut files: Vec<(ListRole, Vec<u8>)> = Vec::new();
        let mut next = vec![ListRole::top()];
        while let Some(role) = next.pop() {
            let named = Named::by_name(snapshot, role.as_str());
            // A delegation that has no list yet.
            if named.is_none() && !role.is_top() {
                continue;
            }
            let held: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
            if files.len() >= MOST_LISTS || held > MOST_LIST {
                return Err(self.unsound(role.as_str(), "is more than one repository may have"));
            }
            let parent = role.parent().and_then(|parent| lists.get(&parent));
            let electorate = match parent.and_then(|p| Some((p, p.targets.delegation(&role)?))) {
                Some((parent, delegation)) => parent.targets.electorate(delegation),
                None => Electorate::of(root.root(), Role::Targets),
            };
            let bytes = self.named(role.as_str(), named).await?;
            match self.list(&electorate, role.as_str(), &bytes) {
                Ok(list) => {
                    for delegation in list.targets.delegations.iter().rev() {
                        let is_below = delegation.role.parent().as_ref() == Some(&role);
                        let is_read = wanted == Wanted::All
                            || (role.is_top() && delegation.role == ListRole::releases());
                        if is_below && is_read {
                            next.push(delegation.role.clone());
                        }
                    }
                    lists.insert(role.clone(), list);
                    files.push((role, bytes));
                }
                // As clients do: what a delegation's keys did not sign, or signed too long ago, is passed over.
                Err(Error::Unsound { why, .. }) if !role.is_top() => {
                    let list = Signed::parse(Dialect::Notary, &bytes);
                    let list = list.and_then(|list| Targets::read(&list));
                    broken.insert(role, Broken { why, list });
                }
                Err(error) => return Err(error),
            }
        }
        Ok((lists, broken, files))
    }

    fn list(&self, electorate: &Electorate<'_>, role: &str, bytes: &[u8]) -> Result<List, Error> {
        let signed = Signed::read_by(electorate, Role::Targets, bytes, self.now)
            .map_err(|why| self.unsound(role, why))?;
        let before = self.cache.read(role)?;
        let before = before.and_then(|bytes| Signed::parse(Dialect::Notary, &bytes));
        let counts = |before: &Signed| {
            before.tally(Dialect::Notary, electorate).is_some_and(|tally| tally.is_met())
        };
        self.at_least(role, before.filter(counts).as_ref(), &signed)?;
        let targets = Targets::read(&signed);
        let targets = targets.ok_or_else(|| self.unsound(role, "is no list of targets"))?;
        Ok(List { signed, targets })
    }

    /// The file that was named, from the cache if it is there.
    async fn named(&self, role: &str, named: Option<Named>) -> Result<Vec<u8>, Error> {
        let named = named.ok_or_else(|| self.unsound(role, UNNAMED))?;
        if let Some(cached) = self.cache.read(role)?.filter(|bytes| named.is(bytes)) {
            return Ok(cached);
        }
        let most = named.length().filter(|length| *length <= MOST_LIST);
        let most = most.ok_or_else(|| self.unsound(role, "is said to be larger than any"))?;
        let file = format!("{role}.{}.json", named.sha256);
        let bytes = self.server.bounded(self.gun, &file, most).await?;
        let found = bytes.filter(|bytes| named.is(bytes));
        found.ok_or_else(|| self.unsound(role, OTHER))
    }

    /// Remembers a file that was verified, unless it is there already.
    fn keep(&self, role: &str, bytes: &[u8]) -> Result<(), Error> {
        match self.cache.read(role)? {
            Some(cached) if cached == bytes => Ok(()),
            _ => Ok(self.cache.write(role, bytes)?),
        }
    }

    pub(super) fn unsound(&self, role: &str, why: &'static str) -> Error {
        Error::Unsound { gun: self.gun.clone(), role: role.to_owned(), why }
    }
}

type Lists = (BTreeMap<ListRole, List>, BTreeMap<ListRole, Broken>, Vec<(ListRole, Vec<u8>)>);

/// What Notary's own clients take.
const MOST_TIMESTAMP: usize = 1 << 20;
const MOST_LIST: usize = 64 << 20;
/// More than any repository has, and what one answer may lead us to fetch.
const MOST_LISTS: usize = 256;
/// All roots on the way together.
const MOST_ROOTS: usize = 32 << 20;

const MISSING: &str = "is missing";
const OTHER: &str = "is not the one that is named by what was signed over it";
const UNNAMED: &str = "is not named by what is signed over it";
