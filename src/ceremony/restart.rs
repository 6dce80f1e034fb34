//! What a restart loses, and where it goes on.
//!
//! Second floor: pure.

use std::collections::BTreeSet;

use super::Ceremony;
use super::fact::{Fact, ShareMade};
use super::step::{Act, Part, Step};
use crate::wording::List;

impl Ceremony {
    pub(super) fn forget_volatile(&mut self, page: Option<Part>) {
        for number in self.volatile(page) {
            let gone = self.done.remove(&number);
            if let Some(split @ Fact::KeySplit { .. }) = gone {
                // Its certificates are of a key that is made anew.
                if let Fact::KeySplit { key, .. } = &split {
                    self.bulk.certified.remove(key);
                    self.sheets = Default::default();
                }
                self.void.push(split);
            }
        }
    }

    /// The sets that restarts made void: key, set and shares of each. They were never whole, and what was stored or
    /// printed of one opens its key, where that is an older key's.
    pub(super) fn void_splits(&self) -> impl Iterator<Item = (&str, &str, &[ShareMade])> {
        self.void.iter().filter_map(|fact| match fact {
            Fact::KeySplit { key, set, shares, .. } => {
                Some((key.as_str(), set.as_str(), shares.as_slice()))
            }
            _ => None,
        })
    }

    /// The finished steps that a restart loses: shares opened for the vault, a key whose split was not finished, and the
    /// clock. Shares and entropy whose use is over stay as they were told: nobody is asked for them again. That the
    /// change was read stands on paper, or it is read again: nothing but the record says so.
    fn volatile(&self, page: Option<Part>) -> BTreeSet<u32> {
        let unfinished = self.unfinished_splits();
        let is_made_anew = self.steps.iter().any(|step| match &step.act {
            Act::PlaceKey { .. } => !self.done.contains_key(&step.number),
            Act::SplitKey { key } => {
                !self.done.contains_key(&step.number) || unfinished.contains(&key.as_str())
            }
            _ => false,
        });
        // Nothing signs after it, so that nobody opens a share for nothing.
        let is_over = self.facts().any(|fact| matches!(fact, Fact::RootsAssembled));
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
            (false, _) if anew.iter().all(|key| self.is_older(key)) => {
                format!("the new set of key {} is made once more; ", List::and(&anew))
            }
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

#[cfg(test)]
mod tests {
    use crate::ceremony::Ceremony;
    use crate::ceremony::fact::Fact;
    use crate::ceremony::step::{Act, Part};
    use crate::ceremony::tests::Room;

    fn absent(token: &str) -> Fact {
        Fact::TokenAbsent { token: token.into(), reason: "on a train".into() }
    }

    const fn resumed() -> Fact {
        Fact::Resumed { page: Some(Part::Signing), wrong: 0, undone: Vec::new() }
    }

    /// Plays a genesis up to a step.
    fn until(room: &mut Room, at: fn(&Act) -> bool) -> Ceremony {
        let mut ceremony = Ceremony::open(room.genesis(), room.now).unwrap();
        loop {
            let step = ceremony.next().cloned().unwrap();
            if at(&step.act) {
                return ceremony;
            }
            for fact in room.facts(&ceremony, &step).unwrap() {
                ceremony = ceremony.accept(step.number, fact).unwrap();
            }
        }
    }

    #[test]
    fn the_last_line_of_a_refusal_names_the_step_that_a_restart_comes_to() {
        let mut room = Room::new();
        let told = |room: &mut Room, at: fn(&Act) -> bool| until(room, at).standing();
        assert_eq!(
            told(&mut room, |act| *act == Act::ConfirmPlan),
            "nothing was signed; the work folder holds a record; `resume` goes on at step 1"
        );
        assert_eq!(
            told(&mut room, |act| matches!(act, Act::StoreShare { index: 2, .. })),
            "nothing was signed; the record holds what was done; key root-spare, in memory only until \
             its shares are proven, is made anew; `resume` goes on at step 12"
        );
        assert_eq!(
            told(&mut room, |act| matches!(act, Act::OpenShare { index: 2, .. })),
            "2 keys signed, recorded; nothing is on out media; shares that were open are opened again; \
             `resume` goes on at step 22"
        );
        assert_eq!(
            told(&mut room, |act| *act == Act::ExportFolders),
            "3 keys signed, recorded; out and room media are not complete; `resume` goes on at step 28"
        );
    }

    #[test]
    fn nobody_opens_a_share_when_too_few_are_here_or_the_roots_are_complete() {
        let mut room = Room::new();
        let mut ceremony = until(&mut room, |act| matches!(act, Act::OpenShare { index: 1, .. }));
        ceremony = ceremony.accept(22, absent("officer-1")).unwrap();
        ceremony = ceremony.accept(23, absent("officer-2")).unwrap();
        let step = ceremony.steps().iter().find(|step| step.number == 24).unwrap();
        let too_few = "too few shares of key root-spare are here";
        assert_eq!(ceremony.left_out(step).as_deref(), Some(too_few));
        assert_eq!(ceremony.next().map(|step| step.number), Some(26));

        let mut ceremony = until(&mut room, |act| matches!(act, Act::OpenShare { index: 2, .. }));
        ceremony = ceremony.accept(23, absent("officer-2")).unwrap();
        ceremony = ceremony.accept(24, absent("officer-3")).unwrap();
        let step = ceremony.next().cloned().unwrap();
        for fact in room.facts(&ceremony, &step).unwrap() {
            ceremony = ceremony.accept(step.number, fact).unwrap();
        }
        assert_eq!(step.act, Act::AssembleRoots);
        let resumed = ceremony.accept(27, resumed()).unwrap();
        let after: Vec<u32> = resumed
            .steps()
            .iter()
            .filter(|step| resumed.fact(step.number).is_none() && resumed.left_out(step).is_none())
            .map(|step| step.number)
            .collect();
        // The clock, the close and the export.
        assert_eq!(after, [2, 27, 28]);
    }
}
