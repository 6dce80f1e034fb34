//! `check`: a plan before anybody sits down.
//!
//! Roof: reads plan, trust folder and room; a vault child makes the public keys that stand in for those to come.

use jiff::Timestamp;

use super::args::Check;
use super::command::{print, room};
use super::folder::json;
use super::reading;
use crate::ceremony::plan::midnight;
use crate::ceremony::prospect::{self, Newest};
use crate::ceremony::roster::Roster;
use crate::ceremony::supposed::supposed;
use crate::ceremony::{Ceremony, Inputs, check_after};
use crate::child::Launch;
use crate::child::vault::Vault;
use crate::conduct;
use crate::paper;
use crate::paper::outlook::Outlook;
use crate::refusal::{Exit, Refusal};
use crate::room::clock::{Clock, SystemClock};

/// Runs `check`.
///
/// # Errors
/// Whatever would refuse the ceremony, as far as it can be known now.
pub(super) fn check(args: &Check) -> Result<(), Refusal> {
    let outlook = match &args.room {
        Some(path) => in_room(conduct::inputs_of(&room(path)?, &args.plan)?)?,
        None => without_room(args)?,
    };
    if args.json { print(&json(&outlook)?) } else { print(&paper::text(&outlook.paper())) }
}

fn without_room(args: &Check) -> Result<Outlook, Refusal> {
    let (plan, _) = conduct::read_plan(&args.plan)?;
    let past = reading::past(args.trust.as_deref().map(reading::trust_folder).as_deref())?;
    if plan.after().is_some() && args.trust.is_none() {
        let what = "the plan follows a ceremony, and no trust folder was given";
        return Err(Refusal::new(Exit::Usage, what)
            .hint("`--trust` names the trust folder of the last ceremony, `--room` the room"));
    }
    check_after(&plan, &past)?;
    let roster = Roster::new(&plan, &past)?;
    let mut outlook = Outlook::of_plan(&plan, &roster);
    outlook.unseen(
        "Request, proofs and the walks of clients were not looked at: `--room` names them.",
    );
    Ok(outlook)
}

fn in_room(inputs: Inputs) -> Result<Outlook, Refusal> {
    let at = held_at(&inputs);
    let ceremony = Ceremony::open(inputs, at)?;
    let mut outlook = Outlook::of_plan(ceremony.plan(), ceremony.roster());
    if ceremony.plan().root().is_none() {
        outlook.walked(&ceremony, &[], Vec::new());
        return Ok(outlook);
    }
    let mut vault = Vault::start(&Launch::this_binary("vault"))
        .map_err(|error| error.refusal(Refusal::NOTHING_DONE))?;
    let mut stand_in =
        |algorithm| vault.stand_in(algorithm).map_err(|error| error.refusal(Refusal::NOTHING_DONE));
    let (ceremony, drafts) = supposed(ceremony, &mut stand_in, at)?;
    let mut horizon = Vec::new();
    for draft in &drafts {
        let keys = ceremony.roster().keys().iter();
        let keys = keys.filter_map(|key| ceremony.public(&key.name));
        let ids = keys.flat_map(|public| draft.ids(&public)).collect();
        let fares = prospect::check(ceremony.plan(), draft, Newest::Assumed(&ids), at)?;
        horizon.extend(prospect::sentences(&draft.repository, &fares));
    }
    outlook.walked(&ceremony, &drafts, horizon);
    Ok(outlook)
}

/// When the ceremony may be held first: a plan is checked before its day.
fn held_at(inputs: &Inputs) -> Timestamp {
    SystemClock.now().max(midnight(inputs.plan.when().from))
}
