//! Tokens made ready: initialised, with a label and two PINs.
//!
//! The room, PKCS#11: drives a token that was never initialised.

use cryptoki::error::{Error as CkError, RvError};
use cryptoki::session::UserType;
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use rustix::rand::{GetRandomFlags, getrandom};

use super::{Blank, Error, Face, Module, Name, Selected, auth, error, yubikey};
use crate::room::token::{chosen, refuse_label, refuse_length};
use crate::secret::{Pin, SecretBytes};

impl Module {
    /// Initialises the one uninitialised token (or the one with `serial`), sets both PINs, and selects it. The SO PIN
    /// is drawn here and forgotten unshown if none is given (docs/threats.md rule 9).
    ///
    /// # Errors
    /// [`Error::LabelTaken`], [`Error::LabelUnfit`], [`Error::NoBlank`], [`Error::ManyBlanks`], [`Error::PadOnly`],
    /// [`Error::PinLength`]: the token is as before. [`Error::PinUnfit`], and what the device does.
    pub fn init(&mut self, blank: Blank<'_>) -> Result<Face, Error> {
        self.selected = None;
        let (before, _) = self.faces()?;
        refuse_label(blank.label)?;
        let (slot, face) = chosen(&blank, &before)?;
        let slot = *slot;
        let name = Name { label: blank.label.to_owned(), serial: face.name.serial.clone() };
        if face.has_pad {
            return Err(Error::PadOnly { token: name });
        }
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

    /// Says whether the selected token takes this SO PIN. A wrong one costs a try.
    ///
    /// # Errors
    /// What the device does.
    pub fn takes_so_pin(&mut self, pin: &Pin) -> Result<bool, Error> {
        self.as_so(pin, |_| Ok(()))
    }

    /// Replaces the SO PIN of the selected token by that of the seat which holds it from now on, or by one that is drawn
    /// here and forgotten unshown: docs/threats.md rule 9.
    ///
    /// # Errors
    /// [`Error::Factory`], [`Error::PinLength`], [`Error::PinUnfit`], all about the new one: the token is as before.
    /// [`Error::Nonsense`], and what the device does; that it does not take `pin` is no error but false.
    pub fn replace_so_pin(&mut self, pin: &Pin, by: Option<&Pin>) -> Result<bool, Error> {
        let (faces, _) = self.faces()?;
        let selected = self.selected(SO)?;
        let face = faces.iter().find(|(slot, _)| *slot == selected.slot);
        let lengths = face.map(|(_, face)| face.pin_len);
        let next = match by {
            Some(by) if selected.is_yubikey => {
                yubikey::refuse_management(by, &selected.name)?;
                Some(auth(by))
            }
            Some(by) => {
                refuse_length(by, &selected.name, lengths.unwrap_or_default())?;
                Some(auth(by))
            }
            None => lengths.and_then(draw_so_pin),
        };
        let next = next.ok_or_else(|| selected.nonsense("drawing an SO PIN that it takes"))?;
        self.as_so(pin, |selected| {
            let set = selected.session.set_pin(&auth(pin), &next);
            set.map_err(error::read(&selected.name, SO))
        })
    }

    /// Does something as the SO, and says whether the token took the SO PIN.
    pub(super) fn as_so(
        &self,
        pin: &Pin,
        act: impl FnOnce(&Selected) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        if !self.log_in_as_so(pin)? {
            return Ok(false);
        }
        let selected = self.selected(SO)?;
        let done = act(selected);
        selected.session.logout().map_err(error::read(&selected.name, SO))?;
        done.map(|()| true)
    }

    fn log_in_as_so(&self, pin: &Pin) -> Result<bool, Error> {
        let selected = self.selected(SO)?;
        match selected.session.login(UserType::So, Some(&auth(pin))) {
            Ok(()) => Ok(true),
            Err(CkError::Pkcs11(RvError::PinIncorrect | RvError::PinLocked, _)) => Ok(false),
            Err(error) => Err(error::read(&selected.name, SO)(error)),
        }
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

/// What the device was doing, for its errors.
const SO: &str = "using its SO PIN";
const SO_PIN_LEN: usize = 24;
/// 32 letters and digits, so that five bits of a random byte choose one without bias.
const SO_PIN_LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
