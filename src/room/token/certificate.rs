//! The certificate beside a key of a YubiKey, by which other software finds it, and by which we know its label.
//!
//! The room, tokens: pure.

use rustix::rand::{GetRandomFlags, getrandom};
use x509_cert::Certificate;
use x509_cert::der::Encode;

use super::{Purpose, clean};
use crate::key::{PublicKey, tlv};

/// What a certificate is to say.
pub(in crate::room) struct ToBe<'a> {
    pub(in crate::room) label: &'a str,
    pub(in crate::room) public: &'a PublicKey,
    /// The label of the attest key, which signs it.
    pub(in crate::room) issuer: &'a str,
    pub(in crate::room) purpose: Purpose,
}

impl ToBe<'_> {
    /// What is to be signed. The dates say nothing: RFC 5280 4.1.2.5 has the second one for what never ends.
    pub(in crate::room) fn tbs(&self) -> Option<Vec<u8>> {
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
            name(&[(COMMON_NAME, self.issuer)]),
            tlv(0x30, &dates),
            match self.purpose {
                Purpose::Attest | Purpose::Seal => name(&[(COMMON_NAME, self.label)]),
                Purpose::Root => name(&[(UNIT, self.label), (COMMON_NAME, NOTARY_ROOT)]),
            },
            self.public.der().to_vec(),
            tlv(0xa3, &tlv(0x30, &tlv(0x30, &usage))),
        ];
        Some(tlv(0x30, &body.concat()))
    }
}

/// The whole certificate.
pub(in crate::room) fn finish(tbs: &[u8], signature: &[u8]) -> Option<Vec<u8>> {
    let bits = tlv(0x03, &[&[0], signature].concat());
    Some(tlv(0x30, &[tbs.to_vec(), tlv(0x30, ECDSA_WITH_SHA256), bits].concat()))
}

/// The label that a certificate gives a key, if it is one for that key.
pub(in crate::room) fn label(certificate: &Certificate, public: &PublicKey) -> Option<String> {
    let said = certificate.tbs_certificate();
    let spki = said.subject_public_key_info().to_der().ok()?;
    let name = said.subject().to_string();
    // Written as RFC 4514 has it: what comes last comes first.
    let of_a_root = name.strip_prefix("CN=").and_then(|name| name.strip_prefix(NOTARY_ROOT));
    let of_a_root = of_a_root.and_then(|name| name.strip_prefix(",OU="));
    let label = of_a_root.or_else(|| name.strip_prefix("CN="));
    label.filter(|_| spki == public.der()).map(clean)
}

fn name(attributes: &[(&[u8], &str)]) -> Vec<u8> {
    let attribute = |(kind, value): &(&[u8], &str)| {
        let attribute = [tlv(0x06, kind), tlv(0x0c, value.as_bytes())].concat();
        tlv(0x31, &tlv(0x30, &attribute))
    };
    tlv(0x30, &attributes.iter().map(attribute).collect::<Vec<_>>().concat())
}

/// The one name by which the `notary` program finds a root key on a YubiKey.
const NOTARY_ROOT: &str = "root";
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const UNIT: &[u8] = &[0x55, 4, 11];

/// 1.2.840.10045.4.3.2, with its tag.
const ECDSA_WITH_SHA256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
