//! What a token or paper holds of the keys that count.
//!
//! Second floor, beside the ceremony: pure.

use super::{CustodyKey, CustodyShare, Held, Past};
use crate::key::PublicKey;

/// What one token or paper holds of the keys that count.
#[derive(Clone, Debug, Default)]
pub struct Holds {
    /// The keys that it holds whole, with their public halves.
    pub keys: Vec<(String, PublicKey)>,
    /// Its shares.
    pub shares: Vec<ShareOf>,
}

/// A share of a key that counts.
#[derive(Clone, Debug)]
pub struct ShareOf {
    /// The key's name.
    pub key: String,
    /// The set id, 32 hex digits.
    pub set: String,
    /// The share.
    pub share: CustodyShare,
}

impl Holds {
    /// Whether it is nothing.
    pub const fn is_nothing(&self) -> bool {
        self.keys.is_empty() && self.shares.is_empty()
    }
}

impl Past {
    /// The keys that the newest root of any repository lists.
    pub fn live_keys(&self) -> impl Iterator<Item = &CustodyKey> {
        let keys = self.custody().keys.iter();
        keys.filter(move |key| {
            self.repositories().values().any(|lineage| lineage.is_governed_by(&key.public))
        })
    }

    /// What a token or paper holds of them.
    pub fn holds(&self, holder: &str) -> Holds {
        let mut holds = Holds::default();
        for key in self.live_keys() {
            match &key.held {
                Held::Token { token } if token == holder => {
                    holds.keys.push((key.name.clone(), key.public.clone()));
                }
                Held::Token { .. } => {}
                Held::Shares { set, shares, .. } => {
                    let mine = shares.iter().filter(|share| share.holder == holder);
                    holds.shares.extend(mine.map(|share| ShareOf {
                        key: key.name.clone(),
                        set: set.clone(),
                        share: share.clone(),
                    }));
                }
            }
        }
        holds
    }
}
