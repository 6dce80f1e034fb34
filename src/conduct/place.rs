//! A key put onto a token: rebuilt from its shares in a restore, or read from its file.
//!
//! Roof. docs/threats.md rules 11 and 13. The vault wraps the key so that this one token takes it; neither this process
//! nor the one that drives the token sees it.

use super::Session;
use super::attested::Made;
use super::share::set_of;
use crate::ceremony::fact::Fact;
use crate::ceremony::roster::KeyOrigin;
use crate::ceremony::statement::Said;
use crate::check::Check;
use crate::child;
use crate::key::PublicKey;
use crate::refusal::{Exit, Refusal};
use crate::room::pkcs11::{self, Purpose};
use crate::room::token::Wrapped;
use crate::seal::SealKey;

impl Session<'_> {
    pub(super) fn place_key(
        &mut self,
        step: u32,
        name: &str,
        holder: &str,
    ) -> Result<Fact, Refusal> {
        let sealing = self.seal_of(holder)?;
        let (mut token, face) = self.need(step, holder)?;
        self.refuse_label_taken(&mut token, step, name, holder)?;
        self.log_in(step, &mut token, &face, holder)?;
        if self.was_interrupted(step) {
            // What an interruption left does not prove itself as a key that was made here, and goes.
            let left = token.reclaim(Purpose::Root, name);
            if let Some(left) = left.map_err(|error| self.child(&error))? {
                token.destroy(&left.key).map_err(|error| self.child(&error))?;
            }
        }
        let seal = self.find_key(&mut token, holder, sealing.public())?;
        // The last thing before: what could be refused until here costs nobody a share that is open.
        let (public, ways) = self.wrap_key(step, name, &sealing)?;
        self.begin(step, holder)?;
        let placed = token.place(&seal, (name, &public), &ways);
        let generated = placed.map_err(|error| self.no_place(&error))?;
        let (token_name, face, label, purpose) = (holder, &face, name, Purpose::Root);
        let (key, _) =
            self.told(Made { step, token: token_name, face, label, purpose, generated })?;
        if key.public != public {
            let what = format!("token `{holder}` took up another key than `{name}`");
            return Err(Refusal::of(Check::TokenKey, what)
                .hint("a token that changes keys is not to be trusted: use another"));
        }
        self.prove_root(&mut token, holder, name, &key)?;
        let statement =
            self.state(&mut token, holder, &Said::KeyPlaced { key: name, public: &public })?;
        token.logout().map_err(|error| self.child(&error))?;
        self.show(&format!("        key {name} {}", public.id().grouped()))?;
        Ok(Fact::KeyPlaced { key: name.to_owned(), public, statement })
    }

    /// The key, wrapped for the token of `to`: from the shares that are open, or from its file.
    fn wrap_key(
        &mut self,
        step: u32,
        name: &str,
        to: &SealKey,
    ) -> Result<(PublicKey, Vec<Wrapped>), Refusal> {
        let key = self.ceremony.roster().key(name).cloned();
        let key = key.ok_or_else(|| {
            Refusal::new(Exit::Ours, format!("key `{name}` is not in the roster"))
        })?;
        match key.origin {
            KeyOrigin::Imported(pin) => {
                let of = (pin, key.algorithm);
                self.import_key(step, name, |vault, file| vault.import_for(of, file, to))
            }
            _ => {
                let (set, _) = set_of(&self.ceremony, name)?;
                let public = set.key.clone();
                let ways = self.vault()?.wrap((&set, &public), to);
                Ok((public, ways.map_err(|error| self.child(&error))?))
            }
        }
    }

    /// Why a token takes no key: it is one that unwraps none, or the device failed. `[TOKEN-UNWRAPS]`
    fn no_place(&self, error: &child::Error) -> Refusal {
        let refusal = self.child(error);
        match error {
            child::Error::Token(pkcs11::Error::NotSupported { .. }) => Refusal {
                check: Some(Check::TokenUnwraps),
                exit: Exit::Refused,
                hints: vec![
                    "name another token, or shares: a key in plain goes to no token".into(),
                ],
                ..refusal
            },
            _ => refusal,
        }
    }
}
