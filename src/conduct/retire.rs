//! Retiring: keys and shares that nobody needs any more are destroyed on their tokens, read back as gone, and what no
//! machine sees is said by two people.
//!
//! Roof. docs/threats.md rules 11 and 27.

use super::Session;
use super::share::object;
use super::token::Put;
use super::words::Asked;
use crate::ceremony::fact::{Fact, ShareGone};
use crate::ceremony::statement::Said;
use crate::check::Check;
use crate::child;
use crate::child::token::Token;
use crate::key::{PublicKey, Scheme};
use crate::refusal::{Exit, Refusal};
use crate::room::console::{Expected, Prompt};
use crate::room::pkcs11::{self, Face, KeyRef};
use crate::trust::{Holds, ShareOf};

/// What people said of what no machine sees.
enum Heard {
    /// Both said that it is destroyed.
    Destroyed(Vec<String>),
    /// It is not, and why.
    Not(String),
}

impl Session<'_> {
    pub(super) fn retire_token(&mut self, step: u32, name: &str) -> Result<Fact, Refusal> {
        let (mut token, face) = match self.put_in(step, name)? {
            Put::Here(token, face) => (token, face),
            Put::Absent(reason) => return Ok(Fact::TokenAbsent { token: name.to_owned(), reason }),
        };
        let goes = self.ceremony.going(name);
        let seal = self.ceremony.seal_goes(name);
        self.agree_to_end(step, name, &face, &goes)?;
        if face.so_makes() {
            self.begin(step, name)?;
            let doomed = self.doomed_by_seat(&mut token, name, &goes)?;
            self.destroy_as_so(step, &mut token, (name, &face), &doomed)?;
        }
        self.log_in(step, &mut token, &face, name)?;
        self.begin(step, name)?;
        for (key, public) in &goes.keys {
            self.destroy_key(&mut token, name, (key, public))?;
        }
        for share in &goes.shares {
            self.delete_share(&mut token, name, share)?;
        }
        if seal {
            let public = self.seal_of(name)?;
            self.destroy_key(&mut token, name, ("for seals", public.public()))?;
        }
        let statement = self.state(&mut token, name, &Said::Retired { goes: &goes, seal })?;
        token.logout().map_err(|error| self.child(&error))?;
        let keys = goes.keys.into_iter().map(|(key, _)| key).collect();
        let gone = |share: ShareOf| ShareGone { set: share.set, index: share.share.index };
        let shares = goes.shares.into_iter().map(gone).collect();
        Ok(Fact::TokenRetired { token: name.to_owned(), keys, shares, seal, statement })
    }

    /// What there still is of the keys that go, for the seat that destroys them where the user cannot.
    fn doomed_by_seat(
        &self,
        token: &mut Token,
        name: &str,
        goes: &Holds,
    ) -> Result<Vec<KeyRef>, Refusal> {
        let mut publics: Vec<PublicKey> = goes.keys.iter().map(|(_, key)| key.clone()).collect();
        if self.ceremony.seal_goes(name) {
            publics.push(self.seal_of(name)?.public().clone());
        }
        let shown = token.keys().map_err(|error| self.child(&error))?;
        let shown = shown.into_iter().map(|object| object.key);
        Ok(shown.filter(|key| publics.contains(&key.public)).collect())
    }

    /// The custodian reads what goes, and types the token's serial; after an interruption again, for what may be gone by
    /// then is found gone.
    fn agree_to_end(
        &mut self,
        step: u32,
        name: &str,
        face: &Face,
        goes: &Holds,
    ) -> Result<(), Refusal> {
        for (key, public) in &goes.keys {
            self.show(&format!("        key {key} goes: {}", public.id().grouped()))?;
        }
        for ShareOf { key, set, share } in &goes.shares {
            self.show(&format!("        share {} of set {set} of key {key} goes", share.index))?;
        }
        if self.ceremony.seal_goes(name) {
            self.show("        its sealing key goes, too: nothing else is sealed to it")?;
        }
        let serial = face.name.serial.trim().to_owned();
        let prompt = Prompt {
            step,
            id: format!("retire {name}"),
            who: self.ceremony.roster().custodian(name).to_owned(),
            text: format!("to destroy this for ever, type the serial of token {name}"),
            expected: Some(Expected::Text(serial.clone())),
        };
        let is_it = |typed: &str| (typed == serial).then_some(());
        self.ask_until(&prompt, "this is not its serial", is_it)?.ok_or_else(|| {
            let what =
                format!("the custodian of token `{name}` did not agree that anything on it goes");
            Refusal::new(Exit::Refused, what)
                .hint("`resume` asks again; `absent` and why leaves the token as it is")
        })
    }

    /// Destroys a key, and sees that it is neither shown nor signs or agrees any more. One that is gone went before an
    /// interruption.
    fn destroy_key(
        &mut self,
        token: &mut Token,
        name: &str,
        (key, public): (&str, &PublicKey),
    ) -> Result<(), Refusal> {
        let find = |token: &mut Token| -> Result<Option<KeyRef>, child::Error> {
            let shown = token.keys()?;
            Ok(shown.into_iter().map(|object| object.key).find(|key| key.public == *public))
        };
        let found = find(token).map_err(|error| self.child(&error))?;
        if let Some(held) = found {
            token.destroy(&held).map_err(|error| self.child(&error))?;
            let left = find(token).map_err(|error| self.child(&error))?;
            let scheme = Scheme::of_certificate(public.algorithm());
            let tried = token.sign(&held, &[scheme.to_sign(b"officiant proof v1\ngone\n")]);
            let is_missing =
                matches!(tried, Err(child::Error::Token(pkcs11::Error::KeyMissing { .. })));
            if left.is_some() || !is_missing {
                return Err(still_there(name, &format!("key {key}")));
            }
        }
        self.show(&format!("        key {key} is gone from token {name}"))
    }

    fn delete_share(&mut self, token: &mut Token, name: &str, of: &ShareOf) -> Result<(), Refusal> {
        let ShareOf { key, set, share } = of;
        let what = format!("share {} of set {set}", share.index);
        let id = set.parse().map_err(|_| Refusal::new(Exit::Ours, format!("no set `{set}`")))?;
        let label = object(&id, share.index).label;
        if self.stores(token, &label)? {
            token.delete(&label).map_err(|error| self.child(&error))?;
            if self.stores(token, &label)? {
                return Err(still_there(name, &what));
            }
        }
        self.show(&format!("        {what} of key {key} is not on token {name}"))
    }

    pub(super) fn retire_paper(&mut self, step: u32, name: &str) -> Result<Fact, Refusal> {
        for ShareOf { key, set, share } in self.ceremony.going(name).shares {
            self.show(&format!("        share {} of set {set} of key {key} goes", share.index))?;
        }
        let custodian = self.ceremony.roster().custodian(name).to_owned();
        let what = format!("paper {name} and its passphrase");
        let act = format!("{custodian} destroys {what}: type `destroyed`, or `absent` and why");
        match self.hear_two(step, (name, &act, "absent"))? {
            Heard::Destroyed(by) => Ok(Fact::PaperRetired { paper: name.to_owned(), by }),
            Heard::Not(reason) => Ok(Fact::TokenAbsent { token: name.to_owned(), reason }),
        }
    }

    pub(super) fn destroy_copies(&mut self, step: u32) -> Result<Fact, Refusal> {
        self.show(
            "        their holders still open every copy of these files of the custody folder:",
        )?;
        for file in self.ceremony.copies_going() {
            self.show(&format!("          {file}"))?;
        }
        let act = "every copy on other media, in backups and in work folders is destroyed, and those of this sitting go at its end: type `destroyed`, or `kept` and why";
        Ok(match self.hear_two(step, ("copies", act, "kept"))? {
            Heard::Destroyed(by) => Fact::CopiesDestroyed { by, kept: None },
            Heard::Not(why) => Fact::CopiesDestroyed { by: Vec::new(), kept: Some(why) },
        })
    }

    /// Hears operator and witness say that something is destroyed, or one of them say why it is not.
    fn hear_two(
        &mut self,
        step: u32,
        (id, act, instead): (&str, &str, &str),
    ) -> Result<Heard, Refusal> {
        let mut by = Vec::new();
        for who in ["operator", "witness"] {
            let prompt = Prompt {
                step,
                id: format!("destroyed {id} {who}"),
                who: who.to_owned(),
                text: act.to_owned(),
                expected: Some(Expected::Text("destroyed".to_owned())),
            };
            match self.hear_end(&prompt, instead)? {
                None => by.push(who.to_owned()),
                Some(why) => return Ok(Heard::Not(why)),
            }
        }
        Ok(Heard::Destroyed(by))
    }

    /// None when it is destroyed, else why not.
    fn hear_end(&mut self, prompt: &Prompt, instead: &str) -> Result<Option<String>, Refusal> {
        let why_not = format!("type `destroyed`, or `{instead}` and why");
        let end = |typed: &str| match typed.split_once(' ') {
            None if typed == "destroyed" => Some(None),
            Some((word, why)) if word == instead && !why.trim().is_empty() => {
                Some(Some(why.trim().to_owned()))
            }
            _ => None,
        };
        self.ask_until(prompt, &why_not, end)?.ok_or_else(|| {
            let what = format!("{} did not say whether it is destroyed", prompt.who);
            Refusal::new(Exit::Refused, what).hint("`resume` asks again")
        })
    }

    /// Two people read off their own clients which root these trust. `[RETIRE-PUBLISHED]`
    pub(super) fn see_published(&mut self, step: u32, repository: &str) -> Result<Fact, Refusal> {
        let newest = self.ceremony.newest(repository)?;
        let newest = newest.map(|newest| (newest.version().get(), newest.digest()));
        let (version, digest) =
            newest.ok_or_else(|| Refusal::new(Exit::Ours, format!("no root of `{repository}`")))?;
        let mut by: Vec<String> = Vec::new();
        for who in ["operator", "witness"] {
            by.push(self.ask_onlooker(step, repository, who)?);
            self.ask_version(step, (repository, version), who)?;
            let asked = Asked {
                step,
                id: &format!("published-words {repository} {who}"),
                who,
                what: &format!("the SHA-256 of the root of {repository}, from your own client"),
                check: Check::RetirePublished,
                count: 6,
            };
            self.ask_words(&asked, &digest)?;
        }
        Ok(Fact::PublishedSeen { repository: repository.to_owned(), version, by })
    }

    fn ask_onlooker(&mut self, step: u32, repository: &str, who: &str) -> Result<String, Refusal> {
        let prompt = Prompt {
            step,
            id: format!("published-seat {repository} {who}"),
            who: who.to_owned(),
            text: format!("your seat, if you have looked at {repository} with your own client"),
            expected: Some(Expected::Text(who.to_owned())),
        };
        let seat = |typed: &str| (!typed.is_empty()).then(|| typed.to_owned());
        self.ask_until(&prompt, "a seat, please", seat)?.ok_or_else(|| {
            Refusal::new(Exit::Refused, "nobody said who looked").hint("look, and `resume`")
        })
    }

    fn ask_version(
        &mut self,
        step: u32,
        (repository, version): (&str, u64),
        who: &str,
    ) -> Result<(), Refusal> {
        let prompt = Prompt {
            step,
            id: format!("published-version {repository} {who}"),
            who: who.to_owned(),
            text: format!("version of the root of {repository}, from your own client"),
            expected: Some(Expected::Text(version.to_string())),
        };
        let is_it = |typed: &str| (typed == version.to_string()).then_some(());
        self.ask_until(&prompt, "the trust folder ends at another version", is_it)?.ok_or_else(
            || {
                let what =
                    format!("`{repository}`: the client of {who} does not show root {version}");
                Refusal::of(Check::RetirePublished, what)
                    .hint("publish it, have the clients fetch it, and `resume`")
            },
        )
    }
}

fn still_there(token: &str, what: &str) -> Refusal {
    Refusal::new(Exit::Device, format!("token `{token}` still has {what} after destroying it"))
        .hint("bag the token: what is on it is not gone; `resume` tries once more")
}
