//! A token that its maker's tool made ready: enrolled as it is, if nothing is on it.
//!
//! Roof.

use super::Session;
use crate::check::Check;
use crate::child::token::{Present, Token};
use crate::record::Mode;
use crate::refusal::Refusal;
use crate::room::pkcs11::Face;

impl Session<'_> {
    /// Whether room.toml says which token it is by a URI. Such a token is never initialised here.
    pub(super) fn is_ready(&self, name: &str) -> bool {
        self.room.binding.token(name).is_some_and(|token| token.uri().is_some())
    }

    /// Selects the one token that the URI fits, which holds no key yet but those of an enrolment that was interrupted. Its
    /// PIN is still to be asked for.
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
        let ours = [format!("{name} attest"), format!("{name} seal")];
        let is_begun = self.was_interrupted(step);
        let shown = token.keys().map_err(|error| self.child(&error))?;
        if let Some(key) = shown.iter().find(|key| !(is_begun && ours.contains(&key.label))) {
            let what = format!("{} holds key `{}` already", face.name, key.label);
            return Err(Refusal::of(Check::TokenInit, what).hint("use a token that holds no key"));
        }
        self.tell_outranked(step, name)?;
        self.begin(step, name)?;
        Ok((token, face, true))
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
}
