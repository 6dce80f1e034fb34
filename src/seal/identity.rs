//! An `age` file around one share, for a person who has an identity of `age`.
//!
//! First floor: pure but for the randomness of `age`. The file is C2SP `age.md` with one `X25519` stanza, or the
//! one of age-plugin-yubikey.

use age::stream::StreamReader;
use age::{DecryptError, Encryptor, Recipient};

use super::{Error, MAX_SECRET, decryptor, plugin, read, written};
use crate::key::AgeKey;
use crate::secret::{Identity, SecretBytes};

/// Seals a secret of at most [`MAX_SECRET`] bytes to a key of `age`; gives the binary `age` file.
///
/// # Errors
/// [`Error::Unsealable`].
pub fn seal_to_age(secret: &SecretBytes, to: &AgeKey) -> Result<Vec<u8>, Error> {
    if secret.len() > MAX_SECRET {
        return Err(Error::Unsealable);
    }
    let recipient: Box<dyn Recipient> = match to.yubikey() {
        Some(key) => Box::new(plugin::Recipient(key)),
        None => {
            let to = to.as_str().parse::<age::x25519::Recipient>();
            Box::new(to.map_err(|_| Error::Unsealable)?)
        }
    };
    let encryptor = Encryptor::with_recipients(std::iter::once(&*recipient));
    written(encryptor.map_err(|_| Error::Unsealable)?, secret)
}

/// Opens what [`seal_to_age`] made.
///
/// # Errors
/// [`Error::NotSealed`], [`Error::OtherIdentity`], [`Error::Damaged`].
pub fn open_by_identity(sealed: &[u8], identity: &Identity) -> Result<SecretBytes, Error> {
    read(unlocked(sealed, identity)?)
}

/// Proves that an identity opens what [`seal_to_age`] made, and opens nothing: the file key is unwrapped, and the header
/// found to be made with it.
///
/// # Errors
/// [`Error::NotSealed`], [`Error::OtherIdentity`], [`Error::Damaged`].
pub fn unlock_by_identity(sealed: &[u8], identity: &Identity) -> Result<(), Error> {
    unlocked(sealed, identity).map(drop)
}

fn unlocked<'a>(sealed: &'a [u8], identity: &Identity) -> Result<StreamReader<&'a [u8]>, Error> {
    let decryptor = decryptor(sealed)?;
    let identity: age::x25519::Identity =
        identity.expose().parse().map_err(|_| Error::OtherIdentity)?;
    let reader = decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity));
    reader.map_err(|error| match error {
        DecryptError::NoMatchingKeys => Error::OtherIdentity,
        _ => Error::Damaged,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(name: &str) -> (AgeKey, Identity) {
        let (key, identity) = AgeKey::of_rehearsal(name).unwrap();
        (key, Identity::read(&SecretBytes::copy_of(identity.as_bytes())).unwrap())
    }

    #[test]
    fn what_is_sealed_to_a_key_of_age_opens_by_its_identity_and_no_other() {
        let ((key, identity), (_, other)) = (holder("lawyer"), holder("notary"));
        let secret = SecretBytes::copy_of(&[7; 176]);
        let sealed = seal_to_age(&secret, &key).unwrap();
        assert!(open_by_identity(&sealed, &identity).unwrap().matches(&secret));
        let wrong = open_by_identity(&sealed, &other).map(|_| ());
        assert_eq!(wrong, Err(Error::OtherIdentity));
        assert_eq!(unlock_by_identity(&sealed, &identity), Ok(()));
        assert_eq!(unlock_by_identity(&sealed, &other), Err(Error::OtherIdentity));
        for place in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[place] ^= 1;
            assert!(open_by_identity(&bad, &identity).is_err(), "byte {place}");
        }
        let long = SecretBytes::copy_of(&[0; MAX_SECRET + 1]);
        assert_eq!(seal_to_age(&long, &key), Err(Error::Unsealable));
    }
}
