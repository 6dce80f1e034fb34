//! Shares of people who have a key of `age`: given to them, proven and opened by their identity.
//!
//! Roof. The identity is typed unseen or read from its holder's media, and goes to the vault; docs/threats.md rule 18.

use std::path::{Path, PathBuf};

use super::Session;
use super::paper::{expect_made, made_of, place};
use super::share::Opening;
use super::words::ATTEMPTS;
use crate::ceremony::fact::{Fact, Purpose, ShareMade};
use crate::ceremony::roster::Recipient;
use crate::check::Check;
use crate::child;
use crate::child::vault::{Refused, Vault};
use crate::key::AgeKey;
use crate::record::Mode;
use crate::refusal::{Exit, Refusal};
use crate::room::binding::Binding;
use crate::room::console::{Expected, Prompt};
use crate::room::media::{self, Kind};
use crate::seal::{self, Opener};
use crate::secret::{Identity, SecretBytes};
use crate::share::Set;

impl Session<'_> {
    pub(super) fn is_recipient(&self, holder: &str) -> bool {
        self.ceremony.roster().recipient(holder).is_some()
    }

    /// Outside a rehearsal no share is sealed to a key that stands in for somebody's in one. `[SHARE-IDENTITY]`
    pub(super) fn refuse_stand_ins(&self, holders: &[String]) -> Result<(), Refusal> {
        let recipients = holders.iter().filter_map(|name| self.ceremony.roster().recipient(name));
        let stands_in = |recipient: &&Recipient| {
            AgeKey::of_rehearsal(&recipient.name).is_some_and(|(age, _)| age == recipient.age)
        };
        match recipients.into_iter().find(stands_in) {
            Some(found) if self.room.mode != Mode::Rehearsal => {
                let what = format!(
                    "the key of recipient `{}` is that of a rehearsal: anybody can compute its identity",
                    found.name
                );
                Err(Refusal::of(Check::ShareIdentity, what)
                    .hint("name the key that its holder has, in a new plan"))
            }
            _ => Ok(()),
        }
    }

    /// Gives a share to its recipient, and proves that the identity opens it before anybody needs it. `[SHARE-PROVEN]`
    pub(super) fn give_share(
        &mut self,
        step: u32,
        key: &str,
        index: u8,
        name: &str,
    ) -> Result<Fact, Refusal> {
        let (set, made) = made_of(self, key, index)?;
        let sealed = self.sealed_file(&set, index)?;
        let at = place(index)?;
        self.begin(step, name)?;
        self.copy_home(step, (name, key), &made, &sealed)?;
        self.try_opener(step, name, &sealed, |vault, opener| {
            vault.open_by(&set, at, &sealed, opener)
        })?;
        Ok(Fact::ShareStored { key: key.to_owned(), index, on_token: false, statement: None })
    }

    /// Opens a share by its recipient's consent and identity.
    pub(super) fn open_given(&mut self, step: u32, opening: &Opening<'_>) -> Result<Fact, Refusal> {
        let Opening { key, index, holder: name, purpose } = *opening;
        let (set, made) = made_of(self, key, index)?;
        let at = place(index)?;
        let sealed = match self.bring_given(step, (name, key), (&set, &made))? {
            Ok(sealed) => sealed,
            Err(reason) => return Ok(Fact::TokenAbsent { token: name.to_owned(), reason }),
        };
        if purpose == Purpose::Sign {
            self.consent(step, name)?;
        }
        self.try_opener(step, name, &sealed, |vault, opener| {
            vault.open_by(&set, at, &sealed, opener)
        })?;
        if purpose == Purpose::Sign {
            self.intend_unstored(step, key, name)?;
        }
        Ok(Fact::ShareOpened { key: key.to_owned(), index, purpose })
    }

    /// Proves that a recipient's identity fits each of its shares, without opening any.
    pub(super) fn drill_recipient(&mut self, step: u32, name: &str) -> Result<Fact, Refusal> {
        for of in self.ceremony.past().holds(name).shares {
            let (set, made) = made_of(self, &of.key, of.share.index)?;
            let sealed = match self.bring_given(step, (name, &of.key), (&set, &made))? {
                Ok(sealed) => sealed,
                Err(reason) => return Ok(Fact::TokenAbsent { token: name.to_owned(), reason }),
            };
            let at = place(made.index)?;
            self.try_opener(step, name, &sealed, |vault, opener| {
                vault.unlock_by(at, &sealed, opener)
            })?;
            self.show(&format!(
                "        share {} of key {} is the one that was made; the identity fits",
                made.index, of.key
            ))?;
        }
        Ok(Fact::RecipientDrilled { recipient: name.to_owned() })
    }

    /// Writes the sealed share onto its recipient's own media, if there is one, and reads it back.
    fn copy_home(
        &mut self,
        step: u32,
        (name, key): (&str, &str),
        made: &ShareMade,
        sealed: &[u8],
    ) -> Result<(), Refusal> {
        let text = format!(
            "folder on {name}'s own media for the sealed share of key {key}, or `none`: both room media have it"
        );
        let prompt = self.asked(step, format!("media {name}"), name, text);
        let prompt = Prompt { expected: Some(Expected::Text("none".to_owned())), ..prompt };
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let typed = self.ask(&prompt)?;
            if typed == "none" {
                return Ok(());
            }
            let file = format!("{key}-{}-{}.age", made.index, &made.sealed.to_string()[..8]);
            if let Err(refusal) = self.refuse_media(Path::new(&typed)) {
                if left == 0 {
                    return Err(refusal);
                }
                self.say_again(&refusal)?;
                continue;
            }
            let path = PathBuf::from(&typed).join(&file);
            let written = media::write_new_in(Path::new(&typed), &file, sealed)
                .and_then(|_| media::read_file(&path, seal::MAX_FILE as u64));
            match written {
                Ok(read) if read == sealed => {
                    return self.show(&format!("        it lies there as {file}"));
                }
                Ok(_) => {
                    let what = format!("`{}` does not give back what was written", path.display());
                    return Err(Refusal::of(Check::ShareProven, what).hint("take other media"));
                }
                Err(error) if left > 0 => self.say_again(&self.device(&error))?,
                Err(error) => return Err(self.device(&error)),
            }
        }
    }

    /// Media of the ceremony carry what they are marked for; the work folder stays here. `[MEDIA-KIND]`
    fn refuse_media(&self, folder: &Path) -> Result<(), Refusal> {
        let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let Binding { work, media, .. } = &self.room.binding;
        let mut bound = media.inward.iter().chain(&media.outward).chain(&media.room).chain([work]);
        let is_below =
            |root: &PathBuf| root.canonicalize().is_ok_and(|root| whole.starts_with(root));
        let is_marked = whole.ancestors().any(|above| above.join(Kind::MARKER).exists());
        if !is_marked && !bound.any(is_below) {
            return Ok(());
        }
        let what =
            format!("`{}` is on media of this ceremony, or in its work folder", folder.display());
        Err(Refusal::of(Check::MediaKind, what)
            .hint("give a folder on the recipient's own media, or `none`"))
    }

    /// Asks for the sealed share until it is the one that was made; or why it is not to be had.
    fn bring_given(
        &mut self,
        step: u32,
        (name, key): (&str, &str),
        (set, made): (&Set, &ShareMade),
    ) -> Result<Result<Vec<u8>, String>, Refusal> {
        let text = format!(
            "path of {name}'s sealed share of key {key}, `custody` for the custody folder's, or `absent` and why"
        );
        let prompt = self.asked(step, format!("share {name}"), name, text);
        let prompt = Prompt { expected: Some(Expected::Text("custody".to_owned())), ..prompt };
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let typed = self.ask(&prompt)?;
            let read = match typed.split_once(' ') {
                Some(("absent", reason)) if !reason.trim().is_empty() => {
                    return Ok(Err(reason.trim().to_owned()));
                }
                _ if typed == "custody" => self.sealed_file(set, made.index),
                _ => media::read_file(Path::new(&typed), seal::MAX_FILE as u64)
                    .map_err(|error| self.device(&error)),
            };
            let called = format!("recipient `{name}`");
            match read.and_then(|read| expect_made(set, made, &called, &read).map(|()| read)) {
                Ok(sealed) => return Ok(Ok(sealed)),
                Err(refusal) if left > 0 && refusal.exit != Exit::Ours => {
                    self.say_again(&refusal)?;
                }
                Err(refusal) => return Err(refusal),
            }
        }
    }

    /// Tries what opens the share of a recipient: its YubiKey, if the identity is in one, or the identity that it gives.
    fn try_opener(
        &mut self,
        step: u32,
        name: &str,
        sealed: &[u8],
        mut attempt: impl FnMut(&mut Vault, Opener) -> Result<(), child::Error>,
    ) -> Result<(), Refusal> {
        let age = self.ceremony.roster().recipient(name).map(|recipient| recipient.age.clone());
        match age.filter(|age| age.yubikey().is_some()) {
            None => self.try_identity(step, name, attempt),
            Some(age) => {
                let opener = self.agree_at_card(step, name, (&age, sealed))?;
                let opened = attempt(self.vault()?, opener);
                opened.map_err(|error| error.refusal(Refusal::NOTHING_DONE))
            }
        }
    }

    /// Tries the identity that a recipient gives, as often as it may be wrong. `[SHARE-IDENTITY]`
    fn try_identity(
        &mut self,
        step: u32,
        name: &str,
        mut attempt: impl FnMut(&mut Vault, Opener) -> Result<(), child::Error>,
    ) -> Result<(), Refusal> {
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let identity = match self.hear_identity(step, name) {
                Err(refusal) if left > 0 && refusal.check == Some(Check::ShareIdentity) => {
                    self.say_again(&refusal)?;
                    continue;
                }
                heard => heard?,
            };
            match attempt(self.vault()?, Opener::Identity(identity)) {
                Err(child::Error::Vault(Refused::SealedShare {
                    refused: seal::Error::OtherIdentity,
                    ..
                })) if left > 0 => {
                    self.show("        this is not the identity that the share is sealed to")?;
                }
                opened => {
                    return opened.map_err(|error| error.refusal(Refusal::NOTHING_DONE));
                }
            }
        }
    }

    /// Takes an identity from its holder's media, or as it is typed, unseen.
    fn hear_identity(&mut self, step: u32, name: &str) -> Result<Identity, Refusal> {
        let text = format!("path of the identity file of {name}, or `type` to type it unseen");
        let prompt = self.asked(step, format!("identity {name}"), name, text);
        let expected = match self.room.mode {
            Mode::Rehearsal => self.stand_in(name)?.display().to_string(),
            Mode::Ceremony | Mode::Practice => "type".to_owned(),
        };
        let typed = self.ask(&Prompt { expected: Some(Expected::Text(expected)), ..prompt })?;
        let text = match typed.as_str() {
            "type" => {
                let text = format!("identity of {name}, AGE-SECRET-KEY-1…, typed unseen");
                let prompt = self.asked(step, format!("pin {name}"), name, text);
                self.hear_pin(&Prompt { expected: None, ..prompt })?.into_bytes()
            }
            path => {
                // What was typed may be the identity itself: it is not told again.
                let read = media::read_file(Path::new(path), MAX_IDENTITY).map_err(|_| {
                    let what = "what was typed is no path of a file that can be read";
                    Refusal::of(Check::ShareIdentity, what)
                        .hint("`type` takes the identity itself, unseen; one that was typed here was seen")
                });
                SecretBytes::take(read?)
            }
        };
        Identity::read(&text).map_err(|error| {
            Refusal::of(Check::ShareIdentity, error.to_string())
                .hint("give the X25519 identity whose `age1…` key the plan names")
        })
    }

    /// The file of the identity that stands in for a recipient's in a rehearsal: it is no secret.
    fn stand_in(&self, name: &str) -> Result<PathBuf, Refusal> {
        let work = &self.room.binding.work;
        let path = work.join(IDENTITIES).join(format!("{name}.txt"));
        if !path.exists() {
            let (_, identity) = AgeKey::of_rehearsal(name)
                .ok_or_else(|| Refusal::new(Exit::Ours, "no identity for a rehearsal"))?;
            let device = |error: media::Error| self.device(&error);
            media::make_folders(work, IDENTITIES).map_err(device)?;
            media::write_new(&path, format!("{identity}\n").as_bytes()).map_err(device)?;
        }
        Ok(path)
    }
}

/// The folder of a rehearsal's identities, in the work folder.
const IDENTITIES: &str = "identities";
/// The largest identity file that is read, in bytes.
const MAX_IDENTITY: u64 = 16 << 10;
