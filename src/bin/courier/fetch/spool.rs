//! The journal of a fetch: the line of each repository as it came, until all of them go onto media in order of name.
//!
//! Annex: the journal. A line of an earlier run counts only after the server has confirmed it in this one.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use officiant::digest::Digest;
use officiant::name::Name;
use officiant::request::{Line, Repository, Writer};
use officiant::room::media::Content;
use officiant::root::Dialect;

use super::Error;
use crate::args;
use crate::journal::{Journal, Place};

/// What was fetched, in this run and before.
pub(super) struct Spool {
    journal: Journal,
    /// Of earlier runs; when it was fetched, in seconds.
    before: Mutex<BTreeMap<Name, (i64, Place)>>,
    /// What goes into this request.
    taken: Mutex<BTreeMap<Name, Place>>,
}

impl Spool {
    /// Takes up the journal of a fetch from the same server to the same media, or begins it.
    pub(super) fn open(args: &args::Fetch, dialect: Dialect) -> Result<Self, Error> {
        let mut before = BTreeMap::new();
        let known = |text: &str, place| {
            if let Some((at, name, _)) = fields(text) {
                before.insert(name, (at, place));
            }
        };
        let out = std::fs::canonicalize(&args.out).unwrap_or_else(|_| args.out.clone());
        let about = [
            dialect.to_string().into_bytes(),
            args.server.clone().into_bytes(),
            out.into_os_string().into_encoded_bytes(),
            vec![u8::from(args.second)],
        ];
        let about = about.each_ref().map(Vec::as_slice);
        let journal = Journal::open(args.going_on.journal.as_deref(), "fetch", &about, known)?;
        Ok(Self { journal, before: Mutex::new(before), taken: Mutex::default() })
    }

    /// What an earlier run fetched of a repository, if it may still be so.
    pub(super) fn before(&self, name: &Name) -> Option<(Place, Repository)> {
        let (at, place) = lock(&self.before).remove(name)?;
        let (line, repository) = self.line(place).ok()?;
        let is_young = (0..MAX_AGE).contains(&(Timestamp::now().as_second() - at));
        let counts = is_young || !repository.roots.is_empty();
        (counts && line.name() == name).then_some((place, repository))
    }

    /// Whether no earlier run has fetched anything.
    pub(super) fn is_new(&self) -> bool {
        lock(&self.before).is_empty()
    }

    /// Takes what an earlier run fetched.
    pub(super) fn take(&self, name: &Name, place: Place) {
        lock(&self.taken).insert(name.clone(), place);
    }

    /// Keeps what was fetched now.
    pub(super) fn keep(&self, line: &Line) -> Result<(), Error> {
        let text = String::from_utf8_lossy(line.bytes());
        let at = Timestamp::now().as_second();
        let place = self.journal.append(&format!("{at} {} {}", line.name(), text.trim_end()))?;
        self.take(line.name(), place);
        Ok(())
    }

    /// How many repositories are there for this request.
    pub(super) fn count(&self) -> usize {
        lock(&self.taken).len()
    }

    /// Shows each line in order of name, and gives the digest of all.
    pub(super) fn each(&self, mut show: impl FnMut(&Name, &Repository)) -> Result<Digest, Error> {
        let mut writer = Writer::new(io::sink());
        for place in lock(&self.taken).values() {
            let (line, repository) = self.line(*place)?;
            writer.put(&line)?;
            show(line.name(), &repository);
        }
        Ok(writer.finish().1)
    }

    /// It stands on media: the journal is done.
    pub(super) fn done(self) {
        self.journal.remove();
    }

    fn line(&self, place: Place) -> Result<(Line, Repository), Error> {
        let entry = self.journal.entry(place)?;
        let line = fields(&entry).map_or("", |(.., line)| line);
        Ok(Line::parse(format!("{line}\n").as_bytes())?)
    }
}

impl Content for Spool {
    fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        for place in lock(&self.taken).values() {
            let entry = self.journal.entry(*place).map_err(io::Error::other)?;
            let (.., line) = fields(&entry).ok_or(io::ErrorKind::InvalidData)?;
            to.write_all(format!("{line}\n").as_bytes())?;
        }
        Ok(())
    }
}

/// When, which repository, and its line without the end.
fn fields(text: &str) -> Option<(i64, Name, &str)> {
    let mut fields = text.splitn(3, ' ');
    let at = fields.next()?.parse().ok()?;
    Some((at, fields.next()?.parse().ok()?, fields.next()?))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For how many seconds the keys that a server showed for a repository that is new to it are taken for those that it has.
/// What it serves of others it is asked for whatever their age.
const MAX_AGE: i64 = 24 * 60 * 60;
