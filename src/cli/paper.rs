//! `script` and `report`: what people print.
//!
//! Roof: reads plans and folders, writes one new file where asked.

use std::path::Path;

use super::args::{Report, Script};
use super::command::room;
use super::reading;
use crate::ceremony::replay;
use crate::conduct;
use crate::paper::{report, script};
use crate::refusal::{Exit, Refusal};
use crate::verify;

/// Runs `script`.
///
/// # Errors
/// Whatever would refuse the ceremony, as far as it can be known now; a file that is there already.
pub(super) fn script(args: &Script) -> Result<(), Refusal> {
    let tool = reading::tool()?;
    let paper = match &args.room {
        Some(path) => {
            let (ceremony, _) = reading::in_room(&room(path)?, &args.plan)?;
            script::script(ceremony.plan(), ceremony.roster(), &tool)
        }
        None => {
            let (inputs, roster) = reading::alone(&args.plan, args.trust.as_deref())?;
            script::script(&inputs.plan, &roster, &tool)
        }
    };
    reading::give(&paper, args.html.as_deref())
}

/// Runs `report`.
///
/// # Errors
/// A folder that is neither a trust folder nor that of a ceremony; a record that does not stand.
pub(super) fn report(args: &Report) -> Result<(), Refusal> {
    let folder = reading::trust_folder(&args.folder);
    if folder.join(crate::trust::CUSTODY).exists() {
        let past = reading::past(Some(&folder))?;
        let room = verify::again(&past, args.ceremony, &reading::means())?;
        return reading::give(&report::report(&room.ceremony, &room.record), args.html.as_deref());
    }
    unfinished(&folder, args)
}

/// A ceremony that is not over, from its work folder.
fn unfinished(folder: &Path, args: &Report) -> Result<(), Refusal> {
    if !folder.join(conduct::RECORD).exists() {
        let what = format!("`{}` is no trust folder, and no work folder", folder.display());
        return Err(Refusal::new(Exit::Usage, what).hint(
            "a trust folder has custody.json; a work folder has record.jsonl and inputs.tar",
        ));
    }
    let (record, inputs) = conduct::unfinished(folder)?;
    let ceremony = replay(inputs, &record)?;
    reading::give(&report::report(&ceremony, &record), args.html.as_deref())
}
