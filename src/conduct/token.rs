//! Tokens: put in, recognised, and opened by their holder's PIN.
//!
//! Roof.

use std::path::PathBuf;

use super::intent::Intent;
use super::last_try::{Asking, is_last, log_in_on_pad};
use super::words::ATTEMPTS;
use super::{CUSTODY, Session};
use crate::ceremony::closing;
use crate::ceremony::fact::Fact;
use crate::ceremony::roster::Holding;
use crate::check::Check;
use crate::child::token::Token;
use crate::child::{self, Launch};
use crate::files::Files;
use crate::key::{KemKey, PublicKey};
use crate::record::{Body, Mode};
use crate::refusal::{Exit, Refusal};
use crate::room::console::{Expected, Prompt};
use crate::room::media::Limits;
use crate::room::pkcs11::{self, Face, KeyRef, Login};
use crate::room::{entropy, media};
use crate::seal::SealKey;
use crate::trust::Identity;

/// What came of asking for a token.
pub(super) enum Put {
    /// It is here.
    Here(Box<Token>, Face),
    /// It is not, and why.
    Absent(String),
}

/// What came of asking for a token that is to sign.
pub(super) enum Signer {
    /// It is here, or it is not.
    Put(Put),
    /// It signed elsewhere: the folder, and what is in it.
    Elsewhere(PathBuf, Files),
    /// It is to sign elsewhere, once there is a candidate.
    ToSignElsewhere,
}

/// What may be typed instead of Enter when a token is asked for.
#[derive(Clone, Copy, PartialEq)]
enum Instead {
    /// What is new must be here: that it is not ends the run.
    Nothing,
    /// What is known can be left out.
    Absent,
    /// The same, or it is to sign elsewhere.
    AbsentOrElsewhere,
    /// The same, or it signed elsewhere.
    AbsentOrSigned,
}

impl Session<'_> {
    /// Asks for a token by name and serial, and recognises it before any PIN is asked for.
    pub(super) fn put_in(&mut self, step: u32, name: &str) -> Result<Put, Refusal> {
        match self.put_in_or(step, name, Instead::Absent)? {
            Signer::Put(put) => Ok(put),
            Signer::Elsewhere(..) | Signer::ToSignElsewhere => Err(unasked()),
        }
    }

    /// The same of one that is to sign, and may have done so elsewhere.
    pub(super) fn signer(&mut self, step: u32, name: &str) -> Result<Signer, Refusal> {
        self.put_in_or(step, name, Instead::AbsentOrSigned)
    }

    fn put_in_or(&mut self, step: u32, name: &str, instead: Instead) -> Result<Signer, Refusal> {
        let identity = self.identity(name)?;
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let serial = format!(" (serial {})", identity.serial);
            if let Some(instead) = self.ask_here(step, name, &serial, instead)? {
                return Ok(instead);
            }
            let mut token = self.open(name)?;
            let serial = self.serial_here(&mut token, name, &identity.serial)?;
            match self.select(&mut token, name, &serial)? {
                Err(missed) if left > 0 => self.say_again(&missed)?,
                selected => {
                    let face = selected?;
                    self.recognise(&mut token, name, &face, &identity)?;
                    return Ok(Signer::Put(Put::Here(Box::new(token), face)));
                }
            }
        }
    }

    /// Asks for a token that must be here.
    pub(super) fn need(&mut self, step: u32, name: &str) -> Result<(Box<Token>, Face), Refusal> {
        match self.put_in(step, name)? {
            Put::Here(token, face) => Ok((token, face)),
            Put::Absent(reason) => Err(not_here(name, &reason)),
        }
    }

    /// Asks for a token that nobody here enrolled yet.
    pub(super) fn ask_new(&mut self, step: u32, name: &str) -> Result<(), Refusal> {
        match self.ask_here(step, name, "", Instead::Nothing)? {
            Some(Signer::Put(Put::Absent(reason))) => Err(not_here(name, &reason)),
            _ => Ok(()),
        }
    }

    /// Asks whether a token is here; none when it is.
    fn ask_here(
        &mut self,
        step: u32,
        name: &str,
        serial: &str,
        instead: Instead,
    ) -> Result<Option<Signer>, Refusal> {
        let who = self.ceremony.roster().custodian(name).to_owned();
        let after = match instead {
            Instead::Nothing => "",
            Instead::Absent => ", and it is left out to the end",
            Instead::AbsentOrElsewhere => {
                ", and it is left out to the end; or `elsewhere`, if it is to sign at another site"
            }
            Instead::AbsentOrSigned => {
                ", and it is left out to the end; or `signed` and the folder that `officiant sign` wrote elsewhere"
            }
        };
        let prompt = Prompt {
            step,
            id: format!("insert {name}"),
            who,
            text: format!(
                "put in token {name}{serial} and press Enter, or type `absent` and why{after}"
            ),
            expected: Some(Expected::Text(String::new())),
        };
        for left in (0..ATTEMPTS).rev() {
            let typed = self.ask(&prompt)?;
            match typed.split_once(' ') {
                None if typed.is_empty() => return Ok(None),
                None if typed == "elsewhere" && instead == Instead::AbsentOrElsewhere => {
                    return Ok(Some(Signer::ToSignElsewhere));
                }
                Some(("absent", reason)) if !reason.trim().is_empty() => {
                    return Ok(Some(Signer::Put(Put::Absent(reason.trim().to_owned()))));
                }
                Some(("signed", path))
                    if instead == Instead::AbsentOrSigned && !path.trim().is_empty() =>
                {
                    let path = PathBuf::from(path.trim());
                    // Whoever mistypes a path types it again.
                    match media::lay_tree(&path, Limits::TRUST, self.inputs.shelf()) {
                        Ok(files) => return Ok(Some(Signer::Elsewhere(path, files))),
                        Err(error) if left > 0 => self.say_again(&self.device(&error))?,
                        Err(error) => return Err(self.device(&error)),
                    }
                }
                _ if instead == Instead::AbsentOrSigned => self.show(
                    "        press Enter, or type `absent` and why, or `signed` and the folder",
                )?,
                _ => self.show("        press Enter, or type `absent` and why")?,
            }
        }
        Err(Refusal::new(Exit::Refused, format!("nobody said whether token `{name}` is here"))
            .hint("put it in or type `absent` and why; `resume` asks again"))
    }

    /// Starts the child that drives a token.
    pub(super) fn open(&mut self, name: &str) -> Result<Token, Refusal> {
        let driver = self.driver(name)?;
        Token::start(&Launch::this_binary(name), &driver).map_err(|error| self.child(&error))
    }

    /// Takes the token with the enrolled serial; one that is here in its place is named, and can be changed.
    fn select(
        &self,
        token: &mut Token,
        name: &str,
        serial: &str,
    ) -> Result<Result<Face, Refusal>, Refusal> {
        let missing = match token.select(serial) {
            Err(error @ child::Error::Token(pkcs11::Error::NoToken { .. })) => self.child(&error),
            other => return other.map(Ok).map_err(|error| self.child(&error)),
        };
        let present = token.list().map_err(|error| self.child(&error))?;
        let Some(other) = present.faces.iter().find(|face| face.is_initialised) else {
            return Ok(Err(missing));
        };
        let what = format!(
            "token `{name}` was enrolled with serial {serial}, the one that is here has {}",
            other.name.serial
        );
        let another = "this is another token: put in the right one";
        Ok(Err(Refusal::of(Check::TokenKey, what).hint(another)))
    }

    /// Serial and public keys are those that were enrolled; of a token that room.toml names by a URI, the public keys.
    fn recognise(
        &mut self,
        token: &mut Token,
        name: &str,
        face: &Face,
        identity: &Identity,
    ) -> Result<(), Refusal> {
        self.refuse_soft(name, face)?;
        if !self.is_ready(name) && face.name.label.trim() != identity.label {
            let what = format!(
                "token `{name}` is labelled `{}`, enrolled was `{}`",
                face.name.label, identity.label
            );
            return Err(Refusal::of(Check::TokenKey, what)
                .hint("this is another token: put in the right one"));
        }
        let shown = token.keys().map_err(|error| self.child(&error))?;
        for public in self.expected_keys(name) {
            if !shown.iter().any(|object| object.key.public == public) {
                let what = format!(
                    "token `{name}` (serial {}) does not show the key that was enrolled",
                    face.name.serial
                );
                return Err(Refusal::of(Check::TokenKey, what)
                    .hint("this is another token: put in the right one"));
            }
        }
        self.tell_other_name(face, identity)
    }

    /// The public keys that a token must show: its own, and the root keys that it holds.
    fn expected_keys(&self, name: &str) -> Vec<PublicKey> {
        let custody = closing::custody(&self.ceremony);
        // It is known by its attest key; its sealing key may be gone by a retire that was broken off.
        let known =
            custody.token(name).and_then(|token| token.attest.as_ref().or(token.seal.as_ref()));
        let mut keys: Vec<PublicKey> = known.cloned().into_iter().collect();
        for fact in self.ceremony.facts() {
            match fact {
                Fact::TokenEnrolled { token, attest, seal, .. } if token == name => {
                    keys.push(attest.clone());
                    keys.extend(seal.clone());
                }
                Fact::TokenAdopted { token, public, .. } if token == name => {
                    keys.push(public.clone())
                }
                _ => {}
            }
        }
        for key in self.ceremony.roster().keys() {
            let is_there = !key.is_placed_here() || self.ceremony.is_moved(&key.name);
            if is_there && key.holding == Holding::Token(name.to_owned()) {
                keys.extend(self.ceremony.public(&key.name));
            }
        }
        self.without_what_goes(name, keys)
    }

    /// What a retire destroys may be gone already: its attest key tells the token. One that has none is known by the
    /// keys that go, and shows them until that was begun.
    fn without_what_goes(&self, name: &str, mut keys: Vec<PublicKey>) -> Vec<PublicKey> {
        let Some(known) = self.ceremony.past().custody().token(name) else { return keys };
        if known.attest.is_some() {
            keys.retain(|key| known.seal.as_ref() != Some(key) || !self.ceremony.seal_goes(name));
            return keys;
        }
        let is_begun = |body: &Body| matches!(body, Body::Begun { subject } if subject == name);
        if !self.record.entries().iter().any(|entry| is_begun(&entry.body)) {
            keys.extend(self.ceremony.going(name).keys.into_iter().map(|(_, public)| public));
        }
        keys
    }

    pub(super) fn refuse_soft(&self, name: &str, face: &Face) -> Result<(), Refusal> {
        if face.is_soft() && self.room.mode == Mode::Ceremony {
            let what =
                format!("token `{name}` is a soft token: copying its folder copies its keys");
            return Err(
                Refusal::of(Check::TokenSoft, what).hint("a practice plan takes soft tokens")
            );
        }
        Ok(())
    }

    /// Asks the holder for the PIN and logs in, once. A wrong PIN is a refusal: the program never tries again by itself.
    /// Gives what the token ever meant to sign, all of it known here.
    pub(super) fn log_in(
        &mut self,
        step: u32,
        token: &mut Token,
        face: &Face,
        name: &str,
    ) -> Result<Vec<Intent>, Refusal> {
        let ours = self.wrong_pins(name)?;
        if is_last(face, ours) {
            self.confirm_last_try(step, name, face)?;
        }
        let says = face.user_pin;
        let who = self.ceremony.roster().custodian(name).to_owned();
        let serial = &face.name.serial;
        let again =
            if ours == 0 { String::new() } else { format!("; wrong here in a row: {ours}") };
        let asked = Asking { step, token: name, who: &who, says: format!("{says}{again}") };
        let login = match face.has_pad {
            true => log_in_on_pad(self, token, &asked)?,
            false => {
                let pin = self.hear_pin(&asked.pin())?;
                token.login(pin).map_err(|error| self.child(&error))?
            }
        };
        match login {
            Login::Open => {
                self.note_pin(name, true)?;
                self.tell_touch(face)?;
                self.meant(token, name)
            }
            Login::Refused(tries) => {
                self.note_pin(name, false)?;
                let left = tries;
                let count = ours + 1;
                let what = format!(
                    "token `{name}` (serial {serial}) refused the PIN; {left}; wrong here in a row: {count}"
                );
                Err(Refusal::of(Check::TokenPin, what)
                    .hint("its holder decides whether to try again: `resume` asks once more"))
            }
        }
    }

    /// A token that waits for a finger looks like one that hangs.
    pub(super) fn tell_touch(&mut self, face: &Face) -> Result<(), Refusal> {
        match face.is_touched {
            true => self.show("        touch the token each time that it blinks"),
            false => Ok(()),
        }
    }

    pub(super) fn note_pin(&self, name: &str, right: bool) -> Result<(), Refusal> {
        let folder = self.room.binding.work.join(CUSTODY);
        media::make_folders(&self.room.binding.work, CUSTODY)
            .map_err(|error| self.device(&error))?;
        let (path, line) =
            (folder.join(self.pins()), format!("{{\"token\":\"{name}\",\"right\":{right}}}"));
        let device = |error: media::Error| self.device(&error);
        match media::append_line(&path, &line) {
            // Power went while a line was written: that line never was.
            Err(media::Error::Torn { .. }) => {
                let bytes = media::read_file(&path, MAX_PINS).map_err(device)?;
                let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                media::cut_to(&path, whole as u64).map_err(device)?;
                media::append_line(&path, &line).map_err(device)
            }
            written => written.map_err(device),
        }
    }

    /// How often a PIN was wrong in a row, by our own count: what tokens say is not always so.
    pub(super) fn wrong_pins(&self, name: &str) -> Result<usize, Refusal> {
        let before = self.inputs.custody()?.into_iter().filter(|(path, _)| path.starts_with(PINS));
        let mut text: String =
            before.map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned()).collect();
        let path = self.room.binding.work.join(CUSTODY).join(self.pins());
        if media::exists(&path).map_err(|error| self.device(&error))? {
            let bytes = media::read_file(&path, MAX_PINS).map_err(|error| self.device(&error))?;
            text += &String::from_utf8_lossy(&bytes);
        }
        let mine = format!("{{\"token\":\"{name}\",");
        let tries = text.lines().rev().filter(|line| line.starts_with(&mine));
        Ok(tries.take_while(|line| line.ends_with("false}")).count())
    }

    /// The journal of this ceremony: each has its own, since nothing in the custody folder is written twice.
    fn pins(&self) -> String {
        format!("{PINS}{:04}.jsonl", self.ceremony.past().ceremonies().len() + 1)
    }

    pub(super) fn present(&mut self, step: u32, name: &str) -> Result<Fact, Refusal> {
        let (token, instead) = match self.ceremony.may_sign_elsewhere(name) {
            true => (name.to_owned(), Instead::AbsentOrElsewhere),
            false => (name.to_owned(), Instead::Absent),
        };
        match self.put_in_or(step, name, instead)? {
            Signer::Put(Put::Here(..)) => Ok(Fact::TokenPresent { token }),
            Signer::Put(Put::Absent(reason)) => Ok(Fact::TokenAbsent { token, reason }),
            Signer::ToSignElsewhere => Ok(Fact::TokenElsewhere { token }),
            Signer::Elsewhere(..) => Err(unasked()),
        }
    }

    /// The key object on a token with that public half.
    pub(super) fn find_key(
        &self,
        token: &mut Token,
        name: &str,
        public: &PublicKey,
    ) -> Result<KeyRef, Refusal> {
        let shown = token.keys().map_err(|error| self.child(&error))?;
        let found = shown.into_iter().find(|object| object.key.public == *public);
        found.map(|object| object.key).ok_or_else(|| {
            Refusal::of(
                Check::TokenKey,
                format!("token `{name}` does not hold the key that it should"),
            )
            .hint("this is another token: put in the right one")
        })
    }
}

pub(super) fn unasked() -> Refusal {
    Refusal::new(Exit::Ours, "nobody was asked for that")
}

fn not_here(name: &str, reason: &str) -> Refusal {
    let what = format!("token `{name}` is not here: {reason}");
    Refusal::of(Check::QuorumPresent, what).hint("bring it, and `resume`")
}

/// The sealing key of a token, by its halves.
pub(super) fn seal_key(public: PublicKey, kem: Option<KemKey>) -> Result<SealKey, Refusal> {
    SealKey::new(public, kem).map_err(|error| {
        Refusal::of(Check::TokenSeal, error.to_string()).hint("enrol another token for the share")
    })
}

/// Random bytes of the kernel.
pub(super) fn draw<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    entropy::draw(&mut bytes).map_err(|error| Refusal::new(Exit::Ours, error.to_string()))?;
    Ok(bytes)
}

/// What the names of the journals of right and wrong PINs begin with, in the custody folder.
pub(super) const PINS: &str = "pins-";
/// The largest such journal that is read, in bytes.
const MAX_PINS: u64 = 1 << 20;
