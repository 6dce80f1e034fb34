//! ML-KEM-768 keys on a token (PKCS#11 v3.2): made, read back, found by their public half, and used to decapsulate.
//!
//! The room, PKCS#11: drives the selected token.

use cryptoki::mechanism::{Mechanism as Ck, MechanismType};
use cryptoki::object::{
    Attribute, AttributeType, KeyType, MlKemParameterSetType, ObjectClass, ObjectHandle,
};

use super::key::agreed;
use super::make::{Demand, draw_id};
use super::{Error, Module, Selected, WrapTrial, error};
use crate::key::KemKey;
use crate::secret::Secret;

impl Module {
    /// Makes an ML-KEM-768 key pair, or takes up the one of that label that an interrupted run made: nothing was ever
    /// sealed to it, so one that does not prove itself, or what there is of it, is destroyed, and another is made.
    ///
    /// # Errors
    /// [`Error::NotSupported`], [`Error::AttributeDiffers`], [`Error::Wrapped`]; after the last two the key is destroyed.
    /// And what the device does.
    pub fn make_kem(&mut self, label: &str) -> Result<(KemKey, WrapTrial), Error> {
        let selected = self.logged_in(MAKING)?;
        let fail = error::read(&selected.name, MAKING);
        // Asked first: what modules answer to a mechanism that they never heard of is not to be relied on.
        let mechanisms = self.pkcs11(MAKING)?.get_mechanism_list(selected.slot).map_err(&fail)?;
        let needed = [MechanismType::ML_KEM_KEY_PAIR_GEN, MechanismType::ML_KEM];
        if !needed.iter().all(|mechanism| mechanisms.contains(mechanism)) {
            let what = "ML-KEM".to_owned();
            return Err(Error::NotSupported { token: selected.name.clone(), what });
        }
        let publics = selected.labelled(ObjectClass::PUBLIC_KEY, label)?;
        let privates = selected.labelled(ObjectClass::PRIVATE_KEY, label)?;
        if let ([public], [private]) = (publics.as_slice(), privates.as_slice())
            && let Ok(proven) = selected.prove_kem(label, *public, *private)
        {
            return Ok(proven);
        }
        for part in privates.into_iter().chain(publics) {
            selected.session.destroy_object(part).map_err(&fail)?;
        }
        let (public, private) = selected.generate_kem(label)?;
        let proven = selected.prove_kem(label, public, private);
        if proven.is_err() {
            // The first error is the one to tell; what cannot be destroyed is still named by it.
            let _ = selected.session.destroy_object(private);
            let _ = selected.session.destroy_object(public);
        }
        proven
    }

    /// Decapsulates a ciphertext by the private half of `key`. The object that the token makes for the secret lives in the
    /// session only and is destroyed.
    ///
    /// # Errors
    /// [`Error::KeyMissing`], [`Error::KeyTwice`], [`Error::SecretUnreadable`], and what the device does.
    pub fn decapsulate(&mut self, key: &KemKey, ciphertext: &[u8]) -> Result<Secret<32>, Error> {
        let selected = self.logged_in(USING)?;
        let private = selected.private_of(key)?;
        let fail = error::read(&selected.name, USING);
        let made = selected.session.decapsulate_key(&Ck::MlKem, private, &agreed(), ciphertext);
        selected.read_secret(made.map_err(fail)?)
    }
}

impl Selected {
    fn generate_kem(&self, label: &str) -> Result<(ObjectHandle, ObjectHandle), Error> {
        let id = draw_id().ok_or_else(|| self.nonsense("drawing a key id"))?;
        let common = || {
            [
                Attribute::Token(true),
                Attribute::Label(label.as_bytes().to_vec()),
                Attribute::Id(id.clone()),
            ]
        };
        let public = common().into_iter().chain([
            Attribute::Private(false),
            Attribute::ParameterSet(MlKemParameterSetType::ML_KEM_768.into()),
            Attribute::Encapsulate(true),
        ]);
        let private = common().into_iter().chain([
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Decapsulate(true),
        ]);
        let (public, private) = (public.collect::<Vec<_>>(), private.collect::<Vec<_>>());
        let made = self.session.generate_key_pair(&Ck::MlKemKeyPairGen, &public, &private);
        made.map_err(error::read(&self.name, &format!("making ML-KEM key `{label}`")))
    }

    /// Reads a pair back, and tries to carry the private key away. That it decapsulates is shown by what is sealed to it.
    fn prove_kem(
        &self,
        label: &str,
        public: ObjectHandle,
        private: ObjectHandle,
    ) -> Result<(KemKey, WrapTrial), Error> {
        let claimed = self.compare_attributes(label, &DEMANDS, private);
        // What a token does outweighs what it says.
        let wrap = self.try_to_wrap(label, private)?;
        claimed?;
        let (key, _) = self.read_kem(public)?.ok_or_else(|| self.nonsense(MAKING))?;
        // Found by its public half, as every later use will find it.
        match self.private_of(&key)? == private {
            true => Ok((key, wrap)),
            false => Err(self.nonsense(MAKING)),
        }
    }

    /// The private key whose public half is `key`: the two have one id.
    fn private_of(&self, key: &KemKey) -> Result<ObjectHandle, Error> {
        let fail = error::read(&self.name, USING);
        let of_kind = |class| [Attribute::Class(class), Attribute::KeyType(KeyType::ML_KEM)];
        let mut ids = Vec::new();
        let publics = self.session.find_objects(&of_kind(ObjectClass::PUBLIC_KEY));
        for public in publics.map_err(&fail)? {
            ids.extend(self.read_kem(public)?.filter(|(found, _)| found == key).map(|(_, id)| id));
        }
        let mut found = Vec::new();
        for id in ids {
            let [class, kind] = of_kind(ObjectClass::PRIVATE_KEY);
            let template = [class, kind, Attribute::Id(id)];
            found.extend(self.session.find_objects(&template).map_err(&fail)?);
        }
        let (token, key) = (self.name.clone(), key.id().to_string());
        match found.as_slice() {
            [] => Err(Error::KeyMissing { token, key }),
            [sole] => Ok(*sole),
            _ => Err(Error::KeyTwice { token, key }),
        }
    }

    /// A public key of ML-KEM-768 and its id, if the object is one.
    fn read_kem(&self, public: ObjectHandle) -> Result<Option<(KemKey, Vec<u8>)>, Error> {
        let kinds = [AttributeType::Value, AttributeType::Id];
        let said = self.session.get_attributes(public, &kinds);
        let (mut key, mut id) = (None, None);
        for attribute in said.map_err(error::read(&self.name, "reading an ML-KEM key"))? {
            match attribute {
                Attribute::Value(bytes) => key = KemKey::from_bytes(&bytes).ok(),
                Attribute::Id(bytes) => id = Some(bytes),
                _ => {}
            }
        }
        Ok(key.zip(id))
    }
}

/// What the private half must say.
const DEMANDS: [Demand; 10] = [
    (AttributeType::Private, "CKA_PRIVATE", true, false),
    (AttributeType::Sensitive, "CKA_SENSITIVE", true, false),
    (AttributeType::Extractable, "CKA_EXTRACTABLE", false, true),
    (AttributeType::AlwaysSensitive, "CKA_ALWAYS_SENSITIVE", true, false),
    (AttributeType::NeverExtractable, "CKA_NEVER_EXTRACTABLE", true, false),
    (AttributeType::Local, "CKA_LOCAL", true, false),
    (AttributeType::Decapsulate, "CKA_DECAPSULATE", true, true),
    (AttributeType::Sign, "CKA_SIGN", false, false),
    (AttributeType::Decrypt, "CKA_DECRYPT", false, false),
    (AttributeType::Unwrap, "CKA_UNWRAP", false, false),
];

/// What the device was doing, for its errors.
const MAKING: &str = "making an ML-KEM key";
const USING: &str = "decapsulating a secret";
