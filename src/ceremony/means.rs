//! What a ceremony works with beside its inputs: hands for the same work on many repositories, and a shelf for what is
//! too much to hold.
//!
//! Second floor: pure. The room lends both; what comes out does not hang on how many hands there are.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::ours;
use crate::refusal::Refusal;

/// Whoever does the same for many repositories, one after the other or several at once.
pub trait Hands: fmt::Debug + Send + Sync {
    /// Calls `work` once for each number below `count`, in any order, and comes back when all is done.
    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync));
}

/// Where public bytes are laid down, and taken up again as they were.
pub trait Shelf: fmt::Debug + Send + Sync {
    /// Lays down bytes.
    ///
    /// # Errors
    /// Whatever keeps the room from it.
    fn put(&self, bytes: &[u8]) -> Result<Place, Refusal>;

    /// Takes up the bytes of a place.
    ///
    /// # Errors
    /// Whatever keeps the room from it.
    fn get(&self, place: Place) -> Result<Vec<u8>, Refusal>;
}

/// Where something lies on a shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The first byte.
    pub offset: u64,
    /// How many.
    pub len: u32,
}

/// Hands and shelf.
#[derive(Clone, Debug)]
pub struct Means {
    /// The hands.
    pub hands: Arc<dyn Hands>,
    /// The shelf.
    pub shelf: Arc<dyn Shelf>,
}

impl Default for Means {
    /// One hand, and a shelf in memory.
    fn default() -> Self {
        Self { hands: Arc::new(OneHand), shelf: Arc::new(Memory::default()) }
    }
}

impl Means {
    /// Does `work` for every number of the range, and hands what comes of it to `fold` in order. The first error in order
    /// is given, and nothing after it is folded.
    ///
    /// # Errors
    /// Those of `work` and `fold`.
    pub fn map<T: Send>(
        &self,
        range: Range<usize>,
        work: impl Fn(usize) -> Result<T, Refusal> + Sync,
        mut fold: impl FnMut(usize, T) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        for piece in pieces(range) {
            let came: Vec<Mutex<Option<Result<T, Refusal>>>> =
                piece.clone().map(|_| Mutex::new(None)).collect();
            let keep = |at: usize| {
                let done = work(piece.start + at);
                *came[at].lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
            };
            self.hands.each(came.len(), &keep);
            for (at, came) in piece.clone().zip(came) {
                let came = came.into_inner().unwrap_or_else(PoisonError::into_inner);
                fold(at, came.ok_or_else(|| ours("work was left undone"))??)?;
            }
        }
        Ok(())
    }
}

/// A range in pieces: what is prepared, done and recorded at a time.
pub fn pieces(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(PIECE).map(move |first| first..end.min(first + PIECE))
}

/// One repository after the other.
#[derive(Debug)]
pub struct OneHand;

impl Hands for OneHand {
    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) {
        (0..count).for_each(work);
    }
}

/// A shelf in memory.
#[derive(Default)]
pub struct Memory(Mutex<Vec<u8>>);

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

impl Shelf for Memory {
    fn put(&self, bytes: &[u8]) -> Result<Place, Refusal> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = all.len() as u64;
        all.extend_from_slice(bytes);
        Place::new(offset, bytes.len())
    }

    fn get(&self, place: Place) -> Result<Vec<u8>, Refusal> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = usize::try_from(place.offset).unwrap_or(usize::MAX);
        let there = all.get(first..).and_then(|rest| rest.get(..place.len as usize));
        there.map(<[u8]>::to_vec).ok_or_else(|| ours("nothing lies there"))
    }
}

impl Place {
    /// So many bytes from there on.
    ///
    /// # Errors
    /// More than 4 GiB at once, which nothing of ours has.
    pub fn new(offset: u64, len: usize) -> Result<Self, Refusal> {
        let len = u32::try_from(len).map_err(|_| ours("too much for one place"))?;
        Ok(Self { offset, len })
    }
}

/// How many repositories at a time.
pub const PIECE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Exit;

    #[test]
    fn what_lies_on_the_shelf_is_taken_up_as_it_was() {
        let shelf = Memory::default();
        let places = [b"one".as_slice(), b"", b"three"].map(|bytes| shelf.put(bytes).unwrap());
        assert_eq!(places.map(|place| shelf.get(place).unwrap()), [&b"one"[..], b"", b"three"]);
        let beyond = Place { offset: 5, len: 9 };
        assert_eq!(shelf.get(beyond).unwrap_err().what, "nothing lies there");
    }

    #[test]
    fn results_come_in_order_and_the_first_error_in_order_is_given() {
        let means = Means::default();
        let mut seen = Vec::new();
        let work = |at: usize| match at {
            600 | 700 => Err(Refusal::new(Exit::Refused, at.to_string())),
            at => Ok(at * 2),
        };
        let keep = |at: usize, twice: usize| {
            seen.push((at, twice));
            Ok(())
        };
        assert_eq!(means.map(3..1000, work, keep).unwrap_err().what, "600");
        assert_eq!(seen, (3..600).map(|at| (at, at * 2)).collect::<Vec<_>>());
    }

    #[test]
    fn pieces_cover_a_range() {
        let all: Vec<_> = pieces(0..600).collect();
        assert_eq!(all, [0..256, 256..512, 512..600]);
        assert_eq!(pieces(0..0).count(), 0);
    }
}
