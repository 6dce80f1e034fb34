//! What the makers of tokens say of keys, as the record has it.
//!
//! Second floor: pure. The certificates themselves lie in the custody folder, and are held against it by `verify`.

use super::Ceremony;
use super::accept::EDITED;
use super::fact::Fact;
use crate::attestation::{Attestation, TouchPolicy};
use crate::check::Check;
use crate::refusal::Refusal;

/// Holds what is attested against what each key was asked to be, and a maker that nobody knows against an exception.
/// `[TOKEN-ATTESTED]`
pub(super) fn check(ceremony: &Ceremony, number: u32, fact: &Fact) -> Result<(), Refusal> {
    for (public, attested) in fact.attested() {
        let rules = match fact {
            Fact::TokenEnrolled { attest, .. } if attest == public => Attestation::STATES,
            _ => Attestation::SERVES,
        };
        // A key that was made by the SO could not be told when it is to be touched.
        let by_so = so_may_make(ceremony, fact) && attested.touch == TouchPolicy::Never;
        let found = (attested.pin, attested.touch);
        if found != rules && !(by_so && attested.pin == rules.0) {
            let what =
                format!("key {} is attested with other rules than were asked for", public.id());
            return Err(Refusal::of(Check::TokenAttested, what).hint(EDITED));
        }
        ceremony.check_excused(number, attested.by_maker || ceremony.plan().practice())?;
    }
    Ok(())
}

/// Whether a seat holds what outranks the PIN of the key's token, so that it may have made the key.
fn so_may_make(ceremony: &Ceremony, fact: &Fact) -> bool {
    let roster = ceremony.roster();
    let token = match fact {
        Fact::TokenEnrolled { token, .. } => Some(token),
        Fact::KeyMade { key, .. } => roster.key(key).and_then(|key| key.holding.holders().first()),
        _ => None,
    };
    token.and_then(|token| roster.token(token)).is_some_and(|token| token.so_holder.is_some())
}
