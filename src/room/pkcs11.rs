//! PKCS#11 (v2.40, v3.x) through `cryptoki`: modules, tokens, logins.
//!
//! The room: loads foreign code and drives a device, so it runs only in a token's child (docs/threats.md rule 13). A
//! token is chosen by its serial, never by a slot number. Nothing is retried.

mod device;
mod error;
mod face;
mod image;
mod init;
mod kem;
mod key;
mod make;
mod object;
mod place;
mod spki;
mod start;
mod trial;
mod yubikey;

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error as CkError, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use crate::secret::{Pin, SecretBytes};

pub use super::token::{
    Blank, Error, Face, Generated, KeyRef, Login, Name, Object, PublicObject, Purpose, TriesLeft,
    Uri, WrapTrial,
};
pub use image::Image;

/// A loaded and initialised module, and the token selected in it. Finalizes the module when dropped.
pub struct Module {
    pkcs11: Option<Pkcs11>,
    selected: Option<Selected>,
    /// Which of its tokens is meant; without, all are.
    uri: Option<Uri>,
    #[expect(dead_code, reason = "a module may open its own file while it is loaded")]
    image: Image,
}

struct Selected {
    name: Name,
    slot: Slot,
    session: Session,
    /// Its module is that of YubiKeys, which does some things otherwise.
    is_yubikey: bool,
    /// The private key that signed last, so that a batch finds it once.
    last: Option<(KeyRef, cryptoki::object::ObjectHandle)>,
}

impl Module {
    /// Loads and initialises a module, with the parameters that the room file has for it. Tokens that are not meant by
    /// `uri` are as if they were not there.
    ///
    /// # Errors
    /// [`Error::Module`].
    pub fn load(image: Image, parameters: Option<&str>, uri: Option<Uri>) -> Result<Self, Error> {
        let fail = |error: CkError| Error::Module {
            module: image.module.clone(),
            because: match &error {
                CkError::LibraryLoading(_) => "it is no library that this machine can load".into(),
                CkError::MissingSymbol(_) => "it is no PKCS#11 module".into(),
                other => error::code(other),
            },
        };
        let pkcs11 = Pkcs11::new(image.path()).map_err(fail)?;
        start::initialise(&pkcs11, parameters).map_err(fail)?;
        Ok(Self { pkcs11: Some(pkcs11), selected: None, uri, image })
    }

    /// What every token that is present says of itself; one whose answer cannot be read is left out of the faces and
    /// counted.
    ///
    /// # Errors
    /// [`Error::Device`] if the module cannot even list its slots.
    pub fn list(&self) -> Result<(Vec<Face>, usize), Error> {
        let (known, mute) = self.faces()?;
        Ok((known.into_iter().map(|(_, face)| face).collect(), mute))
    }

    /// Selects the one token with that serial, and opens a session. Whatever was selected before is closed.
    ///
    /// # Errors
    /// [`Error::NoToken`], [`Error::TwinSerial`], and [`Error::TwinLabel`] if another token has its label.
    pub fn select(&mut self, serial: &str) -> Result<Face, Error> {
        self.selected = None;
        let (known, _) = self.faces()?;
        let (slot, face) = choose(&known, serial)?;
        self.open(*slot, face)?;
        Ok(face.clone())
    }

    /// Logs the user in.
    ///
    /// # Errors
    /// What the device does; a wrong PIN is no error but [`Login::Refused`].
    pub fn login(&mut self, pin: &Pin) -> Result<Login, Error> {
        let selected = self.selected("logging in")?;
        if selected.is_yubikey {
            yubikey::refuse_factory_pin(pin, &selected.name)?;
        }
        self.log_in_by(Some(&auth(pin)))
    }

    /// Logs the user in by what is typed on the token's own pad.
    ///
    /// # Errors
    /// As [`Module::login`].
    pub fn login_on_pad(&mut self) -> Result<Login, Error> {
        self.log_in_by(None)
    }

    fn log_in_by(&self, pin: Option<&AuthPin>) -> Result<Login, Error> {
        let selected = self.selected("logging in")?;
        match selected.session.login(UserType::User, pin) {
            Ok(()) => Ok(Login::Open),
            Err(CkError::Pkcs11(RvError::PinLocked, _)) => Ok(Login::Refused(TriesLeft::Locked)),
            Err(CkError::Pkcs11(
                RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange,
                _,
            )) => {
                let slot = selected.slot;
                let info = self.pkcs11("logging in")?.get_token_info(slot);
                Ok(Login::Refused(info.map_or(TriesLeft::Unsaid, |info| face::user_tries(&info))))
            }
            Err(error) => Err(error::read(&selected.name, "logging in")(error)),
        }
    }

    /// Logs out; private objects are out of reach again.
    ///
    /// # Errors
    /// What the device does.
    pub fn logout(&mut self) -> Result<(), Error> {
        let selected = self.selected_mut("logging out")?;
        selected.last = None;
        selected.session.logout().map_err(error::read(&selected.name, "logging out"))
    }

    /// Random bytes from the token, to be mixed and never used alone.
    ///
    /// # Errors
    /// [`Error::NotSupported`] from tokens without a generator.
    pub fn random(&self, len: usize) -> Result<SecretBytes, Error> {
        let selected = self.selected("drawing random bytes")?;
        SecretBytes::try_fill(len, |bytes| selected.session.generate_random_slice(bytes))
            .map_err(error::read(&selected.name, "drawing random bytes"))
    }

    fn faces(&self) -> Result<(Vec<(Slot, Face)>, usize), Error> {
        let pkcs11 = self.pkcs11("listing tokens")?;
        let none = Name { label: String::new(), serial: String::new() };
        let slots = pkcs11.get_slots_with_token().map_err(error::read(&none, "listing tokens"))?;
        let count = slots.len();
        let faces: Vec<_> = slots
            .into_iter()
            .filter_map(|slot| Some((slot, face::face(&pkcs11.get_token_info(slot).ok()?))))
            .collect();
        let mute = count - faces.len();
        let is_meant = |face: &Face| self.uri.as_ref().is_none_or(|uri| uri.fits(face));
        Ok((faces.into_iter().filter(|(_, face)| is_meant(face)).collect(), mute))
    }

    fn open(&mut self, slot: Slot, face: &Face) -> Result<(), Error> {
        let opened = self.pkcs11("opening a session")?.open_rw_session(slot);
        let session = opened.map_err(error::read(&face.name, "opening a session"))?;
        let (name, is_yubikey) = (face.name.clone(), face.so_makes());
        self.selected = Some(Selected { name, slot, session, is_yubikey, last: None });
        Ok(())
    }

    fn pkcs11(&self, doing: &str) -> Result<&Pkcs11, Error> {
        self.pkcs11.as_ref().ok_or_else(|| Error::NotSelected { doing: doing.to_owned() })
    }

    fn selected(&self, doing: &str) -> Result<&Selected, Error> {
        self.selected.as_ref().ok_or_else(|| Error::NotSelected { doing: doing.to_owned() })
    }

    fn selected_mut(&mut self, doing: &str) -> Result<&mut Selected, Error> {
        self.selected.as_mut().ok_or_else(|| Error::NotSelected { doing: doing.to_owned() })
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        self.selected = None;
        if let Some(pkcs11) = self.pkcs11.take() {
            // The process ends next; there is nobody to tell.
            let _ = pkcs11.finalize();
        }
    }
}

/// The one token with that serial. The module of TPMs gives its serial to an empty one, too, which is always there.
fn choose<'a>(known: &'a [(Slot, Face)], serial: &str) -> Result<&'a (Slot, Face), Error> {
    let all = || known.iter().filter(|(_, face)| face.name.serial == serial);
    let is_ready = all().any(|(_, face)| face.is_initialised);
    let mut same = all().filter(|(_, face)| face.is_initialised || !is_ready);
    let Some(chosen) = same.next() else {
        return Err(Error::NoToken { serial: serial.to_owned() });
    };
    let label = &chosen.1.name.label;
    if let Some((_, twin)) = same.next() {
        let labels = format!("`{label}` and `{}`", twin.name.label);
        return Err(Error::TwinSerial { serial: serial.to_owned(), labels });
    }
    let twin = known.iter().map(|(_, face)| face).find(|face| {
        face.is_initialised && face.name.label == *label && face.name.serial != serial
    });
    match twin {
        Some(twin) if chosen.1.is_initialised => Err(Error::TwinLabel {
            label: label.clone(),
            serials: format!("{serial} and {}", twin.name.serial),
        }),
        _ => Ok(chosen),
    }
}

fn auth(pin: &Pin) -> AuthPin {
    let mut text = String::with_capacity(pin.expose().len());
    text.push_str(pin.expose());
    AuthPin::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(label: &str, serial: &str) -> (Slot, Face) {
        (Slot::try_from(0u64).unwrap(), Face::called(label, serial))
    }

    #[test]
    fn a_token_is_chosen_by_a_serial_that_no_other_has() {
        let mut empty = face("", "1");
        empty.1.is_initialised = false;
        let [a, b, other_b] = [face("a", "1"), face("b", "2"), face("b", "3")];
        let known = [empty, a, b, other_b, face("c", "4"), face("d", "4")];
        let told = |serial| match choose(&known, serial) {
            Ok((_, face)) => face.name.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(told("1"), "token `a` (serial 1)");
        assert_eq!(told("2"), "two tokens have the label `b`: serials 2 and 3");
        assert_eq!(told("4"), "two tokens have the serial 4: labels `c` and `d`");
        assert_eq!(told("5"), "no token with serial 5 is present");
    }

    #[test]
    fn tries_left_are_said_as_the_token_says_them() {
        let said = [TriesLeft::Last, TriesLeft::Low, TriesLeft::Locked, TriesLeft::Unsaid];
        assert_eq!(
            said.map(|tries| tries.to_string()),
            [
                "1 try left",
                "the token says that tries are running low",
                "the token is locked",
                "the token does not say how many tries are left",
            ]
        );
    }
}
