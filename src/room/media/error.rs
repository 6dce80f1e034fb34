//! What can be wrong with a media, in words that say whose it is and what to do.
//!
//! Room floor: asks the file system for the volume and its free space, touches nothing else.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::Kind;
use crate::check::Check;
use crate::refusal::{Exit, Refusal};
use crate::shelf::Lost;
use crate::wording::{Count, List};

/// What is wrong with a media, or with what is on it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The marker file says something else than a kind.
    #[error("media `{}`: the marker file `{}` says `{found}`, expected `in`, `out` or `room`", root.display(), Kind::MARKER)]
    BadMarker {
        /// The media.
        root: PathBuf,
        /// What stands in the marker file, shortened.
        found: String,
    },
    /// The media says that it is full, and its free space says that it is not.
    #[error("media `{}` says that it is full while {free} bytes are free, at `{}`", volume.display(), path.display())]
    Deceptive {
        /// The volume.
        volume: PathBuf,
        /// The file.
        path: PathBuf,
        /// The free bytes that it claims.
        free: u64,
    },
    /// The file may not be read or written by this account.
    #[error("`{}` is closed to this account", path.display())]
    Denied {
        /// The file.
        path: PathBuf,
    },
    /// Two media that must be equal are not.
    #[error("media `{}` and `{}` differ at `{file}`", first.display(), second.display())]
    Differ {
        /// One media.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// The first file that differs or that only one of them has.
        file: String,
    },
    /// The target is there already, with other content.
    #[error("`{}` already exists with other content", path.display())]
    Exists {
        /// The target, or the first file in it that differs.
        path: PathBuf,
    },
    /// The file system answered something that has no better name here.
    #[error("`{}` could not be {doing}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        doing: &'static str,
        /// The answer.
        source: io::Error,
    },
    /// Files stand on the media that are not of this ceremony.
    #[error("media `{}` holds {}, which this ceremony did not write", root.display(), List::names(found))]
    Foreign {
        /// The media.
        root: PathBuf,
        /// The names at its top, at most five.
        found: Vec<String>,
    },
    /// No room is left.
    #[error("media `{}` is full at `{}`", volume.display(), path.display())]
    Full {
        /// The volume.
        volume: PathBuf,
        /// The file that did not fit.
        path: PathBuf,
    },
    /// The bytes read back are not those that were written.
    #[error("media `{}` gives back other bytes than were written to `{}`", volume.display(), path.display())]
    Lying {
        /// The volume.
        volume: PathBuf,
        /// The file.
        path: PathBuf,
    },
    /// Another process has the folder.
    #[error("folder `{}` is in use by another run", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The line to append has a line break in it: our own fault.
    #[error("a line for `{}` has a line break in it", path.display())]
    LineBreak {
        /// The file.
        path: PathBuf,
    },
    /// What was laid aside cannot be had again.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The file or folder is not there.
    #[error("`{}` is missing", path.display())]
    Missing {
        /// The file or folder.
        path: PathBuf,
    },
    /// FAT, or this program, cannot carry the name.
    #[error("name `{name}` cannot stand on media: {why}")]
    Name {
        /// The name.
        name: String,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// Something that is neither a file nor a folder, or one where the other was expected.
    #[error("`{}` is {found}, expected a regular {expected}", path.display())]
    NotRegular {
        /// What it is called.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// `file` or `folder`.
        expected: &'static str,
    },
    /// Two media are one, which would make one copy look like two.
    #[error("media `{}` and `{}` are one {what}", first.display(), second.display())]
    One {
        /// One media.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// `folder` or `file system`.
        what: &'static str,
    },
    /// The media is mounted read-only, or its switch is set.
    #[error("media `{}` is read-only, `{}` cannot be written", volume.display(), path.display())]
    ReadOnly {
        /// The volume.
        volume: PathBuf,
        /// The file.
        path: PathBuf,
    },
    /// Folders stand in folders deeper than anything of ours.
    #[error("`{}` lies deeper than {}", path.display(), Count(*limit, "folder"))]
    TooDeep {
        /// The folder.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// The file has more bytes than its place allows.
    #[error("`{}` is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// The folder holds more files than its place allows.
    #[error("`{}` holds more than {}", root.display(), Count(*limit, "file"))]
    TooMany {
        /// The folder.
        root: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// The files of a folder have more bytes together than their place allows.
    #[error("the files in `{}` are larger than {limit} bytes together", root.display())]
    TooMuch {
        /// The folder.
        root: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// The last line of the file has no end: an earlier run was cut off in it.
    #[error("the last line of `{}` is torn", path.display())]
    Torn {
        /// The file.
        path: PathBuf,
    },
    /// The media carries no marker file: it is not ours, or not mounted.
    #[error("media `{}` has no marker file `{}`", root.display(), Kind::MARKER)]
    Unmarked {
        /// The media.
        root: PathBuf,
    },
    /// The media went away.
    #[error("media `{}` vanished while `{}` was {doing}", volume.display(), path.display())]
    Vanished {
        /// The volume.
        volume: PathBuf,
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        doing: &'static str,
    },
    /// The media is marked as another kind.
    #[error("media `{}` is marked `{found}`, expected `{expected}`", root.display())]
    WrongKind {
        /// The media.
        root: PathBuf,
        /// What its marker says.
        found: Kind,
        /// What this place needs.
        expected: Kind,
    },
}

impl Error {
    /// Names what the file system answered while `path` was `doing`: `read` or `written`.
    pub fn of(path: &Path, doing: &'static str, source: impl Into<io::Error>) -> Self {
        let (path, source) = (path.to_owned(), source.into());
        let errno = source.raw_os_error().map(Errno::from_raw_os_error);
        let volume = || volume_of(&path);
        match errno {
            Some(Errno::NOSPC) => full(path),
            Some(Errno::DQUOT) => Self::Full { volume: volume(), path },
            Some(Errno::ROFS) => Self::ReadOnly { volume: volume(), path },
            Some(errno) if GONE.contains(&errno) => {
                Self::Vanished { volume: volume(), path, doing }
            }
            Some(Errno::NOENT) => Self::Missing { path },
            Some(Errno::ACCESS | Errno::PERM) => Self::Denied { path },
            Some(Errno::EXIST | Errno::NOTEMPTY) => Self::Exists { path },
            Some(Errno::LOOP) => {
                Self::NotRegular { path, found: "a symbolic link", expected: "file or folder" }
            }
            _ => Self::Failed { path, doing, source },
        }
    }

    /// The bytes read back from `path` are other ones.
    pub(super) fn lying(path: &Path) -> Self {
        Self::Lying { volume: volume_of(path), path: path.to_owned() }
    }

    /// The same about what was written just before: what is not there any more was never kept.
    pub(super) fn lost(self) -> Self {
        match self {
            Self::Missing { path } => Self::lying(&path),
            other => other,
        }
    }

    /// The rule that refused, if one did.
    pub fn check(&self) -> Option<Check> {
        match self {
            Self::BadMarker { .. } | Self::Unmarked { .. } | Self::WrongKind { .. } => {
                Some(Check::MediaKind)
            }
            Self::Differ { .. } | Self::One { .. } => Some(Check::MediaTwo),
            Self::Foreign { .. } | Self::Exists { .. } => Some(Check::MediaOwn),
            _ => None,
        }
    }

    /// The refusal, with `standing` as what is now true.
    pub fn refusal(&self, standing: impl Into<String>) -> Refusal {
        let exit = match self {
            Self::LineBreak { .. } => Exit::Ours,
            Self::Name { .. } => Exit::Usage,
            _ if self.check().is_some() => Exit::Refused,
            _ => Exit::Device,
        };
        let mut refusal = Refusal::new(exit, self.to_string()).standing(standing);
        refusal.check = self.check();
        refusal.hints.extend(self.hint().map(str::to_owned));
        if let Self::Failed { source, .. } = self {
            refusal.because = Some(match source.kind() {
                std::io::ErrorKind::NotFound => "no such file or folder".to_owned(),
                kind => kind.to_string(),
            });
        }
        refusal
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::BadMarker { .. } | Self::Unmarked { .. } => {
                "mount the media at this place; a new one is marked by a file `officiant-media` with one line: `in`, `out` or `room`"
            }
            Self::Deceptive { .. } => {
                "it was pulled out, or is smaller than it says: put it aside and use a fresh one"
            }
            Self::Denied { .. } => {
                "give this account access to it, or mount the media for this account"
            }
            Self::Differ { .. } => {
                "find out which of the two was changed; bring a third copy if there is one"
            }
            Self::Exists { .. } => "use an empty volume; nothing is ever overwritten",
            Self::Failed { .. } | Self::Lying { .. } => "put this media aside and use a fresh one",
            Self::Foreign { .. } => "use a volume that holds nothing but its marker file",
            Self::Full { .. } => "use a larger or an empty volume",
            Self::Lost(_) => Lost::HINT,
            Self::Locked { .. } => "end the other run first",
            Self::Missing { .. } => "see that the right media is mounted at this place",
            Self::NotRegular { .. } => {
                "media carries plain files and folders alone; have it written again"
            }
            Self::One { .. } => "put each on a stick of its own, and mount each at its own place",
            Self::ReadOnly { .. } => {
                "set the switch of the media to write, or mount it for writing"
            }
            Self::TooDeep { .. }
            | Self::TooLarge { .. }
            | Self::TooMany { .. }
            | Self::TooMuch { .. } => {
                "this is not what `courier` or `officiant` wrote; have it written again"
            }
            Self::Torn { .. } => "run `resume`: it drops the torn line",
            Self::Vanished { .. } => "insert it again, or a fresh one, and run `resume`",
            Self::WrongKind { .. } => "put the media into the place of its own kind in room.toml",
            Self::Name { .. } => "choose a name that every file system carries",
            Self::LineBreak { .. } => return None,
        })
    }
}

/// Tells a full media from one that only says so: a stick that was pulled answers "full" on FAT.
fn full(path: PathBuf) -> Error {
    let volume = volume_of(&path);
    match rustix::fs::statvfs(&volume) {
        Ok(space) if space.f_bavail.saturating_mul(space.f_frsize) < PLENTY || no_names(&space) => {
            Error::Full { volume, path }
        }
        Ok(space) => {
            Error::Deceptive { volume, path, free: space.f_bavail.saturating_mul(space.f_frsize) }
        }
        Err(_) => Error::Vanished { volume, path, doing: "written" },
    }
}

/// A file system that counts names (inodes) may run out of them first; FAT counts none.
fn no_names(space: &rustix::fs::StatVfs) -> bool {
    space.f_files > 0 && space.f_ffree == 0
}

/// The mount point that `path` lies under: the highest folder of the same device, or the highest one that no
/// longer answers. In the root file system it is the folder of `path`, which says more than `/`.
fn volume_of(path: &Path) -> PathBuf {
    let mut volume: Option<(PathBuf, Option<u64>)> = None;
    for folder in path.ancestors().filter(|folder| !folder.as_os_str().is_empty()) {
        let device = match folder.metadata() {
            Ok(metadata) => Some(metadata.dev()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(_) => None,
        };
        match &volume {
            Some((_, found)) if *found != device => break,
            _ => volume = Some((folder.to_owned(), device)),
        }
    }
    match volume {
        Some((volume, _)) if volume != Path::new("/") => volume,
        _ => path.parent().unwrap_or(path).to_owned(),
    }
}

/// Free bytes with which nothing of ours can be refused for lack of room.
const PLENTY: u64 = 4 << 20;

/// What a media answers when it is no longer there.
const GONE: [Errno; 8] = [
    Errno::CONNABORTED,
    Errno::IO,
    Errno::NODEV,
    Errno::NOMEDIUM,
    Errno::NOTCONN,
    Errno::NXIO,
    Errno::SHUTDOWN,
    Errno::STALE,
];
