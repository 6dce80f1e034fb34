//! The papers of a ceremony: those that it prints, and those that known keys need.
//!
//! Second floor: pure.

use std::collections::BTreeSet;

use super::Key;
use crate::ceremony::plan::{Plan, PlannedKey};
use crate::refusal::{Exit, Refusal};
use crate::trust::Custody;

/// A paper that takes part: the page of one share.
#[derive(Clone, Debug)]
pub struct Paper {
    /// The plan's name for it.
    pub name: String,
    /// The seat that keeps it.
    pub custodian: String,
    /// Whether this ceremony prints it.
    pub is_new: bool,
}

/// The papers of the plan, each for one share of a key that it makes, and those that known keys need.
pub(super) fn papers_of(
    plan: &Plan,
    custody: &Custody,
    keys: &[Key],
) -> Result<Vec<Paper>, Refusal> {
    let shares =
        |key: &PlannedKey| key.shares.iter().flat_map(|s| s.papers.clone()).collect::<Vec<_>>();
    let planned: Vec<String> = plan.keys().flat_map(shares).collect();
    let wrong = |what: String, hint: &str| Err(Refusal::new(Exit::Usage, what).hint(hint));
    let mut papers = Vec::new();
    for paper in plan.papers() {
        let (name, custodian) = (paper.name.clone(), paper.custodian.clone());
        if custody.paper(&name).is_some() || custody.token(&name).is_some() {
            let what =
                format!("paper `{name}` is in the trust folder already, or a token is called so");
            return wrong(what, "give the new paper another name: each carries one share");
        }
        match planned.iter().filter(|used| **used == name).count() {
            1 => papers.push(Paper { name, custodian, is_new: true }),
            0 => {
                let what = format!("paper `{name}` carries no share of this plan");
                return wrong(what, "take it out, or give it a share");
            }
            many => {
                let what = format!("paper `{name}` carries {many} shares");
                return wrong(what, "a paper is the page of one share: name one for each");
            }
        }
    }
    if let Some(unknown) = planned.iter().find(|name| !papers.iter().any(|p| p.name == **name)) {
        let what = format!("paper `{unknown}` is named by a key, and by no `[[paper]]`");
        return wrong(what, "add a `[[paper]]` with its custodian");
    }
    let used: BTreeSet<&String> = keys.iter().flat_map(Key::all_holders).collect();
    let known = custody.papers.iter().filter(|paper| used.contains(&paper.name));
    papers.extend(known.map(|paper| Paper {
        name: paper.name.clone(),
        custodian: paper.custodian.clone(),
        is_new: false,
    }));
    Ok(papers)
}
