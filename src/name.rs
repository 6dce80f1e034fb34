//! Repository names, and the folder names that carry them on FAT and exFAT media.
//!
//! Ground floor: pure, touches nothing.
//!
//! A folder name is made of lower-case ASCII only, so case folding and Unicode normalization cannot
//! make two of them one (docs/threats.md rule 21).

mod alike;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::is_nfc;

use crate::digest::Digest;
use crate::wording::is_unseen;
pub use alike::{alike_groups, look_alikes};

/// The name of a repository: a Notary GUN, or the name that a plan gives to a TUF repository.
///
/// 1 to 255 bytes of UTF-8 in NFC; path segments between single `/`, none of them `.` or `..`; no white
/// space, no control or invisible character, and none of `" # % * < > ? \ |`, which URLs, shells and
/// file systems read as something else. Serializes as its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder that carries this repository: 1 to 196 characters of `[a-z0-9._%-]`.
    ///
    /// Every byte outside `[a-z0-9._-]` becomes `%` and two lower-case hex digits. So does a dot that
    /// begins or ends the name, and the first letter of a name that DOS keeps for a device (`con`,
    /// `com1.txt`). What would be longer than 130 characters is cut there, never inside an escape, and
    /// ends with `%_` and the SHA-256 of the name; no other folder name contains `%_`.
    pub fn folder(&self) -> String {
        let (folder, is_whole) = self.escaped();
        if is_whole { folder } else { format!("{folder}%_{}", Digest::of(self.0.as_bytes())) }
    }

    /// Reads a folder name back.
    ///
    /// `Ok(None)` says that the folder is one of an over-long name, which its digest stands for: only
    /// [`Name::folder`] of the right name tells.
    ///
    /// # Errors
    /// [`Error::Folder`] when no name has this folder.
    pub fn from_folder(folder: &str) -> Result<Option<Self>, Error> {
        let bad = || Error::Folder { folder: folder.to_owned() };
        if let Some((head, digest)) = folder.split_once("%_") {
            let whole = head.len() <= LONGEST && head.len() + 3 > LONGEST;
            let digest = digest.parse::<Digest>();
            return if whole && digest.is_ok() && unescape(head).is_some() {
                Ok(None)
            } else {
                Err(bad())
            };
        }
        let bytes = unescape(folder).ok_or_else(bad)?;
        let name: Self = String::from_utf8(bytes).map_err(|_| bad())?.parse().map_err(|_| bad())?;
        // Only the one spelling that `folder` gives is read, or two folders could be one repository.
        if name.folder() == folder { Ok(Some(name)) } else { Err(bad()) }
    }

    /// As much of the escaped name as a folder's name has room for, and whether that is all of it.
    fn escaped(&self) -> (String, bool) {
        let bytes = self.0.as_bytes();
        let device = is_device(&self.0);
        let last = bytes.len() - 1;
        let is_plain = |at: usize, byte: u8| match byte {
            b'.' => at != 0 && at != last,
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => at != 0 || !device,
            _ => false,
        };
        let mut folder = String::with_capacity(bytes.len() + 8);
        for (at, &byte) in bytes.iter().enumerate() {
            let is_plain = is_plain(at, byte);
            if folder.len() + if is_plain { 1 } else { 3 } > LONGEST {
                return (folder, false);
            }
            match is_plain {
                true => folder.push(char::from(byte)),
                false => {
                    folder.extend(['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]])
                }
            }
        }
        (folder, true)
    }
}

const HEX: [char; 16] =
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];

/// Says whether two different names are so close that a reader takes one for the other: equal but for
/// case, or one character added, dropped, changed, or swapped with its neighbour (docs/threats.md rule 6).
pub fn look_alike(a: &Name, b: &Name) -> bool {
    if a == b {
        return false;
    }
    let (a, b) = (folded(a), folded(b));
    let (a, b) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if b.len() - a.len() > 1 {
        return false;
    }
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[head..], &b[head..]);
    let same_length = a.len() == b.len();
    match (a, b) {
        ([], _) => true,
        (a, [_, b @ ..]) if !same_length => a == b,
        ([x, y, a @ ..], [v, w, b @ ..]) if x == w && y == v => a == b,
        ([_, a @ ..], [_, b @ ..]) => a == b,
        _ => false,
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Name {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        if name.is_empty() || name.len() > 255 {
            return Err(Error::Length { bytes: name.len() });
        }
        if let Some(found) = name.chars().find(|&c| is_refused(c)) {
            return Err(Error::Character { name: shown(&name), code: found.into() });
        }
        if name.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
            return Err(Error::Segment { name });
        }
        if !is_nfc(&name) {
            return Err(Error::Form { name });
        }
        Ok(Self(name))
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

/// Why a text is no repository name, or no folder of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A character that no name holds.
    #[error("repository name `{name}` holds the character U+{code:04X}, which no name may hold")]
    Character {
        /// The name, with what cannot be shown escaped.
        name: String,
        /// The code point of the character.
        code: u32,
    },
    /// A folder name that no repository has.
    #[error("folder `{folder}` is not the folder name of any repository")]
    Folder {
        /// The folder name.
        folder: String,
    },
    /// A name that is not in Unicode NFC.
    #[error("repository name `{name}` is not in Unicode NFC")]
    Form {
        /// The name.
        name: String,
    },
    /// An empty or over-long name.
    #[error("a repository name has 1 to 255 bytes, found {bytes}")]
    Length {
        /// Its length.
        bytes: usize,
    },
    /// An empty path segment, `.` or `..`.
    #[error("repository name `{name}` has an empty, `.` or `..` segment")]
    Segment {
        /// The name.
        name: String,
    },
}

fn folded(name: &Name) -> Vec<char> {
    let mut chars = Vec::with_capacity(name.0.len());
    fold(name, &mut chars);
    chars
}

fn fold(name: &Name, chars: &mut Vec<char>) {
    for c in name.0.chars() {
        match c.is_ascii() {
            true => chars.push(c.to_ascii_lowercase()),
            false => chars.extend(c.to_lowercase()),
        }
    }
}

fn shown(name: &str) -> String {
    name.chars()
        .map(|c| if is_refused(c) { c.escape_unicode().to_string() } else { c.into() })
        .collect()
}

fn is_refused(c: char) -> bool {
    is_unseen(c) || c.is_whitespace() || "\"#%*<>?\\|".contains(c)
}

/// Says whether DOS and Windows keep a name in lower case for a device, whatever follows a dot.
pub fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let port = port.is_some_and(|n| n.len() == 1 && n.as_bytes()[0].is_ascii_digit());
    port || matches!(stem, "con" | "prn" | "aux" | "nul")
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return Some(bytes),
            [b'%', high, low, rest @ ..] => {
                let byte = data_encoding::HEXLOWER.decode(&[*high, *low]).ok()?;
                bytes.extend(byte);
                rest
            }
            [b'%', ..] => return None,
            [byte, rest @ ..] => {
                bytes.push(*byte);
                rest
            }
        }
    }
}

/// Characters of a folder name before its digest: with `%_` and 64 digits it stays below the 200 that media
/// may carry.
const LONGEST: usize = 130;

#[cfg(test)]
mod tests;
