//! Words read from paper or from another machine, and typed here.
//!
//! Roof.

use super::Session;
use crate::check::Check;
use crate::digest::Digest;
use crate::refusal::{Exit, Refusal};
use crate::room::console::{Expected, Prompt};
use crate::room::entropy;
use crate::wording::{Count, one_line, word_rows};

/// A question for words of a digest.
pub(super) struct Asked<'a> {
    /// The step.
    pub(super) step: u32,
    /// What the question is, for machines.
    pub(super) id: &'a str,
    /// Who answers.
    pub(super) who: &'a str,
    /// Where the words stand.
    pub(super) what: &'a str,
    /// What refuses when they stay wrong.
    pub(super) check: Check,
    /// How many positions are drawn.
    pub(super) count: usize,
}

/// Shows and asks.
pub(super) trait Mouth {
    /// Shows text.
    fn show(&mut self, text: &str) -> Result<(), Refusal>;

    /// Asks a question, and gives the line that was typed.
    fn ask(&mut self, prompt: &Prompt) -> Result<String, Refusal>;
}

impl Mouth for Session<'_> {
    fn show(&mut self, text: &str) -> Result<(), Refusal> {
        Self::show(self, text)
    }

    fn ask(&mut self, prompt: &Prompt) -> Result<String, Refusal> {
        Self::ask(self, prompt)
    }
}

/// Asks for words at positions drawn now; three attempts, then a refusal. Returns how many were wrong; what was typed
/// wrong is neither shown nor kept.
pub(super) fn ask_words(
    mouth: &mut dyn Mouth,
    asked: &Asked<'_>,
    digest: &Digest,
) -> Result<u32, Refusal> {
    let positions = draw_positions(asked.count)?;
    let listed: Vec<String> = positions.iter().map(ToString::to_string).collect();
    let prompt = Prompt {
        step: asked.step,
        id: asked.id.to_owned(),
        who: asked.who.to_owned(),
        text: format!("words {} of {}", listed.join(" "), asked.what),
        expected: Some(Expected::Words { digest: *digest, positions: positions.clone() }),
    };
    for wrong in 0..ATTEMPTS {
        let typed = ask_something(mouth, &prompt)?;
        if are_right(digest, &positions, &typed) {
            return Ok(wrong);
        }
        let (many, left) = (typed.split_whitespace().count(), ATTEMPTS - wrong - 1);
        let left = Count(left as usize, "try").to_string();
        let told = if many == positions.len() {
            "these are not the words; read them once more".to_owned()
        } else {
            format!("{} are needed, {many} typed", Count(positions.len(), "word"))
        };
        mouth.show(&format!("        {told}; {left} left"))?;
    }
    let what = format!("the words of {} were wrong {ATTEMPTS} times", asked.what);
    Err(Refusal::of(asked.check, what)
        .hint("compare paper and machine: one of them is not what it should be"))
}

/// Asks until an answer is right, a few times, and says why after each that is not; none if none was.
pub(super) fn ask_until<T>(
    mouth: &mut dyn Mouth,
    prompt: &Prompt,
    why_not: &str,
    right: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    for _ in 0..ATTEMPTS {
        if let Some(right) = right(&mouth.ask(prompt)?) {
            return Ok(Some(right));
        }
        mouth.show(&format!("        {why_not}"))?;
    }
    Ok(None)
}

/// Asks for words; Enter alone is no try, a few times.
fn ask_something(mouth: &mut dyn Mouth, prompt: &Prompt) -> Result<String, Refusal> {
    for _ in 0..ATTEMPTS {
        let typed = mouth.ask(prompt)?;
        if !typed.is_empty() {
            return Ok(typed);
        }
    }
    Ok(String::new())
}

impl Session<'_> {
    /// [`ask_words`] of the people here.
    pub(super) fn ask_words(&mut self, asked: &Asked<'_>, digest: &Digest) -> Result<u32, Refusal> {
        ask_words(self, asked, digest)
    }

    /// [`ask_until`] of the people here.
    pub(super) fn ask_until<T>(
        &mut self,
        prompt: &Prompt,
        why_not: &str,
        right: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        ask_until(self, prompt, why_not, right)
    }

    /// Asks a question. Whoever types `!` instead of an answer says first what is not as the script has it
    /// (docs/threats.md rule 29), and is asked again; `break` ends the run, with all bagged and the head on paper.
    pub(super) fn ask(&mut self, prompt: &Prompt) -> Result<String, Refusal> {
        for _ in 0..MOST_EXCEPTIONS {
            let typed = self.hear(prompt)?;
            match typed.as_str() {
                "!" => {}
                // What nobody vouched for yet is not written to, not even that there was a break.
                "break" if self.unwritten.is_empty() => return Err(self.take_break(prompt.step)?),
                _ => return Ok(typed),
            }
            let expected =
                self.ask_text(prompt.step, "exception-expected", "what the script expects")?;
            let happened = self.ask_text(prompt.step, "exception-happened", "what happened")?;
            self.ask_exception(prompt.step, expected, happened)?;
        }
        let what = format!("{MOST_EXCEPTIONS} exceptions at one question, and no answer to it");
        Err(Refusal::new(Exit::Refused, what).hint("decide what is answered, and `resume`"))
    }

    /// Asks a question, and takes any line for its answer. What nobody would see in it is written out, since it may go
    /// onto screen and paper.
    pub(super) fn hear(&mut self, prompt: &Prompt) -> Result<String, Refusal> {
        let typed = self.room.console.ask(prompt).map_err(|error| self.unheard(&error))?;
        Ok(one_line(&typed))
    }
}

/// Whether the typed words are those at the positions, in their order.
pub(super) fn are_right(digest: &Digest, positions: &[usize], typed: &str) -> bool {
    let typed: Vec<&str> = typed.split_whitespace().collect();
    typed.len() == positions.len()
        && positions.iter().zip(typed).all(|(position, word)| digest.has_word(*position, word))
}

/// What is said to whoever answers neither yes nor no.
pub(super) const YES_OR_NO: &str = "type yes or no";

/// The answer to a question that is answered by yes or no.
pub(super) fn is_yes(typed: &str) -> Option<bool> {
    match typed {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// The words of a digest, numbered, six a line, and its hex on two lines.
pub(super) fn table(digest: &Digest) -> String {
    let rows: Vec<String> = word_rows(digest).iter().map(|row| format!("  {row}")).collect();
    let hex = digest.grouped();
    // Eight groups of four and the spaces between them.
    let (first, second) = hex.split_at_checked(39).unwrap_or((&hex, ""));
    format!("{}\n  {first}\n  {}", rows.join("\n"), second.trim_start())
}

/// Positions from 1 to 24, all different, in rising order.
fn draw_positions(count: usize) -> Result<Vec<usize>, Refusal> {
    let mut left: Vec<usize> = (1..=24).collect();
    let mut drawn = Vec::new();
    while drawn.len() < count.min(24) {
        let mut byte = [0];
        entropy::draw(&mut byte).map_err(|error| Refusal::new(Exit::Ours, error.to_string()))?;
        // Bytes past the last whole multiple are drawn again, so that no position is likelier than another.
        let fair = 256 - 256 % left.len();
        if usize::from(byte[0]) < fair {
            drawn.push(left.remove(usize::from(byte[0]) % left.len()));
        }
    }
    drawn.sort_unstable();
    Ok(drawn)
}

/// A file of answers would say `!` for ever.
const MOST_EXCEPTIONS: u32 = 12;

/// How often a harmless question may be answered wrong.
pub(super) const ATTEMPTS: u32 = 3;
