//! Passphrases of keys: from the environment, as docker and notary have them, or typed at the controlling terminal.
//!
//! Annex: reads the environment and asks people; never standard input, never an argument.

use std::fmt;
use std::path::Path;

use officiant::room::console::{self, Console, Prompt, Terminal};
use officiant::secret::{Pin, SecretBytes};

use super::{Error, Owner, Place, Stored};
use crate::environment::Environment;

/// What people are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The consent to a removal.
    Consent,
    /// The passphrase of a key.
    Passphrase,
    /// The PIN of a token.
    Pin,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Consent => "the consent to remove",
            Self::Passphrase => "the passphrase of",
            Self::Pin => "the PIN of",
        })
    }
}

impl Wanted {
    /// What to say when nobody answered.
    fn unasked(self, what: &str) -> impl Fn(console::Error) -> Error + '_ {
        move |source| Error::Unasked { wanted: self, what: what.to_owned(), source }
    }
}

/// The passphrase of a key of the store, asked for once.
///
/// # Errors
/// [`Error::Unasked`].
pub(super) fn of_key(stored: &Stored) -> Result<Pin, Error> {
    typed(&stored.to_string())
}

/// The passphrase of a key file, asked for once.
///
/// # Errors
/// [`Error::Unasked`].
pub(crate) fn of_file(file: &Path) -> Result<Pin, Error> {
    typed(&format!("`{}`", file.display()))
}

fn typed(what: &str) -> Result<Pin, Error> {
    let unasked = Wanted::Passphrase.unasked(what);
    let mut terminal = Terminal::open().map_err(&unasked)?;
    ask(&mut terminal, 1, format!("passphrase of {what}")).map_err(unasked)
}

/// The PIN of a token, asked for once.
///
/// # Errors
/// [`Error::Unasked`].
pub(super) fn pin(token: &str) -> Result<Pin, Error> {
    let unasked = Wanted::Pin.unasked(token);
    let mut terminal = Terminal::open().map_err(&unasked)?;
    terminal.ask_pin(&prompt(1, format!("PIN for {token}"))).map_err(unasked)
}

/// Tells people at the terminal to type the PIN on the token's own pad.
///
/// # Errors
/// [`Error::Unasked`].
pub(super) fn point_to_pad(token: &str) -> Result<(), Error> {
    let shown = format!("type the PIN on the pad of {token}");
    let told = Terminal::open().and_then(|mut terminal| terminal.show(&shown));
    told.map_err(Wanted::Pin.unasked(token))
}

/// The passphrase that a key shall have: the one that is set for its role, or typed twice.
///
/// # Errors
/// [`Error::Weak`], [`Error::Unasked`], [`Error::Untyped`].
pub(crate) fn another(owner: &Owner) -> Result<Pin, Error> {
    match Environment::passphrases(owner.holder()).next() {
        Some(pin) if is_long(&pin) => Ok(pin),
        Some(_) => Err(Error::Weak),
        None => twice(&owner.to_string()),
    }
}

/// A new passphrase, typed twice alike.
///
/// # Errors
/// [`Error::Unasked`], [`Error::Untyped`].
pub(crate) fn twice(what: &str) -> Result<Pin, Error> {
    let unasked = Wanted::Passphrase.unasked(what);
    let mut terminal = Terminal::open().map_err(&unasked)?;
    for _ in 0..ATTEMPTS {
        let text = format!("new passphrase for {what}, {SHORTEST} characters or more");
        let pin = ask(&mut terminal, 1, text).map_err(&unasked)?;
        if !is_long(&pin) {
            terminal.show("that is too short").map_err(&unasked)?;
            continue;
        }
        let again = ask(&mut terminal, 2, "the same passphrase again".to_owned());
        if pin.matches(&again.map_err(&unasked)?) {
            return Ok(pin);
        }
        terminal.show("the two differ").map_err(&unasked)?;
    }
    Err(Error::Untyped)
}

/// Has a person type the first letters of a key's id, once: what follows cannot be taken back.
///
/// # Errors
/// [`Error::Unasked`], [`Error::Unconfirmed`].
pub(crate) fn confirm(stored: &Stored) -> Result<(), Error> {
    let what = stored.to_string();
    let unasked = Wanted::Consent.unasked(&what);
    let mut terminal = Terminal::open().map_err(&unasked)?;
    let length = Stored::SHORT;
    let goes = match &stored.place {
        Place::File { .. } => "goes for good, with everything that only it can sign",
        Place::Token(_) => "stays on its token, and is no longer known here",
    };
    let shown = format!("{stored} {goes}: {}", stored.path.display());
    terminal.show(&shown).map_err(&unasked)?;
    let text = format!("type the first {length} letters of its id to remove it");
    let typed = terminal.ask(&prompt(1, text)).map_err(&unasked)?;
    match typed == stored.short() {
        true => Ok(()),
        false => Err(Error::Unconfirmed { what: what.clone() }),
    }
}

/// Asks for a passphrase. As in notary, no blank begins or ends one that is typed.
fn ask(terminal: &mut Terminal, step: u32, text: String) -> Result<Pin, console::Error> {
    let pin = terminal.ask_pin(&prompt(step, text))?;
    let trimmed = SecretBytes::copy_of(pin.expose().trim().as_bytes());
    Pin::new(trimmed).map_err(|_| console::Error::NotText { step, what: "nothing but blanks" })
}

fn prompt(step: u32, text: String) -> Prompt {
    let (id, who) = ("passphrase".to_owned(), "owner of the key".to_owned());
    Prompt { step, id, who, text, expected: None }
}

fn is_long(pin: &Pin) -> bool {
    pin.expose().chars().count() >= SHORTEST
}

/// As in notary.
pub(crate) const SHORTEST: usize = 8;
const ATTEMPTS: usize = 3;
