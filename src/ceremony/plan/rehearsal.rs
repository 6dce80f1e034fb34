//! The plans of a rehearsal: a stand-in of the past, and the plan itself moved to where nobody believes it.
//!
//! Second floor: pure. docs/threats.md rule 26: names below `rehearsal.invalid/`, every date thirty years back,
//! throw-away keys. The past is made again as one chain of the same length and dates, by the keys of its last root.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;
use toml::Spanned;

use super::{
    Kind, Owner, Plan, PlanText, PlannedKey, PlannedPaper, PlannedRecipient, PlannedRepository,
    PlannedRequest, PlannedRetire, PlannedRole, PlannedRoot, PlannedShares, PlannedToken, RoleKeys,
    Window, midnight,
};
use crate::ceremony::roster::{Holding, Key, KeyOrigin, Recipient, Roster};
use crate::digest::Digest;
use crate::key::AgeKey;
use crate::list::Pins;
use crate::root::certificate::earliest_end;
use crate::root::{Dialect, Role, SignedRoot};
use crate::trust::{CustodyKey, Held, Lineage, Past};

/// What every name of a rehearsal begins with.
pub const PREFIX: &str = "rehearsal.invalid/";
/// How far back every date is moved: thirty years with seven leap days.
pub const DAYS: i64 = 10_957;

/// Roots by the name of their repository, version 1 first.
pub type Chains = BTreeMap<String, Vec<SignedRoot>>;

/// A plan of a rehearsal, before what came earlier in it is known.
#[derive(Clone, Debug)]
pub struct Stage {
    /// What it is, for people.
    pub title: String,
    text: PlanText,
}

impl Stage {
    /// The plan's text.
    pub fn text(
        &self,
        after: Option<Digest>,
        request: Option<PlannedRequest>,
        online: &BTreeMap<Role, Digest>,
        past: &Past,
    ) -> String {
        let mut text = self.text.clone();
        if let Some(retire) = text.retire.take() {
            let retire = retire.into_inner();
            text.retire = Some(spanned(PlannedRetire { sets: sets(&retire, past), ..retire }));
        }
        text.after = after;
        text.request = request;
        let changed: BTreeSet<Role> = text.role.iter().map(|role| role.get_ref().name).collect();
        for repository in &mut text.repository {
            let pins = online.iter().filter(|(role, _)| changed.contains(role));
            repository.pins = pins.map(|(role, id)| (*role, *id)).collect();
        }
        // Every field is a text, a number, a day or a list of those.
        toml::to_string(&text).unwrap_or_default()
    }

    /// The names of its repositories.
    pub fn repositories(&self) -> Vec<String> {
        self.text.repository.iter().map(|repository| repository.name.clone()).collect()
    }

    /// The roles whose keys change.
    pub fn roles(&self) -> BTreeSet<Role> {
        self.text.role.iter().map(|role| role.get_ref().name).collect()
    }

    /// The dialect.
    pub fn dialect(&self) -> Dialect {
        self.text.dialect
    }

    /// How many days lie between the two requests that it is held with.
    pub fn hold(&self) -> i64 {
        self.text.retire.as_ref().and_then(|retire| retire.get_ref().hold).map_or(0, i64::from)
    }

    /// The first day on which it may be held, thirty years back.
    pub fn from(&self) -> Date {
        self.text.when.from
    }
}

/// The stages of a rehearsal on the module `soft`, the plan itself last. `chains` has the roots of every repository that
/// the plan is about, by name.
pub fn stages(plan: &Plan, roster: &Roster, chains: &Chains, soft: Digest) -> Vec<Stage> {
    let mut stages = Vec::new();
    let longest = chains.values().max_by_key(|chain| chain.len());
    if let (false, Some(chain)) = (plan.kind() == Kind::Genesis, longest) {
        for (number, root) in (1..).zip(chain) {
            let of = chain.len();
            let title = format!("stand-in of the past: root {number} of {of}");
            let repository = repositories(chains.keys());
            let past = past(plan, roster, chain, root);
            let text = PlanText { modules: vec![soft], repository, ..past };
            stages.push(Stage { text, title });
            if number == 1 {
                stages.extend(moved(plan, roster, Kind::Reshare, soft));
            }
        }
        stages.extend(moved(plan, roster, Kind::Restore, soft));
    }
    let title = format!("REHEARSAL of {}", plan.title());
    // A plan that names no module asks for its exception in the rehearsal, too.
    let modules = if plan.trusts_any_module() { Vec::new() } else { vec![soft] };
    stages.push(Stage { text: PlanText { modules, ..itself(plan, roster) }, title });
    stages
}

/// Before a retire, in the stand-in of the past: the keys of which an old set goes move to where they are, with a new set
/// after the first root, or onto a token after the last one, which could not keep such a key.
fn moved(plan: &Plan, roster: &Roster, kind: Kind, soft: Digest) -> Option<Stage> {
    let is_it = |key: &&Key| match key.holding {
        Holding::Shares { .. } => key.from.is_some() && kind == Kind::Reshare,
        Holding::Token(_) => key.from.is_some() && kind == Kind::Restore,
    };
    let keys: Vec<&Key> = roster.keys().iter().filter(is_it).collect();
    if keys.is_empty() || plan.kind() != Kind::Retire {
        return None;
    }
    let all = roster.keys().iter();
    let known: BTreeSet<&String> = match kind {
        Kind::Reshare => all.flat_map(|key| key.opened_from().holders()).collect(),
        _ => all.filter(|key| !is_it(key)).flat_map(Key::all_holders).collect(),
    };
    let new: BTreeSet<&String> = keys.iter().flat_map(|key| key.holding.holders()).collect();
    let new: BTreeSet<&String> = new.difference(&known).copied().collect();
    let falls = (kind == Kind::Restore).then_some(1);
    let planned = |key: &&Key| {
        let planned = planned_key(roster, key, &key.holding);
        spanned(PlannedKey { threshold_falls_to: falls, ..planned })
    };
    let text = PlanText {
        ceremony: kind,
        title: format!("REHEARSAL: stand-in of {}", kind.with_article()),
        modules: vec![soft],
        token: tokens(roster, &new),
        paper: papers(roster, &new),
        recipient: recipients(roster, &new),
        key: keys.iter().map(planned).collect(),
        ..nothing(plan)
    };
    Some(Stage { text, title: format!("stand-in of the past: {}", kind.with_article()) })
}

/// The ids of the sets that go, as the stand-in of the past has them: every old one, where any goes.
fn sets(planned: &PlannedRetire, past: &Past) -> Vec<String> {
    if planned.sets.is_empty() {
        return Vec::new();
    }
    let whole = |key: &&CustodyKey| planned.keys.contains(&key.name);
    let keys = past.custody().keys.iter().filter(|key| !whole(key));
    let former = keys.flat_map(|key| &key.former);
    let ids = former.filter_map(|held| match held {
        Held::Shares { set, .. } => Some(set.clone()),
        Held::Token { .. } => None,
    });
    ids.collect()
}

/// The repositories that a plan is about which names none: whose newest root lists one of its keys.
pub fn about(roster: &Roster, past: &Past) -> Vec<String> {
    let lists = |lineage: &Lineage, key: &Key| match &key.origin {
        KeyOrigin::Known(public) => lineage.is_governed_by(public),
        KeyOrigin::Adopted(_) | KeyOrigin::Imported(_) | KeyOrigin::New => false,
    };
    let listed = past.repositories().iter();
    let listed = listed.filter(|(_, lineage)| roster.keys().iter().any(|key| lists(lineage, key)));
    listed.map(|(name, _)| name.to_owned()).collect()
}

/// A day of the plan in its place in a rehearsal.
pub fn shift(day: Date) -> Date {
    day.checked_sub(DAYS.days()).unwrap_or(Date::MIN)
}

fn name(real: &str) -> String {
    format!("{PREFIX}{real}")
}

fn spanned<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

fn repositories<'a>(names: impl Iterator<Item = &'a String>) -> Vec<PlannedRepository> {
    let named =
        names.map(|real| PlannedRepository { name: name(real), last: None, pins: Pins::default() });
    named.collect()
}

/// The plan itself: the same acts, thirty years back, under names that nobody trusts.
fn itself(plan: &Plan, roster: &Roster) -> PlanText {
    let mut text = plan.text.clone();
    text.title = format!("REHEARSAL: {}", text.title);
    text.practice = false;
    text.exclude = Vec::new();
    text.repositories = None;
    text.repository = repositories(plan.repositories().iter().map(|planned| &planned.name));
    text.safe_until = text.safe_until.map(shift);
    text.next_drill = text.next_drill.map(shift);
    text.when = Window { from: shift(text.when.from), until: shift(text.when.until) };
    text.root = text.root.map(|root| {
        let root = root.into_inner();
        let (mut expires, until) = (shift(root.expires), root.certificates_until.map(shift));
        if until.is_some_and(|until| until < two_years_after(expires)) {
            // Thirty years back, other two years have the leap day.
            expires = expires.yesterday().unwrap_or(Date::MIN);
        }
        spanned(PlannedRoot {
            expires,
            certificates_until: until,
            certificate_name: root.certificate_name.map(|called| certificate_name(&called)),
            ..root
        })
    });
    text.retire = text.retire.map(|retire| {
        let retire = retire.into_inner();
        // A practice may hold nothing back, and a rehearsal is none.
        let asks = plan.dialect() == Dialect::Notary && !retire.keys.is_empty();
        let hold = asks.then(|| retire.hold().max(1));
        spanned(PlannedRetire { hold, ..retire })
    });
    text.key.retain(|key| key.get_ref().is_made());
    for recipient in &mut text.recipient {
        let mut planned = recipient.get_ref().clone();
        if let Some((age, _)) = AgeKey::of_rehearsal(&planned.name) {
            planned.age = age;
        }
        *recipient = spanned(planned);
    }
    text.token.retain(|token| roster.token(&token.get_ref().name).is_some());
    text.role = roles(text.role.iter().map(|role| role.get_ref().name));
    text
}

fn certificate_name(real: &str) -> String {
    if real == "gun" { real.to_owned() } else { name(real) }
}

/// One root of the past: the first by a genesis, the others by renewals, with the dates that they have. The last one
/// before a retire is a rotation, by which the keys go that are retired.
fn past(plan: &Plan, roster: &Roster, chain: &[SignedRoot], root: &SignedRoot) -> PlanText {
    let old: Vec<&Key> = roster.keys().iter().filter(|key| key.origin != KeyOrigin::New).collect();
    let is_first = root.version().get() == 1;
    let is_last = root.version().get() as usize == chain.len();
    let goes = |key: &&&Key| !is_in_last(key, chain);
    let retires = plan.kind() == Kind::Retire && old.iter().any(|key| goes(&key));
    let is_listed = |key: &&&Key| is_in_last(key, chain) || (retires && !is_last);
    let listed: Vec<&&Key> = old.iter().filter(is_listed).collect();
    let when = nothing(plan).when;
    let threshold =
        chain.last().and_then(|last| last.root().role(Role::Root)).map_or(1, |role| role.threshold);
    let threshold = u32::try_from(threshold).unwrap_or(1).clamp(1, listed.len().max(1) as u32);
    let expires = later(shift(day_of(root)), when.until, 1);
    let certificates_until = match plan.dialect() {
        Dialect::Tuf => None,
        Dialect::Notary => Some(certificates_end(chain).max(two_years_after(expires))),
    };
    let made: BTreeSet<&String> = match is_first {
        true => old.iter().flat_map(|key| key.opened_from().holders()).collect(),
        false => BTreeSet::new(),
    };
    PlanText {
        ceremony: match is_first {
            true => Kind::Genesis,
            false if retires && is_last => Kind::Rotate,
            false => Kind::Renew,
        },
        title: format!("REHEARSAL: stand-in of root {}", root.version()),
        token: tokens(roster, &made),
        paper: papers(roster, &made),
        recipient: recipients(roster, &made),
        key: if is_first {
            old.iter().map(|key| spanned(planned_key(roster, key, key.opened_from()))).collect()
        } else {
            Vec::new()
        },
        root: Some(spanned(PlannedRoot {
            keys: listed.iter().map(|key| key.name.clone()).collect(),
            threshold,
            expires,
            certificates_until,
            certificate_name: plan
                .root()
                .and_then(|root| root.certificate_name.as_deref())
                .map(certificate_name),
        })),
        role: if is_first { roles(Role::ONLINE) } else { Vec::new() },
        ..nothing(plan)
    }
}

/// A stand-in that does nothing, on the days of the plan; before a retire so many days earlier that its two requests fit
/// in between.
fn nothing(plan: &Plan) -> PlanText {
    let asks = plan.retire().filter(|_| plan.dialect() == Dialect::Notary);
    let earlier = asks.map_or(0, |retire| i64::from(retire.hold().max(1)) + 1);
    let day = |day: Date| shift(day).checked_sub(earlier.days()).unwrap_or(Date::MIN);
    PlanText {
        ceremony: Kind::Renew,
        title: String::new(),
        dialect: plan.dialect(),
        after: None,
        quorum_people: 1,
        practice: false,
        safe_until: None,
        modules: Vec::new(),
        when: Window { from: day(plan.when().from), until: day(plan.when().until) },
        request: None,
        repositories: None,
        repository: Vec::new(),
        exclude: Vec::new(),
        token: Vec::new(),
        paper: Vec::new(),
        recipient: Vec::new(),
        person: Vec::new(),
        never_both: Vec::new(),
        next_drill: None,
        key: Vec::new(),
        root: None,
        role: Vec::new(),
        abandon: None,
        retire: None,
    }
}

fn is_in_last(key: &Key, chain: &[SignedRoot]) -> bool {
    let last = chain.last().map(SignedRoot::root);
    match &key.origin {
        KeyOrigin::Known(public) => last.is_some_and(|last| last.root_key_id(public).is_some()),
        KeyOrigin::Adopted(_) | KeyOrigin::Imported(_) => true,
        KeyOrigin::New => false,
    }
}

fn tokens(roster: &Roster, used: &BTreeSet<&String>) -> Vec<Spanned<PlannedToken>> {
    let tokens = roster.tokens().iter().filter(|token| used.contains(&token.name));
    tokens
        .map(|token| {
            let (name, custodian) = (token.name.clone(), token.custodian.clone());
            let so_holder = token.so_holder.clone();
            spanned(PlannedToken { name, custodian, so_holder, site: None })
        })
        .collect()
}

fn papers(roster: &Roster, used: &BTreeSet<&String>) -> Vec<Spanned<PlannedPaper>> {
    let papers = roster.papers().iter().filter(|paper| used.contains(&paper.name));
    papers
        .map(|paper| {
            let (name, custodian) = (paper.name.clone(), paper.custodian.clone());
            spanned(PlannedPaper { name, custodian, site: None })
        })
        .collect()
}

/// Nobody's own identity is needed to rehearse: another one stands in for it.
fn recipients(roster: &Roster, used: &BTreeSet<&String>) -> Vec<Spanned<PlannedRecipient>> {
    let recipients = roster.recipients().iter().filter(|known| used.contains(&known.name));
    let stand_in = |known: &Recipient| {
        let (name, custodian) = (known.name.clone(), known.custodian.clone());
        let age = AgeKey::of_rehearsal(&name).map_or_else(|| known.age.clone(), |(age, _)| age);
        spanned(PlannedRecipient { name, custodian, age, site: None })
    };
    recipients.map(stand_in).collect()
}

fn planned_key(roster: &Roster, key: &Key, holding: &Holding) -> PlannedKey {
    let (token, shares) = match holding {
        Holding::Token(token) => (Some(token.clone()), None),
        Holding::Shares { threshold, holders } => {
            let is_paper = |name: &String| roster.paper(name).is_some();
            let is_recipient = |name: &String| roster.recipient(name).is_some();
            let (papers, others) = holders.iter().cloned().partition::<Vec<_>, _>(is_paper);
            let (recipients, tokens) = others.into_iter().partition(is_recipient);
            (None, Some(PlannedShares { threshold: *threshold, tokens, papers, recipients }))
        }
    };
    PlannedKey {
        name: key.name.clone(),
        algorithm: key.algorithm,
        token,
        shares,
        adopt: None,
        import: None,
        rotate_by: None,
        threshold_falls_to: None,
    }
}

/// The online roles: one throw-away key stands in for all keys of a role, so one signs.
fn roles(names: impl IntoIterator<Item = Role>) -> Vec<Spanned<PlannedRole>> {
    let role = |name| PlannedRole {
        name,
        keys: RoleKeys::Request,
        threshold: 1,
        owner: Some(Owner::Server),
    };
    names.into_iter().map(|name| spanned(role(name))).collect()
}

fn day_of(root: &SignedRoot) -> Date {
    root.root().expires().instant().to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn certificates_end(chain: &[SignedRoot]) -> Date {
    let last = chain.last().map(SignedRoot::root);
    let keys = last.into_iter().flat_map(|last| last.role_keys(Role::Root));
    let ends = keys.filter_map(|(_, key)| key.bundle()).map(|bundle| bundle.leaf().not_after());
    let end = ends.max().map(|end| end.to_zoned(jiff::tz::TimeZone::UTC).date());
    end.map_or(Date::MIN, shift)
}

/// The day on which certificates may end first under a root that expires on `day`.
fn two_years_after(day: Date) -> Date {
    earliest_end(midnight(day)).to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The day, or `least` days after `other` if that is later.
fn later(day: Date, other: Date, least: i64) -> Date {
    day.max(other.checked_add(least.days()).unwrap_or(Date::MAX))
}

#[cfg(test)]
mod tests;
