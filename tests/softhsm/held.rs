//! Tokens that make other keys than they were asked for.

use std::path::Path;

use officiant::{
    child::token::{Driver, Login, Purpose, Token},
    key::Algorithm,
    refusal::Refusal,
    room::{binding::Needs, token::Uri},
};

use super::{PIN, launch, pin, start};
use crate::harness::{
    command::{command, run},
    scratch::Scratch,
    shim::Shim,
    softhsm::{MODULE, SoftHsm},
};

#[test]
fn a_key_that_could_leave_its_token_is_destroyed_at_once() {
    let scratch = Scratch::new();
    let softhsm = SoftHsm::token(&scratch, "one", PIN);
    // Every attribute comes back turned over: what must be false is then true.
    let rules = ["C_GetAttributeValue every after garbage"];
    let shim = Shim::before(&scratch, "one", MODULE, &rules);
    let mut token = start("one", &softhsm, &shim.module());
    token.select(&softhsm.serial(&scratch)).unwrap();
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
    let refused = token.generate(Purpose::Root, Algorithm::EcdsaP256, "root").unwrap_err();
    let told = refused.refusal(Refusal::NOTHING_DONE).to_string();
    let what = "made key `root` with CKA_EXTRACTABLE = true, expected false [TOKEN-KEY-HELD]";
    assert!(told.ends_with(what), "{told}");
    drop(token);
    let mut token = start("one", &softhsm, Path::new(MODULE));
    token.select(&softhsm.serial(&scratch)).unwrap();
    assert_eq!(token.keys().unwrap().len(), 0);
}

/// NSS softokn makes a key that it says never leaves and only signs. It can be carried away; here nobody may try, and it
/// agrees on secrets all the same.
#[test]
fn a_key_that_does_more_than_it_was_made_for_is_destroyed_at_once() {
    let scratch = Scratch::new();
    let folder = scratch.folder("nss");
    let configured = format!("sql:{}", folder.display());
    let pin_file = scratch.file("pin", PIN);
    let mut certutil = command("certutil", scratch.path());
    run(certutil.args(["-N", "-d", &configured, "-f"]).arg(pin_file)).ok();
    let rules = ["C_WrapKey every before return 0x54"];
    let shim = Shim::before(&scratch, "one", NSS, &rules);
    let needs = Box::new(Needs {
        parameters: Some(format!(
            "configdir='{configured}' certPrefix='' keyPrefix='' secmod='secmod.db' flags="
        )),
        writes: vec![folder, shim.module().parent().unwrap().to_owned()],
        ..Needs::default()
    });
    let uri = Some(Uri::parse("pkcs11:token=NSS%20Certificate%20DB").unwrap());
    let driver = Driver::Module { module: shim.module(), sha256: None, softhsm: None, needs, uri };
    let mut token = Token::start(&launch("one"), &driver).unwrap();
    token.select("0000000000000000").unwrap();
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
    for purpose in [Purpose::Attest, Purpose::Root] {
        does_more(&mut token, purpose, "agree on a secret");
    }
    // What agrees and signs as well, too: this module says that it signed.
    let softhsm = SoftHsm::token(&scratch, "two", PIN);
    let signed = ["C_SignInit every before return 0x0", "C_Sign every before return 0x0"];
    let shim = Shim::before(&scratch, "two", MODULE, &signed);
    let mut token = start("two", &softhsm, &shim.module());
    token.select(&softhsm.serial(&scratch)).unwrap();
    assert_eq!(token.login(pin(PIN)).unwrap(), Login::Open);
    does_more(&mut token, Purpose::Seal, "sign");
}

#[track_caller]
fn does_more(token: &mut Token, purpose: Purpose, does: &str) {
    let refused = token.generate(purpose, Algorithm::EcdsaP256, "one").unwrap_err();
    let told = refused.refusal(Refusal::NOTHING_DONE).to_string();
    let what = format!(") lets key `one` {does}, which it was not made for [TOKEN-KEY-HELD]");
    assert!(told.ends_with(&what), "{told}");
    assert_eq!(token.keys().unwrap().len(), 0);
}

const NSS: &str = "/usr/lib/x86_64-linux-gnu/libsoftokn3.so";
