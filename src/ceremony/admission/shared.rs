//! Whether repositories may share what nothing in a root tells apart: a certificate name, or a TUF root key.
//!
//! Second floor: pure. docs/threats.md rule 10.

use std::collections::BTreeSet;

use super::{chain, offered};
use crate::ceremony::Inputs;
use crate::ceremony::plan::PlannedRepository;
use crate::ceremony::roster::{KeyOrigin, Roster};
use crate::check::Check;
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::root::{self, Role, Root, SignedRoot};

/// One certificate name, or one TUF root key, for several repositories lets each take over the others: allowed only
/// where the same people own their online keys anyway. `[ROOT-SHARED]`
pub(super) fn check(inputs: &Inputs, roster: &Roster) -> Result<(), Refusal> {
    let plan = &inputs.plan;
    let Some(root) = plan.root() else { return Ok(()) };
    check_past(inputs, roster)?;
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
                return Err(different(first, &repository.name));
            }
        }
    }
    Ok(())
}

fn different(first: &str, second: &str) -> Refusal {
    let what =
        format!("`{first}` and `{second}` would share root keys, and have different targets keys");
    Refusal::of(Check::RootShared, what)
        .hint("nothing in a root names its repository: whoever owns one could take over the other")
}

/// The same between the plan's repositories and those of earlier ceremonies: a plan for each would else do what one
/// plan for both may not.
fn check_past(inputs: &Inputs, roster: &Roster) -> Result<(), Refusal> {
    let plan = &inputs.plan;
    let wildcard = plan.root().and_then(|root| root.certificate_name.as_deref());
    let wildcard = wildcard.and_then(|name| name.strip_suffix('*'));
    let planned = |name: &str| plan.repositories().iter().any(|planned| planned.name == name);
    for (known, chain) in inputs.past.repositories() {
        let Some(last) = chain.last().map(SignedRoot::root).filter(|_| !planned(known)) else {
            continue;
        };
        if last.dialect() != plan.dialect() {
            continue;
        }
        for repository in plan.repositories() {
            let shares = match plan.dialect() {
                root::Dialect::Tuf => lists_key_of(last, roster),
                root::Dialect::Notary => {
                    wildcard.is_some_and(|stem| known.starts_with(stem))
                        || names_by_wildcard(last, &repository.name)
                }
            };
            if shares && targets_of(Some(last)) != targets_keys(inputs, repository)? {
                return Err(different(known, &repository.name));
            }
        }
    }
    Ok(())
}

/// Whether a root lists a root key that stays or comes by this plan; one that is made in it is in no root yet.
fn lists_key_of(last: &Root, roster: &Roster) -> bool {
    let publics = || last.role_keys(Role::Root).filter_map(|(_, key)| key.public());
    roster.keys().iter().filter(|key| key.stays).any(|key| match &key.origin {
        KeyOrigin::Known(public) => publics().any(|listed| listed == public),
        KeyOrigin::Adopted(pinned) => publics().any(|listed| listed.id() == *pinned),
        KeyOrigin::New => false,
    })
}

/// Whether a root holds a root certificate with a wildcard that covers a repository.
fn names_by_wildcard(last: &Root, repository: &str) -> bool {
    let leaves = last.role_keys(Role::Root).filter_map(|(_, key)| key.bundle());
    leaves
        .map(|bundle| bundle.leaf())
        .any(|leaf| leaf.name().ends_with('*') && leaf.names(repository))
}

fn targets_of(last: Option<&Root>) -> BTreeSet<PublicKey> {
    let keys = last.into_iter().flat_map(|last| last.role_keys(Role::Targets));
    keys.filter_map(|(_, key)| key.public().cloned()).collect()
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
    Ok(targets_of(chain.last().map(SignedRoot::root)))
}
