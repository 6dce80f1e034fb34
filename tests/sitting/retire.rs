//! Retirements: keys that no root lists any more, and sets that a reshare replaced, are destroyed on tokens and papers.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use data_encoding::BASE64;
use jiff::{Timestamp, ToSpan};
use officiant::digest::Digest;
use officiant::request::{Request, Role, Served};
use officiant::root::{Dialect, Key};
use officiant::trust::{Gone, Held};
use serde_json::{Value, json};

use super::abandon::write_abandon;
use super::bench::today;
use super::chain::Chain;
use super::genesis::in_shares;
use super::kill::Stage;
use super::reshare::{custody, write_reshare_among};
use super::{Bench, Holding, PlanText, Publisher, identity};
use crate::harness::command::{Ran, flat};
use crate::harness::killer::Killer;

pub(super) const TOKENS: [&str; 4] = ["officer-a", "officer-b", "share-1", "share-2"];

/// One key on a token, one in shares over two tokens and a paper; either signs.
pub(super) fn genesis() -> PlanText {
    PlanText {
        keys: vec![
            ("root-a", "ecdsa-p256", Holding::Token("officer-a")),
            ("root-s", "ecdsa-p256", Holding::Papers(2, &["share-1", "share-2"], &["sheet-a"])),
        ],
        root: vec!["root-a", "root-s"],
        threshold: 1,
        ..in_shares()
    }
}

/// Has both give way to another.
pub(super) fn rotation(bench: &Bench) -> PlanText {
    PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(1)),
        keys: vec![("root-b", "ecdsa-p256", Holding::Token("officer-b"))],
        root: vec!["root-b"],
        threshold: 1,
        roles: Vec::new(),
        extra: String::new(),
    }
}

/// A room after both keys gave way to another, before they are retired.
pub(super) fn after_rotation(dialect: Dialect) -> Bench {
    let name = if dialect == Dialect::Notary { "localhost:5000/one" } else { "repo.test" };
    let mut bench = Bench::new(dialect, &[name]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&genesis());
    bench.conduct().ok();
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "\"scan sheet-a\" = \"absent asleep\"\n");
    bench.write_plan(&rotation(&bench));
    bench.conduct().ok();
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench
}

/// What a Notary server signs of a role.
pub(super) fn by_server(kind: &str, version: u64, meta: &Value, key: &Publisher) -> Vec<u8> {
    let expires = (Timestamp::now() + 48.hours()).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    // Plain text alone, sorted by serde_json: canonical as it is.
    let signed = json!({ "_type": kind, "expires": expires, "meta": meta, "version": version });
    let signed = signed.to_string();
    let id = Key::plain(Dialect::Notary, &key.public()).unwrap().id().clone();
    let sig = BASE64.encode(&key.raw(signed.as_bytes()));
    let text = format!(
        r#"{{"signed":{signed},"signatures":[{{"keyid":"{id}","method":"ecdsa","sig":"{sig}"}}]}}"#
    );
    text.into_bytes()
}

pub(super) fn named(role: &str, bytes: &[u8]) -> Value {
    let sha256 = BASE64.encode(Digest::of(bytes).as_bytes());
    json!({ role: { "hashes": { "sha256": sha256 }, "length": bytes.len() } })
}

/// What a server serves beside this root.
pub(super) fn served(bench: &Bench, root: &[u8], version: u64) -> Served {
    let snapshot = by_server("Snapshot", 1, &named("root", root), &bench.online[&Role::Snapshot]);
    let meta = named("snapshot", &snapshot);
    let timestamp = by_server("Timestamp", version, &meta, &bench.online[&Role::Timestamp]);
    Served { timestamp, snapshot }
}

/// What a courier brings of the newest root, from one of two machines.
pub(super) fn fetched(bench: &Bench, number: u64) -> Request {
    let mut request = bench.request(&bench.published());
    request.server = format!("https://localhost:444{number}");
    for repository in request.repositories.values_mut() {
        let newest = repository.roots.last().unwrap();
        let notary = bench.dialect == Dialect::Notary;
        repository.served = notary.then(|| served(bench, newest, number));
    }
    request
}

pub(super) fn lay(bench: &Bench, folder: &str, request: &Request) -> Digest {
    let folder = format!("media/in-{}/{folder}", bench.number);
    let _ = fs::remove_dir_all(bench.path(&folder));
    for (path, bytes) in request.files().unwrap() {
        bench.scratch.file(&format!("{folder}/{path}"), bytes);
    }
    request.digest().unwrap()
}

/// Writes a plan with these lines in `[retire]`.
pub(super) fn write_retire(bench: &Bench, retire: &str, requests: &[Request]) {
    let (from, until) = (today().yesterday().unwrap(), today().checked_add(3.days()).unwrap());
    let mut plan = format!(
        "ceremony = \"retire\"\ntitle = \"Retire\"\ndialect = \"{}\"\nquorum_people = 1\npractice = true\n\
         after = \"{}\"\n[when]\nfrom = {from}\nuntil = {until}\n[retire]\n{retire}\n",
        bench.dialect,
        bench.closing(bench.number - 1)
    );
    if let [first, rest @ ..] = requests {
        let _ = writeln!(plan, "[request]\nsha256 = \"{}\"", lay(bench, "request", first));
        if let Some(second) = rest.first() {
            let _ = writeln!(plan, "second = \"{}\"", lay(bench, "request-2", second));
        }
        for name in &bench.repositories {
            let _ = writeln!(plan, "[[repository]]\nname = \"{name}\"");
        }
    }
    bench.scratch.file(&format!("plan-{}.toml", bench.number), plan);
}

pub(super) fn two(bench: &Bench) -> [Request; 2] {
    [fetched(bench, 1), fetched(bench, 2)]
}

pub(super) const BOTH: &str = "keys = [\"root-a\", \"root-s\"]";
pub(super) const BOTH_AT_ONCE: &str = "keys = [\"root-a\", \"root-s\"]\nhold = 0";

/// The key pairs and data objects on a token, by their labels.
pub(super) fn listed(bench: &Bench, token: &str) -> String {
    bench.tool(token, &["--list-objects"]).stdout
}

pub(super) fn refused(ran: &Ran, code: i32, what: &str) {
    assert!(ran.stderr.contains(what) && ran.code() == code, "{what}: {}", ran.stderr);
}

#[test]
fn keys_that_no_root_lists_any_more_are_destroyed_wherever_they_are() {
    let bench = after_rotation(Dialect::Notary);
    assert!(listed(&bench, "officer-a").contains("root-a"));
    assert!(listed(&bench, "share-1").contains("officiant share "));
    write_retire(&bench, BOTH_AT_ONCE, &two(&bench));
    let checked = bench.officiant(&["check", "plan-3.toml", "--room", "room-3.toml"]).ok().stdout;
    let said = "The request is the one that the plan names, and all of it may stand.";
    assert!(checked.contains(said), "{checked}");
    let said = "follows a supposed next root without the keys that go";
    assert!(flat(&checked).contains(said), "{checked}");
    let ran = bench.conduct().ok();
    let screen = flat(&ran.stderr);
    for said in [
        "Put in token officer-a, type its serial and the PIN: the keys and shares on it that go are destroyed.",
        "key root-a is gone from token officer-a",
        "its sealing key goes, too: nothing else is sealed to it",
        "Destroy paper sheet-a and its passphrase before two people, who say so.",
        "Nothing is to be published.",
    ] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    assert!(!listed(&bench, "officer-a").contains("root-a"), "{}", listed(&bench, "officer-a"));
    for token in ["share-1", "share-2"] {
        let left = listed(&bench, token);
        assert!(!left.contains("officiant share ") && !left.contains("seal"), "{left}");
        assert!(left.contains("attest"), "{left}");
    }
    let (before, after) = (custody(&bench, 2), custody(&bench, 3));
    assert_eq!(before.keys, after.keys);
    let Held::Shares { set, .. } = &after.keys[1].held else { panic!("no shares") };
    let share = |index| Gone::Share { set: set.clone(), index };
    let key = Gone::Key { key: "root-a".to_owned(), token: "officer-a".to_owned() };
    assert_eq!(after.gone, [key, share(1), share(2), share(3)]);
    assert!(after.is_dead(&after.keys[1].held) && !before.is_dead(&after.keys[1].held));
    assert_eq!(after.token("share-1").unwrap().seal, None);
    assert_eq!(
        bench.remarks(),
        [
            format!(
                "set {set} of key root-s is dead: 3 of its 3 shares are destroyed in every copy"
            ),
            format!(
                "the folder `{set}` of the custody folder is not carried on: destroy it on every other media"
            ),
        ]
    );
    let verified = flat(&bench.officiant(&["verify", "media/out-3a"]).ok().stdout);
    let said = "`0003-retire`: officer-a, share-1 and share-2 said on";
    assert!(verified.contains(said), "{verified}");
    let shown = flat(&bench.officiant(&["show", "media/out-3a"]).ok().stdout);
    for said in ["nobody: gone from token", "nobody: its shares are"] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    // Whoever asks what is left is told of nothing that is gone.
    let left = bench.officiant(&["custody", "media/out-3a", "--custody", "media/room-1"]);
    let left = left.ok().stdout;
    assert!(!left.contains("root-a") && !left.contains(&set[..8]), "{left}");
}

#[test]
fn a_retire_goes_on_where_it_was_stopped_and_says_what_is_not_gone() {
    let bench = after_rotation(Dialect::Notary);
    write_retire(&bench, BOTH_AT_ONCE, &two(&bench));
    bench.write_answers(&TOKENS, "\"retire share-1\" = \"no\"\n");
    let ran = bench.conduct();
    refused(
        &ran,
        1,
        "error: the custodian of token `share-1` did not agree that anything on it goes\n",
    );
    assert!(!listed(&bench, "officer-a").contains("root-a"));
    assert!(listed(&bench, "share-1").contains("officiant share "));
    // What went before an interruption is no hindrance, and what is not here is still there.
    let Held::Shares { set, .. } = custody(&bench, 2).keys[1].held.clone() else { panic!("none") };
    bench.take_away("share-1", &format!("officiant share {set} 1"));
    for half in ["privkey", "pubkey"] {
        bench.tool("share-1", &["--delete-object", "--type", half, "--label", "share-1 seal"]);
    }
    let answers = "\"insert share-2\" = \"absent ill\"\n\"destroyed sheet-a witness\" = \"absent at the bank\"\n";
    bench.write_answers(&TOKENS, answers);
    let resumed = bench.resume().ok();
    assert!(!resumed.stderr.contains("PIN for token officer-a"), "{}", resumed.stderr);
    assert!(listed(&bench, "share-2").contains("officiant share "));
    let remarks = bench.remarks();
    for said in [
        format!("share 2 of set {set} of key root-s was NOT destroyed: token share-2 holds it"),
        format!("share 3 of set {set} of key root-s was NOT destroyed: paper sheet-a holds it"),
        format!(
            "set {set} still opens key root-s: 1 of its 3 shares are destroyed in every copy, 2 are needed"
        ),
    ] {
        assert!(remarks.contains(&said), "{said}: {remarks:?}");
    }
    let left = bench.officiant(&["custody", "media/out-3a"]).ok().stdout;
    let said = format!(
        "Set {} still opens the old key `root-s`, until 1 more of its 3 shares are proven destroyed in every copy.",
        &set[..8]
    );
    assert!(flat(&left).contains(&said), "{left}");
}

const OLD: [&str; 3] = ["share-1", "share-2", "share-3"];

/// A room after a reshare by which two of three stay, and the set that it replaced.
fn after_reshare() -> (Bench, String) {
    let mut bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bench.write_room(&OLD);
    bench.write_answers(&OLD, "");
    let keys = vec![("root-s", "ecdsa-p256", Holding::Shares(2, &OLD))];
    bench.write_plan(&PlanText { keys, ..in_shares() });
    bench.conduct().ok();
    bench.next_room();
    bench.write_room(&OLD);
    bench.write_answers(&OLD, "");
    let new = "{ threshold = 2, tokens = [\"share-1\", \"share-2\"] }";
    write_reshare_among(&bench, "root-s", new);
    bench.conduct().ok();
    match custody(&bench, 2).keys[0].former[0].clone() {
        Held::Shares { set, .. } => (bench, set),
        Held::Token { .. } => panic!("no set"),
    }
}

#[test]
fn an_old_set_of_a_living_key_is_dead_once_nobody_keeps_a_copy() {
    let (mut bench, set) = after_reshare();
    let retire = |bench: &mut Bench, answers: &str| {
        bench.next_room();
        bench.write_room(&OLD);
        bench.write_answers(&OLD, answers);
        write_retire(bench, &format!("sets = [\"{set}\"]"), &[]);
        let rehearsed = flat(&bench.rehearse().ok().stderr);
        assert!(rehearsed.contains("of key root-s is dead: "), "{rehearsed}");
        flat(&bench.conduct().ok().stderr)
    };
    let screen = retire(&mut bench, "\"destroyed copies witness\" = \"kept in the safe\"\n");
    assert!(screen.contains(&format!("{set}/1.age {set}/2.age")), "{screen}");
    let still = format!(
        "set {set} still opens key root-s: 1 of its 3 shares are destroyed in every copy, 2 are needed"
    );
    assert!(bench.remarks().contains(&still), "{:?}", bench.remarks());
    // What was deleted from the room media as the page says does not come back.
    let folders =
        ["room-1", "room-2"].map(|room| bench.path(&format!("media/{room}/custody/{set}")));
    folders.iter().for_each(|folder| fs::remove_dir_all(folder).unwrap());
    // The third token has nothing left, and is not asked for again.
    let screen = retire(&mut bench, "");
    assert!(!screen.contains("Put in token share-3"), "{screen}");
    let dead =
        format!("set {set} of key root-s is dead: 3 of its 3 shares are destroyed in every copy");
    assert!(bench.remarks().contains(&dead), "{:?}", bench.remarks());
    let left = bench.officiant(&["custody", "media/out-4a"]).ok().stdout;
    assert!(!left.contains(&set[..8]), "{left}");
    assert!(folders.iter().all(|folder| !folder.exists()), "{folders:?}");
    // What is dead cannot be retired once more, and the living set signs.
    bench.next_room();
    bench.write_room(&OLD);
    bench.write_answers(&OLD, "");
    write_retire(&bench, &format!("sets = [\"{set}\"]"), &[]);
    refused(&bench.conduct(), 2, "error: all that the plan retires is gone already\n");
    bench.online.insert(Role::Targets, Publisher::new());
    bench.write_plan(&PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(4)),
        keys: Vec::new(),
        roles: vec![Role::Targets],
        ..in_shares()
    });
    bench.conduct().ok();
    assert_eq!(bench.shape("localhost:5000/one", 2), "1 of root-s, signed by root-s");
}

#[test]
fn shares_of_people_are_gone_once_two_answer_for_every_copy() {
    let (mut bench, typed) = identity::after_genesis();
    let Held::Shares { set, .. } = custody(&bench, 1).keys[0].held.clone() else {
        panic!("no set")
    };
    let among = "{ threshold = 2, tokens = [\"share-1\"], recipients = [\"lawyer\"] }";
    write_reshare_among(&bench, "root-s", among);
    bench.conduct().ok();
    let mut retire = |more: &str| {
        bench.next_room();
        bench.write_room(&["share-1"]);
        identity::answer(&bench, &typed, more);
        write_retire(&bench, &format!("sets = [\"{set}\"]"), &[]);
        (flat(&bench.conduct().ok().stderr), bench.remarks())
    };
    let (screen, remarks) = retire("\"destroyed copies witness\" = \"kept at home\"\n");
    assert!(screen.contains(&format!("{set}/1.age {set}/2.age {set}/3.age")), "{screen}");
    let still = format!(
        "set {set} still opens key root-s: 0 of its 3 shares are destroyed in every copy, 2 are needed"
    );
    assert!(remarks.contains(&still), "{remarks:?}");
    let (_, remarks) = retire("");
    let dead =
        format!("set {set} of key root-s is dead: 3 of its 3 shares are destroyed in every copy");
    assert!(remarks.contains(&dead), "{remarks:?}");
    bench.officiant(&["verify", &format!("media/out-{}a", bench.number)]).ok();
}

/// Some of the calls are enough: what a step destroys it looks for first, so that it does not matter which went.
#[test]
fn a_retire_that_is_killed_while_it_destroys_is_finished_by_resume() {
    let (mut bench, set) = after_reshare();
    bench.next_room();
    bench.write_room(&OLD);
    bench.write_answers(&OLD, "");
    write_retire(&bench, &format!("sets = [\"{set}\"]"), &[]);
    let stage = Stage::before(bench, &OLD);
    // The clock is step 3, the tokens are 5 to 7.
    let chain = Chain {
        bench: &stage.bench,
        clock: 3,
        stride: &|_| 20,
        units: &[],
        enrolments: &[],
        restart_at: 0,
    };
    let deaths = chain.run(&mut Killer::new());
    let steps: BTreeSet<u64> = deaths.sites.iter().map(|(step, _)| *step).collect();
    assert!(steps.is_superset(&[5, 6, 7].into()), "{deaths:?}");
    stage.compare(deaths.count);
}

#[test]
fn a_retire_is_rehearsed_after_a_stand_in_of_all_that_goes() {
    let bench = after_rotation(Dialect::Notary);
    write_retire(&bench, BOTH_AT_ONCE, &two(&bench));
    let screen = flat(&bench.rehearse().ok().stderr);
    for said in [
        "key root-a is gone from token officer-a",
        "of key root-s is dead: 3 of its 3 shares are destroyed in every copy",
    ] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    assert!(listed(&bench, "officer-a").contains("root-a"));
}

#[test]
fn what_an_abandoned_retire_destroyed_stays_gone() {
    let mut bench = after_rotation(Dialect::Notary);
    write_retire(&bench, BOTH_AT_ONCE, &two(&bench));
    bench.write_answers(&TOKENS, "\"retire share-2\" = \"no\"\n");
    assert_eq!(bench.conduct().code(), 1);
    let after = bench.closing(2);
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    write_abandon(&bench, Some(&after));
    bench.conduct().ok();
    let custody = custody(&bench, 4);
    let Held::Shares { set, .. } = custody.keys[1].held.clone() else { panic!("no shares") };
    let key = Gone::Key { key: "root-a".to_owned(), token: "officer-a".to_owned() };
    assert_eq!(custody.gone, [key, Gone::Share { set, index: 1 }]);
    bench.officiant(&["verify", "media/out-4a"]).ok();
    // The rest goes by another plan, and nobody is asked for what went.
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    write_retire(&bench, BOTH_AT_ONCE, &two(&bench));
    let screen = bench.conduct().ok().stderr;
    assert!(!screen.contains("PIN for token share-1"), "{screen}");
    assert_eq!(super::reshare::custody(&bench, 5).gone.len(), 4);
}
