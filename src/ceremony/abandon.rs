//! Closing an unfinished ceremony: what it left, and what of that goes.
//!
//! Second floor: pure. docs/threats.md rules 7 and 27.

use std::collections::BTreeSet;

use super::admission::adopted;
use super::fact::{Fact, RootMade, ShareMade};
use super::plan::{Kind, Plan};
use super::roster::{Holding, Key, KeyOrigin, Roster, Token, TokenOrigin};
use super::{Ceremony, Inputs};
use crate::check::Check;
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::wording::told::Told;

/// The tokens that hold something of the unfinished ceremony, which goes. Nothing of a ceremony goes whose roots are
/// complete.
///
/// # Errors
/// `[ABANDON-PLAN]` for another ceremony than the plan names; `[ABANDON-INTENDED]` for one in which a token meant to sign
/// already and whose roots are not complete: that version is never signed otherwise, so its signatures must be.
pub(super) fn roster(inputs: &Inputs, unfinished: &Ceremony) -> Result<Roster, Refusal> {
    check_plan(&inputs.plan, unfinished)?;
    check_intended(unfinished)?;
    if meant(unfinished) {
        return Ok(Roster::of_tokens(Vec::new()));
    }
    let tokens = unfinished.roster().tokens().iter().filter(|token| {
        enrolled(unfinished, &token.name)
            || !shares_on(unfinished, &token.name).is_empty()
            || !left_on(unfinished, &token.name).is_empty()
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

/// Whether a token of the unfinished ceremony meant to sign: its versions are then signed as they were meant, or never.
pub(super) fn meant(unfinished: &Ceremony) -> bool {
    unfinished.has_any_intent()
        || unfinished.roster().keys().iter().any(|key| unfinished.signed(&key.name) > 0)
}

fn check_intended(unfinished: &Ceremony) -> Result<(), Refusal> {
    if !meant(unfinished) || unfinished.wholes().is_ok() {
        return Ok(());
    }
    let what =
        "a token of the unfinished ceremony meant to sign already, and its roots are not complete";
    Err(Refusal::of(Check::AbandonIntended, what)
        .hint("`resume` until enough keys signed: what is complete and unwanted stays in the room, and the next version follows it"))
}

/// The unfinished ceremony that an abandon closes, where its roots are complete: nobody wants them, and the next version
/// follows them. None where nothing was signed.
pub fn unwanted(ceremony: &Ceremony) -> Option<&Ceremony> {
    ceremony.inputs().unfinished.as_deref().filter(|unfinished| meant(unfinished))
}

/// The versions that the unfinished ceremony drafted and nobody signed in the room, as sentences: its candidates were
/// exported, and a custodian at another site may have signed them.
///
/// # Errors
/// As [`Ceremony::sheets`].
pub fn drafted_only(unfinished: &Ceremony) -> Result<Vec<String>, Refusal> {
    // Without a past no token is known that could have.
    let could = !meant(unfinished) && unfinished.past().last().is_some();
    if !could || unfinished.drafted().is_none() {
        return Ok(Vec::new());
    }
    let (sheets, told) = (unfinished.sheets()?, Told::default());
    let made = sheets.made(unfinished, 0..sheets.count())?.into_iter().enumerate();
    for (at, RootMade { repository, version, .. }) in made {
        let said = format!(
            "`{repository}`: version {version} was drafted and may have been signed at another site: a token that did signs no other version {version}"
        );
        told.add(at, &repository, vec![said]);
    }
    Ok(told.finish())
}

/// The keys that the unfinished ceremony made on a token, and those that it was to put there: no signed root counts on
/// them there. One that is put on a token may be on it before the record says so, and a restart forgets how far it was.
pub fn left_on(unfinished: &Ceremony, token: &str) -> Vec<(String, PublicKey)> {
    let is_known = unfinished.past().custody().token(token).is_some();
    let is_set_up = is_known || enrolled(unfinished, token);
    let keys = unfinished.roster().keys().iter().filter(|key| {
        let comes_here = key.origin == KeyOrigin::New || (key.is_placed_here() && is_set_up);
        comes_here && key.holding == Holding::Token(token.to_owned())
    });
    keys.filter_map(|key| Some((key.name.clone(), public_of(unfinished, key)?))).collect()
}

/// The public half of a key, once it is made; of one from a file, as the request's chain has it.
fn public_of(unfinished: &Ceremony, key: &Key) -> Option<PublicKey> {
    let listed = || adopted::find(unfinished.inputs(), key.origin.pin()?).ok().flatten();
    unfinished.public(&key.name).or_else(listed)
}

/// That a key was not destroyed on a token that is not here, as a sentence.
pub(super) fn not_destroyed(unfinished: &Ceremony, key: &str, token: &str) -> String {
    let is_it = |fact: &Fact| matches!(fact, Fact::KeyMade { key: k, .. } | Fact::KeyPlaced { key: k, .. } if k == key);
    let is = if unfinished.facts().any(is_it) { "is" } else { "may be" };
    format!("key {key} was NOT destroyed: it {is} on token {token}")
}

/// What the unfinished ceremony printed, or gave to recipients, of keys that no root names, as sentences: it is to be
/// destroyed.
pub fn papers_left(unfinished: &Ceremony) -> Vec<String> {
    if meant(unfinished) {
        return Vec::new();
    }
    let mut left = Vec::new();
    let last = last_splits(unfinished).map(|(key, _, shares)| (key, shares, ""));
    let before = unfinished.void_splits();
    let before = before.map(|(key, _, shares)| (key, shares, "an earlier set of "));
    for (key, shares, of) in before.chain(last) {
        let roster = unfinished.roster();
        left.extend(shares.iter().filter_map(|share| {
            let (holder, index) = (&share.holder, share.index);
            let (is_paper, is_recipient) =
                (roster.paper(holder).is_some(), roster.recipient(holder).is_some());
            match (is_paper, is_recipient) {
                (true, _) => Some(format!(
                    "paper {holder} carries share {index} of {of}key {key}, which is not used: destroy it and its passphrase"
                )),
                (false, true) => Some(format!(
                    "recipient {holder} may have share {index} of {of}key {key}, which is not used: erase every copy of it"
                )),
                (false, false) => None,
            }
        }));
    }
    left
}

/// The shares that a token may store of sets that go with the unfinished ceremony, by key and index: one that was stored
/// and not recorded before the interruption, or that a restart made void, is there, too.
pub fn shares_on(unfinished: &Ceremony, token: &str) -> BTreeSet<(String, u8)> {
    let splits = unfinished.void_splits().chain(last_splits(unfinished));
    let shares = splits.flat_map(|(key, _, shares)| shares.iter().map(move |share| (key, share)));
    let mine = shares.filter(|(_, share)| share.holder == token);
    mine.map(|(key, share)| (key.to_owned(), share.index)).collect()
}

/// The sets of the unfinished ceremony that no restart made void: key, set and shares of each.
fn last_splits(unfinished: &Ceremony) -> impl Iterator<Item = (&str, &str, &[ShareMade])> {
    let keys = unfinished.roster().keys().iter();
    keys.filter_map(|key| {
        let (set, shares) = unfinished.split(&key.name)?;
        Some((key.name.as_str(), set, shares))
    })
}

/// Whether the unfinished ceremony enrolled a token: it stays enrolled.
pub fn enrolled(unfinished: &Ceremony, token: &str) -> bool {
    unfinished
        .facts()
        .any(|fact| matches!(fact, Fact::TokenEnrolled { token: t, .. } if t == token))
}
