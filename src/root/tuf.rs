//! TUF 1.0's encoding of keys, signatures and root files, as the strictest client reads them.
//!
//! First floor: pure.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

use super::{Dialect, Error, Fields, Key, KeyId, Read, Root, Signature};
use crate::cjson::{Form, Value};
use crate::digest::Digest;
use crate::key::{Algorithm, Hash, PublicKey, Scheme};

/// The version of the specification that our roots name.
pub const SPEC_VERSION: &str = "1.0.31";

/// How a key of this kind signs TUF metadata.
pub(super) fn scheme(algorithm: Algorithm) -> Result<Scheme, Error> {
    match algorithm {
        Algorithm::EcdsaP256 => Ok(Scheme::EcdsaDer(Hash::Sha256)),
        Algorithm::EcdsaP384 => Ok(Scheme::EcdsaDer(Hash::Sha384)),
        Algorithm::Ed25519 => Ok(Scheme::Ed25519),
        Algorithm::Rsa(_) => Ok(Scheme::RsaPss),
        _ => Err(Error::Algorithm { dialect: Dialect::Tuf, algorithm }),
    }
}

/// The key object: type, scheme and public part (TUF 4.2.1).
pub(super) fn key_value(key: &PublicKey) -> Result<Value, Error> {
    let algorithm = key.algorithm();
    let (kind, scheme, public) = match algorithm {
        Algorithm::EcdsaP256 => ("ecdsa", "ecdsa-sha2-nistp256", key.to_pem()),
        Algorithm::EcdsaP384 => ("ecdsa", "ecdsa-sha2-nistp384", key.to_pem()),
        Algorithm::Ed25519 => ("ed25519", "ed25519", HEXLOWER.encode(key.material())),
        Algorithm::Rsa(_) => ("rsa", "rsassa-pss-sha256", key.to_pem()),
        _ => return Err(Error::Algorithm { dialect: Dialect::Tuf, algorithm }),
    };
    Ok(Value::map([
        ("keytype", Value::text(kind)),
        ("keyval", Value::map([("public", Value::text(public))])),
        ("scheme", Value::text(scheme)),
    ]))
}

/// Reads a key object. The id covers the whole object, unknown fields included.
pub(super) fn read_key(value: &Value) -> Read {
    let members = value.as_map();
    let text = |name: &str| members.and_then(|m| m.get(name)).and_then(Value::as_text);
    let found = read_public(
        text("keytype").unwrap_or_default(),
        text("scheme").unwrap_or_default(),
        public_part(value),
    );
    let id = KeyId::from(Digest::of(&value.go()));
    let (scheme, public) = found.unzip();
    Read { id, scheme, public, bundle: None }
}

/// The public part of a key object, empty if it has none.
fn public_part(value: &Value) -> &str {
    let keyval = value.as_map().and_then(|m| m.get("keyval")).and_then(Value::as_map);
    keyval.and_then(|m| m.get("public")).and_then(Value::as_text).unwrap_or_default()
}

fn read_public(kind: &str, scheme: &str, public: &str) -> Option<(Scheme, PublicKey)> {
    let raw = || HEXLOWER_PERMISSIVE.decode(public.as_bytes()).ok();
    let pem = || PublicKey::from_foreign_pem(public).ok();
    let ec = |algorithm, hash| {
        // Old sigstore roots hold the bare point in hex under a keytype that names the curve.
        let key = pem().or_else(|| PublicKey::from_ec_point(algorithm, &raw()?).ok())?;
        (key.algorithm() == algorithm).then_some((Scheme::EcdsaDer(hash), key))
    };
    match (kind, scheme) {
        ("ed25519", "ed25519") => Some((Scheme::Ed25519, PublicKey::from_ed25519(&raw()?).ok()?)),
        ("rsa", "rsassa-pss-sha256") => pem()
            .filter(|key| matches!(key.algorithm(), Algorithm::Rsa(_)))
            .map(|key| (Scheme::RsaPss, key)),
        ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => {
            ec(Algorithm::EcdsaP256, Hash::Sha256)
        }
        ("ecdsa" | "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384") => {
            ec(Algorithm::EcdsaP384, Hash::Sha384)
        }
        ("ecdsa" | "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521") => {
            ec(Algorithm::EcdsaP521, Hash::Sha512)
        }
        _ => None,
    }
}

/// Says whether the public part is a bare point in hex, as old sigstore roots have it.
pub(super) fn is_hex_point(key: &Key) -> bool {
    matches!(key.scheme(), Some(Scheme::EcdsaDer(_)))
        && !public_part(key.value()).starts_with("-----BEGIN ")
}

/// Reads `{"keyid","sig"}`, as every role's file holds it; some writers leave an empty `sig` for a key that has not
/// signed.
///
/// # Errors
/// A field that is missing, or `sig` that is not hex.
pub fn read_signature(value: &Value) -> Result<Signature, Error> {
    let fields = Fields::of("signatures", value)?;
    let bytes = HEXLOWER_PERMISSIVE.decode(fields.text("sig")?.as_bytes());
    Ok(Signature {
        key: KeyId::new(fields.text("keyid")?),
        method: None,
        bytes: bytes.map_err(|_| Error::wrong("sig", "hex"))?,
    })
}

/// The file: one line of JSON with its keys in order, so that it has one form.
pub(super) fn file(root: &Root, signatures: &[Signature]) -> Vec<u8> {
    let signatures = signatures.iter().map(|signature| {
        let sig = Value::text(HEXLOWER.encode(&signature.bytes));
        Value::map([("keyid", Value::text(signature.key.as_str())), ("sig", sig)])
    });
    let mut out = b"{\"signatures\":".to_vec();
    Value::List(signatures.collect()).write(Form::Json, &mut out);
    out.extend_from_slice(b",\"signed\":");
    root.value().write(Form::Json, &mut out);
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests;
