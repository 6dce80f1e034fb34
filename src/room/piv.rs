//! YubiKeys through PIV (NIST SP 800-73-4) with what Yubico adds to it, by the crate `yubikey`.
//!
//! The room: drives a device, so it runs only in a token's child (docs/threats.md rule 13); a panic of the crate ends that
//! child. A YubiKey is chosen by its serial, never by a reader. Nothing is retried.

mod device;
mod error;
mod init;
mod key;
mod make;
mod object;
mod slot;

use yubikey::piv::{ManagementSlotId, SlotId, metadata};
use yubikey::reader::Context;
use yubikey::{MgmKey, YubiKey};

use super::token::{Error, Face, KeyRef, Login, Name, Outranking, TriesLeft};
use crate::secret::Pin;

/// The YubiKeys of this machine, or the one with a serial alone, and the one that is selected.
pub struct YubiKeys {
    only: Option<u32>,
    selected: Option<Selected>,
}

struct Selected {
    name: Name,
    card: YubiKey,
    is_open: bool,
    /// It was proven that the holder of the PIN may manage it.
    is_managed: bool,
    /// The key that signed last, so that a batch finds it once.
    last: Option<KeyRef>,
}

impl YubiKeys {
    /// Looks at no card yet.
    pub fn new(only: Option<u32>) -> Self {
        Self { only, selected: None }
    }

    fn list(&mut self) -> Result<(Vec<Face>, usize), Error> {
        self.selected = None;
        let (found, mute) = self.faces()?;
        Ok((found.into_iter().map(left_alone).collect(), mute))
    }

    /// Every YubiKey that answers, and how many cards did not say what they are.
    fn faces(&self) -> Result<(Vec<(YubiKey, Face)>, usize), Error> {
        let fail = error::read(&Name { label: String::new(), serial: String::new() }, LISTING);
        let mut context = match Context::open() {
            Err(error) if error::is_no_reader(&error) => return Ok((Vec::new(), 0)),
            opened => opened.map_err(&fail)?,
        };
        let (mut found, mut mute) = (Vec::new(), 0);
        for reader in context.iter().map_err(&fail)? {
            let mut card = match reader.open() {
                Ok(card) => card,
                Err(error) => {
                    mute += usize::from(error::is_mute(&error));
                    continue;
                }
            };
            if self.only.is_some_and(|only| only != u32::from(card.serial())) {
                leave(card);
                continue;
            }
            match face(&mut card) {
                Some(face) => found.push((card, face)),
                None => mute += 1,
            }
        }
        Ok((found, mute))
    }

    fn select(&mut self, serial: &str) -> Result<Face, Error> {
        self.selected = None;
        let (found, _) = self.faces()?;
        let is_it = |pair: &(YubiKey, Face)| pair.1.name.serial == serial;
        let (same, others): (Vec<_>, Vec<_>) = found.into_iter().partition(is_it);
        others.into_iter().map(left_alone).for_each(drop);
        let mut same = same.into_iter();
        let (card, face) =
            same.next().ok_or_else(|| Error::NoToken { serial: serial.to_owned() })?;
        if let Some(twin) = same.next().map(left_alone) {
            let labels = format!("`{}` and `{}`", face.name.label, twin.name.label);
            return Err(Error::TwinSerial { serial: serial.to_owned(), labels });
        }
        let name = face.name.clone();
        self.selected =
            Some(Selected { name, card, is_open: false, is_managed: false, last: None });
        Ok(face)
    }

    fn login(&mut self, pin: &Pin) -> Result<Login, Error> {
        let selected = self.selected("logging in")?;
        selected.refuse_factory()?;
        match selected.card.verify_pin(pin.expose().as_bytes()) {
            Ok(()) => {
                selected.is_open = true;
                Ok(Login::Open)
            }
            Err(yubikey::Error::WrongPin { tries }) => Ok(Login::Refused(tries_left(tries))),
            Err(yubikey::Error::PinLocked) => Ok(Login::Refused(TriesLeft::Locked)),
            // It is longer than any PIN of it; the card was not asked.
            Err(yubikey::Error::SizeError) => Ok(Login::Refused(TriesLeft::Unsaid)),
            Err(error) => Err(error::read(&selected.name, "logging in")(error)),
        }
    }

    /// The card is reset when it is let go: it forgets that a PIN was verified, and so does the crate.
    fn logout(&mut self) -> Result<(), Error> {
        let serial = self.selected("logging out")?.name.serial.clone();
        self.select(&serial).map(drop)
    }

    fn selected(&mut self, doing: &str) -> Result<&mut Selected, Error> {
        self.selected.as_mut().ok_or_else(|| Error::NotSelected { doing: doing.to_owned() })
    }

    /// The selected one, if its user is logged in.
    fn logged_in(&mut self, doing: &str) -> Result<&mut Selected, Error> {
        let selected = self.selected(doing)?;
        match selected.is_open {
            true => Ok(selected),
            false => {
                Err(Error::NotLoggedIn { token: selected.name.clone(), doing: doing.to_owned() })
            }
        }
    }

    /// The selected one, logged in and ready to be written.
    fn managed(&mut self, doing: &str) -> Result<&mut Selected, Error> {
        let selected = self.logged_in(doing)?;
        if !selected.is_managed {
            let fail = error::read(&selected.name, doing);
            let key = MgmKey::get_protected(&mut selected.card).map_err(|_| {
                let what = format!("{doing}: its management key is not kept behind its PIN");
                Error::NotSupported { token: selected.name.clone(), what }
            })?;
            selected.card.authenticate(&key).map_err(fail)?;
            selected.is_managed = true;
        }
        Ok(selected)
    }
}

impl Selected {
    fn fail(&self, doing: &str) -> impl Fn(yubikey::Error) -> Error + use<> {
        error::read(&self.name, doing)
    }

    fn nonsense(&self, doing: &str) -> Error {
        Error::Nonsense { token: self.name.clone(), doing: doing.to_owned() }
    }
}

/// The face of a YubiKey that is not the one that is meant.
fn left_alone((card, face): (YubiKey, Face)) -> Face {
    leave(card);
    face
}

/// Lets a card go as it is. Otherwise it is reset, as it must be when a PIN was given, and whoever else speaks to it would
/// be thrown out.
fn leave(card: YubiKey) {
    // What cannot be left is reset.
    let _ = card.disconnect(pcsc::Disposition::LeaveCard);
}

/// What a YubiKey says of itself, if it can be read.
fn face(card: &mut YubiKey) -> Option<Face> {
    let label = object::label(card).ok()?;
    // Firmware before 5.3 does not say.
    let pin = metadata(card, SlotId::Management(ManagementSlotId::Pin)).ok();
    let left = pin.as_ref().and_then(|pin| pin.retries.as_ref());
    let has_user_pin = pin.as_ref().and_then(|pin| pin.default) != Some(true);
    Some(Face {
        name: Name { label: label.clone().unwrap_or_default(), serial: card.serial().to_string() },
        manufacturer: "Yubico".to_owned(),
        model: "YubiKey".to_owned(),
        firmware: card.version().to_string(),
        // By us, or by another tool.
        is_initialised: label.is_some() || has_user_pin,
        has_user_pin,
        user_pin: left.map_or(TriesLeft::Unsaid, |left| tries_left(left.remaining_count)),
        has_pad: false,
        pin_len: PIN_LEN,
        is_touched: true,
        outranked_by: Outranking::Puk,
    })
}

fn tries_left(count: u8) -> TriesLeft {
    match count {
        0 => TriesLeft::Locked,
        1 => TriesLeft::Last,
        more => TriesLeft::Count(more),
    }
}

const LISTING: &str = "listing YubiKeys";
/// SP 800-73-4, part 2, 2.4.3: six to eight.
const PIN_LEN: (usize, usize) = (6, 8);
