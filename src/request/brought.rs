//! A request as media brought it: checked line by line, and read again for whoever asks of a repository.
//!
//! First floor, documents: pure.

use jiff::Timestamp;

use crate::digest::Digest;
use crate::files::{Bytes, Files};
use crate::packed::{Packed, Packing};
use crate::root::Dialect;
use crate::sums::{self, Sums};

use super::{Error, Line, Lines, PAGE, Page, REPOSITORIES, Repository, limit};

/// A request whose every line was checked. What it says of a repository stays where it lies.
#[derive(Clone, Debug)]
pub struct Brought {
    /// The dialect of every repository.
    pub dialect: Dialect,
    /// When it was fetched, in whole seconds.
    pub fetched: Timestamp,
    /// The server or folder it came from, for people.
    pub server: String,
    /// SHA-256 of its `SHA256SUMS`: the digest that a plan names.
    pub digest: Digest,
    lines: Bytes,
    /// Where the line of each repository begins, and how long it is.
    places: Packed<(u64, u32)>,
}

impl Brought {
    /// Reads the folder.
    ///
    /// # Errors
    /// [`Error`]: a file more or less, another spelling of anything, sums that do not hold.
    pub fn read(files: &Files) -> Result<Self, Error> {
        for (path, bytes) in files {
            let most = limit(path).ok_or_else(|| Error::Stranger { path: path.to_owned() })?;
            let bytes = usize::try_from(bytes.len()).unwrap_or(usize::MAX);
            if bytes > most {
                return Err(Error::Large { path: path.to_owned(), bytes, most });
            }
        }
        let file =
            |path: &str| files.get(path).ok_or_else(|| Error::Missing { path: path.to_owned() });
        let text = file(sums::FILE)?.read()?;
        let sums = Sums::parse(&text)?;
        let found = files.iter().map(|(path, bytes)| Ok::<_, Error>((path, bytes.digest()?)));
        sums.check(found)?;
        if sums.predecessor().is_some() {
            return Err(Error::Form { path: sums::FILE });
        }
        let page = Page::parse(&file(PAGE)?.read()?)?;
        let (lines, mut places, mut begin) = (file(REPOSITORIES)?, Packing::default(), 0);
        let mut read = Lines::new(lines.reader());
        while let Some(next) = read.next() {
            let (name, _) = next?;
            let length = read.length();
            places.push(name.as_str(), (begin, u32::try_from(length).unwrap_or(u32::MAX)));
            begin += length as u64;
        }
        let places = places.finish();
        page.counts(places.len())?;
        let Page { dialect, fetched, server, .. } = page;
        let (digest, lines) = (Digest::of(&text), lines.clone());
        Ok(Self { dialect, fetched, server, digest, lines, places })
    }

    /// The names of its repositories, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys()
    }

    /// What it says of a repository; none of one that it does not name.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub fn repository(&self, name: &str) -> Result<Option<Repository>, Error> {
        let Some((begin, length)) = self.places.get(name) else { return Ok(None) };
        let line = self.lines.read_part(*begin, u64::from(*length))?;
        Line::read_again(&line).map(|(_, repository)| Some(repository))
    }
}
