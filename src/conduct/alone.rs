//! A drill that a custodian does alone: one token, any machine, no ceremony and no record; a signed statement comes out.
//!
//! Roof. docs/threats.md rule 15.

use data_encoding::{BASE64, HEXLOWER};
use jiff::Timestamp;

use super::apart::Site;
use super::enrol::sign_text;
use super::last_try::{Asking, LastTry, ask_last_try, is_last, log_in_on_pad};
use super::token::{draw, seal_key};
use crate::check::Check;
use crate::child::token::{Driver, Token};
use crate::child::vault::Vault;
use crate::child::{self, Launch};
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::refusal::{Exit, Refusal};
use crate::room::console::Console;
use crate::room::token::{Face, KeyRef, Login};
use crate::seal::SealKey;
use crate::share::SetId;
use crate::trust::{Alone, CustodyToken, Drawn, Holds, KeyAlone, Past, ShareAlone, ShareOf};

/// A token that was found, and shows the keys that the trust folder knows.
pub(super) struct Found<'a> {
    pub(super) token: Token,
    face: Face,
    pub(super) known: &'a CustodyToken,
    pub(super) holds: Holds,
    shown: Vec<KeyRef>,
}

/// Has a token prove what it holds by the trust folder, on the PIN that its custodian types.
///
/// # Errors
/// A token that the trust folder does not know, or that holds nothing that counts; `[TOKEN-KEY]` for another token;
/// `[TOKEN-PIN]`; what the token does not hold.
pub fn alone(
    past: &Past,
    (name, driver): (&str, &Driver),
    console: &mut dyn Console,
    at: Timestamp,
) -> Result<Alone, Refusal> {
    let mut found = find(past, name, driver)?;
    let (label, serial) = (&found.face.name.label, &found.face.name.serial);
    let say = |console: &mut dyn Console, text: &str| {
        console.show(text).map_err(|error| error.refusal(Refusal::NOTHING_DONE))
    };
    say(
        console,
        &format!(
            "token {name}: label {}, serial {serial}; it shows the keys that it should",
            label.trim()
        ),
    )?;
    log_in(&mut found, console)?;
    let closing = past.last().map(|last| last.closing);
    let closing = closing.ok_or_else(|| Refusal::new(Exit::Usage, "the trust folder is empty"))?;
    // Seconds are enough, and make a shorter name.
    let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
    let mut alone = Alone {
        schema: Default::default(),
        closing,
        token: name.to_owned(),
        at,
        keys: Vec::new(),
        shares: found.shares()?,
        signature: None,
    };
    for (key, public) in found.holds.keys.clone() {
        let random = drawn()?;
        let signature = found.sign(&public, &alone.key_text(&key, &public, &random))?;
        say(console, &format!("key {key} signs"))?;
        alone.keys.push(KeyAlone { key, signature: Drawn { random, signature } });
    }
    for share in &alone.shares {
        say(
            console,
            &format!("share {} of key {} is whole, and its seal opens", share.index, share.key),
        )?;
    }
    if let Some(attest) = &found.known.attest {
        let random = drawn()?;
        let signature = found.sign(attest, &alone.token_text(past.custody(), &random))?;
        alone.signature = Some(Drawn { random, signature });
    }
    found.token.logout().map_err(|error| refused(&error))?;
    alone.check(past.custody()).map_err(|what| Refusal::new(Exit::Ours, what))?;
    Ok(alone)
}

pub(super) fn find<'a>(past: &'a Past, name: &str, driver: &Driver) -> Result<Found<'a>, Refusal> {
    let known = past.custody().token(name);
    let known = known.ok_or_else(|| {
        Refusal::new(Exit::Usage, format!("the trust folder knows no token `{name}`"))
            .hint("name the token as custody.json does")
    })?;
    let holds = past.holds(name);
    if holds.is_nothing() {
        let what = format!("token `{name}` holds no key and no share of any newest root");
        return Err(Refusal::new(Exit::Usage, what).hint("bring the newest trust folder"));
    }
    let mut token =
        Token::start(&Launch::this_binary(name), driver).map_err(|error| refused(&error))?;
    let present = token.list().map_err(|error| refused(&error))?;
    let expected: Vec<&PublicKey> = known
        .attest
        .iter()
        .chain(&known.seal)
        .chain(holds.keys.iter().map(|(_, public)| public))
        .collect();
    // Its serial is in the custody folder, in the room: here its public keys tell which it is.
    for face in present.faces.iter().filter(|face| face.is_initialised) {
        let face = token.select(&face.name.serial).map_err(|error| refused(&error))?;
        let shown = token.keys().map_err(|error| refused(&error))?;
        let shown: Vec<KeyRef> = shown.into_iter().map(|object| object.key).collect();
        if expected.iter().all(|public| shown.iter().any(|key| key.public == **public)) {
            return Ok(Found { token, face, known, holds, shown });
        }
    }
    let what = format!("no token that is here shows the keys of token `{name}`");
    Err(Refusal::of(Check::TokenKey, what).hint("put in the right token; no PIN was asked for"))
}

/// Asks for the PIN, once.
pub(super) fn log_in(found: &mut Found<'_>, console: &mut dyn Console) -> Result<(), Refusal> {
    let Found { token, face, known, .. } = found;
    let name = &known.name;
    // No record here counts what was wrong before.
    if is_last(face, 0) {
        let seats = [known.custodian.as_str(), "operator", "witness"];
        ask_last_try(&mut Site(console), &LastTry { step: 1, token: name, face, seats: &seats })?;
    }
    let says = face.user_pin.to_string();
    let asked = Asking { step: 1, token: name, who: &known.custodian, says };
    let login = match face.has_pad {
        true => log_in_on_pad(&mut Site(console), token, &asked)?,
        false => {
            let pin = console.ask_pin(&asked.pin());
            let pin = pin.map_err(|error| error.refusal(Refusal::NOTHING_DONE))?;
            token.login(pin).map_err(|error| refused(&error))?
        }
    };
    match login {
        Login::Open => Ok(()),
        Login::Refused(left) => {
            let what = format!("token `{name}` refused the PIN; {left}");
            Err(Refusal::of(Check::TokenPin, what).hint("run it again only if you know the PIN"))
        }
    }
}

impl Found<'_> {
    pub(super) fn key(&self, public: &PublicKey) -> Result<KeyRef, Refusal> {
        let found = self.shown.iter().find(|key| key.public == *public).cloned();
        found.ok_or_else(|| Refusal::new(Exit::Ours, "a key that was shown is gone"))
    }

    /// Has a key sign text that was built here; gives the signature in base64.
    fn sign(&mut self, public: &PublicKey, text: &str) -> Result<String, Refusal> {
        let key = self.key(public)?;
        let signature = sign_text(&mut self.token, &self.known.name, &key, text.as_bytes())?;
        Ok(BASE64.encode(&signature))
    }

    /// The shares that it stores, once its sealing key opened a fresh challenge. What lies in the custody folder alone is
    /// proven in the room.
    fn shares(&mut self) -> Result<Vec<ShareAlone>, Refusal> {
        let Some(public) = self.known.seal.clone().filter(|_| !self.holds.shares.is_empty()) else {
            return Ok(Vec::new());
        };
        self.meet(&seal_key(public, self.known.kem.clone())?)?;
        let mut shares = Vec::new();
        for ShareOf { key, set, share } in self.holds.shares.clone() {
            if share.on_token {
                let index = share.index;
                let label =
                    set.parse::<SetId>().ok().map(|set| super::share::object(&set, index).label);
                let read = self.token.read(&label.unwrap_or_default());
                let read = read.map_err(|error| refused(&error))?;
                if Digest::of(&read) != share.sealed {
                    let what = format!(
                        "share {index} of key `{key}`, as token `{}` has it, is not the one that was made",
                        self.known.name
                    );
                    return Err(Refusal::of(Check::ShareCommitment, what)
                        .hint("tell the operator: the share is made anew before it is needed"));
                }
                shares.push(ShareAlone { key, index, sealed: share.sealed });
            }
        }
        Ok(shares)
    }

    /// Proves the sealing key by a challenge that a vault sealed to it just now.
    fn meet(&mut self, to: &SealKey) -> Result<(), Refusal> {
        let key = self.key(to.public())?;
        let mut vault =
            Vault::start(&Launch::this_binary("vault")).map_err(|error| refused(&error))?;
        let sealed = vault.challenge(to).map_err(|error| refused(&error))?;
        let asked = vault.asked(&sealed, to).map_err(|error| refused(&error))?;
        let agreed = self.token.answer((&key, to), &asked).map_err(|error| refused(&error))?;
        vault.meet(&sealed, to, &agreed).map_err(|error| {
            let what =
                format!("token `{}` does not open what is sealed to it: {error}", self.known.name);
            Refusal::of(Check::TokenSeal, what).hint("tell the operator: its shares are lost")
        })
    }
}

fn drawn() -> Result<String, Refusal> {
    Ok(HEXLOWER.encode(&draw::<32>()?))
}

pub(super) fn refused(error: &child::Error) -> Refusal {
    error.refusal(Refusal::NOTHING_DONE)
}
