//! Whole folders: written under a temporary name and placed in one step; read into memory within limits.
//!
//! Room floor: the file system, below the folder given.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags};

use super::content::Content;
use super::place::Place;
use super::{Error, LEFTOVER, Written};

/// The files of a folder: path below it, parts joined by `/`, and bytes.
pub type Files = BTreeMap<String, Vec<u8>>;

/// How much a folder may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Files and folders together.
    pub files: usize,
    /// Bytes of one file.
    pub bytes_each: u64,
    /// Bytes of all files.
    pub bytes_total: u64,
    /// Folders within folders; 0 allows files at the top alone.
    pub depth: usize,
}

/// The folder in which a new one at `path` is to be made, and its name there; none where something stands at `path`
/// already, or there is no such folder.
pub fn new_folder(path: &Path) -> Option<(&Path, &str)> {
    let parent = match path.parent()? {
        parent if parent.as_os_str().is_empty() => Path::new("."),
        parent => parent,
    };
    let name = path.file_name()?.to_str()?;
    (!path.exists() && parent.is_dir()).then_some((parent, name))
}

/// Writes the folder `name` below `root` with all its `files`: under a temporary name, then one sync of the
/// whole file system, a rename that replaces nothing, one more sync; then every byte is read back.
///
/// # Errors
/// [`Error::Exists`] with the first file that differs, if the folder is there with other content;
/// [`Error::Name`] before anything is touched; whatever the media answers.
pub fn write_tree(
    root: &Path,
    name: &str,
    files: &BTreeMap<String, impl Content>,
) -> Result<Written, Error> {
    check_names(name, files)?;
    let path = root.join(name);
    // Held open from before the first byte: the kernel tells a lost write to those that were here then.
    let volume = open_folder(root)?;
    let target = Place::within(&volume, name, &path);
    let written = if target.exists()? {
        // What stands there is a folder itself, and no link to one.
        open_folder_in(&volume, name, root)?;
        Written::AlreadyThere
    } else {
        let beside = root.join(format!("{LEFTOVER}{name}"));
        let temporary = Place::of(&beside);
        temporary.remove()?;
        let placed = fill(&beside, files)
            .and_then(|()| sync_volume(&volume, root))
            .and_then(|()| sync_each(&volume, &beside, files))
            .and_then(|()| temporary.move_to(target));
        if let Err(error) = placed {
            // Best effort: what cannot be removed now is known by its name later.
            let _ = temporary.remove();
            return Err(error.lost());
        }
        Written::New
    };
    if written == Written::AlreadyThere {
        sync_each(&volume, &path, files)?;
    }
    sync_volume(&volume, root)?;
    super::sync_folder(root)?;
    same_volume(&volume, root)?;
    read_back((&volume, root, name), files, written)
        .map_err(|error| target.withdrawn(written.judge(error)))?;
    Ok(written)
}

/// Reads every file below `root` once into memory, never through a link. Names are given as they stand there:
/// whoever knows what should be there compares.
///
/// # Errors
/// [`Error::NotRegular`] for a link, a device or a pipe; [`Error::TooLarge`], [`Error::TooMuch`],
/// [`Error::TooMany`], [`Error::TooDeep`]; [`Error::Name`] for a name that is not UTF-8; what the media answers.
pub fn read_tree(root: &Path, limits: Limits) -> Result<Files, Error> {
    read_open(open_folder(root)?, root, limits)
}

/// The same of a folder that is open.
pub(super) fn read_open(folder: File, root: &Path, limits: Limits) -> Result<Files, Error> {
    let mut reader = Reader { root, limits, names: 0, bytes: 0, files: Files::new() };
    reader.folder(folder, "", 0)?;
    Ok(reader.files)
}

/// Sees to it that two media carry the same files (docs/threats.md rule 21).
///
/// # Errors
/// [`Error::Differ`] with the first file that differs or that only one has.
pub fn compare(first: (&Path, &Files), second: (&Path, &Files)) -> Result<(), Error> {
    let Some(file) = first_difference(first.1, second.1) else { return Ok(()) };
    Err(Error::Differ { first: first.0.to_owned(), second: second.0.to_owned(), file })
}

fn first_difference(first: &Files, second: &Files) -> Option<String> {
    let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    names.into_iter().find(|name| first.get(*name) != second.get(*name)).cloned()
}

/// Every part of every name fits, and no two are one name where case does not count.
fn check_names<C>(name: &str, files: &BTreeMap<String, C>) -> Result<(), Error> {
    super::check_name(name)?;
    let mut folded: BTreeMap<String, &str> = BTreeMap::new();
    for path in files.keys() {
        for part in path.split('/') {
            super::check_name(part)?;
        }
        let ends = path.match_indices('/').map(|(end, _)| end);
        for end in ends.chain([path.len()]) {
            let place = &path[..end];
            let earlier = folded.insert(place.to_ascii_lowercase(), place);
            let is_file_too = end < path.len() && files.contains_key(place);
            if is_file_too || earlier.is_some_and(|earlier| earlier != place || end == path.len()) {
                let why = "another name is the same where case does not count";
                return Err(Error::Name { name: path.clone(), why });
            }
        }
    }
    Ok(())
}

fn fill(temporary: &Path, files: &BTreeMap<String, impl Content>) -> Result<(), Error> {
    let make = |folder: &Path| match std::fs::create_dir(folder) {
        Err(e) => Err(Error::of(folder, "written", e)),
        Ok(()) => Ok(()),
    };
    make(temporary)?;
    for folder in &parents(files) {
        make(&super::joined(temporary, folder))?;
    }
    for (path, content) in files {
        let file = super::joined(temporary, path);
        Place::of(&file).create(content).map_err(|e| Error::of(&file, "written", e))?;
    }
    Ok(())
}

fn sync_volume(volume: &File, root: &Path) -> Result<(), Error> {
    rustix::fs::syncfs(volume).map_err(|e| Error::of(root, "written", e))
}

/// Where files are served by a program (FUSE), the kernel has no sync for all of them: one for each then.
fn sync_each<C>(volume: &File, top: &Path, files: &BTreeMap<String, C>) -> Result<(), Error> {
    let kind = rustix::fs::fstatfs(volume).map_err(|e| Error::of(top, "written", e))?.f_type;
    if kind != FUSE {
        return Ok(());
    }
    for name in files.keys() {
        let path = super::joined(top, name);
        Place::of(&path).open()?.sync_all().map_err(|e| Error::of(&path, "written", e))?;
    }
    for folder in parents(files).iter().rev() {
        super::sync_folder(&super::joined(top, folder))?;
    }
    super::sync_folder(top)
}

/// Every folder that the files lie in, those above before those below.
fn parents<C>(files: &BTreeMap<String, C>) -> BTreeSet<String> {
    let ends = |path: &String| -> Vec<String> {
        path.match_indices('/').map(|(end, _)| path[..end].to_owned()).collect()
    };
    files.keys().flat_map(ends).collect()
}

/// The folder that was written to is still the one that stands at `root`: a media that was unmounted leaves a
/// bare folder behind, which takes files as well.
fn same_volume(volume: &File, root: &Path) -> Result<(), Error> {
    let failed = |e| Error::of(root, "read", e);
    let then = volume.metadata().map_err(failed)?;
    let now = root.metadata().map_err(failed)?;
    if (then.dev(), then.ino()) == (now.dev(), now.ino()) {
        return Ok(());
    }
    Err(Error::Vanished { volume: root.to_owned(), path: root.to_owned(), doing: "written" })
}

fn read_back(
    (volume, root, name): (&File, &Path, &str),
    files: &BTreeMap<String, impl Content>,
    written: Written,
) -> Result<(), Error> {
    let target = &root.join(name);
    let folders = files.keys().map(|path| path.matches('/').count()).max().unwrap_or_default();
    let names = names_below(open_folder_in(volume, name, root)?, target, folders)?;
    let mut expected = parents(files);
    expected.extend(files.keys().cloned());
    if names != expected {
        return Err(match written {
            Written::AlreadyThere => Error::Exists { path: target.to_owned() },
            Written::New => Error::lying(target),
        });
    }
    files.iter().try_for_each(|(name, content)| {
        Place::of(&super::joined(target, name)).read_back(content, written)
    })
}

/// The paths of everything below a folder, down to `depth`, without reading any file.
fn names_below(folder: File, root: &Path, depth: usize) -> Result<BTreeSet<String>, Error> {
    let mut names = BTreeSet::new();
    let mut open = vec![(folder, String::new(), 0)];
    while let Some((folder, prefix, level)) = open.pop() {
        let here = super::joined(root, &prefix);
        for (name, kind) in entries(&folder, &here)? {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            if kind == FileType::Directory && level < depth {
                open.push((open_folder_in(&folder, &name, &here)?, path.clone(), level + 1));
            }
            names.insert(path);
        }
    }
    Ok(names)
}

struct Reader<'a> {
    root: &'a Path,
    limits: Limits,
    names: usize,
    bytes: u64,
    files: Files,
}

impl Reader<'_> {
    fn folder(&mut self, folder: File, prefix: &str, level: usize) -> Result<(), Error> {
        let here = super::joined(self.root, prefix);
        for (name, kind) in entries(&folder, &here)? {
            self.names += 1;
            if self.names > self.limits.files {
                let root = self.root.to_owned();
                return Err(Error::TooMany { root, limit: self.limits.files });
            }
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            match kind {
                FileType::Directory if level == self.limits.depth => {
                    let path = here.join(name);
                    return Err(Error::TooDeep { path, limit: self.limits.depth });
                }
                FileType::Directory => {
                    let inner = open_folder_in(&folder, &name, &here)?;
                    self.folder(inner, &path, level + 1)?;
                }
                _ => {
                    let bytes = self.file(&folder, &name, &here)?;
                    self.files.insert(path, bytes);
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, folder: &File, name: &str, here: &Path) -> Result<Vec<u8>, Error> {
        let path = here.join(name);
        let file = Place::within(folder, name, &path).open()?;
        let size = file.metadata().map_err(|e| Error::of(&path, "read", e))?.len();
        let limit = self.limits.bytes_each;
        if size > limit {
            return Err(Error::TooLarge { path, limit });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        // The size is what the media says; what it then gives may be more.
        let taken = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        taken.map_err(|e| Error::of(&path, "read", e))?;
        if bytes.len() as u64 > limit {
            return Err(Error::TooLarge { path, limit });
        }
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.bytes > self.limits.bytes_total {
            let (root, limit) = (self.root.to_owned(), self.limits.bytes_total);
            return Err(Error::TooMuch { root, limit });
        }
        Ok(bytes)
    }
}

/// The names in a folder in byte order, so that what is refused does not hang on the file system's order.
fn entries(folder: &File, here: &Path) -> Result<Vec<(String, FileType)>, Error> {
    let failed = |e| Error::of(here, "read", e);
    let mut names = Vec::new();
    for entry in Dir::read_from(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_str().map_err(|_| Error::Name {
            name: entry.file_name().to_string_lossy().into_owned(),
            why: "it is not UTF-8",
        })?;
        if name != "." && name != ".." {
            let kind = kind_of(folder, name, entry.file_type(), &here.join(name))?;
            names.push((name.to_owned(), kind));
        }
    }
    names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(names)
}

fn kind_of(folder: &File, name: &str, said: FileType, path: &Path) -> Result<FileType, Error> {
    let kind = if said == FileType::Unknown {
        let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
        let stat =
            rustix::fs::statat(folder, name, flags).map_err(|e| Error::of(path, "read", e))?;
        FileType::from_raw_mode(stat.st_mode)
    } else {
        said
    };
    let found = match kind {
        FileType::RegularFile | FileType::Directory => return Ok(kind),
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        _ => "a device",
    };
    Err(Error::NotRegular { path: path.to_owned(), found, expected: "file or folder" })
}

/// Opens a folder; the way to it may lead over links, as mount points do.
pub(super) fn open_folder(path: &Path) -> Result<File, Error> {
    open_folder_at(CWD, path, path, OFlags::empty())
}

/// Opens a folder in an open one; a link of that name is told as one.
pub(super) fn open_folder_in(folder: &File, name: &str, here: &Path) -> Result<File, Error> {
    let path = here.join(name);
    match open_folder_at(folder, Path::new(name), &path, OFlags::NOFOLLOW) {
        Err(error @ Error::NotRegular { .. }) => {
            kind_of(folder, name, FileType::Unknown, &path).and(Err(error))
        }
        opened => opened,
    }
}

fn open_folder_at(at: impl AsFd, name: &Path, path: &Path, more: OFlags) -> Result<File, Error> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | more;
    match rustix::fs::openat(at, name, flags, Mode::empty()) {
        Ok(folder) => Ok(File::from(folder)),
        Err(rustix::io::Errno::NOTDIR) => {
            let path: PathBuf = path.to_owned();
            Err(Error::NotRegular { path, found: "no folder", expected: "folder" })
        }
        Err(e) => Err(Error::of(path, "read", e)),
    }
}

/// What `statfs` says of a file system that a program serves.
const FUSE: rustix::fs::FsWord = 0x6573_5546;
