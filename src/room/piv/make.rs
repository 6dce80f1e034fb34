//! Keys made on a YubiKey: policies read back, the maker's attestation kept, a certificate beside each so that other
//! software sees it.
//!
//! The room, YubiKeys: drives the selected one.

use data_encoding::HEXLOWER;
use x509_cert::der::Encode;
use yubikey::certificate::CertInfo;
use yubikey::piv::{Origin, SlotId, attest, generate, metadata};
use yubikey::{Certificate, Error as Y, TouchPolicy};

use super::{Selected, YubiKeys, object, slot};
use crate::key::{Algorithm, PublicKey};
use crate::room::token::{Error, Generated, KeyRef, Purpose, WrapTrial, certificate};

impl YubiKeys {
    pub(super) fn generate_key(
        &mut self,
        purpose: Purpose,
        algorithm: Algorithm,
        label: &str,
    ) -> Result<Generated, Error> {
        let doing = format!("making {algorithm} key `{label}`");
        let selected = self.managed(&doing)?;
        let token = selected.name.clone();
        let unfit = |what: String| Error::NotSupported { token: token.clone(), what };
        if purpose == Purpose::Seal && algorithm != Algorithm::EcdsaP256 {
            return Err(unfit("key agreement with a key that is not P-256".into()));
        }
        let kind =
            slot::algorithm(algorithm).ok_or_else(|| unfit(format!("keys of {algorithm}")))?;
        let slot = selected.free_slot(purpose, label)?;
        let (pin, touch) = slot::policies(purpose);
        let made = generate(&mut selected.card, slot, kind, pin, touch);
        let made = made.map_err(selected.fail(&doing))?;
        let public = made.to_der().ok().and_then(|der| PublicKey::from_der(&der).ok());
        let public = public.ok_or_else(|| selected.nonsense(&doing))?;
        let key = KeyRef { id: vec![slot.into()], public };
        let proven = selected.prove(purpose, label, &key);
        let made = match proven {
            Ok(made) => selected.certify(purpose, label, &key).map(|()| made),
            Err(error) => Err(error),
        };
        if made.is_err() {
            // The first error is the one to tell; a slot without a certificate is free.
            let _ = selected.empty(slot);
        }
        made
    }

    pub(super) fn reclaim_key(
        &mut self,
        purpose: Purpose,
        label: &str,
    ) -> Result<Option<Generated>, Error> {
        let selected = self.managed(RECLAIM)?;
        let mut same = selected.keys()?.into_iter().filter(|object| object.label == label);
        let Some(found) = same.next() else { return Ok(None) };
        if same.next().is_some() {
            let (token, key) = (selected.name.clone(), HEXLOWER.encode(&found.key.id));
            return Err(Error::KeyTwice { token, key });
        }
        match selected.prove(purpose, label, &found.key) {
            Err(Error::AttributeDiffers { .. }) => {
                let slot = selected.find(&found.key, RECLAIM)?;
                selected.empty(slot).map(|()| None)
            }
            proven => proven.map(Some),
        }
    }
}

impl Selected {
    /// The first slot for that purpose beside which no certificate stands: on a YubiKey that we initialised, its key was
    /// never proven, or was destroyed.
    fn free_slot(&mut self, purpose: Purpose, label: &str) -> Result<SlotId, Error> {
        let keys = self.keys()?;
        let token = self.name.clone();
        if keys.iter().any(|object| object.label == label) {
            return Err(Error::KeyTaken { token, label: label.to_owned() });
        }
        let fail = self.fail("looking for an empty slot");
        for slot in slot::of(purpose) {
            match Certificate::read(&mut self.card, slot) {
                Err(Y::NotFound | Y::InvalidObject) => return Ok(slot),
                Err(error @ Y::PcscError { .. }) => return Err(fail(error)),
                Ok(_) | Err(_) => {}
            }
        }
        Err(Error::Full { token, doing: format!("making key `{label}`") })
    }

    /// Reads back what the card says of a key, and has it attest that it made the key itself.
    fn prove(&mut self, purpose: Purpose, label: &str, key: &KeyRef) -> Result<Generated, Error> {
        let doing = "reading a new key back";
        let slot = self.find(key, doing)?;
        let said = metadata(&mut self.card, slot).map_err(self.fail(doing))?;
        let (pin, touch) = slot::policies(purpose);
        let is_touched = touch != TouchPolicy::Never;
        let found = said.policy.map(|(pin, touch)| (pin, touch != TouchPolicy::Never));
        let claims = [
            ("`generated on it`", said.origin == Some(Origin::Generated)),
            ("`PIN once`", found.is_some_and(|(found, _)| found == pin)),
            ("`touch as asked`", found.is_some_and(|(_, found)| found == is_touched)),
        ];
        if let Some((attribute, found)) = claims.into_iter().find(|(_, is_so)| !is_so) {
            let (token, label, attribute) =
                (self.name.clone(), label.to_owned(), attribute.to_owned());
            return Err(Error::AttributeDiffers { token, label, attribute, expected: true, found });
        }
        let fail = self.fail("having it attest a key");
        let attested = attest(&mut self.card, slot).map_err(&fail)?.to_vec();
        let issuer = object::fetch(&mut self.card, ATTESTATION).map_err(&fail)?;
        let issuer = issuer.and_then(|bytes| object::inner(&bytes).map(<[u8]>::to_vec));
        let issuer = issuer.ok_or_else(|| self.nonsense("having it attest a key"))?;
        let attestation = vec![attested, issuer];
        Ok(Generated { key: key.clone(), wrap: WrapTrial::NotTried, attestation })
    }

    /// Puts a certificate beside a key. The attest key signs it: a root key signs nothing but what it is for, and its own
    /// certificate with a name chosen here could pass for the certificate of a repository of that name.
    fn certify(&mut self, purpose: Purpose, label: &str, key: &KeyRef) -> Result<(), Error> {
        let doing = format!("certifying key `{label}`");
        let slot = self.find(key, &doing)?;
        let by = match purpose {
            Purpose::Attest => (label.to_owned(), key.public.clone()),
            Purpose::Root | Purpose::Seal => self.attest_key(&doing)?,
        };
        let to_be = certificate::ToBe { label, public: &key.public, issuer: &by.0, purpose };
        let tbs = to_be.tbs().ok_or_else(|| self.nonsense(&doing))?;
        let scheme = crate::key::Scheme::of_certificate(by.1.algorithm());
        let raw = self.sign(SlotId::Authentication, by.1.algorithm(), &scheme.to_sign(&tbs))?;
        let whole = scheme.encode(by.1.algorithm(), &raw).ok();
        let whole = whole.and_then(|signature| certificate::finish(&tbs, &signature));
        let whole = whole.and_then(|der| Certificate::from_bytes(der).ok());
        let whole = whole.ok_or_else(|| self.nonsense(&doing))?;
        let written = whole.write(&mut self.card, slot, CertInfo::Uncompressed);
        written.map_err(self.fail(&doing))
    }

    /// The attest key and its label.
    fn attest_key(&mut self, doing: &str) -> Result<(String, PublicKey), Error> {
        let slot = SlotId::Authentication;
        let token = self.name.clone();
        let missing = || Error::KeyMissing { token, key: HEXLOWER.encode(&[slot.into()]) };
        let Some(public) = self.public(slot, doing)? else { return Err(missing()) };
        let label = self.label(slot, &public)?;
        label.map(|label| (label, public)).ok_or_else(missing)
    }
}

const RECLAIM: &str = "taking up a key";
/// Where the certificate of the key stands that signs attestations.
const ATTESTATION: u32 = 0x5f_ff01;
