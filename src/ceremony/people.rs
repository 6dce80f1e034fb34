//! The people of a plan that names them: whether its seats can hold it, and whether those who came do.
//!
//! Second floor: pure. docs/threats.md rule 29. Names stand in the custody folder alone.

use std::collections::{BTreeMap, BTreeSet};

use super::Ceremony;
use super::accept::EDITED;
use super::fact::Bagged;
use super::plan::{NEVER_BOTH, Plan, PlannedPerson, Task};
use super::roster::Roster;
use crate::check::Check;
use crate::refusal::Refusal;
use crate::wording::List;

/// Holds the people of a plan against each other and against who holds what. A plan that names nobody says nothing of it.
/// `[PLAN-PEOPLE]`
pub(super) fn check(plan: &Plan, roster: &Roster) -> Result<(), Refusal> {
    let people: Vec<&PlannedPerson> = plan.people().collect();
    if people.is_empty() {
        return Ok(());
    }
    let mut seen = BTreeSet::new();
    for person in &people {
        let seat = &person.seat;
        if !seen.insert(seat) {
            return refuse(format!("two people sit at `{seat}`"));
        }
        check_person(plan, &people, person)?;
    }
    for task in [Task::Operator, Task::Witness] {
        let many = people.iter().filter(|person| person.roles.contains(&task)).count();
        if many != 1 {
            return refuse(format!("{many} seats are {}, expected one", task.name()));
        }
    }
    for (holder, seat) in roster.held() {
        let is_there = people
            .iter()
            .any(|person| person.seat == seat && person.roles.contains(&Task::Custodian));
        if !is_there {
            let called = roster.called(holder);
            return refuse(format!("`{seat}`, who holds {called}, is no custodian of the plan"));
        }
    }
    for (seat, token) in roster.outranking() {
        if !people.iter().any(|person| person.seat == seat) {
            return refuse(format!(
                "`{seat}`, who holds the SO PIN of token {token}, is no seat of the plan"
            ));
        }
    }
    Ok(())
}

fn check_person(
    plan: &Plan,
    people: &[&PlannedPerson],
    person: &PlannedPerson,
) -> Result<(), Refusal> {
    let seat = &person.seat;
    if let Some(other) = &person.spare_for {
        let stands = people.iter().any(|p| p.seat == *other && p.spare_for.is_none());
        if !stands || !person.roles.is_empty() {
            return refuse(format!(
                "`{seat}` stands in for `{other}`: that is a seat of the plan and no spare, and `{seat}` has no roles besides"
            ));
        }
        return Ok(());
    }
    if person.roles.is_empty() {
        return refuse(format!("`{seat}` has no role"));
    }
    for pair in plan.never_both().iter().chain([&NEVER_BOTH]) {
        if pair.iter().all(|task| person.roles.contains(task)) {
            let [one, other] = pair.map(Task::name);
            return refuse(format!("`{seat}` is {one} and {other}, which nobody is together"));
        }
    }
    Ok(())
}

/// Holds who came against the plan: every seat is said, once, and those without whom no step is done are taken, by
/// themselves or by a spare.
pub(super) fn check_seated(
    plan: &Plan,
    taken: &[String],
    empty: &BTreeMap<String, String>,
) -> Result<(), Refusal> {
    let planned: BTreeSet<&String> = plan.people().map(|person| &person.seat).collect();
    let said: Vec<&String> = taken.iter().chain(empty.keys()).collect();
    if said.len() != planned.len() || said.iter().copied().collect::<BTreeSet<_>>() != planned {
        return refuse("it is not said of each seat of the plan, once, who sits there".to_owned());
    }
    let missing: Vec<&str> = [Task::Operator, Task::Witness]
        .into_iter()
        .filter(|task| !taken.iter().any(|seat| tasks(plan, seat).contains(task)))
        .map(Task::name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    refuse(format!("nobody is here as {}, and no spare", List::and(&missing)))
}

impl Ceremony {
    /// Each of these is in a bag, and nothing else is.
    pub(super) fn check_bags(&self, bags: &[Bagged], holders: &[String]) -> Result<(), Refusal> {
        if bags.iter().map(|bag| &bag.holder).eq(holders) {
            return Ok(());
        }
        let what = "the record says that other tokens were bagged than were here";
        Err(Refusal::of(Check::FactOrder, what).hint(EDITED))
    }

    /// Whether whoever sits at a seat may sit at another one, too: a spare for it.
    pub fn stands_in(&self, spare: &str, seat: &str) -> bool {
        let of = |one: &str, other: &str| {
            let mut people = self.plan().people();
            people.any(|person| person.seat == one && person.spare_for.as_deref() == Some(other))
        };
        of(spare, seat) || of(seat, spare)
    }

    /// The seat that holds the token of the step, and another.
    pub(super) fn check_last_try(
        &self,
        number: u32,
        token: &str,
        by: &[String; 2],
    ) -> Result<(), Refusal> {
        let step = self.next().filter(|step| step.number == number);
        if step.and_then(|step| step.act.token()) != Some(token) {
            return Err(self.no_place(number));
        }
        let [custodian, other] = by;
        let is_here = self.seats_taken().is_none_or(|taken| taken.contains(other))
            && !self.stands_in(other, custodian);
        if custodian == self.roster.custodian(token) && other != custodian && is_here {
            return Ok(());
        }
        let what = format!("not two seats said that the last try of token `{token}` is used");
        Err(Refusal::of(Check::TokenLastTry, what).hint(EDITED))
    }
}

/// What a seat does: its own tasks, or those of the seat for which it stands in.
pub fn tasks(plan: &Plan, seat: &str) -> Vec<Task> {
    let of = |seat: &str| plan.people().find(|person| person.seat == seat);
    let person = of(seat);
    let instead = person.and_then(|person| person.spare_for.as_deref()).and_then(of);
    instead.or(person).map(|person| person.roles.clone()).unwrap_or_default()
}

fn refuse<T>(what: String) -> Result<T, Refusal> {
    Err(Refusal::of(Check::PlanPeople, what)
        .hint("correct `[[person]]`, or bring whoever the plan names, or a spare"))
}
