//! Public keys of `age`, to which the shares of people are sealed who have such a key and no token here.
//!
//! Ground floor: pure, touches nothing.

use std::fmt;

use aws_lc_rs::agreement::{PrivateKey, X25519};
use bech32::primitives::decode::CheckedHrpstring;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::digest::Digest;

/// A recipient of `age` as its tools write it: `age1…`, X25519. Serializes as that text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgeKey(String);

impl AgeKey {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands in for a holder's key in a rehearsal, and its identity, which anybody can compute.
    pub fn of_rehearsal(holder: &str) -> Option<(Self, String)> {
        let seed = Digest::of_parts("officiant rehearsal identity v1", &[holder.as_bytes()]);
        let private = PrivateKey::from_private_key(&X25519, seed.as_bytes()).ok()?;
        let public = private.compute_public_key().ok()?;
        let identity = bech32::Hrp::parse("AGE-SECRET-KEY-").ok()?;
        let identity = bech32::encode_upper::<bech32::Bech32>(identity, seed.as_bytes()).ok()?;
        let recipient =
            bech32::encode::<bech32::Bech32>(bech32::Hrp::parse(HRP).ok()?, public.as_ref());
        Some((Self(recipient.ok()?), identity))
    }
}

impl TryFrom<String> for AgeKey {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        let found = CheckedHrpstring::new::<bech32::Bech32>(&text).map_err(|_| Error::NotAge)?;
        // In capitals it is the same key, and would not be the same text.
        let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        match is_lower && found.hrp().as_str() == HRP && found.byte_iter().count() == 32 {
            true => Ok(Self(text)),
            false => Err(Error::NotAge),
        }
    }
}

impl From<AgeKey> for String {
    fn from(key: AgeKey) -> Self {
        key.0
    }
}

impl fmt::Display for AgeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const HRP: &str = "age";

#[cfg(test)]
mod tests {
    use super::*;

    /// That of C2SP age.md.
    const KEY: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

    #[test]
    fn a_key_is_read_as_age_writes_it_and_in_no_other_way() {
        let read = |text: &str| AgeKey::try_from(text.to_owned());
        assert_eq!(read(KEY).unwrap().as_str(), KEY);
        let damaged = KEY.replace("zvk", "zvq");
        let plugin = "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e";
        for other in [&KEY.to_uppercase(), &damaged, plugin, "", "age1"] {
            let told = read(other).unwrap_err().to_string();
            assert_eq!(told, "no `age` recipient: X25519 (`age1…`), as `age-keygen -y` prints it");
        }
    }

    #[test]
    fn each_holder_of_a_rehearsal_has_an_identity_that_is_no_secret() {
        let (key, identity) = AgeKey::of_rehearsal("lawyer").unwrap();
        assert_eq!(AgeKey::try_from(key.to_string()), Ok(key.clone()));
        assert!(identity.starts_with("AGE-SECRET-KEY-1") && identity.len() == 74);
        assert_ne!(AgeKey::of_rehearsal("notary").unwrap().0, key);
    }
}
