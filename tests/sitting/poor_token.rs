//! Tokens that can do less: they store no data, or agree on no secret that can be read.

use officiant::{ceremony::fact::Fact, record::Body, root::Dialect, trust::Held};

use super::bad_answer::waits_at;
use super::genesis::in_shares;
use super::{Bench, Holding, PlanText};
use crate::harness::{command::Ran, scratch::Scratch, shim::Shim, softhsm::MODULE};

const TOKENS: [&str; 3] = ["share-1", "share-2", "share-3"];
const OTHER_MODEL: &str = "this kind of token cannot take this part: use another model";

/// A genesis with one key in shares, 2 of 3.
fn genesis() -> PlanText {
    PlanText { keys: vec![("root-s", "ecdsa-p256", Holding::Shares(2, &TOKENS))], ..in_shares() }
}

/// A bench for it, with a shim before its tokens.
fn bench(shim: &Shim) -> Bench {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room_with(&TOKENS, shim.module().to_str().unwrap());
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&genesis());
    bench
}

/// Whether each share lies on its token, as custody.json says.
fn on_token(bench: &Bench) -> Vec<bool> {
    let Held::Shares { shares, .. } = &bench.custody().keys[0].held else { panic!("no shares") };
    shares.iter().map(|share| share.on_token).collect()
}

#[test]
fn a_token_that_stores_nothing_leaves_its_share_in_the_custody_folder_and_the_report_says_so() {
    let scratch = Scratch::new();
    // Three shares, then the intents of the two that are opened: in the words of a module without the function, of YubiKey's and NSS', of an
    // older YubiKey's, and of one that takes no such template.
    let codes = ["0x54", "0x13", "0x12", "0xd1", "0x54"];
    let rules: Vec<String> = (1..)
        .zip(codes)
        .map(|(number, code)| format!("C_CreateObject {number} before return {code}"))
        .collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let shim = Shim::before(&scratch, "all", MODULE, &rules);
    let mut bench = bench(&shim);
    let screen = bench.conduct().ok().stderr;
    assert_eq!(shim.counts()["C_CreateObject"], codes.len());
    assert_eq!(on_token(&bench), [false; 3]);
    for token in TOKENS {
        let there = bench.tool(token, &["--list-objects", "--type", "data"]).stdout;
        assert_eq!(there, "", "{token}");
    }
    let record = bench.record();
    let facts = || {
        record.entries().iter().filter_map(|entry| match &entry.body {
            Body::Done { fact } => Some(fact),
            _ => None,
        })
    };
    let shares = facts().filter(|fact| matches!(fact, Fact::ShareStored { on_token: false, .. }));
    let intents = facts().filter(|fact| matches!(fact, Fact::Intended { stored: false, .. }));
    assert_eq!((shares.count(), intents.count()), (3, 2));
    // The words for the receipt, each time: those of the consent digest.
    let consent = facts().find_map(|fact| match fact {
        Fact::RootsDrafted { consent, .. } => Some(*consent),
        _ => None,
    });
    let receipt = "this token stores nothing: its custodian's receipt carries these words\n";
    let said: Vec<&str> = screen.split(receipt).skip(1).collect();
    let said = said.iter().filter(|after| after.contains(&consent.unwrap().grouped()[..39]));
    assert_eq!(said.count(), 2, "{screen}");
    let report = bench.report();
    let only = "lies in the custody folder only: its token stores no data.";
    let receipt = "what it meant to sign stands on its custodian's receipt alone.";
    for line in (1..=3)
        .map(|number| format!("- Share {number} of key `root-s` {only}"))
        .chain((1..=2).map(|number| format!("- Token `share-{number}` stores no data: {receipt}")))
    {
        assert!(report.contains(&line), "{line}\n{report}");
    }
    assert!(!report.contains("stored its intent"), "{report}");
    bench.officiant(&["verify", "media/out-1a/trust"]).ok();
    // The next ceremony opens them from the custody folder.
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&PlanText {
        ceremony: "renew",
        after: Some(bench.closing(1)),
        keys: Vec::new(),
        roles: Vec::new(),
        ..genesis()
    });
    bench.conduct().ok();
    assert_eq!(on_token(&bench), [false; 3]);
}

#[test]
fn a_token_that_cannot_agree_on_a_secret_takes_no_share() {
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "all", MODULE, &[]);
    let bench = bench(&shim);
    let saved = bench.save();
    bench.conduct().ok();
    // What is read after the first agreement is the secret: its length, then itself. Before come the
    // trials of the two keys: that of the attest key is refused.
    let calls = shim.calls();
    let agreed = calls.iter().enumerate().filter(|(_, call)| call.name == "C_DeriveKey").nth(2);
    let before = &calls[..agreed.unwrap().0];
    let length = before.iter().filter(|call| call.name == "C_GetAttributeValue").count() + 1;
    let cannot = "cannot do agreeing on a secret";
    let unreadable = "does not let the agreed secret be read";
    for (rule, why) in [
        (
            "C_GenerateKeyPair 2 before return 0x70",
            "cannot do making ecdsa-p256 key `share-1 seal`",
        ),
        ("C_DeriveKey 2 before return 0x54", cannot),
        ("C_DeriveKey 2 before return 0x68", cannot),
        ("C_DeriveKey 2 before return 0x70", cannot),
        ("C_DeriveKey 2 before return 0xd1", unreadable),
        (&format!("C_GetAttributeValue {length} before return 0x11"), unreadable),
    ] {
        bench.restore(&saved);
        shim.rules(MODULE, &[rule]);
        is_refused(&bench, &bench.conduct(), why);
    }
    // What it agrees on is something else.
    bench.restore(&saved);
    shim.rules(MODULE, &[&format!("C_GetAttributeValue {} after garbage", length + 1)]);
    let told = "token `share-1` does not agree as its sealing key should: the sealed file is damaged, or its token agreed on another secret [TOKEN-SEAL]";
    let hint = "enrol another token for the share";
    bench.stops(|| bench.conduct(), 1, [told, hint, &waits_at(5)]);
    // One that was taken out is not one that cannot.
    shim.rules(MODULE, &["C_DeriveKey 2 before return 0x32"]);
    let ran = bench.resume();
    let told = bench.told(&ran);
    let lines = format!(
        " was removed while agreeing on a secret\nhint: insert it and run `resume`\n{}\n",
        waits_at(5)
    );
    assert!(told.ends_with(&lines), "{told}");
    assert_eq!(ran.code(), 3);
    shim.rules(MODULE, &[]);
    bench.resume().ok();
    assert_eq!(on_token(&bench), [true; 3]);
}

/// The refusal of the first token, with the serial that stands on the screen, in its three lines.
#[track_caller]
fn is_refused(bench: &Bench, ran: &Ran, why: &str) {
    let told = bench.told(ran);
    let serial = told.split(", serial ").nth(1).unwrap().lines().next().unwrap();
    let what = format!("error: token `share-1` (serial {serial}) {why} [TOKEN-SEAL]");
    let lines = format!("{what}\nhint: {OTHER_MODEL}\n{}\n", waits_at(5));
    assert!(told.ends_with(&lines), "{lines}\n{told}");
    assert_eq!(ran.code(), 1);
}
