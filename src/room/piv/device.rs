//! YubiKeys as one kind of device.
//!
//! The room, YubiKeys: passes on, and refuses what no YubiKey does.

use super::YubiKeys;
use crate::key::{Algorithm, KemKey, PublicKey, ToSign};
use crate::room::token::{
    Blank, Device, Error, Face, Generated, KeyRef, Login, Object, PublicObject, Purpose, WrapTrial,
    Wrapped,
};
use crate::secret::{Pin, Secret, SecretBytes};

impl Device for YubiKeys {
    fn list(&mut self) -> Result<(Vec<Face>, usize), Error> {
        YubiKeys::list(self)
    }

    fn select(&mut self, serial: &str) -> Result<Face, Error> {
        YubiKeys::select(self, serial)
    }

    fn init(&mut self, blank: Blank<'_>) -> Result<Face, Error> {
        YubiKeys::make_ready(self, &blank)
    }

    fn takes_so_pin(&mut self, pin: &Pin) -> Result<bool, Error> {
        YubiKeys::takes_puk(self, pin)
    }

    fn replace_so_pin(&mut self, pin: &Pin, by: Option<&Pin>) -> Result<bool, Error> {
        YubiKeys::replace_puk(self, pin, by)
    }

    fn replace_puk(&mut self, _: &Pin, _: &Pin) -> Result<bool, Error> {
        let token = self.selected("replacing its PUK")?.name.clone();
        Err(Error::NotSupported { token, what: "a PUK beside the one that it has".to_owned() })
    }

    fn make_as_so(
        &mut self,
        _: &Pin,
        _: Purpose,
        _: Algorithm,
        label: &str,
    ) -> Result<bool, Error> {
        let token = self.selected("making a key")?.name.clone();
        Err(Error::NotSupported { token, what: format!("making key `{label}` by its PUK") })
    }

    fn destroy_as_so(&mut self, _: &Pin, _: &KeyRef) -> Result<bool, Error> {
        let token = self.selected("destroying a key")?.name.clone();
        Err(Error::NotSupported { token, what: "destroying a key by its PUK".to_owned() })
    }

    fn keys(&mut self) -> Result<Vec<PublicObject>, Error> {
        YubiKeys::list_keys(self)
    }

    fn login(&mut self, pin: &Pin) -> Result<Login, Error> {
        YubiKeys::login(self, pin)
    }

    fn login_on_pad(&mut self) -> Result<Login, Error> {
        let what = "logging in by a pad of its own".to_owned();
        let token = self.selected(&what)?.name.clone();
        Err(Error::NotSupported { token, what })
    }

    fn logout(&mut self) -> Result<(), Error> {
        YubiKeys::logout(self)
    }

    fn generate(
        &mut self,
        purpose: Purpose,
        algorithm: Algorithm,
        label: &str,
    ) -> Result<Generated, Error> {
        YubiKeys::generate_key(self, purpose, algorithm, label)
    }

    /// A YubiKey takes keys in plain alone, and no process that drives a card may hold one: docs/threats.md rule 13.
    fn place(
        &mut self,
        _: &KeyRef,
        _: (&str, &PublicKey),
        _: &[Wrapped],
    ) -> Result<Generated, Error> {
        let token = self.selected("taking up a key")?.name.clone();
        let what = "taking up a key that was made elsewhere: PIV takes none that is wrapped".into();
        Err(Error::NotSupported { token, what })
    }

    fn reclaim(&mut self, purpose: Purpose, label: &str) -> Result<Option<Generated>, Error> {
        YubiKeys::reclaim_key(self, purpose, label)
    }

    fn sign(&mut self, key: &KeyRef, inputs: &[ToSign]) -> Result<Vec<Vec<u8>>, Error> {
        YubiKeys::sign_batch(self, key, inputs)
    }

    fn agree(&mut self, key: &KeyRef, peer: &[u8; 65]) -> Result<Secret<32>, Error> {
        YubiKeys::agree_on(self, key, peer)
    }

    fn make_kem(&mut self, label: &str) -> Result<(KemKey, WrapTrial), Error> {
        let token = self.selected(label)?.name.clone();
        Err(Error::NotSupported { token, what: "ML-KEM".to_owned() })
    }

    fn decapsulate(&mut self, _: &KemKey, _: &[u8]) -> Result<Secret<32>, Error> {
        let token = self.selected("decapsulating a secret")?.name.clone();
        Err(Error::NotSupported { token, what: "ML-KEM".to_owned() })
    }

    fn destroy(&mut self, key: &KeyRef) -> Result<(), Error> {
        YubiKeys::destroy_key(self, key)
    }

    fn store(&mut self, object: &Object, value: &[u8]) -> Result<(), Error> {
        YubiKeys::store_object(self, object, value)
    }

    fn objects(&mut self) -> Result<Vec<Object>, Error> {
        YubiKeys::list_objects(self)
    }

    fn read(&mut self, label: &str) -> Result<Vec<u8>, Error> {
        YubiKeys::read_object(self, label)
    }

    fn delete(&mut self, label: &str) -> Result<(), Error> {
        YubiKeys::delete_object(self, label)
    }

    fn random(&mut self, len: usize) -> Result<SecretBytes, Error> {
        let token = self.selected("drawing random bytes")?.name.clone();
        let what = format!("{len} random bytes: PIV has no command for them");
        Err(Error::NotSupported { token, what })
    }
}
