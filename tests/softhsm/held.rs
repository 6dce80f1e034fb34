//! Tokens that make other keys than they were asked for.

use std::path::Path;

use officiant::{
    child::token::{Login, Purpose},
    key::Algorithm,
    refusal::Refusal,
};

use super::{PIN, pin, start};
use crate::harness::{
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
