//! `token list`, `token show` and `token init`.
//!
//! Roof: a child for each token, the terminal for what `init` asks; results go to standard output.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::args::{Token, TokenList, TokenOne};
use super::command::{print, room};
use super::reading;
use crate::advisory;
use crate::check::Check;
use crate::child::token::{self as child, Driver, Face, Present, SoPin};
use crate::child::{Fence, Launch};
use crate::refusal::{Exit, Refusal};
use crate::room::binding::{self, Binding};
use crate::room::console::{Console, Prompt, Terminal};
use crate::room::soft;
use crate::room::token::Uri;
use crate::secret::Pin;
use crate::trust::Custody;
use crate::wording::{Count, List};

/// Runs one of the verbs.
///
/// # Errors
/// Refusals of the room file, of the tokens, and of people.
pub(super) fn run(verb: Token) -> Result<(), Refusal> {
    match verb {
        Token::List(TokenList { room: path }) => print(&list(&room(&path)?)?),
        Token::Show(TokenOne { token, room: path }) => print(&show(&room(&path)?, &token)?),
        Token::Init(TokenOne { token, room: path }) => {
            let room = room(&path)?;
            let blank = Blank::find(&room, &token)?;
            let mut terminal = Terminal::open().map_err(|e| e.refusal(Refusal::NOTHING_DONE))?;
            let face = blank.init(&mut terminal)?;
            print(&described(&face))
        }
    }
}

/// Every token that the modules of the room show, a line each.
fn list(room: &Binding) -> Result<String, Refusal> {
    let mut lines = String::new();
    let mut mute = 0;
    for (module, driver) in drivers(room)? {
        let present = present(&module, &driver)?;
        for face in &present.faces {
            // Writing to a string does not fail.
            let _ = writeln!(lines, "{module}  {}", line(face));
        }
        mute += present.mute;
    }
    if mute > 0 {
        let _ = writeln!(lines, "and {} whose answer could not be read", Count(mute, "token"));
    }
    if lines.is_empty() {
        lines.push_str("no token is present\n");
    }
    Ok(lines)
}

/// The token that the room file binds to `name`.
fn show(room: &Binding, name: &str) -> Result<String, Refusal> {
    let token = bound(room, name)?;
    let driver = driver(room, token, soft::config)?;
    let present = present(name, &driver)?;
    // One that its maker's tool made ready has the label that it was given there.
    let is_it = |face: &&Face| is_called(face, name) || token.uri().is_some();
    let mut labelled = present.faces.iter().filter(is_it);
    match (labelled.next(), labelled.next()) {
        (Some(face), None) => Ok(described(face) + &known(face)),
        (Some(_), Some(_)) => Err(Refusal::new(
            Exit::Device,
            format!("more than one token with the label `{name}` is present"),
        )
        .hint("remove the one that is not meant; `officiant token list` shows their serials")),
        (None, _) => Err(absent(name, &present)),
    }
}

fn absent(name: &str, present: &Present) -> Refusal {
    let labels: Vec<&str> = present
        .faces
        .iter()
        .filter(|face| face.is_initialised)
        .map(|face| face.name.label.as_str())
        .collect();
    let found = match labels.as_slice() {
        [] => "none".to_owned(),
        labels => List::names(labels).to_string(),
    };
    let what = format!("no token with the label `{name}` is present, found {found}");
    Refusal::new(Exit::Device, what)
        .hint("insert it; if it is new, a ceremony initialises it when it enrols it")
}

/// An empty token that may be initialised.
struct Blank {
    name: String,
    token: child::Token,
    serials: Vec<String>,
}

impl Blank {
    /// Looks for the empty token, and for every reason not to touch it (docs/threats.md rule 27).
    fn find(room: &Binding, name: &str) -> Result<Self, Refusal> {
        let bound = bound(room, name)?;
        not_trusted(room, name)?;
        let driver = driver(room, bound, soft::make)?;
        let mut token = start(name, &driver)?;
        let present = token.list().map_err(|e| e.refusal(Refusal::NOTHING_DONE))?;
        if let Some(face) = present.faces.iter().find(|face| is_called(face, name)) {
            let what =
                format!("{} is initialised already and may hold a key or a share", face.name);
            return Err(Refusal::of(Check::TokenInit, what)
                .hint("use a token that has never been initialised, or give it another name"));
        }
        let blanks = present.faces.into_iter().filter(|face| !face.is_initialised);
        let serials: Vec<String> = blanks.map(|face| face.name.serial).collect();
        if serials.is_empty() {
            return Err(Refusal::of(Check::TokenInit, "no uninitialised token is present")
                .hint("insert the new token; what is initialised already is never wiped here"));
        }
        Ok(Self { name: name.to_owned(), token, serials })
    }

    /// Asks which token is meant and for its new PIN, and initialises it.
    fn init(mut self, console: &mut dyn Console) -> Result<Face, Refusal> {
        if !self.token.fence().is_confined() {
            say(console, Fence::UNCONFINED)?;
        }
        let serial = self.consent(console)?;
        let pin = self.new_pin(console)?;
        self.token
            .init(serial.as_deref(), &self.name, SoPin::Drawn, pin)
            .map_err(|e| e.refusal("nothing was signed; the token may be empty or half prepared"))
    }

    /// The serial typed from the token itself; a token that has none before it is initialised is meant by its
    /// new name, and has to be the only one.
    fn consent(&self, console: &mut dyn Console) -> Result<Option<String>, Refusal> {
        let has_serial = self.serials.iter().all(|serial| !serial.is_empty());
        if !has_serial && self.serials.len() > 1 {
            let what = format!(
                "{} without serials are present, expected one",
                Count(self.serials.len(), "uninitialised token")
            );
            return Err(Refusal::of(Check::TokenInit, what).hint("insert one new token at a time"));
        }
        let (id, text) = if has_serial {
            ("serial", "serial of the empty token that is initialised, as printed on it")
        } else {
            ("name", "the empty token has no serial yet; type the name that it gets")
        };
        let prompt = prompt(1, format!("{id} {}", self.name), "operator", text.to_owned());
        for _ in 0..ATTEMPTS {
            let typed = ask(console, &prompt)?;
            if has_serial && self.serials.contains(&typed) {
                return Ok(Some(typed));
            }
            if !has_serial && typed == self.name {
                return Ok(None);
            }
            say(console, "that is not it")?;
        }
        let what = format!("no uninitialised token was named in {ATTEMPTS} attempts");
        Err(Refusal::of(Check::TokenInit, what)
            .hint("compare the token with `officiant token list`"))
    }

    fn new_pin(&self, console: &mut dyn Console) -> Result<Pin, Refusal> {
        let id = format!("pin {}", self.name);
        let text = format!("new PIN for token {}, {} characters or more", self.name, Pin::SHORTEST);
        let first = prompt(2, id.clone(), "custodian", text);
        let second = prompt(3, id, "custodian", "the same PIN again".to_owned());
        for _ in 0..ATTEMPTS {
            let heard = |e: crate::room::console::Error| e.refusal(Refusal::NOTHING_DONE);
            let pin = console.ask_pin(&first).map_err(heard)?;
            if !pin.is_long_enough() {
                say(console, "that is too short")?;
                continue;
            }
            if pin.matches(&console.ask_pin(&second).map_err(heard)?) {
                return Ok(pin);
            }
            say(console, "the two PINs differ")?;
        }
        let what = format!("the new PIN was not typed twice alike in {ATTEMPTS} attempts");
        Err(Refusal::new(Exit::Refused, what).hint("run it again"))
    }
}

/// Refuses a token that the last trust folder names.
fn not_trusted(room: &Binding, name: &str) -> Result<(), Refusal> {
    let Some(trust) = &room.trust else { return Ok(()) };
    not_named(reading::past(Some(trust))?.custody(), trust, name)
}

fn not_named(custody: &Custody, trust: &Path, name: &str) -> Result<(), Refusal> {
    if custody.token(name).is_none() {
        return Ok(());
    }
    let what = format!("token `{name}` is named by trust folder `{}`", trust.display());
    Err(Refusal::of(Check::TokenInit, what).hint("give a new token a name of its own in the plan"))
}

fn bound<'a>(room: &'a Binding, name: &str) -> Result<&'a binding::Token, Refusal> {
    room.token(name).ok_or_else(|| {
        let names: Vec<&str> = room.tokens.iter().map(|token| token.name.as_str()).collect();
        let refusal = Refusal::new(Exit::Usage, format!("the room file binds no token `{name}`"));
        match names.as_slice() {
            [] => refusal.hint("add a [[token]] to the room file"),
            names => refusal.hint(format!("it binds {}", List::names(names))),
        }
    })
}

/// What drives the token that the room file binds to a name.
///
/// # Errors
/// A name that the room file does not bind.
pub(super) fn driver_of(room: &Binding, name: &str) -> Result<Driver, Refusal> {
    driver(room, bound(room, name)?, soft::config)
}

fn driver(
    room: &Binding,
    token: &binding::Token,
    folder: fn(&Path) -> Result<PathBuf, soft::Error>,
) -> Result<Driver, Refusal> {
    let (name, softhsm) = match &token.driver {
        binding::Driver::Module { name, softhsm, .. } => (name, softhsm.as_deref()),
        binding::Driver::YubiKey(serial) => return Ok(Driver::YubiKey { serial: Some(*serial) }),
    };
    let softhsm = softhsm.map(folder).transpose().map_err(|e| e.refusal())?;
    let module = room.module(name).ok_or_else(|| {
        // The room file was refused if it names a module that it does not have.
        Refusal::new(Exit::Ours, format!("the room file has no module `{name}`"))
    })?;
    Ok(of(module, softhsm, token.uri()))
}

/// There is no record here that says which bytes the module must have.
fn of(module: &binding::Module, softhsm: Option<PathBuf>, uri: Option<&Uri>) -> Driver {
    let (path, needs) = (module.path.clone(), Box::new(module.needs.clone()));
    Driver::Module { module: path, sha256: None, softhsm, needs, uri: uri.cloned() }
}

/// One driver for each soft token, one for each module that drives others or none that is bound yet (but not for the one
/// that serves rehearsals alone), and one for all YubiKeys where any is bound.
fn drivers(room: &Binding) -> Result<Vec<(String, Driver)>, Refusal> {
    let mut drivers = Vec::new();
    for module in &room.modules {
        let mut bound = room.tokens.iter().filter_map(|token| match &token.driver {
            binding::Driver::Module { name, softhsm, .. } if *name == module.name => Some(softhsm),
            _ => None,
        });
        // Rehearsals make folders of their own; without one SoftHSM has nothing to show.
        let rehearses = room.rehearsal.as_ref() == Some(&module.name);
        let is_soft = rehearses || bound.clone().any(Option::is_some);
        if !(is_soft && bound.all(Option::is_some)) {
            drivers.push((module.name.clone(), of(module, None, None)));
        }
    }
    for token in &room.tokens {
        if let binding::Driver::Module { name, softhsm: Some(folder), .. } = &token.driver
            && folder.exists()
        {
            drivers.push((name.clone(), driver(room, token, soft::config)?));
        }
    }
    let is_yubikey = |token: &binding::Token| matches!(token.driver, binding::Driver::YubiKey(_));
    if room.tokens.iter().any(is_yubikey) {
        drivers.push(("yubikey".to_owned(), Driver::YubiKey { serial: None }));
    }
    Ok(drivers)
}

fn start(name: &str, driver: &Driver) -> Result<child::Token, Refusal> {
    let started = child::Token::start(&Launch::this_binary(name), driver);
    started.map_err(|e| e.refusal(Refusal::NOTHING_DONE))
}

fn present(name: &str, driver: &Driver) -> Result<Present, Refusal> {
    start(name, driver)?.list().map_err(|e| e.refusal(Refusal::NOTHING_DONE))
}

/// A token carries the plan's name as its label from its initialisation on.
fn is_called(face: &Face, name: &str) -> bool {
    face.is_initialised && face.name.label == name
}

fn line(face: &Face) -> String {
    let model = format!("{} {}", face.manufacturer, face.model);
    if face.is_initialised {
        format!("{}  {}  firmware {}  {}", face.name, model.trim(), face.firmware, state(face))
    } else {
        format!(
            "empty token (serial {})  {}  firmware {}",
            serial(face),
            model.trim(),
            face.firmware
        )
    }
}

fn described(face: &Face) -> String {
    format!(
        "label     {}\nserial    {}\nmaker     {}\nmodel     {}\nfirmware  {}\nstate     {}\n",
        face.name.label,
        serial(face),
        face.manufacturer,
        face.model,
        face.firmware,
        state(face)
    )
}

/// What is known of tokens like it.
fn known(face: &Face) -> String {
    let known = advisory::of(&face.model, &face.firmware).into_iter();
    known.map(|advisory| format!("weakness  {}\n", advisory.sentence())).collect()
}

fn serial(face: &Face) -> &str {
    if face.name.serial.is_empty() { "none yet" } else { &face.name.serial }
}

fn state(face: &Face) -> String {
    match (face.is_initialised, face.has_user_pin) {
        (true, true) if face.has_pad => {
            format!("initialised, PIN set, typed on its own pad, {}", face.user_pin)
        }
        (true, true) => format!("initialised, PIN set, {}", face.user_pin),
        (true, false) => "initialised, no PIN set".to_owned(),
        (false, _) => "empty".to_owned(),
    }
}

fn prompt(step: u32, id: String, who: &str, text: String) -> Prompt {
    Prompt { step, id, who: who.to_owned(), text, expected: None }
}

fn ask(console: &mut dyn Console, prompt: &Prompt) -> Result<String, Refusal> {
    console.ask(prompt).map_err(|e| e.refusal(Refusal::NOTHING_DONE))
}

fn say(console: &mut dyn Console, text: &str) -> Result<(), Refusal> {
    console.show(text).map_err(|e| e.refusal(Refusal::NOTHING_DONE))
}

const ATTEMPTS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::trust::CustodyToken;

    #[test]
    fn a_token_that_a_trust_folder_names_is_not_initialised() {
        let token = CustodyToken {
            name: "officer-a".to_owned(),
            custodian: "seat A".to_owned(),
            so_holder: None,
            model: "SoftHSM v2".to_owned(),
            identity: Digest::of(b"identity"),
            attest: None,
            seal: None,
            kem: None,
        };
        let custody = Custody { tokens: vec![token], ..Custody::default() };
        let trust = Path::new("/media/trust");
        assert_eq!(not_named(&custody, trust, "officer-b"), Ok(()));
        let refusal = not_named(&custody, trust, "officer-a").unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "token `officer-a` is named by trust folder `/media/trust` [TOKEN-INIT]"
        );
    }
}
