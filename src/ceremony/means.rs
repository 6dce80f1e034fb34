//! What a ceremony works with beside its inputs: hands for the same work on many repositories, and a shelf for what is
//! too much to hold.
//!
//! Second floor: pure. The room lends both; what comes out does not hang on how many hands there are.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::refusal::Refusal;
use crate::shelf::{Lost, Memory, Place, Shelf};

/// Whoever does the same for many repositories, one after the other or several at once.
pub trait Hands: fmt::Debug + Send + Sync {
    /// Calls `work` once for each number below `count`, in any order, and `fold` for each once its work is done: in order,
    /// on this thread, until it answers false. No work is begun that is [`AHEAD`] or more numbers ahead of the next fold.
    fn each(
        &self,
        count: usize,
        work: &(dyn Fn(usize) + Sync),
        fold: &mut dyn FnMut(usize) -> bool,
    );
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
    /// Takes up what lies at a place of the shelf.
    ///
    /// # Errors
    /// Whatever keeps the room from it.
    pub fn take_up(&self, place: Place) -> Result<Vec<u8>, Refusal> {
        let mut bytes = vec![0; place.len as usize];
        self.shelf.get(place, 0, &mut bytes)?;
        Ok(bytes)
    }

    /// Does `work` for every number of the range, and hands what comes of it to `fold` in order, while more is worked on.
    /// The first error in order is given, and nothing after it is folded.
    ///
    /// # Errors
    /// Those of `work` and `fold`.
    pub fn map<T: Send, E: From<Lost> + Send>(
        &self,
        range: Range<usize>,
        work: impl Fn(usize) -> Result<T, E> + Sync,
        mut fold: impl FnMut(usize, T) -> Result<(), E>,
    ) -> Result<(), E> {
        let first = range.start;
        let done: Vec<Mutex<Option<Result<T, E>>>> =
            (0..AHEAD.min(range.len())).map(|_| Mutex::new(None)).collect();
        let slot = |at: usize| done[at % AHEAD].lock().unwrap_or_else(PoisonError::into_inner);
        let mut ended = Ok(());
        self.hands.each(
            range.len(),
            &|at| {
                let came = work(first + at);
                *slot(at) = Some(came);
            },
            &mut |at| {
                // Hands that ended before their work is a disk that gives nothing back: neither is gone on with.
                let came = slot(at).take().unwrap_or_else(|| Err(UNDONE.into()));
                ended = came.and_then(|came| fold(first + at, came));
                ended.is_ok()
            },
        );
        ended
    }
}

/// Work that was left undone.
const UNDONE: Lost = Lost { kind: io::ErrorKind::Other };

/// What is read for a piece of repositories at once, while hands work on them one by one: of the last two pieces, since
/// hands are never further apart.
#[derive(Debug)]
pub struct ByPiece<T>(Mutex<Vec<(usize, Arc<T>)>>);

impl<T> Default for ByPiece<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> ByPiece<T> {
    /// What belongs to the piece of a number, and the number within the piece; `read` gets the range of the piece.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn of(
        &self,
        at: usize,
        count: usize,
        read: impl FnOnce(Range<usize>) -> Result<T, Refusal>,
    ) -> Result<(Arc<T>, usize), Refusal> {
        let (first, within) = (at - at % PIECE, at % PIECE);
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = last.iter().find(|(of, _)| *of == first) {
            return Ok((Arc::clone(found), within));
        }
        let found = Arc::new(read(first..count.min(first + PIECE))?);
        last.truncate(1);
        last.insert(0, (first, Arc::clone(&found)));
        Ok((found, within))
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
    fn each(
        &self,
        count: usize,
        work: &(dyn Fn(usize) + Sync),
        fold: &mut dyn FnMut(usize) -> bool,
    ) {
        let mut one = |at| {
            work(at);
            fold(at)
        };
        let _ = (0..count).all(&mut one);
    }
}

/// How many repositories at a time.
pub const PIECE: usize = 256;
/// So many repositories are worked on at most before what came of the first of them is taken up: each holds its roots.
pub const AHEAD: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Exit;

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
    fn what_belongs_to_a_piece_is_read_once_while_hands_are_near() {
        let (kept, mut read) = (ByPiece::default(), Vec::new());
        for at in [0, 255, 256, 255, 257, 511, 512, 500, 599] {
            let (range, within) = kept
                .of(at, 600, |range| {
                    read.push(range.start);
                    Ok(range)
                })
                .unwrap();
            assert_eq!(range.start + within, at);
            assert_eq!(range.end, 600.min(range.start + PIECE));
        }
        assert_eq!(read, [0, 256, 512]);
    }

    #[test]
    fn pieces_cover_a_range() {
        let all: Vec<_> = pieces(0..600).collect();
        assert_eq!(all, [0..256, 256..512, 512..600]);
        assert_eq!(pieces(0..0).count(), 0);
    }
}
