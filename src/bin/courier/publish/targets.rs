//! A Notary `targets.json` that the publisher's own keys sign: an empty first one, or the old one under new keys.
//!
//! Annex; pure but for signing with the keys that the command line named.

use jiff::Timestamp;
use officiant::cjson::{Members, Value};
use officiant::digest::Digest;
use officiant::name::Name;
use officiant::root::online::Signed;
use officiant::root::targets::{self, ListRole};
use officiant::root::threshold::Electorate;
use officiant::root::{Dialect, Expiry, Role, Root, SignedRoot, notary};
use officiant::wording::Count;

use super::Error;
use crate::trust::change::at_hand::KeysAtHand;
use crate::trust::change::candidate;
use crate::trust::change::draft::{Written, in_three_years};

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

    /// The next version of it, with the signatures that others made apart, if theirs is that, and those of `keys` that
    /// `root` lists for the role. Whether they are enough is for [`Targets::enough`] to say.
    pub(super) fn next(
        &self,
        name: &Name,
        root: &Root,
        (others, keys): (Option<&Signed>, &mut KeysAtHand),
        now: Timestamp,
    ) -> Result<Self, Error> {
        let cannot = || {
            let why = "cannot be signed again as it is";
            Error::Unsound { name: name.clone(), role: Role::Targets, why }
        };
        let value = self.value_after(now).ok_or_else(cannot)?;
        let same = |others: &&Signed| without_expiry(&others.value) == without_expiry(&value);
        let others = others.filter(same).filter(|o| o.expires().is_some_and(|at| at > now));
        let draft = others.cloned().unwrap_or(Signed { value, signatures: Vec::new() });
        let electorate = Electorate::of(root, Role::Targets);
        let signed = candidate::sign(&electorate, &draft, keys, &ListRole::top());
        Ok(Self(signed.map_err(Box::new)?))
    }

    /// The same, if as many of the keys of `root` have signed it as must.
    ///
    /// # Errors
    /// [`Error::TargetsUnsigned`].
    pub(super) fn enough(self, name: &Name, root: &Root) -> Result<Self, Error> {
        match self.is_signed_for(root) {
            true => Ok(self),
            false => Err(Error::TargetsUnsigned {
                name: name.clone(),
                version: root.version().get(),
                needed: root.role(Role::Targets).map_or(1, |role| role.threshold),
                found: self.0.signatures.len(),
            }),
        }
    }

    /// It as others are to sign it.
    pub(super) fn written(self, root: &Root) -> Written {
        Written::of(&ListRole::top(), self.0, &Electorate::of(root, Role::Targets))
    }

    /// What the next version says: the same.
    fn value_after(&self, now: Timestamp) -> Option<Value> {
        let mut members = self.0.value.as_map()?.clone();
        let version = members.get("version").and_then(Value::as_integer)?;
        members.insert("version", Value::Integer(version + 1));
        if self.0.expires()? <= now {
            let expires = Value::text(Expiry::at(in_three_years(now)).text());
            members.insert("expires", expires);
        }
        Some(Value::Map(members))
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

/// What a list says but for the moment until which it says so: that is of the hour at which it was written.
fn without_expiry(value: &Value) -> Option<Members> {
    let mut members = value.as_map()?.clone();
    members.remove("expires");
    Some(members)
}
