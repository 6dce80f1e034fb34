//! `courier witness`: lists signed again as they are, by keys that are at hand.
//!
//! Annex.

use officiant::root::targets::ListRole;
use officiant::wording::Count;

use super::change::changed::changed;
use super::change::draft::{self, Draft};
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
    let change = |draft: &mut Draft| {
        let mut told = Vec::new();
        for role in &roles {
            let list = draft.list_again(role)?;
            told.push(format!("`{role}`: {} vouched for", Count(list.targets.len(), "target")));
        }
        Ok(told)
    };
    let (told, published) = draft::change(&place, args.apart.apart.as_deref(), change).await?;
    Ok(changed(&place, &published, &told))
}
