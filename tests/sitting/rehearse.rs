//! Rehearsals: the plan's own steps, inert, and gone afterwards.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::{Span, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use officiant::{
    ceremony::plan::rehearsal::{DAYS, PREFIX},
    digest::Digest,
    name::Name,
    record::{Body, Mode, Record},
    root::{Dialect, Role, Root, SignedRoot},
};

use super::bench::{Chains, Publisher, today};
use super::genesis::{in_shares, on_tokens};
use super::refused::{assert_same, files};
use super::rotate::{after_genesis, renewal};
use super::{Bench, PlanText};
#[cfg(feature = "online")]
use crate::harness::command::run;
use crate::harness::{command::command, pty::Pty};

#[test]
fn a_genesis_is_rehearsed_before_any_token_is_bought() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let bench = Bench::new(dialect, &["localhost:5000/one"]);
        bench.write_room(&[]);
        bench.write_plan(&in_shares());
        let before = files(bench.scratch.path());
        let ran = bench.rehearse().ok();
        assert!(ran.stdout.starts_with("REHEARSAL finished: 28 steps"), "{}", ran.stdout);
        assert!(ran.stderr.contains("REHEARSAL: Practice 1"), "{}", ran.stderr);
        assert_same(&before, &files(bench.scratch.path()), |_, _, _| false);
    }
}

/// A rotation after two roots, which end on different days.
fn after_two(dialect: Dialect) -> Bench {
    let mut bench = after_genesis(dialect);
    let tokens = ["officer-a", "officer-b", "officer-c"];
    bench.write_room(&tokens);
    bench.write_answers(&tokens, "");
    let renew = PlanText { root: vec!["root-a", "root-b"], ..renewal(&bench) };
    let plan = bench.plan_toml(&renew, bench.write_request(&bench.published()));
    let (old, new) = (expiry(dialect), expiry(dialect).yesterday().unwrap());
    bench.lay_plan(&plan.replace(&format!("expires = {old}"), &format!("expires = {new}")), &[]);
    bench.conduct().ok();
    bench.next_room();
    bench.write_room(&[]);
    bench.write_plan(&PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(2)),
        roles: vec![Role::Targets],
        ..in_shares()
    });
    bench
}

/// The day on which the roots of a bench expire.
fn expiry(dialect: Dialect) -> Date {
    let days: Span = if dialect == Dialect::Tuf { 25.days() } else { 2000.days() };
    today().checked_add(days).unwrap()
}

#[test]
fn a_rotation_is_rehearsed_after_a_stand_in_of_its_past() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let bench = after_two(dialect);
        let before = files(bench.scratch.path());
        let ran = bench.rehearse().ok();
        assert!(ran.stdout.contains("after a stand-in of 2 roots"), "{}", ran.stdout);
        assert_same(&before, &files(bench.scratch.path()), |_, _, _| false);
    }
}

#[test]
fn what_a_rehearsal_makes_is_inert() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let bench = after_two(dialect);
        let before = files(bench.scratch.path());
        let rehearsal = left_by_a_rehearsal(&bench);
        for version in [1, 2] {
            is_stand_in(&bench, &rehearsal, version);
        }
        let plan = fs::read_to_string(rehearsal.join("plan-3.toml")).unwrap();
        let [from, until] = [today().yesterday(), today().checked_add(3.days())];
        for line in [
            format!("name = \"{PREFIX}{}\"\n", bench.repositories[0]),
            format!("from = {}\n", shift(from.unwrap())),
            format!("until = {}\n", shift(until.unwrap())),
            format!("expires = {}\n", shift(expiry(dialect))),
            "title = \"REHEARSAL: Practice 3\"\n".to_owned(),
        ] {
            assert!(plan.contains(&line), "{line}{plan}");
        }
        #[cfg(feature = "online")]
        stays_in_the_room(&bench, &rehearsal);
        fs::remove_dir_all(&rehearsal).unwrap();
        assert_same(&before, &files(bench.scratch.path()), |_, _, _| false);
    }
}

/// Rehearses with people, who go away at the first question about the plan itself: the folder of the rehearsal stays.
fn left_by_a_rehearsal(bench: &Bench) -> PathBuf {
    let mut rehearse = command(env!("CARGO_BIN_EXE_officiant"), bench.scratch.path());
    rehearse.args(["rehearse", "plan-3.toml", "--room", "room-3.toml", "--interactive"]);
    let mut pty = Pty::start(&rehearse);
    pty.expect("REHEARSAL: Practice 3 (rotate, ");
    pty.expect(" from the reviewers' paper: ");
    pty.send("\u{4}");
    let screen = pty.finish().transcript;
    let last = screen.lines().last().unwrap();
    let (said, folder) = last.split_once('`').unwrap();
    assert_eq!(said, "nothing real was touched; the rehearsal lies in ");
    let folder = PathBuf::from(folder.strip_suffix('`').unwrap());
    assert!(folder.starts_with(bench.path("work-3").parent().unwrap()), "{screen}");
    folder
}

/// A root of the stand-in is one of the past's shape, and nothing that anybody takes for it.
#[track_caller]
fn is_stand_in(bench: &Bench, rehearsal: &Path, version: u64) {
    let trust = rehearsal.join(format!("out-{version}a/trust"));
    let name = format!("{PREFIX}{}", bench.repositories[0]);
    let folders = fs::read_dir(trust.join("metadata")).unwrap();
    let folders: Vec<_> = folders.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(folders, [name.parse::<Name>().unwrap().folder().as_str()]);
    let file = trust.join("metadata").join(&folders[0]).join(format!("{version}.root.json"));
    let file = SignedRoot::parse(bench.dialect, &fs::read(file).unwrap()).unwrap();
    let stand_in = file.root();
    let real = [1, 2].map(|version| {
        let folder = bench.repositories[0].parse::<Name>().unwrap().folder();
        let path = bench.trust(2).join(format!("metadata/{folder}/{version}.root.json"));
        SignedRoot::parse(bench.dialect, &fs::read(path).unwrap()).unwrap()
    });
    let day = |root: &Root| root.expires().instant().to_zoned(TimeZone::UTC).date();
    assert_eq!(day(stand_in), shift(day(real[version as usize - 1].root())));
    // As many keys in each role as the newest root has, none of them its own.
    let newest = real[1].root();
    for role in Role::ONLINE.into_iter().chain([Role::Root]) {
        let shape =
            |root: &Root| (root.role_keys(role).count(), root.role(role).unwrap().threshold);
        assert_eq!(shape(stand_in), shape(newest), "{role}");
    }
    let public =
        |root: &Root| root.keys().values().map(|key| key.public().cloned()).collect::<Vec<_>>();
    let real: Vec<_> = real.iter().flat_map(|file| public(file.root())).collect();
    assert!(public(stand_in).iter().all(|key| key.is_some() && !real.contains(key)));
    let leaves = |root: &Root| -> Vec<(String, Date)> {
        let bundles = root.role_keys(Role::Root).filter_map(|(_, key)| key.bundle());
        let ends = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
        bundles.map(|b| (b.leaf().name().to_owned(), ends(b.leaf().not_after()))).collect()
    };
    let shifted = leaves(newest).into_iter().map(|(_, end)| (name.clone(), shift(end)));
    assert_eq!(leaves(stand_in), shifted.collect::<Vec<_>>());
    is_of_a_rehearsal(&trust, version);
}

/// The record of a stand-in says that it is one, and tells a time of thirty years ago.
#[track_caller]
fn is_of_a_rehearsal(trust: &Path, version: u64) {
    let kind = if version == 1 { "genesis" } else { "renew" };
    let path = trust.join(format!("ceremonies/{version:04}-{kind}/record.jsonl"));
    let (record, _) = Record::parse(&fs::read(path).unwrap()).unwrap();
    let first = &record.entries()[0].body;
    assert!(matches!(first, Body::Opened { mode: Mode::Rehearsal, .. }), "{first:?}");
    for entry in record.entries() {
        let day = entry.at.to_zoned(TimeZone::UTC).date();
        assert_eq!(day, shift(today().yesterday().unwrap()), "{entry:?}");
    }
}

/// A day in its place in a rehearsal.
fn shift(day: Date) -> Date {
    day.checked_sub(DAYS.days()).unwrap()
}

/// `courier` publishes nothing of a rehearsal, whatever of it is left.
#[cfg(feature = "online")]
#[track_caller]
fn stays_in_the_room(bench: &Bench, rehearsal: &Path) {
    let refused = |trust: &Path, what: &str| {
        let mut courier = command(env!("CARGO_BIN_EXE_courier"), bench.scratch.path());
        courier.arg("publish").arg(trust);
        match bench.dialect {
            // Nobody listens there: it is refused before anybody is spoken to.
            Dialect::Notary => courier.args(["--server", "https://localhost:1"]),
            Dialect::Tuf => courier.args(["--directory", "media"]),
        };
        let ran = run(&mut courier);
        let first = ran.stderr.lines().next().unwrap();
        assert_eq!(first, format!("error: `{what}` is of a rehearsal [REHEARSAL]"));
        assert!(ran.stderr.ends_with("\nnothing was published\n"), "{}", ran.stderr);
        assert_eq!(ran.code(), 1);
    };
    let media = rehearsal.join("out-2a");
    refused(&media, "ceremonies/0001-genesis/record.jsonl");
    refused(&media.join("trust"), "ceremonies/0001-genesis/record.jsonl");
}

#[test]
fn a_role_that_two_keys_must_sign_is_rehearsed_with_the_one_that_stands_in() {
    let bench = Bench::new(Dialect::Tuf, &["localhost:5000/one"]);
    bench.write_room(&[]);
    let other = Publisher::new();
    let (first, second) = (bench.online[&Role::Targets].public(), other.public());
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
    let unproven = bench.rehearse();
    assert!(unproven.stderr.contains("nobody proved to hold key "), "{}", unproven.stderr);
    for owner in [&bench.online[&Role::Targets], &other] {
        bench.lay_proof("localhost:5000/one", Role::Targets, owner, both.as_bytes());
    }
    bench.rehearse().ok();
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
