//! Data objects on a YubiKey: its label, sealed shares, intents.
//!
//! The room, YubiKeys: drives the selected one. PIV knows objects by number alone, so label and application stand at the
//! beginning of each. Whoever holds the YubiKey can read them without a PIN; only the PIN's holder can write them.

use yubikey::{ObjectId, YubiKey};

use super::{Selected, YubiKeys};
use crate::room::token::{Error, Object};

impl YubiKeys {
    pub(super) fn store_object(&mut self, object: &Object, value: &[u8]) -> Result<(), Error> {
        let doing = format!("storing `{}`", object.label);
        let selected = self.managed(&doing)?;
        let kept = selected.kept()?;
        let (token, label) = (selected.name.clone(), object.label.clone());
        if kept.iter().any(|(_, found, _)| found.label == label) {
            return Err(Error::ObjectTaken { token, label });
        }
        let free = OURS.into_iter().find(|id| !kept.iter().any(|(taken, ..)| taken == id));
        let mut bytes = encode(object, value).ok_or_else(|| selected.nonsense(&doing))?;
        let id = free.filter(|_| bytes.len() <= LARGEST);
        let id = id.ok_or_else(|| Error::Full { token, doing: doing.clone() })?;
        selected.card.save_object(id, &mut bytes).map_err(selected.fail(&doing))
    }

    pub(super) fn list_objects(&mut self) -> Result<Vec<Object>, Error> {
        let kept = self.logged_in("listing its objects")?.kept()?;
        Ok(kept.into_iter().map(|(_, object, _)| object).collect())
    }

    pub(super) fn read_object(&mut self, label: &str) -> Result<Vec<u8>, Error> {
        self.logged_in("reading an object")?.sole(label).map(|(_, value)| value)
    }

    pub(super) fn delete_object(&mut self, label: &str) -> Result<(), Error> {
        let doing = format!("deleting `{label}`");
        let selected = self.managed(&doing)?;
        let (id, _) = selected.sole(label)?;
        selected.card.save_object(id, &mut []).map_err(selected.fail(&doing))
    }
}

type Kept = (ObjectId, Object, Vec<u8>);

impl Selected {
    /// All objects of ours. One that cannot be read as such takes its place with an empty name.
    fn kept(&mut self) -> Result<Vec<Kept>, Error> {
        let fail = self.fail("reading its objects");
        let mut kept = Vec::new();
        for id in OURS {
            if let Some(bytes) = fetch(&mut self.card, id).map_err(&fail)? {
                let (object, value) = decode(&bytes).unwrap_or_else(|| {
                    (Object { label: String::new(), application: String::new() }, Vec::new())
                });
                kept.push((id, object, value));
            }
        }
        Ok(kept)
    }

    fn sole(&mut self, label: &str) -> Result<(ObjectId, Vec<u8>), Error> {
        let (token, found) = (self.name.clone(), self.kept()?);
        let mut same = found.into_iter().filter(|(_, object, _)| object.label == label);
        let label = label.to_owned();
        match (same.next(), same.next()) {
            (None, _) => Err(Error::ObjectMissing { token, label }),
            (Some((id, _, value)), None) => Ok((id, value)),
            (Some(_), Some(_)) => Err(Error::ObjectTaken { token, label }),
        }
    }
}

/// The label that an enrolment wrote, if it did.
pub(super) fn label(card: &mut YubiKey) -> yubikey::Result<Option<String>> {
    let bytes = fetch(card, LABEL)?;
    Ok(bytes.and_then(|bytes| decode(&bytes)).map(|(object, _)| object.label))
}

/// Writes the label: from then on the YubiKey is one of ours.
pub(super) fn write_label(card: &mut YubiKey, label: &str) -> yubikey::Result<()> {
    let object = Object { label: label.to_owned(), application: "officiant token".to_owned() };
    let mut bytes = encode(&object, &[]).ok_or(yubikey::Error::ArgumentError)?;
    card.save_object(LABEL, &mut bytes)
}

/// An object's bytes; none if there is no such object.
pub(super) fn fetch(card: &mut YubiKey, id: ObjectId) -> yubikey::Result<Option<Vec<u8>>> {
    match card.fetch_object(id) {
        Ok(bytes) if !bytes.is_empty() => Ok(Some(bytes.to_vec())),
        Ok(_) | Err(yubikey::Error::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The certificate in an object as PIV stores it: the first element, with tag 70.
pub(super) fn inner(object: &[u8]) -> Option<&[u8]> {
    match object {
        [0x70, 0x82, high, low, rest @ ..] => {
            rest.get(..usize::from(u16::from_be_bytes([*high, *low])))
        }
        [0x70, 0x81, length, rest @ ..] => rest.get(..usize::from(*length)),
        _ => None,
    }
}

/// `officiant object v1`, application and label, a line each, and the value.
fn encode(object: &Object, value: &[u8]) -> Option<Vec<u8>> {
    let lines = [MAGIC, &object.application, &object.label];
    let is_fit = lines.iter().all(|line| !line.contains('\n'));
    is_fit.then(|| [lines.join("\n").as_bytes(), b"\n", value].concat())
}

fn decode(bytes: &[u8]) -> Option<(Object, Vec<u8>)> {
    let mut parts = bytes.splitn(4, |byte| *byte == b'\n');
    let mut line = || std::str::from_utf8(parts.next()?).ok().map(str::to_owned);
    let (magic, application, label) = (line()?, line()?, line()?);
    let value = parts.next()?.to_vec();
    (magic == MAGIC).then_some((Object { label, application }, value))
}

const MAGIC: &str = "officiant object v1";
/// Where the label stands; the numbers from 5F0000 on are nobody's but the user's.
const LABEL: ObjectId = 0x5f_4f00;
const OURS: std::ops::RangeInclusive<ObjectId> = 0x5f_4f01..=0x5f_4f20;
/// The largest object that every YubiKey takes, with some room for its number and length.
const LARGEST: usize = 3000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_as_it_was_written() {
        let object = |label: &str| Object { label: label.into(), application: "a b".into() };
        for value in [&b""[..], b"x\n\ny", b"\n"] {
            let bytes = encode(&object("share 1"), value).unwrap();
            assert_eq!(decode(&bytes), Some((object("share 1"), value.to_vec())));
        }
        assert_eq!(encode(&object("two\nlines"), b""), None);
        assert_eq!(decode(b"officiant object v2\na\nb\nc"), None);
        assert_eq!(decode(b"officiant object v1\na\nb"), None);
    }
}
