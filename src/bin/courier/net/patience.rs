//! How long a server that has answered before is waited for.
//!
//! Annex: time, and the mouth.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Url;

use super::Error;
use crate::mouth;

/// Waits for a server that is being started again, for all requests of a command together. One that has never answered is
/// not waited for: its address may be wrong.
pub(super) struct Patience {
    longest: Duration,
    server: Mutex<State>,
}

/// What is known of the server.
#[derive(Default)]
struct State {
    has_answered: bool,
    /// It gives no answer since then.
    silent: Option<Instant>,
    /// Said once: a server that comes and goes is not told of each time.
    told: bool,
}

impl Patience {
    /// Waits at most so long.
    pub(super) fn of(longest: Duration) -> Self {
        Self { longest, server: Mutex::default() }
    }

    /// The server has answered, whatever it said.
    pub(super) fn answered(&self) {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        server.has_answered = true;
        server.silent = None;
    }

    /// How long to wait before the same is asked again, if that may help; it was `begun` to be asked then.
    pub(super) fn pause(&self, url: &Url, error: &Error, begun: Instant) -> Option<Duration> {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        if self.longest.is_zero() || !server.has_answered || !error.may_pass() {
            return None;
        }
        let silent = *server.silent.get_or_insert_with(Instant::now);
        if silent.elapsed() >= self.longest || begun.elapsed() >= 2 * self.longest {
            return None;
        }
        if !server.told {
            server.told = true;
            let (host, seconds) = (url.host_str().unwrap_or_default(), self.longest.as_secs());
            mouth::note(&format!(
                "note: no answer from {host}; it is asked again for {seconds} seconds\n"
            ));
        }
        Some(STEP)
    }
}

/// How often a silent server is asked.
const STEP: Duration = Duration::from_secs(1);
