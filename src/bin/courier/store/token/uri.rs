//! A PKCS#11 URI (RFC 7512) that names a key on a token, and the module that drives it.
//!
//! Annex: values only.

use std::path::PathBuf;

use officiant::room::token::{Uri, decoded};

use crate::store::Error;

/// A key on a token, as a person names it.
#[derive(Clone, Debug)]
pub(crate) struct KeyUri {
    /// What was typed, which holds no secret.
    pub(crate) text: String,
    /// Which token; without, the one that the module shows.
    pub(super) token: Option<Uri>,
    /// The label of the key.
    pub(super) object: Option<String>,
    /// The id of the key.
    pub(super) id: Option<Vec<u8>>,
    /// The module.
    pub(super) module: PathBuf,
}

impl KeyUri {
    /// Whether a text is meant to be one.
    pub(crate) fn is_meant(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// Reads `pkcs11:token=ada;object=signing?module-path=/usr/lib/module.so`.
    ///
    /// # Errors
    /// [`Error::Uri`].
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|why| Error::Uri { text: text.to_owned(), why })
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix(SCHEME).ok_or("expected `pkcs11:` at its beginning")?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut token, mut object, mut id) = (Vec::new(), None, None);
        for pair in path.split(';').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').ok_or("expected `name=value`")? {
                ("id", value) => once(&mut id, decoded(value, "/")?)?,
                ("object", value) => once(&mut object, text_of(value)?)?,
                ("type", "private" | "public") => {}
                ("type", _) => return Err("expected a key by `type`"),
                _ => token.push(pair),
            }
        }
        let mut module = None;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').ok_or("expected `name=value`")? {
                ("module-path", value) => once(&mut module, text_of(value)?)?,
                ("pin-source" | "pin-value", _) => {
                    return Err("a PIN is typed at the terminal, and read from nowhere else");
                }
                _ => return Err("expected nothing but `module-path` behind `?`"),
            }
        }
        let module = PathBuf::from(module.ok_or("`module-path` is missing behind `?`")?);
        if !module.is_absolute() {
            return Err("expected a whole path as `module-path`");
        }
        let named = (!token.is_empty()).then(|| format!("{SCHEME}{}", token.join(";")));
        let token = named.map(|named| Uri::parse(&named)).transpose()?;
        Ok(Self { text: text.to_owned(), token, object, id, module })
    }

    /// Whether a key with that label and id is the one.
    pub(super) fn fits(&self, label: &str, id: &[u8]) -> bool {
        self.object.as_ref().is_none_or(|object| object == label)
            && self.id.as_ref().is_none_or(|wanted| wanted == id)
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), &'static str> {
    match slot.replace(value) {
        Some(_) => Err("one of its names stands there twice"),
        None => Ok(()),
    }
}

fn text_of(value: &str) -> Result<String, &'static str> {
    let text = String::from_utf8(decoded(value, "/")?).ok();
    let fits = |text: &String| !text.is_empty() && !text.chars().any(char::is_control);
    text.filter(fits).ok_or("expected visible text")
}

const SCHEME: &str = "pkcs11:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_a_key_and_its_module() {
        let text =
            "pkcs11:token=a%20b;object=release;id=%01%ff;type=private?module-path=/usr/lib/m.so";
        let uri = KeyUri::parse(text).unwrap();
        assert_eq!(uri.text, text);
        assert_eq!(uri.token, Some(Uri::parse("pkcs11:token=a%20b").unwrap()));
        assert_eq!(uri.module, PathBuf::from("/usr/lib/m.so"));
        assert!(uri.fits("release", &[1, 255]));
        assert!(!uri.fits("release", &[1]) && !uri.fits("other", &[1, 255]));
        let least = KeyUri::parse("pkcs11:?module-path=%2fm.so").unwrap();
        assert!(least.token.is_none() && least.fits("any", &[]));
    }

    #[test]
    fn a_uri_that_says_something_else_is_refused() {
        let pin = "a PIN is typed at the terminal, and read from nowhere else";
        for (text, expected) in [
            ("pkcs11:token=a", "`module-path` is missing behind `?`"),
            ("pkcs11:token=a?module-path=m.so", "expected a whole path as `module-path`"),
            ("pkcs11:token=a?module-path=/m&pin-value=1", pin),
            ("pkcs11:token=a?module-path=/m&pin-source=file:/p", pin),
            ("pkcs11:token=a?module-name=m", "expected nothing but `module-path` behind `?`"),
            ("pkcs11:type=cert?module-path=/m", "expected a key by `type`"),
            ("pkcs11:object=a;object=b?module-path=/m", "one of its names stands there twice"),
            ("pkcs11:object=%00?module-path=/m", "expected visible text"),
            ("pkcs11:token?module-path=/m", "expected `name=value`"),
            (
                "pkcs11:slot-id=1?module-path=/m",
                "expected nothing but `manufacturer`, `model`, `serial` and `token`",
            ),
        ] {
            match KeyUri::parse(text) {
                Err(Error::Uri { why, .. }) => assert_eq!(why, expected, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
