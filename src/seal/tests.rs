use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};

use super::*;

/// A token's sealing key, in software.
fn soft() -> (PrivateKey, SealKey) {
    let private = PrivateKey::generate(&ECDH_P256).unwrap();
    let point = private.compute_public_key().unwrap();
    let key = PublicKey::from_ec_point(Algorithm::EcdsaP256, point.as_ref()).unwrap();
    (private, key.try_into().unwrap())
}

fn agreed(private: &PrivateKey, peer: &[u8]) -> Secret<32> {
    let peer = UnparsedPublicKey::new(&ECDH_P256, peer);
    agree(private, peer, (), |x| Ok(Secret::copy_of(x).unwrap())).unwrap()
}

#[test]
fn what_is_sealed_opens_with_its_key_and_no_other() {
    let ((private, key), (other, other_key)) = (soft(), soft());
    for len in [0, 1, 176, MAX_SECRET] {
        let secret = SecretBytes::fill(len, |bytes| bytes.fill(7));
        let sealed = seal(&secret, &key).unwrap();
        let peer = peer_point(&sealed, &key).unwrap();
        let opened = open(&sealed, &key, &agreed(&private, &peer)).unwrap();
        assert!(opened.matches(&secret));
        let wrong = open(&sealed, &key, &agreed(&other, &peer)).map(|_| ());
        assert_eq!(wrong, Err(Error::Damaged));
        assert_eq!(peer_point(&sealed, &other_key), Err(Error::OtherToken));
    }
    assert_eq!(seal(&SecretBytes::copy_of(&[0; MAX_SECRET + 1]), &key), Err(Error::Unsealable));
}

#[test]
fn one_changed_byte_of_a_sealed_file_is_seen() {
    let (private, key) = soft();
    let secret = SecretBytes::copy_of(&[7; 176]);
    let sealed = seal(&secret, &key).unwrap();
    let peer = peer_point(&sealed, &key).unwrap();
    let x = agreed(&private, &peer);
    for place in 0..sealed.len() {
        let mut bad = sealed.clone();
        bad[place] ^= 1;
        assert!(open(&bad, &key, &x).is_err(), "byte {place}");
    }
    for len in 0..sealed.len() {
        assert!(open(&sealed[..len], &key, &x).is_err(), "length {len}");
    }
    assert!(open(&[&sealed[..], b"x"].concat(), &key, &x).is_err());
}

#[test]
fn foreign_files_are_refused_in_words() {
    let (_, key) = soft();
    let words = |bytes: &[u8]| peer_point(bytes, &key).unwrap_err().to_string();
    assert_eq!(words(b"hello"), "the file is not a sealed share: it is no age file");
    assert_eq!(
        words(&[0; MAX_FILE + 1]),
        "the file is not a sealed share: it is longer than any sealed share"
    );
    let x25519 = age::x25519::Identity::generate();
    let other = age::encrypt(&x25519.to_public(), b"x").unwrap();
    assert_eq!(words(&other), "the sealed file is for another token");
    let ed25519 = PublicKey::from_ed25519(&[9; 32]).unwrap();
    assert_eq!(
        SealKey::try_from(ed25519).unwrap_err().to_string(),
        "a key of ed25519 cannot open a sealed share: it takes ecdsa-p256"
    );
}

#[test]
fn recipients_are_written_as_age_writes_them() {
    let (_, key) = soft();
    let theirs: age::tag::Recipient = key.recipient().parse().unwrap();
    assert_eq!(theirs.to_string(), key.recipient());
}
