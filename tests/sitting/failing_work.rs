//! A work folder that fills, turns read-only, vanishes or lies at each change: the right three lines, and the ceremony is
//! gone on with when it works again.

use std::{collections::BTreeSet, fs};

use officiant::{
    ceremony::fact::Fact,
    record::{Body, Entry},
};

use super::{
    Bench,
    failing_media::{EXPORTS, OUT, assert_told, shortest, standings},
    refused::NOTHING,
};
use crate::harness::{
    command::run,
    lying::{Lie, LyingMedium},
    media::may_mount,
};

const WORK: &str = "work-1";

/// What a resumed run that came to nothing says.
const EARLIER: &str = "this run did nothing; what earlier runs signed and wrote stands";

/// What is true once there is a record, and nothing else.
const BEGUN: &str =
    "nothing was signed; the work folder holds a record; `resume` goes on at step 1";

/// The step that compares clocks, anew after each restart.
const CLOCK: u32 = 2;

/// The facts of a record, with their steps.
fn facts(entries: &[Entry]) -> Vec<(u32, &Fact)> {
    let facts = entries.iter().filter_map(|entry| match &entry.body {
        Body::Done { fact } => Some((entry.step, fact)),
        _ => None,
    });
    facts.collect()
}

/// The steps that are over.
fn done(facts: &[(u32, &Fact)]) -> BTreeSet<u32> {
    let is_over = |fact: &Fact| {
        let passing =
            matches!(fact, Fact::Exception { .. } | Fact::Intended { .. } | Fact::Resumed { .. });
        !passing && !fact.is_piece()
    };
    let over = facts.iter().filter(|(step, fact)| *step != CLOCK && is_over(fact));
    over.map(|(step, _)| *step).collect()
}

/// What is true of a ceremony with these facts, whether clocks are compared next or not.
fn true_of(facts: &[(u32, &Fact)], is_resumed: bool) -> BTreeSet<String> {
    let any = |is_it: fn(&Fact) -> bool| facts.iter().any(|(_, fact)| is_it(fact));
    let lead = if facts.is_empty() {
        let nothing = if is_resumed { EARLIER } else { NOTHING };
        return BTreeSet::from([nothing.to_owned(), BEGUN.to_owned()]);
    } else if any(|fact| matches!(fact, Fact::FoldersExported { .. })) {
        return BTreeSet::from(["everything is signed, and on media".to_owned()]);
    } else if any(|fact| matches!(fact, Fact::Closed { .. })) {
        "1 key signed, recorded; out and room media are not complete"
    } else if any(|fact| matches!(fact, Fact::RootsSigned { .. })) {
        "1 key signed, recorded; nothing is on out media"
    } else if any(|fact| matches!(fact, Fact::Signed { .. })) {
        "1 signature recorded; nothing is on out media"
    } else if any(|fact| matches!(fact, Fact::Intended { .. })) {
        "no signature was recorded; the record holds what was done"
    } else {
        "nothing was signed; the record holds what was done"
    };
    let done = done(facts);
    let next = (1..).find(|step| *step != CLOCK && !done.contains(step));
    // A reading that has no page on paper yet is done again.
    let is_read = |(_, fact): &&(u32, &Fact)| matches!(fact, Fact::RootsRead { .. });
    let read = facts.iter().find(is_read).map(|(step, _)| *step);
    let steps = [Some(CLOCK), read, next].into_iter().flatten();
    let plain = steps.map(|step| format!("{lead}; `resume` goes on at step {step}"));
    plain.flat_map(|standing| standings(&standing)).collect()
}

/// What may stand in the last line: what is true by the record, or by the record without its last entry, which may have
/// stayed although its write failed.
fn standing(before: &[Entry], after: &[Entry]) -> BTreeSet<String> {
    let is_resumed = !before.is_empty();
    let all = facts(after);
    let mut standing = true_of(&all, is_resumed);
    if let Some((_, but_last)) = after.split_last() {
        standing.extend(true_of(&facts(but_last), is_resumed));
    }
    if is_resumed && after.len() == before.len() {
        standing.insert(EARLIER.to_owned());
    }
    standing
}

fn entries(bench: &Bench) -> Vec<Entry> {
    let is_there = fs::exists(bench.path(WORK).join("record.jsonl")).unwrap();
    if is_there { bench.record().entries().to_vec() } else { Vec::new() }
}

/// The ways to go wrong at the nth change of a run. Those after which an entry may stay come last; what each restart does
/// before anything else goes wrong in one way, another each `turn`.
fn ways(number: usize, turn: usize) -> Vec<Lie> {
    let once = ["fail EIO", "fail ENOSPC"][number % 2];
    let pretended = ["flip", "lose"][number % 2];
    let all = [once, "fill", pretended, "lock", "vanish"];
    let restart = turn > 0 && number <= RESTART;
    let chosen = if restart { &all[(turn + number) % all.len()..][..1] } else { &all[..] };
    chosen.iter().map(|way| Lie::at_change(number, way)).collect()
}

/// The changes that each restart makes first: that it resumed, and what the clock showed, each written and synced.
const RESTART: usize = 4;

/// At the first change, at the second, and so on, each time over what the failure before left; from the first on again
/// whenever another step is done.
#[test]
fn a_work_folder_that_fails_is_gone_on_with_when_it_works_again() {
    if !may_mount("a_work_folder_that_fails_is_gone_on_with_when_it_works_again") {
        return;
    }
    let stage = shortest();
    let bench = &stage.bench;
    let medium = LyingMedium::new(&bench.scratch, WORK, &[]);
    let lies = |turn| (1..).flat_map(move |number| ways(number, turn));
    let (mut count, mut turn, mut next) = (0, 0, lies(0));
    while let Some(is_done) = fails(bench, &medium, &next.next().unwrap()) {
        count += 1;
        if is_done {
            turn += 1;
            next = lies(turn);
        }
    }
    assert!(count > 200, "{count}");
    stage.compare(count);
}

/// What is not seen is not taken for what is not there: the shares and identities in it go onto media in the last step.
#[test]
fn a_work_folder_that_vanishes_at_any_look_is_not_taken_for_an_empty_one() {
    if !may_mount("a_work_folder_that_vanishes_at_any_look_is_not_taken_for_an_empty_one") {
        return;
    }
    let stage = shortest();
    let bench = &stage.bench;
    let medium = LyingMedium::new(&bench.scratch, WORK, &[]);
    OUT.reach(bench, EXPORTS);
    let mut looks = (1..).map(|number| Lie::at_look(number, "vanish"));
    let mut count = 0;
    while fails(bench, &medium, &looks.next().unwrap()).is_some() {
        count += 1;
    }
    assert!(count > 30, "{count}");
    stage.compare(count);
}

/// Goes on with a ceremony, whose work folder lies in one way: what is then said is right. Whether another step is done;
/// none if the ceremony was over before the lie.
#[track_caller]
fn fails(bench: &Bench, medium: &LyingMedium, lie: &Lie) -> Option<bool> {
    let (before, mut command) = (entries(bench), bench.going_on());
    medium.lay(&[&lie.rule()]);
    let ran = run(&mut command);
    let has_lied = medium.has_lied();
    medium.lay(&[]);
    if !has_lied {
        ran.ok();
        return None;
    }
    let after = entries(bench);
    assert_told(bench, &ran, lie, WORK, &standing(&before, &after));
    Some(done(&facts(&after)) != done(&facts(&before)))
}
