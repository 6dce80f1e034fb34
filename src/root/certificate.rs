//! Root certificates of Notary: built with the signature made elsewhere, and read as Go reads them.
//!
//! First floor: pure.

mod made;
mod tbs;

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Encode, pem};
use x509_cert::ext::pkix::BasicConstraints;
use x509_cert::time::Time;

use crate::key::{self, Algorithm, PublicKey, Scheme, pem_bytes, pem_text};
pub use tbs::{MAX_NAME, Subject, Tbs};

/// An X.509 certificate with what Notary looks at. Its signature says nothing: Notary does not verify it either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    serial: Vec<u8>,
    signature: Vec<u8>,
    public: PublicKey,
    name: String,
    not_before: Timestamp,
    not_after: Timestamp,
    is_ca: bool,
    is_sha1: bool,
}

impl Certificate {
    /// Reads DER.
    ///
    /// # Errors
    /// [`Error::Der`], or [`Error::Key`] for a key that we cannot read.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        made::read(der).map_or_else(|| Self::parse(der), Ok)
    }

    fn parse(der: &[u8]) -> Result<Self, Error> {
        let parsed = x509_cert::Certificate::from_der(der)?;
        let tbs = parsed.tbs_certificate();
        let public = PublicKey::from_der(&tbs.subject_public_key_info().to_der()?)?;
        let constraints = tbs.get_extension::<BasicConstraints>()?;
        Ok(Self {
            der: der.to_vec(),
            serial: tbs.serial_number().as_bytes().to_vec(),
            signature: parsed.signature().as_bytes().unwrap_or_default().to_vec(),
            public,
            name: common_name(tbs.subject()),
            not_before: instant(tbs.validity().not_before)?,
            not_after: instant(tbs.validity().not_after)?,
            is_ca: constraints.is_some_and(|(_, constraints)| constraints.ca),
            is_sha1: SHA1.contains(&parsed.signature_algorithm().oid),
        })
    }

    /// The DER bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certified key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The common name of the subject, empty if it has none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// First instant of validity.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Last instant of validity.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Says whether it may certify others, by its basic constraints.
    pub fn is_ca(&self) -> bool {
        self.is_ca
    }

    /// Says whether it was signed with SHA-1, which Notary refuses.
    pub fn is_sha1(&self) -> bool {
        self.is_sha1
    }

    /// The PEM, as Go writes it.
    pub fn to_pem(&self) -> String {
        pem_text(LABEL, &self.der)
    }

    /// Says whether Notary knows what kind of root key it certifies: ECDSA or RSA.
    pub fn is_of_root_kind(&self) -> bool {
        self.public.algorithm() != Algorithm::Ed25519
    }

    /// Says whether Notary takes it whatever the date: signed with another hash than SHA-1, dates in order.
    pub fn is_acceptable(&self) -> bool {
        !self.is_sha1 && self.not_before <= self.not_after
    }

    /// Says whether Notary takes it at `instant`: valid from a day before it begins until its last second.
    pub fn is_current(&self, instant: Timestamp) -> bool {
        let begins = instant.as_second() + 24 * 3600 >= self.not_before.as_second();
        self.is_acceptable() && begins && instant <= self.not_after
    }

    /// Says whether Notary takes it for `repository`: the same name, or a prefix of it followed by stars.
    pub fn names(&self, repository: &str) -> bool {
        let stem = self.name.trim_end_matches('*');
        match stem.len() < self.name.len() {
            true => repository.starts_with(stem),
            false => self.name == repository,
        }
    }

    /// Verifies that it is, but for its signature, byte for byte what [`Tbs`] makes of its name, key, dates and serial,
    /// and signed by its own key in the scheme of [`Tbs`].
    ///
    /// # Errors
    /// [`Error::NotAsMade`]; [`Error::Key`] when another key signed it, or other bytes.
    pub fn verify_as_made(&self) -> Result<(), Error> {
        let tbs = self.made_again()?;
        let scheme = Scheme::of_certificate(self.public.algorithm());
        Ok(self.public.verify(scheme, tbs.bytes(), &self.signature)?)
    }

    fn made_again(&self) -> Result<Tbs, Error> {
        let zeros = self.serial.iter().take_while(|byte| **byte == 0).count();
        let (mut serial, number) = ([0; 16], &self.serial[zeros..]);
        let at = serial.len().checked_sub(number.len()).ok_or(Error::NotAsMade)?;
        serial[at..].copy_from_slice(number);
        let made = Tbs::new(&Subject {
            name: self.name.clone(),
            serial,
            key: self.public.clone(),
            not_before: self.not_before,
            not_after: self.not_after,
        });
        let tbs = made.map_err(|_| Error::NotAsMade)?;
        match tbs.der_with(&self.signature)? == self.der {
            true => Ok(tbs),
            false => Err(Error::NotAsMade),
        }
    }
}

/// The earliest end of the certificates under a root that expires then: the same day two years on, so that no root dies
/// of them (docs/threats.md rule 25). The 29th of February becomes the 28th.
pub fn earliest_end(expires: Timestamp) -> Timestamp {
    let date = expires.to_zoned(TimeZone::UTC);
    date.checked_add(2.years()).map_or(Timestamp::MAX, |date| date.timestamp())
}

/// What a Notary key of type `*-x509` holds: a leaf certificate, and the intermediates of foreign roots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    text: String,
    exact: bool,
    leaf: Certificate,
    intermediates: Vec<Certificate>,
}

impl Bundle {
    /// Reads PEM as Notary does: text around the blocks is skipped, exactly one certificate is no CA and stands first.
    ///
    /// # Errors
    /// No certificate, another kind of block, no leaf or several, or a leaf that does not stand first.
    pub fn read(text: &str) -> Result<Self, Error> {
        let (mut certificates, mut exact) = (Vec::new(), 0);
        for block in blocks(text)? {
            let der = match pem_bytes(LABEL, block) {
                Some(der) => {
                    exact += block.len();
                    der
                }
                None => foreign(block)?,
            };
            certificates.push(Certificate::from_der(&der)?);
        }
        let leaves = certificates.iter().filter(|certificate| !certificate.is_ca).count();
        if leaves != 1 {
            return Err(Error::Leaves { found: leaves });
        }
        let leaf = certificates.remove(0);
        match leaf.is_ca {
            true => Err(Error::LeafNotFirst),
            false => {
                let (exact, text) = (exact == text.len(), text.to_owned());
                Ok(Self { text, exact, leaf, intermediates: certificates })
            }
        }
    }

    /// Reads PEM that is byte for byte what Go would write, which is what Notary's clients need to find the key again.
    ///
    /// # Errors
    /// As [`Bundle::read`], and [`Error::NotExact`] for CRLF, leading text, or a missing final line end.
    pub fn read_exact(text: &str) -> Result<Self, Error> {
        let bundle = Self::read(text)?;
        match bundle.is_exact() {
            true => Ok(bundle),
            false => Err(Error::NotExact),
        }
    }

    /// The text that was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The PEM as Go writes it: the leaf, then the intermediates.
    pub fn pem(&self) -> String {
        if self.exact {
            return self.text.clone();
        }
        self.intermediates.iter().fold(self.leaf.to_pem(), |text, next| text + &next.to_pem())
    }

    /// Says whether the text that was read is what Go would write.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// The same leaf with those of the intermediates that `keep` takes.
    pub fn with_intermediates(&self, keep: impl Fn(&Certificate) -> bool) -> Self {
        let kept = self.intermediates.iter().filter(|c| keep(c)).cloned().collect();
        let (leaf, text) = (self.leaf.clone(), String::new());
        let bundle = Self { text, exact: false, leaf, intermediates: kept };
        Self { text: bundle.pem(), exact: true, ..bundle }
    }

    /// The certificate of the key.
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// The CA certificates after it.
    pub fn intermediates(&self) -> &[Certificate] {
        &self.intermediates
    }
}

/// Why a certificate is not built or not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Notary takes no certificate of such a key.
    #[error("a root certificate holds no key of {algorithm}")]
    Algorithm {
        /// The kind of the key.
        algorithm: Algorithm,
    },
    /// The dates are in the wrong order.
    #[error("a certificate that begins {from} cannot end {until}")]
    Dates {
        /// The beginning.
        from: Timestamp,
        /// The end.
        until: Timestamp,
    },
    /// Not an X.509 certificate in DER.
    #[error("no X.509 certificate in DER: {reason}")]
    Der {
        /// What the decoder says.
        reason: String,
    },
    /// The key or a signature is refused.
    #[error(transparent)]
    Key(#[from] key::Error),
    /// The first certificate is a CA's.
    #[error("the first certificate of a key is a CA's, its own must stand first")]
    LeafNotFirst,
    /// Not exactly one certificate that is no CA.
    #[error("a key has one certificate that is no CA's, found {found}")]
    Leaves {
        /// How many there are.
        found: usize,
    },
    /// The common name cannot be written.
    #[error("a certificate's name has 1 to {limit} bytes and no control characters, found `{}`", found.escape_debug())]
    Name {
        /// The name.
        found: String,
        /// The most bytes.
        limit: usize,
    },
    /// It says more or less than a certificate of [`Tbs`].
    #[error("the certificate says more or less than a certificate made here")]
    NotAsMade,
    /// The PEM text differs from Go's, so that Notary would give the key another id.
    #[error(
        "the certificate's PEM is not as Go writes it (64 columns, LF, nothing before, one line end after)"
    )]
    NotExact,
    /// No PEM certificate.
    #[error("no certificate in PEM")]
    Pem,
    /// An all-zero serial number.
    #[error("a certificate's serial number is 128 random bits, found zero")]
    Serial,
    /// X.509 cannot hold the date.
    #[error("a certificate cannot hold the date {found}")]
    Time {
        /// The date.
        found: Timestamp,
    },
}

impl From<x509_cert::der::Error> for Error {
    fn from(error: x509_cert::der::Error) -> Self {
        Error::Der { reason: error.to_string() }
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` until {}", self.name, self.not_after)
    }
}

/// The PEM blocks of a text; what stands between them is skipped.
fn blocks(text: &str) -> Result<Vec<&str>, Error> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find("-----BEGIN ") {
        let end = rest[begin..].find("-----END ").ok_or(Error::Pem)? + begin;
        let line = rest[end..].find('\n').map_or(rest.len(), |at| end + at + 1);
        found.push(&rest[begin..line]);
        rest = &rest[line..];
    }
    match found.is_empty() {
        true => Err(Error::Pem),
        false => Ok(found),
    }
}

/// The bytes of a block that is not as Go writes it.
fn foreign(block: &str) -> Result<Vec<u8>, Error> {
    let normalized = block.replace('\r', "");
    match pem::decode_vec(normalized.trim_end().as_bytes()) {
        Ok((LABEL, der)) => Ok(der),
        _ => Err(Error::Pem),
    }
}

/// The last common name counts, as in Go.
fn common_name(name: &x509_cert::name::Name) -> String {
    let names = name.iter().filter(|attribute| attribute.oid == COMMON_NAME);
    let text = names.last().map(|attribute| String::from_utf8_lossy(attribute.value.value()));
    text.map(|text| text.into_owned()).unwrap_or_default()
}

fn instant(time: Time) -> Result<Timestamp, Error> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_err(|e| Error::Der { reason: e.to_string() })
}

const LABEL: &str = "CERTIFICATE";
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
/// ecdsa-with-SHA1, sha1WithRSAEncryption, dsa-with-sha1.
const SHA1: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.1"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5"),
    ObjectIdentifier::new_unwrap("1.2.840.10040.4.3"),
];

#[cfg(test)]
mod tests;
