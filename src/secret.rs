//! Secrets as types: bytes that are wiped, never shown, never copied by accident.
//!
//! Ground floor: pure, touches nothing. The only place where secrecy is defined. None of these types is `Clone`,
//! `Copy`, `Debug`, `Display`, `Serialize` or `PartialEq`; `expose()` belongs inside the one expression that
//! needs it, and two secrets are compared by `matches()`, in constant time.

mod identity;
mod passphrase;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::{Zeroize, Zeroizing};

pub use identity::{Identity, NotAnIdentity};
pub use passphrase::{NotAPassphrase, Passphrase};

/// A secret of `N` bytes, on the heap so that a move leaves no copy, wiped when dropped.
pub struct Secret<const N: usize>(Box<Zeroizing<[u8; N]>>);

impl<const N: usize> Secret<N> {
    /// Makes a secret that `fill` writes in place.
    pub fn fill(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut secret = Self(Box::new(Zeroizing::new([0; N])));
        fill(&mut secret.0);
        secret
    }

    /// Makes a secret that `fill` writes in place; what it wrote before an error is wiped.
    ///
    /// # Errors
    /// Those of `fill`.
    pub fn try_fill<E>(fill: impl FnOnce(&mut [u8; N]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Self(Box::new(Zeroizing::new([0; N])));
        fill(&mut secret.0)?;
        Ok(secret)
    }

    /// Copies `bytes` if there are exactly `N`; wiping the source is the caller's part.
    pub fn copy_of(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == N).then(|| Self::fill(|secret| secret.copy_from_slice(bytes)))
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// Says whether both hold the same bytes, in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0[..], &other.0[..]).is_ok()
    }
}

/// A secret whose length is known only when it is made, wiped when dropped. It never grows, so nothing reallocates.
pub struct SecretBytes(Zeroizing<Box<[u8]>>);

impl SecretBytes {
    /// Makes a secret of `len` bytes that `fill` writes in place.
    pub fn fill(len: usize, fill: impl FnOnce(&mut [u8])) -> Self {
        let mut secret = Self(Zeroizing::new(vec![0; len].into_boxed_slice()));
        fill(&mut secret.0);
        secret
    }

    /// Makes a secret of `len` bytes that `fill` writes in place; what it wrote before an error is wiped.
    ///
    /// # Errors
    /// Those of `fill`.
    pub fn try_fill<E>(
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut secret = Self(Zeroizing::new(vec![0; len].into_boxed_slice()));
        fill(&mut secret.0)?;
        Ok(secret)
    }

    /// Copies `bytes`; wiping the source is the caller's part.
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self::fill(bytes.len(), |secret| secret.copy_from_slice(bytes))
    }

    /// Copies `bytes` that a foreign crate made, and wipes them.
    pub fn take(mut bytes: Vec<u8>) -> Self {
        let secret = Self::copy_of(&bytes);
        bytes.zeroize();
        secret
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The number of bytes, which is no secret.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Says whether both hold the same bytes, in constant time; secrets of other lengths differ.
    pub fn matches(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

/// A PIN of a token: UTF-8 text of 1 to 255 bytes without control characters.
pub struct Pin(SecretBytes);

impl Pin {
    /// How many characters it has at least where it is set.
    pub const SHORTEST: usize = 6;

    /// Whether it is long enough to be set.
    pub fn is_long_enough(&self) -> bool {
        self.expose().chars().count() >= Self::SHORTEST
    }

    /// Takes what a person typed, without its line ending.
    ///
    /// # Errors
    /// [`NotAPin`] if it is empty, too long, not UTF-8, or has a control character.
    pub fn new(typed: SecretBytes) -> Result<Self, NotAPin> {
        let text = std::str::from_utf8(typed.expose()).map_err(|_| NotAPin)?;
        if text.is_empty() || text.len() > Self::MAX || text.chars().any(char::is_control) {
            return Err(NotAPin);
        }
        Ok(Self(typed))
    }

    /// The text.
    pub fn expose(&self) -> &str {
        // `new` saw that it is UTF-8, and nothing changes it afterwards.
        std::str::from_utf8(self.0.expose()).unwrap_or_default()
    }

    /// Says whether both are the same PIN, in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.matches(&other.0)
    }

    /// Gives the bytes up, for the pipe to a token's child.
    pub(crate) fn into_bytes(self) -> SecretBytes {
        self.0
    }

    const MAX: usize = 255;
}

/// Wipes what calls that have returned left on the stack below: foreign crates and libraries keep pieces of secrets there
/// that no allocator sees.
#[inline(never)]
pub fn wipe_stack() {
    // In words: byte by byte it takes as long as three signatures.
    let mut below = [0_u64; STACK / 8];
    below.zeroize();
}

/// More than any call that handles a secret takes, in bytes.
const STACK: usize = 128 << 10;

/// The input cannot be a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a PIN is 1 to 255 bytes of text without control characters")]
pub struct NotAPin;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_match_by_their_bytes() {
        let a = Secret::<4>::fill(|bytes| bytes.copy_from_slice(b"abcd"));
        assert!(a.matches(&Secret::copy_of(b"abcd").unwrap()));
        assert!(!a.matches(&Secret::copy_of(b"abce").unwrap()));
        assert!(Secret::<4>::copy_of(b"abc").is_none());
        assert!(!SecretBytes::copy_of(b"ab").matches(&SecretBytes::copy_of(b"abc")));
        assert!(SecretBytes::copy_of(b"ab").matches(&SecretBytes::take(b"ab".to_vec())));
    }

    #[test]
    fn what_cannot_be_a_pin_is_refused() {
        let pin = |text: &[u8]| Pin::new(SecretBytes::copy_of(text)).is_ok();
        assert!(pin(b"123456") && pin("pässwörd".as_bytes()) && pin(&[b'1'; 255]));
        assert!(!pin(b"") && !pin(b"12\n") && !pin(b"12\0") && !pin(&[0xff]) && !pin(&[b'1'; 256]));
    }
}
