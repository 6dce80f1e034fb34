//! Hands of the room: threads.
//!
//! Roof.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::ceremony::means::{AHEAD, Hands, Means, OneHand};
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
    fn each(
        &self,
        count: usize,
        work: &(dyn Fn(usize) + Sync),
        fold: &mut dyn FnMut(usize) -> bool,
    ) {
        if self.0 == 1 || count <= AT_ONCE {
            return OneHand.each(count, work, fold);
        }
        let desk = Desk { count, state: Mutex::default(), moved: Condvar::new() };
        thread::scope(|scope| {
            (0..self.0).for_each(|_| drop(scope.spawn(|| desk.hand(work))));
            for at in 0..count {
                if !desk.wait_for(at) || !fold(at) {
                    break;
                }
                desk.folded(at);
            }
            desk.close();
        });
    }
}

/// Where hands take what they work on next, and lay down what is done.
struct Desk {
    count: usize,
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    /// The first number that nobody took.
    next: usize,
    /// Those below are folded.
    folded: usize,
    /// Of the numbers from there on, which are done.
    done: VecDeque<bool>,
    /// Nothing more is begun.
    is_closed: bool,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.moved.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until nothing is left. If the work ends otherwise than by coming back, nobody waits for it.
    fn hand(&self, work: &(dyn Fn(usize) + Sync)) {
        struct Close<'a>(&'a Desk);
        impl Drop for Close<'_> {
            fn drop(&mut self) {
                if thread::panicking() {
                    self.0.close();
                }
            }
        }
        let _close = Close(self);
        while let Some(range) = self.some() {
            range.clone().for_each(work);
            let mut state = self.state();
            for at in range {
                let at = at - state.folded;
                state.done[at] = true;
            }
            drop(state);
            self.moved.notify_all();
        }
    }

    /// The next few that nobody took yet, once they are near enough to what is folded.
    fn some(&self) -> Option<Range<usize>> {
        let mut state = self.state();
        loop {
            if state.is_closed || state.next == self.count {
                return None;
            }
            let end = self.count.min(state.next + AT_ONCE);
            if end <= state.folded + AHEAD {
                let range = state.next..end;
                state.next = end;
                let taken = end - state.folded;
                state.done.resize(taken, false);
                return Some(range);
            }
            state = self.sleep(state);
        }
    }

    /// Waits until a number is done; false where it never will be.
    fn wait_for(&self, at: usize) -> bool {
        let mut state = self.state();
        while state.done.get(at - state.folded) != Some(&true) {
            if state.is_closed {
                return false;
            }
            state = self.sleep(state);
        }
        true
    }

    fn folded(&self, at: usize) {
        let mut state = self.state();
        state.folded = at + 1;
        state.done.pop_front();
        drop(state);
        // Hands wait for room for all that they take at once.
        if (at + 1) % AT_ONCE == 0 {
            self.moved.notify_all();
        }
    }

    fn close(&self) {
        self.state().is_closed = true;
        self.moved.notify_all();
    }
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
const AT_ONCE: usize = 4;

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn each_number_is_worked_on_once_and_folded_in_order_by_however_many_hands() {
        for hands in 1..4 {
            for count in [0, 1, 4, 5, 1000] {
                let (seen, mut folded) = (Mutex::new(Vec::new()), Vec::new());
                Threads(hands).each(count, &|at| seen.lock().unwrap().push(at), &mut |at| {
                    let seen = seen.lock().unwrap();
                    assert!(seen.contains(&at) && seen.iter().all(|far| *far < at + AHEAD));
                    folded.push(at);
                    true
                });
                let mut seen = seen.into_inner().unwrap();
                seen.sort_unstable();
                assert_eq!((seen, folded), ((0..count).collect(), (0..count).collect()));
            }
        }
    }

    #[test]
    fn nothing_is_folded_after_what_ends_it() {
        for hands in 1..4 {
            let mut folded = Vec::new();
            Threads(hands).each(1000, &|_| {}, &mut |at| {
                folded.push(at);
                at < 500
            });
            assert_eq!(folded, (0..=500).collect::<Vec<_>>());
        }
    }

    #[test]
    fn work_that_panics_is_waited_for_by_nobody() {
        let ended = std::panic::catch_unwind(|| {
            Threads(2).each(1000, &|at| assert!(at != 300), &mut |_| true);
        });
        assert!(ended.is_err());
    }
}
