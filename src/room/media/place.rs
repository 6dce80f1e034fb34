//! One name in a folder: what is done to it is done to what stands there itself, never to what a link leads to.
//!
//! Room floor: the file system, the one name.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::num::NonZeroU64;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{Advice, AtFlags, CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::content::{self, Content};
use super::{Error, Written};

/// A name, in a folder that is held open or by its whole path.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    at: BorrowedFd<'a>,
    name: &'a Path,
    /// What it is called.
    path: &'a Path,
}

impl<'a> Place<'a> {
    /// By its path; the way to its folder may lead over links, as mount points do.
    pub(super) fn of(path: &'a Path) -> Self {
        Self { at: CWD, name: path, path }
    }

    /// In an open folder; the path is for words.
    pub(super) fn within(folder: &'a File, name: &'a str, path: &'a Path) -> Self {
        Self { at: folder.as_fd(), name: Path::new(name), path }
    }

    /// What could not be done with it.
    pub(super) fn failed(self, doing: &'static str, e: io::Error) -> Error {
        Error::of(self.path, doing, e)
    }

    pub(super) fn exists(self) -> Result<bool, Error> {
        match rustix::fs::statat(self.at, self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(false),
            Err(e) => Err(Error::of(self.path, "read", e)),
        }
    }

    /// How many bytes are in the file.
    pub(super) fn size(self) -> Result<u64, Error> {
        match rustix::fs::statat(self.at, self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(u64::try_from(stat.st_size).unwrap_or_default()),
            Err(e) => Err(Error::of(self.path, "read", e)),
        }
    }

    /// Opens a regular file to be read; a pipe in its place makes nobody wait. The media do not write down when it was
    /// read, where the kernel lets us ask for that: it lets owners.
    pub(super) fn open(self) -> Result<File, Error> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | NO_LINKS;
        let open = |more| rustix::fs::openat(self.at, self.name, flags | more, Mode::empty());
        let file = match open(OFlags::NOATIME) {
            Err(Errno::PERM) => open(OFlags::empty()),
            opened => opened,
        };
        regular(file.map_err(|e| Error::of(self.path, "read", e))?.into(), self.path)
    }

    pub(super) fn create(self, content: &(impl Content + ?Sized)) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        let mut file = File::from(rustix::fs::openat(self.at, self.name, flags, mode)?);
        content.write_to(&mut file)?;
        Ok(file)
    }

    /// Renames without replacing. Kernels refuse the flag on some file systems (FUSE, network shares): there a hard
    /// link does the same in one step; where no links exist either, the target is looked for and then renamed over,
    /// which is safe as long as one run has the folder.
    pub(super) fn move_to(self, to: Place<'_>) -> Result<(), Error> {
        let failed = |e: Errno| Error::of(to.path, "written", e);
        let flag = RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(self.at, self.name, to.at, to.name, flag) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            other => return other.map_err(failed),
        }
        match rustix::fs::linkat(self.at, self.name, to.at, to.name, AtFlags::empty()) {
            Ok(()) => rustix::fs::unlinkat(self.at, self.name, AtFlags::empty()).map_err(failed),
            Err(Errno::EXIST) => Err(failed(Errno::EXIST)),
            Err(_) => self.move_by_looking(to),
        }
    }

    pub(super) fn move_by_looking(self, to: Place<'_>) -> Result<(), Error> {
        let failed = |e: Errno| Error::of(to.path, "written", e);
        if to.exists()? {
            return Err(failed(Errno::EXIST));
        }
        rustix::fs::renameat(self.at, self.name, to.at, to.name).map_err(failed)
    }

    pub(super) fn remove(self) -> Result<(), Error> {
        if !self.exists()? {
            return Ok(());
        }
        match rustix::fs::unlinkat(self.at, self.name, AtFlags::empty()) {
            Ok(()) => Ok(()),
            Err(Errno::ISDIR) => {
                std::fs::remove_dir_all(self.path).map_err(|e| Error::of(self.path, "written", e))
            }
            Err(e) => Err(Error::of(self.path, "written", e)),
        }
    }

    /// Takes away what a lie was found in: it would stand in the way of those who write it again.
    pub(super) fn withdrawn(self, error: Error) -> Error {
        if matches!(error, Error::Lying { .. }) {
            // Best effort: whoever finds other bytes there refuses them.
            let _ = self.remove();
        }
        error
    }

    /// Reads a written file again, and compares.
    pub(super) fn read_back(
        self,
        content: &(impl Content + ?Sized),
        written: Written,
    ) -> Result<(), Error> {
        self.read_back_from(self.open_anew(0), content, written)
    }

    /// The same of what was asked for before.
    pub(super) fn read_back_from(
        self,
        asked: Result<File, Error>,
        content: &(impl Content + ?Sized),
        written: Written,
    ) -> Result<(), Error> {
        let held = asked.and_then(|file| self.is_read_from(file, content));
        match (held.map_err(|error| written.judge(error))?, written) {
            (true, _) => Ok(()),
            (false, Written::AlreadyThere) => Err(Error::Exists { path: self.path.to_owned() }),
            (false, Written::New) => Err(Error::lying(self.path)),
        }
    }

    /// Whether a file has these bytes, and no more, from `start` on: read from the media as far as the kernel lets its
    /// copy go.
    pub(super) fn holds(
        self,
        start: u64,
        content: &(impl Content + ?Sized),
    ) -> Result<bool, Error> {
        self.is_read_from(self.open_anew(start)?, content)
    }

    /// Opens a file that is read back, and has the media fetch its first bytes: whoever asks for several waits once. What
    /// the media could not give then it is asked for again, when it is read.
    pub(super) fn ask(self) -> Result<File, Error> {
        let file = self.open_anew(0)?;
        // Where the advice is not taken, whoever reads waits; what follows the kernel knows to fetch.
        let _ = rustix::fs::fadvise(&file, 0, NonZeroU64::new(FETCHED), Advice::WillNeed);
        Ok(file)
    }

    /// Opens a file at `start`, and the kernel lets its copy of what is there go.
    fn open_anew(self, start: u64) -> Result<File, Error> {
        let mut file = self.open()?;
        // Advice that is not taken costs a weaker proof and no more.
        let _ = rustix::fs::fadvise(&file, start, None, Advice::DontNeed);
        if start > 0 {
            file.seek(SeekFrom::Start(start)).map_err(|e| self.failed("read", e))?;
        }
        Ok(file)
    }

    fn is_read_from(
        self,
        mut file: File,
        content: &(impl Content + ?Sized),
    ) -> Result<bool, Error> {
        content::is_read_from(content, &mut file).map_err(|e| self.failed("read", e))
    }
}

/// So many bytes of a file are asked for before it is read.
const FETCHED: u64 = 64 << 10;

pub(super) fn regular(file: File, path: &Path) -> Result<File, Error> {
    let kind = file.metadata().map_err(|e| Error::of(path, "read", e))?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    let found = if kind.is_dir() { "a folder" } else { "a device" };
    Err(Error::NotRegular { path: path.to_owned(), found, expected: "file" })
}

/// Opens what is there and nothing behind it; a pipe in its place does not make us wait.
pub(super) const NO_LINKS: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK);
