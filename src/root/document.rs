//! A root and a root file.
//!
//! First floor: pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::threshold::verifies;
use super::verdict::Verdicts;
use super::{Dialect, Error, Expiry, Fields, Key, KeyId, Role, RoleKeys, Version, notary, tuf};
use crate::cjson::{Limits, Value};
use crate::digest::Digest;
use crate::key::{self, PublicKey, Scheme};

/// A root as its signatures cover it: everything it says, known to us or not, in no particular layout. A clone shares
/// all of it.
#[derive(Clone, Debug)]
pub struct Root(Arc<Said>);

#[derive(Debug)]
struct Said {
    dialect: Dialect,
    value: Value,
    version: Version,
    expires: Expiry,
    keys: BTreeMap<KeyId, Key>,
    roles: BTreeMap<String, RoleKeys>,
}

impl Root {
    /// Reads the content of `signed`. The structure must be right; whether ids, thresholds and keys are good is for
    /// [`super::succession`] and the profiles to say.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::Type`] naming the field, text that is not NFC in a TUF root.
    pub fn from_value(dialect: Dialect, value: Value) -> Result<Self, Error> {
        Self::from_value_knowing(dialect, value, &BTreeMap::new())
    }

    /// The same where some key objects were read before: one that says the same under the same id is not read again.
    pub(super) fn from_value_knowing(
        dialect: Dialect,
        value: Value,
        known: &BTreeMap<KeyId, Key>,
    ) -> Result<Self, Error> {
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
            match known.get_key_value(id.as_str()) {
                Some((id, known)) if known.is_of(dialect, key) => {
                    keys.insert(id.clone(), known.clone());
                }
                _ => {
                    keys.insert(KeyId::new(id), Key::of(dialect, key.clone()));
                }
            }
        }
        let mut roles = BTreeMap::new();
        for (name, role) in top.map("roles")? {
            roles.insert(name.to_string(), read_role(name, role)?);
        }
        Ok(Self(Arc::new(Said { dialect, version, expires, keys, roles, value })))
    }

    /// The dialect.
    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// The whole content of `signed`.
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.0.version
    }

    /// When it expires.
    pub fn expires(&self) -> &Expiry {
        &self.0.expires
    }

    /// The keys by the id under which the document lists them.
    pub fn keys(&self) -> &BTreeMap<KeyId, Key> {
        &self.0.keys
    }

    /// The key listed under `id`.
    pub fn key(&self, id: &KeyId) -> Option<&Key> {
        self.0.keys.get(id)
    }

    /// All roles by name, those that we do not know included.
    pub fn roles(&self) -> &BTreeMap<String, RoleKeys> {
        &self.0.roles
    }

    /// The keys of one of the four roles.
    pub fn role(&self, role: Role) -> Option<&RoleKeys> {
        self.0.roles.get(role.name())
    }

    /// The listed keys of a role with their ids, in the order of the document; ids without a key are left out.
    pub fn role_keys(&self, role: Role) -> impl Iterator<Item = (&KeyId, &Key)> {
        let ids = self.role(role).map(|keys| keys.ids.as_slice()).unwrap_or_default();
        ids.iter().filter_map(|id| self.0.keys.get_key_value(id))
    }

    /// The id under which the root role lists this public key; with several certificates of one key, the first.
    pub fn root_key_id(&self, public: &PublicKey) -> Option<&KeyId> {
        self.role_keys(Role::Root).find(|(_, key)| key.public() == Some(public)).map(|(id, _)| id)
    }

    /// The bytes that signatures cover.
    pub fn signed_bytes(&self) -> Vec<u8> {
        // A TUF root was found to be NFC when it was read, so both dialects have the same bytes here.
        self.0.value.go()
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
        Ok(self.0.dialect.scheme(key.algorithm())?.to_sign(&self.signed_bytes()))
    }

    /// Makes a signature from a token's raw answer and verifies it.
    ///
    /// # Errors
    /// [`Error::Key`] when the answer is not a signature by `key` over this root.
    pub fn signature(&self, id: &KeyId, key: &PublicKey, raw: &[u8]) -> Result<Signature, Error> {
        let scheme = self.0.dialect.scheme(key.algorithm())?;
        self.signature_of(id, key, scheme.encode(key.algorithm(), raw)?)
    }

    /// Makes a signature from a token's raw answer, not verified.
    ///
    /// # Errors
    /// [`Error::Key`] when the answer has not the form of a signature of such a key.
    pub fn signature_of_form(
        &self,
        id: &KeyId,
        key: &PublicKey,
        raw: &[u8],
    ) -> Result<Signature, Error> {
        let scheme = self.0.dialect.scheme(key.algorithm())?;
        self.signature_under(id, key, scheme.encode(key.algorithm(), raw)?)
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
        let scheme = self.0.dialect.scheme(key.algorithm())?;
        key.verify(scheme, &self.signed_bytes(), &bytes)?;
        self.signature_under(id, key, bytes)
    }

    /// The same of bytes that nobody verified yet: whoever counts signatures does.
    ///
    /// # Errors
    /// [`Error::Algorithm`] when the dialect's roots are not signed by such keys.
    pub fn signature_under(
        &self,
        id: &KeyId,
        key: &PublicKey,
        bytes: Vec<u8>,
    ) -> Result<Signature, Error> {
        let scheme = self.0.dialect.scheme(key.algorithm())?;
        let method = (self.0.dialect == Dialect::Notary).then(|| notary::method(scheme).to_owned());
        Ok(Signature { key: id.clone(), method, bytes })
    }
}

// All else was read of the value.
impl PartialEq for Root {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.dialect == other.0.dialect && self.0.value == other.0.value)
    }
}

impl Eq for Root {}

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

/// A root file: its exact bytes, what it says, and the signatures it carries, none of them verified yet. A clone shares
/// all of it, and what was found out about it.
#[derive(Clone, Debug)]
pub struct SignedRoot(Arc<File>);

#[derive(Debug)]
struct File {
    bytes: Vec<u8>,
    root: Root,
    signatures: Vec<Signature>,
    verdicts: Verdicts,
}

impl SignedRoot {
    /// Reads a root file of at most [`Limits::ROOT`].
    ///
    /// # Errors
    /// [`Error::Json`], or a field that is missing or of another type.
    pub fn parse(dialect: Dialect, bytes: &[u8]) -> Result<Self, Error> {
        Self::parse_knowing(dialect, bytes, &BTreeMap::new())
    }

    /// Reads the file that is thought to follow `last`, if there is one: the keys that both list are read and held once.
    ///
    /// # Errors
    /// As [`SignedRoot::parse`].
    pub fn parse_after(dialect: Dialect, last: Option<&Self>, bytes: &[u8]) -> Result<Self, Error> {
        match last {
            Some(last) => Self::parse_knowing(dialect, bytes, last.root().keys()),
            None => Self::parse(dialect, bytes),
        }
    }

    fn parse_knowing(
        dialect: Dialect,
        bytes: &[u8],
        known: &BTreeMap<KeyId, Key>,
    ) -> Result<Self, Error> {
        let value = Value::parse(bytes, Limits::ROOT)?;
        let file = Fields::of("the file", &value)?;
        let list = file.get("signatures")?;
        let list = list.as_list().ok_or_else(|| Error::wrong("signatures", "a list"))?;
        let read = match dialect {
            Dialect::Notary => notary::read_signature,
            Dialect::Tuf => tuf::read_signature,
        };
        let signatures = list.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let root = Root::from_value_knowing(dialect, file.get("signed")?.clone(), known)?;
        Ok(Self::of(bytes.to_vec(), root, signatures))
    }

    /// Puts a root and its signatures into a file; the order in which signatures were made does not matter.
    pub fn assemble(root: &Root, signatures: &[Signature]) -> Self {
        let mut signatures = signatures.to_vec();
        signatures.sort();
        signatures.dedup();
        let bytes = match root.dialect() {
            Dialect::Notary => notary::file(root, &signatures),
            Dialect::Tuf => tuf::file(root, &signatures),
        };
        Self::of(bytes, root.clone(), signatures)
    }

    fn of(bytes: Vec<u8>, root: Root, signatures: Vec<Signature>) -> Self {
        Self(Arc::new(File { bytes, root, signatures, verdicts: Verdicts::default() }))
    }

    /// Says whether the signature at `index` is good under `key`. A signature is verified once under each key.
    pub(super) fn is_good(&self, index: usize, key: &Key) -> bool {
        let Some(signature) = self.signatures().get(index) else { return false };
        self.0.verdicts.good(index, key, || {
            verifies(self.root().dialect(), key, &self.root().signed_bytes(), signature)
        })
    }

    /// Takes the signature under an id as good, which this very process verified under that key and scheme before, over the
    /// same bytes: when the file was read earlier, or was not put together yet.
    pub fn dangerous_assume_good(&self, id: &KeyId, scheme: Scheme, key: &PublicKey) {
        let signatures = self.signatures().iter().enumerate();
        for (index, _) in signatures.filter(|(_, signature)| signature.key == *id) {
            self.0.verdicts.assume_good(index, scheme, key);
        }
    }

    /// Whether every signature that anybody asked about was good.
    pub fn is_sound(&self) -> bool {
        self.0.verdicts.are_good()
    }

    pub(super) fn verdicts(&self) -> &Verdicts {
        &self.0.verdicts
    }

    /// The exact bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// What it says.
    pub fn root(&self) -> &Root {
        &self.0.root
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.root().version()
    }

    /// The signatures, in the order of the file.
    pub fn signatures(&self) -> &[Signature] {
        &self.0.signatures
    }

    /// The SHA-256 of the file.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0.bytes)
    }

    /// The SHA-256 of what the signatures cover.
    pub fn signed_digest(&self) -> Digest {
        self.root().signed_digest()
    }
}

impl PartialEq for SignedRoot {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&self.0, &other.0);
        one.bytes == other.bytes && one.root == other.root && one.signatures == other.signatures
    }
}

impl Eq for SignedRoot {}

fn read_role(name: &str, value: &Value) -> Result<RoleKeys, Error> {
    let fields = Fields::of_role(name, value)?;
    let ids = fields.get("keyids")?.as_list().ok_or_else(|| Error::wrong("keyids", "a list"))?;
    let id = |value: &Value| value.as_text().map(KeyId::new);
    let ids = ids.iter().map(id).collect::<Option<Vec<_>>>();
    let ids = ids.ok_or_else(|| Error::wrong("keyids", "a list of text"))?;
    Ok(RoleKeys { ids, threshold: fields.integer("threshold")? })
}
