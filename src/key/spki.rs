//! SubjectPublicKeyInfo in DER (RFC 5280 4.1.2.7): what stands around the material of a key, and what the material must
//! be.
//!
//! Ground floor: pure, touches nothing.

use std::sync::Arc;

use aws_lc_rs::signature;
use x509_cert::der::asn1::{Any, BitString, ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Encode, Reader, SliceReader};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::ready::Ready;
use super::{Algorithm, Error, Scheme, algorithm};

/// Reads the structure that nearly every key has: what stands before the material of these kinds has one form and one
/// length, and so has the material, so that bytes of that form need no parser and no second encoding to be known for
/// the only ones.
pub(super) fn headed(der: &[u8]) -> Option<(Algorithm, &[u8])> {
    HEADS.iter().find_map(|(algorithm, head, length)| {
        let material = der.strip_prefix(*head)?;
        (material.len() == *length).then_some((*algorithm, material))
    })
}

/// The SubjectPublicKeyInfo of a key, in DER.
pub(super) fn spki_der(algorithm: Algorithm, material: &[u8]) -> Result<Vec<u8>, Error> {
    let (oid, parameters) = match algorithm {
        Algorithm::Ed25519 => (ED25519, None),
        Algorithm::Rsa(_) => (RSA, Some(Any::null())),
        _ => (EC, algorithm.curve().map(|curve| Any::from(&curve))),
    };
    let subject_public_key = BitString::from_bytes(material).map_err(|_| Error::NotSpki)?;
    let algorithm = AlgorithmIdentifierOwned { oid, parameters };
    let spki = SubjectPublicKeyInfoOwned { algorithm, subject_public_key };
    spki.to_der().map_err(|_| Error::NotSpki)
}

pub(super) fn algorithm_of(spki: &SubjectPublicKeyInfoOwned) -> Result<Algorithm, Error> {
    let unknown = |oid: ObjectIdentifier| Error::UnknownAlgorithm { found: oid.to_string() };
    match spki.algorithm.oid {
        ED25519 => Ok(Algorithm::Ed25519),
        RSA => rsa_algorithm(spki.subject_public_key.as_bytes().ok_or(Error::NotSpki)?),
        EC => {
            let curve = spki.algorithm.parameters.as_ref().ok_or(Error::NotSpki)?;
            match curve.decode_as::<ObjectIdentifier>().map_err(|_| Error::NotSpki)? {
                algorithm::P224 => Ok(Algorithm::EcdsaP224),
                algorithm::P256 => Ok(Algorithm::EcdsaP256),
                algorithm::P384 => Ok(Algorithm::EcdsaP384),
                algorithm::P521 => Ok(Algorithm::EcdsaP521),
                other => Err(unknown(other)),
            }
        }
        other => Err(unknown(other)),
    }
}

/// Reads DER RSAPublicKey (RFC 8017 A.1.1) and checks what every client wants of it.
pub(super) fn rsa_algorithm(material: &[u8]) -> Result<Algorithm, Error> {
    let mut reader = SliceReader::new(material).map_err(|_| Error::BadRsa)?;
    let (modulus, exponent) = reader
        .sequence(|inner| {
            Ok::<_, x509_cert::der::Error>((UintRef::decode(inner)?, UintRef::decode(inner)?))
        })
        .map_err(|_| Error::BadRsa)?;
    reader.finish().map_err(|_| Error::BadRsa)?;
    let (modulus, exponent) = (modulus.as_bytes(), exponent.as_bytes());
    let odd = |bytes: &[u8]| bytes.last().is_some_and(|b| b & 1 == 1);
    let top = modulus.first().map_or(8, |b| b.leading_zeros() as usize);
    let bits = (modulus.len() * 8).saturating_sub(top);
    let good = (2048..=8192).contains(&bits) && odd(modulus) && odd(exponent);
    let exponent_ok = exponent != [1] && exponent.len() <= 4;
    match u16::try_from(bits) {
        Ok(bits) if good && exponent_ok => Ok(Algorithm::Rsa(bits)),
        _ => Err(Error::BadRsa),
    }
}

/// Checks the material of a key, and gives what the verifier made of it.
pub(super) fn check_material(algorithm: Algorithm, material: &[u8]) -> Result<Ready, Error> {
    let scheme = match algorithm {
        Algorithm::Rsa(_) => return Ok(Ready(None)),
        Algorithm::Ed25519 if material.len() == 32 => return Ok(Ready(None)),
        Algorithm::Ed25519 => return Err(Error::NotSpki),
        _ => Scheme::EcdsaDer(Ready::HASH),
    };
    let uncompressed = material.first() == Some(&4);
    let length = algorithm.width().map_or(0, |width| 1 + 2 * width);
    if !uncompressed || material.len() != length {
        return Err(Error::BadPoint { algorithm });
    }
    let verifier = match scheme.verifier(algorithm) {
        Err(Error::Unverifiable { .. }) => return Ok(Ready(None)),
        verifier => verifier?,
    };
    let parsed = signature::UnparsedPublicKey::new(verifier, material).parse();
    parsed.map(|key| Ready(Some(Arc::new(key)))).map_err(|_| Error::BadPoint { algorithm })
}

pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// The SubjectPublicKeyInfo of a kind of key up to its material, and the length of that.
const HEADS: [(Algorithm, &[u8], usize); 3] = [
    (
        Algorithm::EcdsaP256,
        b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00",
        65,
    ),
    (
        Algorithm::EcdsaP384,
        b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00",
        97,
    ),
    (Algorithm::Ed25519, b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 32),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heads_that_no_parser_reads_are_those_that_the_encoder_writes() {
        for (algorithm, head, length) in HEADS {
            let material = vec![4; length];
            let der = spki_der(algorithm, &material).unwrap();
            assert_eq!(der, [head, &material].concat());
            assert_eq!(headed(&der), Some((algorithm, material.as_slice())));
            assert_eq!(headed(&der[..der.len() - 1]), None);
            assert_eq!(headed(&[der, vec![0]].concat()), None);
        }
    }
}
