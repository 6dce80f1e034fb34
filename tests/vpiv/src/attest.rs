//! Attestations as a YubiKey makes them, below an authority of the tests that everybody can know.

use p256::ecdsa::{DerSignature, SigningKey, signature::Signer};
use rand_core::OsRng;

use crate::state::{Slot, State};

/// A new attestation key.
pub(crate) fn draw() -> Vec<u8> {
    SigningKey::random(&mut OsRng).to_bytes().to_vec()
}

/// The certificate of the authority; it vouches for no real token, so its key is no secret.
pub(crate) fn authority() -> Vec<u8> {
    let key = authority_key();
    let about =
        About { subject: AUTHORITY, issuer: AUTHORITY, is_authority: true, more: Vec::new() };
    certificate(&about, &spki(P256, key.verifying_key().to_encoded_point(false).as_bytes()), &key)
}

/// The certificate of a YubiKey's attestation key.
pub(crate) fn intermediate(state: &State) -> Vec<u8> {
    let key = key(state);
    let about =
        About { subject: INTERMEDIATE, issuer: AUTHORITY, is_authority: true, more: Vec::new() };
    let spki = spki(P256, key.verifying_key().to_encoded_point(false).as_bytes());
    certificate(&about, &spki, &authority_key())
}

/// What a YubiKey says of a key that it generated.
pub(crate) fn attestation(state: &State, id: u8, slot: &Slot) -> Vec<u8> {
    let serial = tlv(0x02, &positive(&state.attests.to_be_bytes()));
    let said: [(u8, Vec<u8>); 4] = [
        (3, state.firmware.to_vec()),
        (7, serial),
        (8, vec![slot.pin_policy, slot.touch_policy]),
        // A USB-A YubiKey.
        (9, vec![1]),
    ];
    let more =
        said.map(|(arc, value)| extension(&[YUBICO, &[arc]].concat(), false, &value)).concat();
    let subject = format!("YubiKey PIV Attestation {id:02x}");
    let about = About { subject: &subject, issuer: INTERMEDIATE, is_authority: false, more };
    let curve = if slot.algorithm == 0x14 { P384 } else { P256 };
    certificate(&about, &spki(curve, &slot.point), &key(state))
}

fn key(state: &State) -> SigningKey {
    SigningKey::from_slice(&state.attestation).expect("a key of its own")
}

fn authority_key() -> SigningKey {
    SigningKey::from_slice(&[0x42; 32]).expect("a scalar")
}

struct About<'a> {
    subject: &'a str,
    issuer: &'a str,
    is_authority: bool,
    more: Vec<u8>,
}

fn certificate(about: &About<'_>, spki: &[u8], by: &SigningKey) -> Vec<u8> {
    let mut serial = [0; 16];
    rand_core::RngCore::fill_bytes(&mut OsRng, &mut serial);
    let mut extensions = about.more.clone();
    if about.is_authority {
        extensions.extend(extension(&[0x55, 0x1d, 0x13], true, &tlv(0x30, &[1, 1, 0xff])));
    }
    let algorithm = tlv(0x30, &tlv(0x06, ECDSA_WITH_SHA256));
    let dates = [tlv(0x17, b"160314000000Z"), tlv(0x17, b"490417000000Z")].concat();
    let body = [
        tlv(0xa0, &[2, 1, 2]),
        tlv(0x02, &positive(&serial)),
        algorithm.clone(),
        name(about.issuer),
        tlv(0x30, &dates),
        name(about.subject),
        spki.to_vec(),
        tlv(0xa3, &tlv(0x30, &extensions)),
    ];
    let body = tlv(0x30, &body.concat());
    let signature: DerSignature = by.sign(&body);
    let bits = tlv(0x03, &[&[0], signature.as_bytes()].concat());
    tlv(0x30, &[body, algorithm, bits].concat())
}

fn name(text: &str) -> Vec<u8> {
    let attribute = [tlv(0x06, &[0x55, 4, 3]), tlv(0x0c, text.as_bytes())].concat();
    tlv(0x30, &tlv(0x31, &tlv(0x30, &attribute)))
}

fn extension(oid: &[u8], is_critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if is_critical { vec![1, 1, 0xff] } else { Vec::new() };
    tlv(0x30, &[tlv(0x06, oid), critical, tlv(0x04, value)].concat())
}

fn spki(curve: &[u8], point: &[u8]) -> Vec<u8> {
    let algorithm = tlv(0x30, &[tlv(0x06, EC_PUBLIC_KEY), tlv(0x06, curve)].concat());
    tlv(0x30, &[algorithm, tlv(0x03, &[&[0], point].concat())].concat())
}

/// The content of an INTEGER that is not negative.
fn positive(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    let digits = &bytes[start..];
    if digits[0] & 0x80 == 0 { digits.to_vec() } else { [&[0], digits].concat() }
}

/// One element in DER, which BER-TLV of cards agrees with.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a short element");
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(length as u8),
        0x80..0x100 => out.extend([0x81, length as u8]),
        _ => {
            out.push(0x82);
            out.extend(length.to_be_bytes());
        }
    }
    out.extend(content);
    out
}

const AUTHORITY: &str = "Officiant Test PIV Root CA";
const INTERMEDIATE: &str = "Officiant Test PIV Attestation";
/// 1.3.6.1.4.1.41482.3
const YUBICO: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0xc4, 0x0a, 3];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[0x2b, 0x81, 4, 0, 0x22];
