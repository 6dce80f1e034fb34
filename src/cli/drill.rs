//! `drill`: a custodian alone proves what a token holds.
//!
//! Roof: reads a trust folder, drives one token, asks on the terminal, writes one new file.

use super::args::Drill;
use super::command::{print, room};
use super::{reading, token};
use crate::conduct;
use crate::refusal::{Exit, Refusal};
use crate::room::clock::{Clock, SystemClock};
use crate::room::console::Terminal;

/// Runs `drill`.
///
/// # Errors
/// Whatever the trust folder, the room file, the token or the custodian does not give.
pub(super) fn drill(args: &Drill) -> Result<(), Refusal> {
    if !args.out.is_dir() {
        let what = format!("`{}` is no folder", args.out.display());
        return Err(Refusal::new(Exit::Usage, what).hint("name one that is there in `--out`"));
    }
    let past = reading::past(Some(&reading::trust_folder(&args.trust)))?;
    let driver = token::driver_of(&room(&args.room)?, &args.token)?;
    let mut terminal = Terminal::open().map_err(|e| e.refusal(Refusal::NOTHING_DONE))?;
    let at = SystemClock.now();
    let alone = conduct::alone(&past, (&args.token, &driver), &mut terminal, at)?;
    let path = alone.path();
    let path = args.out.join(path.rsplit('/').next().unwrap_or(&path));
    reading::write_new(&path, &alone.to_bytes())?;
    print(&format!(
        "written: {}\nBring it to the operator: in `drills/` of the trust folder `officiant verify` accepts it.\n",
        path.display()
    ))
}
