//! What outranks the PIN of a token: replaced by one that nobody knows, or set by the seat that the plan names.
//!
//! Roof. docs/threats.md rule 9.

use super::Session;
use super::words::ATTEMPTS;
use crate::check::Check;
use crate::child;
use crate::child::token::Token;
use crate::key::Algorithm;
use crate::refusal::Refusal;
use crate::room::console::Prompt;
use crate::room::pkcs11::{self, Face, Purpose};
use crate::room::token::{KeyRef, Outranking};
use crate::secret::{Pin, SecretBytes};

/// What a person thinks of, and types twice.
pub(super) struct Twice<'a> {
    pub(super) step: u32,
    /// What the question is, for machines.
    pub(super) id: &'a str,
    pub(super) who: &'a str,
    /// What it is, and of which token.
    pub(super) what: &'a str,
}

/// A token, its name, and the seat that holds what outranks its PIN.
struct Outranked<'a> {
    step: u32,
    token: &'a mut Token,
    name: &'a str,
    face: &'a Face,
    seat: &'a str,
}

/// Which of the two that a YubiKey has by its maker's module.
#[derive(Clone, Copy, PartialEq)]
enum Which {
    /// The PUK, beside what outranks the PIN of other tokens, too.
    Beside,
    /// What every token has.
    Main,
}

impl Outranked<'_> {
    /// What people call it, and what its questions begin with, for machines.
    fn called(&self, which: Which) -> (&'static str, &'static str) {
        match which {
            Which::Beside => (Outranking::Puk.name(), "puk"),
            Which::Main => (self.face.outranked_by.name(), "so"),
        }
    }
}

impl Session<'_> {
    /// Replaces the transport SO PIN of a new token: the seat that the plan names sets the one that stays, or it is drawn
    /// and forgotten.
    pub(super) fn outrank(
        &mut self,
        step: u32,
        token: &mut Token,
        (name, face): (&str, &Face),
    ) -> Result<(), Refusal> {
        let transport = self.transport_pin(name)?;
        let replaced = match self.so_holder(name) {
            None => {
                let drawn = token.replace_so_pin(transport, None);
                drawn.map_err(|error| self.child(&error))?
            }
            Some(seat) => {
                self.announce_holder((name, face), &seat)?;
                let mut outranked = Outranked { step, token, name, face, seat: &seat };
                self.set_next(&mut outranked, Which::Main, &transport)?.is_some()
            }
        };
        if replaced {
            return Ok(());
        }
        let what = format!("token `{name}` does not take the SO PIN that it was given");
        Err(Refusal::of(Check::TokenPin, what).hint("use another token"))
    }

    /// Has the seat that the plan names replace what somebody else set who made the token ready; and has it make the
    /// token's own keys where the user cannot.
    pub(super) fn take_over(
        &mut self,
        (step, seat): (u32, &str),
        token: &mut Token,
        (name, face): (&str, &Face),
        own: &[(Purpose, String)],
    ) -> Result<(), Refusal> {
        self.announce_holder((name, face), seat)?;
        let mut outranked = Outranked { step, token, name, face, seat };
        let so_pin = self.replace(&mut outranked, Which::Main)?;
        if !face.so_makes() {
            return Ok(());
        }
        self.replace(&mut outranked, Which::Beside)?;
        for (purpose, label) in own {
            let order = (*purpose, Algorithm::EcdsaP256, label.as_str());
            self.make_by(&mut outranked, &so_pin, order)?;
        }
        Ok(())
    }

    /// Has the seat make a root key, where the user cannot and no interrupted run of this step did.
    pub(super) fn make_as_so(
        &mut self,
        step: u32,
        token: &mut Token,
        (name, face): (&str, &Face),
        (algorithm, key): (Algorithm, &str),
    ) -> Result<(), Refusal> {
        let there = token.keys().map_err(|error| self.child(&error))?;
        let Some(seat) = self.so_holder(name).filter(|_| !there.iter().any(|o| o.label == key))
        else {
            return Ok(());
        };
        self.begin(step, name)?;
        let mut outranked = Outranked { step, token, name, face, seat: &seat };
        let so_pin = self.ask_holder(&outranked)?;
        self.make_by(&mut outranked, &so_pin, (Purpose::Root, algorithm, key))
    }

    /// Has the seat destroy keys, where the user cannot.
    pub(super) fn destroy_as_so(
        &mut self,
        step: u32,
        token: &mut Token,
        (name, face): (&str, &Face),
        keys: &[KeyRef],
    ) -> Result<(), Refusal> {
        let Some(seat) = self.so_holder(name).filter(|_| !keys.is_empty()) else { return Ok(()) };
        let outranked = Outranked { step, token, name, face, seat: &seat };
        let so_pin = self.ask_holder(&outranked)?;
        for key in keys {
            let destroyed = outranked.token.destroy_as_so(again(&so_pin)?, key);
            if !destroyed.map_err(|error| self.child(&error))? {
                return Err(not_taken(name, outranked.called(Which::Main).0));
            }
        }
        Ok(())
    }

    /// Has the seat type what outranks the PIN, as it set it before.
    fn ask_holder(&mut self, on: &Outranked<'_>) -> Result<Pin, Refusal> {
        self.announce_holder((on.name, on.face), on.seat)?;
        let (name, called) = (on.name, on.called(Which::Main).0);
        self.ask_seat(on, format!("pin so {name}"), format!("{called} for token {name}"))
    }

    /// The seat that holds what outranks the PIN of a token, if one does.
    pub(super) fn so_holder(&self, name: &str) -> Option<String> {
        self.ceremony.roster().token(name).and_then(|token| token.so_holder.clone())
    }

    /// Somebody else sits down than the custodian whose PIN is asked for.
    fn announce_holder(&mut self, (name, face): (&str, &Face), seat: &str) -> Result<(), Refusal> {
        let custodian = self.ceremony.roster().custodian(name).to_owned();
        let called = face.outranked_by.name();
        self.show(&format!(
            "        {custodian} steps aside; {seat}, and nobody else, acts: the {called} of token {name} outranks its PIN"
        ))
    }

    /// Asks for what is and for what is to be; gives the latter.
    fn replace(&mut self, on: &mut Outranked<'_>, which: Which) -> Result<Pin, Refusal> {
        let (called, id) = on.called(which);
        let (id, text) = (
            format!("pin {id} now {}", on.name),
            format!("{called} that token {} has now", on.name),
        );
        let now = self.ask_seat(on, id, text)?;
        self.set_next(on, which, &now)?.ok_or_else(|| not_taken(on.name, called))
    }

    fn ask_seat(&mut self, on: &Outranked<'_>, id: String, text: String) -> Result<Pin, Refusal> {
        let (step, who) = (on.step, on.seat.to_owned());
        self.hear_pin(&Prompt { step, id, who, text, expected: None })
    }

    /// Asks for the next one until the token can take it; none if it does not take that which it has.
    fn set_next(
        &mut self,
        on: &mut Outranked<'_>,
        which: Which,
        now: &Pin,
    ) -> Result<Option<Pin>, Refusal> {
        use pkcs11::Error as E;
        let (called, id) = on.called(which);
        let (id, text) =
            (format!("pin {id} {}", on.name), format!("{called} for token {}", on.name));
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let asked = Twice { step: on.step, id: &id, who: on.seat, what: &text };
            let next = self.ask_twice(&asked)?.ok_or_else(|| unset(on.name, called))?;
            let replaced = match which {
                Which::Beside => on.token.replace_puk(again(now)?, again(&next)?),
                Which::Main => on.token.replace_so_pin(again(now)?, Some(again(&next)?)),
            };
            match replaced {
                // All of these are about the next one, and the token is as before.
                Err(
                    error @ child::Error::Token(
                        E::Factory { .. } | E::PinLength { .. } | E::PinUnfit { .. },
                    ),
                ) if left > 0 => self.say_again(&self.child(&error))?,
                replaced => {
                    let took = replaced.map_err(|error| self.child(&error))?;
                    return Ok(took.then_some(next));
                }
            }
        }
    }

    fn make_by(
        &self,
        on: &mut Outranked<'_>,
        so_pin: &Pin,
        order: (Purpose, Algorithm, &str),
    ) -> Result<(), Refusal> {
        let made = on.token.make_as_so(again(so_pin)?, order);
        match made.map_err(|error| self.no_make(&error))? {
            true => Ok(()),
            false => Err(not_taken(on.name, on.called(Which::Main).0)),
        }
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

/// The same PIN, for another question to the child.
pub(super) fn again(pin: &Pin) -> Result<Pin, Refusal> {
    Pin::new(SecretBytes::copy_of(pin.expose().as_bytes()))
        .map_err(|error| Refusal::new(crate::refusal::Exit::Ours, error.to_string()))
}

fn unset(name: &str, called: &str) -> Refusal {
    Refusal::of(Check::TokenSoHolder, format!("nobody set the {called} of token `{name}`"))
        .hint("its holder thinks of one, and `resume` asks again")
}

fn not_taken(name: &str, called: &str) -> Refusal {
    Refusal::of(Check::TokenPin, format!("token `{name}` refused the {called}"))
        .hint("its holder decides whether to try again: `resume` asks once more")
}
