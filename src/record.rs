//! The record: one line of JSON per entry, each naming the SHA-256 of the line before it.
//!
//! Second floor, beside the ceremony: pure; bytes to entries and back. An entry holds facts, and a fact cannot hold a secret.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ceremony::fact::Fact;
use crate::check::Check;
use crate::digest::Digest;
use crate::refusal::Exit;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Counts from 1.
    pub seq: u64,
    /// SHA-256 of the line before, without its line feed; of nothing for the first.
    pub prev: Digest,
    /// When, by the machine's clock, to the second.
    pub at: Timestamp,
    /// The step of the script that it belongs to; 0 before the first.
    pub step: u32,
    /// What.
    pub body: Body,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Body {
    /// Something that cannot be undone is about to be done.
    Begun {
        /// To what: a token's or a key's name.
        subject: String,
    },
    /// The end of a part of the script: the head so far was written on paper.
    Checkpoint {
        /// The part that ended.
        part: String,
    },
    /// An act was done.
    Done {
        /// What came back.
        fact: Fact,
    },
    /// The ceremony begins.
    Opened {
        /// Version and SHA-256 of this tool.
        tool: Tool,
        /// The plan.
        plan: Digest,
        /// The closing digest that it follows.
        after: Option<Digest>,
        /// One digest over every input file: plan, room, request, past.
        inputs: Digest,
        /// `ceremony`, `practice` or `rehearsal`.
        mode: Mode,
    },
    /// The ceremony would not go on. What was wrong stood on the screen, where it may name serials, paths and counts of
    /// wrong PINs; the record is public, and has no field for it.
    Refused {
        /// The rule, where one refused.
        check: Option<Check>,
        /// Whose fault it was.
        exit: Exit,
    },
}

/// The tool that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its version.
    pub version: String,
    /// SHA-256 of the running binary.
    pub sha256: Digest,
}

/// How much a ceremony counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// On real tokens.
    Ceremony,
    /// For test names, for real on soft tokens.
    Practice,
    /// On throw-away soft tokens, inert.
    Rehearsal,
}

/// A record whose chain holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    lines: Vec<String>,
    entries: Vec<Entry>,
}

/// Why bytes are not a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A line that is no entry.
    #[error("record line {line} is not an entry: {what}")]
    Line {
        /// Counts from 1.
        line: usize,
        /// What, in one line.
        what: String,
    },
    /// An entry that does not continue the one before.
    #[error("record line {line} does not continue the line before it")]
    Chain {
        /// Counts from 1.
        line: usize,
    },
    /// Two copies that say different things at the same place.
    #[error("two copies of the record differ at line {line}")]
    Forked {
        /// Counts from 1.
        line: usize,
    },
}

impl Record {
    /// Reads a record. A last line without a line feed is the trace of an interrupted write: it is dropped, and the
    /// number of good bytes before it is returned, so that the file can be cut there.
    ///
    /// # Errors
    /// [`Error::Line`] and [`Error::Chain`].
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), Error> {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut record = Self::default();
        for (index, line) in bytes[..whole].split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() && index + 1 == bytes[..whole].split(|byte| *byte == b'\n').count() {
                break;
            }
            let number = index + 1;
            let form = |what: String| Error::Line { line: number, what };
            let text = std::str::from_utf8(line).map_err(|_| form("not UTF-8".into()))?;
            let entry: Entry =
                serde_json::from_str(text).map_err(|error| form(first_line(&error.to_string())))?;
            if encode(&entry).as_deref() != Ok(text) {
                return Err(form("not in its one form".into()));
            }
            if entry.prev != record.head() || entry.seq != number as u64 {
                return Err(Error::Chain { line: number });
            }
            record.lines.push(text.to_owned());
            record.entries.push(entry);
        }
        Ok((record, whole))
    }

    /// SHA-256 of the last line; of nothing while there is none.
    pub fn head(&self) -> Digest {
        Digest::of(self.lines.last().map_or(b"", |line| line.as_bytes()))
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The lines, oldest first, without their line feeds.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The record as it was when it had `count` entries.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        let (lines, entries) = (&self.lines, &self.entries);
        let count = count.min(lines.len());
        Self { lines: lines[..count].to_vec(), entries: entries[..count].to_vec() }
    }

    /// The digest of every line, oldest first: the heads that the record ever had.
    pub fn heads(&self) -> impl Iterator<Item = Digest> {
        self.lines.iter().map(|line| Digest::of(line.as_bytes()))
    }

    /// The heads at the checkpoints, which stand on paper, each with its part; oldest first.
    pub fn checkpoints(&self) -> Vec<(Digest, String)> {
        let each = self.entries.iter().zip(&self.lines);
        each.filter_map(|(entry, line)| match &entry.body {
            Body::Checkpoint { part } => Some((Digest::of(line.as_bytes()), part.clone())),
            _ => None,
        })
        .collect()
    }

    /// Whether nothing was done since the last checkpoint but to break off.
    pub fn ends_with_checkpoint(&self) -> bool {
        let mut entries = self.entries.iter().rev();
        let is_passing = |body: &Body| {
            matches!(body, Body::Refused { .. } | Body::Done { fact: Fact::BreakTaken { .. } })
        };
        let last = entries.find(|entry| !is_passing(&entry.body));
        last.is_some_and(|entry| matches!(entry.body, Body::Checkpoint { .. }))
    }

    /// Appends an entry, and returns the line with its line feed, to be written and synced before anything else is
    /// done.
    ///
    /// # Errors
    /// [`Error::Line`] if the entry cannot be encoded, which no entry of ours can.
    pub fn append(&mut self, at: Timestamp, step: u32, body: Body) -> Result<String, Error> {
        let seconds = Timestamp::from_second(at.as_second()).unwrap_or(at);
        let seq = self.entries.len() as u64 + 1;
        let entry = Entry { seq, prev: self.head(), at: seconds, step, body };
        let line =
            encode(&entry).map_err(|what| Error::Line { line: self.lines.len() + 1, what })?;
        let written = format!("{line}\n");
        self.lines.push(line);
        self.entries.push(entry);
        Ok(written)
    }

    /// The record's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.lines.join("\n").into_bytes();
        if !bytes.is_empty() {
            bytes.push(b'\n');
        }
        bytes
    }

    /// The longer of two copies of one record.
    ///
    /// # Errors
    /// [`Error::Forked`] if neither continues the other.
    pub fn longest(self, other: Self) -> Result<Self, Error> {
        match self.lines.iter().zip(&other.lines).position(|(a, b)| a != b) {
            Some(index) => Err(Error::Forked { line: index + 1 }),
            None if other.lines.len() > self.lines.len() => Ok(other),
            None => Ok(self),
        }
    }
}

fn encode(entry: &Entry) -> Result<String, String> {
    serde_json::to_string(entry).map_err(|error| first_line(&error.to_string()))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Timestamp {
        "2026-12-01T09:00:00Z".parse().unwrap()
    }

    fn three() -> Record {
        let mut record = Record::default();
        for wrong in 0..3 {
            let fact = Fact::PlanConfirmed { wrong };
            record.append(at(), wrong + 1, Body::Done { fact }).unwrap();
        }
        record
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let record = three();
        assert_eq!(Record::parse(&record.bytes()), Ok((record.clone(), record.bytes().len())));
    }

    #[test]
    fn a_torn_last_line_is_dropped_at_every_length() {
        let record = three();
        let bytes = record.bytes();
        for cut in 0..bytes.len() {
            let (read, good) = Record::parse(&bytes[..cut]).unwrap();
            assert!(good <= cut);
            assert_eq!(read.bytes(), bytes[..good]);
        }
    }

    #[test]
    fn any_changed_byte_is_refused_or_torn() {
        let record = three();
        let bytes = record.bytes();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let same = Record::parse(&changed).is_ok_and(|(read, _)| read.head() == record.head());
            assert!(!same, "byte {index}");
        }
    }

    #[test]
    fn copies_that_fork_are_refused_and_the_longest_wins() {
        let long = three();
        let (short, _) = Record::parse(long.lines[0].clone().as_bytes()).unwrap();
        assert_eq!(short.clone().longest(long.clone()), Ok(long.clone()));
        assert_eq!(long.clone().longest(short), Ok(long.clone()));
        let mut fork = Record::default();
        fork.append(at(), 9, Body::Checkpoint { part: "opening".into() }).unwrap();
        assert_eq!(long.longest(fork), Err(Error::Forked { line: 1 }));
    }
}
