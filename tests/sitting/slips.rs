//! A slip ends nothing: it is told and asked again; and whoever stops hears what is true now.

use std::{fs, path::Path, process::Command};

use jiff::Timestamp;
use officiant::{digest::Digest, root::Dialect};

use super::Bench;
use super::bad_answer::waits_at;
use super::genesis::on_one_token;
use crate::harness::command::flat;
use crate::harness::{command::command, pty::Pty};

const TOKENS: [&str; 1] = ["officer-a"];
const GOES_ON: &str = "hint: `officiant resume`, with the same room file, goes on\n";

fn genesis() -> Bench {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_plan(&on_one_token());
    bench.write_answers(&TOKENS, "");
    bench
}

fn officiant(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = command(Path::new(env!("CARGO_BIN_EXE_officiant")), bench.scratch.path());
    command.args(arguments).args(["--room", "room-1.toml"]);
    command
}

/// Types the words of the plan that are asked for.
fn type_plan(bench: &Bench, pty: &mut Pty) {
    pty.expect("— words ");
    let asked = pty.expect(" of the plan's digest");
    let words = Digest::of(&fs::read(bench.path("plan-1.toml")).unwrap()).words();
    let typed = asked.split_whitespace().map(|at| words[at.parse::<usize>().unwrap() - 1]);
    pty.expect("reviewers' paper: ");
    pty.send_line(&typed.collect::<Vec<_>>().join(" "));
}

fn type_watches(pty: &mut Pty, first: &[&str]) {
    let now = Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
    for typed in first.iter().chain([&now.as_str(), &now.as_str()]) {
        pty.expect("as 2026-12-01 14:05: ");
        pty.send_line(typed);
    }
}

#[test]
fn a_slip_at_a_question_is_told_and_asked_again() {
    let bench = genesis();
    let mut pty = Pty::start(&officiant(&bench, &["conduct", "plan-1.toml"]));
    let mut type_next = |typed: &str| {
        let before = pty.expect("reviewers' paper: ");
        pty.send_line(typed);
        before
    };
    type_next("");
    type_next("two words");
    let told = type_next("");
    assert!(told.contains("6 words are needed, 2 typed; 2 tries left"), "{told}");
    type_next("wrong words on purpose, six of");
    pty.expect("these are not the words; read them once more; 1 try left");
    type_plan(&bench, &mut pty);
    type_watches(&mut pty, &["2001-01-01 00:00"]);
    pty.expect("read these digests out; the witness compares them with paper; then press Enter: ");
    pty.send_line("they differ");
    pty.expect("press Enter alone when it is done; to stop, press Ctrl-C");
    pty.expect("then press Enter: ");
    pty.send("\u{3}");
    let ended = pty.finish();
    let last = format!("error: stopped by Ctrl-C\n{GOES_ON}{}\n", waits_at(3));
    assert!(ended.transcript.ends_with(&last), "{}", ended.transcript);
    let told = "the machine's clock says something else; read the watch once more";
    assert_eq!(ended.transcript.matches(told).count(), 1, "{}", ended.transcript);
    assert_eq!(ended.status.code(), Some(1));
    assert!(!ended.left_running);
}

#[test]
fn a_room_file_that_was_changed_before_it_was_read_is_an_exception_too() {
    let bench = genesis();
    let mut pty = Pty::start(&officiant(&bench, &["conduct", "plan-1.toml"]));
    type_plan(&bench, &mut pty);
    type_watches(&mut pty, &[]);
    pty.expect("then press Enter: ");
    pty.send("\u{3}");
    assert_eq!(pty.finish().status.code(), Some(1));
    let path = bench.path("room-1.toml");
    let before = fs::read(&path).unwrap();
    let after = [&before[..], b"# mended\n"].concat();
    fs::write(&path, &after).unwrap();
    let ran = bench.resume().ok();
    let told = flat(&ran.stderr);
    let [before, after] = [before, after].map(|bytes| Digest::of(&bytes));
    let expected = format!(
        "expected: room.toml {before}, with which the ceremony began happened: room.toml is now {after}"
    );
    assert!(told.contains(&expected), "{told}");
}

#[test]
fn media_that_are_not_what_they_should_be_can_be_changed_three_times() {
    let bench = genesis();
    bench.scratch.file("media/out-1b/officiant-media", "room\n");
    let ran = bench.conduct();
    assert_eq!(ran.code(), 1);
    let told = flat(bench.told(&ran));
    let wrong = "media `media/out-1b` is marked `room`, expected `out` [MEDIA-KIND]";
    assert_eq!(told.matches(wrong).count(), 3, "{told}");
    assert!(!bench.path("media/out-1a/trust").exists());
}

#[test]
fn a_pin_that_is_too_short_is_set_on_no_token() {
    let bench = genesis();
    bench.scratch.file("answers-1.toml", "[pin]\nofficer-a = \"12345\"\n");
    let ran = bench.conduct();
    assert_eq!(ran.code(), 1);
    let told = bench.told(&ran);
    assert_eq!(told.matches("that is shorter than 6 characters").count(), 3, "{told}");
    assert!(told.contains("error: no PIN was set on token `officer-a` [TOKEN-PIN]\n"), "{told}");
    bench.write_answers(&TOKENS, "");
    bench.resume().ok();
}
