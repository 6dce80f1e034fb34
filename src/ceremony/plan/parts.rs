//! The parts of a plan, as its tables say them.
//!
//! Second floor: pure.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::key::{AgeKey, Algorithm};
use crate::list::{Last, Pins};
use crate::root::Role;

/// Which ceremony a plan asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Closes an unfinished ceremony.
    Abandon,
    /// Has tokens, papers and recipients prove that they still hold what they are to hold.
    Drill,
    /// Makes the first keys and the first root.
    Genesis,
    /// Keeps the root keys; new expiry and new certificates.
    Renew,
    /// Gives a key in shares a new set of them, over other holders or with another threshold.
    Reshare,
    /// Puts a key in shares onto one token.
    Restore,
    /// Destroys root keys that no newest root lists any more, and old sets of shares.
    Retire,
    /// Replaces root keys in whole or in part, online roles, or thresholds.
    Rotate,
}

impl Kind {
    /// The word that the plan uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Abandon => "abandon",
            Self::Drill => "drill",
            Self::Genesis => "genesis",
            Self::Renew => "renew",
            Self::Reshare => "reshare",
            Self::Restore => "restore",
            Self::Retire => "retire",
            Self::Rotate => "rotate",
        }
    }

    /// The word as a sentence has it, with its article.
    pub const fn with_article(self) -> &'static str {
        match self {
            Self::Abandon => "an abandon",
            Self::Drill => "a drill",
            Self::Genesis => "a genesis",
            Self::Renew => "a renew",
            Self::Reshare => "a reshare",
            Self::Restore => "a restore",
            Self::Retire => "a retire",
            Self::Rotate => "a rotate",
        }
    }
}

/// One repository that the plan governs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRepository {
    /// Its name: a GUN, or the name that the plan gives a TUF repository.
    pub name: String,
    /// The root that it starts from, where the plan says it.
    #[serde(default, rename = "current", with = "current")]
    pub last: Option<Last>,
    /// By role, the SHA-256 of the SubjectPublicKeyInfo of each key that is new in that role.
    #[serde(default)]
    pub pins: Pins,
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
    /// The seat that holds its SO PIN or PUK; drawn, and known to nobody, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub so_holder: Option<String>,
    /// What gets lost together with whatever else is there, by a label and no address; nothing is said where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
}

/// A paper by the plan's name for it, and who keeps it: the page of one share, sealed to a drawn passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedPaper {
    /// The name, lower-case letters, digits and hyphens.
    pub name: String,
    /// The seat that keeps it; never a person's name.
    pub custodian: String,
    /// What gets lost together with whatever else is there, by a label and no address; nothing is said where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
}

/// A recipient by the plan's name for it: a person whose share is sealed to a key of `age`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRecipient {
    /// The name, lower-case letters, digits and hyphens.
    pub name: String,
    /// The seat whose key it is; never a person's name.
    pub custodian: String,
    /// The key.
    pub age: AgeKey,
    /// What gets lost together with whatever else is there, by a label and no address; nothing is said where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
}

/// A root key that this ceremony makes, adopts from a token that holds it already, takes from a file, or puts elsewhere.
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
    /// Who holds its shares, unless one token holds it.
    #[serde(default)]
    pub shares: Option<PlannedShares>,
    /// SHA-256 of the SubjectPublicKeyInfo of a key that the token holds already, and that is a root key of the request's
    /// chain: it is adopted, not made.
    #[serde(default)]
    pub adopt: Option<Digest>,
    /// The same of a key that comes from a file, into its shares or onto its token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<Digest>,
    /// For a key from a file that stays in the root: the day by which a ceremony replaces it.
    #[serde(default, with = "day_or_none", skip_serializing_if = "Option::is_none")]
    pub rotate_by: Option<Date>,
    /// In a restore, how many holders use the key from then on: one, said so that nobody does it unawares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold_falls_to: Option<u8>,
}

impl PlannedKey {
    /// Whether the plan makes it: it neither adopts nor imports it.
    pub const fn is_made(&self) -> bool {
        self.adopt.is_none() && self.import.is_none()
    }
}

/// How a key is held in shares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedShares {
    /// How many shares rebuild the key (k), 2 or more.
    pub threshold: u8,
    /// The tokens, one share each, in the order of the share indices from 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<String>,
    /// The papers, one share each, in the order of the indices that follow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub papers: Vec<String>,
    /// The recipients, one share each, in the order of the indices that follow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
}

impl PlannedShares {
    /// Who gets a share, in the order of the indices.
    pub fn holders(&self) -> impl Iterator<Item = &String> {
        self.tokens.iter().chain(&self.papers).chain(&self.recipients)
    }
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

/// What a `retire` destroys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRetire {
    /// Names of root keys that no newest root lists, each with all its sets of shares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Ids of sets that a reshare replaced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<String>,
    /// How many days lie between the two requests that show what is published (Notary only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<u32>,
}

impl PlannedRetire {
    /// The days between the two requests: what the plan says, or thirty.
    pub fn hold(&self) -> u32 {
        self.hold.unwrap_or(30)
    }
}

/// `current`, by which a plan without a list names version and file digest of a root.
mod current {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::digest::Digest;
    use crate::list::Last;

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Current {
        version: u64,
        sha256: Digest,
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<Last>, D::Error> {
        let Current { version, sha256 } = Current::deserialize(input)?;
        Ok(Some(Last::Root { version, sha256 }))
    }

    pub(super) fn serialize<S: Serializer>(
        last: &Option<Last>,
        output: S,
    ) -> Result<S::Ok, S::Error> {
        let current = match *last {
            Some(Last::Root { version, sha256 }) => Some(Current { version, sha256 }),
            Some(Last::InTrust | Last::None) | None => None,
        };
        current.serialize(output)
    }
}

pub(super) mod day {
    use jiff::civil::Date;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::ceremony::plan) fn from_toml(value: toml::value::Datetime) -> Option<Date> {
        if value.time.is_some() || value.offset.is_some() {
            return None;
        }
        let date = value.date?;
        Date::new(i16::try_from(date.year).ok()?, date.month.cast_signed(), date.day.cast_signed())
            .ok()
    }

    pub(in crate::ceremony::plan) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Date, D::Error> {
        from_toml(toml::value::Datetime::deserialize(input)?)
            .ok_or_else(|| D::Error::custom("expected a day such as 2026-12-01, without a time"))
    }

    pub(in crate::ceremony::plan) fn serialize<S: Serializer>(
        day: &Date,
        output: S,
    ) -> Result<S::Ok, S::Error> {
        to_toml(*day).serialize(output)
    }

    pub(super) fn to_toml(day: Date) -> toml::value::Datetime {
        // A day of a plan has a year of four digits, and months and days are never negative.
        let date = toml::value::Date {
            year: day.year().unsigned_abs(),
            month: day.month().unsigned_abs(),
            day: day.day().unsigned_abs(),
        };
        toml::value::Datetime { date: Some(date), time: None, offset: None }
    }
}

pub(super) mod day_or_none {
    use jiff::civil::Date;
    use serde::{Deserializer, Serialize, Serializer};

    pub(in crate::ceremony::plan) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<Date>, D::Error> {
        super::day::deserialize(input).map(Some)
    }

    pub(in crate::ceremony::plan) fn serialize<S: Serializer>(
        day: &Option<Date>,
        output: S,
    ) -> Result<S::Ok, S::Error> {
        day.map(super::day::to_toml).serialize(output)
    }
}
