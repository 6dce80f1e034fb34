//! Publishing a TUF repository's roots to a folder or an object store: `N.root.json` first, never changed
//! afterwards, then `root.json` where one is kept.
//!
//! Annex: the store.

use jiff::Timestamp;
use officiant::digest::Digest;
use officiant::name::Name;
use officiant::request::MAX_ROOT;
use officiant::root::{Dialect, Role, SignedRoot};

use super::store::{Created, Found, Replaced, Store, Stores};
use super::{Done, Error, judge, online};
use crate::tuf::at;

/// Where repositories are published.
pub(super) struct Publisher {
    /// A folder or a URL; `{name}` stands for the repository's name.
    pub(super) place: String,
    pub(super) stores: Stores,
}

/// What is written for one repository. Its roots stay where they are.
pub(super) struct Plan {
    store: Store,
    /// How many roots are there already.
    before: usize,
    /// The `root.json` that was judged, where one is kept.
    kept: Option<Found>,
    notes: Vec<String>,
}

impl Publisher {
    /// Compares the published chain with ours, and judges what is missing there.
    pub(super) async fn judge(&self, name: &Name, roots: &[SignedRoot]) -> Result<Plan, Error> {
        let store = self.stores.at(&at(&self.place, name))?;
        let mut files = Vec::new();
        while let Some(found) = store.get(&file(files.len() as u64 + 1), MAX_ROOT).await? {
            files.push(found.bytes);
        }
        // Where a `root.json` is kept, it is one of the versions, or somebody else publishes here too.
        let kept = store.get(ROOT, MAX_ROOT).await?;
        if kept.as_ref().is_some_and(|kept| !files.contains(&kept.bytes)) {
            return Err(Error::RootJson { name: name.clone() });
        }
        let published = judge::read(name, Dialect::Tuf, &files)?;
        let missing = judge::missing(name, &published, roots)?;
        judge::may_all_follow(name, &published, missing)?;
        judge::reaches_all(name, &published, missing, Timestamp::now())?;
        let mut notes = Vec::new();
        match (published.last(), missing.last()) {
            (Some(before), Some(newest)) => {
                let changes = |role: &Role| judge::changes(before, newest, *role);
                let changed: Vec<Role> = Role::ONLINE.into_iter().filter(changes).collect();
                online::check(&store, name, newest, &changed).await?;
            }
            (None, Some(_)) => notes.extend(Role::ONLINE.map(|role| {
                format!("`{role}` has new keys or a new threshold: its service must sign now")
            })),
            (_, None) => {}
        }
        Ok(Plan { store, before: published.len(), kept, notes })
    }

    /// Whether the newest root is still there, as it was seen when it was published.
    pub(super) async fn is_still(&self, name: &Name, last: &SignedRoot) -> Result<bool, Error> {
        let store = self.stores.at(&at(&self.place, name))?;
        let served = store.get(&file(last.version().get()), MAX_ROOT).await?;
        Ok(served.is_some_and(|found| found.bytes == last.bytes()))
    }

    /// Writes what is missing, and compares what is then served.
    pub(super) async fn publish(
        &self,
        name: &Name,
        roots: &[SignedRoot],
        plan: Plan,
    ) -> Result<Done, Error> {
        let Plan { store, before, kept, notes } = plan;
        let last = roots.last().ok_or(Error::Task)?;
        for root in roots.get(before..).unwrap_or_default() {
            let (path, version) = (file(root.version().get()), root.version().get());
            let created = store.create(&path, root.bytes()).await?;
            let served = store.get(&path, MAX_ROOT).await?;
            match created {
                _ if served.is_some_and(|found| found.bytes == root.bytes()) => {}
                Created::Before => return Err(Error::Fork { name: name.clone(), version }),
                Created::Now => return Err(compared(name, path)),
            }
        }
        if let Some(kept) = kept
            && kept.bytes != last.bytes()
        {
            let replaced = store.replace(ROOT, kept, last.bytes()).await?;
            let served = store.get(ROOT, MAX_ROOT).await?;
            if served.is_none_or(|found| found.bytes != last.bytes()) {
                return Err(match replaced {
                    Replaced::Refused => Error::Meanwhile { name: name.clone() },
                    Replaced::Now => compared(name, ROOT.to_owned()),
                });
            }
        }
        let (before, seen) = (before as u64, Digest::of(last.bytes()));
        Ok(Done { before, now: last.version().get(), notes, seen })
    }
}

fn compared(name: &Name, file: String) -> Error {
    Error::Compared { name: name.clone(), file }
}

fn file(version: u64) -> String {
    format!("{version}.root.json")
}

/// The newest root, where a repository keeps it under this name.
const ROOT: &str = "root.json";
