//! Key files of publishers: public keys to offer, private keys to prove and to sign with.
//!
//! Annex: reads the files that the command line names; a private key stays in memory for one command.

use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self as sign, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use officiant::key::file::KeyFile;
use officiant::key::{self, Algorithm, PublicKey, Scheme};
use officiant::request::Role;
use officiant::room::console::{Console, Prompt, Terminal};
use officiant::room::media;
use officiant::secret::Pin;
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use zeroize::Zeroizing;

use super::files;

/// Reads a public key: `PUBLIC KEY` or `CERTIFICATE`, headers and text around it do not matter.
///
/// # Errors
/// [`Error`].
fn public(file: &Path) -> Result<PublicKey, Error> {
    let block = pem(file)?;
    let wrong = |source| Error::Key { file: file.to_owned(), source };
    match block.label() {
        "PUBLIC KEY" => PublicKey::from_der(block.der()).map_err(wrong),
        "CERTIFICATE" => {
            let spki = Certificate::from_der(block.der()).map_err(|_| key::Error::NotSpki);
            let spki = spki.and_then(|certificate| {
                let spki = certificate.tbs_certificate().subject_public_key_info().to_der();
                spki.map_err(|_| key::Error::NotSpki)
            });
            PublicKey::from_der(&spki.map_err(wrong)?).map_err(wrong)
        }
        label => {
            let (file, label) = (file.to_owned(), label.to_owned());
            Err(Error::Label { file, expected: "PUBLIC KEY", label })
        }
    }
}

/// Reads a public key to offer for a role. Publishers prove that they hold theirs, so it must be of a kind that
/// [`Private`] signs with.
///
/// # Errors
/// [`Error`].
pub(crate) fn to_offer(file: &Path, role: Role) -> Result<PublicKey, Error> {
    let key = public(file)?;
    let algorithm = key.algorithm();
    let signs = !matches!(algorithm, Algorithm::EcdsaP224 | Algorithm::EcdsaP384);
    if signs || role == Role::Timestamp {
        return Ok(key);
    }
    Err(Error::Unprovable { file: file.to_owned(), algorithm })
}

/// A private key in memory.
pub(crate) struct Private {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl Private {
    /// Reads a private key: PKCS#8, SEC 1 or PKCS#1. The passphrase of an encrypted one is asked for at the
    /// controlling terminal, once.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) fn read(file: &Path) -> Result<Self, Error> {
        let block = pem(file)?;
        let wrong = || Error::Passphrase { file: file.to_owned() };
        if !block.label().ends_with("PRIVATE KEY") {
            let (file, label) = (file.to_owned(), block.label().to_owned());
            return Err(Error::Label { file, expected: "PRIVATE KEY", label });
        }
        if !block.is_encrypted() {
            return Self::from_der(file, block.der());
        }
        let passphrase = passphrase(file)?;
        let plain = block.open(passphrase.expose().as_bytes()).map_err(|_| wrong())?;
        // Once in 256 times another passphrase leaves padding that looks right, and no key.
        Self::from_der(file, &plain).map_err(|_| wrong())
    }

    fn from_der(file: &Path, der: &[u8]) -> Result<Self, Error> {
        let wrong = |source| Error::Key { file: file.to_owned(), source };
        let inner = key::file::inner(der);
        for (algorithm, signing) in CURVES {
            let read = |der: &[u8]| EcdsaKeyPair::from_private_key_der(signing, der).ok();
            if let Some(pair) = read(der).or_else(|| read(inner.as_ref()?)) {
                let public = PublicKey::from_ec_point(algorithm, pair.public_key().as_ref());
                return Ok(Self { public: public.map_err(wrong)?, pair: Pair::Ecdsa(pair) });
            }
        }
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            let public = PublicKey::from_ed25519(pair.public_key().as_ref()).map_err(wrong)?;
            return Ok(Self { public, pair: Pair::Ed25519(pair) });
        }
        if let Ok(pair) = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)) {
            let der: Option<PublicKeyX509Der<'_>> = pair.public_key().as_der().ok();
            let public = PublicKey::from_der(der.as_ref().map_or(&[], |der| der.as_ref()));
            return Ok(Self { public: public.map_err(wrong)?, pair: Pair::Rsa(Box::new(pair)) });
        }
        Err(Error::Private { file: file.to_owned() })
    }

    /// The public half.
    pub(crate) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message` as `scheme` wants it, SHA-256 throughout, and verifies the signature.
    ///
    /// # Errors
    /// [`Error::Signature`].
    pub(crate) fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, Error> {
        let random = SystemRandom::new();
        let raw = match &self.pair {
            Pair::Ecdsa(pair) => pair.sign(&random, message).ok().map(|s| s.as_ref().to_vec()),
            Pair::Ed25519(pair) => pair.try_sign(message).ok().map(|s| s.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut raw = vec![0; pair.public_modulus_len()];
                let done = pair.sign(&sign::RSA_PSS_SHA256, &random, message, &mut raw);
                done.ok().map(|()| raw)
            }
        };
        let bad = |source| Error::Signature { source };
        let raw = raw.ok_or_else(|| bad(key::Error::BadSignature))?;
        let bytes = scheme.encode(self.public.algorithm(), &raw).map_err(bad)?;
        self.public.verify(scheme, message, &bytes).map_err(bad)?;
        Ok(bytes)
    }
}

fn passphrase(file: &Path) -> Result<Pin, Error> {
    let no = |_| Error::Encrypted { file: file.to_owned() };
    let prompt = Prompt {
        step: 1,
        id: "passphrase".to_owned(),
        who: "owner of the key".to_owned(),
        text: format!("passphrase of `{}`", file.display()),
        expected: None,
    };
    Terminal::open().and_then(|mut terminal| terminal.ask_pin(&prompt)).map_err(no)
}

/// The first PEM block of a file that is a key or a certificate.
fn pem(file: &Path) -> Result<KeyFile, Error> {
    let bad = || Error::Pem { file: file.to_owned() };
    let bytes = Zeroizing::new(files::read(file, key::file::MAX_BYTES)?.ok_or_else(bad)?);
    KeyFile::read(&bytes).map_err(|source| match source {
        key::file::Error::Cipher => Error::OldEncryption { file: file.to_owned() },
        _ => bad(),
    })
}

/// Why a file is not the key that it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The private key is encrypted, and nobody gave the passphrase.
    #[error("`{}` is encrypted, and no passphrase was typed", file.display())]
    Encrypted {
        /// The file.
        file: PathBuf,
    },
    /// The key is of a kind that we do not know, or not in its one form.
    #[error("`{}`: {source}", file.display())]
    Key {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: key::Error,
    },
    /// Another PEM block.
    #[error("`{}` holds a `{label}`, expected a `{expected}`", file.display())]
    Label {
        /// The file.
        file: PathBuf,
        /// What was wanted.
        expected: &'static str,
        /// What was found.
        label: String,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Media(#[from] media::Error),
    /// The private key is encrypted as RFC 1421 says, by a cipher that nobody should use any more.
    #[error("`{}` is encrypted by a cipher that is not read", file.display())]
    OldEncryption {
        /// The file.
        file: PathBuf,
    },
    /// The passphrase does not open the key, or the encryption is of another kind.
    #[error("`{}` is not opened by this passphrase", file.display())]
    Passphrase {
        /// The file.
        file: PathBuf,
    },
    /// No PEM.
    #[error("`{}` is missing or no PEM", file.display())]
    Pem {
        /// The file.
        file: PathBuf,
    },
    /// A private key of no kind that we use.
    #[error("`{}` is no private key of ECDSA P-256 or P-521, Ed25519 or RSA", file.display())]
    Private {
        /// The file.
        file: PathBuf,
    },
    /// The key did not make a good signature.
    #[error("the key made no good signature: {source}")]
    Signature {
        /// What is wrong.
        source: key::Error,
    },
    /// A public key whose owner could not prove to hold it.
    #[error("`{}` is a key of {algorithm}, with which nothing is proved or signed here", file.display())]
    Unprovable {
        /// The file.
        file: PathBuf,
        /// Its kind.
        algorithm: Algorithm,
    },
}

/// With SHA-256, as every Notary client wants it; the library signs with no other curve so.
const CURVES: [(Algorithm, &EcdsaSigningAlgorithm); 2] = [
    (Algorithm::EcdsaP256, &sign::ECDSA_P256_SHA256_FIXED_SIGNING),
    (Algorithm::EcdsaP521, &sign::ECDSA_P521_SHA256_FIXED_SIGNING),
];
