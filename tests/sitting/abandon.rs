//! Unfinished ceremonies that nobody goes on with.

use officiant::{digest::Digest, root::Dialect};

use std::fs;

use super::genesis::{in_shares, on_tokens};
use super::refused::files;
use super::rotate::after_genesis;
use super::{Bench, PlanText, bench::today};
use crate::harness::command::flat;
use crate::harness::command::{command, run};
use jiff::ToSpan;

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];

/// Writes a plan that abandons the ceremony of the number before, and names its work folder in room.toml; and the trust
/// folder of the one before that, if the plan follows it.
pub(super) fn write_abandon(bench: &Bench, after: Option<&str>) {
    let n = bench.number;
    let left = std::fs::read(bench.path(&format!("plan-{}.toml", n - 1))).unwrap();
    let (from, until) = (today().yesterday().unwrap(), today().checked_add(3.days()).unwrap());
    let trust =
        after.map_or_else(String::new, |_| format!("trust = \"media/out-{}a/trust\"\n", n - 2));
    let after = after.map_or_else(String::new, |after| format!("after = \"{after}\"\n"));
    let plan = format!(
        "ceremony = \"abandon\"\ntitle = \"Closing what stopped\"\ndialect = \"{}\"\nquorum_people = 1\n\
         practice = true\n{after}[when]\nfrom = {from}\nuntil = {until}\n[abandon]\nplan = \"{}\"\n",
        bench.dialect,
        Digest::of(&left)
    );
    bench.scratch.file(&format!("plan-{n}.toml"), plan);
    let room = bench.path(&format!("room-{n}.toml"));
    let text = std::fs::read_to_string(&room).unwrap();
    let text = text.lines().filter(|line| !line.starts_with("trust"));
    let text: Vec<&str> = text.collect();
    let text = text.join("\n");
    std::fs::write(&room, format!("{trust}unfinished = \"work-{}\"\n{text}\n", n - 1)).unwrap();
}

#[test]
fn an_abandoned_genesis_leaves_no_key_and_its_tokens_serve_the_next_one() {
    let mut bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bench.write_room(&TOKENS);
    bench.write_plan(&on_tokens());
    // The third officer enrols and then leaves before the key is made.
    bench.write_answers(&TOKENS, "\"second-reader\" = \"maybe\"\n");
    assert_eq!(bench.conduct().code(), 1);
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    write_abandon(&bench, None);
    let ran = bench.conduct().ok();
    assert!(ran.stdout.contains("closed 0001-abandon"), "{}", ran.stdout);
    assert!(ran.stderr.contains("key root-c is gone from token officer-c"), "{}", ran.stderr);
    let custody = std::fs::read_to_string(bench.trust(2).join("custody.json")).unwrap();
    assert!(custody.contains("officer-c") && !custody.contains("root-c"), "{custody}");
    let verified = bench.officiant(&["verify", "media/out-2a/trust"]).ok();
    assert!(verified.stdout.contains("0001-abandon"), "{}", verified.stdout);
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&PlanText { after: Some(bench.closing(2)), ..on_tokens() });
    bench.conduct().ok();
}

#[test]
fn a_split_that_was_abandoned_leaves_no_share() {
    let tokens = ["share-1", "share-2", "share-3", "share-4", "share-5"];
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&tokens);
    bench.write_plan(&in_shares());
    bench.write_answers(&tokens, "\"second-reader\" = \"maybe\"\n");
    assert_eq!(bench.conduct().code(), 1);
    bench.next_room();
    bench.write_room(&tokens);
    bench.write_answers(&tokens, "");
    write_abandon(&bench, None);
    bench.conduct().ok();
    let left = std::fs::read_dir(bench.path("media/room-1/custody")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    let mut left: Vec<_> = left.iter().map(|name| name.to_str().unwrap()).collect();
    left.sort_unstable();
    assert_eq!(left, ["pins-0001-abandoned.jsonl", "pins-0001.jsonl", "tokens"]);
}

#[test]
fn a_ceremony_in_which_a_token_meant_to_sign_is_not_abandoned_before_its_roots_are_complete() {
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_plan(&on_tokens());
    bench.write_answers(&TOKENS, "\"consent officer-b\" = \"no no no no\"\n");
    assert_eq!(bench.conduct().code(), 1);
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    write_abandon(&bench, None);
    let refused = bench.conduct();
    assert_eq!(refused.code(), 1);
    assert_eq!(
        refused.stderr,
        "error: a token of the unfinished ceremony meant to sign already, and its roots are not complete [ABANDON-INTENDED]\n\
         hint: `resume` until enough keys signed: what is complete and unwanted stays in the room, and the next version follows it\n\
         nothing was signed and nothing was written\n"
    );
}

#[test]
fn another_ceremony_than_the_plan_names_is_not_abandoned() {
    let mut bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bench.write_room(&TOKENS);
    let plan = bench.write_plan(&on_tokens());
    bench.write_answers(&TOKENS, "\"second-reader\" = \"maybe\"\n");
    assert_eq!(bench.conduct().code(), 1);
    let found = Digest::of(&std::fs::read(plan).unwrap());
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    write_abandon(&bench, None);
    let plan = bench.path("plan-2.toml");
    let text = std::fs::read_to_string(&plan).unwrap();
    std::fs::write(&plan, text.replace(&found.to_string(), &Digest::of(b"").to_string())).unwrap();
    let what = format!(
        "the unfinished ceremony is of plan {found}, which this plan does not name [ABANDON-PLAN]"
    );
    bench.refuses(1, &what, "name its plan and its `after` in the plan to abandon it");
}

#[test]
fn an_abandon_that_stopped_is_resumed_and_not_abandoned() {
    let mut bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bench.write_room(&TOKENS);
    bench.write_plan(&on_tokens());
    bench.write_answers(&TOKENS, "\"second-reader\" = \"maybe\"\n");
    assert_eq!(bench.conduct().code(), 1);
    bench.next_room();
    bench.write_room(&TOKENS);
    // Nobody answers for the other two.
    bench.write_answers(&["officer-a"], "");
    write_abandon(&bench, None);
    assert_ne!(bench.conduct().code(), 0);
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    write_abandon(&bench, None);
    bench.refuses(
        1,
        "the unfinished ceremony is itself an abandon [ABANDON-PLAN]",
        "`resume` finishes it",
    );
}

#[test]
fn an_old_copy_of_the_work_folder_destroys_no_key_that_signed_since() {
    let mut bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bench.write_room(&TOKENS);
    bench.write_plan(&on_tokens());
    bench.write_answers(&TOKENS, "\"second-reader\" = \"maybe\"\n");
    assert_eq!(bench.conduct().code(), 1);
    // Somebody keeps a copy, and the ceremony is finished.
    let mut copy = command("cp", bench.scratch.path());
    run(copy.args(["-r", "work-1", "old"])).ok();
    bench.write_answers(&TOKENS, "");
    bench.resume().ok();
    std::fs::remove_dir_all(bench.path("work-1")).unwrap();
    std::fs::rename(bench.path("old"), bench.path("work-1")).unwrap();
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    write_abandon(&bench, None);
    let keys = files(&bench.path("tokens"));
    let ran = bench.conduct();
    assert_eq!(ran.code(), 1, "{}", ran.stderr);
    let told = "error: token `officer-a` has signed in a ceremony that the trust folder and this record do not have [TRUST-BEHIND-TOKEN]\n";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    let left = files(&bench.path("tokens"));
    assert_eq!(keys.keys().collect::<Vec<_>>(), left.keys().collect::<Vec<_>>());
}

#[test]
fn a_complete_root_that_nobody_wants_stays_in_the_room_and_the_next_one_follows_it() {
    let shares = ["share-1", "share-2", "share-3", "share-4", "share-5"];
    let all: Vec<&str> = TOKENS.into_iter().chain(shares).collect();
    let mut bench = after_genesis(Dialect::Notary);
    let lay_out = |bench: &Bench, trust: &str| {
        let room = bench.write_room(&all);
        bench.write_answers(&all, "");
        let text = fs::read_to_string(&room).unwrap();
        let own = format!("media/out-{}a/trust", bench.number - 1);
        fs::write(room, text.replace(&own, trust)).unwrap();
    };
    // The old keys give way to one in shares. All signed, and then somebody finds out that it should not have been.
    lay_out(&bench, "media/out-1a/trust");
    let after = Some(bench.closing(1));
    let rotate = PlanText { ceremony: "rotate", after, roles: Vec::new(), ..in_shares() };
    bench.write_plan(&rotate);
    fs::remove_file(bench.path("media/out-2a/officiant-media")).unwrap();
    assert_eq!(bench.conduct().code(), 1);

    bench.next_room();
    lay_out(&bench, "media/out-1a/trust");
    write_abandon(&bench, Some(&bench.closing(1)));
    let ran = bench.conduct().ok();
    let told = "`localhost:5000/one`: root 2 is complete and unwanted: it stays in the room until root 3 follows it";
    let screen = flat(&ran.stderr);
    assert!(screen.contains(told), "{}", ran.stderr);
    let kept = |copy: u32| bench.path(&format!("media/room-{copy}/trust-0002-abandon"));
    let root = "metadata/localhost%3a5000%2fone/2.root.json";
    assert_eq!(fs::read(kept(1).join(root)).unwrap(), fs::read(kept(2).join(root)).unwrap());
    for out in ["media/out-3a", "media/out-3b"] {
        let there: Vec<_> = fs::read_dir(bench.path(out)).unwrap().collect();
        assert_eq!(there.len(), 1, "nothing but its marker goes out: {there:?}");
    }
    let folder = kept(1).display().to_string();
    bench.officiant(&["verify", &folder]).ok();
    let sums = fs::read(kept(1).join("ceremonies/0002-abandon/SHA256SUMS")).unwrap();

    // The server still is at root 1. What follows is root 3, signed by the shares of the unwanted root 2.
    bench.next_room();
    lay_out(&bench, "media/room-1/trust-0002-abandon");
    let first = fs::read(bench.trust(1).join(root.replace("2.root", "1.root"))).unwrap();
    let request = bench.write_request(&[("localhost:5000/one".to_owned(), vec![first])].into());
    let renew = PlanText {
        ceremony: "renew",
        after: Some(Digest::of(&sums).to_string()),
        keys: Vec::new(),
        roles: Vec::new(),
        ..in_shares()
    };
    bench.lay_plan(&bench.plan_toml(&renew, request), &[]);
    bench.conduct().ok();
    let metadata = bench.trust(4).join("metadata/localhost%3a5000%2fone");
    assert_eq!(fs::read_dir(metadata).unwrap().count(), 3);
    let verified = bench.officiant(&["verify", "media/out-4a/trust"]).ok();
    assert!(verified.stdout.contains("0003-renew"), "{}", verified.stdout);
}
