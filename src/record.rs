//! The record: one line of JSON per entry, each naming the SHA-256 of the line before it.
//!
//! Second floor, beside the ceremony: pure; bytes to entries and back. An entry holds facts, and a fact cannot hold a secret.

use std::io::BufRead;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ceremony::fact::Fact;
use crate::check::Check;
use crate::digest::Digest;
use crate::files::Bytes;
use crate::refusal::{Exit, Refusal};
use crate::shelf::{Lost, Shelf};

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

/// A record whose chain holds. Its lines lie where they came from, or on a shelf: what a step brought for each of many
/// repositories would be too much to hold.
#[derive(Clone, Debug, Default)]
pub struct Record {
    lines: Vec<Line>,
    entries: Vec<Entry>,
    /// Where new lines are laid down; in memory, where there is none.
    shelf: Option<Arc<dyn Shelf>>,
}

/// A line without its line feed.
#[derive(Clone, Debug)]
struct Line {
    bytes: Bytes,
    digest: Digest,
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
    /// A line that was laid down and is not to be had.
    #[error(transparent)]
    Lost(#[from] Lost),
}

impl From<Error> for Refusal {
    /// Of a record that was read before, or is being written.
    fn from(error: Error) -> Self {
        match error {
            Error::Lost(lost) => lost.into(),
            error => Self::new(Exit::Ours, error.to_string()),
        }
    }
}

impl Record {
    /// Reads a record that is in memory, as [`Record::read`].
    ///
    /// # Errors
    /// As [`Record::read`].
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), Error> {
        let (record, good) = Self::read(&bytes.into())?;
        Ok((record, usize::try_from(good).unwrap_or(bytes.len())))
    }

    /// Reads a record. A last line without a line feed is the trace of an interrupted write: it is dropped, and the
    /// number of good bytes before it is returned, so that the file can be cut there.
    ///
    /// # Errors
    /// [`Error::Line`], [`Error::Chain`], [`Error::Lost`].
    pub fn read(bytes: &Bytes) -> Result<(Self, u64), Error> {
        let (mut record, mut good) = (Self::default(), 0);
        let (mut reader, mut line) = (bytes.reader(), Vec::new());
        loop {
            line.clear();
            reader.read_until(b'\n', &mut line).map_err(Lost::from)?;
            if line.pop() != Some(b'\n') {
                return Ok((record, good));
            }
            let entry = record.continued(&line)?;
            let length = line.len() as u64;
            record.add(bytes.part(good, length)?, Digest::of(&line), entry);
            good += length + 1;
        }
    }

    /// The entry of the next line.
    fn continued(&self, line: &[u8]) -> Result<Entry, Error> {
        let number = self.lines.len() + 1;
        let form = |what: String| Error::Line { line: number, what };
        let text = std::str::from_utf8(line).map_err(|_| form("not UTF-8".into()))?;
        let entry: Entry =
            serde_json::from_str(text).map_err(|error| form(first_line(&error.to_string())))?;
        if encode(&entry).as_deref() != Ok(text) {
            return Err(form("not in its one form".into()));
        }
        if entry.prev != self.head() || entry.seq != number as u64 {
            return Err(Error::Chain { line: number });
        }
        Ok(entry)
    }

    fn add(&mut self, bytes: Bytes, digest: Digest, entry: Entry) {
        let body = match entry.body {
            Body::Done { fact } => Body::Done { fact: fact.emptied() },
            body => body,
        };
        self.lines.push(Line { bytes, digest });
        self.entries.push(Entry { body, ..entry });
    }

    /// The same record, whose new lines are laid down on a shelf.
    #[must_use]
    pub fn on(self, shelf: &Arc<dyn Shelf>) -> Self {
        Self { shelf: Some(Arc::clone(shelf)), ..self }
    }

    /// SHA-256 of the last line; of nothing while there is none.
    pub fn head(&self) -> Digest {
        self.lines.last().map_or_else(|| Digest::of(b""), |line| line.digest)
    }

    /// The entries, oldest first; of a piece without what came for each repository, which [`Record::whole`] gives.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of a place, counted from 0, with all that it says.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub fn whole(&self, at: usize) -> Result<Entry, Error> {
        let form = |what: String| Error::Line { line: at + 1, what };
        match self.entries.get(at) {
            Some(Entry { body: Body::Done { fact }, .. }) if fact.is_piece() => {
                let line = self.line(at)?;
                serde_json::from_str(&line).map_err(|error| form(first_line(&error.to_string())))
            }
            Some(entry) => Ok(entry.clone()),
            None => Err(form("there is no such line".into())),
        }
    }

    /// The entries with all that they say, oldest first.
    pub fn wholes(&self) -> impl Iterator<Item = Result<Entry, Error>> {
        (0..self.entries.len()).map(|at| self.whole(at))
    }

    /// A line, counted from 0, without its line feed.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub fn line(&self, at: usize) -> Result<String, Error> {
        let form = |what: &str| Error::Line { line: at + 1, what: what.to_owned() };
        let line = self.lines.get(at).ok_or_else(|| form("there is no such line"))?;
        String::from_utf8(line.bytes.read()?).map_err(|_| form("not UTF-8"))
    }

    /// The record as it was when it had `count` entries.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        let mut first = self.clone();
        first.lines.truncate(count);
        first.entries.truncate(count);
        first
    }

    /// The digest of every line, oldest first: the heads that the record ever had.
    pub fn heads(&self) -> impl Iterator<Item = Digest> {
        self.lines.iter().map(|line| line.digest)
    }

    /// The heads at the checkpoints, which stand on paper, each with its part; oldest first.
    pub fn checkpoints(&self) -> Vec<(Digest, String)> {
        let each = self.entries.iter().zip(self.heads());
        each.filter_map(|(entry, head)| match &entry.body {
            Body::Checkpoint { part } => Some((head, part.clone())),
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

    /// Appends an entry, and returns its line without the line feed, to be written and synced before anything else is
    /// done. Where it cannot be written, [`Record::drop_last`] takes it away again.
    ///
    /// # Errors
    /// [`Error::Line`] if the entry cannot be encoded, which no entry of ours can; [`Error::Lost`].
    pub fn append(&mut self, at: Timestamp, step: u32, body: Body) -> Result<String, Error> {
        let seconds = Timestamp::from_second(at.as_second()).unwrap_or(at);
        let seq = self.entries.len() as u64 + 1;
        let entry = Entry { seq, prev: self.head(), at: seconds, step, body };
        let line =
            encode(&entry).map_err(|what| Error::Line { line: self.lines.len() + 1, what })?;
        let bytes = match &self.shelf {
            Some(shelf) => Bytes::laid(shelf, line.as_bytes())?,
            None => line.as_bytes().into(),
        };
        self.add(bytes, Digest::of(line.as_bytes()), entry);
        Ok(line)
    }

    /// Takes the last entry away, which was not written.
    pub fn drop_last(&mut self) {
        self.lines.pop();
        self.entries.pop();
    }

    /// The record's file.
    pub fn file(&self) -> Bytes {
        let end = Bytes::from(&b"\n"[..]);
        Bytes::joined(self.lines.iter().flat_map(|line| [&line.bytes, &end]))
    }

    /// The longer of two copies of one record.
    ///
    /// # Errors
    /// [`Error::Forked`] if neither continues the other.
    pub fn longest(self, other: Self) -> Result<Self, Error> {
        let fork = self.heads().zip(other.heads()).position(|(a, b)| a != b);
        match fork {
            Some(index) => Err(Error::Forked { line: index + 1 }),
            None if other.lines.len() > self.lines.len() => Ok(other),
            None => Ok(self),
        }
    }
}

/// Records are equal whose lines are.
impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.heads().eq(other.heads())
    }
}

impl Eq for Record {}

fn encode(entry: &Entry) -> Result<String, String> {
    serde_json::to_string(entry).map_err(|error| first_line(&error.to_string()))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::fact::Signed;

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

    fn bytes(record: &Record) -> Vec<u8> {
        record.file().read().unwrap()
    }

    #[test]
    fn of_a_piece_the_line_alone_has_all() {
        let shelf: Arc<dyn Shelf> = Arc::new(crate::shelf::Memory::default());
        let mut record = Record::default().on(&shelf);
        let signed = Signed { repository: "one".to_owned(), signature: "AA==".to_owned() };
        let fact = Fact::Signed { key: "root-a".to_owned(), signatures: vec![signed] };
        record.append(at(), 1, Body::Done { fact: fact.clone() }).unwrap();
        record.append(at(), 1, Body::Checkpoint { part: "signing".to_owned() }).unwrap();
        for record in [Record::parse(&bytes(&record)).unwrap().0, record] {
            let emptied = Fact::Signed { key: "root-a".to_owned(), signatures: Vec::new() };
            assert_eq!(record.entries()[0].body, Body::Done { fact: emptied });
            assert_eq!(record.whole(0).unwrap().body, Body::Done { fact: fact.clone() });
            assert_eq!(record.whole(1).unwrap(), record.entries()[1]);
            assert!(record.whole(2).is_err());
        }
    }

    #[test]
    fn an_entry_that_was_not_written_is_taken_away() {
        let (mut record, three) = (three(), three());
        record.append(at(), 9, Body::Checkpoint { part: "opening".into() }).unwrap();
        assert_ne!(record, three);
        record.drop_last();
        assert_eq!(record, three);
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let record = three();
        let bytes = bytes(&record);
        assert_eq!(Record::parse(&bytes), Ok((record, bytes.len())));
    }

    #[test]
    fn a_torn_last_line_is_dropped_at_every_length() {
        let record = three();
        let bytes = bytes(&record);
        for cut in 0..bytes.len() {
            let (read, good) = Record::parse(&bytes[..cut]).unwrap();
            assert!(good <= cut);
            assert_eq!(read.file().read().unwrap(), bytes[..good]);
        }
    }

    #[test]
    fn any_changed_byte_is_refused_or_torn() {
        let record = three();
        let bytes = bytes(&record);
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
        let short = long.first(1);
        assert_eq!(short.clone().longest(long.clone()), Ok(long.clone()));
        assert_eq!(long.clone().longest(short), Ok(long.clone()));
        let mut fork = Record::default();
        fork.append(at(), 9, Body::Checkpoint { part: "opening".into() }).unwrap();
        assert_eq!(long.longest(fork), Err(Error::Forked { line: 1 }));
    }
}
