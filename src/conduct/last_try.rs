//! The guard of a token's PIN: a last try that two people want, and a PIN that is typed on the token's own pad.
//!
//! Roof. docs/threats.md rule 29.

use super::Session;
use super::alone::refused;
use super::words::{Mouth, ask_until};
use crate::ceremony::fact::Fact;
use crate::check::Check;
use crate::child::token::{Face, Login, Token};
use crate::refusal::{Exit, Refusal};
use crate::room::console::{Expected, Prompt};
use crate::room::token::TriesLeft;

/// The question for a PIN.
pub(super) struct Asking<'a> {
    pub(super) step: u32,
    /// The plan's name of the token.
    pub(super) token: &'a str,
    /// The seat that knows it.
    pub(super) who: &'a str,
    /// What is known of the tries left.
    pub(super) says: String,
}

impl Asking<'_> {
    /// Asks here.
    pub(super) fn pin(&self) -> Prompt {
        let text = format!("PIN for token {} ({})", self.token, self.says);
        self.prompt("pin", text, None)
    }

    fn prompt(&self, id: &str, text: String, expected: Option<Expected>) -> Prompt {
        let id = format!("{id} {}", self.token);
        Prompt { step: self.step, id, who: self.who.to_owned(), text, expected }
    }
}

/// A token whose next wrong PIN may be its last.
pub(super) struct LastTry<'a> {
    pub(super) step: u32,
    /// The plan's name of the token.
    pub(super) token: &'a str,
    pub(super) face: &'a Face,
    /// Its custodian's seat, and then the others that there are.
    pub(super) seats: &'a [&'a str],
}

/// Whether one more wrong PIN may lock a token: it says so, or so many were wrong here in a row that most would be locked
/// by another, whatever this one says.
pub(super) fn is_last(face: &Face, wrong: usize) -> bool {
    face.user_pin == TriesLeft::Last || wrong >= FEWEST_TRIES - 1
}

/// Has a token's custodian and another seat each say that the PIN is to be asked for; gives the other seat.
/// `[TOKEN-LAST-TRY]`
pub(super) fn ask_last_try(
    mouth: &mut dyn Mouth,
    last: &LastTry<'_>,
) -> Result<[String; 2], Refusal> {
    let (token, serial) = (last.token, last.face.name.serial.trim());
    let [custodian, others @ ..] = last.seats else {
        return Err(Refusal::new(Exit::Ours, "a token that no seat holds"));
    };
    let other = |typed: &str| {
        let seat = typed.strip_suffix(token)?.strip_suffix(' ')?;
        others.iter().find(|other| seat == **other && seat != *custodian).copied()
    };
    mouth.show(&format!(
        "        The next wrong PIN may lock token {token} for good. Look for the PIN before anybody tries; two people \
         say that it is tried now."
    ))?;
    let (id, text) = ("last-try", format!("to have the PIN of token {token} tried, its serial"));
    let prompt = prompt(last, (id, custodian), text, serial.to_owned());
    hear(mouth, &prompt, |typed| typed.eq_ignore_ascii_case(serial).then_some(()))?;
    let first = others.iter().find(|other| *other != custodian).copied().unwrap_or_default();
    let text = format!("another seat, and then the token's name, as `{first} {token}`");
    let prompt =
        self::prompt(last, ("last-try-other", "another person"), text, format!("{first} {token}"));
    let second = hear(mouth, &prompt, other)?;
    Ok([(*custodian).to_owned(), second.to_owned()])
}

fn prompt(last: &LastTry<'_>, (id, who): (&str, &str), text: String, expected: String) -> Prompt {
    let (step, id) = (last.step, format!("{id} {}", last.token));
    Prompt { step, id, who: who.to_owned(), text, expected: Some(Expected::Text(expected)) }
}

/// Asks until the answer is one that is right, a few times.
fn hear<T>(
    mouth: &mut dyn Mouth,
    prompt: &Prompt,
    right: impl Fn(&str) -> Option<T>,
) -> Result<T, Refusal> {
    let why_not = "that is not it; to leave the PIN untried, press Ctrl-C";
    ask_until(mouth, prompt, why_not, |typed| right(typed.trim()))?.ok_or_else(|| {
        let what = format!("{} did not say that the last try is used", prompt.who);
        Refusal::of(Check::TokenLastTry, what)
            .hint("look for the PIN, or leave this token out; `resume` asks again")
    })
}

/// Lets the PIN be typed on the token's own pad, once its holder is there: a pad does not wait long.
pub(super) fn log_in_on_pad(
    mouth: &mut dyn Mouth,
    token: &mut Token,
    asked: &Asking<'_>,
) -> Result<Login, Refusal> {
    let text = format!(
        "press Enter, and then type the PIN of token {} on its own pad ({})",
        asked.token, asked.says
    );
    mouth.ask(&asked.prompt("pad", text, Some(Expected::Text(String::new()))))?;
    token.login_on_pad().map_err(|error| refused(&error))
}

impl Session<'_> {
    /// The same in a ceremony, whose record says who did.
    pub(super) fn confirm_last_try(
        &mut self,
        step: u32,
        token: &str,
        face: &Face,
    ) -> Result<(), Refusal> {
        let roster = self.ceremony.roster().clone();
        let taken = self.ceremony.seats_taken().map(<[String]>::to_vec);
        let mut seats = vec![roster.custodian(token)];
        match &taken {
            Some(taken) => {
                let custodian = roster.custodian(token);
                let others = taken.iter().map(String::as_str);
                seats.extend(others.filter(|seat| !self.ceremony.stands_in(seat, custodian)));
            }
            None => {
                seats.extend(["operator", "witness"]);
                seats.extend(roster.held().map(|(_, seat)| seat));
            }
        }
        let by = ask_last_try(self, &LastTry { step, token, face, seats: &seats })?;
        self.take(step, Fact::LastTryConfirmed { token: token.to_owned(), by })
    }
}

/// Cards leave the factory with three tries, and no kind of token is known that has fewer.
const FEWEST_TRIES: usize = 3;
