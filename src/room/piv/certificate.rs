//! The certificate beside a key, by which other software finds it, and by which we know its label.
//!
//! The room, YubiKeys: pure.

use rustix::rand::{GetRandomFlags, getrandom};

use crate::key::{PublicKey, tlv};
use crate::room::token::Purpose;

/// What a certificate is to say.
pub(super) struct ToBe<'a> {
    pub(super) label: &'a str,
    pub(super) public: &'a PublicKey,
    /// The label of the attest key, which signs it.
    pub(super) issuer: &'a str,
    pub(super) purpose: Purpose,
}

impl ToBe<'_> {
    /// What is to be signed. The dates say nothing: RFC 5280 4.1.2.5 has the second one for what never ends.
    pub(super) fn tbs(&self) -> Option<Vec<u8>> {
        let mut serial = [0; 16];
        let drawn = getrandom(&mut serial, GetRandomFlags::empty());
        if drawn != Ok(serial.len()) {
            return None;
        }
        // A positive number, in the fewest bytes.
        serial[0] = serial[0] & 0x3f | 0x40;
        let usage: &[u8] = match self.purpose {
            Purpose::Attest | Purpose::Root => &[3, 2, 7, 0x80],
            Purpose::Seal => &[3, 2, 3, 0x08],
        };
        let usage = [tlv(0x06, KEY_USAGE), vec![1, 1, 0xff], tlv(0x04, usage)].concat();
        let dates = [tlv(0x17, b"000101000000Z"), tlv(0x18, b"99991231235959Z")].concat();
        let body = [
            tlv(0xa0, &[2, 1, 2]),
            tlv(0x02, &serial),
            tlv(0x30, ECDSA_WITH_SHA256),
            name(self.issuer),
            tlv(0x30, &dates),
            name(self.label),
            self.public.der().to_vec(),
            tlv(0xa3, &tlv(0x30, &tlv(0x30, &usage))),
        ];
        Some(tlv(0x30, &body.concat()))
    }
}

/// The whole certificate.
pub(super) fn finish(tbs: &[u8], signature: &[u8]) -> Option<Vec<u8>> {
    let bits = tlv(0x03, &[&[0], signature].concat());
    Some(tlv(0x30, &[tbs.to_vec(), tlv(0x30, ECDSA_WITH_SHA256), bits].concat()))
}

/// The certificate in an object as PIV stores it: the first element, with tag 70.
pub(super) fn inner(object: &[u8]) -> Option<&[u8]> {
    match object {
        [0x70, 0x82, high, low, rest @ ..] => {
            rest.get(..usize::from(u16::from_be_bytes([*high, *low])))
        }
        [0x70, 0x81, length, rest @ ..] => rest.get(..usize::from(*length)),
        _ => None,
    }
}

fn name(label: &str) -> Vec<u8> {
    let attribute = [tlv(0x06, &[0x55, 4, 3]), tlv(0x0c, label.as_bytes())].concat();
    tlv(0x30, &tlv(0x31, &tlv(0x30, &attribute)))
}

/// 1.2.840.10045.4.3.2, with its tag.
const ECDSA_WITH_SHA256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
