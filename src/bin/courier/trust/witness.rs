//! `courier witness`: lists signed again as they are, by keys that are at hand.
//!
//! Annex.

use std::collections::BTreeMap;

use officiant::root::targets::ListRole;
use officiant::wording::Count;

use super::change::Unchanged;
use super::change::candidate;
use super::change::changed::{Shown, changed};
use super::change::difference;
use super::change::draft::{self, Draft};
use super::client::Wanted;
use super::client::view::List;
use super::delegation::place;
use super::{Error, args};
use crate::report::Output;

/// Signs every named list again, one that has expired or is signed by too few as well.
///
/// # Errors
/// [`Error`].
pub(crate) async fn run(args: &args::Witness) -> Result<Output, Error> {
    let place = place(&args.repository, &args.trust)?;
    let roles = args.roles.iter().map(|role| role.parse());
    let roles = roles.collect::<Result<Vec<ListRole>, _>>()?;
    let apart = args.apart.apart.as_deref();
    let change = |draft: &mut Draft| {
        agree(draft, &roles, args.agree.as_deref())?;
        let mut told = Vec::new();
        for role in &roles {
            let list = draft.list_again(role)?;
            told.push(format!("`{role}`: {} vouched for", Count(list.targets.len(), "target")));
        }
        Ok(told)
    };
    let (told, published) = draft::change_of(&place, (Wanted::Expired, apart), change).await?;
    Ok(changed(&place, &published, &told))
}

/// Has a person read what anybody can have written: a list that too few of its keys have signed.
fn agree(draft: &Draft, roles: &[ListRole], agreed: Option<&str>) -> Result<(), Error> {
    let unvouched = roles.iter().filter_map(|role| Some((role, draft.unvouched(role)?)));
    let unvouched: BTreeMap<&ListRole, &List> = unvouched.collect();
    if unvouched.is_empty() {
        return Ok(());
    }
    let gun = draft.view.gun.clone();
    let digest =
        candidate::digest(&gun, unvouched.iter().map(|(role, list)| (*role, &list.signed)));
    let mut lines = Vec::new();
    for (role, list) in &unvouched {
        lines.push(format!("`{role}` version {}", list.targets.version));
        let says = difference::between(None, &list.targets);
        lines.extend(says.into_iter().map(|line| format!("  {line}")));
    }
    let roles = unvouched.keys().map(|role| (*role).clone()).collect();
    let shown = Shown { gun: gun.clone(), roles, lines, digest };
    match agreed {
        Some(agreed) if shown.is_agreed(agreed) => Ok(()),
        Some(_) => Err(Error::from(Unchanged::Disagreed { digest })),
        None => Err(Error::from(Unchanged::Unvouched { gun, shown: Box::new(shown) })),
    }
}
