//! How the clients of the world read a root, as data: one [`Profile`] each.
//!
//! First floor: pure. Each value was read from the client's source and is compared with the client itself by the
//! test "the walk is right".

use std::collections::BTreeSet;

use super::threshold::{Counting, Fault, Signer};
use super::{Dialect, Expiry, KeyId, Role, Root, SignedRoot};
use crate::cjson::Value;

/// One client's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name people know it by.
    pub name: &'static str,
    /// The dialect that it reads.
    pub dialect: Dialect,
    /// How it gets from the root it holds to the newest.
    pub path: Path,
    /// What counts as a signature.
    pub counting: Counting,
    /// Whose signatures count.
    pub electors: Electors,
    /// Which roots must not have expired.
    pub expiry: Expiries,
    /// Whether the newest file must be byte for byte what a Notary server writes, since the snapshot names its hash.
    pub exact_bytes: bool,
    /// The largest root file it reads, in bytes.
    pub largest: usize,
    /// The most versions it goes through in one update.
    pub most_steps: u64,
    /// What it wants of a root before it counts.
    pub shape: Shape,
}

/// How a client gets from the root it holds to the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Straight to the newest; only if the keys it holds did not sign that, one version after the other.
    NewestFirst,
    /// One version after the other, until the next is not there (TUF 5.3).
    OneByOne,
    /// A server: each version is uploaded in turn and judged by the one before.
    Uploads,
}

/// Whose signatures count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Electors {
    /// The keys of root certificates that name the repository; in the new root only those that are valid that day.
    /// The ids are those of the certificates, whatever the document lists.
    Certificates,
    /// The keys that the root role lists.
    Listed,
}

/// Which roots must not have expired, and whether the last instant still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiries {
    /// Every root that is uploaded; the last instant counts.
    Each,
    /// The newest; the last instant counts.
    Newest,
    /// The newest; at the last instant it has expired.
    NewestExclusive,
}

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

impl Profile {
    /// The profiles that read roots of `dialect`, the strictest last.
    pub fn of(dialect: Dialect) -> impl Iterator<Item = &'static Profile> {
        ALL.iter().copied().filter(move |profile| profile.dialect == dialect)
    }
}

/// Every profile.
pub const ALL: [&Profile; 6] =
    [&NOTARY_CLIENT, &NOTARY_SERVER, &STRICTEST_NOTARY, &PYTHON_TUF, &TOUGH, &STRICTEST_TUF];

/// `notary` 0.7 and `docker trust`.
///
/// An unknown or bad signature is skipped; one key in two certificates counts twice; keys are found by the id of
/// their certificate as Go would write it, so that a certificate with CRLF never signs.
pub const NOTARY_CLIENT: Profile = Profile {
    name: "Notary client",
    dialect: Dialect::Notary,
    path: Path::NewestFirst,
    counting: BY_ID,
    electors: Electors::Certificates,
    expiry: Expiries::Newest,
    exact_bytes: true,
    largest: 100 << 20,
    most_steps: u64::MAX,
    shape: NOTARY_SHAPE,
};

/// `notary-server` 0.7: the same code judges what is uploaded.
///
/// It takes bytes that it would write otherwise, and the repository is then broken for every client.
pub const NOTARY_SERVER: Profile = Profile {
    name: "Notary server",
    path: Path::Uploads,
    expiry: Expiries::Each,
    exact_bytes: false,
    largest: usize::MAX,
    ..NOTARY_CLIENT
};

/// python-tuf 7: ids are not recomputed, so one key under two ids counts twice; it stops without a complaint at the
/// first version that is not there.
pub const PYTHON_TUF: Profile = Profile {
    name: "python-tuf",
    dialect: Dialect::Tuf,
    path: Path::OneByOne,
    counting: BY_ID,
    electors: Electors::Listed,
    expiry: Expiries::NewestExclusive,
    exact_bytes: false,
    largest: 512_000,
    most_steps: 256,
    shape: Shape {
        all_roles: true,
        no_other_role: true,
        every_id_has_a_key: false,
        ids_once: true,
        signatures_once: true,
        own_ids: false,
        kinds: &PYTHON_KINDS,
        every_key_decodes: false,
        pem_only: true,
        expires: ExpiresText::WholeSeconds,
        spec_version: SpecVersion::One,
        consistent_snapshot: false,
    },
};

/// tough 0.24: every id is recomputed; it knows neither P-384 nor any role beyond the four, and refuses the whole
/// root for one key of a kind that it does not know, an online key too.
pub const TOUGH: Profile = Profile {
    name: "tough",
    dialect: Dialect::Tuf,
    path: Path::OneByOne,
    counting: BY_ID,
    electors: Electors::Listed,
    expiry: Expiries::Newest,
    exact_bytes: false,
    largest: 1 << 20,
    most_steps: 1024,
    shape: Shape {
        all_roles: false,
        no_other_role: true,
        every_id_has_a_key: false,
        ids_once: false,
        signatures_once: true,
        own_ids: true,
        kinds: &TOUGH_KINDS,
        every_key_decodes: true,
        pem_only: false,
        expires: ExpiresText::Respelled,
        spec_version: SpecVersion::Present,
        consistent_snapshot: true,
    },
};

/// What we ask of our own Notary chains: whatever the client asks, and each public key counted once.
///
/// It goes one version after the other even where the client would jump.
pub const STRICTEST_NOTARY: Profile = Profile {
    name: "strictest",
    path: Path::OneByOne,
    counting: STRICT,
    expiry: Expiries::NewestExclusive,
    largest: 1 << 20,
    most_steps: 256,
    shape: Shape {
        ids_once: true,
        signatures_once: true,
        own_ids: true,
        every_key_decodes: true,
        consistent_snapshot: true,
        ..NOTARY_SHAPE
    },
    ..NOTARY_CLIENT
};

/// What we ask of our own TUF chains: whatever any client asks, and each public key counted once.
///
/// P-384 is the exception: the specification has it, [`TOUGH`] does not.
pub const STRICTEST_TUF: Profile = Profile {
    name: "strictest",
    counting: STRICT,
    shape: Shape {
        every_id_has_a_key: true,
        own_ids: true,
        every_key_decodes: true,
        consistent_snapshot: true,
        ..PYTHON_TUF.shape
    },
    ..PYTHON_TUF
};

const BY_ID: Counting = Counting {
    signer: Signer::Id,
    wrong_id: Fault::Ignore,
    unknown_key: Fault::Skip,
    bad_signature: Fault::Skip,
    second_signature: Fault::Ignore,
};

/// Signatures by keys outside the chain that is at hand are nothing to refuse: they may be of versions before it.
const STRICT: Counting = Counting { unknown_key: Fault::Skip, ..Counting::STRICTEST };

const NOTARY_SHAPE: Shape = Shape {
    all_roles: true,
    no_other_role: false,
    every_id_has_a_key: true,
    ids_once: false,
    signatures_once: false,
    own_ids: false,
    kinds: &[],
    every_key_decodes: false,
    pem_only: false,
    expires: ExpiresText::Any,
    spec_version: SpecVersion::Any,
    consistent_snapshot: false,
};

impl Shape {
    /// Says whether a client with these rules reads the file at all.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn check(&self, file: &SignedRoot) -> Result<(), ShapeError> {
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

const PYTHON_KINDS: [(&str, &str); 19] = [
    ("dsa", "pgp+dsa-fips-180-2"),
    ("ecdsa", "ecdsa-sha2-nistp256"),
    ("ecdsa", "ecdsa-sha2-nistp384"),
    ("ecdsa", "ecdsa-sha2-nistp521"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"),
    ("ed25519", "ed25519"),
    ("eddsa", "pgp+eddsa-ed25519"),
    ("ml-dsa", "ml-dsa-44/1"),
    ("ml-dsa", "ml-dsa-65/1"),
    ("ml-dsa", "ml-dsa-87/1"),
    ("rsa", "pgp+rsa-pkcsv1.5"),
    ("rsa", "rsa-pkcs1v15-sha256"),
    ("rsa", "rsa-pkcs1v15-sha384"),
    ("rsa", "rsa-pkcs1v15-sha512"),
    ("rsa", "rsassa-pss-sha256"),
    ("rsa", "rsassa-pss-sha384"),
    ("rsa", "rsassa-pss-sha512"),
];

const TOUGH_KINDS: [(&str, &str); 4] = [
    ("ecdsa", "ecdsa-sha2-nistp256"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    ("ed25519", "ed25519"),
    ("rsa", "rsassa-pss-sha256"),
];
