//! A file of an online role as far as a root has to do with it: what is signed, by whom, and what it names.
//!
//! First floor: pure.

use std::collections::BTreeSet;

use super::threshold::{Ballot, Counting, Electorate, Fault, Tally, count};
use super::{Dialect, Expiry, Role, Root, Signature, notary, tuf};
use crate::cjson::{Limits, Value};
use crate::digest::Digest;
use jiff::Timestamp;

/// What is signed in a file, and by whom.
#[derive(Clone, Debug)]
pub struct Signed {
    /// What the signatures cover.
    pub value: Value,
    /// The signatures, none of them verified yet.
    pub signatures: Vec<Signature>,
}

impl Signed {
    /// Reads a file as it is served.
    pub fn parse(dialect: Dialect, bytes: &[u8]) -> Option<Self> {
        let file = Value::parse(bytes, LIMITS).ok()?;
        let file = file.as_map()?;
        let read = match dialect {
            Dialect::Notary => notary::read_signature,
            Dialect::Tuf => tuf::read_signature,
        };
        let signatures = file.get("signatures")?.as_list()?.iter().map(read);
        let signatures = signatures.collect::<Result<_, _>>().ok()?;
        Some(Self { value: file.get("signed")?.clone(), signatures })
    }

    /// Says whether a role of `root` has signed it.
    pub fn is_signed_for(&self, root: &Root, role: Role) -> bool {
        if root.dialect() == Dialect::Tuf && self.value.check_nfc().is_err() {
            return false;
        }
        self.is_signed_by(root.dialect(), &Electorate::of(root, role))
    }

    /// Says whether enough of `electorate` have signed it.
    pub fn is_signed_by(&self, dialect: Dialect, electorate: &Electorate<'_>) -> bool {
        self.tally(dialect, electorate).is_some_and(|tally| tally.is_met())
    }

    /// Counts who of `electorate` has signed it; none where a key is listed under an id that is not its own, or one id
    /// has signed twice.
    pub fn tally(&self, dialect: Dialect, electorate: &Electorate<'_>) -> Option<Tally> {
        // Other signatures do not matter: while keys change, both old and new ones sign.
        let counting = Counting {
            unknown_key: Fault::Skip,
            bad_signature: Fault::Skip,
            ..Counting::STRICTEST
        };
        let message = self.value.go();
        let ballot =
            Ballot { message: &message, signatures: &self.signatures, assumed: &BTreeSet::new() };
        count(dialect, electorate, ballot, counting).ok()
    }

    /// Reads a file of a Notary server's role as a client does that trusts `root`, at a moment.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow its name.
    pub fn read(
        root: &Root,
        role: Role,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<Self, &'static str> {
        Self::read_by(&Electorate::of(root, role), role, bytes, at)
    }

    /// Reads a file of a Notary server as one that the keys of `electorate` must have signed; a delegation's is of the
    /// role `targets`.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow its name.
    pub fn read_by(
        electorate: &Electorate<'_>,
        role: Role,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<Self, &'static str> {
        let file = Self::parse(Dialect::Notary, bytes).ok_or("is no metadata")?;
        if !file.kind().is_some_and(|kind| kind.eq_ignore_ascii_case(role.name())) {
            return Err("is of another role");
        }
        if !file.is_signed_by(Dialect::Notary, electorate) {
            return Err("is not signed by the keys that are named for it");
        }
        match file.expires() {
            Some(expires) if expires > at => Ok(file),
            _ => Err("has expired"),
        }
    }

    /// Says which version it is.
    pub fn version(&self) -> Option<i64> {
        self.member("version")?.as_integer()
    }

    /// Says what kind of metadata it is, in the words of the dialect: `Timestamp`, `snapshot`.
    pub fn kind(&self) -> Option<&str> {
        self.member("_type")?.as_text()
    }

    /// Says when it expires.
    pub fn expires(&self) -> Option<Timestamp> {
        Some(Expiry::from_text(self.member("expires")?.as_text()?)?.instant())
    }

    /// What it says of another file.
    pub fn meta(&self, file: &str) -> Option<&Value> {
        self.member("meta")?.as_map()?.get(file)
    }

    fn member(&self, name: &str) -> Option<&Value> {
        self.value.as_map()?.get(name)
    }
}

/// The bytes that Notary metadata names: their digest and their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Their digest.
    pub sha256: Digest,
    length: i64,
}

impl Named {
    /// What `file` says of the file of another role.
    pub fn by(file: &Signed, role: Role) -> Option<Self> {
        Self::by_name(file, role.name())
    }

    /// What `file` says of the file of that name.
    pub fn by_name(file: &Signed, name: &str) -> Option<Self> {
        let meta = file.meta(name)?.as_map()?;
        let sha256 = meta.get("hashes")?.as_map()?.get("sha256")?.as_text()?;
        let sha256 = data_encoding::BASE64.decode(sha256.as_bytes()).ok()?;
        let sha256 = data_encoding::HEXLOWER.encode(&sha256).parse().ok()?;
        Some(Self { sha256, length: meta.get("length")?.as_integer()? })
    }

    /// How many bytes there are; none where no file can have so many.
    pub fn length(&self) -> Option<usize> {
        usize::try_from(self.length).ok()
    }

    /// Says whether these are the bytes.
    pub fn is(&self, bytes: &[u8]) -> bool {
        usize::try_from(self.length) == Ok(bytes.len()) && self.sha256 == Digest::of(bytes)
    }
}

/// Some hundred thousand targets, of four or five values each; Notary's own clients take 100 MiB.
const LIMITS: Limits = Limits { bytes: 64 << 20, depth: 32, values: 1 << 19 };
