//! The horizon: who would be cut off by a new root, until when each client can still follow, and until when an old
//! key could mislead one.
//!
//! First floor: pure.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::profile::{Path, Profile, STRICTEST_NOTARY};
use super::walk::{Chain, Stop, Walker};
use super::{Dialect, Role, Root, SignedRoot, Version};
use crate::key::PublicKey;

/// One client that begins with one root, and how it fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fare {
    /// The root that it holds; none means first use, or an empty server.
    pub start: Option<Version>,
    /// The client.
    pub profile: &'static Profile,
    /// Whether it reaches the newest root on the day asked about.
    pub today: Result<(), Stop>,
    /// The first later instant from which it no longer does, and why; none means never.
    pub ends: Option<(Timestamp, Stop)>,
}

/// The roots that a client of this profile may hold when the newest of `chain` is published.
pub fn starts(chain: &Chain, profile: &Profile) -> Vec<Option<Version>> {
    let versions = chain.files().keys().copied().map(Some);
    match profile.path {
        Path::NewestFirst => std::iter::once(None).chain(versions).collect(),
        Path::OneByOne => versions.collect(),
        // A server holds the version before, or nothing; and then the newest.
        Path::Uploads => {
            let newest = chain.newest();
            vec![versions.rev().nth(1).flatten(), newest]
        }
    }
}

/// Walks; and of a server that has arrived, asks whether it can go on from there.
fn reach(walker: Walker<'_>, chain: &Chain, start: Option<Version>) -> Result<(), Stop> {
    walker.walk(chain, start)?;
    match start {
        Some(version) if walker.profile.path == Path::Uploads && start == chain.newest() => {
            walker.stands(chain, version)
        }
        _ => Ok(()),
    }
}

/// Walks for every client and every start, `at` a day and on all later days on which something ends.
pub fn survey(chain: &Chain, dialect: Dialect, repository: &str, at: Timestamp) -> Vec<Fare> {
    let later = turning_points(chain, at);
    let mut fares = Vec::new();
    for profile in Profile::of(dialect) {
        for start in starts(chain, profile) {
            let walk = |at| reach(Walker { profile, repository, at }, chain, start);
            let today = walk(at);
            let ends = match today {
                Ok(()) => {
                    later.iter().find_map(|end| walk(after(*end)).err().map(|stop| (*end, stop)))
                }
                Err(_) => None,
            };
            fares.push(Fare { start, profile, today, ends });
        }
    }
    fares
}

/// Whether nothing begins or ends between two moments: every client fares at one as at the other.
pub fn is_calm(chain: &Chain, one: Timestamp, other: Timestamp) -> bool {
    let later = one.max(other);
    turning_points(chain, one.min(other)).first().is_none_or(|point| *point > later)
}

/// The first instant, from `at` on, after which too few root certificates of a published Notary root are valid: of its
/// keys that really signed it, fewer than must. No client believes it any more, and no server takes the root after it.
/// None means never; whether the root itself has expired is not asked.
pub fn certificates_end(file: &SignedRoot, repository: &str, at: Timestamp) -> Option<Timestamp> {
    let chain = Chain::new([file.clone()]);
    let profile = &STRICTEST_NOTARY;
    let stands = |at| Walker { profile, repository, at }.stands(&chain, file.version()).is_ok();
    match stands(at) {
        true => turning_points(&chain, at).into_iter().find(|end| !stands(after(*end))),
        false => Some(at),
    }
}

/// At the instant of an end itself clients differ; a moment later they agree.
fn after(end: Timestamp) -> Timestamp {
    end.checked_add(SignedDuration::from_secs(1)).unwrap_or(end)
}

/// The clients that `after` would cut off: they reach the newest root of `before` today and not that of `after`.
///
/// In a genesis, when `before` is empty, every client must reach the first root.
pub fn cut_off(before: &Chain, after: &Chain, dialect: Dialect, walked: (&str, Timestamp)) -> Lost {
    let (repository, at) = walked;
    let profiles = Profile::of(dialect);
    let clients = profiles
        .flat_map(|profile| starts(after, profile).into_iter().map(move |start| (start, profile)));
    let today = clients.map(|(start, profile)| {
        (start, profile, reach(Walker { profile, repository, at }, after, start))
    });
    lost(before, after, today, walked)
}

/// The same where it is known how every client fares in `after`.
pub fn cut_off_of(
    before: &Chain,
    after: &Chain,
    fares: &[Fare],
    walked: (&str, Timestamp),
) -> Lost {
    let today = fares.iter().map(|fare| (fare.start, fare.profile, fare.today.clone()));
    lost(before, after, today, walked)
}

/// Clients with the root that each holds, and why it stops.
pub type Lost = Vec<(Option<Version>, &'static Profile, Stop)>;

fn lost(
    before: &Chain,
    after: &Chain,
    today: impl Iterator<Item = (Option<Version>, &'static Profile, Result<(), Stop>)>,
    (repository, at): (&str, Timestamp),
) -> Lost {
    let mut lost = Vec::new();
    for (start, profile, today) in today {
        // Nearly nobody is stopped by the new root: only of those it is asked whether they work without it.
        let Err(stop) = today else { continue };
        let is_new = start.is_some() && start == after.newest() && before.newest().is_some();
        if is_new || reach(Walker { profile, repository, at }, before, start).is_ok() {
            lost.push((start, profile, stop));
        }
    }
    lost
}

/// Every later instant at which a root or a certificate begins or ends, in order.
fn turning_points(chain: &Chain, from: Timestamp) -> Vec<Timestamp> {
    let day = SignedDuration::from_hours(24);
    let mut points = Vec::new();
    for file in chain.files().values() {
        let root = file.root();
        points.push(root.expires().instant());
        for bundle in root.role_keys(Role::Root).filter_map(|(_, key)| key.bundle()) {
            for certificate in std::iter::once(bundle.leaf()).chain(bundle.intermediates()) {
                points.push(certificate.not_after());
                points.extend(certificate.not_before().checked_sub(day));
            }
        }
    }
    points.retain(|point| *point >= from);
    points.sort();
    points.dedup();
    points
}

/// A root key that the newest root no longer lists, and what whoever has it could still do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldKey {
    /// The key.
    pub key: PublicKey,
    /// The last version that lists it.
    pub last: Version,
    /// How many of that version's keys it takes to sign a root that a client holding that version believes.
    pub needed: i64,
    /// From when on no client holding such a version believes it any more; none means that this never ends.
    pub until: Option<Timestamp>,
}

/// The old root keys of a chain (docs/threats.md rule 25).
///
/// A TUF client believes the root it holds for ever. Notary's client refuses a root in its cache once fewer of its
/// certificates are valid than its threshold.
pub fn old_keys(chain: &Chain) -> Vec<OldKey> {
    let Some((_, newest)) = chain.files().last_key_value() else { return Vec::new() };
    let current: Vec<_> = publics(newest.root()).collect();
    let mut old: BTreeMap<PublicKey, OldKey> = BTreeMap::new();
    for (version, file) in chain.files() {
        let root = file.root();
        let needed = root.role(Role::Root).map_or(0, |role| role.threshold);
        let until = believed_until(root, needed);
        for key in publics(root).filter(|key| !current.contains(key)) {
            let entry = old.entry(key.clone()).or_insert_with(|| OldKey {
                key: key.clone(),
                last: *version,
                needed,
                until,
            });
            entry.last = *version;
            entry.needed = entry.needed.min(needed);
            // None is for ever, and for ever is later than any day.
            entry.until = match (entry.until, until) {
                (Some(a), Some(b)) => Some(a.max(b)),
                _ => None,
            };
        }
    }
    old.into_values().collect()
}

fn publics(root: &Root) -> impl Iterator<Item = &PublicKey> {
    root.role_keys(Role::Root).filter_map(|(_, key)| key.public())
}

fn believed_until(root: &Root, needed: i64) -> Option<Timestamp> {
    if root.dialect() == Dialect::Tuf {
        return None;
    }
    let bundles = root.role_keys(Role::Root).filter_map(|(_, key)| key.bundle());
    let mut ends: Vec<_> = bundles.map(|bundle| bundle.leaf().not_after()).collect();
    ends.sort();
    // With n certificates and m needed, the (n - m + 1)th end leaves too few.
    let enough = usize::try_from(needed.max(1)).unwrap_or(usize::MAX);
    ends.len().checked_sub(enough).and_then(|index| ends.get(index).copied())
}

#[cfg(test)]
mod tests;
