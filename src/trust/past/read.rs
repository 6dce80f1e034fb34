//! Reading a trust folder: its sums, links, records and roots, each held against the others.
//!
//! Second floor, beside the ceremony: pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, LastCeremony, Past, TRUST_SUMS, folder_name};
use crate::ceremony::means::{Means, PIECE};
use crate::ceremony::plan::{self, Plan};
use crate::files::{Bytes, Files};
use crate::key::PublicKey;
use crate::name::Name;
use crate::packed::Packing;
use crate::record::{self, Record};
use crate::root::{Dialect, Role, SignedRoot};
use crate::sums::{self, Predecessor, Sums};
use crate::trust::lineage::{Governors, Lineage};
use crate::trust::{Alone, CEREMONIES, CUSTODY, Custody, DRILLS, METADATA};

impl Past {
    /// Reads a trust folder from its files, by path inside it. An empty map is the past of a genesis.
    ///
    /// # Errors
    /// [`Error`], naming the file.
    pub fn read(files: impl Into<Files>) -> Result<Self, Error> {
        Self::read_by(files, &Means::default())
    }

    /// The same by more hands than one.
    ///
    /// # Errors
    /// As [`Past::read`].
    pub fn read_by(files: impl Into<Files>, means: &Means) -> Result<Self, Error> {
        let mut past = Self { files: files.into(), ..Self::default() };
        if past.files.is_empty() {
            return Ok(past);
        }
        past.read_ceremonies()?;
        past.read_custody()?;
        past.check_vouched()?;
        past.read_alone()?;
        past.read_roots(means)?;
        past.ceremonies.iter_mut().for_each(|ceremony| ceremony.plan.forget_repositories());
        Ok(past)
    }

    fn file(&self, path: &str) -> Result<&Bytes, Error> {
        self.files.get(path).ok_or_else(|| Error::Missing { path: path.to_owned() })
    }

    fn read_ceremonies(&mut self) -> Result<(), Error> {
        let mut folders: Vec<String> = Vec::new();
        let start = format!("{CEREMONIES}/");
        for (path, _) in self.files.range(&start) {
            let path = &path[start.len()..];
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
        let sums = Sums::parse(&get(sums::FILE)?.read()?)
            .map_err(|error| form(sums::FILE, error.to_string()))?;
        let found = files.iter().map(|(path, bytes)| Ok((path, bytes.digest()?)));
        sums.check::<sums::Error>(found).map_err(|error| form(sums::FILE, error.to_string()))?;
        let link = before
            .map(|before| Predecessor { folder: before.folder.clone(), digest: before.closing });
        if sums.predecessor() != link.as_ref() {
            return Err(Error::Link { folder: folder.to_owned() });
        }
        let list = |name: &str| files.read(name).ok().flatten();
        let plan = Plan::parse(&get("plan.toml")?.read()?, list)
            .map_err(|error: plan::Error| form("plan.toml", error.to_string()))?;
        if folder != folder_name(number, plan.kind()) {
            return Err(Error::Name { path: path("") });
        }
        if plan.after() != before.map(|before| before.closing) {
            return Err(Error::Link { folder: folder.to_owned() });
        }
        let bytes = get("record.jsonl")?;
        let (record, good) = Record::read(bytes)
            .map_err(|error: record::Error| form("record.jsonl", error.to_string()))?;
        if good != bytes.len() {
            return Err(form("record.jsonl", "its last line is torn".into()));
        }
        let abandoned = match files.get("unfinished/record.jsonl") {
            Some(bytes) => {
                let read = Record::read(bytes);
                let read = read.map_err(|e| form("unfinished/record.jsonl", e.to_string()))?;
                Some(read.0)
            }
            None => None,
        };
        let (folder, closing) = (folder.to_owned(), sums.digest());
        let drills = BTreeSet::new();
        Ok(LastCeremony { number, folder, closing, plan, record, abandoned, drills })
    }

    fn read_custody(&mut self) -> Result<(), Error> {
        let bytes = self.file(CUSTODY)?.read()?;
        let custody: Custody = serde_json::from_slice(&bytes).map_err(|error| Error::Form {
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
        // Whose a root is, is asked only where some are of a ceremony that was abandoned.
        let is_abandon = |ceremony: &LastCeremony| ceremony.plan.kind() == plan::Kind::Abandon;
        let asked = self.ceremonies.iter().any(is_abandon);
        let (mut known, mut unwanted) = (BTreeSet::<String>::new(), BTreeSet::new());
        let mut drills = Vec::new();
        for ceremony in &self.ceremonies {
            let is_last = ceremony.number as usize == self.ceremonies.len();
            let mut stated = BTreeSet::new();
            self.each_vouched(ceremony, is_last, |file| {
                if file.starts_with(DRILLS) {
                    stated.insert(file.to_owned());
                }
                let is_root = asked && file.starts_with(METADATA);
                if is_root && known.insert(file.to_owned()) && is_abandon(ceremony) {
                    unwanted.insert(file.to_owned());
                }
            })?;
            drills.push(stated);
        }
        self.unwanted = unwanted;
        for (ceremony, drills) in self.ceremonies.iter_mut().zip(drills) {
            ceremony.drills = drills;
        }
        Ok(())
    }

    /// Compares the files that a ceremony lists, and sees of the last one that it lists everything.
    fn each_vouched(
        &self,
        ceremony: &LastCeremony,
        is_last: bool,
        mut each: impl FnMut(&str),
    ) -> Result<(), Error> {
        let needs_nobody = |path: &str| {
            [CEREMONIES, DRILLS].iter().any(|folder| {
                path.strip_prefix(folder).is_some_and(|inside| inside.starts_with('/'))
            })
        };
        let mut needing = self.files.paths().filter(|path| !needs_nobody(path)).peekable();
        let stranger = |path: &str| Error::Stranger { path: path.to_owned() };
        let place = format!("{CEREMONIES}/{}/{TRUST_SUMS}", ceremony.folder);
        let read = sums::each(self.file(&place)?.reader(), |file, digest| {
            // Both are in the order of their paths.
            if let Some(passed) = needing.next_if(|path| is_last && *path < file) {
                return Err(Wrong::Past(stranger(passed)));
            }
            needing.next_if(|path| *path == file);
            let is_compared = is_last || file != CUSTODY;
            if is_compared && self.file(file)?.digest().map_err(Error::Lost)? != digest {
                let (path, by) = (file.to_owned(), ceremony.folder.clone());
                return Err(Wrong::Past(Error::Changed { path, by }));
            }
            each(file);
            Ok(())
        });
        match read {
            Err(Wrong::Past(error)) => return Err(error),
            Err(Wrong::Sums(sums::Error::Lost(lost))) => return Err(lost.into()),
            Err(Wrong::Sums(error)) => {
                return Err(Error::Form { path: place, what: error.to_string() });
            }
            Ok(_) => {}
        }
        match needing.next().filter(|_| is_last) {
            Some(path) => Err(stranger(path)),
            None => Ok(()),
        }
    }

    /// No ceremony has to vouch for a statement: the keys that it is about signed it.
    fn read_alone(&mut self) -> Result<(), Error> {
        let start = format!("{DRILLS}/");
        let read = self.files.range(&start).map(|(path, bytes)| {
            let form = |what: String| Error::Form { path: path.to_owned(), what };
            let alone = Alone::read(path, &bytes.read()?, &self.custody).map_err(form)?;
            let is_ours = self.ceremonies.iter().any(|ceremony| ceremony.closing == alone.closing);
            if is_ours { Ok(alone) } else { Err(form("it is about another trust folder".into())) }
        });
        self.alone = read.collect::<Result<_, Error>>()?;
        Ok(())
    }

    /// Reads every root once: what is kept of them is how many there are, and who governs.
    fn read_roots(&mut self, means: &Means) -> Result<(), Error> {
        let start = format!("{METADATA}/");
        let mut governors = Governors::default();
        let (mut lineages, mut root_keys) = (Packing::default(), BTreeSet::new());
        let mut files = self.files.range(&start).map(|(path, _)| path).peekable();
        while files.peek().is_some() {
            let mut folders: Vec<(&str, Vec<&str>)> = Vec::new();
            while let Some(first) = files.peek().filter(|_| folders.len() < PIECE) {
                let (folder, _) = in_folder(first)?;
                let is_inside = |path: &&str| in_folder(path).is_ok_and(|(f, _)| f == folder);
                folders.push((folder, std::iter::from_fn(|| files.next_if(is_inside)).collect()));
            }
            means.map(
                0..folders.len(),
                |at| self.read_chain(folders[at].0, &folders[at].1),
                |_, (name, lineage, listed)| {
                    let new = listed.into_iter().filter(|key| !root_keys.contains(key));
                    let new: Vec<PublicKey> = new.collect();
                    root_keys.extend(new);
                    lineages.push(name.as_str(), lineage.sharing(&mut governors));
                    Ok(())
                },
            )?;
        }
        (self.lineages, self.root_keys) = (lineages.in_order(), root_keys);
        Ok(())
    }

    /// Reads the roots of one folder: whose they are, their lineage, and every key that they list for the root role.
    fn read_chain(&self, folder: &str, paths: &[&str]) -> Result<Read, Error> {
        let first = || paths.first().copied().unwrap_or_default().to_owned();
        let name = Name::from_folder(folder).ok().flatten();
        let name = name.or_else(|| self.name_of(folder)).filter(|name| name.folder() == folder);
        let name = name.ok_or_else(|| Error::Name { path: first() })?;
        // By their names the tenth version comes before the second.
        let mut versions = BTreeMap::new();
        for path in paths {
            versions.insert(in_folder(path)?.1, *path);
        }
        let dialect = self.dialect_of(name.as_str());
        let (mut last, mut listed) = (None::<SignedRoot>, BTreeSet::new());
        for (expected, (version, path)) in (1..).zip(&versions) {
            let bytes = self.file(path)?.read()?;
            let path = || (*path).to_owned();
            let root = SignedRoot::parse_after(dialect, last.as_ref(), &bytes)
                .map_err(|error| Error::Form { path: path(), what: error.to_string() })?;
            if *version != expected || root.version().get() != expected {
                return Err(Error::Version { path: path() });
            }
            let keys = root.root().role_keys(Role::Root);
            listed.extend(keys.filter_map(|(_, key)| key.public().cloned()));
            last = Some(root);
        }
        let newest = last.ok_or_else(|| Error::Name { path: first() })?;
        Ok((name, Lineage::of(newest.root()), listed))
    }

    /// A folder name that is a digest belongs to a long name, which a plan spells out.
    fn name_of(&self, folder: &str) -> Option<Name> {
        let plans = self.ceremonies.iter().flat_map(|ceremony| ceremony.plan.repositories());
        plans
            .filter_map(|repository| repository.name.parse::<Name>().ok())
            .find(|name| name.folder() == folder)
    }

    fn dialect_of(&self, repository: &str) -> Dialect {
        let mut plans = self.ceremonies.iter().rev().map(|ceremony| &ceremony.plan);
        plans
            .find(|plan| plan.repository(repository).is_some())
            .map_or(Dialect::Notary, Plan::dialect)
    }
}

/// What is read of a chain.
type Read = (Name, Lineage, BTreeSet<PublicKey>);

/// Why a list of what a ceremony vouches for does not hold.
enum Wrong {
    /// By itself.
    Sums(sums::Error),
    /// By what it lists.
    Past(Error),
}

impl From<sums::Error> for Wrong {
    fn from(error: sums::Error) -> Self {
        Self::Sums(error)
    }
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self::Past(error)
    }
}

/// Folder and version of a root's path.
fn in_folder(path: &str) -> Result<(&str, u64), Error> {
    let bad = || Error::Name { path: path.to_owned() };
    let rest = path.strip_prefix(METADATA).and_then(|rest| rest.strip_prefix('/'));
    let (folder, file) = rest.and_then(|rest| rest.split_once('/')).ok_or_else(bad)?;
    let number = file.strip_suffix(".root.json").ok_or_else(bad)?;
    let version: u64 = number.parse().map_err(|_| bad())?;
    if version.to_string() == number { Ok((folder, version)) } else { Err(bad()) }
}
