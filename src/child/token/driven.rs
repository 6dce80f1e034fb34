//! The child's side of a token: questions, answers, and the module between them.
//!
//! Roof: drives the token.

use serde::{Deserialize, Serialize};

use super::{MAX_RANDOM, Present};
use crate::child::wire::Bytes;
use crate::key::{Algorithm, ToSign};
use crate::room::pkcs11::{
    self, Blank, Face, Generated, Image, KeyRef, Login, Module, Object, PublicObject, Purpose,
};
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
    Logout,
    /// Secret: the SO PIN.
    DiscardSoPin,
    /// Secret: the SO PIN.
    TakesSoPin,
    Generate {
        purpose: Purpose,
        algorithm: Algorithm,
        label: String,
    },
    Sign {
        key: KeyRef,
        inputs: Vec<ToSign>,
    },
    Agree {
        key: KeyRef,
        peer: Bytes,
    },
    Destroy(KeyRef),
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

/// The child's state: the module, as it was read and once it is loaded.
pub(super) struct Driven {
    image: Option<Result<Image, pkcs11::Error>>,
    module: Option<Module>,
}

impl Driven {
    pub(super) fn new(image: Result<Image, pkcs11::Error>) -> Self {
        Self { image: Some(image), module: None }
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
                self.module()?.list().map(|(faces, mute)| Answer::Present(Present { faces, mute }))
            }
            Question::Select(serial) => self.module()?.select(&serial).map(Answer::Face),
            Question::Init { serial, label, again } => {
                init(self.module()?, (serial, label, again), secrets)
            }
            Question::Keys => self.module()?.keys().map(Answer::Keys),
            Question::Login => self.module()?.login(&pins(secrets)?.0).map(Answer::Login),
            Question::Logout => self.module()?.logout().map(done),
            Question::DiscardSoPin => self.module()?.discard_so_pin(&pins(secrets)?.0).map(done),
            Question::TakesSoPin => {
                self.module()?.takes_so_pin(&pins(secrets)?.0).map(Answer::Takes)
            }
            Question::Generate { purpose, algorithm, label } => {
                self.module()?.generate(purpose, algorithm, &label).map(Answer::Generated)
            }
            Question::Sign { key, inputs } => self
                .module()?
                .sign(&key, &inputs)
                .map(|found| Answer::Signatures(found.into_iter().map(Bytes).collect())),
            Question::Agree { key, peer } => {
                let point = peer.0.try_into().map_err(|_| nonsense("agreeing on a secret"))?;
                let agreed = self.module()?.agree(&key, &point)?;
                out.push(SecretBytes::copy_of(agreed.expose()));
                Ok(Answer::Secret)
            }
            Question::Destroy(key) => self.module()?.destroy(&key).map(done),
            Question::Reclaim { purpose, label } => {
                self.module()?.reclaim(purpose, &label).map(Answer::Reclaimed)
            }
            Question::Store { object, value } => self.module()?.store(&object, &value.0).map(done),
            Question::Objects => self.module()?.objects().map(Answer::Objects),
            Question::Read(label) => {
                self.module()?.read(&label).map(|value| Answer::Value(Bytes(value)))
            }
            Question::Delete(label) => self.module()?.delete(&label).map(done),
            Question::Random(len) => {
                out.push(self.module()?.random(len.min(MAX_RANDOM))?);
                Ok(Answer::Secret)
            }
        }
    }

    fn module(&mut self) -> Result<&mut Module, pkcs11::Error> {
        self.module.as_mut().ok_or_else(|| nonsense("loading a module"))
    }

    fn load(&mut self) -> Result<Answer, pkcs11::Error> {
        let image = self.image.take().ok_or_else(|| nonsense("reading a module again"))?;
        self.module = Some(Module::load(image?)?);
        Ok(Answer::Done)
    }
}

fn init(
    module: &mut Module,
    (serial, label, again): (Option<String>, String, bool),
    secrets: Vec<SecretBytes>,
) -> Result<Answer, pkcs11::Error> {
    let (user_pin, so_pin) = pins(secrets)?;
    let serial = serial.as_deref();
    let blank = Blank { serial, label: &label, so_pin, user_pin, again };
    module.init(blank).map(Answer::Face)
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
