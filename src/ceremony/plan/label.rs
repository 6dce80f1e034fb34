//! Labels that people read as one thing each: seats and sites.
//!
//! Second floor: pure.

use std::collections::BTreeMap;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::wording::is_unseen;

/// Whether a label is written in the one way in which it can be told from every other: who has one is counted.
pub(super) fn is_label(label: &str) -> bool {
    let is_plain = |c: char| c == ' ' || !(c.is_whitespace() || is_unseen(c));
    (1..=64).contains(&label.chars().count())
        && label.chars().all(is_plain)
        && label.split(' ').all(|word| !word.is_empty())
        && is_nfc(label)
}

/// The first two that are not one and differ by no more than their case and the form of their letters.
pub(in crate::ceremony) fn alike<'a>(
    labels: impl Iterator<Item = &'a str>,
) -> Option<(&'a str, &'a str)> {
    let folded = |label: &str| label.nfkc().flat_map(char::to_lowercase).collect::<String>();
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for label in labels {
        let first = *seen.entry(folded(label)).or_insert(label);
        if first != label {
            return Some((first, label));
        }
    }
    None
}

/// What [`is_label`] asks for, in words.
pub(super) const RULE: &str =
    "has 1 to 64 letters and signs that everybody sees, in NFC, single spaces between them";
