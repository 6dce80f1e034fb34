//! Who can sign, and who can stop it: the smallest sets of people, counted over tokens and shares.
//!
//! Second floor: pure.

use std::collections::BTreeSet;

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
}

/// More seats than this are refused, since every subset of them would be too many to try.
const MOST_SEATS: usize = 20;

impl Quorum {
    /// Counts who can sign with `threshold` of `keys`. Beyond twenty seats nothing is counted, and no set is found.
    pub fn of(roster: &Roster, keys: &[&Key], threshold: usize) -> Self {
        let seats: BTreeSet<&str> = keys
            .iter()
            .flat_map(|key| key.holding.holders())
            .map(|token| roster.custodian(token))
            .collect();
        let seats: Vec<&str> = seats.into_iter().collect();
        let rules = [false, true].map(|is_stop| rule(roster, keys, threshold, is_stop));
        if seats.len() > MOST_SEATS {
            return Self { can_sign: Vec::new(), can_stop: Vec::new(), seats: seats.len(), rules };
        }
        let keys: Vec<Ballot> = keys.iter().map(|key| Ballot::of(roster, key, &seats)).collect();
        let all = (1_u32 << seats.len()) - 1;
        let signs: Vec<bool> = (0..=all)
            .map(|present| keys.iter().filter(|key| key.usable(present)).count() >= threshold)
            .collect();
        let signs = |present: u32| signs.get(present as usize).copied().unwrap_or_default();
        let name = |set: u32| {
            let chosen = seats.iter().enumerate().filter(|(bit, _)| set & (1 << bit) != 0);
            chosen.map(|(_, seat)| (*seat).to_owned()).collect()
        };
        // More people never can less, so a set is among the smallest if it needs each of its own.
        let smallest = |fits: &dyn Fn(u32) -> bool| -> Vec<Seats> {
            let needs_all = |set: u32| {
                (0..seats.len()).all(|bit| set & (1 << bit) == 0 || !fits(set & !(1 << bit)))
            };
            let mut found: Vec<u32> =
                (1..=all).filter(|set| fits(*set) && needs_all(*set)).collect();
            found.sort_by_key(|set| (set.count_ones(), *set));
            found.into_iter().map(name).collect()
        };
        Self {
            can_sign: smallest(&signs),
            can_stop: smallest(&|set| !signs(all & !set)),
            seats: seats.len(),
            rules,
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
        if self.seats > MOST_SEATS {
            let what = format!(
                "{} seats hold keys or shares, and who can sign is counted for at most {MOST_SEATS}",
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
        vec![
            format!("can sign together: {}", list(&self.can_sign, sign)),
            format!("can stop signing: {}", list(&self.can_stop, stop)),
        ]
    }
}

/// More sets than this are told by the rule that they follow.
const MOST_SETS: usize = 6;

/// `any 2 of: seat A; seat B; 3 of seat 1, seat 2 and seat 3`. A key is stopped by as many of its holders as leave too
/// few, and the signing by as many of the keys.
fn rule(roster: &Roster, keys: &[&Key], threshold: usize, is_stop: bool) -> String {
    let many =
        |needed: usize, of: usize| if is_stop { (of + 1).saturating_sub(needed) } else { needed };
    let holders = keys.iter().map(|key| {
        let tokens = key.holding.holders().iter();
        let seats: Vec<&str> = tokens.map(|token| roster.custodian(token)).collect();
        match seats.as_slice() {
            [seat] => (*seat).to_owned(),
            seats => format!("{} of {}", many(key.holding.needed(), seats.len()), List::and(seats)),
        }
    });
    let holders: Vec<String> = holders.collect();
    match (many(threshold, keys.len()), holders.as_slice()) {
        (_, [one]) => one.clone(),
        (many, _) => format!("any {many} of: {}", holders.join("; ")),
    }
}

/// A key by the seats of its tokens, one bit for each token.
struct Ballot {
    tokens: Vec<u32>,
    needed: usize,
}

impl Ballot {
    fn of(roster: &Roster, key: &Key, seats: &[&str]) -> Self {
        let tokens = key.holding.holders().iter().map(|token| {
            let custodian = roster.custodian(token);
            seats.iter().position(|seat| *seat == custodian).map_or(0, |bit| 1 << bit)
        });
        Self { tokens: tokens.collect(), needed: key.holding.needed() }
    }

    fn usable(&self, present: u32) -> bool {
        self.tokens.iter().filter(|token| **token & present != 0).count() >= self.needed
    }
}
