//! A private key in memory, for one command.
//!
//! Annex: reads the file that the command line names.

use std::path::Path;

use aws_lc_rs::encoding::{
    AsBigEndian, AsDer, Curve25519SeedBin, EcPrivateKeyRfc5915Der, Pkcs8V1Der, PublicKeyX509Der,
};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self as sign, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use officiant::key::{self, Algorithm, PublicKey, Scheme, file};
use zeroize::Zeroizing;

use super::{Error, passphrase, pem};

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
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let block = pem(path)?;
        if !block.label().ends_with("PRIVATE KEY") {
            let (file, label) = (path.to_owned(), block.label().to_owned());
            return Err(Error::Label { file, expected: "PRIVATE KEY", label });
        }
        if !block.is_encrypted() {
            return Self::from_der(path, block.der());
        }
        let passphrase = passphrase(path)?;
        let plain = block.open(passphrase.expose().as_bytes());
        let plain = plain.map_err(|_| Error::Passphrase { file: path.to_owned() })?;
        Self::from_der(path, &plain)
    }

    /// Takes DER: PKCS#8, also in Notary's forms of it, SEC 1 or PKCS#1. The path is for words.
    ///
    /// # Errors
    /// [`Error::Private`], [`Error::Key`].
    pub(crate) fn from_der(path: &Path, der: &[u8]) -> Result<Self, Error> {
        let wrong = |source| Error::Key { file: path.to_owned(), source };
        let inner = file::inner(der);
        for (algorithm, signing) in CURVES {
            let read = |der: &[u8]| EcdsaKeyPair::from_private_key_der(signing, der).ok();
            if let Some(pair) = read(der).or_else(|| read(inner?)) {
                let public = PublicKey::from_ec_point(algorithm, pair.public_key().as_ref());
                return Ok(Self { public: public.map_err(wrong)?, pair: Pair::Ecdsa(pair) });
            }
        }
        let seed = file::notary_ed25519(der);
        let of_notary = seed.and_then(|seed| Ed25519KeyPair::from_seed_unchecked(&seed).ok());
        if let Some(pair) =
            of_notary.or_else(|| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok())
        {
            let public = PublicKey::from_ed25519(pair.public_key().as_ref()).map_err(wrong)?;
            return Ok(Self { public, pair: Pair::Ed25519(pair) });
        }
        if let Ok(pair) = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)) {
            let der: Option<PublicKeyX509Der<'_>> = pair.public_key().as_der().ok();
            let public = PublicKey::from_der(der.as_ref().map_or(&[], |der| der.as_ref()));
            return Ok(Self { public: public.map_err(wrong)?, pair: Pair::Rsa(Box::new(pair)) });
        }
        Err(Error::Private { file: path.to_owned() })
    }

    /// Makes a key of ECDSA P-256, the kind that every client of Notary takes.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub(crate) fn generate() -> Result<Self, Error> {
        let (algorithm, signing) = CURVES[0];
        let pair = EcdsaKeyPair::generate(signing).map_err(|_| Error::Random)?;
        let public = PublicKey::from_ec_point(algorithm, pair.public_key().as_ref());
        Ok(Self { public: public.map_err(|_| Error::Random)?, pair: Pair::Ecdsa(pair) })
    }

    /// PrivateKeyInfo as Notary writes it. None is an answer of the cryptographic library alone.
    pub(crate) fn to_notary(&self) -> Option<Zeroizing<Vec<u8>>> {
        let inner = match &self.pair {
            Pair::Ecdsa(pair) => {
                let der: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().ok()?;
                Zeroizing::new(der.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => {
                let (seed, public) = (pair.seed().ok()?, pair.public_key().as_ref());
                let seed: Curve25519SeedBin<'_> = seed.as_be_bytes().ok()?;
                Zeroizing::new([public, seed.as_ref(), public].concat())
            }
            Pair::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
                Zeroizing::new(file::inner(der.as_ref())?.to_vec())
            }
        };
        file::notary_pkcs8(self.public.algorithm(), &inner)
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

/// With SHA-256, as every Notary client wants it; the library signs with no other curve so.
const CURVES: [(Algorithm, &EcdsaSigningAlgorithm); 2] = [
    (Algorithm::EcdsaP256, &sign::ECDSA_P256_SHA256_FIXED_SIGNING),
    (Algorithm::EcdsaP521, &sign::ECDSA_P521_SHA256_FIXED_SIGNING),
];
