//! Enrolment: a token is initialised, its PIN set by its holder, and its own keys made and proven.
//!
//! Roof.

use std::path::PathBuf;

use data_encoding::{BASE64, HEXLOWER};

use super::Session;
use super::attested::Made;
use super::outrank::{Twice, again};
use super::token::{draw, seal_key};
use super::words::ATTEMPTS;
use crate::ceremony::fact::{Attested, Fact, Statement};
use crate::ceremony::statement::{self, Said};
use crate::check::Check;
use crate::child::token::{Present, SoPin, Token};
use crate::child::{self, Launch};
use crate::digest::Digest;
use crate::key::{Algorithm, Scheme};
use crate::refusal::{Exit, Refusal};
use crate::room::console::{Expected, Prompt};
use crate::room::pkcs11::{self, Face, KeyRef, Login, Purpose};
use crate::room::soft;
use crate::room::token::WrapTrial;
use crate::seal::SealKey;
use crate::secret::{Pin, SecretBytes};

/// How far an enrolment came before it was interrupted.
enum Begun {
    /// Everything was made on it and its SO PIN is gone: it only has to be proven.
    Complete(Face),
    /// There is nothing on it, or nothing that cannot be begun anew.
    Empty,
    /// It takes the SO PIN of a restart no longer, or not yet, and has no user PIN: nobody can open it.
    Torn,
}

impl Session<'_> {
    pub(super) fn enrol(&mut self, step: u32, name: &str) -> Result<Fact, Refusal> {
        let (token, present) = self.put_in_new(step, name)?;
        for face in &present.faces {
            self.refuse_soft(name, face)?;
        }
        let is_ready = self.is_ready(name);
        let (mut token, face, made) = match is_ready {
            true => self.take_ready(step, (token, &present), name)?,
            false => self.make_ready(step, (token, &present), name)?,
        };
        self.refuse_soft(name, &face)?;
        self.ask_serial(step, name, &face)?;
        self.tell_advisories(name, &face)?;
        let seals = self.ceremony.roster().token(name).is_some_and(|token| token.seals);
        if is_ready {
            self.take_over_ready(step, &mut token, (name, &face), seals)?;
        }
        if made {
            self.log_in(step, &mut token, &face, name)?;
        } else {
            self.tell_touch(&face)?;
        }
        if is_ready && !face.so_makes() {
            self.refuse_used(step, &mut token, (name, &face))?;
        }
        let (attest, attested) = self.own_key(step, &mut token, (name, &face), Purpose::Attest)?;
        let seal = match seals {
            true => Some(self.sealing_key(step, &mut token, (name, &face))?),
            false => None,
        };
        self.prove_attest(&mut token, name, &attest)?;
        let (seal, seal_attested) = seal.unzip();
        if let Some((seal, to)) = &seal {
            self.prove_seal(&mut token, name, (seal, to))?;
        }
        token.logout().map_err(|error| self.child(&error))?;
        // What was complete before a restart has it no more.
        if !is_ready && !made {
            self.outrank(step, &mut token, (name, &face))?;
        }
        let identity = self.keep_identity(name, &face)?;
        Ok(Fact::TokenEnrolled {
            token: name.to_owned(),
            model: face.model.trim().to_owned(),
            identity,
            attest: attest.public,
            kem: seal.as_ref().and_then(|(_, to)| to.kem().cloned()),
            seal: seal.map(|(seal, _)| seal.public),
            attested,
            seal_attested: seal_attested.flatten(),
        })
    }

    /// The key that shares are sealed to, and its ML-KEM half where the token has ML-KEM.
    fn sealing_key(
        &mut self,
        step: u32,
        token: &mut Token,
        (name, face): (&str, &Face),
    ) -> Result<((KeyRef, SealKey), Option<Attested>), Refusal> {
        let (seal, attested) = self.own_key(step, token, (name, face), Purpose::Seal)?;
        let label = format!("{name} kem");
        let kem = match token.make_kem(&label) {
            Ok((kem, wrap)) => {
                if wrap == WrapTrial::NotTried {
                    self.tell_untried(&label)?;
                }
                self.show("        what is sealed to it takes ML-KEM-768 beside P-256 to open")?;
                Some(kem)
            }
            Err(child::Error::Token(pkcs11::Error::NotSupported { .. })) => None,
            Err(error) => return Err(self.child(&error)),
        };
        let to = seal_key(seal.public.clone(), kem)?;
        Ok(((seal, to), attested))
    }

    /// Initialises an empty token, and says whether an interrupted run of this step had done it.
    fn make_ready(
        &mut self,
        step: u32,
        (mut token, present): (Token, &Present),
        name: &str,
    ) -> Result<(Token, Face, bool), Refusal> {
        match self.found_begun(step, &mut token, present, name)? {
            Begun::Complete(face) => return Ok((token, face, true)),
            Begun::Torn => {
                drop(token);
                self.clear_soft(name)?;
                token = self.open(name)?;
            }
            Begun::Empty => {}
        }
        let face = self.initialise(step, &mut token, name)?;
        Ok((token, face, false))
    }

    /// Asks for a token that must be here, and opens it, with what its module shows.
    fn put_in_new(&mut self, step: u32, name: &str) -> Result<(Token, Present), Refusal> {
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            self.ask_new(step, name)?;
            let opened = self.open_to_enrol(step, name)?;
            if !opened.1.faces.is_empty() || left == 0 {
                return Ok(opened);
            }
            self.show("        no token is in")?;
        }
    }

    /// Opens a token, with what its module shows. SoftHSM writes its files in place, and dies at those of a token that it
    /// was killed in while it made it: they go, since nobody can open it and nothing was made on it.
    fn open_to_enrol(&mut self, step: u32, name: &str) -> Result<(Token, Present), Refusal> {
        let driver = self.driver(name)?;
        let open = || {
            let mut token = Token::start(&Launch::this_binary(name), &driver)?;
            token.list().map(|present| (token, present))
        };
        let opened = match (open(), self.soft_folder(name)) {
            (Err(child::Error::Lost { .. }), Some(folder)) if self.was_interrupted(step) => {
                soft::clear(&folder).map_err(|error| error.refusal())?;
                open()
            }
            (opened, _) => opened,
        };
        opened.map_err(|error| self.child(&error))
    }

    /// What this very step made of a token before it was interrupted.
    fn found_begun(
        &mut self,
        step: u32,
        token: &mut Token,
        present: &Present,
        name: &str,
    ) -> Result<Begun, Refusal> {
        let mut initialised = present.faces.iter().filter(|face| face.is_initialised);
        // What is torn in a soft token's folder is cleared with all of it.
        if let (Some(other), Some(_)) =
            (initialised.find(|face| face.name.label.trim() != name), self.soft_folder(name))
        {
            let what = format!(
                "the folder of soft token `{name}` holds token `{}` already",
                other.name.label.trim()
            );
            return Err(Refusal::of(Check::TokenOne, what)
                .hint("give it a folder of its own in room.toml, and `resume`"));
        }
        let ours =
            present.faces.iter().find(|face| face.is_initialised && face.name.label.trim() == name);
        let Some(face) = ours.cloned() else { return Ok(Begun::Empty) };
        // Two tokens of one label are told before anything else.
        token.select(&face.name.serial).map_err(|error| self.child(&error))?;
        if !self.was_interrupted(step) {
            let what =
                format!("a token labelled `{name}` is there already (serial {})", face.name.serial);
            return Err(Refusal::of(Check::TokenOne, what).hint("enrol a token that is empty"));
        }
        let transport = self.transport_pin(name)?;
        let is_begun = token.takes_so_pin(transport).map_err(|error| self.child(&error))?;
        Ok(match (is_begun, face.has_user_pin) {
            (true, _) => Begun::Empty,
            (false, true) => Begun::Complete(face),
            (false, false) => Begun::Torn,
        })
    }

    /// The folder of a soft token, if it is there.
    fn soft_folder(&self, name: &str) -> Option<PathBuf> {
        let bound = self.room.binding.token(name)?;
        bound.softhsm().cloned().filter(|folder| folder.exists())
    }

    /// Empties the folder of a soft token that was torn while it was initialised. Nothing was ever made on it: it has
    /// no user PIN.
    fn clear_soft(&self, name: &str) -> Result<(), Refusal> {
        match self.soft_folder(name) {
            Some(folder) => soft::clear(&folder).map_err(|error| error.refusal()),
            None => {
                let what = format!("token `{name}` was torn while it was initialised");
                Err(Refusal::of(Check::TokenOne, what)
                    .hint("reset it with its maker's tool, or bind an empty one, and `resume`"))
            }
        }
    }

    fn initialise(&mut self, step: u32, token: &mut Token, name: &str) -> Result<Face, Refusal> {
        let pin = self.ask_new_pin(step, name)?;
        self.begin(step, name)?;
        let again = again(&pin)?;
        let so_pin = SoPin::Transport(self.transport_pin(name)?);
        let face = token.init(None, name, so_pin, pin).map_err(|error| self.child(&error))?;
        match token.login(again).map_err(|error| self.child(&error))? {
            Login::Open => Ok(face),
            Login::Refused(_) => {
                let what = format!("token `{name}` does not take the PIN that it was given");
                Err(Refusal::of(Check::TokenPin, what).hint("use another token"))
            }
        }
    }

    /// Until its keys are made, a token's SO PIN is one that a restart can compute: after a crash it can be erased and
    /// begun anew. It is replaced at the end of the enrolment.
    pub(super) fn transport_pin(&self, name: &str) -> Result<Pin, Refusal> {
        let plan = self.ceremony.plan().digest();
        let digest =
            Digest::of_parts("officiant transport pin v1", &[plan.as_bytes(), name.as_bytes()]);
        let digits: String =
            digest.as_bytes().iter().take(8).map(|b| char::from(b'0' + b % 10)).collect();
        Pin::new(SecretBytes::copy_of(digits.as_bytes()))
            .map_err(|error| Refusal::new(Exit::Ours, error.to_string()))
    }

    fn ask_new_pin(&mut self, step: u32, name: &str) -> Result<Pin, Refusal> {
        let who = self.ceremony.roster().custodian(name).to_owned();
        let (id, what) = (format!("pin {name}"), format!("PIN for token {name}"));
        self.ask_twice(&Twice { step, id: &id, who: &who, what: &what })?.ok_or_else(|| {
            Refusal::of(Check::TokenPin, format!("no PIN was set on token `{name}`"))
                .hint("its holder thinks of a PIN, and `resume` asks again")
        })
    }

    pub(super) fn ask_serial(&mut self, step: u32, name: &str, face: &Face) -> Result<(), Refusal> {
        let serial = face.name.serial.trim().to_owned();
        let (label, model) = (face.name.label.trim(), face.model.trim());
        self.show(&format!("        label {label}, model {model}, serial {serial}"))?;
        let prompt = Prompt {
            step,
            id: format!("serial {name}"),
            who: "operator".to_owned(),
            text: format!("serial of token {name}, as on its body"),
            expected: Some(Expected::Text(serial.clone())),
        };
        let is_it = |typed: &str| typed.eq_ignore_ascii_case(&serial).then_some(());
        let why_not = "this is not the serial that the machine sees";
        self.ask_until(&prompt, why_not, is_it)?.ok_or_else(|| {
            let what = format!("the serial of token `{name}` was not typed right");
            Refusal::of(Check::TokenKey, what).hint(
                "compare the serial on its body with the one on the screen; put in the right token",
            )
        })
    }

    /// A key of the token's own, made now or found where a crash left it.
    fn own_key(
        &mut self,
        step: u32,
        token: &mut Token,
        (name, face): (&str, &Face),
        purpose: Purpose,
    ) -> Result<(KeyRef, Option<Attested>), Refusal> {
        let label = own_label(name, purpose);
        let label = label.as_str();
        let told = |generated| Made { step, token: name, face, label, purpose, generated };
        let shown = token.keys().map_err(|error| self.child(&error))?;
        if shown.iter().any(|object| object.label == label) {
            // Proven as when it is made: a key that may do more, or can leave, is not taken up.
            let found = token.reclaim(purpose, label).map_err(|error| self.child(&error))?;
            if let Some(found) = found {
                return self.told(told(found));
            }
        }
        let made = token.generate(purpose, Algorithm::EcdsaP256, label);
        let made = made.map_err(|error| match purpose {
            Purpose::Seal => self.no_seal(&error),
            Purpose::Attest | Purpose::Root => self.no_make(&error),
        })?;
        self.told(told(made))
    }

    fn prove_attest(&self, token: &mut Token, name: &str, key: &KeyRef) -> Result<(), Refusal> {
        let random = HEXLOWER.encode(&draw::<32>()?);
        let head = self.record.head();
        let text = format!("officiant proof v1\nattest\n{name}\n{head}\n{random}\n");
        sign_text(token, name, key, text.as_bytes()).map(|_| ())
    }

    /// What a token, logged in, says of a fact about itself; nothing if it has no attest key.
    pub(super) fn state(
        &self,
        token: &mut Token,
        name: &str,
        said: &Said<'_>,
    ) -> Result<Option<Statement>, Refusal> {
        let Some(attest) = self.ceremony.attest(name) else { return Ok(None) };
        let key = self.find_key(token, name, &attest)?;
        self.state_by(token, name, &key, said).map(Some)
    }

    /// The same by another key of the token.
    pub(super) fn state_by(
        &self,
        token: &mut Token,
        name: &str,
        key: &KeyRef,
        said: &Said<'_>,
    ) -> Result<Statement, Refusal> {
        let (head, random) = (self.record.head(), HEXLOWER.encode(&draw::<32>()?));
        let text = statement::text(&self.ceremony, name, said, &head, &random);
        let signature = BASE64.encode(&sign_text(token, name, key, text.as_bytes())?);
        Ok(Statement { head, random, signature })
    }

    pub(super) fn prove_seal(
        &mut self,
        token: &mut Token,
        name: &str,
        (key, to): (&KeyRef, &SealKey),
    ) -> Result<(), Refusal> {
        let sealed = {
            let made = self.vault()?.challenge(to);
            made.map_err(|error| self.child(&error))?
        };
        let asked = {
            let asked = self.vault()?.asked(&sealed, to);
            asked.map_err(|error| self.child(&error))?
        };
        let agreed = token.answer((key, to), &asked).map_err(|error| self.no_seal(&error))?;
        let met = self.vault()?.meet(&sealed, to, &agreed);
        met.map_err(|error| {
            let what = format!("token `{name}` does not agree as its sealing key should: {error}");
            Refusal::of(Check::TokenSeal, what).hint("enrol another token for the share")
        })
    }

    /// Why a token has no key: it is one that makes none of that kind, or the device failed.
    pub(super) fn no_make(&self, error: &child::Error) -> Refusal {
        let refusal = self.child(error);
        match error {
            child::Error::Token(pkcs11::Error::NotSupported { .. }) => {
                Refusal { check: Some(Check::TokenMakes), exit: Exit::Refused, ..refusal }
            }
            _ => refusal,
        }
    }

    /// Why a token has no sealing key: it is one that cannot have any, or the device failed.
    fn no_seal(&self, error: &child::Error) -> Refusal {
        use pkcs11::Error as E;
        let refusal = self.child(error);
        match error {
            child::Error::Token(
                E::NotSupported { .. } | E::PeerPoint { .. } | E::SecretUnreadable { .. },
            ) => Refusal { check: Some(Check::TokenSeal), exit: Exit::Refused, ..refusal },
            _ => refusal,
        }
    }
}

/// What a key of a token's own is called.
pub(super) fn own_label(name: &str, purpose: Purpose) -> String {
    match purpose {
        Purpose::Seal => format!("{name} seal"),
        Purpose::Attest | Purpose::Root => format!("{name} attest"),
    }
}

/// Has a key sign text built here, verifies the signature with the other library, and gives it.
pub(super) fn sign_text(
    token: &mut Token,
    name: &str,
    key: &KeyRef,
    text: &[u8],
) -> Result<Vec<u8>, Refusal> {
    let scheme = Scheme::of_certificate(key.public.algorithm());
    let raw = token.sign(key, &[scheme.to_sign(text)]);
    let raw = raw.map_err(|error| error.refusal(Refusal::NOTHING_DONE))?;
    let bad = |what: String| {
        Refusal::of(Check::SignatureGood, format!("token `{name}`: {what}"))
            .hint("a token whose signatures are not good is not to be trusted: use another")
    };
    let raw = raw.first().ok_or_else(|| bad("no signature came back".into()))?;
    let signature = scheme.encode(key.public.algorithm(), raw).map_err(|e| bad(e.to_string()))?;
    key.public.verify(scheme, text, &signature).map_err(|e| bad(e.to_string()))?;
    Ok(signature)
}
