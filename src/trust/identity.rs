//! What a token is, in the custody folder: its serial and label, to which the public files only commit.
//!
//! Second floor, beside the ceremony: pure. docs/threats.md rule 19.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// What the custody folder says of a token: what the public files only commit to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The plan's name.
    pub token: String,
    /// Serial as the token says it.
    pub serial: String,
    /// Label as the token says it.
    pub label: String,
    /// 128 random bits, hex.
    pub salt: String,
}

impl Identity {
    /// The commitment that the public files carry.
    pub fn commitment(&self) -> Digest {
        let parts = [self.salt.as_bytes(), self.serial.as_bytes(), self.label.as_bytes()];
        Digest::of_parts("officiant token identity v1", &parts)
    }

    /// Its file in the custody folder.
    pub fn path(&self) -> String {
        format!("tokens/{}-{}.json", self.token, &self.commitment().to_string()[..16])
    }
}
