//! The folder of one soft token, and the configuration that shows SoftHSM this folder and no other.
//!
//! Room floor: the file system, in that folder.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::refusal::{Exit, Refusal};

/// Gives the configuration file of a soft token's folder, written anew if it does not name this very folder (it may
/// have been moved).
///
/// # Errors
/// [`Error::Missing`] if the folder is not there; [`Error::Path`]; [`Error::Failed`].
pub fn config(folder: &Path) -> Result<PathBuf, Error> {
    let failed = |source| Error::Failed { folder: folder.to_owned(), source };
    let whole = match folder.canonicalize() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(Error::Missing { folder: folder.to_owned() });
        }
        other => other.map_err(failed)?,
    };
    // SoftHSM takes a line's text between its first `=` and a second one, or a `#`, and trims it.
    let text = whole
        .to_str()
        .filter(|text| !text.contains(['=', '#', '\n', '\r']) && text.trim() == *text)
        .map(|text| TEMPLATE.replace("@tokendir@", text))
        .ok_or_else(|| Error::Path { folder: whole.clone() })?;
    let path = whole.join(CONFIG);
    if std::fs::read(&path).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(path);
    }
    replace(&path, &text).map_err(failed)?;
    Ok(path)
}

/// Makes the folder of a new soft token, for this account alone, and gives its configuration file.
///
/// # Errors
/// [`Error::Path`]; [`Error::Failed`].
pub fn make(folder: &Path) -> Result<PathBuf, Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| Error::Failed { folder: folder.to_owned(), source })?;
    config(folder)
}

/// Removes the token of a folder whose making was interrupted, so that it shows an empty one again.
///
/// # Errors
/// [`Error::Failed`].
pub fn clear(folder: &Path) -> Result<(), Error> {
    let failed = |source| Error::Failed { folder: folder.to_owned(), source };
    for entry in folder.read_dir().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            std::fs::remove_dir_all(entry.path()).map_err(failed)?;
        }
    }
    Ok(())
}

/// What is wrong with the folder of a soft token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder cannot be read or written.
    #[error("soft token folder `{}` cannot be used", folder.display())]
    Failed {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder is not there.
    #[error("soft token folder `{}` is missing", folder.display())]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// SoftHSM's configuration cannot carry the path.
    #[error("soft token folder `{}` has `=`, `#`, a line break or space at its end in its path", folder.display())]
    Path {
        /// The folder.
        folder: PathBuf,
    },
}

impl Error {
    /// The refusal, before any act.
    pub fn refusal(&self) -> Refusal {
        let refusal = Refusal::new(Exit::Device, self.to_string());
        match self {
            Self::Failed { source, .. } => refusal
                .because(source.kind())
                .hint("give this account access to the folder, and room in it"),
            Self::Missing { .. } => refusal.hint("a ceremony makes it when it enrols the token"),
            Self::Path { .. } => refusal.hint("choose another path for it in the room file"),
        }
    }
}

/// Several children may ask for the same file at once: each sees the old one or the new one, and never a part.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let temporary = path.with_extension(format!("{}.new", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // Best effort: it holds nothing that matters.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

/// The configuration of every soft token, but for its folder.
const TEMPLATE: &str = include_str!("../../softhsm.conf");

/// The configuration file's name; SoftHSM looks at the folders beside it alone.
pub const CONFIG: &str = "softhsm2.conf";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_soft_token_has_a_folder_of_its_own() {
        let root = std::env::temp_dir().join(format!("officiant-soft-{}", std::process::id()));
        let folder = root.join("tokens/officer-a");
        assert!(matches!(config(&folder), Err(Error::Missing { .. })));
        let path = make(&folder).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let whole = folder.canonicalize().unwrap();
        assert!(text.contains(&format!("\ndirectories.tokendir = {}\n", whole.display())));
        assert!(!text.contains('@'));
        let moved = root.join("moved");
        std::fs::rename(&folder, &moved).unwrap();
        assert!(std::fs::read_to_string(config(&moved).unwrap()).unwrap().contains("/moved\n"));
        assert!(matches!(make(&root.join("a=b")), Err(Error::Path { .. })));
        std::fs::remove_dir_all(root).unwrap();
    }
}
