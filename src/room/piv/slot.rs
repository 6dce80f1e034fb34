//! The slots of a YubiKey, what each is for here, and the policies of its key.
//!
//! The room, YubiKeys: values only.

use yubikey::piv::{AlgorithmId, RetiredSlotId, SlotId};
use yubikey::{PinPolicy, TouchPolicy};

use crate::key::Algorithm;
use crate::room::token::Purpose;

/// The slots that hold keys of people; 9e would sign without a PIN if nobody said otherwise, so it comes last.
pub(super) fn all() -> impl Iterator<Item = SlotId> {
    let named = [SlotId::Authentication, SlotId::Signature, SlotId::KeyManagement];
    named.into_iter().chain(retired()).chain([SlotId::CardAuthentication])
}

/// Where a key of that purpose may stand, the best first.
pub(super) fn of(purpose: Purpose) -> Vec<SlotId> {
    match purpose {
        Purpose::Attest => vec![SlotId::Authentication],
        Purpose::Root => std::iter::once(SlotId::Signature).chain(retired()).collect(),
        Purpose::Seal => vec![SlotId::KeyManagement],
    }
}

/// The PIN once in each login, and a touch for what lets a key of value be used; statements need none.
pub(super) fn policies(purpose: Purpose) -> (PinPolicy, TouchPolicy) {
    match purpose {
        Purpose::Attest => (PinPolicy::Once, TouchPolicy::Never),
        Purpose::Root | Purpose::Seal => (PinPolicy::Once, TouchPolicy::Cached),
    }
}

/// The crate's name for a kind of key, of those that a plan may name and every YubiKey makes.
pub(super) fn algorithm(algorithm: Algorithm) -> Option<AlgorithmId> {
    match algorithm {
        Algorithm::EcdsaP256 => Some(AlgorithmId::EccP256),
        Algorithm::EcdsaP384 => Some(AlgorithmId::EccP384),
        _ => None,
    }
}

fn retired() -> impl Iterator<Item = SlotId> {
    (FIRST_RETIRED..=LAST_RETIRED)
        .filter_map(|id| RetiredSlotId::try_from(id).ok())
        .map(SlotId::Retired)
}

const FIRST_RETIRED: u8 = 0x82;
const LAST_RETIRED: u8 = 0x95;
