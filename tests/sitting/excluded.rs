//! Repositories whose clients are cut off already: left out by name, and the others go on.

use std::{collections::BTreeMap, fs};

use officiant::root::Dialect;

use super::bad_root::{certified_for, first, import, lay_adoption};
use super::bench::{Chains, today};
use super::left::planned;
use super::{Bench, Publisher};

const TOKENS: [&str; 2] = ["officer-a", "officer-b"];
const ONE: &str = "localhost:5000/one";
const TWO: &str = "localhost:5000/two";

/// Two repositories of another tool with one root key, on `officer-a`; no certificate of the second is valid any more.
fn of_another_tool() -> (Bench, Publisher, Chains) {
    let bench = Bench::new(Dialect::Notary, &[ONE, TWO]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let owner = Publisher::new();
    import(&bench, &owner);
    let root = |name: &str, days| {
        let key = certified_for(name, &owner, 1, days);
        vec![first(&bench, &owner, vec![key], 900).bytes().to_vec()]
    };
    let chains = BTreeMap::from([
        (ONE.to_owned(), root(ONE, (-1, 3000))),
        (TWO.to_owned(), root(TWO, (-900, -10))),
    ]);
    (bench, owner, chains)
}

#[test]
fn a_repository_that_is_cut_off_is_left_out_by_name_and_the_other_goes_on() {
    let (mut bench, owner, chains) = of_another_tool();
    let request = bench.write_request(&chains);
    // Named like the other, it stops both.
    lay_adoption(&bench, &owner, (request, &chains), "");
    let day = today();
    let told = format!("`{TWO}`: root 1: no certificate of its root keys is valid on {day} [WALK]");
    let hint = "no client that holds it can follow any more: leave it out by an `[[exclude]]`";
    bench.refuses(1, &told, hint);
    // Not named at all, it is more than the plan says.
    bench.repositories.pop();
    lay_adoption(&bench, &owner, (request, &chains), "");
    let told = format!("the request names `{TWO}`, which the plan does not [REQUEST-REPOSITORIES]");
    let hint = "have the request fetched for the plan's repositories alone";
    bench.refuses(1, &told, hint);
    // Left out by name, with the reason.
    let reason = "its last certificate ended ten days ago";
    let exclude = format!("[[exclude]]\nname = \"{TWO}\"\nreason = \"{reason}\"\n");
    lay_adoption(&bench, &owner, (request, &chains), &exclude);
    let checked = bench.officiant(&["check", "plan-1.toml", "--room", "room-1.toml"]).ok().stdout;
    let left_out = format!("`{TWO}` is left out: {reason}");
    assert!(checked.contains(&left_out), "{checked}");
    bench.conduct().ok();
    assert_eq!(bench.shape(ONE, 2), "1 of root-new, signed by root-old root-new");
    assert_eq!(bench.certificates(ONE, 2), planned(ONE, 1));
    let folders = fs::read_dir(bench.trust(1).join("metadata")).unwrap().count();
    assert_eq!(folders, 1, "it has a folder");
    let left_out = format!("`{TWO}` was left out: {reason}");
    assert!(bench.remarks().contains(&left_out), "{:?}", bench.remarks());
    assert!(bench.report().contains(&left_out), "{}", bench.report());
    bench.officiant(&["verify", "media/out-1a/trust"]).ok();
}
