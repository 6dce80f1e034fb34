//! `verify` and `show`: what a folder or a file proves and says, for people and for machines.
//!
//! Roof: reads files and folders.

use std::path::Path;

use serde::Serialize;

use super::args::{Show, Verify};
use super::command::print;
use super::reading;
use crate::refusal::{Exit, Refusal};
use crate::room::clock::{Clock, SystemClock};
use crate::room::media::Limits;
use crate::verify::{self, Anchors};
use crate::{paper, request, show};

/// Runs `verify`.
///
/// # Errors
/// The first thing in the folder that is not what it must be.
pub(super) fn verify(args: &Verify) -> Result<(), Refusal> {
    let files = reading::tree(&reading::trust_folder(&args.folder), Limits::TRUST)?;
    let tool = reading::tool()?.sha256;
    let custody = args.custody.as_deref().map(reading::custody_folder).transpose()?;
    let anchors = Anchors {
        custody: custody.as_ref(),
        words: args.words.as_deref(),
        tool: Some(tool),
        at: SystemClock.now(),
    };
    let found = verify::verify(files, anchors, &reading::means()).map_err(|refusal| Refusal {
        standing: "the folder was only read".to_owned(),
        ..refusal
    })?;
    if args.json { print(&json(&found)?) } else { print(&paper::text(&verify::paper(&found))) }
}

/// Runs `show`.
///
/// # Errors
/// A path that leads to nothing that is shown.
pub(super) fn show(args: &Show) -> Result<(), Refusal> {
    let only_read = |refusal: Refusal| Refusal { standing: ONLY_READ.to_owned(), ..refusal };
    let shown = if args.path.is_dir() {
        let own = args.previous.as_deref().map(reading::trust_folder);
        let own = own.map(|folder| reading::past(Some(&folder))).transpose();
        let files = reading::tree(&reading::trust_folder(&args.path), Limits::TRUST);
        own.and_then(|own| show::folder(files?, own.as_ref()))
    } else {
        let read = |path: &Path| reading::file(path, request::MAX_ROOT as u64);
        let previous = args.previous.as_deref().map(read).transpose();
        previous.and_then(|previous| show::file(&read(&args.path)?, previous.as_deref()))
    };
    let shown = shown.map_err(only_read)?;
    if args.json { print(&json(&shown)?) } else { print(&paper::text(&show::paper(&shown))) }
}

/// A value as a machine reads it.
pub(super) fn json(value: &impl Serialize) -> Result<String, Refusal> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Refusal::new(Exit::Ours, "the result is no JSON").because(error))?;
    Ok(text + "\n")
}

const ONLY_READ: &str = "nothing was written; what is there was only read";
