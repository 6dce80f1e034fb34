//! Known weaknesses of the tokens that are here: told, decided about, or a reason to make no key.
//!
//! Roof. docs/threats.md rule 14.

use super::Session;
use crate::advisory;
use crate::check::Check;
use crate::key::Algorithm;
use crate::record::Mode;
use crate::refusal::Refusal;
use crate::room::token::Face;

impl Session<'_> {
    /// Tells what is known of a token.
    pub(super) fn tell_advisories(&mut self, token: &str, face: &Face) -> Result<(), Refusal> {
        for advisory in advisory::of(&face.model, &face.firmware) {
            let sentence = advisory.sentence();
            let firmware = &face.firmware;
            self.show(&format!("        token {token}, firmware {firmware}: {sentence}"))?;
        }
        Ok(())
    }

    /// Before a key is made: one that would be weak from the start is not, and somebody decides about one that can be
    /// found by more. Gives what was told. `[TOKEN-ADVISORY]`
    pub(super) fn advise(
        &mut self,
        step: u32,
        (token, face): (&str, &Face),
        (key, algorithm): (&str, Algorithm),
    ) -> Result<Vec<String>, Refusal> {
        let known = advisory::of(&face.model, &face.firmware);
        let mut told = Vec::new();
        for advisory in known.into_iter().filter(|advisory| advisory.touches(algorithm)) {
            let (firmware, sentence) = (&face.firmware, advisory.sentence());
            let happened = format!("key {key} on token {token}, firmware {firmware}: {sentence}");
            if advisory.is_fatal {
                return Err(Refusal::of(Check::TokenAdvisory, happened).hint(
                    "make a key of another algorithm in the plan, or use a token of other firmware",
                ));
            }
            match self.room.mode {
                Mode::Ceremony => {
                    let expected = "no weakness is known of a token that makes a root key";
                    self.ask_exception(step, expected.to_owned(), happened)?;
                }
                Mode::Practice | Mode::Rehearsal => self.show(&format!("        {happened}"))?,
            }
            told.push(advisory.id.to_owned());
        }
        Ok(told)
    }
}
