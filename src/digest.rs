//! SHA-256 as a value: hex in groups of four for the eye, and 24 words for the ear.
//!
//! Ground floor: pure, touches nothing.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

/// A SHA-256 digest (FIPS 180-4), 32 bytes.
///
/// Displays and serializes as 64 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// Computes the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::taken(digest::digest(&digest::SHA256, bytes))
    }

    fn taken(digest: digest::Digest) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }

    /// Computes the digest of `parts` under a domain: `domain`, a zero byte, then each part with its
    /// length (8 bytes, big endian) before it, so that no two lists of parts read alike.
    pub fn of_parts(domain: &str, parts: &[&[u8]]) -> Self {
        let mut hasher = Hasher::of_parts(domain);
        parts.iter().for_each(|part| hasher.part(part));
        hasher.finish()
    }

    /// Wraps 32 bytes that are a digest already.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hex digits in groups of four, as people compare them: `e3b0 c442 …`.
    pub fn grouped(&self) -> String {
        let hex = self.to_string();
        let groups: Vec<&str> = (0..16).map(|i| &hex[i * 4..i * 4 + 4]).collect();
        groups.join(" ")
    }

    /// The digest as 24 words of the BIP-39 English list; the last word carries the checksum.
    pub fn words(&self) -> [&'static str; 24] {
        let mut words = [""; 24];
        // 32 bytes are a legal BIP-39 entropy, so the error case does not arise.
        if let Ok(mnemonic) = bip39::Mnemonic::from_entropy(&self.0) {
            for (slot, word) in words.iter_mut().zip(mnemonic.words()) {
                *slot = word;
            }
        }
        words
    }

    /// Says whether `typed` names the word at `position` (1 to 24): the whole word, or its first four letters,
    /// which no two words of the list share. Case and surrounding space do not matter.
    pub fn has_word(&self, position: usize, typed: &str) -> bool {
        let typed = typed.trim().to_ascii_lowercase();
        match self.words().get(position.wrapping_sub(1)) {
            Some(word) => typed == *word || (typed.len() >= 4 && word.get(..4) == Some(&typed)),
            None => false,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEXLOWER.encode_mut_str(&self.0, &mut [0; 64]))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| NotADigest)?;
        Ok(Self(bytes.try_into().map_err(|_| NotADigest)?))
    }
}

/// The text is not 64 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 is written as 64 lower-case hex digits")]
pub struct NotADigest;

/// Computes a [`Digest`] piece by piece.
pub struct Hasher(digest::Context);

impl Default for Hasher {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }
}

impl Hasher {
    /// Begins a digest as [`Digest::of_parts`] computes it, part by part.
    pub fn of_parts(domain: &str) -> Self {
        let mut hasher = Self::default();
        hasher.update(domain.as_bytes());
        hasher.update(&[0]);
        hasher
    }

    /// Adds a part with its length.
    pub fn part(&mut self, part: &[u8]) {
        self.begin_part(part.len() as u64);
        self.update(part);
    }

    /// Adds the length of a part whose bytes come next.
    pub fn begin_part(&mut self, length: u64) {
        self.update(&length.to_be_bytes());
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Ends, and gives the digest.
    pub fn finish(self) -> Digest {
        Digest::taken(self.0.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_digest_is_the_one_everybody_knows() {
        let digest = Digest::of(b"");
        assert_eq!(
            digest.to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert!(digest.grouped().starts_with("e3b0 c442 98fc "));
        assert_eq!(digest.to_string().parse(), Ok(digest));
    }

    #[test]
    fn words_follow_bip39_with_its_checksum() {
        let words = Digest::from_bytes([0; 32]).words();
        assert_eq!(words[0], "abandon");
        assert_eq!(words[23], "art");
    }

    #[test]
    fn four_letters_are_enough_and_three_are_not() {
        let digest = Digest::from_bytes([0; 32]);
        assert!(digest.has_word(1, " ABAN "));
        assert!(digest.has_word(1, "abandon"));
        assert!(digest.has_word(24, "art"));
        assert!(!digest.has_word(1, "aba"));
        assert!(!digest.has_word(0, "abandon"));
        assert!(!digest.has_word(25, "abandon"));
    }

    #[test]
    fn parts_cannot_be_shifted() {
        assert_ne!(Digest::of_parts("d", &[b"ab", b"c"]), Digest::of_parts("d", &[b"a", b"bc"]));
    }

    #[test]
    fn upper_case_and_short_text_are_no_digest() {
        assert_eq!("E3".parse::<Digest>(), Err(NotADigest));
        assert_eq!("e3".parse::<Digest>(), Err(NotADigest));
    }
}
