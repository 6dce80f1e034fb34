//! Who can sign, and who can stop it: the smallest sets of people, counted over tokens and shares.
//!
//! Second floor: pure.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::Plan;
use super::roster::{Key, Roster};
use crate::check::Check;
use crate::refusal::Refusal;
use crate::wording::{Count, List};

/// A set of seats.
pub type Seats = BTreeSet<String>;

/// The answers for one set of keys and threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// The smallest sets that can sign, none of which contains another.
    pub can_sign: Vec<Seats>,
    /// The smallest sets without whom nobody can sign.
    pub can_stop: Vec<Seats>,
    /// How many seats hold something of the keys.
    pub seats: usize,
    /// The same as rules over the keys: who can sign, and who can stop it.
    rules: [String; 2],
    /// Who holds an SO PIN or PUK, and of which tokens.
    outrank: BTreeMap<String, Vec<String>>,
}

impl Quorum {
    /// Counts who can sign with `threshold` of `keys`. Beyond twenty seats nothing is counted, and no set is found.
    ///
    /// Whoever holds an SO PIN sets a PIN, so that nothing but the token keeps them from signing: they are counted as if
    /// they had it. That they are not there stops nobody.
    pub fn of<'a>(roster: &'a Roster, keys: &[&'a Key], threshold: usize) -> Self {
        let holders: BTreeSet<&String> =
            keys.iter().flat_map(|key| key.holding.holders()).collect();
        let seats = holders.iter().flat_map(|holder| roster.users(holder));
        let seats: Vec<&str> = seats.collect::<BTreeSet<_>>().into_iter().collect();
        let rules = [false, true].map(|is_stop| rule(roster, keys, threshold, is_stop));
        let over = |of: &dyn Fn(&'a str) -> Vec<&'a str>| {
            let votes = keys.iter().map(|key| {
                let holders = key.holding.holders().iter();
                (key.holding.needed(), holders.map(|holder| of(holder)).collect())
            });
            Ballots::over(&seats, votes, threshold)
        };
        let may_sign = over(&|holder| roster.users(holder));
        let held = over(&|holder| vec![roster.custodian(holder)]);
        let all = everybody(seats.len());
        let named = |fits: &dyn Fn(Members) -> bool| {
            let sets = smallest(seats.len(), fits).unwrap_or_default().into_iter();
            sets.map(|set| members(&seats, set).map(|seat| (*seat).to_owned()).collect()).collect()
        };
        Self {
            can_sign: named(&|set| may_sign.reach(set)),
            can_stop: named(&|set| !held.reach(all & !set)),
            seats: seats.len(),
            rules,
            outrank: outranking(roster, &holders),
        }
    }

    /// Counts for the new root of a plan.
    pub fn of_plan(plan: &Plan, roster: &Roster) -> Self {
        let keys: Vec<&Key> = roster.keys().iter().filter(|key| key.stays).collect();
        Self::of(roster, &keys, plan.root().map_or(1, |root| root.threshold as usize))
    }

    /// Refuses a plan by which fewer people than it asks for can sign. `[PLAN-QUORUM]`
    ///
    /// # Errors
    /// The refusal names the smallest set.
    pub fn check(&self, needed: u32) -> Result<(), Refusal> {
        if self.seats > MOST_COUNTED {
            let what = format!(
                "{} seats hold keys or shares, and who can sign is counted for at most {MOST_COUNTED}",
                self.seats
            );
            return Err(Refusal::of(Check::PlanQuorum, what).hint("give fewer seats a part"));
        }
        let Some(smallest) = self.can_sign.iter().min_by_key(|set| set.len()) else {
            return Err(Refusal::of(Check::PlanQuorum, "nobody can sign by this plan")
                .hint("lower `threshold` in `[root]`, or add keys"));
        };
        if smallest.len() >= needed as usize {
            return Ok(());
        }
        let seats: Vec<&String> = smallest.iter().collect();
        let people = Count(smallest.len(), "person").to_string().replace("persons", "people");
        let what = format!("{people} can sign ({}), the plan asks for {needed}", List::and(&seats));
        Err(Refusal::of(Check::PlanQuorum, what)
            .hint("spread tokens and shares over more custodians"))
    }

    /// The answers as sentences.
    pub fn sentences(&self) -> Vec<String> {
        let [sign, stop] = &self.rules;
        let list = |sets: &[Seats], rule: &str| {
            if sets.len() > MOST_SETS {
                return rule.to_owned();
            }
            let shown = sets
                .iter()
                .map(|set| set.iter().map(String::as_str).collect::<Vec<_>>().join(" + "));
            shown.collect::<Vec<_>>().join("; ")
        };
        let counted = [
            format!("can sign together: {}", list(&self.can_sign, sign)),
            format!("can stop signing: {}", list(&self.can_stop, stop)),
        ];
        let outrank = self.outrank.iter().map(|(seat, tokens)| {
            let tokens: Vec<&String> = tokens.iter().collect();
            format!(
                "{seat} holds the SO PIN of {}, which sets a PIN, and is counted as if the token were in their hands",
                List::and(&tokens)
            )
        });
        counted.into_iter().chain(outrank).collect()
    }
}

/// Who holds an SO PIN or PUK of these, and of which.
fn outranking(roster: &Roster, holders: &BTreeSet<&String>) -> BTreeMap<String, Vec<String>> {
    let mut outrank: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for token in roster.tokens().iter().filter(|token| holders.contains(&token.name)) {
        if let Some(seat) = &token.so_holder {
            outrank.entry(seat.clone()).or_default().push(token.name.clone());
        }
    }
    outrank
}

/// More sets than this are told by the rule that they follow.
const MOST_SETS: usize = 6;

/// `any 2 of: seat A; seat B; 3 of seat 1, seat 2 and seat 3`. A key is stopped by as many of its holders as leave too
/// few, and the signing by as many of the keys.
fn rule(roster: &Roster, keys: &[&Key], threshold: usize, is_stop: bool) -> String {
    let many =
        |needed: usize, of: usize| if is_stop { (of + 1).saturating_sub(needed) } else { needed };
    let holders = keys.iter().map(|key| {
        let seat = |holder: &String| match is_stop {
            true => roster.custodian(holder).to_owned(),
            false => roster.users(holder).join(" or "),
        };
        let seats: Vec<String> = key.holding.holders().iter().map(seat).collect();
        match seats.as_slice() {
            [seat] => seat.clone(),
            seats => format!("{} of {}", many(key.holding.needed(), seats.len()), List::and(seats)),
        }
    });
    let holders: Vec<String> = holders.collect();
    match (many(threshold, keys.len()), holders.as_slice()) {
        (_, [one]) => one.clone(),
        (many, _) => format!("any {many} of: {}", holders.join("; ")),
    }
}

/// Some of those who are counted, a bit for each.
pub(super) type Members = u128;

/// How many can be told apart by [`Members`].
pub(super) const MOST_MEMBERS: usize = 128;

/// Of more than this no set is looked for, since every subset of them would be too many to try.
const MOST_COUNTED: usize = 20;

/// All of so many.
pub(super) const fn everybody(many: usize) -> Members {
    if many >= MOST_MEMBERS { Members::MAX } else { (1 << many) - 1 }
}

/// Those of `all` who are in a set.
pub(super) fn members<T>(all: &[T], set: Members) -> impl Iterator<Item = &T> {
    all.iter().enumerate().filter(move |(bit, _)| set & (1 << bit) != 0).map(|(_, one)| one)
}

/// The smallest sets that fit, none of which contains another; none is looked for among too many.
pub(super) fn smallest(many: usize, fits: &dyn Fn(Members) -> bool) -> Option<Vec<Members>> {
    if many > MOST_COUNTED {
        return None;
    }
    let all = everybody(many);
    let fits: Vec<bool> = (0..=all).map(fits).collect();
    let fits = |set: Members| {
        usize::try_from(set).ok().and_then(|set| fits.get(set)).copied().unwrap_or_default()
    };
    // More never can less, so a set is among the smallest if it needs each of its own.
    let needs_all =
        |set: Members| (0..many).all(|bit| set & (1 << bit) == 0 || !fits(set & !(1 << bit)));
    let mut found: Vec<Members> = (1..=all).filter(|set| fits(*set) && needs_all(*set)).collect();
    found.sort_by_key(|set| (set.count_ones(), *set));
    Some(found)
}

/// Keys of which a number must be usable: the one place that counts who can sign.
#[derive(Clone, Debug)]
pub(super) struct Ballots {
    keys: Vec<Ballot>,
    threshold: usize,
}

/// A key by its holders, each the bits of those who are counted and will do for it.
#[derive(Clone, Debug)]
struct Ballot {
    holders: Vec<Members>,
    needed: usize,
}

impl Ballots {
    /// `votes` gives for each key how many of which holders it takes, each by all of what is counted that will do for it:
    /// its own name, or whoever can use it.
    pub(super) fn over<'a>(
        counted: &[&str],
        votes: impl IntoIterator<Item = (usize, Vec<Vec<&'a str>>)>,
        threshold: usize,
    ) -> Self {
        let bit =
            |name: &str| counted.iter().position(|known| *known == name).map_or(0, |at| 1 << at);
        let any = |names: Vec<&str>| names.into_iter().fold(0, |any, name| any | bit(name));
        let ballot = |(needed, holders): (usize, Vec<Vec<&str>>)| Ballot {
            holders: holders.into_iter().map(any).collect(),
            needed,
        };
        Self { keys: votes.into_iter().map(ballot).collect(), threshold }
    }

    /// Whether those who are present reach the threshold.
    pub(super) fn reach(&self, present: Members) -> bool {
        self.keys.iter().filter(|key| key.is_usable(present)).count() >= self.threshold
    }
}

impl Ballot {
    fn is_usable(&self, present: Members) -> bool {
        self.holders.iter().filter(|holder| **holder & present != 0).count() >= self.needed
    }
}
