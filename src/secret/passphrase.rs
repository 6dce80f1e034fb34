//! The passphrase of a share on paper: ten drawn words, never chosen ones.
//!
//! Ground floor: pure, touches nothing.

use zeroize::Zeroizing;

use super::SecretBytes;

/// Ten words of the BIP-39 English list with hyphens between them, as `age` draws a passphrase itself: 110 bits, so
/// that whoever holds the sealed share can try for ever (docs/threats.md rule 18).
pub struct Passphrase(SecretBytes);

impl Passphrase {
    /// How many words it has.
    pub const WORDS: usize = 10;

    /// Draws one; `draw` fills the bytes that decide it.
    ///
    /// # Errors
    /// Those of `draw`.
    pub fn draw<E>(draw: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut bytes = Zeroizing::new([0_u8; DRAWN]);
        draw(&mut bytes[..])?;
        let mut words = Zeroizing::new([0_usize; Self::WORDS]);
        // Two bytes a word, of which eleven bits count: no word is likelier than another.
        for (word, pair) in words.iter_mut().zip(bytes.chunks(2)) {
            *word = (usize::from(pair[0]) << 8 | usize::from(pair[1])) % LIST;
        }
        Ok(Self::of(&words))
    }

    /// Takes what a person typed: the words, or the first four letters of each, which no two words of the list share;
    /// between them spaces or hyphens. Case does not matter.
    ///
    /// # Errors
    /// [`NotAPassphrase`], which tells the place of a word, and never the word.
    pub fn typed(typed: &SecretBytes) -> Result<Self, NotAPassphrase> {
        let list = bip39::Language::English.word_list();
        let is_between = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'-';
        let mut words = Zeroizing::new([0_usize; Self::WORDS]);
        let mut found = 0;
        for word in typed.expose().split(is_between).filter(|word| !word.is_empty()) {
            let place = list.iter().position(|known| is_meant(known.as_bytes(), word));
            let place = place.ok_or(NotAPassphrase::Word { place: found + 1 })?;
            if let Some(slot) = words.get_mut(found) {
                *slot = place;
            }
            found += 1;
        }
        match found {
            Self::WORDS => Ok(Self::of(&words)),
            found => Err(NotAPassphrase::Count { found }),
        }
    }

    /// The text, as `age` takes it.
    pub fn expose(&self) -> &str {
        // Words of the list and hyphens.
        std::str::from_utf8(self.0.expose()).unwrap_or_default()
    }

    /// Says whether both are the same, in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.matches(&other.0)
    }

    /// The same once more: for a console that answers for the person who wrote it down.
    pub(crate) fn again(&self) -> Self {
        Self(SecretBytes::copy_of(self.0.expose()))
    }

    /// Gives the bytes up, for the pipe to the vault.
    pub(crate) fn into_bytes(self) -> SecretBytes {
        self.0
    }

    fn of(words: &[usize; Self::WORDS]) -> Self {
        let list = bip39::Language::English.word_list();
        let words = || words.iter().filter_map(|word| list.get(*word));
        let len = words().map(|word| word.len() + 1).sum::<usize>().saturating_sub(1);
        Self(SecretBytes::fill(len, |text| {
            let mut at = 0;
            for word in words() {
                if at > 0 {
                    text[at] = b'-';
                    at += 1;
                }
                text[at..at + word.len()].copy_from_slice(word.as_bytes());
                at += word.len();
            }
        }))
    }
}

/// The input cannot be a passphrase of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPassphrase {
    /// More or fewer words.
    #[error("a passphrase has 10 words, {found} were typed")]
    Count {
        /// How many were typed.
        found: usize,
    },
    /// A word that the list does not have.
    #[error("word {place} of the passphrase is not in the word list")]
    Word {
        /// Which, from 1.
        place: usize,
    },
}

/// Whether a word of the list was typed whole, or by four letters or more.
fn is_meant(known: &[u8], typed: &[u8]) -> bool {
    let is_long_enough = typed.len() >= 4 || typed.len() == known.len();
    is_long_enough
        && known.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed))
}

/// Words of the list.
const LIST: usize = 2048;
/// Bytes that are drawn.
const DRAWN: usize = 2 * Passphrase::WORDS;

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u8) -> Passphrase {
        Passphrase::draw(|bytes| {
            bytes.iter_mut().enumerate().for_each(|(i, byte)| *byte = seed ^ i as u8);
            Ok::<(), ()>(())
        })
        .unwrap()
    }

    fn typed(text: &str) -> Result<Passphrase, NotAPassphrase> {
        Passphrase::typed(&SecretBytes::copy_of(text.as_bytes()))
    }

    #[test]
    fn ten_words_are_drawn_and_typed_back_in_any_of_their_forms() {
        let passphrase = drawn(3);
        let words: Vec<&str> = passphrase.expose().split('-').collect();
        assert_eq!(words.len(), Passphrase::WORDS);
        let short: Vec<String> =
            words.iter().map(|word| word[..word.len().min(4)].to_uppercase()).collect();
        for text in [words.join(" "), words.join("-"), format!("  {}\n", short.join("  "))] {
            assert!(typed(&text).unwrap().matches(&passphrase), "{text}");
        }
        assert!(!drawn(4).matches(&passphrase));
    }

    #[test]
    fn what_is_no_passphrase_is_told_by_place_and_never_by_word() {
        let words = drawn(3).expose().replace('-', " ");
        let told = |text: &str| typed(text).map(|_| ()).unwrap_err().to_string();
        assert_eq!(told("sesame open"), "word 1 of the passphrase is not in the word list");
        assert_eq!(told(""), "a passphrase has 10 words, 0 were typed");
        assert_eq!(told(&format!("{words} zoo")), "a passphrase has 10 words, 11 were typed");
        assert_eq!(told("abandon zoo qqqq"), "word 3 of the passphrase is not in the word list");
    }
}
