//! Shares that are not what was made: each names itself before anything is combined.

use std::fs;

use data_encoding::HEXLOWER;
use officiant::{
    ceremony::fact::Fact,
    digest::Digest,
    record::{Body, Entry},
    root::{Dialect, Role},
    seal::{self, SealKey},
    secret::SecretBytes,
    trust::{Custody, CustodyKey, Held},
};

use super::bad_answer::waits_at;
use super::genesis::in_shares;
use super::rotate::enough;
use super::{Bench, Holding, PlanText};
use crate::harness::{scratch::Scratch, shim::Shim, softhsm::MODULE};

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
    bench.write_plan(&rotation(&bench));
    let custody = fs::read_dir(bench.path("media/room-1/custody")).unwrap();
    let names = custody.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let set = names.into_iter().find(|name| name.len() == 32).unwrap();
    (bench, set)
}

/// Another key for the targets, signed with the shares.
fn rotation(bench: &Bench) -> PlanText {
    PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(1)),
        keys: Vec::new(),
        roles: vec![Role::Targets],
        ..in_shares()
    }
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
        "share 1 of set {set}, as the token with serial {serial} has it, is not the one that was made [SHARE-COMMITMENT]"
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

/// The sets of a trust folder's keys.
fn sets(bench: &Bench) -> Vec<String> {
    let custody = bench.custody().keys.into_iter();
    let set = |key: CustodyKey| match key.held {
        Held::Shares { set, .. } => set,
        Held::Token { token } => panic!("`{}` is on `{token}`", key.name),
    };
    custody.map(set).collect()
}

#[test]
fn a_share_of_another_set_names_its_set() {
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let tokens = &TOKENS[..3];
    let lay_out = |bench: &Bench| {
        bench.write_room(tokens);
        bench.write_answers(tokens, "");
    };
    lay_out(&bench);
    let genesis = PlanText {
        keys: vec![
            ("root-s", "ecdsa-p256", Holding::Shares(2, &["share-1", "share-2", "share-3"])),
            ("root-t", "ecdsa-p256", Holding::Shares(2, &["share-1", "share-2", "share-3"])),
        ],
        root: vec!["root-s", "root-t"],
        threshold: 2,
        ..in_shares()
    };
    bench.write_plan(&genesis);
    bench.conduct().ok();
    let sets = sets(&bench);
    let [set, other] = sets.as_slice() else { panic!("{sets:?}") };
    bench.next_room();
    lay_out(&bench);
    let after = Some(bench.closing(1));
    let (keys, roles) = (Vec::new(), Vec::new());
    bench.write_plan(&PlanText { ceremony: "renew", after, keys, roles, ..genesis });
    replace(&bench, set, 1, &sealed(&bench, other, 1));
    let serial = bench.serial("share-1");
    let told = format!(
        "where share 1 of set {set} should be, the token with serial {serial} has share 1 of set {other} [SHARE-SET]"
    );
    bench.stops(|| bench.conduct(), 1, [&told, LEAVE, &waits_at(11)]);
}

#[test]
fn a_share_of_a_set_that_a_restart_made_void_names_its_set() {
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "all", MODULE, &["C_CreateObject 2 before kill both"]);
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room_with(&TOKENS[..3], shim.module().to_str().unwrap());
    bench.write_answers(&TOKENS, "\"consent share-1\" = \"zoo zoo zoo zoo\"\n");
    bench.write_plan(&PlanText {
        keys: vec![(
            "root-s",
            "ecdsa-p256",
            Holding::Shares(2, &["share-1", "share-2", "share-3"]),
        )],
        ..in_shares()
    });
    assert_eq!(bench.conduct().signal(), Some(9));
    shim.rules(MODULE, &[]);
    assert_eq!(bench.resume().code(), 1);
    let record = bench.record();
    let sets = record.entries().iter().filter_map(|entry| match &entry.body {
        Body::Done { fact: Fact::KeySplit { set, .. } } => Some(set),
        _ => None,
    });
    let sets: Vec<&String> = sets.collect();
    let [void, set] = sets.as_slice() else { panic!("{sets:?}") };
    // The token itself has nothing of the first set any more.
    let there = bench.tool("share-1", &["--list-objects", "--type", "data"]).stdout;
    assert!(there.contains(set.as_str()) && !there.contains(void.as_str()), "{there}");
    let sealed = fs::read(bench.path(&format!("work-1/custody/{void}/1.age"))).unwrap();
    replace(&bench, set, 1, &sealed);
    bench.write_answers(&TOKENS, "");
    let ran = bench.resume();
    let told = bench.told(&ran);
    let stands = bench.since_intents(&waits_at(16));
    let what = format!("has share 1 of set {void} [SHARE-SET]\nhint: {LEAVE}\n{stands}\n");
    assert!(told.ends_with(&what), "{told}");
    bench.write_answers(&TOKENS, "\"insert share-1\" = \"absent its share is void\"\n");
    bench.resume().ok();
}

/// What a forger changes in the bytes of a share: where, and to what.
type Forgery<'a> = (usize, &'a [u8]);

/// A share of a set by its public parts, with a secret of zeros, and whatever is changed in it; its checksum holds.
fn forged(set: &str, key: &Digest, (at, bytes): Forgery<'_>) -> SecretBytes {
    let set = HEXLOWER.decode(set.as_bytes()).unwrap();
    let head = [b"OFSH\x01".as_slice(), &set, &[1, 3, 5], key.as_bytes()].concat();
    let mut share = [head, vec![0; 112]].concat();
    share[at..at + bytes.len()].copy_from_slice(bytes);
    let sum = Digest::of_parts("officiant share checksum v1", &[&share]);
    SecretBytes::copy_of(&[&share, &sum.as_bytes()[..8]].concat())
}

#[test]
fn a_forged_share_that_the_trust_folder_was_made_to_name_is_found_before_anything_is_combined() {
    let (bench, set) = after_split();
    let saved = bench.save();
    let leave_out = "leave this share out and open another one; find out who made it";
    let other_copy = "read the share from the other copy: token and custody folder each hold one";
    let other = "08".repeat(16);
    let rows: [(Forgery<'_>, String, &str); 5] = [
        (
            (21, &[0]),
            "share 1 is forged: it says that its index is 0 [SHARE-INDEX]".into(),
            leave_out,
        ),
        ((21, &[2]), "share 1 is in truth share 2 [SHARE-INDEX]".into(), leave_out),
        ((21, &[6]), "share 6 cannot be: the set has 5 shares [SHARE-INDEX]".into(), leave_out),
        (
            (5, &[8; 16]),
            format!("share 1 belongs to set {other}, expected set {set} [SHARE-SET]"),
            other_copy,
        ),
        (
            (56, &[1]),
            "share 1 is not the share that was recorded when the set was made [SHARE-COMMITMENT]"
                .into(),
            other_copy,
        ),
    ];
    for (forgery, told, hint) in rows {
        bench.restore(&saved);
        let path = bench.trust(1).join("custody.json");
        let mut custody: Custody = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let key = custody.keys[0].public.id();
        let to = SealKey::try_from(custody.tokens[0].seal.clone().unwrap()).unwrap();
        let sealed = seal::seal(&forged(&set, &key, forgery), &to).unwrap();
        replace(&bench, &set, 1, &sealed);
        let Held::Shares { shares, .. } = &mut custody.keys[0].held else { panic!("no shares") };
        shares[0].sealed = Digest::of(&sealed);
        fs::write(&path, custody.to_bytes()).unwrap();
        bench.resum(1);
        bench.write_plan(&rotation(&bench));
        bench.stops(|| bench.conduct(), 1, [&told, hint, &waits_at(13)]);
    }
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
            "bring token `share-5`: `resume` asks for it again",
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
fn a_share_that_somebody_changed_on_both_room_media_is_not_opened() {
    let (bench, set) = after_split();
    bench.take_away("share-1", &format!("officiant share {set} 1"));
    let mut damaged = sealed(&bench, &set, 1);
    *damaged.last_mut().unwrap() ^= 1;
    for copy in [1, 2] {
        bench.scratch.file(&format!("media/room-{copy}/custody/{set}/1.age"), &damaged);
    }
    let told = format!(
        "share 1 of set {set}, as the custody folder has it, is not the one that was made [SHARE-COMMITMENT]"
    );
    bench.stops(|| bench.conduct(), 1, [&told, LEAVE, &waits_at(13)]);
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

#[test]
fn a_key_that_only_custody_json_names_is_not_asked_for() {
    // Somebody splits a key of theirs, and writes set and tokens over ours; the sums of the folder hold.
    let (bench, _) = after_split();
    let (other, _) = after_split();
    let read = |bench: &Bench| -> Custody {
        serde_json::from_slice(&fs::read(bench.trust(1).join("custody.json")).unwrap()).unwrap()
    };
    let forge = |custody: &Custody| {
        fs::write(bench.trust(1).join("custody.json"), custody.to_bytes()).unwrap();
        bench.resum(1);
        bench.write_plan(&rotation(&bench));
    };
    let hint = "bring the trust folder as the last ceremony wrote it";
    forge(&read(&other));
    let told = "key `root-s` of custody.json is in no root that was signed [SHARE-KEY]";
    bench.refuses(1, told, hint);
    // The same of a key on a token.
    let mut custody = read(&other);
    custody.keys[0].held = Held::Token { token: "share-1".to_owned() };
    forge(&custody);
    let told = "key `root-s` of custody.json is in no root that was signed [TOKEN-KEY]";
    bench.refuses(1, told, hint);
}
