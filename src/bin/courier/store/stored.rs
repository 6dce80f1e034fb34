//! A key of the store, as its file tells without being opened.
//!
//! Annex: reads the store's folder.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use officiant::key::file::{KeyFile, MAX_BYTES};
use officiant::room::media;
use officiant::root::KeyId;
use officiant::secret::Pin;
use officiant::wording::one_line;
use zeroize::Zeroizing;

use super::{Error, Reference, block_of, canonical_id, token};
use crate::environment::Holder;
use crate::keys::{self, Private};

/// Whose a key is, as its file says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner {
    /// The repository; none for roots and signers.
    pub(crate) gun: Option<String>,
    /// `root`, `targets`, `snapshot`, or the name of a signer; empty where the file says nothing.
    pub(crate) role: String,
}

impl Owner {
    /// A signer, who may sign for any repository that takes him.
    pub(crate) fn signer(name: &str) -> Self {
        Self { gun: None, role: name.to_owned() }
    }

    /// For whose key its passphrase is set.
    pub(crate) fn holder(&self) -> Holder {
        match self.role.as_str() {
            "root" => Holder::Root,
            "snapshot" => Holder::Snapshot,
            "targets" => Holder::Targets,
            _ => Holder::Delegation,
        }
    }

    /// The headers of its file.
    pub(crate) fn headers(&self) -> Vec<(&str, &str)> {
        let gun = self.gun.iter().map(|gun| ("gun", gun.as_str()));
        gun.chain((!self.role.is_empty()).then_some(("role", self.role.as_str()))).collect()
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Both are whatever stands in a file.
        match &self.gun {
            Some(gun) => write!(f, "{} of {}", one_line(&self.role), one_line(gun)),
            None => f.write_str(&one_line(&self.role)),
        }
    }
}

/// A key of the store.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// The canonical id, which is the file's name.
    pub(crate) id: KeyId,
    /// Whose it is.
    pub(crate) owner: Owner,
    /// Its file.
    pub(crate) path: PathBuf,
    /// What the file is.
    pub(crate) place: Place,
}

/// Where a key is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In the file.
    File {
        /// Whether a passphrase opens it.
        is_encrypted: bool,
    },
    /// On a token, which the file names.
    Token(Box<Reference>),
}

impl Stored {
    /// How many letters of an id docker shows, and a person types.
    pub(crate) const SHORT: usize = 7;

    /// The first letters of its id.
    pub(crate) fn short(&self) -> &str {
        self.id.as_str().get(..Self::SHORT).unwrap_or_default()
    }

    /// The block in its file.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Media`].
    pub(crate) fn block(&self) -> Result<KeyFile, Error> {
        let bytes = Zeroizing::new(media::read_file(&self.path, MAX_BYTES as u64)?);
        block_of(&self.path, &bytes)
    }

    /// The private key in DER, if it is the one that the file is named after.
    ///
    /// # Errors
    /// [`Error::Other`]; [`Error::Key`] for what is none.
    pub(super) fn private(&self, der: &[u8]) -> Result<Private, Error> {
        let private = Private::from_der(&self.path, der)?;
        let found = canonical_id(private.public())?;
        match found == self.id {
            true => Ok(private),
            false => Err(Error::Other { path: self.path.clone(), found }),
        }
    }

    /// The private key by a passphrase; none when it is another one.
    ///
    /// # Errors
    /// [`Error::Other`]; [`Error::Key`] for what is no key that is read here.
    pub(super) fn opened(&self, block: &KeyFile, pin: &Pin) -> Result<Option<Private>, Error> {
        let Ok(der) = block.open(pin.expose().as_bytes()) else { return Ok(None) };
        self.private(&der).map(Some)
    }

    fn read(at: &Path, id: &str, old: Owner) -> Result<Self, Error> {
        let damaged = |why: &str| Error::Damaged { path: at.to_owned(), why: why.to_owned() };
        let bytes = Zeroizing::new(media::read_file(at, MAX_BYTES as u64)?);
        let is_reference = at.to_string_lossy().ends_with(token::EXTENSION);
        let (block, place) = if is_reference {
            let block = KeyFile::read(&bytes).map_err(|error| damaged(&error.to_string()))?;
            let reference = Reference::of(&block);
            let reference = reference.ok_or_else(|| damaged("it names no key on a token"))?;
            let found = canonical_id(reference.public())?;
            if found.as_str() != id {
                return Err(Error::Other { path: at.to_owned(), found });
            }
            (block, Place::Token(Box::new(reference)))
        } else {
            let block = block_of(at, &bytes)?;
            let is_encrypted = block.is_encrypted();
            (block, Place::File { is_encrypted })
        };
        let is_id = id.len() == 64 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !is_id {
            return Err(damaged("its name is no id of a key"));
        }
        let header = |name: &str| block.header(name).map(str::to_owned);
        let owner =
            Owner { gun: header("gun").or(old.gun), role: header("role").unwrap_or(old.role) };
        Ok(Self { id: KeyId::new(id), owner, path: at.to_owned(), place })
    }
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {} ({})", self.short(), self.owner)
    }
}

/// A file of the store that is no key, or none that can be read.
#[derive(Debug)]
pub(crate) struct Unread {
    /// The file.
    pub(crate) path: PathBuf,
    /// Why.
    pub(crate) why: Error,
}

/// What a store holds.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// The keys.
    pub(crate) keys: Vec<Stored>,
    /// What is none.
    pub(crate) unread: Vec<Unread>,
}

impl Listed {
    fn take(&mut self, path: PathBuf, id: &str, old: Owner) {
        match Stored::read(&path, id, old) {
            Ok(stored) => self.keys.push(stored),
            Err(why) => self.unread.push(Unread { path, why }),
        }
    }

    /// Files of a folder of the layout before Notary 0.4: the role stands in the name, the repository in the path.
    fn take_old(&mut self, folder: &Path, gun: &str, deep: usize) -> Result<(), Error> {
        for path in entries(folder)? {
            let name = name_of(&path);
            if path.is_dir() && !path.is_symlink() && deep > 0 {
                let gun = if gun.is_empty() { name } else { format!("{gun}/{name}") };
                self.take_old(&path, &gun, deep - 1)?;
            } else if let Some(stem) = name.strip_suffix(EXTENSION) {
                let (id, role) = stem.split_once('_').unwrap_or((stem, ""));
                let gun = (!gun.is_empty()).then(|| gun.to_owned());
                let old = Owner { gun, role: role.to_owned() };
                self.take(path.clone(), id, old);
            }
        }
        Ok(())
    }
}

/// Lists a store's folder; one that is not there holds nothing.
pub(super) fn list(folder: &Path) -> Result<Listed, Error> {
    let mut listed = Listed::default();
    for path in entries(folder)? {
        let name = name_of(&path);
        let stem = name.strip_suffix(EXTENSION).or(name.strip_suffix(token::EXTENSION));
        if let Some(stem) = stem {
            listed.take(path.clone(), stem, Owner::signer(""));
        }
    }
    for old in OLD {
        listed.take_old(&folder.join(old), "", DEEPEST)?;
    }
    // A key that a file of the old layout has too is told once.
    let mut ids = BTreeSet::new();
    listed.keys.retain(|stored| ids.insert(stored.id.clone()));
    listed.keys.sort_by(|a, b| order(a).cmp(&order(b)));
    listed.unread.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(listed)
}

/// Finds one key without reading the others: in a store of thousands that is most of the time.
pub(super) fn find(folder: &Path, id: &KeyId) -> Result<Option<Stored>, Error> {
    for extension in [EXTENSION, token::EXTENSION] {
        let path = folder.join(format!("{id}{extension}"));
        match Stored::read(&path, id.as_str(), Owner::signer("")) {
            Err(Error::Media(media::Error::Missing { .. })) => {}
            stored => return stored.map(Some),
        }
    }
    let mut listed = Listed::default();
    for old in OLD {
        listed.take_old(&folder.join(old), "", DEEPEST)?;
    }
    Ok(listed.keys.into_iter().find(|stored| stored.id == *id))
}

fn order(stored: &Stored) -> (bool, &Owner, &str) {
    (stored.owner.holder() != Holder::Root, &stored.owner, stored.id.as_str())
}

/// What stands in a folder, links too.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| media::Error::Failed { path: folder.to_owned(), doing: "read", source };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    Ok(paths.collect::<Result<_, _>>().map_err(failed)?)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl From<keys::Error> for Error {
    fn from(error: keys::Error) -> Self {
        Self::Key(error)
    }
}

/// By which docker and notary know a key.
pub(super) const EXTENSION: &str = ".key";
/// The folders before Notary 0.4, which it empties when it meets them.
const OLD: [&str; 2] = ["root_keys", "tuf_keys"];
/// As many parts as a repository's name can have.
const DEEPEST: usize = 128;
