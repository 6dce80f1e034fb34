//! What the maker of a token says of a key: held against what was asked for, and kept in the custody folder.
//!
//! Roof. docs/threats.md rule 14.

use super::Session;
use super::closing::keep;
use crate::attestation::{Attestation, PinPolicy, TouchPolicy};
use crate::ceremony::fact::Attested;
use crate::check::Check;
use crate::digest::Digest;
use crate::key::pem_text;
use crate::record::Mode;
use crate::refusal::Refusal;
use crate::room::token::{Face, Generated, KeyRef, Purpose, WrapTrial};
use crate::trust::ATTESTATIONS;

/// A key that was made just now, and for what.
pub(super) struct Made<'a> {
    pub(super) step: u32,
    /// The plan's name of its token.
    pub(super) token: &'a str,
    pub(super) face: &'a Face,
    pub(super) label: &'a str,
    pub(super) purpose: Purpose,
    pub(super) generated: Generated,
}

impl Session<'_> {
    /// Tells what stands behind a key: its maker's word, or that of the token alone.
    pub(super) fn told(&mut self, made: Made<'_>) -> Result<(KeyRef, Option<Attested>), Refusal> {
        let label = made.label;
        let mut attested = None;
        if !made.generated.attestation.is_empty() {
            attested = Some(self.check_attested(&made)?);
        } else if made.generated.wrap == WrapTrial::NotTried {
            self.tell_untried(label)?;
        }
        Ok((made.generated.key, attested))
    }

    pub(super) fn tell_untried(&mut self, label: &str) -> Result<(), Refusal> {
        self.show(&format!(
            "        key {label}: that it cannot leave its token is only what the token says; nothing could try"
        ))
    }

    /// `[TOKEN-ATTESTED]`
    fn check_attested(&mut self, made: &Made<'_>) -> Result<Attested, Refusal> {
        let (label, token) = (made.label, made.token);
        let refuse = |what: String| {
            Refusal::of(Check::TokenAttested, format!("key `{label}` on token `{token}`: {what}"))
                .hint("a token that attests something else is not to be trusted: use another")
        };
        let certificates = &made.generated.attestation;
        let said = Attestation::read(certificates, &made.generated.key.public)
            .map_err(|error| refuse(format!("its attestation is not good: {error}")))?;
        let serial = &made.face.name.serial;
        if said.serial.to_string() != *serial {
            let what = format!("attested by YubiKey {}, expected {serial}", said.serial);
            return Err(refuse(what));
        }
        // Whoever made it as the SO could not say when it is to be touched: such a key never is.
        let asked = match made.face.so_makes() {
            true => (PinPolicy::Once, TouchPolicy::Never),
            false => rules(made.purpose),
        };
        if (said.pin, said.touch) != asked {
            let what = "attested with other rules for PIN and touch than were asked for";
            return Err(refuse(what.to_owned()));
        }
        if made.face.so_makes() && made.purpose != Purpose::Attest {
            self.show(&format!("        key {label}: it is used without a touch"))?;
        }
        let file = self.keep_attestation(token, certificates)?;
        self.tell_maker(made, &said)?;
        let (firmware, by_maker) = (said.firmware(), said.is_by_maker);
        Ok(Attested { file, firmware, pin: said.pin, touch: said.touch, by_maker })
    }

    /// Who owns a YubiKey can give it another attestation key, which attests whatever he likes: in a ceremony somebody
    /// decides about one that no known maker signed.
    fn tell_maker(&mut self, made: &Made<'_>, said: &Attestation) -> Result<(), Refusal> {
        let label = made.label;
        if said.is_by_maker {
            return self.show(&format!("        key {label}: attested by the maker of its token"));
        }
        let happened =
            format!("key {label}: no maker that is known signed its token's attestation");
        if self.room.mode != Mode::Ceremony {
            return self.show(&format!("        {happened}"));
        }
        let expected = "the makers of tokens attest their keys".to_owned();
        self.ask_exception(made.step, expected, happened)
    }

    /// Attestations name serials, so they belong to the room only.
    fn keep_attestation(&self, token: &str, certificates: &[Vec<u8>]) -> Result<Digest, Refusal> {
        let text: String = certificates.iter().map(|der| pem_text("CERTIFICATE", der)).collect();
        let digest = Digest::of(text.as_bytes());
        let path = format!("{ATTESTATIONS}{token}-{}.pem", &digest.to_string()[..16]);
        let kept = keep(&self.room.binding.work, &path, text.as_bytes());
        kept.map(|()| digest).map_err(|error| self.device(&error))
    }
}

/// When a key of that purpose is to ask for PIN and touch.
fn rules(purpose: Purpose) -> (PinPolicy, TouchPolicy) {
    match purpose {
        Purpose::Attest => Attestation::STATES,
        Purpose::Root | Purpose::Seal => Attestation::SERVES,
    }
}
