//! `conduct` and `resume`: a ceremony with the people in the room.
//!
//! Roof.

use std::io::Write;
use std::path::Path;

use super::args;
use super::command::{print, room};
use crate::conduct::{self, Finished, PlanFile, Room, rehearsal};
use crate::record::Mode;
use crate::refusal::Refusal;
use crate::room::clock::SystemClock;
use crate::room::console::{Answers, Automatic, Beside, Console, Terminal};
use crate::wording::Count;

/// Conducts a plan.
///
/// # Errors
/// Those of [`conduct::conduct`].
pub(super) fn conduct(typed: &args::Conduct) -> Result<(), Refusal> {
    let binding = room(&typed.room)?;
    let plan = PlanFile::read(&typed.plan)?;
    let mode = plan.mode();
    let mut console = console(typed.answers.as_deref(), mode)?;
    let room = Room { binding, console: &mut *console, clock: &SystemClock, mode };
    tell(&conduct::conduct(room, plan)?)
}

/// Goes on with an interrupted ceremony.
///
/// # Errors
/// Those of [`conduct::resume`].
pub(super) fn resume(typed: &args::Resume) -> Result<(), Refusal> {
    let binding = room(&typed.room)?;
    let mode = conduct::unfinished_mode(&binding)?;
    let mut console = console(typed.answers.as_deref(), mode)?;
    let room = Room { binding, console: &mut *console, clock: &SystemClock, mode };
    tell(&conduct::resume(room, &typed.record)?)
}

/// Rehearses a plan.
///
/// # Errors
/// Those of [`rehearsal::rehearse`].
pub(super) fn rehearse(typed: &args::Rehearse) -> Result<(), Refusal> {
    let binding = room(&typed.room)?;
    let terminal = typed.interactive.then(Terminal::open).transpose();
    let mut terminal = terminal.map_err(|error| error.refusal(Refusal::NOTHING_DONE))?;
    let mut machine: Automatic<Box<dyn Write>> = Automatic::new(Box::new(std::io::sink()));
    let mut lend = |is_plan: bool, hold: &mut rehearsal::Hold<'_>| match (&mut terminal, is_plan) {
        (Some(people), true) => hold(&mut Beside { people, machine: &mut machine }),
        (None, true) => {
            machine.speak_to(Box::new(std::io::stderr()));
            hold(&mut machine)
        }
        (_, false) => hold(&mut machine),
    };
    let done = rehearsal::rehearse(&binding, &typed.plan, &mut lend)?;
    let (steps, past) = (Count(done.steps, "step"), Count(done.stand_ins, "root"));
    let seconds = done.took.as_secs();
    print(&format!(
        "REHEARSAL finished: {steps} in {seconds} s, after a stand-in of {past}; nothing of it is left\n"
    ))
}

/// The terminal, or in a practice a file of answers.
fn console(answers: Option<&Path>, mode: Mode) -> Result<Box<dyn Console>, Refusal> {
    let refused = |error: crate::room::console::Error| error.refusal(Refusal::NOTHING_DONE);
    match (answers, mode) {
        (None, _) => Ok(Box::new(Terminal::open().map_err(refused)?)),
        (Some(path), Mode::Practice) => {
            let bytes = crate::room::media::read_file(path, LARGEST_ANSWERS)
                .map_err(|error| error.refusal(Refusal::NOTHING_DONE))?;
            let text = String::from_utf8_lossy(&bytes);
            let answers = Answers::parse(&path.to_string_lossy(), &text, std::io::stderr());
            Ok(Box::new(answers.map_err(refused)?))
        }
        (Some(_), _) => {
            let what = "answers come from a file only in a practice";
            Err(Refusal::of(crate::check::Check::PracticeOnly, what)
                .hint("leave out --answers, and answer on the terminal"))
        }
    }
}

fn tell(finished: &Finished) -> Result<(), Refusal> {
    let Finished { closing, folder } = finished;
    print(&format!("closed {folder}, closing digest {closing}\n"))
}

/// The largest file of answers that is read, in bytes.
const LARGEST_ANSWERS: u64 = 1 << 20;
