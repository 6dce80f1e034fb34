//! An `age` file around one share, for the one token, or the one passphrase, that can open it.
//!
//! First floor: pure but for one named impurity: `age` draws its own file key and ephemeral key from the kernel's
//! generator (docs/threats.md rule 16). Runs in the vault only.
//!
//! The file is C2SP `age.md` with one recipient stanza `-> p256tag TAG ENC` (the tagged recipient) for a P-256 key that
//! never leaves its token. Opening has two phases, because only the token can do the key agreement: [`peer_point`]
//! reads ENC, the token agrees with it, and [`open`] does the rest of HPKE (RFC 9180, base mode, DHKEM(P-256,
//! HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, info `age-encryption.org/p256tag`) with the agreed x coordinate.

mod hpke;
mod passphrase;

use std::cell::Cell;
use std::io::{Read, Write};

use age::{Decryptor, Encryptor, Identity, Recipient};
use age_core::format::{FileKey, Stanza};
use data_encoding::BASE64_NOPAD;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::key::{Algorithm, PublicKey};
use crate::secret::{Secret, SecretBytes};

pub use passphrase::{open_by_passphrase, seal_to_passphrase, unlock_by_passphrase};

/// The longest secret that is sealed, in bytes.
pub const MAX_SECRET: usize = 4096;

/// The longest file that is opened, in bytes: `age` adds a header with a random stanza that no one reads.
pub const MAX_FILE: usize = 16 << 10;

/// A public key that things can be sealed to: P-256, its private half in a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PublicKey", into = "PublicKey")]
pub struct SealKey(PublicKey);

impl SealKey {
    /// The public key.
    pub fn public(&self) -> &PublicKey {
        &self.0
    }

    /// The point, uncompressed (SEC 1 2.3.3).
    pub fn point(&self) -> [u8; 65] {
        std::array::from_fn(|i| self.0.material()[i])
    }

    /// The recipient as `age` writes it: `age1tag1…`.
    pub fn recipient(&self) -> String {
        // Neither prefix nor length can be wrong: the prefix is a constant, and Bech32 takes 33 bytes.
        bech32::Hrp::parse(HRP)
            .ok()
            .and_then(|hrp| bech32::encode::<bech32::Bech32>(hrp, &self.compressed()).ok())
            .unwrap_or_default()
    }

    fn compressed(&self) -> [u8; 33] {
        let point = self.point();
        let mut compressed = [0; 33];
        compressed[0] = 2 | (point[64] & 1);
        compressed[1..].copy_from_slice(&point[1..33]);
        compressed
    }
}

impl TryFrom<PublicKey> for SealKey {
    type Error = Error;

    fn try_from(key: PublicKey) -> Result<Self, Error> {
        match key.algorithm() {
            Algorithm::EcdsaP256 => Ok(Self(key)),
            algorithm => Err(Error::NotASealKey { algorithm }),
        }
    }
}

impl From<SealKey> for PublicKey {
    fn from(key: SealKey) -> Self {
        key.0
    }
}

/// What a share is sealed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SealTo {
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
    let recipient: age::tag::Recipient = to.recipient().parse().map_err(|_| Error::Unsealable)?;
    let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as &dyn Recipient));
    written(encryptor.map_err(|_| Error::Unsealable)?, secret)
}

fn written(encryptor: Encryptor, secret: &SecretBytes) -> Result<Vec<u8>, Error> {
    let mut file = Vec::new();
    let mut writer = encryptor.wrap_output(&mut file).map_err(|_| Error::Unsealable)?;
    writer.write_all(secret.expose()).map_err(|_| Error::Unsealable)?;
    writer.finish().map_err(|_| Error::Unsealable)?;
    Ok(file)
}

/// Reads the point (uncompressed P-256) that the token of `to` must agree with so that `sealed` can be opened.
///
/// # Errors
/// [`Error::NotSealed`], [`Error::OtherToken`].
pub fn peer_point(sealed: &[u8], to: &SealKey) -> Result<[u8; 65], Error> {
    let looker = Looker { to, found: Cell::new(None) };
    // `decrypt` always fails: the looker looks, and opens nothing.
    let _ = decryptor(sealed)?.decrypt(std::iter::once(&looker as &dyn Identity));
    looker.found.get().ok_or(Error::OtherToken)
}

/// Opens `sealed` with the x coordinate that the token of `to` agreed on with [`peer_point`].
///
/// # Errors
/// [`Error::NotSealed`], [`Error::OtherToken`], [`Error::Damaged`].
pub fn open(sealed: &[u8], to: &SealKey, agreed: &Secret<32>) -> Result<SecretBytes, Error> {
    peer_point(sealed, to)?;
    let opener = Opener { to, agreed };
    let reader = decryptor(sealed)?.decrypt(std::iter::once(&opener as &dyn Identity));
    read(reader.map_err(|_| Error::Damaged)?)
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
    found: Cell<Option<[u8; 65]>>,
}

impl Identity for Looker<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        if let Some(enc) = encapsulated(stanza, self.to) {
            self.found.set(Some(enc));
        }
        None
    }
}

/// Phase two: opens the stanza with what the token agreed on.
struct Opener<'a> {
    to: &'a SealKey,
    agreed: &'a Secret<32>,
}

impl Identity for Opener<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        let enc = encapsulated(stanza, self.to)?;
        let parties = hpke::Parties { enc: &enc, recipient: &self.to.point() };
        let opened = hpke::open(self.agreed, &parties, INFO.as_bytes(), &stanza.body);
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

/// The encapsulated key of a stanza, if the stanza is for `to`.
fn encapsulated(stanza: &Stanza, to: &SealKey) -> Option<[u8; 65]> {
    let [tag, enc] = stanza.args.as_slice() else { return None };
    let enc: [u8; 65] = BASE64_NOPAD.decode(enc.as_bytes()).ok()?.try_into().ok()?;
    let fingerprint = Digest::of(&to.compressed());
    let mut material = enc.to_vec();
    material.extend(&fingerprint.as_bytes()[..4]);
    let expected = hpke::extract(INFO.as_bytes(), &material);
    let is_ours = stanza.tag == "p256tag" && *tag == BASE64_NOPAD.encode(&expected[..4]);
    (is_ours && enc[0] == 4).then_some(enc)
}

const HRP: &str = "age1tag";
const INFO: &str = "age-encryption.org/p256tag";

#[cfg(test)]
mod tests;
