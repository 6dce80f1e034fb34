//! The clocks of the machine: the wall clock, the one that only moves forward, and a comparison of the two.
//!
//! Room floor: reads clocks, touches nothing else. No reading is ever a floor for the next one (docs/threats.md rule 24).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};

/// What tells the time.
pub trait Clock {
    /// The wall clock, in UTC.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary start; it runs on while the machine sleeps, and nobody can set it.
    fn monotonic(&self) -> Duration;
}

/// The machine's own clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
    }
}

/// What a person's watch shows, written `2026-12-01 14:05`, in UTC.
pub fn parse_watch(typed: &str) -> Option<Timestamp> {
    let time = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M", typed.trim()).ok()?;
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Two readings taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock.
    pub wall: Timestamp,
    /// The clock that only moves forward.
    pub monotonic: Duration,
}

impl Reading {
    /// Reads both clocks.
    pub fn of(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), monotonic: clock.monotonic() }
    }

    /// Compares the steps of both clocks since `earlier`; the new reading goes on from here.
    ///
    /// # Errors
    /// [`Jump`] if the steps differ by more than [`TOLERANCE`], or the forward clock went back.
    pub fn since(self, earlier: Self) -> Result<Self, Jump> {
        let wall = self.wall.duration_since(earlier.wall);
        let step =
            |duration: Duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        let passed = step(self.monotonic).saturating_sub(step(earlier.monotonic));
        let by = wall.saturating_sub(passed);
        if by.abs() > TOLERANCE || passed.is_negative() {
            return Err(Jump { wall, passed, seconds: by.as_secs() });
        }
        Ok(self)
    }
}

/// The wall clock moved otherwise than time did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the clock of this machine moved by {} s while {} s passed: it was set {} by {} s",
    wall.as_secs(), passed.as_secs(), if *seconds < 0 { "back" } else { "forward" }, seconds.abs()
)]
pub struct Jump {
    /// The step of the wall clock.
    pub wall: SignedDuration,
    /// The time that really passed.
    pub passed: SignedDuration,
    /// The difference, positive when the wall clock was set forward.
    pub seconds: i64,
}

/// The most that wall and forward clock may differ between two readings.
pub const TOLERANCE: SignedDuration = SignedDuration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(wall: i64, monotonic: u64) -> Reading {
        let wall = Timestamp::from_second(wall).unwrap();
        Reading { wall, monotonic: Duration::from_secs(monotonic) }
    }

    #[test]
    fn a_clock_that_keeps_step_passes_and_one_that_jumps_is_named() {
        assert!(reading(1_100, 150).since(reading(1_000, 50)).is_ok());
        assert!(reading(1_105, 150).since(reading(1_000, 50)).is_ok());
        let back = reading(994, 50).since(reading(1_000, 50)).unwrap_err();
        assert_eq!(
            back.to_string(),
            "the clock of this machine moved by -6 s while 0 s passed: it was set back by 6 s"
        );
        let forward = reading(1_106, 150).since(reading(1_000, 50)).unwrap_err();
        assert_eq!(forward.seconds, 6);
        assert!(reading(990, 40).since(reading(1_000, 50)).is_err());
    }

    #[test]
    fn the_forward_clock_moves_forward() {
        let first = SystemClock.monotonic();
        assert!(first > Duration::ZERO && SystemClock.monotonic() >= first);
    }

    #[test]
    fn a_watch_is_read_strictly() {
        assert_eq!(parse_watch(" 2026-12-01 14:05 ").unwrap().to_string(), "2026-12-01T14:05:00Z");
        for wrong in ["14:05", "2026-12-01", "2026-12-01 25:00", "2026-12-01 14:05 x", ""] {
            assert_eq!(parse_watch(wrong), None, "{wrong}");
        }
    }
}
