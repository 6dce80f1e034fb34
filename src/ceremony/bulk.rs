//! What facts bring for each repository: taken up in pieces, laid on the shelf, and read from there piece by piece.
//!
//! Second floor: pure.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::Range;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fact::{Certified, Purpose, Signed};
use super::means::Means;
use super::{Ceremony, draft, ours};
use crate::refusal::Refusal;
use crate::shelf::Place;

/// All of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Bulk {
    /// The certificates of each key, in the order of the names that they are for.
    pub(super) certified: BTreeMap<String, Heap<Certified>>,
    /// How many candidates are recorded.
    pub(super) drafted: usize,
    /// The signatures of each key, in the plan's order of the repositories that it signs.
    pub(super) signed: BTreeMap<String, Heap<Signed>>,
    /// How many complete roots are recorded.
    pub(super) assembled: usize,
}

/// Many values of a kind, in their order.
#[derive(Clone, Debug)]
pub(super) struct Heap<T> {
    pieces: Vec<(usize, Place)>,
    count: usize,
    kind: PhantomData<T>,
}

impl<T> Default for Heap<T> {
    fn default() -> Self {
        Self { pieces: Vec::new(), count: 0, kind: PhantomData }
    }
}

impl<T: Serialize + DeserializeOwned> Heap<T> {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Adds the next ones.
    pub(super) fn push(&mut self, means: &Means, values: &[T]) -> Result<(), Refusal> {
        let bytes = serde_json::to_vec(values).map_err(|error| ours(error.to_string()))?;
        self.pieces.push((self.count, means.shelf.put(&bytes)?));
        self.count += values.len();
        Ok(())
    }

    /// Those of a range, as far as they are there.
    pub(super) fn read(&self, means: &Means, range: Range<usize>) -> Result<Vec<T>, Refusal> {
        let mut found = Vec::new();
        let begin = self.pieces.partition_point(|(first, _)| *first <= range.start);
        for (first, place) in self.pieces.iter().skip(begin.saturating_sub(1)) {
            if *first >= range.end {
                break;
            }
            let bytes = means.take_up(*place)?;
            let values: Vec<T> =
                serde_json::from_slice(&bytes).map_err(|error| ours(error.to_string()))?;
            let values = (*first..).zip(values);
            found.extend(values.filter(|(at, _)| range.contains(at)).map(|(_, value)| value));
        }
        Ok(found)
    }
}

impl Ceremony {
    /// How many certificates of a key are recorded.
    pub fn certified(&self, key: &str) -> usize {
        self.bulk.certified.get(key).map_or(0, Heap::count)
    }

    /// How many signatures of a key are recorded.
    pub fn signed(&self, key: &str) -> usize {
        self.bulk.signed.get(key).map_or(0, Heap::count)
    }

    /// How many candidates are recorded.
    pub const fn recorded_drafts(&self) -> usize {
        self.bulk.drafted
    }

    /// How many complete roots are recorded.
    pub const fn recorded_roots(&self) -> usize {
        self.bulk.assembled
    }

    /// Whether all certificates or all signatures of a key are recorded, where it makes any.
    pub fn has_all(&self, key: &str, purpose: Purpose) -> bool {
        let (of, found) = match purpose {
            Purpose::Certify => (draft::certificate_count(self, key), self.certified(key)),
            Purpose::Sign => {
                let of = self.sheets.get().map(|sheets| sheets.of_key(self.roster.place_of(key)));
                (of.map_or(0, Iterator::count), self.signed(key))
            }
            Purpose::Reshare | Purpose::Restore => return false,
        };
        found > 0 && found == of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heap_gives_any_range_of_what_was_laid_down_in_pieces() {
        let means = Means::default();
        let mut heap = Heap::default();
        for piece in [0..3_u32, 3..4, 4..9] {
            heap.push(&means, &piece.collect::<Vec<_>>()).unwrap();
        }
        assert_eq!(heap.count(), 9);
        for first in 0..9 {
            for last in first..12 {
                let expected: Vec<u32> = (first..last.min(9)).collect();
                let range = first as usize..last as usize;
                assert_eq!(heap.read(&means, range).unwrap(), expected);
            }
        }
    }
}
