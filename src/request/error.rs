//! Why a folder is not a request, in words.
//!
//! First floor, documents: pure.

use std::fmt;
use std::io;

use crate::name::{self, Name};
use crate::shelf::Lost;
use crate::{key, sums};

use super::{
    MAX_KEYS, MAX_LINE, MAX_LINES, MAX_REPOSITORIES, MAX_VERSIONS, PAGE, REPOSITORIES, Role, SCHEMA,
};

/// Why a folder is not a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No repository, or too many.
    #[error("a request has 1 to {MAX_REPOSITORIES} repositories, found {found}")]
    Count {
        /// How many.
        found: usize,
    },
    /// The page counts other repositories than there are lines.
    #[error("`request/{PAGE}` counts {page}, `request/{REPOSITORIES}` has lines for {found}")]
    Counted {
        /// What the page says.
        page: usize,
        /// How many lines there are.
        found: usize,
    },
    /// A file is not written as requests are.
    #[error("`request/{path}` is not written as a request writes it")]
    Form {
        /// The path in the folder.
        path: &'static str,
    },
    /// A line of the repositories is wrong.
    #[error("request/{REPOSITORIES}:{line}: {source}")]
    In {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// An offered key is none that we know, in the one form that we read.
    #[error("repository `{name}`: a key for role `{role}`: {source}")]
    Key {
        /// The repository.
        name: Name,
        /// The role.
        role: Role,
        /// What is wrong with it.
        source: key::Error,
    },
    /// The keys of a role: none, too many, or one twice.
    #[error("repository `{name}`: expected 1 to {MAX_KEYS} different keys for role `{role}`")]
    Keys {
        /// The repository.
        name: Name,
        /// The role.
        role: Role,
    },
    /// A file is too large.
    #[error("`request/{path}` has {bytes} bytes, at most {most} are read")]
    Large {
        /// The path in the folder.
        path: String,
        /// Its length.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// A line is not JSON of the schema.
    #[error("column {column}: not a repository of schema `{SCHEMA}`")]
    Line {
        /// Column, from 1; 0 for nothing at all.
        column: usize,
    },
    /// One line is too long.
    #[error("the line of a repository takes at most {MAX_LINE} bytes")]
    Long,
    /// A file is missing.
    #[error("`request/{path}` is missing")]
    Missing {
        /// The path in the folder.
        path: String,
    },
    /// What is read cannot be had again.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// All lines together are too long.
    #[error("the repositories of a request take at most {MAX_LINES} bytes")]
    Much,
    /// A name that no repository has.
    #[error(transparent)]
    Name(#[from] name::Error),
    /// A repository does not stand where its name sorts.
    #[error("repository `{name}` is out of order")]
    Order {
        /// The repository.
        name: Name,
    },
    /// The page is not JSON of the schema.
    #[error("request/{PAGE}:{line}:{column}: not a page of schema `{SCHEMA}`")]
    Page {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A part of a repository is too large.
    #[error("repository `{name}`: {part} has {length} bytes, at most {most} are read")]
    Part {
        /// The repository.
        name: Name,
        /// Which part.
        part: Part,
        /// Its length.
        length: usize,
        /// The limit.
        most: usize,
    },
    /// A repository stands twice.
    #[error("repository `{name}` is in the request twice")]
    Repeated {
        /// The repository.
        name: Name,
    },
    /// No online role has this name.
    #[error("`{role}` is no online role; expected `snapshot`, `targets` or `timestamp`")]
    Role {
        /// The name.
        role: String,
    },
    /// The server's name is too long or holds control characters.
    #[error("the server of a request is named by at most 1024 bytes without control characters")]
    Server,
    /// A line has another spelling than the one that is written.
    #[error("not written as a request writes it")]
    Spelling,
    /// A file that no request has.
    #[error("`request/{path}` is no file of a request")]
    Stranger {
        /// The path in the folder.
        path: String,
    },
    /// The lines cannot be read or written.
    #[error("`request/{REPOSITORIES}`: {kind}")]
    Stream {
        /// What the system says.
        kind: io::ErrorKind,
    },
    /// The sums are wrong.
    #[error("request: {0}")]
    Sums(#[from] sums::Error),
    /// The time is not a UTC instant in whole seconds.
    #[error("expected a time like `2026-11-22T14:00:00Z`, found `{found}`")]
    Time {
        /// The text.
        found: String,
    },
    /// Too many versions.
    #[error("repository `{name}` has {found} versions, at most {MAX_VERSIONS} are read")]
    Versions {
        /// The repository.
        name: Name,
        /// How many.
        found: u64,
    },
}

impl Error {
    /// The same, of this line.
    pub(super) fn of_line(self, line: usize) -> Self {
        Self::In { line, source: Box::new(self) }
    }
}

/// A part of a repository that has a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The root of a version.
    Root(u64),
    /// The snapshot that a Notary server serves.
    Snapshot,
    /// Its timestamp.
    Timestamp,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(version) => write!(f, "root {version}"),
            Self::Snapshot => f.write_str("the snapshot"),
            Self::Timestamp => f.write_str("the timestamp"),
        }
    }
}
