//! The console: the only mouth of the program, and its only ear.
//!
//! Room floor: the controlling terminal, and a writer for what people should see when no one is asked.
//!
//! The rules of speaking to people:
//! - Questions go to the controlling terminal, never to standard input or output; a missing terminal is a refusal.
//! - Whatever was typed before a question stood on the screen is no answer to it.
//! - No line leaves a screen before somebody pressed Enter below it; nothing is echoed while nobody is asked.
//! - Secrets are never echoed and never shown, but for a drawn passphrase, once, to its custodian, and then the screen is
//!   cleared; the terminal is put back as it was on every way out.
//! - Text from outside cannot move the cursor, hide, or reorder what stands beside it: it is shown escaped.
//! - The end of input is a refusal. Whether an answer is right, and how often it may be wrong, others decide.

mod answers;
mod pace;
mod terminal;

use std::fmt;

use jiff::Timestamp;

use crate::digest::Digest;
use crate::refusal::{Exit, Refusal};
use crate::secret::{Passphrase, Pin};

pub use crate::wording::harmless;
pub use answers::{Answers, Automatic, Beside};
pub use terminal::Terminal;

/// Speaks to people and hears what they type.
pub trait Console {
    /// Shows text; each of its lines ends where it ends.
    ///
    /// # Errors
    /// [`Error::Gone`].
    fn show(&mut self, text: &str) -> Result<(), Error>;

    /// Asks, and gives the typed line without its end and surrounding space.
    ///
    /// # Errors
    /// Every variant of [`Error`].
    fn ask(&mut self, prompt: &Prompt) -> Result<String, Error>;

    /// Asks for a PIN, unechoed.
    ///
    /// # Errors
    /// Every variant of [`Error`].
    fn ask_pin(&mut self, prompt: &Prompt) -> Result<Pin, Error>;

    /// Shows a passphrase to its custodian until it is written down; nothing of it stays on the screen.
    ///
    /// # Errors
    /// Every variant of [`Error`].
    fn show_passphrase(&mut self, prompt: &Prompt, passphrase: &Passphrase) -> Result<(), Error>;

    /// Shows how far a long act is: `done` of `of`, of `what`.
    ///
    /// # Errors
    /// [`Error::Gone`].
    fn progress(&mut self, done: u64, of: u64, what: &str) -> Result<(), Error>;
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// The step of the script, as on paper.
    pub step: u32,
    /// What the question is, for machines: `plan-words`, `serial officer-a`. A PIN's is always `pin` and the
    /// token's name, whether it is set, repeated or used: `pin officer-a`.
    pub id: String,
    /// Who answers: `operator`, `custodian seat A`.
    pub who: String,
    /// What is asked, without a colon at its end.
    pub text: String,
    /// The right answer where it is public, for consoles that answer by themselves; a terminal ignores it.
    pub expected: Option<Expected>,
}

/// `[12] custodian seat A — PIN for token officer-a: `
impl fmt::Display for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {} — {}: ", self.step, self.who, self.text)
    }
}

/// A public answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The time, typed as `2026-12-01 14:05`, UTC.
    Now(Timestamp),
    /// This text.
    Text(String),
    /// The words of a digest at these positions (1 to 24), separated by spaces.
    Words {
        /// The digest.
        digest: Digest,
        /// The positions.
        positions: Vec<usize>,
    },
}

impl Expected {
    /// The answer as a person would type it.
    pub fn typed(&self) -> String {
        match self {
            Self::Now(now) => now.strftime("%Y-%m-%d %H:%M").to_string(),
            Self::Text(text) => text.clone(),
            Self::Words { digest, positions } => {
                let words = digest.words();
                let at = |position: &usize| words.get(position.wrapping_sub(1)).copied();
                positions.iter().filter_map(at).collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// Why nothing was heard.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file of answers breaks a rule at one of its lines.
    #[error("{file}:{line}: {what}")]
    BadAnswers {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
    /// The input ended before an answer.
    #[error("step {step}: the input ended before an answer")]
    EndOfInput {
        /// The step.
        step: u32,
    },
    /// The terminal or the writer does not take or give any more.
    #[error("the terminal went away")]
    Gone {
        /// What it answered.
        source: std::io::Error,
    },
    /// Somebody pressed Ctrl-C.
    #[error("stopped by Ctrl-C")]
    Interrupted,
    /// There is no controlling terminal.
    #[error("there is no terminal to ask people on")]
    NoTerminal {
        /// What the system answered.
        source: std::io::Error,
    },
    /// What was typed cannot be a PIN, or the line is not text, or longer than a line can be.
    #[error("step {step}: the answer is {what}")]
    NotText {
        /// The step.
        step: u32,
        /// What is wrong with it.
        what: &'static str,
    },
    /// No answer is known, and nobody is there to give one.
    #[error("step {step}: the answers have none for `{id}`")]
    Unanswered {
        /// The step.
        step: u32,
        /// The question.
        id: String,
    },
}

impl Error {
    /// The refusal, with `standing` as what is now true.
    pub fn refusal(&self, standing: impl Into<String>) -> Refusal {
        let exit = match self {
            Self::BadAnswers { .. } | Self::NoTerminal { .. } | Self::Unanswered { .. } => {
                Exit::Usage
            }
            Self::Gone { .. } => Exit::Ours,
            _ => Exit::Refused,
        };
        let refusal = Refusal::new(exit, self.to_string()).standing(standing);
        match self {
            Self::BadAnswers { .. } => refusal.hint("correct the file of answers"),
            Self::NoTerminal { .. } => {
                refusal.hint("run it on a terminal").because("/dev/tty cannot be opened")
            }
            Self::Gone { source } => refusal.because(source.kind()),
            Self::Unanswered { id, .. } if id.starts_with("pin ") => {
                refusal.hint("add the token to [pin] of the file of answers")
            }
            Self::Unanswered { .. } => refusal.hint("add it to [answer] of the file of answers"),
            _ => refusal.hint("run it again when the answer is at hand"),
        }
    }
}

/// Breaks each line of `text` at spaces so that it fits `width` columns; what has no space stays whole.
pub(crate) fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        if line.chars().count() <= width {
            out.push_str(line);
        } else {
            wrap_line(line, width, &mut out);
        }
    }
    out
}

/// Continues under the first letter of the line, so that tables and lists stay readable.
fn wrap_line(line: &str, width: usize, out: &mut String) {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let indent = indent.min(width / 2);
    let mut column = 0;
    for (at, word) in line.split(' ').enumerate() {
        let length = word.chars().count();
        if at > 0 && column > indent && column + 1 + length > width {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if at > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_eighty_columns() {
        let text = format!("  {}\nshort", "word ".repeat(30).trim_end());
        let lines: Vec<String> = wrapped(&text, 80).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:?}");
        assert!(lines[1].starts_with("  word"));
        assert_eq!(wrapped(&"x".repeat(100), 80), "x".repeat(100));
    }

    #[test]
    fn expected_answers_are_typed_as_people_would() {
        let digest = Digest::from_bytes([0; 32]);
        let words = Expected::Words { digest, positions: vec![24, 1] };
        assert_eq!(words.typed(), "art abandon");
        let now = Expected::Now("1996-12-01T14:05:59Z".parse().unwrap());
        assert_eq!(now.typed(), "1996-12-01 14:05");
    }
}
