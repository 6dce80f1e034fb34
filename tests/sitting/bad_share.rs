//! Shares that are not what was made: each names itself before anything is combined.

use std::fs;

use officiant::{
    ceremony::fact::Fact,
    record::{Body, Entry},
    root::{Dialect, Role},
};

use super::bad_answer::waits_at;
use super::genesis::in_shares;
use super::rotate::enough;
use super::{Bench, PlanText};

const TOKENS: [&str; 5] = ["share-1", "share-2", "share-3", "share-4", "share-5"];
const LEAVE: &str = "leave this token out, and open another share";

/// A bench after a genesis in shares, 3 of 5, before a rotation that needs three of them.
fn after_split() -> (Bench, String) {
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&in_shares());
    bench.conduct().ok();
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.online.insert(Role::Targets, super::Publisher::new());
    bench.write_plan(&PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(1)),
        keys: Vec::new(),
        roles: vec![Role::Targets],
        ..in_shares()
    });
    let custody = fs::read_dir(bench.path("media/room-1/custody")).unwrap();
    let names = custody.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let set = names.into_iter().find(|name| name.len() == 32).unwrap();
    (bench, set)
}

/// Puts other bytes in the place of the share that a token stores.
fn replace(bench: &Bench, set: &str, index: u8, bytes: &[u8]) {
    let rest = format!("{set} {index}");
    bench.replace(&format!("share-{index}"), ("officiant share", &rest), bytes);
}

fn sealed(bench: &Bench, set: &str, index: u8) -> Vec<u8> {
    fs::read(bench.path(&format!("media/room-1/custody/{set}/{index}.age"))).unwrap()
}

#[test]
fn a_share_that_was_not_made_for_its_place_names_itself() {
    let (bench, set) = after_split();
    let (other, foreign) = after_split();
    let serial = bench.serial("share-1");
    let mut damaged = sealed(&bench, &set, 1);
    *damaged.last_mut().unwrap() ^= 1;
    let not_made = format!(
        "share 1 of set {set} on the token with serial {serial} is not the one that was made [SHARE-COMMITMENT]"
    );
    let rows = [
        ("damaged", damaged, not_made.clone()),
        ("of another set", sealed(&other, &foreign, 1), not_made.clone()),
        ("none at all", b"share".to_vec(), not_made),
        (
            "another of this set",
            sealed(&bench, &set, 2),
            format!(
                "where share 1 of set {set} should be, the token with serial {serial} has share 2 [SHARE-INDEX]"
            ),
        ),
    ];
    for (name, bytes, told) in rows {
        replace(&bench, &set, 1, &bytes);
        let run = || if name == "damaged" { bench.conduct() } else { bench.resume() };
        bench.stops(run, 1, [&told, LEAVE, &waits_at(13)]);
    }
    // Left out, as the hint says: the others sign.
    bench.write_answers(&TOKENS, "\"insert share-1\" = \"absent its share is damaged\"\n");
    bench.resume().ok();
}

#[test]
fn too_few_tokens_for_a_key_in_shares_are_refused_before_anybody_types_a_pin() {
    let (bench, _) = after_split();
    let absent = |token: &str| format!("\"insert {token}\" = \"absent on a train\"\n");
    let three: String = ["share-1", "share-3", "share-5"].map(absent).concat();
    bench.write_answers(&TOKENS, &three);
    bench.stops(
        || bench.conduct(),
        1,
        [
            "0 of the 1 new keys that must sign can still be used [QUORUM-PRESENT]",
            "bring the missing tokens, and `resume`",
            &waits_at(10),
        ],
    );
}

#[test]
fn a_share_comes_from_the_custody_folder_when_its_token_lost_it() {
    let (bench, set) = after_split();
    bench.take_away("share-1", &format!("officiant share {set} 1"));
    bench.conduct().ok();
    assert_eq!(bench.shape("repo.test", 2), "1 of root-s, signed by root-s");
    // The first share was opened all the same, and the last two were not needed.
    let opened = |entry: &Entry| match &entry.body {
        Body::Done { fact: Fact::ShareOpened { index, .. } } => Some(*index),
        _ => None,
    };
    let opened: Vec<u8> = bench.record().entries().iter().filter_map(opened).collect();
    assert_eq!(opened, [1, 2, 3]);
    assert_eq!(bench.remarks(), [16, 17].map(enough));
    // The token is not written to: what it lost, only a new set gives it back.
    let there = bench.tool("share-1", &["--list-objects", "--type", "data"]).stdout;
    assert!(there.contains("officiant intent") && !there.contains("officiant share"), "{there}");
}

#[test]
fn a_token_remembers_a_ceremony_that_somebody_threw_away() {
    let (bench, set) = after_split();
    replace(&bench, &set, 1, b"share");
    assert_eq!(bench.conduct().code(), 1);
    fs::remove_dir_all(bench.path("work-2")).unwrap();
    // Another record: within one second it would be the same to the last byte.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let hint = "bring the newest trust folder, or the longest copy of the record";
    let told = "token `share-1` has signed in a ceremony that the trust folder and this record do not have [TRUST-BEHIND-TOKEN]";
    bench.stops(|| bench.conduct(), 1, [told, hint, &waits_at(13)]);
}
