//! Tokens of every kind: what they say of themselves, what they are asked, and what they may answer.
//!
//! Room floor: the one face of PKCS#11 tokens and YubiKeys. Values, and the trait that both kinds of device implement.

mod blank;
pub(in crate::room) mod certificate;
mod error;
mod face;
mod uri;
mod wrapped;

use serde::{Deserialize, Serialize};

use crate::key::{Algorithm, KemKey, PublicKey, ToSign};
use crate::secret::{Pin, Secret, SecretBytes};

pub use blank::Blank;
pub(in crate::room) use blank::{chosen, refuse_label, refuse_length};
pub use error::Error;
pub(in crate::room) use face::clean;
pub use face::{Face, Login, Name, Outranking, TriesLeft};
pub use uri::{Uri, decoded};
pub use wrapped::{WrapBy, Wrapped};

/// What drives one token, or shows several of which one is selected. Whoever conducts a ceremony does not know its kind:
/// what a token cannot do is [`Error::NotSupported`].
pub trait Device {
    /// What every token that is present says of itself; one whose answer cannot be read is left out of the faces and
    /// counted.
    ///
    /// # Errors
    /// [`Error::Device`] if not even that can be asked.
    fn list(&mut self) -> Result<(Vec<Face>, usize), Error>;

    /// Selects the one token with that serial. Whatever was selected before is closed.
    ///
    /// # Errors
    /// [`Error::NoToken`], [`Error::TwinSerial`], [`Error::TwinLabel`].
    fn select(&mut self, serial: &str) -> Result<Face, Error>;

    /// Initialises an empty token, sets its PINs, and selects it.
    ///
    /// # Errors
    /// [`Error::LabelTaken`], [`Error::LabelUnfit`], [`Error::NoBlank`], [`Error::ManyBlanks`], [`Error::PinLength`]: the
    /// token is as before. [`Error::PinUnfit`], and what the device does.
    fn init(&mut self, blank: Blank<'_>) -> Result<Face, Error>;

    /// Says whether the selected token takes this SO PIN. A wrong one costs a try.
    ///
    /// # Errors
    /// What the device does.
    fn takes_so_pin(&mut self, pin: &Pin) -> Result<bool, Error>;

    /// Replaces the SO PIN of the selected token by that of the seat which holds it from now on, or by one that is drawn
    /// here and forgotten unshown: docs/threats.md rule 9.
    ///
    /// # Errors
    /// [`Error::Factory`], [`Error::PinLength`], [`Error::PinUnfit`], all about the new one: the token is as before. And
    /// what the device does; that it does not take `pin` is no error but false.
    fn replace_so_pin(&mut self, pin: &Pin, by: Option<&Pin>) -> Result<bool, Error>;

    /// The same of the PUK of a token that has one beside its SO PIN.
    ///
    /// # Errors
    /// As [`Device::replace_so_pin`], and [`Error::NotSupported`] from tokens that have none.
    fn replace_puk(&mut self, puk: &Pin, by: &Pin) -> Result<bool, Error>;

    /// Has whoever knows the SO PIN make a key pair, where the user cannot ([`Face::so_makes`]). It is proven when the user
    /// takes it up ([`Device::reclaim`]). Whether the token takes the SO PIN.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::NotSupported`], and what the device does.
    fn make_as_so(
        &mut self,
        so_pin: &Pin,
        purpose: Purpose,
        algorithm: Algorithm,
        label: &str,
    ) -> Result<bool, Error>;

    /// Has whoever knows the SO PIN destroy a key pair for good, where the user cannot. Whether the token takes the SO PIN.
    ///
    /// # Errors
    /// The errors of finding the key, [`Error::NotSupported`], and what the device does.
    fn destroy_as_so(&mut self, so_pin: &Pin, key: &KeyRef) -> Result<bool, Error>;

    /// The public keys that the token shows. Keys of kinds that we do not use are left out.
    ///
    /// # Errors
    /// What the device does.
    fn keys(&mut self) -> Result<Vec<PublicObject>, Error>;

    /// Logs the user in.
    ///
    /// # Errors
    /// What the device does; a wrong PIN is no error but [`Login::Refused`].
    fn login(&mut self, pin: &Pin) -> Result<Login, Error>;

    /// Logs the user in by the PIN that is typed on the token's own pad, and reaches this machine never.
    ///
    /// # Errors
    /// [`Error::NotSupported`] from one without a pad; what the device does, a pad that nobody typed on included.
    fn login_on_pad(&mut self) -> Result<Login, Error>;

    /// Logs out.
    ///
    /// # Errors
    /// What the device does.
    fn logout(&mut self) -> Result<(), Error>;

    /// Makes a key pair that can do what its purpose needs, and proves what can be proved of it.
    ///
    /// # Errors
    /// [`Error::KeyTaken`], [`Error::NotSupported`], [`Error::AttributeDiffers`], [`Error::DoesMore`],
    /// [`Error::Wrapped`]; after the last three the key is destroyed. And what the device does.
    fn generate(
        &mut self,
        purpose: Purpose,
        algorithm: Algorithm,
        label: &str,
    ) -> Result<Generated, Error>;

    /// Takes up a key that was made elsewhere, wrapped for the sealing key `seal` in several ways, and proves what can be
    /// proved of it. The private key is in the token alone: this process passes what is wrapped.
    ///
    /// # Errors
    /// [`Error::KeyTaken`]; [`Error::NotSupported`] where it takes none of the ways; [`Error::AttributeDiffers`],
    /// [`Error::DoesMore`], [`Error::Wrapped`], after which the key is destroyed. And what the device does.
    fn place(
        &mut self,
        seal: &KeyRef,
        key: (&str, &PublicKey),
        ways: &[Wrapped],
    ) -> Result<Generated, Error>;

    /// Takes up the key pair of that label that a run made which was interrupted, and proves it as when it is made. One
    /// that does not prove itself was never used: it is destroyed, and the answer is none.
    ///
    /// # Errors
    /// [`Error::KeyTwice`], and what the device does.
    fn reclaim(&mut self, purpose: Purpose, label: &str) -> Result<Option<Generated>, Error>;

    /// Signs a batch with one key; the answers are raw, in the order of the inputs.
    ///
    /// # Errors
    /// [`Error::KeyMissing`], [`Error::KeyTwice`], [`Error::NotLoggedIn`], and what the device does; the batch then has
    /// no result at all.
    fn sign(&mut self, key: &KeyRef, inputs: &[ToSign]) -> Result<Vec<Vec<u8>>, Error>;

    /// Agrees with the uncompressed P-256 point `peer`, and gives the x coordinate.
    ///
    /// # Errors
    /// [`Error::PeerPoint`], [`Error::SecretUnreadable`], [`Error::NotSupported`], the errors of finding the key, and what
    /// the device does.
    fn agree(&mut self, key: &KeyRef, peer: &[u8; 65]) -> Result<Secret<32>, Error>;

    /// Makes an ML-KEM-768 key pair, or takes up the one of that label that an interrupted run made, and proves what can be
    /// proved of it.
    ///
    /// # Errors
    /// [`Error::NotSupported`] from tokens without ML-KEM, and those of [`Device::generate`].
    fn make_kem(&mut self, label: &str) -> Result<(KemKey, WrapTrial), Error>;

    /// Decapsulates an ML-KEM-768 ciphertext by the private half of `key`.
    ///
    /// # Errors
    /// [`Error::NotSupported`], [`Error::SecretUnreadable`], the errors of finding the key, and what the device does.
    fn decapsulate(&mut self, key: &KemKey, ciphertext: &[u8]) -> Result<Secret<32>, Error>;

    /// Destroys a key pair for good.
    ///
    /// # Errors
    /// The errors of finding the key, and what the device does.
    fn destroy(&mut self, key: &KeyRef) -> Result<(), Error>;

    /// Stores a data object.
    ///
    /// # Errors
    /// [`Error::ObjectTaken`], [`Error::Full`], [`Error::NotSupported`], and what the device does.
    fn store(&mut self, object: &Object, value: &[u8]) -> Result<(), Error>;

    /// The data objects on the token, ours and others.
    ///
    /// # Errors
    /// [`Error::NotLoggedIn`], and what the device does.
    fn objects(&mut self) -> Result<Vec<Object>, Error>;

    /// The value of the one data object with that label.
    ///
    /// # Errors
    /// [`Error::ObjectMissing`], [`Error::ObjectTaken`] if there are two, and what the device does.
    fn read(&mut self, label: &str) -> Result<Vec<u8>, Error>;

    /// Deletes the one data object with that label.
    ///
    /// # Errors
    /// Those of [`Device::read`].
    fn delete(&mut self, label: &str) -> Result<(), Error>;

    /// Random bytes from the token, to be mixed and never used alone.
    ///
    /// # Errors
    /// [`Error::NotSupported`] from tokens without a generator.
    fn random(&mut self, len: usize) -> Result<SecretBytes, Error>;
}

/// One key, by the two things that stay: its id and its public key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyRef {
    /// The CKA_ID, or the number of its PIV slot.
    pub id: Vec<u8>,
    /// The public key.
    pub public: PublicKey,
}

/// A public key that a token shows without a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicObject {
    /// Its label.
    pub label: String,
    /// Its id and public key.
    pub key: KeyRef,
}

/// What keys are made for, and so the one thing that they may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Purpose {
    /// Signs statements and record heads; stands in no root.
    Attest,
    /// Signs metadata, certificates and proofs.
    Root,
    /// Agrees on the secrets that shares are sealed with; signs nothing. P-256 only.
    Seal,
}

/// A key that was made just now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generated {
    /// Its id and public key.
    pub key: KeyRef,
    /// What came of trying to carry it away.
    pub wrap: WrapTrial,
    /// Certificates by which its maker says that the token made it: that of the key, and that of who signed it. None from
    /// most tokens.
    pub attestation: Vec<Vec<u8>>,
}

/// What came of trying to wrap a key that must not leave. Attributes are claims; this tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WrapTrial {
    /// The token cannot wrap, or makes no key to wrap with: nothing was tried.
    NotTried,
    /// Every wrapping mechanism that was tried refused.
    Refused,
}

/// What a data object is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Its label (CKA_LABEL); ours are unique on a token.
    pub label: String,
    /// Its application (CKA_APPLICATION), which says what kind of thing it is.
    pub application: String,
}
