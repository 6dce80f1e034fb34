//! Notary v1's encoding of keys, signatures and root files, byte for byte as Go's encoder writes them.
//!
//! First floor: pure.

use data_encoding::BASE64;

use super::certificate::Bundle;
use super::{Error, Fields, Key, KeyId, Root, Signature, SignedRoot};
use crate::cjson::{Form, Value};
use crate::digest::Digest;
use crate::key::{Algorithm, Hash, PublicKey, Scheme};

/// How a key of this kind signs Notary metadata: ECDSA is r‖s over SHA-256 whatever the curve.
pub(super) fn scheme(algorithm: Algorithm) -> Result<Scheme, Error> {
    match algorithm {
        Algorithm::Ed25519 => Err(Error::Algorithm { dialect: super::Dialect::Notary, algorithm }),
        Algorithm::Rsa(_) => Ok(Scheme::RsaPss),
        _ => Ok(Scheme::EcdsaRaw(Hash::Sha256)),
    }
}

/// The `method` of signatures in this scheme.
pub const fn method(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::EcdsaDer(_) | Scheme::EcdsaRaw(_) => "ecdsa",
        Scheme::Ed25519 => "eddsa",
        Scheme::RsaPkcs1 => "rsapkcs1v15",
        Scheme::RsaPss => "rsapss",
    }
}

/// The scheme that a signature's `method` names; Go lower-cases it first.
pub fn scheme_of_method(method: &str) -> Option<Scheme> {
    match method.to_lowercase().as_str() {
        "ecdsa" => Some(Scheme::EcdsaRaw(Hash::Sha256)),
        "eddsa" => Some(Scheme::Ed25519),
        "rsapkcs1v15" => Some(Scheme::RsaPkcs1),
        "rsapss" => Some(Scheme::RsaPss),
        _ => None,
    }
}

/// The key object of a plain key.
pub(super) fn plain_key(key: &PublicKey) -> Result<Value, Error> {
    match key.algorithm() {
        Algorithm::Ed25519 => Ok(key_object("ed25519", key.material())),
        Algorithm::Rsa(_) => Ok(key_object("rsa", key.der())),
        _ => Ok(key_object("ecdsa", key.der())),
    }
}

/// The key object of a certificate: Notary puts its PEM text where plain keys have DER.
pub(super) fn certificate_key(bundle: &Bundle) -> Value {
    let kind = match bundle.leaf().public().algorithm() {
        Algorithm::Rsa(_) => "rsa-x509",
        _ => "ecdsa-x509",
    };
    key_object(kind, bundle.pem().as_bytes())
}

fn key_object(kind: &str, public: &[u8]) -> Value {
    let keyval = [("private", Value::Null), ("public", Value::text(BASE64.encode(public)))];
    Value::map([("keytype", Value::text(kind)), ("keyval", Value::map(keyval))])
}

/// Reads a key object; what is unknown stays opaque. The id covers type and public part alone, as Go computes it.
pub(super) fn read_key(value: &Value) -> Key {
    let kind = value.as_map().and_then(|m| m.get("keytype")).and_then(Value::as_text);
    let keyval = value.as_map().and_then(|m| m.get("keyval")).and_then(Value::as_map);
    let public = keyval.and_then(|m| m.get("public")).and_then(Value::as_text);
    let kind = kind.unwrap_or_default();
    let bytes = public.and_then(|text| BASE64.decode(text.as_bytes()).ok()).unwrap_or_default();
    let id = KeyId::from(Digest::of(&key_object(kind, &bytes).go()));
    let mut key = Key { value: value.clone(), id, scheme: None, public: None, bundle: None };
    // Notary looks for certificates in a root key whatever its type says.
    if bytes.starts_with(b"-----BEGIN ") || kind.ends_with("-x509") {
        key.bundle = String::from_utf8(bytes.clone()).ok().and_then(|t| Bundle::read(&t).ok());
    }
    let certified = key.bundle.as_ref().map(|bundle| bundle.leaf().public().clone());
    key.public = match kind {
        "ecdsa" => PublicKey::from_der(&bytes).ok().filter(|key| key.algorithm().width().is_some()),
        "rsa" => PublicKey::from_der(&bytes).ok().filter(is_rsa),
        "ed25519" => PublicKey::from_ed25519(&bytes).ok(),
        "ecdsa-x509" => certified.filter(|key| key.algorithm().width().is_some()),
        "rsa-x509" => certified.filter(is_rsa),
        _ => None,
    };
    key.scheme = key.public.as_ref().map(|public| match public.algorithm() {
        Algorithm::Ed25519 => Scheme::Ed25519,
        Algorithm::Rsa(_) => Scheme::RsaPss,
        _ => Scheme::EcdsaRaw(Hash::Sha256),
    });
    key
}

fn is_rsa(key: &PublicKey) -> bool {
    matches!(key.algorithm(), Algorithm::Rsa(_))
}

/// Reads `{"keyid","method","sig"}`, as every role's file holds it.
///
/// # Errors
/// A field that is missing, or `sig` that is not base64.
pub fn read_signature(value: &Value) -> Result<Signature, Error> {
    let fields = Fields::of("signatures", value)?;
    let bytes = BASE64.decode(fields.text("sig")?.as_bytes());
    Ok(Signature {
        key: KeyId::new(fields.text("keyid")?),
        method: Some(fields.text("method")?.to_owned()),
        bytes: bytes.map_err(|_| Error::wrong("sig", "base64 with padding"))?,
    })
}

/// The file as Go's outer encoder writes it: `signed` first, escaped for HTML, no line end.
pub(super) fn file(root: &Root, signatures: &[Signature]) -> Vec<u8> {
    file_of(root.value(), signatures)
}

/// The file of any role around what is signed: `signed` first, escaped for HTML, no line end.
pub fn file_of(signed: &Value, signatures: &[Signature]) -> Vec<u8> {
    let go = |value: &Value| value.encode(Form::GoEmbedded);
    let mut out = b"{\"signed\":".to_vec();
    out.extend(go(signed));
    out.extend_from_slice(b",\"signatures\":[");
    for (i, signature) in signatures.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        let method = signature.method.as_deref().unwrap_or_default().to_lowercase();
        out.extend_from_slice(b"{\"keyid\":");
        out.extend(go(&Value::text(signature.key.as_str())));
        out.extend_from_slice(b",\"method\":");
        out.extend(go(&Value::text(method)));
        out.extend_from_slice(b",\"sig\":");
        out.extend(go(&Value::text(BASE64.encode(&signature.bytes))));
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

/// What a Notary server writes when it has parsed this file: known fields only, its own layout.
///
/// A server-managed snapshot names the hash of *these* bytes, so a file that differs from them is taken with
/// status 200 and is then broken for every client.
pub fn reencode(file: &SignedRoot) -> Vec<u8> {
    file_of(&known_fields(file.root()), file.signatures())
}

/// Says whether a Notary server would keep the file byte for byte.
pub fn is_byte_exact(file: &SignedRoot) -> bool {
    reencode(file) == file.bytes()
}

fn known_fields(root: &Root) -> Value {
    let consistent = root.value().as_map().and_then(|m| m.get("consistent_snapshot"));
    let keys = root.keys().iter().map(|(id, key)| (id.as_str(), known_key(key)));
    let roles = root.roles().iter().map(|(name, role)| {
        let ids = role.ids.iter().map(|id| Value::text(id.as_str())).collect();
        let members = [("keyids", Value::List(ids)), ("threshold", Value::Integer(role.threshold))];
        (name.as_str(), Value::map(members))
    });
    Value::map([
        ("_type", Value::text("Root")),
        ("consistent_snapshot", Value::Bool(consistent.and_then(Value::as_bool).unwrap_or(false))),
        ("expires", Value::text(go_time(root.expires()))),
        ("keys", Value::map(keys)),
        ("roles", Value::map(roles)),
        ("version", Value::Integer(root.version().get() as i64)),
    ])
}

fn known_key(key: &Key) -> Value {
    let kind = key.value().as_map().and_then(|m| m.get("keytype")).and_then(Value::as_text);
    let keyval = key.value().as_map().and_then(|m| m.get("keyval")).and_then(Value::as_map);
    let public = keyval.and_then(|m| m.get("public")).and_then(Value::as_text).unwrap_or_default();
    let bytes = BASE64.decode(public.as_bytes()).unwrap_or_default();
    key_object(kind.unwrap_or_default(), &bytes)
}

/// Go's RFC3339Nano: no trailing zeros in the fraction, `Z` for an offset of zero, any other offset kept.
fn go_time(expiry: &super::Expiry) -> String {
    let text = expiry.text();
    let (base, rest) = text.split_at(19.min(text.len()));
    let zone = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (fraction, zone) = rest.split_at(zone);
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    let zone = match zone {
        "+00:00" | "-00:00" => "Z",
        zone => zone,
    };
    format!("{base}{fraction}{zone}")
}

#[cfg(test)]
mod tests;
