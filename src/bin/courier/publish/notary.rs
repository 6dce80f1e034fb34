//! Publishing to a Notary server.
//!
//! Annex: the network through the server's API.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use jiff::Timestamp;
use officiant::digest::Digest;
use officiant::name::Name;
use officiant::root::{Dialect, Role, SignedRoot};
use serde::Deserialize;

use super::targets::Targets;
use super::{Done, Error, changed_roles, judge};
use crate::keys::Private;
use crate::notary::Server;

/// A server, and the targets keys that may sign.
pub(super) struct Publisher {
    pub(super) server: Server,
    pub(super) keys: Vec<Private>,
}

/// What goes up for one repository.
pub(super) struct Plan {
    before: u64,
    last: SignedRoot,
    uploads: Vec<Upload>,
}

struct Upload {
    root: SignedRoot,
    targets: Option<Vec<u8>>,
}

impl Publisher {
    /// Compares the server's chain with ours, and judges what is missing there.
    pub(super) async fn judge(
        &self,
        name: &Name,
        roots: &BTreeMap<u64, SignedRoot>,
    ) -> Result<Plan, Error> {
        let last = roots.values().next_back().ok_or(Error::Task)?.clone();
        let mut published = judge::read(name, Dialect::Notary, &self.server.roots(name).await?)?;
        let before = published.len() as u64;
        let now = Timestamp::now();
        let mut uploads: Vec<Upload> = Vec::new();
        let mut current = None;
        for root in judge::missing(name, &published, roots)? {
            judge::may_follow(name, published.last(), root)?;
            judge::reaches_all(name, &published, &[root], now)?;
            if let Some(previous) = published.last() {
                self.check_snapshot(name, previous, root).await?;
            }
            let old = match current.take() {
                Some(targets) => targets,
                None => self.targets(name, before > 0).await?,
            };
            let needs = !old.is_signed_for(root.root());
            let new = if needs { old.next(name, root.root(), &self.keys, now)? } else { old };
            uploads.push(Upload { root: root.clone(), targets: needs.then(|| new.bytes()) });
            current = Some(new);
            published.push(root.clone());
        }
        Ok(Plan { before, last, uploads })
    }

    async fn targets(&self, name: &Name, is_known: bool) -> Result<Targets, Error> {
        if !is_known {
            return Ok(Targets::empty(Timestamp::now()));
        }
        match self.server.file(name, "targets.json").await? {
            None => Ok(Targets::empty(Timestamp::now())),
            Some(bytes) => {
                Targets::parse(&bytes).ok_or_else(|| Error::Targets { name: name.clone() })
            }
        }
    }

    /// A snapshot key that stays with a client would have to sign each root that goes up; the server signs instead.
    async fn check_snapshot(
        &self,
        name: &Name,
        previous: &SignedRoot,
        root: &SignedRoot,
    ) -> Result<(), Error> {
        if changed_roles(Some(previous.root()), root.root()).contains(&Role::Snapshot) {
            return Ok(());
        }
        let key = self.server.key(name, Role::Snapshot).await?;
        let mut keys = root.root().role_keys(Role::Snapshot);
        if keys.any(|(_, listed)| listed.public() == Some(&key)) {
            return Ok(());
        }
        Err(Error::SnapshotClient { name: name.clone(), version: root.version().get() })
    }

    /// Uploads what is missing, and compares what is then served.
    pub(super) async fn publish(&self, name: &Name, plan: Plan) -> Result<Done, Error> {
        let mut notes = Vec::new();
        for Upload { root, targets } in &plan.uploads {
            let mut parts: Vec<(&str, &[u8])> = vec![("root", root.bytes())];
            if let Some(targets) = targets {
                parts.push(("targets", targets));
                notes.push(format!("`targets.json` signed for version {}", root.version()));
            }
            let sent = self.server.upload(name, &parts).await;
            // An answer that was lost on the way may hide an upload that was stored.
            let stored = self.server.file(name, &format!("{}.root.json", root.version())).await?;
            match (sent, stored) {
                (_, Some(stored)) if stored == root.bytes() => {}
                (Err(error), None) => return Err(self.explain(name, root, error)),
                _ => return Err(compared(name, &format!("{}.root.json", root.version()))),
            }
            if let Some(targets) = targets {
                let served = self.server.file(name, "targets.json").await?;
                if served.as_ref() != Some(targets) {
                    return Err(compared(name, "targets.json"));
                }
            }
        }
        self.compare(name, &plan).await?;
        Ok(Done { name: name.clone(), before: plan.before, now: plan.last.version().get(), notes })
    }

    /// The server says in its own words that it lacks the snapshot key; we say it in ours.
    fn explain(&self, name: &Name, root: &SignedRoot, error: crate::notary::Error) -> Error {
        let said = match &error {
            crate::notary::Error::Net(crate::net::Error::Status { said, .. }) => said.as_str(),
            _ => "",
        };
        if said.contains("does not hold current snapshot key") {
            return Error::SnapshotClient { name: name.clone(), version: root.version().get() };
        }
        Error::Notary(error)
    }

    /// Compares `root.json`, and the hash and length that the server's snapshot gives for it.
    async fn compare(&self, name: &Name, plan: &Plan) -> Result<(), Error> {
        let bytes = plan.last.bytes();
        if self.server.file(name, "root.json").await?.as_deref() != Some(bytes) {
            return Err(compared(name, "root.json"));
        }
        let snapshot = self.server.file(name, "snapshot.json").await?.unwrap_or_default();
        let meta = serde_json::from_slice::<Snapshot>(&snapshot).ok();
        let meta = meta.and_then(|mut snapshot| snapshot.signed.meta.remove("root"));
        let hash = BASE64.encode(Digest::of(bytes).as_bytes());
        match meta {
            Some(meta)
                if meta.length == bytes.len() as u64
                    && meta.hashes.get("sha256") == Some(&hash) =>
            {
                Ok(())
            }
            _ => Err(compared(name, "snapshot.json")),
        }
    }
}

fn compared(name: &Name, file: &str) -> Error {
    Error::Compared { name: name.clone(), file: file.to_owned() }
}

#[derive(Deserialize)]
struct Snapshot {
    signed: SnapshotSigned,
}

#[derive(Deserialize)]
struct SnapshotSigned {
    meta: BTreeMap<String, Meta>,
}

#[derive(Deserialize)]
struct Meta {
    length: u64,
    hashes: BTreeMap<String, String>,
}
