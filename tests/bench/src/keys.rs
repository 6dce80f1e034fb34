//! Software keys of P-256.

use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, KeyPair,
};
use officiant::key::{Algorithm, PublicKey};

/// A key pair, in PKCS#8.
pub(crate) struct SoftKey(Vec<u8>);

impl SoftKey {
    /// A new one.
    pub(crate) fn new() -> Self {
        let made =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Self(made.expect("a key").as_ref().to_vec())
    }

    /// That of a file.
    pub(crate) fn read(file: &Path) -> Self {
        Self(std::fs::read(file).expect("a key"))
    }

    /// As other programs read it.
    pub(crate) fn pkcs8(&self) -> &[u8] {
        &self.0
    }

    /// Its public half.
    pub(crate) fn public(&self) -> PublicKey {
        let pair = self.pair(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let point = pair.public_key().as_ref();
        PublicKey::from_ec_point(Algorithm::EcdsaP256, point).expect("a key")
    }

    /// A signature of SHA-256 in DER.
    pub(crate) fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.signed(&ECDSA_P256_SHA256_ASN1_SIGNING, text)
    }

    /// The same as two numbers of 32 bytes, as tokens give it.
    pub(crate) fn sign_fixed(&self, text: &[u8]) -> Vec<u8> {
        self.signed(&ECDSA_P256_SHA256_FIXED_SIGNING, text)
    }

    fn signed(&self, how: &'static EcdsaSigningAlgorithm, text: &[u8]) -> Vec<u8> {
        let signature = self.pair(how).sign(&SystemRandom::new(), text);
        signature.expect("a signature").as_ref().to_vec()
    }

    fn pair(&self, how: &'static EcdsaSigningAlgorithm) -> EcdsaKeyPair {
        EcdsaKeyPair::from_pkcs8(how, &self.0).expect("a key")
    }
}
