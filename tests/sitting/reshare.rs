//! Reshares: a key in shares gets a new set, over other holders and with another threshold; the key and all roots stay.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use jiff::ToSpan;
use officiant::ceremony::fact::Fact;
use officiant::record::{Body, Record};
use officiant::root::{Dialect, Role};
use officiant::trust::{Custody, Held};

use super::abandon::write_abandon;
use super::bench::today;
use super::chain::Chain;
use super::drill::{alone, put, statements};
use super::genesis::in_shares;
use super::on_paper::passphrase;
use super::{Bench, Holding, PIN, PlanText, Publisher};
use crate::harness::command::flat;
use crate::harness::command::{command, run};
use crate::harness::killer::Killer;

const OLD: [&str; 3] = ["share-1", "share-2", "share-3"];
const ALL: [&str; 4] = ["share-1", "share-2", "share-3", "share-4"];

/// A genesis with one key in shares, 2 of 3.
fn genesis() -> PlanText {
    PlanText { keys: vec![("root-s", "ecdsa-p256", Holding::Shares(2, &OLD))], ..in_shares() }
}

/// A room after it, before the next ceremony.
fn after_genesis() -> Bench {
    let mut bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bench.write_room(&OLD);
    bench.write_answers(&OLD, "");
    bench.write_plan(&genesis());
    bench.conduct().ok();
    bench.next_room();
    bench.write_room(&ALL);
    bench
}

/// Writes a plan that gives the key shares 3 of 4: two who have one, a new token and a new paper.
pub(super) fn write_reshare(bench: &Bench, key: &str, shares: &str) {
    let (from, until) = (today().yesterday().unwrap(), today().checked_add(3.days()).unwrap());
    let mut plan = format!(
        "ceremony = \"reshare\"\ntitle = \"Reshare\"\ndialect = \"{}\"\nquorum_people = 2\npractice = true\n\
         after = \"{}\"\n[when]\nfrom = {from}\nuntil = {until}\n",
        bench.dialect,
        bench.closing(bench.number - 1)
    );
    for (what, name) in [("token", "share-4"), ("paper", "sheet-a")] {
        let _ = write!(plan, "[[{what}]]\nname = \"{name}\"\ncustodian = \"seat of {name}\"\n");
    }
    let _ =
        write!(plan, "[[key]]\nname = \"{key}\"\nalgorithm = \"ecdsa-p256\"\nshares = {shares}\n");
    bench.scratch.file(&format!("plan-{}.toml", bench.number), plan);
}

pub(super) const NEW: &str =
    "{ threshold = 3, tokens = [\"share-1\", \"share-2\", \"share-4\"], papers = [\"sheet-a\"] }";

pub(super) fn custody(bench: &Bench, number: u32) -> Custody {
    serde_json::from_slice(&fs::read(bench.trust(number).join("custody.json")).unwrap()).unwrap()
}

#[test]
fn a_key_gets_a_new_set_over_other_holders_and_signs_with_it() {
    let mut bench = after_genesis();
    write_reshare(&bench, "root-s", NEW);
    // One of the old holders is not there, and need not be.
    bench.write_answers(&ALL, "\"insert share-1\" = \"\"\n\"insert share-3\" = \"absent ill\"\n");
    let ran = bench.conduct().ok();
    let words = passphrase(&ran.stderr, "sheet-a");
    let screen = flat(&ran.stderr);
    for said in [
        "it opens share 1 of 3 of key root-s.",
        "Let the machine rebuild key root-s and split it, 3 of 4. Nobody leaves.",
        "4 of 4 combinations tried, all give the key",
        "Nothing is to be published.",
    ] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    let (before, after) = (custody(&bench, 1), custody(&bench, 2));
    assert_eq!(before.keys[0].public, after.keys[0].public);
    assert_eq!(after.keys[0].former, [before.keys[0].held.clone()]);
    let Held::Shares { set: old, .. } = &before.keys[0].held else { panic!("no shares") };
    let Held::Shares { set, threshold: 3, shares } = &after.keys[0].held else { panic!("no set") };
    assert_ne!(old, set);
    let held: Vec<&str> = shares.iter().map(|share| share.holder.as_str()).collect();
    assert_eq!(held, ["share-1", "share-2", "share-4", "sheet-a"]);
    let told = format!(
        "set {old} still opens key root-s: any 2 of share-1, share-2 and share-3; it is dead once 2 of its 3 shares are destroyed in every copy"
    );
    assert!(bench.remarks().contains(&told), "{:?}", bench.remarks());
    let same = run(command("diff", bench.scratch.path())
        .args(["-r"])
        .args([bench.trust(1).join("metadata"), bench.trust(2).join("metadata")]));
    assert_eq!(same.code(), 0, "{}", same.stdout);
    bench.officiant(&["verify", "media/out-2a"]).ok();
    // The new set signs, without the third and with the paper.
    bench.next_room();
    bench.write_room(&ALL);
    bench.online.insert(Role::Targets, Publisher::new());
    bench.write_plan(&PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(2)),
        keys: Vec::new(),
        roles: vec![Role::Targets],
        ..in_shares()
    });
    let pins: String = ALL.iter().map(|token| format!("{token} = \"{PIN}\"\n")).collect();
    let text = format!(
        "[pin]\n{pins}sheet-a = \"{words}\"\n[answer]\n\"insert share-1\" = \"absent on a train\"\n"
    );
    bench.scratch.file("answers-3.toml", text);
    bench.conduct().ok();
    assert_eq!(bench.shape("localhost:5000/one", 2), "1 of root-s, signed by root-s");
}

#[test]
fn a_reshare_with_too_few_old_shares_is_refused_before_anything_is_made() {
    let bench = after_genesis();
    write_reshare(&bench, "root-s", NEW);
    let answers = "\"insert share-1\" = \"absent ill\"\n\"insert share-3\" = \"absent ill\"\n";
    bench.write_answers(&ALL, answers);
    let ran = bench.conduct();
    let what =
        "error: 1 of the 2 shares that rebuild key `root-s` can still be opened [QUORUM-PRESENT]\n";
    assert!(ran.stderr.contains(what) && ran.code() == 1, "{}", ran.stderr);
    bench.write_answers(&ALL, "");
    bench.resume().ok();
    assert_eq!(custody(&bench, 2).keys[0].former.len(), 1);
}

#[test]
fn a_reshare_that_stops_at_any_of_its_steps_is_finished_and_leaves_one_new_set() {
    for at in ["serial share-4", "scan sheet-a"] {
        let bench = after_genesis();
        let old = sets(&bench);
        write_reshare(&bench, "root-s", NEW);
        bench.write_answers(&ALL, &format!("\"{at}\" = \"absent\"\n"));
        let stopped = bench.conduct();
        assert_ne!(stopped.code(), 0, "{at}");
        let begun: Vec<String> =
            sets(&bench).into_iter().filter(|set| !old.contains(set)).collect();
        bench.write_answers(&ALL, "");
        let resumed = flat(&bench.resume().ok().stderr);
        // What was begun opens the key as any set does, and nobody is told that it is harmless.
        let again = "the new set of key root-s is made once more; `resume` goes on at step";
        assert_eq!(stopped.stderr.contains(again), !begun.is_empty(), "{at}: {}", stopped.stderr);
        for set in begun {
            let void = format!(
                "set {set} of key root-s is void: it was not finished, and another is made; what there is of it opens the key; destroy what was printed of it, and its passphrases"
            );
            assert!(resumed.contains(&void), "{at}: {resumed}");
            let told = format!(
                "set {set}, which was begun and not finished, opens key root-s: any 3 of share-1, share-2, share-4 and sheet-a; it is dead once 2 of its 4 shares are destroyed in every copy"
            );
            assert!(bench.remarks().contains(&told), "{at}: {:?}", bench.remarks());
        }
        let custody = custody(&bench, 2);
        assert_eq!(custody.keys[0].former.len(), 1, "{at}");
        let Held::Shares { set, .. } = &custody.keys[0].held else { panic!("no shares") };
        // No token stores a share of a set that became void.
        for token in ["share-1", "share-4"] {
            let listed = bench.tool(token, &["--list-objects", "--type", "data"]).stdout;
            let made = listed.matches("officiant share ").count();
            let known = 1 + usize::from(token == "share-1");
            assert_eq!(made, known, "{at}: {listed}");
            assert!(listed.contains(set.as_str()), "{at}: {listed}");
        }
        bench.officiant(&["verify", "media/out-2a"]).ok();
    }
}

/// The sets of which sealed shares lie in the work folder or came from the custody folder.
fn sets(bench: &Bench) -> Vec<String> {
    let folder = bench.path(&format!("work-{}/custody", bench.number));
    let Ok(found) = fs::read_dir(folder) else { return Vec::new() };
    let names = found.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.len() == 32).collect()
}

#[test]
fn an_abandoned_reshare_leaves_the_old_set_and_no_share_of_the_new_one() {
    let mut bench = after_genesis();
    write_reshare(&bench, "root-s", NEW);
    bench.write_answers(&ALL, "\"scan sheet-a\" = \"absent\"\n");
    assert_ne!(bench.conduct().code(), 0);
    let shares = |bench: &Bench, token: &str| {
        let listed = bench.tool(token, &["--list-objects", "--type", "data"]).stdout;
        listed.matches("officiant share ").count()
    };
    assert_eq!(["share-1", "share-2", "share-4"].map(|token| shares(&bench, token)), [2, 2, 1]);
    let after = bench.closing(1);
    bench.next_room();
    bench.write_room(&ALL);
    bench.write_answers(&ALL, "\"insert share-2\" = \"absent ill\"\n");
    write_abandon(&bench, Some(&after));
    let ran = bench.conduct().ok();
    assert_eq!(["share-1", "share-2", "share-4"].map(|token| shares(&bench, token)), [1, 2, 0]);
    let left =
        "share 2 of key root-s, which is not used, was NOT deleted: it may be on token share-2";
    assert!(bench.remarks().iter().any(|remark| remark == left), "{:?}", bench.remarks());
    let burn = "paper sheet-a carries share 4 of key root-s, which is not used: destroy it and its passphrase";
    assert!(flat(&ran.stderr).contains(burn), "{}", ran.stderr);
    assert_eq!(custody(&bench, 3).keys, custody(&bench, 1).keys);
}

#[test]
fn what_a_custodian_drilled_alone_of_the_old_set_stays_true_after_a_reshare() {
    let bench = after_genesis();
    assert!(alone(&bench, 1, "share-1", PIN).status.success());
    put(&bench, &statements(&bench)[0], 1);
    let proved = "share-1 proved alone that it holds share 1 of key root-s, on";
    let told = |folder: &str| {
        let ran = bench.officiant(&["verify", folder]).ok();
        assert!(flat(&ran.stdout).contains(proved), "{}", ran.stdout);
    };
    told("media/out-1a");
    write_reshare(&bench, "root-s", NEW);
    bench.write_answers(&ALL, "");
    bench.conduct().ok();
    told("media/out-2a");
}

#[test]
fn a_reshare_is_rehearsed_with_a_stand_in_of_the_old_set() {
    let bench = after_genesis();
    write_reshare(&bench, "root-s", NEW);
    let ran = bench.rehearse().ok();
    let screen = flat(&ran.stderr);
    assert!(screen.contains("4 of 4 combinations tried, all give the key"), "{screen}");
}

#[test]
fn a_reshare_of_what_is_not_in_shares_or_for_one_person_is_refused() {
    let bench = after_genesis();
    bench.write_answers(&ALL, "");
    let refused = |code: i32, what: &str| {
        let ran = bench.conduct();
        assert!(ran.stderr.contains(what) && ran.code() == code, "{what}: {}", ran.stderr);
    };
    write_reshare(&bench, "root-x", NEW);
    refused(2, "error: key `root-x` is not in shares, or no newest root lists it\n");
    write_reshare(&bench, "root-s", &NEW.replace("threshold = 3", "threshold = 1"));
    refused(
        1,
        "error: key `root-s`: 1 of 4 shares, expected 2 or more and at most all [SHARE-THRESHOLD]\n",
    );
    let plan = bench.path("plan-2.toml");
    let text = fs::read_to_string(&plan).unwrap();
    let text = text.replace("threshold = 1", "threshold = 2");
    fs::write(&plan, text.replace("quorum_people = 2", "quorum_people = 3")).unwrap();
    refused(1, "the plan asks for 3 [PLAN-QUORUM]\n");
}

/// The sets of which a token stores shares.
fn stored(bench: &Bench, token: &str) -> BTreeSet<String> {
    let listed = bench.tool(token, &["--list-objects", "--type", "data"]).stdout;
    let shares = listed.split("officiant share ").skip(1);
    shares.map(|rest| rest[..32].to_owned()).collect()
}

/// A room before a reshare 2 of 2 over those who have the old shares: nothing new is enrolled or printed.
fn before_one_among_themselves() -> Bench {
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let two = &OLD[..2];
    bench.write_room(two);
    bench.write_answers(two, "");
    bench.write_plan(&PlanText {
        keys: vec![("root-s", "ecdsa-p256", Holding::Shares(2, &["share-1", "share-2"]))],
        ..genesis()
    });
    bench.conduct().ok();
    bench.next_room();
    bench.write_room(two);
    bench.write_answers(two, "");
    write_reshare_among(&bench, "root-s", "{ threshold = 2, tokens = [\"share-2\", \"share-1\"] }");
    bench
}

/// Writes a plan that gives the key shares over those who have one.
pub(super) fn write_reshare_among(bench: &Bench, key: &str, shares: &str) {
    write_reshare(bench, key, shares);
    let plan = bench.path(&format!("plan-{}.toml", bench.number));
    let text = fs::read_to_string(&plan).unwrap();
    let (before, after) = (text.find("[[token]]").unwrap(), text.find("[[key]]").unwrap());
    fs::write(&plan, format!("{}{}", &text[..before], &text[after..])).unwrap();
}

#[test]
fn a_reshare_that_dies_at_its_calls_leaves_one_new_set_and_tells_of_every_other() {
    let (bench, two) = (before_one_among_themselves(), &OLD[..2]);
    bench.rehearse().ok();
    // The clock is step 3; from the entropy to the combinations all is begun anew as a whole.
    let chain = Chain {
        bench: &bench,
        clock: 3,
        stride: &|_| 5,
        units: &[(7, 13)],
        enrolments: &[],
        restart_at: 0,
    };
    let deaths = chain.run(&mut Killer::new());
    let steps: BTreeSet<u64> = deaths.sites.iter().map(|(step, _)| *step).collect();
    assert!(steps.contains(&7) && deaths.count > 60, "{deaths:?}");
    bench.officiant(&["verify", "media/out-2a"]).ok();
    let (old, new) = (custody(&bench, 1), custody(&bench, 2));
    assert_eq!(new.keys[0].former, [old.keys[0].held.clone()]);
    let set = |custody: &Custody| match &custody.keys[0].held {
        Held::Shares { set, .. } => set.clone(),
        Held::Token { .. } => panic!("no shares"),
    };
    let living: BTreeSet<String> = [set(&old), set(&new)].into();
    for token in two {
        assert_eq!(stored(&bench, token), living, "{token} after {}", deaths.count);
    }
    for room in ["media/room-1/custody", "media/room-2/custody"] {
        let names = fs::read_dir(bench.path(room)).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap()).filter(|name| name.len() == 32);
        assert_eq!(names.collect::<BTreeSet<_>>(), living, "{room}");
    }
    let record = bench.trust(2).join("ceremonies/0002-reshare/record.jsonl");
    let (record, _) = Record::parse(&fs::read(record).unwrap()).unwrap();
    let begun = record.entries().iter().filter_map(|entry| match &entry.body {
        Body::Done { fact: Fact::KeySplit { set, .. } } if !living.contains(set) => Some(set),
        _ => None,
    });
    let begun: Vec<&String> = begun.collect();
    assert!(!begun.is_empty(), "{deaths:?}");
    for set in begun {
        let told = format!("set {set}, which was begun and not finished, opens key root-s: ");
        let is_told = bench.remarks().iter().any(|remark| remark.starts_with(&told));
        assert!(is_told, "{told}{:?}", bench.remarks());
    }
}
