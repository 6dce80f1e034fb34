//! A change of lists that others are to sign: a folder with the very files that go up, signed by some so far, as the room
//! has it for roots (docs/format.md).
//!
//! Annex: media.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::Error;
use super::draft::Written;
use super::error::Unchanged;
use officiant::digest::Digest;
use officiant::name::Name;
use officiant::room::media::{self, Files, Limits};
use officiant::root::Dialect;
use officiant::root::online::Signed;
use officiant::root::targets::{self, ListRole, Targets};
use officiant::trust::METADATA;

/// A candidate that was written.
pub(crate) struct Candidate {
    /// Where it is.
    pub(crate) folder: PathBuf,
    /// What is consented to.
    pub(crate) digest: Digest,
    /// Of each list: how many have signed, and how many must.
    pub(crate) tallies: BTreeMap<ListRole, (usize, i64)>,
}

impl Candidate {
    /// Writes a change into a new folder.
    ///
    /// # Errors
    /// [`Unchanged::NoNewFolder`], [`Error::Media`].
    pub(crate) fn write(path: &Path, gun: &Name, written: &[Written]) -> Result<Self, Error> {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.filter(|_| !path.exists() && parent.is_dir());
        let name = name.ok_or_else(|| Unchanged::NoNewFolder { folder: path.to_owned() })?;
        let mut files = Files::new();
        for Written { role, signed, .. } in written {
            let version = signed.version().unwrap_or_default();
            let role = role.as_str().replace('/', SLASH);
            let file = format!("{METADATA}/{}/{version}.{role}.json", gun.folder());
            files.insert(file, targets::file(signed));
        }
        media::write_tree(parent, name, &files)?;
        let tally = |w: &Written| (w.role.clone(), (w.tally.counted.len(), w.tally.needed));
        let lists = written.iter().map(|w| (&w.role, &w.signed));
        Ok(Self {
            folder: path.to_owned(),
            digest: digest(gun, lists),
            tallies: written.iter().map(tally).collect(),
        })
    }
}

/// What is consented to when lists are signed: the repository, and of each list its role and what its signatures cover.
pub(crate) fn digest<'a>(
    gun: &Name,
    lists: impl Iterator<Item = (&'a ListRole, &'a Signed)>,
) -> Digest {
    let mut parts = vec![gun.as_str().as_bytes().to_vec()];
    for (role, signed) in lists {
        parts.push(role.as_str().as_bytes().to_vec());
        parts.push(signed.value.go());
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Digest::of_parts(DOMAIN, &parts)
}

/// The lists of a candidate, with the signatures that they have.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) gun: Name,
    pub(crate) lists: BTreeMap<ListRole, (Signed, Targets)>,
}

/// Reads a candidate's folder.
///
/// # Errors
/// [`Unchanged::NoCandidate`], [`Error::Media`].
pub(crate) fn read(folder: &Path) -> Result<Read, Error> {
    let bad = |why: &'static str| Unchanged::NoCandidate { folder: folder.to_owned(), why };
    let (mut gun, mut lists) = (None, BTreeMap::new());
    for (path, bytes) in media::read_tree(folder, Limits::TRUST)? {
        let path = path.strip_prefix(METADATA).and_then(|path| path.strip_prefix('/'));
        let (place, file) =
            path.and_then(|path| path.split_once('/')).ok_or_else(|| bad(FOREIGN))?;
        let own = Name::from_folder(place).ok().flatten().ok_or_else(|| bad(FOREIGN))?;
        if gun.get_or_insert_with(|| own.clone()) != &own {
            return Err(bad("it holds lists of several repositories").into());
        }
        let parts = file.strip_suffix(".json").and_then(|file| file.split_once('.'));
        let (version, role) = parts.ok_or_else(|| bad(FOREIGN))?;
        let role: ListRole = role.replace(SLASH, "/").parse()?;
        let signed = Signed::parse(Dialect::Notary, &bytes);
        let read = signed.and_then(|signed| Some((Targets::read(&signed)?, signed)));
        let (list, signed) = read.ok_or_else(|| bad("it holds a file that is no list"))?;
        if list.version.to_string() != version || list.value() != signed.value {
            return Err(bad("it holds a list in another form than a server keeps").into());
        }
        lists.insert(role, (signed, list));
    }
    match gun {
        Some(gun) => Ok(Read { gun, lists }),
        None => Err(bad("it holds no list").into()),
    }
}

const DOMAIN: &str = "officiant lists v1";
const FOREIGN: &str = "it holds a file that belongs to no candidate";
/// What stands for `/` in a role's name, in the name of a file.
const SLASH: &str = "%2f";
