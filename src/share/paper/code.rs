//! The text of a paper share in codes, as many as it takes: `OFSP1/2/3/K7QX3MZA/…`.
//!
//! First floor: pure. Between the slashes: version, which code, of how many, the mark of the paper, a piece of the text.
//! The mark is the first 5 bytes of the digest of parts (`officiant paper mark v1`; the bytes that stand on paper), in
//! base32: codes of two papers never make one share.

use std::collections::BTreeMap;

use data_encoding::BASE32_NOPAD;

use super::{Error, PaperShare};
use crate::digest::Digest;

/// The most letters of a code: what a phone reads from a print at arm's length.
pub const MAX_CODE: usize = 250;

impl PaperShare {
    /// The codes, in their order; each has at most [`MAX_CODE`] letters of the alphanumeric mode of QR codes.
    ///
    /// # Errors
    /// [`Error::TooLong`].
    pub fn codes(&self) -> Result<Vec<String>, Error> {
        let (text, mark) = (self.text()?, mark(&self.encode()?));
        let parts = text.len().div_ceil(MAX_CODE - FRAME);
        let pieces = text.as_bytes().chunks(text.len().div_ceil(parts.max(1)).max(1));
        let pieces = pieces.map(String::from_utf8_lossy);
        let code = |(part, piece)| format!("{LEAD}1/{part}/{parts}/{mark}/{piece}");
        Ok((1..=parts).zip(pieces).map(code).collect())
    }

    /// Puts the share together from the codes that were read, in any order, among others that are none of a share.
    ///
    /// # Errors
    /// [`Error`]: it names the code that is missing, or what is wrong.
    pub fn from_codes<T: AsRef<str>>(codes: &[T]) -> Result<Self, Error> {
        let mut found: Option<(&str, usize)> = None;
        let mut pieces: BTreeMap<usize, &str> = BTreeMap::new();
        for code in codes.iter().map(AsRef::as_ref).filter(|code| code.starts_with(LEAD)) {
            let Code { part, parts, mark, piece } = read(code)?;
            let (first, known) = *found.get_or_insert((mark, parts));
            if first != mark || known != parts {
                let (first, second) = (first.to_owned(), mark.to_owned());
                return Err(Error::OtherPaper { first, second });
            }
            if pieces.insert(part, piece).is_some_and(|other| other != piece) {
                return Err(Error::CodeDiffers { part });
            }
        }
        let (marked, parts) = found.ok_or(Error::Nothing)?;
        if let Some(part) = (1..=parts).find(|part| !pieces.contains_key(part)) {
            return Err(Error::CodeMissing { part, parts });
        }
        let text: String = pieces.into_values().collect();
        let share = Self::from_text(&text)?;
        match mark(&share.encode()?) == marked {
            true => Ok(share),
            false => Err(Error::CodeForm),
        }
    }
}

struct Code<'a> {
    part: usize,
    parts: usize,
    mark: &'a str,
    piece: &'a str,
}

fn read(code: &str) -> Result<Code<'_>, Error> {
    let mut fields = code.strip_prefix(LEAD).unwrap_or_default().splitn(5, '/');
    let version = fields.next().unwrap_or_default();
    if version != "1" {
        return Err(Error::CodeVersion { found: version.chars().take(8).collect() });
    }
    let mut number = || {
        let digits = fields.next().filter(|digits| digits.len() == 1);
        digits.and_then(|digits| digits.parse::<usize>().ok())
    };
    let (part, parts) = (number(), number());
    let (mark, piece) = (fields.next(), fields.next());
    match (part, parts, mark, piece) {
        (Some(part @ 1..), Some(parts), Some(mark), Some(piece))
            if part <= parts && mark.len() == MARK && code.len() <= MAX_CODE =>
        {
            Ok(Code { part, parts, mark, piece })
        }
        _ => Err(Error::CodeForm),
    }
}

fn mark(bytes: &[u8]) -> String {
    let digest = Digest::of_parts(DOMAIN, &[bytes]);
    BASE32_NOPAD.encode(&digest.as_bytes()[..5])
}

const LEAD: &str = "OFSP";
const MARK: usize = 8;
/// Letters of a code that are none of its piece: `OFSP1/1/9/` and the mark with its slash.
const FRAME: usize = 10 + MARK + 1;
const DOMAIN: &str = "officiant paper mark v1";
