//! Much to sign: whoever holds a key is given the next pieces while the last ones are checked and recorded, and several
//! sign at once, each driven by a thread of its own.
//!
//! Roof.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use super::Session;
use crate::ceremony::means::PIECE;
use crate::child;
use crate::key::ToSign;
use crate::refusal::{Exit, Refusal};

/// Signs a piece with one key.
pub(super) type Sign<'a> = dyn FnMut(&[ToSign]) -> Result<Vec<Vec<u8>>, child::Error> + Send + 'a;

/// What is signed, by one or several keys, each by its place among them.
pub(super) trait Job {
    /// What an input is of.
    type Of;

    /// How many there are for a key, and how many are recorded.
    fn count(&self, session: &Session<'_>, key: usize) -> Result<(usize, usize), Refusal>;

    /// The next inputs of a key, at most `most`, passing over the first ones.
    fn next(
        &mut self,
        session: &Session<'_>,
        key: usize,
        range: (usize, usize),
    ) -> Result<Vec<(Self::Of, ToSign)>, Refusal>;

    /// Checks and records what a key signed.
    fn take(
        &mut self,
        session: &mut Session<'_>,
        key: usize,
        signed: Vec<(Self::Of, Vec<u8>)>,
    ) -> Result<(), Refusal>;
}

/// What a thread answers: whose, what, and how long it took.
type Answer = (usize, Result<Vec<Vec<u8>>, child::Error>, Duration);

/// A key at work.
struct Line<Of> {
    ask: SyncSender<Vec<ToSign>>,
    /// How many there are, and how many were asked for.
    of: usize,
    asked: usize,
    under_way: VecDeque<Vec<Of>>,
    /// How many to ask for next.
    pace: usize,
}

/// Has everything signed that is not recorded yet. What was signed when one key fails is recorded all the same.
pub(super) fn run<J: Job>(
    session: &mut Session<'_>,
    job: &mut J,
    keys: Vec<Box<Sign<'_>>>,
    what: &str,
) -> Result<(), Refusal> {
    thread::scope(|scope| {
        let (answer, answers) = channel();
        let mut lines = Vec::new();
        for (key, sign) in keys.into_iter().enumerate() {
            let (of, asked) = job.count(session, key)?;
            let ask = work(scope, key, sign, answer.clone());
            lines.push(Line { ask, of, asked, under_way: VecDeque::new(), pace: FIRST });
        }
        drop(answer);
        Run { session, job, lines, failed: None }.all(&answers, what)
    })
}

/// A thread that signs what it is given until nothing more comes.
fn work<'s, 'e: 's>(
    scope: &'s Scope<'s, 'e>,
    key: usize,
    mut sign: Box<Sign<'e>>,
    answer: Sender<Answer>,
) -> SyncSender<Vec<ToSign>> {
    let (ask, asked) = sync_channel::<Vec<ToSign>>(AHEAD);
    scope.spawn(move || {
        for inputs in asked {
            let begun = Instant::now();
            let signed = sign(&inputs);
            if answer.send((key, signed, begun.elapsed())).is_err() {
                break;
            }
        }
    });
    ask
}

struct Run<'a, 's, J: Job> {
    session: &'a mut Session<'s>,
    job: &'a mut J,
    lines: Vec<Line<J::Of>>,
    failed: Option<Refusal>,
}

impl<J: Job> Run<'_, '_, J> {
    fn all(mut self, answers: &Receiver<Answer>, what: &str) -> Result<(), Refusal> {
        let of = self.lines.iter().map(|line| line.of).sum();
        let mut done: usize = self.lines.iter().map(|line| line.asked).sum();
        loop {
            if self.failed.is_none()
                && let Err(refusal) = self.ask()
            {
                self.failed = Some(refusal);
            }
            if self.lines.iter().all(|line| line.under_way.is_empty()) {
                return self.failed.map_or(Ok(()), Err);
            }
            let Ok(answer) = answers.recv() else {
                return Err(Refusal::new(Exit::Ours, "who signs is gone"));
            };
            match self.take(answer) {
                Ok(signed) => {
                    done += signed;
                    self.session.progress(done, of, what)?;
                }
                // The first reason is told.
                Err(refusal) => drop(self.failed.get_or_insert(refusal)),
            }
        }
    }

    /// Sees to it that every key has something to sign while the last piece is looked at.
    fn ask(&mut self) -> Result<(), Refusal> {
        for (key, line) in self.lines.iter_mut().enumerate() {
            while line.under_way.len() < AHEAD && line.asked < line.of {
                let range = (line.asked, line.pace);
                let (of, inputs): (Vec<_>, Vec<_>) =
                    self.job.next(self.session, key, range)?.into_iter().unzip();
                line.asked += inputs.len();
                let sent = !inputs.is_empty() && line.ask.send(inputs).is_ok();
                if !sent {
                    return Err(Refusal::new(Exit::Ours, "who signs is gone"));
                }
                line.under_way.push_back(of);
            }
        }
        Ok(())
    }

    fn take(&mut self, (key, signed, took): Answer) -> Result<usize, Refusal> {
        let line = &mut self.lines[key];
        let of = line.under_way.pop_front().unwrap_or_default();
        let signed = signed.map_err(|error| {
            line.under_way.clear();
            self.session.child(&error)
        })?;
        if signed.len() != of.len() {
            return Err(Refusal::new(Exit::Ours, "as many signatures as inputs were expected"));
        }
        // Slow keys are asked for little at once, so that little is lost by an interruption.
        line.pace = match took {
            took if took < SHORT => (line.pace * 2).min(PIECE),
            took if took > LONG => (line.pace / 2).max(1),
            _ => line.pace,
        };
        let many = of.len();
        self.job.take(self.session, key, of.into_iter().zip(signed).collect())?;
        Ok(many)
    }
}

/// So many pieces of a key are under way: one is signed, and one waits.
const AHEAD: usize = 2;
const FIRST: usize = 16;
const SHORT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(1);
