//! What a client wants of a root file before it counts signatures.
//!
//! First floor: pure.

use std::collections::BTreeSet;

use super::{Expiry, KeyId, Role, Root, SignedRoot};
use crate::cjson::Value;

/// What a client wants of a root before it counts signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// All four roles are there.
    pub all_roles: bool,
    /// No other role is there.
    pub no_other_role: bool,
    /// Every id that one of the four roles lists has its key.
    pub every_id_has_a_key: bool,
    /// No role lists an id twice.
    pub ids_once: bool,
    /// No two signatures name one id.
    pub signatures_once: bool,
    /// Every key, used or not, stands under its own id.
    pub own_ids: bool,
    /// Which types of keys may stand in the document, as pairs of type and scheme; empty means any.
    pub kinds: &'static [(&'static str, &'static str)],
    /// Keys that do not decode are refused even if nothing needs them.
    pub every_key_decodes: bool,
    /// Points of elliptic curves stand in PEM, not in hex.
    pub pem_only: bool,
    /// How `expires` is written.
    pub expires: ExpiresText,
    /// `spec_version` is there, and its major version is 1.
    pub spec_version: SpecVersion,
    /// `consistent_snapshot` is there.
    pub consistent_snapshot: bool,
}

/// How `expires` must be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiresText {
    /// Any RFC 3339.
    Any,
    /// The client signs its own spelling: UTC as `Z`, and a fraction of no, 3, 6 or 9 digits, the fewest that do.
    Respelled,
    /// Whole seconds and `Z`.
    WholeSeconds,
}

/// What must be said of the specification's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecVersion {
    /// Nothing.
    Any,
    /// Two or three numbers, the first of which is 1.
    One,
    /// Some text.
    Present,
}

impl Shape {
    /// Says whether a client with these rules reads the file at all.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn check(&self, file: &SignedRoot) -> Result<(), ShapeError> {
        file.verdicts().shape(self, || self.look(file))
    }

    fn look(&self, file: &SignedRoot) -> Result<(), ShapeError> {
        let root = file.root();
        self.check_roles(root)?;
        self.check_keys(root)?;
        let mut ids = BTreeSet::new();
        for signature in file.signatures() {
            if self.signatures_once && !ids.insert(&signature.key) {
                return Err(ShapeError::SignedTwice { id: signature.key.clone() });
            }
        }
        self.check_fields(root)
    }

    fn check_roles(&self, root: &Root) -> Result<(), ShapeError> {
        for role in Role::ALL {
            if self.all_roles && root.role(role).is_none() {
                return Err(ShapeError::RoleMissing { role });
            }
        }
        for (name, role) in root.roles() {
            let is_base = Role::ALL.iter().any(|base| base.name() == name);
            if self.no_other_role && !is_base {
                return Err(ShapeError::OtherRole { name: name.clone() });
            }
            // Notary looks at the four roles alone, and the others know no more than those.
            if is_base && role.threshold < 1 {
                return Err(ShapeError::Threshold { name: name.clone(), found: role.threshold });
            }
            let mut ids = BTreeSet::new();
            for id in &role.ids {
                if self.ids_once && !ids.insert(id) {
                    return Err(ShapeError::ListedTwice { name: name.clone(), id: id.clone() });
                }
                if self.every_id_has_a_key && is_base && root.key(id).is_none() {
                    return Err(ShapeError::KeyMissing { name: name.clone(), id: id.clone() });
                }
            }
        }
        Ok(())
    }

    fn check_keys(&self, root: &Root) -> Result<(), ShapeError> {
        for (id, key) in root.keys() {
            let text = |name: &str| {
                key.value()
                    .as_map()
                    .and_then(|m| m.get(name))
                    .and_then(Value::as_text)
                    .unwrap_or("")
            };
            let (kind, scheme) = (text("keytype"), text("scheme"));
            if !self.kinds.is_empty() && !self.kinds.contains(&(kind, scheme)) {
                let (kind, scheme) = (kind.to_owned(), scheme.to_owned());
                return Err(ShapeError::Kind { id: id.clone(), kind, scheme });
            }
            if self.own_ids && key.id() != id {
                return Err(ShapeError::WrongId { listed: id.clone(), own: key.id().clone() });
            }
            if self.every_key_decodes && key.public().is_none() {
                return Err(ShapeError::Undecodable { id: id.clone() });
            }
        }
        Ok(())
    }

    fn check_fields(&self, root: &Root) -> Result<(), ShapeError> {
        let expires = root.expires();
        let is_read = match self.expires {
            ExpiresText::Any => true,
            ExpiresText::Respelled => expires.text() == respelled(expires),
            ExpiresText::WholeSeconds => *expires == Expiry::at(expires.instant()),
        };
        if !is_read {
            return Err(ShapeError::Expires { found: expires.text().to_owned() });
        }
        let field = |name: &str| root.value().as_map().and_then(|m| m.get(name));
        let spec = field("spec_version").and_then(Value::as_text);
        let is_read = match self.spec_version {
            SpecVersion::Any => true,
            SpecVersion::One => spec.is_some_and(is_version_one),
            SpecVersion::Present => spec.is_some(),
        };
        if !is_read {
            return Err(ShapeError::SpecVersion { found: spec.unwrap_or_default().to_owned() });
        }
        match self.consistent_snapshot
            && field("consistent_snapshot").and_then(Value::as_bool).is_none()
        {
            true => Err(ShapeError::ConsistentSnapshot),
            false => Ok(()),
        }
    }
}

/// Why a client does not read a root at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// `consistent_snapshot` is missing.
    #[error("`consistent_snapshot` is missing")]
    ConsistentSnapshot,
    /// `expires` is written otherwise.
    #[error("`expires` is written as `{found}`")]
    Expires {
        /// What stands there.
        found: String,
    },
    /// An id has no key.
    #[error("role `{name}` lists `{id}`, which is not among the keys")]
    KeyMissing {
        /// The role.
        name: String,
        /// The id.
        id: KeyId,
    },
    /// A type of key that it does not know.
    #[error("key `{id}` is of type `{kind}` with scheme `{scheme}`")]
    Kind {
        /// The id.
        id: KeyId,
        /// Its type.
        kind: String,
        /// Its scheme.
        scheme: String,
    },
    /// A role lists an id twice.
    #[error("role `{name}` lists `{id}` twice")]
    ListedTwice {
        /// The role.
        name: String,
        /// The id.
        id: KeyId,
    },
    /// A role beyond the four.
    #[error("there is a role `{name}`")]
    OtherRole {
        /// The role.
        name: String,
    },
    /// One of the four roles is missing.
    #[error("role `{role}` is missing")]
    RoleMissing {
        /// The role.
        role: Role,
    },
    /// Two signatures name one id.
    #[error("key `{id}` has signed twice")]
    SignedTwice {
        /// The id.
        id: KeyId,
    },
    /// Another specification.
    #[error("`spec_version` is `{found}`")]
    SpecVersion {
        /// What stands there.
        found: String,
    },
    /// A threshold below 1.
    #[error("role `{name}` has the threshold {found}")]
    Threshold {
        /// The role.
        name: String,
        /// The threshold.
        found: i64,
    },
    /// A key that does not decode.
    #[error("key `{id}` does not decode")]
    Undecodable {
        /// The id.
        id: KeyId,
    },
    /// A key under another id than its own.
    #[error("the key listed as `{listed}` has the id `{own}`")]
    WrongId {
        /// The id in the document.
        listed: KeyId,
        /// The id recomputed.
        own: KeyId,
    },
}

/// The fewest of 0, 3, 6 or 9 digits of a second, and `Z`.
fn respelled(expires: &Expiry) -> String {
    let nanos = expires.instant().subsec_nanosecond();
    let digits = [(1_000_000_000, 0), (1_000_000, 3), (1_000, 6), (1, 9)];
    let digits = digits.into_iter().find(|(unit, _)| nanos % unit == 0).map_or(0, |(_, n)| n);
    format!("{:.*}", digits, expires.instant())
}

fn is_version_one(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (2..=3).contains(&parts.len()) && parts.iter().all(number) && parts[0] == "1"
}
