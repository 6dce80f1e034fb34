//! The roots of a trust folder that holds together, and the refusal of what must not leave: custody, rehearsals.
//!
//! Annex: reads the folder that the operator named, once, into memory. What a trust folder is, the library says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use officiant::digest::Digest;
use officiant::name::Name;
use officiant::room::media::{self, Files, Kind, Limits, read_tree};
use officiant::root::{Dialect, SignedRoot};
use officiant::trust::{METADATA, Past};

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
    pub(super) fn roots(&self, name: &Name) -> &[SignedRoot] {
        let wanted = self.wanted.get(name).copied().unwrap_or_default();
        self.past.chain(name.as_str()).get(..wanted).unwrap_or_default()
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
    let mut roots = BTreeMap::new();
    for (name, chain) in past.repositories() {
        let wanted = wanted(&past, name, chain);
        if !wanted.is_empty() {
            roots.insert(name.parse::<Name>()?, wanted);
        }
    }
    let of = |chain: &[SignedRoot]| chain.first().map(|root| root.root().dialect());
    for name in &only {
        match roots.get(name).and_then(|chain| of(chain)) {
            None => return Err(Error::Other { name: name.clone() }),
            Some(found) if found != dialect => {
                return Err(Error::Dialect { name: name.clone(), found });
            }
            Some(_) => {}
        }
    }
    roots.retain(|name, chain| match only.is_empty() {
        true => of(chain) == Some(dialect),
        false => only.contains(name),
    });
    for name in &args.exclude {
        let name: Name = name.parse()?;
        roots.remove(&name).ok_or(Error::Other { name })?;
    }
    for (name, chain) in &roots {
        check_real(name, chain)?;
    }
    let wanted: BTreeMap<Name, usize> =
        roots.into_iter().map(|(name, chain)| (name, chain.len())).collect();
    match past.last().map(|last| last.closing) {
        Some(closing) if !wanted.is_empty() => Ok(Trust { closing, past, wanted }),
        _ => Err(none()),
    }
}

/// The roots that a trust folder has of one repository, version 1 first: for a client that trusts it.
///
/// # Errors
/// A folder that is no trust folder, or does not hold together; one of a rehearsal.
pub(crate) fn roots_of(path: &Path, name: &Name) -> Result<Vec<SignedRoot>, Error> {
    let past = past(path)?;
    let roots = wanted(&past, name.as_str(), past.chain(name.as_str())).to_vec();
    check_real(name, &roots)?;
    Ok(roots)
}

/// A complete root that nobody wanted goes up with the one that follows it, and never alone.
fn wanted<'c>(past: &Past, name: &str, chain: &'c [SignedRoot]) -> &'c [SignedRoot] {
    &chain[..chain.len() - past.unwanted(name).len()]
}

fn past(path: &Path) -> Result<Past, Error> {
    let files = read_tree(&folder(path)?, Limits::TRUST)?;
    check_records(&files)?;
    if !files.keys().any(|path| path.starts_with(METADATA)) {
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
        // An entry is one line of JSON without blanks, in which text of people cannot spell this.
        if bytes.windows(MODE.len()).any(|window| window == MODE) {
            return Err(Error::Rehearsal { what: path.clone() });
        }
    }
    Ok(())
}

/// Refuses what a rehearsal made: its names, and its dates of thirty years ago (docs/threats.md rule 26).
fn check_real(name: &Name, chain: &[SignedRoot]) -> Result<(), Error> {
    let host = name.as_str().split(['/', ':']).next().unwrap_or_default();
    if host == "rehearsal.invalid" {
        return Err(Error::Rehearsal { what: name.to_string() });
    }
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
