//! Whether a root may follow what is published: the rules of the room, before anything goes up.
//!
//! Annex; pure. The rules themselves are the library's.

use std::collections::BTreeMap;

use jiff::Timestamp;
use officiant::name::Name;
use officiant::root::horizon::cut_off;
use officiant::root::threshold::{Counting, tally};
use officiant::root::walk::Chain;
use officiant::root::{Dialect, Root, SignedRoot, notary, succession};

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
    roots: &'r BTreeMap<u64, SignedRoot>,
) -> Result<Vec<&'r SignedRoot>, Error> {
    let latest = published.len() as u64;
    let first = roots.keys().next().copied().unwrap_or_default();
    let ours = roots.keys().next_back().copied().unwrap_or_default();
    if first > latest + 1 {
        return Err(Error::Gap { name: name.clone(), latest, first });
    }
    for (version, root) in (1..).zip(published) {
        if roots.get(&version).is_some_and(|own| own.bytes() != root.bytes()) {
            return Err(Error::Fork { name: name.clone(), version });
        }
    }
    if latest > ours {
        return Err(Error::Behind { name: name.clone(), latest, ours });
    }
    Ok(roots.range(latest + 1..).map(|(_, root)| root).collect())
}

/// Says whether `next` may follow `previous`, or be the first.
pub(super) fn may_follow(
    name: &Name,
    previous: Option<&SignedRoot>,
    next: &SignedRoot,
) -> Result<(), Error> {
    let version = next.version().get();
    let root = next.root();
    succession::check(previous.map(SignedRoot::root), root).map_err(|source| {
        Error::Succession { name: name.clone(), version, source: Box::new(source) }
    })?;
    if root.dialect() == Dialect::Notary && !notary::is_byte_exact(next) {
        return Err(Error::Bytes { name: name.clone(), version });
    }
    for electorate in previous.map(SignedRoot::root).into_iter().chain([root]) {
        is_signed(name, electorate, next)?;
    }
    Ok(())
}

/// Says whether every client that reaches the newest root today will reach the newest of `missing`.
pub(super) fn reaches_all(
    name: &Name,
    published: &[SignedRoot],
    missing: &[&SignedRoot],
    now: Timestamp,
) -> Result<(), Error> {
    let Some(newest) = missing.last() else { return Ok(()) };
    let before = Chain::new(published.iter().cloned());
    let after = Chain::new(published.iter().chain(missing.iter().copied()).cloned());
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
