//! Keys on a token: found by id and public key, used, destroyed.
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

use super::{Error, KeyRef, Module, PublicObject, Selected, error, spki};
use crate::key::{Algorithm, Hash, ToSign};
use crate::secret::{Secret, SecretBytes};

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
        if selected.is_yubikey {
            selected.label_by_certificates(&mut keys)?;
        }
        Ok(keys)
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
        let derived = selected
            .session
            .derive_key(&mechanism, handle, &agreed())
            .map_err(|error| selected.derive_error(error))?;
        selected.read_secret(derived)
    }

    /// Destroys a key pair for good, or what a destruction that was cut off left of it.
    ///
    /// # Errors
    /// The errors of finding the key, and what the device does.
    pub fn destroy(&mut self, key: &KeyRef) -> Result<(), Error> {
        let selected = self.logged_in("destroying a key")?;
        let fail = error::read(&selected.name, "destroying a key");
        let public = selected.public(key, "destroying a key")?;
        // The public half goes last: as long as it is there, the private half can be found.
        for private in selected.with_id(ObjectClass::PRIVATE_KEY, key, "destroying a key")? {
            selected.session.destroy_object(private).map_err(&fail)?;
        }
        selected.session.destroy_object(public).map_err(&fail)?;
        self.selected_mut("destroying a key")?.last = None;
        Ok(())
    }
}

impl Selected {
    /// The public object with that id and that public key. Modules keep no public key on the private object, so a private
    /// key is known by the public object with its id.
    pub(super) fn public(&self, key: &KeyRef, doing: &str) -> Result<ObjectHandle, Error> {
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

    pub(super) fn private(&self, key: &KeyRef, doing: &str) -> Result<ObjectHandle, Error> {
        self.public(key, doing)?;
        let found = self.with_id(ObjectClass::PRIVATE_KEY, key, doing)?;
        // Without a login private keys are not refused but invisible.
        if found.is_empty() {
            self.refuse_logged_out(doing)?;
        }
        self.sole(&found, key)
    }

    /// Reads a secret that the token made in this session, and has it forget the object.
    pub(super) fn read_secret(&self, made: ObjectHandle) -> Result<Secret<32>, Error> {
        let value = self.session.get_attributes(made, &[AttributeType::Value]);
        self.session
            .destroy_object(made)
            .map_err(error::read(&self.name, "forgetting an agreed secret"))?;
        let unreadable = || Error::SecretUnreadable { token: self.name.clone() };
        match value.ok().and_then(|mut attributes| attributes.pop()) {
            Some(Attribute::Value(bytes)) => {
                Secret::copy_of(SecretBytes::take(bytes).expose()).ok_or_else(unreadable)
            }
            _ => Err(unreadable()),
        }
    }

    pub(super) fn with_id(
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

    pub(super) fn derive_error(&self, error: CkError) -> Error {
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

/// What a token makes of a secret that it agreed on: 32 bytes that live in the session, and are read.
pub(super) fn agreed() -> [Attribute; 6] {
    [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::GENERIC_SECRET),
        Attribute::ValueLen(32.into()),
        Attribute::Token(false),
        Attribute::Sensitive(false),
        Attribute::Extractable(true),
    ]
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
pub(super) fn public_object(
    session: &Session,
    handle: ObjectHandle,
) -> Result<Option<PublicObject>, CkError> {
    let kinds = [
        AttributeType::Label,
        AttributeType::Id,
        AttributeType::EcParams,
        AttributeType::EcPoint,
        AttributeType::Modulus,
        AttributeType::PublicExponent,
    ];
    let attributes = session.get_attributes(handle, &kinds)?;
    let (mut label, mut id) = (String::new(), Vec::new());
    for attribute in &attributes {
        match attribute {
            Attribute::Label(text) => {
                label = crate::room::token::clean(&String::from_utf8_lossy(text))
            }
            Attribute::Id(bytes) => id.clone_from(bytes),
            _ => {}
        }
    }
    let public = spki::decode(&attributes);
    Ok(public.map(|public| PublicObject { label, key: KeyRef { id, public } }))
}
