//! Records that somebody edited, with every hash made anew: the chain holds, and what it says does not.

use officiant::ceremony::fact::Fact;
use officiant::digest::Digest;
use officiant::record::{Body, Entry, Mode, Record};
use officiant::root::Dialect;

use super::Bench;
use super::bad_token::begun_for_real;
use super::genesis::on_tokens;

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];

/// A genesis that stopped after its candidates were written, before anybody consented.
fn stopped() -> Bench {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_plan(&on_tokens());
    bench.write_answers(&TOKENS, "\"consent officer-a\" = \"zoo zoo zoo zoo\"\n");
    assert_eq!(bench.conduct().code(), 1);
    bench.write_answers(&TOKENS, "");
    bench
}

/// Writes the record again, without the entries that `edit` drops and with those that it changed.
fn edit(bench: &Bench, edit: impl Fn(&mut Entry) -> bool) {
    let mut edited = Record::default();
    for entry in bench.record().wholes() {
        let mut entry = entry.unwrap();
        if edit(&mut entry) {
            edited.append(entry.at, entry.step, entry.body).unwrap();
        }
    }
    let path = format!("work-{}/record.jsonl", bench.number);
    std::fs::write(bench.path(&path), edited.file().read().unwrap()).unwrap();
}

#[track_caller]
fn is_refused(bench: &Bench, what: &str) {
    let before = bench.record().file().read().unwrap();
    let ran = bench.resume();
    let told = bench.told(&ran);
    let first = told.lines().next().unwrap();
    assert!(first.starts_with("error: record line ") && first.ends_with(what), "{told}");
    assert_eq!(ran.code(), 1);
    assert_eq!(bench.record().file().read().unwrap(), before);
}

#[test]
fn a_fact_that_was_taken_out_is_missed() {
    let bench = stopped();
    edit(&bench, |entry| {
        !matches!(&entry.body, Body::Done { fact: Fact::TokenEnrolled { token, .. } }
            if token == "officer-b")
    });
    is_refused(&bench, "the record says step 7 where step 6 is next [FACT-ORDER]");
}

#[test]
fn candidates_that_were_exchanged_are_not_signed() {
    let bench = stopped();
    let other = Digest::of(b"another candidate");
    edit(&bench, |entry| {
        if let Body::Done { fact: Fact::Drafted { roots } } = &mut entry.body {
            roots[0].sha256 = other;
        }
        true
    });
    let what = "the recorded candidates are not those that plan, request and record give";
    is_refused(&bench, &format!("{what} [ROOT-EQUIVOCATION]"));
}

#[test]
fn a_consent_that_was_exchanged_is_none_to_what_is_signed() {
    let bench = stopped();
    edit(&bench, |entry| {
        if let Body::Done { fact: Fact::RootsDrafted { consent } } = &mut entry.body {
            *consent = Digest::of(b"another consent");
        }
        true
    });
    let what = "the recorded candidates are not those that plan, request and record give";
    is_refused(&bench, &format!("{what} [ROOT-EQUIVOCATION]"));
}

#[test]
fn a_token_that_meant_to_sign_something_else_stops_the_ceremony() {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_plan(&on_tokens());
    bench.write_answers(&TOKENS, "\"consent officer-b\" = \"zoo zoo zoo zoo\"\n");
    assert_eq!(bench.conduct().code(), 1);
    bench.write_answers(&TOKENS, "");
    let other = Digest::of(b"something else");
    edit(&bench, |entry| {
        if let Body::Done { fact: Fact::Intended { consent, .. } } = &mut entry.body {
            *consent = other;
        }
        true
    });
    let what = "token `officer-a` intends to sign something else than was drafted";
    is_refused(&bench, &format!("{what} [ROOT-EQUIVOCATION]"));
}

#[test]
fn a_record_that_calls_itself_a_rehearsal_is_not_resumed() {
    // Before the first checkpoint no paper knows the record, and a rehearsal would take soft tokens for real names.
    let (bench, mut terminal) = begun_for_real();
    terminal.kill();
    terminal.finish();
    edit(&bench, |entry| {
        if let Body::Opened { mode, .. } = &mut entry.body {
            *mode = Mode::Rehearsal;
        }
        true
    });
    let before = bench.record().file().read().unwrap();
    let ran = bench.officiant(&["resume", "--room", "room-1.toml"]);
    let told = "error: record line 1: a rehearsal is never resumed [FACT-ORDER]\n\
                hint: find the machine or media that holds the whole record\n\
                this run did nothing; what earlier runs signed and wrote stands\n";
    assert_eq!((bench.told(&ran).as_str(), ran.code()), (told, 1));
    assert_eq!(bench.record().file().read().unwrap(), before);
}
