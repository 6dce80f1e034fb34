//! Whole folders: written under a temporary name and placed in one step, and read back.
//!
//! Room floor: the file system, below the folder given.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;

use rustix::fs::{CWD, FileType, Mode, OFlags};

use super::content::Content;
use super::names::check_names;
use super::place::Place;
use super::walk::{Found, kind_of, walk};
use super::{Error, LEFTOVER, Written};
use crate::files;

/// The files of a folder: path below it, parts joined by `/`, and bytes.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Files to be written.
pub trait Tree: Sync {
    /// Path and content of each, in the order of the bytes of the paths.
    fn files(&self) -> impl Iterator<Item = (&str, &dyn Content)>;
}

impl<C: Content + Sync> Tree for BTreeMap<String, C> {
    fn files(&self) -> impl Iterator<Item = (&str, &dyn Content)> {
        self.iter().map(|(path, content)| (path.as_str(), content as &dyn Content))
    }
}

impl Tree for files::Files {
    fn files(&self) -> impl Iterator<Item = (&str, &dyn Content)> {
        self.iter().map(|(path, bytes)| (path, bytes as &dyn Content))
    }
}

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
pub fn write_tree(root: &Path, name: &str, files: &impl Tree) -> Result<Written, Error> {
    check_names(name, files.files().map(|(path, _)| path))?;
    let path = root.join(name);
    // Held open from before the first byte: the kernel tells a lost write to those that were here then.
    let volume = open_folder(root)?;
    let target = Place::within(&volume, name, &path);
    let written = if target.exists()? {
        // What stands there is a folder itself, and no link to one.
        open_folder_in(&volume, name, root)?;
        Written::AlreadyThere
    } else {
        let name = format!("{LEFTOVER}{name}");
        let beside = root.join(&name);
        let temporary = Place::of(&beside);
        temporary.remove()?;
        let placed = fill((&volume, root, &name), files)
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

/// Sees to it that two media carry the same files (docs/threats.md rule 21).
///
/// # Errors
/// [`Error::Differ`] with the first file that differs or that only one has; [`Error::Lost`].
pub fn compare(first: (&Path, &files::Files), second: (&Path, &files::Files)) -> Result<(), Error> {
    let Some(file) = first.1.difference(second.1)? else { return Ok(()) };
    Err(Error::Differ { first: first.0.to_owned(), second: second.0.to_owned(), file })
}

/// Writes files into a folder that is new, beside the one that it becomes.
fn fill((volume, root, name): (&File, &Path, &str), files: &impl Tree) -> Result<(), Error> {
    let make = |at: &File, name: &str, path: &Path| {
        let made = rustix::fs::mkdirat(at, name, Mode::from_raw_mode(0o777));
        made.map_err(|e| Error::of(path, "written", e))?;
        open_folder_at(at, Path::new(name), path, OFlags::NOFOLLOW)
    };
    let top = root.join(name);
    // The folders that the last path lay in, each in the one before it: what lies in one folder comes together.
    let mut open = vec![(String::new(), make(volume, name, &top)?)];
    for (path, content) in files.files() {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parts: Vec<&str> = folders.split('/').filter(|part| !part.is_empty()).collect();
        let last = open.iter().skip(1).zip(&parts);
        let same = last.take_while(|((part, _), other)| part == *other).count();
        open.truncate(1 + same);
        for (at, part) in parts.iter().enumerate().skip(same) {
            let path = super::joined(&top, &parts[..=at].join("/"));
            let inner = make(&open[open.len() - 1].1, part, &path)?;
            open.push(((*part).to_owned(), inner));
        }
        let file = super::joined(&top, path);
        let place = Place::within(&open[open.len() - 1].1, name, &file);
        place.create(content).map_err(|e| Error::of(&file, "written", e))?;
    }
    Ok(())
}

fn sync_volume(volume: &File, root: &Path) -> Result<(), Error> {
    rustix::fs::syncfs(volume).map_err(|e| Error::of(root, "written", e))
}

/// Where files are served by a program (FUSE), the kernel has no sync for all of them: one for each then.
fn sync_each(volume: &File, top: &Path, files: &impl Tree) -> Result<(), Error> {
    let kind = rustix::fs::fstatfs(volume).map_err(|e| Error::of(top, "written", e))?.f_type;
    if kind != FUSE {
        return Ok(());
    }
    let mut folders = BTreeSet::new();
    for (name, _) in files.files() {
        let path = super::joined(top, name);
        Place::of(&path).open()?.sync_all().map_err(|e| Error::of(&path, "written", e))?;
        folders.extend(name.match_indices('/').map(|(end, _)| name[..end].to_owned()));
    }
    for folder in folders.iter().rev() {
        super::sync_folder(&super::joined(top, folder))?;
    }
    super::sync_folder(top)
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
    files: &impl Tree,
    written: Written,
) -> Result<(), Error> {
    let target = &root.join(name);
    let folder = &open_folder_in(volume, name, root)?;
    check_there(folder, target, files, written)?;
    if files.files().nth(MANY).is_none() {
        return files.files().try_for_each(|(path, content)| {
            let here = super::joined(target, path);
            Place::within(folder, path, &here).read_back(content, written)
        });
    }
    let read = |hand: usize| {
        let mine = files.files().enumerate().skip(hand).step_by(HANDS);
        let mut mine = mine.map(|(at, file)| (at, super::joined(target, file.0), file));
        loop {
            let some: Vec<_> = mine.by_ref().take(ASKED).collect();
            let place = |here, path| Place::within(folder, path, here);
            let asked = some.iter().map(|(_, here, (path, _))| place(here, path).ask());
            let asked: Vec<_> = asked.collect();
            if asked.is_empty() {
                return Ok(());
            }
            for ((at, here, (path, content)), asked) in some.iter().zip(asked) {
                let same = place(here, path).read_back_from(asked, *content, written);
                same.map_err(|error| (*at, error))?;
            }
        }
    };
    // A media answers several questions sooner than one after the other.
    let ended: Vec<Result<(), (usize, Error)>> = thread::scope(|scope| {
        let hands: Vec<_> = (0..HANDS).map(|hand| scope.spawn(move || read(hand))).collect();
        let gone = |_| Err((usize::MAX, Error::lying(target)));
        hands.into_iter().map(|hand| hand.join().unwrap_or_else(gone)).collect()
    });
    let first = ended.into_iter().filter_map(Result::err).min_by_key(|(at, _)| *at);
    first.map_or(Ok(()), |(_, error)| Err(error))
}

/// The very names stand in a folder, and no other.
fn check_there(
    folder: &File,
    target: &Path,
    files: &impl Tree,
    written: Written,
) -> Result<(), Error> {
    let other = || match written {
        Written::AlreadyThere => Error::Exists { path: target.to_owned() },
        Written::New => Error::lying(target),
    };
    let folders = files.files().map(|(path, _)| path.matches('/').count()).max();
    let limits = Limits {
        files: usize::MAX,
        depth: folders.unwrap_or_default(),
        bytes_each: u64::MAX,
        bytes_total: u64::MAX,
    };
    let mut expected = files.files().map(|(path, _)| path).peekable();
    let read = walk(folder, target, limits, &mut |found| match found {
        Found::Folder { path } => {
            let is_wanted =
                |next: &&str| next.strip_prefix(path).is_some_and(|inside| inside.starts_with('/'));
            if expected.peek().is_some_and(is_wanted) { Ok(()) } else { Err(other()) }
        }
        Found::File { path, .. } => match expected.next() {
            Some(next) if next == path => Ok(()),
            _ => Err(other()),
        },
    });
    match read {
        // A folder within the deepest one is none of ours.
        Err(Error::TooDeep { .. }) => Err(other()),
        Ok(()) if expected.next().is_some() => Err(other()),
        read => read,
    }
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

/// So many read back, where there are more files than [`MANY`].
const HANDS: usize = 2;
const MANY: usize = 256;
/// The media is asked for so many files before the first of them is waited for.
const ASKED: usize = 32;

/// What `statfs` says of a file system that a program serves.
const FUSE: rustix::fs::FsWord = 0x6573_5546;
