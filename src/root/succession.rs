//! From one root to the next: building it, and what must hold between them.
//!
//! First floor: pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::certificate::earliest_end;
use super::{Dialect, Error as RootError, Expiry, Key, KeyId, Role, Root, Version, tuf};
use crate::check::Check;
use crate::cjson::{Members, Value};
use crate::key::PublicKey;

/// What the next root says; all else is carried over from the root before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The version of the next root.
    pub version: Version,
    /// The keys of the root role, in the order in which the document lists them.
    pub root_keys: Vec<Key>,
    /// How many of them must sign.
    pub threshold: u32,
    /// The online roles whose keys or thresholds change; all three in a first root.
    pub roles: BTreeMap<Role, (Vec<Key>, u32)>,
    /// When the next root expires; whole seconds.
    pub expires: Timestamp,
}

impl Change {
    /// The roles that change, with their keys and thresholds.
    fn lists(&self) -> impl Iterator<Item = (Role, &Vec<Key>, u32)> {
        let root = (Role::Root, &self.root_keys, self.threshold);
        let online = self.roles.iter().map(|(role, (keys, threshold))| (*role, keys, *threshold));
        std::iter::once(root).chain(online)
    }
}

/// Builds the root that follows `previous`, or a first one, and checks it as [`check`] does.
///
/// Keys that no role lists any more are dropped, old root certificates included: Notary's own tools keep those for
/// ever, but its clients judge a new root by the certificates of the root before, which they hold. Fields and roles
/// of the root before that we do not know are carried over; a TUF root names the specification that we write.
///
/// # Errors
/// As [`check`]; [`Error::Root`] cannot arise from a previous root that was read.
pub fn next(dialect: Dialect, previous: Option<&Root>, change: &Change) -> Result<Root, Error> {
    let old = previous.and_then(|root| root.value().as_map());
    let mut members = old.cloned().unwrap_or_default();
    let version = i64::try_from(change.version.get()).unwrap_or(i64::MAX);
    let mut set = |name: &str, value: Value| members.insert(name, value);
    set("_type", Value::text(dialect.kind()));
    set("version", Value::Integer(version));
    set("expires", Value::text(Expiry::at(change.expires).text()));
    set("keys", Value::Map(next_keys(previous, change)));
    set("roles", Value::Map(next_roles(previous, change)));
    set("consistent_snapshot", Value::Bool(dialect == Dialect::Tuf));
    if dialect == Dialect::Tuf {
        set("spec_version", Value::text(tuf::SPEC_VERSION));
    }
    let next = Root::from_value_knowing(dialect, Value::Map(members), &known(previous, change))?;
    check(previous, &next)?;
    Ok(next)
}

/// The keys that were read before.
fn known(previous: Option<&Root>, change: &Change) -> BTreeMap<KeyId, Key> {
    let kept = previous.into_iter().flat_map(Root::keys).map(|(id, key)| (id.clone(), key.clone()));
    let new = change.lists().flat_map(|(_, list, _)| list);
    kept.chain(new.map(|key| (key.id().clone(), key.clone()))).collect()
}

/// The keys of the roles that stay as they are, and those of the change.
fn next_keys(previous: Option<&Root>, change: &Change) -> Members {
    let mut keys = BTreeMap::new();
    let mut add = |id: &KeyId, key: &Key| keys.insert(id.clone(), key.value().clone());
    if let Some(root) = previous {
        let kept = root.roles().iter().filter(|(name, _)| !is_replaced(name, change));
        for id in kept.flat_map(|(_, role)| &role.ids) {
            if let Some(key) = root.key(id) {
                add(id, key);
            }
        }
    }
    for key in change.lists().flat_map(|(_, list, _)| list) {
        add(key.id(), key);
    }
    keys.iter().map(|(id, value)| (id.as_str(), value.clone())).collect()
}

/// The roles of the root before, with the lists and thresholds of the change.
fn next_roles(previous: Option<&Root>, change: &Change) -> Members {
    let old = previous.and_then(|root| root.value().as_map()).and_then(|m| m.get("roles"));
    let mut roles = old.and_then(Value::as_map).cloned().unwrap_or_default();
    for (role, list, threshold) in change.lists() {
        let ids = list.iter().map(|key| Value::text(key.id().as_str())).collect();
        let last = roles.get(role.name()).and_then(Value::as_map);
        let mut members = last.cloned().unwrap_or_default();
        members.insert("keyids", Value::List(ids));
        members.insert("threshold", Value::Integer(threshold.into()));
        roles.insert(role.name(), Value::Map(members));
    }
    roles
}

fn is_replaced(role: &str, change: &Change) -> bool {
    role == Role::Root.name() || change.roles.keys().any(|changed| changed.name() == role)
}

/// Checks a root against the one before it, signatures aside.
///
/// # Errors
/// The first rule that does not hold.
pub fn check(previous: Option<&Root>, next: &Root) -> Result<(), Error> {
    let expected = previous.map_or(Version::FIRST, |root| root.version().next());
    if next.version() != expected {
        let last = previous.map(Root::version);
        return Err(Error::Sequence { last, expected, found: next.version() });
    }
    check_shape(next)?;
    let Some(previous) = previous else { return Ok(()) };
    if previous.dialect() != next.dialect() {
        return Err(Error::Dialect { last: previous.dialect(), found: next.dialect() });
    }
    check_moves(previous, next)
}

/// Checks what must hold within one root: four roles, thresholds that can be met, every key once and under its own id.
/// Many a TUF repository has one key for several online roles: that counts once in each of them.
///
/// # Errors
/// The first rule that does not hold.
pub fn check_shape(root: &Root) -> Result<(), Error> {
    let mut seen: BTreeMap<&PublicKey, (Role, &KeyId)> = BTreeMap::new();
    for role in Role::ALL {
        let listed = root.role(role).ok_or(Error::RoleMissing { role })?;
        let keys = listed.ids.len();
        if listed.threshold < 1 || usize::try_from(listed.threshold).is_ok_and(|t| t > keys) {
            return Err(Error::Threshold { role, threshold: listed.threshold, keys });
        }
        for id in &listed.ids {
            let key = root.key(id).ok_or(Error::KeyMissing { role, id: id.clone() })?;
            if key.id() != id {
                return Err(Error::KeyId { listed: id.clone(), own: key.id().clone() });
            }
            let public = key.public().ok_or(Error::KeyUnreadable { role, id: id.clone() })?;
            match seen.insert(public, (role, id)) {
                Some((first, same)) if !(same == id && may_share(root, first, role)) => {
                    return Err(Error::Twin { id: id.clone(), first, second: role });
                }
                _ => continue,
            }
        }
    }
    match root.dialect() {
        Dialect::Notary => check_certificates(root),
        Dialect::Tuf => Ok(()),
    }
}

/// Whether two roles of a root may have the same key.
fn may_share(root: &Root, first: Role, second: Role) -> bool {
    let online = |role| Role::ONLINE.contains(&role);
    root.dialect() == Dialect::Tuf && first != second && online(first) && online(second)
}

fn check_certificates(root: &Root) -> Result<(), Error> {
    for (id, key) in root.role_keys(Role::Root) {
        let bundle = key.bundle().ok_or(Error::NoCertificate { id: id.clone() })?;
        if !bundle.is_exact() {
            return Err(Error::CertificateBytes { id: id.clone() });
        }
    }
    Ok(())
}

/// Checks the certificates of a Notary root: each names the repository, has begun, and outlives the root by at least
/// two years (docs/threats.md rule 25), so that no root dies of them.
///
/// # Errors
/// [`Error::CertificateName`] or [`Error::CertificateEnds`] for the first that does not.
pub fn check_certified(root: &Root, repository: &str) -> Result<(), Error> {
    let expires = root.expires().instant();
    let least = earliest_end(expires);
    for (id, key) in root.role_keys(Role::Root) {
        let Some(bundle) = key.bundle() else { continue };
        let leaf = bundle.leaf();
        if !leaf.names(repository) || !leaf.is_acceptable() {
            let (name, repository) = (leaf.name().to_owned(), repository.to_owned());
            return Err(Error::CertificateName { id: id.clone(), name, repository });
        }
        if leaf.not_after() < least {
            let ends = leaf.not_after();
            return Err(Error::CertificateEnds { id: id.clone(), ends, expires });
        }
    }
    Ok(())
}

/// No key may serve a role in the next root that it did not serve in the last, if it served another one there.
fn check_moves(previous: &Root, next: &Root) -> Result<(), Error> {
    let before = roles_by_key(previous);
    for (public, now) in roles_by_key(next) {
        let Some(then) = before.get(&public) else { continue };
        if let (Some(from), Some(to)) = (then.first(), now.difference(then).next()) {
            let (from, to) = (*from, *to);
            return Err(Error::Moved { key: public.clone(), from, to });
        }
    }
    Ok(())
}

fn roles_by_key(root: &Root) -> BTreeMap<&PublicKey, BTreeSet<Role>> {
    let mut roles: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for role in Role::ALL {
        for public in root.role_keys(role).filter_map(|(_, key)| key.public()) {
            roles.entry(public).or_default().insert(role);
        }
    }
    roles
}

/// Why a root cannot follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The PEM of a root certificate is not Go's.
    #[error("the certificate of key `{id}` is not PEM as Go writes it")]
    CertificateBytes {
        /// The id.
        id: KeyId,
    },
    /// A certificate ends too early.
    #[error(
        "the certificate of `{id}` ends {ends}, less than two years after the root, which expires {expires}"
    )]
    CertificateEnds {
        /// The id.
        id: KeyId,
        /// When the certificate ends.
        ends: Timestamp,
        /// When the root expires.
        expires: Timestamp,
    },
    /// A certificate that Notary does not take for the repository.
    #[error("the certificate of `{id}` is for `{name}`, not for `{repository}`")]
    CertificateName {
        /// The id.
        id: KeyId,
        /// The name in the certificate.
        name: String,
        /// The repository.
        repository: String,
    },
    /// The root before speaks another dialect.
    #[error("a {found} root cannot follow a {last} root")]
    Dialect {
        /// The dialect of the root before.
        last: Dialect,
        /// The dialect of this one.
        found: Dialect,
    },
    /// A key stands under another id than its own.
    #[error("the key listed as `{listed}` has the id `{own}`")]
    KeyId {
        /// The id in the document.
        listed: KeyId,
        /// The id recomputed.
        own: KeyId,
    },
    /// A role lists an id without a key.
    #[error("role `{role}` lists `{id}`, which is not among the keys")]
    KeyMissing {
        /// The role.
        role: Role,
        /// The id.
        id: KeyId,
    },
    /// A role lists a key of a kind that we cannot read.
    #[error("role `{role}`: key `{id}` is of no kind that can be read here")]
    KeyUnreadable {
        /// The role.
        role: Role,
        /// The id.
        id: KeyId,
    },
    /// A key serves another role than before.
    #[error("a key that was of role `{from}` cannot become one of role `{to}`: `{}`", key.id())]
    Moved {
        /// The key.
        key: PublicKey,
        /// Its role in the root before.
        from: Role,
        /// Its role now.
        to: Role,
    },
    /// A Notary root key without a certificate.
    #[error("root key `{id}` has no certificate")]
    NoCertificate {
        /// The id.
        id: KeyId,
    },
    /// One of the four roles is missing.
    #[error("role `{role}` is missing")]
    RoleMissing {
        /// The role.
        role: Role,
    },
    /// Not a root.
    #[error(transparent)]
    Root(#[from] RootError),
    /// Not the version that comes next.
    #[error("{}", sequence(*last, *expected, *found))]
    Sequence {
        /// The version before, if there is one.
        last: Option<Version>,
        /// The version that comes next.
        expected: Version,
        /// The version found.
        found: Version,
    },
    /// A threshold that cannot be met, or that nothing must meet.
    #[error("role `{role}`: threshold {threshold} needs 1 to {keys} of the {keys} keys listed")]
    Threshold {
        /// The role.
        role: Role,
        /// The threshold.
        threshold: i64,
        /// How many keys there are.
        keys: usize,
    },
    /// One public key stands twice.
    #[error("one public key stands twice, in role `{first}` and as `{id}` in role `{second}`")]
    Twin {
        /// The second id.
        id: KeyId,
        /// The role of the first.
        first: Role,
        /// The role of the second.
        second: Role,
    },
}

impl Error {
    /// The named check that refused.
    pub fn check(&self) -> Check {
        match self {
            Error::Sequence { .. } | Error::Dialect { .. } => Check::RootSequence,
            Error::CertificateBytes { .. } | Error::Root(_) => Check::RootBytes,
            Error::CertificateEnds { .. } => Check::CertOutlivesRoot,
            Error::CertificateName { .. } => Check::CertProfile,
            Error::KeyId { .. }
            | Error::KeyMissing { .. }
            | Error::KeyUnreadable { .. }
            | Error::Moved { .. }
            | Error::NoCertificate { .. }
            | Error::RoleMissing { .. }
            | Error::Threshold { .. }
            | Error::Twin { .. } => Check::RootKeys,
        }
    }
}

fn sequence(last: Option<Version>, expected: Version, found: Version) -> String {
    match last {
        Some(last) => format!("version {found} cannot follow version {last}"),
        None => format!("a first root has version {expected}, found {found}"),
    }
}

#[cfg(test)]
mod tests;
