//! What a plan must say of what it retires.
//!
//! Second floor: pure.

use std::collections::BTreeSet;

use super::{Mistake, Plan, name};
use crate::ceremony::plan::PlannedRetire;
use crate::root::Dialect;

/// The longest time between two requests of a retire, in days.
const LONGEST_HOLD: u32 = 3650;

/// What goes is named once. A key goes only when it is published that no root lists it; an old set of a living key was
/// never published.
pub(super) fn check(plan: &Plan) -> Result<(), Mistake> {
    let Some(retire) = &plan.text.retire else { return Ok(()) };
    let (at, planned) = (retire.span().start, retire.get_ref());
    let refuse = |what: String| Err((at, what));
    let PlannedRetire { keys, sets, hold } = planned;
    if keys.is_empty() && sets.is_empty() {
        return refuse("`[retire]` names neither `keys` nor `sets`".into());
    }
    let named: BTreeSet<&String> = keys.iter().chain(sets).collect();
    if named.len() != keys.len() + sets.len() {
        return refuse("`[retire]` names a key or set twice".into());
    }
    keys.iter().try_for_each(|key| name(at, "key", key))?;
    if let Some(set) = sets.iter().find(|set| !is_set_id(set)) {
        return refuse(format!("set `{set}`: a set id has 32 of 0-9 and a-f"));
    }
    let asks = [
        (plan.request().is_some(), "`[request]`"),
        (!plan.repositories().is_empty(), "at least one repository"),
    ];
    for (there, what) in asks {
        match (there, keys.is_empty()) {
            (false, false) => return refuse(format!("a retire of `keys` needs {what}")),
            (true, true) => return refuse(format!("a retire of `sets` alone has no {what}")),
            _ => {}
        }
    }
    let is_notary = plan.dialect() == Dialect::Notary && !keys.is_empty();
    match hold {
        Some(_) if !is_notary => {
            return refuse("`hold` is for keys of Notary repositories alone".into());
        }
        Some(days) if *days > LONGEST_HOLD || (*days == 0 && !plan.practice()) => {
            return refuse(format!("`hold` is {days}, expected 1 to {LONGEST_HOLD} days"));
        }
        _ => {}
    }
    if is_notary && plan.request().is_some_and(|request| request.second.is_none()) {
        return refuse("a retire of Notary keys needs `second` in `[request]`".into());
    }
    Ok(())
}

/// Whether this is how the id of a set of shares is written.
fn is_set_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
