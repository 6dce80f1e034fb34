//! A private key in the vault's memory, and its raw signatures.
//!
//! Roof: pure but for the randomness of `aws-lc-rs`. AWS-LC wipes its key structures when it frees them.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RSA_PSS_SHA256,
};

use super::Refused;
use crate::key::{Algorithm, Hash, PublicKey, ToSign};
use crate::secret::Secret;
use crate::share;

/// A private key of one of the kinds that a plan may name.
pub(super) enum SoftKey {
    EcdsaP256(EcdsaKeyPair),
    EcdsaP384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>, u16),
}

impl SoftKey {
    /// Takes a key from shares; `public` must be its public key.
    pub(super) fn from_secret(secret: &Secret<32>, public: &PublicKey) -> Result<Self, Refused> {
        let rejected = |_| Refused::Share(share::Error::NotAKey);
        match public.algorithm() {
            Algorithm::EcdsaP256 => EcdsaKeyPair::from_private_key_and_public_key(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                secret.expose(),
                public.material(),
            )
            .map(Self::EcdsaP256)
            .map_err(rejected),
            Algorithm::Ed25519 => {
                Ed25519KeyPair::from_seed_and_public_key(secret.expose(), public.material())
                    .map(Self::Ed25519)
                    .map_err(rejected)
            }
            algorithm => Err(share::Error::NoShares { algorithm }.into()),
        }
    }

    /// Makes a key to be thrown away.
    pub(super) fn generate(algorithm: Algorithm) -> Result<(Self, PublicKey), Refused> {
        let unfit = || Refused::Signature { algorithm };
        let (key, public) = match algorithm {
            Algorithm::EcdsaP256 | Algorithm::EcdsaP384 => {
                let is_p256 = algorithm == Algorithm::EcdsaP256;
                let signing = match is_p256 {
                    true => &ECDSA_P256_SHA256_FIXED_SIGNING,
                    false => &ECDSA_P384_SHA384_FIXED_SIGNING,
                };
                let pair = EcdsaKeyPair::generate(signing).map_err(|_| unfit())?;
                let public = PublicKey::from_ec_point(algorithm, pair.public_key().as_ref());
                (if is_p256 { Self::EcdsaP256(pair) } else { Self::EcdsaP384(pair) }, public)
            }
            Algorithm::Ed25519 => {
                let pair = Ed25519KeyPair::generate().map_err(|_| unfit())?;
                let public = PublicKey::from_ed25519(pair.public_key().as_ref());
                (Self::Ed25519(pair), public)
            }
            Algorithm::Rsa(bits) => {
                let size = match bits {
                    3072 => KeySize::Rsa3072,
                    4096 => KeySize::Rsa4096,
                    _ => return Err(unfit()),
                };
                let pair = RsaKeyPair::generate(size).map_err(|_| unfit())?;
                let der: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| unfit())?;
                let public = PublicKey::from_der(der.as_ref());
                (Self::Rsa(Box::new(pair), bits), public)
            }
            Algorithm::EcdsaP224 | Algorithm::EcdsaP521 => return Err(unfit()),
        };
        Ok((key, public.map_err(|_| unfit())?))
    }

    /// Signs; the answer is raw, as a token's is.
    pub(super) fn sign(&self, input: &ToSign) -> Result<Vec<u8>, Refused> {
        let unfit = || Refused::Signature { algorithm: self.algorithm() };
        let signed = match (self, input) {
            (Self::EcdsaP256(pair), ToSign::Digest { bytes, .. }) => {
                pair.sign_digest(&fitted(bytes, &digest::SHA256, 32).ok_or_else(unfit)?)
            }
            (Self::EcdsaP384(pair), ToSign::Digest { bytes, .. }) => {
                pair.sign_digest(&fitted(bytes, &digest::SHA384, 48).ok_or_else(unfit)?)
            }
            (Self::Ed25519(pair), ToSign::Message(message)) => pair.try_sign(message),
            (Self::Rsa(pair, _), ToSign::Digest { hash: Hash::Sha256, bytes }) => {
                let digest = digest::Digest::import_less_safe(bytes, &digest::SHA256);
                let mut signature = vec![0; pair.public_modulus_len()];
                return digest
                    .and_then(|digest| pair.sign_digest(&RSA_PSS_SHA256, &digest, &mut signature))
                    .map(|()| signature)
                    .map_err(|_| unfit());
            }
            _ => return Err(unfit()),
        };
        signed.map(|signature| signature.as_ref().to_vec()).map_err(|_| unfit())
    }

    fn algorithm(&self) -> Algorithm {
        match self {
            Self::EcdsaP256(_) => Algorithm::EcdsaP256,
            Self::EcdsaP384(_) => Algorithm::EcdsaP384,
            Self::Ed25519(_) => Algorithm::Ed25519,
            Self::Rsa(_, bits) => Algorithm::Rsa(*bits),
        }
    }
}

/// A digest as wide as the curve's order, which is how `aws-lc-rs` wants it: ECDSA takes the leftmost bits of a longer digest
/// and the number that a shorter one is (FIPS 186-5 6.4.1), so cutting and zeros on the left change nothing.
fn fitted(
    bytes: &[u8],
    algorithm: &'static digest::Algorithm,
    width: usize,
) -> Option<digest::Digest> {
    let mut fitted = vec![0; width.saturating_sub(bytes.len())];
    fitted.extend(bytes.iter().take(width));
    digest::Digest::import_less_safe(&fitted, algorithm).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Scheme;

    #[test]
    fn every_kind_of_key_makes_signatures_that_verify() {
        for (algorithm, schemes) in [
            (
                Algorithm::EcdsaP256,
                vec![Scheme::EcdsaDer(Hash::Sha256), Scheme::EcdsaRaw(Hash::Sha384)],
            ),
            (
                Algorithm::EcdsaP384,
                vec![Scheme::EcdsaDer(Hash::Sha384), Scheme::EcdsaRaw(Hash::Sha256)],
            ),
            (Algorithm::Ed25519, vec![Scheme::Ed25519]),
            (Algorithm::Rsa(3072), vec![Scheme::RsaPss]),
        ] {
            let (key, public) = SoftKey::generate(algorithm).unwrap();
            for scheme in schemes {
                let raw = key.sign(&scheme.to_sign(b"root")).unwrap();
                let signature = scheme.encode(algorithm, &raw).unwrap();
                assert_eq!(public.verify(scheme, b"root", &signature), Ok(()), "{scheme:?}");
            }
        }
    }

    #[test]
    fn the_wrong_kind_of_input_is_refused() {
        let (key, _) = SoftKey::generate(Algorithm::Ed25519).unwrap();
        let digest = ToSign::Digest { hash: Hash::Sha256, bytes: vec![0; 32] };
        assert_eq!(
            key.sign(&digest).unwrap_err().to_string(),
            "a key of ed25519 cannot make that kind of signature"
        );
        let (key, _) = SoftKey::generate(Algorithm::EcdsaP256).unwrap();
        assert!(key.sign(&ToSign::Message(vec![])).is_err());
    }
}
