//! Pauses and second tries: nobody is passed over because something went by too fast, and a slip ends nothing.
//!
//! Roof.

use super::Session;
use super::words::ATTEMPTS;
use crate::record::Mode;
use crate::refusal::{Exit, Refusal};
use crate::room::console::{Error, Expected, Prompt};
use crate::secret::Pin;

/// What stands on the screen and must be read or written down before it may go.
pub(super) struct Shown<'a> {
    /// The step.
    pub(super) step: u32,
    /// What the question is, for machines.
    pub(super) id: &'a str,
    /// Who presses Enter.
    pub(super) who: &'a str,
    /// What they do before.
    pub(super) act: &'a str,
}

impl Session<'_> {
    /// Waits until somebody did what is to be done with what stands on the screen.
    pub(super) fn wait(&mut self, shown: &Shown<'_>) -> Result<(), Refusal> {
        let prompt = Prompt {
            step: shown.step,
            id: shown.id.to_owned(),
            who: shown.who.to_owned(),
            text: format!("{}; then press Enter", shown.act),
            expected: Some(Expected::Text(String::new())),
        };
        let why_not = "press Enter alone when it is done; to stop, press Ctrl-C";
        let is_done = |typed: &str| typed.is_empty().then_some(());
        self.ask_until(&prompt, why_not, is_done)?.ok_or_else(|| {
            let what = format!("nobody said that this was done: {}", shown.act);
            Refusal::new(Exit::Refused, what).hint("do it, and `resume`")
        })
    }

    /// Asks for a PIN; what cannot be one reaches no token, and is asked for again.
    pub(super) fn hear_pin(&mut self, prompt: &Prompt) -> Result<Pin, Refusal> {
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            match self.room.console.ask_pin(prompt) {
                Err(error @ Error::NotText { .. }) if left > 0 => {
                    self.show(&format!("        {error}"))?;
                }
                heard => return heard.map_err(|error| self.unheard(&error)),
            }
        }
    }

    /// The refusal when nothing was heard.
    pub(super) fn unheard(&self, error: &Error) -> Refusal {
        let refusal = error.refusal(self.ceremony.standing());
        match error {
            Error::EndOfInput { .. } | Error::Interrupted | Error::NotText { .. } => {
                let hint = match self.room.mode {
                    Mode::Rehearsal => "rehearse again when the answers are at hand",
                    _ => "`officiant resume`, with the same room file, goes on",
                };
                Refusal { hints: vec![hint.to_owned()], ..refusal }
            }
            _ => refusal,
        }
    }

    /// Says why something is asked again.
    pub(super) fn say_again(&mut self, refusal: &Refusal) -> Result<(), Refusal> {
        let hints = refusal.hints.iter().map(|hint| format!("\n        {hint}"));
        self.show(&format!("        {refusal}{}", hints.collect::<String>()))
    }
}
