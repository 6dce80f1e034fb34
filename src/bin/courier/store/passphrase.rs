//! Passphrases of keys: from the environment, as docker and notary have them, or typed at the controlling terminal.
//!
//! Annex: reads the environment and asks people; never standard input, never an argument.

use std::path::Path;

use officiant::room::console::{self, Console, Prompt, Terminal};
use officiant::secret::{Pin, SecretBytes};

use super::{Error, Owner, Stored};
use crate::environment::Environment;

/// A passphrase, and where it came from.
pub(crate) struct Asked {
    /// The passphrase.
    pub(crate) pin: Pin,
    /// Where it came from.
    pub(crate) from: Source,
}

/// Where a passphrase came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A variable of the environment.
    Environment,
    /// A person.
    Terminal,
}

/// The passphrase of a key of the store: the one that is set for its role, or asked for once.
///
/// # Errors
/// [`Error::Unasked`].
pub(crate) fn existing(stored: &Stored) -> Result<Asked, Error> {
    if let Some(pin) = Environment::passphrase(stored.owner.holder()) {
        return Ok(Asked { pin, from: Source::Environment });
    }
    typed(&stored.to_string())
}

/// The passphrase of a key file, asked for once.
///
/// # Errors
/// [`Error::Unasked`].
pub(crate) fn of_file(file: &Path) -> Result<Asked, Error> {
    typed(&format!("`{}`", file.display()))
}

fn typed(what: &str) -> Result<Asked, Error> {
    let unasked = |source| Error::Unasked { what: what.to_owned(), source };
    let mut terminal = Terminal::open().map_err(unasked)?;
    let pin = ask(&mut terminal, 1, format!("passphrase of {what}")).map_err(unasked)?;
    Ok(Asked { pin, from: Source::Terminal })
}

/// The passphrase that a key shall have: the one that is set for its role, or typed twice.
///
/// # Errors
/// [`Error::Weak`], [`Error::Unasked`], [`Error::Untyped`].
pub(crate) fn another(owner: &Owner) -> Result<Pin, Error> {
    match Environment::passphrase(owner.holder()) {
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
    let unasked = |source| Error::Unasked { what: what.to_owned(), source };
    let mut terminal = Terminal::open().map_err(unasked)?;
    for _ in 0..ATTEMPTS {
        let text = format!("new passphrase for {what}, {SHORTEST} characters or more");
        let pin = ask(&mut terminal, 1, text).map_err(unasked)?;
        if !is_long(&pin) {
            terminal.show("that is too short").map_err(unasked)?;
            continue;
        }
        let again = ask(&mut terminal, 2, "the same passphrase again".to_owned());
        if pin.matches(&again.map_err(unasked)?) {
            return Ok(pin);
        }
        terminal.show("the two differ").map_err(unasked)?;
    }
    Err(Error::Untyped)
}

/// Has a person type the first letters of a key's id, once: what follows cannot be taken back.
///
/// # Errors
/// [`Error::Unasked`], [`Error::Unconfirmed`].
pub(crate) fn confirm(stored: &Stored) -> Result<(), Error> {
    let unasked = |source| Error::Unasked { what: stored.to_string(), source };
    let mut terminal = Terminal::open().map_err(unasked)?;
    let length = Stored::SHORT;
    let shown = format!(
        "{stored} goes for good, with everything that only it can sign: {}",
        stored.path.display()
    );
    terminal.show(&shown).map_err(unasked)?;
    let text = format!("type the first {length} letters of its id to remove it");
    let typed = terminal.ask(&prompt(1, text)).map_err(unasked)?;
    match typed == stored.short() {
        true => Ok(()),
        false => Err(Error::Unconfirmed { what: stored.to_string() }),
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
