//! A list of targets of a Notary repository, its own or a delegation's: what it names, and to whom it delegates.
//!
//! First floor: pure. Go writes of such a file what it knows and drops the rest, so what is written here holds no more.

mod role;

use std::borrow::Cow;
use std::collections::BTreeMap;

use data_encoding::BASE64;
use jiff::Timestamp;

use super::online::Signed;
use super::threshold::Electorate;
use super::{Dialect, Expiry, Key, KeyId, Signature, notary};
use crate::cjson::{Members, Value};
use crate::digest::Digest;
pub use role::{ListRole, NotARole};

/// What a list says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targets {
    /// Its version, from 1; 0 for one that is not written yet.
    pub version: i64,
    /// When it expires.
    pub expires: Expiry,
    /// What it names, by name: for an image, its tag.
    pub targets: BTreeMap<String, Target>,
    /// To whom it delegates, in the order of the file, which is that in which clients ask.
    pub delegations: Vec<Delegation>,
    /// The keys of those, by id.
    pub keys: BTreeMap<KeyId, Key>,
}

/// What a list says of one target: for an image, the bytes of the manifest that its tag means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The bytes' digests by the name of the algorithm; SHA-256 is one of them.
    hashes: BTreeMap<String, Vec<u8>>,
    /// How many bytes.
    pub length: u64,
    /// Whatever its publisher added.
    pub custom: Option<Value>,
}

/// One role to which a list delegates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// The role.
    pub role: ListRole,
    /// The ids of its keys, in the order of the file.
    pub ids: Vec<KeyId>,
    /// How many of them must sign; a foreign file may say 0 or less.
    pub threshold: i64,
    /// What the names of its targets begin with; an empty text allows all.
    pub paths: Vec<String>,
    /// Whether the file has no list of ids at all: so Notary leaves a role whose last key it purged.
    no_ids: bool,
}

impl Target {
    /// One of so many bytes with this digest.
    pub fn new(sha256: Digest, length: u64) -> Self {
        let hashes = BTreeMap::from([(SHA256.to_owned(), sha256.as_bytes().to_vec())]);
        Self { hashes, length, custom: None }
    }

    /// The SHA-256 of the bytes.
    pub fn sha256(&self) -> Option<Digest> {
        let bytes = <[u8; 32]>::try_from(self.hashes.get(SHA256)?.as_slice()).ok()?;
        Some(Digest::from_bytes(bytes))
    }

    /// Whether it is of the same bytes.
    pub fn is_same(&self, other: &Self) -> bool {
        self.length == other.length && self.sha256() == other.sha256()
    }

    /// The digests by the name of the algorithm.
    pub fn hashes(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.hashes
    }

    /// Adds another digest of the same bytes, as `notary add` does with SHA-512.
    pub fn with_hash(mut self, algorithm: &str, digest: Vec<u8>) -> Self {
        self.hashes.insert(algorithm.to_owned(), digest);
        self
    }

    fn read(value: &Value) -> Option<Self> {
        let members = value.as_map()?;
        let mut hashes = BTreeMap::new();
        for (algorithm, digest) in members.get("hashes")?.as_map()? {
            hashes.insert(algorithm.to_string(), BASE64.decode(digest.as_text()?.as_bytes()).ok()?);
        }
        let length = u64::try_from(members.get("length")?.as_integer()?).ok()?;
        let custom = members.get("custom").filter(|custom| **custom != Value::Null).cloned();
        let target = Self { hashes, length, custom };
        target.sha256().is_some().then_some(target)
    }

    fn value(&self) -> Value {
        let hashes = self.hashes.iter();
        let hashes =
            hashes.map(|(name, digest)| (name.as_str(), Value::text(BASE64.encode(digest))));
        let known = [
            ("hashes", Value::map(hashes)),
            ("length", Value::Integer(self.length.try_into().unwrap_or(i64::MAX))),
        ];
        Value::map(known.into_iter().chain(self.custom.clone().map(|custom| ("custom", custom))))
    }
}

impl Delegation {
    /// One to a role.
    pub fn new(role: ListRole, ids: Vec<KeyId>, threshold: i64, paths: Vec<String>) -> Self {
        Self { role, ids, threshold, paths, no_ids: false }
    }

    /// Whether it may name this target.
    pub fn allows(&self, target: &str) -> bool {
        self.paths.iter().any(|path| target.starts_with(path.as_str()))
    }

    fn read(value: &Value) -> Option<Self> {
        let members = value.as_map()?;
        let texts = |field| -> Option<Vec<String>> {
            match members.get(field) {
                None | Some(Value::Null) => Some(Vec::new()),
                Some(list) => {
                    list.as_list()?.iter().map(|v| v.as_text().map(str::to_owned)).collect()
                }
            }
        };
        Some(Self {
            role: members.get("name")?.as_text()?.parse().ok()?,
            ids: texts("keyids")?.into_iter().map(KeyId::new).collect(),
            threshold: members.get("threshold")?.as_integer()?,
            paths: texts("paths")?,
            no_ids: members.get("keyids") == Some(&Value::Null),
        })
    }

    fn value(&self) -> Value {
        let texts = |list: Vec<&str>| Value::List(list.into_iter().map(Value::text).collect());
        let ids = match self.no_ids && self.ids.is_empty() {
            true => Value::Null,
            false => texts(self.ids.iter().map(KeyId::as_str).collect()),
        };
        // Go leaves an empty list out here, and only here.
        let paths = (!self.paths.is_empty())
            .then(|| ("paths", texts(self.paths.iter().map(String::as_str).collect())));
        let known = [
            ("keyids", ids),
            ("name", Value::text(self.role.as_str())),
            ("threshold", Value::Integer(self.threshold)),
        ];
        Value::map(known.into_iter().chain(paths))
    }
}

impl Targets {
    /// The first one, not written yet: no targets, no delegations.
    pub fn empty(expires: Timestamp) -> Self {
        Self {
            version: 0,
            expires: Expiry::at(expires),
            targets: BTreeMap::new(),
            delegations: Vec::new(),
            keys: BTreeMap::new(),
        }
    }

    /// Reads what is signed in a list's file; none where it is no list, or names something in a form that clients read
    /// in different ways.
    pub fn read(signed: &Signed) -> Option<Self> {
        let members = signed.value.as_map()?;
        if !signed.kind()?.eq_ignore_ascii_case("targets") {
            return None;
        }
        let mut targets = BTreeMap::new();
        for (name, target) in &map(members.get("targets")?)? {
            targets.insert(name.to_string(), Target::read(target)?);
        }
        let delegations = map(members.get("delegations")?)?;
        let mut keys = BTreeMap::new();
        for (id, key) in &map(delegations.get("keys").unwrap_or(&Value::Null))? {
            keys.insert(KeyId::new(id), Key::of(Dialect::Notary, key.clone()));
        }
        let roles = match delegations.get("roles") {
            None | Some(Value::Null) => Vec::new(),
            Some(roles) => {
                roles.as_list()?.iter().map(Delegation::read).collect::<Option<Vec<_>>>()?
            }
        };
        Some(Self {
            version: signed.version()?,
            expires: Expiry::from_text(members.get("expires")?.as_text()?)?,
            targets,
            delegations: roles,
            keys,
        })
    }

    /// The role of that name, if this list delegates to it.
    pub fn delegation(&self, role: &ListRole) -> Option<&Delegation> {
        self.delegations.iter().find(|delegation| delegation.role == *role)
    }

    /// The same, to be changed.
    pub fn delegation_mut(&mut self, role: &ListRole) -> Option<&mut Delegation> {
        self.delegations.iter_mut().find(|delegation| delegation.role == *role)
    }

    /// Takes the role of that name away, if this list delegates to it.
    pub fn remove_delegation(&mut self, role: &ListRole) -> Option<Delegation> {
        let at = self.delegations.iter().position(|delegation| delegation.role == *role)?;
        Some(self.delegations.remove(at))
    }

    /// Whose signatures count for a role to which this list delegates.
    pub fn electorate(&self, delegation: &Delegation) -> Electorate<'_> {
        let keys = delegation.ids.iter().filter_map(|id| self.keys.get_key_value(id));
        let keys = keys.map(|(id, key)| (id.clone(), Cow::Borrowed(key))).collect();
        Electorate { keys, threshold: delegation.threshold }
    }

    /// Adds a key for use in a delegation, and says its id.
    pub fn add_key(&mut self, key: Key) -> KeyId {
        let id = key.id().clone();
        self.keys.insert(id.clone(), key);
        id
    }

    /// What is signed, with the keys alone that a role has.
    pub fn value(&self) -> Value {
        let used = |id: &KeyId| self.delegations.iter().any(|role| role.ids.contains(id));
        let keys = self.keys.iter().filter(|(id, _)| used(id));
        let keys = keys.map(|(id, key)| (id.as_str(), key.value().clone()));
        let targets = self.targets.iter().map(|(name, target)| (name.as_str(), target.value()));
        let roles = self.delegations.iter().map(Delegation::value).collect();
        Value::map([
            ("_type", Value::text("Targets")),
            (
                "delegations",
                Value::map([("keys", Value::map(keys)), ("roles", Value::List(roles))]),
            ),
            ("expires", Value::text(self.expires.text())),
            ("targets", Value::map(targets)),
            ("version", Value::Integer(self.version)),
        ])
    }
}

/// Whether every delegation on the way from the repository's own list to `role` allows it to name this target.
pub fn may_name<'a>(
    role: &ListRole,
    target: &str,
    list: impl Fn(&ListRole) -> Option<&'a Targets>,
) -> bool {
    let mut role = role.clone();
    while let Some(parent) = role.parent() {
        let delegation = list(&parent).and_then(|list| list.delegation(&role));
        if !delegation.is_some_and(|delegation| delegation.allows(target)) {
            return false;
        }
        role = parent;
    }
    true
}

/// The bytes of a list's file, or of any role's: what is signed, and by whom.
pub fn file(signed: &Signed) -> Vec<u8> {
    notary::file_of(&signed.value, &signed.signatures)
}

/// A signature of Notary metadata, by the key that a list or a root has under `id`.
pub fn signature(id: &KeyId, key: &Key, bytes: Vec<u8>) -> Option<Signature> {
    let method = Some(notary::method(key.scheme()?).to_owned());
    Some(Signature { key: id.clone(), method, bytes })
}

/// The members of an object; Go writes `null` where it has none.
fn map(value: &Value) -> Option<Members> {
    match value {
        Value::Null => Some(Members::default()),
        value => value.as_map().cloned(),
    }
}

const SHA256: &str = "sha256";

#[cfg(test)]
mod tests;
