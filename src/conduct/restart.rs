//! A restart: what stands on paper of a record, what people say of the rest, and what the interruption made void.
//!
//! Roof. docs/threats.md rule 20.

use std::collections::BTreeSet;

use super::journal::forged;
use super::pause::Shown;
use super::words::{Asked, YES_OR_NO, is_yes, table};
use super::{FORGED, Session};
use crate::ceremony::fact::Fact;
use crate::ceremony::step::{Part, Step};
use crate::check::Check;
use crate::digest::Digest;
use crate::record::{Body, Entry, Record};
use crate::refusal::{Exit, Refusal};
use crate::room::console::{Expected, Prompt};

/// What stands on paper of a record.
pub(super) struct OnPaper {
    /// The part of the last page.
    pub(super) page: Option<Part>,
    /// How many entries it covers.
    covered: usize,
    /// A page that was to be written, and was not.
    unwritten: Option<(Digest, String)>,
    /// How many wrong answers came before the right words.
    wrong: u32,
}

impl Session<'_> {
    /// Goes on: the words of the last page from paper, what people say of what came after it, and what the interruption
    /// made void.
    pub(super) fn resumed(&mut self) -> Result<(), Refusal> {
        self.banner()?;
        let last = self.ceremony.steps().last().map_or(0, |step| step.number);
        let step = self.ceremony.next().map_or(last, |step| step.number);
        let unchecked = self.unchecked_part()?;
        let record = self.record.clone();
        let paper = self.ask_paper(step, &record)?;
        let mut wrong = paper.wrong + self.end_break(step, &record)?;
        if paper.page.is_none() {
            wrong += self.confirm_again(step)?;
        }
        self.ask_since(step, &record.entries()[paper.covered..])?;
        self.keep_copied()?;
        if let Some((head, part)) = &paper.unwritten {
            self.show_checkpoint(step, part, head)?;
        }
        // What was read and is not on paper is read again, and its page comes then.
        if let Some(part) = unchecked.filter(|part| part != Part::Reading.title()) {
            self.append(step, Body::Checkpoint { part: part.clone() })?;
            let head = self.record.head();
            self.show_checkpoint(step, &part, &head)?;
        }
        if self.ceremony.next().is_none() {
            return Ok(());
        }
        self.check_room_again(step)?;
        let undone = self.undo_unfinished();
        for line in &undone {
            self.show(line)?;
        }
        self.take(step, Fact::Resumed { page: paper.page, wrong, undone })
    }

    /// Asks which page is the last one on paper, and for its words. `[RESUME-HEAD]`
    ///
    /// The record does not choose the page that it is held against: one that lacks a page was cut. A checkpoint is
    /// recorded before its words are shown, so the newest alone may not be on paper, and only while nothing was done
    /// after it.
    pub(super) fn ask_paper(&mut self, step: u32, record: &Record) -> Result<OnPaper, Refusal> {
        let mut pages = record.checkpoints();
        let page = self.ask_last_page(step, pages.last().map(|(_, part)| part.as_str()))?;
        let title = |page: Option<&(Digest, String)>| page.map(|(_, part)| part.clone());
        let named = page.map(|part| part.title().to_owned());
        let newest = title(pages.last());
        let mut unwritten = None;
        if newest != named && record.ends_with_checkpoint() {
            unwritten = pages.pop();
        }
        if title(pages.last()) != named {
            let none = || "none".to_owned();
            let (page, known) = (named.unwrap_or_else(none), newest.unwrap_or_else(none));
            let what =
                format!("the last page on paper is {page}, and the last of the record is {known}");
            return Err(forged(what));
        }
        let mut wrong = 0;
        let mut covered = 1;
        if let Some((head, part)) = pages.pop() {
            wrong = self.ask_page(step, &head, &part)?;
            covered = record.heads().position(|line| line == head).map_or(1, |at| at + 1);
        }
        Ok(OnPaper { page, covered, unwritten, wrong })
    }

    fn ask_last_page(&mut self, step: u32, newest: Option<&str>) -> Result<Option<Part>, Refusal> {
        let prompt = Prompt {
            step,
            id: "resume-page".to_owned(),
            who: "operator".to_owned(),
            text: "part of the last checkpoint page on paper, or none".to_owned(),
            expected: Some(Expected::Text(newest.unwrap_or("none").to_owned())),
        };
        let parts: Vec<&str> = Part::ALL.iter().map(|part| part.title()).collect();
        let why_not = format!("type one of {}, or none", parts.join(", "));
        let last = |typed: &str| match typed.eq_ignore_ascii_case("none") {
            true => Some(None),
            false => {
                Part::ALL.into_iter().find(|p| p.title().eq_ignore_ascii_case(typed)).map(Some)
            }
        };
        self.ask_until(&prompt, &why_not, last)?.ok_or_else(|| {
            Refusal::new(Exit::Refused, "nobody said which checkpoint page is the last one")
                .hint("look at the checkpoint pages, and `resume`")
        })
    }

    fn ask_page(&mut self, step: u32, head: &Digest, part: &str) -> Result<u32, Refusal> {
        let asked = Asked {
            step,
            id: "resume-words",
            who: "operator",
            what: &format!("the checkpoint page of part {part}"),
            check: Check::ResumeHead,
            count: 6,
        };
        self.ask_words(&asked, head)
    }

    /// What the record says was done since the page: the people who were here know whether it was. `[RESUME-HEAD]`
    fn ask_since(&mut self, step: u32, since: &[Entry]) -> Result<(), Refusal> {
        let done = self.done_in(since);
        if done.is_empty() {
            return Ok(());
        }
        self.show("\nBy the record, this was done since that page:")?;
        for line in done {
            self.show(&line)?;
        }
        let prompt = Prompt {
            step,
            id: "resume-since".to_owned(),
            who: "operator".to_owned(),
            text: "ask everybody here: was all of this done in this ceremony, yes or no".to_owned(),
            expected: Some(Expected::Text("yes".to_owned())),
        };
        match self.ask_until(&prompt, YES_OR_NO, is_yes)? {
            Some(true) => Ok(()),
            Some(false) | None => {
                Err(Refusal::of(Check::ResumeHead, "the record says what nobody here saw")
                    .hint(FORGED))
            }
        }
    }

    /// One line for each step that these entries finished, as the script has it, with its time.
    fn done_in(&self, entries: &[Entry]) -> Vec<String> {
        let (plan, roster) = (self.ceremony.plan(), self.ceremony.roster());
        let mut told = BTreeSet::new();
        let mut lines = Vec::new();
        for entry in entries {
            let passing = match &entry.body {
                Body::Done { fact } => {
                    // What a piece says is held against plan, keys and request anyway.
                    fact.is_piece()
                        || matches!(
                            fact,
                            Fact::BreakTaken { .. }
                                | Fact::ClockAttested { .. }
                                | Fact::LastTryConfirmed { .. }
                                | Fact::Resumed { .. }
                        )
                }
                _ => true,
            };
            let is_it = |step: &&Step| step.number == entry.step;
            let step = self.ceremony.steps().iter().find(is_it);
            let Some(step) = step.filter(|step| !passing && told.insert(step.number)) else {
                continue;
            };
            let at = entry.at.strftime("%H:%M UTC");
            let instruction = step.instruction(plan, roster);
            let what = instruction.split(['.', ';']).next().unwrap_or_default();
            lines.push(format!("  {at} [{}] {}: {what}", step.number, step.who(roster)));
        }
        lines
    }

    /// The finished part whose checkpoint an interruption prevented. Only the last one can lack it: a record without the
    /// others was never on paper.
    fn unchecked_part(&self) -> Result<Option<String>, Refusal> {
        let here = self.ceremony.next().map(|step| step.part);
        let is_over = |part: &Part| here.is_none_or(|here| *part < here);
        let parts: BTreeSet<Part> = self.ceremony.steps().iter().map(|step| step.part).collect();
        let written: BTreeSet<String> =
            self.record.checkpoints().into_iter().map(|(_, part)| part).collect();
        // The last part ends with the ceremony, and its words are those of the closing digest.
        let last = parts.last().copied();
        let over = parts.into_iter().filter(|part| is_over(part) && Some(*part) != last);
        let mut missing = over.filter(|part| !written.contains(part.title()));
        match (missing.next(), missing.next()) {
            (None, _) => Ok(None),
            (Some(part), None) if self.is_last_over(part) => Ok(Some(part.title().to_owned())),
            (Some(part), _) => {
                let what = format!("the record lacks the checkpoint of part {}", part.title());
                Err(forged(what))
            }
        }
    }

    /// Whether the step to be done next stands in the part right after this one.
    fn is_last_over(&self, part: Part) -> bool {
        let here = self.ceremony.next().map(|step| step.part);
        let between = self.ceremony.steps().iter().map(|step| step.part);
        let mut between = between.filter(|other| *other > part);
        !between.any(|other| here.is_none_or(|here| other < here))
    }

    /// Nothing stands on paper yet: plan and past are confirmed as at the beginning.
    fn confirm_again(&mut self, step: u32) -> Result<u32, Refusal> {
        let mut wrong = 0;
        let facts: Vec<Fact> = self.ceremony.facts().cloned().collect();
        if facts.iter().any(|fact| matches!(fact, Fact::PlanConfirmed { .. })) {
            wrong += self.ask_plan(step)?;
        }
        if facts.iter().any(|fact| matches!(fact, Fact::TrustConfirmed { .. })) {
            wrong += self.ask_trust(step)?;
        }
        Ok(wrong)
    }

    pub(super) fn show_checkpoint(
        &mut self,
        step: u32,
        part: &str,
        head: &Digest,
    ) -> Result<(), Refusal> {
        self.show(&format!("\nEnd of part {part}. Write these words on the checkpoint page:"))?;
        self.show(&table(head))?;
        let act = "write these 24 words, and read them back";
        self.wait(&Shown { step, id: "checkpoint", who: "witness", act })
    }

    /// What a restart makes void, as sentences.
    pub(super) fn undo_unfinished(&self) -> Vec<String> {
        let unfinished = self.ceremony.unfinished_splits().into_iter();
        let void = unfinished.map(|key| {
            let set = self.ceremony.split(key).map_or("", |(set, _)| set);
            let holders =
                self.ceremony.roster().key(key).map_or(&[][..], |key| key.holding.holders());
            let printed = holders.iter().any(|holder| self.is_paper(holder));
            let given = holders.iter().any(|holder| self.is_recipient(holder));
            let burn =
                if printed { "; destroy what was printed of it, and its passphrases" } else { "" };
            let erase = if given { "; erase what was given of it to recipients" } else { "" };
            let why = match self.ceremony.is_older(key) {
                true => {
                    "it was not finished, and another is made; what there is of it opens the key"
                }
                false => "its key was in memory only, and is made anew",
            };
            format!("set {set} of key {key} is void: {why}{burn}{erase}")
        });
        void.collect()
    }
}
