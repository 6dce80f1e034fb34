//! YubiKeys made ready: nothing that left the factory stays.
//!
//! The room, YubiKeys: drives one that was never used. The PUK is what an SO PIN is elsewhere: it outranks the PIN.

use rustix::rand::{GetRandomFlags, getrandom};
use yubikey::piv::{ManagementSlotId, SlotAlgorithmId, SlotId, SlotMetadata, metadata};
use yubikey::{Error as Y, MgmKey, YubiKey};

use super::{Selected, YubiKeys, error, left_alone, object, slot};
use crate::room::token::{Blank, Error, Face, Name, chosen, refuse_label, refuse_length};
use crate::secret::{Pin, SecretBytes};

impl YubiKeys {
    /// Initialises the one YubiKey that is as it left the factory: its PUK is drawn and forgotten if none is given, its
    /// management key is drawn and kept behind its PIN, and the label says whose it is. The label comes first, so that
    /// what was interrupted is known as ours, and is reset before it is begun anew.
    pub(super) fn make_ready(&mut self, blank: &Blank<'_>) -> Result<Face, Error> {
        self.selected = None;
        let (found, _) = self.faces()?;
        refuse_label(blank.label)?;
        let serial = {
            let pairs: Vec<((), Face)> =
                found.into_iter().map(|pair| ((), left_alone(pair))).collect();
            chosen(blank, &pairs)?.1.name.serial.clone()
        };
        let mut face = self.select(&serial)?;
        face.name.label = blank.label.to_owned();
        refuse_length(&blank.user_pin, &face.name, face.pin_len)?;
        if blank.user_pin.expose().as_bytes() == FACTORY_PIN {
            return Err(Error::Factory { token: face.name, what: "PIN".to_owned() });
        }
        let puk = match &blank.so_pin {
            Some(pin) => SecretBytes::copy_of(pin.expose().as_bytes()),
            None => draw_puk().ok_or_else(|| drawing(&face.name))?,
        };
        refuse_puk_length(&puk, &face.name)?;
        let selected = self.selected(MAKING)?;
        selected.name = face.name.clone();
        // Only what has the label already is begun anew.
        if face.is_initialised {
            selected.reset()?;
        }
        selected.refuse_used()?;
        selected.set_up(blank, &puk)?;
        self.select(&serial)
    }

    pub(super) fn takes_puk(&mut self, pin: &Pin) -> Result<bool, Error> {
        let selected = self.selected(PUK)?;
        let fail = selected.fail(PUK);
        // Begun with, and no further than the label.
        if of(&mut selected.card, ManagementSlotId::Puk).map_err(&fail)?.default == Some(true) {
            return Ok(true);
        }
        let pin = pin.expose().as_bytes();
        match selected.card.change_puk(pin, pin) {
            Ok(()) => Ok(true),
            // A reset that was cut off locked both; nobody can open it, so that nothing is lost by another one.
            Err(Y::PinLocked | Y::WrongPin { tries: 0 }) => {
                let said = of(&mut selected.card, ManagementSlotId::Pin).map_err(&fail)?;
                Ok(said.retries.is_some_and(|left| left.remaining_count == 0))
            }
            Err(Y::WrongPin { .. }) => Ok(false),
            Err(error) => Err(fail(error)),
        }
    }

    pub(super) fn replace_puk(&mut self, pin: &Pin, by: Option<&Pin>) -> Result<bool, Error> {
        let selected = self.selected(PUK)?;
        let next = match by {
            Some(by) => SecretBytes::copy_of(by.expose().as_bytes()),
            None => draw_puk().ok_or_else(|| drawing(&selected.name))?,
        };
        refuse_puk_length(&next, &selected.name)?;
        if next.expose() == FACTORY_PUK {
            let (token, what) = (selected.name.clone(), "PUK".to_owned());
            return Err(Error::Factory { token, what });
        }
        match selected.card.change_puk(pin.expose().as_bytes(), next.expose()) {
            Ok(()) => Ok(true),
            Err(Y::PinLocked | Y::WrongPin { .. }) => Ok(false),
            Err(error) => Err(selected.fail(PUK)(error)),
        }
    }
}

impl Selected {
    /// Whoever holds the YubiKey knows what every one leaves the factory with.
    pub(super) fn refuse_factory(&mut self) -> Result<(), Error> {
        for (id, what) in OPENS {
            let said =
                of(&mut self.card, id).map_err(self.fail("looking whether it was made ready"));
            if said?.default == Some(true) {
                let (token, what) = (self.name.clone(), what.to_owned());
                return Err(Error::Factory { token, what });
            }
        }
        Ok(())
    }

    /// Everything on it must be as it left the factory: a key, an object or a PIN of anybody's would be lost, and a
    /// management key that is not the known one cannot be replaced.
    fn refuse_used(&mut self) -> Result<(), Error> {
        let fail = self.fail("looking whether it was used");
        let mut used = None;
        for (id, what) in OPENS {
            if of(&mut self.card, id).map_err(&fail)?.default != Some(true) {
                used = Some(format!("its {what} was set"));
            }
        }
        for slot in slot::all() {
            match metadata(&mut self.card, slot) {
                Err(Y::NotFound) => {}
                Ok(_) => used = Some(format!("slot {:02x} holds a key", u8::from(slot))),
                Err(error) => return Err(fail(error)),
            }
        }
        match used {
            None => Ok(()),
            Some(what) => Err(Error::NotBlank { token: self.name.clone(), what }),
        }
    }

    fn set_up(&mut self, blank: &Blank<'_>, puk: &SecretBytes) -> Result<(), Error> {
        let (name, card) = (self.name.clone(), &mut self.card);
        let fail = error::read(&name, MAKING);
        let factory = MgmKey::get_default(card).map_err(&fail)?;
        card.authenticate(&factory).map_err(&fail)?;
        object::write_label(card, blank.label).map_err(&fail)?;
        card.change_puk(FACTORY_PUK, puk.expose()).map_err(&fail)?;
        let pin = blank.user_pin.expose().as_bytes();
        card.change_pin(FACTORY_PIN, pin).map_err(&fail)?;
        let kind = of(card, ManagementSlotId::Management).map_err(&fail)?.algorithm;
        let SlotAlgorithmId::Management(kind) = kind else { return Err(drawing(&name)) };
        // As long for 3DES as for AES-192, the two that leave the factory.
        let drawn = draw(MANAGEMENT).ok_or_else(|| drawing(&name))?;
        let key = MgmKey::from_bytes(drawn.expose(), Some(kind)).map_err(&fail)?;
        key.set_protected(card).map_err(&fail)
    }

    /// Begins anew what an enrolment left half done: PIN and PUK are locked, and PIV is reset.
    fn reset(&mut self) -> Result<(), Error> {
        let fail = self.fail("resetting it");
        // Digits, which every card takes for a PIN and for a PUK. Should they be right, nothing changes.
        let wrong = draw_of(DIGITS).ok_or_else(|| drawing(&self.name))?;
        let wrong = wrong.expose();
        for _ in 0..MOST_TRIES {
            match self.card.change_pin(wrong, wrong) {
                Err(Y::WrongPin { tries: 0 } | Y::PinLocked) => break,
                Ok(()) | Err(Y::WrongPin { .. }) => {}
                Err(error) => return Err(fail(error)),
            }
        }
        for _ in 0..MOST_TRIES {
            match self.card.change_puk(wrong, wrong) {
                Err(Y::WrongPin { tries: 0 } | Y::PinLocked) => break,
                Ok(()) | Err(Y::WrongPin { .. }) => {}
                Err(error) => return Err(fail(error)),
            }
        }
        self.card.reset_device().map_err(fail)
    }
}

/// What the card says of PIN, PUK or management key.
fn of(card: &mut YubiKey, id: ManagementSlotId) -> yubikey::Result<SlotMetadata> {
    metadata(card, SlotId::Management(id))
}

fn drawing(token: &Name) -> Error {
    Error::Nonsense { token: token.clone(), doing: "drawing what outranks its PIN".into() }
}

/// A PUK of eight digits and letters: 48 bits, behind three tries.
fn draw_puk() -> Option<SecretBytes> {
    draw_of(LETTERS)
}

fn draw_of(letters: &[u8]) -> Option<SecretBytes> {
    let drawn = draw(8)?;
    let letter = |byte: &u8| letters[usize::from(*byte) % letters.len()];
    Some(SecretBytes::take(drawn.expose().iter().map(letter).collect()))
}

fn draw(len: usize) -> Option<SecretBytes> {
    SecretBytes::try_fill(len, |bytes| match getrandom(&mut *bytes, GetRandomFlags::empty()) {
        Ok(n) if n == bytes.len() => Ok(()),
        _ => Err(()),
    })
    .ok()
}

fn refuse_puk_length(puk: &SecretBytes, token: &Name) -> Result<(), Error> {
    match puk.len() {
        8 => Ok(()),
        _ => Err(Error::PinLength { token: token.clone(), min: 8, max: 8 }),
    }
}

/// What opens a YubiKey, or outranks what does.
const OPENS: [(ManagementSlotId, &str); 3] = [
    (ManagementSlotId::Pin, "PIN"),
    (ManagementSlotId::Puk, "PUK"),
    (ManagementSlotId::Management, "management key"),
];
const MAKING: &str = "making it ready";
const PUK: &str = "using its PUK";
const MANAGEMENT: usize = 24;
/// More than a YubiKey can be set to give.
const MOST_TRIES: u32 = 256;
const FACTORY_PIN: &[u8] = b"123456";
const FACTORY_PUK: &[u8] = b"12345678";
const DIGITS: &[u8] = b"0123456789";
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
