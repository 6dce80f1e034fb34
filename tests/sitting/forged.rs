//! Somebody writes the record while nobody is at the machine: with whole chains of digests, and things in it that no
//! room brought.

use std::fs;
use std::path::PathBuf;

use officiant::{
    ceremony::fact::Fact,
    key::PublicKey,
    record::{Body, Record},
    root::Dialect,
};

use super::genesis::on_tokens;
use super::{Bench, Publisher, bad_answer::waits_at};

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];
const FORGED: &str = "find the machine or media that holds the whole record";
const UNTOUCHED: &str = "bring the work folder as it was left: nothing in it is to be edited";
const EARLIER: &str = "this run did nothing; what earlier runs signed and wrote stands";

/// A genesis with keys on three tokens that stopped at a question.
fn stopped_at(answer: &str) -> Bench {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_plan(&on_tokens());
    bench.write_answers(&TOKENS, answer);
    assert_eq!(bench.conduct().code(), 1);
    bench.write_answers(&TOKENS, "");
    bench
}

fn record(bench: &Bench) -> Record {
    Record::parse(&fs::read(path(bench)).unwrap()).unwrap().0
}

fn path(bench: &Bench) -> PathBuf {
    bench.path(&format!("work-{}/record.jsonl", bench.number))
}

/// Writes the record again, with every digest of its chain, after a change of each entry; none leaves it out.
pub(super) fn forge(bench: &Bench, mut change: impl FnMut(&Body) -> Option<Body>) {
    let mut forged = Record::default();
    for entry in record(bench).wholes().map(Result::unwrap) {
        if let Some(body) = change(&entry.body) {
            forged.append(entry.at, entry.step, body).unwrap();
        }
    }
    fs::write(path(bench), forged.file().read().unwrap()).unwrap();
}

fn is_page(body: &Body, of: &str) -> bool {
    matches!(body, Body::Checkpoint { part } if part == of)
}

/// The key that `root-b` is to have, by whoever forges.
fn with_other_key(body: &Body, other: &PublicKey) -> Body {
    match body.clone() {
        Body::Done { fact: Fact::KeyMade { key, statement, .. } } if key == "root-b" => {
            let public = other.clone();
            let (attested, advised) = (None, Vec::new());
            let fact = Fact::KeyMade { key, public, statement, attested, advised };
            Body::Done { fact }
        }
        body => body,
    }
}

#[test]
fn a_record_that_was_cut_before_a_page_on_paper_is_not_gone_on_with() {
    let bench = stopped_at("\"second-reader\" = \"maybe\"\n");
    let whole = record(&bench);
    let keys = whole.entries().iter().position(|entry| is_page(&entry.body, "Keys")).unwrap();
    fs::write(bench.path("work-1/record.jsonl"), whole.first(keys).file().read().unwrap()).unwrap();
    // The operator says what lies on the table.
    bench.write_answers(&TOKENS, "resume-page = \"Keys\"\n");
    let told = "the last page on paper is Keys, and the last of the record is Tokens [RESUME-HEAD]";
    bench.stops(|| bench.resume(), 1, [told, FORGED, EARLIER]);
    fs::write(bench.path("work-1/record.jsonl"), whole.file().read().unwrap()).unwrap();
    bench.write_answers(&TOKENS, "");
    bench.resume().ok();
}

#[test]
fn what_nobody_in_the_room_saw_is_not_gone_on_with() {
    let bench = stopped_at("\"insert officer-c\" = \"absent ill\"\n");
    bench.write_answers(&TOKENS, "resume-since = \"no\"\n");
    let told = "the record says what nobody here saw [RESUME-HEAD]";
    bench.stops(|| bench.resume(), 1, [told, FORGED, &waits_at(7)]);
    bench.write_answers(&TOKENS, "");
    let ran = bench.resume().ok();
    let since = "By the record, this was done since that page:";
    let (_, listed) = ran.stderr.split_once(since).unwrap();
    let listed: Vec<&str> = listed.lines().skip(1).take(2).collect();
    for (line, (step, token)) in listed.iter().zip([(5, "officer-a"), (6, "officer-b")]) {
        let told = format!("UTC [{step}] seat of {token}: Put in token {token}");
        assert!(line.ends_with(&told), "{line}");
    }
}

#[test]
fn a_key_that_no_token_made_is_not_taken_up() {
    let bench = stopped_at("\"second-reader\" = \"maybe\"\n");
    let (whole, other) = (record(&bench), Publisher::new().public());
    let is_it = |body: &Body| matches!(body, Body::Done { fact: Fact::KeyMade { key, .. } } if key == "root-b");
    let line = whole.entries().iter().find(|entry| is_it(&entry.body)).unwrap().seq;
    // As it was in the middle of part Keys, which has no page on paper then.
    fs::write(bench.path("work-1/record.jsonl"), whole.first(line as usize).file().read().unwrap())
        .unwrap();
    forge(&bench, |body| Some(with_other_key(body, &other)));
    let told = format!(
        "record line {line}: token `officer-b` did not say what the record says that it did [TOKEN-STATEMENT]"
    );
    refused(&bench, [&told, UNTOUCHED, EARLIER]);
}

#[test]
fn a_statement_of_another_record_is_not_taken_up() {
    let bench = stopped_at("\"second-reader\" = \"maybe\"\n");
    let is_made = |body: &Body| matches!(body, Body::Done { fact: Fact::KeyMade { .. } });
    let line = record(&bench).entries().iter().find(|entry| is_made(&entry.body)).unwrap().seq;
    // What comes before the keys is changed, and what the tokens said of them is let be.
    forge(&bench, |body| {
        Some(match body.clone() {
            Body::Done { fact: Fact::PlanConfirmed { .. } } => {
                Body::Done { fact: Fact::PlanConfirmed { wrong: 1 } }
            }
            body => body,
        })
    });
    let told = format!("record line {line}: a token said so in another record [TOKEN-STATEMENT]");
    refused(&bench, [&told, UNTOUCHED, EARLIER]);
}

#[test]
fn a_signature_that_no_token_meant_is_not_taken_up() {
    let bench = stopped_at("\"consent officer-b\" = \"zoo zoo zoo zoo\"\n");
    let is_meant = |body: &Body| matches!(body, Body::Done { fact: Fact::Intended { .. } });
    let line = record(&bench).entries().iter().find(|entry| is_meant(&entry.body)).unwrap().seq;
    forge(&bench, |body| (!is_meant(body)).then(|| body.clone()));
    let told = format!(
        "record line {line}: step 13 signs before token `officer-a` said what it signs [FACT-ORDER]"
    );
    refused(&bench, [&told, UNTOUCHED, EARLIER]);
}

/// A record that is not even begun to be gone on with: nothing is recorded.
#[track_caller]
fn refused(bench: &Bench, [what, hint, standing]: [&str; 3]) {
    let before = fs::read(bench.path("work-1/record.jsonl")).unwrap();
    let ran = bench.resume();
    assert_eq!(ran.stderr, format!("error: {what}\nhint: {hint}\n{standing}\n"));
    assert_eq!(ran.code(), 1);
    assert_eq!(fs::read(bench.path("work-1/record.jsonl")).unwrap(), before);
}
