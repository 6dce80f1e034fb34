//! Keys on a YubiKey: found by slot and public key, used, destroyed.
//!
//! The room, YubiKeys: drives the selected one.

use data_encoding::HEXLOWER;
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode, Encode, Reader, SliceReader};
use yubikey::piv::{SlotId, decrypt_data, generate, metadata, sign_data};
use yubikey::{Certificate, Error as Y, PinPolicy, TouchPolicy};

use super::{Selected, YubiKeys, slot};
use crate::key::{Algorithm, PublicKey, ToSign};
use crate::room::token::{Error, KeyRef, PublicObject, certificate};
use crate::secret::{Secret, SecretBytes};

impl YubiKeys {
    pub(super) fn list_keys(&mut self) -> Result<Vec<PublicObject>, Error> {
        self.selected(READING)?.keys()
    }

    pub(super) fn sign_batch(
        &mut self,
        key: &KeyRef,
        inputs: &[ToSign],
    ) -> Result<Vec<Vec<u8>>, Error> {
        let selected = self.logged_in("signing")?;
        let slot = match &selected.last {
            Some(last) if last == key => selected.slot(key)?,
            _ => {
                let slot = selected.find(key, "signing")?;
                selected.last = Some(key.clone());
                slot
            }
        };
        if slot == SlotId::KeyManagement {
            let what = "signatures with the key that shares are sealed to".to_owned();
            return Err(Error::NotSupported { token: selected.name.clone(), what });
        }
        inputs.iter().map(|input| selected.sign(slot, key.public.algorithm(), input)).collect()
    }

    pub(super) fn agree_on(&mut self, key: &KeyRef, peer: &[u8; 65]) -> Result<Secret<32>, Error> {
        let selected = self.logged_in(AGREEING)?;
        let slot = selected.find(key, AGREEING)?;
        if slot != SlotId::KeyManagement && !selected.is_of_age(slot) {
            let what = "key agreement with a key that signs".to_owned();
            return Err(Error::NotSupported { token: selected.name.clone(), what });
        }
        let kind =
            slot::algorithm(Algorithm::EcdsaP256).ok_or_else(|| selected.nonsense(AGREEING))?;
        let agreed = decrypt_data(&mut selected.card, peer, kind, slot);
        let agreed = agreed.map_err(|error| match error {
            // The one status that a card has for a point off the curve says nothing more.
            Y::GenericError => {
                Error::PeerPoint { token: selected.name.clone(), code: "generic error".to_owned() }
            }
            Y::AuthenticationError => selected.untouched(AGREEING),
            other => selected.fail(AGREEING)(other),
        })?;
        let agreed = SecretBytes::copy_of(&agreed);
        let token = selected.name.clone();
        Secret::copy_of(agreed.expose()).ok_or(Error::SecretUnreadable { token })
    }

    pub(super) fn destroy_key(&mut self, key: &KeyRef) -> Result<(), Error> {
        let selected = self.managed(DESTROYING)?;
        let slot = selected.find(key, DESTROYING)?;
        selected.last = None;
        selected.empty(slot)
    }
}

impl Selected {
    /// The keys in all slots, each with the common name of the certificate beside it. What a certificate says of a key is
    /// believed only of the key that is in the slot.
    pub(super) fn keys(&mut self) -> Result<Vec<PublicObject>, Error> {
        let mut keys = Vec::new();
        for slot in slot::all() {
            let Some(public) = self.public(slot, READING)? else { continue };
            let label = self.label(slot, &public)?.unwrap_or_default();
            keys.push(PublicObject { label, key: KeyRef { id: vec![slot.into()], public } });
        }
        Ok(keys)
    }

    /// The public key of a slot, as the card says it; none for an empty slot and for kinds that we do not use.
    pub(super) fn public(&mut self, slot: SlotId, doing: &str) -> Result<Option<PublicKey>, Error> {
        match metadata(&mut self.card, slot) {
            Ok(said) => {
                let der = said.public.and_then(|public| public.to_der().ok());
                Ok(der.and_then(|der| PublicKey::from_der(&der).ok()))
            }
            Err(Y::NotFound | Y::AlgorithmError) => Ok(None),
            Err(error) => Err(self.fail(doing)(error)),
        }
    }

    /// The common name in the certificate of a slot, if it is one for that key.
    pub(super) fn label(
        &mut self,
        slot: SlotId,
        public: &PublicKey,
    ) -> Result<Option<String>, Error> {
        let found = match Certificate::read(&mut self.card, slot) {
            Ok(certificate) => certificate.cert,
            Err(Y::PcscError { inner }) => {
                return Err(self.fail(READING)(Y::PcscError { inner }));
            }
            // None, or none that can be read.
            Err(_) => return Ok(None),
        };
        Ok(certificate::label(&found, public))
    }

    /// Whether age-plugin-yubikey made the key of a slot, which agrees and signs no root: its certificate says so.
    fn is_of_age(&mut self, slot: SlotId) -> bool {
        let certificate = Certificate::read(&mut self.card, slot);
        let is_its = |name: String| name.split([',', '+']).any(|part| part.trim() == AGE_PLUGIN);
        matches!(slot, SlotId::Retired(_))
            && certificate
                .is_ok_and(|read| is_its(read.cert.tbs_certificate().subject().to_string()))
    }

    /// The slot of a key that is there.
    pub(super) fn find(&mut self, key: &KeyRef, doing: &str) -> Result<SlotId, Error> {
        let slot = self.slot(key)?;
        match self.public(slot, doing)? {
            Some(public) if public == key.public => Ok(slot),
            _ => Err(self.missing(key)),
        }
    }

    fn slot(&self, key: &KeyRef) -> Result<SlotId, Error> {
        let id = match key.id[..] {
            [id] => SlotId::try_from(id).ok(),
            _ => None,
        };
        id.filter(|id| slot::all().any(|slot| slot == *id)).ok_or_else(|| self.missing(key))
    }

    fn missing(&self, key: &KeyRef) -> Error {
        Error::KeyMissing { token: self.name.clone(), key: HEXLOWER.encode(&key.id) }
    }

    pub(super) fn sign(
        &mut self,
        slot: SlotId,
        algorithm: Algorithm,
        input: &ToSign,
    ) -> Result<Vec<u8>, Error> {
        let (Some(kind), Some(width), ToSign::Digest { bytes, .. }) =
            (slot::algorithm(algorithm), algorithm.width(), input)
        else {
            let what = format!("that kind of signature with a key of {algorithm}");
            return Err(Error::NotSupported { token: self.name.clone(), what });
        };
        let signed = sign_data(&mut self.card, &fitted(bytes, width), kind, slot);
        let der = signed.map_err(|error| match error {
            Y::AuthenticationError => self.untouched("signing"),
            other => self.fail("signing")(other),
        })?;
        raw_of_der(&der, width).ok_or_else(|| self.nonsense("signing"))
    }

    /// The PIN was given, so what was missing is a finger.
    fn untouched(&self, doing: &str) -> Error {
        Error::Untouched { token: self.name.clone(), doing: doing.to_owned() }
    }

    /// Empties a slot. No firmware before 5.7 can delete a key, but a new one in its place leaves nothing of it; that one
    /// has no certificate, and so the slot counts as free.
    pub(super) fn empty(&mut self, slot: SlotId) -> Result<(), Error> {
        let fail = self.fail(DESTROYING);
        let kind = yubikey::piv::AlgorithmId::EccP256;
        let (pin, touch) = (PinPolicy::Once, TouchPolicy::Always);
        generate(&mut self.card, slot, kind, pin, touch).map_err(&fail)?;
        Certificate::delete(&mut self.card, slot).map_err(&fail)
    }
}

/// A digest as long as the curve's order: cut on the right, or filled with zeros on the left, which is the same number.
fn fitted(digest: &[u8], width: usize) -> Vec<u8> {
    let kept = &digest[..digest.len().min(width)];
    [vec![0; width - kept.len()].as_slice(), kept].concat()
}

/// r‖s of an ECDSA-Sig-Value (RFC 3279 2.2.3).
fn raw_of_der(der: &[u8], width: usize) -> Option<Vec<u8>> {
    let mut reader = SliceReader::new(der).ok()?;
    let pair = reader.sequence(|body| {
        Ok::<_, x509_cert::der::Error>((UintRef::decode(body)?, UintRef::decode(body)?))
    });
    let (r, s) = pair.ok()?;
    let digits = [r.as_bytes(), s.as_bytes()];
    let fits = digits.iter().all(|number| number.len() <= width);
    fits.then(|| digits.map(|number| fitted(number, width)).concat())
}

const AGE_PLUGIN: &str = "O=age-plugin-yubikey";
const READING: &str = "reading its public keys";
const AGREEING: &str = "agreeing on a secret";
const DESTROYING: &str = "destroying a key";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_same_number_at_the_width_of_the_curve() {
        assert_eq!(fitted(&[1, 2], 4), [0, 0, 1, 2]);
        assert_eq!(fitted(&[1, 2, 3, 4, 5], 4), [1, 2, 3, 4]);
    }

    #[test]
    fn a_signature_is_two_numbers_of_the_width_of_the_curve() {
        assert_eq!(raw_of_der(&[0x30, 7, 2, 2, 0, 0x80, 2, 1, 5], 2), Some(vec![0, 0x80, 0, 5]));
        assert_eq!(raw_of_der(&[0x30, 7, 2, 2, 0x10, 0x80, 2, 1, 5], 1), None);
        assert_eq!(raw_of_der(&[0x30, 3, 2, 1, 5], 1), None);
    }
}
