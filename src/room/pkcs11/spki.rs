//! Public keys between PKCS#11 attributes and [`PublicKey`].
//!
//! The room, PKCS#11: pure. Only the five kinds of key that a plan may name.

use cryptoki::object::Attribute;

use crate::key::{Algorithm, PublicKey};

/// The attributes of a key pair template that say which kind of key to make; none for kinds that no plan names.
pub(super) fn parameters(algorithm: Algorithm) -> Vec<Attribute> {
    match algorithm {
        Algorithm::EcdsaP256 => vec![Attribute::EcParams(P256_OID.to_vec())],
        Algorithm::EcdsaP384 => vec![Attribute::EcParams(P384_OID.to_vec())],
        Algorithm::Ed25519 => vec![Attribute::EcParams(ED25519_NAME.to_vec())],
        Algorithm::Rsa(bits) => vec![
            Attribute::ModulusBits(u64::from(bits).into()),
            Attribute::PublicExponent(vec![1, 0, 1]),
        ],
        Algorithm::EcdsaP224 | Algorithm::EcdsaP521 => Vec::new(),
    }
}

/// The attributes of a public key object that carry the key itself; none for kinds that are not put on a token.
pub(super) fn encode(public: &PublicKey) -> Vec<Attribute> {
    match public.algorithm() {
        Algorithm::EcdsaP256 => {
            let point = public.material();
            // An octet string of 65 bytes, DER.
            let wrapped = [&[0x04, 65][..], point].concat();
            vec![Attribute::EcParams(P256_OID.to_vec()), Attribute::EcPoint(wrapped)]
        }
        _ => Vec::new(),
    }
}

/// The public key of a public key object, or none if it is of another kind or makes no sense.
pub(super) fn decode(attributes: &[Attribute]) -> Option<PublicKey> {
    let (mut params, mut point, mut modulus, mut exponent) = (None, None, None, None);
    for attribute in attributes {
        match attribute {
            Attribute::EcParams(bytes) => params = Some(bytes.as_slice()),
            Attribute::EcPoint(bytes) => point = Some(bytes.as_slice()),
            Attribute::Modulus(bytes) => modulus = Some(bytes.as_slice()),
            Attribute::PublicExponent(bytes) => exponent = Some(bytes.as_slice()),
            _ => {}
        }
    }
    if let (Some(modulus), Some(exponent)) = (modulus, exponent) {
        return PublicKey::from_rsa(modulus, exponent).ok();
    }
    let (params, point) = (params?, point?);
    if params == P256_OID {
        PublicKey::from_ec_point(Algorithm::EcdsaP256, bare(point, 65)?).ok()
    } else if params == P384_OID {
        PublicKey::from_ec_point(Algorithm::EcdsaP384, bare(point, 97)?).ok()
    } else if params == ED25519_NAME || params == ED25519_OID {
        PublicKey::from_ed25519(bare(point, 32)?).ok()
    } else {
        None
    }
}

/// The point without its DER OCTET STRING: most modules give one, kryoptic gives Edwards points bare.
fn bare(point: &[u8], len: usize) -> Option<&[u8]> {
    match point {
        _ if point.len() == len => Some(point),
        [0x04, l, rest @ ..] if usize::from(*l) == len && rest.len() == len => Some(rest),
        _ => None,
    }
}

/// CKA_EC_PARAMS: the object identifier of the curve, DER.
const P256_OID: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384_OID: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519_OID: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];
/// PKCS#11 v3.0 names this curve by PrintableString "edwards25519"; SoftHSM and kryoptic take it.
const ED25519_NAME: [u8; 14] = *b"\x13\x0cedwards25519";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_taken_bare_and_in_an_octet_string() {
        let raw = [9; 32];
        let wrapped = [&[0x04, 32][..], &raw].concat();
        for (params, point) in [(&ED25519_NAME[..], &raw[..]), (&ED25519_OID, &wrapped)] {
            let key =
                decode(&[Attribute::EcParams(params.to_vec()), Attribute::EcPoint(point.to_vec())]);
            assert_eq!(key, PublicKey::from_ed25519(&raw).ok());
        }
    }

    #[test]
    fn what_we_do_not_use_is_no_key() {
        let secp256k1 = vec![0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];
        assert_eq!(
            decode(&[Attribute::EcParams(secp256k1), Attribute::EcPoint(vec![4; 65])]),
            None
        );
        assert_eq!(decode(&[Attribute::EcParams(P256_OID.to_vec())]), None);
        let off = [Attribute::EcParams(P256_OID.to_vec()), Attribute::EcPoint(vec![4; 65])];
        assert_eq!(decode(&off), None);
    }
}
