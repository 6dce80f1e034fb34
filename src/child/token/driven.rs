//! The child's side of a token: questions, answers, and the device between them.
//!
//! Roof: drives the token.

use serde::{Deserialize, Serialize};

use super::driver::Terms;
use super::{MAX_RANDOM, Present};
use crate::child::fence::Reach;
use crate::child::serve;
use crate::child::wire::{Bytes, Fault};
use crate::key::{Algorithm, KemKey, PublicKey, ToSign};
use crate::room::binding::Needs;
use crate::room::pkcs11::{
    self, Blank, Face, Generated, Image, KeyRef, Login, Module, Object, PublicObject, Purpose,
};
use crate::room::token::{Device, WrapTrial, Wrapped};
use crate::secret::{Pin, SecretBytes};

#[derive(Serialize, Deserialize)]
pub(super) enum Question {
    Load,
    List,
    Select(String),
    /// Secrets: the user PIN; the SO PIN if a person holds it.
    Init {
        serial: Option<String>,
        label: String,
        again: bool,
    },
    Keys,
    /// Secret: the PIN.
    Login,
    LoginOnPad,
    Logout,
    /// Secrets: the SO PIN; the next one if a person holds it.
    ReplaceSoPin,
    /// Secret: the SO PIN.
    DestroyAsSo(KeyRef),
    /// Secrets: the PUK; the next one.
    ReplacePuk,
    /// Secret: the SO PIN.
    MakeAsSo {
        purpose: Purpose,
        algorithm: Algorithm,
        label: String,
    },
    /// Secret: the SO PIN.
    TakesSoPin,
    Generate {
        purpose: Purpose,
        algorithm: Algorithm,
        label: String,
    },
    Place {
        seal: KeyRef,
        label: String,
        public: PublicKey,
        ways: Vec<Wrapped>,
    },
    Sign {
        key: KeyRef,
        inputs: Vec<ToSign>,
    },
    Agree {
        key: KeyRef,
        peer: Bytes,
    },
    Decapsulate {
        key: KemKey,
        ciphertext: Bytes,
    },
    Destroy(KeyRef),
    MakeKem(String),
    Reclaim {
        purpose: Purpose,
        label: String,
    },
    Store {
        object: Object,
        value: Bytes,
    },
    Objects,
    Read(String),
    Delete(String),
    Random(usize),
}

#[derive(Serialize, Deserialize)]
pub(super) enum Answer {
    Done,
    Face(Face),
    Generated(Generated),
    Kem(KemKey, WrapTrial),
    Keys(Vec<PublicObject>),
    Login(Login),
    Objects(Vec<Object>),
    Present(Present),
    Reclaimed(Option<Generated>),
    /// One secret follows.
    Secret,
    Signatures(Vec<Bytes>),
    Takes(bool),
    Value(Bytes),
}

type Begin = Box<dyn FnOnce() -> Result<Box<dyn Device>, pkcs11::Error>>;

/// The child's state: the device, before and after it is begun with.
pub(super) struct Driven {
    begin: Option<Begin>,
    device: Option<Box<dyn Device>>,
}

impl Driven {
    pub(super) fn new(
        begin: impl FnOnce() -> Result<Box<dyn Device>, pkcs11::Error> + 'static,
    ) -> Self {
        Self { begin: Some(Box::new(begin)), device: None }
    }

    pub(super) fn answer(
        &mut self,
        question: Question,
        secrets: Vec<SecretBytes>,
        out: &mut Vec<SecretBytes>,
    ) -> Result<Answer, pkcs11::Error> {
        let done = |()| Answer::Done;
        match question {
            Question::Load => self.load(),
            Question::List => {
                self.device()?.list().map(|(faces, mute)| Answer::Present(Present { faces, mute }))
            }
            Question::Select(serial) => self.device()?.select(&serial).map(Answer::Face),
            Question::Init { serial, label, again } => {
                init(self.device()?, (serial, label, again), secrets)
            }
            Question::Keys => self.device()?.keys().map(Answer::Keys),
            Question::Login => self.device()?.login(&pins(secrets)?.0).map(Answer::Login),
            Question::LoginOnPad => self.device()?.login_on_pad().map(Answer::Login),
            Question::Logout => self.device()?.logout().map(done),
            Question::ReplaceSoPin => {
                let (pin, next) = pins(secrets)?;
                self.device()?.replace_so_pin(&pin, next.as_ref()).map(Answer::Takes)
            }
            Question::ReplacePuk => {
                let (puk, next) = pins(secrets)?;
                let next = next.ok_or_else(|| nonsense("reading a PUK"))?;
                self.device()?.replace_puk(&puk, &next).map(Answer::Takes)
            }
            Question::DestroyAsSo(key) => {
                let so_pin = pins(secrets)?.0;
                self.device()?.destroy_as_so(&so_pin, &key).map(Answer::Takes)
            }
            Question::MakeAsSo { purpose, algorithm, label } => {
                let so_pin = pins(secrets)?.0;
                let made = self.device()?.make_as_so(&so_pin, purpose, algorithm, &label);
                made.map(Answer::Takes)
            }
            Question::TakesSoPin => {
                self.device()?.takes_so_pin(&pins(secrets)?.0).map(Answer::Takes)
            }
            Question::Generate { purpose, algorithm, label } => {
                self.device()?.generate(purpose, algorithm, &label).map(Answer::Generated)
            }
            Question::Place { seal, label, public, ways } => {
                self.device()?.place(&seal, (&label, &public), &ways).map(Answer::Generated)
            }
            Question::Sign { key, inputs } => self
                .device()?
                .sign(&key, &inputs)
                .map(|found| Answer::Signatures(found.into_iter().map(Bytes).collect())),
            Question::Agree { key, peer } => {
                let point = peer.0.try_into().map_err(|_| nonsense("agreeing on a secret"))?;
                let agreed = self.device()?.agree(&key, &point)?;
                out.push(SecretBytes::copy_of(agreed.expose()));
                Ok(Answer::Secret)
            }
            Question::Decapsulate { key, ciphertext } => {
                let shared = self.device()?.decapsulate(&key, &ciphertext.0)?;
                out.push(SecretBytes::copy_of(shared.expose()));
                Ok(Answer::Secret)
            }
            Question::MakeKem(label) => {
                self.device()?.make_kem(&label).map(|(key, wrap)| Answer::Kem(key, wrap))
            }
            Question::Destroy(key) => self.device()?.destroy(&key).map(done),
            Question::Reclaim { purpose, label } => {
                self.device()?.reclaim(purpose, &label).map(Answer::Reclaimed)
            }
            Question::Store { object, value } => self.device()?.store(&object, &value.0).map(done),
            Question::Objects => self.device()?.objects().map(Answer::Objects),
            Question::Read(label) => {
                self.device()?.read(&label).map(|value| Answer::Value(Bytes(value)))
            }
            Question::Delete(label) => self.device()?.delete(&label).map(done),
            Question::Random(len) => {
                out.push(self.device()?.random(len.min(MAX_RANDOM))?);
                Ok(Answer::Secret)
            }
        }
    }

    fn device(&mut self) -> Result<&mut dyn Device, pkcs11::Error> {
        match &mut self.device {
            Some(device) => Ok(device.as_mut()),
            None => Err(nonsense("beginning with a token")),
        }
    }

    fn load(&mut self) -> Result<Answer, pkcs11::Error> {
        let begin = self.begin.take().ok_or_else(|| nonsense("beginning again"))?;
        self.device = Some(begin()?);
        Ok(Answer::Done)
    }
}

fn init(
    device: &mut dyn Device,
    (serial, label, again): (Option<String>, String, bool),
    secrets: Vec<SecretBytes>,
) -> Result<Answer, pkcs11::Error> {
    let (user_pin, so_pin) = pins(secrets)?;
    let serial = serial.as_deref();
    let blank = Blank { serial, label: &label, so_pin, user_pin, again };
    device.init(blank).map(Answer::Face)
}

/// The PIN that came with a question, and the second one if there is one.
fn pins(secrets: Vec<SecretBytes>) -> Result<(Pin, Option<Pin>), pkcs11::Error> {
    let mut pins =
        secrets.into_iter().map(|bytes| Pin::new(bytes).map_err(|_| nonsense("reading a PIN")));
    let first = pins.next().unwrap_or_else(|| Err(nonsense("reading a PIN")))?;
    Ok((first, pins.next().transpose()?))
}

fn nonsense(doing: &str) -> pkcs11::Error {
    pkcs11::Error::NotSelected { doing: doing.to_owned() }
}

/// The child's side: answers until its parent closes the wire.
///
/// # Errors
/// The [`Fault`] that ended the conversation, other than its regular end.
pub fn run() -> Result<(), Fault> {
    serve(|terms: Terms| {
        let (reach, mut driven) = match terms {
            Terms::Module { module, sha256, token, needs, uri } => {
                // Its path is out of reach behind the fence, and the whole file is ours to hash before it is loaded.
                let image = Image::take(&module, sha256);
                let Needs { parameters, sockets, writes, .. } = *needs;
                let load = move || {
                    let module = Module::load(image?, parameters.as_deref(), uri)?;
                    Ok(Box::new(module) as Box<dyn Device>)
                };
                (Reach::Module { token, sockets, writes }, Driven::new(load))
            }
            Terms::YubiKey { serial } => (Reach::Card, Driven::new(move || yubikeys(serial))),
        };
        let answer = move |question, secrets| {
            let mut out = Vec::new();
            let answer = driven.answer(question, secrets, &mut out);
            (answer, out)
        };
        (reach, answer)
    })
}

#[cfg(feature = "piv")]
fn yubikeys(only: Option<u32>) -> Result<Box<dyn Device>, pkcs11::Error> {
    Ok(Box::new(crate::room::piv::YubiKeys::new(only)))
}

#[cfg(not(feature = "piv"))]
fn yubikeys(_: Option<u32>) -> Result<Box<dyn Device>, pkcs11::Error> {
    let because = "this program was built without feature `piv`".to_owned();
    Err(pkcs11::Error::Module { module: "yubikey".to_owned(), because })
}
