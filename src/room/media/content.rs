//! What a file is to hold: bytes in memory, or whatever writes itself piece by piece.
//!
//! Room floor: readers and writers that are given.

use std::io::{self, Read, Write};

use crate::files::Bytes;

/// What a file is to hold. It writes itself more than once, always the same: to the file, and against what is read back.
pub trait Content {
    /// Writes all of it.
    ///
    /// # Errors
    /// Those of `to`, and of wherever it comes from.
    fn write_to(&self, to: &mut dyn Write) -> io::Result<()>;
}

impl<C: Content + ?Sized> Content for &C {
    fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        (**self).write_to(to)
    }
}

impl Content for [u8] {
    fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(self)
    }
}

impl<const N: usize> Content for [u8; N] {
    fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(self)
    }
}

impl Content for Bytes {
    fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        self.each(|block| to.write_all(block))
    }
}

impl Content for Vec<u8> {
    fn write_to(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(self)
    }
}

/// Whether what is read is this content, and nothing after it.
pub(super) fn is_read_from(
    content: &(impl Content + ?Sized),
    from: &mut dyn Read,
) -> io::Result<bool> {
    let mut compared = Compared { from, block: Vec::new(), is_same: true };
    content.write_to(&mut compared)?;
    Ok(compared.is_same && compared.from.read(&mut [0])? == 0)
}

/// Takes what is written for what should be read.
struct Compared<'a> {
    from: &'a mut dyn Read,
    block: Vec<u8>,
    is_same: bool,
}

impl Write for Compared<'_> {
    fn write(&mut self, expected: &[u8]) -> io::Result<usize> {
        let length = expected.len().min(BLOCK);
        if self.is_same {
            if self.block.len() < length {
                self.block.resize(length, 0);
            }
            let found = &mut self.block[..length];
            match self.from.read_exact(found) {
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => self.is_same = false,
                read => {
                    read?;
                    self.is_same = found == &expected[..length];
                }
            }
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How much is read and compared at once.
const BLOCK: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_back_is_compared_to_its_last_byte_and_beyond() {
        let content: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let same = |found: &[u8]| is_read_from(&content, &mut &*found).unwrap();
        assert!(same(&content));
        assert!(!same(&content[..content.len() - 1]));
        assert!(!same(&[&content[..], b"x"].concat()));
        for at in [0, BLOCK - 1, BLOCK, content.len() - 1] {
            let mut other = content.clone();
            other[at] ^= 1;
            assert!(!same(&other), "{at}");
        }
        assert!(is_read_from(&Vec::new(), &mut io::empty()).unwrap());
    }
}
