//! Files that grow by whole lines: the record.
//!
//! Room floor: the file system, the file given.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::Error;
use super::place;

/// Appends `line` and its end to a file of lines, which is made if it is not there, syncs it, and reads it back. If the
/// media refuses or lies, the part that was written is taken away again as far as the media allows.
///
/// # Errors
/// [`Error::LineBreak`]; [`Error::Torn`] if the last line has no end; whatever the media answers.
pub fn append_line(path: &Path, line: &str) -> Result<(), Error> {
    if line.contains('\n') {
        return Err(Error::LineBreak { path: path.to_owned() });
    }
    let (folder, _) = super::split(path)?;
    let failed = |e: io::Error| Error::of(path, "written", e);
    let mut options = OpenOptions::new();
    options.read(true).append(true).custom_flags(no_links());
    let (mut file, is_new) = match options.open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            (options.create_new(true).open(path).map_err(failed)?, true)
        }
        other => (place::regular(other.map_err(failed)?, path)?, false),
    };
    let before = file.metadata().map_err(failed)?.len();
    let mut last = [b'\n'];
    if before > 0 {
        file.read_exact_at(&mut last, before - 1).map_err(failed)?;
    }
    if last != *b"\n" {
        return Err(Error::Torn { path: path.to_owned() });
    }
    let whole = format!("{line}\n");
    // One write, so that a kill tears at most this line.
    let written = file.write_all(whole.as_bytes()).and_then(|()| file.sync_data());
    let kept = written
        .map_err(failed)
        .and_then(|()| super::Place::of(path).holds(before, whole.as_bytes()).map_err(Error::lost))
        .and_then(|kept| if kept { Ok(()) } else { Err(Error::lying(path)) });
    if let Err(error) = kept {
        let _ = file.set_len(before);
        return Err(error);
    }
    if is_new { super::sync_folder(folder) } else { Ok(()) }
}

/// Cuts a file of lines to its first `length` bytes, for the torn last line of a killed run, and syncs it.
///
/// # Errors
/// Whatever the media answers.
pub fn cut_to(path: &Path, length: u64) -> Result<(), Error> {
    let failed = |e: io::Error| Error::of(path, "written", e);
    let file =
        OpenOptions::new().write(true).custom_flags(no_links()).open(path).map_err(failed)?;
    let file = place::regular(file, path)?;
    file.set_len(length).and_then(|()| file.sync_all()).map_err(failed)
}

fn no_links() -> i32 {
    place::NO_LINKS.bits().cast_signed()
}
