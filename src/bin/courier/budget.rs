//! How much one request may hold: what the room will read.
//!
//! Annex; pure.

use std::sync::atomic::{AtomicUsize, Ordering};

use data_encoding::BASE64;
use officiant::request::MAX_LINES;

/// What is left of a request's bytes.
pub(crate) struct Budget(AtomicUsize);

impl Budget {
    /// As much as the room reads.
    pub(crate) const fn of_a_request() -> Self {
        Self(AtomicUsize::new(MAX_LINES))
    }

    /// Takes so many bytes, as a request spells them.
    ///
    /// # Errors
    /// [`Spent`] when not so much is left.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), Spent> {
        let spelt = BASE64.encode_len(bytes) + QUOTES;
        let less = |left: usize| left.checked_sub(spelt);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).map_err(|_| Spent).map(drop)
    }
}

/// More than the room reads.
#[derive(Debug, thiserror::Error)]
#[error("the repositories of one request take at most {MAX_LINES} bytes, all that the room reads")]
pub(crate) struct Spent;

/// What stands around each text in a line of JSON.
const QUOTES: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_room_reads_is_taken() {
        let budget = Budget::of_a_request();
        assert!(budget.take(MAX_LINES / 4 * 3 - 9).is_ok());
        assert_eq!(
            budget.take(10).unwrap_err().to_string(),
            "the repositories of one request take at most 1073741824 bytes, all that the room reads"
        );
        assert!(budget.take(3).is_ok());
        assert!(budget.take(0).is_err());
    }
}
