//! Whether what came back of tokens, keys and shares may stand.
//!
//! Second floor: pure.

use super::EDITED;
use crate::ceremony::fact::{Fact, Purpose, ShareMade, Statement};
use crate::ceremony::roster::{Holding, KeyOrigin};
use crate::ceremony::statement::Said;
use crate::ceremony::{Ceremony, ours, statement};
use crate::check::Check;
use crate::key::{KemKey, PublicKey};
use crate::refusal::Refusal;
use crate::trust::Held;

impl Ceremony {
    pub(super) fn check_enrolled(
        &self,
        token: &str,
        attest: &PublicKey,
        (seal, kem): (Option<&PublicKey>, Option<&KemKey>),
    ) -> Result<(), Refusal> {
        let seals = self.roster.token(token).is_some_and(|token| token.seals);
        if seals != seal.is_some() || (kem.is_some() && !seals) {
            let what = format!("token `{token}` needs a sealing key exactly if it gets a share");
            return Err(Refusal::of(Check::TokenSeal, what).hint(EDITED));
        }
        let taken = |public: &PublicKey| {
            self.past().custody().tokens.iter().any(|known| {
                known.attest.as_ref() == Some(public) || known.seal.as_ref() == Some(public)
            }) || self.facts().any(|fact| {
                matches!(fact, Fact::TokenEnrolled { attest, seal, .. }
                    if attest == public || seal.as_ref() == Some(public))
            })
        };
        let kem_taken = |kem: &KemKey| {
            let of_fact = self.facts().any(
                |fact| matches!(fact, Fact::TokenEnrolled { kem: Some(other), .. } if other == kem),
            );
            let mut known = self.past().custody().tokens.iter();
            of_fact || known.any(|known| known.kem.as_ref() == Some(kem))
        };
        let is_own = |seal: &PublicKey| !taken(seal) && seal != attest;
        let is_fresh = seal.is_none_or(is_own) && !kem.is_some_and(kem_taken);
        if taken(attest) || !is_fresh {
            let what = format!("token `{token}` shows a public key that another token has");
            return Err(Refusal::of(Check::TokenKey, what)
                .hint("one of the two is a copy: use a token that was never set up before"));
        }
        Ok(())
    }

    pub(super) fn check_adopted(&self, key: &str, public: &PublicKey) -> Result<(), Refusal> {
        match self.roster.key(key).map(|key| &key.origin) {
            Some(KeyOrigin::Adopted(pinned)) if *pinned == public.id() => {
                self.check_made(key, public)
            }
            _ => {
                let what = format!("key `{key}` on the token is not the one that the plan adopts");
                Err(Refusal::of(Check::TokenKey, what).hint("put in the token that holds it"))
            }
        }
    }

    pub(super) fn check_made(&self, name: &str, public: &PublicKey) -> Result<(), Refusal> {
        let key = self
            .roster
            .key(name)
            .ok_or_else(|| ours(format!("key `{name}` is not in the roster")))?;
        if public.algorithm() != key.algorithm {
            let what = format!(
                "key `{name}` is `{}`, the plan says `{}`",
                public.algorithm(),
                key.algorithm
            );
            return Err(Refusal::of(Check::TokenKey, what)
                .hint("give the key another name in the plan, or correct its algorithm"));
        }
        let others = self.roster.keys().iter().filter(|other| other.name != name);
        let twin = others
            .map(|other| &other.name)
            .find(|other| self.public(other).as_ref() == Some(public));
        let old = self.past().custody().key_of(public).map(|old| &old.name);
        match twin.or(old.filter(|old| *old != name)) {
            Some(twin) => {
                let what = format!("key `{name}` has the public key of `{twin}`");
                Err(Refusal::of(Check::RootKeyTwin, what)
                    .hint("a token that makes one key twice is not to be trusted: use another"))
            }
            None => Ok(()),
        }
    }

    /// A key that gets a new set, or another place, is the one that it was.
    pub(super) fn check_same(&self, name: &str, public: &PublicKey) -> Result<(), Refusal> {
        match self.roster.key(name).map(|key| &key.origin) {
            Some(KeyOrigin::Known(known)) if known != public => {
                let what = format!("what was made of key `{name}` is of another key");
                Err(Refusal::of(Check::ShareSet, what).hint(EDITED))
            }
            Some(KeyOrigin::Imported(pinned)) if *pinned != public.id() => {
                let what = format!("key `{name}` from a file is not the one that the plan imports");
                Err(Refusal::of(Check::AdoptInChain, what).hint(EDITED))
            }
            _ => Ok(()),
        }
    }

    /// A set id is 128 random bits: it is no other set's.
    pub(super) fn check_set(&self, set: &str) -> Result<(), Refusal> {
        let of = |held: &Held| matches!(held, Held::Shares { set: known, .. } if known == set);
        let is_known = self.past().custody().keys.iter().any(|key| of(&key.held))
            || self
                .facts()
                .any(|fact| matches!(fact, Fact::KeySplit { set: known, .. } if known == set));
        let is_form =
            set.len() == 32 && set.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if is_form && !is_known {
            return Ok(());
        }
        let what = format!("`{set}` is no set id, or another set's");
        Err(Refusal::of(Check::ShareSet, what).hint(EDITED))
    }

    pub(super) fn check_shares(&self, name: &str, shares: &[ShareMade]) -> Result<(), Refusal> {
        let tokens = match self.roster.key(name).map(|key| &key.holding) {
            Some(Holding::Shares { holders, .. }) => holders.as_slice(),
            _ => &[],
        };
        let made: Vec<(u8, &String)> =
            shares.iter().map(|share| (share.index, &share.holder)).collect();
        let planned: Vec<(u8, &String)> = (1..=u8::MAX).zip(tokens).collect();
        if made == planned {
            return Ok(());
        }
        let what = format!("key `{name}` was split for other tokens than the plan says");
        Err(Refusal::of(Check::ShareThreshold, what).hint(EDITED))
    }

    /// The token that holds a share of the set that was made said so.
    pub(super) fn check_stored(
        &self,
        key: &str,
        index: u8,
        token: &str,
        statement: Option<&Statement>,
    ) -> Result<(), Refusal> {
        let public = self.public(key);
        let split = self.split(key);
        let made = split.and_then(|(_, shares)| shares.iter().find(|share| share.index == index));
        let (Some(public), Some((set, _)), Some(made)) = (&public, split, made) else {
            return Err(ours(format!("key `{key}` has no share {index}")));
        };
        let said = Said::ShareStored { key, public, set, index, sealed: made.sealed };
        statement::check(self, token, &said, statement)
    }

    /// Nothing is signed before the tokens that take part said what.
    pub(super) fn check_intended(&self, number: u32, key: &str) -> Result<(), Refusal> {
        let shares = self.opened(key, Purpose::Sign);
        let tokens = match self.roster.key(key).map(|key| &key.holding) {
            Some(Holding::Token(token)) => vec![token],
            Some(Holding::Shares { holders, .. }) => {
                let opened = (1..=u8::MAX).zip(holders).filter(|(index, _)| shares.contains(index));
                opened.map(|(_, token)| token).collect()
            }
            None => Vec::new(),
        };
        match tokens.into_iter().find(|token| !self.has_intended(token)) {
            None => Ok(()),
            Some(token) => {
                let what = format!("step {number} signs before token `{token}` said what it signs");
                Err(Refusal::of(Check::FactOrder, what).hint(EDITED))
            }
        }
    }

    pub(super) fn check_combined(&self, name: &str, tried: u64, of: u64) -> Result<(), Refusal> {
        let stored = |index: u8| {
            self.facts().any(|fact| matches!(fact, Fact::ShareStored { key, index: i, .. } if key == name && *i == index))
        };
        let n = self.roster.key(name).map_or(0, |key| key.holding.holders().len());
        let all = (1..=u8::MAX).take(n).all(stored);
        if all && tried > 0 && tried <= of {
            return Ok(());
        }
        let what = format!("the shares of key `{name}` were not all proven");
        Err(Refusal::of(Check::ShareProven, what).hint("run `resume`: it makes the set anew"))
    }
}
