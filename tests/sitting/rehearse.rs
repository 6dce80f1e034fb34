//! Rehearsals: the plan's own steps, inert, and gone afterwards.

use std::fs;

use officiant::root::{Dialect, Role};

use super::bench::{Chains, Publisher};
use super::genesis::{in_shares, on_tokens};
use super::rotate::after_genesis;
use super::{Bench, PlanText};

/// Everything in the room but what a rehearsal may leave, which is nothing.
fn listing(bench: &Bench) -> Vec<String> {
    fn walk(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => walk(&entry, found),
                false => found.push(entry.display().to_string()),
            }
        }
    }
    let mut found = Vec::new();
    walk(bench.scratch.path(), &mut found);
    found.sort();
    found
}

#[test]
fn a_genesis_is_rehearsed_before_any_token_is_bought() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let bench = Bench::new(dialect, &["localhost:5000/one"]);
        bench.write_room(&[]);
        bench.write_plan(&in_shares());
        let before = listing(&bench);
        let ran = bench.rehearse().ok();
        assert!(ran.stdout.starts_with("REHEARSAL finished: 28 steps"), "{}", ran.stdout);
        assert!(ran.stderr.contains("REHEARSAL: REHEARSAL: Practice 1"), "{}", ran.stderr);
        assert_eq!(listing(&bench), before);
    }
}

#[test]
fn a_rotation_is_rehearsed_after_a_stand_in_of_its_past() {
    let bench = after_genesis(Dialect::Notary);
    bench.write_room(&[]);
    let plan = PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(1)),
        roles: Vec::new(),
        ..in_shares()
    };
    bench.write_plan(&plan);
    let before = listing(&bench);
    let ran = bench.rehearse().ok();
    assert!(ran.stdout.contains("after a stand-in of 1 root"), "{}", ran.stdout);
    assert_eq!(listing(&bench), before);
}

#[test]
fn a_role_that_two_keys_must_sign_is_rehearsed_with_the_one_that_stands_in() {
    let bench = Bench::new(Dialect::Tuf, &["localhost:5000/one"]);
    bench.write_room(&[]);
    let (first, second) = (bench.online[&Role::Targets].public(), Publisher::new().public());
    let mut request = bench.request(&Chains::new());
    for repository in request.repositories.values_mut() {
        repository.keys.insert(Role::Targets, vec![first.clone(), second.clone()]);
    }
    let plan = bench.plan_toml(&on_tokens(), bench.lay_request(&request));
    let (one, two) = (first.id(), second.id());
    let plan = plan.replace(&format!("[\"{one}\"]"), &format!("[\"{one}\", \"{two}\"]"));
    let role = "name = \"targets\"\nkeys = \"request\"\nthreshold = ";
    let both = plan.replace(&format!("{role}1"), &format!("{role}2"));
    assert!(both.contains(&two.to_string()) && both.contains(&format!("{role}2")), "{both}");
    bench.lay_plan(&both, &[]);
    bench.rehearse().ok();
}
