//! The request: what `courier fetch` brings and `officiant` reads, byte for byte.
//!
//! First floor: pure, bytes to values and back.
//!
//! The folder `request/` on media holds
//! - `SHA256SUMS`, whose own SHA-256 is the request's digest, pinned by the plan;
//! - `request.json`, the page that says what it is a request of ([`Page`]);
//! - `repositories.jsonl`, a line for each repository, sorted by name ([`Line`]): one file however many there are, so that
//!   a fleet costs media no more than its bytes, and so that whoever reads it needs to hold one line at a time ([`Lines`]).
//!
//! One request has one spelling: every line that is read is written again and compared, so nothing in the folder can say
//! more than the values below.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::digest::Digest;
use crate::key::PublicKey;
use crate::name::Name;
use crate::root::Dialect;
use crate::sums;

mod brought;
mod error;
mod line;
mod lines;
mod page;
pub mod proof;

pub use crate::root::Role;
pub use brought::Brought;
pub use error::{Error, Part};
pub use line::Line;
pub use lines::{Lines, Writer};
pub use page::Page;

/// The schema that the page names.
pub const SCHEMA: &str = "officiant-request-2";
/// The page's file name.
pub const PAGE: &str = "request.json";
/// The name of the file with a line for each repository.
pub const REPOSITORIES: &str = "repositories.jsonl";
/// Most repositories in one request.
pub const MAX_REPOSITORIES: usize = 20_000;
/// Most versions of one root.
pub const MAX_VERSIONS: u64 = 10_000;
/// Most keys offered for one role.
pub const MAX_KEYS: usize = 32;
/// Most bytes of the page, and of the sums.
pub const MAX_PAGE: usize = 64 << 10;
/// Most bytes of one root.
pub const MAX_ROOT: usize = 4 << 20;
/// Most bytes of one timestamp or snapshot.
pub const MAX_SERVED: usize = 4 << 20;
/// Most bytes of the line of one repository.
pub const MAX_LINE: usize = 256 << 20;
/// Most bytes of all lines together.
pub const MAX_LINES: usize = 1 << 30;

/// What the online side asks, with the current trust to start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The dialect of every repository.
    pub dialect: Dialect,
    /// When it was fetched, by the clock of the machine that fetched; whole seconds.
    pub fetched: Timestamp,
    /// The server or folder it came from, for people; at most 1024 bytes, no control characters.
    pub server: String,
    /// The repositories.
    pub repositories: BTreeMap<Name, Repository>,
}

/// One repository of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repository {
    /// The bytes of each root, version 1 first; empty when the server does not know the repository.
    /// Only carried: whether they are a chain is for the ceremony to say.
    pub roots: Vec<Vec<u8>>,
    /// The keys offered for each online role, each once.
    pub keys: BTreeMap<Role, Vec<PublicKey>>,
    /// What a Notary server serves beside the root; none of a repository that it does not know, and in TUF.
    pub served: Option<Served>,
}

/// The bytes of what a Notary server signs itself. Only carried, like roots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Its timestamp.
    pub timestamp: Vec<u8>,
    /// The snapshot that the timestamp names.
    pub snapshot: Vec<u8>,
}

/// Reads the name of a role whose keys are online or with publishers.
///
/// # Errors
/// [`Error::Role`], for `root` too.
pub fn online_role(text: &str) -> Result<Role, Error> {
    let found = Role::ONLINE.into_iter().find(|role| role.name() == text);
    found.ok_or_else(|| Error::Role { role: text.to_owned() })
}

impl Request {
    /// Reads the files of a request folder, by path inside it.
    ///
    /// # Errors
    /// [`Error`]: the folder is refused whole, with the first file or line that is wrong.
    pub fn parse(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Error> {
        Self::try_from(&Brought::read(&files.clone().into())?)
    }

    /// Writes the files of the request folder, by path inside it.
    ///
    /// # Errors
    /// [`Error`] when the values break a limit that [`Request::parse`] would refuse.
    pub fn files(&self) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        let page = self.page();
        page.check()?;
        let mut lines = Writer::new(Vec::new());
        for (name, repository) in &self.repositories {
            lines.put(&Line::of(name, repository)?)?;
        }
        let (lines, digest) = lines.finish();
        let page = page.to_bytes();
        let sums = Page::sums(&page, digest)?.to_text().into_bytes();
        let files = [(PAGE, page), (REPOSITORIES, lines), (sums::FILE, sums)];
        Ok(files.map(|(path, bytes)| (path.to_owned(), bytes)).into())
    }

    /// The request's digest: the SHA-256 of its `SHA256SUMS`.
    ///
    /// # Errors
    /// As [`Request::files`].
    pub fn digest(&self) -> Result<Digest, Error> {
        let files = self.files()?;
        let sums = files.get(sums::FILE);
        let sums = sums.ok_or_else(|| Error::Missing { path: sums::FILE.to_owned() })?;
        Ok(Digest::of(sums))
    }

    fn page(&self) -> Page {
        let Self { dialect, fetched, server, repositories } = self;
        let (dialect, fetched, server) = (*dialect, *fetched, server.clone());
        Page { dialect, fetched, server, repositories: repositories.len() }
    }
}

impl TryFrom<&Brought> for Request {
    type Error = Error;

    /// All of it, in memory.
    fn try_from(brought: &Brought) -> Result<Self, Error> {
        let read = |name: &str| Ok((name.parse()?, brought.repository(name)?.unwrap_or_default()));
        let repositories = brought.names().map(read).collect::<Result<_, Error>>()?;
        let (dialect, fetched, server) = (brought.dialect, brought.fetched, brought.server.clone());
        Ok(Self { dialect, fetched, server, repositories })
    }
}

impl TryFrom<&Request> for Brought {
    type Error = Error;

    /// As if media had brought it.
    fn try_from(request: &Request) -> Result<Self, Error> {
        Self::read(&request.files()?.into())
    }
}

impl Repository {
    /// The latest version; 0 when the server does not know the repository.
    pub fn latest(&self) -> u64 {
        self.roots.len() as u64
    }

    fn check(&self, name: &Name) -> Result<(), Error> {
        if self.latest() > MAX_VERSIONS {
            return Err(Error::Versions { name: name.clone(), found: self.latest() });
        }
        let fits = |part, bytes: &[u8], most| match bytes.len() {
            length if length > most => Err(Error::Part { name: name.clone(), part, length, most }),
            _ => Ok(()),
        };
        for (version, root) in (1..).zip(&self.roots) {
            fits(Part::Root(version), root, MAX_ROOT)?;
        }
        if let Some(served) = &self.served {
            fits(Part::Timestamp, &served.timestamp, MAX_SERVED)?;
            fits(Part::Snapshot, &served.snapshot, MAX_SERVED)?;
        }
        for (role, keys) in &self.keys {
            let twice = keys.iter().enumerate().any(|(at, key)| keys[..at].contains(key));
            if *role == Role::Root || keys.is_empty() || keys.len() > MAX_KEYS || twice {
                return Err(Error::Keys { name: name.clone(), role: *role });
            }
        }
        Ok(())
    }
}

/// The most bytes that the file at `path` below `request/` may have; none when no request has such a file.
pub fn limit(path: &str) -> Option<usize> {
    match path {
        PAGE | sums::FILE => Some(MAX_PAGE),
        REPOSITORIES => Some(MAX_LINES),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
