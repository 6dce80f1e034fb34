//! Who can sign, and who can stop it: the smallest sets of people, counted over tokens and shares.
//!
//! Second floor: pure.

use std::collections::BTreeSet;

use super::plan::Plan;
use super::roster::{Holding, Key, Roster};
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
}

/// More seats than this are counted by size alone, since every subset would be too many.
const MOST_SEATS: usize = 20;

impl Quorum {
    /// Counts who can sign with `threshold` of `keys`.
    pub fn of(roster: &Roster, keys: &[&Key], threshold: usize) -> Self {
        let seats: Vec<&str> = keys
            .iter()
            .flat_map(|key| key.holding.tokens())
            .map(|token| roster.custodian(token))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .take(MOST_SEATS)
            .collect();
        let signs = |present: u32| {
            keys.iter().filter(|key| usable(roster, key, &seats, present)).count() >= threshold
        };
        let all = (1_u32 << seats.len()) - 1;
        let name = |set: u32| {
            let chosen = seats.iter().enumerate().filter(|(bit, _)| set & (1 << bit) != 0);
            chosen.map(|(_, seat)| (*seat).to_owned()).collect()
        };
        let smallest = |fits: &dyn Fn(u32) -> bool| -> Vec<Seats> {
            let mut found: Vec<u32> = Vec::new();
            let mut sets: Vec<u32> = (1..=all).filter(|set| fits(*set)).collect();
            sets.sort_by_key(|set| (set.count_ones(), *set));
            for set in sets {
                if !found.iter().any(|smaller| set & smaller == *smaller) {
                    found.push(set);
                }
            }
            found.into_iter().map(name).collect()
        };
        Self {
            can_sign: smallest(&|set| signs(set)),
            can_stop: smallest(&|set| !signs(all & !set)),
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
        let list = |sets: &[Seats]| {
            let shown: Vec<String> = sets
                .iter()
                .take(12)
                .map(|set| set.iter().map(String::as_str).collect::<Vec<_>>().join(" + "))
                .collect();
            let more = sets.len().saturating_sub(shown.len());
            let tail = if more == 0 { String::new() } else { format!("; and {more} more") };
            format!("{}{tail}", shown.join("; "))
        };
        vec![
            format!("can sign together: {}", list(&self.can_sign)),
            format!("can stop signing: {}", list(&self.can_stop)),
        ]
    }
}

fn usable(roster: &Roster, key: &Key, seats: &[&str], present: u32) -> bool {
    let here = |token: &String| {
        let custodian = roster.custodian(token);
        seats
            .iter()
            .position(|seat| *seat == custodian)
            .is_some_and(|bit| present & (1 << bit) != 0)
    };
    match &key.holding {
        Holding::Token(token) => here(token),
        Holding::Shares { threshold, tokens } => {
            tokens.iter().filter(|token| here(token)).count() >= usize::from(*threshold)
        }
    }
}
