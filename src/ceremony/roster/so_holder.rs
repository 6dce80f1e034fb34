//! Who holds what outranks the PIN of a token.
//!
//! Second floor: pure. docs/threats.md rule 9.

use super::TokenOrigin;
use crate::ceremony::plan::PlannedToken;
use crate::check::Check;
use crate::refusal::Refusal;
use crate::trust::CustodyToken;

/// The seat that holds the SO PIN or PUK of a token of the plan: as the plan says of a new one, as custody.json says of one
/// that is known.
///
/// # Errors
/// `[TOKEN-SO-HOLDER]` for the token's own custodian, for a token on which nobody here sets one, and for another seat than
/// the one that set it.
pub(super) fn of(
    planned: &PlannedToken,
    (origin, known): (TokenOrigin, Option<&CustodyToken>),
) -> Result<Option<String>, Refusal> {
    let known = known.and_then(|known| known.so_holder.clone());
    let Some(seat) = &planned.so_holder else { return Ok(known) };
    let name = &planned.name;
    let refuse = |what: String, hint| Err(Refusal::of(Check::TokenSoHolder, what).hint(hint));
    if *seat == planned.custodian {
        let what = format!("token `{name}`: `{seat}` holds it, and would hold its SO PIN");
        return refuse(what, "name a seat that holds nothing else of this token");
    }
    match (origin, known) {
        (TokenOrigin::New, _) => Ok(Some(seat.clone())),
        (TokenOrigin::Adopted, _) => {
            let what = format!(
                "token `{name}` holds a key already: nobody sets its SO PIN here, `{seat}` in the plan"
            );
            refuse(what, "take `so_holder` out: whoever set its SO PIN before has it")
        }
        (TokenOrigin::Known, Some(known)) if known == *seat => Ok(Some(known)),
        (TokenOrigin::Known, known) => {
            let found = known.map_or("nobody".to_owned(), |known| format!("`{known}`"));
            let what = format!(
                "token `{name}`: its SO PIN is held by {found} by the trust folder, by `{seat}` in the plan"
            );
            refuse(what, "take `so_holder` out: it is said when a token is enrolled")
        }
    }
}
