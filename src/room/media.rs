//! Files on media and in the work folder: written once, synced, read back; read once, within limits.
//!
//! Room floor: the file system, below the folders that room.toml names. One run writes to a folder at a time
//! ([`Lock`]); nothing that exists is ever overwritten; what a killed run left behind carries [`LEFTOVER`].

mod below;
mod content;
mod error;
mod limits;
mod lines;
mod names;
mod place;
mod shelf;
mod tree;
mod unnamed;
mod walk;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use crate::files::Bytes;
use crate::name::is_device;
use crate::shelf::Shelf;
use place::Place;

pub use below::{Apart, expect_apart, lay_tree_in, make_folders, read_tree_in, write_new_in};
pub use content::Content;
pub use error::Error;
pub use limits::LARGEST_RECORD;
pub use lines::{append_line, cut_to};
pub use shelf::{shelf_anywhere, shelf_near};
pub use tree::{Files, Limits, Tree, compare, new_folder, write_tree};
pub use unnamed::Unnamed;
pub use walk::{compare_trees, lay_tree, listing, read_tree};

/// What a media is for, as its marker file says (docs/threats.md rule 21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Carries requests into the room.
    In,
    /// Carries the trust folder out.
    Out,
    /// Stays in the room; the only place of custody/.
    Room,
}

impl Kind {
    /// The marker file's name, at the root of each media.
    pub const MARKER: &str = "officiant-media";

    /// The word in the marker file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::Room => "room",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Reads which kind of media is mounted at `root`.
///
/// # Errors
/// [`Error::Unmarked`] without a marker file, as the bare folder has it when nothing is mounted;
/// [`Error::BadMarker`] if it holds anything but the one line.
pub fn kind(root: &Path) -> Result<Kind, Error> {
    let bytes = match read_file(&root.join(Kind::MARKER), 64) {
        Err(Error::Missing { .. }) => return Err(Error::Unmarked { root: root.to_owned() }),
        other => other?,
    };
    let text = String::from_utf8_lossy(&bytes);
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    [Kind::In, Kind::Out, Kind::Room].into_iter().find(|kind| kind.word() == line).ok_or_else(
        || Error::BadMarker { root: root.to_owned(), found: line.chars().take(20).collect() },
    )
}

/// Sees to it that the media at `root` is of the kind `expected`.
///
/// # Errors
/// [`Error::WrongKind`], and those of [`kind`].
pub fn expect(root: &Path, expected: Kind) -> Result<(), Error> {
    let found = kind(root)?;
    if found == expected {
        return Ok(());
    }
    Err(Error::WrongKind { root: root.to_owned(), found, expected })
}

/// Writes the marker file of an empty media.
///
/// # Errors
/// Those of [`write_new`]: a media marked otherwise stays what it is.
pub fn mark(root: &Path, kind: Kind) -> Result<Written, Error> {
    write_new(&root.join(Kind::MARKER), format!("{kind}\n").as_bytes())
}

/// Sees to it that nothing stands at the top of `root` but the marker, what file systems put there themselves,
/// our own leftovers, and the names in `own`.
///
/// # Errors
/// [`Error::Foreign`] with the first names that are not ours.
pub fn expect_only(root: &Path, own: &[&str]) -> Result<(), Error> {
    let mut found = Vec::new();
    for entry in root.read_dir().map_err(|e| Error::of(root, "read", e))? {
        let name = entry.map_err(|e| Error::of(root, "read", e))?.file_name();
        let name = name.to_string_lossy().into_owned();
        let known = own.contains(&name.as_str())
            || name == Kind::MARKER
            || name.starts_with(LEFTOVER)
            || FILE_SYSTEMS_OWN.contains(&name.as_str());
        if !known {
            found.push(name);
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    found.sort_unstable();
    found.truncate(5);
    Err(Error::Foreign { root: root.to_owned(), found })
}

/// How a write ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The target was there with these very bytes: a run before this one wrote it.
    AlreadyThere,
    /// The target was written now.
    New,
}

impl Written {
    /// What an error means for a target: one written just now that is missing was never kept.
    fn judge(self, error: Error) -> Error {
        if self == Self::New { error.lost() } else { error }
    }
}

/// Writes a new file: a temporary sibling is written and synced, renamed without replacing, the folder synced,
/// and the bytes read back.
///
/// # Errors
/// [`Error::Exists`] if the target has other bytes; [`Error::Name`] before anything is touched; whatever the
/// media answers.
pub fn write_new(path: &Path, content: &(impl Content + ?Sized)) -> Result<Written, Error> {
    let (folder, name) = split(path)?;
    write_new_at(&tree::open_folder(folder)?, name, path, content)
}

/// The same in an open folder; the path is for words.
fn write_new_at(
    folder: &File,
    name: &str,
    path: &Path,
    content: &(impl Content + ?Sized),
) -> Result<Written, Error> {
    let here = Place::within(folder, name, path);
    let written = if here.exists()? {
        // An earlier run may have been killed between the rename and the sync.
        here.open()?.sync_all().map_err(|e| Error::of(path, "written", e))?;
        Written::AlreadyThere
    } else {
        let name = format!("{LEFTOVER}{name}");
        let beside = path.with_file_name(&name);
        let temporary = Place::within(folder, &name, &beside);
        temporary.remove()?;
        let placed = temporary
            .create(content)
            .and_then(|file| file.sync_all())
            .map_err(|e| Error::of(path, "written", e))
            .and_then(|()| temporary.move_to(here).map_err(Error::lost));
        if let Err(error) = placed {
            // Best effort: what cannot be removed now is known by its name later.
            let _ = temporary.remove();
            return Err(error);
        }
        Written::New
    };
    let parent = path.parent().unwrap_or(path);
    folder.sync_all().map_err(|e| Error::of(parent, "written", e))?;
    here.read_back(content, written).map_err(|error| here.withdrawn(error))?;
    Ok(written)
}

/// Reads a regular file once; a link, a device or a folder is refused, and so is one byte more than `limit`.
///
/// # Errors
/// [`Error::NotRegular`], [`Error::TooLarge`], and whatever the media answers.
pub fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let file = Place::of(path).open()?;
    let size = file.metadata().map_err(|e| Error::of(path, "read", e))?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(limit)).unwrap_or_default());
    let taken = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    taken.map_err(|e| Error::of(path, "read", e))?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// Reads a regular file once, as [`read_file`], and lays it on a shelf.
///
/// # Errors
/// As [`read_file`]; [`Error::Lost`].
pub fn lay_file(path: &Path, limit: u64, shelf: &Arc<dyn Shelf>) -> Result<Bytes, Error> {
    let mut file = Place::of(path).open()?.take(limit.saturating_add(1));
    let bytes = walk::lay(&mut file, path, shelf)?;
    if bytes.len() > limit {
        return Err(Error::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// Makes the folder `path` in its parent, if it is not there, syncs the parent, and sees that it is there. Its name is
/// whatever the room file says.
///
/// # Errors
/// [`Error::NotRegular`] if something else has the name; whatever the media answers.
pub fn make_folder(path: &Path) -> Result<(), Error> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match std::fs::create_dir(path) {
        Ok(()) => {
            sync_folder(parent)?;
            tree::open_folder(path).map(drop).map_err(Error::lost)
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => tree::open_folder(path).map(drop),
        Err(e) => Err(Error::of(path, "written", e)),
    }
}

/// A folder that no other run can write to while this value lives.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held for its lifetime")] File);

impl Lock {
    /// Takes the folder.
    ///
    /// # Errors
    /// [`Error::Locked`] if another run has it.
    pub fn take(folder: &Path) -> Result<Self, Error> {
        let file = tree::open_folder(folder)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self(file)),
            Err(Errno::WOULDBLOCK) => Err(Error::Locked { path: folder.to_owned() }),
            Err(e) => Err(Error::of(folder, "written", e)),
        }
    }
}

/// Checks one name for what every file system carries, FAT included: 1 to 200 of `A-Z a-z 0-9 . _ % -`, no dot
/// at its end, none of DOS's device names.
fn check_name(name: &str) -> Result<(), Error> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._%-".contains(&byte);
    let why = if name.is_empty() || name.len() > 200 {
        "it has 1 to 200 letters"
    } else if !name.bytes().all(fits) {
        "it is made of A-Z, a-z, 0-9, `.`, `_`, `%` and `-`"
    } else if name.ends_with('.') {
        "it ends with a dot"
    } else if is_device(&name.to_ascii_lowercase()) {
        "it is a device on other systems"
    } else if name.starts_with(LEFTOVER) {
        "it begins like our own temporary names"
    } else {
        return Ok(());
    };
    Err(Error::Name { name: name.chars().take(60).collect(), why })
}

fn split(path: &Path) -> Result<(&Path, &str), Error> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    check_name(name)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => Ok((folder, name)),
        _ => Ok((Path::new("."), name)),
    }
}

/// Whether anything has that name. Not to know is an error: what a media that is gone holds is not nothing.
///
/// # Errors
/// Whatever the media answers.
pub fn exists(path: &Path) -> Result<bool, Error> {
    Place::of(path).exists()
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    let file = tree::open_folder(folder)?;
    file.sync_all().map_err(|e| Error::of(folder, "written", e))
}

fn joined(root: &Path, name: &str) -> PathBuf {
    name.split('/').fold(root.to_owned(), |path, part| path.join(part))
}

/// Begins the names of our own temporary files and folders.
pub const LEFTOVER: &str = ".officiant-new-";

const FILE_SYSTEMS_OWN: [&str; 2] = ["System Volume Information", "lost+found"];

#[cfg(test)]
mod tests;
