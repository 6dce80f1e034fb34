//! The record in the work folder: read, held against its copies, cut where a write was interrupted, and gone on from.
//!
//! Roof.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::words::{ATTEMPTS, Asked, table};
use super::{EARLIER, FORGED, RECORD, Session};
use crate::ceremony::fact::Fact;
use crate::ceremony::step::Part;
use crate::check::Check;
use crate::digest::Digest;
use crate::record::{Body, Mode, Record};
use crate::refusal::{Exit, Refusal};
use crate::room::console::{Expected, Prompt};
use crate::room::media;

/// Refuses a work folder that holds the record of a ceremony. One without a whole entry is the trace of a run that was
/// interrupted before it said anything.
pub(super) fn refuse_unfinished(work: &Path) -> Result<(), Refusal> {
    let path = work.join(RECORD);
    if !exists(&path)? || !bytes(&path)?.contains(&b'\n') {
        return Ok(());
    }
    let what = format!("`{}` holds the record of a ceremony", work.display());
    Err(Refusal::of(Check::MediaOwn, what)
        .hint("`officiant resume` goes on with it; a new ceremony needs another work folder"))
}

/// The same, once the work folder is this run's alone; and such a trace goes.
pub(super) fn begin_anew(work: &Path) -> Result<(), Refusal> {
    refuse_unfinished(work)?;
    let path = work.join(RECORD);
    if !exists(&path)? {
        return Ok(());
    }
    media::cut_to(&path, 0).map_err(|error| error.refusal(Refusal::NOTHING_DONE))
}

/// How much the unfinished ceremony counts. Reads only: another run may be writing.
pub(super) fn mode(work: &Path) -> Result<Mode, Refusal> {
    match parse(&whole(work)?)?.0.entries().first().map(|entry| &entry.body) {
        Some(Body::Opened { mode, .. }) => Ok(*mode),
        _ => Err(no_record(work)),
    }
}

/// The record of the work folder, which is this run's alone, or a copy that goes on from it.
pub(super) fn read(work: &Path, copies: &[PathBuf]) -> Result<Record, Refusal> {
    let device = |error: media::Error| error.refusal(Refusal::NOTHING_DONE);
    let (path, own) = (work.join(RECORD), whole(work)?);
    let (mut record, good) = parse(&own)?;
    if record.entries().is_empty() {
        return Err(no_record(work));
    }
    if good < own.len() {
        media::cut_to(&path, good as u64).map_err(device)?;
    }
    let written = record.entries().len();
    for copy in copies {
        let (other, _) = parse(&bytes(copy)?)?;
        record = record.longest(other).map_err(|error| forged(error.to_string()))?;
    }
    for line in record.lines().iter().skip(written) {
        media::append_line(&path, line).map_err(device)?;
    }
    Ok(record)
}

fn whole(work: &Path) -> Result<Vec<u8>, Refusal> {
    let path = work.join(RECORD);
    if exists(&path)? { bytes(&path) } else { Err(no_record(work)) }
}

fn exists(path: &Path) -> Result<bool, Refusal> {
    media::exists(path).map_err(|error| error.refusal(Refusal::NOTHING_DONE))
}

fn bytes(path: &Path) -> Result<Vec<u8>, Refusal> {
    media::read_file(path, MAX_RECORD).map_err(|error| error.refusal(Refusal::NOTHING_DONE))
}

fn parse(bytes: &[u8]) -> Result<(Record, usize), Refusal> {
    Record::parse(bytes).map_err(|error| forged(error.to_string()))
}

fn forged(what: String) -> Refusal {
    Refusal::of(Check::ResumeHead, what).hint(FORGED).standing(EARLIER)
}

fn no_record(work: &Path) -> Refusal {
    Refusal::new(Exit::Usage, format!("`{}` holds no record of a ceremony", work.display()))
        .hint("begin one with `officiant conduct`")
}

impl Session<'_> {
    /// Records that something is about to be done that cannot be undone: after everything that could refuse it, so that
    /// what a restart finds on a token is what this step made.
    pub(super) fn begin(&mut self, step: u32, subject: &str) -> Result<(), Refusal> {
        let is_begun = |body: &Body| matches!(body, Body::Begun { .. });
        let mut entries = self.record.entries().iter();
        if entries.any(|entry| entry.step == step && is_begun(&entry.body)) {
            return Ok(());
        }
        self.append(step, Body::Begun { subject: subject.to_owned() })
    }

    /// Whether this step was begun in an earlier run of the program, and never finished.
    pub(super) fn was_interrupted(&self, step: u32) -> bool {
        let entries = self.record.entries();
        let begun = entries
            .iter()
            .position(|entry| entry.step == step && matches!(entry.body, Body::Begun { .. }));
        let resumed = entries
            .iter()
            .rposition(|entry| matches!(&entry.body, Body::Done { fact: Fact::Resumed { .. } }));
        begun.is_some() && begun < resumed
    }

    pub(super) fn show_checkpoint(&mut self, part: &str, head: &Digest) -> Result<(), Refusal> {
        self.show(&format!("\nEnd of part {part}. Write these words on the checkpoint page:"))?;
        self.show(&table(head))
    }

    /// Goes on: the words of the last checkpoint from paper, and what the interruption made void.
    pub(super) fn resumed(&mut self) -> Result<(), Refusal> {
        self.banner()?;
        let last = self.ceremony.steps().last().map_or(0, |step| step.number);
        let step = self.ceremony.next().map_or(last, |step| step.number);
        let unread = self.unchecked_part()?;
        let wrong = self.ask_checkpoint(step)?;
        if let Some(part) = unread {
            self.append(step, Body::Checkpoint { part: part.clone() })?;
            let head = self.record.head();
            self.show_checkpoint(&part, &head)?;
        }
        if self.ceremony.next().is_none() {
            return Ok(());
        }
        self.check_room_again(step)?;
        let undone = self.undo_unfinished();
        for line in &undone {
            self.show(line)?;
        }
        self.take(step, Fact::Resumed { wrong, undone })
    }

    /// Asks for the words of the last checkpoint. `[RESUME-HEAD]`
    ///
    /// A checkpoint is recorded before its words are shown. Where nothing was done after it they may not stand on paper:
    /// those of the checkpoint before are asked for then, and the last ones shown.
    fn ask_checkpoint(&mut self, step: u32) -> Result<u32, Refusal> {
        let mut pages = self.record.checkpoints();
        let unread = if self.record.ends_with_checkpoint() { pages.pop() } else { None };
        let unread = match unread {
            Some((head, part)) if self.is_on_paper(step, &part)? => {
                pages.push((head, part));
                None
            }
            unread => unread,
        };
        let wrong = match pages.pop() {
            Some((head, part)) => self.ask_page(step, &head, &part)?,
            // Nothing stands on paper yet: plan and past are confirmed as at the beginning.
            None => self.confirm_again(step)?,
        };
        if let Some((head, part)) = unread {
            self.show_checkpoint(&part, &head)?;
        }
        Ok(wrong)
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

    fn is_on_paper(&mut self, step: u32, part: &str) -> Result<bool, Refusal> {
        let prompt = Prompt {
            step,
            id: "resume-page".to_owned(),
            who: "operator".to_owned(),
            text: format!("are the words of part {part} on its checkpoint page, yes or no"),
            expected: Some(Expected::Text("yes".to_owned())),
        };
        for _ in 0..ATTEMPTS {
            match self.ask(&prompt)?.as_str() {
                "yes" => return Ok(true),
                "no" => return Ok(false),
                _ => self.show("        type yes or no")?,
            }
        }
        Err(Refusal::new(Exit::Refused, "nobody said whether the checkpoint page is written"))
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
}

/// The largest record that is read, in bytes.
pub(super) const MAX_RECORD: u64 = 256 << 20;
