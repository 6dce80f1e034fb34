//! The plan: what a ceremony will do, as one strict TOML file that people review.
//!
//! Second floor: pure; bytes to checked values. Knows no module path, no serial, no PIN and no folder.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::digest::Digest;
use crate::key::Algorithm;
use crate::list::{Last, List};
use crate::root::{Dialect, Role};

/// A plan as it was reviewed: its values, and the digest of its very bytes.
#[derive(Clone, Debug)]
pub struct Plan {
    digest: Digest,
    text: PlanText,
    repositories: Vec<PlannedRepository>,
}

/// Which ceremony a plan asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Closes an unfinished ceremony.
    Abandon,
    /// Makes the first keys and the first root.
    Genesis,
    /// Keeps the root keys; new expiry and new certificates.
    Renew,
    /// Replaces root keys in whole or in part, online roles, or thresholds.
    Rotate,
}

impl Kind {
    /// The word that the plan uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Abandon => "abandon",
            Self::Genesis => "genesis",
            Self::Renew => "renew",
            Self::Rotate => "rotate",
        }
    }
}

/// One repository that the plan governs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRepository {
    /// Its name: a GUN, or the name that the plan gives a TUF repository.
    pub name: String,
    /// Version and file digest of its current root, for a repository that the trust folder does not know.
    #[serde(default)]
    pub current: Option<CurrentRoot>,
    /// By role, the SHA-256 of the SubjectPublicKeyInfo of each key that is new in that role.
    #[serde(default)]
    pub pins: BTreeMap<Role, BTreeSet<Digest>>,
}

/// The root that a repository met for the first time stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurrentRoot {
    /// Its version, 1 or more.
    pub version: u64,
    /// SHA-256 of the root file.
    pub sha256: Digest,
}

/// A repository left out because its clients are cut off already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// Its name.
    pub name: String,
    /// Why, in words.
    pub reason: String,
}

/// A token by the plan's name for it, and who holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedToken {
    /// The name, lower-case letters, digits and hyphens.
    pub name: String,
    /// The seat that holds it; never a person's name.
    pub custodian: String,
}

/// A root key that this ceremony makes, or adopts from a token that holds it already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedKey {
    /// The name, lower-case letters, digits and hyphens.
    pub name: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// The token that holds it, unless it is held in shares.
    #[serde(default)]
    pub token: Option<String>,
    /// The tokens that hold its shares, unless one token holds it.
    #[serde(default)]
    pub shares: Option<PlannedShares>,
    /// SHA-256 of the SubjectPublicKeyInfo of a key that the token holds already, and that is a root key of the
    /// request's chain: it is adopted, not made.
    #[serde(default)]
    pub adopt: Option<Digest>,
}

/// How a key is held in shares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedShares {
    /// How many shares rebuild the key (k), 2 or more.
    pub threshold: u8,
    /// The tokens, one share each, in the order of the share indices 1 to n.
    pub tokens: Vec<String>,
}

/// The new set of root keys; a key of the last root that is not listed goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRoot {
    /// Names of the keys, made here or known from earlier ceremonies.
    pub keys: Vec<String>,
    /// How many of them must sign.
    pub threshold: u32,
    /// The day on which the root expires, at 00:00:00Z.
    #[serde(with = "day")]
    pub expires: Date,
    /// The day on which its certificates expire (Notary only).
    #[serde(default, with = "day_or_none")]
    pub certificates_until: Option<Date>,
    /// Whose name the certificates carry (Notary only): `gun`, or a wildcard.
    #[serde(default)]
    pub certificate_name: Option<String>,
}

/// An online role whose keys change; absent roles keep what the last root says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRole {
    /// `targets`, `snapshot` or `timestamp`.
    pub name: Role,
    /// Where the keys come from; `request` is the one answer today.
    pub keys: RoleKeys,
    /// How many of them must sign.
    pub threshold: u32,
    /// Whose they are: a publisher proves possession, a server cannot.
    #[serde(default)]
    pub owner: Option<Owner>,
}

/// Whose the keys of an online role are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// A person or a pipeline that can sign with them before the ceremony.
    Publisher,
    /// The server, which made them and keeps them.
    Server,
}

impl PlannedRole {
    /// Whose its keys are: what the plan says, or else a publisher's for targets and the server's for the others.
    pub fn owner(&self) -> Owner {
        let usual = if self.name == Role::Targets { Owner::Publisher } else { Owner::Server };
        self.owner.unwrap_or(usual)
    }
}

/// Where the keys of an online role come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoleKeys {
    /// From the request, each pinned by the plan.
    Request,
}

/// The days between which the ceremony may be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First moment: 00:00:00Z of this day.
    #[serde(with = "day")]
    pub from: Date,
    /// Last moment: 00:00:00Z of this day.
    #[serde(with = "day")]
    pub until: Date,
}

/// The request that the plan was written for, by digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRequest {
    /// SHA-256 of its `SHA256SUMS`.
    pub sha256: Digest,
    /// The same of a second fetch on another machine, which proves that both saw the same server keys.
    #[serde(default)]
    pub second: Option<Digest>,
}

/// The unfinished ceremony that an `abandon` closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedAbandon {
    /// The plan digest of the unfinished ceremony.
    pub plan: Digest,
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
    #[serde(default)]
    key: Vec<Spanned<PlannedKey>>,
    #[serde(default)]
    root: Option<Spanned<PlannedRoot>>,
    #[serde(default)]
    role: Vec<Spanned<PlannedRole>>,
    #[serde(default)]
    modules: Vec<Digest>,
    #[serde(default)]
    abandon: Option<PlannedAbandon>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RepositoryList {
    list: String,
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
            what: error.message().trim().replace('\n', " "),
        })?;
        let repositories = match &text.repositories {
            Some(named) => {
                let found =
                    list(&named.list).ok_or_else(|| Error::NoList { list: named.list.clone() })?;
                if !text.repository.is_empty() {
                    return Err(Error::Sense {
                        line: 1,
                        what: "`[repositories]` and `[[repository]]` exclude each other".into(),
                    });
                }
                from_list(named, &found)?
            }
            None => text.repository.clone(),
        };
        let plan = Self { digest: Digest::of(bytes), text, repositories };
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

    /// The repositories that are left out, with the reason.
    pub fn exclusions(&self) -> &[Exclusion] {
        &self.text.exclude
    }

    /// The tokens that it names, in order.
    pub fn tokens(&self) -> impl Iterator<Item = &PlannedToken> {
        self.text.token.iter().map(Spanned::get_ref)
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

    /// The unfinished ceremony that it closes.
    pub const fn abandon(&self) -> Option<PlannedAbandon> {
        self.text.abandon
    }

    /// The name of the list file that it names.
    pub fn list_name(&self) -> Option<&str> {
        self.text.repositories.as_ref().map(|named| named.list.as_str())
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
        let list = named.list.clone();
        return Err(Error::List { list, expected: named.sha256, found });
    }
    let rows = List::parse(bytes).map_err(|error| Error::ListForm {
        list: named.list.clone(),
        line: error.line,
        what: error.what.to_string(),
    })?;
    let planned = rows.0.into_iter().map(|(name, entry)| {
        let mut pins: BTreeMap<Role, BTreeSet<Digest>> = BTreeMap::new();
        for (role, digest) in entry.pins {
            pins.entry(role).or_default().insert(digest);
        }
        let current = match entry.last {
            Last::InTrust | Last::None => None,
            Last::Root { version, sha256 } => Some(CurrentRoot { version, sha256 }),
        };
        PlannedRepository { name: name.as_str().to_owned(), current, pins }
    });
    Ok(planned.collect())
}

fn line_of(source: &str, offset: usize) -> usize {
    source.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

mod sense;

mod day {
    use jiff::civil::Date;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn from_toml(value: toml::value::Datetime) -> Option<Date> {
        if value.time.is_some() || value.offset.is_some() {
            return None;
        }
        let date = value.date?;
        Date::new(i16::try_from(date.year).ok()?, date.month.cast_signed(), date.day.cast_signed())
            .ok()
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Date, D::Error> {
        from_toml(toml::value::Datetime::deserialize(input)?)
            .ok_or_else(|| D::Error::custom("expected a day such as 2026-12-01, without a time"))
    }

    pub(super) fn serialize<S: Serializer>(day: &Date, output: S) -> Result<S::Ok, S::Error> {
        day.to_string().serialize(output)
    }
}

mod day_or_none {
    use jiff::civil::Date;
    use serde::{Deserializer, Serialize, Serializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<Date>, D::Error> {
        super::day::deserialize(input).map(Some)
    }

    pub(super) fn serialize<S: Serializer>(
        day: &Option<Date>,
        output: S,
    ) -> Result<S::Ok, S::Error> {
        day.map(|day| day.to_string()).serialize(output)
    }
}
