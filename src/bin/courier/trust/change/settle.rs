//! Lists that a change of keys or thresholds would leave with too few signatures: signed again with it, or said.
//!
//! Annex.

use std::collections::BTreeMap;

use officiant::root::targets::{ListRole, Target};
use officiant::wording::{Count, List};

use super::super::{Error, args};
use super::at_hand::KeysAtHand;
use super::draft::Draft;
use super::error::Unchanged;

/// Signs every such list again where enough of its keys are at hand, or where others sign the change, too; says what
/// becomes of it.
///
/// # Errors
/// [`Unchanged::LeavesUnsigned`] where nobody at hand can, and that was not asked for.
pub(crate) fn settle(
    draft: &mut Draft,
    keys: &KeysAtHand,
    (apart, leave): (&args::Apart, &args::Leave),
) -> Result<Vec<String>, Error> {
    let mut told = Vec::new();
    for role in draft.unsettled() {
        let what = draft.read(&role).map(|list| some(&list.targets)).unwrap_or_default();
        let missing = match draft.electorate(&role) {
            Some(electorate) => electorate.threshold - keys.held(&electorate)?,
            None => continue,
        };
        let becomes = if missing <= 0 {
            "signed again by those who stay"
        } else if apart.apart.is_some() {
            "to be signed again by the others"
        } else if leave.leave_unsigned {
            "not signed until another signer does, by `courier witness`"
        } else {
            return Err(Error::from(Unchanged::LeavesUnsigned {
                gun: draft.view.gun.clone(),
                role,
                what,
            }));
        };
        if missing <= 0 || apart.apart.is_some() {
            draft.list_again(&role)?;
        }
        told.push(format!("{what} in `{role}`: {becomes}"));
    }
    Ok(told)
}

/// Takes a role away, with all that it lists.
///
/// # Errors
/// [`Unchanged::LeavesUnsigned`] where that is something, and was not asked for.
pub(crate) fn forget(
    draft: &mut Draft,
    role: &ListRole,
    leave: &args::Leave,
) -> Result<Option<String>, Error> {
    let what = draft.read(role).filter(|list| !list.targets.is_empty());
    let what = what.map(|list| some(&list.targets));
    draft.forget_below(role);
    match what {
        Some(what) if !leave.leave_unsigned => Err(Error::from(Unchanged::LeavesUnsigned {
            gun: draft.view.gun.clone(),
            role: role.clone(),
            what,
        })),
        what => Ok(what.map(|what| format!("{what} in `{role}`: gone, nobody signs there"))),
    }
}

/// Targets by their names, or their number where they are many.
fn some(targets: &BTreeMap<String, Target>) -> String {
    match targets.len() {
        0 => "nothing".to_owned(),
        1..=MOST_NAMES => List::names(&targets.keys().collect::<Vec<_>>()).to_string(),
        many => Count(many, "target").to_string(),
    }
}

/// As many names stand on a line.
const MOST_NAMES: usize = 8;
