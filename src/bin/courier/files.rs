//! Files of the online machine, and media before it is written to.
//!
//! Annex: what media may carry, and how it is written, is said by `room::media`.

use std::fs::{self, File};
use std::path::Path;

use officiant::room::media::{self, Error, Kind};

/// Reads a file of this machine, links followed; none when there is none.
///
/// # Errors
/// As [`media::read_file`].
pub(crate) fn read(path: &Path, most: usize) -> Result<Option<Vec<u8>>, Error> {
    let read = |path: &Path| match media::read_file(path, most as u64) {
        Err(Error::Missing { .. }) => Ok(None),
        bytes => bytes.map(Some),
    };
    match read(path) {
        Err(Error::NotRegular { .. }) => match fs::canonicalize(path) {
            Ok(whole) => read(&whole),
            Err(_) => Ok(None),
        },
        bytes => bytes,
    }
}

/// Refuses media of another kind than `kind`, and anything that stands at `name` there already. Media without a
/// marker is taken if it is empty, and marked by [`mark`] when something is to be written.
///
/// # Errors
/// [`Error::WrongKind`], [`Error::BadMarker`], [`Error::Missing`], [`Error::Exists`], [`Error::Foreign`].
pub(crate) fn check_ready(root: &Path, kind: Kind, name: &str) -> Result<(), Error> {
    if !root.is_dir() {
        return Err(Error::Missing { path: root.to_owned() });
    }
    match media::expect(root, kind) {
        Err(Error::Unmarked { .. }) => media::expect_only(root, &[])?,
        other => other?,
    }
    let path = root.join(name);
    match path.symlink_metadata() {
        Ok(_) => Err(Error::Exists { path }),
        Err(_) => Ok(()),
    }
}

/// Marks media that has no marker yet.
///
/// # Errors
/// As [`media::mark`].
pub(crate) fn mark(root: &Path, kind: Kind) -> Result<(), Error> {
    match media::expect(root, kind) {
        Err(Error::Unmarked { .. }) => media::mark(root, kind).map(drop),
        other => other,
    }
}

/// Puts a file into the place of another, whole or not at all. Never on media.
///
/// # Errors
/// As [`media::write_new`].
pub(crate) fn replace(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let (new, path) = (folder.join(format!("{name}.new")), folder.join(name));
    // A run that was killed in between left it; only the rename below makes it count.
    let _ = fs::remove_file(&new);
    media::write_new(&new, bytes)?;
    let renamed = fs::rename(&new, &path).and_then(|()| File::open(folder)?.sync_all());
    renamed.map_err(|source| Error::Failed { path, doing: "written", source })
}
