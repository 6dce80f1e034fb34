//! Public keys of `age`, to which the shares of people are sealed who have such a key and no token here.
//!
//! Ground floor: pure, touches nothing.

use std::fmt;

use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use bech32::primitives::decode::CheckedHrpstring;
use serde::{Deserialize, Serialize};

use super::{Error, PublicKey};
use crate::digest::Digest;

/// A recipient of `age` as its tools write it: `age1…`, X25519, or `age1yubikey1…`, P-256 in a YubiKey. Serializes as
/// that text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgeKey(String);

impl AgeKey {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The P-256 key, if it is one in a YubiKey.
    pub fn yubikey(&self) -> Option<PublicKey> {
        let found = CheckedHrpstring::new::<bech32::Bech32>(&self.0).ok()?;
        let point: Vec<u8> = found.byte_iter().collect();
        (found.hrp().as_str() == YUBIKEY_HRP).then_some(())?;
        PublicKey::from_compressed_p256(&point).ok()
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
        let is_one = match found.hrp().as_str() {
            HRP => agrees(&found.byte_iter().collect::<Vec<_>>()),
            YUBIKEY_HRP => Self(text.clone()).yubikey().is_some(),
            _ => false,
        };
        if is_lower && is_one { Ok(Self(text)) } else { Err(Error::NotAge) }
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

/// Whether those are 32 bytes of X25519 with which an agreement is a secret: a point of low order makes it zero, and who
/// seals to it, for everybody, is ended by `age`.
fn agrees(point: &[u8]) -> bool {
    let any = Digest::of(b"officiant any scalar");
    let peer = UnparsedPublicKey::new(&X25519, point);
    PrivateKey::from_private_key(&X25519, any.as_bytes())
        .is_ok_and(|any| agree(&any, peer, (), |_| Ok(())).is_ok())
}

const HRP: &str = "age";
const YUBIKEY_HRP: &str = "age1yubikey";

#[cfg(test)]
impl AgeKey {
    /// The key of a YubiKey, as its plugin writes it.
    pub(crate) fn of_yubikey(key: &PublicKey) -> Option<Self> {
        let point = key.material();
        let compressed = [&[2 | (point[64] & 1)], &point[1..33]].concat();
        let hrp = bech32::Hrp::parse(YUBIKEY_HRP).ok()?;
        bech32::encode::<bech32::Bech32>(hrp, &compressed).ok().map(Self)
    }
}

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
            assert_eq!(
                told,
                "no `age` recipient: X25519 (`age1…`), or a YubiKey (`age1yubikey1…`)"
            );
        }
    }

    #[test]
    fn a_point_of_low_order_is_no_key_since_everybody_opens_what_is_sealed_to_it() {
        let hrp = bech32::Hrp::parse(HRP).unwrap();
        let mut one = [0; 32];
        one[0] = 1;
        // The order of the field, which is zero written otherwise.
        let mut order = [0xff; 32];
        (order[0], order[31]) = (0xed, 0x7f);
        for point in [[0; 32], one, order] {
            let text = bech32::encode::<bech32::Bech32>(hrp, &point).unwrap();
            assert_eq!(AgeKey::try_from(text), Err(Error::NotAge));
        }
    }

    #[test]
    fn a_key_in_a_yubikey_is_a_point_of_its_curve() {
        let private = PrivateKey::generate(&aws_lc_rs::agreement::ECDH_P256).unwrap();
        let point = private.compute_public_key().unwrap();
        let public = PublicKey::from_ec_point(crate::key::Algorithm::EcdsaP256, point.as_ref());
        let public = public.unwrap();
        let key = AgeKey::of_yubikey(&public).unwrap();
        assert!(key.as_str().starts_with("age1yubikey1"));
        assert_eq!(AgeKey::try_from(key.to_string()), Ok(key.clone()));
        assert_eq!(key.yubikey(), Some(public));
        let hrp = bech32::Hrp::parse(YUBIKEY_HRP).unwrap();
        let off = bech32::encode::<bech32::Bech32>(hrp, &[&[2][..], &[0xff; 32]].concat()).unwrap();
        assert_eq!(AgeKey::try_from(off), Err(Error::NotAge));
    }

    #[test]
    fn each_holder_of_a_rehearsal_has_an_identity_that_is_no_secret() {
        let (key, identity) = AgeKey::of_rehearsal("lawyer").unwrap();
        assert_eq!(AgeKey::try_from(key.to_string()), Ok(key.clone()));
        assert!(identity.starts_with("AGE-SECRET-KEY-1") && identity.len() == 74);
        assert_ne!(AgeKey::of_rehearsal("notary").unwrap().0, key);
    }
}
