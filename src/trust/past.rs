//! The past: a trust folder whose sums, links, records and roots hold together.
//!
//! Second floor, beside the ceremony: pure; the bytes of files in, checked values out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Alone, CEREMONIES, CUSTODY, Custody, DRILLS, METADATA};
use crate::ceremony::plan::{self, Plan};
use crate::check::Check;
use crate::digest::Digest;
use crate::name::Name;
use crate::record::{self, Record};
use crate::refusal::{Exit, Refusal};
use crate::root::{self, SignedRoot};
use crate::sums::{self, Predecessor, Sums};
use crate::wording::Count;

/// A ceremony's file that lists custody.json and every root of the trust folder, as `sha256sum --check` reads it from
/// the trust folder.
pub const TRUST_SUMS: &str = "TRUST-SHA256SUMS";

/// Everything that earlier ceremonies left, checked.
#[derive(Clone, Debug, Default)]
pub struct Past {
    custody: Custody,
    roots: BTreeMap<String, Vec<SignedRoot>>,
    ceremonies: Vec<LastCeremony>,
    /// The paths of roots that an abandoned ceremony completed.
    unwanted: BTreeSet<String>,
    files: BTreeMap<String, Vec<u8>>,
    /// Drills that custodians did alone.
    alone: Vec<Alone>,
    /// The paths of those that the last ceremony vouches for.
    vouched: BTreeSet<String>,
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
    /// Its plan.
    pub plan: Plan,
    /// Its record.
    pub record: Record,
    /// The record of the unfinished ceremony that it closed.
    pub abandoned: Option<Record>,
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
        Self::of(Check::TrustFolder, error.to_string())
            .hint("bring the trust folder as the last ceremony wrote it")
    }
}

impl Past {
    /// Reads a trust folder from its files, by path inside it. An empty map is the past of a genesis.
    ///
    /// # Errors
    /// [`Error`], naming the file.
    pub fn read(files: BTreeMap<String, Vec<u8>>) -> Result<Self, Error> {
        if files.is_empty() {
            return Ok(Self::default());
        }
        let mut past = Self { files, ..Self::default() };
        past.read_ceremonies()?;
        past.read_custody()?;
        past.check_vouched()?;
        past.read_alone()?;
        past.read_roots()?;
        Ok(past)
    }

    /// Who holds what.
    pub const fn custody(&self) -> &Custody {
        &self.custody
    }

    /// Every root of a repository, version 1 first; empty for one that is not known.
    pub fn chain(&self, repository: &str) -> &[SignedRoot] {
        self.roots.get(repository).map_or(&[], Vec::as_slice)
    }

    /// The newest root of a repository.
    pub fn latest(&self, repository: &str) -> Option<&SignedRoot> {
        self.chain(repository).last()
    }

    /// The roots at the end of a repository's chain that nobody wanted when they were complete, and that nothing follows
    /// yet: they were never on `out` media (docs/threats.md rule 7).
    pub fn unwanted(&self, repository: &str) -> &[SignedRoot] {
        let chain = self.chain(repository);
        let folder = repository.parse::<Name>().map(|name| name.folder()).unwrap_or_default();
        let is_unwanted = |root: &SignedRoot| {
            self.unwanted.contains(&format!("{METADATA}/{folder}/{}.root.json", root.version()))
        };
        let many = chain.iter().rev().take_while(|root| is_unwanted(root)).count();
        &chain[chain.len() - many..]
    }

    /// The repositories with their chains.
    pub const fn repositories(&self) -> &BTreeMap<String, Vec<SignedRoot>> {
        &self.roots
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
        !path.starts_with(&format!("{DRILLS}/")) || self.vouched.contains(path)
    }

    /// Every file, by path.
    pub const fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// Every file of one ceremony, by path inside its folder.
    pub fn ceremony_files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        below(&self.files, &format!("{CEREMONIES}/{folder}/"))
    }

    fn file(&self, path: &str) -> Result<&[u8], Error> {
        self.files
            .get(path)
            .map(Vec::as_slice)
            .ok_or_else(|| Error::Missing { path: path.to_owned() })
    }

    fn read_ceremonies(&mut self) -> Result<(), Error> {
        let mut folders: Vec<String> = Vec::new();
        let start = format!("{CEREMONIES}/");
        for path in self.files.keys().filter_map(|path| path.strip_prefix(&start)) {
            let folder = path.split('/').next().unwrap_or_default();
            if folders.last().map(String::as_str) != Some(folder) {
                folders.push(folder.to_owned());
            }
        }
        for (number, folder) in (1..).zip(&folders) {
            let before = self.ceremonies.last();
            let read = self.read_ceremony(number, folder, before)?;
            self.ceremonies.push(read);
        }
        if self.ceremonies.is_empty() {
            return Err(Error::Missing { path: CEREMONIES.to_owned() });
        }
        Ok(())
    }

    fn read_ceremony(
        &self,
        number: u32,
        folder: &str,
        before: Option<&LastCeremony>,
    ) -> Result<LastCeremony, Error> {
        let files = self.ceremony_files(folder);
        let path = |name: &str| format!("{CEREMONIES}/{folder}/{name}");
        let form = |name: &str, what: String| Error::Form { path: path(name), what };
        let get = |name: &str| files.get(name).ok_or_else(|| Error::Missing { path: path(name) });
        let sums =
            Sums::parse(get(sums::FILE)?).map_err(|error| form(sums::FILE, error.to_string()))?;
        sums.check(&files).map_err(|error| form(sums::FILE, error.to_string()))?;
        let link = before
            .map(|before| Predecessor { folder: before.folder.clone(), digest: before.closing });
        if sums.predecessor() != link.as_ref() {
            return Err(Error::Link { folder: folder.to_owned() });
        }
        let list = |name: &str| files.get(name).cloned();
        let plan = Plan::parse(get("plan.toml")?, list)
            .map_err(|error: plan::Error| form("plan.toml", error.to_string()))?;
        if folder != folder_name(number, plan.kind()) {
            return Err(Error::Name { path: path("") });
        }
        if plan.after() != before.map(|before| before.closing) {
            return Err(Error::Link { folder: folder.to_owned() });
        }
        let bytes = get("record.jsonl")?;
        let (record, good) = Record::parse(bytes)
            .map_err(|error: record::Error| form("record.jsonl", error.to_string()))?;
        if good != bytes.len() {
            return Err(form("record.jsonl", "its last line is torn".into()));
        }
        let abandoned = match files.get("unfinished/record.jsonl") {
            Some(bytes) => {
                let read = Record::parse(bytes);
                let read = read.map_err(|e| form("unfinished/record.jsonl", e.to_string()))?;
                Some(read.0)
            }
            None => None,
        };
        let (folder, closing) = (folder.to_owned(), sums.digest());
        Ok(LastCeremony { number, folder, closing, plan, record, abandoned })
    }

    fn read_custody(&mut self) -> Result<(), Error> {
        let bytes = self.file(CUSTODY)?;
        let custody: Custody = serde_json::from_slice(bytes).map_err(|error| Error::Form {
            path: CUSTODY.to_owned(),
            what: error.to_string().lines().next().unwrap_or_default().to_owned(),
        })?;
        if custody.to_bytes() != bytes {
            let what = "not in its one form".to_owned();
            return Err(Error::Form { path: CUSTODY.to_owned(), what });
        }
        self.custody = custody;
        Ok(())
    }

    /// Every root is vouched for by each ceremony that lists it; the last one lists everything.
    fn check_vouched(&mut self) -> Result<(), Error> {
        let (mut known, mut unwanted) = (BTreeSet::new(), BTreeSet::new());
        for ceremony in &self.ceremonies {
            let path = format!("{CEREMONIES}/{}/{TRUST_SUMS}", ceremony.folder);
            let sums = Sums::parse(self.file(&path)?)
                .map_err(|error| Error::Form { path: path.clone(), what: error.to_string() })?;
            let is_last = ceremony.number as usize == self.ceremonies.len();
            for (file, digest) in
                sums.files().iter().filter(|(file, _)| is_last || *file != CUSTODY)
            {
                if Digest::of(self.file(file)?) != *digest {
                    let (path, by) = (file.clone(), ceremony.folder.clone());
                    return Err(Error::Changed { path, by });
                }
            }
            let roots = sums.files().keys().filter(|path| path.starts_with(METADATA)).cloned();
            let new: BTreeSet<String> = roots.filter(|path| known.insert(path.clone())).collect();
            if ceremony.plan.kind() == plan::Kind::Abandon {
                unwanted.extend(new);
            }
            let start = format!("{CEREMONIES}/");
            let drills = format!("{DRILLS}/");
            let needs_nobody =
                |path: &String| path.starts_with(&start) || path.starts_with(&drills);
            let own = self.files.keys().filter(|path| !needs_nobody(path));
            let stated = sums.files().keys().filter(|path| path.starts_with(&drills));
            self.vouched = stated.cloned().collect();
            if let Some(path) =
                own.clone().find(|path| is_last && !sums.files().contains_key(*path))
            {
                return Err(Error::Stranger { path: path.clone() });
            }
        }
        self.unwanted = unwanted;
        Ok(())
    }

    /// No ceremony has to vouch for a statement: the keys that it is about signed it.
    fn read_alone(&mut self) -> Result<(), Error> {
        let start = format!("{DRILLS}/");
        let statements = self.files.iter().filter(|(path, _)| path.starts_with(&start));
        let read = statements.map(|(path, bytes)| {
            let form = |what: String| Error::Form { path: path.clone(), what };
            let alone = Alone::read(path, bytes, &self.custody).map_err(form)?;
            let is_ours = self.ceremonies.iter().any(|ceremony| ceremony.closing == alone.closing);
            if is_ours { Ok(alone) } else { Err(form("it is about another trust folder".into())) }
        });
        self.alone = read.collect::<Result<_, _>>()?;
        Ok(())
    }

    fn read_roots(&mut self) -> Result<(), Error> {
        let mut versions: BTreeMap<String, BTreeMap<u64, String>> = BTreeMap::new();
        let start = format!("{METADATA}/");
        for path in self.files.keys() {
            let Some(rest) = path.strip_prefix(&start) else { continue };
            let bad = || Error::Name { path: path.clone() };
            let (folder, file) = rest.split_once('/').ok_or_else(bad)?;
            let number = file.strip_suffix(".root.json").ok_or_else(bad)?;
            let version: u64 = number.parse().map_err(|_| bad())?;
            let name = Name::from_folder(folder).ok().flatten();
            let name = name.or_else(|| self.name_of(folder)).ok_or_else(bad)?;
            if name.folder() != folder || version.to_string() != number {
                return Err(bad());
            }
            versions.entry(name.as_str().to_owned()).or_default().insert(version, path.clone());
        }
        for (repository, paths) in versions {
            let mut chain = Vec::new();
            for (expected, (version, path)) in (1..).zip(&paths) {
                let dialect = self.dialect_of(&repository);
                let signed = SignedRoot::parse(dialect, self.file(path)?)
                    .map_err(|error| Error::Form { path: path.clone(), what: error.to_string() })?;
                if *version != expected || signed.version().get() != expected {
                    return Err(Error::Version { path: path.clone() });
                }
                chain.push(signed);
            }
            self.roots.insert(repository, chain);
        }
        Ok(())
    }

    /// A folder name that is a digest belongs to a long name, which a plan spells out.
    fn name_of(&self, folder: &str) -> Option<Name> {
        let plans = self.ceremonies.iter().flat_map(|ceremony| ceremony.plan.repositories());
        plans
            .filter_map(|repository| repository.name.parse::<Name>().ok())
            .find(|name| name.folder() == folder)
    }

    fn dialect_of(&self, repository: &str) -> root::Dialect {
        let mut plans = self.ceremonies.iter().rev().map(|ceremony| &ceremony.plan);
        plans
            .find(|plan| plan.repositories().iter().any(|planned| planned.name == repository))
            .map_or(root::Dialect::Notary, Plan::dialect)
    }
}

/// The folder of a ceremony: its number in four digits, and its kind.
pub fn folder_name(number: u32, kind: plan::Kind) -> String {
    format!("{number:04}-{}", kind.name())
}

/// The files below a folder, by path inside it.
pub fn below(files: &BTreeMap<String, Vec<u8>>, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let range = files.range(folder.to_owned()..);
    let inside = range.take_while(|(path, _)| path.starts_with(folder));
    inside.map(|(path, bytes)| (path[folder.len()..].to_owned(), bytes.clone())).collect()
}
