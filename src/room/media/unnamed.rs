//! A file that is written before it is known whether it is wanted: it has no name until then, and where it is not, there
//! is no trace of it.
//!
//! Room floor: the file system, the folder given.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Advice, AtFlags, CWD, Mode, OFlags};

use super::content::{Content, is_read_from};
use super::tree::open_folder;
use super::{Error, split};

/// A file without a name, whole, synced and read back.
pub struct Unnamed(File);

impl Unnamed {
    /// Writes one on the disk of a folder, or of the one above where that is not there yet; none where the file system has
    /// no such files, or does not take it: whoever wants it writes it then.
    pub fn write(near: &Path, content: &impl Content) -> Option<Self> {
        let folder = super::shelf::above(near);
        let (flags, mode) = (OFlags::RDWR | OFlags::CLOEXEC, Mode::from_raw_mode(0o666));
        let file = rustix::fs::openat(CWD, folder, flags | OFlags::TMPFILE, mode).ok()?;
        let mut file = File::from(file);
        content.write_to(&mut file).and_then(|()| file.sync_all()).ok()?;
        // Advice that is not taken costs a weaker proof and no more.
        let _ = rustix::fs::fadvise(&file, 0, None, Advice::DontNeed);
        file.seek(SeekFrom::Start(0)).ok()?;
        is_read_from(content, &mut file).ok()?.then_some(Self(file))
    }

    /// Gives it a name that nothing has, and syncs that; false where that cannot be done.
    ///
    /// # Errors
    /// Whatever keeps the folder from being read; [`Error::Lying`] where the name is then another file's.
    pub fn place(self, path: &Path) -> Result<bool, Error> {
        let (folder, name) = split(path)?;
        let open = open_folder(folder)?;
        let here = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        if rustix::fs::linkat(CWD, here, &open, name, AtFlags::SYMLINK_FOLLOW).is_err() {
            return Ok(false);
        }
        open.sync_all().map_err(|e| Error::of(folder, "written", e))?;
        let failed = |e| Error::of(path, "read", e);
        let (this, named) = (self.0.metadata().map_err(failed)?, path.symlink_metadata());
        let is_it = named.is_ok_and(|named| (named.dev(), named.ino()) == (this.dev(), this.ino()));
        if is_it { Ok(true) } else { Err(Error::lying(path)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_written_ahead_has_a_name_once_it_is_wanted() {
        let folder = std::env::temp_dir().join(format!("officiant-unnamed-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let (path, content) = (folder.join("file"), b"content".to_vec());
        let write = || Unnamed::write(&folder.join("not there yet"), &content).unwrap();
        drop(write());
        assert_eq!(folder.read_dir().unwrap().count(), 0);
        assert!(write().place(&path).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), content);
        // What has the name keeps it.
        std::fs::write(&path, b"other").unwrap();
        assert!(!write().place(&path).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"other");
        assert_eq!(folder.read_dir().unwrap().count(), 1);
        assert!(write().place(&folder.join("not there/file")).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(Unnamed::write(Path::new("/proc"), &content).is_none());
    }
}
