//! A private key, wrapped so that one token alone takes it up.
//!
//! Roof: pure but for the ephemeral keys, which `aws-lc-rs` draws.
//!
//! For each way there is an ephemeral P-256 key, with which the token's sealing key agrees (ECDH, CKD_NULL); the x
//! coordinate is an AES-256 key that lives in the token and is not read. It wraps the key's PrivateKeyInfo (RFC 5958,
//! version 1, with the ECPrivateKey of RFC 5915) by AES-KWP (RFC 5649), or by AES-CBC with PKCS#7 padding: modules
//! have the one or the other.

use aws_lc_rs::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::key_wrap::{AES_256 as WRAP_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rand::SystemRandom;

use super::Refused;
use crate::key::{Algorithm, PublicKey};
use crate::room::token::{WrapBy, Wrapped};
use crate::seal::SealKey;
use crate::secret::{Secret, SecretBytes};

/// Wraps the private key of `public`, a P-256 key, for the token of `to`, in every way that there is.
///
/// # Errors
/// [`Refused::Unwrappable`] for a key of another kind, or if no ephemeral key can be drawn.
pub(super) fn wrap(
    secret: &Secret<32>,
    public: &PublicKey,
    to: &SealKey,
) -> Result<Vec<Wrapped>, Refused> {
    let algorithm = public.algorithm();
    if algorithm != Algorithm::EcdsaP256 {
        return Err(Refused::Unwrappable { algorithm });
    }
    let info = private_key_info(secret, public);
    let padded = agreed(to, |kek| {
        let mut bytes = vec![0; info.len() + 16];
        let kek = AesKek::new(&WRAP_256, kek).ok()?;
        let wrapped = kek.wrap_with_padding(info.expose(), &mut bytes).ok()?.len();
        bytes.truncate(wrapped);
        Some((WrapBy::KeyWrapPad, bytes))
    })?;
    let chained = agreed(to, |kek| {
        let key = UnboundCipherKey::new(&AES_256, kek).ok()?;
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).ok()?;
        let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(info.len() + 16));
        bytes.extend_from_slice(info.expose());
        // In place: what was plain is cipher text afterwards.
        let DecryptionContext::Iv128(iv) = key.encrypt(&mut *bytes).ok()? else { return None };
        Some((WrapBy::CbcPad(*iv.as_ref()), std::mem::take(&mut *bytes)))
    })?;
    Ok(vec![padded, chained])
}

/// Wraps by a key that is agreed on with an ephemeral key of its own.
fn agreed(
    to: &SealKey,
    wrap: impl FnOnce(&[u8]) -> Option<(WrapBy, Vec<u8>)>,
) -> Result<Wrapped, Refused> {
    let ephemeral = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new());
    let failed = Refused::Unwrappable { algorithm: Algorithm::EcdsaP256 };
    let ephemeral = ephemeral.map_err(|_| failed.clone())?;
    let peer = ephemeral.compute_public_key().map_err(|_| failed.clone())?;
    let point = to.point();
    let theirs = UnparsedPublicKey::new(&ECDH_P256, &point[..]);
    let (by, bytes) = agree_ephemeral(ephemeral, theirs, failed.clone(), |kek| {
        wrap(kek).ok_or_else(|| failed.clone())
    })?;
    Ok(Wrapped { by, peer: peer.as_ref().to_vec(), bytes })
}

/// PrivateKeyInfo of a P-256 key, DER.
fn private_key_info(secret: &Secret<32>, public: &PublicKey) -> SecretBytes {
    let parts = [BEFORE_SECRET, secret.expose(), BEFORE_POINT, public.material()];
    SecretBytes::fill(parts.iter().map(|part| part.len()).sum(), |info| {
        let mut rest = info;
        for part in parts {
            let (here, after) = rest.split_at_mut(part.len());
            here.copy_from_slice(part);
            rest = after;
        }
    })
}

/// The sequence, version 0, id-ecPublicKey on prime256v1, and the octet string of ECPrivateKey as far as its scalar.
const BEFORE_SECRET: &[u8] = &[
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
    0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02,
    0x01, 0x01, 0x04, 0x20,
];
/// The public key of ECPrivateKey, a bit string of 65 bytes.
const BEFORE_POINT: &[u8] = &[0xa1, 0x44, 0x03, 0x42, 0x00];

#[cfg(test)]
mod tests {
    use aws_lc_rs::agreement::{PrivateKey, agree};
    use aws_lc_rs::cipher::PaddedBlockDecryptingKey;
    use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};

    use super::*;
    use crate::key::file;

    /// A token's side of an agreement, in software.
    fn unwrap(wrapped: &Wrapped, by: &PrivateKey) -> Vec<u8> {
        let peer = UnparsedPublicKey::new(&ECDH_P256, &wrapped.peer);
        agree(by, peer, (), |kek| {
            let mut bytes = wrapped.bytes.clone();
            Ok(match wrapped.by {
                WrapBy::KeyWrapPad => {
                    let mut out = vec![0; bytes.len()];
                    let kek = AesKek::new(&WRAP_256, kek).map_err(|_| ())?;
                    kek.unwrap_with_padding(&bytes, &mut out).map_err(|_| ())?.to_vec()
                }
                WrapBy::CbcPad(iv) => {
                    let key = UnboundCipherKey::new(&AES_256, kek).map_err(|_| ())?;
                    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(|_| ())?;
                    let iv = DecryptionContext::Iv128(iv.into());
                    key.decrypt(&mut bytes, iv).map_err(|_| ())?.to_vec()
                }
            })
        })
        .unwrap()
    }

    fn drawn() -> (PrivateKey, PublicKey) {
        let key = PrivateKey::generate(&ECDH_P256).unwrap();
        let point = key.compute_public_key().unwrap();
        let public = PublicKey::from_ec_point(Algorithm::EcdsaP256, point.as_ref()).unwrap();
        (key, public)
    }

    #[test]
    fn the_token_takes_up_the_very_key_in_each_way_and_no_two_share_an_agreement() {
        let ((token, seal), (key, public)) = (drawn(), drawn());
        let scalar: EcPrivateKeyBin<'_> = key.as_be_bytes().unwrap();
        let secret = Secret::copy_of(scalar.as_ref()).unwrap();
        let wrapped = wrap(&secret, &public, &SealKey::try_from(seal).unwrap()).unwrap();
        assert_eq!(wrapped.len(), 2);
        assert_ne!(wrapped[0].peer, wrapped[1].peer);
        for way in &wrapped {
            let info = unwrap(way, &token);
            assert!(file::scalar(&info).unwrap().matches(&secret), "{:?}", way.by);
            assert_eq!(info[info.len() - 65..], *public.material());
        }
    }

    #[test]
    fn a_key_of_another_kind_is_not_wrapped() {
        let (_, seal) = drawn();
        let other = PublicKey::from_ed25519(&[7; 32]).unwrap();
        let refused = wrap(&Secret::fill(|_| ()), &other, &SealKey::try_from(seal).unwrap());
        assert_eq!(refused, Err(Refused::Unwrappable { algorithm: Algorithm::Ed25519 }));
    }
}
