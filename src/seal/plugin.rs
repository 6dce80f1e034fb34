//! An `age` file around one share, for a person whose identity of `age` is in a YubiKey: that of age-plugin-yubikey.
//!
//! First floor: pure but for the randomness of `age` and of the ephemeral key. The file is C2SP `age.md` with one stanza
//! `-> piv-p256 TAG SHARE`, as age-plugin-yubikey writes it: TAG is the first four bytes of the SHA-256 of the key's
//! compressed point, SHARE a compressed point, and the file key is sealed by ChaCha20Poly1305 under HKDF-SHA256 (salt
//! SHARE and then the key's point, info `piv-p256`) of the x coordinate that the YubiKey agrees on.

use std::cell::Cell;
use std::collections::HashSet;

use age::{DecryptError, EncryptError};
use age_core::format::{FileKey, Stanza};
use age_core::primitives::{aead_decrypt, aead_encrypt, hkdf};
use age_core::secrecy::ExposeSecret;
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use data_encoding::BASE64_NOPAD;
use zeroize::Zeroizing;

use super::{Error, compressed, decryptor, read};
use crate::digest::Digest;
use crate::key::{AgeKey, PublicKey};
use crate::secret::{Secret, SecretBytes};

/// The key of a YubiKey, as a recipient.
pub(super) struct Recipient(pub(super) PublicKey);

impl age::Recipient for Recipient {
    fn wrap_file_key(
        &self,
        file_key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let unsealable = |_| EncryptError::Io(std::io::ErrorKind::Other.into());
        let private = PrivateKey::generate(&ECDH_P256).map_err(unsealable)?;
        let share = compressed(private.compute_public_key().map_err(unsealable)?.as_ref());
        let peer = UnparsedPublicKey::new(&ECDH_P256, self.0.material());
        let x = agree(&private, peer, (), |x| Secret::<32>::copy_of(x).ok_or(()));
        let x = x.map_err(|()| EncryptError::Io(std::io::ErrorKind::Other.into()))?;
        let body = aead_encrypt(&wrapping(&x, &share, &self.0), file_key.expose_secret());
        let args = vec![tag(&self.0), BASE64_NOPAD.encode(&share)];
        Ok((vec![Stanza { tag: NAME.to_owned(), args, body }], HashSet::new()))
    }
}

/// Reads the point with which the YubiKey of `to` must agree so that `sealed` can be opened.
///
/// # Errors
/// [`Error::NotSealed`], [`Error::OtherIdentity`].
pub fn asked_of_yubikey(sealed: &[u8], to: &AgeKey) -> Result<[u8; 65], Error> {
    let looker = Looker { to: to.yubikey().ok_or(Error::OtherIdentity)?, found: Cell::new(None) };
    // `decrypt` always fails: the looker looks, and opens nothing.
    let _ = decryptor(sealed)?.decrypt(std::iter::once(&looker as &dyn age::Identity));
    looker.found.take().ok_or(Error::OtherIdentity)
}

/// Opens a share that is sealed to a YubiKey with what it agreed on; or proves that it would, and opens nothing.
pub(super) fn unlocked<'a>(
    sealed: &'a [u8],
    to: &AgeKey,
    x: &Secret<32>,
) -> Result<age::stream::StreamReader<&'a [u8]>, Error> {
    let opener = Agreed { to: to.yubikey().ok_or(Error::OtherIdentity)?, x };
    let reader = decryptor(sealed)?.decrypt(std::iter::once(&opener as &dyn age::Identity));
    reader.map_err(|error| match error {
        DecryptError::NoMatchingKeys => Error::OtherIdentity,
        _ => Error::Damaged,
    })
}

/// Opens it.
///
/// # Errors
/// [`Error::NotSealed`], [`Error::OtherIdentity`], [`Error::Damaged`].
pub fn open_by_yubikey(sealed: &[u8], to: &AgeKey, x: &Secret<32>) -> Result<SecretBytes, Error> {
    read(unlocked(sealed, to, x)?)
}

struct Looker {
    to: PublicKey,
    found: Cell<Option<[u8; 65]>>,
}

impl age::Identity for Looker {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if let Some((_, point)) = share_in(stanza, &self.to) {
            self.found.set(Some(std::array::from_fn(|i| point.material()[i])));
        }
        None
    }
}

struct Agreed<'a> {
    to: PublicKey,
    x: &'a Secret<32>,
}

impl age::Identity for Agreed<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        let (share, _) = share_in(stanza, &self.to)?;
        let opened = aead_decrypt(&wrapping(self.x, &share, &self.to), FILE_KEY, &stanza.body);
        Some(opened.map_err(|_| DecryptError::DecryptionFailed).and_then(|plain| {
            let plain = SecretBytes::take(plain);
            FileKey::try_init_with_mut(|key| {
                key.copy_from_slice(plain.expose());
                Ok(())
            })
        }))
    }
}

/// The point in a stanza, compressed and whole, if the stanza is for that key.
fn share_in(stanza: &Stanza, to: &PublicKey) -> Option<([u8; 33], PublicKey)> {
    let [theirs, share] = stanza.args.as_slice() else { return None };
    let share: [u8; 33] = BASE64_NOPAD.decode(share.as_bytes()).ok()?.try_into().ok()?;
    let is_ours = stanza.tag == NAME && *theirs == tag(to);
    is_ours.then_some(())?;
    Some((share, PublicKey::from_compressed_p256(&share).ok()?))
}

fn tag(to: &PublicKey) -> String {
    BASE64_NOPAD.encode(&Digest::of(&compressed(to.material())).as_bytes()[..4])
}

fn wrapping(x: &Secret<32>, share: &[u8; 33], to: &PublicKey) -> Zeroizing<[u8; 32]> {
    let salt = [&share[..], &compressed(to.material())].concat();
    Zeroizing::new(hkdf(&salt, NAME.as_bytes(), x.expose()))
}

const NAME: &str = "piv-p256";
/// The bytes of a file key.
const FILE_KEY: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Algorithm;
    use crate::seal::{Opener, seal_to_age};

    fn card() -> (PrivateKey, AgeKey) {
        let private = PrivateKey::generate(&ECDH_P256).unwrap();
        let point = private.compute_public_key().unwrap();
        let key = PublicKey::from_ec_point(Algorithm::EcdsaP256, point.as_ref()).unwrap();
        (private, AgeKey::of_yubikey(&key).unwrap())
    }

    fn agreed(private: &PrivateKey, point: &[u8; 65]) -> Secret<32> {
        let peer = UnparsedPublicKey::new(&ECDH_P256, point);
        agree(private, peer, (), |x| Ok(Secret::copy_of(x).unwrap())).unwrap()
    }

    #[test]
    fn what_is_sealed_to_a_yubikey_opens_by_what_it_agrees_on_and_no_other_does() {
        let ((private, key), (other, other_key)) = (card(), card());
        let secret = SecretBytes::copy_of(&[7; 176]);
        let sealed = seal_to_age(&secret, &key).unwrap();
        let point = asked_of_yubikey(&sealed, &key).unwrap();
        let opener =
            |private, to: &AgeKey| Opener::YubiKey { to: to.clone(), x: agreed(private, &point) };
        assert!(opener(&private, &key).open(&sealed).unwrap().matches(&secret));
        assert_eq!(opener(&private, &key).unlock(&sealed), Ok(()));
        let wrong = opener(&other, &key).unlock(&sealed);
        assert_eq!(wrong, Err(Error::Damaged));
        assert_eq!(opener(&other, &other_key).unlock(&sealed), Err(Error::OtherIdentity));
        assert_eq!(asked_of_yubikey(&sealed, &other_key), Err(Error::OtherIdentity));
        for place in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[place] ^= 1;
            assert!(opener(&private, &key).open(&bad).is_err(), "byte {place}");
        }
    }
}
