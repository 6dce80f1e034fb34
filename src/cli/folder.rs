//! `verify`: what a folder proves, for people and for machines.
//!
//! Roof: reads folders.

use serde::Serialize;

use super::args::Verify;
use super::command::print;
use super::reading;
use crate::paper;
use crate::refusal::{Exit, Refusal};
use crate::room::clock::{Clock, SystemClock};
use crate::verify::{self, Anchors};

/// Runs `verify`.
///
/// # Errors
/// The first thing in the folder that is not what it must be.
pub(super) fn verify(args: &Verify) -> Result<(), Refusal> {
    let files = reading::tree(&reading::trust_folder(&args.folder))?;
    let tool = reading::tool()?.sha256;
    let anchors = Anchors { words: args.words.as_deref(), tool: Some(tool), at: SystemClock.now() };
    let found = verify::verify(files, anchors).map_err(|refusal| Refusal {
        standing: "the folder was only read".to_owned(),
        ..refusal
    })?;
    if args.json { print(&json(&found)?) } else { print(&paper::text(&verify::paper(&found))) }
}

/// A value as a machine reads it.
pub(super) fn json(value: &impl Serialize) -> Result<String, Refusal> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Refusal::new(Exit::Ours, "the result is no JSON").because(error))?;
    Ok(text + "\n")
}
