//! Tokens of which a weakness is known: told, recorded, and no key made where it would be weak from the start.

use officiant::{ceremony::fact::Fact, record::Body, root::Dialect};

use super::bad_answer::waits_at;
use super::genesis::on_one_token;
use super::{Bench, Holding, PlanText};
use crate::harness::{
    command::{flat, run},
    media::may_mount,
    scratch::Scratch,
    shim::Shim,
    softhsm::MODULE,
    yubikey::Readers,
};

const EUCLEAK: &str = "YSA-2024-03 (CVE-2024-45678, EUCLEAK), 2024-09-03: whoever has it in hands, with a laboratory \
                       and its PIN, can find its ECDSA keys while it signs";

fn bind(bench: &Bench) {
    bench.write_room_bound(&["officer-a"], |_| ("yubikey = 1001\n".to_owned(), String::new()));
    bench.write_answers(&["officer-a"], "");
}

#[test]
fn a_known_weakness_of_a_token_is_told_wherever_its_firmware_is_known() {
    if !may_mount("a_known_weakness_of_a_token_is_told_wherever_its_firmware_is_known") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, 1001, "5.4.3");
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bind(&bench);
    bench.write_plan(&on_one_token());
    let screen = flat(&run(&mut readers.beside(&bench.conducting())).ok().stderr);
    assert!(screen.contains(&format!("token officer-a, firmware 5.4.3: {EUCLEAK}")), "{screen}");
    let key = format!("key root-a on token officer-a, firmware 5.4.3: {EUCLEAK}");
    assert!(screen.contains(&key), "{screen}");
    let record = bench.record();
    let advised: Vec<_> = record
        .entries()
        .iter()
        .filter_map(|entry| match &entry.body {
            Body::Done { fact: Fact::KeyMade { advised, .. } } => Some(advised.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(advised, [["YSA-2024-03 (CVE-2024-45678, EUCLEAK)"]]);
    let told =
        |arguments: &[&str]| flat(&run(&mut readers.beside(&bench.command(arguments))).ok().stdout);
    let report = told(&["report", "media/out-1a"]);
    let made = format!("Key `root-a` was made on a token with a known weakness: {EUCLEAK}.");
    assert!(report.contains(&made), "{report}");
    let token = format!("Token `officer-a`, firmware 5.4.3: {EUCLEAK}.");
    let custody = told(&["custody", "media/out-1a"]);
    assert!(custody.contains("What is known of these tokens, until 2026-11-27"), "{custody}");
    assert!(custody.contains(&token), "{custody}");
    let shown = told(&["token", "show", "officer-a", "--room", "room-1.toml"]);
    assert!(shown.contains(&format!("weakness {EUCLEAK}")), "{shown}");
    let verified = told(&["verify", "media/out-1a"]);
    assert!(verified.contains(&made), "{verified}");
    bench.next_room();
    bind(&bench);
    let (keys, roles, after) = (Vec::new(), Vec::new(), Some(bench.closing(1)));
    bench.write_plan(&PlanText { ceremony: "renew", after, keys, roles, ..on_one_token() });
    let checked = bench.officiant(&["check", "plan-2.toml", "--trust", "media/out-1a"]);
    let checked = flat(&checked.ok().stdout);
    assert!(checked.contains(&token), "{checked}");
}

/// SoftHSM that says of itself what the module of an old YubiKey says.
#[test]
fn no_rsa_key_is_made_on_a_token_that_makes_weak_ones() {
    let scratch = Scratch::new();
    let says = [
        "C_GetTokenInfo every after model Yubico_(www.yubico.com) YubiKey_YK4",
        "C_GetTokenInfo every after firmware 4 34",
    ];
    let shim = Shim::before(&scratch, "one", MODULE, &says);
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room_with(&["officer-a"], shim.module().to_str().unwrap());
    bench.write_answers(&["officer-a"], "");
    let keys = vec![("root-a", "rsa-3072", Holding::Token("officer-a"))];
    bench.write_plan(&PlanText { keys, ..on_one_token() });
    let told = "key root-a on token officer-a, firmware 4.34: YSA-2017-01 (CVE-2017-15361, ROCA), 2017-10-16: \
                whoever has the public half of an RSA key that it made can find the private one [TOKEN-ADVISORY]";
    let hint = "make a key of another algorithm in the plan, or use a token of other firmware";
    bench.stops(|| bench.conduct(), 1, [told, hint, &waits_at(6)]);
    // Its attest key alone, and that is of another kind.
    assert_eq!(shim.counts()["C_GenerateKeyPair"], 1);
}
