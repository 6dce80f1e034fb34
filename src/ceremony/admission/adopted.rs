//! Whether a key that the plan adopts or imports is a root key already: the pin alone would let in any key that is on a token.
//!
//! Second floor: pure. docs/threats.md rule 12.

use super::chain;
use crate::ceremony::Inputs;
use crate::ceremony::roster::{KeyOrigin, Roster};
use crate::check::Check;
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::root::Role;

/// Refuses a key that no root of the request lists. `[ADOPT-IN-CHAIN]`
pub(super) fn check(inputs: &Inputs, roster: &Roster) -> Result<(), Refusal> {
    for key in roster.keys() {
        let Some(pin) = key.origin.pin() else { continue };
        if find(inputs, pin)?.is_none() {
            let how = match key.origin {
                KeyOrigin::Imported(_) => "imported",
                _ => "adopted",
            };
            let what =
                format!("key `{}` is {how}, and no root of the request lists {pin}", key.name);
            return Err(Refusal::of(Check::AdoptInChain, what)
                .hint("correct the pin; a key that is new is made here, on a token of the plan"));
        }
    }
    Ok(())
}

/// The root key of that pin, from the chains that the request brought.
///
/// # Errors
/// As [`chain`].
pub(in crate::ceremony) fn find(
    inputs: &Inputs,
    pin: Digest,
) -> Result<Option<PublicKey>, Refusal> {
    for repository in inputs.plan.repositories() {
        for root in chain(inputs, &repository.name)? {
            let mut keys = root.root().role_keys(Role::Root).filter_map(|(_, key)| key.public());
            if let Some(public) = keys.find(|public| public.id() == pin) {
                return Ok(Some(public.clone()));
            }
        }
    }
    Ok(None)
}
