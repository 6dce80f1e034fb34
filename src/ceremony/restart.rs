//! What a restart loses, and where it goes on.
//!
//! Second floor: pure.

use std::collections::BTreeSet;

use super::Ceremony;
use super::fact::Fact;
use super::step::{Act, Part, Step};
use crate::wording::List;

impl Ceremony {
    pub(super) fn forget_volatile(&mut self, page: Option<Part>) {
        let lost = self.volatile(page);
        self.done.retain(|number, _| !lost.contains(number));
    }

    /// The finished steps that a restart loses: shares opened for the vault, a key whose split was not finished, and the
    /// clock. Shares and entropy whose use is over stay as they were told: nobody is asked for them again. That the
    /// change was read stands on paper, or it is read again: nothing but the record says so.
    fn volatile(&self, page: Option<Part>) -> BTreeSet<u32> {
        let unfinished = self.unfinished_splits();
        let is_made_anew = self.steps.iter().any(|step| match &step.act {
            Act::SplitKey { key } => {
                !self.done.contains_key(&step.number) || unfinished.contains(&key.as_str())
            }
            _ => false,
        });
        // Nothing signs after it, so that nobody opens a share for nothing.
        let is_over = self.facts().any(|fact| matches!(fact, Fact::RootsAssembled { .. }));
        let is_lost = |step: &&Step| match &step.act {
            _ if !self.done.contains_key(&step.number) => false,
            Act::AttestClock => true,
            Act::ReadRoots => page < Some(Part::Reading),
            Act::SplitKey { key } | Act::StoreShare { key, .. } => {
                unfinished.contains(&key.as_str())
            }
            Act::DrawEntropy => is_made_anew,
            Act::OpenShare { key, purpose, .. } => !is_over && !self.is_finished(key, *purpose),
            _ => false,
        };
        self.steps.iter().filter(is_lost).map(|step| step.number).collect()
    }

    /// The keys that were split and not yet combined: a restart makes them anew.
    pub fn unfinished_splits(&self) -> Vec<&str> {
        let combined = |name: &str| {
            self.facts().any(|fact| matches!(fact, Fact::SharesCombined { key, .. } if key == name))
        };
        self.facts()
            .filter_map(|fact| match fact {
                Fact::KeySplit { key, .. } if !combined(key) => Some(key.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Where `resume` goes on, and what is lost until then.
    pub fn goes_on(&self) -> String {
        let mut lost = self.volatile(Some(Part::Closing));
        let act = |number: &u32| self.steps.iter().find(|step| step.number == *number);
        // The watches are compared at every restart: nothing is lost by that.
        lost.retain(|number| act(number).is_none_or(|step| step.act != Act::AttestClock));
        let next = self.next().map(|step| step.number);
        let step = lost.first().copied().into_iter().chain(next).min().unwrap_or_default();
        let anew = self.unfinished_splits();
        let again = match (anew.is_empty(), lost.is_empty()) {
            (false, _) => {
                let keys = List::and(&anew);
                format!("key {keys}, in memory only until its shares are proven, is made anew; ")
            }
            (true, false) => "shares that were open are opened again; ".to_owned(),
            (true, true) => String::new(),
        };
        format!("{again}`resume` goes on at step {step}")
    }
}
