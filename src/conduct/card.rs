//! Shares of people whose identity of `age` is in a YubiKey: it agrees, by the PIN of its holder, in a child of its own.
//!
//! Roof. docs/threats.md rules 18 and 29. Nobody here enrolled it: room.toml names its serial, and it must hold the key that the plan names.

use super::Session;
use super::last_try::is_last;
use crate::check::Check;
use crate::child::token::Token;
use crate::key::AgeKey;
use crate::refusal::{Exit, Refusal};
use crate::room::binding::Driver;
use crate::room::console::Prompt;
use crate::room::token::{Face, KeyRef, Login};
use crate::seal::{self, Opener};

impl Session<'_> {
    /// Has the YubiKey of a recipient agree on what opens a sealed share.
    pub(super) fn agree_at_card(
        &mut self,
        step: u32,
        name: &str,
        (to, sealed): (&AgeKey, &[u8]),
    ) -> Result<Opener, Refusal> {
        let point = seal::asked_of_yubikey(sealed, to).map_err(|error| {
            Refusal::of(Check::ShareIdentity, error.to_string())
                .hint("bring the share that was sealed to this recipient")
        })?;
        self.ask_new(step, name)?;
        let (mut token, face, key) = self.find_card(name, to)?;
        self.log_in_card(step, &mut token, &face, name)?;
        let x = token.agree(&key, &point).map_err(|error| self.child(&error))?;
        token.logout().map_err(|error| self.child(&error))?;
        Ok(Opener::YubiKey { to: to.clone(), x })
    }

    /// The YubiKey that room.toml binds to a recipient, which must hold its key: no PIN is asked of another.
    fn find_card(&mut self, name: &str, to: &AgeKey) -> Result<(Token, Face, KeyRef), Refusal> {
        let bound = self.room.binding.token(name).map(|bound| &bound.driver);
        let Some(Driver::YubiKey(serial)) = bound else {
            let what = format!("room.toml binds recipient `{name}` to no YubiKey");
            return Err(Refusal::new(Exit::Usage, what).hint(
                "add a `[[token]]` of that name with `yubikey` and its serial, and `resume`",
            ));
        };
        let serial = serial.to_string();
        let mut token = self.open(name)?;
        let face = token.select(&serial).map_err(|error| self.child(&error))?;
        let shown = token.keys().map_err(|error| self.child(&error))?;
        let wanted = to.yubikey();
        let key = shown.into_iter().find(|shown| Some(&shown.key.public) == wanted.as_ref());
        let key = key.ok_or_else(|| {
            let what = format!("YubiKey {serial} does not hold the key of recipient `{name}`");
            Refusal::of(Check::TokenKey, what).hint("put in the YubiKey whose key the plan names")
        })?;
        Ok((token, face, key.key))
    }

    /// Asks its holder for the PIN, once. `[TOKEN-PIN]`
    fn log_in_card(
        &mut self,
        step: u32,
        token: &mut Token,
        face: &Face,
        name: &str,
    ) -> Result<(), Refusal> {
        if is_last(face, self.wrong_pins(name)?) {
            self.confirm_last_try(step, name, face)?;
        }
        let text = format!("PIN for the YubiKey of recipient {name} ({})", face.user_pin);
        let prompt = self.asked(step, format!("pin {name}"), name, text);
        let pin = self.hear_pin(&Prompt { expected: None, ..prompt })?;
        match token.login(pin).map_err(|error| self.child(&error))? {
            Login::Open => {
                self.note_pin(name, true)?;
                self.tell_touch(face)
            }
            Login::Refused(left) => {
                self.note_pin(name, false)?;
                let what = format!("the YubiKey of recipient `{name}` refused the PIN; {left}");
                Err(Refusal::of(Check::TokenPin, what)
                    .hint("its holder decides whether to try again: `resume` asks once more"))
            }
        }
    }
}
