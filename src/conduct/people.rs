//! Who sits where, at the opening of a plan that names its people.
//!
//! Roof. docs/threats.md rules 19 and 29.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;

use super::Session;
use super::closing::keep;
use super::token::draw;
use super::words::ATTEMPTS;
use crate::ceremony::fact::Fact;
use crate::ceremony::people;
use crate::ceremony::plan::Task;
use crate::check::Check;
use crate::refusal::Refusal;
use crate::room::console::{Expected, Prompt};
use crate::trust::People;
use crate::wording::List;

impl Session<'_> {
    /// Asks who sits at each seat. Names go into the custody folder, and the record commits to them.
    pub(super) fn seat_people(&mut self, step: u32) -> Result<Fact, Refusal> {
        let seats: Vec<String> =
            self.ceremony.plan().people().map(|person| person.seat.clone()).collect();
        let (mut names, mut empty) = (BTreeMap::new(), BTreeMap::new());
        for seat in &seats {
            match self.ask_who(step, seat, &names)? {
                Ok(name) => {
                    names.insert(seat.clone(), name);
                }
                Err(reason) => {
                    empty.insert(seat.clone(), reason);
                }
            }
        }
        let taken = names.keys().cloned().collect();
        let plan = self.ceremony.plan().digest();
        let people = People { plan, salt: HEXLOWER.encode(&draw::<16>()?), names };
        let commitment = people.commitment();
        let mut bytes = serde_json::to_vec(&people).unwrap_or_default();
        bytes.push(b'\n');
        keep(&self.room.binding.work, &People::path(&commitment), &bytes)
            .map_err(|error| self.device(&error))?;
        Ok(Fact::PeopleSeated { taken, empty, people: commitment })
    }

    /// The name of whoever sits at a seat, or why nobody does. `[PLAN-PEOPLE]`
    fn ask_who(
        &mut self,
        step: u32,
        seat: &str,
        known: &BTreeMap<String, String>,
    ) -> Result<Result<String, String>, Refusal> {
        let plan = self.ceremony.plan();
        let tasks: Vec<&str> = people::tasks(plan, seat).into_iter().map(Task::name).collect();
        let stands = plan.people().find(|person| person.seat == seat);
        let stands = stands.and_then(|person| person.spare_for.as_deref());
        let stands = stands.map_or_else(String::new, |other| format!(", standing in for {other}"));
        let prompt = Prompt {
            step,
            id: format!("seat {seat}"),
            who: "operator".to_owned(),
            text: format!(
                "name of the person at {seat} ({}{stands}), or type `absent` and why",
                List::and(&tasks)
            ),
            expected: Some(Expected::Text(format!("somebody at {seat}"))),
        };
        for _ in 0..ATTEMPTS {
            let typed = self.ask(&prompt)?;
            if let Some(("absent", reason)) = typed.split_once(' ')
                && !reason.trim().is_empty()
            {
                return Ok(Err(reason.trim().to_owned()));
            }
            let is_other =
                |(_, name): (&String, &String)| name.to_lowercase() == typed.to_lowercase();
            match known.iter().find(|other| is_other(*other)) {
                Some((other, _)) => self.show(&format!(
                    "        whoever sits at {other} sits nowhere else: one person has one seat"
                ))?,
                None if typed.is_empty() || typed == "absent" || typed.len() > MAX_NAME => {
                    self.show("        type a name, or `absent` and why")?;
                }
                None => return Ok(Ok(typed)),
            }
        }
        let what = format!("nobody said who sits at {seat}, and nowhere else");
        Err(Refusal::of(Check::PlanPeople, what).hint("seat everybody, and `resume`"))
    }
}

/// The longest name, in bytes.
const MAX_NAME: usize = 200;
