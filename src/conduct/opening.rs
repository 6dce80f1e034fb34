//! Opening: words, clock and request.
//!
//! Roof.

use super::Session;
use super::pause::Shown;
use super::words::{ATTEMPTS, Asked, table};
use crate::ceremony::fact::{Fact, Watch};
use crate::ceremony::plan::midnight;
use crate::ceremony::{admission, reach};
use crate::check::Check;
use crate::digest::Digest;
use crate::record::{Body, Mode};
use crate::refusal::{Exit, Refusal};
use crate::room::clock::parse_watch;
use crate::room::console::{Expected, Prompt};

impl Session<'_> {
    pub(super) fn confirm_plan(&mut self, step: u32) -> Result<Fact, Refusal> {
        Ok(Fact::PlanConfirmed { wrong: self.ask_plan(step)? })
    }

    pub(super) fn ask_plan(&mut self, step: u32) -> Result<u32, Refusal> {
        let digest = self.ceremony.plan().digest();
        self.show_rehearsed(&digest)?;
        let asked = Asked {
            step,
            id: "plan-words",
            who: "operator",
            what: "the plan's digest, from the reviewers' paper",
            check: Check::PlanWords,
            count: 6,
        };
        self.ask_words(&asked, &digest)
    }

    pub(super) fn confirm_trust(&mut self, step: u32) -> Result<Fact, Refusal> {
        Ok(Fact::TrustConfirmed { wrong: self.ask_trust(step)? })
    }

    pub(super) fn ask_trust(&mut self, step: u32) -> Result<u32, Refusal> {
        let last = self.ceremony.past().last().map(|last| last.closing);
        let digest = last.ok_or_else(|| Refusal::new(Exit::Ours, "no trust folder to confirm"))?;
        self.show_rehearsed(&digest)?;
        let asked = Asked {
            step,
            id: "trust-words",
            who: "operator",
            what: "the last closing digest, from its signed page",
            check: Check::TrustWords,
            count: 6,
        };
        self.ask_words(&asked, &digest)
    }

    /// What is rehearsed is made for the rehearsal, and stands on no paper: its words are shown.
    fn show_rehearsed(&mut self, digest: &Digest) -> Result<(), Refusal> {
        if self.room.mode != Mode::Rehearsal {
            return Ok(());
        }
        self.show("        these are not on paper in a rehearsal; type them from here:")?;
        self.show(&table(digest))
    }

    pub(super) fn attest_clock(&mut self, step: u32) -> Result<Fact, Refusal> {
        let mut watches = Vec::new();
        for who in ["operator", "witness"] {
            watches.push(self.ask_watch(step, who)?);
        }
        let until = midnight(self.ceremony.plan().when().until);
        if self.ceremony.has_any_intent() && watches.iter().any(|watch| watch.machine >= until) {
            // What was begun must be finished: the version is never signed otherwise.
            let expected =
                format!("the ceremony ends before {}", self.ceremony.plan().when().until);
            self.ask_exception(
                step,
                expected,
                "a token has begun to sign, and the day is over".into(),
            )?;
        }
        for watch in &watches {
            // The same for what ended since the candidates were drafted.
            match self.ceremony.check_day(watch.machine) {
                Err(refusal) if self.ceremony.has_any_intent() => {
                    self.ask_exception(step, reach::SAME_DAY.to_owned(), refusal.what)?;
                }
                _ => {}
            }
        }
        Ok(Fact::ClockAttested { watches })
    }

    fn ask_watch(&mut self, step: u32, who: &str) -> Result<Watch, Refusal> {
        if self.room.mode == Mode::Rehearsal {
            let now = self.room.clock.now().strftime("%Y-%m-%d %H:%M");
            self.show(&format!(
                "        no watch shows a rehearsal's time; type it from here: {now}"
            ))?;
        }
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let machine = self.room.clock.now();
            let prompt = Prompt {
                step,
                id: format!("watch {who}"),
                who: who.to_owned(),
                text: "your watch in UTC, as 2026-12-01 14:05".to_owned(),
                expected: Some(Expected::Now(machine)),
            };
            let typed = self.ask(&prompt)?;
            // Taken again: a person may have looked for the watch for minutes.
            let machine = self.room.clock.now();
            let Some(read) = parse_watch(&typed) else {
                self.show("        that is no date and time in the form 2026-12-01 14:05")?;
                continue;
            };
            let watch = Watch { who: who.to_owned(), read, machine: whole_seconds(machine) };
            if watch.agrees() {
                return Ok(watch);
            }
            self.show("        the machine's clock says something else; read the watch once more")?;
            last = Some(watch);
        }
        // The ceremony refuses it, by the rule that it breaks.
        last.ok_or_else(|| {
            Refusal::of(Check::ClockWindow, format!("{who} gave no date and time"))
                .hint("find a watch that shows UTC, and `resume`")
        })
    }

    pub(super) fn read_request(&mut self, step: u32) -> Result<Fact, Refusal> {
        let (request, second) = self.request_digests()?;
        self.show(&table(&request))?;
        let act = "read this digest out; the witness compares it with paper";
        self.wait(&Shown { step, id: "read-request", who: "operator", act })?;
        if let Some(expected) = admission::seen_once(self.inputs_of()) {
            let happened = "they were fetched on one machine only".to_owned();
            self.ask_exception(step, expected, happened)?;
        }
        Ok(Fact::RequestRead { request, second })
    }

    fn request_digests(&self) -> Result<(Digest, Option<Digest>), Refusal> {
        let inputs = self.inputs_of();
        let request = inputs.request.as_ref();
        let first = request.ok_or_else(|| Refusal::new(Exit::Ours, "no request to read"))?;
        Ok((first.digest, inputs.second.as_ref().map(|second| second.digest)))
    }

    /// Something is not as the script has it: what is decided, and by whom, goes into the record.
    pub(super) fn ask_exception(
        &mut self,
        step: u32,
        expected: String,
        happened: String,
    ) -> Result<(), Refusal> {
        let is_it = |body: &Body| {
            matches!(body, Body::Done { fact: Fact::Exception { expected: e, happened: h, .. } }
                if *e == expected && *h == happened)
        };
        let mut entries = self.record.entries().iter();
        if entries.any(|entry| entry.step == step && is_it(&entry.body)) {
            return Ok(());
        }
        self.show(&format!(
            "        Not as the script has it: this needs a decision, which goes into the record.\n        \
             expected: {expected}\n        happened: {happened}"
        ))?;
        let text = "to stop, press Ctrl-C; to go on, type what is decided, in one line";
        let decided = self.ask_text(step, "exception-decided", text)?;
        let by = self.ask_text(step, "exception-by", "decided by which seats")?;
        self.take(step, Fact::Exception { expected, happened, decided, by })
    }

    pub(super) fn ask_text(&mut self, step: u32, id: &str, text: &str) -> Result<String, Refusal> {
        let expected = if id == "exception-by" { "all seats" } else { "go on" };
        let prompt = Prompt {
            step,
            id: id.to_owned(),
            who: "operator".to_owned(),
            text: text.to_owned(),
            expected: Some(Expected::Text(expected.to_owned())),
        };
        for _ in 0..ATTEMPTS {
            let typed = self.hear(&prompt)?;
            if !typed.is_empty() && typed.len() <= MAX_TEXT {
                return Ok(typed);
            }
            self.show("        one line, please")?;
        }
        Err(Refusal::new(Exit::Refused, format!("nobody said {text}")).hint("decide, and `resume`"))
    }
}

fn whole_seconds(at: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// The longest line of an exception, in bytes.
const MAX_TEXT: usize = 500;
