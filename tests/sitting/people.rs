//! Plans that name their people: who sits where, bags and seals, breaks, and receipts.

use std::{collections::BTreeMap, fs};

use officiant::{
    ceremony::fact::{Bagged, Fact},
    record::Body,
    root::Dialect,
    trust::People,
};

use super::bad_answer::waits_at;
use super::genesis::on_tokens;
use super::{Bench, PlanText};
use crate::harness::command::flat;

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];
const SEATS: &str = "never_both = [[\"custodian\", \"operator\"]]\nnext_drill = 2031-05-01\nperson = [\n\
    { seat = \"desk\", roles = [\"operator\"] },\n\
    { seat = \"window\", roles = [\"witness\", \"second-reader\"] },\n\
    { seat = \"door\", spare_for = \"window\" },\n\
    { seat = \"seat of officer-a\", roles = [\"custodian\"] },\n\
    { seat = \"seat of officer-b\", roles = [\"custodian\"] },\n\
    { seat = \"seat of officer-c\", roles = [\"custodian\"] },\n]\n";

fn plan(extra: &str) -> PlanText {
    PlanText { extra: extra.to_owned(), ..on_tokens() }
}

/// A genesis of people, not begun.
fn genesis() -> Bench {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&plan(SEATS));
    bench
}

/// A renewal by them, not begun.
fn renewal(bench: &mut Bench, answers: &str) {
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, answers);
    let after = Some(bench.closing(bench.number - 1));
    let (keys, roles) = (Vec::new(), Vec::new());
    bench.write_plan(&PlanText { ceremony: "renew", after, keys, roles, ..plan(SEATS) });
}

fn facts<T>(bench: &Bench, of: impl Fn(&Fact) -> Option<T>) -> Vec<T> {
    let record = bench.record();
    let said = record.entries().iter().filter_map(|entry| match &entry.body {
        Body::Done { fact } => of(fact),
        _ => None,
    });
    said.collect()
}

#[test]
fn people_take_their_seats_and_tokens_come_and_go_in_bags() {
    let mut bench = genesis();
    let script = bench.officiant(&["script", "plan-1.toml"]).ok().stdout;
    assert!(flat(&script).contains("stands in for"), "{script}");
    bench.rehearse().ok();
    bench.write_answers(
        &TOKENS,
        "\"seat door\" = \"absent at home\"\n\"seat desk\" = \"One Known Here\"\n",
    );
    let screen = flat(&bench.conduct().ok().stderr);
    let asked = "name of the person at door (witness and second reader, standing in for window), or type `absent` and why";
    assert!(screen.contains(asked), "{screen}");
    let seated = facts(&bench, |fact| match fact {
        Fact::PeopleSeated { taken, empty, people } => {
            Some((taken.clone(), empty.clone(), *people))
        }
        _ => None,
    });
    let [(taken, empty, commitment)] = &seated[..] else { panic!("{seated:?}") };
    assert_eq!(taken.len(), 5);
    assert_eq!(*empty, BTreeMap::from([("door".to_owned(), "at home".to_owned())]));
    // The names are in the room, committed to, and nowhere else.
    let kept = fs::read(bench.path(&format!("media/room-1/custody/{}", People::path(commitment))));
    let kept: People = serde_json::from_slice(&kept.unwrap()).unwrap();
    assert_eq!((kept.commitment(), kept.names["desk"].as_str()), (*commitment, "One Known Here"));
    for (path, bytes) in super::refused::files(&bench.path("media/out-1a")) {
        assert!(!String::from_utf8_lossy(&bytes).contains("Known Here"), "{path}");
    }
    let receipt =
        fs::read_to_string(bench.path("media/room-2/custody/receipts/0001-officer-b.txt"));
    let receipt = receipt.unwrap();
    let serial = format!("serial      {}\n", bench.serial("officer-b"));
    let record = bench.record();
    let is_close = |body: &Body| matches!(body, Body::Done { fact: Fact::Closed { .. } });
    let close = record.entries().iter().position(|entry| is_close(&entry.body)).unwrap();
    let head = record.first(close + 1).head().grouped();
    for part in [
        "seat        seat of officer-b\n",
        "held        token officer-b\n",
        &serial,
        &head,
        "bag, seal   bag of officer-b\n",
        "next drill  2031-05-01\n",
    ] {
        assert!(receipt.contains(part), "{part}{receipt}");
    }
    let report = flat(&bench.officiant(&["report", "media/out-1a"]).ok().stdout);
    assert!(report.contains("door is"), "{report}");
    // They come back in those bags, but for one.
    renewal(&mut bench, "\"bag officer-b\" = \"torn\"\n");
    bench.conduct().ok();
    let opened = facts(&bench, |fact| match fact {
        Fact::BagsOpened { bags } => Some(bags.clone()),
        _ => None,
    });
    let bag = |holder: &str, bag: &str| Bagged { holder: holder.to_owned(), bag: bag.to_owned() };
    let came = [
        bag("officer-a", "bag of officer-a"),
        bag("officer-b", "torn"),
        bag("officer-c", "bag of officer-c"),
    ];
    assert_eq!(opened, [came.to_vec()]);
    let happened = facts(&bench, |fact| match fact {
        Fact::Exception { happened, .. } => Some(happened.clone()),
        _ => None,
    });
    assert!(
        happened.contains(&"officer-b came in bag torn, or its seal is broken".to_owned()),
        "{happened:?}"
    );
    bench.officiant(&["verify", "media/out-2a"]).ok();
}

#[test]
fn one_person_sits_at_one_seat_and_somebody_watches() {
    let bench = genesis();
    let hint = "seat everybody, and `resume`";
    bench.write_answers(&TOKENS, "\"seat desk\" = \"Somebody\"\n\"seat window\" = \"SOMEBODY\"\n");
    let told = "nobody said who sits at window, and nowhere else [PLAN-PEOPLE]";
    bench.stops(|| bench.conduct(), 1, [told, hint, &waits_at(2)]);
    let absent = "\"seat window\" = \"absent ill\"\n\"seat door\" = \"absent at home\"\n";
    bench.write_answers(&TOKENS, absent);
    let told = "nobody is here as witness, and no spare [PLAN-PEOPLE]";
    let hint = "correct `[[person]]`, or bring whoever the plan names, or a spare";
    bench.stops(|| bench.resume(), 1, [told, hint, &waits_at(2)]);
    // A spare is enough.
    bench.write_answers(&TOKENS, "\"seat window\" = \"absent ill\"\n");
    bench.resume().ok();
}

#[test]
fn a_plan_whose_people_cannot_hold_it_is_refused() {
    let bench = genesis();
    let told = |from: &str, to: &str| {
        bench.write_plan(&plan(&SEATS.replace(from, to)));
        let ran = bench.officiant(&["check", "plan-1.toml"]);
        let line = ran.stderr.lines().find_map(|line| line.strip_prefix("error: "));
        line.map(|line| line.replace(" [PLAN-PEOPLE]", "")).unwrap_or_default()
    };
    for (from, to, what) in [
        (
            "{ seat = \"desk\", roles = [\"operator\"] },\n",
            "",
            "0 seats are operator, expected one",
        ),
        (
            "[\"witness\", \"second-reader\"]",
            "[\"witness\", \"operator\"]",
            "`window` is operator and witness, which nobody is together",
        ),
        (
            "\"seat of officer-b\", roles = [\"custodian\"]",
            "\"seat of officer-b\", roles = [\"custodian\", \"operator\"]",
            "`seat of officer-b` is custodian and operator, which nobody is together",
        ),
        (
            "{ seat = \"seat of officer-c\", roles = [\"custodian\"] },\n",
            "",
            "`seat of officer-c`, who holds token officer-c, is no custodian of the plan",
        ),
        ("spare_for = \"window\"", "roles = []", "`door` has no role"),
        ("\"door\"", "\"desk\"", "two people sit at `desk`"),
        (
            "spare_for = \"window\"",
            "spare_for = \"roof\"",
            "`door` stands in for `roof`: that is a seat of the plan and no spare, and `door` has no roles besides",
        ),
        (
            "\"door\"",
            "\"DESK\"",
            "plan.toml:11: seats `desk` and `DESK` read alike: write one in one way",
        ),
        (
            &SEATS[SEATS.find("person").unwrap()..],
            "",
            "plan.toml:1: `never_both` and `next_drill` need `[[person]]`",
        ),
    ] {
        assert_eq!(told(from, to), what, "{from}");
    }
}

#[test]
fn a_break_ends_the_run_with_all_bagged_and_goes_on_by_the_words_of_its_sheet() {
    let bench = genesis();
    bench.write_answers(&TOKENS, "\"insert officer-b\" = \"break\"\n");
    let hint =
        "after it, `officiant resume` asks for the words of the break sheet and for the bags";
    bench.stops(|| bench.conduct(), 1, ["a break was taken", hint, &waits_at(7)]);
    let taken = facts(&bench, |fact| match fact {
        Fact::BreakTaken { bags } => {
            Some(bags.iter().map(|bag| bag.holder.clone()).collect::<Vec<_>>())
        }
        _ => None,
    });
    assert_eq!(taken, [["officer-a".to_owned()].to_vec()]);
    // Somebody without the sheet, and then the right words and another bag.
    bench.write_answers(&TOKENS, "\"break-words\" = \"zoo zoo zoo zoo zoo zoo\"\n");
    let ran = bench.resume();
    let told = "error: the words of the break sheet were wrong 3 times [RESUME-HEAD]\n";
    assert!(ran.code() == 1 && ran.stderr.contains(told), "{}", ran.stderr);
    bench.write_answers(&TOKENS, "");
    let screen = flat(&bench.resume().ok().stderr);
    assert!(
        screen.contains("number of the bag and seal that token officer-a is in, unbroken"),
        "{screen}"
    );
    let report = flat(&bench.officiant(&["report", "media/out-1a"]).ok().stdout);
    assert!(report.contains("officer-a in bag of officer-a; on the break sheet: "), "{report}");
    bench.officiant(&["verify", "media/out-1a"]).ok();
}

/// The words of a checkpoint and of a break are recorded before anybody can write them down.
#[test]
fn a_break_before_anything_was_written_down_is_gone_on_from_by_what_people_saw() {
    let bench = genesis();
    bench.write_answers(&TOKENS, "\"checkpoint\" = \"break\"\n");
    let ran = bench.conduct();
    assert!(ran.code() == 1 && ran.stderr.contains("a break was taken"), "{}", ran.stderr);
    bench.write_answers(&TOKENS, "\"resume-page\" = \"none\"\n\"break-page\" = \"none\"\n");
    let screen = flat(&bench.resume().ok().stderr);
    assert!(screen.contains("was all of this done in this ceremony"), "{screen}");
    bench.officiant(&["verify", "media/out-1a"]).ok();
}
