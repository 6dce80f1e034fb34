//! The inputs in one file of the work folder, as `tar` writes and lists it: those of a fleet have tens of thousands of
//! files, and each would have to be made.
//!
//! Roof.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use tar::{Builder, EntryType, Header};

use crate::files::{Bytes, Files, Packing};
use crate::room::media::{self, Content, Limits, Unnamed, Written};
use crate::shelf::Shelf;

/// Files as an archive: always the same bytes for the same files.
struct Archive<F>(F);

impl<'a, F, I> Content for Archive<F>
where
    F: Fn() -> I,
    I: Iterator<Item = (Cow<'a, str>, &'a Bytes)>,
{
    fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        let mut archive = Builder::new(BufWriter::with_capacity(BLOCK, to));
        for (path, bytes) in self.0() {
            let mut header = Header::new_gnu();
            header.set_entry_type(EntryType::Regular);
            header.set_mode(0o644);
            header.set_size(bytes.len());
            archive.append_data(&mut header, &*path, bytes.reader())?;
        }
        archive.into_inner()?.flush()
    }
}

/// Writes files into an archive, whole or not at all.
///
/// # Errors
/// As [`media::write_new`].
pub(super) fn write<'a, I: Iterator<Item = (Cow<'a, str>, &'a Bytes)>>(
    files: impl Fn() -> I,
    path: &Path,
) -> Result<Written, media::Error> {
    media::write_new(path, &Archive(files))
}

/// The same before the folder that it belongs into may be touched: none where that cannot be done.
///
/// # Errors
/// As [`Unnamed::write`].
pub(super) fn ahead<'a, I: Iterator<Item = (Cow<'a, str>, &'a Bytes)>>(
    files: impl Fn() -> I,
    folder: &Path,
) -> Result<Option<Unnamed>, media::Error> {
    Unnamed::write(folder, &Archive(files))
}

/// Reads an archive once, and lays it on a shelf.
///
/// # Errors
/// What the media answers; [`media::Error::Failed`] for a file that is no archive.
pub(super) fn read(path: &Path, shelf: &Arc<dyn Shelf>) -> Result<Files, media::Error> {
    let all = media::lay_file(path, Limits::INPUTS.bytes_total, shelf)?;
    let failed = |e: io::Error| media::Error::of(path, "read", e);
    let mut archive = tar::Archive::new(all.reader());
    let mut files = Packing::default();
    for entry in archive.entries().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path().map_err(failed)?;
        let name = path.to_str().ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))?;
        files.push(name, all.part(entry.raw_file_position(), entry.size())?);
    }
    Ok(files.finish())
}

/// How much is written at once.
const BLOCK: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::shelf::Memory;

    #[test]
    fn what_was_archived_is_read_back_and_tar_lists_it() {
        let folder = std::env::temp_dir().join(format!("officiant-archive-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let long = format!("trust/metadata/{}/10.root.json", "x".repeat(180));
        let big = vec![7; 200_000];
        let files = [("plan.toml", &b"plan"[..]), ("request/none", b""), (&long, &big)];
        let files: Files = files.into_iter().collect();
        let path = folder.join("inputs.tar");
        let all = || files.iter().map(|(path, bytes)| (path.into(), bytes));
        assert_eq!(write(all, &path).unwrap(), Written::New);
        assert_eq!(write(all, &path).unwrap(), Written::AlreadyThere);
        let shelf: Arc<dyn Shelf> = Arc::new(Memory::default());
        let read = read(&path, &shelf).unwrap();
        assert_eq!(read.difference(&files).unwrap(), None);
        let listed = Command::new("tar").arg("tf").arg(&path).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        assert_eq!(listed.lines().collect::<Vec<_>>(), files.paths().collect::<Vec<_>>());
        std::fs::write(&path, b"no archive").unwrap();
        assert!(super::read(&path, &shelf).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
