//! One token and its child.

use std::{fs, path::Path};

use officiant::{
    child::{
        Error,
        token::{KeyRef, Login, Object, Purpose, SoPin, Token},
    },
    key::{Algorithm, Hash, Scheme},
    room::pkcs11::{self, TriesLeft, WrapTrial},
};

use super::{PIN, Sealer, fresh, pin, start, vault};
use crate::harness::{
    scratch::Scratch,
    shim::Shim,
    softhsm::{MODULE, SO_PIN, SoftHsm},
};

const P256: Algorithm = Algorithm::EcdsaP256;

fn words<T>(result: Result<T, Error>) -> String {
    let error = result.map(|_| ()).unwrap_err();
    error.refusal("nothing was signed").to_string()
}

/// Label and serial as errors name the token.
fn named(token: &mut Token) -> String {
    let faces = token.list().unwrap().faces;
    faces.iter().find(|face| face.is_initialised).unwrap().name.to_string()
}

#[test]
fn a_token_is_initialised_and_found_again_by_its_new_serial() {
    let scratch = Scratch::new();
    let softhsm = SoftHsm::empty(&scratch, "one");
    let mut token = start("one", &softhsm, Path::new(MODULE));
    let present = token.list().unwrap();
    assert!(present.mute == 0 && present.faces.len() == 1 && !present.faces[0].is_initialised);
    let face = token.init(None, "officer-a", SoPin::Transport(pin(SO_PIN)), pin(PIN)).unwrap();
    assert_eq!(face.name.label, "officer-a");
    assert_eq!(face.name.serial, softhsm.serial(&scratch));
    assert!(face.is_initialised && face.has_user_pin && face.model.starts_with("SoftHSM"));
    assert_eq!(face.user_pin, TriesLeft::Unsaid);
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
    token.logout().unwrap();
    // The next day, another process.
    drop(token);
    let mut token = start("one", &softhsm, Path::new(MODULE));
    assert_eq!(token.select(&face.name.serial).unwrap().name, face.name);
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
}

#[test]
fn a_label_that_is_taken_or_unfit_initialises_nothing() {
    let scratch = Scratch::new();
    let softhsm = SoftHsm::token(&scratch, "one", PIN);
    let serial = softhsm.serial(&scratch);
    let mut token = start("one", &softhsm, Path::new(MODULE));
    let mut init = |label: &str| words(token.init(None, label, SoPin::Drawn, pin(PIN)));
    assert_eq!(
        init("one"),
        format!("the label `one` is already on the token with serial {serial} [TOKEN-ONE]")
    );
    let long = "x".repeat(33);
    assert_eq!(
        init(&long),
        format!("`{long}` cannot be a token's label: 1 to 32 bytes without control characters")
    );
    assert!(init(" one").starts_with("` one` cannot be"));
    assert_eq!(
        words(token.init(Some("77"), "two", SoPin::Drawn, pin(PIN))),
        "no uninitialised token is present"
    );
    assert_eq!(token.list().unwrap().faces.iter().filter(|face| face.is_initialised).count(), 1);
    // A PIN that the token would refuse after C_InitToken would leave a token that nobody can open.
    let long = "1".repeat(256 - 1);
    assert_eq!(
        words(token.init(None, "two", SoPin::Drawn, pin("123"))),
        "token `two` (no serial yet) takes PINs of 4 to 255 bytes, this one is shorter or longer"
    );
    assert_eq!(token.list().unwrap().faces.iter().filter(|face| face.is_initialised).count(), 1);
    token.init(None, "two", SoPin::Drawn, pin(&long)).unwrap();
}

#[test]
fn a_wrong_pin_is_tried_once_and_says_what_the_token_says() {
    let scratch = Scratch::new();
    let softhsm = SoftHsm::token(&scratch, "one", PIN);
    let shim = Shim::before(&scratch, "one", MODULE, &[]);
    let mut token = start("one", &softhsm, &shim.module());
    token.select(&softhsm.serial(&scratch)).unwrap();
    assert_eq!(token.login(pin("999999")).unwrap(), Login::Refused(TriesLeft::Low));
    assert_eq!(shim.counts()["C_Login"], 1);
    assert_eq!(
        words(token.store(&object("x"), b"x")),
        format!("{} is not logged in; stopped while storing an object", named(&mut token))
    );
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
    drop(token);
    // A token that is locked.
    shim.rules(MODULE, &["C_Login every before return 0xa4"]);
    let mut token = start("one", &softhsm, &shim.module());
    token.select(&softhsm.serial(&scratch)).unwrap();
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Refused(TriesLeft::Locked));
    assert_eq!(shim.counts()["C_Login"], 1);
}

#[test]
fn two_tokens_with_one_label_are_an_error_that_names_both() {
    let scratch = Scratch::new();
    let elsewhere = Scratch::new();
    let one = SoftHsm::token(&scratch, "one", PIN);
    let two = SoftHsm::token(&elsewhere, "one", PIN);
    let first = one.serial(&scratch);
    let second = two.serial(&elsewhere);
    copy(&two.tokens(), &one.tokens());
    let mut token = start("one", &one, Path::new(MODULE));
    assert_eq!(
        words(token.select(&first)),
        format!("two tokens have the label `one`: serials {first} and {second} [TOKEN-ONE]")
    );
    assert_eq!(words(token.select("77")), "no token with serial 77 is present");
}

#[test]
fn every_algorithm_signs_in_batches_and_each_signature_verifies() {
    let scratch = Scratch::new();
    let mut token = fresh(&scratch, "one");
    for (algorithm, scheme) in [
        (P256, Scheme::EcdsaRaw(Hash::Sha256)),
        (Algorithm::EcdsaP384, Scheme::EcdsaDer(Hash::Sha384)),
        (Algorithm::Ed25519, Scheme::Ed25519),
        (Algorithm::Rsa(3072), Scheme::RsaPss),
        (Algorithm::Rsa(4096), Scheme::RsaPss),
    ] {
        let made = token.generate(Purpose::Root, algorithm, &algorithm.to_string()).unwrap();
        assert_eq!(made.wrap, WrapTrial::Refused);
        let count: u32 = if matches!(algorithm, Algorithm::Rsa(_)) { 3 } else { 300 };
        let messages: Vec<_> = (0..count).map(|n| n.to_be_bytes().repeat(2000)).collect();
        let inputs: Vec<_> = messages.iter().map(|message| scheme.to_sign(message)).collect();
        let raw = token.sign(&made.key, &inputs).unwrap();
        for (message, raw) in messages.iter().zip(&raw) {
            let signature = scheme.encode(algorithm, raw).unwrap();
            made.key.public.verify(scheme, message, &signature).unwrap();
        }
        let wrong = match algorithm {
            Algorithm::Ed25519 => Scheme::RsaPss.to_sign(b"x"),
            _ => Scheme::Ed25519.to_sign(b"x"),
        };
        assert!(
            words(token.sign(&made.key, &[wrong]))
                .ends_with(&format!("cannot do that kind of signature with a key of {algorithm}"))
        );
    }
    assert_eq!(token.keys().unwrap().len(), 5);
}

#[test]
fn a_batch_costs_one_init_and_one_sign_each_and_nothing_else() {
    let scratch = Scratch::new();
    let softhsm = SoftHsm::empty(&scratch, "one");
    let shim = Shim::before(&scratch, "one", MODULE, &[]);
    let mut token = start("one", &softhsm, &shim.module());
    token.init(None, "one", SoPin::Drawn, pin(PIN)).unwrap();
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
    let made = token.generate(Purpose::Root, P256, "root").unwrap();
    let input = Scheme::EcdsaRaw(Hash::Sha256).to_sign(b"x");
    token.sign(&made.key, std::slice::from_ref(&input)).unwrap();
    let before = shim.calls().len();
    token.sign(&made.key, &vec![input; 700]).unwrap();
    let calls = shim.calls();
    let loop_calls: Vec<_> = calls[before..].iter().map(|call| call.name.as_str()).collect();
    assert_eq!(loop_calls, ["C_SignInit", "C_Sign", "C_Sign"].repeat(700));
    drop(token);
    assert_eq!(shim.calls().last().map(|call| call.name.as_str()), Some("C_Finalize"));
}

#[test]
fn keys_are_seen_without_a_login_and_used_only_with_one() {
    let scratch = Scratch::new();
    let mut token = fresh(&scratch, "one");
    let made = token.generate(Purpose::Attest, P256, "attest").unwrap();
    let sign = |token: &mut Token, key: &KeyRef| {
        token.sign(key, &[Scheme::EcdsaRaw(Hash::Sha256).to_sign(b"x")])
    };
    sign(&mut token, &made.key).unwrap();
    token.logout().unwrap();
    let seen = token.keys().unwrap();
    assert!(seen.len() == 1 && seen[0].label == "attest" && seen[0].key == made.key);
    let id = data_encoding::HEXLOWER.encode(&made.key.id);
    assert_eq!(
        words(sign(&mut token, &made.key)),
        format!("{} is not logged in; stopped while signing", named(&mut token))
    );
    // Another key under the same id is another key.
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
    let other = token.generate(Purpose::Attest, P256, "other").unwrap();
    let mixed = KeyRef { id: made.key.id.clone(), public: other.key.public };
    assert_eq!(
        words(sign(&mut token, &mixed)),
        format!("{} does not hold the key {id} [TOKEN-KEY]", named(&mut token))
    );
    token.destroy(&made.key).unwrap();
    assert!(words(sign(&mut token, &made.key)).ends_with("[TOKEN-KEY]"));
}

#[test]
fn a_label_is_used_once_and_a_key_does_one_thing() {
    let scratch = Scratch::new();
    let mut sealer = Sealer::new(&scratch, "one");
    let name = named(&mut sealer.token);
    assert_eq!(
        words(sealer.token.generate(Purpose::Root, P256, "seal")),
        format!("{name} already holds a key with the label or id of `seal` [TOKEN-KEY-TAKEN]")
    );
    assert_eq!(
        words(sealer.token.generate(Purpose::Seal, Algorithm::Ed25519, "other")),
        format!("{name} cannot do key agreement with a key that is not P-256")
    );
    let signed = sealer.token.sign(&sealer.key, &[Scheme::EcdsaRaw(Hash::Sha256).to_sign(b"x")]);
    assert!(words(signed).starts_with(&format!("{name} cannot do signing")));
    let root = sealer.token.generate(Purpose::Root, P256, "root").unwrap();
    let agreed = sealer.token.agree(&root.key, &sealer.to.point());
    assert!(words(agreed).starts_with(&format!("{name} cannot do agreeing")));
}

#[test]
fn a_sealing_key_proves_itself_on_a_challenge() {
    let scratch = Scratch::new();
    let (mut sealer, mut other) = (Sealer::new(&scratch, "one"), Sealer::new(&scratch, "two"));
    let mut vault = vault();
    let sealed = vault.challenge(&sealer.to).unwrap();
    let asked = vault.asked(&sealed, &sealer.to).unwrap();
    let agreed = sealer.token.answer((&sealer.key, &sealer.to), &asked).unwrap();
    vault.meet(&sealed, &sealer.to, &agreed).unwrap();
    assert_eq!(
        words(vault.meet(&sealed, &sealer.to, &agreed)),
        "the token opened the challenge to something else than was sealed [TOKEN-SEAL]"
    );
    // Another token agrees on something else.
    let sealed = vault.challenge(&sealer.to).unwrap();
    let wrong = other.token.answer((&other.key, &other.to), &asked).unwrap();
    assert_eq!(
        words(vault.meet(&sealed, &sealer.to, &wrong)),
        "the sealed file is damaged, or its token agreed on another secret [TOKEN-SEAL]"
    );
    let mut off = asked.point;
    off[64] ^= 1;
    assert_eq!(
        words(sealer.token.agree(&sealer.key, &off)),
        format!("{} refused the point to agree with (CKR_GENERAL_ERROR)", named(&mut sealer.token))
    );
}

#[test]
fn objects_are_private_named_once_and_deleted() {
    let scratch = Scratch::new();
    let mut token = fresh(&scratch, "one");
    let name = named(&mut token);
    let value: Vec<u8> = (0..40_000u32).map(|n| n as u8).collect();
    token.store(&object("share 1"), &value).unwrap();
    assert_eq!(token.objects().unwrap(), [object("share 1")]);
    assert_eq!(token.read("share 1").unwrap(), value);
    assert_eq!(
        words(token.store(&object("share 1"), b"other")),
        format!("{name} already holds an object `share 1` [TOKEN-OBJECT-TAKEN]")
    );
    token.logout().unwrap();
    assert!(words(token.read("share 1")).contains("is not logged in"));
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
    token.delete("share 1").unwrap();
    assert_eq!(words(token.read("share 1")), format!("{name} holds no object `share 1`"));
}

#[test]
fn a_token_gives_random_bytes() {
    let scratch = Scratch::new();
    let mut token = fresh(&scratch, "one");
    let (a, b) = (token.random(64).unwrap(), token.random(64).unwrap());
    assert!(a.len() == 64 && !a.matches(&b));
}

#[test]
fn what_the_device_says_is_told_in_words_with_its_name() {
    let scratch = Scratch::new();
    let softhsm = SoftHsm::token(&scratch, "one", PIN);
    let serial = softhsm.serial(&scratch);
    let shim = Shim::before(&scratch, "one", MODULE, &[]);
    let name = format!("token `one` (serial {serial})");
    for (rule, told) in [
        ("0x32", "was removed while making ecdsa-p256 key `k`"),
        ("0xe0", "was removed while making ecdsa-p256 key `k`"),
        ("0x30", "failed while making ecdsa-p256 key `k` (CKR_DEVICE_ERROR)"),
        ("0x31", "is full; stopped while making ecdsa-p256 key `k`"),
        ("0x70", "cannot do making ecdsa-p256 key `k`"),
        ("0xe2", "is write-protected"),
        ("0x80000001", "failed while making ecdsa-p256 key `k` (return value 0x00000001)"),
    ] {
        shim.rules(MODULE, &[&format!("C_GenerateKeyPair 1 before return {rule}")]);
        let mut token = start("one", &softhsm, &shim.module());
        token.select(&serial).unwrap();
        assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
        let told_now = words(token.generate(Purpose::Root, P256, "k"));
        let tail = told_now.strip_prefix(&format!("{name} ")).unwrap_or(&told_now).to_owned();
        if rule != "0x80000001" {
            assert_eq!(tail, told, "{rule}");
        } else {
            assert!(tail.contains("(return value 0x"), "{tail}");
        }
    }
}

#[test]
fn a_module_that_is_none_is_told_in_words() {
    let scratch = Scratch::new();
    for (path, because) in [
        ("/nowhere.so", "there is no such file"),
        ("/usr/lib", "invalid input parameter"),
        ("/etc/passwd", "it is no library that this machine can load"),
        ("/lib/x86_64-linux-gnu/libc.so.6", "it is no PKCS#11 module"),
    ] {
        let driver = officiant::child::token::Driver::Module {
            module: path.into(),
            sha256: None,
            softhsm: None,
            needs: Box::default(),
            uri: None,
        };
        let error = Token::start(&super::launch("one"), &driver).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Token(pkcs11::Error::Module { .. })));
        let told = error.refusal("").to_string();
        assert_eq!(told, format!("the module `{path}` cannot be loaded ({because})"));
    }
    drop(scratch);
}

fn object(label: &str) -> Object {
    Object { label: label.to_owned(), application: "officiant share".to_owned() }
}

/// Copies the files and folders in `from` into `to`.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
