//! Inputs that are something else when they are read again: what was read first is checked, shown, signed and published.

use std::{collections::BTreeMap, fs};

use officiant::{digest::Digest, root::Dialect};

use super::Bench;
use super::refused::files;
use super::rotate::{after_genesis, renewal};
use crate::harness::{
    command::{command, run},
    lying::LyingMedium,
    media::may_mount,
};

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];
/// Whoever opens a file a second time reads other bytes.
const AGAIN: [&str; 1] = ["open every flip"];

/// A bench after its first ceremony, with everything for the second but the plan.
fn bench() -> Bench {
    let bench = after_genesis(Dialect::Notary);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench
}

/// What the second ceremony published is the plan, the request and the past as they were.
#[track_caller]
fn is_as_read(bench: &Bench, plan: &[u8], request: Digest, past: &BTreeMap<String, Vec<u8>>) {
    let own = bench.trust(2).join("ceremonies/0002-renew");
    assert_eq!(fs::read(own.join("plan.toml")).unwrap(), plan);
    assert_eq!(Digest::of(&fs::read(own.join("request/SHA256SUMS")).unwrap()), request);
    let new = files(&bench.trust(2));
    let changes = |path: &str| path == "custody.json";
    assert!(past.iter().all(|(path, bytes)| changes(path) || new.get(path) == Some(bytes)));
    assert!(past.len() > 10, "{past:?}");
    bench.officiant(&["verify", "media/out-2a/trust"]).ok();
}

#[test]
fn media_that_answer_otherwise_the_second_time_are_asked_once() {
    if !may_mount("media_that_answer_otherwise_the_second_time_are_asked_once") {
        return;
    }
    let bench = bench();
    let inward = LyingMedium::new(&bench.scratch, "media/in-2", &AGAIN);
    bench.scratch.file("media/in-2/officiant-media", "in\n");
    let request = bench.write_request(&bench.published());
    let plan = bench.plan_toml(&renewal(&bench), request);
    // Plan and trust folder lie on a medium of their own.
    let past = LyingMedium::new(&bench.scratch, "media/past", &AGAIN);
    bench.scratch.file("media/past/plan.toml", &plan);
    let trust = files(&bench.trust(1));
    run(command("cp", bench.scratch.path()).arg("-r").arg(bench.trust(1)).arg(past.path())).ok();
    let room = fs::read_to_string(bench.path("room-2.toml")).unwrap();
    let room = room.replace("media/out-1a/trust", "media/past/trust");
    bench.scratch.file("room-2.toml", room);
    let mut conduct = command(env!("CARGO_BIN_EXE_officiant"), bench.scratch.path());
    conduct.args(["conduct", "media/past/plan.toml", "--room", "room-2.toml"]);
    run(conduct.args(["--answers", "answers-2.toml"])).ok();
    is_as_read(&bench, plan.as_bytes(), request, &trust);
    // They do lie: nobody is told the same again.
    let sums = fs::read(inward.path().join("request/SHA256SUMS")).unwrap();
    assert_ne!(Digest::of(&sums), request);
    assert_ne!(fs::read(past.path().join("plan.toml")).unwrap(), plan.as_bytes());
    assert_ne!(files(&past.path().join("trust")), trust);
}

#[test]
fn inputs_that_are_exchanged_while_the_ceremony_is_held_change_nothing() {
    let bench = bench();
    let request = bench.write_request(&bench.published());
    let plan = bench.plan_toml(&renewal(&bench), request);
    bench.lay_plan(&plan, &[]);
    let past = files(&bench.trust(1));
    bench.write_answers(&TOKENS, "\"second-reader\" = \"perhaps\"\n");
    assert_eq!(bench.conduct().code(), 1);
    bench.write_answers(&TOKENS, "");
    // Another request, another plan, and no past.
    let mut other = bench.request(&bench.published());
    other.server = "https://localhost:4444".to_owned();
    let other = bench.lay_request(&other);
    assert_ne!(other, request);
    bench.lay_plan(&plan.replace(&request.to_string(), &other.to_string()), &[]);
    fs::remove_dir_all(bench.trust(1)).unwrap();
    bench.resume().ok();
    is_as_read(&bench, plan.as_bytes(), request, &past);
}
