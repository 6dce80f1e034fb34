//! An `age` file around one share that goes onto paper: opened by a passphrase that was drawn for it.
//!
//! First floor: pure but for the randomness of `age`. The file is C2SP `age.md` with one `scrypt` recipient stanza of
//! one fixed work factor. The passphrase has 110 bits, so it is not the work that protects it.

use age::scrypt::{Identity as ByPassphrase, Recipient as ToPassphrase};
use age::stream::StreamReader;
use age::{DecryptError, Encryptor, Identity, Recipient};
use age_core::secrecy::SecretString;

use super::{Error, MAX_SECRET, decryptor, read, written};
use crate::secret::{Passphrase, SecretBytes};

/// Seals a secret of at most [`MAX_SECRET`] bytes to a passphrase; gives the binary `age` file.
///
/// # Errors
/// [`Error::Unsealable`].
pub fn seal_to_passphrase(secret: &SecretBytes, passphrase: &Passphrase) -> Result<Vec<u8>, Error> {
    if secret.len() > MAX_SECRET {
        return Err(Error::Unsealable);
    }
    let mut recipient = ToPassphrase::new(handed(passphrase));
    recipient.set_work_factor(WORK);
    let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as &dyn Recipient));
    written(encryptor.map_err(|_| Error::Unsealable)?, secret)
}

/// Opens what [`seal_to_passphrase`] made.
///
/// # Errors
/// [`Error::NotSealed`], [`Error::OtherPassphrase`], [`Error::Damaged`].
pub fn open_by_passphrase(sealed: &[u8], passphrase: &Passphrase) -> Result<SecretBytes, Error> {
    read(unlocked(sealed, passphrase)?)
}

/// Proves that a passphrase opens what [`seal_to_passphrase`] made, and opens nothing: the file key is unwrapped, and the
/// header found to be made with it.
///
/// # Errors
/// [`Error::NotSealed`], [`Error::OtherPassphrase`], [`Error::Damaged`].
pub fn unlock_by_passphrase(sealed: &[u8], passphrase: &Passphrase) -> Result<(), Error> {
    unlocked(sealed, passphrase).map(drop)
}

fn unlocked<'a>(
    sealed: &'a [u8],
    passphrase: &Passphrase,
) -> Result<StreamReader<&'a [u8]>, Error> {
    let decryptor = decryptor(sealed)?;
    let mut identity = ByPassphrase::new(handed(passphrase));
    // A file from elsewhere may ask for hours and for all memory there is: no more than our own take.
    identity.set_max_work_factor(WORK);
    let reader = decryptor.decrypt(std::iter::once(&identity as &dyn Identity));
    reader.map_err(|error| match error {
        DecryptError::NoMatchingKeys
        | DecryptError::DecryptionFailed
        | DecryptError::KeyDecryptionFailed => Error::OtherPassphrase,
        _ => Error::Damaged,
    })
}

/// As `age` takes it; it wipes what it was given.
fn handed(passphrase: &Passphrase) -> SecretString {
    SecretString::from(passphrase.expose().to_owned())
}

/// scrypt with N = 2^14 (16 MiB), r = 8, p = 1.
const WORK: u8 = 14;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::MAX_FILE;

    fn passphrase(seed: u8) -> Passphrase {
        Passphrase::draw(|bytes| {
            bytes.fill(seed);
            Ok::<(), ()>(())
        })
        .unwrap()
    }

    #[test]
    fn what_is_sealed_to_a_passphrase_opens_with_it_and_no_other() {
        let secret = SecretBytes::copy_of(&[7; 176]);
        let sealed = seal_to_passphrase(&secret, &passphrase(1)).unwrap();
        assert!(sealed.len() < MAX_FILE);
        assert!(open_by_passphrase(&sealed, &passphrase(1)).unwrap().matches(&secret));
        let other = open_by_passphrase(&sealed, &passphrase(2)).map(|_| ());
        assert_eq!(other, Err(Error::OtherPassphrase));
        assert_eq!(unlock_by_passphrase(&sealed, &passphrase(1)), Ok(()));
        assert_eq!(unlock_by_passphrase(&sealed, &passphrase(2)), Err(Error::OtherPassphrase));
        // The header, the nonce, the body.
        for place in [30, 160, sealed.len() - 1] {
            let mut bad = sealed.clone();
            bad[place] ^= 1;
            assert!(open_by_passphrase(&bad, &passphrase(1)).is_err(), "byte {place}");
        }
    }

    #[test]
    fn a_file_that_asks_for_more_work_is_refused_before_any_is_done() {
        let sealed = seal_to_passphrase(&SecretBytes::copy_of(b"x"), &passphrase(1)).unwrap();
        let at = sealed.windows(4).position(|bytes| bytes == b" 14\n").unwrap();
        let mut greedy = sealed.clone();
        greedy[at + 1..at + 3].copy_from_slice(b"40");
        let refused = open_by_passphrase(&greedy, &passphrase(1)).map(|_| ());
        assert_eq!(refused, Err(Error::Damaged));
    }
}
