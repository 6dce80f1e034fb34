//! Plurals and lists as a person would write them.
//!
//! Ground floor: pure, touches nothing.

pub mod told;

use std::fmt::{self, Display};

use crate::digest::Digest;

/// A number and its noun: `1 token`, `2 tokens`. The noun is given in the singular and takes an `s`, or `ies`
/// for a last `y` after a consonant.
pub struct Count<'a>(pub usize, pub &'a str);

impl Display for Count<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, noun) = self;
        let stem = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
        match (number, stem) {
            (1, _) => write!(f, "1 {noun}"),
            (_, Some(stem)) => write!(f, "{number} {stem}ies"),
            (_, None) => write!(f, "{number} {noun}s"),
        }
    }
}

/// What a TOML parser says, in one line, without the list of every field that there is.
pub(crate) fn toml_words(message: &str) -> String {
    let line = message.trim().replace('\n', " ");
    match line.split_once(", expected ") {
        Some((unknown, _)) if unknown.starts_with("unknown field ") => unknown.to_owned(),
        _ => line,
    }
}

/// Things joined for reading: `a`, `a and b`, `a, b and c`.
pub struct List<'a, T> {
    items: &'a [T],
    joint: &'static str,
    ticked: bool,
}

impl<'a, T: Display> List<'a, T> {
    /// Joins with `and`.
    pub fn and(items: &'a [T]) -> Self {
        Self { items, joint: "and", ticked: false }
    }

    /// Joins with `or`.
    pub fn or(items: &'a [T]) -> Self {
        Self { items, joint: "or", ticked: false }
    }

    /// Joins names in backticks with `and`.
    pub fn names(items: &'a [T]) -> Self {
        Self { items, joint: "and", ticked: true }
    }
}

impl<T: Display> Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tick = if self.ticked { "`" } else { "" };
        for (at, item) in self.items.iter().enumerate() {
            match (at, self.items.len() - at) {
                (0, _) => {}
                (_, 1) => write!(f, " {} ", self.joint)?,
                _ => f.write_str(", ")?,
            }
            write!(f, "{tick}{item}{tick}")?;
        }
        Ok(())
    }
}

/// A digest for eye and ear: one line of hex in groups of four, then its 24 numbered words in four lines of six.
pub struct Readable(pub Digest);

impl Display for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.grouped())?;
        word_rows(&self.0).iter().try_for_each(|row| write!(f, "\n{row}"))
    }
}

/// The 24 words of a digest in four rows, each word with its number: words are asked for by number.
pub fn word_rows(digest: &Digest) -> Vec<String> {
    let words = digest.words();
    let rows = words.chunks(6).enumerate().map(|(row, words)| {
        let cells =
            words.iter().enumerate().map(|(at, word)| format!("{:>2} {word:<8}", row * 6 + at + 1));
        cells.collect::<Vec<_>>().join(" ").trim_end().to_owned()
    });
    rows.collect()
}

/// Makes text harmless on a terminal and on paper: control characters, and those that reorder or hide others, are
/// shown as `\u{…}`; line ends stay.
pub fn harmless(text: &str) -> String {
    shown(text, |c| c == '\n' || !is_unseen(c))
}

/// The same of a value that stands inside a line: no line ends in it, so that it cannot begin one of its own.
pub fn one_line(text: &str) -> String {
    shown(text, |c| !is_unseen(c))
}

/// The same between backticks, of which it has none itself.
pub(crate) fn ticked(text: &str) -> String {
    format!("`{}`", shown(text, |c| c != '`' && !is_unseen(c)))
}

fn shown(text: &str, stays: impl Fn(char) -> bool) -> String {
    // Nearly all text is of such letters alone, and stays as it is.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'`') {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if stays(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_unicode());
        }
    }
    shown
}

/// Whether a reader does not see a character that is there: a control, or one that hides or reorders others.
pub(crate) fn is_unseen(c: char) -> bool {
    c.is_control() || is_hidden(c)
}

/// What Unicode calls ignorable by default, line and paragraph separators, specials, and a blank that is no space.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_follow_their_number() {
        let say = |number, noun| Count(number, noun).to_string();
        assert_eq!(say(1, "repository"), "1 repository");
        assert_eq!(say(2, "repository"), "2 repositories");
        assert_eq!(say(0, "key"), "0 keys");
        assert_eq!(say(3, "token"), "3 tokens");
    }

    #[test]
    fn a_digest_stands_in_five_lines() {
        let text = Readable(Digest::from_bytes([0; 32])).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5);
        assert!(lines[0].starts_with("0000 0000 ") && lines[0].len() == 79);
        assert_eq!(
            lines[1],
            " 1 abandon   2 abandon   3 abandon   4 abandon   5 abandon   6 abandon"
        );
        assert!(lines[4].starts_with("19 abandon  20 abandon") && lines[4].ends_with("24 art"));
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(List::and(&["a"]).to_string(), "a");
        assert_eq!(List::names(&["a", "b", "c"]).to_string(), "`a`, `b` and `c`");
        assert_eq!(List::<&str>::and(&[]).to_string(), "");
    }

    #[test]
    fn text_from_outside_cannot_play_with_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Kb\nc\r"), "a\\u{1b}[2Kb\nc\\u{d}");
        assert_eq!(harmless("a\u{202e}b\u{200b}"), "a\\u{202e}b\\u{200b}");
        assert_eq!(harmless("Schlüssel — ✓"), "Schlüssel — ✓");
    }

    #[test]
    fn a_value_stays_inside_its_line_and_its_backticks() {
        assert_eq!(one_line("a\nerror: b\u{2028}c"), "a\\u{a}error: b\\u{2028}c");
        assert_eq!(ticked("a` is `b\r\n"), "`a\\u{60} is \\u{60}b\\u{d}\\u{a}`");
        for c in "\u{34f}\u{115f}\u{17b4}\u{180b}\u{2800}\u{3164}\u{fe0f}\u{ffa0}\u{1d173}\u{e0100}"
            .chars()
        {
            assert_eq!(one_line(&c.to_string()), c.escape_unicode().to_string());
        }
    }
}
