//! `request.json`: the page that says what the lines beside it are.
//!
//! First floor, documents: pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::sums::{self, Sums};

use super::{Dialect, Error, MAX_REPOSITORIES, PAGE, REPOSITORIES, SCHEMA};

/// What a request says of itself; nothing of any one repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The dialect of every repository.
    pub dialect: Dialect,
    /// When it was fetched, in whole seconds.
    pub fetched: Timestamp,
    /// The server or folder it came from, for people.
    pub server: String,
    /// How many repositories there are.
    pub repositories: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    schema: String,
    dialect: Dialect,
    fetched: String,
    server: String,
    repositories: usize,
}

impl Page {
    /// Reads the page, in the one spelling that [`Page::to_bytes`] gives.
    ///
    /// # Errors
    /// [`Error::Page`], [`Error::Time`], [`Error::Server`], [`Error::Count`], [`Error::Form`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let form: Form = serde_json::from_slice(bytes)
            .map_err(|error| Error::Page { line: error.line(), column: error.column() })?;
        if form.schema != SCHEMA {
            return Err(Error::Page { line: 2, column: 1 });
        }
        let fetched = form.fetched.parse().map_err(|_| Error::Time { found: form.fetched })?;
        let Form { dialect, server, repositories, .. } = form;
        let page = Self { dialect, fetched, server, repositories };
        page.check()?;
        // Order, spacing and spare fields all show here, whatever the code above forgot.
        if page.to_bytes() == bytes { Ok(page) } else { Err(Error::Form { path: PAGE }) }
    }

    /// The bytes of the page.
    pub fn to_bytes(&self) -> Vec<u8> {
        let form = Form {
            schema: SCHEMA.to_owned(),
            dialect: self.dialect,
            fetched: self.fetched.to_string(),
            server: self.server.clone(),
            repositories: self.repositories,
        };
        // Strings and a number: there is nothing that JSON could not hold.
        let mut bytes = serde_json::to_vec_pretty(&form).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// The sums of a request: of the bytes of its page, and of its lines by their digest.
    ///
    /// # Errors
    /// None that can happen: the two paths are ones that sums hold.
    pub fn sums(page: &[u8], lines: Digest) -> Result<Sums, sums::Error> {
        let mut sums = Sums::default();
        sums.insert(PAGE, Digest::of(page))?;
        sums.insert(REPOSITORIES, lines)?;
        Ok(sums)
    }

    /// Sees that as many repositories are there as the page says.
    ///
    /// # Errors
    /// [`Error::Counted`].
    pub fn counts(&self, found: usize) -> Result<(), Error> {
        if self.repositories == found {
            return Ok(());
        }
        Err(Error::Counted { page: self.repositories, found })
    }

    /// Sees that what the page says is within its limits.
    ///
    /// # Errors
    /// [`Error::Count`], [`Error::Server`], [`Error::Time`].
    pub fn check(&self) -> Result<(), Error> {
        if self.repositories == 0 || self.repositories > MAX_REPOSITORIES {
            return Err(Error::Count { found: self.repositories });
        }
        if self.server.len() > 1024 || self.server.chars().any(char::is_control) {
            return Err(Error::Server);
        }
        if self.fetched.subsec_nanosecond() != 0 {
            return Err(Error::Time { found: self.fetched.to_string() });
        }
        Ok(())
    }
}
