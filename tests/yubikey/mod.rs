//! Real children on virtual YubiKeys, through pcscd: what they do as any token does, and what is their own.

use officiant::{
    child::token::{Driver, Generated, Login, Purpose, SoPin, Token},
    key::{Algorithm, Scheme},
    secret::{Pin, SecretBytes},
};

use crate::harness::{media::may_mount, yubikey::Readers};

const PIN: &str = "135792";
const SERIAL: u32 = 4242;

fn pin(text: &str) -> Pin {
    Pin::new(SecretBytes::copy_of(text.as_bytes())).unwrap()
}

fn start(readers: &Readers) -> Token {
    let driver = Driver::YubiKey { serial: Some(SERIAL) };
    Token::start(&readers.launch("officer-a"), &driver).unwrap()
}

/// A child on a YubiKey that it made ready, logged in, with an attest key.
fn fresh(readers: &Readers) -> Token {
    let mut token = start(readers);
    let face = token.init(None, "officer-a", SoPin::Drawn, pin(PIN)).unwrap();
    assert_eq!((face.name.label.as_str(), face.name.serial.as_str()), ("officer-a", "4242"));
    assert!(face.is_initialised && face.has_user_pin && !face.is_soft());
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
    token.generate(Purpose::Attest, Algorithm::EcdsaP256, "attest").unwrap();
    token
}

fn signs(token: &mut Token, made: &Generated) {
    let algorithm = made.key.public.algorithm();
    let scheme = Scheme::of_certificate(algorithm);
    let texts: Vec<Vec<u8>> = (0..20u8).map(|n| vec![n; 100]).collect();
    let inputs: Vec<_> = texts.iter().map(|text| scheme.to_sign(text)).collect();
    let raw = token.sign(&made.key, &inputs).unwrap();
    for (text, raw) in texts.iter().zip(&raw) {
        let signature = scheme.encode(algorithm, raw).unwrap();
        made.key.public.verify(scheme, text, &signature).unwrap();
    }
}

#[test]
fn a_yubikey_of_either_firmware_makes_keys_and_signs_with_them() {
    if !may_mount("a_yubikey_of_either_firmware_makes_keys_and_signs_with_them") {
        return;
    }
    for firmware in ["5.4.3", "5.7.1"] {
        let readers = Readers::new(1);
        let _card = readers.put_in(0, SERIAL, firmware);
        let mut token = fresh(&readers);
        for (algorithm, label) in
            [(Algorithm::EcdsaP256, "root-a"), (Algorithm::EcdsaP384, "root-b")]
        {
            let made = token.generate(Purpose::Root, algorithm, label).unwrap();
            assert_eq!(made.attestation.len(), 2);
            signs(&mut token, &made);
            let shown = token.keys().unwrap();
            assert!(shown.iter().any(|object| object.label == label && object.key == made.key));
        }
        token.logout().unwrap();
        let labels: Vec<_> = token.keys().unwrap().into_iter().map(|key| key.label).collect();
        assert_eq!(labels, ["attest", "root-a", "root-b"]);
    }
}
