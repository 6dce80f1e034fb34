//! What outranks the PIN of a token: replaced by one that nobody knows, or set by the seat that the plan names.
//!
//! Roof. docs/threats.md rule 9.

use super::Session;
use super::words::ATTEMPTS;
use crate::check::Check;
use crate::child;
use crate::child::token::Token;
use crate::refusal::Refusal;
use crate::room::console::Prompt;
use crate::room::pkcs11;
use crate::secret::Pin;

/// What a person thinks of, and types twice.
pub(super) struct Twice<'a> {
    pub(super) step: u32,
    /// What the question is, for machines.
    pub(super) id: &'a str,
    pub(super) who: &'a str,
    /// What it is, and of which token.
    pub(super) what: &'a str,
}

impl Session<'_> {
    /// Replaces the transport SO PIN of a new token: the seat that the plan names sets the one that stays, or it is drawn
    /// and forgotten.
    pub(super) fn outrank(
        &mut self,
        step: u32,
        token: &mut Token,
        name: &str,
    ) -> Result<(), Refusal> {
        let Some(seat) = self.so_holder(name) else {
            let transport = self.transport_pin(name)?;
            return token.replace_so_pin(transport, None).map_err(|error| self.child(&error));
        };
        self.announce_holder(name, &seat)?;
        let (id, what) = (format!("pin so {name}"), format!("SO PIN for token {name}"));
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let asked = Twice { step, id: &id, who: &seat, what: &what };
            let next = self.ask_twice(&asked)?.ok_or_else(|| unset(name))?;
            let transport = self.transport_pin(name)?;
            match token.replace_so_pin(transport, Some(next)) {
                // The token is as before.
                Err(
                    error @ child::Error::Token(
                        pkcs11::Error::Factory { .. } | pkcs11::Error::PinLength { .. },
                    ),
                ) if left > 0 => self.say_again(&self.child(&error))?,
                set => return set.map_err(|error| self.child(&error)),
            }
        }
    }

    /// The seat that holds what outranks the PIN of a token, if one does.
    pub(super) fn so_holder(&self, name: &str) -> Option<String> {
        self.ceremony.roster().token(name).and_then(|token| token.so_holder.clone())
    }

    /// Somebody else sits down than the custodian whose PIN was asked for.
    fn announce_holder(&mut self, name: &str, seat: &str) -> Result<(), Refusal> {
        let custodian = self.ceremony.roster().custodian(name).to_owned();
        self.show(&format!(
            "        {custodian} steps aside; {seat}, and nobody else, acts: the SO PIN of token {name}, \
             on a YubiKey its PUK, sets a new PIN"
        ))
    }

    /// Asks for a new PIN twice, unseen; none if the two were never the same and long enough.
    pub(super) fn ask_twice(&mut self, asked: &Twice<'_>) -> Result<Option<Pin>, Refusal> {
        let prompt = |text: String| Prompt {
            step: asked.step,
            id: asked.id.to_owned(),
            who: asked.who.to_owned(),
            text,
            expected: None,
        };
        let text =
            format!("new {}, {} characters or more, typed unseen", asked.what, Pin::SHORTEST);
        for _ in 0..ATTEMPTS {
            let pin = self.hear_pin(&prompt(text.clone()))?;
            if !pin.is_long_enough() {
                self.show(&format!("        that is shorter than {} characters", Pin::SHORTEST))?;
                continue;
            }
            let again = self.hear_pin(&prompt("the same PIN once more".to_owned()))?;
            if pin.matches(&again) {
                return Ok(Some(pin));
            }
            self.show("        the two were not the same")?;
        }
        Ok(None)
    }
}

fn unset(name: &str) -> Refusal {
    Refusal::of(Check::TokenSoHolder, format!("nobody set the SO PIN of token `{name}`"))
        .hint("its holder thinks of one, and `resume` asks again")
}
