//! Bytes in JSON, as standard base64 with padding (RFC 4648 4): `#[serde(with = "base64")]`.
//!
//! Ground floor: pure, touches nothing.

use std::fmt;

use data_encoding::BASE64;
use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;

/// Writes bytes.
///
/// # Errors
/// Those of the serializer.
pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64.encode(bytes))
}

/// Reads them.
///
/// # Errors
/// Those of the deserializer, and what is no base64.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    deserializer.deserialize_str(Base64)
}

struct Base64;

impl Visitor<'_> for Base64 {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<u8>, E> {
        BASE64.decode(text.as_bytes()).map_err(E::custom)
    }
}
