//! Bytes in JSON, as standard base64 with padding (RFC 4648 4): `#[serde(with = "base64")]`.
//!
//! Ground floor: pure, touches nothing.

use data_encoding::BASE64;
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::Serializer;

/// Writes bytes.
///
/// # Errors
/// Those of the serializer.
pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&BASE64.encode_display(bytes))
}

/// Reads them.
///
/// # Errors
/// Those of the deserializer, and what is no base64.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    BASE64.decode(text.as_bytes()).map_err(D::Error::custom)
}
