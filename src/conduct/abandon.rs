//! Abandoning: what an unfinished ceremony left is read out, and its keys go.
//!
//! Roof.

use super::Session;
use super::token::Put;
use crate::ceremony::Ceremony;
use crate::ceremony::abandon::{left_on, papers_left};
use crate::ceremony::fact::Fact;
use crate::ceremony::step::Act;
use crate::check::Check;
use crate::child::token::Token;
use crate::key::PublicKey;
use crate::record::{Body, Record};
use crate::refusal::{Exit, Refusal};
use crate::room::token::{KeyRef, PublicObject};
use crate::wording::List;

impl Session<'_> {
    pub(super) fn read_unfinished(&mut self, step: u32) -> Result<Fact, Refusal> {
        let unfinished = self.unfinished()?;
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
        let record = self.unfinished_record()?;
        // An old copy of the work folder does not know what was done, and signed, since.
        self.ask_paper(step, &record)?;
        Ok(Fact::UnfinishedRead { head: record.head() })
    }

    /// The ceremony that is abandoned.
    fn unfinished(&self) -> Result<Box<Ceremony>, Refusal> {
        let unfinished = self.inputs_of().unfinished.clone();
        unfinished.ok_or_else(|| Refusal::new(Exit::Ours, "nothing to abandon"))
    }

    /// Its record; an empty one where none is abandoned. `[RESUME-HEAD]`
    pub(super) fn unfinished_record(&self) -> Result<Record, Refusal> {
        let bytes = self.inputs.lying("unfinished/record.jsonl").cloned().unwrap_or_default();
        match Record::read(&bytes) {
            Ok((record, _)) => Ok(record),
            Err(error) => Err(Refusal::of(Check::ResumeHead, error.to_string())),
        }
    }

    pub(super) fn destroy_keys(&mut self, step: u32, name: &str) -> Result<Fact, Refusal> {
        let (mut token, face) = match self.put_in(step, name)? {
            Put::Here(token, face) => (token, face),
            Put::Absent(reason) => return Ok(Fact::TokenAbsent { token: name.to_owned(), reason }),
        };
        let unfinished = self.unfinished()?;
        let left = left_on(&unfinished, name);
        let planned = self.begun_on(&unfinished, name)?;
        if face.so_makes() {
            let doomed = self.doomed(&mut token, &left, &planned)?;
            self.destroy_as_so(step, &mut token, (name, &face), &doomed)?;
        }
        self.log_in(step, &mut token, &face, name)?;
        // Where the user destroys keys; those that are gone are not here any more.
        for key in self.doomed(&mut token, &left, &planned)? {
            token.destroy(&key).map_err(|error| self.child(&error))?;
        }
        for (key, _) in &left {
            self.show(&format!("        key {key} is gone from token {name}"))?;
        }
        self.delete_void(&mut token)?;
        token.logout().map_err(|error| self.child(&error))?;
        let keys = left.into_iter().map(|(name, _)| name).collect();
        Ok(Fact::KeysDestroyed { token: name.to_owned(), keys })
    }

    /// The keys that the unfinished ceremony began to make on a token, or to put there: of another of such a name it was
    /// seen before, and nothing begun.
    fn begun_on(&self, unfinished: &Ceremony, name: &str) -> Result<Vec<String>, Refusal> {
        let record = self.unfinished_record()?;
        let is_begun = |number: u32| {
            let mut entries = record.entries().iter();
            entries.any(|entry| entry.step == number && matches!(entry.body, Body::Begun { .. }))
        };
        let steps = unfinished.steps().iter().filter(|step| is_begun(step.number));
        let keys = steps.filter_map(|step| match &step.act {
            Act::MakeKey { key, token } | Act::PlaceKey { key, token } if token == name => {
                Some(key.clone())
            }
            _ => None,
        });
        Ok(keys.collect())
    }

    /// What is to go of a token: what an earlier run did not destroy before it was interrupted, and what was generated and
    /// not recorded before the ceremony was.
    fn doomed(
        &self,
        token: &mut Token,
        left: &[(String, PublicKey)],
        planned: &[String],
    ) -> Result<Vec<KeyRef>, Refusal> {
        let shown = token.keys().map_err(|error| self.child(&error))?;
        let is_left =
            |object: &PublicObject| left.iter().any(|(_, public)| *public == object.key.public);
        let is_unrecorded = |object: &PublicObject| {
            let known = self.ceremony.past().custody().key_of(&object.key.public).is_some();
            planned.contains(&object.label) && !known
        };
        let doomed = shown.into_iter().filter(|object| is_left(object) || is_unrecorded(object));
        Ok(doomed.map(|object| object.key).collect())
    }
}
