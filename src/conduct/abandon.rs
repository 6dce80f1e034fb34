//! Abandoning: what an unfinished ceremony left is read out, and its keys go.
//!
//! Roof.

use super::Session;
use super::token::Put;
use crate::ceremony::abandon::{left_on, papers_left};
use crate::ceremony::fact::Fact;
use crate::record::Record;
use crate::refusal::{Exit, Refusal};
use crate::wording::List;

impl Session<'_> {
    pub(super) fn read_unfinished(&mut self, step: u32) -> Result<Fact, Refusal> {
        let unfinished = self.inputs_of().unfinished.clone();
        let unfinished =
            unfinished.ok_or_else(|| Refusal::new(Exit::Ours, "nothing to abandon"))?;
        let (title, of) = (unfinished.plan().title().to_owned(), unfinished.steps().len());
        let next = unfinished.next().map_or(0, |step| step.number);
        self.show(&format!("        {title}: stopped before step {next} of {of}"))?;
        for token in self.ceremony.roster().tokens().to_vec() {
            let keys: Vec<String> =
                left_on(&unfinished, &token.name).into_iter().map(|(name, _)| name).collect();
            let kept =
                if keys.is_empty() { "no key".to_owned() } else { List::and(&keys).to_string() };
            self.show(&format!(
                "        token {} holds {kept} of it, and stays enrolled",
                token.name
            ))?;
        }
        for paper in papers_left(&unfinished) {
            self.show(&format!("        {paper}"))?;
        }
        let bytes = self.inputs.file("unfinished/record.jsonl").unwrap_or_default();
        let (record, _) =
            Record::parse(bytes).map_err(|error| Refusal::new(Exit::Ours, error.to_string()))?;
        // An old copy of the work folder does not know what was done, and signed, since.
        self.ask_paper(step, &record)?;
        Ok(Fact::UnfinishedRead { head: record.head() })
    }

    pub(super) fn destroy_keys(&mut self, step: u32, name: &str) -> Result<Fact, Refusal> {
        let (mut token, face) = match self.put_in(step, name)? {
            Put::Here(token, face) => (token, face),
            Put::Absent(reason) => return Ok(Fact::TokenAbsent { token: name.to_owned(), reason }),
        };
        let unfinished = self.inputs_of().unfinished.clone();
        let unfinished =
            unfinished.ok_or_else(|| Refusal::new(Exit::Ours, "nothing to abandon"))?;
        let left = left_on(&unfinished, name);
        // Only what it was to make or put here: an adopted key was there before.
        let made = unfinished
            .plan()
            .keys()
            .filter(|key| key.adopt.is_none() && key.token.as_deref() == Some(name));
        let planned: Vec<String> = made.map(|key| key.name.clone()).collect();
        self.log_in(step, &mut token, &face, name)?;
        let shown = token.keys().map_err(|error| self.child(&error))?;
        for (key, public) in &left {
            // A key that is gone already went before an interruption.
            if let Some(object) = shown.iter().find(|object| object.key.public == *public) {
                token.destroy(&object.key).map_err(|error| self.child(&error))?;
            }
            self.show(&format!("        key {key} is gone from token {name}"))?;
        }
        // One that was generated and not recorded before the interruption.
        for object in shown.iter().filter(|object| planned.contains(&object.label)) {
            let known = self.ceremony.past().custody().key_of(&object.key.public).is_some();
            if !known && !left.iter().any(|(_, public)| *public == object.key.public) {
                token.destroy(&object.key).map_err(|error| self.child(&error))?;
            }
        }
        self.delete_void(&mut token)?;
        token.logout().map_err(|error| self.child(&error))?;
        let keys = left.into_iter().map(|(name, _)| name).collect();
        Ok(Fact::KeysDestroyed { token: name.to_owned(), keys })
    }
}
