//! The machine of the room: what its kernel says of networks, radios, memory, randomness and modules.
//!
//! Room floor: reads what the kernel shows as files, touches nothing. Every path is below a root of its own, so that a
//! test can play any machine.

mod kernel;
mod memory;
mod modules;
mod network;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::wording::one_line;

pub use kernel::clock;
pub use modules::Offer;

/// One thing about a machine, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about, in a word.
    pub subject: &'static str,
    /// What it means for a ceremony.
    pub grade: Grade,
    /// What was seen, or that it could not be seen.
    pub said: String,
    /// What to do; nothing where all is well.
    pub hint: Option<String>,
}

/// What a finding means for a ceremony.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// No ceremony is held on this machine as it is.
    Bad,
    /// Nothing to do.
    Ok,
    /// Somebody decides: it is weaker than it could be, or could not be seen.
    Warn,
}

impl Grade {
    /// The word on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Ok => "ok",
            Self::Warn => "warn",
        }
    }
}

impl Finding {
    /// Nothing to do.
    pub fn ok(subject: &'static str, said: impl Into<String>) -> Self {
        Self { subject, grade: Grade::Ok, said: said.into(), hint: None }
    }

    /// Somebody decides.
    pub fn warn(subject: &'static str, said: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { subject, grade: Grade::Warn, said: said.into(), hint: Some(hint.into()) }
    }

    /// No ceremony as it is.
    pub fn bad(subject: &'static str, said: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { grade: Grade::Bad, ..Self::warn(subject, said, hint) }
    }

    /// The finding of what could not be seen: nobody may take silence for health.
    fn unseen(subject: &'static str, unseen: &Unseen) -> Self {
        let Unseen { path, why } = unseen;
        let said = format!("cannot be seen: `/{}`: {why}", one_line(path));
        Self::warn(subject, said, "look at it by other means, or run this where it can be seen")
    }
}

/// A machine, by what stands below its root.
#[derive(Clone, Debug)]
pub struct Machine {
    root: PathBuf,
    /// Whether the kernel's generator gives bytes without anybody waiting for it.
    is_random_ready: bool,
}

/// What is there, and cannot be read.
#[derive(Debug)]
struct Unseen {
    path: String,
    why: io::ErrorKind,
}

impl Machine {
    /// The machine whose files stand below `root`.
    pub fn below(root: impl Into<PathBuf>, is_random_ready: bool) -> Self {
        Self { root: root.into(), is_random_ready }
    }

    /// Everything that its kernel says, subject by subject.
    pub fn findings(&self) -> Vec<Finding> {
        let subjects: [(&'static str, Look); 8] = [
            ("network", Self::network),
            ("radio", Self::radios),
            ("swap", Self::swap),
            ("core dumps", Self::core_dumps),
            ("ptrace", Self::ptrace),
            ("generator", Self::generator),
            ("entropy", Self::hardware_entropy),
            ("hypervisor", Self::virtual_machine),
        ];
        let look = |(subject, look): (&'static str, Look)| {
            look(self).unwrap_or_else(|unseen| vec![Finding::unseen(subject, &unseen)])
        };
        subjects.into_iter().flat_map(look).collect()
    }

    /// The text of a file, without the line feed at its end; none where there is no such file.
    fn text(&self, path: &str) -> Result<Option<String>, Unseen> {
        let read = fs::read(self.root.join(path));
        let text = seen(path, read)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(text.map(|text| text.trim_end_matches('\n').to_owned()))
    }

    /// The names in a folder; none where there is no such folder.
    fn names(&self, path: &str) -> Result<Option<BTreeSet<String>>, Unseen> {
        let name = |entry: io::Result<fs::DirEntry>| {
            entry.map(|entry| entry.file_name().to_string_lossy().into_owned())
        };
        let read = fs::read_dir(self.root.join(path)).and_then(|all| all.map(name).collect());
        seen(path, read)
    }

    fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    /// A limit of a process, as the kernel's table of them has it: `unlimited`, or a number.
    fn limit(&self, process: &str, name: &str) -> Result<Option<String>, Unseen> {
        let table = self.text(&format!("proc/{process}/limits"))?.unwrap_or_default();
        let row = table.lines().find_map(|line| line.strip_prefix(name));
        Ok(row.and_then(|row| row.split_whitespace().next()).map(str::to_owned))
    }

    fn at(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }
}

type Look = fn(&Machine) -> Result<Vec<Finding>, Unseen>;

fn seen<T>(path: &str, read: io::Result<T>) -> Result<Option<T>, Unseen> {
    match read {
        Ok(there) => Ok(Some(there)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Unseen { path: path.to_owned(), why: error.kind() }),
    }
}

#[cfg(test)]
mod tests;
