//! Who sat where, in the custody folder: names, to which the record only commits.
//!
//! Second floor, beside the ceremony: pure. docs/threats.md rule 19.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// Where the custody folder has them: `<16 digits of the commitment>.json`.
pub const PEOPLE: &str = "people/";

/// The names of those who took part, by seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct People {
    /// The plan's digest.
    pub plan: Digest,
    /// 128 random bits, hex.
    pub salt: String,
    /// Seat to name.
    pub names: BTreeMap<String, String>,
}

impl People {
    /// The commitment that the record carries.
    pub fn commitment(&self) -> Digest {
        let names = self.names.iter().flat_map(|(seat, name)| [seat.as_bytes(), name.as_bytes()]);
        let mut parts = vec![self.plan.as_bytes().as_slice(), self.salt.as_bytes()];
        parts.extend(names);
        Digest::of_parts("officiant people v1", &parts)
    }

    /// The file of that commitment.
    pub fn path(commitment: &Digest) -> String {
        format!("{PEOPLE}{}.json", &commitment.to_string()[..16])
    }
}
