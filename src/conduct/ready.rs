//! A token that another tool made ready: enrolled as it is, if nothing is on it, or taken up for the key that it holds.
//!
//! Roof.

use super::Session;
use super::enrol::own_label;
use crate::ceremony::fact::Fact;
use crate::ceremony::roster::KeyOrigin;
use crate::check::Check;
use crate::child::token::{Present, Token};
use crate::record::Mode;
use crate::refusal::{Exit, Refusal};
use crate::room::pkcs11::{Face, Purpose};
use crate::room::token::Name;
use crate::trust::Identity;

impl Session<'_> {
    /// Whether room.toml says which token it is by a URI. Such a token is never initialised here.
    pub(super) fn is_ready(&self, name: &str) -> bool {
        self.room.binding.token(name).is_some_and(|token| token.uri().is_some())
    }

    /// Selects the one token that the URI fits. Its PIN is still to be asked for.
    pub(super) fn take_ready(
        &mut self,
        step: u32,
        (mut token, present): (Token, &Present),
        name: &str,
    ) -> Result<(Token, Face, bool), Refusal> {
        let ready: Vec<&Face> = present.faces.iter().filter(|face| face.is_initialised).collect();
        let [face] = ready.as_slice() else {
            let found = ready.len();
            let what = format!("the `uri` of token `{name}` fits {found} tokens, expected one");
            return Err(Refusal::of(Check::TokenOne, what).hint(
                "make the token ready with its maker's tool, or say more of it in room.toml",
            ));
        };
        let face = token.select(&face.name.serial).map_err(|error| self.child(&error))?;
        if self.so_holder(name).is_none() {
            self.tell_outranked(step, name)?;
        }
        self.begin(step, name)?;
        Ok((token, face, true))
    }

    /// Has the seat that holds what outranks the PIN replace it, and make the token's own keys where the user cannot: before
    /// that there is none on it.
    pub(super) fn take_over_ready(
        &mut self,
        step: u32,
        token: &mut Token,
        (name, face): (&str, &Face),
        seals: bool,
    ) -> Result<(), Refusal> {
        if face.so_makes() {
            self.refuse_used(step, token, (name, face))?;
        }
        let Some(seat) = self.so_holder(name) else { return Ok(()) };
        let shown = token.keys().map_err(|error| self.child(&error))?;
        let purposes = [Purpose::Attest, Purpose::Seal];
        let own = purposes.into_iter().take(1 + usize::from(seals));
        let own = own.map(|purpose| (purpose, own_label(name, purpose)));
        let missing = own.filter(|(_, own)| shown.iter().all(|object| object.label != *own));
        self.take_over((step, &seat), token, (name, face), &missing.collect::<Vec<_>>())
    }

    /// A token, logged in, that is taken up holds no key yet but those of an enrolment that was interrupted: another's would
    /// stand beside ours.
    pub(super) fn refuse_used(
        &self,
        step: u32,
        token: &mut Token,
        (name, face): (&str, &Face),
    ) -> Result<(), Refusal> {
        let ours = [format!("{name} attest"), format!("{name} seal")];
        let is_begun = self.was_interrupted(step);
        let shown = token.keys().map_err(|error| self.child(&error))?;
        let is_begun = |label: &String| {
            is_begun && (ours.contains(label) || (face.so_makes() && label.starts_with(UNNAMED)))
        };
        let is_free = |label: &String| label == MAKERS || is_begun(label);
        if let Some(key) = shown.iter().find(|key| !is_free(&key.label)) {
            let what = format!("{} holds key `{}` already", face.name, key.label);
            return Err(Refusal::of(Check::TokenInit, what).hint("use a token that holds no key"));
        }
        Ok(())
    }

    /// The serial by which a token that was enrolled is selected: the one that it was enrolled with, or what another module
    /// says of the one token that the URI fits. Modules differ in what they call a serial, and some have none.
    pub(super) fn serial_here(
        &self,
        token: &mut Token,
        name: &str,
        enrolled: &str,
    ) -> Result<String, Refusal> {
        if !self.is_ready(name) {
            return Ok(enrolled.to_owned());
        }
        let present = token.list().map_err(|error| self.child(&error))?;
        let mut ready = present.faces.into_iter().filter(|face| face.is_initialised);
        match (ready.next(), ready.next()) {
            (Some(face), None) => Ok(face.name.serial),
            _ => Ok(enrolled.to_owned()),
        }
    }

    /// Tells that another module calls a token otherwise: it is known by its public keys, which the caller compares.
    pub(super) fn tell_other_name(
        &mut self,
        face: &Face,
        identity: &Identity,
    ) -> Result<(), Refusal> {
        let Name { label, serial } = &face.name;
        if (label, serial) == (&identity.label, &identity.serial) {
            return Ok(());
        }
        let Identity { token, label: was, serial: before, .. } = identity;
        self.show(&format!(
            "        token {token} was enrolled as `{was}`, serial {before}; this module calls it `{label}`, \
             serial {serial}, and shows the same keys"
        ))
    }

    /// Who made a token ready knows what outranks its PIN: docs/threats.md rule 9.
    fn tell_outranked(&mut self, step: u32, name: &str) -> Result<(), Refusal> {
        let happened =
            format!("token {name} was made ready elsewhere: who did it may set its PIN anew");
        if self.room.mode != Mode::Ceremony {
            return self.show(&format!("        {happened}"));
        }
        let expected = "what outranks the PIN of a token is drawn here, and known to nobody";
        self.ask_exception(step, expected.to_owned(), happened)
    }

    pub(super) fn adopt(&mut self, step: u32, name: &str, key: &str) -> Result<Fact, Refusal> {
        self.ask_new(step, name)?;
        let mut token = self.open(name)?;
        let present = token.list().map_err(|error| self.child(&error))?;
        let initialised: Vec<&Face> =
            present.faces.iter().filter(|face| face.is_initialised).collect();
        let [face] = initialised.as_slice() else {
            let what = format!("{} tokens answer where `{name}` alone should", initialised.len());
            return Err(Refusal::of(Check::TokenKey, what).hint("leave in only the token to adopt"));
        };
        let face = token.select(&face.name.serial).map_err(|error| self.child(&error))?;
        self.refuse_soft(name, &face)?;
        self.ask_serial(step, name, &face)?;
        self.tell_advisories(name, &face)?;
        let pinned = match self.ceremony.roster().key(key).map(|key| &key.origin) {
            Some(KeyOrigin::Adopted(pinned)) => *pinned,
            _ => return Err(Refusal::new(Exit::Ours, format!("key `{key}` is not to be adopted"))),
        };
        let shown = token.keys().map_err(|error| self.child(&error))?;
        let public =
            shown.into_iter().map(|object| object.key.public).find(|public| public.id() == pinned);
        let public = public.ok_or_else(|| {
            let what = format!("token `{name}` does not show key `{key}` ({pinned})");
            Refusal::of(Check::TokenKey, what)
                .hint("its public key object must be on the token as well")
        })?;
        let identity = self.keep_identity(name, &face)?;
        let (token, model) = (name.to_owned(), face.model.trim().to_owned());
        Ok(Fact::TokenAdopted { token, model, identity, public })
    }
}

/// What the module of YubiKeys calls the key by which their maker attests: it is on every one of them, and nobody's.
const MAKERS: &str = "Public key for PIV Attestation";
/// And a key that it was cut off at before it had a name of ours.
const UNNAMED: &str = "YubiKey PIV Slot";
