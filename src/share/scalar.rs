//! The 32 secret bytes of a software key: drawn, and turned into its public key.
//!
//! First floor: pure; randomness is an argument.

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

use super::Error;
use crate::key::{Algorithm, PublicKey};
use crate::secret::Secret;

/// Draws a private key: a scalar of P-256 by rejection (FIPS 186-5 A.2.2), so that every scalar from 1 to the order less
/// one is as likely as any other, or a seed of Ed25519 (RFC 8032 5.1.5).
///
/// # Errors
/// [`Error::NoShares`] for other algorithms, [`Error::NoEntropy`] if `entropy` fails.
pub fn draw<E>(
    algorithm: Algorithm,
    mut entropy: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<(Secret<32>, PublicKey), Error> {
    if !algorithm.fits_shares() {
        return Err(Error::NoShares { algorithm });
    }
    // A draw is outside the range once in 2^32; eight in a row mean a broken generator.
    for _ in 0..8 {
        let secret = Secret::try_fill(|bytes| entropy(bytes)).map_err(|_| Error::NoEntropy)?;
        if let Ok(public) = public_key(algorithm, &secret) {
            return Ok((secret, public));
        }
    }
    Err(Error::NoEntropy)
}

/// The public key of 32 secret bytes.
///
/// # Errors
/// [`Error::NoShares`] for algorithms without such keys, [`Error::NotAKey`] if the bytes are no scalar of the curve.
pub fn public_key(algorithm: Algorithm, secret: &Secret<32>) -> Result<PublicKey, Error> {
    match algorithm {
        Algorithm::EcdsaP256 => {
            let private = PrivateKey::from_private_key(&ECDH_P256, secret.expose());
            let public = private.map_err(|_| Error::NotAKey)?.compute_public_key();
            let public = public.map_err(|_| Error::NotAKey)?;
            PublicKey::from_ec_point(algorithm, public.as_ref()).map_err(|_| Error::NotAKey)
        }
        Algorithm::Ed25519 => {
            let pair = Ed25519KeyPair::from_seed_unchecked(secret.expose());
            let pair = pair.map_err(|_| Error::NotAKey)?;
            PublicKey::from_ed25519(pair.public_key().as_ref()).map_err(|_| Error::NotAKey)
        }
        _ => Err(Error::NoShares { algorithm }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_outside_the_curves_order_are_drawn_again() {
        let mut draws = vec![[0x11; 32], [0xff; 32], [0; 32]];
        let drawn = draw(Algorithm::EcdsaP256, |bytes| {
            bytes.copy_from_slice(&draws.pop().unwrap());
            Ok::<_, ()>(())
        });
        assert_eq!(drawn.map(|(secret, _)| *secret.expose()).unwrap(), [0x11; 32]);
        assert!(draws.is_empty());
    }

    #[test]
    fn a_broken_generator_is_an_error_and_no_loop() {
        let stuck = draw(Algorithm::EcdsaP256, |_| Ok::<_, ()>(()));
        assert_eq!(stuck.map(|_| ()), Err(Error::NoEntropy));
        let dead = draw(Algorithm::Ed25519, |_| Err(()));
        assert_eq!(dead.map(|_| ()), Err(Error::NoEntropy));
    }

    #[test]
    fn what_does_not_fit_the_block_is_refused_with_the_reason() {
        let refused = draw(Algorithm::Rsa(3072), |_| Ok::<_, ()>(())).map(|_| ()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "a key of rsa-3072 cannot be held in shares: only ecdsa-p256 and ed25519 fit the 32 bytes"
        );
    }

    #[test]
    fn an_ed25519_seed_gives_the_public_key_of_rfc_8032() {
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
        let key = public_key(Algorithm::Ed25519, &Secret::copy_of(&hex(seed)).unwrap()).unwrap();
        assert_eq!(key.material(), hex(public));
    }
}
