//! Tokens that sign the candidates: each by its custodian's consent and PIN, and of a fleet several at the same time.
//!
//! Roof. docs/threats.md rule 4.

use super::Session;
use super::batch::Sign;
use super::token::{Put, Signer, unasked};
use super::words::{YES_OR_NO, is_yes};
use crate::ceremony::fact::{Fact, Purpose};
use crate::ceremony::step::Act;
use crate::child::token::Token;
use crate::key::ToSign;
use crate::refusal::{Exit, Refusal};
use crate::room::console::{Expected, Prompt};
use crate::room::pkcs11::KeyRef;
use crate::wording::List;

impl Session<'_> {
    /// Has a token sign, and with it those that come next, where they can be in at the same time.
    pub(super) fn sign_roots(
        &mut self,
        step: u32,
        name: &str,
        holder: &str,
    ) -> Result<Fact, Refusal> {
        let first = match self.ready_to_sign(step, name, holder)? {
            Ready::Here(first) => first,
            Ready::Else(fact) => return Ok(fact),
        };
        let mut signers = vec![first];
        // Whoever is logged in signs, whatever is wrong with the next one.
        let joined = self.join_signers((step, name), &mut signers);
        let signed = self.sign_with(&mut signers);
        signed.and(joined)?;
        for signer in &mut signers {
            signer.token.logout().map_err(|error| self.child(&error))?;
        }
        Ok(Fact::RootsSigned { key: name.to_owned() })
    }

    fn sign_with(&mut self, signers: &mut [Signing]) -> Result<(), Refusal> {
        let keys = signers.iter_mut().map(|signer| {
            let Signing { step, name, token, key } = signer;
            let sign = |inputs: &[ToSign]| token.sign(key, inputs);
            (*step, name.clone(), Box::new(sign) as Box<Sign<'_>>)
        });
        let keys = keys.collect();
        self.sign_by(keys)
    }

    /// The custodian of a token consents, logs in, and the token stores what it means to sign.
    fn ready_to_sign(&mut self, step: u32, name: &str, holder: &str) -> Result<Ready, Refusal> {
        let (mut token, face) = match self.signer(step, holder)? {
            Signer::Put(Put::Here(token, face)) => (token, face),
            Signer::Put(Put::Absent(reason)) => {
                return Ok(Ready::Else(Fact::TokenAbsent { token: holder.to_owned(), reason }));
            }
            Signer::Elsewhere(path, files) => {
                return self.take_signed(step, (name, holder), (&path, &files)).map(Ready::Else);
            }
            Signer::ToSignElsewhere => return Err(unasked()),
        };
        let key = self.find_key(&mut token, holder, &self.public(name)?)?;
        self.consent(step, holder)?;
        let meant = self.log_in(step, &mut token, &face, holder)?;
        self.intend(step, &mut token, (name, holder), &meant)?;
        let name = name.to_owned();
        Ok(Ready::Here(Signing { step, name, token, key }))
    }

    /// Of a fleet, the tokens of the next steps sign at the same time, if they can.
    fn join_signers(
        &mut self,
        (step, name): (u32, &str),
        signers: &mut Vec<Signing>,
    ) -> Result<(), Refusal> {
        let next = self.next_signers(step);
        if next.is_empty()
            || self.ceremony.signs(name)? < FLEET
            || !self.ask_together(step, &next)?
        {
            return Ok(());
        }
        for (step, name, holder) in next {
            let script = self.ceremony.steps().iter().find(|other| other.number == step).cloned();
            self.announce(&script.ok_or_else(unasked)?)?;
            match self.ready_to_sign(step, &name, &holder)? {
                Ready::Here(signer) => signers.push(signer),
                Ready::Else(fact @ Fact::TokenAbsent { .. }) => self.take(step, fact)?,
                // What came signed is recorded, and its step ends in its turn.
                Ready::Else(_) => {}
            }
        }
        Ok(())
    }

    /// The steps right after this one in which tokens sign: number, key and token of each.
    fn next_signers(&self, step: u32) -> Vec<(u32, String, String)> {
        let after = self.ceremony.steps().iter().filter(|other| other.number > step);
        let signers = after.map_while(|other| match &other.act {
            Act::SignRoots { key, token } => Some((other, key, token)),
            _ => None,
        });
        let signers = signers.filter(|(other, key, _)| {
            self.ceremony.left_out(other).is_none() && !self.ceremony.has_all(key, Purpose::Sign)
        });
        signers.map(|(other, key, token)| (other.number, key.clone(), token.clone())).collect()
    }

    fn ask_together(&mut self, step: u32, next: &[(u32, String, String)]) -> Result<bool, Refusal> {
        let tokens: Vec<&str> = next.iter().map(|(_, _, token)| token.as_str()).collect();
        let prompt = Prompt {
            step,
            id: "together".to_owned(),
            who: "operator".to_owned(),
            text: format!(
                "can {} be in beside this one, and stay in until all have signed, yes or no",
                List::and(&tokens)
            ),
            expected: Some(Expected::Text("yes".to_owned())),
        };
        self.ask_until(&prompt, YES_OR_NO, is_yes)?.ok_or_else(|| {
            Refusal::new(Exit::Refused, "nobody said whether the tokens can be in together")
                .hint("say no where there is one reader, and `resume`")
        })
    }
}

/// A token that is about to sign.
struct Signing {
    step: u32,
    name: String,
    token: Box<Token>,
    key: KeyRef,
}

/// A token that is about to sign, or what is recorded instead.
enum Ready {
    Here(Signing),
    Else(Fact),
}

/// Of so many repositories tokens sign at the same time: of fewer, it takes longer to put them in.
const FLEET: usize = 256;
