//! Keys that an earlier ceremony made, and who holds them.
//!
//! Second floor: pure.

use std::collections::BTreeSet;

use super::{
    Holding, Key, KeyOrigin, Paper, Recipient, Roster, Token, TokenOrigin, other_custodian,
    so_holder,
};
use crate::ceremony::plan::{Kind, Plan, PlannedKey};
use crate::refusal::{Exit, Refusal};
use crate::root::Dialect;
use crate::trust::{CustodyKey, Held, Lineage, Past};

impl Roster {
    /// These keys of the trust folder, with everybody who holds a part of them.
    ///
    /// # Errors
    /// A holder of the plan with another custodian than the trust folder has; `[TOKEN-SO-HOLDER]`.
    pub(in crate::ceremony) fn of_known<'a>(
        plan: &Plan,
        past: &Past,
        known: impl Iterator<Item = &'a CustodyKey>,
    ) -> Result<Self, Refusal> {
        let custody = past.custody();
        let keys: Vec<Key> = known.map(|key| known_key(plan, past, key, true)).collect();
        let held: BTreeSet<&String> = keys.iter().flat_map(|key| key.holding.holders()).collect();
        let planned = plan.tokens().map(|token| (&token.name, &token.custodian));
        let planned = planned.chain(plan.papers().map(|paper| (&paper.name, &paper.custodian)));
        let recipients = plan.recipients().map(|planned| (&planned.name, &planned.custodian));
        for (name, custodian) in planned.chain(recipients) {
            let token = custody.token(name).map(|token| &token.custodian);
            let known = token
                .or_else(|| custody.paper(name).map(|paper| &paper.custodian))
                .or_else(|| custody.recipient(name).map(|known| &known.custodian));
            match known {
                Some(known) if known != custodian => {
                    return Err(other_custodian(name, custodian, known));
                }
                _ => {}
            }
        }
        for planned in plan.tokens() {
            so_holder::of(planned, (TokenOrigin::Known, custody.token(&planned.name)))?;
        }
        for planned in plan.recipients() {
            let known = custody.recipient(&planned.name);
            if known.is_some_and(|known| known.age != planned.age) {
                let what = format!(
                    "recipient `{}` has another key by the trust folder than in the plan",
                    planned.name
                );
                return Err(Refusal::new(Exit::Usage, what).hint("name it as custody.json does"));
            }
        }
        let held = held_by(past, &|name| held.contains(name));
        Ok(Self { keys, ..held })
    }

    /// The tokens and papers of the trust folder with these names, and no key; `seals` says of which tokens shares stay that
    /// are sealed to them.
    pub(in crate::ceremony) fn of_holders(
        past: &Past,
        names: &BTreeSet<String>,
        seals: &dyn Fn(&str) -> bool,
    ) -> Self {
        let mut held = held_by(past, &|name| names.contains(name));
        for token in &mut held.tokens {
            token.seals = seals(&token.name);
        }
        held
    }

    /// These keys of the trust folder, each with the sets that it had one after the other, the last one as it has it; and
    /// everybody who ever held a part of them.
    pub(in crate::ceremony) fn of_sets(
        plan: &Plan,
        past: &Past,
        known: &[(&CustodyKey, Vec<&Held>)],
    ) -> Self {
        let keys: Vec<Key> = known
            .iter()
            .map(|(key, before)| {
                let from = before.first().map(|held| holding_of(held));
                Key { from, ..known_key(plan, past, key, true) }
            })
            .collect();
        let names: BTreeSet<&String> = keys.iter().flat_map(Key::all_holders).collect();
        let held = held_by(past, &|name| names.contains(name));
        Self { keys, ..held }
    }

    /// The same without the holders that are not named.
    pub(in crate::ceremony) fn only(mut self, named: &BTreeSet<&str>) -> Self {
        self.tokens.retain(|token| named.contains(token.name.as_str()));
        self.papers.retain(|paper| named.contains(paper.name.as_str()));
        self.recipients.retain(|recipient| named.contains(recipient.name.as_str()));
        self
    }
}

/// The tokens and papers of the trust folder whose names are asked for.
fn held_by(past: &Past, is_it: &dyn Fn(&String) -> bool) -> Roster {
    let custody = past.custody();
    let tokens = custody.tokens.iter().filter(|token| is_it(&token.name));
    let tokens = tokens.map(|token| Token {
        name: token.name.clone(),
        custodian: token.custodian.clone(),
        so_holder: token.so_holder.clone(),
        origin: TokenOrigin::Known,
        seals: false,
    });
    let papers = custody.papers.iter().filter(|paper| is_it(&paper.name));
    let papers = papers.map(|paper| Paper {
        name: paper.name.clone(),
        custodian: paper.custodian.clone(),
        is_new: false,
    });
    let recipients = custody.recipients.iter().filter(|known| is_it(&known.name));
    let recipients = recipients.map(Recipient::from).collect();
    Roster { tokens: tokens.collect(), papers: papers.collect(), recipients, keys: Vec::new() }
}

/// A known key in shares, with its new holding and the one that it has.
pub(super) fn moved_key(plan: &Plan, past: &Past, planned: &PlannedKey) -> Result<Key, Refusal> {
    let name = &planned.name;
    let live = past.live_keys().find(|key| key.name == *name);
    let opened = live.and_then(|key| Some((key, past.custody().open_set(key)?)));
    let Some((known, from)) = opened else {
        let what = format!("key `{name}` is not in shares, or no newest root lists it");
        let kind = plan.kind().with_article();
        return Err(Refusal::new(Exit::Usage, what)
            .hint(format!("{kind} names a key in shares as custody.json does")));
    };
    if known.algorithm != planned.algorithm {
        let what =
            format!("key `{name}` is `{}`, the plan says `{}`", known.algorithm, planned.algorithm);
        return Err(Refusal::new(Exit::Usage, what).hint("correct its algorithm in the plan"));
    }
    let before = known_key(plan, past, known, true);
    let (from, holding) = (Some(holding_of(from)), Holding::planned(planned));
    Ok(Key { from, holding, certified: false, ..before })
}

pub(super) fn known_key(plan: &Plan, past: &Past, known: &CustodyKey, stays: bool) -> Key {
    let holding = holding_of(&known.held);
    // One that the last root does not list has no certificate there to keep.
    let is_new_to = |lineage: Option<&Lineage>| {
        lineage.is_none_or(|lineage| !lineage.is_governed_by(&known.public))
    };
    let mut repositories = plan.repositories().iter();
    let is_new =
        repositories.any(|repository| is_new_to(past.repositories().get(&repository.name)));
    let certified =
        stays && plan.dialect() == Dialect::Notary && (plan.kind() == Kind::Renew || is_new);
    Key {
        name: known.name.clone(),
        algorithm: known.algorithm,
        holding,
        from: None,
        origin: KeyOrigin::Known(known.public.clone()),
        stays,
        certified,
    }
}

fn holding_of(held: &Held) -> Holding {
    match held {
        Held::Token { token } => Holding::Token(token.clone()),
        Held::Shares { threshold, shares, .. } => Holding::Shares {
            threshold: *threshold,
            holders: shares.iter().map(|share| share.holder.clone()).collect(),
        },
    }
}
