//! A shelf on disk: a file without a name, which nobody else can open, and which is gone with the run.
//!
//! Room floor: the file system, the folder given.

use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{CWD, Mode, OFlags};

use super::place::Place as Named;
use super::{Error, LEFTOVER};
use crate::shelf::{Lost, Memory, Place, Shelf};

/// A shelf on the disk of a folder.
fn shelf(folder: &Path) -> Result<Arc<dyn Shelf>, Error> {
    let file = nameless(folder)?;
    Ok(Arc::new(Disk { file, end: AtomicU64::new(0) }))
}

/// A shelf on the disk of a folder, or of the one above where that is not there yet.
///
/// # Errors
/// What keeps a file from being made there.
pub fn shelf_near(folder: &Path) -> Result<Arc<dyn Shelf>, Error> {
    shelf(above(folder))
}

/// The folder itself, or the nearest one above that is there.
pub(super) fn above(folder: &Path) -> &Path {
    folder.ancestors().find(|place| place.is_dir()).unwrap_or(Path::new("."))
}

/// A shelf for whoever only reads: on the disk for files that outlive nothing, or in memory where that takes none.
pub fn shelf_anywhere() -> Arc<dyn Shelf> {
    shelf(Path::new("/var/tmp")).unwrap_or_else(|_| Arc::new(Memory::default()))
}

/// A file on disk without a name.
struct Disk {
    file: File,
    end: AtomicU64,
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disk")
    }
}

impl Shelf for Disk {
    fn put(&self, bytes: &[u8]) -> Result<Place, Lost> {
        let offset = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file.write_all_at(bytes, offset)?;
        Place::new(offset, bytes.len())
    }

    fn get(&self, place: Place, offset: u64, into: &mut [u8]) -> Result<(), Lost> {
        let part = place.part(offset, into.len() as u64)?;
        Ok(self.file.read_exact_at(into, part.offset)?)
    }
}

/// A new file without a name; where a file system has none such, one whose name is taken away at once.
fn nameless(folder: &Path) -> Result<File, Error> {
    let (flags, mode) = (OFlags::RDWR | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR);
    if let Ok(file) = rustix::fs::openat(CWD, folder, flags | OFlags::TMPFILE, mode) {
        return Ok(file.into());
    }
    let path = folder.join(format!("{LEFTOVER}shelf-{}", std::process::id()));
    let file = rustix::fs::openat(CWD, &path, flags | OFlags::CREATE | OFlags::EXCL, mode);
    let file = file.map_err(|e| Error::of(&path, "written", e))?;
    Named::of(&path).remove()?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_lies_on_disk_is_taken_up_as_it_was_and_leaves_no_trace() {
        let folder = std::env::temp_dir().join(format!("officiant-shelf-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let shelf = shelf(&folder).unwrap();
        let put = |text: &[u8]| shelf.put(text).unwrap();
        let (one, two) = (put(b"one"), put(b"three"));
        let mut bytes = [0; 3];
        shelf.get(two, 1, &mut bytes).unwrap();
        assert_eq!(&bytes, b"hre");
        shelf.get(one, 0, &mut bytes).unwrap();
        assert_eq!(&bytes, b"one");
        let beyond = Lost { kind: io::ErrorKind::UnexpectedEof };
        assert_eq!(shelf.get(two, 3, &mut bytes), Err(beyond));
        assert_eq!(folder.read_dir().unwrap().count(), 0);
        std::fs::remove_dir(&folder).unwrap();
        assert!(super::shelf(&folder).is_err());
        shelf_near(&folder.join("below")).unwrap().put(b"").unwrap();
        shelf_anywhere().put(b"").unwrap();
    }
}
