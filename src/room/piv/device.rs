//! YubiKeys as one kind of device.
//!
//! The room, YubiKeys: passes on, and refuses what no YubiKey does.

use super::YubiKeys;
use crate::key::{Algorithm, ToSign};
use crate::room::token::{
    Blank, Device, Error, Face, Generated, KeyRef, Login, Object, PublicObject, Purpose,
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

    fn discard_so_pin(&mut self, pin: &Pin) -> Result<(), Error> {
        YubiKeys::discard_puk(self, pin)
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

    fn reclaim(&mut self, purpose: Purpose, label: &str) -> Result<Option<Generated>, Error> {
        YubiKeys::reclaim_key(self, purpose, label)
    }

    fn sign(&mut self, key: &KeyRef, inputs: &[ToSign]) -> Result<Vec<Vec<u8>>, Error> {
        YubiKeys::sign_batch(self, key, inputs)
    }

    fn agree(&mut self, key: &KeyRef, peer: &[u8; 65]) -> Result<Secret<32>, Error> {
        YubiKeys::agree_on(self, key, peer)
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
