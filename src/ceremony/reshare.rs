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
    /// Where its shares are opened from: in a reshare or a restore, where they are until then.
    pub fn opened_from(&self) -> &Holding {
        self.from.as_ref().unwrap_or(&self.holding)
    }

    /// Whether this ceremony makes a set of shares of it: of a new key, of one from a file, or a new set.
    pub fn is_split_here(&self) -> bool {
        let is_made = self.from.is_some() || !matches!(self.origin, KeyOrigin::Known(_));
        is_made && matches!(self.holding, Holding::Shares { .. })
    }

    /// Whether this ceremony puts it onto a token: rebuilt from its shares, or read from a file.
    pub fn is_placed_here(&self) -> bool {
        let is_brought = self.from.is_some() || matches!(self.origin, KeyOrigin::Imported(_));
        is_brought && matches!(self.holding, Holding::Token(_))
    }

    /// Every token and paper that has a part in it here.
    pub fn all_holders(&self) -> impl Iterator<Item = &String> {
        let before = self.from.iter().flat_map(Holding::holders);
        self.holding.holders().iter().chain(before)
    }
}

impl Ceremony {
    /// Whether a key was there before this ceremony, which gives it a new set.
    pub fn is_older(&self, key: &str) -> bool {
        self.roster().key(key).is_some_and(|key| key.from.is_some())
    }

    /// Whether the new set of a key was proven, or the key is on its token.
    pub fn is_moved(&self, key: &str) -> bool {
        self.facts().any(|fact| {
            matches!(fact, Fact::KeyPlaced { key: done, .. } | Fact::SharesCombined { key: done, .. }
                if done == key)
        })
    }

    /// Refuses to go on when too few of the old shares are here to rebuild a key. `[QUORUM-PRESENT]`
    pub(super) fn check_openable(&self) -> Result<(), Refusal> {
        for key in self.roster().keys().iter().filter(|key| key.from.is_some()) {
            let from = key.opened_from();
            let here = from.holders().iter().filter(|holder| !self.absent().contains_key(*holder));
            let (here, needed) = (here.count(), from.needed());
            if here < needed && !self.is_moved(&key.name) {
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

/// That other sets still open their keys, as sentences: a new set takes nothing from older ones, nor from one that was
/// begun before it in this ceremony.
pub(super) fn remarks(ceremony: &Ceremony) -> Vec<String> {
    let mut said = Vec::new();
    for key in ceremony.roster().keys().iter().filter(|key| key.from.is_some()) {
        let known = ceremony.past().custody().key(&key.name);
        let older = known.into_iter().flat_map(|known| known.ever_held());
        for held in older {
            let (set, threshold, shares) = match held {
                Held::Shares { set, threshold, shares } => (set, threshold, shares),
                Held::Token { token } => {
                    said.push(format!("token {token} still holds key {}, whole", key.name));
                    continue;
                }
            };
            if ceremony.past().custody().is_dead(held) {
                continue;
            }
            let holders: Vec<&str> = shares.iter().map(|share| share.holder.as_str()).collect();
            let what = format!("set {set} still opens key {}", key.name);
            said.push(remark(&what, usize::from(*threshold), &holders));
        }
        for (_, set, shares) in ceremony.void_splits().filter(|(of, ..)| *of == key.name) {
            let holders: Vec<&str> = shares.iter().map(|share| share.holder.as_str()).collect();
            let what =
                format!("set {set}, which was begun and not finished, opens key {}", key.name);
            said.push(remark(&what, key.holding.needed(), &holders));
        }
    }
    said
}

fn remark(what: &str, k: usize, holders: &[&str]) -> String {
    let n = holders.len();
    format!(
        "{what}: any {k} of {}; it is dead once {} of its {n} shares are destroyed in every copy",
        List::and(holders),
        (n + 1).saturating_sub(k)
    )
}
