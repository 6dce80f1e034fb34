//! A private key as the vault wraps it for one token.
//!
//! Room floor: values only.

use serde::{Deserialize, Serialize};

/// One way to take up a wrapped key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapped {
    /// By which mechanism.
    pub by: WrapBy,
    /// The point to agree with: uncompressed P-256.
    pub peer: Vec<u8>,
    /// The wrapped PrivateKeyInfo.
    pub bytes: Vec<u8>,
}

/// The mechanism by which a key is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WrapBy {
    /// AES-CBC with PKCS#7 padding, and its initialisation vector.
    CbcPad([u8; 16]),
    /// AES key wrap with padding.
    KeyWrapPad,
}
