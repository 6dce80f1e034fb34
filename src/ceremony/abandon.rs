//! Closing an unfinished ceremony: what it left, and what of that goes.
//!
//! Second floor: pure. docs/threats.md rules 7 and 27.

use super::fact::Fact;
use super::plan::{Kind, Plan};
use super::roster::{Holding, KeyOrigin, Roster, Token, TokenOrigin};
use super::{Ceremony, Inputs};
use crate::check::Check;
use crate::key::PublicKey;
use crate::refusal::Refusal;

/// The tokens that hold something of the unfinished ceremony.
///
/// # Errors
/// `[ABANDON-PLAN]` for another ceremony than the plan names; `[ABANDON-INTENDED]` for one in which a token meant to sign
/// already: that version is never signed otherwise, so it must be finished.
pub(super) fn roster(inputs: &Inputs, unfinished: &Ceremony) -> Result<Roster, Refusal> {
    check_plan(&inputs.plan, unfinished)?;
    check_unsigned(unfinished)?;
    let tokens = unfinished.roster().tokens().iter().filter(|token| {
        enrolled(unfinished, &token.name) || !left_on(unfinished, &token.name).is_empty()
    });
    let known = |token: &Token| Token { origin: TokenOrigin::Known, ..token.clone() };
    Ok(Roster::of_tokens(tokens.map(known).collect()))
}

fn check_plan(plan: &Plan, unfinished: &Ceremony) -> Result<(), Refusal> {
    if unfinished.plan().kind() == Kind::Abandon {
        let what = "the unfinished ceremony is itself an abandon";
        return Err(Refusal::of(Check::AbandonPlan, what).hint("`resume` finishes it"));
    }
    let named = plan.abandon().map(|abandon| abandon.plan);
    let found = unfinished.plan().digest();
    if named == Some(found) && plan.after() == unfinished.plan().after() {
        return Ok(());
    }
    let what = format!("the unfinished ceremony is of plan {found}, which this plan does not name");
    Err(Refusal::of(Check::AbandonPlan, what)
        .hint("name its plan and its `after` in the plan to abandon it"))
}

fn check_unsigned(unfinished: &Ceremony) -> Result<(), Refusal> {
    let signed = unfinished.facts().any(|fact| matches!(fact, Fact::RootsSigned { .. }));
    if !signed && !unfinished.has_any_intent() {
        return Ok(());
    }
    let what = "a token of the unfinished ceremony meant to sign already";
    Err(Refusal::of(Check::AbandonIntended, what)
        .hint("`resume` finishes it; a root that nobody wants is followed by the next version"))
}

/// The keys that the unfinished ceremony made on a token: no signed root names them.
pub fn left_on(unfinished: &Ceremony, token: &str) -> Vec<(String, PublicKey)> {
    let keys = unfinished.roster().keys().iter().filter(|key| {
        key.origin == KeyOrigin::New && key.holding == Holding::Token(token.to_owned())
    });
    keys.filter_map(|key| Some((key.name.clone(), unfinished.public(&key.name)?))).collect()
}

/// Whether the unfinished ceremony enrolled a token: it stays enrolled.
pub fn enrolled(unfinished: &Ceremony, token: &str) -> bool {
    unfinished
        .facts()
        .any(|fact| matches!(fact, Fact::TokenEnrolled { token: t, .. } if t == token))
}
