//! Writing to a folder of keys: whole or not at all, for this account alone, and never over another key.
//!
//! Annex: the file system, in that folder.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use officiant::room::media::{self, Lock};
use officiant::root::KeyId;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::{Error, stored::EXTENSION, token};

/// The folder, which no other run of `courier` writes to while this value lives.
pub(crate) struct Writing {
    folder: PathBuf,
    _lock: Lock,
}

impl Writing {
    /// Makes the folder and those above it for this account alone, where they are not there, and takes it.
    pub(super) fn begin(folder: &Path) -> Result<Self, Error> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|source| failed(folder, source))?;
        Ok(Self { folder: folder.to_owned(), _lock: Lock::take(folder)? })
    }

    /// Writes the file of a key that is not there yet.
    ///
    /// # Errors
    /// [`Error::Media`], also for a file that is there.
    pub(crate) fn add(&self, id: &KeyId, text: &str) -> Result<PathBuf, Error> {
        let path = self.folder.join(format!("{id}{EXTENSION}"));
        self.put(&path, text)
    }

    /// Writes the reference of a key on a token that is not there yet.
    ///
    /// # Errors
    /// [`Error::Media`], also for a file that is there.
    pub(crate) fn refer(&self, id: &KeyId, text: &str) -> Result<PathBuf, Error> {
        self.put(&self.folder.join(format!("{id}{}", token::EXTENSION)), text)
    }

    /// Writes a new file of this folder, by its whole name.
    fn put(&self, path: &Path, text: &str) -> Result<PathBuf, Error> {
        let beside = self.beside();
        put(&beside, path, text)?;
        Ok(path.to_owned())
    }

    /// Puts a file into the place of a key's: the one place where something is replaced. Whoever is killed in between
    /// leaves the old file or the new one.
    ///
    /// # Errors
    /// [`Error::Media`].
    pub(crate) fn replace(&self, path: &Path, text: &str) -> Result<(), Error> {
        let beside = self.beside();
        write(&beside, text)?;
        let renamed = fs::rename(&beside, path).and_then(|()| synced(path));
        Ok(renamed.map_err(|source| failed(path, source))?)
    }

    /// Removes a key's file.
    ///
    /// # Errors
    /// [`Error::Media`].
    pub(crate) fn remove(&self, path: &Path) -> Result<(), Error> {
        let removed = fs::remove_file(path).and_then(|()| synced(path));
        Ok(removed.map_err(|source| failed(path, source))?)
    }

    /// A name that docker and notary pass over; what a killed run left there is written over.
    fn beside(&self) -> PathBuf {
        self.folder.join(".courier.new")
    }
}

/// Writes a file for this account alone, and sees it on the disk. What a killed run left there goes.
///
/// # Errors
/// [`Error::Media`].
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(failed(path, source))?,
        _ => {}
    }
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    Ok(written.map_err(|source| failed(path, source))?)
}

/// Writes a new file for this account alone: beside its place, and then there.
///
/// # Errors
/// [`Error::Media`], also for a file that is there: it stays, and nothing stays beside it.
pub(crate) fn put(beside: &Path, path: &Path, text: &str) -> Result<(), Error> {
    let placed = write(beside, text).and_then(|()| place(beside, path));
    if placed.is_err() {
        // It was written for this place alone; whoever cannot remove it writes over it next time.
        let _ = fs::remove_file(beside);
    }
    placed
}

/// Gives a written file its name, if nothing has it.
///
/// # Errors
/// [`Error::Media`], also for a file that is there.
pub(crate) fn place(beside: &Path, path: &Path) -> Result<(), Error> {
    let moved = match renameat_with(CWD, beside, CWD, path, RenameFlags::NOREPLACE) {
        // Some file systems do not know the flag; a link does the same.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            fs::hard_link(beside, path).and_then(|()| fs::remove_file(beside))
        }
        moved => moved.map_err(io::Error::from),
    };
    match moved.and_then(|()| synced(path)) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(media::Error::Exists { path: path.to_owned() })?
        }
        moved => Ok(moved.map_err(|source| failed(path, source))?),
    }
}

/// Sees the folder of a name on the disk.
fn synced(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn failed(path: &Path, source: io::Error) -> media::Error {
    media::Error::Failed { path: path.to_owned(), doing: "written", source }
}
