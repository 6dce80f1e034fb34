//! The roots of a trust folder, and the refusal of what must not leave: custody, rehearsals.
//!
//! Annex: reads the folder that the operator named, once, into memory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use officiant::name::{self, Name};
use officiant::request::MAX_ROOT;
use officiant::room::media::{self, Files, Kind, Limits, read_tree};
use officiant::root::{Dialect, SignedRoot};

use super::Error;

/// The roots of each repository, by version.
pub(super) type Roots = BTreeMap<Name, BTreeMap<u64, SignedRoot>>;

/// Reads a trust folder, or the one on `out` media; only the repositories in `only`, unless it is empty.
pub(super) fn read(path: &Path, dialect: Dialect, only: &[String]) -> Result<Roots, Error> {
    let only = only.iter().map(|name| name.parse()).collect::<Result<Vec<Name>, _>>()?;
    let files = read_tree(&folder(path)?, LIMITS)?;
    check_records(&files)?;
    let mut roots = roots(&files, dialect, &only)?;
    if let Some(name) = only.iter().find(|name| !roots.contains_key(name)) {
        return Err(Error::Other { name: name.clone() });
    }
    roots.retain(|name, _| only.is_empty() || only.contains(name));
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
    let whole = fs::canonicalize(path).map_err(|_| Error::NoRoots { path: show(path) })?;
    for folder in whole.ancestors().take(3) {
        if folder.join(Kind::MARKER).exists() {
            media::expect(folder, Kind::Out)?;
        }
    }
    let is_custody = whole.file_name().is_some_and(|name| name == "custody");
    if is_custody || whole.join("custody").is_dir() {
        return Err(Error::Custody { path: show(path) });
    }
    let below = whole.join("trust");
    Ok(if below.is_dir() { below } else { whole })
}

/// Refuses a trust folder in which a record says that it is of a rehearsal.
///
/// Whether the ceremonies hold together is for `officiant verify`: nothing in them makes a root good that the
/// published chain does not.
fn check_records(files: &Files) -> Result<(), Error> {
    for (path, bytes) in files.iter().filter(|(path, _)| path.ends_with("/record.jsonl")) {
        // An entry is one line of JSON without blanks, in which text of people cannot spell this.
        if bytes.windows(MODE.len()).any(|window| window == MODE) {
            return Err(Error::Rehearsal { what: path.clone() });
        }
    }
    Ok(())
}

fn roots(files: &Files, dialect: Dialect, only: &[Name]) -> Result<Roots, Error> {
    let mut roots = Roots::new();
    let start = "metadata/".to_owned();
    for (path, bytes) in files.range(start.clone()..) {
        let Some(rest) = path.strip_prefix(&start) else { break };
        let bad = || Error::Stranger { path: path.clone() };
        let (folder, file) = rest.split_once('/').ok_or_else(bad)?;
        // The folder of an over-long name does not spell it, so that it must be named.
        let spelt = Name::from_folder(folder)?.or_else(|| long(only, folder));
        let name = spelt.ok_or_else(|| name::Error::Folder { folder: folder.to_owned() })?;
        let root = SignedRoot::parse(dialect, bytes)
            .map_err(|source| Error::Root { path: path.clone(), source })?;
        let version = root.version();
        if file != format!("{version}.root.json") {
            return Err(bad());
        }
        roots.entry(name).or_default().insert(version.get(), root);
    }
    Ok(roots)
}

fn long(only: &[Name], folder: &str) -> Option<Name> {
    only.iter().find(|name| name.folder() == folder).cloned()
}

/// Refuses what a rehearsal made: its names, and its dates of thirty years ago (docs/threats.md rule 26).
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

/// What the first entry of a rehearsal's record says.
const MODE: &[u8] = br#""mode":"rehearsal""#;

const LIMITS: Limits =
    Limits { files: 500_000, bytes_each: MAX_ROOT as u64 * 16, bytes_total: 4 << 30, depth: 8 };
