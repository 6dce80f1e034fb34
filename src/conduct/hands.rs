//! Hands of the room: threads.
//!
//! Roof.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::ceremony::means::{Hands, Means};
use crate::room::media;
use crate::shelf::Shelf;

/// As many hands as the machine has processors.
#[derive(Debug)]
pub struct Threads(usize);

impl Threads {
    /// The means of a room: this machine's processors, and a shelf.
    pub fn means(shelf: &Arc<dyn Shelf>) -> Means {
        let many = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Means { hands: Arc::new(Self(many)), shelf: Arc::clone(shelf) }
    }
}

impl Hands for Threads {
    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let hand = || {
            while let Some(first) = some(&next, count) {
                (first..count.min(first + AT_ONCE)).for_each(work);
            }
        };
        if self.0 == 1 || count <= AT_ONCE {
            return hand();
        }
        thread::scope(|scope| {
            (1..self.0).for_each(|_| drop(scope.spawn(hand)));
            hand();
        });
    }
}

/// The first of the next few that nobody took yet.
fn some(next: &AtomicUsize, count: usize) -> Option<usize> {
    let first = next.fetch_add(AT_ONCE, Ordering::Relaxed);
    (first < count).then_some(first)
}

/// Does two things at once.
fn both<T: Send>(one: impl FnOnce() -> T + Send, other: impl FnOnce() -> T) -> [T; 2] {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        let one = one.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked));
        [one, other]
    })
}

/// Writes the same to two media, one after the other until one fails; what takes long, to both at once. Gives what came
/// of each, in order and as soon as it is known.
pub(super) fn to_both<'a, T: Send + 'a>(
    media: &'a [PathBuf; 2],
    takes_long: bool,
    write: impl Fn(&Path) -> Result<T, media::Error> + Sync + 'a,
) -> Box<dyn Iterator<Item = Result<T, media::Error>> + 'a> {
    let [first, second] = media;
    if takes_long {
        return Box::new(both(|| write(first), || write(second)).into_iter());
    }
    let mut failed = false;
    Box::new(media.iter().map_while(move |each| {
        let written = (!failed).then(|| write(each))?;
        failed = written.is_err();
        Some(written)
    }))
}

/// How many a hand takes at once.
const AT_ONCE: usize = 8;

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn each_number_is_worked_on_once_by_however_many_hands() {
        for hands in 1..4 {
            for count in [0, 1, 8, 9, 1000] {
                let seen = Mutex::new(Vec::new());
                Threads(hands).each(count, &|at| seen.lock().unwrap().push(at));
                let mut seen = seen.into_inner().unwrap();
                seen.sort_unstable();
                assert_eq!(seen, (0..count).collect::<Vec<_>>());
            }
        }
    }
}
