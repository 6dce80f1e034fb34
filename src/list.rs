//! The list of repositories that a plan pins: what is to change, and what it must start from.
//!
//! First floor, documents: pure.
//!
//! One repository a line, fields between spaces; blank lines and lines that begin with `#` say nothing:
//! ```text
//! NAME VERSION SHA256 [ROLE=SHA256]…
//! localhost:5000/old 3 9f86d081…  timestamp=60303ae2…      the root it has today, and a new key to let in
//! localhost:5000/new 0 -  snapshot=… targets=… timestamp=…  the server does not know it
//! localhost:5000/ours - -                                   the trust folder holds its last root
//! ```
//! `VERSION` and `SHA256` are those of the latest root, as a file. `ROLE=SHA256` pins a key that is new
//! in that role by its SubjectPublicKeyInfo (docs/threats.md rule 1).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::name::{self, Name};
use crate::request::{self, MAX_REPOSITORIES, MAX_VERSIONS, Role};

/// The repositories of a plan, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List(pub BTreeMap<Name, Entry>);

/// What a list says of one repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its latest root.
    pub last: Last,
    /// The keys that may be new in a role, by SHA-256 of SubjectPublicKeyInfo.
    pub pins: Pins,
}

/// The root that a repository starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// The one that the trust folder holds (`- -`).
    InTrust,
    /// None: the server does not know the repository (`0 -`).
    None,
    /// This one, met for the first time.
    Root {
        /// Its version, 1 or more.
        version: u64,
        /// The digest of its file.
        sha256: Digest,
    },
}

/// The keys that are new in a role, by the SHA-256 of the SubjectPublicKeyInfo of each: in order, none twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<Role, BTreeSet<Digest>>", into = "BTreeMap<Role, BTreeSet<Digest>>")]
pub struct Pins(Vec<(Role, Digest)>);

impl Pins {
    /// Adds one; false for one that is there.
    pub fn insert(&mut self, role: Role, key: Digest) -> bool {
        match self.0.binary_search(&(role, key)) {
            Ok(_) => false,
            Err(place) => {
                self.0.insert(place, (role, key));
                true
            }
        }
    }

    /// Whether a key is pinned in a role.
    pub fn contains(&self, role: Role, key: Digest) -> bool {
        self.0.binary_search(&(role, key)).is_ok()
    }

    /// The keys of a role.
    pub fn of(&self, role: Role) -> impl Iterator<Item = &Digest> {
        self.0.iter().filter(move |(of, _)| *of == role).map(|(_, key)| key)
    }

    /// All of them, each with its role.
    pub fn iter(&self) -> impl Iterator<Item = (Role, &Digest)> {
        self.0.iter().map(|(role, key)| (*role, key))
    }
}

impl FromIterator<(Role, Digest)> for Pins {
    fn from_iter<I: IntoIterator<Item = (Role, Digest)>>(pins: I) -> Self {
        let all: BTreeSet<(Role, Digest)> = pins.into_iter().collect();
        Self(all.into_iter().collect())
    }
}

impl From<BTreeMap<Role, BTreeSet<Digest>>> for Pins {
    fn from(pins: BTreeMap<Role, BTreeSet<Digest>>) -> Self {
        pins.into_iter()
            .flat_map(|(role, keys)| keys.into_iter().map(move |key| (role, key)))
            .collect()
    }
}

impl From<Pins> for BTreeMap<Role, BTreeSet<Digest>> {
    fn from(pins: Pins) -> Self {
        let mut all = Self::new();
        for (role, key) in pins.0 {
            all.entry(role).or_default().insert(key);
        }
        all
    }
}

/// The largest list that is read, in bytes: some ten thousand repositories with their pins.
pub const MAX_BYTES: usize = 16 << 20;

impl List {
    /// Reads a list.
    ///
    /// # Errors
    /// [`Error`], with the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let text = str::from_utf8(bytes).map_err(|error| {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count();
            Error { line, what: Fault::Text }
        })?;
        let mut list = BTreeMap::new();
        for (at, line) in text.split('\n').enumerate() {
            if line.starts_with('#') || line.trim_matches(' ').is_empty() {
                continue;
            }
            let (name, entry) = entry(line).map_err(|what| Error { line: at + 1, what })?;
            if list.insert(name, entry).is_some() {
                return Err(Error { line: at + 1, what: Fault::Repeated });
            }
            if list.len() > MAX_REPOSITORIES {
                return Err(Error { line: at + 1, what: Fault::Count });
            }
        }
        Ok(Self(list))
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, entry) in &self.0 {
            match entry.last {
                Last::InTrust => write!(f, "{name} - -")?,
                Last::None => write!(f, "{name} 0 -")?,
                Last::Root { version, sha256 } => write!(f, "{name} {version} {sha256}")?,
            }
            for (role, digest) in entry.pins.iter() {
                write!(f, " {role}={digest}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Why a text is not a list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("list, line {line}: {what}")]
pub struct Error {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: Fault,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Too many repositories.
    #[error("at most {MAX_REPOSITORIES} repositories fit one list")]
    Count,
    /// A digest.
    #[error("`{found}` is no SHA-256 of 64 lower-case hex digits")]
    Digest {
        /// The text.
        found: String,
    },
    /// Version and digest are missing or do not belong together.
    #[error("expected `NAME VERSION SHA256`, `NAME 0 -` or `NAME - -`")]
    Fields,
    /// A name.
    #[error("{0}")]
    Name(#[from] name::Error),
    /// A pin is not `ROLE=SHA256`.
    #[error("expected `snapshot=`, `targets=` or `timestamp=` and a SHA-256, found `{found}`")]
    Pin {
        /// The text.
        found: String,
    },
    /// A repository, or a pin on its line, stands twice.
    #[error("the repository or one of its pins stands twice")]
    Repeated,
    /// The bytes are not UTF-8.
    #[error("expected UTF-8 text")]
    Text,
}

fn entry(line: &str) -> Result<(Name, Entry), Fault> {
    let mut fields = line.split(' ').filter(|field| !field.is_empty());
    let (Some(name), Some(version), Some(sha256)) = (fields.next(), fields.next(), fields.next())
    else {
        return Err(Fault::Fields);
    };
    let mut entry = Entry { last: last(version, sha256)?, pins: Pins::default() };
    for field in fields {
        let (role, key) = pin(field)?;
        if !entry.pins.insert(role, key) {
            return Err(Fault::Repeated);
        }
    }
    Ok((name.parse()?, entry))
}

fn last(version: &str, sha256: &str) -> Result<Last, Fault> {
    match (version, sha256) {
        ("-", "-") => return Ok(Last::InTrust),
        ("0", "-") => return Ok(Last::None),
        _ => {}
    }
    let number: u64 = version.parse().map_err(|_| Fault::Fields)?;
    // One spelling of a number: `+3` and `03` are read by `parse` too.
    if number == 0 || number > MAX_VERSIONS || number.to_string() != version || sha256 == "-" {
        return Err(Fault::Fields);
    }
    Ok(Last::Root { version: number, sha256: digest(sha256)? })
}

fn pin(field: &str) -> Result<(Role, Digest), Fault> {
    let bad = || Fault::Pin { found: field.to_owned() };
    let (role, sha256) = field.split_once('=').ok_or_else(bad)?;
    Ok((request::online_role(role).map_err(|_| bad())?, digest(sha256)?))
}

fn digest(text: &str) -> Result<Digest, Fault> {
    text.parse().map_err(|_| Fault::Digest { found: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_what_it_says_and_is_written_back() {
        let d = Digest::of(b"");
        let text = format!(
            "# draft\n\nb/old 3 {d}  timestamp={d}\na/new 0 - targets={d} snapshot={d}\nc - -\n"
        );
        let list = List::parse(text.as_bytes()).unwrap();
        assert_eq!(
            list.to_string(),
            format!("a/new 0 - snapshot={d} targets={d}\nb/old 3 {d} timestamp={d}\nc - -\n")
        );
        let old = &list.0[&"b/old".parse().unwrap()];
        assert_eq!(old.last, Last::Root { version: 3, sha256: d });
        assert_eq!(List::parse(list.to_string().as_bytes()), Ok(list));
    }

    #[test]
    fn bad_lines_name_themselves() {
        let d = Digest::of(b"");
        let fields = "expected `NAME VERSION SHA256`, `NAME 0 -` or `NAME - -`";
        for (text, words) in [
            ("a".to_owned(), fields.to_owned()),
            (format!("a 0 {d}"), fields.to_owned()),
            (format!("a +1 {d}"), fields.to_owned()),
            (format!("a 01 {d}"), fields.to_owned()),
            ("a 1 -".to_owned(), fields.to_owned()),
            (format!("a - {d}"), fields.to_owned()),
            (format!("a 10001 {d}"), fields.to_owned()),
            ("a 1 E3".to_owned(), "`E3` is no SHA-256 of 64 lower-case hex digits".to_owned()),
            (format!("a 1 {d}\r"), format!("`{d}\r` is no SHA-256 of 64 lower-case hex digits")),
            (
                format!("a 0 - root={d}"),
                format!(
                    "expected `snapshot=`, `targets=` or `timestamp=` and a SHA-256, found `root={d}`"
                ),
            ),
            (
                format!("a 0 - targets={d} targets={d}"),
                "the repository or one of its pins stands twice".to_owned(),
            ),
            (
                "a//b 0 -".to_owned(),
                "repository name `a//b` has an empty, `.` or `..` segment".into(),
            ),
        ] {
            let error = List::parse(format!("#\n{text}\n").as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), format!("list, line 2: {words}"));
        }
        assert_eq!(
            List::parse(b"a - -\na - -\n").unwrap_err().to_string(),
            "list, line 2: the repository or one of its pins stands twice"
        );
        let error = List::parse(b"a - -\n\xff").unwrap_err();
        assert_eq!(error.to_string(), "list, line 2: expected UTF-8 text");
    }

    #[test]
    fn one_repository_too_many_is_refused_at_its_line() {
        use std::fmt::Write;
        let text = (0..=MAX_REPOSITORIES).fold(String::new(), |mut text, number| {
            let _ = writeln!(text, "r{number} - -");
            text
        });
        assert_eq!(
            List::parse(text.as_bytes()).unwrap_err().to_string(),
            "list, line 20001: at most 20000 repositories fit one list"
        );
    }
}
