//! What a plan must say of its keys: where each comes from, what it is, and who is to hold it.
//!
//! Second floor: pure.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;

use super::{Mistake, name};
use crate::ceremony::plan::{Kind, Plan, PlannedKey};
use crate::key::Algorithm;
use crate::wording::List;

/// How many days a key from a file may stay in a root.
const LONGEST_EXPOSED: i64 = 90;
/// The most shares of one key, as many as are ever split.
const MOST_SHARES: usize = 32;

pub(super) fn check(plan: &Plan) -> Result<(), Mistake> {
    let mut seen = BTreeSet::new();
    for key in &plan.text.key {
        let (at, key) = (key.span().start, key.get_ref());
        name(at, "key", &key.name)?;
        if !seen.insert(&key.name) {
            return Err((at, format!("two keys are called `{}`", key.name)));
        }
        let sense = kind(plan, key)
            .and_then(|()| held(key))
            .and_then(|()| whence(plan, key))
            .and_then(|()| exposed(plan, key))
            .and_then(|()| falls(plan, key));
        sense.map_err(|what| (at, what))?;
    }
    Ok(())
}

/// What no token makes, no client of the dialect takes, or no share holds is known before any token is touched.
fn kind(plan: &Plan, key: &PlannedKey) -> Result<(), String> {
    let (called, algorithm) = (&key.name, key.algorithm);
    let offered = Algorithm::OFFERED.into_iter();
    if !algorithm.is_offered() {
        let expected: Vec<_> = offered.collect();
        return Err(format!(
            "key `{called}` is of `{algorithm}`, expected one of {}",
            List::names(&expected)
        ));
    }
    plan.dialect().scheme(algorithm).map_err(|error| format!("key `{called}`: {error}"))?;
    let is_put = key.import.is_some() || plan.kind() == Kind::Restore;
    if key.token.is_some() && is_put && algorithm != Algorithm::EcdsaP256 {
        return Err(format!(
            "key `{called}` of {algorithm} cannot be put onto a token, expected {}",
            Algorithm::EcdsaP256
        ));
    }
    if key.shares.is_some() && !algorithm.fits_shares() {
        let expected: Vec<_> = offered.filter(|fit| fit.fits_shares()).collect();
        return Err(format!(
            "key `{called}` of {algorithm} cannot be held in shares, expected {}",
            List::or(&expected)
        ));
    }
    Ok(())
}

fn held(key: &PlannedKey) -> Result<(), String> {
    let called = &key.name;
    match (&key.token, &key.shares) {
        (Some(_), None) => Ok(()),
        (None, Some(shares)) => {
            for (what, holders) in [
                ("token", &shares.tokens),
                ("paper", &shares.papers),
                ("recipient", &shares.recipients),
            ] {
                if holders.iter().collect::<BTreeSet<_>>().len() != holders.len() {
                    return Err(format!("key `{called}` has two shares on one {what}"));
                }
            }
            let all = shares.holders().count();
            if all > MOST_SHARES {
                return Err(format!("key `{called}` has {all} shares, at most {MOST_SHARES}"));
            }
            Ok(())
        }
        _ => Err(format!("key `{called}` needs exactly one of `token` and `shares`")),
    }
}

/// Where a key comes from that is not made here.
fn whence(plan: &Plan, key: &PlannedKey) -> Result<(), String> {
    let called = &key.name;
    let moves = matches!(plan.kind(), Kind::Reshare | Kind::Restore);
    if moves && !key.is_made() {
        let kind = plan.kind().with_article();
        return Err(format!(
            "key `{called}` has `adopt` or `import`, and {kind} takes keys of the trust folder"
        ));
    }
    match (key.adopt, key.import) {
        (Some(_), Some(_)) => Err(format!("key `{called}` has both `adopt` and `import`")),
        (Some(_), None) if key.token.is_none() => Err(format!(
            "key `{called}` is adopted from the token that holds it, and `token` is missing: one from a file has `import`"
        )),
        _ => Ok(()),
    }
}

/// Whoever has one token has the key from then on: a plan says so.
fn falls(plan: &Plan, key: &PlannedKey) -> Result<(), String> {
    let called = &key.name;
    match (plan.kind() == Kind::Restore, key.threshold_falls_to) {
        (true, Some(1)) | (false, None) => Ok(()),
        (true, _) => Err(format!(
            "key `{called}` comes to be on one token: `threshold_falls_to = 1` says that this is known"
        )),
        (false, Some(_)) => {
            Err(format!("key `{called}` has `threshold_falls_to`, which only a restore has"))
        }
    }
}

/// A key from a file stays exposed: it may stay in a root for some weeks, to be replaced on a day that the plan says.
fn exposed(plan: &Plan, key: &PlannedKey) -> Result<(), String> {
    let called = &key.name;
    let stays = plan.root().is_some_and(|root| root.keys.contains(called));
    let is_exposed = stays && key.import.is_some();
    let last = plan.when().until.checked_add(LONGEST_EXPOSED.days()).unwrap_or(Date::MAX);
    match key.rotate_by {
        None if is_exposed => Err(format!(
            "key `{called}` comes from a file and stays in `[root]`: `rotate_by` is missing"
        )),
        Some(_) if !is_exposed => Err(format!(
            "key `{called}` has `rotate_by`, which only a key from a file has that stays in `[root]`"
        )),
        Some(day) if day > last => Err(format!(
            "`rotate_by` of key `{called}` is {day}, and {last} is the last day that it may be"
        )),
        _ => Ok(()),
    }
}
