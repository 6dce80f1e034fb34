//! Restores: a key in shares is rebuilt and put onto one token, wrapped for it alone; the next root goes without it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use jiff::ToSpan;
use officiant::root::{Dialect, Role};
use officiant::trust::Held;

use super::abandon::write_abandon;
use super::bench::today;
use super::chain::Chain;
use super::genesis::in_shares;
use super::reshare::{custody, write_reshare_among};
use super::retire::{fetched, refused, write_retire};
use super::{Bench, Holding, PlanText, Publisher};
use crate::harness::command::flat;
use crate::harness::killer::Killer;

pub(super) const SHARES: [&str; 3] = ["share-1", "share-2", "share-3"];
pub(super) const ALL: [&str; 4] = ["share-1", "share-2", "share-3", "officer-n"];

/// A room after a genesis with one key in shares, 2 of 3.
pub(super) fn after_genesis(dialect: Dialect) -> Bench {
    let name = if dialect == Dialect::Tuf { "repo.test" } else { "localhost:5000/one" };
    let mut bench = Bench::new(dialect, &[name]);
    bench.write_room(&SHARES);
    bench.write_answers(&SHARES, "");
    bench.write_plan(&PlanText {
        keys: vec![("root-s", "ecdsa-p256", Holding::Shares(2, &SHARES))],
        ..in_shares()
    });
    bench.conduct().ok();
    bench.next_room();
    bench.write_room(&ALL);
    bench.write_answers(&ALL, "");
    bench
}

/// Writes a plan that restores the key to a new token.
pub(super) fn write_restore(bench: &Bench, more: &str) {
    let (from, until) = (today().yesterday().unwrap(), today().checked_add(3.days()).unwrap());
    let mut plan = format!(
        "ceremony = \"restore\"\ntitle = \"Restore\"\ndialect = \"{}\"\nquorum_people = 1\npractice = true\n\
         after = \"{}\"\n[when]\nfrom = {from}\nuntil = {until}\n\
         [[token]]\nname = \"officer-n\"\ncustodian = \"seat N\"\n",
        bench.dialect,
        bench.closing(bench.number - 1)
    );
    let _ = write!(
        plan,
        "[[key]]\nname = \"root-s\"\nalgorithm = \"ecdsa-p256\"\ntoken = \"officer-n\"\n{more}"
    );
    bench.scratch.file(&format!("plan-{}.toml", bench.number), plan);
}

pub(super) const KNOWN: &str = "threshold_falls_to = 1\n";

/// The private keys that a token shows to its holder, by label.
fn keys(bench: &Bench, token: &str) -> Vec<String> {
    let listed = bench.tool(token, &["--list-objects", "--type", "privkey"]).stdout;
    let labels = listed.lines().filter_map(|line| line.trim().strip_prefix("label:"));
    labels.map(|label| label.trim().to_owned()).collect()
}

#[test]
fn a_key_in_shares_comes_onto_one_token_and_signs_the_root_that_goes_without_it() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let mut bench = after_genesis(dialect);
        write_restore(&bench, KNOWN);
        bench.write_answers(&ALL, "\"insert share-1\" = \"absent ill\"\n");
        let ran = bench.conduct().ok();
        let screen = flat(&ran.stderr);
        for said in [
            "it opens share 2 of 3 of key root-s.",
            "the machine rebuilds key root-s and wraps it so that this token alone takes it.",
            "Nothing is to be published.",
        ] {
            assert!(screen.contains(said), "{said}: {screen}");
        }
        let (before, after) = (custody(&bench, 1), custody(&bench, 2));
        assert_eq!(after.keys[0].public, before.keys[0].public);
        assert_eq!(after.keys[0].held, Held::Token { token: "officer-n".into() });
        assert_eq!(after.keys[0].former, [before.keys[0].held.clone()]);
        let Held::Shares { set, .. } = &before.keys[0].held else { panic!("no shares") };
        let told = [
            "key root-s is on token officer-n alone: seat N can use it without anybody else, until the next root goes without it".to_owned(),
            format!("set {set} still opens key root-s: any 2 of share-1, share-2 and share-3; it is dead once 2 of its 3 shares are destroyed in every copy"),
        ];
        for remark in told {
            assert!(bench.remarks().contains(&remark), "{remark}: {:?}", bench.remarks());
        }
        bench.officiant(&["verify", "media/out-2a"]).ok();
        let listed = bench.tool("officer-n", &["--list-objects", "--type", "privkey"]).stdout;
        assert!(listed.contains("sensitive"), "{listed}");
        assert!(keys(&bench, "officer-n").contains(&"root-s".to_owned()), "{listed}");

        bench.next_room();
        bench.write_room(&ALL);
        bench.write_answers(&ALL, "");
        bench.online.insert(Role::Targets, Publisher::new());
        let next = PlanText {
            ceremony: "rotate",
            after: Some(bench.closing(2)),
            keys: Vec::new(),
            roles: vec![Role::Targets],
            root: vec!["root-s"],
            ..in_shares()
        };
        bench.write_plan(&next);
        let kept = bench.conduct();
        let what = "error: key `root-s` was restored to one token, and `keys` in `[root]` keeps it [RESTORE-ROTATES]\n";
        assert!(kept.stderr.contains(what) && kept.code() == 1, "{}", kept.stderr);
        bench.write_plan(&PlanText {
            keys: vec![("root-t", "ecdsa-p256", Holding::Shares(2, &SHARES))],
            root: vec!["root-t"],
            ..next
        });
        bench.conduct().ok();
        let name = if dialect == Dialect::Tuf { "repo.test" } else { "localhost:5000/one" };
        assert_eq!(bench.shape(name, 2), "1 of root-t, signed by root-s root-t");
    }
}

#[test]
fn a_plan_that_does_not_say_what_a_restore_does_is_refused() {
    let bench = after_genesis(Dialect::Tuf);
    let refused = |more: &str, what: &str| {
        write_restore(&bench, more);
        let ran = bench.conduct();
        assert!(ran.stderr.contains(what) && ran.code() == 2, "{what}: {}", ran.stderr);
    };
    let known =
        "key `root-s` comes to be on one token: `threshold_falls_to = 1` says that this is known\n";
    refused("", known);
    refused("threshold_falls_to = 2\n", known);
    let pin = officiant::digest::Digest::of(b"old");
    refused(
        &format!("{KNOWN}import = \"{pin}\"\n"),
        "key `root-s` has `adopt` or `import`, and a restore takes keys of the trust folder\n",
    );
}

#[test]
fn a_token_that_nothing_can_be_sealed_to_takes_no_key() {
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&ALL);
    bench.write_answers(&ALL, "");
    bench.write_plan(&PlanText {
        keys: vec![
            ("root-n", "ecdsa-p256", Holding::Token("officer-n")),
            ("root-s", "ecdsa-p256", Holding::Shares(2, &SHARES)),
        ],
        root: vec!["root-n", "root-s"],
        ..in_shares()
    });
    bench.conduct().ok();
    bench.next_room();
    bench.write_room(&ALL);
    bench.write_answers(&ALL, "");
    write_restore(&bench, KNOWN);
    let plan = bench.path("plan-2.toml");
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text.replace("seat N", "seat of officer-n")).unwrap();
    let ran = bench.conduct();
    let what =
        "error: token `officer-n` has no sealing key: nothing can be sealed to it [TOKEN-SEAL]\n";
    assert!(ran.stderr.contains(what) && ran.code() == 1, "{}", ran.stderr);
}

#[test]
fn a_restore_that_stops_at_any_of_its_steps_is_finished_with_one_key_on_the_token() {
    for at in ["serial officer-n", "insert share-1", "insert officer-n"] {
        let bench = after_genesis(Dialect::Tuf);
        write_restore(&bench, KNOWN);
        bench.write_answers(&ALL, &format!("\"{at}\" = \"absent\"\n"));
        assert_ne!(bench.conduct().code(), 0, "{at}");
        bench.write_answers(&ALL, "");
        bench.resume().ok();
        let placed = keys(&bench, "officer-n").into_iter().filter(|label| label == "root-s");
        assert_eq!(placed.count(), 1, "{at}");
        bench.officiant(&["verify", "media/out-2a"]).ok();
    }
}

#[test]
fn a_restore_that_dies_at_its_calls_leaves_one_key_on_the_token_and_the_shares_as_they_were() {
    let bench = after_genesis(Dialect::Tuf);
    write_restore(&bench, KNOWN);
    bench.rehearse().ok();
    // The clock is step 3; from the entropy to the key on its token all is begun anew as a whole.
    let chain = Chain {
        bench: &bench,
        clock: 3,
        stride: &|_| 9,
        units: &[(9, 13)],
        enrolments: &[5],
        restart_at: 0,
    };
    let deaths = chain.run(&mut Killer::new());
    let steps: BTreeSet<u64> = deaths.sites.iter().map(|(step, _)| *step).collect();
    assert!(steps.contains(&9) && deaths.count > 60, "{deaths:?}");
    let mut placed = keys(&bench, "officer-n");
    placed.sort();
    assert_eq!(placed, ["officer-n attest", "officer-n seal", "root-s"], "after {}", deaths.count);
    assert_eq!(custody(&bench, 2).keys[0].former, [custody(&bench, 1).keys[0].held.clone()]);
    bench.officiant(&["verify", "media/out-2a"]).ok();
}

/// Abandons the restore: no key is on the token any more, and custody is as it was.
fn abandon_it(bench: &mut Bench) {
    let after = bench.closing(1);
    bench.next_room();
    bench.write_room(&ALL);
    bench.write_answers(&ALL, "");
    write_abandon(bench, Some(&after));
    bench.conduct().ok();
    assert!(!keys(bench, "officer-n").contains(&"root-s".to_owned()));
    assert_eq!(custody(bench, 3).keys, custody(bench, 1).keys);
}

#[test]
fn an_abandoned_restore_leaves_no_key_on_the_token_and_the_shares_as_they_were() {
    let mut bench = after_genesis(Dialect::Tuf);
    write_restore(&bench, KNOWN);
    // Everything but the media is done.
    fs::remove_dir_all(bench.path("media/out-2b")).unwrap();
    assert_ne!(bench.conduct().code(), 0);
    assert!(keys(&bench, "officer-n").contains(&"root-s".to_owned()));
    abandon_it(&mut bench);
}

/// What a token took up and no record says: the end of the record is cut, as a death between the two leaves it.
#[test]
fn a_restore_that_is_abandoned_after_a_restart_leaves_no_unrecorded_key_on_the_token() {
    let mut bench = after_genesis(Dialect::Tuf);
    write_restore(&bench, KNOWN);
    fs::remove_dir_all(bench.path("media/out-2b")).unwrap();
    assert_ne!(bench.conduct().code(), 0);
    let path = bench.path("work-2/record.jsonl");
    let record = fs::read_to_string(&path).unwrap();
    let at = record.lines().position(|line| line.contains("\"is\":\"key-placed\"")).unwrap();
    let cut: String = record.lines().take(at).map(|line| format!("{line}\n")).collect();
    fs::write(&path, cut).unwrap();
    bench.write_answers(&ALL, "\"insert share-1\" = \"absent\"\n");
    assert_ne!(bench.resume().code(), 0);
    assert!(keys(&bench, "officer-n").contains(&"root-s".to_owned()));
    abandon_it(&mut bench);
}

#[test]
fn a_restored_key_whose_token_is_lost_comes_back_from_its_shares() {
    let mut bench = after_genesis(Dialect::Tuf);
    write_restore(&bench, KNOWN);
    bench.conduct().ok();
    bench.next_room();
    bench.write_room(&ALL);
    bench.write_answers(&ALL, "");
    let two = "{ threshold = 2, tokens = [\"share-1\", \"share-3\"] }";
    write_reshare_among(&bench, "root-s", two);
    bench.conduct().ok();
    let told = "token officer-n still holds key root-s, whole".to_owned();
    assert!(bench.remarks().contains(&told), "{:?}", bench.remarks());
    let key = &custody(&bench, 3).keys[0];
    assert!(matches!(&key.held, Held::Shares { threshold: 2, shares, .. } if shares.len() == 2));
    assert_eq!(key.former.len(), 2);
    bench.officiant(&["verify", "media/out-3a"]).ok();
    // Whoever finds the token has the key: no root keeps it.
    bench.next_room();
    bench.write_room(&ALL);
    bench.write_answers(&ALL, "");
    let next = |keys, root| PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(3)),
        keys,
        root,
        roles: Vec::new(),
        ..in_shares()
    };
    bench.write_plan(&next(Vec::new(), vec!["root-s"]));
    let kept = bench.conduct();
    assert!(kept.stderr.contains(" [RESTORE-ROTATES]\n") && kept.code() == 1, "{}", kept.stderr);
    let new = vec![("root-t", "ecdsa-p256", Holding::Shares(2, &SHARES))];
    bench.write_plan(&next(new, vec!["root-t"]));
    bench.conduct().ok();
    assert_eq!(bench.shape("repo.test", 2), "1 of root-t, signed by root-s root-t");
}

#[test]
fn a_restore_is_rehearsed_with_a_stand_in_of_the_shares() {
    let bench = after_genesis(Dialect::Notary);
    write_restore(&bench, KNOWN);
    let ran = bench.rehearse().ok();
    let screen = flat(&ran.stderr);
    assert!(screen.contains("wraps it so that this token alone takes it"), "{screen}");
}

#[test]
fn the_shares_of_a_restored_key_stay_until_a_root_goes_without_it() {
    let mut bench = after_genesis(Dialect::Tuf);
    write_restore(&bench, KNOWN);
    bench.conduct().ok();
    let Held::Shares { set, .. } = custody(&bench, 2).keys[0].former[0].clone() else {
        panic!("no set")
    };
    let only = format!("sets = [\"{set}\"]");
    bench.next_room();
    bench.write_room(&ALL);
    bench.write_answers(&ALL, "");
    write_retire(&bench, &only, &[]);
    let what = format!(
        "error: set {set} alone brings key `root-s` back if its token is lost [RETIRE-LIVE]\n"
    );
    refused(&bench.conduct(), 1, &what);
    bench.write_plan(&PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(2)),
        keys: vec![("root-t", "ecdsa-p256", Holding::Shares(2, &SHARES))],
        root: vec!["root-t"],
        roles: Vec::new(),
        ..in_shares()
    });
    bench.conduct().ok();
    bench.next_room();
    bench.write_room(&ALL);
    bench.write_answers(&ALL, "");
    write_retire(&bench, &only, &[]);
    let what = format!("error: set {set} is of key `root-s`, which no newest root lists\n");
    refused(&bench.conduct(), 2, &what);
    // The key goes with all that there is of it.
    write_retire(&bench, "keys = [\"root-s\"]", &[fetched(&bench, 1)]);
    bench.rehearse().ok();
    bench.conduct().ok();
    assert!(!keys(&bench, "officer-n").contains(&"root-s".to_owned()));
    let dead =
        format!("set {set} of key root-s is dead: 3 of its 3 shares are destroyed in every copy");
    assert!(bench.remarks().contains(&dead), "{:?}", bench.remarks());
}
