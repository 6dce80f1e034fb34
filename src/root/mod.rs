//! Root metadata of both dialects as one model that keeps every byte the signatures cover.
//!
//! First floor: pure, touches nothing but the ground floor.

pub mod certificate;
pub mod diff;
#[cfg(test)]
pub(crate) mod fixture;
pub mod horizon;
pub mod notary;
pub mod profile;
pub mod succession;
pub mod threshold;
pub mod tuf;
pub mod walk;

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cjson::{self, Limits, Value};
use crate::digest::Digest;
use crate::key::{self, Algorithm, PublicKey, Scheme};
use certificate::Bundle;

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

    const fn kind(self) -> &'static str {
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

/// The name of a key inside metadata: 64 lower-case hex digits in all that we write, any text in what we read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// Takes an id as a document writes it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Digest> for KeyId {
    fn from(digest: Digest) -> Self {
        Self(digest.to_string())
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

/// The keys of a role and how many of them must sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleKeys {
    /// The ids, in the order of the document.
    pub ids: Vec<KeyId>,
    /// How many must sign; a foreign document may say 0 or less.
    pub threshold: i64,
}

/// A key as metadata states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    value: Value,
    id: KeyId,
    scheme: Option<Scheme>,
    public: Option<PublicKey>,
    bundle: Option<Bundle>,
}

impl Key {
    /// A plain key of `dialect`: what online roles have, and TUF roots.
    ///
    /// # Errors
    /// [`Error::Algorithm`] when the dialect has no such key.
    pub fn plain(dialect: Dialect, key: &PublicKey) -> Result<Self, Error> {
        match dialect {
            Dialect::Notary => notary::plain_key(key).map(|value| notary::read_key(&value)),
            Dialect::Tuf => tuf::key_value(key).map(|value| tuf::read_key(&value)),
        }
    }

    /// A Notary root key: a certificate.
    pub fn certificate(bundle: &Bundle) -> Self {
        notary::read_key(&notary::certificate_key(bundle))
    }

    /// The key object of the document.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The id recomputed from the key object, as this dialect's strict clients do.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The id of the key without its certificate, under which Notary keeps private keys and lists keys.
    pub fn canonical_id(&self) -> Option<KeyId> {
        let plain = notary::plain_key(self.public.as_ref()?).ok()?;
        Some(notary::read_key(&plain).id)
    }

    /// The public key, unless it is of a kind that we cannot read.
    pub fn public(&self) -> Option<&PublicKey> {
        self.public.as_ref()
    }

    /// How this key signs, unless it is of a kind that we cannot read.
    pub fn scheme(&self) -> Option<Scheme> {
        self.scheme
    }

    /// The certificate and its intermediates, when the key has one.
    pub fn bundle(&self) -> Option<&Bundle> {
        self.bundle.as_ref()
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
        let shape = text.len() >= 20 && text.as_bytes()[10] == b'T' && !text.contains('[');
        let instant = text.parse().ok().filter(|_| shape)?;
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

/// A root as its signatures cover it: everything it says, known to us or not, in no particular layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    dialect: Dialect,
    value: Value,
    version: Version,
    expires: Expiry,
    keys: BTreeMap<KeyId, Key>,
    roles: BTreeMap<String, RoleKeys>,
}

impl Root {
    /// Reads the content of `signed`. The structure must be right; whether ids, thresholds and keys are good is for
    /// [`succession`] and the profiles to say.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::Type`] naming the field, text that is not NFC in a TUF root.
    pub fn from_value(dialect: Dialect, value: Value) -> Result<Self, Error> {
        if dialect == Dialect::Tuf {
            value.check_nfc()?;
        }
        let top = Fields::of("signed", &value)?;
        let kind = top.text("_type")?;
        if kind != dialect.kind() {
            return Err(Error::Kind { expected: dialect.kind(), found: kind.to_owned() });
        }
        let number = top.integer("version")?;
        let version = u64::try_from(number).ok().and_then(Version::new);
        let version = version.ok_or(Error::Version { found: number })?;
        let expires = top.text("expires")?;
        let expires =
            Expiry::from_text(expires).ok_or(Error::Expires { found: expires.to_owned() })?;
        let mut keys = BTreeMap::new();
        for (id, key) in top.map("keys")? {
            let key = match dialect {
                Dialect::Notary => notary::read_key(key),
                Dialect::Tuf => tuf::read_key(key),
            };
            keys.insert(KeyId::new(id), key);
        }
        let mut roles = BTreeMap::new();
        for (name, role) in top.map("roles")? {
            roles.insert(name.clone(), read_role(name, role)?);
        }
        Ok(Self { dialect, version, expires, keys, roles, value })
    }

    /// The dialect.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The whole content of `signed`.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// When it expires.
    pub fn expires(&self) -> &Expiry {
        &self.expires
    }

    /// The keys by the id under which the document lists them.
    pub fn keys(&self) -> &BTreeMap<KeyId, Key> {
        &self.keys
    }

    /// The key listed under `id`.
    pub fn key(&self, id: &KeyId) -> Option<&Key> {
        self.keys.get(id)
    }

    /// All roles by name, those that we do not know included.
    pub fn roles(&self) -> &BTreeMap<String, RoleKeys> {
        &self.roles
    }

    /// The keys of one of the four roles.
    pub fn role(&self, role: Role) -> Option<&RoleKeys> {
        self.roles.get(role.name())
    }

    /// The listed keys of a role with their ids, in the order of the document; ids without a key are left out.
    pub fn role_keys(&self, role: Role) -> impl Iterator<Item = (&KeyId, &Key)> {
        let ids = self.role(role).map(|keys| keys.ids.as_slice()).unwrap_or_default();
        ids.iter().filter_map(|id| self.keys.get_key_value(id))
    }

    /// The id under which the root role lists this public key; with several certificates of one key, the first.
    pub fn root_key_id(&self, public: &PublicKey) -> Option<&KeyId> {
        self.role_keys(Role::Root).find(|(_, key)| key.public() == Some(public)).map(|(id, _)| id)
    }

    /// The bytes that signatures cover.
    pub fn signed_bytes(&self) -> Vec<u8> {
        // A TUF root was found to be NFC when it was read, so both dialects have the same bytes here.
        self.value.go()
    }

    /// The SHA-256 of [`Root::signed_bytes`].
    pub fn signed_digest(&self) -> Digest {
        Digest::of(&self.signed_bytes())
    }

    /// What a token is given so that `key`, of this root or of the one before, signs it.
    ///
    /// # Errors
    /// [`Error::Algorithm`] when the dialect's roots are not signed by such keys.
    pub fn to_sign(&self, key: &PublicKey) -> Result<key::ToSign, Error> {
        Ok(self.dialect.scheme(key.algorithm())?.to_sign(&self.signed_bytes()))
    }

    /// Makes a signature from a token's raw answer and verifies it.
    ///
    /// # Errors
    /// [`Error::Key`] when the answer is not a signature by `key` over this root.
    pub fn signature(&self, id: &KeyId, key: &PublicKey, raw: &[u8]) -> Result<Signature, Error> {
        let scheme = self.dialect.scheme(key.algorithm())?;
        self.signature_of(id, key, scheme.encode(key.algorithm(), raw)?)
    }

    /// Makes a signature from its bytes in the dialect's encoding and verifies it.
    ///
    /// # Errors
    /// [`Error::Key`] when the bytes are not a signature by `key` over this root.
    pub fn signature_of(
        &self,
        id: &KeyId,
        key: &PublicKey,
        bytes: Vec<u8>,
    ) -> Result<Signature, Error> {
        let scheme = self.dialect.scheme(key.algorithm())?;
        key.verify(scheme, &self.signed_bytes(), &bytes)?;
        let method = (self.dialect == Dialect::Notary).then(|| notary::method(scheme).to_owned());
        Ok(Signature { key: id.clone(), method, bytes })
    }
}

/// One signature of a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signature {
    /// Whose it says it is.
    pub key: KeyId,
    /// Notary's name of the scheme, as written; TUF has none.
    pub method: Option<String>,
    /// The signature in the dialect's encoding.
    pub bytes: Vec<u8>,
}

/// A root file: its exact bytes, what it says, and the signatures it carries, none of them verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRoot {
    bytes: Vec<u8>,
    root: Root,
    signatures: Vec<Signature>,
}

impl SignedRoot {
    /// Reads a root file of at most [`Limits::ROOT`].
    ///
    /// # Errors
    /// [`Error::Json`], or a field that is missing or of another type.
    pub fn parse(dialect: Dialect, bytes: &[u8]) -> Result<Self, Error> {
        let value = Value::parse(bytes, Limits::ROOT)?;
        let file = Fields::of("the file", &value)?;
        let list = file.get("signatures")?;
        let list = list.as_list().ok_or(Error::wrong("signatures", "a list"))?;
        let read = match dialect {
            Dialect::Notary => notary::read_signature,
            Dialect::Tuf => tuf::read_signature,
        };
        let signatures = list.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let root = Root::from_value(dialect, file.get("signed")?.clone())?;
        Ok(Self { bytes: bytes.to_vec(), root, signatures })
    }

    /// Puts a root and its signatures into a file; the order in which signatures were made does not matter.
    pub fn assemble(root: &Root, signatures: &[Signature]) -> Self {
        let mut signatures = signatures.to_vec();
        signatures.sort();
        signatures.dedup();
        let bytes = match root.dialect {
            Dialect::Notary => notary::file(root, &signatures),
            Dialect::Tuf => tuf::file(root, &signatures),
        };
        Self { bytes, root: root.clone(), signatures }
    }

    /// The exact bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it says.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.root.version
    }

    /// The signatures, in the order of the file.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The SHA-256 of the file.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// The SHA-256 of what the signatures cover.
    pub fn signed_digest(&self) -> Digest {
        self.root.signed_digest()
    }
}

/// Why a document is no root, or a key no key of its dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The dialect's roots take no such key.
    #[error("a {dialect} root takes no key of {algorithm}")]
    Algorithm {
        /// The dialect.
        dialect: Dialect,
        /// The kind of the key.
        algorithm: Algorithm,
    },
    /// `expires` is no date and time.
    #[error("`expires` is a date and time of RFC 3339, found `{found}`")]
    Expires {
        /// What stands there.
        found: String,
    },
    /// Not the JSON of signed metadata.
    #[error(transparent)]
    Json(#[from] cjson::Error),
    /// A key or a signature is refused.
    #[error(transparent)]
    Key(#[from] key::Error),
    /// Another role's metadata, or another dialect's.
    #[error("expected `_type` `{expected}`, found `{found}`")]
    Kind {
        /// What a root says.
        expected: &'static str,
        /// What this says.
        found: String,
    },
    /// A field is missing.
    #[error("`{field}` is missing in {place}")]
    Missing {
        /// The field.
        field: String,
        /// Where it belongs.
        place: String,
    },
    /// A field holds another type.
    #[error("`{field}` is {expected}")]
    Type {
        /// The field.
        field: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The version is not from 1 to 2^53.
    #[error("a version is a number from 1 to 2^53, found {found}")]
    Version {
        /// What stands there.
        found: i64,
    },
}

impl Error {
    pub(crate) fn wrong(field: &str, expected: &'static str) -> Self {
        Error::Type { field: field.to_owned(), expected }
    }
}

/// The members of an object, with errors that name the field.
pub(crate) struct Fields<'a> {
    place: &'a str,
    members: &'a BTreeMap<String, Value>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(place: &'a str, value: &'a Value) -> Result<Self, Error> {
        let members = value.as_map().ok_or(Error::wrong(place, "an object"))?;
        Ok(Self { place, members })
    }

    pub(crate) fn get(&self, field: &str) -> Result<&'a Value, Error> {
        self.members
            .get(field)
            .ok_or_else(|| Error::Missing { field: field.to_owned(), place: self.place.to_owned() })
    }

    pub(crate) fn text(&self, field: &str) -> Result<&'a str, Error> {
        self.get(field)?.as_text().ok_or(Error::wrong(field, "text"))
    }

    pub(crate) fn integer(&self, field: &str) -> Result<i64, Error> {
        self.get(field)?.as_integer().ok_or(Error::wrong(field, "an integer"))
    }

    pub(crate) fn map(&self, field: &str) -> Result<&'a BTreeMap<String, Value>, Error> {
        self.get(field)?.as_map().ok_or(Error::wrong(field, "an object"))
    }
}

fn read_role(name: &str, value: &Value) -> Result<RoleKeys, Error> {
    let place = format!("role `{name}`");
    let fields = Fields::of(&place, value)?;
    let ids = fields.get("keyids")?.as_list().ok_or(Error::wrong("keyids", "a list"))?;
    let id = |value: &Value| value.as_text().map(KeyId::new);
    let ids = ids.iter().map(id).collect::<Option<Vec<_>>>();
    let ids = ids.ok_or(Error::wrong("keyids", "a list of text"))?;
    Ok(RoleKeys { ids, threshold: fields.integer("threshold")? })
}
