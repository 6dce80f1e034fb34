//! Whom a new root would cut off, and until when everybody can follow: the walk and the horizon of every candidate.
//!
//! Second floor: pure. docs/threats.md rule 25.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Ceremony;
use super::draft::{self, Draft};
use super::plan::{Plan, midnight};
use crate::check::Check;
use crate::refusal::Refusal;
use crate::root::horizon::{self, Fare};
use crate::root::walk::{Chain, Stop};
use crate::root::{KeyId, SignedRoot, Version};
use crate::wording::one_line;
use crate::wording::told::Told;

/// What is to be published: a candidate whose signatures are assumed, or the completed root.
#[derive(Clone, Copy, Debug)]
pub enum Newest<'a> {
    /// Not signed yet; these ids will sign.
    Assumed(&'a BTreeSet<KeyId>),
    /// Signed.
    Complete(&'a SignedRoot),
}

/// Has every client walk from every root it may hold to the new one, today and on every later day on which something
/// ends; returns the horizon.
///
/// # Errors
/// `[WALK]` for a client that works today and would not reach the new root; `[HORIZON]` for one that would fail before
/// the plan's `safe_until`.
pub fn check(
    plan: &Plan,
    draft: &Draft,
    newest: Newest<'_>,
    at: Timestamp,
) -> Result<Vec<Fare>, Refusal> {
    let before = Chain::new(draft.chain.iter().cloned());
    let after = published(draft, newest);
    let name = &draft.repository;
    let fares = horizon::survey(&after, plan.dialect(), name, at);
    let lost = horizon::cut_off_of(&before, &after, &fares, (name, at));
    if let Some((start, profile, stop)) = lost.first() {
        let what = format!(
            "`{name}`: {} would not reach the new root: {}",
            holder(profile.name, *start),
            stop_words(stop)
        );
        return Err(Refusal::of(Check::Walk, what)
            .hint("keep what it needs: old keys that sign, certificates that are valid, one version at a time"));
    }
    let safe = plan.safe_until().map(midnight);
    let early = fares.iter().find_map(|fare| {
        let (day, stop) = fare.ends.as_ref()?;
        safe.is_some_and(|safe| *day < safe).then_some((fare, day, stop))
    });
    if let Some((fare, day, stop)) = early {
        let who = holder(fare.profile.name, fare.start);
        let day = day.strftime("%Y-%m-%d");
        let what = format!("`{name}`: from {day} on, {who} would fail: {}", stop_words(stop));
        return Err(Refusal::of(Check::Horizon, what)
            .hint("give certificates and root later dates, or the plan an earlier `safe_until`"));
    }
    Ok(fares)
}

/// Has every client walk to a candidate, as [`check`], and says its horizon.
///
/// # Errors
/// As [`check`].
pub fn walk(ceremony: &Ceremony, draft: &Draft, at: Timestamp) -> Result<Vec<String>, Refusal> {
    let fares = check(ceremony.plan(), draft, Newest::Assumed(&signers(ceremony, draft)), at)?;
    Ok(sentences(&draft.repository, &fares))
}

/// What was found of many candidates before there is a room, in sentences.
#[derive(Debug, Default)]
pub struct Prospects {
    /// Until when every client can follow.
    pub horizon: Told,
    /// Until when old keys can mislead somebody.
    pub old_keys: Told,
}

impl Prospects {
    /// Looks at every candidate of a ceremony.
    ///
    /// # Errors
    /// As [`walk`] and [`draft::look_at_each`].
    pub fn of(ceremony: &Ceremony, at: Timestamp) -> Result<Self, Refusal> {
        let prospects = Self::default();
        let look = |place: usize, draft: &Draft| {
            let name = &draft.repository;
            prospects.horizon.add(place, name, walk(ceremony, draft, at)?);
            prospects.old_keys.add(place, name, old_keys(ceremony, draft, &draft.candidate));
            Ok(())
        };
        draft::look_at_each(ceremony, &look, &mut |_, ()| Ok(()))?;
        Ok(prospects)
    }
}

/// The ids under which the keys that can still be used will sign.
pub fn signers(ceremony: &Ceremony, draft: &Draft) -> BTreeSet<KeyId> {
    let usable = ceremony.roster().keys().iter().filter(|key| ceremony.is_usable(key));
    usable
        .filter_map(|key| ceremony.public(&key.name))
        .flat_map(|public| draft.ids(&public))
        .collect()
}

/// How every client fares from every root that it may hold up to a complete one, at a moment and later. What is known of
/// another moment is taken where nothing begins or ends in between.
pub fn fares_known(
    draft: &Draft,
    complete: &SignedRoot,
    at: Timestamp,
    known: Option<(Timestamp, Vec<Fare>)>,
) -> Vec<Fare> {
    let chain = published(draft, Newest::Complete(complete));
    match known {
        Some((other, fares)) if horizon::is_calm(&chain, at, other) => fares,
        _ => horizon::survey(&chain, draft.root().dialect(), &draft.repository, at),
    }
}

/// The chain as it will be published.
fn published(draft: &Draft, newest: Newest<'_>) -> Chain {
    let chain = Chain::new(draft.chain.iter().cloned());
    match newest {
        Newest::Assumed(ids) => chain.with_candidate(draft.candidate.clone(), ids.clone()),
        Newest::Complete(root) => chain.with_candidate(root.clone(), BTreeSet::new()),
    }
}

/// The horizon as sentences, the first day first: who works until then, and what happens on it.
pub fn sentences(repository: &str, fares: &[Fare]) -> Vec<String> {
    let mut ends: BTreeMap<(Timestamp, String), Concerned<'_>> = BTreeMap::new();
    for fare in fares {
        let Some((day, stop)) = &fare.ends else { continue };
        let same = ends.entry((*day, stop_words(stop))).or_default();
        same.entry(fare.profile.name).or_default().insert(fare.start);
    }
    let sentence = |((day, stop), who): ((Timestamp, String), Concerned<'_>)| {
        let who: Vec<String> =
            who.iter().map(|(profile, starts)| holders(profile, starts)).collect();
        let (day, who) = (day.strftime("%Y-%m-%d"), who.join(", "));
        format!("`{repository}` until {day}: {who}; then {stop}")
    };
    ends.into_iter().map(sentence).collect()
}

/// Kinds of clients, each with the roots that it may hold.
type Concerned<'a> = BTreeMap<&'a str, BTreeSet<Option<Version>>>;

/// Clients of one kind, by the roots that they hold: `Notary client with no root or with root 1, 2, 3`.
fn holders(profile: &str, starts: &BTreeSet<Option<Version>>) -> String {
    let versions: Vec<String> = starts.iter().flatten().map(ToString::to_string).collect();
    let new = starts.contains(&None).then(|| "with no root".to_owned());
    let held = (!versions.is_empty()).then(|| format!("with root {}", versions.join(", ")));
    let starts: Vec<String> = new.into_iter().chain(held).collect();
    format!("{profile} {}", starts.join(" or "))
}

/// Until when whoever has an old root key could still mislead somebody, as sentences (docs/threats.md rule 25).
pub fn old_keys(ceremony: &Ceremony, draft: &Draft, complete: &SignedRoot) -> Vec<String> {
    let chain = Chain::new(draft.chain.iter().cloned().chain([complete.clone()]));
    let name = &draft.repository;
    let told = horizon::old_keys(&chain).into_iter().map(|old| {
        let known = ceremony.past().custody().key_of(&old.key).map(|key| key.name.clone());
        let called = known.unwrap_or_else(|| old.key.id().to_string());
        let until = match old.until {
            Some(until) => format!("until {}", until.strftime("%Y-%m-%d")),
            None => "for ever".to_owned(),
        };
        let (last, needed) = (old.last, old.needed);
        format!("`{name}`: with {needed} of the keys of root {last}, {called} among them, a client that still holds it can be misled {until}")
    });
    told.collect()
}

fn holder(profile: &str, start: Option<Version>) -> String {
    match start {
        Some(version) => format!("a {profile} that holds root {version}"),
        None => format!("a {profile} that begins anew"),
    }
}

/// What stops a client may quote a root that another tool made.
fn stop_words(stop: &Stop) -> String {
    one_line(&stop.to_string())
}
