//! What the makers of tokens say of keys, as the record has it.
//!
//! Second floor: pure. The certificates themselves lie in the custody folder, and are held against it by `verify`.

use super::Ceremony;
use super::accept::EDITED;
use super::fact::Fact;
use crate::attestation::Attestation;
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
        if (attested.pin, attested.touch) != rules {
            let what =
                format!("key {} is attested with other rules than were asked for", public.id());
            return Err(Refusal::of(Check::TokenAttested, what).hint(EDITED));
        }
        ceremony.check_excused(number, attested.by_maker || ceremony.plan().practice())?;
    }
    Ok(())
}
