//! The record in the work folder: read, held against its copies, cut where a write was interrupted, and gone on from.
//!
//! Roof.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{EARLIER, FORGED, RECORD, Session};
use crate::ceremony::fact::Fact;
use crate::check::Check;
use crate::files::Bytes;
use crate::record::{Body, Mode, Record};
use crate::refusal::{Exit, Refusal};
use crate::room::media;
use crate::shelf::{Lost, Shelf};

/// Refuses a work folder that holds the record of a ceremony. One without a whole entry is the trace of a run that was
/// interrupted before it said anything.
pub(super) fn refuse_unfinished(work: &Path) -> Result<(), Refusal> {
    let path = work.join(RECORD);
    if !exists(&path)? || !has_line(&bytes(&path, &media::shelf_anywhere())?)? {
        return Ok(());
    }
    let what = format!("`{}` holds the record of a ceremony", work.display());
    Err(Refusal::of(Check::MediaOwn, what)
        .hint("`officiant resume` goes on with it; a new ceremony needs another work folder"))
}

/// Whether something ends with a line feed there.
fn has_line(bytes: &Bytes) -> Result<bool, Refusal> {
    let mut found = false;
    bytes.each(|block| {
        found |= block.contains(&b'\n');
        Ok::<_, Lost>(())
    })?;
    Ok(found)
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
    mode_of(work, &parse(&whole(work, &media::shelf_anywhere())?)?.0)
}

/// The same of a record that was read. A rehearsal is never gone on with, so a record that calls itself one was edited:
/// its tokens would be taken for soft ones.
pub(super) fn mode_of(work: &Path, record: &Record) -> Result<Mode, Refusal> {
    match record.entries().first().map(|entry| &entry.body) {
        Some(Body::Opened { mode: Mode::Rehearsal, .. }) => {
            let what = "record line 1: a rehearsal is never resumed";
            Err(Refusal::of(Check::FactOrder, what).hint(FORGED).standing(EARLIER))
        }
        Some(Body::Opened { mode, .. }) => Ok(*mode),
        _ => Err(no_record(work)),
    }
}

/// The record of the work folder, which is this run's alone, or a copy that goes on from it, with the lines that the
/// work folder lacks.
pub(super) fn read(
    work: &Path,
    copies: &[PathBuf],
    shelf: &Arc<dyn Shelf>,
) -> Result<(Record, Vec<String>), Refusal> {
    let device = |error: media::Error| error.refusal(Refusal::NOTHING_DONE);
    let (path, own) = (work.join(RECORD), whole(work, shelf)?);
    let (mut record, good) = parse(&own)?;
    if record.entries().is_empty() {
        return Err(no_record(work));
    }
    if good < own.len() {
        media::cut_to(&path, good).map_err(device)?;
    }
    let written = record.entries().len();
    for copy in copies {
        let (other, _) = parse(&bytes(copy, shelf)?)?;
        record = record.longest(other).map_err(|error| forged(error.to_string()))?;
    }
    let more = (written..record.entries().len()).map(|at| record.line(at));
    let more = more.collect::<Result<_, _>>()?;
    Ok((record, more))
}

fn whole(work: &Path, shelf: &Arc<dyn Shelf>) -> Result<Bytes, Refusal> {
    let path = work.join(RECORD);
    if exists(&path)? { bytes(&path, shelf) } else { Err(no_record(work)) }
}

fn exists(path: &Path) -> Result<bool, Refusal> {
    media::exists(path).map_err(|error| error.refusal(Refusal::NOTHING_DONE))
}

fn bytes(path: &Path, shelf: &Arc<dyn Shelf>) -> Result<Bytes, Refusal> {
    media::lay_file(path, media::LARGEST_RECORD, shelf)
        .map_err(|error| error.refusal(Refusal::NOTHING_DONE))
}

fn parse(bytes: &Bytes) -> Result<(Record, u64), Refusal> {
    Record::read(bytes).map_err(|error| forged(error.to_string()))
}

pub(super) fn forged(what: String) -> Refusal {
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

    /// Writes what a longer copy has more than the work folder, once people said that it is the record.
    pub(super) fn keep_copied(&mut self) -> Result<(), Refusal> {
        let path = self.room.binding.work.join(RECORD);
        while let Some(line) = self.unwritten.first() {
            media::append_line(&path, line).map_err(|error| self.device(&error))?;
            self.unwritten.remove(0);
        }
        Ok(())
    }
}
