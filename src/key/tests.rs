use super::spki::RSA;
use super::*;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair};

#[test]
fn a_raw_answer_verifies_in_each_dialects_encoding() {
    for (algorithm, signing, hash) in [
        (Algorithm::EcdsaP256, &signature::ECDSA_P256_SHA256_FIXED_SIGNING, Hash::Sha256),
        (Algorithm::EcdsaP384, &signature::ECDSA_P384_SHA384_FIXED_SIGNING, Hash::Sha384),
    ] {
        let pair = EcdsaKeyPair::generate(signing).unwrap();
        let key = PublicKey::from_ec_point(algorithm, pair.public_key().as_ref()).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let raw = pair.sign(&SystemRandom::new(), b"root").unwrap();
        for scheme in [Scheme::EcdsaDer(hash), Scheme::EcdsaRaw(hash)] {
            let signature = scheme.encode(algorithm, raw.as_ref()).unwrap();
            assert_eq!(key.verify(scheme, b"root", &signature), Ok(()));
            assert_eq!(key.verify(scheme, b"boot", &signature), Err(Error::BadSignature));
            assert_eq!(scheme.to_sign(b"root"), ToSign::Digest { hash, bytes: hash.of(b"root") });
        }
        let text = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<PublicKey>(&text).unwrap(), key);
        assert_eq!(PublicKey::from_pem(&key.to_pem()), Ok(key.clone()));
        let crlf = key.to_pem().replace('\n', "\r\n");
        assert_eq!(PublicKey::from_pem(&crlf), Err(Error::NotCanonical));
        assert_eq!(PublicKey::from_foreign_pem(&crlf), Ok(key));
    }
}

#[test]
fn ed25519_signs_the_whole_message() {
    let pair = Ed25519KeyPair::generate().unwrap();
    let key = PublicKey::from_ed25519(pair.public_key().as_ref()).unwrap();
    let signature = pair.sign(b"root");
    assert_eq!(key.verify(Scheme::Ed25519, b"root", signature.as_ref()), Ok(()));
    assert_eq!(Scheme::Ed25519.to_sign(b"root"), ToSign::Message(b"root".to_vec()));
    assert_eq!(
        key.verify(Scheme::RsaPss, b"root", signature.as_ref()),
        Err(Error::SchemeMismatch { algorithm: Algorithm::Ed25519 })
    );
}

#[test]
fn a_point_off_the_curve_is_no_key() {
    let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let mut point = pair.public_key().as_ref().to_vec();
    point[64] ^= 1;
    assert_eq!(
        PublicKey::from_ec_point(Algorithm::EcdsaP256, &point).unwrap_err().to_string(),
        "no uncompressed point of ecdsa-p256"
    );
    assert!(PublicKey::from_ec_point(Algorithm::EcdsaP256, &point[..64]).is_err());
    assert!(PublicKey::from_ec_point(Algorithm::Ed25519, &point).is_err());
}

#[test]
fn rsa_wants_2048_bits_and_odd_numbers() {
    let mut modulus = vec![0xff; 384];
    let key = PublicKey::from_rsa(&modulus, &[1, 0, 1]).unwrap();
    assert_eq!(key.algorithm(), Algorithm::Rsa(3072));
    assert_eq!(PublicKey::from_rsa(&[&[0][..], &modulus].concat(), &[1, 0, 1]), Ok(key));
    assert_eq!(PublicKey::from_rsa(&modulus, &[1]), Err(Error::BadRsa));
    modulus[383] = 0xfe;
    assert_eq!(PublicKey::from_rsa(&modulus, &[1, 0, 1]), Err(Error::BadRsa));
    assert_eq!(PublicKey::from_rsa(&[0xff; 128], &[1, 0, 1]), Err(Error::BadRsa));
}

#[test]
fn names_of_algorithms_read_back() {
    for algorithm in Algorithm::OFFERED {
        assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
    }
    assert_eq!("rsa-2048".parse(), Ok(Algorithm::Rsa(2048)));
    assert_eq!(
        "rsa-+99".parse::<Algorithm>().unwrap_err().to_string(),
        "`rsa-+99` is no key algorithm"
    );
}

#[test]
fn an_answer_of_another_length_is_refused() {
    let scheme = Scheme::EcdsaRaw(Hash::Sha256);
    assert_eq!(
        scheme.encode(Algorithm::EcdsaP256, &[0; 63]).unwrap_err().to_string(),
        "expected a signature of 64 bytes, found 63"
    );
}

#[test]
fn der_lengths_take_as_many_bytes_as_they_need() {
    assert_eq!(tlv(4, &[7])[..], [4, 1, 7]);
    assert_eq!(tlv(4, &[0; 0x80])[..3], [4, 0x81, 0x80]);
    assert_eq!(tlv(4, &[0; 0x123])[..4], [4, 0x82, 1, 0x23]);
}

#[test]
fn each_refusal_of_a_key_has_its_words() {
    let algorithm = Algorithm::EcdsaP256;
    let rows = [
        (
            Error::BadRsa,
            "no RSA public key of 2048 to 8192 bits with an odd modulus and an odd exponent above 2",
        ),
        (Error::BadSignature, "the signature is not by this key over these bytes"),
        (Error::NotCanonical, "the public key is not in its one canonical encoding"),
        (Error::NotPem, "no `PUBLIC KEY` in PEM"),
        (Error::NotSpki, "no SubjectPublicKeyInfo in DER"),
        (
            Error::SchemeMismatch { algorithm },
            "a key of ecdsa-p256 makes no signature of this scheme",
        ),
        (
            Error::Unverifiable { algorithm: Algorithm::EcdsaP224 },
            "signatures of ecdsa-p224 are not verified here",
        ),
    ];
    for (error, words) in rows {
        assert_eq!(error.to_string(), words);
    }
}

#[test]
fn other_encodings_of_a_key_are_refused() {
    let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let key = PublicKey::from_ec_point(Algorithm::EcdsaP256, pair.public_key().as_ref()).unwrap();
    let mut trailing = key.der().to_vec();
    trailing.push(0);
    assert_eq!(PublicKey::from_der(&trailing), Err(Error::NotSpki));
    // RSA without the NULL that its identifier must have.
    let rsa = PublicKey::from_rsa(&[0xff; 256], &[1, 0, 1]).unwrap();
    let algorithm = tlv(0x30, &RSA.to_der().unwrap());
    let bits = tlv(3, &[&[0], rsa.material()].concat());
    let bare = tlv(0x30, &[algorithm, bits].concat());
    assert_eq!(PublicKey::from_der(&bare), Err(Error::NotCanonical));
    // A point in compressed form.
    let mut compressed = vec![2];
    compressed.extend_from_slice(&key.material()[1..33]);
    assert!(PublicKey::from_ec_point(Algorithm::EcdsaP256, &compressed).is_err());
    let label = key.to_pem().replace("PUBLIC KEY", "RSA PUBLIC KEY");
    assert_eq!(PublicKey::from_pem(&label), Err(Error::NotPem));
}
