//! The text of a paper share in lines for people: a number, six groups of five letters, and a word that checks them.
//!
//! First floor: pure. The check word is that word of the BIP-39 English list whose place, from 0, is the first 11 bits of
//! the digest of parts (`officiant paper line v1`; the line's number, one byte; its letters). One slip in a line is seen
//! at that line, but for one time in 2048, and then by the checksum of the whole.

use std::collections::BTreeMap;

use data_encoding::BASE32_NOPAD;

use super::{Error, PaperShare, length};
use crate::digest::Digest;

/// How many letters a line has, the last one apart.
pub const LETTERS: usize = 30;

/// A line as it stands on paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Counts from 1.
    pub number: usize,
    /// Its letters, in groups of five.
    pub groups: String,
    /// What checks it.
    pub word: &'static str,
}

/// A line that was typed, and agrees with its check word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedLine {
    number: usize,
    letters: String,
}

impl PaperShare {
    /// The lines, in their order.
    ///
    /// # Errors
    /// [`Error::TooLong`].
    pub fn lines(&self) -> Result<Vec<Line>, Error> {
        let text = self.text()?;
        let pieces = text.as_bytes().chunks(LETTERS).map(String::from_utf8_lossy);
        let line = |(number, letters): (usize, std::borrow::Cow<'_, str>)| {
            let groups = letters.as_bytes().chunks(GROUP).map(String::from_utf8_lossy);
            let groups = groups.collect::<Vec<_>>().join(" ");
            Line { number, groups, word: word(number, &letters) }
        };
        Ok((1..).zip(pieces).map(line).collect())
    }

    /// Puts the share together from typed text: a line for each line, empty ones apart, in any order.
    ///
    /// # Errors
    /// [`Error`]: it names the line that is missing or wrong.
    pub fn from_typed(text: &str) -> Result<Self, Error> {
        let lines = text.lines().filter(|line| !line.trim().is_empty()).take(MAX_LINES);
        Self::from_lines(&lines.map(TypedLine::read).collect::<Result<Vec<_>, _>>()?)
    }

    /// Puts the share together from lines that agree each with its check word.
    ///
    /// # Errors
    /// [`Error`]: it names the line that is missing.
    pub fn from_lines(lines: &[TypedLine]) -> Result<Self, Error> {
        let lines: BTreeMap<usize, &str> =
            lines.iter().map(|line| (line.number, line.letters.as_str())).collect();
        let last = lines.keys().next_back().copied().ok_or(Error::Nothing)?;
        if let Some(line) = (1..=last).find(|line| !lines.contains_key(line)) {
            return Err(Error::LineMissing { line });
        }
        let (mut whole, mut ends) = (String::new(), false);
        for (number, letters) in lines {
            if ends {
                // A short line stands at the end alone.
                return Err(Error::LineForm { line: number - 1 });
            }
            ends = letters.len() < LETTERS;
            whole += letters;
        }
        match count(&whole) {
            Some(expected) if last < expected => Err(Error::LineMissing { line: last + 1 }),
            _ => Self::from_text(&whole),
        }
    }

    /// How many lines there are, as those say that were typed first; none while they do not say it.
    pub fn lines_of(begun: &[TypedLine]) -> Option<usize> {
        let text: String = begun.iter().map(|line| line.letters.as_str()).collect();
        count(&text)
    }
}

impl TypedLine {
    /// Reads a line as a person types it: its number, its letters in any groups and of any case, its check word or the
    /// first four letters of that.
    ///
    /// # Errors
    /// [`Error::LineForm`], [`Error::Line`].
    pub fn read(typed: &str) -> Result<Self, Error> {
        let mut fields = typed.split_whitespace();
        let number = fields.next().map(|field| field.trim_end_matches(['.', ':']));
        let number = number.and_then(|number| number.parse().ok()).unwrap_or(0);
        let form = Error::LineForm { line: number };
        let checked = fields.next_back().ok_or_else(|| form.clone())?;
        let letters: String = fields.flat_map(str::chars).map(meant).collect();
        let fits = (1..=MAX_LINES).contains(&number)
            && (1..=LETTERS).contains(&letters.len())
            && letters.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'));
        if !fits {
            return Err(form);
        }
        match is_word(word(number, &letters), checked) {
            true => Ok(Self { number, letters }),
            false => Err(Error::Line { line: number }),
        }
    }

    /// Its number.
    pub const fn number(&self) -> usize {
        self.number
    }
}

/// The letter that a person means who reads a print: the text has no digits but 2 to 7.
fn meant(typed: char) -> char {
    match typed.to_ascii_uppercase() {
        '0' => 'O',
        '1' => 'I',
        '8' => 'B',
        other => other,
    }
}

fn is_word(word: &str, typed: &str) -> bool {
    let typed = typed.to_ascii_lowercase();
    typed == word || (typed.len() >= 4 && word.get(..4) == Some(&typed))
}

fn word(number: usize, letters: &str) -> &'static str {
    let number = u8::try_from(number).unwrap_or(u8::MAX);
    let digest = Digest::of_parts(DOMAIN, &[&[number], letters.as_bytes()]);
    let [high, low, ..] = *digest.as_bytes();
    let place = usize::from(high) << 3 | usize::from(low >> 5);
    bip39::Language::English.word_list().get(place).copied().unwrap_or_default()
}

/// How many lines the text has that begins so.
fn count(text: &str) -> Option<usize> {
    // Eight letters are five bytes; the length stands in the first 58.
    let start = text.get(..96).and_then(|text| BASE32_NOPAD.decode(text.as_bytes()).ok())?;
    let letters = (length(&start)? * 8).div_ceil(5);
    Some(letters.div_ceil(LETTERS))
}

const GROUP: usize = 5;
/// More than the longest share has.
const MAX_LINES: usize = 64;
const DOMAIN: &str = "officiant paper line v1";
