//! Plans, trust folders and ceremonies from the file system, for the verbs that only read.
//!
//! Roof: reads what it is pointed at, once, within limits.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::ceremony::means::Means;
use crate::ceremony::plan::midnight;
use crate::ceremony::roster::Roster;
use crate::ceremony::{Ceremony, Inputs, roster_of};
use crate::files::Files;
use crate::record::Tool;
use crate::refusal::{Exit, Refusal};
use crate::room::binding::{self, Binding};
use crate::room::clock::{Clock, SystemClock};
use crate::room::media::{self, Limits};
use crate::trust::{self, Past};
use crate::{cli, conduct};

/// Reads a trust folder; without one, the past of a genesis.
pub(super) fn past(folder: Option<&Path>) -> Result<Past, Refusal> {
    match folder {
        Some(folder) => Ok(Past::read_by(tree(folder, Limits::TRUST)?, &means())?),
        None => Ok(Past::default()),
    }
}

/// A plan with its past, and who holds what in it, by plan and trust folder alone.
pub(super) fn alone(plan: &Path, trust: Option<&Path>) -> Result<(Inputs, Roster), Refusal> {
    let (plan, _) = conduct::read_plan(plan)?;
    if plan.after().is_some() && trust.is_none() {
        let what = "the plan follows a ceremony, and no trust folder was given";
        return Err(Refusal::new(Exit::Usage, what)
            .hint("`--trust` names the trust folder of the last ceremony, `--room` the room"));
    }
    let past = past(trust.map(trust_folder).as_deref())?;
    let inputs = Inputs::alone(plan, past);
    let roster = roster_of(&inputs)?;
    Ok((inputs, roster))
}

/// The ceremony of a plan as this room would open it, and when it may be held first: a plan is looked at before its day.
pub(super) fn in_room(binding: &Binding, plan: &Path) -> Result<(Ceremony, Timestamp), Refusal> {
    let inputs = conduct::inputs_of(binding, plan)?;
    let at = SystemClock.now().max(midnight(inputs.plan.when().from));
    Ok((Ceremony::open(inputs, at)?, at))
}

/// Reads every file below a folder once, and lays it aside.
pub(super) fn tree(folder: &Path, limits: Limits) -> Result<Files, Refusal> {
    let laid = media::lay_tree(folder, limits, &media::shelf_anywhere());
    laid.map_err(|error| error.refusal(Refusal::NOTHING_DONE))
}

/// What verifying works with.
pub(super) fn means() -> Means {
    conduct::Threads::means(&media::shelf_anywhere())
}

/// Reads one file.
pub(super) fn file(path: &Path, limit: u64) -> Result<Vec<u8>, Refusal> {
    media::read_file(path, limit).map_err(|error| error.refusal(Refusal::NOTHING_DONE))
}

/// The trust folder that a person means: the folder itself, or the one that media carries at its top.
pub(super) fn trust_folder(folder: &Path) -> PathBuf {
    let on_media = folder.join(TRUST);
    if !folder.join(trust::CUSTODY).exists() && on_media.join(trust::CUSTODY).exists() {
        return on_media;
    }
    folder.to_owned()
}

/// Reads every file of a custody folder: the folder itself, or the media that carries it.
pub(super) fn custody_folder(folder: &Path) -> Result<media::Files, Refusal> {
    let inside = folder.join(conduct::CUSTODY);
    let read = media::read_tree(if inside.is_dir() { &inside } else { folder }, Limits::CUSTODY);
    read.map_err(|error| error.refusal(Refusal::NOTHING_DONE))
}

/// This very binary.
pub(super) fn tool() -> Result<Tool, Refusal> {
    let sha256 = binding::own_digest().map_err(|error| error.refusal())?;
    Ok(Tool { version: env!("CARGO_PKG_VERSION").to_owned(), sha256 })
}

/// Prints text, or writes HTML to a new file and says so.
pub(super) fn give(paper: &crate::paper::Paper, html: Option<&Path>) -> Result<(), Refusal> {
    let Some(path) = html else { return cli::command::print(&crate::paper::text(paper)) };
    write_new(path, crate::paper::html(paper).as_bytes())?;
    cli::command::print(&format!("written: {}\n", path.display()))
}

/// Writes a file that must not be there yet.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    let written = media::write_new(path, bytes).map(|_| ());
    written.map_err(|error| {
        let refusal = error.refusal(Refusal::NOTHING_DONE);
        match error {
            media::Error::Exists { .. } => {
                Refusal { hints: vec!["give another name".to_owned()], ..refusal }
            }
            _ => refusal,
        }
    })
}

/// The name of the trust folder on media.
const TRUST: &str = "trust";
