//! Keys on tokens: made, certified, and asked to sign, each by its custodian's consent and PIN.
//!
//! Roof.

use std::path::Path;

use data_encoding::BASE64;

use super::Session;
use super::attested::Made;
use super::enrol::sign_text;
use super::token::{Put, unasked};
use super::words::Asked;
use crate::ceremony::candidate::Candidate;
use crate::ceremony::fact::{Fact, Signed};
use crate::ceremony::means::PIECE;
use crate::ceremony::statement::Said;
use crate::check::Check;
use crate::child::token::Token;
use crate::digest::Digest;
use crate::files::Files;
use crate::key::{PublicKey, ToSign};
use crate::refusal::{Exit, Refusal};
use crate::room::pkcs11::{self, Face, KeyRef};

impl Session<'_> {
    pub(super) fn make_key(
        &mut self,
        step: u32,
        name: &str,
        holder: &str,
    ) -> Result<Fact, Refusal> {
        let key = self.ceremony.roster().key(name).cloned();
        let key = key.ok_or_else(|| {
            Refusal::new(Exit::Ours, format!("key `{name}` is not in the roster"))
        })?;
        let (mut token, face) = self.need(step, holder)?;
        if self.ceremony.fact(step).is_some() {
            return self.certify_more(step, (&mut token, &face), (name, holder));
        }
        self.refuse_label_taken(&mut token, step, name, holder)?;
        let is_again = self.was_interrupted(step);
        if face.so_makes() {
            self.make_as_so(step, &mut token, (holder, &face), (key.algorithm, name))?;
        }
        let advised = self.advise(step, (holder, &face), (name, key.algorithm))?;
        self.log_in(step, &mut token, &face, holder)?;
        let left = match is_again || face.so_makes() {
            true => token.reclaim(pkcs11::Purpose::Root, name),
            false => Ok(None),
        };
        let made = match left.map_err(|error| self.child(&error))? {
            Some(left) => left,
            None => {
                self.begin(step, holder)?;
                let made = token.generate(pkcs11::Purpose::Root, key.algorithm, name);
                made.map_err(|error| self.no_make(&error))?
            }
        };
        let (face, purpose) = (&face, pkcs11::Purpose::Root);
        let made = Made { step, token: holder, face, label: name, purpose, generated: made };
        let (made, attested) = self.told(made)?;
        self.prove_root(&mut token, holder, name, &made)?;
        let said = Said::KeyMade { key: name, public: &made.public };
        let statement = self.state(&mut token, holder, &said)?;
        self.show(&format!("        key {name} {}", made.public.id().grouped()))?;
        let (key, public) = (name.to_owned(), made.public.clone());
        let fact = Fact::KeyMade { key, public, statement, attested, advised };
        self.take(step, fact.clone())?;
        self.certify_on(step, &mut token, name, &made)?;
        token.logout().map_err(|error| self.child(&error))?;
        Ok(fact)
    }

    /// Goes on with the certificates of a key that an interrupted run made.
    fn certify_more(
        &mut self,
        step: u32,
        (token, face): (&mut Token, &Face),
        (name, holder): (&str, &str),
    ) -> Result<Fact, Refusal> {
        let key = self.find_key(token, holder, &self.public(name)?)?;
        self.log_in(step, token, face, holder)?;
        self.certify_on(step, token, name, &key)?;
        token.logout().map_err(|error| self.child(&error))?;
        self.ceremony.fact(step).cloned().ok_or_else(unasked)
    }

    /// Refuses a token that shows a key of that name, unless an interrupted run may have left it there.
    pub(super) fn refuse_label_taken(
        &self,
        token: &mut Token,
        step: u32,
        name: &str,
        holder: &str,
    ) -> Result<(), Refusal> {
        let there = token.keys().map_err(|error| self.child(&error))?;
        if self.was_interrupted(step) || there.iter().all(|object| object.label != name) {
            return Ok(());
        }
        let what = format!("token `{holder}` holds a key `{name}` already");
        Err(Refusal::of(Check::TokenKeyTaken, what)
            .hint("give the new key another name, or use an empty token"))
    }

    pub(super) fn prove_root(
        &self,
        token: &mut Token,
        holder: &str,
        name: &str,
        key: &KeyRef,
    ) -> Result<(), Refusal> {
        let random = data_encoding::HEXLOWER.encode(&super::token::draw::<32>()?);
        let head = self.record.head();
        let text = format!("officiant proof v1\nroot key\n{name}\n{holder}\n{head}\n{random}\n");
        sign_text(token, holder, key, text.as_bytes()).map(|_| ())
    }

    fn certify_on(
        &mut self,
        step: u32,
        token: &mut Token,
        name: &str,
        key: &KeyRef,
    ) -> Result<(), Refusal> {
        let sign = Box::new(|inputs: &[ToSign]| token.sign(key, inputs));
        self.certify_by(step, (name, &key.public), sign)
    }

    pub(super) fn certify(&mut self, step: u32, name: &str, holder: &str) -> Result<Fact, Refusal> {
        let (mut token, face) = match self.put_in(step, holder)? {
            Put::Here(token, face) => (token, face),
            Put::Absent(reason) => {
                return Ok(Fact::TokenAbsent { token: holder.to_owned(), reason });
            }
        };
        let key = self.find_key(&mut token, holder, &self.public(name)?)?;
        self.log_in(step, &mut token, &face, holder)?;
        self.certify_on(step, &mut token, name, &key)?;
        token.logout().map_err(|error| self.child(&error))?;
        Ok(Fact::KeyCertified { key: name.to_owned() })
    }

    pub(super) fn certify_with_shares(&mut self, step: u32, name: &str) -> Result<Fact, Refusal> {
        let public = self.rebuild(name)?;
        self.certify_in_vault(step, name, &public)?;
        self.drop_key(name)?;
        Ok(Fact::KeyCertified { key: name.to_owned() })
    }

    /// Takes up what a key signed at another site: of the very candidates that were read here.
    pub(super) fn take_signed(
        &mut self,
        step: u32,
        (name, holder): (&str, &str),
        (path, files): (&Path, &Files),
    ) -> Result<Fact, Refusal> {
        let candidate = Candidate::read(files, Some(self.ceremony.past()))?;
        let consent = self.drafted_consent()?;
        if candidate.consent() != consent {
            let what = format!("`{}` holds another candidate than this room", path.display());
            return Err(Refusal::of(Check::RootEquivocation, what)
                .hint("say stop: whoever signed had not the same candidate before them"));
        }
        let signed = candidate.signatures_of(&self.public(name)?).ok_or_else(|| {
            let what = format!("`{}` lacks signatures of key `{name}`", path.display());
            Refusal::of(Check::SignatureGood, what)
                .hint("bring the folder that its holder signed last; `resume` asks again")
        })?;
        // Nobody here saw whether the token stored it.
        let (key, token) = (name.to_owned(), holder.to_owned());
        self.take(step, Fact::Intended { key, token, consent, stored: false, apart: true })?;
        let signed = signed.into_iter().skip(self.ceremony.signed(name));
        let signed: Vec<Signed> = signed
            .map(|(repository, bytes)| Signed { repository, signature: BASE64.encode(&bytes) })
            .collect();
        for piece in signed.chunks(PIECE) {
            let key = name.to_owned();
            self.take(step, Fact::Signed { key, signatures: piece.to_vec() })?;
        }
        Ok(Fact::RootsSigned { key: name.to_owned() })
    }

    pub(super) fn sign_with_shares(&mut self, step: u32, name: &str) -> Result<Fact, Refusal> {
        self.rebuild(name)?;
        self.with_vault(name, |session, sign| {
            session.sign_by(vec![(step, name.to_owned(), sign)])
        })?;
        self.drop_key(name)?;
        Ok(Fact::RootsSigned { key: name.to_owned() })
    }

    pub(super) fn public(&self, name: &str) -> Result<PublicKey, Refusal> {
        let public = self.ceremony.public(name);
        public.ok_or_else(|| Refusal::new(Exit::Ours, format!("key `{name}` is not known")))
    }

    /// The custodian of a key consents, directly before the PIN, to what was read. `[CONSENT-CUSTODIAN]`
    pub(super) fn consent(&mut self, step: u32, holder: &str) -> Result<(), Refusal> {
        let who = self.ceremony.roster().custodian(holder).to_owned();
        let consent = self.drafted_consent()?;
        let asked = Asked {
            step,
            id: &format!("consent {holder}"),
            who: &who,
            what: "the consent digest, as it was read: by typing them you let your token sign",
            check: Check::ConsentCustodian,
            count: 4,
        };
        self.ask_words(&asked, &consent).map(|_| ())
    }

    pub(super) fn drafted_consent(&self) -> Result<Digest, Refusal> {
        let consent = self.ceremony.drafted();
        consent.ok_or_else(|| Refusal::new(Exit::Ours, "nothing was drafted to consent to"))
    }
}
