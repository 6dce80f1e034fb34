//! `check`: a plan before anybody sits down.
//!
//! Roof: reads plan, trust folder and room; a vault child makes the public keys that stand in for those to come.

use jiff::Timestamp;

use super::args::Check;
use super::command::{print, room};
use super::folder::json;
use super::reading;
use crate::ceremony::prospect::Prospects;
use crate::ceremony::roster::Roster;
use crate::ceremony::supposed::supposed;
use crate::ceremony::survival::{Holdings, Survival};
use crate::ceremony::{Ceremony, Inputs};
use crate::child::Launch;
use crate::child::vault::Vault;
use crate::paper;
use crate::paper::outlook::Outlook;
use crate::refusal::Refusal;
use crate::room::binding::module_digest;

/// Runs `check`.
///
/// # Errors
/// Whatever would refuse the ceremony, as far as it can be known now.
pub(super) fn check(args: &Check) -> Result<(), Refusal> {
    let outlook = match &args.room {
        Some(path) => {
            let binding = room(path)?;
            for module in &binding.modules {
                module_digest(&module.path).map_err(|error| error.refusal())?;
            }
            in_room(reading::in_room(&binding, &args.plan)?, &args.lost)?
        }
        None => without_room(args)?,
    };
    if args.json { print(&json(&outlook)?) } else { print(&paper::text(&outlook.paper())) }
}

fn without_room(args: &Check) -> Result<Outlook, Refusal> {
    let (inputs, roster) = reading::alone(&args.plan, args.trust.as_deref())?;
    let mut outlook = Outlook::of_plan(&inputs.plan, &roster);
    outlook.survival = survival(&inputs, &roster, &args.lost)?;
    outlook.advised(&inputs.past);
    outlook.unseen(
        "Request, proofs and the walks of clients were not looked at: `--room` names them.",
    );
    Ok(outlook)
}

fn in_room((ceremony, at): (Ceremony, Timestamp), lost: &[String]) -> Result<Outlook, Refusal> {
    let mut outlook = Outlook::of_plan(ceremony.plan(), ceremony.roster());
    outlook.survival = survival(ceremony.inputs(), ceremony.roster(), lost)?;
    outlook.advised(ceremony.past());
    if ceremony.plan().root().is_none() {
        outlook.walked(&ceremony, None);
        return Ok(outlook);
    }
    let mut vault = Vault::start(&Launch::this_binary("vault"))
        .map_err(|error| error.refusal(Refusal::NOTHING_DONE))?;
    let mut stand_in =
        |algorithm| vault.stand_in(algorithm).map_err(|error| error.refusal(Refusal::NOTHING_DONE));
    let ceremony = supposed(ceremony, &mut stand_in, at)?;
    outlook.walked(&ceremony, Some(Prospects::of(&ceremony, at)?));
    Ok(outlook)
}

/// What losses would leave; of a plan without a root nothing is asked.
fn survival(
    inputs: &Inputs,
    roster: &Roster,
    lost: &[String],
) -> Result<Option<Survival>, Refusal> {
    let asked = inputs.plan.root().is_some() || !lost.is_empty();
    asked.then(|| Survival::of(&Holdings::of_plan(inputs, roster)?, lost)).transpose()
}
