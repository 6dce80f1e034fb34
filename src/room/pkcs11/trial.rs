//! What a new key must not do, tried: attributes are claims.
//!
//! The room, PKCS#11: drives the selected token.

use cryptoki::error::Error as CkError;
use cryptoki::mechanism::Mechanism as Ck;
use cryptoki::mechanism::elliptic_curve::{EcKdf, Ecdh1DeriveParams};
use cryptoki::object::{Attribute, ObjectHandle};

use super::key::agreed;
use super::{Error, KeyRef, Purpose, Selected, WrapTrial, error};
use crate::digest::Digest;
use crate::key::Algorithm;
use crate::secret::SecretBytes;

impl Selected {
    /// Tries to carry a private key away.
    pub(super) fn try_to_wrap(
        &self,
        label: &str,
        private: ObjectHandle,
    ) -> Result<WrapTrial, Error> {
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

    /// Has a key do the one thing that a key for its purpose must not: one that signs agrees on no secret, and one that
    /// agrees, as it must, signs nothing.
    pub(super) fn try_the_other_thing(
        &self,
        purpose: Purpose,
        label: &str,
        key: &KeyRef,
        private: ObjectHandle,
    ) -> Result<(), Error> {
        let agreed = self.try_to_agree(key, private)?;
        let does = match (purpose, agreed) {
            // What cannot do the one thing is told before what does another.
            (Purpose::Seal, Err(error)) => return Err(self.derive_error(error)),
            (Purpose::Seal, Ok(())) => self.signs(private).then_some("sign"),
            (Purpose::Attest | Purpose::Root, agreed) => {
                agreed.is_ok().then_some("agree on a secret")
            }
        };
        match does {
            None => Ok(()),
            Some(does) => Err(Error::DoesMore {
                token: self.name.clone(),
                label: label.to_owned(),
                does: does.to_owned(),
            }),
        }
    }

    fn signs(&self, private: ObjectHandle) -> bool {
        let digest = Digest::of(b"officiant proof v1\ntrial\n");
        self.session.sign(&Ck::Ecdsa, private, digest.as_bytes()).is_ok()
    }

    /// With itself: its own point is one on its curve. Keys that are on none agree on nothing.
    fn try_to_agree(
        &self,
        key: &KeyRef,
        private: ObjectHandle,
    ) -> Result<Result<(), CkError>, Error> {
        if !matches!(key.public.algorithm(), Algorithm::EcdsaP256 | Algorithm::EcdsaP384) {
            return Ok(Err(CkError::NotSupported));
        }
        let parameters = Ecdh1DeriveParams::new(EcKdf::null(), key.public.material());
        match self.session.derive_key(&Ck::Ecdh1Derive(parameters), private, &agreed()) {
            Err(refused) => Ok(Err(refused)),
            Ok(derived) => {
                let forgotten = self.session.destroy_object(derived);
                forgotten.map_err(error::read(&self.name, "forgetting an agreed secret"))?;
                Ok(Ok(()))
            }
        }
    }
}
