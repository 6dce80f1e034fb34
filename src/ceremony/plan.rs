//! The plan: what a ceremony will do, as one strict TOML file that people review.
//!
//! Second floor: pure; bytes to checked values. Knows no module path, no serial, no PIN and no folder.

pub(super) mod label;
mod parts;
mod people;
pub mod rehearsal;
mod sense;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::digest::Digest;
use crate::list::{Entry, List};
use crate::root::Dialect;
use crate::wording::toml_words;
use parts::day_or_none;
pub use parts::{
    Exclusion, Kind, Owner, PlannedAbandon, PlannedKey, PlannedPaper, PlannedRecipient,
    PlannedRepository, PlannedRequest, PlannedRetire, PlannedRole, PlannedRoot, PlannedShares,
    PlannedToken, RoleKeys, Window,
};
pub use people::{NEVER_BOTH, PlannedPerson, Task};

/// A plan as it was reviewed: its values, and the digest of its very bytes.
#[derive(Clone, Debug)]
pub struct Plan {
    digest: Digest,
    text: PlanText,
    repositories: Arc<[PlannedRepository]>,
    /// Their places, in the order of their names.
    by_name: Arc<[u32]>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanText {
    ceremony: Kind,
    title: String,
    dialect: Dialect,
    #[serde(default)]
    after: Option<Digest>,
    quorum_people: u32,
    #[serde(default)]
    practice: bool,
    #[serde(default, with = "day_or_none")]
    safe_until: Option<Date>,
    #[serde(default)]
    modules: Vec<Digest>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    never_both: Vec<[Task; 2]>,
    #[serde(default, with = "day_or_none", skip_serializing_if = "Option::is_none")]
    next_drill: Option<Date>,
    when: Window,
    #[serde(default)]
    request: Option<PlannedRequest>,
    #[serde(default)]
    repositories: Option<RepositoryList>,
    #[serde(default)]
    repository: Vec<PlannedRepository>,
    #[serde(default)]
    exclude: Vec<Exclusion>,
    #[serde(default)]
    token: Vec<Spanned<PlannedToken>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    paper: Vec<Spanned<PlannedPaper>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    recipient: Vec<Spanned<PlannedRecipient>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    person: Vec<Spanned<PlannedPerson>>,
    #[serde(default)]
    key: Vec<Spanned<PlannedKey>>,
    #[serde(default)]
    root: Option<Spanned<PlannedRoot>>,
    #[serde(default)]
    role: Vec<Spanned<PlannedRole>>,
    #[serde(default)]
    abandon: Option<PlannedAbandon>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retire: Option<Spanned<PlannedRetire>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RepositoryList {
    list: Spanned<String>,
    sha256: Digest,
}

/// Why a plan cannot be read. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file is larger than [`MAX_BYTES`].
    #[error("the plan has {bytes} bytes, at most {MAX_BYTES} are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("the plan is not UTF-8 text")]
    NotText,
    /// Not the TOML that a plan is made of: an unknown, duplicate, missing or ill-typed field.
    #[error("plan.toml:{line}: {what}")]
    Form {
        /// Where.
        line: usize,
        /// What, in one line.
        what: String,
    },
    /// A value that contradicts another one.
    #[error("plan.toml:{line}: {what}")]
    Sense {
        /// Where.
        line: usize,
        /// What, in one line.
        what: String,
    },
    /// The list file is not the one that the plan names.
    #[error("the list `{list}` has digest {found}, the plan names {expected}")]
    List {
        /// Its file name.
        list: String,
        /// What the plan names.
        expected: Digest,
        /// What was read.
        found: Digest,
    },
    /// The plan names a list and none was given.
    #[error("the plan names the list `{list}`, which is not beside it")]
    NoList {
        /// Its file name.
        list: String,
    },
    /// The list cannot be read.
    #[error("{list}:{line}: {what}")]
    ListForm {
        /// Its file name.
        list: String,
        /// Where.
        line: usize,
        /// What, in one line.
        what: String,
    },
}

/// The name of a plan wherever a ceremony keeps it.
pub const FILE: &str = "plan.toml";
/// The largest plan that is read, in bytes.
pub const MAX_BYTES: usize = 4 << 20;

impl Plan {
    /// Reads a plan; `list` gives the bytes of the list file that it names, which lies beside it.
    ///
    /// # Errors
    /// [`Error`] for anything unknown, duplicate, missing, trailing or contradictory.
    pub fn parse(bytes: &[u8], list: impl FnOnce(&str) -> Option<Vec<u8>>) -> Result<Self, Error> {
        if bytes.len() > MAX_BYTES {
            return Err(Error::TooLarge { bytes: bytes.len() });
        }
        let source = std::str::from_utf8(bytes).map_err(|_| Error::NotText)?;
        let text: PlanText = toml::from_str(source).map_err(|error| Error::Form {
            line: line_of(source, error.span().map_or(0, |span| span.start)),
            what: toml_words(error.message()),
        })?;
        let repositories = match &text.repositories {
            Some(named) => {
                sense::check_list(&text, source)?;
                let name = named.list.get_ref();
                let found = list(name).ok_or_else(|| Error::NoList { list: name.clone() })?;
                from_list(named, &found)?
            }
            None => text.repository.clone(),
        };
        let name = |place: &u32| repositories.get(*place as usize).map(|planned| &planned.name);
        let mut by_name: Vec<u32> = (0..).take(repositories.len()).collect();
        by_name.sort_by(|a, b| name(a).cmp(&name(b)));
        let (digest, by_name) = (Digest::of(bytes), by_name.into());
        let plan = Self { digest, text, repositories: repositories.into(), by_name };
        sense::check(&plan, source)?;
        Ok(plan)
    }

    /// SHA-256 of the plan's bytes.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Which ceremony.
    pub const fn kind(&self) -> Kind {
        self.text.ceremony
    }

    /// The title.
    pub fn title(&self) -> &str {
        &self.text.title
    }

    /// The dialect of all its repositories.
    pub const fn dialect(&self) -> Dialect {
        self.text.dialect
    }

    /// Closing digest of the last ceremony; none before a genesis.
    pub const fn after(&self) -> Option<Digest> {
        self.text.after
    }

    /// How many people must be needed to sign.
    pub const fn quorum_people(&self) -> u32 {
        self.text.quorum_people
    }

    /// Whether it is a practice: soft tokens, test names.
    pub const fn practice(&self) -> bool {
        self.text.practice
    }

    /// The day before which no client may fail.
    pub const fn safe_until(&self) -> Option<Date> {
        self.text.safe_until
    }

    /// When it may be held.
    pub const fn when(&self) -> Window {
        self.text.when
    }

    /// The request that it was written for.
    pub const fn request(&self) -> Option<PlannedRequest> {
        self.text.request
    }

    /// The repositories, in the plan's order.
    pub fn repositories(&self) -> &[PlannedRepository] {
        &self.repositories
    }

    /// The place of a repository among them.
    pub fn place_of(&self, name: &str) -> Option<usize> {
        let of = |place: &u32| self.repositories.get(*place as usize).map(|r| r.name.as_str());
        let found = self.by_name.binary_search_by(|place| of(place).cmp(&Some(name)));
        found.ok().and_then(|at| self.by_name.get(at)).map(|place| *place as usize)
    }

    /// The repository of a name.
    pub fn repository(&self, name: &str) -> Option<&PlannedRepository> {
        self.place_of(name).and_then(|place| self.repositories.get(place))
    }

    /// From now on it has none: where only the rest of a plan is of use, very many would be held for nothing.
    pub(crate) fn forget_repositories(&mut self) {
        (self.repositories, self.by_name) = (Arc::default(), Arc::default());
        self.text.repository = Vec::new();
    }

    /// The repositories that are left out, with the reason.
    pub fn exclusions(&self) -> &[Exclusion] {
        &self.text.exclude
    }

    /// The tokens that it names, in order.
    pub fn tokens(&self) -> impl Iterator<Item = &PlannedToken> {
        self.text.token.iter().map(Spanned::get_ref)
    }

    /// The papers that it prints, in order.
    pub fn papers(&self) -> impl Iterator<Item = &PlannedPaper> {
        self.text.paper.iter().map(Spanned::get_ref)
    }

    /// The recipients that it names, in order.
    pub fn recipients(&self) -> impl Iterator<Item = &PlannedRecipient> {
        self.text.recipient.iter().map(Spanned::get_ref)
    }

    /// The people that it names by their seats, in order; a plan may name nobody.
    pub fn people(&self) -> impl Iterator<Item = &PlannedPerson> {
        self.text.person.iter().map(Spanned::get_ref)
    }

    /// Pairs of tasks that nobody has together, beside those that exclude each other anyway.
    pub fn never_both(&self) -> &[[Task; 2]] {
        &self.text.never_both
    }

    /// The day of the next drill, which receipts say.
    pub const fn next_drill(&self) -> Option<Date> {
        self.text.next_drill
    }

    /// The keys that it makes or adopts, in order.
    pub fn keys(&self) -> impl Iterator<Item = &PlannedKey> {
        self.text.key.iter().map(Spanned::get_ref)
    }

    /// The new root set.
    pub fn root(&self) -> Option<&PlannedRoot> {
        self.text.root.as_ref().map(Spanned::get_ref)
    }

    /// The online roles that change.
    pub fn roles(&self) -> impl Iterator<Item = &PlannedRole> {
        self.text.role.iter().map(Spanned::get_ref)
    }

    /// The PKCS#11 modules that may be loaded, by SHA-256; empty: any, recorded.
    pub fn modules(&self) -> &[Digest] {
        &self.text.modules
    }

    /// Whether real tokens are to be driven by modules that nobody named: somebody decides that, and it is recorded.
    pub fn trusts_any_module(&self) -> bool {
        !self.practice() && self.modules().is_empty()
    }

    /// The unfinished ceremony that it closes.
    pub const fn abandon(&self) -> Option<PlannedAbandon> {
        self.text.abandon
    }

    /// What it destroys.
    pub fn retire(&self) -> Option<&PlannedRetire> {
        self.text.retire.as_ref().map(Spanned::get_ref)
    }

    /// The name of the list file that it names.
    pub fn list_name(&self) -> Option<&str> {
        self.text.repositories.as_ref().map(|named| named.list.get_ref().as_str())
    }

    /// SHA-256 of the list file that it names.
    pub fn list_digest(&self) -> Option<Digest> {
        self.text.repositories.as_ref().map(|named| named.sha256)
    }
}

/// 00:00:00Z of a day.
pub fn midnight(day: Date) -> Timestamp {
    day.to_zoned(jiff::tz::TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

fn from_list(named: &RepositoryList, bytes: &[u8]) -> Result<Vec<PlannedRepository>, Error> {
    let found = Digest::of(bytes);
    if found != named.sha256 {
        let list = named.list.get_ref().clone();
        return Err(Error::List { list, expected: named.sha256, found });
    }
    let rows = List::parse(bytes).map_err(|error| Error::ListForm {
        list: named.list.get_ref().clone(),
        line: error.line,
        what: error.what.to_string(),
    })?;
    let planned = rows.0.into_iter().map(|(name, Entry { last, pins })| PlannedRepository {
        name: name.as_str().to_owned(),
        last: Some(last),
        pins,
    });
    Ok(planned.collect())
}

fn line_of(source: &str, offset: usize) -> usize {
    source.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}
