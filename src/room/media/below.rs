//! What lies below the root of a media: reached step by step from the root, and never over a link. And media that are one.
//!
//! Room floor: the file system, below the folder given. docs/threats.md rule 21: a link on one media would make it look
//! like another.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::Mode;
use rustix::io::Errno;

use super::content::Content;
use super::tree::{open_folder, open_folder_in};
use super::walk::{lay_open, read_open};
use super::{Error, Files, Limits, Written, check_name, joined, write_new_at};
use crate::files;
use crate::shelf::Shelf;

/// How far apart two media must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// Two folders, for practices, which may have them on one disk.
    Folders,
    /// Two file systems.
    Volumes,
}

/// Sees to it that no two of these are one. `[MEDIA-TWO]`
///
/// # Errors
/// [`Error::One`] with the two; whatever the media answers.
pub fn expect_apart<'a>(
    roots: impl IntoIterator<Item = &'a PathBuf>,
    apart: Apart,
) -> Result<(), Error> {
    let mut seen: Vec<(u64, u64, &Path)> = Vec::new();
    for root in roots.into_iter().map(PathBuf::as_path) {
        let there = root.metadata().map_err(|e| Error::of(root, "read", e))?;
        let (volume, folder) = (there.dev(), there.ino());
        let is_one = |(other, inside, _): &&(u64, u64, &Path)| {
            *other == volume && (apart == Apart::Volumes || *inside == folder)
        };
        if let Some((_, inside, first)) = seen.iter().find(is_one) {
            let what = if *inside == folder { "folder" } else { "file system" };
            let (first, second): (PathBuf, PathBuf) = ((*first).to_owned(), root.to_owned());
            return Err(Error::One { first, second, what });
        }
        seen.push((volume, folder, root));
    }
    Ok(())
}

/// Reads every file of the folder `name` below `root`, as [`super::read_tree`]; none if nothing has that name.
///
/// # Errors
/// As [`super::read_tree`], and [`Error::NotRegular`] if a link has its name.
pub fn read_tree_in(root: &Path, name: &str, limits: Limits) -> Result<Option<Files>, Error> {
    let found = found(root, name)?;
    found.map(|open| read_open(&open, &joined(root, name), limits)).transpose()
}

/// The same, laid on a shelf, as [`super::lay_tree`].
///
/// # Errors
/// As [`read_tree_in`]; [`Error::Lost`].
pub fn lay_tree_in(
    root: &Path,
    name: &str,
    limits: Limits,
    shelf: &Arc<dyn Shelf>,
) -> Result<Option<files::Files>, Error> {
    let found = found(root, name)?;
    found.map(|open| lay_open(&open, &joined(root, name), limits, shelf)).transpose()
}

/// A folder below `root`; none if nothing has that name.
fn found(root: &Path, name: &str) -> Result<Option<File>, Error> {
    match folder(root, name) {
        Ok(open) => Ok(Some(open)),
        // The root itself is another matter: what a media that is gone holds is not nothing.
        Err(Error::Missing { path }) if path != root => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes the folder `name` below `root` with those between, as far as they are not there, and syncs what was changed.
///
/// # Errors
/// [`Error::NotRegular`] if a link or a file has one of the names; [`Error::Name`]; whatever the media answers.
pub fn make_folders(root: &Path, name: &str) -> Result<(), Error> {
    made(root, name).map(drop)
}

fn made(root: &Path, name: &str) -> Result<File, Error> {
    let (mut open, mut here) = (open_folder(root)?, root.to_owned());
    for part in name.split('/').filter(|part| !part.is_empty()) {
        check_name(part)?;
        let mode = Mode::from_raw_mode(0o777);
        let path = here.join(part);
        let made = match rustix::fs::mkdirat(&open, part, mode) {
            Ok(()) => {
                open.sync_all().map_err(|e| Error::of(&here, "written", e))?;
                true
            }
            Err(Errno::EXIST) => false,
            Err(e) => return Err(Error::of(&path, "written", e)),
        };
        let inner = open_folder_in(&open, part, &here);
        // What was made just now and is missing was never kept.
        open = inner.map_err(|error| if made { error.lost() } else { error })?;
        here = path;
    }
    Ok(open)
}

/// Writes a new file `name` below `root`, as [`super::write_new`], and makes its folders, as [`make_folders`].
///
/// # Errors
/// Those of both.
pub fn write_new_in(
    root: &Path,
    name: &str,
    content: &(impl Content + ?Sized),
) -> Result<Written, Error> {
    let (parent, last) = name.rsplit_once('/').unwrap_or(("", name));
    check_name(last)?;
    write_new_at(&made(root, parent)?, last, &joined(root, name), content)
}

/// Opens a folder below `root`, whose own path may lead over links, as mount points do.
fn folder(root: &Path, name: &str) -> Result<File, Error> {
    let (mut open, mut here) = (open_folder(root)?, root.to_owned());
    for part in name.split('/').filter(|part| !part.is_empty()) {
        open = open_folder_in(&open, part, &here)?;
        here.push(part);
    }
    Ok(open)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;
    use crate::room::media::{read_tree, write_tree};

    const WIDE: Limits = Limits { files: 9, bytes_each: 99, bytes_total: 99, depth: 3 };

    /// Two folders in a new one.
    fn scratch(name: &str) -> (PathBuf, PathBuf) {
        let top =
            std::env::temp_dir().join(format!("officiant-below-{name}-{}", std::process::id()));
        let (one, other) = (top.join("one"), top.join("other"));
        fs::create_dir_all(&one).unwrap();
        fs::create_dir_all(&other).unwrap();
        (one, other)
    }

    fn told<T>(result: Result<T, Error>) -> String {
        result.map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn a_link_below_a_root_is_named_and_nothing_is_done_behind_it() {
        let (one, other) = scratch("link");
        let files = Files::from([("file".to_owned(), b"1".to_vec())]);
        write_tree(&other, "trust", &files).unwrap();
        symlink(other.join("trust"), one.join("trust")).unwrap();
        symlink(&other, one.join("custody")).unwrap();
        symlink("nowhere", one.join("proofs")).unwrap();
        let link = |name: &str| {
            let path = one.join(name);
            format!("`{}` is a symbolic link, expected a regular file or folder", path.display())
        };
        assert_eq!(told(write_tree(&one, "trust", &files)), link("trust"));
        assert_eq!(told(read_tree_in(&one, "trust", WIDE)), link("trust"));
        assert_eq!(told(read_tree_in(&one, "proofs", WIDE)), link("proofs"));
        assert_eq!(told(make_folders(&one, "custody/tokens")), link("custody"));
        assert_eq!(told(write_new_in(&one, "custody/pins", b"")), link("custody"));
        assert_eq!(
            read_tree(&other, WIDE).unwrap().into_keys().collect::<Vec<_>>(),
            ["trust/file"]
        );
        // The way to the root is another matter: mount points lead over links.
        let way = one.with_file_name("way");
        symlink(&other, &way).unwrap();
        assert_eq!(read_tree_in(&way, "trust", WIDE).unwrap(), Some(files));
        make_folders(&way, "custody/tokens").unwrap();
        write_new_in(&way, "custody/tokens/a.json", b"{}").unwrap();
        assert_eq!(fs::read(other.join("custody/tokens/a.json")).unwrap(), b"{}");
        fs::remove_dir_all(one.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_pipe_is_named_and_makes_nobody_wait() {
        let (one, _) = scratch("pipe");
        fs::create_dir(one.join("request")).unwrap();
        for name in ["proofs", "request/keys", "marker"] {
            mknodat(CWD, one.join(name), FileType::Fifo, Mode::RWXU, 0).unwrap();
        }
        let pipe = |name: &str| {
            let path = one.join(name);
            format!("`{}` is a pipe, expected a regular file or folder", path.display())
        };
        assert_eq!(told(read_tree_in(&one, "proofs", WIDE)), pipe("proofs"));
        assert_eq!(told(read_tree_in(&one, "request", WIDE)), pipe("request/keys"));
        assert_eq!(told(make_folders(&one, "proofs/one")), pipe("proofs"));
        let marker = one.join("marker");
        let device = format!("`{}` is a device, expected a regular file", marker.display());
        assert_eq!(told(write_new_in(&one, "marker", b"in")), device);
        fs::remove_dir_all(one.parent().unwrap()).unwrap();
    }

    #[test]
    fn what_is_not_there_is_none_and_a_root_that_is_gone_is_told() {
        let (one, other) = scratch("none");
        assert_eq!(read_tree_in(&one, "request", WIDE).unwrap(), None);
        fs::remove_dir(&other).unwrap();
        let missing = format!("`{}` is missing", other.display());
        assert_eq!(told(read_tree_in(&other, "request", WIDE)), missing);
        fs::remove_dir_all(one.parent().unwrap()).unwrap();
    }

    #[test]
    fn two_media_on_one_disk_and_two_names_of_one_folder_are_told() {
        let (one, other) = scratch("apart");
        let way = one.with_file_name("way");
        symlink(&other, &way).unwrap();
        let apart = |second: &PathBuf, apart| expect_apart([&one, &other, second], apart);
        let words = |first: &Path, second: &Path, what| {
            format!("media `{}` and `{}` are one {what}", first.display(), second.display())
        };
        let elsewhere = PathBuf::from("/proc");
        assert!(apart(&elsewhere, Apart::Folders).is_ok());
        assert_eq!(told(apart(&way, Apart::Folders)), words(&other, &way, "folder"));
        let disk = words(&one, &other, "file system");
        assert_eq!(told(apart(&elsewhere, Apart::Volumes)), disk);
        assert!(expect_apart([&one, &elsewhere], Apart::Volumes).is_ok());
        fs::remove_dir_all(one.parent().unwrap()).unwrap();
    }
}
