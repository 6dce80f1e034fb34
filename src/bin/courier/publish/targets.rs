//! A Notary `targets.json` that the publisher's own keys sign: an empty first one, or the old one under new keys.
//!
//! Annex; pure but for signing with the keys that the command line named.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use officiant::cjson::{Limits, Value};
use officiant::name::Name;
use officiant::root::threshold::{Ballot, Counting, Electorate, Fault, count};
use officiant::root::{Dialect, Expiry, Role, Root, Signature, notary};

use super::Error;
use crate::keys::Private;

/// What is signed in a targets file, and by whom.
#[derive(Clone)]
pub(super) struct Targets {
    signed: Value,
    signatures: Vec<Signature>,
}

impl Targets {
    /// The first one: no targets, no delegations, for three years.
    pub(super) fn empty(now: Timestamp) -> Self {
        let delegations = [("keys", Value::map::<&str>([])), ("roles", Value::List(Vec::new()))];
        let signed = Value::map([
            ("_type", Value::text("Targets")),
            ("delegations", Value::map(delegations)),
            ("expires", Value::text(Expiry::at(in_three_years(now)).text())),
            ("targets", Value::map::<&str>([])),
            ("version", Value::Integer(0)),
        ]);
        Self { signed, signatures: Vec::new() }
    }

    /// Reads a file as the server has it.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let limits = Limits { bytes: 64 << 20, depth: 32 };
        let file = Value::parse(bytes, limits).ok()?;
        let file = file.as_map()?;
        let list = file.get("signatures")?.as_list()?;
        let signatures = list.iter().map(notary::read_signature).collect::<Result<_, _>>().ok()?;
        Some(Self { signed: file.get("signed")?.clone(), signatures })
    }

    /// Says whether the targets role of `root` has signed it.
    pub(super) fn is_signed_for(&self, root: &Root) -> bool {
        let counting = Counting {
            unknown_key: Fault::Skip,
            bad_signature: Fault::Skip,
            ..Counting::STRICTEST
        };
        let message = self.signed.go();
        let ballot =
            Ballot { message: &message, signatures: &self.signatures, assumed: &BTreeSet::new() };
        let electorate = Electorate::of(root, Role::Targets);
        count(Dialect::Notary, &electorate, ballot, counting).is_ok_and(|tally| tally.is_met())
    }

    /// The next version of it, signed by those of `keys` that `root` lists for the role.
    pub(super) fn next(
        &self,
        name: &Name,
        root: &Root,
        keys: &[Private],
        now: Timestamp,
    ) -> Result<Self, Error> {
        let cannot = || Error::Targets { name: name.clone() };
        let mut members = self.signed.as_map().cloned().ok_or_else(cannot)?;
        let version = members.get("version").and_then(Value::as_integer).ok_or_else(cannot)?;
        members.insert("version".to_owned(), Value::Integer(version + 1));
        let expires = members.get("expires").and_then(Value::as_text).and_then(Expiry::from_text);
        if expires.ok_or_else(cannot)?.instant() <= now {
            let expires = Value::text(Expiry::at(in_three_years(now)).text());
            members.insert("expires".to_owned(), expires);
        }
        let signed = Value::Map(members);
        let message = signed.go();
        let mut signatures = Vec::new();
        for (id, key) in root.role_keys(Role::Targets) {
            let own = keys.iter().find(|own| key.public() == Some(own.public()));
            if let (Some(own), Some(scheme)) = (own, key.scheme()) {
                let method = Some(notary::method(scheme).to_owned());
                let bytes = own.sign(scheme, &message)?;
                signatures.push(Signature { key: id.clone(), method, bytes });
            }
        }
        let found = signatures.len();
        let next = Self { signed, signatures };
        if next.is_signed_for(root) {
            return Ok(next);
        }
        Err(Error::TargetsUnsigned {
            name: name.clone(),
            version: root.version().get(),
            needed: root.role(Role::Targets).map_or(1, |role| role.threshold),
            found,
        })
    }

    /// The bytes of the file, as Go writes them.
    pub(super) fn bytes(&self) -> Vec<u8> {
        notary::file_of(&self.signed, &self.signatures)
    }
}

fn in_three_years(now: Timestamp) -> Timestamp {
    let then = now.to_zoned(TimeZone::UTC).checked_add(3.years());
    then.map_or(now, |then| then.timestamp())
}
