//! Whether a key that custody.json names is the key that was signed for: a list alone says nothing of a key.
//!
//! Second floor: pure. docs/threats.md rule 17.

use crate::ceremony::Inputs;
use crate::ceremony::roster::{Holding, KeyOrigin, Roster};
use crate::check::Check;
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::trust::Past;

/// Refuses a key of custody.json that no signed root lists: what its shares give, or its token shows, would else be
/// compared with custody.json alone. `[SHARE-KEY]` `[TOKEN-KEY]`
pub(super) fn check(inputs: &Inputs, roster: &Roster) -> Result<(), Refusal> {
    for key in roster.keys() {
        let KeyOrigin::Known(public) = &key.origin else { continue };
        if is_listed(&inputs.past, public) {
            continue;
        }
        let check = match key.holding {
            Holding::Shares { .. } => Check::ShareKey,
            Holding::Token(_) => Check::TokenKey,
        };
        let what = format!("key `{}` of custody.json is in no root that was signed", key.name);
        return Err(
            Refusal::of(check, what).hint("bring the trust folder as the last ceremony wrote it")
        );
    }
    Ok(())
}

fn is_listed(past: &Past, public: &PublicKey) -> bool {
    past.root_keys().contains(public)
}
