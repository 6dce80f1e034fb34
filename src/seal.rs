//! An `age` file around one share, for the one token, identity or passphrase that can open it.
//!
//! First floor: pure but for one named impurity: `age` draws its own file key and ephemeral key from the kernel's
//! generator (docs/threats.md rule 16). Runs in the vault only.
//!
//! The file is C2SP `age.md` with one stanza of a tagged recipient: `-> p256tag TAG ENC` for a P-256 key that never leaves
//! its token, or `-> mlkem768p256tag TAG ENC` for a token that has an ML-KEM-768 key beside it, where ENC is the ML-KEM
//! ciphertext and then the point. Opening has two phases, because only the token can use its keys: [`asked`] reads ENC,
//! the token agrees with the point and decapsulates the ciphertext, and [`open`] does the rest of HPKE (RFC 9180, base
//! mode, HKDF-SHA256, ChaCha20Poly1305, the stanza's name as info) with what the token gave.

mod hpke;
mod identity;
mod key;
mod passphrase;
mod plugin;

use std::cell::Cell;
use std::io::{Read, Write};

use age::{Decryptor, Encryptor, Identity, Recipient};
use age_core::format::{FileKey, Stanza};
use data_encoding::BASE64_NOPAD;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::key::{AgeKey, Algorithm};
use crate::secret::{Identity as AgeIdentity, Passphrase, Secret, SecretBytes};

pub use identity::{open_by_identity, seal_to_age, unlock_by_identity};
pub use key::SealKey;
pub use passphrase::{open_by_passphrase, seal_to_passphrase, unlock_by_passphrase};
pub use plugin::{asked_of_yubikey, open_by_yubikey};

/// The longest secret that is sealed, in bytes.
pub const MAX_SECRET: usize = 4096;

/// The longest file that is opened, in bytes: `age` adds a header with a random stanza that no one reads.
pub const MAX_FILE: usize = 16 << 10;

/// What a share is sealed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SealTo {
    /// A key of `age` that its holder has.
    Age(AgeKey),
    /// A passphrase that is drawn for it, and shown once.
    Passphrase,
    /// A key of a token.
    Token(SealKey),
}

impl From<SealKey> for SealTo {
    fn from(key: SealKey) -> Self {
        Self::Token(key)
    }
}

/// What opens a share that no enrolled token opens.
pub enum Opener {
    /// The identity that it was sealed to.
    Identity(AgeIdentity),
    /// The passphrase that was drawn for it.
    Passphrase(Passphrase),
    /// What a YubiKey agreed on.
    YubiKey {
        /// Its key.
        to: AgeKey,
        /// The x coordinate.
        x: Secret<32>,
    },
}

impl Opener {
    /// Opens a sealed share.
    ///
    /// # Errors
    /// Those of [`open_by_identity`] and [`open_by_passphrase`].
    pub fn open(&self, sealed: &[u8]) -> Result<SecretBytes, Error> {
        match self {
            Self::Identity(identity) => open_by_identity(sealed, identity),
            Self::Passphrase(passphrase) => open_by_passphrase(sealed, passphrase),
            Self::YubiKey { to, x } => open_by_yubikey(sealed, to, x),
        }
    }

    /// Proves that it would open, and opens nothing.
    ///
    /// # Errors
    /// As [`Opener::open`].
    pub fn unlock(&self, sealed: &[u8]) -> Result<(), Error> {
        match self {
            Self::Identity(identity) => unlock_by_identity(sealed, identity),
            Self::Passphrase(passphrase) => unlock_by_passphrase(sealed, passphrase),
            Self::YubiKey { to, x } => plugin::unlocked(sealed, to, x).map(drop),
        }
    }
}

/// Why something cannot be sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Error {
    /// The file is damaged, or the secret that was agreed on is not the one.
    #[error("the sealed file is damaged, or its token agreed on another secret")]
    Damaged,
    /// The file is no `age` file of ours.
    #[error("the file is not a sealed share: {because}")]
    NotSealed {
        /// In which way.
        because: NotSealed,
    },
    /// Only P-256 keys can be sealed to.
    #[error("a key of {algorithm} cannot open a sealed share: it takes ecdsa-p256")]
    NotASealKey {
        /// The kind of key.
        algorithm: Algorithm,
    },
    /// The identity is not the one that the file was sealed to.
    #[error("the identity does not open the sealed file")]
    OtherIdentity,
    /// The passphrase is not the one that the file was sealed to.
    #[error("the passphrase does not open the sealed file")]
    OtherPassphrase,
    /// The file is sealed to another key.
    #[error("the sealed file is for another token")]
    OtherToken,
    /// `age` could not make the file.
    #[error("the share cannot be sealed")]
    Unsealable,
}

/// In which way a file is no sealed share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NotSealed {
    /// Its header is not that of an `age` file.
    #[error("it is no age file")]
    Header,
    /// It is longer than any.
    #[error("it is longer than any sealed share")]
    TooLong,
}

/// Seals a secret of at most [`MAX_SECRET`] bytes to one key; gives the binary `age` file.
///
/// # Errors
/// [`Error::Unsealable`].
pub fn seal(secret: &SecretBytes, to: &SealKey) -> Result<Vec<u8>, Error> {
    if secret.len() > MAX_SECRET {
        return Err(Error::Unsealable);
    }
    let recipient = recipient(to).ok_or(Error::Unsealable)?;
    let encryptor = Encryptor::with_recipients(std::iter::once(&*recipient));
    written(encryptor.map_err(|_| Error::Unsealable)?, secret)
}

fn recipient(to: &SealKey) -> Option<Box<dyn Recipient>> {
    let text = to.recipient();
    match to.kem() {
        None => text.parse::<age::tag::Recipient>().ok().map(|to| Box::new(to) as _),
        Some(_) => text.parse::<age::tagpq::Recipient>().ok().map(|to| Box::new(to) as _),
    }
}

fn written(encryptor: Encryptor, secret: &SecretBytes) -> Result<Vec<u8>, Error> {
    let mut file = Vec::new();
    let mut writer = encryptor.wrap_output(&mut file).map_err(|_| Error::Unsealable)?;
    writer.write_all(secret.expose()).map_err(|_| Error::Unsealable)?;
    writer.finish().map_err(|_| Error::Unsealable)?;
    Ok(file)
}

/// What the token of a sealing key is asked, so that something sealed to it can be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The point (uncompressed P-256) that it must agree with.
    pub point: [u8; 65],
    /// The ML-KEM-768 ciphertext that it must decapsulate, if it was sealed to both halves.
    pub ciphertext: Option<Vec<u8>>,
}

/// What the token answers.
pub struct Agreed {
    /// The x coordinate that it agreed on.
    pub x: Secret<32>,
    /// The shared secret that it decapsulated.
    pub kem: Option<Secret<32>>,
}

/// Reads what the token of `to` must be asked so that `sealed` can be opened.
///
/// # Errors
/// [`Error::NotSealed`], [`Error::OtherToken`].
pub fn asked(sealed: &[u8], to: &SealKey) -> Result<Asked, Error> {
    let looker = Looker { to, found: Cell::new(None) };
    // `decrypt` always fails: the looker looks, and opens nothing.
    let _ = decryptor(sealed)?.decrypt(std::iter::once(&looker as &dyn Identity));
    looker.found.take().ok_or(Error::OtherToken)
}

/// Opens `sealed` with what the token of `to` answered to [`asked`].
///
/// # Errors
/// [`Error::NotSealed`], [`Error::OtherToken`], [`Error::Damaged`].
pub fn open(sealed: &[u8], to: &SealKey, agreed: &Agreed) -> Result<SecretBytes, Error> {
    asked(sealed, to)?;
    let answered = Answered { to, agreed };
    let reader = decryptor(sealed)?.decrypt(std::iter::once(&answered as &dyn Identity));
    read(reader.map_err(|_| Error::Damaged)?)
}

/// A point of P-256, compressed (SEC 1 2.3.3).
fn compressed(point: &[u8]) -> [u8; 33] {
    let mut compressed = [0; 33];
    if let Some((first, [.., last])) = point.split_at_checked(33) {
        compressed.copy_from_slice(first);
        compressed[0] = 2 | (last & 1);
    }
    compressed
}

/// All that the file holds, at most [`MAX_SECRET`] bytes.
fn read(mut reader: impl Read) -> Result<SecretBytes, Error> {
    let mut read = 0;
    let buffer = SecretBytes::try_fill(MAX_SECRET + 1, |buffer| {
        while read < buffer.len() {
            match reader.read(&mut buffer[read..]).map_err(|_| Error::Damaged)? {
                0 => return Ok(()),
                n => read += n,
            }
        }
        Err(Error::Damaged)
    })?;
    Ok(SecretBytes::copy_of(&buffer.expose()[..read]))
}

fn decryptor(sealed: &[u8]) -> Result<Decryptor<&[u8]>, Error> {
    let not = |because| Error::NotSealed { because };
    if sealed.len() > MAX_FILE {
        return Err(not(NotSealed::TooLong));
    }
    Decryptor::new_buffered(sealed).map_err(|_| not(NotSealed::Header))
}

/// Phase one: finds the stanza for a key, and never opens.
struct Looker<'a> {
    to: &'a SealKey,
    found: Cell<Option<Asked>>,
}

impl Identity for Looker<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        if let Some(asked) = encapsulated(stanza, self.to) {
            self.found.set(Some(asked));
        }
        None
    }
}

/// Phase two: opens the stanza with what the token answered.
struct Answered<'a> {
    to: &'a SealKey,
    agreed: &'a Agreed,
}

impl Identity for Answered<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        let asked = encapsulated(stanza, self.to)?;
        let parties = hpke::Parties { enc: &asked.point, recipient: &self.to.point() };
        let opened = match self.to.kem() {
            None => hpke::open(&self.agreed.x, &parties, INFO.as_bytes(), &stanza.body),
            Some(_) => self.agreed.kem.as_ref().and_then(|kem| {
                let both = (kem, &self.agreed.x);
                hpke::open_hybrid(both, &parties, HYBRID_INFO.as_bytes(), &stanza.body)
            }),
        };
        Some(opened.ok_or(age::DecryptError::DecryptionFailed).and_then(|plain| {
            FileKey::try_init_with_mut(|key| match plain.expose().len() == key.len() {
                true => {
                    key.copy_from_slice(plain.expose());
                    Ok(())
                }
                false => Err(age::DecryptError::DecryptionFailed),
            })
        }))
    }
}

/// What a stanza asks of the token, if the stanza is for `to`.
fn encapsulated(stanza: &Stanza, to: &SealKey) -> Option<Asked> {
    let [tag, enc] = stanza.args.as_slice() else { return None };
    let enc = BASE64_NOPAD.decode(enc.as_bytes()).ok()?;
    // The specification has the compressed point in the one tag, and the uncompressed one in the other.
    let (info, name, kem, fingerprint) = match to.kem() {
        None => (INFO, "p256tag", 0, Digest::of(&to.compressed())),
        Some(_) => (HYBRID_INFO, "mlkem768p256tag", KEM_LEN, Digest::of(&to.point())),
    };
    let material = [&enc, &fingerprint.as_bytes()[..4]].concat();
    let expected = hpke::extract(info.as_bytes(), &material);
    let is_ours = stanza.tag == name && *tag == BASE64_NOPAD.encode(&expected[..4]);
    let (ciphertext, point) = enc.split_at_checked(kem)?;
    let ciphertext = to.kem().map(|_| ciphertext.to_vec());
    let point: [u8; 65] = point.try_into().ok()?;
    (is_ours && point[0] == 4).then_some(Asked { point, ciphertext })
}

const INFO: &str = "age-encryption.org/p256tag";
const HYBRID_INFO: &str = "age-encryption.org/mlkem768p256tag";
/// The bytes of an ML-KEM-768 ciphertext.
const KEM_LEN: usize = 1088;

#[cfg(test)]
mod tests;
