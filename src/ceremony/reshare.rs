//! A reshare: a key in shares gets a new set, over other holders or another threshold. The key stays, and no root changes.
//!
//! Second floor: pure. docs/threats.md rule 11: the old set opens the key until enough of its shares are destroyed.

use super::Ceremony;
use super::fact::Fact;
use super::roster::{Holding, Key, KeyOrigin};
use crate::check::Check;
use crate::refusal::Refusal;
use crate::trust::Held;
use crate::wording::List;

impl Key {
    /// Where its shares are opened from: in a reshare, where they are until then.
    pub fn opened_from(&self) -> &Holding {
        self.from.as_ref().unwrap_or(&self.holding)
    }

    /// Whether this ceremony makes a set of shares of it: of a new key, of one from a file, or a new set.
    pub fn is_split_here(&self) -> bool {
        let is_made = self.from.is_some() || !matches!(self.origin, KeyOrigin::Known(_));
        is_made && matches!(self.holding, Holding::Shares { .. })
    }

    /// Every token and paper that has a part in it here.
    pub fn all_holders(&self) -> impl Iterator<Item = &String> {
        let before = self.from.iter().flat_map(Holding::holders);
        self.holding.holders().iter().chain(before)
    }
}

impl Ceremony {
    /// Whether the new set of a key was proven.
    pub(super) fn is_reshared(&self, key: &str) -> bool {
        self.facts()
            .any(|fact| matches!(fact, Fact::SharesCombined { key: done, .. } if done == key))
    }

    /// Refuses to go on when too few of the old shares are here to make a new set of them. `[QUORUM-PRESENT]`
    pub(super) fn check_openable(&self) -> Result<(), Refusal> {
        for key in self.roster().keys().iter().filter(|key| key.from.is_some()) {
            let from = key.opened_from();
            let here = from.holders().iter().filter(|holder| !self.absent().contains_key(*holder));
            let (here, needed) = (here.count(), from.needed());
            if here < needed && !self.is_reshared(&key.name) {
                let what = format!(
                    "{here} of the {needed} shares that rebuild key `{}` can still be opened",
                    key.name
                );
                return Err(Refusal::of(Check::QuorumPresent, what)
                    .hint("bring the missing tokens, and `resume`"));
            }
        }
        Ok(())
    }
}

/// That old sets still open their keys, as sentences: a new set takes nothing from the old one.
pub(super) fn remarks(ceremony: &Ceremony) -> Vec<String> {
    let mut said = Vec::new();
    for key in ceremony.roster().keys().iter().filter(|key| key.from.is_some()) {
        let before = ceremony.past().custody().key(&key.name).map(|known| &known.held);
        let Some(Held::Shares { set, threshold, shares }) = before else { continue };
        let (k, n) = (usize::from(*threshold), shares.len());
        let holders: Vec<&str> = shares.iter().map(|share| share.holder.as_str()).collect();
        said.push(format!(
            "set {set} still opens key {}: any {k} of {}; it is dead once {} of its {n} shares are destroyed in every copy",
            key.name,
            List::and(&holders),
            n + 1 - k
        ));
    }
    said
}
