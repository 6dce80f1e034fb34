//! What a plan will lead to: who can sign, what to think of before it is held, and until when every client can follow.
//!
//! Roof, pure.

use serde::Serialize;

use super::Paper;
use super::losses::losses;
use super::script::{foot, mark, parts, subject};
use crate::ceremony::admission;
use crate::ceremony::plan::Plan;
use crate::ceremony::prospect::Prospects;
use crate::ceremony::quorum::Quorum;
use crate::ceremony::roster::{Holding, KeyOrigin, Roster, Token, TokenOrigin};
use crate::ceremony::survival::Survival;
use crate::ceremony::{Ceremony, advice, step};
use crate::digest::Digest;
use crate::record::Mode;
use crate::root::Dialect;
use crate::trust::Past;
use crate::wording::Count;

/// The outlook of a plan that nothing refused.
#[derive(Clone, Debug, Serialize)]
pub struct Outlook {
    /// `officiant-check-1`.
    pub schema: &'static str,
    /// The title.
    pub title: String,
    /// SHA-256 of the plan.
    pub plan: Digest,
    /// Its 24 words, which reviewers bring on paper.
    pub words: Vec<&'static str>,
    /// How many steps its script has.
    pub steps: usize,
    /// Who can sign and who can stop it, as sentences.
    pub quorum: Vec<String>,
    /// What losses would leave; none of a plan without a root.
    pub survival: Option<Survival>,
    /// What to think of, as sentences.
    pub warnings: Vec<String>,
    /// What was checked, and what only a room can check.
    pub checked: Vec<String>,
    /// By day, which client fails first and why.
    pub horizon: Vec<String>,
    #[serde(skip)]
    pairs: Vec<(&'static str, String)>,
    #[serde(skip)]
    mode: Mode,
}

impl Outlook {
    /// What plan and trust folder alone tell.
    pub fn of_plan(plan: &Plan, roster: &Roster) -> Self {
        let steps = step::steps(plan, roster);
        let mut pairs = subject(plan);
        let many = Count(parts(&steps).len(), "part");
        pairs.push(("steps", format!("1 to {}, in {many}", steps.len())));
        Self {
            schema: "officiant-check-1",
            title: plan.title().to_owned(),
            plan: plan.digest(),
            words: plan.digest().words().to_vec(),
            steps: steps.len(),
            quorum: match plan.root() {
                Some(_) => Quorum::of_plan(plan, roster).sentences(),
                None => Vec::new(),
            },
            survival: None,
            warnings: warnings(plan, roster),
            checked: vec!["Plan and trust folder belong together.".to_owned()],
            horizon: Vec::new(),
            pairs,
            mode: if plan.practice() { Mode::Practice } else { Mode::Ceremony },
        }
    }

    /// Adds what the room tells: that the request may be believed, and how far each client gets with the new roots; or
    /// that the unfinished ceremony may be abandoned.
    pub fn walked(&mut self, ceremony: &Ceremony, prospects: Option<Prospects>) {
        let plan = ceremony.plan();
        self.checked.push(match (plan.abandon(), plan.request()) {
            (None, None) => "What the plan says of keys and holders agrees with the trust folder.".into(),
            (None, Some(_)) => {
                "The request is the one that the plan names, and all of it may stand.".into()
            }
            (Some(_), _) => "The unfinished ceremony is the one that the plan names, and no token meant to sign in it, or its roots are complete and stay in the room.".into(),
        });
        if plan.retire().is_some_and(|retire| !retire.keys.is_empty()) {
            self.checked.push(
                "Every client that works today follows a supposed next root without the keys that go.".into(),
            );
        }
        if prospects.is_some() {
            self.checked.push(
                "Every client walks from every old root to the new one, under keys that stand in for those that \
                 do not exist yet."
                    .into(),
            );
        }
        if let Some(twice) = admission::seen_once(ceremony.inputs()) {
            self.warnings.push(format!("An exception will be needed: {twice}."));
        }
        if let Some(prospects) = prospects {
            self.warnings.extend(prospects.old_keys.finish());
            self.horizon = prospects.horizon.finish();
        }
    }

    /// Adds what is known of tokens whose firmware the records say.
    pub fn advised(&mut self, past: &Past) {
        self.warnings.extend(advice::sentences(past, &advice::firmware(past)));
    }

    /// Says what was not looked at.
    pub fn unseen(&mut self, what: &str) {
        self.warnings.push(what.to_owned());
    }

    /// The outlook for people.
    pub fn paper(&self) -> Paper {
        let mut paper = Paper::new(format!("Plan: {}", self.title), foot(self.plan));
        paper.mark = mark(self.mode);
        paper.pairs(self.pairs.clone());
        paper.digest("The plan's digest, for the reviewers' paper", self.plan);
        if !self.quorum.is_empty() {
            paper.section("Who can sign afterwards, and who can stop it");
            paper.points(self.quorum.clone());
        }
        if let Some(survival) = &self.survival {
            losses(survival, &mut paper);
        }
        paper.section("What was checked");
        paper.points(self.checked.clone());
        if !self.warnings.is_empty() {
            paper.section("What to think of");
            paper.points(self.warnings.clone());
        }
        if !self.horizon.is_empty() {
            paper.section("Until when every client can follow");
            paper.points(self.horizon.clone());
        }
        paper
    }
}

/// What no rule refuses and everybody should know (docs/threats.md rules 8, 9 and 10).
fn warnings(plan: &Plan, roster: &Roster) -> Vec<String> {
    let mut said = Vec::new();
    if plan.trusts_any_module() {
        said.push(
            "An exception will be needed: the plan pins no `modules`, so what any module says of its tokens is believed."
                .to_owned(),
        );
    }
    let Some(root) = plan.root() else { return said };
    let wildcard = root.certificate_name.as_deref().filter(|name| *name != "gun");
    let many = plan.repositories().len();
    if let Some(wildcard) = wildcard {
        said.push(format!(
            "Certificate name `{wildcard}`: one repository can take over another, for nothing else in a root names \
             its repository."
        ));
    }
    if plan.dialect() == Dialect::Tuf && many > 1 {
        said.push(format!(
            "{} share their root keys: one can take over another, for nothing else in a root names its repository.",
            Count(many, "repository")
        ));
    }
    if root.threshold == 1 {
        said.push(
            "One key signs alone: whoever has it, or enough of its shares, has every client."
                .into(),
        );
    }
    if root.threshold as usize == root.keys.len() {
        said.push("Every key must sign: one that is lost stops all later roots.".into());
    }
    let is_drawn = |token: &&Token| token.origin == TokenOrigin::New && token.so_holder.is_none();
    let new = roster.tokens().iter().filter(is_drawn).count();
    if new > 0 {
        said.push(format!(
            "{} enrolled: the SO PIN is drawn and discarded unshown, so a forgotten PIN is a lost token.",
            Count(new, "token is").to_string().replace("token iss", "tokens are")
        ));
    }
    for key in roster.keys().iter().filter(|key| key.origin == KeyOrigin::New) {
        if let Holding::Shares { threshold, holders } = &key.holding {
            let spare = holders.len().saturating_sub(usize::from(*threshold));
            said.push(format!(
                "Key `{}` is lost when more than {spare} of its {} are.",
                key.name,
                Count(holders.len(), "share")
            ));
        }
    }
    for left in plan.exclusions() {
        said.push(format!("`{}` is left out: {}", left.name, left.reason));
    }
    said
}

#[cfg(test)]
mod tests;
