//! YubiKeys through the module of their maker, ykcs11: keys stand in slots and are made by whoever knows the management key,
//! which is its SO PIN; what they are called stands in the certificates beside them.
//!
//! The room, PKCS#11: drives the selected token. What PIV itself does not bind, such as what a key may be used for, no
//! module binds either: `room::piv` says more.

use cryptoki::error::{Error as CkError, RvError};
use cryptoki::mechanism::Mechanism as Ck;
use cryptoki::object::{Attribute, AttributeType, CertificateType, ObjectClass, ObjectHandle};
use cryptoki::slot::TokenInfo;
use cryptoki::types::AuthPin;
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use super::key::public_object;
use super::make::Order;
use super::{
    Error, Generated, KeyRef, Module, Name, PublicObject, Purpose, Selected, WrapTrial, auth,
    error, spki,
};
use crate::key::Algorithm;
use crate::room::token::certificate;
use crate::secret::Pin;

/// Whether it is the module of YubiKeys that shows this token.
pub(super) fn is_one(info: &TokenInfo) -> bool {
    info.manufacturer_id().trim().starts_with("Yubico")
}

/// Nobody logs in with what every YubiKey leaves the factory with.
pub(super) fn refuse_factory_pin(pin: &Pin, token: &Name) -> Result<(), Error> {
    refuse(pin, (FACTORY_PIN, "PIN"), token)
}

/// What a management key must be: 48 hexadecimal digits, and not those of the factory.
pub(super) fn refuse_management(key: &Pin, token: &Name) -> Result<(), Error> {
    let digits = key.expose();
    if digits.len() != 48 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        let code = "a management key has 48 hexadecimal digits".to_owned();
        return Err(Error::PinUnfit { token: token.clone(), code });
    }
    refuse(key, (FACTORY_MANAGEMENT, "management key"), token)
}

fn refuse(typed: &Pin, (factory, what): (&str, &str), token: &Name) -> Result<(), Error> {
    match typed.expose() == factory {
        true => Err(Error::Factory { token: token.clone(), what: what.to_owned() }),
        false => Ok(()),
    }
}

impl Module {
    /// Replaces the PUK. The module has no function for it, and takes it where PINs are changed, with a word before it.
    ///
    /// # Errors
    /// [`Error::Factory`], [`Error::PinLength`]: the token is as before. [`Error::NotSupported`] for other tokens, and what
    /// the device does; that it does not take `puk` is no error but false.
    pub fn replace_puk(&mut self, puk: &Pin, by: &Pin) -> Result<bool, Error> {
        let selected = self.selected(PUK)?;
        let token = selected.name.clone();
        if !selected.is_yubikey {
            return Err(Error::NotSupported { token, what: PUK.to_owned() });
        }
        if by.expose().len() != 8 {
            return Err(Error::PinLength { token, min: 8, max: 8 });
        }
        refuse(by, (FACTORY_PUK, "PUK"), &token)?;
        let mut old = String::with_capacity(PUK_WORD.len() + puk.expose().len());
        old.push_str(PUK_WORD);
        old.push_str(puk.expose());
        match selected.session.set_pin(&AuthPin::from(old), &auth(by)) {
            Ok(()) => Ok(true),
            Err(CkError::Pkcs11(RvError::PinIncorrect | RvError::PinLocked, _)) => Ok(false),
            Err(error) => Err(error::read(&token, PUK)(error)),
        }
    }

    /// Makes a key pair as the SO, in the first slot for its purpose that is free, with a certificate beside it that has its
    /// label. That certificate is signed by nobody, as the module's own are: in such a session no key signs.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::NotSupported`], and what the device does.
    pub fn make_as_so(
        &mut self,
        so_pin: &Pin,
        (purpose, algorithm, label): (Purpose, Algorithm, &str),
    ) -> Result<bool, Error> {
        let keys = self.keys()?;
        let selected = self.selected("making a key")?;
        let token = selected.name.clone();
        let (false, Algorithm::EcdsaP256 | Algorithm::EcdsaP384) =
            (!selected.is_yubikey, algorithm)
        else {
            let what = format!("making {algorithm} key `{label}` as its SO");
            return Err(Error::NotSupported { token, what });
        };
        if keys.iter().any(|object| object.label == label) {
            return Err(Error::KeyTaken { token, label: label.to_owned() });
        }
        // Of a key of the token's own, the module's certificate beside it says that an enrolment was cut off there; it was
        // looked at before that there was none. Of others somebody may have made it.
        let is_own = purpose != Purpose::Root;
        let is_free = |id: &u8| {
            let there = keys.iter().find(|object| object.key.id == [*id]);
            there.is_none_or(|object| is_own && object.label.starts_with(UNNAMED))
        };
        let slot = slots(purpose).find(is_free);
        let slot = slot.ok_or(Error::Full { token, doing: format!("making key `{label}`") })?;
        let takes =
            self.as_so(so_pin, |selected| selected.make_in(slot, purpose, algorithm, label))?;
        // What it attests, and what beside it the module made up, is read when a session is opened.
        let serial = self.selected("making a key")?.name.serial.clone();
        self.select(&serial)?;
        Ok(takes)
    }

    /// Destroys a key pair as the SO. No YubiKey before firmware 5.7 deletes a key; a new one in its place leaves nothing of
    /// it, and the certificate that the module puts beside that has no name.
    ///
    /// # Errors
    /// [`Error::KeyMissing`], [`Error::NotSupported`] for other tokens, and what the device does.
    pub fn destroy_as_so(&mut self, so_pin: &Pin, key: &KeyRef) -> Result<bool, Error> {
        let selected = self.selected(DESTROYING)?;
        let token = selected.name.clone();
        if !selected.is_yubikey {
            return Err(Error::NotSupported { token, what: DESTROYING.to_owned() });
        }
        selected.public(key, DESTROYING)?;
        let [slot] = key.id[..] else { return Err(selected.nonsense(DESTROYING)) };
        let takes = self.as_so(so_pin, |selected| {
            let made = selected.fill(slot, Algorithm::EcdsaP256);
            made.map(drop).map_err(error::read(&selected.name, DESTROYING))
        })?;
        let serial = token.serial;
        self.select(&serial)?;
        Ok(takes)
    }

    /// Takes up and proves the key of that label. Only the SO destroys what does not prove itself.
    pub(super) fn reclaim_in_slot(
        &self,
        purpose: Purpose,
        label: &str,
    ) -> Result<Option<Generated>, Error> {
        let keys = self.keys()?;
        let selected = self.selected(PROVING)?;
        let mut same = keys.into_iter().filter(|object| object.label == label);
        match (same.next(), same.next()) {
            (None, _) => Ok(None),
            (Some(object), None) => selected.prove_in_slot(purpose, label, object.key).map(Some),
            (Some(object), Some(_)) => {
                let (token, key) = (selected.name.clone(), format!("{:02x?}", object.key.id));
                Err(Error::KeyTwice { token, key })
            }
        }
    }
}

impl Selected {
    /// Gives keys the names that stand in the certificates beside them.
    pub(super) fn label_by_certificates(&self, keys: &mut [PublicObject]) -> Result<(), Error> {
        for object in keys.iter_mut().filter(|object| object.key.id != [MAKERS]) {
            let beside = self.certificates(&object.key)?;
            let ours =
                beside.iter().filter_map(|found| certificate::label(found, &object.key.public));
            if let Some(label) = ours.into_iter().find(|label| !label.starts_with(ATTESTS)) {
                object.label = label;
            }
        }
        Ok(())
    }

    fn make_in(
        &self,
        slot: u8,
        purpose: Purpose,
        algorithm: Algorithm,
        label: &str,
    ) -> Result<(), Error> {
        let doing = format!("making {algorithm} key `{label}`");
        let fail = error::read(&self.name, &doing);
        let made = self.fill(slot, algorithm).map_err(&fail)?;
        let public = public_object(&self.session, made).map_err(&fail)?;
        let public = public.ok_or_else(|| self.nonsense(&doing))?.key.public;
        let to_be = certificate::ToBe { label, public: &public, issuer: label, purpose };
        let der = to_be.tbs().and_then(|tbs| certificate::finish(&tbs, NO_SIGNATURE));
        let der = der.ok_or_else(|| self.nonsense(&doing))?;
        let beside = [
            Attribute::Class(ObjectClass::CERTIFICATE),
            Attribute::CertificateType(CertificateType::X_509),
            Attribute::Token(true),
            id(slot),
            Attribute::Value(der),
        ];
        self.session.create_object(&beside).map(drop).map_err(&fail)
    }

    /// Makes a key pair in a slot, whatever was there; gives its public half.
    fn fill(&self, slot: u8, algorithm: Algorithm) -> Result<ObjectHandle, CkError> {
        let private = [Attribute::Token(true), id(slot)];
        let public = [private.to_vec(), spki::parameters(algorithm)].concat();
        let made = self.session.generate_key_pair(&Ck::EccKeyPairGen, &public, &private);
        made.map(|(public, _)| public)
    }

    /// Reads back that a key cannot leave, and has the card attest that it made it, and by which rules.
    fn prove_in_slot(
        &self,
        purpose: Purpose,
        label: &str,
        key: KeyRef,
    ) -> Result<Generated, Error> {
        let algorithm = key.public.algorithm();
        let order = Order { purpose, algorithm, label, id: &key.id, is_made: true };
        let private = self.private(&key, PROVING)?;
        self.compare_attributes(label, &self.demanded(&order), private)?;
        let attested = self.certificates(&key)?.into_iter().find(|found| {
            found.tbs_certificate().subject().to_string().starts_with(&format!("CN={ATTESTS}"))
        });
        let makers = KeyRef { id: vec![MAKERS], public: key.public.clone() };
        let issuer = self.certificates(&makers)?.into_iter().next();
        let (Some(attested), Some(issuer)) = (attested, issuer) else {
            return Err(self.nonsense(PROVING));
        };
        let attestation = [attested, issuer].iter().map(Encode::to_der).collect::<Result<_, _>>();
        let attestation = attestation.map_err(|_| self.nonsense(PROVING))?;
        Ok(Generated { key, wrap: WrapTrial::NotTried, attestation })
    }

    /// The certificates in the slot of a key; what cannot be read is none.
    fn certificates(&self, key: &KeyRef) -> Result<Vec<Certificate>, Error> {
        let fail = error::read(&self.name, READING);
        let mut certificates = Vec::new();
        for handle in self.with_id(ObjectClass::CERTIFICATE, key, READING)? {
            let value = self.session.get_attributes(handle, &[AttributeType::Value]);
            for attribute in value.map_err(&fail)? {
                if let Attribute::Value(der) = attribute {
                    certificates.extend(Certificate::from_der(&der).ok());
                }
            }
        }
        Ok(certificates)
    }
}

/// The CKA_ID that the module gives the slots for a purpose: 9a, the retired ones, 9d. It cannot say when a key asks for PIN
/// and touch, so that each slot's own rule holds: no touch at all, and in 9c the PIN anew for every signature.
fn slots(purpose: Purpose) -> std::ops::Range<u8> {
    match purpose {
        Purpose::Attest => 1..2,
        Purpose::Root => 5..MAKERS,
        Purpose::Seal => 3..4,
    }
}

fn id(slot: u8) -> Attribute {
    Attribute::Id(vec![slot])
}

/// CKA_ID of the slot of the key by which the maker attests, f9.
const MAKERS: u8 = 25;
/// What the subjects of attestations begin with.
const ATTESTS: &str = "YubiKey PIV Attestation";
/// And those of the certificates that the module puts beside a new key.
const UNNAMED: &str = "YubiKey PIV Slot";
/// A signature of nobody: two numbers of one.
const NO_SIGNATURE: &[u8] = &[0x30, 6, 2, 1, 1, 2, 1, 1];
const PUK_WORD: &str = "puk:";
const FACTORY_PIN: &str = "123456";
const FACTORY_PUK: &str = "12345678";
const FACTORY_MANAGEMENT: &str = "010203040506070801020304050607080102030405060708";
const PUK: &str = "replacing its PUK";
const DESTROYING: &str = "destroying a key";
const PROVING: &str = "proving a key";
const READING: &str = "reading its certificates";
