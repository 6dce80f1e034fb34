//! The children: processes of this very binary that hold what their parent must not.
//!
//! Roof: starts, speaks to and ends processes. One [`token::Token`] for each PKCS#11 token (it loads the module, holds
//! no key), one [`vault::Vault`] (it loads no module, holds keys and shares in memory only); docs/threats.md rule 13. And
//! a [`scan::Scan`] for the time that it looks at a picture.
//! A child that crashes, hangs or talks nonsense is an [`Error`] that names it, and takes nothing else with it.

mod error;
mod fence;
pub mod scan;
pub mod token;
mod told;
pub mod vault;
pub mod wire;

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, PidfdFlags};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::key::ToSign;
use crate::secret::{SecretBytes, wipe_stack};
use fence::Reach;
use wire::{Fault, Wire};

pub use error::Error;
pub use fence::{Fence, Unfenced, seclude};

/// How to start a child.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The binary to run, this one unless a test says otherwise.
    pub program: PathBuf,
    /// What errors call it: the plan's name for the token, or `vault`.
    pub name: String,
    /// How long one call may take. A person touching a token is slow, so the parent decides.
    pub patience: Duration,
}

impl Launch {
    /// Starts this binary again, with two minutes for each call.
    pub fn this_binary(name: impl Into<String>) -> Self {
        Self {
            program: PathBuf::from("/proc/self/exe"),
            name: name.into(),
            patience: Duration::from_secs(120),
        }
    }
}

/// The child's side: `main` calls it for the hidden command `officiant child token|vault|scan`, before anything else, with the
/// arguments after `child`. They hold no secret, and neither does the environment.
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let (kind, more) = (arguments.next(), arguments.next());
    let ended = match kind.as_deref().and_then(OsStr::to_str) {
        Some("scan") if more.is_none() => scan::run(),
        Some("token") if more.is_none() => token::run(),
        Some("vault") if more.is_none() => vault::run(),
        _ => Err(Fault::Garbage),
    };
    // Nobody reads a child's words: its parent sees the wire close, and says so.
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(4) }
}

/// A running child and the wire to it.
struct Process {
    name: String,
    patience: Duration,
    running: Option<(Child, Wire)>,
    fence: Fence,
}

impl Process {
    fn start(
        kind: &str,
        launch: &Launch,
        environment: Vec<(&str, &OsStr)>,
        terms: &impl Serialize,
    ) -> Result<Self, Error> {
        let start = |source| Error::Start { child: launch.name.clone(), source };
        let mut child = Command::new(&launch.program)
            .args(["child", kind])
            .env_clear()
            .envs(environment)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(start)?;
        let (Some(writer), Some(reader)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(start(std::io::ErrorKind::BrokenPipe.into()));
        };
        let lost = |fault| Error::Lost { child: launch.name.clone(), fault };
        let wire = Wire::new(reader.into(), writer.into()).map_err(lost)?;
        let mut process = Self {
            name: launch.name.clone(),
            patience: launch.patience,
            running: Some((child, wire)),
            fence: Fence { landlock: 0, is_memory_locked: false },
        };
        // The first thing that a child is told is what it will work with, the first that it says what stands around it.
        let (fence, _) = process.call::<_, Result<Fence, Unfenced>>(terms, Vec::new())?;
        process.fence =
            fence.map_err(|reason| Error::Unfenced { child: process.name.clone(), reason })?;
        Ok(process)
    }

    /// Asks, and waits for the answer. After a fault the child is ended, and stays so.
    fn call<Q: Serialize, A: DeserializeOwned>(
        &mut self,
        question: &Q,
        secrets: Vec<SecretBytes>,
    ) -> Result<(A, Vec<SecretBytes>), Error> {
        self.ask(question, &secrets)?;
        drop(secrets);
        self.hear()
    }

    /// Has a batch worked on in small pieces: the child finds the next question when it has answered the last one, and
    /// answers are read while it works. Each answer has as many parts as its question had inputs.
    fn call_ahead<Q: Serialize, A: DeserializeOwned, T, E: From<Error>>(
        &mut self,
        inputs: &[ToSign],
        question: impl Fn(Vec<ToSign>) -> Q,
        parts: impl Fn(A) -> Result<Option<Vec<T>>, E>,
    ) -> Result<Vec<T>, E> {
        let capacity = self.running.as_ref().map_or(0, |(_, wire)| wire.capacity());
        let mut rest = pieces(inputs, Pieces::ahead(capacity));
        let (mut waiting, mut all) = (VecDeque::new(), Vec::with_capacity(inputs.len()));
        loop {
            while waiting.len() < 2
                && let Some(piece) = rest.next()
            {
                self.ask(&question(piece.to_vec()), &[])?;
                waiting.push_back(piece.len());
            }
            let Some(expected) = waiting.pop_front() else { return Ok(all) };
            match parts(self.hear()?.0) {
                Ok(Some(found)) if found.len() == expected => all.extend(found),
                Ok(_) => return Err(self.lost(Fault::Garbage).into()),
                Err(refused) => {
                    // What was asked ahead is answered before anything else is asked. The first reason is told.
                    let _ = waiting.iter().all(|_| self.hear::<A>().is_ok());
                    return Err(refused);
                }
            }
        }
    }

    fn ask<Q: Serialize>(&mut self, question: &Q, secrets: &[SecretBytes]) -> Result<(), Error> {
        let sent = match &mut self.running {
            None => Err(Fault::Closed),
            Some((_, wire)) => wire.send(question, secrets, Some(self.patience)),
        };
        sent.map_err(|fault| self.lost(fault))
    }

    fn hear<A: DeserializeOwned>(&mut self) -> Result<(A, Vec<SecretBytes>), Error> {
        let heard = match &mut self.running {
            None => Err(Fault::Closed),
            Some((_, wire)) => wire.receive(Some(self.patience)),
        };
        heard.map_err(|fault| self.lost(fault))
    }

    /// Ends the child at once, and gives the error that names it.
    fn lost(&mut self, fault: Fault) -> Error {
        if let Some((mut child, _)) = self.running.take() {
            // Both fail only if it ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
        Error::Lost { child: self.name.clone(), fault }
    }
}

impl Drop for Process {
    /// Closes the wire, which a child takes as its end, and kills what has not ended two seconds later.
    fn drop(&mut self) {
        let Some((mut child, wire)) = self.running.take() else { return };
        drop(wire);
        let ended = Pid::from_raw(child.id().cast_signed())
            .and_then(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok())
            .is_some_and(|fd| {
                let wait = rustix::event::Timespec { tv_sec: GRACE_SECONDS, tv_nsec: 0 };
                let flags = rustix::event::PollFlags::IN;
                let mut fds = [rustix::event::PollFd::new(&fd, flags)];
                matches!(rustix::event::poll(&mut fds, Some(&wait)), Ok(1))
            });
        if !ended {
            let _ = child.kill();
        }
        let _ = child.wait();
    }
}

/// The wire of a child: what its standard input and output were. They become /dev/null, because a module that prints
/// would otherwise print into the wire. And what hangs up when the parent is gone.
fn own_wire() -> Result<(Wire, OwnedFd), Fault> {
    let reader = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let writer = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    let parent = rustix::io::fcntl_dupfd_cloexec(&reader, 3)?;
    Ok((Wire::new(reader, writer)?, parent))
}

/// A child's loop: the terms, then one answer for each question, until the parent closes the wire. What is within reach
/// and what answers come of the terms; everything after them happens behind the fence.
fn serve<T: DeserializeOwned, Q: DeserializeOwned, A: Serialize, F>(
    begin: impl FnOnce(T) -> (Reach, F),
) -> Result<(), Fault>
where
    F: FnMut(Q, Vec<SecretBytes>) -> (A, Vec<SecretBytes>),
{
    let (mut wire, parent) = own_wire()?;
    let (terms, _) = wire.receive(None)?;
    let (reach, mut answer) = begin(terms);
    let fence = fence::raise(&reach);
    fence::end_with_parent(parent);
    wire.send(&fence, &[], None)?;
    if fence.is_err() {
        return Ok(());
    }
    loop {
        let (question, secrets) = match wire.receive(None) {
            Err(Fault::Closed) => return Ok(()),
            received => received?,
        };
        let (header, secrets) = answer(question, secrets);
        wire.send(&header, &secrets, None)?;
        drop(secrets);
        wipe_stack();
    }
}

/// How a batch is cut.
#[derive(Clone, Copy)]
struct Pieces {
    most: usize,
    bytes: usize,
}

impl Pieces {
    /// For one question after the other: no frame grows beyond the wire's limit, and no piece takes long.
    const ALONE: Self = Self { most: 256, bytes: 1 << 20 };

    /// For a question that waits in a pipe while the child still writes the answer to the one before: the pipe holds all
    /// of it. A digest takes at most 128 bytes there; a larger input is a message alone, and its answer is small.
    fn ahead(capacity: usize) -> Self {
        let most = (capacity / 160).clamp(1, 128);
        Self { most, bytes: 64 * most }
    }
}

/// Cuts a batch.
fn pieces(
    inputs: &[ToSign],
    Pieces { most, bytes: limit }: Pieces,
) -> impl Iterator<Item = &[ToSign]> {
    let mut rest = inputs;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |input: &&ToSign| {
            bytes += match input {
                ToSign::Digest { bytes, .. } | ToSign::Message(bytes) => bytes.len(),
            };
            bytes <= limit
        };
        // One input alone always makes a piece; the wire says if it is too large.
        let len = rest.iter().take(most).take_while(fits).count().max(1).min(rest.len());
        let (piece, after) = rest.split_at(len);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

const GRACE_SECONDS: i64 = 2;
