//! The key store of `docker trust` and `notary`: `private` in a trust folder, a file for each key, under its id.
//!
//! Annex: reads and writes that folder. What stands in the files is said in docs/format.md; a private key is in memory
//! for one command.

mod error;
mod folder;
mod passphrase;
mod stored;
mod token;

use std::path::{Path, PathBuf};

use officiant::key::file::{self, KeyFile, Salt};
use officiant::key::{PublicKey, Scheme};
use officiant::root::{Dialect, Key, KeyId};
use officiant::secret::Pin;
use passphrase::of_key;
use zeroize::Zeroizing;

use super::environment::{Environment, Holder};
use super::keys::Private;
pub(crate) use error::Error;
pub(crate) use folder::{Writing, place, put, write};
pub(crate) use passphrase::{Wanted, another, confirm, of_file, twice};
pub(crate) use stored::{Listed, Owner, Place, Stored};
use token::OnToken;
pub(crate) use token::{KeyUri, Reach, Reference, variable};

/// The store of one trust folder.
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    /// The store of a trust folder, which need not be there yet.
    pub(crate) fn open(trust_dir: &Path) -> Self {
        Self { folder: trust_dir.join("private") }
    }

    /// Where the files are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every key, those of the layout before Notary 0.4 too, and every file that should be one and is none. In the order
    /// of `notary key list`: roots first, then by repository, role and id.
    ///
    /// # Errors
    /// [`Error::Media`] where the folder cannot be read.
    pub(crate) fn list(&self) -> Result<Listed, Error> {
        stored::list(&self.folder)
    }

    /// The key with that id (the canonical one); none when it is not here.
    ///
    /// # Errors
    /// As [`Store::list`], and [`Error::Damaged`] for a file of that name that is no key.
    pub(crate) fn find(&self, id: &KeyId) -> Result<Option<Stored>, Error> {
        stored::find(&self.folder, id)
    }

    /// The key whose public half this is; none when it is not here.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub(crate) fn find_public(&self, public: &PublicKey) -> Result<Option<Stored>, Error> {
        self.find(&canonical_id(public)?)
    }

    /// The keys of a role: of a repository's `targets` or `snapshot`, or of a signer by name.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub(crate) fn of_owner(&self, owner: &Owner) -> Result<Vec<Stored>, Error> {
        let keys = self.list()?.keys.into_iter();
        Ok(keys.filter(|stored| stored.owner == *owner).collect())
    }

    /// The key that a person names by its id, or by the first seven letters or more of it, as docker shows them.
    ///
    /// # Errors
    /// [`Error::Short`], [`Error::None`], [`Error::Many`].
    pub(crate) fn named(&self, typed: &str) -> Result<Stored, Error> {
        if typed.len() < Stored::SHORT {
            return Err(Error::Short { typed: typed.to_owned() });
        }
        let keys = self.list()?.keys.into_iter();
        let mut keys = keys.filter(|stored| stored.id.as_str().starts_with(typed));
        let typed = typed.to_owned();
        match (keys.next(), keys.next()) {
            (Some(stored), None) => Ok(stored),
            (Some(_), Some(_)) => Err(Error::Many { typed }),
            (None, _) => Err(Error::None { typed, folder: self.folder.clone() }),
        }
    }

    /// Makes a key ready to sign: the passphrase comes from the environment, or is asked for once.
    ///
    /// # Errors
    /// [`Error::Root`]: root keys sign in the room. Those of [`Store::read`].
    pub(crate) fn unlock(&self, stored: &Stored) -> Result<Signer, Error> {
        if stored.owner.holder() == Holder::Root {
            return Err(Error::Root { id: stored.short().to_owned() });
        }
        match &stored.place {
            Place::File { .. } => self.read(stored).map(Signer::from),
            Place::Token(reference) => reference.open().map(Signer::Token),
        }
    }

    /// The public half of a key: a token's stands in its reference, a file's is behind its passphrase.
    ///
    /// # Errors
    /// Those of [`Store::read`].
    pub(crate) fn public(&self, stored: &Stored) -> Result<PublicKey, Error> {
        match &stored.place {
            Place::File { .. } => Ok(self.read(stored)?.public().clone()),
            Place::Token(reference) => Ok(reference.public().clone()),
        }
    }

    /// The private key of a file, by a passphrase that is set for its role, or by one that is asked for once.
    ///
    /// # Errors
    /// [`Error::Passphrase`], [`Error::Unasked`], [`Error::Damaged`], [`Error::Other`], [`Error::Key`].
    pub(crate) fn read(&self, stored: &Stored) -> Result<Private, Error> {
        let block = stored.block()?;
        if !block.is_encrypted() {
            return stored.private(block.der());
        }
        let mut set = Environment::passphrases(stored.owner.holder()).peekable();
        let is_set = set.peek().is_some();
        for pin in set {
            if let Some(private) = stored.opened(&block, &pin)? {
                return Ok(private);
            }
        }
        let private = match is_set {
            true => None,
            false => stored.opened(&block, &of_key(stored)?)?,
        };
        private.ok_or_else(|| Error::Passphrase { what: stored.to_string(), is_set })
    }

    /// Begins to write: no other run of `courier` writes meanwhile.
    ///
    /// # Errors
    /// [`Error::Media`].
    pub(crate) fn writing(&self) -> Result<Writing, Error> {
        Writing::begin(&self.folder)
    }
}

/// A key that signs.
pub(crate) enum Signer {
    /// A key in memory.
    File(Private),
    /// One on a token, which is open as long as this value lives.
    Token(OnToken),
}

impl From<Private> for Signer {
    fn from(private: Private) -> Self {
        Self::File(private)
    }
}

impl Signer {
    /// The public half.
    pub(crate) fn public(&self) -> &PublicKey {
        match self {
            Self::File(private) => private.public(),
            Self::Token(token) => token.public(),
        }
    }

    /// Signs `message` as `scheme` wants it, and verifies the signature.
    ///
    /// # Errors
    /// [`Error::Key`], [`Error::Token`].
    pub(crate) fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, Error> {
        match self {
            Self::File(private) => Ok(private.sign(scheme, message)?),
            Self::Token(token) => token.sign(scheme, message),
        }
    }
}

/// The id under which Notary keeps and lists a key.
///
/// # Errors
/// [`Error::Kind`] for a key that Notary has no name for.
pub(crate) fn canonical_id(public: &PublicKey) -> Result<KeyId, Error> {
    let key = Key::plain(Dialect::Notary, public);
    key.map(|key| key.id().clone()).map_err(|_| Error::Kind { algorithm: public.algorithm() })
}

/// The file of a key as docker and notary read it, encrypted anew.
///
/// # Errors
/// [`Error::Crypto`].
pub(crate) fn encrypted(private: &Private, owner: &Owner, pin: &Pin) -> Result<String, Error> {
    let mut drawn = Salt { salt: [0; 8], iv: [0; 16] };
    let random =
        aws_lc_rs::rand::fill(&mut drawn.salt).and_then(|()| aws_lc_rs::rand::fill(&mut drawn.iv));
    random.map_err(|_| Error::Crypto)?;
    let der: Zeroizing<Vec<u8>> = private.to_notary().ok_or(Error::Crypto)?;
    let der = file::encrypt(&der, pin.expose().as_bytes(), &drawn).ok_or(Error::Crypto)?;
    Ok(file::write(file::ENCRYPTED, &owner.headers(), &der))
}

/// The first private key of a file's blocks, by its headers.
fn block_of(path: &Path, bytes: &[u8]) -> Result<KeyFile, Error> {
    let damaged = |why: String| Error::Damaged { path: path.to_owned(), why };
    let block = KeyFile::read(bytes).map_err(|error| damaged(error.to_string()))?;
    match block.label().ends_with("PRIVATE KEY") {
        true => Ok(block),
        false => Err(damaged(format!("it holds a `{}`", block.label()))),
    }
}

/// Whether a name is kept for a role: no signer has it.
pub(crate) fn is_reserved(name: &str) -> bool {
    ["releases", "root", "snapshot", "targets", "timestamp"].contains(&name)
}
