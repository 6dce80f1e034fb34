//! Keys in shares: split in the vault, stored on tokens, proven, and put together again.
//!
//! Roof. The vault holds the key; tokens agree on what opens a share; this process passes sealed files and points.

use std::collections::BTreeSet;

use super::token::{Put, seal_key};
use super::{CUSTODY, Session};
use crate::ceremony::fact::{Fact, Purpose, ShareMade};
use crate::ceremony::roster::{Holding, KeyOrigin};
use crate::ceremony::statement::Said;
use crate::ceremony::{Ceremony, closing};
use crate::check::Check;
use crate::child::token::Token;
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::record::Body;
use crate::refusal::{Exit, Refusal};
use crate::room::pkcs11::{self, Face, KeyRef, Object};
use crate::room::{entropy, media};
use crate::seal::{SealKey, SealTo};
use crate::share::{Commitment, Set, SetId, ShareIndex, Threshold};
use crate::trust::{Custody, Held};

/// Which share is opened, and what for.
pub(super) struct Opening<'a> {
    pub(super) key: &'a str,
    pub(super) index: u8,
    pub(super) holder: &'a str,
    pub(super) purpose: Purpose,
}

/// What data objects of shares are stored under.
const APPLICATION: &str = "officiant share";

impl Session<'_> {
    pub(super) fn draw_entropy(&mut self) -> Result<Fact, Refusal> {
        let names: Vec<String> = self
            .ceremony
            .roster()
            .tokens()
            .iter()
            .map(|token| token.name.clone())
            .filter(|name| !self.ceremony.absent().contains_key(name))
            .filter(|name| !self.ceremony.is_elsewhere(name))
            .collect();
        let mut sources = Vec::new();
        let mut tokens = Vec::new();
        for name in names {
            let mut token = self.open(&name)?;
            let serial = self.identity(&name)?.serial;
            token.select(&serial).map_err(|error| self.child(&error))?;
            match token.random(64) {
                Ok(bytes) => {
                    sources.push(bytes);
                    tokens.push(name);
                }
                Err(crate::child::Error::Token(pkcs11::Error::NotSupported { .. })) => {}
                Err(error) => return Err(self.child(&error)),
            }
        }
        // The vault starts after this, so that everything it draws comes from the fed generator.
        self.vault = None;
        let fed =
            entropy::feed(&sources).map_err(|error| Refusal::new(Exit::Ours, error.to_string()))?;
        let sources = match tokens.as_slice() {
            [] => "the kernel alone: no token here gives randomness".to_owned(),
            some => some.join(", "),
        };
        self.show(&format!("        drawn from {sources}"))?;
        Ok(Fact::EntropyDrawn { tokens, reseeded: fed == entropy::Fed::Reseeded })
    }

    pub(super) fn split_key(&mut self, step: u32, name: &str) -> Result<Fact, Refusal> {
        let key = self.ceremony.roster().key(name).cloned();
        let key = key.ok_or_else(|| {
            Refusal::new(Exit::Ours, format!("key `{name}` is not in the roster"))
        })?;
        let Holding::Shares { threshold, holders } = key.holding else {
            return Err(Refusal::new(Exit::Ours, format!("key `{name}` is not held in shares")));
        };
        self.refuse_stand_ins(&holders)?;
        let roster = self.ceremony.roster();
        let seals = holders.iter().map(|holder| {
            Ok(match (roster.paper(holder), roster.recipient(holder)) {
                (Some(_), _) => SealTo::Passphrase,
                (None, Some(recipient)) => SealTo::Age(recipient.age.clone()),
                (None, None) => SealTo::Token(self.seal_of(holder)?),
            })
        });
        let seals = seals.collect::<Result<Vec<_>, Refusal>>()?;
        let total = u8::try_from(holders.len()).unwrap_or(u8::MAX);
        let threshold = Threshold::new(threshold, total).map_err(|error| {
            Refusal::of(Check::ShareThreshold, error.to_string())
                .hint("correct `threshold` or the holders of its `shares`")
        })?;
        self.begin(step, name)?;
        let made = match (key.from, key.origin) {
            (Some(_), _) => {
                let (old, _) = set_of(&self.ceremony, name)?;
                let public = old.key.clone();
                self.vault()?.reshare(name, (&old, &public), threshold, &seals)
            }
            (None, KeyOrigin::Imported(pin)) => {
                let algorithm = key.algorithm;
                Ok(self.import_key(step, name, |vault, file| {
                    vault.import((name, pin), algorithm, file, (threshold, &seals))
                })?)
            }
            (None, _) => self.vault()?.generate(name, key.algorithm, threshold, &seals),
        };
        let sealed = made.map_err(|error| self.child(&error))?;
        let set = &sealed.set;
        let mut shares = Vec::new();
        for (index, (holder, bytes)) in (1_u8..).zip(holders.iter().zip(&sealed.shares)) {
            let path = format!("{}/{index}.age", set.id);
            let kept = super::closing::keep(&self.room.binding.work, &path, bytes);
            kept.map_err(|error| self.device(&error))?;
            let commitment = set.commitments.get(usize::from(index) - 1).map(Commitment::digest);
            let commitment = commitment
                .ok_or_else(|| Refusal::new(Exit::Ours, "a share without a commitment"))?;
            let (holder, commitment, sealed) = (holder.clone(), *commitment, Digest::of(bytes));
            shares.push(ShareMade { index, holder, commitment, sealed });
        }
        let public = set.key.clone();
        self.show(&format!("        set {}, key {}", set.id, public.id().grouped()))?;
        let (key, set) = (name.to_owned(), set.id.to_string());
        let fact = Fact::KeySplit { key, public: public.clone(), set, shares };
        self.take(step, fact.clone())?;
        self.certify_in_vault(step, name, &public)?;
        Ok(fact)
    }

    pub(super) fn certify_in_vault(
        &mut self,
        step: u32,
        name: &str,
        public: &PublicKey,
    ) -> Result<(), Refusal> {
        self.with_vault(name, |session, sign| session.certify_by(step, (name, public), sign))
    }

    /// The public sealing key of a token.
    pub(super) fn seal_of(&self, token: &str) -> Result<SealKey, Refusal> {
        let enrolled = self.ceremony.facts().find_map(|fact| match fact {
            Fact::TokenEnrolled { token: t, seal, kem, .. } if t == token => Some((seal, kem)),
            _ => None,
        });
        let known = self.ceremony.past().custody().token(token);
        match enrolled.or(known.map(|token| (&token.seal, &token.kem))) {
            Some((Some(seal), kem)) => seal_key(seal.clone(), kem.clone()),
            _ => {
                let what = format!("token `{token}` has no sealing key: it cannot take a share");
                Err(Refusal::of(Check::TokenSeal, what).hint("enrol another token for the share"))
            }
        }
    }

    pub(super) fn store_share(
        &mut self,
        step: u32,
        key: &str,
        index: u8,
        name: &str,
    ) -> Result<Fact, Refusal> {
        let set = set_of(&self.ceremony, key)?;
        let (mut token, face) = self.need(step, name)?;
        self.log_in(step, &mut token, &face, name)?;
        self.delete_void(&mut token)?;
        let sealed = self.sealed_file(&set.0, index)?;
        let object = object(&set.0.id, index);
        self.begin(step, name)?;
        let on_token = match token.store(&object, &sealed) {
            Ok(()) => true,
            Err(crate::child::Error::Token(pkcs11::Error::NotSupported { .. })) => false,
            Err(error) => return Err(self.child(&error)),
        };
        if on_token {
            let read = token.read(&object.label).map_err(|error| self.child(&error))?;
            if read != sealed {
                let what =
                    format!("token `{name}` does not give back share {index} as it was stored");
                return Err(
                    Refusal::of(Check::ShareProven, what).hint("enrol another token for the share")
                );
            }
        }
        self.open_in_vault(&mut token, name, &set.0, index, &sealed)?;
        let (public, id, sealed) = (&set.0.key, set.0.id.to_string(), Digest::of(&sealed));
        let said = Said::ShareStored { key, public, set: &id, index, sealed };
        let statement = self.state(&mut token, name, &said)?;
        token.logout().map_err(|error| self.child(&error))?;
        Ok(Fact::ShareStored { key: key.to_owned(), index, on_token, statement })
    }

    /// Has the token use its sealing key on the sealed file, and the vault open it and hold it against its commitment.
    fn open_in_vault(
        &mut self,
        token: &mut Token,
        name: &str,
        set: &Set,
        index: u8,
        sealed: &[u8],
    ) -> Result<(), Refusal> {
        let to = self.seal_of(name)?;
        let key: KeyRef = self.find_key(token, name, to.public())?;
        let index = ShareIndex::new(index).ok_or_else(|| {
            Refusal::of(Check::ShareIndex, format!("share 0 of set {} does not exist", set.id))
                .hint("shares count from 1")
        })?;
        let asked = self
            .vault()?
            .asked(sealed, &to)
            .map_err(|error| error.refusal(Refusal::NOTHING_DONE))?;
        let agreed = token.answer((&key, &to), &asked).map_err(|error| self.child(&error))?;
        self.vault()?
            .open(set, index, (sealed, &to), &agreed)
            .map_err(|error| error.refusal(Refusal::NOTHING_DONE))
    }

    /// Shares of sets that an interruption, or abandoning, made void go. Other sets than these are let be: a trust folder
    /// that is not the newest does not know every live one.
    pub(super) fn delete_void(&mut self, token: &mut Token) -> Result<(), Refusal> {
        let void = self.void_sets()?;
        for object in token.objects().map_err(|error| self.child(&error))? {
            let ours = object.application == APPLICATION;
            let set = object.label.strip_prefix("officiant share ").and_then(|l| l.split_once(' '));
            if ours && set.is_some_and(|(set, _)| void.contains(set)) {
                token.delete(&object.label).map_err(|error| self.child(&error))?;
            }
        }
        Ok(())
    }

    /// The sets that this record, or the one of an abandoned ceremony, says were made, and that no key has any more.
    pub(super) fn void_sets(&self) -> Result<BTreeSet<String>, Refusal> {
        let unfinished = self.unfinished_record()?;
        let made = self.record.entries().iter().chain(unfinished.entries());
        let made = made.filter_map(|entry| match &entry.body {
            Body::Done { fact: Fact::KeySplit { key, set, .. } } => Some((key, set)),
            _ => None,
        });
        let live: BTreeSet<String> = closing::custody(&self.ceremony)
            .keys
            .into_iter()
            .filter_map(|key| match key.held {
                Held::Shares { set, .. } => Some(set),
                Held::Token { .. } => None,
            })
            .collect();
        Ok(made.filter(|(_, set)| !live.contains(*set)).map(|(_, set)| set.clone()).collect())
    }

    pub(super) fn combine_shares(&mut self, key: &str) -> Result<Fact, Refusal> {
        let (set, _) = set_of(&self.ceremony, key)?;
        let tried = self
            .vault()?
            .check_combinations(&set)
            .map_err(|error| error.refusal(Refusal::NOTHING_DONE))?;
        self.drop_key(key)?;
        self.show(&format!(
            "        {} of {} combinations tried, all give the key",
            tried.tried, tried.total
        ))?;
        Ok(Fact::SharesCombined { key: key.to_owned(), tried: tried.tried, of: tried.total })
    }

    pub(super) fn open_share(&mut self, step: u32, opening: Opening<'_>) -> Result<Fact, Refusal> {
        let Opening { key, index, holder: name, purpose } = opening;
        let (set, expected) = set_of(&self.ceremony, key)?;
        let (mut token, face) = match self.put_in(step, name)? {
            Put::Here(token, face) => (token, face),
            Put::Absent(reason) => return Ok(Fact::TokenAbsent { token: name.to_owned(), reason }),
        };
        if purpose == Purpose::Sign {
            self.consent(step, name)?;
        }
        let meant = self.log_in(step, &mut token, &face, name)?;
        if purpose == Purpose::Sign {
            self.intend(step, &mut token, (key, name), &meant)?;
        }
        let sealed = self.fetch_share(&mut token, &face, &set, (index, &expected))?;
        self.open_in_vault(&mut token, name, &set, index, &sealed)?;
        token.logout().map_err(|error| self.child(&error))?;
        Ok(Fact::ShareOpened { key: key.to_owned(), index, purpose })
    }

    /// The sealed share as the token stores it, else as the custody folder does; it is the one that was made, or it is
    /// named before any token opens it.
    pub(super) fn fetch_share(
        &mut self,
        token: &mut Token,
        face: &Face,
        set: &Set,
        share: (u8, &[ShareMade]),
    ) -> Result<Vec<u8>, Refusal> {
        let (index, made) = share;
        let label = object(&set.id, index).label;
        let (sealed, holder) = if self.stores(token, &label)? {
            let sealed = token.read(&label).map_err(|error| self.child(&error))?;
            (sealed, format!("the token with serial {}", face.name.serial))
        } else {
            (self.sealed_file(set, index)?, "the custody folder".to_owned())
        };
        let found = Digest::of(&sealed);
        if made.iter().any(|share| share.index == index && share.sealed == found) {
            return Ok(sealed);
        }
        let share = format!("share {index} of set {}", set.id);
        let (check, what) = match self.known_share(&found) {
            None => {
                let what = format!("{share}, as {holder} has it, is not the one that was made");
                (Check::ShareCommitment, what)
            }
            Some((other, index)) => {
                let what = format!("where {share} should be, {holder} has share {index}");
                match other == set.id.to_string() {
                    true => (Check::ShareIndex, what),
                    false => (Check::ShareSet, format!("{what} of set {other}")),
                }
            }
        };
        Err(Refusal::of(check, what).hint("leave this token out, and open another share"))
    }

    /// Whether a token, logged in, has a share of this label in its store.
    pub(super) fn stores(&self, token: &mut Token, label: &str) -> Result<bool, Refusal> {
        let stored = token.objects().map_err(|error| self.child(&error))?;
        Ok(stored.iter().any(|object| object.label == label))
    }

    /// Set and index of a sealed share that was ever made, as the trust folder or this record tells.
    fn known_share(&self, sealed: &Digest) -> Option<(String, u8)> {
        let mut known = Vec::new();
        for key in &closing::custody(&self.ceremony).keys {
            if let Held::Shares { set, shares, .. } = &key.held {
                known.extend(shares.iter().map(|share| (set.clone(), share.index, share.sealed)));
            }
        }
        for entry in self.record.entries() {
            if let Body::Done { fact: Fact::KeySplit { set, shares, .. } } = &entry.body {
                known.extend(shares.iter().map(|share| (set.clone(), share.index, share.sealed)));
            }
        }
        let mut known = known.into_iter();
        known.find(|(.., made)| made == sealed).map(|(set, index, _)| (set, index))
    }

    pub(super) fn sealed_file(&self, set: &Set, index: u8) -> Result<Vec<u8>, Refusal> {
        let inside = format!("{}/{index}.age", set.id);
        if let Some(bytes) = self.inputs.file(&format!("{CUSTODY}/{inside}"))? {
            return Ok(bytes);
        }
        let path = self.room.binding.work.join(CUSTODY).join(inside);
        media::read_file(&path, MAX_SEALED).map_err(|error| self.device(&error))
    }

    /// Rebuilds a key from the shares that are open, compared with the key of the set and with the one that the signed
    /// roots list, or, for a key that was made in this ceremony, the record.
    pub(super) fn rebuild(&mut self, key: &str) -> Result<PublicKey, Refusal> {
        let (set, _) = set_of(&self.ceremony, key)?;
        let public = self.ceremony.public(key);
        let public =
            public.ok_or_else(|| Refusal::new(Exit::Ours, format!("key `{key}` is not known")))?;
        self.vault()?
            .rebuild(key, &set, &public)
            .map_err(|error| error.refusal(Refusal::NOTHING_DONE))?;
        Ok(public)
    }

    pub(super) fn drop_key(&mut self, key: &str) -> Result<(), Refusal> {
        let (set, _) = set_of(&self.ceremony, key)?;
        self.vault()?.forget(key).map_err(|error| error.refusal(Refusal::NOTHING_DONE))?;
        self.vault()?.forget_shares(set.id).map_err(|error| error.refusal(Refusal::NOTHING_DONE))
    }
}

/// The set of a key, as custody or this ceremony has it, and its shares.
pub(super) fn set_of(ceremony: &Ceremony, key: &str) -> Result<(Set, Vec<ShareMade>), Refusal> {
    let missing = || Refusal::new(Exit::Ours, format!("key `{key}` has no set of shares"));
    let public = ceremony.public(key).ok_or_else(missing)?;
    let (id, needed, shares) = match ceremony.split(key) {
        Some((id, shares)) => {
            let needed = ceremony.roster().key(key).map_or(0, |key| key.holding.needed());
            (id.to_owned(), u8::try_from(needed).unwrap_or_default(), shares.to_vec())
        }
        None => match opened_from(ceremony.past().custody(), key) {
            Some(Held::Shares { set, threshold, shares }) => {
                let shares = shares.iter().map(|share| ShareMade {
                    index: share.index,
                    holder: share.holder.clone(),
                    commitment: share.commitment,
                    sealed: share.sealed,
                });
                (set.clone(), *threshold, shares.collect())
            }
            _ => return Err(missing()),
        },
    };
    let form = |what: String| {
        Refusal::of(Check::ShareSet, format!("the set of key `{key}`: {what}"))
            .hint("bring the trust folder as the last ceremony wrote it")
    };
    let id: SetId = id.parse().map_err(|error: crate::share::Error| form(error.to_string()))?;
    let total = u8::try_from(shares.len()).unwrap_or(u8::MAX);
    let threshold = Threshold::new(needed, total).map_err(|error| form(error.to_string()))?;
    let commitments =
        shares.iter().map(|share| Commitment::from_digest(share.commitment)).collect();
    Ok((Set { id, key: public, threshold, commitments }, shares))
}

/// Where the shares of a key are that open it.
fn opened_from<'a>(custody: &'a Custody, key: &str) -> Option<&'a Held> {
    custody.key(key).and_then(|key| custody.open_set(key))
}

/// The data object of a share.
pub(super) fn object(set: &SetId, index: u8) -> Object {
    Object { label: format!("officiant share {set} {index}"), application: APPLICATION.to_owned() }
}

/// The largest sealed share that is read, in bytes.
const MAX_SEALED: u64 = 16 << 10;
