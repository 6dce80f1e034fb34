//! A client of Notary v1: from what it trusted before to what the server says now (TUF 5.3 to 5.6).
//!
//! Annex: the network through the server's API, and the cache. Roots are judged by the walk of the strictest reader,
//! signatures by the one counter; here stands what goes with what.

pub(super) mod anchor;
mod authority;
pub(super) mod cache;
pub(super) mod pins;
pub(super) mod view;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use officiant::name::Name;
use officiant::request::Role;
use officiant::root::online::{Named, Signed};
use officiant::root::profile::STRICTEST_NOTARY;
use officiant::root::targets::{ListRole, Targets};
use officiant::root::threshold::Electorate;
use officiant::root::walk::{Chain, Reason, Stop, Walker};
use officiant::root::{Dialect, SignedRoot, Version};

use self::anchor::{Anchor, Because};
use self::cache::Cache;
use self::view::{Broken, List, View};
use super::Error;
use crate::net;
use crate::notary::{self, Server};

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
    /// All of them, and the repository's own and the snapshot though they have expired: for who renews them.
    Expired,
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
        // What nothing but its own showing speaks for is remembered with all the rest, or not at all.
        if anchor.because != Because::FirstUse {
            self.keep_root(&root)?;
        }
        let bytes = timestamp?.ok_or_else(|| self.unsound("timestamp", MISSING))?;
        let timestamp = Signed::read(root.root(), Role::Timestamp, &bytes, self.now)
            .map_err(|why| self.unsound("timestamp", why))?;
        self.not_older(&root, Role::Timestamp, (&timestamp, &bytes))?;
        let named = Named::by(&timestamp, Role::Snapshot);
        let snapshot_bytes = self.named("snapshot", named, MOST_SNAPSHOT).await?;
        let snapshot =
            Signed::read(root.root(), Role::Snapshot, &snapshot_bytes, self.clock(wanted))
                .map_err(|why| self.unsound("snapshot", why))?;
        self.not_older(&root, Role::Snapshot, (&snapshot, &snapshot_bytes))?;
        if !Named::by(&snapshot, Role::Root).is_some_and(|named| named.is(root.bytes())) {
            return Err(self.unsound("root", OTHER));
        }
        let (lists, broken, files) = self.lists(&root, &snapshot, wanted).await?;
        // Another run may have gone further while the server kept this one waiting.
        self.not_older(&root, Role::Timestamp, (&timestamp, &bytes))?;
        self.keep_root(&root)?;
        let mut all = vec![("timestamp", &bytes[..]), ("snapshot", &snapshot_bytes)];
        all.extend(files.iter().map(|(role, bytes)| (role.as_str(), &bytes[..])));
        self.keep(&all)?;
        Ok(View { gun: self.gun.clone(), root, snapshot, timestamp, lists, broken })
    }

    /// The moment at which the repository's own list and its snapshot must not have expired.
    fn clock(&self, wanted: Wanted) -> Timestamp {
        if wanted == Wanted::Expired { Timestamp::MIN } else { self.now }
    }

    /// Walks from the anchor to the newest root, `next` being the one after it if there is one. No root is asked for
    /// before those on the way to it hold.
    async fn newest(
        &self,
        anchor: &Anchor,
        mut next: Option<Vec<u8>>,
    ) -> Result<SignedRoot, Error> {
        let start = anchor.root.version();
        let (mut held, mut bytes) = (anchor.root.clone(), 0);
        self.passes(&held, anchor)?;
        while let Some(file) = next {
            let version = held.version().next();
            bytes += file.len();
            let steps = version.get() - start.get();
            if bytes > MOST_ROOTS || steps > STRICTEST_NOTARY.most_steps {
                return Err(Error::Long { gun: self.gun.clone(), steps });
            }
            let root = SignedRoot::parse(Dialect::Notary, &file);
            let root = root.map_err(|_| self.unsound("root", "is no root"))?;
            match self.walk(&held, [held.clone(), root.clone()], version) {
                // On the way a root may have expired, and may be written otherwise.
                Ok(()) | Err(Stop { reason: Reason::Bytes | Reason::Expired { .. }, .. }) => {}
                Err(stop) => return Err(self.stopped(stop)),
            }
            self.passes(&root, anchor)?;
            next = self.server.root(self.gun, version.next()).await?;
            held = root;
        }
        let version = held.version();
        self.walk(&held, [held.clone()], version).map_err(|stop| self.stopped(stop))?;
        Ok(held)
    }

    /// Walks over roots that are served as versions up to `newest`, from the one held.
    fn walk<const N: usize>(
        &self,
        held: &SignedRoot,
        roots: [SignedRoot; N],
        newest: Version,
    ) -> Result<(), Stop> {
        let versions = [held.version(), newest];
        let chain = Chain::published(versions.into_iter().zip(roots));
        let (profile, repository) = (&STRICTEST_NOTARY, self.gun.as_str());
        Walker { profile, repository, at: self.now }.walk(&chain, Some(held.version()))
    }

    fn stopped(&self, stop: Stop) -> Error {
        Error::Walk { gun: self.gun.clone(), stop: Box::new(stop) }
    }

    /// Refuses a root that stands where the cache has another.
    fn passes(&self, root: &SignedRoot, anchor: &Anchor) -> Result<(), Error> {
        match &anchor.through {
            Some(through)
                if through.version() == root.version() && through.bytes() != root.bytes() =>
            {
                let (gun, version) = (self.gun.clone(), through.version());
                Err(Error::Fork { gun, version, whose: anchor.because.word() })
            }
            _ => Ok(()),
        }
    }

    /// Remembers a root that holds, and refuses one when a newer one is remembered: from before, or by another run
    /// meanwhile.
    fn keep_root(&self, root: &SignedRoot) -> Result<(), Error> {
        let cached = self.cache.read("root")?;
        if cached.as_deref() == Some(root.bytes()) {
            return Ok(());
        }
        let cached = cached.and_then(|bytes| SignedRoot::parse(Dialect::Notary, &bytes).ok());
        match cached {
            Some(cached) if cached.version() > root.version() => {
                Err(self.older("root", &cached, root.version()))
            }
            _ => self.keep(&[("root", root.bytes())]),
        }
    }

    fn older(&self, role: &str, had: &SignedRoot, found: Version) -> Error {
        let (had, found) = (had.version().get() as i64, found.get() as i64);
        Error::Older { gun: self.gun.clone(), role: role.to_owned(), had, found }
    }

    fn not_older(
        &self,
        root: &SignedRoot,
        role: Role,
        file: (&Signed, &[u8]),
    ) -> Result<(), Error> {
        self.at_least_cached(role.name(), file, |before| before.is_signed_for(root.root(), role))
    }

    /// Refuses a file that is older than the one of its role that was seen before. What keys of now did not sign was
    /// seen under others, and says nothing; its signatures are looked at only where it would refuse.
    fn at_least_cached(
        &self,
        role: &str,
        (file, bytes): (&Signed, &[u8]),
        counts: impl Fn(&Signed) -> bool,
    ) -> Result<(), Error> {
        // What is there byte for byte is read once.
        let before = self.cache.read(role)?.filter(|before| before != bytes);
        let before = before.and_then(|bytes| Signed::parse(Dialect::Notary, &bytes));
        match self.at_least(role, before.as_ref(), file) {
            Err(_) if before.is_some_and(|before| !counts(&before)) => {
                self.at_least(role, None, file)
            }
            result => result,
        }
    }

    fn at_least(&self, role: &str, before: Option<&Signed>, file: &Signed) -> Result<(), Error> {
        let found = file.version().ok_or_else(|| self.unsound(role, "has no version"))?;
        let (gun, role) = (self.gun.clone(), role.to_owned());
        match before.and_then(|before| Some((before.version()?, before))) {
            Some((had, _)) if found < had => Err(Error::Older { gun, role, had, found }),
            Some((had, before)) if found == had && before.value != file.value => {
                Err(Error::Twice { gun, role, version: had })
            }
            _ => Ok(()),
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
        let (mut next, mut asked, mut left) = (vec![ListRole::top()], BTreeSet::new(), MOST_LIST);
        while let Some(role) = next.pop() {
            if !asked.insert(role.clone()) {
                continue;
            }
            let parent = role.parent().and_then(|parent| lists.get(&parent));
            let electorate = match parent.and_then(|p| Some((p, p.targets.delegation(&role)?))) {
                Some((parent, delegation)) => parent.targets.electorate(delegation),
                None => Electorate::of(root.root(), Role::Targets),
            };
            let named = Named::by_name(snapshot, role.as_str());
            // A delegation that has no list yet.
            if named.is_none() && !role.is_top() {
                self.not_gone(&electorate, &role)?;
                continue;
            }
            if asked.len() > MOST_LISTS {
                return Err(self.unsound(role.as_str(), "is more than one repository may have"));
            }
            let bytes = self.named(role.as_str(), named, left).await?;
            left -= bytes.len();
            let at = if role.is_top() { self.clock(wanted) } else { self.now };
            match self.list(&electorate, role.as_str(), &bytes, at) {
                Ok(list) => {
                    for delegation in list.targets.delegations.iter().rev() {
                        let is_below = delegation.role.parent().as_ref() == Some(&role);
                        let is_read = wanted != Wanted::Tags
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
                    let list = self.passed_over(&electorate, &role, &bytes)?;
                    broken.insert(role, Broken { why, list });
                }
                Err(error) => return Err(error),
            }
        }
        Ok((lists, broken, files))
    }

    fn list(
        &self,
        electorate: &Electorate<'_>,
        role: &str,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<List, Error> {
        let signed = Signed::read_by(electorate, Role::Targets, bytes, at)
            .map_err(|why| self.unsound(role, why))?;
        self.at_least_cached(role, (&signed, bytes), |before| {
            before.is_signed_by(Dialect::Notary, electorate)
        })?;
        let targets = Targets::read(&signed);
        let targets = targets.ok_or_else(|| self.unsound(role, "is no list of targets"))?;
        Ok(List { signed, targets })
    }

    /// A list that clients pass over: its keys may sign it again, unless they had signed a newer one.
    fn passed_over(
        &self,
        electorate: &Electorate<'_>,
        role: &ListRole,
        bytes: &[u8],
    ) -> Result<Option<List>, Error> {
        let read = |signed: Signed| Some(List { targets: Targets::read(&signed)?, signed });
        let list = Signed::parse(Dialect::Notary, bytes).and_then(read);
        if let Some(list) = &list
            && list.signed.is_signed_by(Dialect::Notary, electorate)
        {
            self.at_least(
                role.as_str(),
                self.seen(electorate, role.as_str())?.as_ref(),
                &list.signed,
            )?;
        }
        Ok(list)
    }

    /// The list of a role that was seen before, if those who sign it now signed it.
    fn seen(&self, electorate: &Electorate<'_>, role: &str) -> Result<Option<Signed>, Error> {
        let before = self.cache.read(role)?;
        let before = before.and_then(|bytes| Signed::parse(Dialect::Notary, &bytes));
        Ok(before.filter(|before| before.is_signed_by(Dialect::Notary, electorate)))
    }

    /// Refuses that a list is no more, while the role and its keys are: what it said would be said by another.
    fn not_gone(&self, electorate: &Electorate<'_>, role: &ListRole) -> Result<(), Error> {
        match self.seen(electorate, role.as_str())?.and_then(|seen| seen.version()) {
            Some(had) => Err(Error::Gone { gun: self.gun.clone(), role: role.clone(), had }),
            None => Ok(()),
        }
    }

    /// The file that was named, of at most so many bytes; from the cache if it is there.
    async fn named(&self, role: &str, named: Option<Named>, most: usize) -> Result<Vec<u8>, Error> {
        let named = named.ok_or_else(|| self.unsound(role, UNNAMED))?;
        let length = named.length().filter(|length| *length <= most);
        let length = length.ok_or_else(|| self.unsound(role, "is said to be larger than any"))?;
        if let Some(cached) = self.cache.read(role)?.filter(|bytes| named.is(bytes)) {
            return Ok(cached);
        }
        let file = format!("{role}.{}.json", named.sha256);
        let found = match self.server.bounded(self.gun, &file, length).await {
            Ok(bytes) => bytes.filter(|bytes| named.is(bytes)),
            Err(notary::Error::Net(net::Error::Large { .. })) => None,
            Err(error) => return Err(error.into()),
        };
        found.ok_or_else(|| self.unsound(role, OTHER))
    }

    /// Remembers files that were verified, where they are not there already.
    fn keep(&self, files: &[(&str, &[u8])]) -> Result<(), Error> {
        let mut new = Vec::new();
        for (role, bytes) in files {
            if self.cache.read(role)?.as_deref() != Some(bytes) {
                new.push((*role, *bytes));
            }
        }
        match new.is_empty() {
            true => Ok(()),
            // The disk takes its time; other repositories go on meanwhile.
            false => Ok(tokio::task::block_in_place(|| self.cache.write(&new))?),
        }
    }

    pub(crate) fn unsound(&self, role: &str, why: &'static str) -> Error {
        Error::Unsound { gun: self.gun.clone(), role: role.to_owned(), why }
    }
}

type Lists = (BTreeMap<ListRole, List>, BTreeMap<ListRole, Broken>, Vec<(ListRole, Vec<u8>)>);

/// What Notary's own clients take.
const MOST_TIMESTAMP: usize = 1 << 20;
/// Ten times what names as many lists as a repository may have.
const MOST_SNAPSHOT: usize = 1 << 20;
/// All lists together.
const MOST_LIST: usize = 64 << 20;
/// More than any repository has, and what one answer may lead us to fetch.
const MOST_LISTS: usize = 256;
/// All roots on the way together.
const MOST_ROOTS: usize = 32 << 20;

const MISSING: &str = "is missing";
const OTHER: &str = "is not the one that is named by what was signed over it";
const UNNAMED: &str = "is not named by what is signed over it";
