//! Tokens made ready: initialised, with a label and two PINs.
//!
//! The room, PKCS#11: drives a token that was never initialised.

use cryptoki::session::UserType;
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use rustix::rand::{GetRandomFlags, getrandom};

use super::{Error, Face, Module, Name, auth, error};
use crate::secret::{Pin, SecretBytes};

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
}

fn refuse_label(label: &str, present: &[(Slot, Face)]) -> Result<(), Error> {
    let is_fit = (1..=32).contains(&label.len())
        && label.trim() == label
        && !label.contains(char::is_control);
    if !is_fit {
        return Err(Error::LabelUnfit { label: label.to_owned() });
    }
    let taken = present.iter().find(|(_, f)| f.is_initialised && f.name.label == label);
    taken.map_or(Ok(()), |(_, face)| {
        let serial = face.name.serial.clone();
        Err(Error::LabelTaken { label: label.to_owned(), serial })
    })
}

/// Tokens that say no length say zero.
fn refuse_length(pin: &Pin, token: &Name, (min, max): (usize, usize)) -> Result<(), Error> {
    let found = pin.expose().len();
    if found < min || (max > 0 && found > max) {
        return Err(Error::PinLength { token: token.clone(), min, max, found });
    }
    Ok(())
}

fn sole_blank<'a>(
    faces: &'a [(Slot, Face)],
    serial: Option<&str>,
) -> Result<(Slot, &'a Face), Error> {
    let mut blanks = faces.iter().filter(|(_, face)| {
        !face.is_initialised && serial.is_none_or(|serial| face.name.serial == serial)
    });
    match (blanks.next(), blanks.count()) {
        (Some((slot, face)), 0) => Ok((*slot, face)),
        (Some(_), more) => Err(Error::ManyBlanks { count: more + 1 }),
        (None, _) => Err(Error::NoBlank),
    }
}

impl Module {
    /// Initialises the one uninitialised token (or the one with `serial`), sets both PINs, and selects it. The SO PIN
    /// is drawn here and forgotten unshown if none is given (security.md rule 9).
    ///
    /// # Errors
    /// [`Error::LabelTaken`], [`Error::LabelUnfit`], [`Error::NoBlank`], [`Error::ManyBlanks`], [`Error::PinLength`]: the
    /// token is as before. [`Error::PinUnfit`], and what the device does.
    pub fn init(&mut self, blank: Blank<'_>) -> Result<Face, Error> {
        self.selected = None;
        let (before, _) = self.faces()?;
        refuse_label(blank.label, &before)?;
        let (slot, face) = sole_blank(&before, blank.serial)?;
        let name = Name { label: blank.label.to_owned(), serial: face.name.serial.clone() };
        // A PIN refused after C_InitToken would leave a token that nobody can open.
        for pin in blank.so_pin.iter().chain([&blank.user_pin]) {
            refuse_length(pin, &name, face.pin_len)?;
        }
        let so_pin = match &blank.so_pin {
            Some(pin) => auth(pin),
            None => draw_so_pin(face.pin_len).ok_or_else(|| Error::Nonsense {
                token: name.clone(),
                doing: "drawing an SO PIN that it takes".into(),
            })?,
        };
        let pkcs11 = self.pkcs11("initialising a token")?;
        pkcs11
            .init_token(slot, &so_pin, blank.label)
            .map_err(error::read(&name, "initialising it"))?;
        // SoftHSM moves the token to another slot and gives it a serial only now.
        let (after, _) = self.faces()?;
        let (slot, face) = after
            .into_iter()
            .find(|(_, face)| face.is_initialised && face.name.label == blank.label)
            .ok_or_else(|| Error::Nonsense { token: name, doing: "initialising it".into() })?;
        self.set_user_pin(slot, &face.name, (&so_pin, &auth(&blank.user_pin)))?;
        self.select(&face.name.serial)
    }

    fn set_user_pin(
        &self,
        slot: Slot,
        name: &Name,
        pins: (&AuthPin, &AuthPin),
    ) -> Result<(), Error> {
        let fail = error::read(name, "setting its user PIN");
        let session = self.pkcs11("setting a PIN")?.open_rw_session(slot).map_err(&fail)?;
        session.login(UserType::So, Some(pins.0)).map_err(&fail)?;
        let set = session.init_pin(pins.1).map_err(&fail);
        session.logout().map_err(&fail)?;
        set
    }
}

/// Draws an SO PIN of 120 bits from the kernel, or as many as the token's longest PIN holds; none below 40 bits.
fn draw_so_pin((_, longest): (usize, usize)) -> Option<AuthPin> {
    let len = if longest == 0 { SO_PIN_LEN } else { longest.min(SO_PIN_LEN) };
    if len < 8 {
        return None;
    }
    let bytes =
        SecretBytes::try_fill(len, |bytes| match getrandom(&mut *bytes, GetRandomFlags::empty()) {
            Ok(n) if n == bytes.len() => Ok(()),
            _ => Err(()),
        })
        .ok()?;
    let mut text = String::with_capacity(len);
    text.extend(
        bytes.expose().iter().map(|byte| char::from(SO_PIN_LETTERS[usize::from(byte % 32)])),
    );
    Some(AuthPin::from(text))
}

const SO_PIN_LEN: usize = 24;
/// 32 letters and digits, so that five bits of a random byte choose one without bias.
const SO_PIN_LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
