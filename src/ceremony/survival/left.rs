//! What is left of earlier times: sets and tokens that still open or hold a key which another set or no root names now.
//!
//! Second floor: pure. docs/threats.md rule 11.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::ceremony::fact::Fact;
use crate::ceremony::plan::Plan;
use crate::key::PublicKey;
use crate::record::{Body, Record};
use crate::trust::{Custody, CustodyKey, Held, Past};

/// An old set of shares, or a token with an old key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Left {
    /// A set that still opens a root key.
    Set {
        /// The set id.
        set: String,
        /// The key that it opens.
        key: String,
        /// Whether a last root names the key: then whoever has this set signs roots of today.
        is_root_key: bool,
        /// How many shares open it; none where no plan in the trust folder says.
        threshold: Option<usize>,
        /// How many there are.
        shares: usize,
        /// How many of them are gone in every copy.
        gone: usize,
    },
    /// A token that still holds a key which no last root names.
    Token {
        /// The token.
        token: String,
        /// The key.
        key: String,
    },
}

impl Left {
    /// Everything that a trust folder knows of, in the order of its making.
    pub fn of(past: &Past) -> Vec<Self> {
        Self::judged(sets(past), &root_keys(past), past.custody())
    }

    /// The same after a plan, whose new root leaves keys out.
    pub(super) fn after(plan: &Plan, past: &Past) -> Vec<Self> {
        let mut roots = root_keys(past);
        if let Some(root) = plan.root() {
            let governs = |key: &&CustodyKey| root.keys.contains(&key.name);
            let others = past.governing(|name| plan.repository(name).is_none());
            let stays = past.custody().keys.iter().filter(governs).map(|key| key.public.clone());
            roots.now = others.into_iter().chain(stays).collect();
        }
        Self::judged(sets(past), &roots, past.custody())
    }

    fn judged(made: Vec<Made>, roots: &RootKeys, custody: &Custody) -> Vec<Self> {
        let mut left = Vec::new();
        let keys = &custody.keys;
        for Made { set, key, public, threshold, shares } in made {
            let is_the_one = |known: &CustodyKey| matches!(&known.held, Held::Shares { set: s, .. } if *s == set);
            let is_root_key = roots.now.contains(&public);
            let is_living = is_root_key && keys.iter().any(is_the_one);
            let gone = custody.shares_gone(&set);
            let is_dead = gone + threshold.unwrap_or(1) > shares;
            if roots.ever.contains(&public) && !is_living && !is_dead {
                left.push(Self::Set { set, key, is_root_key, threshold, shares, gone });
            }
        }
        let old = keys.iter().filter(|key| !roots.now.contains(&key.public));
        left.extend(old.filter_map(|key| match &key.held {
            Held::Token { token } if custody.is_key_gone(&key.name, token) => None,
            Held::Token { token } => {
                Some(Self::Token { token: token.clone(), key: key.name.clone() })
            }
            Held::Shares { .. } => None,
        }));
        left
    }

    /// As a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Set { set, key, is_root_key, threshold, shares, gone } => {
                let what = if *is_root_key { "still opens key" } else { "still opens the old key" };
                let dead = threshold.map_or_else(
                    || "all of its shares are".to_owned(),
                    |threshold| {
                        let needed = (shares + 1).saturating_sub(threshold + gone);
                        let more = if *gone == 0 { "" } else { "more " };
                        format!("{needed} {more}of its {shares} shares are")
                    },
                );
                format!(
                    "Set {} {what} `{key}`, until {dead} proven destroyed in every copy.",
                    &set[..8.min(set.len())]
                )
            }
            Self::Token { token, key } => {
                format!(
                    "Token `{token}` still holds the old key `{key}`, which clients of old roots believe."
                )
            }
        }
    }
}

/// A set as plan and record of its ceremony say.
struct Made {
    set: String,
    key: String,
    public: PublicKey,
    threshold: Option<usize>,
    shares: usize,
}

/// Every set that was ever made, those too that a restart made void.
fn sets(past: &Past) -> Vec<Made> {
    let mut sets = Vec::new();
    for ceremony in past.ceremonies() {
        // Of an unfinished ceremony that was abandoned, the plan is not in the trust folder.
        let planned = |key: &str| {
            let planned = ceremony.plan.keys().find(|planned| planned.name == key)?;
            planned.shares.as_ref().map(|shares| usize::from(shares.threshold))
        };
        for entry in ceremony.records().flat_map(Record::entries) {
            if let Body::Done { fact: Fact::KeySplit { key, public, set, shares, .. } } =
                &entry.body
            {
                sets.push(Made {
                    set: set.clone(),
                    key: key.clone(),
                    public: public.clone(),
                    threshold: planned(key),
                    shares: shares.len(),
                });
            }
        }
    }
    sets
}

/// The root keys of the last roots, and of all.
struct RootKeys {
    now: BTreeSet<PublicKey>,
    ever: BTreeSet<PublicKey>,
}

fn root_keys(past: &Past) -> RootKeys {
    RootKeys { now: past.governing(|_| true), ever: past.root_keys().clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::tests::Pair;
    use crate::digest::Digest;
    use crate::key::Algorithm;
    use crate::trust::CustodyShare;

    #[test]
    fn a_set_stays_until_it_is_destroyed_and_a_void_one_opens_nothing() {
        let public = |_| Pair::new(Algorithm::EcdsaP256).public();
        let [living, retired, void] = [(); 3].map(public);
        let made = |set: &str, public: &PublicKey, threshold| Made {
            set: set.to_owned(),
            key: "root-spare".to_owned(),
            public: public.clone(),
            threshold,
            shares: 5,
        };
        let sets = vec![
            made("old of the living", &living, Some(3)),
            made("new of the living", &living, Some(2)),
            made("of the retired", &retired, None),
            made("void", &void, Some(2)),
        ];
        let digest = Digest::of(b"");
        let share = CustodyShare {
            index: 1,
            holder: "a".to_owned(),
            commitment: digest,
            sealed: digest,
            on_token: true,
        };
        let held =
            Held::Shares { set: "new of the living".to_owned(), threshold: 2, shares: vec![share] };
        let key = |name: &str, public: &PublicKey, held| CustodyKey {
            name: name.to_owned(),
            algorithm: Algorithm::EcdsaP256,
            public: public.clone(),
            held,
            former: Vec::new(),
        };
        let on_token = Held::Token { token: "officer-a".to_owned() };
        let keys = [key("root-spare", &living, held), key("root-a", &retired, on_token)];
        let roots = RootKeys { now: [living.clone()].into(), ever: [living, retired].into() };
        let custody = Custody { keys: keys.into(), ..Custody::default() };
        let left = Left::judged(sets, &roots, &custody);
        let said: Vec<String> = left.iter().map(Left::sentence).collect();
        assert_eq!(
            said,
            [
                "Set old of t still opens key `root-spare`, until 3 of its 5 shares are proven destroyed in every copy.",
                "Set of the r still opens the old key `root-spare`, until all of its shares are proven destroyed in every copy.",
                "Token `officer-a` still holds the old key `root-a`, which clients of old roots believe.",
            ]
        );
    }
}
