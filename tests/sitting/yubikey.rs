//! Ceremonies with keys on virtual YubiKeys.

use std::fs;

use officiant::root::Dialect;

use super::genesis::on_one_token;
use super::{Bench, Holding, PlanText};
use crate::harness::{
    command::{Ran, run},
    media::may_mount,
    yubikey::Readers,
};

/// Binds tokens to YubiKeys, which have their place in the list as serial.
fn bind(bench: &Bench, tokens: &[&str]) {
    let room = bench.write_room(tokens);
    let mut text = fs::read_to_string(&room).unwrap();
    for (serial, token) in (1001..).zip(tokens) {
        let soft = format!("module = \"soft\"\nsofthsm = \"tokens/{token}\"\n");
        text = text.replace(&soft, &format!("yubikey = {serial}\n"));
    }
    fs::write(room, text).unwrap();
}

fn conduct(readers: &Readers, bench: &Bench) -> Ran {
    run(&mut readers.beside(&bench.conducting()))
}

#[test]
fn a_yubikey_signs_a_first_root_and_the_next() {
    if !may_mount("a_yubikey_signs_a_first_root_and_the_next") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, 1001, "5.7.1");
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let tokens = ["officer-a"];
    bind(&bench, &tokens);
    bench.write_answers(&tokens, "");
    bench.write_plan(&on_one_token());
    let ran = conduct(&readers, &bench).ok();
    assert!(ran.stdout.contains("closed 0001-genesis"), "{}", ran.stdout);
    assert_eq!(bench.shape("repo.test", 1), "1 of root-a, signed by root-a");
    let (_other, tokens) = (readers.put_in(1, 1002, "5.4.3"), ["officer-a", "officer-b"]);
    bench.next_room();
    bind(&bench, &tokens);
    bench.write_answers(&tokens, "");
    bench.write_plan(&PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(1)),
        keys: vec![("root-b", "ecdsa-p256", Holding::Token("officer-b"))],
        root: vec!["root-a", "root-b"],
        threshold: 2,
        roles: Vec::new(),
        ..on_one_token()
    });
    conduct(&readers, &bench).ok();
    assert_eq!(bench.shape("repo.test", 2), "2 of root-a root-b, signed by root-a root-b");
}
