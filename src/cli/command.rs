//! Which command line runs what.
//!
//! Roof: hands over; standard output gets results and nothing else.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use super::args::{Officiant, Verb};
use super::{apart, ceremony, check, custody, doctor, drill, folder, paper, report, share, token};
use crate::refusal::{Exit, Refusal};
use crate::room::binding::{self, Binding};
use crate::room::media;
use crate::wording::Readable;

/// Runs a whole command line, the program's name first, and tells how it ended.
pub fn run(typed: impl IntoIterator<Item = OsString>) -> ExitCode {
    let done = match Officiant::try_parse_from(typed) {
        Ok(Officiant { version: true, .. }) => version(),
        Ok(Officiant { verb: Some(verb), .. }) => dispatch(verb),
        Ok(_) => Ok(()),
        Err(e) if e.kind() == ErrorKind::DisplayHelp => print(&e.render().to_string()),
        Err(e) if e.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Err(Refusal::new(Exit::Usage, "a command is missing")
                .hint("`officiant --help` lists what can be done"))
        }
        Err(e) => Err(report::usage(&e)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => report::tell(&refusal),
    }
}

fn dispatch(verb: Verb) -> Result<(), Refusal> {
    match verb {
        Verb::Check(typed) => check::check(&typed),
        Verb::Conduct(typed) => ceremony::conduct(&typed),
        Verb::Custody(typed) => custody::custody(&typed),
        Verb::Doctor(typed) => doctor::doctor(&typed),
        Verb::Drill(typed) => drill::drill(&typed),
        Verb::Rehearse(typed) => ceremony::rehearse(&typed),
        Verb::Merge(typed) => apart::merge(&typed),
        Verb::Report(typed) => paper::report(&typed),
        Verb::Resume(typed) => ceremony::resume(&typed),
        Verb::Script(typed) => paper::script(&typed),
        Verb::Share(verb) => share::run(&verb),
        Verb::Show(typed) => folder::show(&typed),
        Verb::Sign(typed) => apart::sign(&typed),
        Verb::Token(verb) => token::run(verb),
        Verb::Verify(typed) => folder::verify(&typed),
    }
}

/// Writes a result to standard output.
///
/// # Errors
/// A refusal if nobody takes it: a result that is lost was not given.
pub fn print(text: &str) -> Result<(), Refusal> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| {
        Refusal::new(Exit::Device, "the result could not be written to standard output")
            .because(e.kind())
            .hint("send it to a file with room, or to a terminal")
    })
}

/// Reads and checks the room file at `path`.
///
/// # Errors
/// Those of [`Binding::parse`], and of the media that carries the file.
pub fn room(path: &Path) -> Result<Binding, Refusal> {
    let bytes = media::read_file(path, LARGEST_ROOM).map_err(|e| {
        let refusal = e.refusal(Refusal::NOTHING_DONE);
        Refusal { exit: Exit::Usage, hints: vec![ROOM_HINT.to_owned()], ..refusal }
    })?;
    Binding::parse(path, &bytes).map_err(|e| e.refusal())
}

fn version() -> Result<(), Refusal> {
    let digest = binding::own_digest().map_err(|e| e.refusal())?;
    print(&format!(
        "officiant {}\nSHA-256 of this binary:\n{}\n",
        env!("CARGO_PKG_VERSION"),
        Readable(digest)
    ))
}

const LARGEST_ROOM: u64 = 1 << 20;
const ROOM_HINT: &str = "--room names the room file of this machine; docs/format.md shows one";
