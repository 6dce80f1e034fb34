//! What was last trusted of a repository, where docker and notary keep it too: `tuf/GUN/metadata` in the trust folder
//! of the person.
//!
//! Annex: files. What they say is judged by the client, each time.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use officiant::name::Name;
use officiant::room::media;

use crate::files;

/// The cache of one repository.
#[derive(Clone)]
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// That of `gun` below the trust folder of the person, which need not be there yet. No segment of a name leads out
    /// of it.
    pub(crate) fn of(trust_dir: &Path, gun: &Name) -> Self {
        Self { folder: trust_dir.join("tuf").join(gun.as_str()).join("metadata") }
    }

    /// The file of a role; none where there is none.
    ///
    /// # Errors
    /// As [`media::read_file`].
    pub(crate) fn read(&self, role: &str) -> Result<Option<Vec<u8>>, media::Error> {
        match is_of_another(role) {
            true => Ok(None),
            false => files::read(&self.file(role), MOST),
        }
    }

    /// Puts files of roles into the places of the ones before, in this order, each whole or not at all: all are synced
    /// before the first is placed, and each folder once. Others may do so at once.
    ///
    /// # Errors
    /// [`media::Error::Failed`].
    pub(crate) fn write(&self, files: &[(&str, &[u8])]) -> Result<(), media::Error> {
        let files = files.iter().filter(|(role, _)| !is_of_another(role));
        let files: Vec<(New, &[u8])> =
            files.map(|(role, bytes)| (New::of(self.file(role)), *bytes)).collect();
        for (new, bytes) in &files {
            new.write(bytes).map_err(|source| new.failed(source))?;
        }
        for (new, _) in &files {
            fs::rename(&new.beside, &new.path).map_err(|source| new.failed(source))?;
        }
        let folders: BTreeSet<&Path> =
            files.iter().filter_map(|(new, _)| new.path.parent()).collect();
        for folder in folders {
            let synced = File::open(folder).and_then(|folder| folder.sync_all());
            let path = folder.to_owned();
            synced.map_err(|source| media::Error::Failed { path, doing: "written", source })?;
        }
        Ok(())
    }

    fn file(&self, role: &str) -> PathBuf {
        self.folder.join(format!("{role}.json"))
    }
}

/// A file that is written beside its place; it is gone when it was not placed.
struct New {
    beside: PathBuf,
    path: PathBuf,
}

impl New {
    fn of(path: PathBuf) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self { beside: path.with_extension(format!("json.{}-{count}", std::process::id())), path }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut new = OpenOptions::new();
        let mut file = new.write(true).create_new(true).mode(0o600).open(&self.beside)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn failed(&self, source: io::Error) -> media::Error {
        media::Error::Failed { path: self.path.clone(), doing: "written", source }
    }
}

impl Drop for New {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.beside);
    }
}

/// Whether the file of a role is where another repository keeps one: `targets/metadata/root` of `a` is the root of
/// `a/metadata/targets`. Such a list is not remembered.
fn is_of_another(role: &str) -> bool {
    role.split('/').any(|segment| segment == "metadata")
}

/// As large as a list of targets may be.
const MOST: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_list_is_kept_where_another_repository_keeps_its_own_files() {
        let folder = std::env::temp_dir().join(format!("officiant-cache-{}", std::process::id()));
        let of = |gun: &str| Cache::of(&folder, &gun.parse().unwrap());
        let (one, other) = (of("a"), of("a/metadata/targets"));
        let role = "targets/metadata/root";
        assert_eq!(one.file(role), other.file("root"));
        other.write(&[("root", b"its own")]).unwrap();
        one.write(&[(role, b"planted")]).unwrap();
        assert_eq!(one.read(role).unwrap(), None);
        assert_eq!(other.read("root").unwrap().unwrap(), b"its own");
        // Any other list is.
        one.write(&[("targets/releases", b"list")]).unwrap();
        assert_eq!(one.read("targets/releases").unwrap().unwrap(), b"list");
        fs::remove_dir_all(folder).unwrap();
    }
}
