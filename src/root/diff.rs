//! The difference of two roots, as sentences for people: key by key and role by role.
//!
//! First floor: pure. How a key is called is the caller's to say.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Dialect, Key, KeyId, Role, RoleKeys, Root, Version};
use crate::cjson::Value;
use crate::digest::Digest;
use crate::wording::{one_line, ticked};

/// One thing in which two roots differ, or one thing that a first root says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The key stays and is listed under another id, as a new certificate makes it.
    Certificate {
        /// The role.
        role: String,
        /// The id and the key with its last certificate.
        from: Box<(KeyId, Key)>,
        /// The id and the key with the new one.
        to: Box<(KeyId, Key)>,
    },
    /// When the root expires.
    Expires {
        /// When the last one did.
        from: Option<Timestamp>,
        /// When this one does.
        to: Timestamp,
    },
    /// A field that is none of those with a meaning here.
    Field {
        /// The field.
        name: String,
        /// What it said, as JSON.
        from: Option<String>,
        /// What it says, as JSON.
        to: Option<String>,
    },
    /// A key under the same id says something else, in a part that the id does not cover.
    KeyObject {
        /// The id.
        id: KeyId,
    },
    /// A key joins a role.
    KeyIn {
        /// The role.
        role: String,
        /// The key.
        key: Box<Key>,
    },
    /// A key leaves a role.
    KeyOut {
        /// The role.
        role: String,
        /// The key.
        key: Box<Key>,
    },
    /// A key stands in the document that no role lists, or no longer does.
    Loose {
        /// The id.
        id: KeyId,
        /// Whether it is new.
        is_new: bool,
    },
    /// A role lists the same keys in another order.
    Order {
        /// The role.
        role: String,
    },
    /// A role beyond those of the last root, or one of those that is gone.
    Role {
        /// The role.
        name: String,
        /// Whether it is new.
        is_new: bool,
    },
    /// How many keys of a role must sign, and of how many.
    Threshold {
        /// The role.
        role: String,
        /// Threshold and number of keys before.
        from: Option<(i64, usize)>,
        /// Threshold and number of keys now.
        to: (i64, usize),
    },
    /// The version.
    Version {
        /// The last one.
        from: Option<Version>,
        /// This one.
        to: Version,
    },
}

/// All in which `new` differs from `old`; nothing is left out. With no old root, all that `new` says.
pub fn differences(old: Option<&Root>, new: &Root) -> Vec<Difference> {
    let mut found = Vec::new();
    let version = old.map(Root::version);
    if version != Some(new.version()) {
        found.push(Difference::Version { from: version, to: new.version() });
    }
    let expires = old.map(|root| root.expires());
    if expires.map(|e| e.text()) != Some(new.expires().text()) {
        let from = expires.map(|e| e.instant());
        found.push(Difference::Expires { from, to: new.expires().instant() });
    }
    for name in names(old, new) {
        let before = old.and_then(|root| Some((root, root.roles().get(name)?)));
        match (before, new.roles().get(name)) {
            (Some(_), None) => {
                found.push(Difference::Role { name: name.to_owned(), is_new: false });
            }
            (before, Some(now)) => role(&mut found, name, before, (new, now)),
            (None, None) => {}
        }
    }
    loose(&mut found, old, new);
    fields(&mut found, old, new);
    found
}

impl Difference {
    /// The sentence without what follows from a repository's name and last root alone: the ids under which a key is
    /// listed there, if its new certificate is, but for name, serial and signature, the one that is made for all; and the
    /// second at which the last one expires, if the new one lasts longer.
    pub fn shape(&self, call: &dyn Fn(&Key) -> String, repository: &str) -> String {
        match self {
            Difference::Certificate { role, from, to } if is_own(&to.1, repository) => {
                let (who, renewed) = (call(&to.1), renewed(&from.1, &to.1));
                let role = ticked(role);
                one_line(&format!("Role {role}: {who} stays{renewed}, listed under its id."))
            }
            Difference::Expires { from: Some(from), to } if from < to => {
                format!("It expires {to}, later than the last one.")
            }
            _ => self.sentence(call),
        }
    }

    /// One sentence, whatever the roots hold; `call` says how a key is called, and its answer stands in the sentence.
    pub fn sentence(&self, call: &dyn Fn(&Key) -> String) -> String {
        one_line(&self.told(call))
    }

    fn told(&self, call: &dyn Fn(&Key) -> String) -> String {
        match self {
            Difference::Version { from: None, to } => {
                format!("This is version {to}, the first here.")
            }
            Difference::Version { from: Some(from), to } => {
                format!("The version goes from {from} to {to}.")
            }
            Difference::Expires { from: None, to } => format!("It expires {to}."),
            Difference::Expires { from: Some(from), to } => {
                format!("It expires {to}; the last one expires {from}.")
            }
            Difference::Threshold { role, from, to: (threshold, keys) } => {
                let now = format!("Role {}: {threshold} of {keys} must sign", ticked(role));
                match from {
                    None => format!("{now}."),
                    Some((threshold, keys)) => format!("{now}; before, {threshold} of {keys}."),
                }
            }
            Difference::KeyIn { role, key } => {
                format!("Role {}: {} joins{}.", ticked(role), call(key), certificate(key))
            }
            Difference::KeyOut { role, key } => {
                format!("Role {}: {} leaves.", ticked(role), call(key))
            }
            Difference::Certificate { role, from, to } => format!(
                "Role {}: {} stays{}, listed as {}, before {}.",
                ticked(role),
                call(&to.1),
                renewed(&from.1, &to.1),
                ticked(to.0.as_str()),
                ticked(from.0.as_str()),
            ),
            Difference::KeyObject { id } => {
                let id = ticked(id.as_str());
                format!("Key {id} says something else in a part that its id does not cover.")
            }
            Difference::Order { role } => {
                format!("Role {} lists the same keys in another order.", ticked(role))
            }
            Difference::Role { name, is_new: true } => {
                format!("There is a new role {}.", ticked(name))
            }
            Difference::Role { name, is_new: false } => {
                format!("The role {} is gone.", ticked(name))
            }
            Difference::Loose { id, is_new: true } => {
                let id = ticked(id.as_str());
                format!("Key {id} stands in the document, and no role lists it.")
            }
            Difference::Loose { id, is_new: false } => {
                format!("Key {}, which no role listed, is gone.", ticked(id.as_str()))
            }
            Difference::Field { name, from, to } => {
                let name = ticked(name);
                match (from, to) {
                    (Some(from), Some(to)) => {
                        format!("The field {name} says {to}; before, {from}.")
                    }
                    (None, Some(to)) => format!("The field {name} says {to}."),
                    _ => format!("The field {name} is gone."),
                }
            }
        }
    }
}

/// Whether a key is listed with the very certificate that is made for a repository, and with nothing else.
fn is_own(key: &Key, repository: &str) -> bool {
    key.bundle().is_some_and(|bundle| {
        let leaf = bundle.leaf();
        bundle.is_exact()
            && bundle.intermediates().is_empty()
            && leaf.name() == repository
            && leaf.verify_as_made().is_ok()
    })
}

/// The new certificate of a key that stays, and the days of the one before.
fn renewed(from: &Key, to: &Key) -> String {
    let before = from.bundle().map_or_else(String::new, |bundle| {
        let leaf = bundle.leaf();
        let (from, until) = (leaf.not_before(), leaf.not_after());
        format!(" (before: for {} from {from} until {until})", ticked(leaf.name()))
    });
    certificate(to).replacen(", with a", ", with a new", 1) + &before
}

fn certificate(key: &Key) -> String {
    let Some(bundle) = key.bundle() else { return String::new() };
    let leaf = bundle.leaf();
    let (name, from, until) = (ticked(leaf.name()), leaf.not_before(), leaf.not_after());
    format!(", with a certificate for {name} from {from} until {until}")
}

/// The four roles first, then the others by name.
fn names<'r>(old: Option<&'r Root>, new: &'r Root) -> Vec<&'r str> {
    let mut names: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
    let others: BTreeSet<&str> = old
        .into_iter()
        .chain([new])
        .flat_map(|root| root.roles().keys().map(String::as_str))
        .collect();
    names.extend(others.into_iter().filter(|name| !Role::ALL.iter().any(|r| r.name() == *name)));
    names
}

type Part<'r> = (&'r Root, &'r RoleKeys);

fn role(found: &mut Vec<Difference>, name: &str, old: Option<Part<'_>>, new: Part<'_>) {
    let role = || name.to_owned();
    if old.is_none() && !Role::ALL.iter().any(|base| base.name() == name) {
        found.push(Difference::Role { name: role(), is_new: true });
    }
    let shape = |part: Part<'_>| (part.1.threshold, part.1.ids.len());
    let (from, to) = (old.map(shape), shape(new));
    if from != Some(to) {
        found.push(Difference::Threshold { role: role(), from, to });
    }
    let (before, now) = (old.map(keys).unwrap_or_default(), keys(new));
    for (who, (id, key)) in &now {
        match before.get(who) {
            None => found.push(Difference::KeyIn { role: role(), key: Box::new((*key).clone()) }),
            Some((last, old)) if last != id => found.push(Difference::Certificate {
                role: role(),
                from: Box::new(((*last).clone(), (*old).clone())),
                to: Box::new(((*id).clone(), (*key).clone())),
            }),
            Some(_) => {}
        }
    }
    for (who, (_, key)) in &before {
        if !now.contains_key(who) {
            found.push(Difference::KeyOut { role: role(), key: Box::new((*key).clone()) });
        }
    }
    let same = before.keys().eq(now.keys());
    if let Some((_, listed)) = old
        && same
        && listed.ids != new.1.ids
        && before.values().all(|(id, _)| new.1.ids.contains(id))
    {
        found.push(Difference::Order { role: role() });
    }
}

/// The keys of a role by what makes them the same key: the public key; or the object, for a kind that we cannot read
/// and for twins, which must not hide each other.
fn keys<'r>((root, role): Part<'r>) -> BTreeMap<Digest, (&'r KeyId, &'r Key)> {
    let listed = role.ids.iter().filter_map(|id| root.keys().get_key_value(id));
    let keys: Vec<(&KeyId, &Key)> = listed.collect();
    let is_twin = |key: &Key| keys.iter().filter(|(_, k)| k.public() == key.public()).count() > 1;
    let who = |id: &KeyId, key: &Key| match key.public() {
        Some(public) if !is_twin(key) => public.id(),
        _ => Digest::of_parts("twin", &[id.as_str().as_bytes(), &key.value().go()]),
    };
    keys.iter().map(|(id, key)| (who(id, key), (*id, *key))).collect()
}

/// Keys that say something else under the same id, and keys without a role.
fn loose(found: &mut Vec<Difference>, old: Option<&Root>, new: &Root) {
    let loose = |root: &Root| -> BTreeSet<KeyId> {
        let listed: BTreeSet<&KeyId> = root.roles().values().flat_map(|role| &role.ids).collect();
        root.keys().keys().filter(|id| !listed.contains(id)).cloned().collect()
    };
    for (id, key) in new.keys() {
        let last = old.and_then(|root| root.key(id));
        if last.is_some_and(|last| last.value() != key.value()) {
            found.push(Difference::KeyObject { id: id.clone() });
        }
    }
    let (before, now) = (old.map(loose).unwrap_or_default(), loose(new));
    for id in now.difference(&before) {
        found.push(Difference::Loose { id: id.clone(), is_new: true });
    }
    for id in before.difference(&now) {
        found.push(Difference::Loose { id: id.clone(), is_new: false });
    }
}

/// Fields of the root and of its roles that have no sentence of their own.
fn fields(found: &mut Vec<Difference>, old: Option<&Root>, new: &Root) {
    let other = |root: &Root| -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for (name, value) in root.value().as_map().into_iter().flatten() {
            if !matches!(name.as_str(), "_type" | "expires" | "keys" | "roles" | "version") {
                all.insert(name.to_string(), json(value));
            }
        }
        let roles = root.value().as_map().and_then(|m| m.get("roles")).and_then(Value::as_map);
        for (role, value) in roles.into_iter().flatten() {
            for (name, value) in value.as_map().into_iter().flatten() {
                if !matches!(name.as_str(), "keyids" | "threshold") {
                    all.insert(format!("roles.{role}.{name}"), json(value));
                }
            }
        }
        all
    };
    let (before, now) = (old.map(other).unwrap_or_default(), other(new));
    let expected = match new.dialect() {
        Dialect::Notary => [("consistent_snapshot", "false"), ("", "")],
        Dialect::Tuf => [("consistent_snapshot", "true"), ("spec_version", "\"1.0.31\"")],
    };
    for name in before.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
        let (from, to) = (before.get(name).cloned(), now.get(name).cloned());
        let usual =
            old.is_none() && expected.iter().any(|(n, v)| n == name && to.as_deref() == Some(*v));
        if from != to && !usual {
            found.push(Difference::Field { name: name.clone(), from, to });
        }
    }
}

fn json(value: &Value) -> String {
    String::from_utf8_lossy(&value.json()).into_owned()
}

#[cfg(test)]
mod tests;
