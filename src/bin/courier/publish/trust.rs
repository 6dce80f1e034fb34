//! The roots of a trust folder, and the refusal of what must not leave: custody, rehearsals.
//!
//! Annex: reads the folder that the operator named.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use officiant::name::Name;
use officiant::request::MAX_ROOT;
use officiant::room::media::{self, Kind};
use officiant::root::{Dialect, SignedRoot};

use super::Error;
use crate::files;

/// The roots of each repository, by version.
pub(super) type Roots = BTreeMap<Name, BTreeMap<u64, SignedRoot>>;

/// Reads a trust folder, or the one on `out` media; only the repositories in `only`, unless it is empty.
pub(super) fn read(path: &Path, dialect: Dialect, only: &[String]) -> Result<Roots, Error> {
    let trust = folder(path)?;
    let metadata = trust.join("metadata");
    let mut roots = Roots::new();
    let entries = fs::read_dir(&metadata).map_err(|_| Error::NoRoots { path: show(path) })?;
    for entry in entries.filter_map(Result::ok) {
        let folder = entry.file_name().to_string_lossy().into_owned();
        if let Some(name) = Name::from_folder(&folder)? {
            roots.insert(name, versions(&entry.path(), dialect)?);
        } else if let Some(name) = only.iter().find_map(|name| long(name, &folder)) {
            roots.insert(name, versions(&entry.path(), dialect)?);
        } else {
            // The folder of an over-long name does not spell it: it must be said.
            return Err(Error::Name(officiant::name::Error::Folder { folder }));
        }
    }
    if !only.is_empty() {
        let names = only.iter().map(|name| name.parse()).collect::<Result<Vec<Name>, _>>()?;
        if let Some(name) = names.iter().find(|name| !roots.contains_key(name)) {
            return Err(Error::Other { name: name.clone() });
        }
        roots.retain(|name, _| names.contains(name));
    }
    roots.retain(|_, versions| !versions.is_empty());
    if roots.is_empty() {
        return Err(Error::NoRoots { path: show(path) });
    }
    for (name, versions) in &roots {
        check_real(name, versions)?;
    }
    Ok(roots)
}

/// Finds the trust folder, and refuses media and folders that must stay in the room.
fn folder(path: &Path) -> Result<PathBuf, Error> {
    let custody = |folder: &Path| {
        folder.file_name().is_some_and(|name| name == "custody") || folder.join("custody").is_dir()
    };
    let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    for folder in whole.ancestors().take(3) {
        if folder.join(Kind::MARKER).exists() {
            media::expect(folder, Kind::Out)?;
        }
        if folder.join("REHEARSAL").exists() {
            return Err(Error::Rehearsal { what: show(folder) });
        }
    }
    if custody(&whole) {
        return Err(Error::Custody { path: show(path) });
    }
    let below = whole.join("trust");
    if below.is_dir() {
        if below.join("REHEARSAL").exists() {
            return Err(Error::Rehearsal { what: show(&below) });
        }
        return Ok(below);
    }
    Ok(whole)
}

fn long(name: &str, folder: &str) -> Option<Name> {
    let name: Name = name.parse().ok()?;
    (name.folder() == folder).then_some(name)
}

fn versions(folder: &Path, dialect: Dialect) -> Result<BTreeMap<u64, SignedRoot>, Error> {
    let mut roots = BTreeMap::new();
    let entries = fs::read_dir(folder).map_err(|_| Error::NoRoots { path: show(folder) })?;
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let version = file.strip_suffix(".root.json").and_then(|n| n.parse::<u64>().ok());
        let missing = || Error::NoRoots { path: show(&path) };
        let bytes = files::read(&path, MAX_ROOT)?.ok_or_else(missing)?;
        let root = SignedRoot::parse(dialect, &bytes)
            .map_err(|source| Error::Root { path: show(&path), source })?;
        if version != Some(root.version().get()) {
            return Err(missing());
        }
        roots.insert(root.version().get(), root);
    }
    Ok(roots)
}

/// Refuses what a rehearsal made: its names, and its dates of thirty years ago (security.md rule 26).
fn check_real(name: &Name, versions: &BTreeMap<u64, SignedRoot>) -> Result<(), Error> {
    let host = name.as_str().split(['/', ':']).next().unwrap_or_default();
    if host == "rehearsal.invalid" {
        return Err(Error::Rehearsal { what: name.to_string() });
    }
    let oldest = jiff::Timestamp::now().as_second() - 15 * 365 * 86_400;
    match versions.values().find(|root| root.root().expires().instant().as_second() < oldest) {
        Some(root) => Err(Error::Rehearsal { what: format!("{name} version {}", root.version()) }),
        None => Ok(()),
    }
}

fn show(path: &Path) -> String {
    path.display().to_string()
}
