//! Keys of every kind that roots hold, with their private halves.

use std::path::PathBuf;
use std::process::Command;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use officiant::key::{Algorithm, PublicKey, Scheme};

use crate::harness::scratch::Scratch;

enum Private {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Box<Ed25519KeyPair>),
    /// P-384 with SHA-256, as Notary wants it and the library does not offer it.
    Openssl(PathBuf),
    Rsa(Box<rsa::KeyPair>),
}

/// A key pair.
pub(super) struct Signer {
    private: Private,
    pub(super) public: PublicKey,
}

impl Signer {
    pub(super) fn p256() -> Self {
        Self::ecdsa(Algorithm::EcdsaP256, &signature::ECDSA_P256_SHA256_FIXED_SIGNING)
    }

    pub(super) fn p384() -> Self {
        Self::ecdsa(Algorithm::EcdsaP384, &signature::ECDSA_P384_SHA384_FIXED_SIGNING)
    }

    fn ecdsa(algorithm: Algorithm, signing: &'static signature::EcdsaSigningAlgorithm) -> Self {
        let pair = EcdsaKeyPair::generate(signing).unwrap();
        let public = PublicKey::from_ec_point(algorithm, pair.public_key().as_ref()).unwrap();
        Self { private: Private::Ecdsa(pair), public }
    }

    pub(super) fn p384_with_sha256(scratch: &Scratch) -> Self {
        let path = scratch.path().join("p384.pem");
        let openssl = |arguments: &[&str]| {
            let ran = Command::new("openssl").args(arguments).arg(&path).output().unwrap();
            assert!(ran.status.success());
            ran.stdout
        };
        openssl(&["ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out"]);
        let public = openssl(&["pkey", "-pubout", "-in"]);
        let public = PublicKey::from_pem(std::str::from_utf8(&public).unwrap()).unwrap();
        Self { private: Private::Openssl(path), public }
    }

    pub(super) fn ed25519() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let public = PublicKey::from_ed25519(pair.public_key().as_ref()).unwrap();
        Self { private: Private::Ed25519(Box::new(pair)), public }
    }

    pub(super) fn rsa() -> Self {
        let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let public = PublicKey::from_der(der.as_ref()).unwrap();
        Self { private: Private::Rsa(Box::new(pair)), public }
    }

    /// Signs in a scheme, encoded as it says.
    pub(super) fn sign(&self, scheme: Scheme, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let raw = match &self.private {
            Private::Ecdsa(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Private::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Private::Openssl(path) => raw_of_der(&openssl_sign(path, message), 48),
            Private::Rsa(pair) => {
                let encoding: &'static dyn signature::RsaEncoding = match scheme {
                    Scheme::RsaPkcs1 => &signature::RSA_PKCS1_SHA256,
                    _ => &signature::RSA_PSS_SHA256,
                };
                let mut out = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut out).unwrap();
                out
            }
        };
        scheme.encode(self.public.algorithm(), &raw).unwrap()
    }
}

fn openssl_sign(key: &PathBuf, message: &[u8]) -> Vec<u8> {
    let file = key.with_extension("message");
    std::fs::write(&file, message).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.args(["dgst", "-sha256", "-sign"]).arg(key).arg(&file).output().unwrap().stdout
}

/// r‖s of ECDSA-Sig-Value.
fn raw_of_der(der: &[u8], width: usize) -> Vec<u8> {
    let mut raw = Vec::new();
    let mut rest = &der[2..];
    for _ in 0..2 {
        let length = usize::from(rest[1]);
        let digits = &rest[2..2 + length];
        let digits = &digits[digits.len().saturating_sub(width)..];
        raw.extend(std::iter::repeat_n(0, width - digits.len()));
        raw.extend_from_slice(digits);
        rest = &rest[2 + length..];
    }
    raw
}
