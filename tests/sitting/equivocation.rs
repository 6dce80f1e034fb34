//! Nobody gets two roots of one version signed: old folders, old or edited or forked records, another day.

use std::fs;

use officiant::{
    ceremony::{closing, fact::Fact},
    digest::Digest,
    record::{Body, Record},
    root::Dialect,
};

use super::genesis::on_one_token;
use super::{Bench, PlanText};
use crate::harness::{
    command::{Ran, run},
    pty::Pty,
    scratch::Scratch,
    shim::Shim,
    softhsm::MODULE,
};

const TOKENS: [&str; 1] = ["officer-a"];

/// The same key signs again.
pub(super) fn renewal(bench: &Bench, after: u32) -> PlanText {
    let after = Some(bench.closing(after));
    PlanText { ceremony: "renew", after, keys: Vec::new(), roles: Vec::new(), ..on_one_token() }
}

pub(super) fn lay_out(bench: &Bench) {
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
}

/// After a genesis and a renewal, ready for the third ceremony.
pub(super) fn after_two() -> Bench {
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    lay_out(&bench);
    bench.write_plan(&on_one_token());
    bench.conduct().ok();
    bench.next_room();
    lay_out(&bench);
    bench.write_plan(&renewal(&bench, 1));
    bench.conduct().ok();
    bench.next_room();
    bench
}

/// A first ceremony that died when its token had said what it will sign, before it signed.
pub(super) fn dead_after_intent() -> Bench {
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "one", MODULE, &[]);
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room_with(&TOKENS, shim.module().to_str().unwrap());
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&on_one_token());
    // The first proves the attest key, the second the root key, the third says that the token made it, the fourth signs
    // the root.
    shim.rules(MODULE, &["C_SignInit 4 before kill both"]);
    assert_eq!(bench.conduct().signal(), Some(9));
    // From now on without the shim, as the room is read anew.
    bench.write_room(&TOKENS);
    bench
}

#[track_caller]
fn refused(ran: &Ran, lines: [&str; 3]) {
    let told: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(told[told.len().saturating_sub(3)..], lines, "{}", ran.stderr);
    assert_eq!(ran.code(), 1);
}

fn record_of(bench: &Bench) -> Record {
    let path = bench.path(&format!("work-{}/record.jsonl", bench.number));
    Record::parse(&fs::read(path).unwrap()).unwrap().0
}

#[test]
fn a_rolled_back_trust_folder_is_not_what_the_plan_follows() {
    let bench = after_two();
    lay_out(&bench);
    bench.write_plan(&renewal(&bench, 2));
    let room = bench.path("room-3.toml");
    let text = fs::read_to_string(&room).unwrap().replace("out-2a/trust", "out-1a/trust");
    fs::write(room, text).unwrap();
    let (after, found) = (bench.closing(2), bench.closing(1));
    refused(
        &bench.conduct(),
        [
            &format!(
                "error: the plan follows {after}, the trust folder ends with {found} [PLAN-AFTER]"
            ),
            "hint: bring the trust folder that the plan follows, or the plan that follows this one",
            "nothing was signed and nothing was written",
        ],
    );
}

#[test]
fn a_token_knows_of_a_ceremony_that_folder_plan_and_request_hide() {
    let bench = after_two();
    // Everything that the room is given is as it was before the second ceremony: only the token is not.
    bench.write_room(&TOKENS);
    let room = bench.path("room-3.toml");
    let text = fs::read_to_string(&room).unwrap().replace("out-2a/trust", "out-1a/trust");
    fs::write(room, text).unwrap();
    bench.write_answers(&TOKENS, "");
    let mut chains = bench.published();
    chains.values_mut().for_each(|chain| chain.truncate(1));
    let request = bench.write_request(&chains);
    let plan = bench.plan_toml(&renewal(&bench, 1), request);
    bench.scratch.file("plan-3.toml", plan);
    refused(
        &bench.conduct(),
        [
            "error: token `officer-a` has signed in a ceremony that the trust folder and this record do not have [TRUST-BEHIND-TOKEN]",
            "hint: bring the newest trust folder, or the longest copy of the record",
            "nothing was signed; the record holds what was done; `resume` goes on at step 9",
        ],
    );
}

#[test]
fn an_old_copy_of_the_record_is_behind_the_token_and_the_longest_goes_on() {
    let bench = dead_after_intent();
    let path = bench.path("work-1/record.jsonl");
    let whole = fs::read(&path).unwrap();
    let record = record_of(&bench);
    let read = record
        .entries()
        .iter()
        .position(|entry| matches!(&entry.body, Body::Checkpoint { part } if part == "Keys"));
    fs::write(&path, record.first(read.unwrap() + 1).file().read().unwrap()).unwrap();
    // Paper has more pages than that copy.
    bench.write_answers(&TOKENS, "resume-page = \"Reading\"\n");
    refused(
        &bench.resume(),
        [
            "error: the last page on paper is Reading, and the last of the record is Keys [RESUME-HEAD]",
            "hint: find the machine or media that holds the whole record",
            "this run did nothing; what earlier runs signed and wrote stands",
        ],
    );
    bench.write_answers(&TOKENS, "");
    refused(
        &bench.resume(),
        [
            "error: token `officer-a` has signed in a ceremony that the trust folder and this record do not have [TRUST-BEHIND-TOKEN]",
            "hint: bring the newest trust folder, or the longest copy of the record",
            "nothing was signed; the record holds what was done; `resume` goes on at step 9",
        ],
    );
    // The copy that went on from there is another record now.
    bench.scratch.file("copy.jsonl", &whole);
    let line = read.unwrap() + 2;
    let forked = resume_with(&bench, "copy.jsonl");
    refused(
        &forked,
        [
            &format!("error: two copies of the record differ at line {line} [RESUME-HEAD]"),
            "hint: find the machine or media that holds the whole record",
            "this run did nothing; what earlier runs signed and wrote stands",
        ],
    );
    fs::write(&path, record.first(read.unwrap() + 1).file().read().unwrap()).unwrap();
    resume_with(&bench, "copy.jsonl").ok();
    assert_eq!(record_of(&bench).first(record.entries().len()), record);
}

fn resume_with(bench: &Bench, copy: &str) -> Ran {
    let mut resuming = bench.resuming();
    run(resuming.args(["--record", copy]))
}

/// Types the words that paper has for the page that is asked for.
fn read_from_paper(bench: &Bench, head: &Digest) -> String {
    let mut resuming = bench.resuming();
    let arguments: Vec<_> = resuming.get_args().map(ToOwned::to_owned).collect();
    resuming = {
        let mut plain =
            crate::harness::command::command(resuming.get_program(), bench.scratch.path());
        plain.args(arguments.iter().take_while(|argument| *argument != "--answers"));
        plain
    };
    let mut pty = Pty::start(&resuming);
    pty.expect("on paper, or none: ");
    pty.send_line("reading");
    pty.expect("words ");
    let positions = pty.expect(" of the");
    let words = head.words();
    let typed: Vec<&str> = positions
        .split_whitespace()
        .map(|position| words[position.parse::<usize>().unwrap() - 1])
        .collect();
    for attempt in 0..3 {
        if attempt > 0 {
            pty.expect("these are not the words");
            pty.expect(": ");
        }
        pty.send_line(&typed.join(" "));
    }
    pty.finish().transcript
}

#[test]
fn an_edited_record_with_all_its_hashes_is_not_the_one_on_paper() {
    let bench = dead_after_intent();
    let record = record_of(&bench);
    let page = record.checkpoints().pop().unwrap().0;
    let mut edited = Record::default();
    for entry in record.wholes().map(Result::unwrap) {
        let body = match &entry.body {
            Body::Done { fact: read @ Fact::RootsRead { wrong: 0, .. } } => {
                let mut fact = read.clone();
                if let Fact::RootsRead { wrong, .. } = &mut fact {
                    *wrong = 1;
                }
                Body::Done { fact }
            }
            body => body.clone(),
        };
        edited.append(entry.at, entry.step, body).unwrap();
    }
    fs::write(bench.path("work-1/record.jsonl"), edited.file().read().unwrap()).unwrap();
    let screen = read_from_paper(&bench, &page);
    let told: Vec<&str> =
        screen.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    assert_eq!(
        told[told.len() - 3..],
        [
            "error: the words of the checkpoint page of part Reading were wrong 3 times [RESUME-HEAD]",
            "hint: compare paper and machine: one of them is not what it should be",
            "no signature was recorded; the record holds what was done; `resume` goes on at step 9",
        ],
        "{screen}"
    );
    // Whoever has edited both, record and paper, is refused by the token.
    refused(
        &bench.resume(),
        [
            "error: token `officer-a` has signed in a ceremony that the trust folder and this record do not have [TRUST-BEHIND-TOKEN]",
            "hint: bring the newest trust folder, or the longest copy of the record",
            "no signature was recorded; the record holds what was done; `resume` goes on at step 9",
        ],
    );
}

/// Resumes some days later.
fn resume_after(bench: &Bench, days: u32) -> Ran {
    run(&mut bench.with_clock(bench.resuming(), &format!("+{days}d")))
}

/// The digest of the one candidate of a record.
fn drafted(bench: &Bench) -> Digest {
    let record = record_of(bench);
    closing::drafted(&record).next().unwrap().unwrap()[0].sha256
}

#[test]
fn a_ceremony_goes_on_on_another_day_and_after_its_window_only_by_an_exception() {
    let bench = dead_after_intent();
    let before = drafted(&bench);
    resume_after(&bench, 1).ok();
    assert_eq!(bench.root("repo.test", 1).signed_digest(), before);
    // A token has begun to sign: that version is never signed otherwise, so it is finished, and the record says why.
    let bench = dead_after_intent();
    let before = drafted(&bench);
    let late = resume_after(&bench, 9).ok();
    assert!(
        late.stderr.contains("a token has begun to sign, and the day is over"),
        "{}",
        late.stderr
    );
    assert_eq!(bench.root("repo.test", 1).signed_digest(), before);
    let said = String::from_utf8(record_of(&bench).file().read().unwrap()).unwrap();
    assert!(said.contains("the ceremony ends before "), "{said}");
}

#[test]
fn a_page_that_was_never_written_is_not_asked_for() {
    let bench = dead_after_intent();
    let record = record_of(&bench);
    let last = record
        .entries()
        .iter()
        .position(|entry| matches!(&entry.body, Body::Checkpoint { part } if part == "Opening"));
    // As if it had died between the record of the first checkpoint and its words on the screen.
    let bench = {
        let fresh = Bench::new(Dialect::Tuf, &["repo.test"]);
        drop(bench);
        lay_out(&fresh);
        fresh.write_answers(&TOKENS, "\"insert officer-a\" = \"absent ill\"\n");
        fresh.write_plan(&on_one_token());
        refused(
            &fresh.conduct(),
            [
                "error: token `officer-a` is not here: ill [QUORUM-PRESENT]",
                "hint: bring it, and `resume`",
                "nothing was signed; the record holds what was done; `resume` goes on at step 5",
            ],
        );
        let path = fresh.path("work-1/record.jsonl");
        let first = record_of(&fresh).first(last.unwrap() + 1);
        fs::write(path, first.file().read().unwrap()).unwrap();
        fresh
    };
    bench.write_answers(&TOKENS, "\"resume-page\" = \"none\"\n");
    let ran = bench.resume().ok();
    assert!(!ran.stderr.contains("of the checkpoint page of part Opening"), "{}", ran.stderr);
}
