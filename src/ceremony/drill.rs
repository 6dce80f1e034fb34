//! A drill: tokens, papers and recipients prove that they still hold what they are to hold. No share is opened and no root signed.
//!
//! Second floor: pure. docs/threats.md rule 15.

use std::collections::BTreeSet;

use super::fact::{KeyDrilled, Statement};
use super::plan::Plan;
use super::roster::Roster;
use super::statement::{self, Said};
use super::{Ceremony, ours};
use crate::check::Check;
use crate::refusal::{Exit, Refusal};
use crate::trust::{Past, ShareOf};

/// The holders that the plan names, with the keys that count and are theirs.
///
/// # Errors
/// One that the trust folder does not know, or that holds nothing that counts.
pub(super) fn roster(plan: &Plan, past: &Past) -> Result<Roster, Refusal> {
    let named: BTreeSet<&str> = names(plan).collect();
    for name in &named {
        if past.holds(name).is_nothing() {
            let what = format!("`{name}` holds no key and no share of any newest root");
            return Err(Refusal::new(Exit::Usage, what).hint(
                "a drill names tokens, papers and recipients of the trust folder, as it names them",
            ));
        }
    }
    let roster = whole_roster(plan, past)?;
    Ok(roster.only(&named))
}

/// The same with everybody who holds a part of their keys: what a rehearsal must make first.
///
/// # Errors
/// A seat that is not the one of the trust folder.
pub fn whole_roster(plan: &Plan, past: &Past) -> Result<Roster, Refusal> {
    let named: BTreeSet<&str> = names(plan).collect();
    let keys =
        past.live_keys().filter(|key| key.holders().iter().any(|holder| named.contains(holder)));
    Roster::of_known(plan, past, keys)
}

fn names(plan: &Plan) -> impl Iterator<Item = &str> {
    let papers = plan.papers().map(|paper| paper.name.as_str());
    let recipients = plan.recipients().map(|recipient| recipient.name.as_str());
    plan.tokens().map(|token| token.name.as_str()).chain(papers).chain(recipients)
}

/// Whether a token proved all that it holds: each of its keys signed for itself, and the token for its shares.
///
/// # Errors
/// `[TOKEN-STATEMENT]`.
pub(super) fn check(
    ceremony: &Ceremony,
    token: &str,
    keys: &[KeyDrilled],
    statement: Option<&Statement>,
) -> Result<(), Refusal> {
    let holds = ceremony.past().holds(token);
    let expected: Vec<&str> = holds.keys.iter().map(|(name, _)| name.as_str()).collect();
    let proved: Vec<&str> = keys.iter().map(|key| key.key.as_str()).collect();
    if expected != proved {
        let what = format!("token `{token}` proved other keys than it holds");
        return Err(Refusal::of(Check::TokenStatement, what).hint(super::accept::EDITED));
    }
    for (drilled, (key, public)) in keys.iter().zip(&holds.keys) {
        let said = Said::KeyDrilled { key, public };
        statement::check_by(ceremony, (token, public), &said, &drilled.statement)?;
    }
    statement::check(ceremony, token, &Said::Drilled { holds: &holds }, statement)
}

impl Ceremony {
    /// The one share that a paper carries.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn share_on_paper(&self, paper: &str) -> Result<ShareOf, Refusal> {
        let share = self.past().holds(paper).shares.into_iter().next();
        share.ok_or_else(|| ours(format!("paper `{paper}` carries no share")))
    }
}
