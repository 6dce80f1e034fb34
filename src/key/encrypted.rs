//! Encrypted private keys as `notary`, `docker trust` and OpenSSL write them: PBES2 (RFC 8018) with PBKDF2 and
//! AES-256-CBC.
//!
//! Ground floor: pure.

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
    PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use x509_cert::der::{Decode, Encode, Tag, Tagged};
use zeroize::Zeroizing;

use super::spki::{EC, RSA};
use super::{Algorithm, tlv};

/// Decrypts EncryptedPrivateKeyInfo (RFC 5958) to the DER that it holds; none when it is of another kind, or the
/// passphrase is another one.
pub(super) fn decrypt(der: &[u8], passphrase: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let [algorithm, data] = take(fields(der)?)?;
    let [scheme, parameters] = pair(&algorithm)?;
    let [derivation, cipher] = pair(&parameters)?;
    let ([kdf, salted], [aes, iv]) = (pair(&derivation)?, pair(&cipher)?);
    let known = oid(&scheme)? == PBES2 && oid(&kdf)? == PBKDF2 && oid(&aes)? == AES_256_CBC;
    let mut salted = salted.decode_as::<Vec<AnyRef>>().ok().filter(|_| known)?.into_iter();
    let salt = octets(&salted.next()?)?;
    let rounds = salted.next()?.decode_as::<u32>().ok().filter(|n| *n <= MOST_ROUNDS)?;
    // A key length may follow; then the hash, which is SHA-1 where nothing is said.
    let hash = match salted.find(|field| field.tag() == Tag::Sequence) {
        None => pbkdf2::PBKDF2_HMAC_SHA1,
        Some(prf) => match oid(prf.decode_as::<Vec<AnyRef>>().ok()?.first()?)? {
            HMAC_SHA1 => pbkdf2::PBKDF2_HMAC_SHA1,
            HMAC_SHA256 => pbkdf2::PBKDF2_HMAC_SHA256,
            _ => return None,
        },
    };
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2::derive(hash, NonZeroU32::new(rounds)?, salt, passphrase, &mut *key);
    let key = UnboundCipherKey::new(&AES_256, &*key).ok()?;
    let iv = FixedLength::from(<[u8; 16]>::try_from(octets(&iv)?).ok()?);
    let mut data = Zeroizing::new(octets(&data)?.to_vec());
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
    let plain = key.decrypt(&mut data, DecryptionContext::Iv128(iv)).ok()?;
    Some(Zeroizing::new(plain.to_vec()))
}

/// What an encryption draws: by the standard it need not be secret, only new each time.
pub struct Salt {
    /// The salt of the key derivation.
    pub salt: [u8; 8],
    /// The initialisation vector of the cipher.
    pub iv: [u8; 16],
}

/// Encrypts PrivateKeyInfo to EncryptedPrivateKeyInfo in the one shape that `notary` and `docker trust` read: no key
/// length and no hash in the parameters, so HMAC-SHA1, and [`ROUNDS`] of it.
///
/// None is an answer of the cryptographic library alone: it has no cause in what is given.
pub fn encrypt(der: &[u8], passphrase: &[u8], drawn: &Salt) -> Option<Vec<u8>> {
    encrypt_in(ROUNDS, der, passphrase, drawn)
}

fn encrypt_in(rounds: u32, der: &[u8], passphrase: &[u8], drawn: &Salt) -> Option<Vec<u8>> {
    let mut key = Zeroizing::new([0; 32]);
    let count = NonZeroU32::new(rounds)?;
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA1, count, &drawn.salt, passphrase, &mut *key);
    let key = UnboundCipherKey::new(&AES_256, &*key).ok()?;
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).ok()?;
    let mut data = der.to_vec();
    let context = EncryptionContext::Iv128(FixedLength::from(drawn.iv));
    key.less_safe_encrypt(&mut data, context).ok()?;
    let salted = sequence(&[tlv(OCTETS, &drawn.salt), rounds.to_der().ok()?]);
    let derivation = sequence(&[PBKDF2.to_der().ok()?, salted]);
    let cipher = sequence(&[AES_256_CBC.to_der().ok()?, tlv(OCTETS, &drawn.iv)]);
    let scheme = sequence(&[PBES2.to_der().ok()?, sequence(&[derivation, cipher])]);
    Some(sequence(&[scheme, tlv(OCTETS, &data)]))
}

/// PrivateKeyInfo as Notary writes it: version 1 for elliptic curves, no NULL for RSA, an object identifier of its own
/// for Ed25519. `inner` is SEC 1, PKCS#1, or the public half before the seed and the public half again.
pub fn notary_pkcs8(algorithm: Algorithm, inner: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (version, kind) = match algorithm {
        Algorithm::Ed25519 => (0_u8, vec![NOTARY_ED25519]),
        Algorithm::Rsa(_) => (0, vec![RSA]),
        _ => (1, vec![EC, algorithm.curve()?]),
    };
    let kind = kind.iter().map(|oid| oid.to_der().ok()).collect::<Option<Vec<_>>>()?;
    let parts = [version.to_der().ok()?, sequence(&kind), tlv(OCTETS, inner)];
    Some(Zeroizing::new(sequence(&parts)))
}

/// The seed of an Ed25519 key in Notary's form of PrivateKeyInfo; none when it is of another kind.
pub fn notary_ed25519(der: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let fields = fields(der)?;
    let kind = fields.get(1)?.decode_as::<Vec<AnyRef>>().ok()?;
    let is_it = oid(kind.first()?)? == NOTARY_ED25519;
    let octets = octets(fields.get(2)?)?;
    let seed = octets.get(32..64).filter(|_| is_it && octets.len() == 96)?;
    Some(Zeroizing::new(seed.to_vec()))
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// The private key inside PrivateKeyInfo: for an elliptic curve, SEC 1. Notary gives it the version number 1,
/// which strict readers refuse.
pub fn inner(der: &[u8]) -> Option<&[u8]> {
    octets(fields(der)?.get(2)?)
}

/// Whether the bytes have the outer shape of every private key that is read: a sequence that begins with its version
/// and ends where they end. What another passphrase than the right one leaves passes the cipher's padding once in 256
/// times, and has this shape once in millions.
pub(super) fn is_shaped(der: &[u8]) -> bool {
    fields(der).is_some_and(|fields| fields.first().is_some_and(|it| it.tag() == Tag::Integer))
}

/// The fields of a sequence where they stand: a key that is read leaves no copy behind.
pub(super) fn fields(der: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    Vec::from_der(der).ok()
}

fn take(fields: Vec<AnyRef<'_>>) -> Option<[AnyRef<'_>; 2]> {
    fields.try_into().ok()
}

fn pair<'a>(field: &AnyRef<'a>) -> Option<[AnyRef<'a>; 2]> {
    take(field.decode_as().ok()?)
}

fn oid(field: &AnyRef<'_>) -> Option<ObjectIdentifier> {
    field.decode_as().ok()
}

/// The octets of a field that is an octet string.
pub(super) fn octets<'a>(field: &AnyRef<'a>) -> Option<&'a [u8]> {
    Some(field.decode_as::<&OctetStringRef>().ok()?.as_bytes())
}

const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");
const AES_256_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.42");
const HMAC_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.7");
const HMAC_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.9");

/// What Notary calls Ed25519.
const NOTARY_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11591.15.1");
/// The tag of an octet string.
const OCTETS: u8 = 4;

/// Notary writes 2048 and reads any number.
pub const ROUNDS: u32 = 600_000;
/// Above this a file only wastes time.
const MOST_ROUNDS: u32 = 20_000_000;

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    use data_encoding::BASE64;

    use super::*;

    /// By OpenSSL: `pkcs8 -topk8 -iter 1 -v2prf hmacWithSHA1 -passout pass:right` of a key made for this.
    const ENCRYPTED: &str = "\
        MIHdMEgGCSqGSIb3DQEFDTA7MBoGCSqGSIb3DQEFDDANBAjWsMivS7vNjwIBATAdBglghkgBZQME\
        ASoEEFjIrIcOUuJVWY2A2/ww5FwEgZCm8h+EUy3fM9YSE2pRFBC1nraU2zqsfCOFqHhGlYSUB28V\
        U0fErcbfkl1q1PJvp+lFXkUbpQaAI6sI/ddtwKsU881jL6hGvWkN1u4XFIE2KPh9dXeGAmTxUZJw\
        HnxzOnLM0VdauMk6+hlZhdQfwuM01ES+a/jXgpJzpTQkw8711TcmkkS6I/jfE3crdFrkTWk=";

    #[test]
    fn the_passphrase_opens_the_key_and_what_another_leaves_is_told_by_its_shape() {
        let der = BASE64.decode(ENCRYPTED.as_bytes()).unwrap();
        let right = decrypt(&der, b"right").unwrap();
        let signing = &ECDSA_P256_SHA256_FIXED_SIGNING;
        assert!(is_shaped(&right) && EcdsaKeyPair::from_private_key_der(signing, &right).is_ok());
        let wrong = (0..4096).filter_map(|n| decrypt(&der, format!("wrong {n}").as_bytes()));
        let wrong: Vec<_> = wrong.collect();
        // By the padding alone it would be one in 256 that "opens".
        assert!(wrong.len() > 2 && wrong.len() < 64, "{}", wrong.len());
        assert!(wrong.iter().all(|plain| !is_shaped(plain)));
        assert!(!is_shaped(b"") && !is_shaped(&right[1..]) && !is_shaped(&[0x30, 0]));
        assert!(!is_shaped(&[0x30, 2, 4, 0]) && is_shaped(&[0x30, 3, 2, 1, 0]));
    }

    #[test]
    fn a_key_that_notary_wrote_is_written_again_byte_for_byte() {
        let file = include_bytes!("../../tests/vectors/key/notary.pem");
        let file = crate::key::file::KeyFile::read(file).unwrap();
        let plain = decrypt(file.der(), b"correct horse").unwrap();
        let again = notary_pkcs8(Algorithm::EcdsaP256, inner(&plain).unwrap()).unwrap();
        assert_eq!(again, plain);
        // Where salt and initialisation vector stand in a file of Notary's 2048 rounds.
        let at = |range: std::ops::Range<usize>| file.der()[range].to_vec();
        let drawn =
            Salt { salt: at(35..43).try_into().unwrap(), iv: at(62..78).try_into().unwrap() };
        let written = encrypt_in(2048, &plain, b"correct horse", &drawn).unwrap();
        assert_eq!(BASE64.encode(&written), BASE64.encode(file.der()));
        let stronger = encrypt(&plain, b"correct horse", &drawn).unwrap();
        assert_eq!(decrypt(&stronger, b"correct horse").unwrap(), plain);
        assert_eq!(stronger[43..48], [2, 3, 0x09, 0x27, 0xc0]);
    }

    #[test]
    fn ed25519_goes_into_the_form_of_notary_and_back() {
        let public_seed_public = [vec![1; 32], vec![2; 32], vec![1; 32]].concat();
        let plain = notary_pkcs8(Algorithm::Ed25519, &public_seed_public).unwrap();
        assert_eq!(notary_ed25519(&plain).unwrap()[..], [2; 32]);
        assert!(notary_ed25519(&plain[..40]).is_none());
        let rsa = notary_pkcs8(Algorithm::Rsa(2048), &public_seed_public).unwrap();
        assert!(notary_ed25519(&rsa).is_none());
        assert_eq!(inner(&rsa).unwrap(), public_seed_public);
    }

    #[test]
    fn cut_and_changed_bytes_open_nothing_and_break_nothing() {
        let der = BASE64.decode(ENCRYPTED.as_bytes()).unwrap();
        for at in 0..der.len() {
            assert_eq!(decrypt(&der[..at], b"right"), None);
            let mut other = der.clone();
            other[at] ^= 0x81;
            let _ = decrypt(&other, b"right");
            let _ = inner(&other);
        }
    }
}
