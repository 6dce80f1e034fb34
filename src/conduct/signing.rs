//! Keys on tokens: made, certified, and asked to sign, each by its custodian's consent and PIN.
//!
//! Roof.

use std::path::Path;

use super::Session;
use super::attested::Made;
use super::enrol::sign_text;
use super::screen::FEW;
use super::token::{Put, Signer, unasked};
use super::words::Asked;
use crate::ceremony::candidate::Candidate;
use crate::ceremony::draft;
use crate::ceremony::fact::{Certified, Fact, RootMade, Signed};
use crate::ceremony::statement::Said;
use crate::check::Check;
use crate::child::token::Token;
use crate::digest::Digest;
use crate::key::{PublicKey, ToSign};
use crate::refusal::{Exit, Refusal};
use crate::room::media;
use crate::room::pkcs11::{self, KeyRef};
use crate::root::certificate::Tbs;

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
        let certificates = self.certify_on(&mut token, name, &made)?;
        let said = Said::KeyMade { key: name, public: &made.public };
        let statement = self.state(&mut token, holder, &said)?;
        token.logout().map_err(|error| self.child(&error))?;
        self.show(&format!("        key {name} {}", made.public.id().grouped()))?;
        let (key, public) = (name.to_owned(), made.public);
        Ok(Fact::KeyMade { key, public, certificates, statement, attested, advised })
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

    /// What is to be signed for the certificates of a key, each with a serial drawn now.
    pub(super) fn certificate_requests(
        &self,
        name: &str,
        public: &PublicKey,
    ) -> Result<Vec<(String, Tbs)>, Refusal> {
        let many = draft::certificate_names(&self.ceremony, name).len();
        let drawn = (0..many).map(|_| super::token::draw::<16>()).collect::<Result<Vec<_>, _>>()?;
        let mut drawn = drawn.into_iter();
        let mut serials = || drawn.next().unwrap_or_default();
        let at = self.room.clock.now();
        draft::certificate_requests(&self.ceremony, name, public, &mut serials, at)
    }

    fn certify_on(
        &mut self,
        token: &mut Token,
        name: &str,
        key: &KeyRef,
    ) -> Result<Vec<Certified>, Refusal> {
        let requests = self.certificate_requests(name, &key.public)?;
        let inputs: Vec<_> = requests.iter().map(|(_, tbs)| tbs.to_sign()).collect();
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        let raw = self.sign_on(token, key, &inputs)?;
        finish(&requests, &raw)
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
        let certificates = self.certify_on(&mut token, name, &key)?;
        token.logout().map_err(|error| self.child(&error))?;
        Ok(Fact::KeyCertified { key: name.to_owned(), certificates })
    }

    pub(super) fn certify_with_shares(&mut self, name: &str) -> Result<Fact, Refusal> {
        let public = self.rebuild(name)?;
        let certificates = self.certify_in_vault(name, &public)?;
        self.drop_key(name)?;
        Ok(Fact::KeyCertified { key: name.to_owned(), certificates })
    }

    pub(super) fn sign_roots(
        &mut self,
        step: u32,
        name: &str,
        holder: &str,
    ) -> Result<Fact, Refusal> {
        let (mut token, face) = match self.signer(step, holder)? {
            Signer::Put(Put::Here(token, face)) => (token, face),
            Signer::Put(Put::Absent(reason)) => {
                return Ok(Fact::TokenAbsent { token: holder.to_owned(), reason });
            }
            Signer::Elsewhere(path, files) => {
                return self.take_signed(step, (name, holder), (&path, &files));
            }
            Signer::ToSignElsewhere => return Err(unasked()),
        };
        let public = self.public(name)?;
        let key = self.find_key(&mut token, holder, &public)?;
        self.consent(step, holder)?;
        let meant = self.log_in(step, &mut token, &face, holder)?;
        self.intend(step, &mut token, (name, holder), &meant)?;
        let drafts = draft::drafts(&self.ceremony)?;
        let inputs = inputs(&drafts, &public)?;
        let raw = self.sign_on(&mut token, &key, &inputs)?;
        token.logout().map_err(|error| self.child(&error))?;
        let signatures = draft::signatures(&drafts, &public, &raw)?;
        Ok(Fact::RootsSigned { key: name.to_owned(), signatures })
    }

    /// Takes up what a key signed at another site: of the very candidates that were read here.
    fn take_signed(
        &mut self,
        step: u32,
        (name, holder): (&str, &str),
        (path, files): (&Path, &media::Files),
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
        let signed = signed.into_iter().map(|(repository, bytes)| Signed {
            repository,
            signature: data_encoding::BASE64.encode(&bytes),
        });
        Ok(Fact::RootsSigned { key: name.to_owned(), signatures: signed.collect() })
    }

    pub(super) fn sign_with_shares(&mut self, name: &str) -> Result<Fact, Refusal> {
        let public = self.rebuild(name)?;
        let drafts = draft::drafts(&self.ceremony)?;
        let inputs = inputs(&drafts, &public)?;
        let raw = self.sign_in_vault(name, &inputs)?;
        self.drop_key(name)?;
        let signatures = draft::signatures(&drafts, &public, &raw)?;
        Ok(Fact::RootsSigned { key: name.to_owned(), signatures })
    }

    fn public(&self, name: &str) -> Result<PublicKey, Refusal> {
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
        self.drafted_roots().map(|(_, consent)| consent)
    }

    pub(super) fn drafted_roots(&self) -> Result<(&[RootMade], Digest), Refusal> {
        let drafted = self.ceremony.drafted();
        drafted.ok_or_else(|| Refusal::new(Exit::Ours, "nothing was drafted to consent to"))
    }

    /// Has much signed in pieces, and shows how far it is: a token may take a second for each signature.
    fn sign_all(
        &mut self,
        inputs: &[ToSign],
        mut sign: impl FnMut(&mut Self, &[ToSign]) -> Result<Vec<Vec<u8>>, Refusal>,
    ) -> Result<Vec<Vec<u8>>, Refusal> {
        let mut raw = Vec::with_capacity(inputs.len());
        for piece in inputs.chunks(FEW) {
            raw.extend(sign(self, piece)?);
            self.progress(raw.len(), inputs.len(), "signed")?;
        }
        Ok(raw)
    }

    fn sign_on(
        &mut self,
        token: &mut Token,
        key: &KeyRef,
        inputs: &[ToSign],
    ) -> Result<Vec<Vec<u8>>, Refusal> {
        self.sign_all(inputs, |session, piece| {
            token.sign(key, piece).map_err(|error| session.child(&error))
        })
    }

    pub(super) fn sign_in_vault(
        &mut self,
        name: &str,
        inputs: &[ToSign],
    ) -> Result<Vec<Vec<u8>>, Refusal> {
        self.sign_all(inputs, |session, piece| {
            let raw = session.vault()?.sign(name, piece);
            raw.map_err(|error| session.child(&error))
        })
    }
}

fn inputs(drafts: &[draft::Draft], public: &PublicKey) -> Result<Vec<ToSign>, Refusal> {
    Ok(draft::to_sign(drafts, public)?.into_iter().map(|(_, input)| input).collect())
}

/// Completes certificates from raw answers.
pub(super) fn finish(
    requests: &[(String, Tbs)],
    raw: &[Vec<u8>],
) -> Result<Vec<Certified>, Refusal> {
    let mut certified = Vec::new();
    for ((name, tbs), raw) in requests.iter().zip(raw) {
        let made = tbs.finish(raw).map_err(|error| {
            Refusal::of(Check::SignatureGood, format!("certificate for `{name}`: {error}"))
                .hint("run `resume`: it is made anew; if it stays so, use another token")
        })?;
        certified.push(Certified { repository: name.clone(), certificate: made.to_pem() });
    }
    Ok(certified)
}
