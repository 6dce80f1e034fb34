//! `sign` and `merge`: holders at different sites sign one candidate.
//!
//! Roof: reads folders, drives one token, asks on the terminal, writes one new folder.

use std::fmt::Write;
use std::path::Path;

use super::args::{Merge, Sign};
use super::command::{print, room};
use super::{reading, token};
use crate::ceremony::candidate::Candidate;
use crate::conduct;
use crate::refusal::{Exit, Refusal};
use crate::room::console::Terminal;
use crate::room::media::{self, Limits};
use crate::trust::Past;
use crate::wording::Count;

/// Runs `sign`.
///
/// # Errors
/// A candidate that does not hold; whatever token or custodian do not give.
pub(super) fn sign(args: &Sign) -> Result<(), Refusal> {
    let out = NewFolder::of(&args.out)?;
    let past = reading::past(Some(&reading::trust_folder(&args.previous)))?;
    let candidate = candidate(&args.candidate, &past)?;
    let driver = token::driver_of(&room(&args.room)?, &args.token)?;
    let mut terminal = Terminal::open().map_err(|e| e.refusal(Refusal::NOTHING_DONE))?;
    let signed = conduct::sign(&past, candidate, (&args.token, &driver), &mut terminal)?;
    out.write(&signed).map_err(|refusal| refusal.standing(conduct::MEANT))?;
    print(&told(&args.out, &signed)?)
}

/// Runs `merge`.
///
/// # Errors
/// Candidates that are not one; a signature that is none.
pub(super) fn merge(args: &Merge) -> Result<(), Refusal> {
    let out = NewFolder::of(&args.out)?;
    let past = reading::past(Some(&reading::trust_folder(&args.previous)))?;
    let read = args.candidates.iter().map(|path| candidate(path, &past));
    let mut read = read.collect::<Result<Vec<_>, _>>()?.into_iter();
    let first = read.next();
    let first = first.ok_or_else(|| Refusal::new(Exit::Usage, "there is nothing to join"))?;
    let joined = read.try_fold(first, |joined, next| joined.join(&next))?;
    out.write(&joined)?;
    print(&told(&args.out, &joined)?)
}

fn candidate(path: &Path, past: &Past) -> Result<Candidate, Refusal> {
    Candidate::read(&reading::tree(path, Limits::TRUST)?, Some(past)).map_err(|refusal| Refusal {
        what: format!("`{}`: {}", path.display(), refusal.what),
        ..refusal
    })
}

/// A folder that is not there yet, in one that is: looked at before anybody is asked for anything.
struct NewFolder<'a> {
    parent: &'a Path,
    name: &'a str,
}

impl<'a> NewFolder<'a> {
    fn of(path: &'a Path) -> Result<Self, Refusal> {
        match media::new_folder(path) {
            Some((parent, name)) => Ok(Self { parent, name }),
            None => {
                let what = format!("`{}` names no new folder", path.display());
                Err(Refusal::new(Exit::Usage, what)
                    .hint("give the name that the folder gets, in one that is there"))
            }
        }
    }

    fn write(&self, candidate: &Candidate) -> Result<(), Refusal> {
        let written = media::write_tree(self.parent, self.name, &candidate.files());
        written.map(drop).map_err(|error| error.refusal(Refusal::NOTHING_DONE))
    }
}

/// How far each root is: of the keys that must sign, how many did.
fn told(path: &Path, candidate: &Candidate) -> Result<String, Refusal> {
    let mut said = format!("written: {}\n", path.display());
    let mut missing = 0;
    for (repository, tallies) in candidate.tallies()? {
        let met = tallies.iter().all(|(_, tally)| tally.is_met());
        missing += usize::from(!met);
        let counted = tallies.iter().map(|(who, tally)| {
            format!("{who} keys: {} signed, {} needed", tally.counted.len(), tally.needed)
        });
        let counted: Vec<String> = counted.collect();
        // Writing to a string does not fail.
        let _ = writeln!(said, "`{repository}`: {}", counted.join("; "));
    }
    let next = match missing {
        0 => {
            "Every root is complete. Bring the folder to the room: its ceremony takes each signature up, and closes."
        }
        _ => "More holders are to sign.",
    };
    let roots = Count(candidate.signed.len(), "root");
    let _ = writeln!(said, "{roots}, {missing} not complete. {next}");
    Ok(said)
}
