//! What a YubiKey's maker says of a key: that this YubiKey made it, and what its use asks for.
//!
//! First floor: pure; bytes to a checked value. The form is Yubico's: a certificate of the key, signed by the attestation
//! key of the YubiKey, whose certificate its maker signed. The name of the slot and all dates say nothing here.

use serde::{Deserialize, Serialize};
use x509_cert::Certificate;
use x509_cert::der::asn1::{BitString, ObjectIdentifier};
use x509_cert::der::{Decode, Encode, Reader, SliceReader};
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::key::{Hash, PublicKey, Scheme};

/// What is attested, its signature verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// The serial of the YubiKey.
    pub serial: u32,
    /// Its firmware, major to patch.
    pub firmware: [u8; 3],
    /// When the PIN is asked for.
    pub pin: PinPolicy,
    /// When it must be touched.
    pub touch: TouchPolicy,
    /// Whether its maker, as far as known here, signed the certificate of its attestation key. Owners can put an
    /// attestation key of their own in its place, and then it attests whatever they like.
    pub is_by_maker: bool,
}

/// When a YubiKey asks for the PIN of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinPolicy {
    /// Before each use.
    Always,
    /// Not at all.
    Never,
    /// Once, and then until the card is reset.
    Once,
}

/// When a YubiKey must be touched for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TouchPolicy {
    /// For each use.
    Always,
    /// For the first use, and again after fifteen seconds.
    Cached,
    /// Not at all.
    Never,
}

impl Attestation {
    /// Reads the certificate of a key and that of the attestation key, in this order.
    ///
    /// # Errors
    /// [`Error`] for whatever is not there, cannot be read, is of another key, or was not signed by the second.
    pub fn read(certificates: &[Vec<u8>], key: &PublicKey) -> Result<Self, Error> {
        Self::read_by(certificates, key, &makers()?)
    }

    /// Reads the two certificates as the custody folder keeps them, in PEM.
    ///
    /// # Errors
    /// As [`Attestation::read`].
    pub fn read_kept(text: &[u8], key: &PublicKey) -> Result<Self, Error> {
        let kept = Certificate::load_pem_chain(text)?;
        let der = kept.iter().map(Encode::to_der).collect::<Result<Vec<_>, _>>()?;
        Self::read(&der, key)
    }

    /// The same, with other certificates as those of makers.
    ///
    /// # Errors
    /// As [`Attestation::read`].
    pub fn read_by(
        certificates: &[Vec<u8>],
        key: &PublicKey,
        makers: &[PublicKey],
    ) -> Result<Self, Error> {
        let [leaf, issuer] = certificates else {
            return Err(Error::Count { found: certificates.len() });
        };
        if public(leaf)? != *key {
            return Err(Error::OtherKey);
        }
        if !is_signed(leaf, &public(issuer)?)? {
            return Err(Error::Forged);
        }
        let mut is_by_maker = false;
        for maker in makers {
            is_by_maker |= is_signed(issuer, maker)?;
        }
        let said = Certificate::from_der(leaf)?;
        let [pin, touch] = said_of(&said, POLICIES)?.try_into().map_err(|_| Error::Policies)?;
        Ok(Self {
            serial: u32::from_der(&said_of(&said, SERIAL)?)?,
            firmware: said_of(&said, FIRMWARE)?.try_into().map_err(|_| Error::Unsaid)?,
            pin: PinPolicy::of(pin).ok_or(Error::Policies)?,
            touch: TouchPolicy::of(touch).ok_or(Error::Policies)?,
            is_by_maker,
        })
    }
}

impl PinPolicy {
    fn of(byte: u8) -> Option<Self> {
        [(1, Self::Never), (2, Self::Once), (3, Self::Always)]
            .into_iter()
            .find_map(|(known, policy)| (known == byte).then_some(policy))
    }
}

impl TouchPolicy {
    fn of(byte: u8) -> Option<Self> {
        [(1, Self::Never), (2, Self::Always), (3, Self::Cached)]
            .into_iter()
            .find_map(|(known, policy)| (known == byte).then_some(policy))
    }
}

impl Attestation {
    /// When PIN and touch are asked for, by a key that signs statements: unattended, once the PIN was given.
    pub const STATES: (PinPolicy, TouchPolicy) = (PinPolicy::Once, TouchPolicy::Never);
    /// The same by a key that signs roots, or that shares are sealed to.
    pub const SERVES: (PinPolicy, TouchPolicy) = (PinPolicy::Once, TouchPolicy::Cached);

    /// The firmware as people write it.
    pub fn firmware(&self) -> String {
        self.firmware.map(|part| part.to_string()).join(".")
    }
}

/// Why something is no attestation of a key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not one certificate of the key and one of the attestation key.
    #[error("expected two certificates, found {found}")]
    Count {
        /// How many.
        found: usize,
    },
    /// The key that should have signed did not.
    #[error("its signature is not by the attestation key that came with it")]
    Forged,
    /// A public key in it that cannot be read.
    #[error("it holds a key that cannot be read")]
    Key(#[from] crate::key::Error),
    /// No certificate.
    #[error("it is no certificate")]
    NotACertificate,
    /// It is of another key than the one that was made.
    #[error("it is of another key")]
    OtherKey,
    /// It does not say when PIN and touch are asked for, or in no way that is known.
    #[error("it does not say when PIN and touch are asked for")]
    Policies,
    /// It does not name the YubiKey or its firmware.
    #[error("it does not say of which YubiKey it is")]
    Unsaid,
}

impl From<x509_cert::der::Error> for Error {
    fn from(_: x509_cert::der::Error) -> Self {
        Self::NotACertificate
    }
}

/// The public keys of makers' certificates.
fn makers() -> Result<Vec<PublicKey>, Error> {
    let parse = |pem: &str| {
        let (_, der) =
            x509_cert::der::pem::decode_vec(pem.as_bytes()).map_err(|_| Error::NotACertificate)?;
        public(&der)
    };
    MAKERS.iter().copied().map(parse).collect()
}

fn public(certificate: &[u8]) -> Result<PublicKey, Error> {
    let parsed = Certificate::from_der(certificate)?;
    let spki = parsed.tbs_certificate().subject_public_key_info().to_der()?;
    Ok(PublicKey::from_der(&spki)?)
}

/// Whether that key signed a certificate, over the bytes as they came.
fn is_signed(certificate: &[u8], by: &PublicKey) -> Result<bool, Error> {
    let mut reader = SliceReader::new(certificate)?;
    let (signed, algorithm, signature) = reader.sequence(|body| {
        let signed = body.tlv_bytes()?;
        let algorithm = AlgorithmIdentifierOwned::decode(body)?;
        Ok::<_, x509_cert::der::Error>((signed, algorithm.oid, BitString::decode(body)?))
    })?;
    let known = SCHEMES.iter().find(|(oid, _)| *oid == algorithm);
    let signature = signature.as_bytes().unwrap_or_default();
    Ok(known.is_some_and(|(_, scheme)| by.verify(*scheme, signed, signature).is_ok()))
}

/// The content of one of Yubico's extensions.
fn said_of(certificate: &Certificate, oid: ObjectIdentifier) -> Result<Vec<u8>, Error> {
    let extensions = certificate.tbs_certificate().extensions();
    let mut same = extensions.into_iter().flatten().filter(|extension| extension.extn_id == oid);
    match (same.next(), same.next()) {
        (Some(said), None) => Ok(said.extn_value.as_bytes().to_vec()),
        _ => Err(Error::Unsaid),
    }
}

/// Who signs the certificates of YubiKeys' attestation keys. Until firmware 5.7.3: Yubico PIV Root CA Serial 263751, as
/// Debian's golang-github-go-piv-piv-go-dev 1.8.0-3 has it. Since 5.7.4: Yubico PIV Attestation A 1 and B 1, below Yubico
/// Attestation Root 1, which signs those of other applications, too, and so none of ours by itself. There is a younger one,
/// B2 1, that is not known here.
const MAKERS: [&str; 3] = [
    include_str!("attestation/yubico.pem"),
    include_str!("attestation/yubico-piv-a-1.pem"),
    include_str!("attestation/yubico-piv-b-1.pem"),
];

const FIRMWARE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.41482.3.3");
const SERIAL: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.41482.3.7");
const POLICIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.41482.3.8");

/// RFC 5758 and RFC 4055: how attestation keys sign, RSA until firmware 5.6.
const SCHEMES: [(ObjectIdentifier, Scheme); 4] = [
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11"), Scheme::RsaPkcs1),
    (ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2"), Scheme::EcdsaDer(Hash::Sha256)),
    (ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3"), Scheme::EcdsaDer(Hash::Sha384)),
    (ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4"), Scheme::EcdsaDer(Hash::Sha512)),
];

#[cfg(test)]
mod tests;
