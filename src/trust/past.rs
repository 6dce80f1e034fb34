//! The past: a trust folder whose sums, links, records and roots hold together.
//!
//! Second floor, beside the ceremony: pure; the bytes of files in, checked values out.

mod read;

use std::collections::BTreeSet;

use super::{Alone, CEREMONIES, Custody, DRILLS, Lineage, METADATA};
use crate::ceremony::plan::{self, Plan};
use crate::check::Check;
use crate::digest::Digest;
use crate::files::{Bytes, Files};
use crate::key::PublicKey;
use crate::name::Name;
use crate::packed::Packed;
use crate::record::Record;
use crate::refusal::{Exit, Refusal};
use crate::root::{Dialect, SignedRoot};
use crate::shelf::Lost;
use crate::wording::Count;

/// A ceremony's file that lists custody.json and every root of the trust folder, as `sha256sum --check` reads it from
/// the trust folder.
pub const TRUST_SUMS: &str = "TRUST-SHA256SUMS";

/// Everything that earlier ceremonies left, checked. The files stay where they lie; a root is read again for whoever asks.
#[derive(Clone, Debug, Default)]
pub struct Past {
    custody: Custody,
    lineages: Packed<Lineage>,
    /// Every key that a root ever listed for the root role.
    root_keys: BTreeSet<PublicKey>,
    ceremonies: Vec<LastCeremony>,
    /// The paths of roots that an abandoned ceremony completed.
    unwanted: BTreeSet<String>,
    files: Files,
    /// Drills that custodians did alone.
    alone: Vec<Alone>,
}

/// A finished ceremony.
#[derive(Clone, Debug)]
pub struct LastCeremony {
    /// Counts from 1.
    pub number: u32,
    /// Its folder: `0001-genesis`.
    pub folder: String,
    /// SHA-256 of its `SHA256SUMS`: the closing digest.
    pub closing: Digest,
    /// Its plan, without its repositories: there may be very many, and what governs them stands in their roots.
    pub plan: Plan,
    /// Its record.
    pub record: Record,
    /// The record of the unfinished ceremony that it closed.
    pub abandoned: Option<Record>,
    /// The paths of the drills that it vouches for.
    pub drills: BTreeSet<String>,
}

impl LastCeremony {
    /// The records that this ceremony keeps: its own, and that of the ceremony which it abandoned.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        std::iter::once(&self.record).chain(&self.abandoned)
    }
}

/// Why files are not a trust folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A file that must be there is not.
    #[error("the trust folder has no `{path}`")]
    Missing {
        /// Its path.
        path: String,
    },
    /// What is read cannot be had again.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// A file that no ceremony vouches for.
    #[error("`{path}` is in the trust folder, and no ceremony vouches for it")]
    Stranger {
        /// Its path.
        path: String,
    },
    /// A file that is not the one that a ceremony vouched for.
    #[error("`{path}` is not the file that `{by}` vouches for")]
    Changed {
        /// Its path.
        path: String,
        /// The ceremony's folder.
        by: String,
    },
    /// A ceremony that does not name the one before it.
    #[error("`{folder}` does not follow the ceremony before it")]
    Link {
        /// The ceremony's folder.
        folder: String,
    },
    /// A name that no repository or ceremony has.
    #[error("`{path}` is no name of ours")]
    Name {
        /// The path.
        path: String,
    },
    /// A roots' file that says another version than its name, or a gap before it.
    #[error("`{path}` is not the version that its name says, or a version before it is missing")]
    Version {
        /// Its path.
        path: String,
    },
    /// A file that cannot be read as what it is.
    #[error("`{path}`: {what}")]
    Form {
        /// Its path.
        path: String,
        /// What, in one line.
        what: String,
    },
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        if let Error::Lost(lost) = error {
            return lost.into();
        }
        Self::of(Check::TrustFolder, error.to_string())
            .hint("bring the trust folder as the last ceremony wrote it")
    }
}

impl Past {
    /// Who holds what.
    pub const fn custody(&self) -> &Custody {
        &self.custody
    }

    /// Every root of a repository, version 1 first; none of one that is not known.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub fn chain(&self, repository: &str) -> Result<Vec<SignedRoot>, Error> {
        let mut chain: Vec<SignedRoot> = Vec::new();
        for version in 1..=self.versions(repository) {
            chain.push(self.root(repository, version, chain.last())?);
        }
        Ok(chain)
    }

    /// The newest root of a repository.
    ///
    /// # Errors
    /// As [`Past::chain`].
    pub fn latest(&self, repository: &str) -> Result<Option<SignedRoot>, Error> {
        match self.versions(repository) {
            0 => Ok(None),
            newest => self.root(repository, newest, None).map(Some),
        }
    }

    fn root(
        &self,
        repository: &str,
        version: u64,
        before: Option<&SignedRoot>,
    ) -> Result<SignedRoot, Error> {
        let path = self.path_of(repository, version);
        let bytes = self.files.read(&path)?.unwrap_or_default();
        let dialect = self.lineages.get(repository).map_or(Dialect::Notary, Lineage::dialect);
        SignedRoot::parse_after(dialect, before, &bytes)
            .map_err(|error| Error::Form { path, what: error.to_string() })
    }

    /// The file of a root.
    pub fn root_file(&self, repository: &str, version: u64) -> Option<&Bytes> {
        self.files.get(&self.path_of(repository, version))
    }

    fn path_of(&self, repository: &str, version: u64) -> String {
        let folder = repository.parse::<Name>().map(|name| name.folder()).unwrap_or_default();
        format!("{METADATA}/{folder}/{version}.root.json")
    }

    /// How many roots a repository has: the version of its newest one.
    pub fn versions(&self, repository: &str) -> u64 {
        self.lineages.get(repository).map_or(0, Lineage::versions)
    }

    /// How many roots at the end of a repository's chain nobody wanted when they were complete, and nothing follows yet:
    /// they were never on `out` media (docs/threats.md rule 7).
    pub fn unwanted(&self, repository: &str) -> u64 {
        if self.unwanted.is_empty() {
            return 0;
        }
        let is_unwanted = |version| self.unwanted.contains(&self.path_of(repository, version));
        let versions = (1..=self.versions(repository)).rev();
        versions.take_while(|version| is_unwanted(*version)).count() as u64
    }

    /// The repositories, each with its lineage.
    pub const fn repositories(&self) -> &Packed<Lineage> {
        &self.lineages
    }

    /// Every key that a root of any repository ever listed for the root role.
    pub const fn root_keys(&self) -> &BTreeSet<PublicKey> {
        &self.root_keys
    }

    /// The root keys of the newest roots of those repositories that are asked about.
    pub fn governing(&self, is_asked: impl Fn(&str) -> bool) -> BTreeSet<PublicKey> {
        let asked = self.lineages.iter().filter(|(name, _)| is_asked(name));
        let mut keys = BTreeSet::new();
        for key in asked.flat_map(|(_, lineage)| &lineage.governed().keys) {
            // A fleet has few, and each many times.
            if !keys.contains(key) {
                keys.insert(key.clone());
            }
        }
        keys
    }

    /// The ceremonies, oldest first.
    pub fn ceremonies(&self) -> &[LastCeremony] {
        &self.ceremonies
    }

    /// The last ceremony.
    pub fn last(&self) -> Option<&LastCeremony> {
        self.ceremonies.last()
    }

    /// Compares the words of the last closing page with the closing digest.
    ///
    /// # Errors
    /// `[TRUST-WORDS]` with the first word that is another.
    pub fn check_words(&self, typed: &str) -> Result<(), Refusal> {
        let typed: Vec<&str> = typed.split_whitespace().collect();
        if typed.len() != 24 {
            let what = format!("{} given, a digest has 24", Count(typed.len(), "word"));
            return Err(Refusal::new(Exit::Usage, what).hint("type all 24 in one pair of quotes"));
        }
        let closing = self.last().map_or(Digest::of(b""), |last| last.closing);
        let wrong = (1..=24).find(|position| !closing.has_word(*position, typed[position - 1]));
        let Some(position) = wrong else { return Ok(()) };
        let what = format!("word {position} is not that of the closing digest of this folder");
        Err(Refusal::of(Check::TrustWords, what).hint(
            "read the words on the signed page again; if they are right, this folder is not the one that was signed for",
        ))
    }

    /// Drills that custodians did alone, by path: whether or not a ceremony vouches for them by now.
    pub fn alone(&self) -> &[Alone] {
        &self.alone
    }

    /// Whether the last ceremony vouches for a file: for all but statements that came after it.
    pub fn is_vouched(&self, path: &str) -> bool {
        let is_stated = |last: &LastCeremony| last.drills.contains(path);
        !path.starts_with(&format!("{DRILLS}/")) || self.last().is_some_and(is_stated)
    }

    /// Every file, by path.
    pub const fn files(&self) -> &Files {
        &self.files
    }

    /// Every file of one ceremony, by path inside its folder.
    pub fn ceremony_files(&self, folder: &str) -> Files {
        self.files.below(&format!("{CEREMONIES}/{folder}/"))
    }
}

/// The folder of a ceremony: its number in four digits, and its kind.
pub fn folder_name(number: u32, kind: plan::Kind) -> String {
    format!("{number:04}-{}", kind.name())
}
