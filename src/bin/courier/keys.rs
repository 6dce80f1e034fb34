//! Key files of publishers: public keys to offer, private keys to prove and to sign with.
//!
//! Annex: reads the files that the command line names; a private key stays in memory for one command.

mod private;

use std::path::{Path, PathBuf};

use officiant::key::file::KeyFile;
use officiant::key::{self, Algorithm, PublicKey};
use officiant::request::Role;
use officiant::room::console::{Console, Prompt, Terminal};
use officiant::room::media;
use officiant::secret::Pin;
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use zeroize::Zeroizing;

use super::files;
pub(crate) use private::Private;

/// Reads a public key: `PUBLIC KEY` or `CERTIFICATE`, headers and text around it do not matter.
///
/// # Errors
/// [`Error`].
pub(crate) fn public(file: &Path) -> Result<PublicKey, Error> {
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
    /// The system gives no randomness.
    #[error("no key could be made")]
    Random,
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
