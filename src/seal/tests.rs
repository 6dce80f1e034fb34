use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::kem::{Ciphertext, DecapsulationKey, ML_KEM_768};

use super::*;
use crate::key::{KemKey, PublicKey};

/// A token's sealing key, in software.
fn soft() -> (PrivateKey, SealKey) {
    let private = PrivateKey::generate(&ECDH_P256).unwrap();
    let point = private.compute_public_key().unwrap();
    let key = PublicKey::from_ec_point(Algorithm::EcdsaP256, point.as_ref()).unwrap();
    (private, key.try_into().unwrap())
}

fn agreed(private: &PrivateKey, asked: &Asked) -> Agreed {
    let peer = UnparsedPublicKey::new(&ECDH_P256, &asked.point);
    let x = agree(private, peer, (), |x| Ok(Secret::copy_of(x).unwrap())).unwrap();
    Agreed { x, kem: None }
}

#[test]
fn what_is_sealed_opens_with_its_key_and_no_other() {
    let ((private, key), (other, other_key)) = (soft(), soft());
    for len in [0, 1, 176, MAX_SECRET] {
        let secret = SecretBytes::fill(len, |bytes| bytes.fill(7));
        let sealed = seal(&secret, &key).unwrap();
        let asks = asked(&sealed, &key).unwrap();
        let opened = open(&sealed, &key, &agreed(&private, &asks)).unwrap();
        assert!(opened.matches(&secret));
        let wrong = open(&sealed, &key, &agreed(&other, &asks)).map(|_| ());
        assert_eq!(wrong, Err(Error::Damaged));
        assert_eq!(asked(&sealed, &other_key), Err(Error::OtherToken));
    }
    assert_eq!(seal(&SecretBytes::copy_of(&[0; MAX_SECRET + 1]), &key), Err(Error::Unsealable));
}

/// The other half of it.
fn soft_kem() -> (DecapsulationKey, KemKey) {
    let private = DecapsulationKey::generate(&ML_KEM_768).unwrap();
    let public = private.encapsulation_key().unwrap();
    let bytes = public.key_bytes().unwrap();
    (private, KemKey::from_bytes(bytes.as_ref()).unwrap())
}

fn decapsulated(private: &DecapsulationKey, asked: &Asked) -> Secret<32> {
    let ciphertext = Ciphertext::from(&asked.ciphertext.as_ref().unwrap()[..]);
    Secret::copy_of(private.decapsulate(ciphertext).unwrap().as_ref()).unwrap()
}

#[test]
fn what_is_sealed_to_both_halves_opens_with_both_and_with_neither_alone() {
    let ((private, key), (other, _)) = (soft(), soft());
    let ((kem_private, kem), (other_kem, _)) = (soft_kem(), soft_kem());
    let both = SealKey::new(key.public().clone(), Some(kem)).unwrap();
    let secret = SecretBytes::copy_of(&[7; 176]);
    let sealed = seal(&secret, &both).unwrap();
    assert!(sealed.len() < MAX_FILE);
    let asks = asked(&sealed, &both).unwrap();
    let x = || agreed(&private, &asks).x;
    let shared = || Some(decapsulated(&kem_private, &asks));
    let opened = open(&sealed, &both, &Agreed { x: x(), kem: shared() }).unwrap();
    assert!(opened.matches(&secret));
    for wrong in [
        Agreed { x: x(), kem: None },
        Agreed { x: x(), kem: Some(decapsulated(&other_kem, &asks)) },
        Agreed { x: agreed(&other, &asks).x, kem: shared() },
    ] {
        assert_eq!(open(&sealed, &both, &wrong).map(|_| ()), Err(Error::Damaged));
    }
    // Neither is the file that of the one half, nor that of the one half a file of both.
    assert_eq!(asked(&sealed, &key), Err(Error::OtherToken));
    assert_eq!(asked(&seal(&secret, &key).unwrap(), &both), Err(Error::OtherToken));
    let right = Agreed { x: x(), kem: shared() };
    for place in (0..sealed.len()).step_by(7).chain([sealed.len() - 1]) {
        let mut bad = sealed.clone();
        bad[place] ^= 1;
        assert!(open(&bad, &both, &right).is_err(), "byte {place}");
    }
}

#[test]
fn one_changed_byte_of_a_sealed_file_is_seen() {
    let (private, key) = soft();
    let secret = SecretBytes::copy_of(&[7; 176]);
    let sealed = seal(&secret, &key).unwrap();
    let asks = asked(&sealed, &key).unwrap();
    let x = agreed(&private, &asks);
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
    let words = |bytes: &[u8]| asked(bytes, &key).unwrap_err().to_string();
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
    let both = SealKey::new(key.public().clone(), Some(soft_kem().1)).unwrap();
    let theirs: age::tagpq::Recipient = both.recipient().parse().unwrap();
    assert_eq!(theirs.to_string(), both.recipient());
    assert!(both.recipient().starts_with("age1tagpq1"));
}
