//! Which token may be initialised, and with what.
//!
//! The room, tokens: values only.

use super::{Error, Face, Name};
use crate::secret::Pin;

/// What a new token is to be.
pub struct Blank<'a> {
    /// Its serial, if it has one before C_InitToken; without it the only uninitialised token is meant.
    pub serial: Option<&'a str>,
    /// The label that it gets, 1 to 32 bytes.
    pub label: &'a str,
    /// The SO PIN that a person holds; drawn and forgotten without.
    pub so_pin: Option<Pin>,
    /// The PIN of its custodian.
    pub user_pin: Pin,
    /// Take the token that has the label already and begin it anew: its SO PIN is the one given here.
    pub again: bool,
}

/// The label that a token may get.
pub(in crate::room) fn refuse_label(label: &str) -> Result<(), Error> {
    let is_fit = (1..=32).contains(&label.len())
        && label.trim() == label
        && !label.contains(char::is_control);
    if !is_fit {
        return Err(Error::LabelUnfit { label: label.to_owned() });
    }
    Ok(())
}

/// The token to initialise: an empty one, or the one of that label if it is begun again.
pub(in crate::room) fn chosen<'a, T>(
    blank: &Blank<'_>,
    faces: &'a [(T, Face)],
) -> Result<&'a (T, Face), Error> {
    let label = blank.label;
    match faces.iter().find(|(_, face)| face.is_initialised && face.name.label == label) {
        Some(begun) if blank.again => Ok(begun),
        Some((_, face)) => {
            let serial = face.name.serial.clone();
            Err(Error::LabelTaken { label: label.to_owned(), serial })
        }
        None => sole_blank(faces, blank.serial),
    }
}

/// Tokens that say no length say zero.
pub(in crate::room) fn refuse_length(
    pin: &Pin,
    token: &Name,
    (min, max): (usize, usize),
) -> Result<(), Error> {
    let found = pin.expose().len();
    if found < min || (max > 0 && found > max) {
        return Err(Error::PinLength { token: token.clone(), min, max });
    }
    Ok(())
}

fn sole_blank<'a, T>(faces: &'a [(T, Face)], serial: Option<&str>) -> Result<&'a (T, Face), Error> {
    let mut blanks = faces.iter().filter(|(_, face)| {
        !face.is_initialised && serial.is_none_or(|serial| face.name.serial == serial)
    });
    match (blanks.next(), blanks.count()) {
        (Some(sole), 0) => Ok(sole),
        (Some(_), more) => Err(Error::ManyBlanks { count: more + 1 }),
        (None, _) => Err(Error::NoBlank),
    }
}
