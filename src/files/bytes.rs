//! Bytes, wherever they lie: in memory, or on a shelf.
//!
//! Ground floor: pure.

use std::fmt;
use std::io::{self, BufRead, Read};
use std::ops::Range;
use std::sync::Arc;

use crate::digest::{Digest, Hasher};
use crate::shelf::{Lost, Place, Shelf};

/// Bytes that never change. A clone shares them.
#[derive(Clone)]
pub struct Bytes(Lie);

/// Where bytes lie.
#[derive(Clone)]
enum Lie {
    /// In one part.
    One(Part),
    /// In several, one after another.
    Many(Arc<[Part]>),
}

/// Bytes that lie together.
#[derive(Clone)]
enum Part {
    /// In memory.
    Held { all: Arc<[u8]>, range: Range<usize> },
    /// On a shelf.
    Laid { shelf: Arc<dyn Shelf>, place: Place },
}

impl Part {
    fn len(&self) -> u64 {
        match self {
            Self::Held { range, .. } => range.len() as u64,
            Self::Laid { place, .. } => u64::from(place.len),
        }
    }

    /// As many bytes as `into` has, from an offset on.
    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), Lost> {
        match self {
            Self::Held { all, range } => {
                let rest = all.get(range.clone()).and_then(|all| all.get(size(offset).ok()?..));
                let found = rest.and_then(|rest| rest.get(..into.len()));
                into.copy_from_slice(found.ok_or(BEYOND)?);
                Ok(())
            }
            Self::Laid { shelf, place } => shelf.get(*place, offset, into),
        }
    }

    fn part(&self, offset: u64, len: u64) -> Result<Self, Lost> {
        match self {
            Self::Held { all, range } => {
                let first = range.start + size(offset)?;
                Ok(Self::Held { all: Arc::clone(all), range: first..first + size(len)? })
            }
            Self::Laid { shelf, place } => {
                Ok(Self::Laid { shelf: Arc::clone(shelf), place: place.part(offset, len)? })
            }
        }
    }
}

impl Bytes {
    /// Lays bytes down.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn laid(shelf: &Arc<dyn Shelf>, bytes: &[u8]) -> Result<Self, Lost> {
        Ok(Self::lying(shelf, shelf.put(bytes)?))
    }

    /// What lies at a place of a shelf.
    pub fn lying(shelf: &Arc<dyn Shelf>, place: Place) -> Self {
        Self(Lie::One(Part::Laid { shelf: Arc::clone(shelf), place }))
    }

    /// Several, one after another.
    pub fn joined<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        Self::of(all.into_iter().flat_map(Self::parts).cloned().collect())
    }

    fn of(parts: Vec<Part>) -> Self {
        Self(match <[Part; 1]>::try_from(parts) {
            Ok([part]) => Lie::One(part),
            Err(parts) => Lie::Many(parts.into()),
        })
    }

    fn parts(&self) -> &[Part] {
        match &self.0 {
            Lie::One(part) => std::slice::from_ref(part),
            Lie::Many(parts) => parts,
        }
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.parts().iter().map(Part::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn read(&self) -> Result<Vec<u8>, Lost> {
        self.read_part(0, self.len())
    }

    /// Some of them, from an offset on.
    ///
    /// # Errors
    /// [`Lost`], also for bytes that are not there.
    pub fn read_part(&self, offset: u64, len: u64) -> Result<Vec<u8>, Lost> {
        let mut bytes = vec![0; size(len)?];
        let mut rest = &mut bytes[..];
        for (part, offset, len) in self.inside(offset, len)? {
            let (now, later) = rest.split_at_mut(size(len)?);
            part.read(offset, now)?;
            rest = later;
        }
        Ok(bytes)
    }

    /// Some of them, from an offset on, where they lie.
    ///
    /// # Errors
    /// [`Lost`] for bytes that are not there.
    pub fn part(&self, offset: u64, len: u64) -> Result<Self, Lost> {
        let inside = self.inside(offset, len)?.into_iter();
        let parts = inside.map(|(part, offset, len)| part.part(offset, len));
        Ok(Self::of(parts.collect::<Result<_, _>>()?))
    }

    /// The parts that some of the bytes lie in: of each, from which offset, and how many.
    fn inside(&self, offset: u64, len: u64) -> Result<Vec<(&Part, u64, u64)>, Lost> {
        let end = offset.checked_add(len).filter(|end| *end <= self.len()).ok_or(BEYOND)?;
        let (mut begin, mut found) = (0, Vec::new());
        for part in self.parts() {
            let (from, until) = (offset.max(begin), end.min(begin + part.len()));
            if from < until {
                found.push((part, from - begin, until - from));
            }
            begin += part.len();
        }
        Ok(found)
    }

    /// A reader from their beginning.
    pub fn reader(&self) -> Reader<'_> {
        Reader { bytes: self, offset: 0, block: Vec::new(), taken: 0 }
    }

    /// Hands them on in blocks.
    ///
    /// # Errors
    /// [`Lost`], and those of `each`.
    pub fn each<E: From<Lost>>(
        &self,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut reader = self.reader();
        loop {
            let block = reader.fill_buf().map_err(Lost::from)?;
            if block.is_empty() {
                return Ok(());
            }
            each(block)?;
            let taken = block.len();
            reader.consume(taken);
        }
    }

    /// Their SHA-256.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn digest(&self) -> Result<Digest, Lost> {
        let mut hasher = Hasher::default();
        self.each(|block| {
            hasher.update(block);
            Ok::<_, Lost>(())
        })?;
        Ok(hasher.finish())
    }

    /// Whether these are the same bytes as others.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn is(&self, other: &Self) -> Result<bool, Lost> {
        if self.len() != other.len() {
            return Ok(false);
        }
        let mut reader = other.reader();
        let mut same = true;
        self.each(|block| {
            let mut found = vec![0; block.len()];
            reader.read_exact(&mut found)?;
            same &= found == block;
            Ok::<_, Lost>(())
        })?;
        Ok(same)
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

impl Default for Bytes {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        let range = 0..bytes.len();
        Self(Lie::One(Part::Held { all: bytes.into(), range }))
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

/// Reads bytes from their beginning, a block at a time.
pub struct Reader<'a> {
    bytes: &'a Bytes,
    offset: u64,
    block: Vec<u8>,
    taken: usize,
}

impl Read for Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let block = self.fill_buf()?;
        let many = block.len().min(into.len());
        into[..many].copy_from_slice(&block[..many]);
        self.consume(many);
        Ok(many)
    }
}

impl BufRead for Reader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.block.len() {
            let next = (self.bytes.len() - self.offset).min(BLOCK as u64);
            self.block = self.bytes.read_part(self.offset, next)?;
            self.offset += next;
            self.taken = 0;
        }
        Ok(&self.block[self.taken..])
    }

    fn consume(&mut self, many: usize) {
        self.taken = (self.taken + many).min(self.block.len());
    }
}

/// Lays down bytes that come in pieces.
pub struct Writer<'a> {
    shelf: &'a Arc<dyn Shelf>,
    block: Vec<u8>,
    places: Vec<Place>,
}

impl<'a> Writer<'a> {
    /// Begins.
    pub fn new(shelf: &'a Arc<dyn Shelf>) -> Self {
        Self { shelf, block: Vec::new(), places: Vec::new() }
    }

    /// Adds the next bytes.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), Lost> {
        self.block.extend_from_slice(bytes);
        if self.block.len() >= BLOCK { self.lay() } else { Ok(()) }
    }

    fn lay(&mut self) -> Result<(), Lost> {
        let place = self.shelf.put(&self.block)?;
        self.block.clear();
        match self.places.last_mut() {
            // What nobody came between lies in one place.
            Some(last) if last.offset + u64::from(last.len) == place.offset => {
                let many = u64::from(last.len) + u64::from(place.len);
                match usize::try_from(many).ok().and_then(|many| Place::new(last.offset, many).ok())
                {
                    Some(both) => *last = both,
                    None => self.places.push(place),
                }
            }
            _ => self.places.push(place),
        }
        Ok(())
    }

    /// All of them.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn finish(mut self) -> Result<Bytes, Lost> {
        if !self.block.is_empty() {
            self.lay()?;
        }
        let laid = |place| Part::Laid { shelf: Arc::clone(self.shelf), place };
        Ok(Bytes::of(self.places.into_iter().map(laid).collect()))
    }
}

fn size(len: u64) -> Result<usize, Lost> {
    usize::try_from(len).map_err(|_| BEYOND)
}

/// How much is taken up or laid down at once.
const BLOCK: usize = 64 << 10;
const BEYOND: Lost = Lost { kind: io::ErrorKind::UnexpectedEof };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shelf::Memory;

    fn both(bytes: &[u8]) -> [Bytes; 2] {
        let shelf: Arc<dyn Shelf> = Arc::new(Memory::default());
        let mut writer = Writer::new(&shelf);
        for piece in bytes.chunks(100) {
            writer.put(piece).unwrap();
        }
        [Bytes::from(bytes), writer.finish().unwrap()]
    }

    #[test]
    fn bytes_are_the_same_wherever_they_lie() {
        let all: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[1]).collect();
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, all.len()] {
            let expected = &all[..length];
            let [held, laid] = both(expected);
            for bytes in [&held, &laid] {
                assert_eq!(bytes.read().unwrap(), expected);
                assert_eq!(bytes.digest().unwrap(), Digest::of(expected));
                let mut read = Vec::new();
                bytes.reader().read_to_end(&mut read).unwrap();
                assert_eq!(read, expected);
                for first in [0, length / 2, length] {
                    let (first, rest) = (first as u64, (length - first) as u64);
                    let part = bytes.read_part(first, rest).unwrap();
                    assert_eq!(part, expected[length - rest as usize..]);
                    assert_eq!(bytes.read_part(first, rest + 1), Err(BEYOND));
                }
            }
            assert!(held.is(&laid).unwrap() && laid.is(&held).unwrap());
            assert!(!held.is(&Bytes::from([expected, b"x"].concat())).unwrap());
        }
        let [mut one, other] = [all.clone(), all];
        one[BLOCK] ^= 1;
        assert!(!both(&one)[1].is(&both(&other)[1]).unwrap());
    }

    #[test]
    fn bytes_that_lie_apart_are_read_as_one() {
        let shelf: Arc<dyn Shelf> = Arc::new(Memory::default());
        let [one, _, three] =
            [b"one".as_slice(), b"two", b"three"].map(|bytes| Bytes::laid(&shelf, bytes).unwrap());
        let bytes = Bytes::joined([&three, &Bytes::default(), &Bytes::from(&b"x"[..]), &one]);
        assert_eq!(bytes.read().unwrap(), b"threexone");
        for first in 0..9 {
            for last in first..9 {
                let expected = &b"threexone"[first as usize..last as usize];
                assert_eq!(bytes.read_part(first, last - first).unwrap(), expected);
                assert_eq!(bytes.part(first, last - first).unwrap().read().unwrap(), expected);
            }
        }
    }
}
