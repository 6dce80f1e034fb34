//! Publishing to a Notary server.
//!
//! Annex: the network through the server's API.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use officiant::digest::Digest;
use officiant::name::Name;
use officiant::root::online::Signed;
use officiant::root::targets::ListRole;
use officiant::root::{Dialect, Role, SignedRoot};
use serde::Deserialize;

use super::served::follow;
use super::targets::Targets;
use super::{Done, Error, judge};
use crate::budget::Budget;
use crate::notary::Server;
use crate::trust::change::at_hand::KeysAtHand;
use crate::trust::change::candidate::Read;
use crate::trust::change::draft::Written;

/// A server, and the targets keys that may sign.
pub(super) struct Publisher {
    pub(super) server: Server,
    /// Of all repositories: a person is asked for one passphrase at a time.
    pub(super) keys: Mutex<KeysAtHand>,
    /// The first list of one repository, or the first under new keys, as others signed it.
    pub(super) others: Option<Read>,
    /// Whether such a list is only to be written, for others to sign.
    pub(super) is_apart: bool,
}

/// What goes up for one repository. Its roots stay where they are: a fleet has many.
pub(super) struct Plan {
    before: u64,
    uploads: Vec<Upload>,
    notes: Vec<String>,
    /// What others are to sign before anything goes up.
    pub(super) apart: Vec<Written>,
}

/// What goes up together: a root, targets that are signed anew, or both.
struct Upload {
    /// Counts from 0.
    root: Option<usize>,
    targets: Option<Vec<u8>>,
}

impl Publisher {
    /// Compares the server's chain with ours, and judges what is missing there.
    pub(super) async fn judge(&self, name: &Name, roots: &[SignedRoot]) -> Result<Plan, Error> {
        let published = self.server.roots(name, &Budget::of_a_request()).await?;
        let published = judge::read(name, Dialect::Notary, &published)?;
        let missing = judge::missing(name, &published, roots)?;
        let now = Timestamp::now();
        judge::may_all_follow(name, &published, missing)?;
        for at in 0..missing.len() {
            // Each upload stands for a while before the next one.
            let before = [&published, &missing[..at]].concat();
            judge::reaches_all(name, &before, &missing[at..=at], now)?;
        }
        judge::is_certified(name, missing)?;
        if let Some(last) = published.last() {
            self.check_snapshot(name, last, missing).await?;
        }
        let mut plan = Plan {
            before: published.len() as u64,
            uploads: Vec::new(),
            notes: Vec::new(),
            apart: Vec::new(),
        };
        self.lay_out(name, &published, roots, &mut plan).await?;
        Ok(plan)
    }

    /// A snapshot key that stays with a client would have to sign each root that goes up; the server signs instead. It
    /// is asked once, for the root that it has: for another one it would only make a key that nobody wants.
    async fn check_snapshot(
        &self,
        name: &Name,
        published: &SignedRoot,
        missing: &[SignedRoot],
    ) -> Result<(), Error> {
        let same = |root: &&SignedRoot| !judge::changes(published, root, Role::Snapshot);
        let Some(kept) = missing.iter().find(same) else { return Ok(()) };
        let key = self.server.key(name, Role::Snapshot).await?;
        let mut keys = published.root().role_keys(Role::Snapshot);
        if keys.any(|(_, listed)| listed.public() == Some(&key)) {
            return Ok(());
        }
        Err(Error::SnapshotClient { name: name.clone(), version: kept.version().get() })
    }

    /// Decides what goes up with what: a targets file is signed anew where a root has other targets keys than signed it,
    /// or where the newest root has them already and somebody forgot.
    async fn lay_out(
        &self,
        name: &Name,
        published: &[SignedRoot],
        roots: &[SignedRoot],
        plan: &mut Plan,
    ) -> Result<(), Error> {
        let (now, missing) = (Timestamp::now(), &roots[published.len()..]);
        let changes = |last| missing.iter().any(|root| judge::changes(last, root, Role::Targets));
        let must_sign = missing.is_empty() || published.last().is_none_or(changes);
        let mut current = match self.in_force(name, published, now).await {
            Ok(current) => Some(current),
            // Then it is for clients to say: a root that keeps the targets keys changes nothing about it.
            Err(error @ Error::Unsound { .. }) if !must_sign => {
                plan.notes.push(error.to_string());
                None
            }
            Err(error) => return Err(error),
        };
        // Where no root is missing, the targets may still have to be signed for the newest one.
        let from = published.len().min(roots.len().saturating_sub(1));
        for (at, root) in roots.iter().enumerate().skip(from) {
            let stale = current.as_ref().filter(|current| !current.is_signed_for(root.root()));
            let next = stale.map(|stale| {
                let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
                let next = stale.next(name, root.root(), (self.others(name), &mut keys), now)?;
                match self.is_apart {
                    true => Ok(next),
                    false => next.enough(name, root.root()),
                }
            });
            let next = match next.transpose() {
                Err(error) if !must_sign => {
                    plan.notes.push(error.to_string());
                    None
                }
                next => next?,
            };
            if let Some(next) = next.as_ref().filter(|_| self.is_apart) {
                plan.apart.push(next.clone().written(root.root()));
            }
            plan.notes.extend(next.iter().map(|next| next.told(root.root())));
            let targets = next.as_ref().map(Targets::bytes);
            let root = (!missing.is_empty()).then_some(at);
            if root.is_some() || targets.is_some() {
                plan.uploads.push(Upload { root, targets });
            }
            current = next.or(current);
        }
        Ok(())
    }

    /// What others signed for this repository.
    fn others(&self, name: &Name) -> Option<&Signed> {
        let others = self.others.as_ref().filter(|others| others.gun == *name)?;
        others.lists.get(&ListRole::top()).map(|(signed, _)| signed)
    }

    /// The targets that clients see now, signed by keys of a published root; empty ones for a new repository.
    async fn in_force(
        &self,
        name: &Name,
        published: &[SignedRoot],
        now: Timestamp,
    ) -> Result<Targets, Error> {
        let Some(newest) = published.last() else { return Ok(Targets::empty(now)) };
        let served = follow(&self.server, name, newest, now).await?;
        let why = "is signed by the targets keys of no published root";
        let unsound = || Error::Unsound { name: name.clone(), role: Role::Targets, why };
        Targets::read(&served.targets, published).ok_or_else(unsound)
    }

    /// Uploads what is missing, and compares what is then served.
    pub(super) async fn publish(
        &self,
        name: &Name,
        roots: &[SignedRoot],
        plan: Plan,
    ) -> Result<Done, Error> {
        for upload in &plan.uploads {
            self.upload(name, roots, upload).await?;
        }
        let last = roots.last().ok_or(Error::Task)?;
        let seen = self.compare(name, last, &plan).await?;
        Ok(Done { before: plan.before, now: last.version().get(), notes: plan.notes, seen })
    }

    /// Whether all that is served is still what was seen when it was published.
    pub(super) async fn is_still(&self, name: &Name, seen: Digest) -> Result<bool, Error> {
        let timestamp = self.server.file(name, "timestamp.json").await?;
        Ok(timestamp.is_some_and(|timestamp| Digest::of(&timestamp) == seen))
    }

    async fn upload(
        &self,
        name: &Name,
        roots: &[SignedRoot],
        upload: &Upload,
    ) -> Result<(), Error> {
        let root = upload.root.and_then(|at| roots.get(at));
        let mut parts: Vec<(&str, &[u8])> = Vec::new();
        let mut files: Vec<(String, &[u8])> = Vec::new();
        if let Some(root) = root {
            parts.push(("root", root.bytes()));
            files.push((format!("{}.root.json", root.version()), root.bytes()));
        }
        if let Some(targets) = &upload.targets {
            parts.push(("targets", targets));
            files.push(("targets.json".to_owned(), targets));
        }
        let mut attempt = 1;
        loop {
            let sent = self.server.upload(name, &parts).await;
            // An answer that was lost on the way may hide an upload that was stored: it is looked for before anything is
            // sent again.
            let Some((file, stored)) = self.other(name, &files).await? else { return Ok(()) };
            let error = match sent {
                Err(error) if root.is_none() || stored.is_none() => error,
                _ => return Err(compared(name, &file)),
            };
            match error.net().and_then(|net| net.pause(attempt)) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(explain(name, root, error)),
            }
            attempt += 1;
        }
    }

    /// The first file that is not served as it was sent, and what is served in its place.
    async fn other(
        &self,
        name: &Name,
        files: &[(String, &[u8])],
    ) -> Result<Option<(String, Option<Vec<u8>>)>, Error> {
        for (file, bytes) in files {
            let stored = self.server.file(name, file).await?;
            if stored.as_deref() != Some(bytes) {
                return Ok(Some((file.clone(), stored)));
            }
        }
        Ok(None)
    }

    /// Compares `root.json` with what went up, and what clients are led to with both; gives the digest of the timestamp.
    async fn compare(&self, name: &Name, last: &SignedRoot, plan: &Plan) -> Result<Digest, Error> {
        let bytes = last.bytes();
        if self.server.file(name, "root.json").await?.as_deref() != Some(bytes) {
            return Err(compared(name, "root.json"));
        }
        let served = follow(&self.server, name, last, Timestamp::now()).await?;
        if !served.root.is(bytes) {
            return Err(compared(name, "snapshot.json"));
        }
        match plan.uploads.iter().rev().find_map(|upload| upload.targets.as_ref()) {
            Some(targets) if *targets != served.targets => Err(compared(name, "targets.json")),
            _ => Ok(served.timestamp),
        }
    }
}

/// The server says some things in its own words; we say them in ours.
fn explain(name: &Name, root: Option<&SignedRoot>, error: crate::notary::Error) -> Error {
    let said = match &error {
        crate::notary::Error::Net(crate::net::Error::Status { said, .. }) => said.as_str(),
        _ => return Error::Notary(error),
    };
    let Some(root) = root else { return Error::Notary(error) };
    let (name, version) = (name.clone(), root.version().get());
    if error.lacks_key(root.root(), Role::Snapshot) {
        return Error::SnapshotClient { name, version };
    }
    if error.lacks_key(root.root(), Role::Timestamp) {
        return Error::TimestampForeign { name, version };
    }
    let refusal = serde_json::from_str::<Refused>(said).unwrap_or_default();
    match &refusal.errors[..] {
        [one] if one.code == "INVALID_UPDATE" && one.detail.is_null() => {
            Error::Ended { name, version }
        }
        _ => Error::Notary(error),
    }
}

fn compared(name: &Name, file: &str) -> Error {
    Error::Compared { name: name.clone(), file: file.to_owned() }
}

/// What a server says when it refuses an update.
#[derive(Default, Deserialize)]
struct Refused {
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    code: String,
    #[serde(default)]
    detail: serde_json::Value,
}
