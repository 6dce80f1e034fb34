//! Whether repositories may share what nothing in a root tells apart: a certificate name, or a TUF root key.
//!
//! Second floor: pure. security.md rule 10.

use std::collections::BTreeSet;

use super::{chain, offered};
use crate::ceremony::Inputs;
use crate::ceremony::plan::PlannedRepository;
use crate::check::Check;
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::root::{self, Role, SignedRoot};

/// One certificate name, or one TUF root key, for several repositories lets each take over the others: allowed only
/// where the same people own their online keys anyway. `[ROOT-SHARED]`
pub(super) fn check(inputs: &Inputs) -> Result<(), Refusal> {
    let plan = &inputs.plan;
    let Some(root) = plan.root() else { return Ok(()) };
    let wildcard = root.certificate_name.as_deref().filter(|name| *name != "gun");
    let shared = match plan.dialect() {
        root::Dialect::Notary => wildcard.is_some(),
        root::Dialect::Tuf => plan.repositories().len() > 1,
    };
    if !shared {
        return Ok(());
    }
    let mut owners: Option<(BTreeSet<PublicKey>, &str)> = None;
    for repository in plan.repositories() {
        if let Some(wildcard) = wildcard {
            let prefix = wildcard.trim_end_matches('*');
            if !repository.name.starts_with(prefix) {
                let what =
                    format!("certificate name `{wildcard}` does not cover `{}`", repository.name);
                return Err(Refusal::of(Check::RootShared, what)
                    .hint("give it a plan of its own, or every repository its own certificates"));
            }
        }
        let keys = targets_keys(inputs, repository)?;
        match &owners {
            None => owners = Some((keys, &repository.name)),
            Some((first, _)) if *first == keys => {}
            Some((_, first)) => {
                let name = &repository.name;
                let what = format!(
                    "`{first}` and `{name}` would share root keys, and have different targets keys"
                );
                return Err(Refusal::of(Check::RootShared, what)
                    .hint("nothing in a root names its repository: whoever owns one could take over the other"));
            }
        }
    }
    Ok(())
}

fn targets_keys(
    inputs: &Inputs,
    repository: &PlannedRepository,
) -> Result<BTreeSet<PublicKey>, Refusal> {
    if let (Some(request), true) =
        (&inputs.request, inputs.plan.roles().any(|role| role.name == Role::Targets))
    {
        return Ok(offered(request, &repository.name, Role::Targets).into_iter().collect());
    }
    let chain = chain(inputs, &repository.name)?;
    let last = chain.last().map(SignedRoot::root);
    let keys = last.into_iter().flat_map(|last| last.role_keys(Role::Targets));
    Ok(keys.filter_map(|(_, key)| key.public().cloned()).collect())
}
