//! Key files: PEM blocks as `notary`, `docker trust`, Go and OpenSSL write them, encrypted or not.
//!
//! Ground floor: pure. RFC 7468, RFC 5958 (PKCS#8), RFC 5915 (SEC 1), and RFC 1421's `DEK-Info` as OpenSSL means it.

use aws_lc_rs::cipher::{
    AES_128, AES_256, Algorithm as Cipher, DecryptionContext, PaddedBlockDecryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Decode, Tag, Tagged};
use zeroize::Zeroizing;

use super::encrypted::{self, fields, octets};
use crate::secret::Secret;

pub use encrypted::{ROUNDS, Salt, encrypt, inner, notary_ed25519, notary_pkcs8};

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 64 << 10;

/// A PEM block that is a key or a certificate.
pub struct KeyFile {
    label: String,
    headers: Vec<(String, String)>,
    der: Zeroizing<Vec<u8>>,
    dek: Option<Dek>,
}

/// How a block is encrypted in the old way.
struct Dek {
    cipher: &'static Cipher,
    /// Bytes of the key.
    length: usize,
    iv: [u8; 16],
}

/// Why a file gives no private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Error {
    /// It is encrypted by a cipher that is not read.
    #[error("it is encrypted by a cipher that is not read here")]
    Cipher,
    /// It holds no private key in any form that is read.
    #[error("it holds no private key that is read here")]
    NoKey,
    /// It is no PEM file.
    #[error("it holds no key in PEM")]
    NoPem,
    /// Its passphrase is another one.
    #[error("the passphrase does not open it")]
    Passphrase,
}

impl KeyFile {
    /// Reads the first block of a file. Text around the block and other blocks (OpenSSL's `EC PARAMETERS`) are passed
    /// over.
    ///
    /// # Errors
    /// [`Error::NoPem`], [`Error::Cipher`].
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let text = str::from_utf8(bytes).map_err(|_| Error::NoPem)?;
        Ok(Self::first(text)?.0)
    }

    /// Reads every block of a file in the same way: `notary key export` writes one after the other.
    ///
    /// # Errors
    /// As [`KeyFile::read`].
    pub fn read_all(bytes: &[u8]) -> Result<Vec<Self>, Error> {
        let text = str::from_utf8(bytes).map_err(|_| Error::NoPem)?;
        let (first, mut rest) = Self::first(text)?;
        let mut all = vec![first];
        while rest.contains(BEGIN) {
            let (next, after) = Self::first(rest)?;
            all.push(next);
            rest = after;
        }
        Ok(all)
    }

    /// The first block, and the text behind it.
    fn first(mut rest: &str) -> Result<(Self, &str), Error> {
        loop {
            let (_, block) = rest.split_once(BEGIN).ok_or(Error::NoPem)?;
            let (label, block) = block.split_once("-----").ok_or(Error::NoPem)?;
            let end = format!("-----END {label}-----");
            let (body, after) = block.split_once(&end).ok_or(Error::NoPem)?;
            if LABELS.contains(&label) || !after.contains(BEGIN) {
                return Ok((Self::of(label, body)?, after));
            }
            rest = after;
        }
    }

    fn of(label: &str, body: &str) -> Result<Self, Error> {
        let dek = match body.contains("Proc-Type: 4,ENCRYPTED") {
            true => Some(Dek::of(body).ok_or(Error::Cipher)?),
            false => None,
        };
        let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
        for line in body.lines().filter(|line| !line.contains(':')) {
            base64.push_str(line.trim());
        }
        let der = BASE64.decode(base64.as_bytes()).map_err(|_| Error::NoPem)?;
        let header =
            |(name, value): (&str, &str)| (name.trim().to_owned(), value.trim().to_owned());
        let headers = body.lines().filter_map(|line| line.split_once(':').map(header)).collect();
        Ok(Self { label: label.to_owned(), headers, der: Zeroizing::new(der), dek })
    }

    /// What a header says: Notary has `role`, `gun` and `path`.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// What all headers of that name say.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let of_name = move |(key, _): &&(String, String)| key == name;
        self.headers.iter().filter(of_name).map(|(_, value)| value.as_str())
    }

    /// The block again, with `more` among its headers in the place of those of the same name, as Go writes it.
    pub fn to_pem(&self, more: &[(&str, &str)]) -> String {
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let own = own.filter(|(name, _)| more.iter().all(|(other, _)| other != name));
        let headers: Vec<_> = own.chain(more.iter().copied()).collect();
        write(&self.label, &headers, &self.der)
    }

    /// What the block says that it is.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What stands in the block.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether a passphrase is needed.
    pub fn is_encrypted(&self) -> bool {
        self.dek.is_some() || self.label == ENCRYPTED
    }

    /// The private key in DER: PKCS#8, SEC 1 or PKCS#1.
    ///
    /// # Errors
    /// [`Error::NoKey`] for another block, [`Error::Passphrase`] also where what was encrypted is no key.
    pub fn open(&self, passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let opened = match (&self.dek, self.label.as_str()) {
            (Some(dek), _) => dek.decrypt(&self.der, passphrase),
            (None, ENCRYPTED) => encrypted::decrypt(&self.der, passphrase),
            (None, label) if label.ends_with("PRIVATE KEY") => return Ok(self.der.clone()),
            (None, _) => return Err(Error::NoKey),
        };
        // The padding alone is right once in 256 times under another passphrase.
        opened.filter(|der| encrypted::is_shaped(der)).ok_or(Error::Passphrase)
    }
}

/// A PEM block as Go writes it: headers by their names, but `Proc-Type` first (RFC 1421).
pub fn write(label: &str, headers: &[(&str, &str)], der: &[u8]) -> String {
    let mut headers = headers.to_vec();
    headers.sort_by_key(|(name, _)| (*name != "Proc-Type", *name));
    let headers: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    super::pem_with(label, &headers, der)
}

impl Dek {
    fn of(body: &str) -> Option<Self> {
        let info = body.lines().find_map(|line| line.trim().strip_prefix("DEK-Info: "))?;
        let (name, iv) = info.split_once(',')?;
        let (cipher, length) = match name {
            "AES-256-CBC" => (&AES_256, 32),
            "AES-128-CBC" => (&AES_128, 16),
            _ => return None,
        };
        let iv = HEXLOWER_PERMISSIVE.decode(iv.trim().as_bytes()).ok()?;
        Some(Self { cipher, length, iv: iv.try_into().ok()? })
    }

    /// OpenSSL's EVP_BytesToKey: MD5, one round, salted with the first half of the IV. Weak, and what there is.
    fn decrypt(&self, data: &[u8], passphrase: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut key = Zeroizing::new([0; 32]);
        let mut last: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::new());
        for block in key.chunks_mut(16) {
            let hash = Md5::new().chain_update(&*last).chain_update(passphrase);
            let hash = hash.chain_update(&self.iv[..8]).finalize();
            last = Zeroizing::new(hash.to_vec());
            block.copy_from_slice(&last);
        }
        let key = UnboundCipherKey::new(self.cipher, &key[..self.length]).ok()?;
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
        let mut data = Zeroizing::new(data.to_vec());
        let context = DecryptionContext::Iv128(FixedLength::from(self.iv));
        Some(Zeroizing::new(key.decrypt(&mut data, context).ok()?.to_vec()))
    }
}

/// The 32 bytes of a P-256 or Ed25519 private key in DER, as shares hold them. Notary's PKCS#8 has version 1.
///
/// # Errors
/// [`Error::NoKey`] for other kinds, and for bytes that are none.
pub fn scalar(der: &[u8]) -> Result<Secret<32>, Error> {
    let wrapped = inner(der);
    let secret = of_curve(wrapped.unwrap_or(der)).or_else(|| {
        // Ed25519: the octets are wrapped twice (RFC 8410).
        Secret::copy_of(octets(&AnyRef::from_der(wrapped?).ok()?)?)
    });
    secret.ok_or(Error::NoKey)
}

/// SEC 1: version 1, and the scalar, which may have lost leading zeros.
fn of_curve(der: &[u8]) -> Option<Secret<32>> {
    let fields = fields(der)?;
    let [version, scalar, ..] = fields.as_slice() else { return None };
    let is_sec1 = version.tag() == Tag::Integer && version.decode_as::<u8>().ok()? == 1;
    let scalar = octets(scalar).filter(|_| is_sec1)?;
    let missing = 32_usize.checked_sub(scalar.len())?;
    Some(Secret::fill(|secret| secret[missing..].copy_from_slice(scalar)))
}

/// How every block begins.
const BEGIN: &str = "-----BEGIN ";
/// The label of an encrypted PKCS#8.
pub const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
const LABELS: [&str; 6] =
    ["CERTIFICATE", "EC PRIVATE KEY", ENCRYPTED, "PRIVATE KEY", "PUBLIC KEY", "RSA PRIVATE KEY"];

#[cfg(test)]
mod tests;
