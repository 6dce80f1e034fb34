//! How much one request may hold: what the room will read.
//!
//! Annex; pure.

use std::sync::atomic::{AtomicUsize, Ordering};

use officiant::room::media::Limits;

/// What is left of a request's bytes and files.
pub(crate) struct Budget {
    bytes: AtomicUsize,
    files: AtomicUsize,
}

impl Budget {
    /// As much as the room reads.
    pub(crate) const fn of_a_request() -> Self {
        Self { bytes: AtomicUsize::new(MAX_TOTAL), files: AtomicUsize::new(MAX_FILES) }
    }

    /// Takes one file of so many bytes.
    ///
    /// # Errors
    /// [`Spent`] when not so much is left.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), Spent> {
        let take = |from: &AtomicUsize, much: usize| {
            let less = |left: usize| left.checked_sub(much);
            from.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).map_err(|_| Spent)
        };
        take(&self.files, 1)?;
        take(&self.bytes, bytes).map(drop)
    }
}

/// More than the room reads.
#[derive(Debug, thiserror::Error)]
#[error(
    "one request holds at most {MAX_FILES} roots of {MAX_TOTAL} bytes together, all that the room reads"
)]
pub(crate) struct Spent;

/// Most files of one request.
const MAX_FILES: usize = Limits::REQUEST.files;
/// Most bytes of its files together.
const MAX_TOTAL: usize = Limits::REQUEST.bytes_total as usize;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_room_reads_is_taken() {
        let budget = Budget::of_a_request();
        assert!(budget.take(MAX_TOTAL - 1).is_ok());
        assert!(budget.take(2).is_err());
        let many = Budget::of_a_request();
        assert!((0..MAX_FILES).all(|_| many.take(0).is_ok()));
        assert_eq!(
            many.take(0).unwrap_err().to_string(),
            "one request holds at most 400000 roots of 1073741824 bytes together, all that the room reads"
        );
    }
}
