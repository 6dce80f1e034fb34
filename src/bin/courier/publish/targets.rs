//! A Notary `targets.json` that the publisher's own keys sign: an empty first one, or the old one under new keys.
//!
//! Annex; pure but for signing with the keys that the command line named.

use jiff::Timestamp;
use officiant::cjson::Value;
use officiant::digest::Digest;
use officiant::name::Name;
use officiant::root::online::Signed;
use officiant::root::targets;
use officiant::root::threshold::Electorate;
use officiant::root::{Dialect, Expiry, Role, Root, SignedRoot, notary};
use officiant::wording::Count;

use super::Error;
use crate::trust::change::at_hand::KeysAtHand;
use crate::trust::change::draft::in_three_years;

/// What is signed in a targets file, and by whom.
#[derive(Clone)]
pub(super) struct Targets(Signed);

impl Targets {
    /// The first one: no targets, no delegations, for three years.
    pub(super) fn empty(now: Timestamp) -> Self {
        let value = targets::Targets::empty(in_three_years(now)).value();
        Self(Signed { value, signatures: Vec::new() })
    }

    /// Reads a file as the server has it, if it is one that the targets keys of a root in `published` signed: whoever
    /// stands between us and the server must not have us sign what no publisher did.
    pub(super) fn read(bytes: &[u8], published: &[SignedRoot]) -> Option<Self> {
        let found = Self(Signed::parse(Dialect::Notary, bytes)?);
        let is_own = |root: &SignedRoot| found.is_signed_for(root.root());
        published.iter().rev().any(is_own).then_some(found)
    }

    /// Says whether the targets role of `root` has signed it.
    pub(super) fn is_signed_for(&self, root: &Root) -> bool {
        self.0.is_signed_for(root, Role::Targets)
    }

    /// The next version of it, signed by those of `keys` that `root` lists for the role.
    pub(super) fn next(
        &self,
        name: &Name,
        root: &Root,
        keys: &mut KeysAtHand,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let why = "cannot be signed again as it is";
        let cannot = || Error::Unsound { name: name.clone(), role: Role::Targets, why };
        let mut members = self.0.value.as_map().cloned().ok_or_else(cannot)?;
        let version = members.get("version").and_then(Value::as_integer).ok_or_else(cannot)?;
        members.insert("version".to_owned(), Value::Integer(version + 1));
        if self.0.expires().ok_or_else(cannot)? <= now {
            let expires = Value::text(Expiry::at(in_three_years(now)).text());
            members.insert("expires".to_owned(), expires);
        }
        let value = Value::Map(members);
        let electorate = Electorate::of(root, Role::Targets);
        let signatures = keys.sign(&electorate, &value.go())?;
        let found = signatures.len();
        let next = Self(Signed { value, signatures });
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
        notary::file_of(&self.0.value, &self.0.signatures)
    }

    /// What its keys' owner should compare: a genuine file of some days ago cannot be told from today's.
    pub(super) fn told(&self, root: &Root) -> String {
        let members = self.0.value.as_map();
        let version = members.and_then(|m| m.get("version")).and_then(Value::as_integer);
        let targets = members.and_then(|m| m.get("targets")).and_then(Value::as_map);
        format!(
            "`targets.json` version {} with {} signed for version {}: {}",
            version.unwrap_or_default(),
            Count(targets.map_or(0, |targets| targets.len()), "target"),
            root.version(),
            Digest::of(&self.bytes()),
        )
    }
}
