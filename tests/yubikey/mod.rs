//! Real children on virtual YubiKeys, through pcscd: what they do as any token does, and what is their own.

use officiant::{
    check::Check,
    child::{
        Error,
        token::{Driver, Generated, Login, Object, Purpose, SoPin, Token},
        vault::Vault,
    },
    key::{Algorithm, Scheme},
    room::token::TriesLeft,
    seal::SealKey,
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

#[test]
fn nothing_stays_with_which_a_yubikey_leaves_the_factory() {
    if !may_mount("nothing_stays_with_which_a_yubikey_leaves_the_factory") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, SERIAL, "5.7.1");
    let mut token = start(&readers);
    let refused = |error: Error| (error.check(), error.to_string());
    let one = |what: &str| {
        let name = "token `` (serial 4242)";
        (
            Some(Check::TokenFactory),
            format!("{name} has the {what} with which every one leaves the factory"),
        )
    };
    let factory = token.init(None, "officer-a", SoPin::Drawn, pin("123456")).unwrap_err();
    assert_eq!(refused(factory).0, Some(Check::TokenFactory));
    assert!(!token.list().unwrap().faces[0].is_initialised);
    // What another tool made ready by half is not taken up either.
    token.select("4242").unwrap();
    assert_eq!(refused(token.login(pin("123456")).unwrap_err()), one("PIN"));
    assert!(!token.list().unwrap().faces[0].is_initialised);
    readers.send(&[SELECT, "00:24:00:81:10:31:32:33:34:35:36:37:38:31:33:35:37:39:32:34:36"]);
    let used = token.init(None, "officer-a", SoPin::Drawn, pin(PIN)).unwrap_err();
    let words = "token `officer-a` (serial 4242) is not as it left the factory: its PUK was set";
    assert_eq!(refused(used), (Some(Check::TokenInit), words.to_owned()));
    readers.send(&[SELECT, "00:24:00:80:10:31:32:33:34:35:36:ff:ff:31:33:35:37:39:32:ff:ff"]);
    assert!(token.list().unwrap().faces[0].is_initialised);
    token.select("4242").unwrap();
    assert_eq!(refused(token.login(pin(PIN)).unwrap_err()), one("management key"));
}

#[test]
fn what_outranks_the_pin_of_a_yubikey_is_drawn_and_forgotten() {
    if !may_mount("what_outranks_the_pin_of_a_yubikey_is_drawn_and_forgotten") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, SERIAL, "5.4.3");
    let mut token = start(&readers);
    let begin = |token: &mut Token, user: &str| {
        token.init(None, "officer-a", SoPin::Transport(pin("87654321")), pin(user))
    };
    begin(&mut token, "11111111").unwrap();
    assert!(token.takes_so_pin(pin("87654321")).unwrap());
    assert!(!token.takes_so_pin(pin("12345678")).unwrap());
    // Interrupted here, it is begun anew: nobody needs to know the PIN that it had.
    begin(&mut token, PIN).unwrap();
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
    token.generate(Purpose::Attest, Algorithm::EcdsaP256, "attest").unwrap();
    token.replace_so_pin(pin("87654321"), None).unwrap();
    // The third wrong one locks it, and says no more than that of a token that its holder can open.
    for _ in 0..4 {
        assert!(!token.takes_so_pin(pin("87654321")).unwrap());
    }
    // As a reset leaves it that was cut off: nobody can open it, and it is begun anew.
    token.logout().unwrap();
    for _ in 0..3 {
        assert!(token.login(pin("246802")).is_ok());
    }
    assert!(token.takes_so_pin(pin("87654321")).unwrap());
    begin(&mut token, PIN).unwrap();
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
}

#[test]
fn a_wrong_pin_of_a_yubikey_is_tried_once_and_counted() {
    if !may_mount("a_wrong_pin_of_a_yubikey_is_tried_once_and_counted") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, SERIAL, "5.7.1");
    let mut token = fresh(&readers);
    token.logout().unwrap();
    for left in [TriesLeft::Count(2), TriesLeft::Last, TriesLeft::Locked] {
        assert_eq!(token.login(pin("246802")).unwrap(), Login::Refused(left));
    }
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Refused(TriesLeft::Locked));
    assert_eq!(token.select("4242").unwrap().user_pin, TriesLeft::Locked);
}

#[test]
fn each_key_of_a_yubikey_does_one_thing_after_a_login() {
    if !may_mount("each_key_of_a_yubikey_does_one_thing_after_a_login") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, SERIAL, "5.7.1");
    let mut token = fresh(&readers);
    let root = token.generate(Purpose::Root, Algorithm::EcdsaP256, "root-a").unwrap().key;
    let seal = token.generate(Purpose::Seal, Algorithm::EcdsaP256, "seal").unwrap().key;
    let twice = token.generate(Purpose::Root, Algorithm::EcdsaP256, "root-a").unwrap_err();
    assert_eq!(twice.check(), Some(Check::TokenKeyTaken));
    let to = SealKey::try_from(seal.public.clone()).unwrap();
    let mut vault = Vault::start(&readers.launch("vault")).unwrap();
    let sealed = vault.challenge(&to).unwrap();
    let asked = vault.asked(&sealed, &to).unwrap();
    let agreed = token.answer((&seal, &to), &asked).unwrap();
    vault.meet(&sealed, &to, &agreed).unwrap();
    let input = [Scheme::of_certificate(Algorithm::EcdsaP256).to_sign(b"text")];
    let cannot = "token `officer-a` (serial 4242) cannot do";
    for error in
        [token.sign(&seal, &input).unwrap_err(), token.agree(&root, &asked.point).err().unwrap()]
    {
        assert!(error.to_string().starts_with(cannot), "{error}");
    }
    token.logout().unwrap();
    let error = token.sign(&root, &input).unwrap_err().to_string();
    assert_eq!(error, "token `officer-a` (serial 4242) is not logged in; stopped while signing");
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
    token.destroy(&root).unwrap();
    assert!(token.sign(&root, &input).is_err());
    let anew = token.generate(Purpose::Root, Algorithm::EcdsaP256, "root-a").unwrap();
    assert_eq!(anew.key.id, root.id);
    assert_eq!(token.reclaim(Purpose::Root, "root-a").unwrap().unwrap().key, anew.key);
    // A key that asks for no touch is no root key.
    assert_eq!(token.reclaim(Purpose::Root, "attest").unwrap(), None);
}

#[test]
fn a_yubikey_keeps_objects_by_name_until_it_is_full() {
    if !may_mount("a_yubikey_keeps_objects_by_name_until_it_is_full") {
        return;
    }
    let readers = Readers::new(1);
    let card = readers.put_in(0, SERIAL, "5.7.1");
    let mut token = fresh(&readers);
    let object = |n: u8| Object { label: format!("share {n}"), application: "test".to_owned() };
    for n in 1..=32 {
        token.store(&object(n), &[n; 600]).unwrap();
    }
    let full = token.store(&object(33), b"more").unwrap_err();
    assert_eq!(
        full.to_string(),
        "token `officer-a` (serial 4242) is full; stopped while storing `share 33`"
    );
    let taken = token.store(&object(7), b"other").unwrap_err();
    assert_eq!(taken.check(), Some(Check::TokenObjectTaken));
    token.delete("share 7").unwrap();
    // Taken out and put in again, it has what it had.
    readers.take_out(0, card);
    let gone = token.read("share 8").unwrap_err().to_string();
    assert_eq!(gone, "token `officer-a` (serial 4242) was removed while reading its objects");
    let _card = readers.put_in(0, SERIAL, "5.7.1");
    token.select("4242").unwrap();
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
    assert_eq!(token.objects().unwrap().len(), 31);
    assert_eq!(token.read("share 8").unwrap(), [8; 600]);
    assert!(token.read("share 7").is_err());
}

/// The crate that speaks to it panics at some of these: then its child ends, and nothing else.
#[test]
fn a_yubikey_that_says_too_little_is_an_error_and_no_more() {
    if !may_mount("a_yubikey_that_says_too_little_is_an_error_and_no_more") {
        return;
    }
    let mut lost = 0;
    for instruction in ["fd", "f8", "f7", "cb", "87", "47"] {
        let readers = Readers::new(1);
        let _card = readers.put_in_as(0, SERIAL, &["--cuts", instruction]);
        let work = || {
            let mut token = start(&readers);
            token.init(None, "officer-a", SoPin::Drawn, pin(PIN))?;
            assert_eq!(token.login(pin(PIN))?, Login::Open);
            let made = token.generate(Purpose::Attest, Algorithm::EcdsaP256, "attest")?;
            token.sign(&made.key, &[Scheme::of_certificate(Algorithm::EcdsaP256).to_sign(b"text")])
        };
        let error = work().expect_err(instruction);
        lost += usize::from(matches!(error, Error::Lost { .. }));
    }
    assert!(lost > 0);
}

#[test]
fn other_software_sees_the_keys_of_a_yubikey() {
    if !may_mount("other_software_sees_the_keys_of_a_yubikey") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, SERIAL, "5.7.1");
    let mut token = fresh(&readers);
    let made = token.generate(Purpose::Root, Algorithm::EcdsaP256, "root-a").unwrap();
    drop(token);
    // OpenSC calls slot 9c 2.
    let found = readers.tool(&["pkcs15-tool", "--read-public-key", "02"]);
    assert_eq!(found.trim(), made.key.public.to_pem().trim());
    let certificate = readers.tool(&["pkcs15-tool", "--read-certificate", "02"]);
    let names = readers.piped(&["openssl", "x509", "-noout", "-subject", "-issuer"], &certificate);
    assert_eq!(names, "subject=OU = root-a, CN = root\nissuer=CN = attest\n");
}

const SELECT: &str = "00:a4:04:00:05:a0:00:00:03:08";
