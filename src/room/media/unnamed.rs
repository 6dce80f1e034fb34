//! A file that is written before it is known whether it is wanted: it has no name until then, and where it is not, there
//! is no trace of it.
//!
//! Room floor: the file system, the folder given.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Advice, AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use super::content::{Content, is_read_from};
use super::place::Place;
use super::tree::open_folder;
use super::{Error, LEFTOVER, split};

/// A file without a name, whole, synced and read back.
pub struct Unnamed(File);

impl Unnamed {
    /// Writes one on the disk of a folder, or of the one above where that is not there yet; none where the file system has
    /// no such files, or no room: whoever wants it writes it then, and is told.
    ///
    /// # Errors
    /// What the disk answers; [`Error::Lying`] where it gives other bytes back.
    pub fn write(near: &Path, content: &impl Content) -> Result<Option<Self>, Error> {
        let folder = super::shelf::above(near);
        let (flags, mode) = (OFlags::RDWR | OFlags::CLOEXEC, Mode::from_raw_mode(0o666));
        let Ok(file) = rustix::fs::openat(CWD, folder, flags | OFlags::TMPFILE, mode) else {
            return Ok(None);
        };
        let mut file = File::from(file);
        match content.write_to(&mut file).and_then(|()| file.sync_all()) {
            Err(e) if is_full(&e) => return Ok(None),
            written => written.map_err(|e| Error::of(near, "written", e))?,
        }
        // Advice that is not taken costs a weaker proof and no more.
        let _ = rustix::fs::fadvise(&file, 0, None, Advice::DontNeed);
        let same = file.seek(SeekFrom::Start(0)).and_then(|_| is_read_from(content, &mut file));
        match same.map_err(|e| Error::of(near, "read", e))? {
            true => Ok(Some(Self(file))),
            false => Err(Error::lying(near)),
        }
    }

    /// Gives it a name that nothing has, and syncs that; false where that cannot be done.
    ///
    /// # Errors
    /// What the disk answers; [`Error::Lying`] where the name is then another file's, or nothing's.
    pub fn place(self, path: &Path) -> Result<bool, Error> {
        let (folder, name) = split(path)?;
        let open = open_folder(folder)?;
        let leftover = format!("{LEFTOVER}{name}");
        Place::within(&open, &leftover, &path.with_file_name(&leftover)).remove()?;
        let here = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        if rustix::fs::linkat(CWD, here, &open, name, AtFlags::SYMLINK_FOLLOW).is_err() {
            return Ok(false);
        }
        let failed = |doing| move |e| Error::of(path, doing, e);
        // Some file systems pass over a file that has no name when it is synced.
        self.0.sync_all().and_then(|()| open.sync_all()).map_err(failed("written"))?;
        let named = path.symlink_metadata().map_err(failed("read")).map_err(Error::lost)?;
        let this = self.0.metadata().map_err(failed("read"))?;
        match (named.dev(), named.ino()) == (this.dev(), this.ino()) {
            true => Ok(true),
            false => Err(Error::lying(path)),
        }
    }
}

fn is_full(e: &io::Error) -> bool {
    let errno = e.raw_os_error().map(Errno::from_raw_os_error);
    matches!(errno, Some(Errno::NOSPC | Errno::DQUOT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_written_ahead_has_a_name_once_it_is_wanted() {
        let folder = std::env::temp_dir().join(format!("officiant-unnamed-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let (path, content) = (folder.join("file"), b"content".to_vec());
        let write = || {
            Unnamed::write(&folder.join("not there yet"), &content).unwrap().expect("ext4 or tmpfs")
        };
        drop(write());
        assert_eq!(folder.read_dir().unwrap().count(), 0);
        // What a killed run left behind goes.
        std::fs::write(folder.join(".officiant-new-file"), b"left").unwrap();
        assert!(write().place(&path).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), content);
        assert_eq!(folder.read_dir().unwrap().count(), 1);
        // What has the name keeps it.
        std::fs::write(&path, b"other").unwrap();
        assert!(!write().place(&path).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"other");
        assert_eq!(folder.read_dir().unwrap().count(), 1);
        assert!(write().place(&folder.join("not there/file")).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(Unnamed::write(Path::new("/proc"), &content).unwrap().is_none());
    }

    #[test]
    fn a_disk_that_fails_or_lies_is_told() {
        /// Content that is another one each time, or cannot be had.
        struct Changing(std::cell::Cell<u8>);
        impl Content for Changing {
            fn write_to(&self, to: &mut dyn io::Write) -> io::Result<()> {
                self.0.set(self.0.get() + 1);
                match self.0.get() {
                    1 | 2 => to.write_all(&[self.0.get()]),
                    _ => Err(io::ErrorKind::Other.into()),
                }
            }
        }
        let changing = Changing(std::cell::Cell::new(0));
        let written = || Unnamed::write(&std::env::temp_dir(), &changing).map(|_| ());
        assert!(matches!(written(), Err(Error::Lying { .. })));
        assert!(matches!(written(), Err(Error::Failed { doing: "written", .. })));
    }
}
