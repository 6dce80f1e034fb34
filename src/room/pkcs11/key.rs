//! Keys on a token: made with the least attributes, found by id and public key, used.
//!
//! The room, PKCS#11: drives the selected token.

use cryptoki::error::{Error as CkError, RvError};
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::elliptic_curve::{EcKdf, Ecdh1DeriveParams};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism as Ck, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::{Error, Module, Selected, error, spki};
use crate::key::{Algorithm, Hash, PublicKey, ToSign};
use crate::secret::{Secret, SecretBytes};

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

/// One key, by the two things that stay: its CKA_ID and its public key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyRef {
    /// The CKA_ID.
    pub id: Vec<u8>,
    /// The public key.
    pub public: PublicKey,
}

/// A public key that a token shows without a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicObject {
    /// Its CKA_LABEL.
    pub label: String,
    /// Its id and public key.
    pub key: KeyRef,
}

/// A key that was made just now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generated {
    /// Its id and public key.
    pub key: KeyRef,
    /// What came of trying to carry it away.
    pub wrap: WrapTrial,
}

/// What came of trying to wrap a key that must not leave. Attributes are claims; this tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WrapTrial {
    /// The token cannot wrap, or makes no key to wrap with: nothing was tried.
    NotTried,
    /// Every wrapping mechanism that was tried refused.
    Refused,
}

impl Module {
    /// The public keys that the token shows. Objects of kinds that we do not use are left out.
    ///
    /// # Errors
    /// What the device does.
    pub fn keys(&self) -> Result<Vec<PublicObject>, Error> {
        let selected = self.selected("reading its public keys")?;
        let fail = error::read(&selected.name, "reading its public keys");
        let found = selected.session.find_objects(&[Attribute::Class(ObjectClass::PUBLIC_KEY)]);
        let mut keys = Vec::new();
        for handle in found.map_err(&fail)? {
            keys.extend(public_object(&selected.session, handle).map_err(&fail)?);
        }
        Ok(keys)
    }

    /// Makes a key pair for `purpose`, reads its attributes back, and tries to carry the private key away.
    ///
    /// # Errors
    /// [`Error::KeyTaken`], [`Error::NotSupported`], [`Error::AttributeDiffers`], [`Error::Wrapped`]; after the last two
    /// the key is destroyed. And what the device does.
    pub fn generate(
        &mut self,
        purpose: Purpose,
        algorithm: Algorithm,
        label: &str,
    ) -> Result<Generated, Error> {
        let selected = self.logged_in("making a key")?;
        let id = draw_id().ok_or_else(|| selected.nonsense("drawing a key id"))?;
        selected.refuse_taken(label, &id)?;
        if purpose == Purpose::Seal && algorithm != Algorithm::EcdsaP256 {
            let what = "key agreement with a key that is not P-256".into();
            return Err(Error::NotSupported { token: selected.name.clone(), what });
        }
        let order = Order { purpose, algorithm, label, id: &id };
        let (public, private) = selected.generate_pair(&order)?;
        let proven = selected.prove(&order, public, private);
        if proven.is_err() {
            // The first error is the one to tell; what cannot be destroyed is still named by it.
            let _ = selected.session.destroy_object(private);
            let _ = selected.session.destroy_object(public);
        }
        proven
    }

    /// Signs a batch with one key: the key is found once, then one C_SignInit and one C_Sign (and the length query that
    /// `cryptoki` adds) for each input.
    ///
    /// # Errors
    /// [`Error::KeyMissing`], [`Error::KeyTwice`], [`Error::NotLoggedIn`], and what the device does; the batch then has
    /// no result at all.
    pub fn sign(&mut self, key: &KeyRef, inputs: &[ToSign]) -> Result<Vec<Vec<u8>>, Error> {
        let selected = self.selected_mut("signing")?;
        let handle = match &selected.last {
            Some((last, handle)) if last == key => *handle,
            _ => {
                let handle = selected.private(key, "signing")?;
                selected.last = Some((key.clone(), handle));
                handle
            }
        };
        let mechanism = mechanism(key.public.algorithm());
        let fail = error::read(&selected.name, "signing");
        let unfit = || Error::NotSupported {
            token: selected.name.clone(),
            what: format!("that kind of signature with a key of {}", key.public.algorithm()),
        };
        inputs
            .iter()
            .map(|input| {
                let bytes = plain(key.public.algorithm(), input).ok_or_else(&unfit)?;
                selected.session.sign(&mechanism, handle, bytes).map_err(&fail)
            })
            .collect()
    }

    /// Agrees (ECDH, CKD_NULL) with the uncompressed P-256 point `peer`, and gives the x coordinate. The object that the
    /// token makes for it lives in the session only and is destroyed.
    ///
    /// # Errors
    /// [`Error::PeerPoint`], [`Error::SecretUnreadable`], [`Error::NotSupported`], the errors of finding the key, and what
    /// the device does.
    pub fn agree(&mut self, key: &KeyRef, peer: &[u8; 65]) -> Result<Secret<32>, Error> {
        let selected = self.logged_in("agreeing on a secret")?;
        let handle = selected.private(key, "agreeing on a secret")?;
        let mechanism = Ck::Ecdh1Derive(Ecdh1DeriveParams::new(EcKdf::null(), peer));
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::GENERIC_SECRET),
            Attribute::ValueLen(32.into()),
            Attribute::Token(false),
            Attribute::Sensitive(false),
            Attribute::Extractable(true),
        ];
        let derived = selected
            .session
            .derive_key(&mechanism, handle, &template)
            .map_err(|error| selected.derive_error(error))?;
        let value = selected.session.get_attributes(derived, &[AttributeType::Value]);
        selected
            .session
            .destroy_object(derived)
            .map_err(error::read(&selected.name, "forgetting an agreed secret"))?;
        let unreadable = || Error::SecretUnreadable { token: selected.name.clone() };
        match value.ok().and_then(|mut attributes| attributes.pop()) {
            Some(Attribute::Value(bytes)) => {
                Secret::copy_of(SecretBytes::take(bytes).expose()).ok_or_else(unreadable)
            }
            _ => Err(unreadable()),
        }
    }

    /// Destroys a key pair for good.
    ///
    /// # Errors
    /// The errors of finding the key, and what the device does.
    pub fn destroy(&mut self, key: &KeyRef) -> Result<(), Error> {
        let selected = self.logged_in("destroying a key")?;
        let fail = error::read(&selected.name, "destroying a key");
        let public = selected.public(key, "destroying a key")?;
        let private = selected.private(key, "destroying a key")?;
        selected.session.destroy_object(private).map_err(&fail)?;
        selected.session.destroy_object(public).map_err(&fail)?;
        self.selected_mut("destroying a key")?.last = None;
        Ok(())
    }
}

/// What is to be made.
struct Order<'a> {
    purpose: Purpose,
    algorithm: Algorithm,
    label: &'a str,
    id: &'a [u8],
}

impl Order<'_> {
    fn signs(&self) -> bool {
        self.purpose != Purpose::Seal
    }

    fn common(&self) -> Vec<Attribute> {
        vec![
            Attribute::Token(true),
            Attribute::Label(self.label.as_bytes().to_vec()),
            Attribute::Id(self.id.to_vec()),
        ]
    }

    /// The whole public template, or what every module takes.
    fn public(&self, full: bool) -> Vec<Attribute> {
        let mut template = self.common();
        template.extend([Attribute::Private(false), Attribute::Verify(self.signs())]);
        if full {
            template.extend([Attribute::Encrypt(false), Attribute::Wrap(false)]);
        }
        template.extend(spki::parameters(self.algorithm));
        template
    }

    /// The whole private template, or what every module takes: some refuse to hear `false`.
    fn private(&self, full: bool) -> Vec<Attribute> {
        let mut template = self.common();
        template.extend([
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
        ]);
        template.push(if self.signs() { Attribute::Sign(true) } else { Attribute::Derive(true) });
        if full {
            template.push(if self.signs() {
                Attribute::Derive(false)
            } else {
                Attribute::Sign(false)
            });
            template.extend([
                Attribute::Decrypt(false),
                Attribute::Unwrap(false),
                Attribute::SignRecover(false),
            ]);
        }
        template
    }
}

impl Selected {
    fn generate_pair(&self, order: &Order<'_>) -> Result<(ObjectHandle, ObjectHandle), Error> {
        let mechanism = match order.algorithm {
            Algorithm::EcdsaP256 | Algorithm::EcdsaP384 => Ck::EccKeyPairGen,
            Algorithm::Ed25519 => Ck::EccEdwardsKeyPairGen,
            Algorithm::Rsa(_) => Ck::RsaPkcsKeyPairGen,
            Algorithm::EcdsaP224 | Algorithm::EcdsaP521 => {
                let what = format!("keys of {}", order.algorithm);
                return Err(Error::NotSupported { token: self.name.clone(), what });
            }
        };
        let make = |full| {
            let (public, private) = (order.public(full), order.private(full));
            self.session.generate_key_pair(&mechanism, &public, &private)
        };
        let pair = match make(true) {
            Err(CkError::Pkcs11(
                RvError::TemplateInconsistent
                | RvError::AttributeTypeInvalid
                | RvError::AttributeValueInvalid
                | RvError::AttributeReadOnly,
                _,
            )) => make(false),
            pair => pair,
        };
        let doing = format!("making {} key `{}`", order.algorithm, order.label);
        pair.map_err(error::read(&self.name, &doing))
    }

    /// Reads the new pair back, and tries to carry the private key away.
    fn prove(
        &self,
        order: &Order<'_>,
        public: ObjectHandle,
        private: ObjectHandle,
    ) -> Result<Generated, Error> {
        let fail = error::read(&self.name, "reading a new key back");
        self.compare_attributes(order, private)?;
        let object = public_object(&self.session, public)
            .map_err(&fail)?
            .filter(|object| {
                object.key.id == order.id && object.key.public.algorithm() == order.algorithm
            })
            .ok_or_else(|| self.nonsense("reading a new key back"))?;
        // Found by id and public key, as every later use will find it.
        self.private(&object.key, "reading a new key back")?;
        let wrap = self.try_to_wrap(order.label, private)?;
        Ok(Generated { key: object.key, wrap })
    }

    fn compare_attributes(&self, order: &Order<'_>, private: ObjectHandle) -> Result<(), Error> {
        let kinds = [
            AttributeType::Private,
            AttributeType::Sensitive,
            AttributeType::Extractable,
            AttributeType::AlwaysSensitive,
            AttributeType::NeverExtractable,
            AttributeType::Local,
            AttributeType::Sign,
            AttributeType::Derive,
            AttributeType::Decrypt,
            AttributeType::Unwrap,
            AttributeType::SignRecover,
        ];
        let said = self
            .session
            .get_attributes(private, &kinds)
            .map_err(error::read(&self.name, "reading a new key's attributes"))?;
        let signs = order.signs();
        // The last column: what a token means that does not say.
        let demands = [
            ("CKA_PRIVATE", true, false),
            ("CKA_SENSITIVE", true, false),
            ("CKA_EXTRACTABLE", false, true),
            ("CKA_ALWAYS_SENSITIVE", true, false),
            ("CKA_NEVER_EXTRACTABLE", true, false),
            ("CKA_LOCAL", true, false),
            ("CKA_SIGN", signs, signs),
            ("CKA_DERIVE", !signs, !signs),
            ("CKA_DECRYPT", false, false),
            ("CKA_UNWRAP", false, false),
            ("CKA_SIGN_RECOVER", false, false),
        ];
        for (name, expected, unsaid) in demands {
            let found = said.iter().find_map(|attribute| claim(attribute, name)).unwrap_or(unsaid);
            if found != expected {
                return Err(Error::AttributeDiffers {
                    token: self.name.clone(),
                    label: order.label.to_owned(),
                    attribute: name.to_owned(),
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }

    fn try_to_wrap(&self, label: &str, private: ObjectHandle) -> Result<WrapTrial, Error> {
        let template = [
            Attribute::Token(false),
            Attribute::ValueLen(32.into()),
            Attribute::Wrap(true),
            Attribute::Encrypt(true),
        ];
        let Ok(wrapping) = self.session.generate_key(&Ck::AesKeyGen, &template) else {
            return Ok(WrapTrial::NotTried);
        };
        let carried = [Ck::AesKeyWrap, Ck::AesKeyWrapPad, Ck::AesCbcPad([0; 16])]
            .iter()
            .map(|mechanism| self.session.wrap_key(mechanism, wrapping, private))
            .any(|wrapped| wrapped.map(SecretBytes::take).is_ok());
        self.session
            .destroy_object(wrapping)
            .map_err(error::read(&self.name, "forgetting a wrapping key"))?;
        if carried {
            return Err(Error::Wrapped { token: self.name.clone(), label: label.to_owned() });
        }
        Ok(WrapTrial::Refused)
    }

    fn refuse_taken(&self, label: &str, id: &[u8]) -> Result<(), Error> {
        let fail = error::read(&self.name, "looking for keys of that name");
        for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
            for same in [Attribute::Label(label.as_bytes().to_vec()), Attribute::Id(id.to_vec())] {
                let template = [Attribute::Class(class), same];
                if !self.session.find_objects(&template).map_err(&fail)?.is_empty() {
                    return Err(Error::KeyTaken {
                        token: self.name.clone(),
                        label: label.to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    /// The public object with that id and that public key. Modules keep no public key on the private object, so a private
    /// key is known by the public object with its id.
    fn public(&self, key: &KeyRef, doing: &str) -> Result<ObjectHandle, Error> {
        let fail = error::read(&self.name, doing);
        let mut same = Vec::new();
        for handle in self.with_id(ObjectClass::PUBLIC_KEY, key, doing)? {
            let object = public_object(&self.session, handle).map_err(&fail)?;
            if object.is_some_and(|object| object.key.public == key.public) {
                same.push(handle);
            }
        }
        self.sole(&same, key)
    }

    fn private(&self, key: &KeyRef, doing: &str) -> Result<ObjectHandle, Error> {
        self.public(key, doing)?;
        self.sole(&self.with_id(ObjectClass::PRIVATE_KEY, key, doing)?, key)
    }

    fn with_id(
        &self,
        class: ObjectClass,
        key: &KeyRef,
        doing: &str,
    ) -> Result<Vec<ObjectHandle>, Error> {
        let template = [Attribute::Class(class), Attribute::Id(key.id.clone())];
        self.session.find_objects(&template).map_err(error::read(&self.name, doing))
    }

    fn sole(&self, found: &[ObjectHandle], key: &KeyRef) -> Result<ObjectHandle, Error> {
        let (token, key) = (self.name.clone(), HEXLOWER.encode(&key.id));
        match found {
            [] => Err(Error::KeyMissing { token, key }),
            [sole] => Ok(*sole),
            _ => Err(Error::KeyTwice { token, key }),
        }
    }

    fn derive_error(&self, error: CkError) -> Error {
        let token = self.name.clone();
        match &error {
            // What modules say of a point off the curve (facts: SoftHSM, kryoptic and NSS differ).
            CkError::Pkcs11(
                RvError::GeneralError
                | RvError::DeviceError
                | RvError::KeySizeRange
                | RvError::ArgumentsBad
                | RvError::MechanismParamInvalid,
                _,
            ) => Error::PeerPoint { token, code: error::code(&error) },
            CkError::Pkcs11(
                RvError::TemplateInconsistent
                | RvError::AttributeValueInvalid
                | RvError::AttributeTypeInvalid,
                _,
            ) => Error::SecretUnreadable { token },
            _ => error::read(&self.name, "agreeing on a secret")(error),
        }
    }

    pub(super) fn nonsense(&self, doing: &str) -> Error {
        Error::Nonsense { token: self.name.clone(), doing: doing.to_owned() }
    }
}

fn mechanism(algorithm: Algorithm) -> Ck<'static> {
    match algorithm {
        // The other schemes of `cryptoki` 0.12.1 point to a dropped temporary.
        Algorithm::Ed25519 => Ck::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)),
        Algorithm::Rsa(_) => Ck::RsaPkcsPss(PkcsPssParams {
            hash_alg: MechanismType::SHA256,
            mgf: PkcsMgfType::MGF1_SHA256,
            s_len: 32.into(),
        }),
        _ => Ck::Ecdsa,
    }
}

/// The bytes that the mechanism of `algorithm` takes, if the input is of that kind.
fn plain(algorithm: Algorithm, input: &ToSign) -> Option<&[u8]> {
    match (algorithm, input) {
        (Algorithm::Ed25519, ToSign::Message(message)) => Some(message),
        (Algorithm::Rsa(_), ToSign::Digest { hash: Hash::Sha256, bytes }) => Some(bytes),
        (Algorithm::Ed25519 | Algorithm::Rsa(_), _) | (_, ToSign::Message(_)) => None,
        (_, ToSign::Digest { bytes, .. }) => Some(bytes),
    }
}

/// Reads a public object; none if it is of a kind that we do not use.
fn public_object(session: &Session, handle: ObjectHandle) -> Result<Option<PublicObject>, CkError> {
    let kinds = [
        AttributeType::Label,
        AttributeType::Id,
        AttributeType::KeyType,
        AttributeType::EcParams,
        AttributeType::EcPoint,
        AttributeType::Modulus,
        AttributeType::PublicExponent,
    ];
    let attributes = session.get_attributes(handle, &kinds)?;
    let (mut label, mut id) = (String::new(), Vec::new());
    for attribute in &attributes {
        match attribute {
            Attribute::Label(text) => label = super::clean(&String::from_utf8_lossy(text)),
            Attribute::Id(bytes) => id.clone_from(bytes),
            _ => {}
        }
    }
    let public = spki::decode(&attributes);
    Ok(public.map(|public| PublicObject { label, key: KeyRef { id, public } }))
}

/// What `attribute` claims, if it is the one with that PKCS#11 name.
fn claim(attribute: &Attribute, name: &str) -> Option<bool> {
    let (found, value) = match attribute {
        Attribute::Private(value) => ("CKA_PRIVATE", value),
        Attribute::Sensitive(value) => ("CKA_SENSITIVE", value),
        Attribute::Extractable(value) => ("CKA_EXTRACTABLE", value),
        Attribute::AlwaysSensitive(value) => ("CKA_ALWAYS_SENSITIVE", value),
        Attribute::NeverExtractable(value) => ("CKA_NEVER_EXTRACTABLE", value),
        Attribute::Local(value) => ("CKA_LOCAL", value),
        Attribute::Sign(value) => ("CKA_SIGN", value),
        Attribute::Derive(value) => ("CKA_DERIVE", value),
        Attribute::Decrypt(value) => ("CKA_DECRYPT", value),
        Attribute::Unwrap(value) => ("CKA_UNWRAP", value),
        Attribute::SignRecover(value) => ("CKA_SIGN_RECOVER", value),
        _ => return None,
    };
    (found == name).then_some(*value)
}

/// A key id that no other key has: 128 random bits.
fn draw_id() -> Option<Vec<u8>> {
    let mut id = vec![0; 16];
    let drawn = rustix::rand::getrandom(&mut *id, rustix::rand::GetRandomFlags::empty());
    (drawn == Ok(16)).then_some(id)
}
