//! The roots of a trust folder that holds together, and the refusal of what must not leave: custody, rehearsals.
//!
//! Annex: reads the folder that the operator named, once. What a trust folder is, the library says.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use officiant::digest::Digest;
use officiant::files::Files;
use officiant::name::Name;
use officiant::room::media::{self, Kind, Limits};
use officiant::root::{Dialect, SignedRoot};
use officiant::shelf::Lost;
use officiant::trust::{self, METADATA, Past};

use super::Error;
use crate::args;

/// What is to be published.
pub(super) struct Trust {
    /// The closing digest of the last ceremony.
    pub(super) closing: Digest,
    past: Past,
    /// How many roots of each repository are published.
    wanted: BTreeMap<Name, usize>,
}

impl Trust {
    /// The repositories.
    pub(super) fn names(&self) -> impl ExactSizeIterator<Item = &Name> {
        self.wanted.keys()
    }

    /// The roots of a repository that are published, version 1 first.
    ///
    /// # Errors
    /// What a rehearsal made; what keeps them from being read again.
    pub(super) fn roots(&self, name: &Name) -> Result<Vec<SignedRoot>, Error> {
        let mut roots = self.past.chain(name.as_str())?;
        roots.truncate(self.wanted.get(name).copied().unwrap_or_default());
        check_dates(name, &roots)?;
        Ok(roots)
    }
}

/// Reads a trust folder, or the one on `out` media: the repositories of one dialect, or those that are named.
pub(super) fn read(args: &args::Publish, dialect: Dialect) -> Result<Trust, Error> {
    let only = args.repository.iter().map(|name| name.parse());
    let only = only.collect::<Result<Vec<Name>, _>>()?;
    let none = || Error::NoRoots { path: show(&args.trust) };
    let past = past(&args.trust)?;
    if let Some(words) = &args.words {
        past.check_words(words).map_err(Error::Words)?;
    }
    let mut all = BTreeMap::new();
    for (name, lineage) in past.repositories().iter() {
        let many = wanted(&past, name);
        if many > 0 {
            all.insert(name.parse::<Name>()?, (many, lineage.dialect()));
        }
    }
    for name in &only {
        match all.get(name) {
            None => return Err(Error::Other { name: name.clone() }),
            Some((_, found)) if *found != dialect => {
                return Err(Error::Dialect { name: name.clone(), found: *found });
            }
            Some(_) => {}
        }
    }
    all.retain(|name, (_, found)| match only.is_empty() {
        true => *found == dialect,
        false => only.contains(name),
    });
    for name in &args.exclude {
        let name: Name = name.parse()?;
        all.remove(&name).ok_or(Error::Other { name })?;
    }
    let wanted: BTreeMap<Name, usize> =
        all.into_iter().map(|(name, (many, _))| (name, many)).collect();
    let closing = past.last().map(|last| last.closing).filter(|_| !wanted.is_empty());
    let trust = Trust { closing: closing.ok_or_else(none)?, past, wanted };
    trust.names().try_for_each(check_name)?;
    // A rehearsal gives all its roots dates of one day, so the first says it of the folder.
    trust.names().next().map(|name| trust.roots(name)).transpose()?;
    Ok(trust)
}

/// The roots that a trust folder has of one repository, version 1 first: for a client that trusts it.
///
/// # Errors
/// A folder that is no trust folder, or does not hold together; one of a rehearsal.
pub(crate) fn roots_of(path: &Path, name: &Name) -> Result<Vec<SignedRoot>, Error> {
    let past = past(path)?;
    let mut roots = past.chain(name.as_str())?;
    roots.truncate(wanted(&past, name.as_str()));
    check_name(name)?;
    check_dates(name, &roots)?;
    Ok(roots)
}

/// How many roots of a repository go up: a complete root that nobody wanted goes up with the one that follows it, and
/// never alone.
fn wanted(past: &Past, name: &str) -> usize {
    usize::try_from(past.versions(name) - past.unwanted(name)).unwrap_or(usize::MAX)
}

fn past(path: &Path) -> Result<Past, Error> {
    let shelf = media::shelf_anywhere();
    let files = media::lay_tree(&folder(path)?, Limits::TRUST, &shelf)?;
    check_records(&files)?;
    if files.range(METADATA).next().is_none() {
        return Err(Error::NoRoots { path: show(path) });
    }
    Ok(Past::read(files)?)
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
fn check_records(files: &Files) -> Result<(), Error> {
    for (path, bytes) in files.iter().filter(|(path, _)| path.ends_with("/record.jsonl")) {
        let mut lines = bytes.reader();
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).map_err(Lost::from).map_err(trust::Error::from)?
            > 0
        {
            // An entry is one line of JSON without blanks, in which text of people cannot spell this.
            if line.windows(MODE.len()).any(|window| window == MODE) {
                return Err(Error::Rehearsal { what: path.to_owned() });
            }
            line.clear();
        }
    }
    Ok(())
}

/// Refuses the names of a rehearsal (docs/threats.md rule 26).
fn check_name(name: &Name) -> Result<(), Error> {
    match name.as_str().split(['/', ':']).next() {
        Some("rehearsal.invalid") => Err(Error::Rehearsal { what: name.to_string() }),
        _ => Ok(()),
    }
}

/// Refuses the dates of a rehearsal, of thirty years ago (docs/threats.md rule 26).
fn check_dates(name: &Name, chain: &[SignedRoot]) -> Result<(), Error> {
    let oldest = jiff::Timestamp::now().as_second() - 15 * 365 * 86_400;
    match chain.iter().find(|root| root.root().expires().instant().as_second() < oldest) {
        Some(root) => Err(Error::Rehearsal { what: format!("{name} version {}", root.version()) }),
        None => Ok(()),
    }
}

fn show(path: &Path) -> String {
    path.display().to_string()
}

/// What the first entry of a rehearsal's record says.
const MODE: &[u8] = br#""mode":"rehearsal""#;
