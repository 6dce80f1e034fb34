//! Whether a root may follow what is published: the rules of the room, before anything goes up.
//!
//! Annex; pure. The rules themselves are the library's.

use std::collections::BTreeSet;

use jiff::Timestamp;
use officiant::name::Name;
use officiant::root::horizon::cut_off;
use officiant::root::threshold::{Counting, tally};
use officiant::root::walk::Chain;
use officiant::root::{Dialect, Role, Root, SignedRoot, notary, succession};

use super::Error;

/// Reads what is published, version 1 first.
pub(super) fn read(
    name: &Name,
    dialect: Dialect,
    files: &[Vec<u8>],
) -> Result<Vec<SignedRoot>, Error> {
    let read = |(at, bytes): (usize, &Vec<u8>)| {
        SignedRoot::parse(dialect, bytes)
            .map_err(|source| Error::Root { path: format!("{name} {}.root.json", at + 1), source })
    };
    files.iter().enumerate().map(read).collect()
}

/// The roots that are missing behind what is published, which must be the beginning of ours.
pub(super) fn missing<'r>(
    name: &Name,
    published: &[SignedRoot],
    ours: &'r [SignedRoot],
) -> Result<&'r [SignedRoot], Error> {
    for (own, root) in ours.iter().zip(published) {
        if own.bytes() != root.bytes() {
            return Err(Error::Fork { name: name.clone(), version: own.version().get() });
        }
    }
    ours.get(published.len()..).ok_or_else(|| Error::Behind {
        name: name.clone(),
        latest: published.len() as u64,
        ours: ours.len() as u64,
    })
}

/// Says whether the roots in `missing` may follow what is published, one after the other.
pub(super) fn may_all_follow(
    name: &Name,
    published: &[SignedRoot],
    missing: &[SignedRoot],
) -> Result<(), Error> {
    let mut previous = published.last();
    for root in missing {
        may_follow(name, previous, root)?;
        previous = Some(root);
    }
    Ok(())
}

/// Says whether the newest of `missing` outlives no certificate of its own. The older ones are only passed through, and
/// may be of other tools.
pub(super) fn is_certified(name: &Name, missing: &[SignedRoot]) -> Result<(), Error> {
    match missing.last() {
        Some(newest) => {
            of_succession(name, newest, succession::check_certified(newest.root(), name.as_str()))
        }
        None => Ok(()),
    }
}

/// Says whether `next` may follow `previous`, or be the first.
fn may_follow(name: &Name, previous: Option<&SignedRoot>, next: &SignedRoot) -> Result<(), Error> {
    let root = next.root();
    of_succession(name, next, succession::check(previous.map(SignedRoot::root), root))?;
    if root.dialect() == Dialect::Notary && !notary::is_byte_exact(next) {
        return Err(Error::Bytes { name: name.clone(), version: next.version().get() });
    }
    for electorate in previous.map(SignedRoot::root).into_iter().chain([root]) {
        is_signed(name, electorate, next)?;
    }
    Ok(())
}

fn of_succession(
    name: &Name,
    root: &SignedRoot,
    verdict: Result<(), succession::Error>,
) -> Result<(), Error> {
    let (name, version) = (name.clone(), root.version().get());
    verdict.map_err(|source| Error::Succession { name, version, source: Box::new(source) })
}

/// Says whether every client that reaches the newest root today will reach the newest of `missing`.
pub(super) fn reaches_all(
    name: &Name,
    published: &[SignedRoot],
    missing: &[SignedRoot],
    now: Timestamp,
) -> Result<(), Error> {
    let Some(newest) = missing.last() else { return Ok(()) };
    let before = Chain::new(published.iter().cloned());
    let after = Chain::new(published.iter().chain(missing).cloned());
    let lost = cut_off(&before, &after, newest.root().dialect(), (name.as_str(), now));
    match lost.into_iter().next() {
        None => Ok(()),
        Some((start, profile, stop)) => {
            let start = start.map_or_else(|| "no root".to_owned(), |v| format!("version {v}"));
            Err(Error::Walk {
                name: name.clone(),
                profile: profile.name,
                start,
                stop: Box::new(stop),
            })
        }
    }
}

/// Says whether an online role has other keys or another threshold in `after`.
pub(super) fn changes(before: &SignedRoot, after: &SignedRoot, role: Role) -> bool {
    let keys = |root: &SignedRoot| {
        let keys = root.root().role_keys(role).map(|(id, _)| id.clone());
        (keys.collect::<BTreeSet<_>>(), root.root().role(role).map(|role| role.threshold))
    };
    keys(before) != keys(after)
}

fn is_signed(name: &Name, electorate: &Root, next: &SignedRoot) -> Result<(), Error> {
    let version = next.version().get();
    let tally = tally(electorate, next, Counting::ONE_SIDE).map_err(|source| Error::Signature {
        name: name.clone(),
        version,
        source,
    })?;
    if tally.is_met() {
        return Ok(());
    }
    Err(Error::Threshold {
        name: name.clone(),
        version,
        of: electorate.version().get(),
        needed: tally.needed,
        found: tally.counted.len(),
    })
}
