//! The walk: does a client that holds one root of a chain reach the newest, on a given day, and until when?
//!
//! First floor: pure. The newest root may be a candidate whose signatures are assumed. A signature is verified once for
//! all walks over one file, whichever chains hold it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::certificate::Certificate;
use super::profile::{Electors, Expiries, Path, Profile};
use super::shape::ShapeError;
use super::threshold::{self, Electorate, Tally, count_with};
use super::{Key, KeyId, Role, Root, Signature, SignedRoot, Version, notary, tuf};

/// The roots of one repository as they are published, by version, with the newest possibly not signed yet.
#[derive(Debug)]
pub struct Chain {
    files: BTreeMap<Version, SignedRoot>,
    assumed: BTreeSet<KeyId>,
}

impl Chain {
    /// Takes the files that are published, each under its version.
    pub fn new(files: impl IntoIterator<Item = SignedRoot>) -> Self {
        Self::published(files.into_iter().map(|file| (file.version(), file)))
    }

    /// Takes the files that are published, each under the version of its file name, whatever it says itself.
    pub fn published(files: impl IntoIterator<Item = (Version, SignedRoot)>) -> Self {
        let files = files.into_iter().collect();
        Self { files, assumed: BTreeSet::new() }
    }

    /// Adds a candidate as the newest version, with the ids of keys that will sign it.
    pub fn with_candidate(mut self, file: SignedRoot, assumed: BTreeSet<KeyId>) -> Self {
        self.files.insert(file.version(), file);
        self.assumed = assumed;
        self
    }

    /// The files by version.
    pub fn files(&self) -> &BTreeMap<Version, SignedRoot> {
        &self.files
    }

    /// The newest version, if there is any.
    pub fn newest(&self) -> Option<Version> {
        self.files.last_key_value().map(|(version, _)| *version)
    }
}

/// Who walks: a client by its profile, for a repository by name, on a day.
#[derive(Clone, Copy, Debug)]
pub struct Walker<'a> {
    /// The client.
    pub profile: &'a Profile,
    /// The name that Notary compares certificates with.
    pub repository: &'a str,
    /// The client's clock.
    pub at: Timestamp,
}

/// A file of the chain and where it stands.
#[derive(Clone, Copy)]
struct Held<'c> {
    position: Version,
    file: &'c SignedRoot,
}

impl Walker<'_> {
    /// Walks from the root that the client holds to the newest of the chain. With no root, Notary's client takes the
    /// newest on first use, its server begins empty, and a TUF client is shipped with the newest.
    ///
    /// # Errors
    /// The version at which the walk stops, and why.
    pub fn walk(&self, chain: &Chain, start: Option<Version>) -> Result<(), Stop> {
        let Some(newest) = chain.newest() else { return Ok(()) };
        match (self.profile.path, start) {
            (Path::NewestFirst, None) => {
                let file = self.file(chain, newest)?;
                self.judge(chain, None, file, newest)?;
                self.exact(file)?;
                self.unexpired(file)
            }
            (Path::NewestFirst, Some(start)) => self.newest_first(chain, start, newest),
            (Path::OneByOne, start) => self.one_by_one(chain, start.unwrap_or(newest), newest),
            (Path::Uploads, start) => self.uploads(chain, start),
        }
    }

    /// Says whether the root of a version stands by itself on that day. Notary's server takes no update at all once
    /// the one that it holds does not.
    ///
    /// # Errors
    /// That version, and why.
    pub fn stands(&self, chain: &Chain, version: Version) -> Result<(), Stop> {
        let held = self.file(chain, version)?;
        self.judge(chain, None, held, version)
    }

    /// One version after the other; the root it begins with must be signed by itself.
    fn one_by_one(&self, chain: &Chain, start: Version, newest: Version) -> Result<(), Stop> {
        let mut held = self.file(chain, start)?;
        self.judge(chain, None, held, start)?;
        loop {
            // The client asks by the version that the root it holds gives itself.
            let wanted = held.file.version().next();
            if wanted > newest {
                break;
            }
            let next = self.file(chain, wanted)?;
            let limit = self.profile.most_steps;
            if next.position.get() > start.get().saturating_add(limit) {
                return Err(next.stop(Reason::TooManySteps { limit }));
            }
            self.judge(chain, Some(held), next, next.position)?;
            next.expect(wanted)?;
            held = next;
        }
        self.exact(held)?;
        self.unexpired(held)
    }

    /// Notary's client: the cached root must stand by itself today; the newest is tried first.
    fn newest_first(&self, chain: &Chain, start: Version, newest: Version) -> Result<(), Stop> {
        let cached = self.file(chain, start)?;
        self.judge(chain, None, cached, start)?;
        let last = self.file(chain, newest)?;
        // The client asks for the newest by the hash in the snapshot, and nothing has another hash than its own.
        self.exact(last)?;
        match self.judge(chain, Some(cached), last, newest) {
            Ok(()) => {
                last.expect_at_least(cached.file.version())?;
                return self.unexpired(last);
            }
            // With an expired root in its cache the client tries the newest alone.
            Err(Stop { reason: Reason::OldKeys { .. }, .. }) if !self.has_expired(cached.file) => {}
            Err(stop) => return Err(stop),
        }
        // It counts by the versions that the roots give themselves.
        let mut held = cached;
        let mut at = cached.file.version().next();
        while at < last.file.version() {
            let next = self.file(chain, at)?;
            self.judge(chain, Some(held), next, at)?;
            next.expect_at_least(at)?;
            held = next;
            at = at.next();
        }
        self.judge(chain, Some(held), last, newest)?;
        self.unexpired(last)
    }

    /// A server that holds the start, or nothing: each later file is uploaded in turn.
    fn uploads(&self, chain: &Chain, start: Option<Version>) -> Result<(), Stop> {
        let mut held = start.map(|start| self.file(chain, start)).transpose()?;
        for (position, file) in &chain.files {
            let next = Held { position: *position, file };
            if start.is_some_and(|start| next.position <= start) {
                continue;
            }
            let found = next.file.version().get();
            if let Some(held) = held {
                // What it holds must stand by itself on the day of the upload.
                self.judge(chain, None, held, next.position)?;
                next.expect(held.file.version().next())?;
            } else if found > 2 {
                next.expect(Version::FIRST)?;
            }
            self.judge(chain, held, next, next.position)?;
            self.unexpired(next)?;
            held = Some(next);
        }
        Ok(())
    }

    fn exact(&self, held: Held<'_>) -> Result<(), Stop> {
        match self.profile.exact_bytes && !notary::is_byte_exact(held.file) {
            true => Err(held.stop(Reason::Bytes)),
            false => Ok(()),
        }
    }

    fn unexpired(&self, held: Held<'_>) -> Result<(), Stop> {
        match self.has_expired(held.file) {
            true => {
                let expires = held.file.root().expires().instant();
                Err(held.stop(Reason::Expired { expires }))
            }
            false => Ok(()),
        }
    }

    fn has_expired(&self, file: &SignedRoot) -> bool {
        let expires = file.root().expires().instant();
        match self.profile.expiry {
            Expiries::Each | Expiries::Newest => expires < self.at,
            Expiries::NewestExclusive => expires <= self.at,
        }
    }

    fn file<'c>(&self, chain: &'c Chain, version: Version) -> Result<Held<'c>, Stop> {
        let file = chain.files.get(&version);
        let file = file.ok_or(Stop { version, reason: Reason::Absent })?;
        Ok(Held { position: version, file })
    }

    /// Judges a file by the keys of the root held, if any, and by its own; a refusal names `version`.
    fn judge(
        &self,
        chain: &Chain,
        held: Option<Held<'_>>,
        next: Held<'_>,
        version: Version,
    ) -> Result<(), Stop> {
        self.judge_file(chain, held, next).map_err(|reason| Stop { version, reason })
    }

    fn judge_file(
        &self,
        chain: &Chain,
        held: Option<Held<'_>>,
        next: Held<'_>,
    ) -> Result<(), Reason> {
        let (found, limit) = (next.file.bytes().len(), self.profile.largest);
        // What a client has it reads, however large; the limit is on what it fetches.
        if held.is_some() && found > limit {
            return Err(Reason::TooLarge { found, limit });
        }
        self.profile.shape.check(next.file)?;
        let own = self.electorate(next.file.root(), true);
        if own.keys.is_empty() && self.profile.electors == Electors::Certificates {
            return Err(Reason::NoCertificate { repository: self.repository.to_owned() });
        }
        if let Some(held) = held {
            let old = self.electorate(held.file.root(), false);
            let tally = self.count(chain, next, old)?;
            if !tally.is_met() {
                return Err(Reason::OldKeys { counted: tally.counted.len(), needed: tally.needed });
            }
        }
        let tally = self.count(chain, next, own)?;
        match tally.is_met() {
            true => Ok(()),
            false => Err(Reason::NewKeys { counted: tally.counted.len(), needed: tally.needed }),
        }
    }

    /// The keys whose signatures count; `today` asks for certificates that are valid.
    fn electorate<'r>(&self, root: &'r Root, today: bool) -> Electorate<'r> {
        match self.profile.electors {
            Electors::Listed => {
                let readable = |key: &Key| !self.profile.shape.pem_only || !tuf::is_hex_point(key);
                let mut electorate = Electorate::of(root, Role::Root);
                electorate.keys.retain(|_, key| readable(key));
                electorate
            }
            Electors::Certificates => {
                let keys = root.role_keys(Role::Root);
                let keys = keys.filter_map(|(_, key)| self.certified(key, today)).collect();
                let threshold = root.role(Role::Root).map_or(0, |role| role.threshold);
                Electorate { keys, threshold }
            }
        }
    }

    /// The key as Notary finds it again from its certificates.
    fn certified<'r>(&self, key: &'r Key, today: bool) -> Option<(KeyId, Cow<'r, Key>)> {
        let bundle = key.bundle()?;
        let current = |certificate: &Certificate| match today {
            true => certificate.is_current(self.at),
            false => certificate.is_acceptable(),
        };
        let leaf = bundle.leaf();
        if !leaf.names(self.repository) || !current(leaf) || !leaf.is_of_root_kind() {
            return None;
        }
        let keep = |certificate: &Certificate| !today || current(certificate);
        let same = bundle.is_exact() && bundle.intermediates().iter().all(keep);
        match same && key.public().is_some() {
            true => Some((key.id().clone(), Cow::Borrowed(key))),
            false => {
                let key = Key::certificate(&bundle.with_intermediates(keep));
                Some((key.id().clone(), Cow::Owned(key)))
            }
        }
    }

    fn count(
        &self,
        chain: &Chain,
        next: Held<'_>,
        electorate: Electorate<'_>,
    ) -> Result<Tally, threshold::Error> {
        let none = BTreeSet::new();
        let is_newest = chain.newest() == Some(next.position);
        let assumed = if is_newest { &chain.assumed } else { &none };
        let good = |index: usize, key: &Key, _: &Signature| next.file.is_good(index, key);
        count_with(&electorate, (next.file.signatures(), assumed), self.profile.counting, good)
    }
}

impl Held<'_> {
    fn stop(&self, reason: Reason) -> Stop {
        Stop { version: self.position, reason }
    }

    fn expect(&self, expected: Version) -> Result<(), Stop> {
        match self.file.version() == expected {
            true => Ok(()),
            false => Err(self.stop(Reason::Version { expected, found: self.file.version() })),
        }
    }

    fn expect_at_least(&self, least: Version) -> Result<(), Stop> {
        match self.file.version() >= least {
            true => Ok(()),
            false => self.expect(least),
        }
    }
}

/// Where a walk stops, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("version {version}: {reason}")]
pub struct Stop {
    /// The version that the client does not take.
    pub version: Version,
    /// Why it does not.
    pub reason: Reason,
}

/// Why a client does not take a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It is not published.
    #[error("is not published")]
    Absent,
    /// A Notary server would write other bytes, and its snapshot would name their hash.
    #[error("its bytes are not those that a trust server writes")]
    Bytes,
    /// A signature that the client does not forgive.
    #[error(transparent)]
    Counting(#[from] threshold::Error),
    /// It has expired.
    #[error("expired {expires}")]
    Expired {
        /// When.
        expires: Timestamp,
    },
    /// Too few of its own keys signed it.
    #[error("{counted} of its own keys count, it needs {needed}")]
    NewKeys {
        /// How many count.
        counted: usize,
        /// How many are needed.
        needed: i64,
    },
    /// No root certificate is valid and names the repository.
    #[error("no root certificate is valid for `{repository}`")]
    NoCertificate {
        /// The repository.
        repository: String,
    },
    /// Too few of the keys of the root held signed it.
    #[error("{counted} of the keys before it count, they need {needed}")]
    OldKeys {
        /// How many count.
        counted: usize,
        /// How many are needed.
        needed: i64,
    },
    /// The client does not read it.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Larger than the client reads.
    #[error("{found} bytes, the client reads {limit}")]
    TooLarge {
        /// The size.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// Farther away than the client goes in one update.
    #[error("more than {limit} versions away")]
    TooManySteps {
        /// The limit.
        limit: u64,
    },
    /// Not the version that the client expects there.
    #[error("says that it is version {found}, expected {expected}")]
    Version {
        /// What should stand there.
        expected: Version,
        /// What stands there.
        found: Version,
    },
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod words;
