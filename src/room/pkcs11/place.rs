//! A key that was made elsewhere, taken up by a token: unwrapped inside of it.
//!
//! The room, PKCS#11: drives the selected token.

use cryptoki::error::{Error as CkError, RvError};
use cryptoki::mechanism::Mechanism as Ck;
use cryptoki::mechanism::elliptic_curve::{EcKdf, Ecdh1DeriveParams};
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};

use super::make::{Extent, Order, draw_id, is_of_the_template};
use super::{Error, Generated, KeyRef, Module, Purpose, Selected, error, spki};
use crate::key::PublicKey;
use crate::room::token::{WrapBy, Wrapped};

impl Module {
    /// Has the token agree on the key that wraps, which it does not give out, and unwrap with it; puts the public half
    /// beside it, and proves of the pair what can be proved of one that was not made here.
    ///
    /// # Errors
    /// [`Error::KeyTaken`], [`Error::NotSupported`] where it takes no key in any of these ways,
    /// [`Error::AttributeDiffers`], [`Error::DoesMore`], [`Error::Wrapped`]; after the last three the key is destroyed. And
    /// what the device does.
    pub fn place(
        &mut self,
        seal: &KeyRef,
        (label, public): (&str, &PublicKey),
        ways: &[Wrapped],
    ) -> Result<Generated, Error> {
        let selected = self.logged_in(PLACING)?;
        let id = draw_id().ok_or_else(|| selected.nonsense("drawing a key id"))?;
        selected.refuse_taken(label, &id)?;
        let sealing = selected.private(seal, PLACING)?;
        let (purpose, algorithm) = (Purpose::Root, public.algorithm());
        let order = Order { purpose, algorithm, label, id: &id, is_made: false };
        let private = selected.unwrap_any(&order, sealing, ways)?;
        let shown = selected.show(&order, public);
        let proven = shown.and_then(|shown| selected.prove(&order, shown, private));
        if proven.is_err() {
            // The first error is the one to tell; what cannot be destroyed is still named by it.
            let _ = selected.session.destroy_object(private);
            for public in selected.labelled(ObjectClass::PUBLIC_KEY, label).unwrap_or_default() {
                let _ = selected.session.destroy_object(public);
            }
        }
        proven
    }
}

impl Selected {
    /// The first way that the token takes.
    fn unwrap_any(
        &self,
        order: &Order<'_>,
        sealing: ObjectHandle,
        ways: &[Wrapped],
    ) -> Result<ObjectHandle, Error> {
        for way in ways {
            let parameters = Ecdh1DeriveParams::new(EcKdf::null(), &way.peer);
            let agreed = Ck::Ecdh1Derive(parameters);
            let kek = match self.session.derive_key(&agreed, sealing, &wrapping()) {
                Err(error) if is_unable(&error) => continue,
                kek => kek.map_err(|error| self.derive_error(error))?,
            };
            let mechanism = match way.by {
                WrapBy::CbcPad(iv) => Ck::AesCbcPad(iv),
                WrapBy::KeyWrapPad => Ck::AesKeyWrapPad,
            };
            let unwrap = |extent| {
                let mut template = order.private(extent);
                template.push(Attribute::Class(ObjectClass::PRIVATE_KEY));
                template.push(Attribute::KeyType(KeyType::EC));
                self.session.unwrap_key(&mechanism, kek, &way.bytes, &template)
            };
            let mut taken = unwrap(Extent::Whole);
            if taken.as_ref().is_err_and(is_of_the_template) {
                taken = unwrap(Extent::Least);
            }
            let forgotten = self.session.destroy_object(kek);
            match taken {
                Err(error) if is_unable(&error) => {}
                taken => {
                    let taken = taken.map_err(error::read(&self.name, PLACING))?;
                    forgotten.map_err(error::read(&self.name, "forgetting a wrapping key"))?;
                    return Ok(taken);
                }
            }
        }
        Err(Error::NotSupported { token: self.name.clone(), what: PLACING.to_owned() })
    }

    /// Puts the public half beside a private key: the object by which it is found.
    fn show(&self, order: &Order<'_>, public: &PublicKey) -> Result<ObjectHandle, Error> {
        let mut template = order.common();
        template.extend([
            Attribute::Class(ObjectClass::PUBLIC_KEY),
            Attribute::KeyType(KeyType::EC),
            Attribute::Private(false),
            Attribute::Verify(true),
        ]);
        template.extend(spki::encode(public));
        let shown = self.session.create_object(&template);
        shown.map_err(error::read(&self.name, "storing the public half of a key"))
    }
}

/// What a token makes of a secret that it agreed on to unwrap with: a key of the session that it does not give out.
fn wrapping() -> [Attribute; 7] {
    [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::ValueLen(32.into()),
        Attribute::Token(false),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Unwrap(true),
    ]
}

/// Whether a module says that it does not do this, rather than that something went wrong in it.
fn is_unable(error: &CkError) -> bool {
    matches!(error, CkError::NotSupported | CkError::NullFunctionPointer)
        || matches!(
            error,
            CkError::Pkcs11(
                RvError::MechanismInvalid
                    | RvError::MechanismParamInvalid
                    | RvError::FunctionNotSupported
                    | RvError::KeyFunctionNotPermitted
                    | RvError::KeyTypeInconsistent
                    | RvError::TemplateInconsistent
                    | RvError::AttributeValueInvalid
                    | RvError::AttributeTypeInvalid
                    | RvError::WrappedKeyInvalid
                    | RvError::WrappedKeyLenRange
                    | RvError::WrappingKeyTypeInconsistent
                    | RvError::UnwrappingKeyTypeInconsistent,
                _
            )
        )
}

/// What the device was doing, for its errors.
const PLACING: &str = "taking up a key that was made elsewhere";
