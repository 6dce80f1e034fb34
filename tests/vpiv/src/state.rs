//! What a YubiKey keeps that the applet does not: objects, policies, public keys, its management key.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::admin::Management;
use crate::card::FACTORY_PUK;

#[derive(Serialize, Deserialize)]
pub(crate) struct State {
    #[serde(skip)]
    path: PathBuf,
    pub(crate) serial: u32,
    /// The serial that its attestations say; another one only if it lies.
    #[serde(skip)]
    pub(crate) attests: u32,
    pub(crate) firmware: [u8; 3],
    /// The instruction whose answers have one byte and no more.
    #[serde(skip)]
    pub(crate) cuts: Option<u8>,
    pub(crate) management: Management,
    pub(crate) pin_is_factory: bool,
    /// As commands have it; the applet keeps none that can be read.
    pub(crate) puk: Vec<u8>,
    pub(crate) puk_tries: u8,
    pub(crate) objects: BTreeMap<u32, Vec<u8>>,
    pub(crate) slots: BTreeMap<u8, Slot>,
    /// The attestation key, which a reset leaves.
    pub(crate) attestation: Vec<u8>,
}

/// A key that was generated.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Slot {
    pub(crate) algorithm: u8,
    pub(crate) pin_policy: u8,
    pub(crate) touch_policy: u8,
    /// Uncompressed.
    pub(crate) point: Vec<u8>,
}

impl State {
    /// What the folder keeps, or what leaves the factory.
    pub(crate) fn open(folder: &Path, serial: u32, firmware: [u8; 3]) -> Self {
        let path = folder.join("state.json");
        let kept = fs::read(&path).ok();
        let mut state = match kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            Some(state) => state,
            None => Self::factory(serial, firmware, crate::attest::draw()),
        };
        state.path = path;
        state.keep();
        state
    }

    fn factory(serial: u32, firmware: [u8; 3], attestation: Vec<u8>) -> Self {
        Self {
            path: PathBuf::new(),
            serial,
            attests: serial,
            cuts: None,
            firmware,
            management: Management::factory(firmware),
            pin_is_factory: true,
            puk: FACTORY_PUK.to_vec(),
            puk_tries: 3,
            objects: BTreeMap::new(),
            slots: BTreeMap::new(),
            attestation,
        }
    }

    /// Everything goes but the attestation key.
    pub(crate) fn reset(&mut self) {
        let (path, attests) = (std::mem::take(&mut self.path), self.attests);
        *self = Self::factory(self.serial, self.firmware, std::mem::take(&mut self.attestation));
        (self.path, self.attests) = (path, attests);
        self.keep();
    }

    /// Writes it, whole or not at all.
    pub(crate) fn keep(&self) {
        let new = self.path.with_extension("new");
        fs::write(&new, serde_json::to_vec(self).expect("plain data")).expect("its folder");
        fs::rename(&new, &self.path).expect("its folder");
    }
}
