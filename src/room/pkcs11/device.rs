//! A module as one kind of device.
//!
//! The room, PKCS#11: passes on.

use super::{
    Blank, Error, Face, Generated, KeyRef, Login, Module, Object, PublicObject, Purpose, WrapTrial,
};
use crate::key::{Algorithm, KemKey, PublicKey, ToSign};
use crate::room::token::{Device, Wrapped};
use crate::secret::{Pin, Secret, SecretBytes};

impl Device for Module {
    fn list(&mut self) -> Result<(Vec<Face>, usize), Error> {
        Module::list(self)
    }

    fn select(&mut self, serial: &str) -> Result<Face, Error> {
        Module::select(self, serial)
    }

    fn init(&mut self, blank: Blank<'_>) -> Result<Face, Error> {
        Module::init(self, blank)
    }

    fn takes_so_pin(&mut self, pin: &Pin) -> Result<bool, Error> {
        Module::takes_so_pin(self, pin)
    }

    fn replace_so_pin(&mut self, pin: &Pin, by: Option<&Pin>) -> Result<bool, Error> {
        Module::replace_so_pin(self, pin, by)
    }

    fn replace_puk(&mut self, puk: &Pin, by: &Pin) -> Result<bool, Error> {
        Module::replace_puk(self, puk, by)
    }

    fn make_as_so(
        &mut self,
        so_pin: &Pin,
        purpose: Purpose,
        algorithm: Algorithm,
        label: &str,
    ) -> Result<bool, Error> {
        Module::make_as_so(self, so_pin, (purpose, algorithm, label))
    }

    fn destroy_as_so(&mut self, so_pin: &Pin, key: &KeyRef) -> Result<bool, Error> {
        Module::destroy_as_so(self, so_pin, key)
    }

    fn keys(&mut self) -> Result<Vec<PublicObject>, Error> {
        Module::keys(self)
    }

    fn login(&mut self, pin: &Pin) -> Result<Login, Error> {
        Module::login(self, pin)
    }

    fn login_on_pad(&mut self) -> Result<Login, Error> {
        Module::login_on_pad(self)
    }

    fn logout(&mut self) -> Result<(), Error> {
        Module::logout(self)
    }

    fn generate(
        &mut self,
        purpose: Purpose,
        algorithm: Algorithm,
        label: &str,
    ) -> Result<Generated, Error> {
        Module::generate(self, purpose, algorithm, label)
    }

    fn place(
        &mut self,
        seal: &KeyRef,
        key: (&str, &PublicKey),
        ways: &[Wrapped],
    ) -> Result<Generated, Error> {
        Module::place(self, seal, key, ways)
    }

    fn reclaim(&mut self, purpose: Purpose, label: &str) -> Result<Option<Generated>, Error> {
        Module::reclaim(self, purpose, label)
    }

    fn sign(&mut self, key: &KeyRef, inputs: &[ToSign]) -> Result<Vec<Vec<u8>>, Error> {
        Module::sign(self, key, inputs)
    }

    fn agree(&mut self, key: &KeyRef, peer: &[u8; 65]) -> Result<Secret<32>, Error> {
        Module::agree(self, key, peer)
    }

    fn make_kem(&mut self, label: &str) -> Result<(KemKey, WrapTrial), Error> {
        Module::make_kem(self, label)
    }

    fn decapsulate(&mut self, key: &KemKey, ciphertext: &[u8]) -> Result<Secret<32>, Error> {
        Module::decapsulate(self, key, ciphertext)
    }

    fn destroy(&mut self, key: &KeyRef) -> Result<(), Error> {
        Module::destroy(self, key)
    }

    fn store(&mut self, object: &Object, value: &[u8]) -> Result<(), Error> {
        Module::store(self, object, value)
    }

    fn objects(&mut self) -> Result<Vec<Object>, Error> {
        Module::objects(self)
    }

    fn read(&mut self, label: &str) -> Result<Vec<u8>, Error> {
        Module::read(self, label)
    }

    fn delete(&mut self, label: &str) -> Result<(), Error> {
        Module::delete(self, label)
    }

    fn random(&mut self, len: usize) -> Result<SecretBytes, Error> {
        Module::random(self, len)
    }
}
