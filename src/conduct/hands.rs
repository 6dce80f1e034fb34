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
    /// This thread is one of the hands: it works where nothing is to be folded yet.
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
            let close = Close(&desk);
            for _ in 1..self.0 {
                // With fewer hands it takes longer, and that is all.
                let _ = thread::Builder::new().spawn_scoped(scope, || desk.hand(work));
            }
            for first in (0..count).step_by(AT_ONCE) {
                let mut some = first..count.min(first + AT_ONCE);
                if !desk.work_until_done(first, work) || !some.all(&mut *fold) {
                    break;
                }
                desk.folded();
            }
            drop(close);
        });
    }
}

/// Where hands take what they work on next, a few at once, and lay down what is done.
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
    /// Of what was taken of the numbers from there on, a few at once, what is done.
    done: VecDeque<bool>,
    /// How many hands sleep.
    asleep: usize,
    /// Nothing more is begun.
    is_closed: bool,
}

impl State {
    /// Whether the next few to be folded, from a number on, are done.
    fn is_done(&self, first: usize) -> bool {
        self.next > first && self.done.front() == Some(&true)
    }

    /// Takes the next few of so many that nobody took yet, if they are near enough to what is folded.
    fn take(&mut self, count: usize) -> Option<Range<usize>> {
        let range = self.next..count.min(self.next + AT_ONCE);
        if range.is_empty() || range.end > self.folded + AHEAD {
            return None;
        }
        self.next = range.end;
        self.done.push_back(false);
        Some(range)
    }
}

/// Nothing more is begun once this is dropped, however the work ended.
struct Close<'a>(&'a Desk);

impl Drop for Close<'_> {
    fn drop(&mut self) {
        self.0.state().is_closed = true;
        self.0.moved.notify_all();
    }
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.asleep += 1;
        let mut state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.asleep -= 1;
        state
    }

    /// Works until nothing is left. If the work ends otherwise than by coming back, nobody waits for it.
    fn hand(&self, work: &(dyn Fn(usize) + Sync)) {
        let close = Close(self);
        let mut state = self.state();
        while !state.is_closed && state.next < self.count {
            state = self.step(state, work);
        }
        // The others go on.
        std::mem::forget(close);
    }

    /// Works until the next few to be folded, from a number on, are done; false where they never will be.
    fn work_until_done(&self, first: usize, work: &(dyn Fn(usize) + Sync)) -> bool {
        let mut state = self.state();
        while !state.is_closed && !state.is_done(first) {
            state = self.step(state, work);
        }
        !state.is_closed
    }

    /// Works on the next few, or waits until something moved.
    fn step<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        work: &(dyn Fn(usize) + Sync),
    ) -> MutexGuard<'a, State> {
        let Some(range) = state.take(self.count) else { return self.sleep(state) };
        drop(state);
        let first = range.start;
        range.for_each(work);
        let mut state = self.state();
        let place = (first - state.folded) / AT_ONCE;
        state.done[place] = true;
        if state.asleep > 0 {
            self.moved.notify_all();
        }
        state
    }

    fn folded(&self) {
        let mut state = self.state();
        state.folded += AT_ONCE;
        state.done.pop_front();
        if state.asleep > 0 {
            self.moved.notify_all();
        }
    }
}

/// Does two things at once.
pub(super) fn both<A: Send, B>(
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B,
) -> (A, B) {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (one.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked)), other)
    })
}

/// Writes the same to several media, one after the other until one fails; what takes long, to all at once. Gives what
/// came of each, in order and as soon as it is known.
pub(super) fn to_each<'a, T: Send + 'a>(
    media: &'a [PathBuf],
    takes_long: bool,
    write: impl Fn(&Path) -> Result<T, media::Error> + Sync + 'a,
) -> Box<dyn Iterator<Item = Result<T, media::Error>> + 'a> {
    if takes_long {
        return Box::new(at_once(media, &write).into_iter());
    }
    let mut failed = false;
    Box::new(media.iter().map_while(move |each| {
        let written = (!failed).then(|| write(each))?;
        failed = written.is_err();
        Some(written)
    }))
}

fn at_once<T: Send>(media: &[PathBuf], write: &(impl Fn(&Path) -> T + Sync)) -> Vec<T> {
    match media {
        [] => Vec::new(),
        [first, rest @ ..] => {
            let (mut rest, first) = both(|| at_once(rest, write), || write(first));
            rest.insert(0, first);
            rest
        }
    }
}

/// How many a hand takes at once.
const AT_ONCE: usize = 8;
const _: () = assert!(AT_ONCE <= AHEAD, "nobody would ever take some");

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn each_number_is_worked_on_once_and_folded_in_order_by_however_many_hands() {
        for hands in 1..4 {
            for count in [0, 1, 8, 9, 31, 33, 1003] {
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
        let ended = std::panic::catch_unwind(|| {
            Threads(2).each(1000, &|_| {}, &mut |at| {
                assert!(at != 300);
                true
            });
        });
        assert!(ended.is_err());
    }
}
