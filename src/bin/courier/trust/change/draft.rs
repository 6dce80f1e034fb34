//! Changes to a repository's lists: made on what it says now, signed by the keys that are at hand, uploaded together,
//! fetched back and compared.
//!
//! Annex: the key store, and the network through the server's API.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use officiant::request::Role;
use officiant::root::online::Signed;
use officiant::root::targets::{self, ListRole, Targets};
use officiant::root::threshold::{Electorate, Tally};
use officiant::root::{Dialect, Expiry};

use super::super::Error;
use super::super::client::Wanted;
use super::super::client::view::{List, View};
use super::super::place::{Place, Seen};
use super::at_hand::KeysAtHand;
use super::candidate::Candidate;
use super::error::Unchanged;
use super::snapshot;
use crate::{net, notary};

/// Changes that are not signed yet.
pub(crate) struct Draft {
    pub(crate) view: View,
    changed: BTreeMap<ListRole, Targets>,
    /// Those that are signed anew though they say what they said.
    again: BTreeSet<ListRole>,
}

/// A list as it goes up.
pub(crate) struct Written {
    pub(crate) role: ListRole,
    pub(crate) signed: Signed,
    /// Who of its keys has signed, and how many must.
    pub(crate) tally: Tally,
}

/// What became of a change.
pub(crate) struct Published {
    /// The lists that changed.
    pub(crate) lists: BTreeMap<ListRole, Changed>,
    /// The candidate that was written in place of an upload.
    pub(crate) apart: Option<Candidate>,
}

/// A list that was signed.
pub(crate) struct Changed {
    /// Its new version.
    pub(crate) version: i64,
    /// How many targets it names as the list before it did: its signers vouch for those, too.
    pub(crate) kept: usize,
}

impl Draft {
    /// Of what a repository says, with nothing changed yet.
    pub(crate) fn of(view: View) -> Self {
        Self { view, changed: BTreeMap::new(), again: BTreeSet::new() }
    }

    /// Takes a list as it is to be.
    pub(crate) fn put(&mut self, role: ListRole, list: Targets) {
        self.changed.insert(role, list);
    }

    /// A list, to be changed: as it is, or empty where a delegation has none yet.
    ///
    /// # Errors
    /// [`Unchanged::NoRole`] where nobody delegates to it; [`Unchanged::Broken`] where what is there does not hold.
    pub(crate) fn list(&mut self, role: &ListRole) -> Result<&mut Targets, Error> {
        let gun = self.view.gun.clone();
        if let Some(why) = self.view.broken.get(role).map(|broken| broken.why) {
            return Err(Error::from(Unchanged::Broken { gun, role: role.clone(), why }));
        }
        let parent = role.parent();
        let is_known = parent.is_none_or(|parent| {
            self.read(&parent).is_some_and(|list| list.delegation(role).is_some())
        });
        if !is_known {
            return Err(Error::from(Unchanged::NoRole { gun, role: role.clone() }));
        }
        let known = self.view.lists.get(role);
        let now = || known.map_or_else(nothing, |list| list.targets.clone());
        Ok(self.changed.entry(role.clone()).or_insert_with(now))
    }

    /// The same, for naming one target there.
    ///
    /// # Errors
    /// As [`Self::list`]; [`Unchanged::Path`] where a delegation on the way does not allow that.
    pub(crate) fn list_naming(
        &mut self,
        role: &ListRole,
        tag: &str,
    ) -> Result<&mut Targets, Error> {
        self.list(role)?;
        match targets::may_name(role, tag, |role| self.read(role)) {
            true => self.list(role),
            false => Err(Error::from(Unchanged::Path { role: role.clone(), tag: tag.to_owned() })),
        }
    }

    /// Takes up a list whatever its signatures are, to be signed again.
    ///
    /// # Errors
    /// [`Unchanged::NoRole`] where there is no such list.
    pub(crate) fn list_again(&mut self, role: &ListRole) -> Result<&mut Targets, Error> {
        self.again.insert(role.clone());
        match self.view.broken.remove(role).map(|broken| broken.list) {
            Some(Some(list)) => Ok(self.changed.entry(role.clone()).or_insert(list.targets)),
            Some(None) => Err(Error::from(Unchanged::NoRole {
                gun: self.view.gun.clone(),
                role: role.clone(),
            })),
            None => self.list(role),
        }
    }

    /// What a list says with the changes so far.
    pub(crate) fn read(&self, role: &ListRole) -> Option<&Targets> {
        let known = || self.view.lists.get(role).map(|list| &list.targets);
        self.changed.get(role).or_else(known)
    }

    /// The list of a role as it is served, if too few of its keys have signed it: whoever has the server may have written
    /// it.
    pub(crate) fn unvouched(&self, role: &ListRole) -> Option<&List> {
        let list = self.view.broken.get(role)?.list.as_ref()?;
        (!self.is_signed(role, &list.signed)).then_some(list)
    }

    /// The lists that are signed by too few once what is changed so far is published.
    pub(crate) fn unsettled(&self) -> Vec<ListRole> {
        let lists = self.view.lists.iter();
        let lists = lists.filter(|(role, list)| {
            self.is_unchanged(role)
                && self.electorate(role).is_some()
                && !self.is_signed(role, &list.signed)
        });
        lists.map(|(role, _)| role.clone()).collect()
    }

    fn is_signed(&self, role: &ListRole, signed: &Signed) -> bool {
        self.electorate(role).is_some_and(|all| signed.is_signed_by(Dialect::Notary, &all))
    }

    fn is_unchanged(&self, role: &ListRole) -> bool {
        let before = self.view.lists.get(role).map(|list| &list.targets);
        let changed = self.changed.get(role);
        !self.again.contains(role)
            && changed.is_none_or(|list| *list == *before.unwrap_or(&nothing()))
    }

    /// What the list of a role says on the server, be it passed over.
    pub(crate) fn served(&self, role: &ListRole) -> Option<&Targets> {
        let broken = || self.view.broken.get(role)?.list.as_ref();
        self.view.lists.get(role).or_else(broken).map(|list| &list.targets)
    }

    /// Forgets a role and all below it: nobody delegates to it any more.
    pub(crate) fn forget_below(&mut self, role: &ListRole) {
        self.changed.retain(|known, _| !known.is_within(role));
        self.view.lists.retain(|known, _| !known.is_within(role));
        self.view.broken.retain(|known, _| !known.is_within(role));
    }

    /// Whose signatures count for a list, with the changes so far.
    pub(crate) fn electorate(&self, role: &ListRole) -> Option<Electorate<'_>> {
        match role.parent() {
            None => Some(Electorate::of(self.view.root(), Role::Targets)),
            Some(parent) => {
                let parent = self.read(&parent)?;
                Some(parent.electorate(parent.delegation(role)?))
            }
        }
    }

    /// Signs what is changed with every key at hand; a list that says nothing else than before is left alone, unless it is
    /// to be signed `again`.
    fn sign(&self, keys: &mut KeysAtHand, now: Timestamp) -> Result<Vec<Written>, Error> {
        let mut written = Vec::new();
        for (role, list) in self.changed.iter().filter(|(role, _)| !self.is_unchanged(role)) {
            let mut next = list.clone();
            next.version += 1;
            next.expires = Expiry::at(in_three_years(now));
            let value = next.value();
            let electorate = self.electorate(role);
            let electorate = electorate.ok_or_else(|| Unchanged::NoRole {
                gun: self.view.gun.clone(),
                role: role.clone(),
            })?;
            let signatures = keys.sign(&electorate, &value.go())?;
            let signed = Signed { value, signatures };
            written.push(Written::of(role, signed, &electorate));
        }
        Ok(written)
    }
}

impl Written {
    /// A list with its signatures, counted.
    pub(crate) fn of(role: &ListRole, signed: Signed, electorate: &Electorate<'_>) -> Self {
        let none = Tally { counted: BTreeSet::new(), needed: electorate.threshold };
        let tally = signed.tally(Dialect::Notary, electorate).unwrap_or(none);
        Self { role: role.clone(), signed, tally }
    }

    /// Its version.
    pub(crate) fn version(&self) -> i64 {
        self.signed.version().unwrap_or_default()
    }
}

/// Makes a change on what the repository says now, and publishes it, or writes it as a candidate for others to sign;
/// once more from the start where somebody else published meanwhile.
///
/// # Errors
/// Those of `change`; [`Unchanged::Few`] where too few of a list's keys are at hand; [`Error`] of the server.
pub(crate) async fn change<T>(
    place: &Place,
    apart: Option<&Path>,
    change: impl FnMut(&mut Draft) -> Result<T, Error>,
) -> Result<(T, Published), Error> {
    change_of(place, (Wanted::All, apart), change).await
}

/// The same of the lists that are wanted.
///
/// # Errors
/// As [`change`].
pub(crate) async fn change_of<T>(
    place: &Place,
    (wanted, apart): (Wanted, Option<&Path>),
    mut change: impl FnMut(&mut Draft) -> Result<T, Error>,
) -> Result<(T, Published), Error> {
    let mut keys = KeysAtHand::of(place);
    let mut attempt = 1;
    loop {
        let Seen { view, .. } = place.look(wanted).await?;
        let mut draft = Draft::of(view);
        let told = change(&mut draft)?;
        let now = Timestamp::now();
        let written = draft.sign(&mut keys, now)?;
        let mut published = Published { lists: lists(&draft, &written), apart: None };
        if written.is_empty() {
            return Ok((told, published));
        }
        if let Some(folder) = apart {
            published.apart = Some(Candidate::write(folder, &place.gun, &written)?);
            return Ok((told, published));
        }
        match upload(place, &draft.view, &written, &mut keys).await {
            Ok(()) => return Ok((told, published)),
            Err(Error::Change(Unchanged::Meanwhile { .. })) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// What changed, in short.
pub(crate) fn lists(draft: &Draft, written: &[Written]) -> BTreeMap<ListRole, Changed> {
    let kept = |role: &ListRole| {
        let before = draft.view.lists.get(role).map(|list| &list.targets.targets);
        let now = draft.changed.get(role).map(|list| &list.targets);
        let (Some(before), Some(now)) = (before, now) else { return 0 };
        now.iter().filter(|(name, target)| before.get(*name) == Some(target)).count()
    };
    let one = |w: &Written| {
        let (version, kept) = (w.version(), kept(&w.role));
        (w.role.clone(), Changed { version, kept })
    };
    written.iter().map(one).collect()
}

/// Uploads lists that enough have signed, with the snapshot where its key is at hand, and compares.
pub(crate) async fn upload(
    place: &Place,
    view: &View,
    written: &[Written],
    keys: &mut KeysAtHand,
) -> Result<(), Error> {
    let gun = &place.gun;
    if let Some(few) = written.iter().find(|written| !written.tally.is_met()) {
        let Tally { counted, needed } = &few.tally;
        let (role, needed, found) = (few.role.clone(), *needed, counted.len());
        return Err(Error::from(Unchanged::Few { gun: gun.clone(), role, needed, found }));
    }
    let mut files: Vec<(String, Vec<u8>)> =
        written.iter().map(|w| (w.role.to_string(), targets::file(&w.signed))).collect();
    if let Some(snapshot) = snapshot::next(view, &files, keys, Timestamp::now())? {
        files.push((Role::Snapshot.name().to_owned(), snapshot));
    }
    let parts: Vec<(&str, &[u8])> =
        files.iter().map(|(role, bytes)| (role.as_str(), bytes.as_slice())).collect();
    let sent = place.server.upload(gun, &parts).await;
    compare(place, view, sent, &files).await
}

/// Fetches back what went up. An answer that was lost may hide an upload that was stored; one that was refused since
/// somebody else published first is made anew.
async fn compare(
    place: &Place,
    view: &View,
    sent: Result<(), notary::Error>,
    files: &[(String, Vec<u8>)],
) -> Result<(), Error> {
    let gun = &place.gun;
    for (role, bytes) in files {
        let stored = place.server.file(gun, &format!("{role}.json")).await;
        let stored = stored.map_err(|error| Error::from(error).sent())?;
        let is_there = stored.as_deref() == Some(bytes);
        match &sent {
            _ if is_there => {}
            Err(error) => return Err(explain(view, error)),
            // With a server that keeps the snapshot key, another publisher may have followed already.
            Ok(()) => {
                let version = |bytes: &[u8]| Signed::parse(Dialect::Notary, bytes)?.version();
                if stored.as_deref().and_then(version) <= version(bytes) {
                    let (gun, role) = (gun.clone(), role.clone());
                    return Err(Error::from(Unchanged::Compared { gun, role }).sent());
                }
            }
        }
    }
    Ok(())
}

/// The server says some things in its own words; we say them in ours.
fn explain(view: &View, error: &notary::Error) -> Error {
    let gun = view.gun.clone();
    let upload = |because: String| Error::from(Unchanged::Upload { gun: gun.clone(), because });
    let said = match error {
        notary::Error::Net(net::Error::Status { said, status: 400..500, .. }) => said,
        notary::Error::Net(net::Error::Unauthorized { .. } | net::Error::Elsewhere { .. }) => {
            return upload(error.to_string());
        }
        // It may have been taken, or be taken still.
        _ => return upload(error.to_string()).sent(),
    };
    if said.contains("\"VERSION\"") {
        return Unchanged::Meanwhile { gun }.into();
    }
    match error.lacks_key(view.root(), Role::Snapshot) {
        true => Unchanged::NoSnapshotKey { gun }.into(),
        false => upload(said.clone()),
    }
}

fn nothing() -> Targets {
    Targets::empty(Timestamp::UNIX_EPOCH)
}

/// When lists expire that are signed now, as with notary.
pub(crate) fn in_three_years(now: Timestamp) -> Timestamp {
    let then = now.to_zoned(TimeZone::UTC).checked_add(3.years());
    then.map_or(now, |then| then.timestamp())
}

/// How often a change is made anew because somebody else published first.
const ATTEMPTS: u32 = 12;
