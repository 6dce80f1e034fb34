//! What a token says that it meant to sign, when it is not what this ceremony or an earlier one meant.

use std::fs;

use jiff::ToSpan;
use officiant::{digest::Digest, root::Dialect};

use super::Bench;
use super::bad_answer::waits_at;
use super::bench::today;
use super::equivocation::{after_two, dead_after_intent, lay_out, renewal};
use super::genesis::on_one_token;
use crate::harness::{scratch::Scratch, shim::Shim, softhsm::MODULE};

const APPLICATION: &str = "officiant intent";
const NEVER: &str = "a version once meant is never signed with other bytes";

/// Puts another intent in the place of the first one of the token.
fn replace(bench: &Bench, intent: &str) {
    bench.replace("officer-a", (APPLICATION, "1"), intent.as_bytes());
}

#[test]
fn a_token_that_meant_to_sign_something_else_in_this_ceremony_signs_nothing() {
    let bench = dead_after_intent();
    let own = String::from_utf8(bench.stored("officer-a", "officiant intent 1")).unwrap();
    let mut intent: serde_json::Value = serde_json::from_str(&own).unwrap();
    intent["consent"] = Digest::of(b"something else").to_string().into();
    replace(&bench, &intent.to_string());
    let told = "token `officer-a` was to sign something else in this ceremony [ROOT-EQUIVOCATION]";
    bench.stops(|| bench.resume(), 1, [told, NEVER, &waits_at(9)]);
    // As it was, it signs.
    replace(&bench, &own);
    bench.resume().ok();
}

#[test]
fn a_token_whose_intent_cannot_be_read_signs_nothing() {
    let bench = dead_after_intent();
    let own = String::from_utf8(bench.stored("officer-a", "officiant intent 1")).unwrap();
    let told = "token `officer-a` stores an intent that cannot be read [TRUST-BEHIND-TOKEN]";
    let hint = "somebody wrote to this token: leave it out, and find out who";
    for unreadable in [
        "intent",
        // A field of nobody knows which version.
        &own.replace("{\"", "{\"also\":1,\""),
        &own.replace("\"head\":", "\"heads\":"),
    ] {
        assert_ne!(own, unreadable);
        replace(&bench, unreadable);
        bench.stops(|| bench.resume(), 1, [told, hint, &waits_at(9)]);
    }
}

#[test]
fn a_token_that_does_not_give_back_its_intent_signs_nothing() {
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "one", MODULE, &[]);
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room_with(&["officer-a"], shim.module().to_str().unwrap());
    bench.write_answers(&["officer-a"], "");
    bench.write_plan(&on_one_token());
    let saved = bench.save();
    bench.conduct().ok();
    // The intent is the only object that is created. What is read next is the intent: its length, then its bytes.
    let calls = shim.calls();
    let before = calls.iter().take_while(|call| call.name != "C_CreateObject");
    let before = before.filter(|call| call.name == "C_GetAttributeValue").count();
    bench.restore(&saved);
    shim.rules(MODULE, &[&format!("C_GetAttributeValue {} after garbage", before + 2)]);
    let told =
        "token `officer-a` does not give back what it stored of its intent [TRUST-BEHIND-TOKEN]";
    let hint = "use another token: this one does not remember";
    bench.stops(|| bench.conduct(), 1, [told, hint, &waits_at(9)]);
    // Attest and root key proved themselves, the token said that it made the key, and no more.
    assert_eq!(shim.counts()["C_SignInit"], 3);
}

#[test]
fn a_version_that_a_hidden_root_has_already_is_not_made_a_second_time() {
    let bench = after_two();
    lay_out(&bench);
    // Somebody takes the second root out of folder and server, and makes every sum anew.
    fs::remove_file(bench.trust(2).join("metadata/repo.test/2.root.json")).unwrap();
    bench.resum(2);
    let request = bench.write_request(&bench.published());
    // Another expiry: the same bytes again would be the same root.
    let [same, other] = [25, 24].map(|days| today().checked_add(days.days()).unwrap());
    let plan = bench.plan_toml(&renewal(&bench, 2), request);
    let plan = plan.replace(&format!("expires = {same}"), &format!("expires = {other}"));
    bench.scratch.file("plan-3.toml", plan);
    let told =
        "`repo.test`: version 2 was meant to be something else in `0002-renew` [ROOT-EQUIVOCATION]";
    bench.stops(|| bench.conduct(), 1, [told, NEVER, &waits_at(7)]);
}
