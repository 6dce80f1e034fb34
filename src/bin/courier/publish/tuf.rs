//! Publishing a TUF repository's roots to a folder or an object store: `N.root.json` first, never changed
//! afterwards, then `root.json` where one is kept.
//!
//! Annex: the store.

use std::collections::BTreeMap;

use jiff::Timestamp;
use officiant::name::Name;
use officiant::root::{Dialect, SignedRoot};

use super::store::Store;
use super::{Done, Error, changed_roles, judge};
use crate::tuf::at;

/// Where repositories are published.
pub(super) struct Publisher {
    /// A folder or a URL; `{name}` stands for the repository's name.
    pub(super) place: String,
    pub(super) is_bucket: bool,
}

/// What is written for one repository.
pub(super) struct Plan {
    store: Store,
    before: u64,
    missing: Vec<SignedRoot>,
    last: SignedRoot,
    notes: Vec<String>,
}

impl Publisher {
    /// Compares the published chain with ours, and judges what is missing there.
    pub(super) async fn judge(
        &self,
        name: &Name,
        roots: &BTreeMap<u64, SignedRoot>,
    ) -> Result<Plan, Error> {
        let place = at(&self.place, name);
        let store = if self.is_bucket { Store::bucket(&place)? } else { Store::folder(&place)? };
        let last = roots.values().next_back().ok_or(Error::Task)?.clone();
        let mut files = Vec::new();
        while let Some(bytes) = store.get(&file(files.len() as u64 + 1)).await? {
            files.push(bytes);
        }
        // Where a `root.json` is kept, it is one of the versions, or somebody else publishes here too.
        let kept = store.get("root.json").await?;
        if kept.is_some_and(|kept| !files.contains(&kept)) {
            return Err(Error::RootJson { name: name.clone() });
        }
        let published = judge::read(name, Dialect::Tuf, &files)?;
        let missing = judge::missing(name, &published, roots)?;
        let mut previous = published.last();
        for root in &missing {
            judge::may_follow(name, previous, root)?;
            previous = Some(root);
        }
        judge::reaches_all(name, &published, &missing, Timestamp::now())?;
        let note = |role| {
            format!("`{role}` has new keys or a new threshold: its service must sign again now")
        };
        let changed = match missing.last() {
            Some(newest) => changed_roles(published.last().map(SignedRoot::root), newest.root()),
            None => Vec::new(),
        };
        let notes = changed.into_iter().map(note).collect();
        let missing = missing.into_iter().cloned().collect();
        Ok(Plan { store, before: published.len() as u64, missing, last, notes })
    }

    /// Writes what is missing, and compares what is then served.
    pub(super) async fn publish(&self, name: &Name, plan: Plan) -> Result<Done, Error> {
        let Plan { store, before, missing, last, notes } = plan;
        for root in &missing {
            let path = file(root.version().get());
            store.create(&path, root.bytes()).await?;
            if store.get(&path).await?.as_deref() != Some(root.bytes()) {
                return Err(Error::Compared { name: name.clone(), file: path });
            }
        }
        if let Some(found) = store.get("root.json").await?
            && found != last.bytes()
        {
            store.replace("root.json", last.bytes()).await?;
            if store.get("root.json").await?.as_deref() != Some(last.bytes()) {
                return Err(Error::Compared { name: name.clone(), file: "root.json".to_owned() });
            }
        }
        Ok(Done { name: name.clone(), before, now: last.version().get(), notes })
    }
}

fn file(version: u64) -> String {
    format!("{version}.root.json")
}
