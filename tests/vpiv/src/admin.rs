//! Management keys: 3DES until firmware 5.6, AES-192 from 5.7 on, and whatever kind is set.

use aes::cipher::{BlockEncrypt, KeyInit, generic_array::GenericArray};
use serde::{Deserialize, Serialize};

/// The value of every management key that leaves the factory.
pub(crate) const FACTORY: [u8; 24] =
    [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8];

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Management {
    /// As in commands: 03 3DES, 08, 0A and 0C AES.
    pub(crate) algorithm: u8,
    pub(crate) key: Vec<u8>,
}

impl Management {
    /// What a YubiKey of that firmware has from the factory.
    pub(crate) fn factory(firmware: [u8; 3]) -> Self {
        let algorithm = if firmware >= [5, 7, 0] { 0x0a } else { 0x03 };
        Self { algorithm, key: FACTORY.to_vec() }
    }

    /// A key of that kind, if it is as long as it must be.
    pub(crate) fn new(algorithm: u8, key: &[u8]) -> Option<Self> {
        let length = match algorithm {
            0x08 => 16,
            0x03 | 0x0a => 24,
            0x0c => 32,
            _ => return None,
        };
        (key.len() == length).then(|| Self { algorithm, key: key.to_vec() })
    }

    /// The length of a challenge.
    pub(crate) fn block(&self) -> usize {
        if self.algorithm == 0x03 { 8 } else { 16 }
    }

    pub(crate) fn encrypt(&self, block: &[u8]) -> Vec<u8> {
        let mut out = block.to_vec();
        macro_rules! with {
            ($cipher:ty) => {
                <$cipher>::new(GenericArray::from_slice(&self.key))
                    .encrypt_block(GenericArray::from_mut_slice(&mut out))
            };
        }
        match self.algorithm {
            0x03 => with!(des::TdesEde3),
            0x08 => with!(aes::Aes128),
            0x0a => with!(aes::Aes192),
            _ => with!(aes::Aes256),
        }
        out
    }
}
