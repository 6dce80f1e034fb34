//! Ceremonies that go on on a later day, when something has ended since the candidates were drafted.

use jiff::ToSpan;
use officiant::ceremony::fact::Fact;
use officiant::ceremony::reach::SAME_DAY;
use officiant::record::Body;

use super::bad_answer::waits_at;
use super::bad_root::{adopting, certified, first, import};
use super::bench::today;
use super::{Bench, Publisher};
use crate::harness::command::{Ran, run};

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];
const NAME: &str = "localhost:5000/one";

/// A bench whose repository stands at a root of another tool, whose key `officer-a` holds, with a certificate that ends
/// tomorrow. Somebody elsewhere may have a second key of it, which does not sign.
fn ends_tomorrow(has_second: bool) -> Bench {
    adopting(|bench, owner| {
        let mut keys = vec![certified(owner, 1, (-1, 1))];
        if has_second {
            keys.push(certified(&Publisher::new(), 2, (-1, 3000)));
        }
        import(bench, owner);
        first(bench, owner, keys, 900).bytes().to_vec()
    })
}

/// Conducts up to the consent of a token's custodian, who gives wrong words.
#[track_caller]
fn stop_at(bench: &Bench, token: &str) {
    bench.write_answers(&TOKENS, &format!("\"consent {token}\" = \"zoo zoo zoo zoo\"\n"));
    let ran = bench.conduct();
    assert!(ran.stderr.contains("[CONSENT-CUSTODIAN]"), "{}", ran.stderr);
    bench.write_answers(&TOKENS, "");
}

fn resume_after_two_days(bench: &Bench) -> Ran {
    run(&mut bench.with_clock(bench.resuming(), "+2d"))
}

fn signed_or_meant(bench: &Bench) -> usize {
    let record = bench.record();
    let is_it = |body: &Body| {
        matches!(body, Body::Done { fact: Fact::Intended { .. } | Fact::RootsSigned { .. } })
    };
    record.entries().iter().filter(|entry| is_it(&entry.body)).count()
}

/// What is wrong two days later.
fn ended() -> String {
    let day = today().checked_add(2.days()).unwrap();
    format!("`{NAME}`: root 1: no certificate of its root keys is valid on {day}")
}

#[test]
fn a_root_that_ended_between_draft_and_consent_is_not_signed() {
    let bench = ends_tomorrow(false);
    stop_at(&bench, "officer-a");
    let ran = resume_after_two_days(&bench);
    let screen = bench.told(&ran);
    let last: Vec<&str> = screen.lines().rev().take(3).collect();
    assert_eq!(last[2], format!("error: {} [WALK]", ended()), "{screen}");
    assert_eq!((last[0], ran.code()), (waits_at(2).as_str(), 1));
    assert_eq!(signed_or_meant(&bench), 0);
    // On the day on which it was drafted it still goes on.
    bench.resume().ok();
    // And on the later one, where somebody can still follow the root.
    let bench = ends_tomorrow(true);
    stop_at(&bench, "officer-a");
    resume_after_two_days(&bench).ok();
}

#[test]
fn a_root_that_ended_after_the_first_signature_is_finished_by_an_exception_alone() {
    let bench = ends_tomorrow(false);
    stop_at(&bench, "officer-b");
    assert_eq!(signed_or_meant(&bench), 2);
    resume_after_two_days(&bench).ok();
    let record = bench.record();
    let exceptions = record.entries().iter().filter_map(|entry| match &entry.body {
        Body::Done { fact: Fact::Exception { expected, happened, .. } } => {
            Some((entry.step, expected.as_str(), happened.as_str()))
        }
        _ => None,
    });
    let late: Vec<_> = exceptions.filter(|(_, expected, _)| *expected == SAME_DAY).collect();
    assert_eq!(late, [(2, SAME_DAY, ended().as_str())]);
    // Whoever verifies holds it again by its record, and is told.
    let again = bench.officiant(&["verify", "media/out-1a"]).ok();
    assert!(again.stdout.contains("1 exception"), "{}", again.stdout);
}
