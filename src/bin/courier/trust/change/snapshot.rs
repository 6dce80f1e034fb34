//! The snapshot of a repository whose snapshot key is with a publisher, as `notary init` leaves it.
//!
//! Annex; pure but for signing.

use aws_lc_rs::digest::{SHA512, digest};
use data_encoding::BASE64;
use jiff::Timestamp;
use officiant::cjson::Value;
use officiant::digest::Digest;
use officiant::request::Role;
use officiant::root::Expiry;
use officiant::root::online::Signed;
use officiant::root::targets;
use officiant::root::threshold::Electorate;

use super::super::Error;
use super::super::client::view::View;
use super::at_hand::KeysAtHand;
use super::draft::in_three_years;

/// The next snapshot, over the files that go up, if its key is at hand; else the server makes it.
///
/// # Errors
/// [`Error::Store`].
pub(crate) fn next(
    view: &View,
    files: &[(String, Vec<u8>)],
    keys: &mut KeysAtHand,
    now: Timestamp,
) -> Result<Option<Vec<u8>>, Error> {
    let electorate = Electorate::of(view.root(), Role::Snapshot);
    if !keys.holds_one_of(&electorate)? {
        return Ok(None);
    }
    let broken = || Error::Unsound {
        gun: view.gun.clone(),
        role: Role::Snapshot.name().to_owned(),
        why: "cannot be signed again as it is",
    };
    let mut members = view.snapshot.value.as_map().cloned().ok_or_else(broken)?;
    let meta = members.get("meta").and_then(Value::as_map).ok_or_else(broken)?;
    // A list to which nobody delegates any more is named no longer.
    let is_kept = |role: &str| match role.parse() {
        Ok(role) => view.lists.contains_key(&role) || view.broken.contains_key(&role),
        Err(_) => true,
    };
    let kept = meta.iter().filter(|(role, _)| is_kept(role));
    let kept = kept.map(|(role, named)| (role.as_str(), named.clone()));
    let meta =
        Value::map(kept.chain(files.iter().map(|(role, bytes)| (role.as_str(), named(bytes)))));
    let version = members.get("version").and_then(Value::as_integer).ok_or_else(broken)?;
    members.insert("meta", meta);
    members.insert("version", Value::Integer(version + 1));
    let expires = Expiry::at(in_three_years(now));
    members.insert("expires", Value::text(expires.text()));
    let value = Value::Map(members);
    let signatures = keys.sign(&electorate, &value.go())?;
    Ok(Some(targets::file(&Signed { value, signatures })))
}

/// What a snapshot says of a file: both digests, as notary writes them, and the length.
fn named(bytes: &[u8]) -> Value {
    let hashes = [
        ("sha256", Value::text(BASE64.encode(Digest::of(bytes).as_bytes()))),
        ("sha512", Value::text(BASE64.encode(digest(&SHA512, bytes).as_ref()))),
    ];
    let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    Value::map([("hashes", Value::map(hashes)), ("length", Value::Integer(length))])
}
