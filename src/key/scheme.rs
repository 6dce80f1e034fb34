//! Signature schemes: what a token is given, and how its answer is encoded.
//!
//! Ground floor: pure, touches nothing.

use aws_lc_rs::{digest, signature};
use serde::{Deserialize, Serialize};

use super::{Algorithm, Error, base64, der_of_raw};

/// A hash of the SHA-2 family (FIPS 180-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hash {
    /// 32 bytes.
    Sha256,
    /// 48 bytes.
    Sha384,
    /// 64 bytes.
    Sha512,
}

impl Hash {
    /// Computes the hash of `message`.
    pub fn of(self, message: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha384 => &digest::SHA384,
            Hash::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, message).as_ref().to_vec()
    }
}

/// How a message becomes a signature: what a token is given, and how its raw answer is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// ECDSA as ASN.1 DER (RFC 3279 2.2.3): TUF and certificates.
    EcdsaDer(Hash),
    /// ECDSA as r‖s, each as wide as the curve: Notary, always with SHA-256.
    EcdsaRaw(Hash),
    /// Ed25519 (RFC 8032), over the message itself.
    Ed25519,
    /// RSASSA-PKCS1-v1_5 with SHA-256: only ever met in foreign Notary metadata.
    RsaPkcs1,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and 32 bytes of salt (RFC 8017).
    RsaPss,
}

/// What a token must be given to sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToSign {
    /// A digest, already computed with this hash.
    Digest {
        /// The hash that made it; PSS needs to know.
        hash: Hash,
        /// The digest.
        #[serde(with = "base64")]
        bytes: Vec<u8>,
    },
    /// The whole message.
    Message(#[serde(with = "base64")] Vec<u8>),
}

impl Scheme {
    /// What a token is given so that it signs `message`.
    pub fn to_sign(self, message: &[u8]) -> ToSign {
        let hash = match self {
            Scheme::EcdsaDer(hash) | Scheme::EcdsaRaw(hash) => hash,
            Scheme::RsaPkcs1 | Scheme::RsaPss => Hash::Sha256,
            Scheme::Ed25519 => return ToSign::Message(message.to_vec()),
        };
        ToSign::Digest { hash, bytes: hash.of(message) }
    }

    /// Turns a token's answer into the signature's bytes.
    ///
    /// `raw` is r‖s from CKM_ECDSA, or what CKM_EDDSA and CKM_RSA_PKCS_PSS return.
    ///
    /// # Errors
    /// [`Error::SignatureLength`] when the answer is not as long as this kind of key makes it.
    pub fn encode(self, algorithm: Algorithm, raw: &[u8]) -> Result<Vec<u8>, Error> {
        let expected = match algorithm {
            Algorithm::Ed25519 => 64,
            Algorithm::Rsa(bits) => usize::from(bits).div_ceil(8),
            _ => algorithm.width().map_or(0, |width| 2 * width),
        };
        if raw.len() != expected {
            return Err(Error::SignatureLength { expected, found: raw.len() });
        }
        match self {
            Scheme::EcdsaDer(_) => der_of_raw(algorithm, raw),
            _ => Ok(raw.to_vec()),
        }
    }

    /// The scheme in which a root certificate is signed by a key of this kind: SHA-256, and PSS for RSA so that
    /// the key needs one mechanism only.
    pub const fn of_certificate(algorithm: Algorithm) -> Scheme {
        match algorithm {
            Algorithm::Ed25519 => Scheme::Ed25519,
            Algorithm::Rsa(_) => Scheme::RsaPss,
            _ => Scheme::EcdsaDer(Hash::Sha256),
        }
    }

    pub(super) fn verifier(
        self,
        algorithm: Algorithm,
    ) -> Result<&'static dyn signature::VerificationAlgorithm, Error> {
        use signature as s;
        Ok(match (self, algorithm) {
            (Scheme::Ed25519, Algorithm::Ed25519) => &s::ED25519,
            (Scheme::RsaPkcs1, Algorithm::Rsa(_)) => &s::RSA_PKCS1_2048_8192_SHA256,
            (Scheme::RsaPss, Algorithm::Rsa(_)) => &s::RSA_PSS_2048_8192_SHA256,
            (Scheme::EcdsaDer(hash) | Scheme::EcdsaRaw(hash), _) => match (algorithm, hash) {
                (Algorithm::EcdsaP256, Hash::Sha256) => &s::ECDSA_P256_SHA256_ASN1,
                (Algorithm::EcdsaP256, Hash::Sha384) => &s::ECDSA_P256_SHA384_ASN1,
                (Algorithm::EcdsaP256, Hash::Sha512) => &s::ECDSA_P256_SHA512_ASN1,
                (Algorithm::EcdsaP384, Hash::Sha256) => &s::ECDSA_P384_SHA256_ASN1,
                (Algorithm::EcdsaP384, Hash::Sha384) => &s::ECDSA_P384_SHA384_ASN1,
                (Algorithm::EcdsaP384, Hash::Sha512) => &s::ECDSA_P384_SHA512_ASN1,
                (Algorithm::EcdsaP521, Hash::Sha256) => &s::ECDSA_P521_SHA256_ASN1,
                (Algorithm::EcdsaP521, Hash::Sha384) => &s::ECDSA_P521_SHA384_ASN1,
                (Algorithm::EcdsaP521, Hash::Sha512) => &s::ECDSA_P521_SHA512_ASN1,
                (Algorithm::EcdsaP224, _) => return Err(Error::Unverifiable { algorithm }),
                _ => return Err(Error::SchemeMismatch { algorithm }),
            },
            _ => return Err(Error::SchemeMismatch { algorithm }),
        })
    }
}
