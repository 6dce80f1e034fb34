//! What a long command has done so far: a file of lines on this machine, which the next run takes up.
//!
//! Annex: the folder of the journal. It is not on media, which is written whole and once; it holds nothing secret; and
//! nothing in it is believed that the server does not confirm.
//!
//! Each line begins with the SHA-256 of the rest: a machine that lost its power may have kept half of what was written.
//! Nothing is synced, since what is lost is only done again.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use officiant::digest::Digest;
use rustix::fs::FlockOperation;

use super::environment::Environment;

/// A journal that no other run writes to while this value lives.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    end: Mutex<u64>,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    start: u64,
    length: u32,
}

impl Journal {
    /// Opens the journal of one command and what it is about, or begins it, and shows each whole entry.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) fn open(
        folder: Option<&Path>,
        command: &str,
        about: &[&[u8]],
        mut known: impl FnMut(&str, Place),
    ) -> Result<Self, Error> {
        let folder = folder.map_or_else(|| Environment::read().state_dir(), Path::to_owned);
        let about = Digest::of_parts(&format!("officiant {command} journal v1"), about);
        let path = folder.join(format!("{command}-{}.journal", &about.to_string()[..32]));
        let failed = |source| Error::Failed { path: path.clone(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(0o600);
        let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let file = options.custom_flags(flags).open(&path).map_err(failed)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(Error::Locked { path }),
            Err(source) => return Err(failed(source.into())),
        }
        let end = Mutex::new(read_all(&file, &mut known).map_err(failed)?);
        Ok(Self { path, file, end })
    }

    /// Appends an entry, which is one line without its end.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub(crate) fn append(&self, text: &str) -> Result<Place, Error> {
        let line = format!("{} {text}\n", Digest::of(text.as_bytes()));
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let place = Place { start: *end, length: u32::try_from(line.len()).unwrap_or(u32::MAX) };
        // One write, so that a kill tears at most this line.
        (&self.file).write_all(line.as_bytes()).map_err(|source| self.failed(source))?;
        *end += line.len() as u64;
        Ok(place)
    }

    /// Reads an entry again.
    ///
    /// # Errors
    /// [`Error::Failed`], also for one that is not what was written.
    pub(crate) fn entry(&self, place: Place) -> Result<String, Error> {
        let mut line = vec![0; place.length as usize];
        self.file.read_exact_at(&mut line, place.start).map_err(|source| self.failed(source))?;
        let text = checked(&line).ok_or_else(|| self.failed(io::ErrorKind::InvalidData.into()))?;
        Ok(text.to_owned())
    }

    /// Takes it away: what it is about is done.
    pub(crate) fn remove(self) {
        // What stays is taken up by nobody, or confirmed by the server once more.
        let _ = fs::remove_file(&self.path);
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Failed { path: self.path.clone(), source }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if *self.end.get_mut().unwrap_or_else(PoisonError::into_inner) == 0 {
            // Nothing was done: nothing is left lying about.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Shows each whole entry, cuts off the line that a killed run was writing, and says where the next one begins.
fn read_all(file: &File, known: &mut impl FnMut(&str, Place)) -> io::Result<u64> {
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let (mut line, mut end) = (Vec::new(), 0);
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            file.set_len(end)?;
            return Ok(end);
        }
        let place = Place { start: end, length: u32::try_from(length).unwrap_or(u32::MAX) };
        if let Some(text) = checked(&line) {
            known(text, place);
        }
        end += length as u64;
    }
}

/// The text of a line, if it is the one that was written.
fn checked(line: &[u8]) -> Option<&str> {
    let (digest, text) = str::from_utf8(line).ok()?.strip_suffix('\n')?.split_once(' ')?;
    (digest.parse() == Ok(Digest::of(text.as_bytes()))).then_some(text)
}

/// Why there is no journal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The system says so.
    #[error("the journal `{}` cannot be used", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another run has it.
    #[error("another `courier` is at the same work: it has the journal `{}`", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
}
