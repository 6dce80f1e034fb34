//! A shelf: where this run lays down public bytes that are too much to hold, and takes them up again as they were.
//!
//! Ground floor: pure; the room has shelves of its own.

use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};

use crate::refusal::{Exit, Refusal};

/// Where public bytes are laid down. What lies there is only as safe as the run: nothing outlives it.
pub trait Shelf: fmt::Debug + Send + Sync {
    /// Lays down bytes.
    ///
    /// # Errors
    /// [`Lost`].
    fn put(&self, bytes: &[u8]) -> Result<Place, Lost>;

    /// Takes up a part of the bytes of a place: as many as `into` has, from an offset within it.
    ///
    /// # Errors
    /// [`Lost`], also for more bytes than lie there.
    fn get(&self, place: Place, offset: u64, into: &mut [u8]) -> Result<(), Lost>;
}

/// Where something lies on a shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The first byte.
    pub offset: u64,
    /// How many.
    pub len: u32,
}

/// Bytes that were laid down, or were to be, are not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what this run laid aside cannot be had again: {kind}")]
pub struct Lost {
    /// What the machine said.
    pub kind: io::ErrorKind,
}

impl Lost {
    /// What whoever runs this can do about it.
    pub const HINT: &str = "see to it that the disk of the work folder has room, and `resume`";
}

impl From<io::Error> for Lost {
    fn from(error: io::Error) -> Self {
        Self { kind: error.kind() }
    }
}

impl From<Lost> for io::Error {
    fn from(lost: Lost) -> Self {
        lost.kind.into()
    }
}

impl From<Lost> for Refusal {
    fn from(lost: Lost) -> Self {
        Self::new(Exit::Device, lost.to_string()).hint(Lost::HINT)
    }
}

impl Place {
    /// So many bytes from there on.
    ///
    /// # Errors
    /// [`Lost`] for more than 4 GiB at once, which nothing of ours has.
    pub fn new(offset: u64, len: usize) -> Result<Self, Lost> {
        let len = u32::try_from(len).map_err(|_| Lost { kind: io::ErrorKind::FileTooLarge })?;
        Ok(Self { offset, len })
    }

    /// So many of its bytes, from an offset on.
    ///
    /// # Errors
    /// [`Lost`] for bytes that it does not have.
    pub fn part(self, offset: u64, len: u64) -> Result<Self, Lost> {
        let end = offset.checked_add(len).filter(|end| *end <= u64::from(self.len));
        end.ok_or(Lost { kind: io::ErrorKind::UnexpectedEof })?;
        Self::new(self.offset + offset, usize::try_from(len).unwrap_or(usize::MAX))
    }
}

/// A shelf in memory.
#[derive(Default)]
pub struct Memory(Mutex<Vec<u8>>);

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

impl Shelf for Memory {
    fn put(&self, bytes: &[u8]) -> Result<Place, Lost> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = all.len() as u64;
        all.extend_from_slice(bytes);
        Place::new(offset, bytes.len())
    }

    fn get(&self, place: Place, offset: u64, into: &mut [u8]) -> Result<(), Lost> {
        let part = place.part(offset, into.len() as u64)?;
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = usize::try_from(part.offset).unwrap_or(usize::MAX);
        let there = all.get(first..).and_then(|rest| rest.get(..into.len()));
        into.copy_from_slice(there.ok_or(Lost { kind: io::ErrorKind::UnexpectedEof })?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_on_a_shelf_is_taken_up_as_it_was() {
        let shelf = Memory::default();
        let places = [b"one".as_slice(), b"", b"three"].map(|bytes| shelf.put(bytes).unwrap());
        let taken = |place: Place, offset, len| {
            let mut bytes = vec![0; len];
            shelf.get(place, offset, &mut bytes).map(|()| bytes)
        };
        assert_eq!(taken(places[0], 0, 3).unwrap(), b"one");
        assert_eq!(taken(places[1], 0, 0).unwrap(), b"");
        assert_eq!(taken(places[2], 1, 3).unwrap(), b"hre");
        let beyond = Lost { kind: io::ErrorKind::UnexpectedEof };
        assert_eq!(taken(places[0], 1, 3), Err(beyond));
        assert_eq!(taken(Place { offset: 5, len: 9 }, 0, 9), Err(beyond));
        assert_eq!(places[2].part(2, 3).unwrap(), Place { offset: 5, len: 3 });
        assert_eq!(places[2].part(3, 3), Err(beyond));
    }
}
