//! How long something that is under way will still take, by how long it has taken so far.
//!
//! Room floor: computes; whoever shows it reads the clock.

use std::time::Duration;

/// What is under way, from when it was first heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// What is counted.
    what: String,
    /// When, on a clock that only moves forward, and how many were done then.
    since: (Duration, u64),
}

impl Pace {
    /// Begins, or goes on with the same.
    pub(super) fn of(before: Option<Self>, what: &str, now: Duration, done: u64) -> Self {
        let same = before.filter(|before| before.what == what && before.since.1 <= done);
        same.unwrap_or_else(|| Self { what: what.to_owned(), since: (now, done) })
    }

    /// The time left, in words; none while too little is known, or where it is over sooner than it is read.
    pub(super) fn left(&self, now: Duration, done: u64, of: u64) -> Option<String> {
        let (since, first) = self.since;
        let (took, done_since) = (now.checked_sub(since)?, done.checked_sub(first)?);
        if took < KNOWN || done_since == 0 {
            return None;
        }
        let each = took.as_secs_f64() / done_since as f64;
        let seconds = (each * of.saturating_sub(done) as f64).ceil() as u64;
        match seconds {
            0..=2 => None,
            3..=90 => Some(format!("about {seconds} s left")),
            91..=5400 => Some(format!("about {} min left", seconds.div_ceil(60))),
            _ => Some(format!("about {} h left", seconds.div_ceil(3600))),
        }
    }
}

/// So long is watched before anything is said.
const KNOWN: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_by_what_was_done_since_it_was_first_heard_of() {
        let at = Duration::from_secs;
        let pace = Pace::of(None, "signed", at(100), 1000);
        let pace = Pace::of(Some(pace), "signed", at(101), 1100);
        for (now, done, words) in [
            (101, 1100, None),
            (110, 1000, None),
            (110, 2000, Some("about 80 s left")),
            (110, 1100, Some("about 15 min left")),
            (200, 1010, Some("about 25 h left")),
            (190, 9900, None),
            (190, 10_000, None),
        ] {
            assert_eq!(pace.left(at(now), done, 10_000).as_deref(), words, "{now} {done}");
        }
    }

    #[test]
    fn other_work_and_work_that_begins_again_have_a_pace_of_their_own() {
        let at = Duration::from_secs;
        let pace = Pace::of(None, "signed", at(100), 1000);
        let other = Pace::of(Some(pace.clone()), "certified", at(200), 16);
        assert_eq!(other.left(at(201), 32, 10_000), None);
        let again = Pace::of(Some(pace), "signed", at(200), 0);
        assert_eq!(again.left(at(210), 5000, 10_000).as_deref(), Some("about 10 s left"));
    }
}
