//! Which of the tokens that a module shows is meant: a PKCS#11 URI.
//!
//! The room, tokens: values only. RFC 7512, of which a room file uses what says which token it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Face;

/// What a token must say of itself to be the one that is meant. Whatever is not said may be anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uri(BTreeMap<Part, String>);

/// What a URI may say, by the names of RFC 7512.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Part {
    Manufacturer,
    Model,
    Serial,
    Token,
}

impl Uri {
    /// Reads `pkcs11:token=Name;serial=1`.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let path = text.strip_prefix("pkcs11:").ok_or("expected `pkcs11:` at its beginning")?;
        let mut parts = BTreeMap::new();
        for pair in path.split(';') {
            let (name, value) = pair.split_once('=').ok_or("expected `name=value`")?;
            let part = match name {
                "manufacturer" => Part::Manufacturer,
                "model" => Part::Model,
                "serial" => Part::Serial,
                "token" => Part::Token,
                _ => {
                    return Err(
                        "expected nothing but `manufacturer`, `model`, `serial` and `token`",
                    );
                }
            };
            if parts.insert(part, plain(value)?).is_some() {
                return Err("one of its names stands there twice");
            }
        }
        Ok(Self(parts))
    }

    /// Whether a token is the one.
    pub fn fits(&self, face: &Face) -> bool {
        self.0.iter().all(|(part, wanted)| {
            let found = match part {
                Part::Manufacturer => &face.manufacturer,
                Part::Model => &face.model,
                Part::Serial => &face.name.serial,
                Part::Token => &face.name.label,
            };
            found == wanted
        })
    }
}

/// The text of a value of a path.
fn plain(value: &str) -> Result<String, &'static str> {
    match String::from_utf8(decoded(value, "")?) {
        Ok(text) if !text.is_empty() => Ok(text),
        _ => Err(WRONG),
    }
}

/// The bytes of a value: RFC 3986, two digits behind each `%`. The letters in `more` may stand there as they are, too.
///
/// # Errors
/// What is expected.
pub fn decoded(value: &str, more: &str) -> Result<Vec<u8>, &'static str> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let pair = [rest.next().ok_or(WRONG)?, rest.next().ok_or(WRONG)?];
                let digits = std::str::from_utf8(&pair).map_err(|_| WRONG)?;
                u8::from_str_radix(digits, 16).map_err(|_| WRONG)?
            }
            _ if byte.is_ascii_alphanumeric() || b"-._~:[]@!$'()*+,=&".contains(&byte) => byte,
            _ if more.as_bytes().contains(&byte) => byte,
            _ => return Err(WRONG),
        });
    }
    Ok(bytes)
}

const WRONG: &str = "expected letters, digits, `-._~:[]@!$'()*+,=&` and `%` with two digits";

#[cfg(test)]
mod tests {
    use super::*;

    fn face(label: &str, serial: &str) -> Face {
        Face::called(label, serial).made_by("Mozilla Foundation", "NSS 3")
    }

    #[test]
    fn a_uri_says_which_token_is_meant() {
        let uri = Uri::parse("pkcs11:token=NSS%20Certificate%20DB;model=NSS%203").unwrap();
        assert!(uri.fits(&face("NSS Certificate DB", "0")));
        assert!(!uri.fits(&face("NSS Generic Crypto Services", "0")));
        let uri = Uri::parse("pkcs11:serial=1001;manufacturer=Mozilla%20Foundation").unwrap();
        assert!(uri.fits(&face("any", "1001")) && !uri.fits(&face("any", "1002")));
    }

    #[test]
    fn a_uri_that_says_something_else_is_refused() {
        let named = "expected nothing but `manufacturer`, `model`, `serial` and `token`";
        let letters = "expected letters, digits, `-._~:[]@!$'()*+,=&` and `%` with two digits";
        for (text, expected) in [
            ("token=a", "expected `pkcs11:` at its beginning"),
            ("pkcs11:", "expected `name=value`"),
            ("pkcs11:token=a;", "expected `name=value`"),
            ("pkcs11:slot-id=1", named),
            ("pkcs11:object=a", named),
            ("pkcs11:token=a;token=b", "one of its names stands there twice"),
            ("pkcs11:token=a?pin-value=1", letters),
            ("pkcs11:token=%zz", letters),
            ("pkcs11:token=%4", letters),
            ("pkcs11:token=", letters),
            ("pkcs11:token=a b", letters),
        ] {
            assert_eq!(Uri::parse(text), Err(expected), "{text}");
        }
    }
}
