//! Laying many files on a shelf as they are read: those that are small together, for each time costs.
//!
//! Ground floor: readers that are given.

use std::io::{self, Read};
use std::sync::Arc;

use super::{Bytes, Files, Packing, Writer};
use crate::shelf::{Lost, Shelf};

/// Lays down files that come in the order of their paths.
pub struct Laying<'a> {
    shelf: &'a Arc<dyn Shelf>,
    /// What was read and is not laid down.
    block: Vec<u8>,
    /// Whose it is: paths, and where each file ends in it.
    waiting: Vec<(String, usize)>,
    files: Packing,
}

/// Why a file is not laid down.
#[derive(Debug)]
pub enum Unlaid {
    /// It could not be read.
    Read(io::Error),
    /// The shelf did not take it.
    Lost(Lost),
}

impl From<Lost> for Unlaid {
    fn from(lost: Lost) -> Self {
        Self::Lost(lost)
    }
}

impl<'a> Laying<'a> {
    /// Begins.
    pub fn new(shelf: &'a Arc<dyn Shelf>) -> Self {
        // Whatever is in it, one more block is read behind.
        let block = Vec::with_capacity(2 * BLOCK);
        Self { shelf, block, waiting: Vec::new(), files: Packing::default() }
    }

    /// Reads the next file to its end.
    ///
    /// # Errors
    /// [`Unlaid`].
    pub fn read(&mut self, path: &str, from: &mut dyn Read) -> Result<(), Unlaid> {
        let begin = self.block.len();
        if self.read_block(from)? {
            self.waiting.push((path.to_owned(), self.block.len()));
            if self.block.len() >= BLOCK {
                self.lay(self.block.len())?;
            }
            return Ok(());
        }
        // A file of a block or more lies by itself.
        let first = self.block.split_off(begin);
        self.lay(begin)?;
        let mut writer = Writer::new(self.shelf);
        writer.put(&first)?;
        loop {
            let is_last = self.read_block(from)?;
            writer.put(&self.block)?;
            self.block.clear();
            if is_last {
                break;
            }
        }
        self.files.push(path, writer.finish()?);
        Ok(())
    }

    /// Reads a block, or what is left, and says whether that is all.
    fn read_block(&mut self, from: &mut dyn Read) -> Result<bool, Unlaid> {
        let found = from.take(BLOCK as u64).read_to_end(&mut self.block).map_err(Unlaid::Read)?;
        Ok(found < BLOCK)
    }

    /// Lays down the files that wait: so many bytes.
    fn lay(&mut self, bytes: usize) -> Result<(), Lost> {
        let place = self.shelf.put(&self.block[..bytes])?;
        let mut begin = 0;
        for (path, end) in self.waiting.drain(..) {
            let part = place.part(begin as u64, (end - begin) as u64)?;
            self.files.push(&path, Bytes::lying(self.shelf, part));
            begin = end;
        }
        self.block.clear();
        Ok(())
    }

    /// All of them.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn finish(mut self) -> Result<Files, Lost> {
        self.lay(self.block.len())?;
        Ok(self.files.finish())
    }
}

/// How much is read at once.
const BLOCK: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shelf::Memory;

    #[test]
    fn files_of_every_length_lie_as_they_were_read() {
        let shelf: Arc<dyn Shelf> = Arc::new(Memory::default());
        let mut laying = Laying::new(&shelf);
        let lengths = [0, 1, BLOCK - 2, 1, 3, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 5, 0];
        let bytes = |at: usize| -> Vec<u8> {
            (0..lengths[at]).map(|n| (n % 251) as u8 ^ at as u8).collect()
        };
        for at in 0..lengths.len() {
            laying.read(&format!("{at:02}"), &mut &bytes(at)[..]).unwrap();
        }
        let files = laying.finish().unwrap();
        assert_eq!(files.len(), lengths.len());
        for at in 0..lengths.len() {
            assert_eq!(files.read(&format!("{at:02}")).unwrap(), Some(bytes(at)), "{at}");
        }
        assert!(Laying::new(&shelf).finish().unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_read_or_kept_is_an_error() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::PermissionDenied.into())
            }
        }
        let shelf: Arc<dyn Shelf> = Arc::new(Memory::default());
        let broken = Laying::new(&shelf).read("a", &mut Broken);
        assert!(
            matches!(broken, Err(Unlaid::Read(e)) if e.kind() == io::ErrorKind::PermissionDenied)
        );
    }
}
