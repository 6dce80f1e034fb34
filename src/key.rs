//! Public keys, the schemes that make signatures with them, and the fast verifier.
//!
//! Ground floor: pure, touches nothing. Private keys live in tokens and in the vault, never here; [`mod@file`] reads the files
//! in which others keep theirs.

mod age;
mod algorithm;
pub(crate) mod base64;
mod encrypted;
pub mod file;
mod kem;
mod lately;
mod ready;
mod scheme;
mod spki;

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode, Encode, pem};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use crate::digest::Digest;
pub use age::AgeKey;
pub use algorithm::Algorithm;
pub use kem::KemKey;
use ready::Ready;
pub use scheme::{Hash, Scheme, ToSign};
use spki::{algorithm_of, check_material, headed, rsa_algorithm, spki_der};

/// A public key, held as its one DER SubjectPublicKeyInfo (RFC 5280 4.1.2.7).
///
/// Ordered by those bytes; serializes as their base64. A clone shares them, and is checked no more.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey {
    der: Arc<[u8]>,
    algorithm: Algorithm,
    /// Where the material begins.
    material: usize,
    ready: Ready,
}

impl PublicKey {
    /// Takes DER SubjectPublicKeyInfo that is the only encoding of its key.
    ///
    /// # Errors
    /// No such structure, another encoding of it, an unknown algorithm, or a point that is not on its curve.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        lately::or_read(der, || Self::read_der(der))
    }

    fn read_der(der: &[u8]) -> Result<Self, Error> {
        if let Some((algorithm, material)) = headed(der) {
            let ready = check_material(algorithm, material)?;
            return Ok(Self::checked(der, (algorithm, material), ready));
        }
        let spki = SubjectPublicKeyInfoOwned::from_der(der).map_err(|_| Error::NotSpki)?;
        let again = spki.to_der().map_err(|_| Error::NotSpki)?;
        if again != der {
            return Err(Error::NotCanonical);
        }
        let algorithm = algorithm_of(&spki)?;
        let bits = spki.subject_public_key.as_bytes().ok_or(Error::NotSpki)?;
        let ready = check_material(algorithm, bits)?;
        // The same key has one encoding only if rebuilding it from its material gives these bytes.
        match spki_der(algorithm, bits)? == der {
            true => Ok(Self::checked(der, (algorithm, bits), ready)),
            false => Err(Error::NotCanonical),
        }
    }

    /// The bit string is the last thing in the structure, so the material is a suffix of it.
    fn checked(der: &[u8], (algorithm, material): (Algorithm, &[u8]), ready: Ready) -> Self {
        Self { der: der.into(), algorithm, material: der.len() - material.len(), ready }
    }

    /// Takes PEM exactly as [`PublicKey::to_pem`] writes it.
    ///
    /// # Errors
    /// As [`PublicKey::from_der`], and [`Error::NotCanonical`] for CRLF, leading text, headers or other line lengths.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let key = Self::from_foreign_pem(text)?;
        match key.to_pem() == text {
            true => Ok(key),
            false => Err(Error::NotCanonical),
        }
    }

    /// Takes PEM as foreign metadata holds it: with or without the final line end, or with CRLF.
    ///
    /// # Errors
    /// As [`PublicKey::from_der`].
    pub fn from_foreign_pem(text: &str) -> Result<Self, Error> {
        if let Some(der) = pem_bytes("PUBLIC KEY", text) {
            return Self::from_der(&der);
        }
        let (label, der) =
            pem::decode_vec(text.trim_end().as_bytes()).map_err(|_| Error::NotPem)?;
        match label {
            "PUBLIC KEY" => Self::from_der(&der),
            _ => Err(Error::NotPem),
        }
    }

    /// Takes an uncompressed point (SEC 1 2.3.3): 65 bytes for P-256, 97 for P-384.
    ///
    /// # Errors
    /// Another length or form, or a point that is not on the curve.
    pub fn from_ec_point(algorithm: Algorithm, point: &[u8]) -> Result<Self, Error> {
        let width = algorithm.width().ok_or(Error::BadPoint { algorithm })?;
        if point.len() != 1 + 2 * width {
            return Err(Error::BadPoint { algorithm });
        }
        Self::from_der(&spki_der(algorithm, point)?)
    }

    /// Takes a compressed point of P-256 (SEC 1 2.3.3).
    ///
    /// # Errors
    /// Another length or form, or a point that is not on the curve.
    pub fn from_compressed_p256(point: &[u8]) -> Result<Self, Error> {
        let bad = || Error::BadPoint { algorithm: Algorithm::EcdsaP256 };
        if point.len() != 33 {
            return Err(bad());
        }
        let parsed = signature::ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, point);
        let der = parsed.map_err(|_| bad())?.as_der().map_err(|_| bad())?;
        Self::from_der(der.as_ref())
    }

    /// Takes the 32 bytes of an Ed25519 public key (RFC 8032 5.1.5).
    ///
    /// # Errors
    /// Another length.
    pub fn from_ed25519(raw: &[u8]) -> Result<Self, Error> {
        Self::from_der(&spki_der(Algorithm::Ed25519, raw)?)
    }

    /// Takes an RSA modulus and public exponent, big endian; leading zeros do not matter.
    ///
    /// # Errors
    /// A modulus below 2048 bits or even, or an exponent that no client takes.
    pub fn from_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, Error> {
        let integer = |bytes| UintRef::new(bytes).and_then(|n| n.to_der());
        let (n, e) = (integer(modulus), integer(exponent));
        let body = [n.map_err(|_| Error::BadRsa)?, e.map_err(|_| Error::BadRsa)?].concat();
        let material = tlv(0x30, &body);
        Self::from_der(&spki_der(rsa_algorithm(&material)?, &material)?)
    }

    /// The DER SubjectPublicKeyInfo.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The `PUBLIC KEY` PEM: 64 columns, LF, with a final line end, as Go and OpenSSL write it.
    pub fn to_pem(&self) -> String {
        pem_text("PUBLIC KEY", &self.der)
    }

    /// The SHA-256 of the SubjectPublicKeyInfo: what plans pin and custody.json names.
    pub fn id(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// The kind of the key.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The content of the subjectPublicKey bit string: an uncompressed point, 32 bytes of Ed25519, or DER RSAPublicKey.
    pub fn material(&self) -> &[u8] {
        &self.der[self.material..]
    }

    /// Verifies `signature`, encoded as `scheme` says, over `message`.
    ///
    /// # Errors
    /// [`Error::BadSignature`]; [`Error::SchemeMismatch`] when this kind of key makes no such signatures;
    /// [`Error::Unverifiable`] for P-224.
    pub fn verify(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let verifier = scheme.verifier(self.algorithm)?;
        let der;
        let signature = match scheme {
            Scheme::EcdsaRaw(_) => {
                der = der_of_raw(self.algorithm, signature)?;
                &der
            }
            _ => signature,
        };
        let verified = match (&self.ready, scheme) {
            (Ready(Some(key)), Scheme::EcdsaDer(Ready::HASH) | Scheme::EcdsaRaw(Ready::HASH)) => {
                key.verify_sig(message, signature)
            }
            _ => {
                let key = signature::UnparsedPublicKey::new(verifier, self.material());
                key.verify(message, signature)
            }
        };
        verified.map_err(|_| Error::BadSignature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.algorithm, self.id())
    }
}

impl TryFrom<String> for PublicKey {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::from_der(&BASE64.decode(text.as_bytes()).map_err(|_| Error::NotSpki)?)
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        BASE64.encode(&key.der)
    }
}

/// Why a key or a signature is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a point of the curve in uncompressed form.
    #[error("no uncompressed point of {algorithm}")]
    BadPoint {
        /// The curve.
        algorithm: Algorithm,
    },
    /// Not an RSA public key that clients take.
    #[error(
        "no RSA public key of 2048 to 8192 bits with an odd modulus and an odd exponent above 2"
    )]
    BadRsa,
    /// The signature is not by this key over this message.
    #[error("the signature is not by this key over these bytes")]
    BadSignature,
    /// No recipient of `age` that a share can be sealed to.
    #[error("no `age` recipient: X25519 (`age1…`), or a YubiKey (`age1yubikey1…`)")]
    NotAge,
    /// Another encoding than the one that the key has.
    #[error("the public key is not in its one canonical encoding")]
    NotCanonical,
    /// No public key of ML-KEM-768.
    #[error("no public key of ML-KEM-768")]
    NotKem,
    /// No `PUBLIC KEY` PEM.
    #[error("no `PUBLIC KEY` in PEM")]
    NotPem,
    /// No DER SubjectPublicKeyInfo.
    #[error("no SubjectPublicKeyInfo in DER")]
    NotSpki,
    /// A key of this kind makes no such signatures.
    #[error("a key of {algorithm} makes no signature of this scheme")]
    SchemeMismatch {
        /// The kind of the key.
        algorithm: Algorithm,
    },
    /// A token answered with another length.
    #[error("expected a signature of {expected} bytes, found {found}")]
    SignatureLength {
        /// What this kind of key makes.
        expected: usize,
        /// What came.
        found: usize,
    },
    /// A name that is no algorithm.
    #[error("`{found}` is no key algorithm")]
    UnknownAlgorithm {
        /// The name or object identifier.
        found: String,
    },
    /// A kind of key that can be shown but not verified with.
    #[error("signatures of {algorithm} are not verified here")]
    Unverifiable {
        /// The kind of the key.
        algorithm: Algorithm,
    },
}

/// Encodes one DER element (X.690): tag, length, content.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|b| **b == 0).count()..];
    match content.len() {
        short @ 0..=0x7f => out.push(short as u8),
        _ => {
            out.push(0x80 | significant.len() as u8);
            out.extend_from_slice(significant);
        }
    }
    out.extend_from_slice(content);
    out
}

/// PEM as Go's `encoding/pem` writes it: 64 columns, LF, a final line end (RFC 7468).
pub(crate) fn pem_text(label: &str, der: &[u8]) -> String {
    pem_with(label, "", der)
}

/// The bytes in a text that is exactly what [`pem_text`] makes of them: nearly all PEM is, and needs no other parser.
pub(crate) fn pem_bytes(label: &str, text: &str) -> Option<Vec<u8>> {
    let body = text.strip_prefix("-----BEGIN ")?.strip_prefix(label)?.strip_prefix("-----\n")?;
    let (body, _) = body.split_once("-----END ")?;
    let mut joined = String::with_capacity(body.len());
    joined.extend(body.split('\n'));
    let bytes = BASE64.decode(joined.as_bytes()).ok()?;
    (pem_text(label, &bytes) == text).then_some(bytes)
}

/// The same with headers, each a line with its end.
fn pem_with(label: &str, headers: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n{headers}");
    if !headers.is_empty() {
        text.push('\n');
    }
    text.reserve(der.len() * 65 / 48 + label.len() + 24);
    // 48 bytes are one line of 64 characters.
    for line in der.chunks(48) {
        BASE64.encode_append(line, &mut text);
        text.push('\n');
    }
    text + "-----END " + label + "-----\n"
}

/// ECDSA-Sig-Value (RFC 3279 2.2.3) of r‖s.
fn der_of_raw(algorithm: Algorithm, raw: &[u8]) -> Result<Vec<u8>, Error> {
    let width = algorithm.width().ok_or(Error::SchemeMismatch { algorithm })?;
    if raw.len() != 2 * width {
        return Err(Error::SignatureLength { expected: 2 * width, found: raw.len() });
    }
    let (r, s) = raw.split_at(width);
    let mut body = Vec::with_capacity(2 * (width + 3));
    for number in [r, s] {
        let number = UintRef::new(number).map_err(|_| Error::BadSignature)?;
        number.encode_to_vec(&mut body).map_err(|_| Error::BadSignature)?;
    }
    Ok(tlv(0x30, &body))
}

#[cfg(test)]
mod tests;
