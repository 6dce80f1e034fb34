//! The child that drives one token: it loads the module or speaks to the YubiKey, and holds no key and no share.
//!
//! Roof: the parent's handle is [`Token`]; the child's side is [`run`]. What passes between them: batches of what is to
//! be signed, a PIN, the x coordinate of one key agreement, and public things.

mod driven;
mod driver;

use serde::{Deserialize, Serialize};

use super::wire::{Bytes, Fault};
use super::{Error, Fence, Launch, Process};
use crate::key::{Algorithm, KemKey, PublicKey, ToSign};
use crate::room::pkcs11;
use crate::room::token::{WrapTrial, Wrapped};
use crate::seal::{Agreed, Asked, SealKey};
use crate::secret::{Pin, Secret, SecretBytes};
pub use driven::run;
use driven::{Answer, Question};
pub use driver::Driver;

pub use crate::room::pkcs11::{Face, Generated, KeyRef, Login, Object, PublicObject, Purpose};

/// Who holds the SO PIN of a token that is initialised (docs/threats.md rule 9).
pub enum SoPin {
    /// Nobody: it is drawn in the child and forgotten unshown. A forgotten user PIN is then a lost token.
    Drawn,
    /// Nobody yet: a restart can compute it, so that a token that has the label already can be begun anew; it is to be
    /// replaced at the end of the enrolment ([`Token::replace_so_pin`]).
    Transport(Pin),
}

/// The tokens that a module shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// What each says of itself.
    pub faces: Vec<Face>,
    /// How many are there whose answer could not be read.
    pub mute: usize,
}

/// A running child that drives one token. Dropping it logs out, finalizes the module and ends the process.
pub struct Token(Process);

impl Token {
    /// Starts a child, and has it load the module if it is one that drives the token.
    ///
    /// # Errors
    /// [`Error::Start`], [`Error::Lost`], [`pkcs11::Error::Module`], and [`pkcs11::Error::ModuleChanged`].
    pub fn start(launch: &Launch, driver: &Driver) -> Result<Self, Error> {
        let (environment, terms) = driver.terms();
        let mut token = Self(Process::start("token", launch, environment, &terms)?);
        token.done(&Question::Load, Vec::new())?;
        Ok(token)
    }

    /// What stands around the process.
    pub fn fence(&self) -> Fence {
        self.0.fence
    }

    /// What every token that the module shows says of itself.
    ///
    /// # Errors
    /// As every call: [`Error::Lost`], and [`Error::Token`] with what the token or its module did.
    pub fn list(&mut self) -> Result<Present, Error> {
        match self.ask(&Question::List)? {
            Answer::Present(present) => Ok(present),
            _ => Err(self.garbage()),
        }
    }

    /// Selects the one token with that serial; every later call is about it.
    ///
    /// # Errors
    /// [`pkcs11::Error::NoToken`], [`pkcs11::Error::TwinSerial`], [`pkcs11::Error::TwinLabel`].
    pub fn select(&mut self, serial: &str) -> Result<Face, Error> {
        let question = Question::Select(serial.to_owned());
        self.face(&question, Vec::new())
    }

    /// Initialises the uninitialised token (with `serial`, if it has one yet; else the only one), sets both PINs, selects it.
    ///
    /// # Errors
    /// [`pkcs11::Error::LabelTaken`], [`pkcs11::Error::LabelUnfit`], [`pkcs11::Error::NoBlank`],
    /// [`pkcs11::Error::ManyBlanks`], [`pkcs11::Error::PinUnfit`].
    pub fn init(
        &mut self,
        serial: Option<&str>,
        label: &str,
        so_pin: SoPin,
        user_pin: Pin,
    ) -> Result<Face, Error> {
        let mut secrets = vec![user_pin.into_bytes()];
        let again = matches!(so_pin, SoPin::Transport(_));
        if let SoPin::Transport(pin) = so_pin {
            secrets.push(pin.into_bytes());
        }
        let question =
            Question::Init { serial: serial.map(str::to_owned), label: label.to_owned(), again };
        self.face(&question, secrets)
    }

    /// Says whether the selected token takes this SO PIN. A wrong one costs a try.
    ///
    /// # Errors
    /// As every call.
    pub fn takes_so_pin(&mut self, pin: Pin) -> Result<bool, Error> {
        self.takes(&Question::TakesSoPin, [pin])
    }

    /// Replaces the SO PIN of the selected token by that of the seat which holds it from now on; without, by one that is
    /// drawn in the child and forgotten unshown.
    ///
    /// # Errors
    /// [`pkcs11::Error::Factory`], [`pkcs11::Error::PinLength`], [`pkcs11::Error::PinUnfit`]: the token is as before. That it
    /// does not take `pin` is no error but false.
    pub fn replace_so_pin(&mut self, pin: Pin, by: Option<Pin>) -> Result<bool, Error> {
        self.takes(&Question::ReplaceSoPin, std::iter::once(pin).chain(by))
    }

    /// The same of the PUK of a token that has one beside its SO PIN.
    ///
    /// # Errors
    /// As [`Token::replace_so_pin`].
    pub fn replace_puk(&mut self, puk: Pin, by: Pin) -> Result<bool, Error> {
        self.takes(&Question::ReplacePuk, [puk, by])
    }

    /// Has whoever knows the SO PIN make a key pair, where the user cannot. It is proven when it is reclaimed. Whether the
    /// token takes the SO PIN.
    ///
    /// # Errors
    /// [`pkcs11::Error::Full`], [`pkcs11::Error::NotSupported`].
    pub fn make_as_so(
        &mut self,
        so_pin: Pin,
        (purpose, algorithm, label): (Purpose, Algorithm, &str),
    ) -> Result<bool, Error> {
        let label = label.to_owned();
        self.takes(&Question::MakeAsSo { purpose, algorithm, label }, [so_pin])
    }

    /// Has whoever knows the SO PIN destroy a key pair for good, where the user cannot. Whether the token takes the SO PIN.
    ///
    /// # Errors
    /// As every call.
    pub fn destroy_as_so(&mut self, so_pin: Pin, key: &KeyRef) -> Result<bool, Error> {
        self.takes(&Question::DestroyAsSo(key.clone()), [so_pin])
    }

    /// The public keys that the selected token shows without a login.
    ///
    /// # Errors
    /// As every call.
    pub fn keys(&mut self) -> Result<Vec<PublicObject>, Error> {
        match self.ask(&Question::Keys)? {
            Answer::Keys(keys) => Ok(keys),
            _ => Err(self.garbage()),
        }
    }

    /// Logs the user in, once: a refused PIN is [`Login::Refused`] with what the token says of the tries left.
    ///
    /// # Errors
    /// As every call.
    pub fn login(&mut self, pin: Pin) -> Result<Login, Error> {
        match self.call(&Question::Login, vec![pin.into_bytes()])?.0 {
            Answer::Login(login) => Ok(login),
            _ => Err(self.garbage()),
        }
    }

    /// The same by the PIN that its holder types on the token's own pad ([`Face::has_pad`]), as long as it waits for that.
    ///
    /// # Errors
    /// As every call.
    pub fn login_on_pad(&mut self) -> Result<Login, Error> {
        match self.ask(&Question::LoginOnPad)? {
            Answer::Login(login) => Ok(login),
            _ => Err(self.garbage()),
        }
    }

    /// Logs out.
    ///
    /// # Errors
    /// As every call.
    pub fn logout(&mut self) -> Result<(), Error> {
        self.done(&Question::Logout, Vec::new())
    }

    /// Makes a key pair with the least attributes for its purpose, and proves what can be proved of it.
    ///
    /// # Errors
    /// [`pkcs11::Error::KeyTaken`], [`pkcs11::Error::NotSupported`], [`pkcs11::Error::AttributeDiffers`],
    /// [`pkcs11::Error::DoesMore`], [`pkcs11::Error::Wrapped`].
    pub fn generate(
        &mut self,
        purpose: Purpose,
        algorithm: Algorithm,
        label: &str,
    ) -> Result<Generated, Error> {
        let label = label.to_owned();
        match self.ask(&Question::Generate { purpose, algorithm, label })? {
            Answer::Generated(generated) => Ok(generated),
            _ => Err(self.garbage()),
        }
    }

    /// Has the token take up a key that was made elsewhere, which the vault wrapped for it, and proves it.
    ///
    /// # Errors
    /// [`pkcs11::Error::KeyTaken`], [`pkcs11::Error::NotSupported`], [`pkcs11::Error::AttributeDiffers`],
    /// [`pkcs11::Error::DoesMore`], [`pkcs11::Error::Wrapped`].
    pub fn place(
        &mut self,
        seal: &KeyRef,
        (label, public): (&str, &PublicKey),
        ways: &[Wrapped],
    ) -> Result<Generated, Error> {
        let (seal, label, public) = (seal.clone(), label.to_owned(), public.clone());
        match self.ask(&Question::Place { seal, label, public, ways: ways.to_vec() })? {
            Answer::Generated(generated) => Ok(generated),
            _ => Err(self.garbage()),
        }
    }

    /// Takes up the key pair of that label that a run made which was interrupted, and proves it as when it is made. What
    /// does not prove itself is destroyed, and the answer is none.
    ///
    /// # Errors
    /// As every call, and [`pkcs11::Error::KeyTwice`].
    pub fn reclaim(&mut self, purpose: Purpose, label: &str) -> Result<Option<Generated>, Error> {
        match self.ask(&Question::Reclaim { purpose, label: label.to_owned() })? {
            Answer::Reclaimed(reclaimed) => Ok(reclaimed),
            _ => Err(self.garbage()),
        }
    }

    /// Signs a batch; the answers are raw, in the order of the inputs ([`crate::key::Scheme::encode`] encodes them). The
    /// batch travels in pieces, and `patience` is for one piece.
    ///
    /// # Errors
    /// [`pkcs11::Error::KeyMissing`], [`pkcs11::Error::KeyTwice`], [`pkcs11::Error::NotLoggedIn`]; what was signed before
    /// the error is forgotten.
    pub fn sign(&mut self, key: &KeyRef, inputs: &[ToSign]) -> Result<Vec<Vec<u8>>, Error> {
        let question = |inputs| Question::Sign { key: key.clone(), inputs };
        self.0.call_ahead(inputs, question, |answer: Result<Answer, pkcs11::Error>| match answer? {
            Answer::Signatures(found) => Ok(Some(found.into_iter().map(|bytes| bytes.0).collect())),
            _ => Ok(None),
        })
    }

    /// Has the token agree with a point (uncompressed P-256) by its sealing key; gives the x coordinate.
    ///
    /// # Errors
    /// [`pkcs11::Error::PeerPoint`], [`pkcs11::Error::SecretUnreadable`], [`pkcs11::Error::NotSupported`].
    pub fn agree(&mut self, key: &KeyRef, peer: &[u8; 65]) -> Result<Secret<32>, Error> {
        let question = Question::Agree { key: key.clone(), peer: Bytes(peer.to_vec()) };
        let secret = self.secret(&question)?;
        Secret::copy_of(secret.expose()).ok_or_else(|| self.garbage())
    }

    /// Makes an ML-KEM-768 key pair beside the sealing key, or takes up the one of that label that an interrupted run
    /// made, and proves what can be proved of it.
    ///
    /// # Errors
    /// [`pkcs11::Error::NotSupported`] from tokens without ML-KEM; those of [`Token::generate`].
    pub fn make_kem(&mut self, label: &str) -> Result<(KemKey, WrapTrial), Error> {
        match self.ask(&Question::MakeKem(label.to_owned()))? {
            Answer::Kem(key, wrap) => Ok((key, wrap)),
            _ => Err(self.garbage()),
        }
    }

    /// Has the token use its sealing key, both halves of it, on what opens something that is sealed to it.
    ///
    /// # Errors
    /// Those of [`Token::agree`]; what the token does with the other half.
    pub fn answer(
        &mut self,
        (key, to): (&KeyRef, &SealKey),
        asked: &Asked,
    ) -> Result<Agreed, Error> {
        let x = self.agree(key, &asked.point)?;
        let kem = match (to.kem(), &asked.ciphertext) {
            (Some(kem), Some(ciphertext)) => {
                let (key, ciphertext) = (kem.clone(), Bytes(ciphertext.clone()));
                let secret = self.secret(&Question::Decapsulate { key, ciphertext })?;
                Some(Secret::copy_of(secret.expose()).ok_or_else(|| self.garbage())?)
            }
            _ => None,
        };
        Ok(Agreed { x, kem })
    }

    /// Destroys a key pair for good.
    ///
    /// # Errors
    /// As every call.
    pub fn destroy(&mut self, key: &KeyRef) -> Result<(), Error> {
        self.done(&Question::Destroy(key.clone()), Vec::new())
    }

    /// Stores a private data object: a sealed share, an intent.
    ///
    /// # Errors
    /// [`pkcs11::Error::ObjectTaken`], [`pkcs11::Error::Full`], [`pkcs11::Error::NotSupported`].
    pub fn store(&mut self, object: &Object, value: &[u8]) -> Result<(), Error> {
        let question = Question::Store { object: object.clone(), value: Bytes(value.to_vec()) };
        self.done(&question, Vec::new())
    }

    /// The data objects on the token.
    ///
    /// # Errors
    /// As every call.
    pub fn objects(&mut self) -> Result<Vec<Object>, Error> {
        match self.ask(&Question::Objects)? {
            Answer::Objects(objects) => Ok(objects),
            _ => Err(self.garbage()),
        }
    }

    /// The value of the data object with that label.
    ///
    /// # Errors
    /// [`pkcs11::Error::ObjectMissing`], [`pkcs11::Error::ObjectTaken`] if there are two.
    pub fn read(&mut self, label: &str) -> Result<Vec<u8>, Error> {
        match self.ask(&Question::Read(label.to_owned()))? {
            Answer::Value(value) => Ok(value.0),
            _ => Err(self.garbage()),
        }
    }

    /// Deletes the data object with that label.
    ///
    /// # Errors
    /// As [`Token::read`].
    pub fn delete(&mut self, label: &str) -> Result<(), Error> {
        self.done(&Question::Delete(label.to_owned()), Vec::new())
    }

    /// At most 1024 random bytes of the token's generator.
    ///
    /// # Errors
    /// [`pkcs11::Error::NotSupported`] from tokens without one.
    pub fn random(&mut self, len: usize) -> Result<SecretBytes, Error> {
        let bytes = self.secret(&Question::Random(len.min(MAX_RANDOM)))?;
        if bytes.len() == len.min(MAX_RANDOM) { Ok(bytes) } else { Err(self.garbage()) }
    }

    fn face(&mut self, question: &Question, secrets: Vec<SecretBytes>) -> Result<Face, Error> {
        match self.call(question, secrets)?.0 {
            Answer::Face(face) => Ok(face),
            _ => Err(self.garbage()),
        }
    }

    fn takes(
        &mut self,
        question: &Question,
        pins: impl IntoIterator<Item = Pin>,
    ) -> Result<bool, Error> {
        match self.call(question, pins.into_iter().map(Pin::into_bytes).collect())?.0 {
            Answer::Takes(takes) => Ok(takes),
            _ => Err(self.garbage()),
        }
    }

    fn done(&mut self, question: &Question, secrets: Vec<SecretBytes>) -> Result<(), Error> {
        match self.call(question, secrets)?.0 {
            Answer::Done => Ok(()),
            _ => Err(self.garbage()),
        }
    }

    fn secret(&mut self, question: &Question) -> Result<SecretBytes, Error> {
        let (answer, mut secrets) = self.call(question, Vec::new())?;
        match (answer, secrets.pop()) {
            (Answer::Secret, Some(secret)) => Ok(secret),
            _ => Err(self.garbage()),
        }
    }

    fn ask(&mut self, question: &Question) -> Result<Answer, Error> {
        Ok(self.call(question, Vec::new())?.0)
    }

    fn call(
        &mut self,
        question: &Question,
        secrets: Vec<SecretBytes>,
    ) -> Result<(Answer, Vec<SecretBytes>), Error> {
        let (answer, secrets) =
            self.0.call::<_, Result<Answer, pkcs11::Error>>(question, secrets)?;
        Ok((answer?, secrets))
    }

    fn garbage(&mut self) -> Error {
        self.0.lost(Fault::Garbage)
    }
}

const MAX_RANDOM: usize = 1024;
