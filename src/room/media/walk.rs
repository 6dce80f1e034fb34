//! Whole folders, walked in the order of their paths; read into memory, onto a shelf, or against one another, within
//! limits and never through a link.
//!
//! Room floor: the file system, below the folder given.

use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use rustix::fs::{FileType, RawDir, SeekFrom};

use super::place::Place;
use super::tree::{open_folder, open_folder_in};
use super::{Error, Files, Limits};
use crate::digest::{Digest, Hasher};
use crate::files;
use crate::shelf::{Lost, Shelf};

/// Reads every file below `root` once into memory. Names are given as they stand there: whoever knows what should be
/// there compares.
///
/// # Errors
/// [`Error::NotRegular`] for a link, a device or a pipe; [`Error::TooLarge`], [`Error::TooMuch`],
/// [`Error::TooMany`], [`Error::TooDeep`]; [`Error::Name`] for a name that is not UTF-8; what the media answers.
pub fn read_tree(root: &Path, limits: Limits) -> Result<Files, Error> {
    read_open(&open_folder(root)?, root, limits)
}

/// The same of a folder that is open.
pub(super) fn read_open(folder: &File, root: &Path, limits: Limits) -> Result<Files, Error> {
    let mut files = Files::new();
    let mut keep = |path: &str, from: &mut dyn Read, _: &Path| {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).map_err(Trouble::Read)?;
        files.insert(path.to_owned(), bytes);
        Ok(())
    };
    read(folder, root, limits, &mut keep)?;
    Ok(files)
}

/// Reads every file below `root` once, as [`read_tree`], and lays it on a shelf.
///
/// # Errors
/// As [`read_tree`]; [`Error::Lost`].
pub fn lay_tree(
    root: &Path,
    limits: Limits,
    shelf: &Arc<dyn Shelf>,
) -> Result<files::Files, Error> {
    lay_open(&open_folder(root)?, root, limits, shelf)
}

/// The same of a folder that is open.
pub(super) fn lay_open(
    folder: &File,
    root: &Path,
    limits: Limits,
    shelf: &Arc<dyn Shelf>,
) -> Result<files::Files, Error> {
    let mut limited = Limited { root, limits, all: 0 };
    thread::scope(|scope| {
        // Files are opened by one thread, and read by another.
        let (open, opened) = sync_channel::<(String, PathBuf, File)>(OPENED);
        let laid = scope.spawn(move || {
            let mut laying = files::Laying::new(shelf);
            for (path, here, file) in opened {
                limited.read(&path, &file, &here, &mut |path, from, _| {
                    laying.read(path, from).map_err(|unlaid| match unlaid {
                        files::Unlaid::Read(e) => Trouble::Read(e),
                        files::Unlaid::Lost(lost) => Trouble::Other(lost.into()),
                    })
                })?;
            }
            Ok(laying.finish()?)
        });
        let walked = walk(folder, root, limits, &mut |found| {
            let Found::File { path, place, here } = found else { return Ok(()) };
            let next = (path.to_owned(), here.to_owned(), place.open()?);
            // Whoever reads says why he ended.
            open.send(next).map_err(|_| Error::Lost(UNREAD))
        });
        drop(open);
        let files = laid.join().unwrap_or(Err(Error::Lost(UNREAD)))?;
        walked.map(|()| files)
    })
}

/// Nobody reads any more.
const UNREAD: Lost = Lost { kind: io::ErrorKind::BrokenPipe };
/// So many files are open ahead of being read.
const OPENED: usize = 64;

/// Lays what is read on a shelf.
pub(super) fn lay(
    from: &mut dyn Read,
    here: &Path,
    shelf: &Arc<dyn Shelf>,
) -> Result<files::Bytes, Error> {
    let mut writer = files::Writer::new(shelf);
    let lost = |lost: Lost| Trouble::Other(lost.into());
    let laid = blocks(from, |block| writer.put(block).map_err(lost));
    laid.map_err(|trouble| trouble.at(here))?;
    Ok(writer.finish()?)
}

/// One digest over the paths and sizes of all files in the folder `name` below `root`, within limits: two that hold the
/// same have the same.
///
/// # Errors
/// As [`read_tree`].
pub fn listing(root: &Path, name: &str, limits: Limits) -> Result<Digest, Error> {
    let folder = open_folder_in(&open_folder(root)?, name, root)?;
    let (here, mut all, mut listing) = (root.join(name), 0_u64, Hasher::default());
    walk(&folder, &here, limits, &mut |found| {
        let Found::File { path, place, here: file } = found else { return Ok(()) };
        let size = place.size()?;
        all = all.saturating_add(size);
        if size > limits.bytes_each {
            return Err(Error::TooLarge { path: file.to_owned(), limit: limits.bytes_each });
        }
        if all > limits.bytes_total {
            return Err(Error::TooMuch { root: here.clone(), limit: limits.bytes_total });
        }
        listing.part(path.as_bytes());
        listing.part(&size.to_be_bytes());
        Ok(())
    })?;
    Ok(listing.finish())
}

/// Sees to it that the folder `name` is the same below two roots, file by file (docs/threats.md rule 21).
///
/// # Errors
/// [`Error::Differ`] with the first file that differs or that only one has; those of [`read_tree`].
pub fn compare_trees(
    (first, second): (&Path, &Path),
    name: &str,
    limits: Limits,
) -> Result<(), Error> {
    let open = |root: &Path| open_folder_in(&open_folder(root)?, name, root);
    let differ = |file: &str| Error::Differ {
        first: first.to_owned(),
        second: second.to_owned(),
        file: file.to_owned(),
    };
    let (here, there) = (first.join(name), second.join(name));
    let (mut ours, mut theirs) = (Hasher::default(), Hasher::default());
    walk(&open(second)?, &there, limits, &mut |found| {
        if let Found::File { path, .. } = found {
            theirs.part(path.as_bytes());
        }
        Ok(())
    })?;
    // What only the second has is told where its path stands before.
    let extra = |before: Option<&str>| {
        walk(&open(second)?, &there, limits, &mut |found| {
            let Found::File { path, .. } = found else { return Ok(()) };
            let is_before = before.is_none_or(|before| path < before);
            match is_before && !Place::of(&super::joined(&here, path)).exists()? {
                true => Err(differ(path)),
                false => Ok(()),
            }
        })
    };
    let mut compare = |path: &str, from: &mut dyn Read, _: &Path| {
        ours.part(path.as_bytes());
        let place = super::joined(&there, path);
        let place = Place::of(&place);
        let same = match place.exists().map_err(Trouble::Other)?.then(|| place.open()) {
            Some(Ok(mut file)) => is_same(from, &mut file, place)?,
            // Nothing, or a folder in the place of a file: links were refused above.
            None | Some(Err(Error::NotRegular { .. })) => false,
            Some(Err(error)) => return Err(Trouble::Other(error)),
        };
        match same {
            true => Ok(()),
            false => Err(Trouble::Other(extra(Some(path)).err().unwrap_or_else(|| differ(path)))),
        }
    };
    read(&open(first)?, &here, limits, &mut compare)?;
    if ours.finish() == theirs.finish() {
        return Ok(());
    }
    // A media that takes letters for one another has a name that is not quite the other's.
    extra(None).and(Err(differ(name)))
}

/// Whether a file has the bytes that are read, and no more.
fn is_same(from: &mut dyn Read, file: &mut File, place: Place<'_>) -> Result<bool, Trouble> {
    let (mut found, mut is_same) = (Vec::new(), true);
    let broken = |e| Trouble::Other(place.failed("read", e));
    blocks(from, |block| {
        found.resize(block.len(), 0);
        match file.read_exact(&mut found) {
            Err(e) if e.kind() != io::ErrorKind::UnexpectedEof => return Err(broken(e)),
            read => is_same &= read.is_ok() && found == block,
        }
        Ok(())
    })?;
    Ok(is_same && file.read(&mut [0]).map_err(broken)? == 0)
}

/// What can come between while a file is read.
enum Trouble {
    /// The file could not be read.
    Read(io::Error),
    /// Something else.
    Other(Error),
}

impl Trouble {
    fn at(self, here: &Path) -> Error {
        match self {
            Self::Read(e) => Error::of(here, "read", e),
            Self::Other(error) => error,
        }
    }
}

/// What is done with each file: its path inside the folder, what reads it, and where it lies.
type Keep<'a> = dyn FnMut(&str, &mut dyn Read, &Path) -> Result<(), Trouble> + 'a;

fn blocks(
    from: &mut dyn Read,
    mut each: impl FnMut(&[u8]) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let mut block = Vec::with_capacity(BLOCK);
    loop {
        block.clear();
        (&mut *from).take(BLOCK as u64).read_to_end(&mut block).map_err(Trouble::Read)?;
        if block.is_empty() {
            return Ok(());
        }
        each(&block)?;
    }
}

/// Reads every file of a folder, within limits.
fn read(folder: &File, root: &Path, limits: Limits, keep: &mut Keep<'_>) -> Result<(), Error> {
    let mut limited = Limited { root, limits, all: 0 };
    walk(folder, root, limits, &mut |found| match found {
        Found::File { path, place, here } => limited.read(path, &place.open()?, here, keep),
        Found::Folder { .. } => Ok(()),
    })
}

/// Files that are read within limits, one after the other.
struct Limited<'a> {
    root: &'a Path,
    limits: Limits,
    /// How many bytes were read.
    all: u64,
}

impl Limited<'_> {
    fn read(
        &mut self,
        path: &str,
        file: &File,
        here: &Path,
        keep: &mut Keep<'_>,
    ) -> Result<(), Error> {
        let size = file.metadata().map_err(|e| Error::of(here, "read", e))?.len();
        let limit = self.limits.bytes_each;
        let large = || Error::TooLarge { path: here.to_owned(), limit };
        if size > limit {
            return Err(large());
        }
        // The size is what the media says; what it then gives may be more.
        let mut reader = file.take(limit.saturating_add(1));
        keep(path, &mut reader, here).map_err(|trouble| trouble.at(here))?;
        if reader.limit() == 0 {
            return Err(large());
        }
        self.all = self.all.saturating_add(limit.saturating_add(1) - reader.limit());
        if self.all > self.limits.bytes_total {
            let (root, limit) = (self.root.to_owned(), self.limits.bytes_total);
            return Err(Error::TooMuch { root, limit });
        }
        Ok(())
    }
}

/// What stands in a folder.
pub(super) enum Found<'a> {
    /// A file: its path inside the folder that is walked, its name in the folder that it lies in, and its whole path.
    File { path: &'a str, place: Place<'a>, here: &'a Path },
    /// A folder, before what stands in it.
    Folder { path: &'a str },
}

/// What is done with what stands in a folder.
type Visit<'a> = dyn FnMut(Found<'_>) -> Result<(), Error> + 'a;

/// Walks over everything below a folder in the order of the paths, as their bytes sort.
pub(super) fn walk(
    folder: &File,
    root: &Path,
    limits: Limits,
    visit: &mut Visit<'_>,
) -> Result<(), Error> {
    Walk { root, limits, names: 0, visit }.folder(folder, "", 0)
}

struct Walk<'a, 'v> {
    root: &'a Path,
    limits: Limits,
    names: usize,
    visit: &'a mut Visit<'v>,
}

impl Walk<'_, '_> {
    fn folder(&mut self, folder: &File, prefix: &str, level: usize) -> Result<(), Error> {
        let here = super::joined(self.root, prefix);
        let entries = Entries::of(folder, &here)?;
        for (name, kind) in entries.iter() {
            self.names += 1;
            if self.names > self.limits.files {
                let root = self.root.to_owned();
                return Err(Error::TooMany { root, limit: self.limits.files });
            }
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            match kind {
                FileType::Directory if level == self.limits.depth => {
                    let path = here.join(name);
                    return Err(Error::TooDeep { path, limit: self.limits.depth });
                }
                FileType::Directory => {
                    let inner = open_folder_in(folder, name, &here)?;
                    (self.visit)(Found::Folder { path: &path })?;
                    self.folder(&inner, &path, level + 1)?;
                }
                _ => {
                    let here = here.join(name);
                    let place = Place::within(folder, name, &here);
                    (self.visit)(Found::File { path: &path, place, here: &here })?;
                }
            }
        }
        Ok(())
    }
}

/// The names in a folder as their paths sort, so that what is refused does not hang on the file system's order: after the
/// name of a folder comes a `/`. A folder may have very many.
struct Entries {
    text: String,
    all: Vec<(Range<u32>, FileType)>,
}

impl Entries {
    fn of(folder: &File, here: &Path) -> Result<Self, Error> {
        let failed = |e| Error::of(here, "read", e);
        let mut entries = Self { text: String::new(), all: Vec::new() };
        // Whoever holds the folder open may have read it before.
        rustix::fs::seek(folder, SeekFrom::Start(0)).map_err(failed)?;
        let mut space = [MaybeUninit::uninit(); NAMES];
        let mut names = RawDir::new(folder, &mut space);
        while let Some(entry) = names.next() {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_str().map_err(|_| Error::Name {
                name: entry.file_name().to_string_lossy().into_owned(),
                why: "it is not UTF-8",
            })?;
            if name != "." && name != ".." {
                let kind = kind_of(folder, name, entry.file_type(), &here.join(name))?;
                entries.push(name, kind);
            }
        }
        let Self { text, all } = &mut entries;
        all.sort_unstable_by(|a, b| key(text, a).cmp(key(text, b)));
        Ok(entries)
    }

    fn push(&mut self, name: &str, kind: FileType) {
        let begin = self.text.len();
        self.text.push_str(name);
        let end = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.all.push((end(begin)..end(self.text.len()), kind));
    }

    fn iter(&self) -> impl Iterator<Item = (&str, FileType)> {
        self.all.iter().map(|(range, kind)| (name(&self.text, range), *kind))
    }
}

fn name<'a>(text: &'a str, range: &Range<u32>) -> &'a str {
    text.get(range.start as usize..range.end as usize).unwrap_or_default()
}

fn key<'a>(
    text: &'a str,
    (range, kind): &(Range<u32>, FileType),
) -> impl Iterator<Item = u8> + use<'a> {
    name(text, range).bytes().chain((*kind == FileType::Directory).then_some(b'/'))
}

pub(super) fn kind_of(
    folder: &File,
    name: &str,
    said: FileType,
    path: &Path,
) -> Result<FileType, Error> {
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

/// How many bytes of names are asked for at once.
const NAMES: usize = 8 << 10;
/// How much is read at once.
const BLOCK: usize = 64 << 10;

#[cfg(test)]
mod tests;
