//! Certificates that are made here, read back without a parser: nearly all of a fleet's are, and each is read often.
//!
//! First floor: pure.

use x509_cert::der::Decode;
use x509_cert::time::Time;

use super::{Certificate, instant};
use crate::key::PublicKey;

/// Reads a certificate that is, but for its signature, byte for byte what [`super::Tbs`] makes; none of any other. What
/// it says is looked up where it stands in those, and then made again.
pub(super) fn read(der: &[u8]) -> Option<Certificate> {
    let (whole, b"") = element(der, 0x30)? else { return None };
    let (tbs, rest) = element(whole, 0x30)?;
    let (_, rest) = element(rest, 0x30)?;
    let (bits, b"") = element(rest, 0x03)? else { return None };
    let (_, rest) = element(tbs, 0xa0)?;
    let (serial, rest) = element(rest, 0x02)?;
    let (_, rest) = element(rest, 0x30)?;
    let (issuer, rest) = element(rest, 0x30)?;
    let (validity, rest) = element(rest, 0x30)?;
    let (_, key) = element(rest, 0x30)?;
    let (_, rest) = element(key, 0x30)?;
    let (_, attribute) = element(element(element(issuer, 0x31)?.0, 0x30)?.0, 0x06)?;
    let (name, b"") = element(attribute, 0x0c)? else { return None };
    // One date is as long as the other, but for the years from 2050 on.
    let (from, until) = validity.split_at_checked(2 + usize::from(*validity.get(1)?))?;
    let date = |der| instant(Time::from_der(der).ok()?).ok();
    let made = Certificate {
        der: der.to_vec(),
        serial: serial.to_vec(),
        signature: bits.strip_prefix(&[0])?.to_vec(),
        public: PublicKey::from_der(key.strip_suffix(rest)?).ok()?,
        name: str::from_utf8(name).ok()?.to_owned(),
        not_before: date(from)?,
        not_after: date(until)?,
        is_ca: false,
        is_sha1: false,
    };
    made.made_again().is_ok().then_some(made)
}

/// The content of the element that bytes begin with, if it has this tag, and what comes after it (X.690 8.1).
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(&[tag])?;
    let (length, rest) = match rest {
        [short @ 0..=0x7f, rest @ ..] => (usize::from(*short), rest),
        [0x81, one, rest @ ..] => (usize::from(*one), rest),
        [0x82, one, two, rest @ ..] => (usize::from(u16::from_be_bytes([*one, *two])), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}
