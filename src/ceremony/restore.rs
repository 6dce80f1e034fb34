//! A restore: a key in shares is rebuilt, and put onto one token. No root changes.
//!
//! Second floor: pure. docs/threats.md rule 11: one person has the key from then on, so the next root goes without it.

use super::Ceremony;
use super::plan::Plan;
use super::roster::{Holding, Roster, TokenOrigin};
use crate::check::Check;
use crate::refusal::Refusal;
use crate::trust::{Custody, CustodyKey, Held, Past};

/// Whether a key of custody was in shares, and came onto a token, wherever it is now.
fn is_restored(key: &CustodyKey) -> bool {
    let is_on_token = |held: &Held| matches!(held, Held::Token { .. });
    !key.former.is_empty() && key.ever_held().any(is_on_token)
}

/// Refuses a root that keeps a key which a restore put onto one token. `[RESTORE-ROTATES]`
pub(super) fn check_replaced(plan: &Plan, custody: &Custody) -> Result<(), Refusal> {
    let kept = plan.root().map_or(&[][..], |root| root.keys.as_slice());
    let restored = kept.iter().filter_map(|name| custody.key(name)).find(|key| is_restored(key));
    match restored {
        None => Ok(()),
        Some(key) => {
            let what = format!(
                "key `{}` was restored to one token, and `keys` in `[root]` keeps it",
                key.name
            );
            Err(Refusal::of(Check::RestoreRotates, what)
                .hint("make another key in its place: it may sign this root, and go"))
        }
    }
}

/// Refuses to give a share or a key to a token of an earlier ceremony that nothing can be sealed to. `[TOKEN-SEAL]`
pub(super) fn check_sealed(roster: &Roster, past: &Past) -> Result<(), Refusal> {
    let sealed = roster.keys().iter().filter(|key| key.is_placed_here() || key.is_split_here());
    for name in sealed.flat_map(|key| key.holding.holders()) {
        let is_known = |origin| origin == TokenOrigin::Known;
        let known = roster.token(name).is_some_and(|token| is_known(token.origin));
        let seal = past.custody().token(name).and_then(|token| token.seal.as_ref());
        if known && seal.is_none() {
            let what = format!("token `{name}` has no sealing key: nothing can be sealed to it");
            return Err(Refusal::of(Check::TokenSeal, what)
                .hint("name a new token, or one that was enrolled for a share"));
        }
    }
    Ok(())
}

/// That one token now has what took several holders before, as sentences.
pub(super) fn remarks(ceremony: &Ceremony) -> Vec<String> {
    let restored = ceremony.roster().keys().iter().filter(|key| key.from.is_some());
    let said = restored.filter_map(|key| match &key.holding {
        Holding::Token(token) => Some(format!(
            "key {} is on token {token} alone: {} can use it without anybody else, until the next root goes without it",
            key.name,
            ceremony.roster().custodian(token)
        )),
        Holding::Shares { .. } => None,
    });
    said.collect()
}
