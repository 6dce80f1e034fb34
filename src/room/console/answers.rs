//! Consoles that answer by themselves: from a file (practice plans), or all alone (rehearsals).
//!
//! Room floor: a writer, and the kernel's generator for a rehearsal's PINs.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Deserialize;

use super::{Console, Error, Prompt, harmless, wrapped};
use crate::secret::{Passphrase, Pin, SecretBytes};
use crate::wording::one_line;

/// Answers from a file; what the file leaves out is answered as expected, where that is public.
///
/// ```toml
/// [pin]
/// officer-a = "123456"
/// [answer]
/// "serial officer-a" = "19042155"
/// ```
pub struct Answers<W> {
    out: W,
    pins: BTreeMap<String, Pin>,
    answers: BTreeMap<String, String>,
}

impl<W: Write> Answers<W> {
    /// Parses the file called `file`; everything shown and asked goes to `out`.
    ///
    /// # Errors
    /// [`Error::BadAnswers`] with its line for whatever is unknown, double, or no PIN.
    pub fn parse(file: &str, text: &str, out: W) -> Result<Self, Error> {
        let error = |at: usize, what: &str| Error::BadAnswers {
            file: file.to_owned(),
            line: 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count(),
            what: what.lines().next().unwrap_or_default().to_owned(),
        };
        let parsed: AnswersFile = toml::from_str(text)
            .map_err(|e| error(e.span().map_or(0, |span| span.start), e.message()))?;
        let mut pins = BTreeMap::new();
        for (token, pin) in parsed.pin {
            let at = pin.span().start;
            let pin = Pin::new(SecretBytes::take(pin.into_inner().into_bytes()))
                .map_err(|e| error(at, &e.to_string()))?;
            pins.insert(token, pin);
        }
        Ok(Self { out, pins, answers: parsed.answer })
    }
}

impl<W: Write> Console for Answers<W> {
    fn show(&mut self, text: &str) -> Result<(), Error> {
        show(&mut self.out, text)
    }

    fn ask(&mut self, prompt: &Prompt) -> Result<String, Error> {
        let known = self.answers.get(&prompt.id).cloned();
        answer(&mut self.out, prompt, known)
    }

    fn ask_pin(&mut self, prompt: &Prompt) -> Result<Pin, Error> {
        let Some(pin) = self.pins.get(token_of(&prompt.id)).and_then(again) else {
            return Err(unanswered(prompt));
        };
        show(&mut self.out, &format!("{prompt}(from the file of answers)"))?;
        Ok(pin)
    }

    /// A practice is for trying what is done with it afterwards, too: it stands on the screen, and stays there.
    fn show_passphrase(&mut self, prompt: &Prompt, passphrase: &Passphrase) -> Result<(), Error> {
        show(&mut self.out, &format!("{prompt}{}", passphrase.expose()))?;
        keep(&mut self.pins, prompt, passphrase)
    }

    fn progress(&mut self, done: u64, of: u64, what: &str) -> Result<(), Error> {
        progress(&mut self.out, done, of, what)
    }
}

/// Answers as expected and draws a PIN for each token, which it remembers: what a rehearsal needs.
pub struct Automatic<W> {
    out: W,
    pins: BTreeMap<String, Pin>,
}

impl<W: Write> Automatic<W> {
    /// Everything shown and asked goes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, pins: BTreeMap::new() }
    }

    /// From now on everything shown and asked goes to `out`.
    pub fn speak_to(&mut self, out: W) {
        self.out = out;
    }

    /// Whether it drew this token's PIN.
    pub fn knows(&self, token: &str) -> bool {
        self.pins.contains_key(token)
    }
}

/// People answer, but for the PINs of tokens that a machine enrolled before them: an interactive rehearsal.
pub struct Beside<'a, W> {
    /// Who is asked.
    pub people: &'a mut dyn Console,
    /// Who enrolled the tokens of the stand-in.
    pub machine: &'a mut Automatic<W>,
}

impl<W: Write> Console for Beside<'_, W> {
    fn show(&mut self, text: &str) -> Result<(), Error> {
        self.people.show(text)
    }

    fn ask(&mut self, prompt: &Prompt) -> Result<String, Error> {
        self.people.ask(prompt)
    }

    fn ask_pin(&mut self, prompt: &Prompt) -> Result<Pin, Error> {
        if !self.machine.knows(token_of(&prompt.id)) {
            return self.people.ask_pin(prompt);
        }
        self.people.show(&format!("{prompt}(drawn for this rehearsal)"))?;
        self.machine.ask_pin(prompt)
    }

    fn show_passphrase(&mut self, prompt: &Prompt, passphrase: &Passphrase) -> Result<(), Error> {
        self.people.show_passphrase(prompt, passphrase)
    }

    fn progress(&mut self, done: u64, of: u64, what: &str) -> Result<(), Error> {
        self.people.progress(done, of, what)
    }
}

impl<W: Write> Console for Automatic<W> {
    fn show(&mut self, text: &str) -> Result<(), Error> {
        show(&mut self.out, text)
    }

    fn ask(&mut self, prompt: &Prompt) -> Result<String, Error> {
        answer(&mut self.out, prompt, None)
    }

    fn ask_pin(&mut self, prompt: &Prompt) -> Result<Pin, Error> {
        let token = token_of(&prompt.id);
        let pin = match self.pins.get(token).and_then(again) {
            Some(pin) => pin,
            None => {
                let pin = drawn()?;
                let kept = again(&pin).ok_or_else(|| unanswered(prompt))?;
                self.pins.insert(token.to_owned(), kept);
                pin
            }
        };
        show(&mut self.out, &format!("{prompt}(drawn for this rehearsal)"))?;
        Ok(pin)
    }

    fn show_passphrase(&mut self, prompt: &Prompt, passphrase: &Passphrase) -> Result<(), Error> {
        show(&mut self.out, &format!("{prompt}(drawn for this rehearsal)"))?;
        keep(&mut self.pins, prompt, passphrase)
    }

    fn progress(&mut self, done: u64, of: u64, what: &str) -> Result<(), Error> {
        progress(&mut self.out, done, of, what)
    }
}

fn show(out: &mut impl Write, text: &str) -> Result<(), Error> {
    writeln!(out, "{}", wrapped(&harmless(text), 80)).map_err(|source| Error::Gone { source })
}

/// People see the question and the answer, as if it had been typed.
fn answer(out: &mut impl Write, prompt: &Prompt, known: Option<String>) -> Result<String, Error> {
    let expected = || prompt.expected.as_ref().map(super::Expected::typed);
    let answer = known.or_else(expected).ok_or_else(|| unanswered(prompt))?;
    show(out, &format!("{prompt}{}", one_line(&answer)))?;
    Ok(answer.trim().to_owned())
}

/// A file or a log needs no moving line: the end is enough.
fn progress(out: &mut impl Write, done: u64, of: u64, what: &str) -> Result<(), Error> {
    if done < of { Ok(()) } else { show(out, &format!("{what}: {done} of {of}")) }
}

/// Remembers a passphrase for whoever wrote it down.
fn keep(
    pins: &mut BTreeMap<String, Pin>,
    prompt: &Prompt,
    passphrase: &Passphrase,
) -> Result<(), Error> {
    let pin = Pin::new(passphrase.again().into_bytes()).map_err(|_| unanswered(prompt))?;
    let paper = prompt.id.strip_prefix("passphrase ").unwrap_or(&prompt.id);
    pins.insert(paper.to_owned(), pin);
    Ok(())
}

fn token_of(id: &str) -> &str {
    id.strip_prefix("pin ").unwrap_or(id)
}

fn unanswered(prompt: &Prompt) -> Error {
    Error::Unanswered { step: prompt.step, id: prompt.id.clone() }
}

fn again(pin: &Pin) -> Option<Pin> {
    Pin::new(SecretBytes::copy_of(pin.expose().as_bytes())).ok()
}

/// Eight letters of sixteen, which every token takes as a PIN.
fn drawn() -> Result<Pin, Error> {
    let draw = |bytes: &mut [u8]| {
        rustix::rand::getrandom(&mut *bytes, rustix::rand::GetRandomFlags::empty())?;
        for byte in bytes {
            *byte = b"0123456789abcdef"[usize::from(*byte % 16)];
        }
        Ok(())
    };
    let gone = |source: std::io::Error| Error::Gone { source };
    let pin = SecretBytes::try_fill(8, draw).map_err(|e: rustix::io::Errno| gone(e.into()))?;
    Pin::new(pin).map_err(|_| gone(std::io::ErrorKind::InvalidData.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswersFile {
    #[serde(default)]
    pin: BTreeMap<String, toml::Spanned<String>>,
    #[serde(default)]
    answer: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::console::Expected;

    fn prompt(id: &str, expected: Option<Expected>) -> Prompt {
        let (who, text) = ("custodian seat A".to_owned(), "What".to_owned());
        Prompt { step: 12, id: id.to_owned(), who, text, expected }
    }

    #[test]
    fn the_file_answers_before_what_is_expected() {
        let text = "[pin]\nofficer-a = \"123456\"\n[answer]\n\"serial officer-a\" = \"42\"\n";
        let mut out = Vec::new();
        let mut answers = Answers::parse("a.toml", text, &mut out).unwrap();
        let expected = Some(Expected::Text("43".to_owned()));
        assert_eq!(answers.ask(&prompt("serial officer-a", expected.clone())).unwrap(), "42");
        assert_eq!(answers.ask(&prompt("serial officer-b", expected)).unwrap(), "43");
        assert_eq!(answers.ask_pin(&prompt("pin officer-a", None)).unwrap().expose(), "123456");
        let error = answers.ask(&prompt("name", None)).unwrap_err();
        assert_eq!(error.to_string(), "step 12: the answers have none for `name`");
        assert!(answers.ask_pin(&prompt("pin officer-b", None)).is_err());
        let shown = String::from_utf8(out).unwrap();
        assert!(shown.starts_with("[12] custodian seat A — What: 42\n"), "{shown}");
        assert!(!shown.contains("123456"));
    }

    #[test]
    fn a_file_of_answers_is_strict() {
        let rows = [
            (
                "[pin]\na = \"\"\n",
                "a.toml:2: a PIN is 1 to 255 bytes of text without control characters",
            ),
            ("[pins]\n", "a.toml:1: unknown field `pins`, expected `pin` or `answer`"),
            ("[pin]\na = \"1\"\na = \"2\"\n", "a.toml:3: duplicate key"),
        ];
        for (text, expected) in rows {
            let error = Answers::parse("a.toml", text, Vec::new()).err().unwrap();
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn a_rehearsal_remembers_the_pin_it_drew() {
        let mut console = Automatic::new(Vec::new());
        let first = console.ask_pin(&prompt("pin officer-a", None)).unwrap();
        let again = console.ask_pin(&prompt("pin officer-a", None)).unwrap();
        let other = console.ask_pin(&prompt("pin officer-b", None)).unwrap();
        assert!(first.matches(&again) && !first.matches(&other));
        assert!(!String::from_utf8(console.out).unwrap().contains(first.expose()));
    }

    #[test]
    fn progress_in_a_log_is_one_line() {
        let mut console = Automatic::new(Vec::new());
        for done in 0..=3 {
            console.progress(done, 3, "signed").unwrap();
        }
        assert_eq!(console.out, b"signed: 3 of 3\n");
    }
}
