//! Notary v1's encoding of keys, signatures and root files, byte for byte as Go's encoder writes them.
//!
//! First floor: pure.

use data_encoding::BASE64;

use super::certificate::Bundle;
use super::{Dialect, Error, Fields, KeyId, Read, Root, Signature, SignedRoot};
use crate::cjson::{Form, Value, write_text};
use crate::digest::Digest;
use crate::key::{Algorithm, Hash, PublicKey, Scheme};

/// How a key of this kind signs Notary metadata: ECDSA is r‖s over SHA-256 whatever the curve.
pub(super) fn scheme(algorithm: Algorithm) -> Result<Scheme, Error> {
    match algorithm {
        Algorithm::Ed25519 => Err(Error::Algorithm { dialect: Dialect::Notary, algorithm }),
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

/// The type and the public part that a plain key has.
fn plain(key: &PublicKey) -> (&'static str, String) {
    let (kind, public) = match key.algorithm() {
        Algorithm::Ed25519 => ("ed25519", key.material()),
        Algorithm::Rsa(_) => ("rsa", key.der()),
        _ => ("ecdsa", key.der()),
    };
    (kind, BASE64.encode(public))
}

/// The key object of a plain key.
pub(super) fn plain_key(key: &PublicKey) -> Value {
    let (kind, public) = plain(key);
    key_object(kind, public)
}

/// The id of a plain key.
pub(super) fn plain_id(key: &PublicKey) -> KeyId {
    let (kind, public) = plain(key);
    id_of(kind, &public)
}

/// The key object of a certificate: Notary puts its PEM text where plain keys have DER.
pub(super) fn certificate_key(bundle: &Bundle) -> Value {
    let kind = match bundle.leaf().public().algorithm() {
        Algorithm::Rsa(_) => "rsa-x509",
        _ => "ecdsa-x509",
    };
    key_object(kind, BASE64.encode(bundle.pem().as_bytes()))
}

fn key_object(kind: &str, public: String) -> Value {
    let keyval = [("private", Value::Null), ("public", Value::text(public))];
    Value::map([("keytype", Value::text(kind)), ("keyval", Value::map(keyval))])
}

/// The same object as bytes, with nothing in it that Go does not know.
fn write_key(kind: &str, public: &str, form: Form, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"keytype\":");
    write_text(kind, form, out);
    out.extend_from_slice(b",\"keyval\":{\"private\":null,\"public\":");
    write_text(public, form, out);
    out.extend_from_slice(b"}}");
}

/// The id covers type and public part alone, as Go computes it.
fn id_of(kind: &str, public: &str) -> KeyId {
    let mut signed = Vec::with_capacity(kind.len() + public.len() + 64);
    write_key(kind, public, Form::Go, &mut signed);
    KeyId::from(Digest::of(&signed))
}

/// Type and public part of a key object, empty where it has none.
fn texts(value: &Value) -> (&str, &str) {
    let members = value.as_map();
    let kind = members.and_then(|m| m.get("keytype")).and_then(Value::as_text);
    let keyval = members.and_then(|m| m.get("keyval")).and_then(Value::as_map);
    let public = keyval.and_then(|m| m.get("public")).and_then(Value::as_text);
    (kind.unwrap_or_default(), public.unwrap_or_default())
}

/// The same, and the bytes of the public part. What is no base64, and of that there is one for any bytes, Go has for
/// nothing.
fn parts(value: &Value) -> (&str, &str, Vec<u8>) {
    let (kind, public) = texts(value);
    match BASE64.decode(public.as_bytes()) {
        Ok(bytes) => (kind, public, bytes),
        Err(_) => (kind, "", Vec::new()),
    }
}

/// Reads a key object.
pub(super) fn read_key(value: &Value) -> Read {
    let (kind, public, bytes) = parts(value);
    // Notary looks for certificates in a root key whatever its type says.
    let text = (bytes.starts_with(b"-----BEGIN ") || kind.ends_with("-x509"))
        .then(|| std::str::from_utf8(&bytes).ok());
    let bundle = text.flatten().and_then(|text| Bundle::read(text).ok());
    let id = id_of(kind, public);
    let public = match kind {
        "ecdsa" => PublicKey::from_der(&bytes).ok().filter(is_ecdsa),
        "rsa" => PublicKey::from_der(&bytes).ok().filter(is_rsa),
        "ed25519" => PublicKey::from_ed25519(&bytes).ok(),
        _ => bundle.as_ref().and_then(|bundle| certified(kind, bundle)),
    };
    read(id, public, bundle)
}

/// What [`read_key`] reads of the object that [`certificate_key`] makes of a bundle.
pub(super) fn read_certificate(value: &Value, bundle: Bundle) -> Read {
    let (kind, public) = texts(value);
    let certified = certified(kind, &bundle);
    read(id_of(kind, public), certified, Some(bundle))
}

fn read(id: KeyId, public: Option<PublicKey>, bundle: Option<Bundle>) -> Read {
    let scheme = public.as_ref().map(|public| match public.algorithm() {
        Algorithm::Ed25519 => Scheme::Ed25519,
        Algorithm::Rsa(_) => Scheme::RsaPss,
        _ => Scheme::EcdsaRaw(Hash::Sha256),
    });
    Read { id, scheme, public, bundle }
}

/// The key of a certificate, in an object of this type.
fn certified(kind: &str, bundle: &Bundle) -> Option<PublicKey> {
    let public = bundle.leaf().public();
    let is_of_kind = match kind {
        "ecdsa-x509" => is_ecdsa(public),
        "rsa-x509" => is_rsa(public),
        _ => false,
    };
    is_of_kind.then(|| public.clone())
}

fn is_ecdsa(key: &PublicKey) -> bool {
    key.algorithm().width().is_some()
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
    file_with(signatures, |out| signed.write(FILE, out))
}

fn file_with(signatures: &[Signature], signed: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = b"{\"signed\":".to_vec();
    signed(&mut out);
    out.extend_from_slice(b",\"signatures\":");
    write_list(signatures, &mut out, |signature, out| {
        let method = signature.method.as_deref().unwrap_or_default().to_lowercase();
        out.extend_from_slice(b"{\"keyid\":");
        write_text(signature.key.as_str(), FILE, out);
        out.extend_from_slice(b",\"method\":");
        write_text(&method, FILE, out);
        out.extend_from_slice(b",\"sig\":");
        write_text(&BASE64.encode(&signature.bytes), FILE, out);
        out.push(b'}');
    });
    out.push(b'}');
    out
}

/// What a Notary server writes when it has parsed this file: known fields only, its own layout.
///
/// A server-managed snapshot names the hash of *these* bytes, so a file that differs from them is taken with
/// status 200 and is then broken for every client.
pub fn reencode(file: &SignedRoot) -> Vec<u8> {
    file_with(file.signatures(), |out| write_known(file.root(), out))
}

/// Says whether a Notary server would keep the file byte for byte.
pub fn is_byte_exact(file: &SignedRoot) -> bool {
    file.verdicts().byte_exact(|| reencode(file) == file.bytes())
}

/// The fields of a root that Go knows, in the order of their names.
fn write_known(root: &Root, out: &mut Vec<u8>) {
    let consistent = root.value().as_map().and_then(|m| m.get("consistent_snapshot"));
    let consistent = consistent.and_then(Value::as_bool).unwrap_or(false);
    out.extend_from_slice(b"{\"_type\":\"Root\",\"consistent_snapshot\":");
    Value::Bool(consistent).write(FILE, out);
    out.extend_from_slice(b",\"expires\":");
    write_text(&go_time(root.expires()), FILE, out);
    out.extend_from_slice(b",\"keys\":");
    write_members(root.keys().iter().map(|(id, key)| (id.as_str(), key)), out, |key, out| {
        let (kind, public, _) = parts(key.value());
        write_key(kind, public, FILE, out);
    });
    out.extend_from_slice(b",\"roles\":");
    write_members(
        root.roles().iter().map(|(name, role)| (name.as_str(), role)),
        out,
        |role, out| {
            out.extend_from_slice(b"{\"keyids\":");
            write_list(&role.ids, out, |id, out| write_text(id.as_str(), FILE, out));
            out.extend_from_slice(b",\"threshold\":");
            Value::Integer(role.threshold).write(FILE, out);
            out.push(b'}');
        },
    );
    out.extend_from_slice(b",\"version\":");
    Value::Integer(root.version().get() as i64).write(FILE, out);
    out.push(b'}');
}

fn write_members<'a, T>(
    members: impl Iterator<Item = (&'a str, T)>,
    out: &mut Vec<u8>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    out.push(b'{');
    for (at, (name, value)) in members.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_text(name, FILE, out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

fn write_list<T>(items: &[T], out: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
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

/// How Go's outer encoder embeds values in a file.
const FILE: Form = Form::GoEmbedded;

#[cfg(test)]
mod tests;
