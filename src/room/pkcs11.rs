//! PKCS#11 (v2.40, v3.x) through `cryptoki`: modules, tokens, logins.
//!
//! The room: loads foreign code and drives a device, so it runs only in a token's child (security.md rule 13). A token
//! is chosen by its serial, never by a slot number. Nothing is retried.

mod error;
mod key;
mod object;
mod spki;

use std::path::Path;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as CkError, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;
use serde::{Deserialize, Serialize};

use crate::secret::{Pin, SecretBytes};

pub use error::Error;
pub use key::{Generated, KeyRef, PublicObject, Purpose, WrapTrial};
pub use object::Object;

/// What errors call a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// The label written on it at its initialisation.
    pub label: String,
    /// The serial that its maker gave it.
    pub serial: String,
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "token `{}` (serial {})", self.label, self.serial)
    }
}

/// What a token says of itself. All of it is the token's claim; absent text means that the token's answer could not be
/// read, which never stops anything by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Face {
    /// Label and serial.
    pub name: Name,
    /// Who made it.
    pub manufacturer: String,
    /// Which model.
    pub model: String,
    /// Its firmware, `major.minor`.
    pub firmware: String,
    /// C_InitToken has been done.
    pub is_initialised: bool,
    /// A user PIN has been set.
    pub has_user_pin: bool,
    /// What it says of tries of the user PIN.
    pub user_pin: TriesLeft,
    /// What it says of tries of the SO PIN.
    pub so_pin: TriesLeft,
    /// The PIN is typed on the token's own keypad.
    pub has_keypad: bool,
    /// The lengths of a PIN that it takes, in bytes.
    pub pin_len: (usize, usize),
}

/// What a token says of the tries left for a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TriesLeft {
    /// Exactly so many.
    Number(u32),
    /// At least one wrong PIN was given since the last right one (PKCS#11 `COUNT_LOW`).
    Low,
    /// One.
    Last,
    /// None.
    Locked,
    /// It does not say.
    Unsaid,
}

impl std::fmt::Display for TriesLeft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(1) | Self::Last => f.write_str("1 try left"),
            Self::Number(n) => write!(f, "{n} tries left"),
            Self::Low => f.write_str("the token says that tries are running low"),
            Self::Locked => f.write_str("the token is locked"),
            Self::Unsaid => f.write_str("the token does not say how many tries are left"),
        }
    }
}

/// What came of a login.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Login {
    /// The token is open until the logout.
    Open,
    /// The token refused the PIN, and says this of the tries left. Nothing was retried.
    Refused(TriesLeft),
}

/// A loaded and initialised module, and the token selected in it. Finalizes the module when dropped.
pub struct Module {
    pkcs11: Option<Pkcs11>,
    selected: Option<Selected>,
}

struct Selected {
    name: Name,
    slot: Slot,
    session: Session,
    /// The private key that signed last, so that a batch finds it once.
    last: Option<(KeyRef, cryptoki::object::ObjectHandle)>,
}

impl Module {
    /// Loads and initialises a module.
    ///
    /// # Errors
    /// [`Error::Module`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        let fail = |error: CkError| Error::Module {
            module: path.display().to_string(),
            because: match &error {
                CkError::LibraryLoading(_) => "it is no library that this machine can load".into(),
                CkError::MissingSymbol(_) => "it is no PKCS#11 module".into(),
                other => error::code(other),
            },
        };
        let pkcs11 = Pkcs11::new(path).map_err(fail)?;
        pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).map_err(fail)?;
        Ok(Self { pkcs11: Some(pkcs11), selected: None })
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
        let mut same = known.iter().filter(|(_, face)| face.name.serial == serial);
        let Some((slot, face)) = same.next() else {
            return Err(Error::NoToken { serial: serial.to_owned() });
        };
        if let Some((_, twin)) = same.next() {
            return Err(Error::TwinSerial {
                serial: serial.to_owned(),
                labels: format!("`{}` and `{}`", face.name.label, twin.name.label),
            });
        }
        let twin = known.iter().find(|(_, other)| {
            face.is_initialised
                && other.is_initialised
                && other.name.label == face.name.label
                && other.name.serial != serial
        });
        if let Some((_, twin)) = twin {
            return Err(Error::TwinLabel {
                label: face.name.label.clone(),
                serials: format!("{serial} and {}", twin.name.serial),
            });
        }
        self.open(*slot, face)?;
        Ok(face.clone())
    }

    /// Initialises the one uninitialised token (or the one with `serial`), sets both PINs, and selects it. The SO PIN
    /// is drawn here and forgotten unshown if none is given (security.md rule 9).
    ///
    /// # Errors
    /// [`Error::LabelTaken`], [`Error::LabelUnfit`], [`Error::NoBlank`], [`Error::ManyBlanks`], [`Error::PinUnfit`],
    /// and what the device does.
    pub fn init(&mut self, blank: Blank<'_>) -> Result<Face, Error> {
        self.selected = None;
        let label = blank.label;
        if label.is_empty()
            || label.len() > 32
            || label.trim() != label
            || label.contains(char::is_control)
        {
            return Err(Error::LabelUnfit { label: label.to_owned() });
        }
        let (before, _) = self.faces()?;
        if let Some((_, taken)) =
            before.iter().find(|(_, f)| f.is_initialised && f.name.label == label)
        {
            let serial = taken.name.serial.clone();
            return Err(Error::LabelTaken { label: label.to_owned(), serial });
        }
        let (slot, face) = sole_blank(&before, blank.serial)?;
        let name = Name { label: label.to_owned(), serial: face.name.serial.clone() };
        let so_pin = match blank.so_pin {
            Some(pin) => auth(&pin),
            None => draw_so_pin(face.pin_len).ok_or_else(|| Error::PinUnfit {
                token: name.clone(),
                code: "no random bytes for a drawn SO PIN".into(),
            })?,
        };
        let pkcs11 = self.pkcs11("initialising a token")?;
        pkcs11.init_token(slot, &so_pin, label).map_err(error::read(&name, "initialising it"))?;
        // SoftHSM moves the token to another slot and gives it a serial only now.
        let (after, _) = self.faces()?;
        let (slot, face) = after
            .into_iter()
            .find(|(_, f)| f.is_initialised && f.name.label == label)
            .ok_or_else(|| Error::Nonsense { token: name, doing: "initialising it".into() })?;
        self.set_user_pin(slot, &face.name, (&so_pin, &auth(&blank.user_pin)))?;
        self.select(&face.name.serial)
    }

    /// Logs the user in.
    ///
    /// # Errors
    /// What the device does; a wrong PIN is no error but [`Login::Refused`].
    pub fn login(&mut self, pin: &Pin) -> Result<Login, Error> {
        let selected = self.selected("logging in")?;
        match selected.session.login(UserType::User, Some(&auth(pin))) {
            Ok(()) => Ok(Login::Open),
            Err(CkError::Pkcs11(RvError::PinLocked, _)) => Ok(Login::Refused(TriesLeft::Locked)),
            Err(CkError::Pkcs11(
                RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange,
                _,
            )) => {
                let slot = selected.slot;
                let info = self.pkcs11("logging in")?.get_token_info(slot);
                Ok(Login::Refused(info.map_or(TriesLeft::Unsaid, |info| user_tries(&info))))
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
            .filter_map(|slot| Some((slot, face(&pkcs11.get_token_info(slot).ok()?))))
            .collect();
        let mute = count - faces.len();
        Ok((faces, mute))
    }

    fn open(&mut self, slot: Slot, face: &Face) -> Result<(), Error> {
        let opened = self.pkcs11("opening a session")?.open_rw_session(slot);
        let session = opened.map_err(error::read(&face.name, "opening a session"))?;
        self.selected = Some(Selected { name: face.name.clone(), slot, session, last: None });
        Ok(())
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

fn face(info: &TokenInfo) -> Face {
    Face {
        name: Name { label: clean(info.label()), serial: clean(info.serial_number()) },
        manufacturer: clean(info.manufacturer_id()),
        model: clean(info.model()),
        firmware: info.firmware_version().to_string(),
        is_initialised: info.token_initialized(),
        has_user_pin: info.user_pin_initialized(),
        user_pin: user_tries(info),
        so_pin: tries(info.so_pin_locked(), info.so_pin_final_try(), info.so_pin_count_low()),
        has_keypad: info.protected_authentication_path(),
        pin_len: (info.min_pin_length(), info.max_pin_length()),
    }
}

fn user_tries(info: &TokenInfo) -> TriesLeft {
    tries(info.user_pin_locked(), info.user_pin_final_try(), info.user_pin_count_low())
}

fn tries(locked: bool, last: bool, low: bool) -> TriesLeft {
    match (locked, last, low) {
        (true, _, _) => TriesLeft::Locked,
        (_, true, _) => TriesLeft::Last,
        (_, _, true) => TriesLeft::Low,
        _ => TriesLeft::Unsaid,
    }
}

/// What a token writes of itself, fit for a screen: some pad with NUL, and none may send control characters.
fn clean(text: &str) -> String {
    text.trim_matches(|c: char| c == '\0' || c.is_whitespace())
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn auth(pin: &Pin) -> AuthPin {
    let mut text = String::with_capacity(pin.expose().len());
    text.push_str(pin.expose());
    AuthPin::from(text)
}

/// Draws an SO PIN of 120 bits from the kernel, or as many as the token's longest PIN holds.
fn draw_so_pin((_, longest): (usize, usize)) -> Option<AuthPin> {
    let len = if longest == 0 { SO_PIN_LEN } else { longest.min(SO_PIN_LEN) };
    let bytes = SecretBytes::try_fill(len, |bytes| {
        match rustix::rand::getrandom(&mut *bytes, rustix::rand::GetRandomFlags::empty()) {
            Ok(n) if n == bytes.len() => Ok(()),
            _ => Err(()),
        }
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
