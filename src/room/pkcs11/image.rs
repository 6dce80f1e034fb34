//! A module's file, read once: what was hashed is what is loaded.
//!
//! The room, PKCS#11: reads the module's file, keeps its bytes in memory of this process.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;

use super::Error;
use crate::digest::Digest;
use crate::room::binding::open_program;

/// A copy of a module that nobody can change or put another in the place of, however its path fares.
pub struct Image {
    /// Its path, for errors.
    pub(super) module: String,
    copy: File,
}

impl Image {
    /// Reads a module, which must have the digest `expected` if one is given.
    ///
    /// # Errors
    /// [`Error::Module`] if it cannot be read or kept; [`Error::ModuleChanged`].
    pub fn take(path: &Path, expected: Option<Digest>) -> Result<Self, Error> {
        let module = path.display().to_string();
        let unread = |error: io::Error| Error::Module {
            module: module.clone(),
            because: match error.kind() {
                io::ErrorKind::NotFound => "there is no such file".to_owned(),
                kind => kind.to_string(),
            },
        };
        let bytes = read(path).map_err(unread)?;
        let found = Digest::of(&bytes);
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            return Err(Error::ModuleChanged { module, expected, found });
        }
        let copy = keep(path, &bytes).map_err(unread)?;
        Ok(Self { module, copy })
    }

    /// Where the loader finds the copy for as long as this value lives.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.copy.as_raw_fd()))
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_program(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn keep(path: &Path, bytes: &[u8]) -> io::Result<File> {
    // Its name stands in the list of what this process has mapped; more than the last 200 bytes of it do not fit.
    let name = path.as_os_str().as_encoded_bytes();
    let name = &name[name.len().saturating_sub(200)..];
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let copy = match rustix::fs::memfd_create(name, flags | MemfdFlags::NOEXEC_SEAL) {
        // Before Linux 6.3. It is never run as a program, and may be mapped all the same.
        Err(Errno::INVAL) => rustix::fs::memfd_create(name, flags)?,
        made => made?,
    };
    let mut copy = File::from(copy);
    copy.write_all(bytes)?;
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    // The kernel pins a page for a moment when it moves memory about. It waits for that, and on a busy machine gives up.
    let mut sealed = Err(Errno::BUSY);
    for _ in 0..MOST_WAITS {
        sealed = rustix::fs::fcntl_add_seals(&copy, seals);
        if sealed != Err(Errno::BUSY) {
            break;
        }
    }
    sealed?;
    Ok(copy)
}

/// So often the kernel waits for its pages, 150 ms each time.
const MOST_WAITS: u32 = 20;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn scratch(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("officiant-image-{name}-{}", std::process::id()))
    }

    #[test]
    fn what_was_read_is_loaded_whatever_becomes_of_the_file() {
        let path = scratch("changed");
        fs::write(&path, "reviewed").unwrap();
        let read = Digest::of(b"reviewed");
        let image = Image::take(&path, Some(read)).unwrap();
        // In place, as whoever may write it would do it.
        fs::write(&path, "attacked").unwrap();
        assert_eq!(fs::read(image.path()).unwrap(), b"reviewed");
        assert!(fs::OpenOptions::new().write(true).open(image.path()).is_ok());
        assert!(fs::write(image.path(), "attacked").is_err());
        assert_eq!(fs::read(image.path()).unwrap(), b"reviewed");
        let error = Image::take(&path, Some(read)).map(|_| ()).unwrap_err();
        let (module, found) = (path.display().to_string(), Digest::of(b"attacked"));
        assert_eq!(error, Error::ModuleChanged { module, expected: read, found });
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_pipe_in_its_place_makes_nobody_wait() {
        let path = scratch("pipe");
        let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
        rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, 0).unwrap();
        assert!(matches!(Image::take(&path, None), Err(Error::Module { .. })));
        fs::remove_file(path).unwrap();
    }
}
