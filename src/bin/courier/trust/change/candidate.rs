//! A change of lists that others are to sign: a folder with the very files that go up, signed by some so far, as the room
//! has it for roots (docs/format.md).
//!
//! Annex: media.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use officiant::digest::Digest;
use officiant::name::Name;
use officiant::room::media::{self, Files, Limits};
use officiant::root::online::Signed;
use officiant::root::targets::{self, ListRole, Targets};
use officiant::root::threshold::{Electorate, verifies};
use officiant::root::{Dialect, KeyId, Signature};
use officiant::trust::METADATA;
use serde_json::{Value, json};

use super::super::Error;
use super::at_hand::KeysAtHand;
use super::draft::Written;
use super::error::Unchanged;
use crate::report::words;

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
        let (parent, name) = media::new_folder(path)
            .ok_or_else(|| Unchanged::NoNewFolder { folder: path.to_owned() })?;
        let mut files = Files::new();
        for list in written {
            let (version, role) = (list.version(), list.role.as_str().replace('/', SLASH));
            let file = format!("{METADATA}/{}/{version}.{role}.json", gun.folder());
            files.insert(file, targets::file(&list.signed));
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

    /// Where it is and what is to be compared, for people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (role, (found, needed)) in &self.tallies {
            text += &format!("  `{role}`: {found} signed, {needed} needed\n");
        }
        text += &format!("written   {}\n", self.folder.display());
        text += &format!("digest    {}\n", self.digest.grouped());
        text += &words("words     ", &self.digest);
        text + "next      the others compare the digest, and sign by `courier countersign`\n"
    }

    /// The same for machines.
    pub(crate) fn json(&self) -> Value {
        json!({ "folder": self.folder, "digest": self.digest, "words": self.digest.words() })
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

/// Joins the signatures of folders that hold one change.
pub(crate) fn join(folders: &[PathBuf]) -> Result<Read, Error> {
    let mut joined: Option<Read> = None;
    for folder in folders {
        let read = read(folder)?;
        let Some(joined) = &mut joined else {
            joined = Some(read);
            continue;
        };
        let same = |joined: &Read| {
            let values = |read: &Read| -> Vec<_> {
                read.lists.iter().map(|(r, (s, _))| (r.clone(), s.value.clone())).collect()
            };
            joined.gun == read.gun && values(joined) == values(&read)
        };
        if !same(joined) {
            let why = "it holds another change than the first folder";
            return Err(Error::from(Unchanged::NoCandidate { folder: folder.clone(), why }));
        }
        for (role, (signed, _)) in read.lists {
            if let Some((first, _)) = joined.lists.get_mut(&role) {
                first.signatures.extend(signed.signatures);
            }
        }
    }
    Ok(joined.ok_or(Unchanged::Nothing { what: "name a candidate's folder" })?)
}

/// Keeps every good signature once, in the order of the keys' ids, and adds those of the keys at hand.
pub(crate) fn sign(
    electorate: &Electorate<'_>,
    signed: &Signed,
    keys: &mut KeysAtHand,
    role: &ListRole,
) -> Result<Signed, Error> {
    let message = signed.value.go();
    let mut all: BTreeMap<KeyId, Signature> = BTreeMap::new();
    for signature in &signed.signatures {
        let key = electorate.keys.get(&signature.key);
        if !key.is_some_and(|key| verifies(Dialect::Notary, key, &message, signature)) {
            return Err(Error::from(Unchanged::Stranger {
                role: role.clone(),
                id: signature.key.clone(),
            }));
        }
        all.insert(signature.key.clone(), signature.clone());
    }
    for signature in keys.sign(electorate, &message)? {
        all.entry(signature.key.clone()).or_insert(signature);
    }
    Ok(Signed { value: signed.value.clone(), signatures: all.into_values().collect() })
}

const DOMAIN: &str = "officiant lists v1";
const FOREIGN: &str = "it holds a file that belongs to no candidate";
/// What stands for `/` in a role's name, in the name of a file.
const SLASH: &str = "%2f";
