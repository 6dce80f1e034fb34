//! The words of root metadata as types: dialect, version, key id, role, expiry.
//!
//! First floor: pure.

use std::borrow::Borrow;
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Error, notary, tuf};
use crate::digest::Digest;
use crate::key::{Algorithm, Scheme};

/// Which metadata a repository speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Notary v1, which Docker Content Trust uses.
    Notary,
    /// TUF 1.0.
    Tuf,
}

impl Dialect {
    /// The scheme in which a key of this kind signs root metadata.
    ///
    /// # Errors
    /// [`Error::Algorithm`] when clients of the dialect take no such key for a root.
    pub fn scheme(self, algorithm: Algorithm) -> Result<Scheme, Error> {
        match self {
            Dialect::Notary => notary::scheme(algorithm),
            Dialect::Tuf => tuf::scheme(algorithm),
        }
    }

    pub(super) const fn kind(self) -> &'static str {
        match self {
            Dialect::Notary => "Root",
            Dialect::Tuf => "root",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dialect::Notary => "notary",
            Dialect::Tuf => "tuf",
        })
    }
}

/// The version of a root, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(NonZeroU64);

impl Version {
    /// The first version.
    pub const FIRST: Version = Version(NonZeroU64::MIN);

    /// Takes a number from 1 to 2^53.
    pub fn new(number: u64) -> Option<Self> {
        NonZeroU64::new(number).filter(|n| n.get() <= 1 << 53).map(Self)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// The version after this one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of a key inside metadata: 64 lower-case hex digits in all that we write, any text in what we read. A clone
/// shares the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// Takes an id as a document writes it.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Digest> for KeyId {
    fn from(digest: Digest) -> Self {
        Self(digest.to_string().into())
    }
}

impl From<String> for KeyId {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.as_str().to_owned()
    }
}

impl Borrow<str> for KeyId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One of the four roles that every root must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Signs roots.
    Root,
    /// Signs the list of current files.
    Snapshot,
    /// Signs the targets and delegations.
    Targets,
    /// Signs what is newest, often.
    Timestamp,
}

impl Role {
    /// All four, in the order of their names.
    pub const ALL: [Role; 4] = [Role::Root, Role::Snapshot, Role::Targets, Role::Timestamp];

    /// The three whose keys are online or with publishers.
    pub const ONLINE: [Role; 3] = [Role::Snapshot, Role::Targets, Role::Timestamp];

    /// The name in metadata.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Root => "root",
            Role::Snapshot => "snapshot",
            Role::Targets => "targets",
            Role::Timestamp => "timestamp",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Role::ALL.into_iter().find(|role| role.name() == text).ok_or(())
    }
}

/// When a document expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    text: String,
    instant: Timestamp,
}

impl Expiry {
    /// Takes an instant and cuts it to whole seconds, the form that both dialects read.
    pub fn at(instant: Timestamp) -> Self {
        let text = instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let instant = Timestamp::from_second(instant.as_second()).unwrap_or(instant);
        Self { text, instant }
    }

    /// Takes the text of a document (RFC 3339, any offset and fraction).
    pub fn from_text(text: &str) -> Option<Self> {
        let instant = text.parse().ok().filter(|_| is_rfc3339(text))?;
        Some(Self { text: text.to_owned(), instant })
    }

    /// The text that stands in the document.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The instant.
    pub fn instant(&self) -> Timestamp {
        self.instant
    }
}

/// `2031-11-30T23:59:59`, a fraction of up to nine digits, `Z` or an offset: what Go's and all TUF clients' readers
/// agree on. No leap second, no lower case, no blank.
fn is_rfc3339(text: &str) -> bool {
    let Some((base, rest)) = text.split_at_checked(19) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let matches = |text: &str, shape: &str| {
        let fits = |(b, s): (u8, u8)| if s == b'0' { b.is_ascii_digit() } else { b == s };
        text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
    };
    let zone = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (fraction, zone) = rest.split_at(zone);
    let fraction_ok = match fraction.strip_prefix('.') {
        Some(fraction) => digits(fraction) && fraction.len() <= 9,
        None => fraction.is_empty(),
    };
    let zone_ok = zone == "Z" || matches(zone, "+00:00") || matches(zone, "-00:00");
    matches(base, "0000-00-00T00:00:00") && &base[17..] < "60" && fraction_ok && zone_ok
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_all_readers_agree_on_is_a_date_and_time() {
        for good in [
            "2031-11-30T23:59:59Z",
            "2031-11-30T23:59:59.5Z",
            "2031-11-30T23:59:59.123456789+02:00",
            "2031-11-30T23:59:59-11:30",
        ] {
            assert_eq!(Expiry::from_text(good).unwrap().text(), good);
        }
        for bad in [
            "2031-11-30T23:59:60Z",
            "2031-11-30t23:59:59Z",
            "2031-11-30 23:59:59Z",
            "2031-11-30T23:59:59z",
            "2031-11-30T23:59:59",
            "2031-11-30T23:59Z",
            "2031-11-30T23:59:59,5Z",
            "2031-11-30T23:59:59.Z",
            "2031-11-30T23:59:59.1234567890Z",
            "2031-11-30T23:59:59Z[UTC]",
            "2031-11-30T23:59:59+0200",
            "2031-02-30T00:00:00Z",
            "+002031-11-30T23:59:59Z",
            "2031-11-30",
            "\u{661}031-11-30T23:59:59Z",
            "",
        ] {
            assert_eq!(Expiry::from_text(bad), None, "{bad}");
        }
    }

    #[test]
    fn versions_count_from_one_to_what_a_double_holds() {
        assert_eq!(Version::new(0), None);
        assert_eq!(Version::new(1), Some(Version::FIRST));
        assert_eq!(Version::new((1 << 53) + 1), None);
        assert_eq!(Version::FIRST.next().get(), 2);
    }

    #[test]
    fn roles_read_back_by_their_names() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert_eq!("mirror".parse::<Role>(), Err(()));
    }
}
