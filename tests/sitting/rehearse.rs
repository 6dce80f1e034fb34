//! Rehearsals: the plan's own steps, inert, and gone afterwards.

use std::fs;

use officiant::{
    digest::Digest,
    root::{Dialect, Role},
};

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
fn two_years_without_a_leap_day_are_rehearsed_over_one() {
    let bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bench.write_room(&[]);
    let plan = fs::read_to_string(bench.write_plan(&on_tokens())).unwrap();
    let with = |field: &str, day: &str, plan: &str| {
        let is_it = |line: &str| line.starts_with(&format!("{field} = "));
        let lines = plan.lines();
        let lines = lines.map(|l| if is_it(l) { format!("{field} = {day}") } else { l.to_owned() });
        lines.collect::<Vec<_>>().join("\n")
    };
    // Thirty years back, the 1st of March of a leap year is a day later.
    let plan = with("expires", "2032-03-01", &plan);
    bench.lay_plan(&with("certificates_until", "2034-03-01", &plan), &[Role::Targets]);
    bench.rehearse().ok();
}

#[test]
fn an_abandon_is_not_rehearsed() {
    let bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bench.write_room(&[]);
    let plan = format!(
        "ceremony = \"abandon\"\ntitle = \"Closing\"\ndialect = \"notary\"\nquorum_people = 1\n\
         [when]\nfrom = 2026-12-01\nuntil = 2026-12-15\n[abandon]\nplan = \"{}\"\n",
        Digest::of(b"")
    );
    bench.scratch.file("plan-1.toml", plan);
    let ran = bench.rehearse();
    assert_eq!(
        ran.stderr,
        "error: an abandon is not rehearsed: what it destroys was made by real tokens\n\
         hint: `officiant script` with `--room` prints its steps before it is held\n\
         nothing was signed and nothing was written\n"
    );
    assert_eq!(ran.code(), 2);
}
