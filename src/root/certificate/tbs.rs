//! A root certificate before its signature.
//!
//! First floor: pure.

use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use x509_cert::certificate::Rfc5280;
use x509_cert::der::asn1::{BitString, GeneralizedTime, ObjectIdentifier, OctetString, UtcTime};
use x509_cert::der::{DateTime, Encode};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, KeyUsages};
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::{Time, Validity};

use super::{Error, LABEL};
use crate::digest::Digest;
use crate::key::{Algorithm, PublicKey, Scheme, ToSign, pem_text, tlv};

/// What a new root certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The common name of subject and issuer: a GUN, or a prefix with `*` at its end (docs/threats.md rule 10).
    pub name: String,
    /// 128 random bits, not all zero.
    pub serial: [u8; 16],
    /// The key that is certified and signs.
    pub key: PublicKey,
    /// First instant of validity, whole seconds.
    pub not_before: Timestamp,
    /// Last instant of validity, whole seconds.
    pub not_after: Timestamp,
}

/// A root certificate without its signature: self-signed, common name only, KeyUsage digitalSignature critical,
/// CA:FALSE critical, and no extended key usage, which a CA pin of Notary would never match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tbs {
    bytes: Vec<u8>,
    key: PublicKey,
}

impl Tbs {
    /// Builds what is to be signed.
    ///
    /// # Errors
    /// An empty or over-long name, a zero serial, dates that X.509 cannot hold or in the wrong order, or a key
    /// that Notary takes in no certificate.
    pub fn new(subject: &Subject) -> Result<Self, Error> {
        let length = subject.name.chars().count();
        if length == 0
            || subject.name.len() > MAX_NAME
            || subject.name.chars().any(char::is_control)
        {
            return Err(Error::Name { found: subject.name.clone(), limit: MAX_NAME });
        }
        if subject.serial == [0; 16] {
            return Err(Error::Serial);
        }
        if subject.not_before >= subject.not_after {
            return Err(Error::Dates { from: subject.not_before, until: subject.not_after });
        }
        let algorithm = signature_algorithm(subject.key.algorithm())?;
        let name = name_der(&subject.name);
        let validity: Validity = Validity::new(time(subject.not_before)?, time(subject.not_after)?);
        let body = [
            tlv(0xa0, &[2, 1, 2]),
            SerialNumber::<Rfc5280>::new(&subject.serial)?.to_der()?,
            algorithm,
            name.clone(),
            validity.to_der()?,
            name,
            subject.key.der().to_vec(),
            tlv(0xa3, extensions()?),
        ];
        Ok(Self { bytes: tlv(0x30, &body.concat()), key: subject.key.clone() })
    }

    /// The bytes that the key signs.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The SHA-256 of [`Tbs::bytes`].
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// The key that must sign.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// What the token is given.
    pub fn to_sign(&self) -> ToSign {
        Scheme::of_certificate(self.key.algorithm()).to_sign(&self.bytes)
    }

    /// The PEM of the certificate with a token's raw answer, which nobody verified yet: whoever takes it up does.
    ///
    /// # Errors
    /// [`Error::Key`] when the answer has not the form of a signature by the key.
    pub fn pem(&self, raw: &[u8]) -> Result<String, Error> {
        let algorithm = self.key.algorithm();
        let signature = Scheme::of_certificate(algorithm).encode(algorithm, raw)?;
        Ok(pem_text(LABEL, &self.der_with(&signature)?))
    }

    /// The PEM of the certificate as it will be, with a signature that is none: for looking ahead before the key can sign.
    /// Whoever checks certificates refuses it.
    ///
    /// # Errors
    /// [`Error`] for a key that certificates do not carry.
    pub fn stand_in(&self) -> Result<String, Error> {
        Ok(pem_text(LABEL, &self.der_with(&[0; 64])?))
    }

    pub(super) fn der_with(&self, signature: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = BitString::from_bytes(signature)?.to_der()?;
        let algorithm = signature_algorithm(self.key.algorithm())?;
        Ok(tlv(0x30, &[&self.bytes[..], &algorithm, &signature].concat()))
    }
}

/// `Name ::= SEQUENCE OF SET OF SEQUENCE { commonName, UTF8String }`
fn name_der(name: &str) -> Vec<u8> {
    let attribute = [tlv(0x06, &[0x55, 4, 3]), tlv(0x0c, name.as_bytes())].concat();
    tlv(0x30, &tlv(0x31, &tlv(0x30, &attribute)))
}

/// The same of every certificate.
fn extensions() -> Result<&'static [u8], Error> {
    static DER: OnceLock<Vec<u8>> = OnceLock::new();
    match DER.get() {
        Some(der) => Ok(der),
        None => extensions_der().map(|der| DER.get_or_init(|| der).as_slice()),
    }
}

fn extensions_der() -> Result<Vec<u8>, Error> {
    let extension = |oid: &str, value: Vec<u8>| -> Result<Extension, Error> {
        let extn_id = ObjectIdentifier::new(oid).map_err(x509_cert::der::Error::from)?;
        Ok(Extension { extn_id, critical: true, extn_value: OctetString::new(value)? })
    };
    let constraints = BasicConstraints { ca: false, path_len_constraint: None };
    let list = vec![
        extension("2.5.29.15", KeyUsage(KeyUsages::DigitalSignature.into()).to_der()?)?,
        extension("2.5.29.19", constraints.to_der()?)?,
    ];
    Ok(list.to_der()?)
}

/// The AlgorithmIdentifier of the signature, with SHA-256.
fn signature_algorithm(algorithm: Algorithm) -> Result<Vec<u8>, Error> {
    match algorithm {
        Algorithm::EcdsaP256 | Algorithm::EcdsaP384 => Ok(tlv(0x30, &ECDSA_WITH_SHA256.to_der()?)),
        Algorithm::Rsa(_) => {
            let sha256 = tlv(0x30, &[SHA256.to_der()?, vec![5, 0]].concat());
            let mgf1 = tlv(0x30, &[MGF1.to_der()?, sha256.clone()].concat());
            let parameters = [tlv(0xa0, &sha256), tlv(0xa1, &mgf1), tlv(0xa2, &[2, 1, 32])];
            let parameters = tlv(0x30, &parameters.concat());
            Ok(tlv(0x30, &[RSASSA_PSS.to_der()?, parameters].concat()))
        }
        _ => Err(Error::Algorithm { algorithm }),
    }
}

/// UTCTime until 2049, GeneralizedTime from then on (RFC 5280 4.1.2.5).
fn time(instant: Timestamp) -> Result<Time, Error> {
    let cannot = || Error::Time { found: instant };
    let seconds = u64::try_from(instant.as_second()).map_err(|_| cannot())?;
    let date = DateTime::from_unix_duration(Duration::from_secs(seconds)).map_err(|_| cannot())?;
    Ok(match date.year() {
        ..2050 => Time::UtcTime(UtcTime::from_date_time(date).map_err(|_| cannot())?),
        _ => Time::GeneralTime(GeneralizedTime::from_date_time(date)),
    })
}

/// The longest name in a certificate, in bytes. Notary's database columns and Go's parser take long names; 255 is what a
/// GUN may have.
pub const MAX_NAME: usize = 255;
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
