//! The second and third ceremonies: keys replaced, kept, certified anew.

use officiant::root::{Dialect, Role};

use super::genesis::{in_shares, on_tokens};
use super::left::planned;
use super::{Bench, Holding, PlanText};
use crate::harness::command::flat;

const OLD: [&str; 3] = ["officer-a", "officer-b", "officer-c"];
const NEW: [&str; 5] = ["share-1", "share-2", "share-3", "share-4", "share-5"];

/// Replaces every root key of [`on_tokens`] by one in shares.
fn to_shares(bench: &Bench) -> PlanText {
    PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(bench.number - 1)),
        roles: Vec::new(),
        ..in_shares()
    }
}

/// A bench after its first ceremony, ready for the second.
pub(crate) fn after_genesis(dialect: Dialect) -> Bench {
    let name = match dialect {
        Dialect::Notary => "localhost:5000/one",
        Dialect::Tuf => "repo.test",
    };
    let mut bench = Bench::new(dialect, &[name]);
    bench.write_room(&OLD);
    bench.write_answers(&OLD, "");
    bench.write_plan(&on_tokens());
    bench.conduct().ok();
    bench.next_room();
    bench
}

/// New certificates and a new expiry for the keys of [`on_tokens`].
pub(crate) fn renewal(bench: &Bench) -> PlanText {
    PlanText {
        ceremony: "renew",
        after: Some(bench.closing(bench.number - 1)),
        keys: Vec::new(),
        roles: Vec::new(),
        ..on_tokens()
    }
}

#[test]
fn all_keys_on_tokens_give_way_to_one_in_shares_and_back() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let mut bench = after_genesis(dialect);
        let all: Vec<&str> = OLD.into_iter().chain(NEW).collect();
        bench.write_room(&all);
        bench.write_answers(&all, "");
        let plan = to_shares(&bench);
        bench.write_plan(&plan);
        bench.conduct().ok();
        is_in_shares(&bench);
        bench.next_room();
        // A key that left comes back, with a new certificate.
        let back = PlanText {
            ceremony: "rotate",
            after: Some(bench.closing(2)),
            keys: vec![("root-d", "ecdsa-p256", Holding::Token("officer-d"))],
            root: vec!["root-d", "root-a"],
            threshold: 1,
            roles: vec![Role::Targets],
            extra: String::new(),
        };
        let all: Vec<&str> = all.into_iter().chain(["officer-d"]).collect();
        bench.online.insert(Role::Targets, super::Publisher::new());
        bench.write_room(&all);
        bench.write_answers(&all, "");
        bench.write_plan(&back);
        bench.conduct().ok();
        is_back(&bench);
        leaves_old_keys(&bench);
    }
}

/// After the rotation to shares: every old and the new key signed, and the rest is told.
#[track_caller]
fn is_in_shares(bench: &Bench) {
    let name = &bench.repositories[0];
    assert_eq!(bench.shape(name, 2), "1 of root-s, signed by root-a root-b root-c root-s");
    let misled = ["root-a", "root-b", "root-c"].map(|key| bench.misled(key, 1, 2));
    let left_out = [27, 28].map(enough);
    assert_eq!(bench.remarks(), [&misled[..], &left_out].concat());
    let keys = if bench.dialect == Dialect::Notary { 1 } else { 0 };
    assert_eq!(bench.certificates(name, 2), planned(name, keys));
}

/// After the rotation back to tokens, with another key for the targets.
#[track_caller]
fn is_back(bench: &Bench) {
    let name = &bench.repositories[0];
    let of_two = bench.misled("root-s", 2, 1);
    assert_eq!(bench.shape(name, 3), "1 of root-a root-d, signed by root-a root-s root-d");
    let of_one = ["root-b", "root-c"].map(|key| bench.misled(key, 1, 2));
    // In Notary the key that comes back is certified anew, in a step of its own.
    let certified = if bench.dialect == Dialect::Notary { 1 } else { 0 };
    let left_out = [21, 22].map(|step| enough(step + certified));
    assert_eq!(bench.remarks(), [&[of_two][..], &of_one, &left_out].concat());
    let keys = if bench.dialect == Dialect::Notary { 2 } else { 0 };
    assert_eq!(bench.certificates(name, 3), planned(name, keys));
    let root = bench.root(name, 3);
    let targets = root.root().role_keys(Role::Targets).map(|(_, key)| key.public().cloned());
    assert_eq!(targets.collect::<Vec<_>>(), [Some(bench.online[&Role::Targets].public())]);
}

/// What left the roots still lies where it was.
#[track_caller]
fn leaves_old_keys(bench: &Bench) {
    let ran = bench.officiant(&["custody", "media/out-3a", "--custody", "media/room-1"]).ok();
    let flat = flat(&ran.stdout);
    let (_, of_set) = flat.split_once(" - Set ").unwrap();
    let told = "still opens the old key `root-s`, until 3 of its 5 shares are proven destroyed in every copy. - \
                Token `officer-b` still holds the old key `root-b`, which clients of old roots believe. - \
                Token `officer-c` still holds the old key `root-c`, which clients of old roots believe. \
                In the custody folder";
    assert!(of_set[8..].trim_start().starts_with(told), "{flat}");
    let lie = "5 sealed shares of an old set of key `root-s` lie here: destroy them with the set.";
    assert!(flat.contains(lie), "{flat}");
}

/// The remark on a share that was not needed.
pub(super) fn enough(step: u32) -> String {
    format!("step {step} was left out: enough shares of key root-s are open")
}

#[test]
fn a_renewal_keeps_the_keys_and_makes_new_certificates() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let bench = after_genesis(dialect);
        bench.write_room(&OLD);
        bench.write_answers(&OLD, "");
        let renew = renewal(&bench);
        bench.write_plan(&renew);
        let screen = bench.conduct().ok().stderr;
        let screen = flat(&screen);
        for n in 1..=3 {
            let counted = format!(
                "1 signature made and verified; old keys: {n} signed, 2 needed; new keys: {n} signed, 2 needed"
            );
            assert!(screen.contains(&counted), "{counted}: {screen}");
        }
        let name = &bench.repositories[0];
        let all = "2 of root-a root-b root-c, signed by root-a root-b root-c";
        assert_eq!([1, 2].map(|version| bench.shape(name, version)), [all; 2]);
        assert_eq!(bench.remarks(), [""; 0]);
        let keys = if dialect == Dialect::Notary { 3 } else { 0 };
        assert_eq!(bench.certificates(name, 2), planned(name, keys));
    }
}

#[test]
fn a_missing_officer_is_said_and_the_others_sign() {
    let bench = after_genesis(Dialect::Notary);
    bench.write_room(&OLD);
    bench.write_answers(&OLD, "\"insert officer-c\" = \"absent ill\"\n");
    let renew = PlanText {
        ceremony: "renew",
        after: Some(bench.closing(1)),
        keys: Vec::new(),
        root: vec!["root-a", "root-b"],
        threshold: 2,
        roles: Vec::new(),
        ..on_tokens()
    };
    bench.write_plan(&renew);
    bench.conduct().ok();
    let name = &bench.repositories[0];
    assert_eq!(bench.shape(name, 2), "2 of root-a root-b, signed by root-a root-b");
    assert_eq!(bench.certificates(name, 2), planned(name, 2));
    let told = [
        bench.misled("root-c", 1, 2),
        "step 15 was left out: token officer-c is not here: ill".to_owned(),
        "token officer-c was not here: ill".to_owned(),
    ];
    assert_eq!(bench.remarks(), told);
    let report = bench.report();
    assert!(report.contains("not here: ill"), "{report}");
}
