//! Keys made on a token: the least attributes, read back, and tried.
//!
//! The room, PKCS#11: drives the selected token.

use cryptoki::error::{Error as CkError, RvError};
use cryptoki::mechanism::Mechanism as Ck;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use data_encoding::HEXLOWER;

use super::key::public_object;
use super::{Error, Generated, KeyRef, Module, PublicObject, Purpose, Selected, error, spki};
use crate::key::Algorithm;

impl Module {
    /// Makes a key pair for `purpose`, reads its attributes back, and tries to carry the private key away and to have it do
    /// what it was not made for.
    ///
    /// # Errors
    /// [`Error::KeyTaken`], [`Error::NotSupported`], [`Error::AttributeDiffers`], [`Error::DoesMore`],
    /// [`Error::Wrapped`]; after the last three the key is destroyed. And what the device does.
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
        let order = Order { purpose, algorithm, label, id: &id, is_made: true };
        let (public, private) = selected.generate_pair(&order)?;
        let proven = selected.prove(&order, public, private);
        if proven.is_err() {
            // The first error is the one to tell; what cannot be destroyed is still named by it.
            let _ = selected.session.destroy_object(private);
            let _ = selected.session.destroy_object(public);
        }
        proven
    }

    /// Takes up the key pair of that label that a run made which was interrupted, and proves it as when it is made. One
    /// that does not prove itself was never used, since every key is proven before its first use: it, or what there is of
    /// it, is destroyed, and the answer is none.
    ///
    /// # Errors
    /// [`Error::KeyTwice`], and what the device does.
    pub fn reclaim(&mut self, purpose: Purpose, label: &str) -> Result<Option<Generated>, Error> {
        let selected = self.logged_in(RECLAIM)?;
        if selected.is_yubikey {
            return self.reclaim_in_slot(purpose, label);
        }
        let fail = error::read(&selected.name, RECLAIM);
        let publics = selected.labelled(ObjectClass::PUBLIC_KEY, label)?;
        let mut whole = Vec::new();
        for handle in &publics {
            let object = public_object(&selected.session, *handle).map_err(&fail)?;
            whole.extend(object.filter(|object| selected.private(&object.key, RECLAIM).is_ok()));
        }
        let proven = match whole.as_slice() {
            [] => None,
            [PublicObject { key, .. }] => selected.prove_again(purpose, label, key)?,
            [PublicObject { key, .. }, ..] => {
                let token = selected.name.clone();
                return Err(Error::KeyTwice { token, key: HEXLOWER.encode(&key.id) });
            }
        };
        if proven.is_none() {
            let privates = selected.labelled(ObjectClass::PRIVATE_KEY, label)?;
            for part in privates.into_iter().chain(publics) {
                selected.session.destroy_object(part).map_err(&fail)?;
            }
        }
        Ok(proven)
    }
}

/// An attribute, its PKCS#11 name, what it must say, and what a token means that does not say.
pub(super) type Demand = (AttributeType, &'static str, bool, bool);

/// What is to be made, or taken up.
pub(super) struct Order<'a> {
    pub(super) purpose: Purpose,
    pub(super) algorithm: Algorithm,
    pub(super) label: &'a str,
    pub(super) id: &'a [u8],
    /// Whether the token makes it; one that was made elsewhere was outside of it once.
    pub(super) is_made: bool,
}

impl Order<'_> {
    fn signs(&self) -> bool {
        self.purpose != Purpose::Seal
    }

    pub(super) fn common(&self) -> Vec<Attribute> {
        vec![
            Attribute::Token(true),
            Attribute::Label(self.label.as_bytes().to_vec()),
            Attribute::Id(self.id.to_vec()),
        ]
    }

    /// The public template. What it says of uses is for other software: signatures are verified here.
    fn public(&self, extent: Extent) -> Vec<Attribute> {
        let mut template = self.common();
        template.push(Attribute::Private(false));
        if extent == Extent::Whole {
            template.push(Attribute::Verify(self.signs()));
            template.extend([Attribute::Encrypt(false), Attribute::Wrap(false)]);
        }
        template.extend(spki::parameters(self.algorithm));
        template
    }

    /// The private template.
    pub(super) fn private(&self, extent: Extent) -> Vec<Attribute> {
        let mut template = self.common();
        template.extend([
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
        ]);
        let (does, does_not) = match self.signs() {
            true => (Attribute::Sign(true), Attribute::Derive(false)),
            false => (Attribute::Derive(true), Attribute::Sign(false)),
        };
        template.push(does);
        if extent != Extent::Least {
            template.extend([does_not, Attribute::Decrypt(false)]);
            template.extend([Attribute::Unwrap(false), Attribute::SignRecover(false)]);
        }
        template
    }

    /// What the private half must say. The first [`STAYS`] say that the key does not leave, the others what it may do.
    fn demands(&self) -> [Demand; 11] {
        use AttributeType as T;
        let signs = self.signs();
        [
            (T::Private, "CKA_PRIVATE", true, false),
            (T::Sensitive, "CKA_SENSITIVE", true, false),
            (T::Extractable, "CKA_EXTRACTABLE", false, true),
            (T::AlwaysSensitive, "CKA_ALWAYS_SENSITIVE", true, false),
            (T::NeverExtractable, "CKA_NEVER_EXTRACTABLE", true, false),
            (T::Local, "CKA_LOCAL", true, false),
            (T::Sign, "CKA_SIGN", signs, signs),
            (T::Derive, "CKA_DERIVE", !signs, !signs),
            (T::Decrypt, "CKA_DECRYPT", false, false),
            (T::Unwrap, "CKA_UNWRAP", false, false),
            (T::SignRecover, "CKA_SIGN_RECOVER", false, false),
        ]
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
        let make = |extent| {
            let (public, private) = (order.public(extent), order.private(extent));
            self.session.generate_key_pair(&mechanism, &public, &private)
        };
        let mut pair = make(Extent::Whole);
        for extent in [Extent::Private, Extent::Least] {
            if pair.as_ref().is_err_and(is_of_the_template) {
                pair = make(extent);
            }
        }
        let doing = format!("making {} key `{}`", order.algorithm, order.label);
        pair.map_err(|error| match error {
            // It will not hear of the least either: it makes no such key, or not for its user.
            CkError::Pkcs11(
                RvError::TemplateInconsistent
                | RvError::AttributeTypeInvalid
                | RvError::AttributeValueInvalid,
                _,
            ) => Error::NotSupported { token: self.name.clone(), what: doing },
            error => error::read(&self.name, &doing)(error),
        })
    }

    /// Reads the new pair back, and tries to carry the private key away.
    pub(super) fn prove(
        &self,
        order: &Order<'_>,
        public: ObjectHandle,
        private: ObjectHandle,
    ) -> Result<Generated, Error> {
        let fail = error::read(&self.name, "reading a new key back");
        let claimed = self.compare_attributes(order.label, &self.demanded(order), private);
        let shown = public_object(&self.session, public);
        // What a token does outweighs what it says.
        let wrap = self.try_to_wrap(order.label, private)?;
        if let Ok(Some(object)) = &shown {
            self.try_the_other_thing(order.purpose, order.label, &object.key, private)?;
        }
        claimed?;
        let is_it = |object: &PublicObject| {
            object.key.id == order.id && object.key.public.algorithm() == order.algorithm
        };
        let object = shown
            .map_err(&fail)?
            .filter(is_it)
            .ok_or_else(|| self.nonsense("reading a new key back"))?;
        // Found by id and public key, as every later use will find it.
        self.private(&object.key, "reading a new key back")?;
        Ok(Generated { key: object.key, wrap, attestation: Vec::new() })
    }

    /// What the private half must say on this token. Of a key that was elsewhere before, modules say of its past what they
    /// like; of what a key may do, those of YubiKeys do.
    pub(super) fn demanded(&self, order: &Order<'_>) -> Vec<Demand> {
        use AttributeType as T;
        let is_past = |kind| matches!(kind, T::AlwaysSensitive | T::NeverExtractable | T::Local);
        let all = order.demands().into_iter().enumerate();
        let asked = all.filter(|(at, (kind, ..))| {
            (*at < STAYS || !self.is_yubikey) && (order.is_made || !is_past(*kind))
        });
        asked.map(|(_, demand)| demand).collect()
    }

    pub(super) fn compare_attributes(
        &self,
        label: &str,
        demands: &[Demand],
        private: ObjectHandle,
    ) -> Result<(), Error> {
        let kinds: Vec<AttributeType> = demands.iter().map(|(kind, ..)| *kind).collect();
        let said = self
            .session
            .get_attributes(private, &kinds)
            .map_err(error::read(&self.name, "reading a new key's attributes"))?;
        for &(kind, name, expected, unsaid) in demands {
            let claims = said.iter().find(|attribute| attribute.attribute_type() == kind);
            let found = claims.and_then(claim).unwrap_or(unsaid);
            if found != expected {
                return Err(Error::AttributeDiffers {
                    token: self.name.clone(),
                    label: label.to_owned(),
                    attribute: name.to_owned(),
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }

    /// Proves a pair that an earlier run made; none if it is not what it should be.
    fn prove_again(
        &self,
        purpose: Purpose,
        label: &str,
        key: &KeyRef,
    ) -> Result<Option<Generated>, Error> {
        let (public, private) = (self.public(key, RECLAIM)?, self.private(key, RECLAIM)?);
        let algorithm = key.public.algorithm();
        let order = Order { purpose, algorithm, label, id: &key.id, is_made: true };
        match self.prove(&order, public, private) {
            Err(
                Error::AttributeDiffers { .. } | Error::DoesMore { .. } | Error::Wrapped { .. },
            ) => Ok(None),
            proven => proven.map(Some),
        }
    }

    pub(super) fn labelled(
        &self,
        class: ObjectClass,
        label: &str,
    ) -> Result<Vec<ObjectHandle>, Error> {
        let template = [Attribute::Class(class), Attribute::Label(label.as_bytes().to_vec())];
        self.session.find_objects(&template).map_err(error::read(&self.name, RECLAIM))
    }

    pub(super) fn refuse_taken(&self, label: &str, id: &[u8]) -> Result<(), Error> {
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
}

/// How much a template says. What a module was not told is read back all the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// What every module takes: some refuse to hear of anything that is false.
    Least,
    /// Nothing of what the public half is for: the module of TPMs takes no key that verifies and does not decrypt.
    Private,
    Whole,
}

/// Whether a module refuses what a template says; that of TPMs does it without a word.
pub(super) fn is_of_the_template(error: &CkError) -> bool {
    matches!(
        error,
        CkError::Pkcs11(
            RvError::TemplateInconsistent
                | RvError::AttributeTypeInvalid
                | RvError::AttributeValueInvalid
                | RvError::AttributeReadOnly
                | RvError::GeneralError,
            _
        )
    )
}

/// What an attribute that is true or false claims.
fn claim(attribute: &Attribute) -> Option<bool> {
    match attribute {
        Attribute::Private(value)
        | Attribute::Sensitive(value)
        | Attribute::Extractable(value)
        | Attribute::AlwaysSensitive(value)
        | Attribute::NeverExtractable(value)
        | Attribute::Local(value)
        | Attribute::Decapsulate(value)
        | Attribute::Sign(value)
        | Attribute::Derive(value)
        | Attribute::Decrypt(value)
        | Attribute::Unwrap(value)
        | Attribute::SignRecover(value) => Some(*value),
        _ => None,
    }
}

/// A key id that no other key has: 128 random bits.
pub(super) fn draw_id() -> Option<Vec<u8>> {
    let mut id = vec![0; 16];
    let drawn = rustix::rand::getrandom(&mut *id, rustix::rand::GetRandomFlags::empty());
    (drawn == Ok(16)).then_some(id)
}

/// How many of the demands say that a key stays where it is.
const STAYS: usize = 6;
/// What the device was doing, for its errors.
const RECLAIM: &str = "taking up a key";
