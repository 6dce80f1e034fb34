//! `repositories.jsonl`: the lines of a request, read and written one at a time.
//!
//! First floor, documents: pure; where the bytes come from and go to is the caller's.

use std::io::{self, BufRead, Read, Write};

use crate::digest::{Digest, Hasher};
use crate::name::Name;

use super::{Error, Line, MAX_LINE, MAX_LINES, MAX_REPOSITORIES, Repository};

/// Reads the repositories of a request in order of name, and holds no more than one line.
///
/// Ends after the first error. What has been read may be kept only once all of it was read and [`Lines::digest`] is what
/// the sums say.
pub struct Lines<R> {
    input: R,
    line: Vec<u8>,
    order: Order,
    hasher: Hasher,
    ended: bool,
}

impl<R: BufRead> Lines<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        let (order, hasher) = Default::default();
        Self { input, line: Vec::new(), order, hasher, ended: false }
    }

    /// The digest of everything that was read.
    pub fn digest(self) -> Digest {
        self.hasher.finish()
    }

    /// How long the last line was, with its line feed.
    pub(super) fn length(&self) -> usize {
        self.line.len()
    }

    fn step(&mut self) -> Result<Option<(Name, Repository)>, Error> {
        self.line.clear();
        let most = MAX_LINE as u64 + 1;
        let read = self.input.by_ref().take(most).read_until(b'\n', &mut self.line);
        if read.map_err(failed)? == 0 {
            return Ok(None);
        }
        self.hasher.update(&self.line);
        let next =
            if self.line.len() > MAX_LINE { Err(Error::Long) } else { Line::parse(&self.line) };
        let at = self.order.count + 1;
        let (line, repository) = next.map_err(|error| error.of_line(at))?;
        self.order.next(line.name(), self.line.len()).map_err(|error| error.of_line(at))?;
        Ok(Some((line.name().clone(), repository)))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<(Name, Repository), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let step = self.step().transpose();
        self.ended = !matches!(step, Some(Ok(_)));
        step
    }
}

/// Writes the repositories of a request in order of name, and holds none of them.
pub struct Writer<W> {
    output: W,
    order: Order,
    hasher: Hasher,
}

impl<W: Write> Writer<W> {
    /// Writes to `output`.
    pub fn new(output: W) -> Self {
        let (order, hasher) = Default::default();
        Self { output, order, hasher }
    }

    /// Writes the next repository.
    ///
    /// # Errors
    /// [`Error::Order`], [`Error::Repeated`], [`Error::Count`], [`Error::Much`]; [`Error::Stream`] when the output does not
    /// take it.
    pub fn put(&mut self, line: &Line) -> Result<(), Error> {
        let bytes = line.bytes();
        self.order.next(line.name(), bytes.len())?;
        self.hasher.update(bytes);
        self.output.write_all(bytes).map_err(failed)
    }

    /// Ends, and gives the output and the digest of what was written.
    pub fn finish(self) -> (W, Digest) {
        (self.output, self.hasher.finish())
    }
}

/// How far the lines are: each name after the one before it, and all of them within the limits.
#[derive(Default)]
struct Order {
    last: Option<Name>,
    count: usize,
    bytes: usize,
}

impl Order {
    fn next(&mut self, name: &Name, bytes: usize) -> Result<(), Error> {
        match &self.last {
            Some(last) if last == name => return Err(Error::Repeated { name: name.clone() }),
            Some(last) if last > name => return Err(Error::Order { name: name.clone() }),
            _ => self.last = Some(name.clone()),
        }
        self.count += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.count > MAX_REPOSITORIES {
            return Err(Error::Count { found: self.count });
        }
        if self.bytes > MAX_LINES { Err(Error::Much) } else { Ok(()) }
    }
}

fn failed(error: io::Error) -> Error {
    Error::Stream { kind: error.kind() }
}
