//! What the script does not foresee is said at the question at which it happens, and stands in the record.

use std::{fs, path::Path};

use officiant::root::Dialect;

use super::Bench;
use super::genesis::on_tokens;
use crate::harness::{command::command, pty::Pty};

#[test]
fn whoever_types_an_exclamation_mark_says_what_happened_and_is_asked_again() {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let tokens = ["officer-a", "officer-b", "officer-c"];
    bench.write_room(&tokens);
    bench.write_plan(&on_tokens());
    let mut conduct = command(Path::new(env!("CARGO_BIN_EXE_officiant")), bench.scratch.path());
    conduct.args(["conduct", "plan-1.toml", "--room", "room-1.toml"]);
    let mut pty = Pty::start(&conduct);
    for (asked, typed) in [
        // The question itself, not the heading of its step: whatever is typed before it is not heard.
        ("reviewers' paper: ", "!"),
        ("what the script expects: ", "the reviewers' paper is complete"),
        ("what happened: ", "its last page is missing"),
        ("what is decided, in one line: ", "the witness reads it from the second copy"),
        ("decided by which seats: ", "operator and witness"),
        ("reviewers' paper: ", "wrong words on purpose, six of them"),
        ("reviewers' paper: ", "wrong words on purpose, six of them"),
        ("reviewers' paper: ", "wrong words on purpose, six of them"),
    ] {
        pty.expect(asked);
        pty.send_line(typed);
    }
    let ended = pty.finish();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.transcript);
    let record = fs::read_to_string(bench.path("work-1/record.jsonl")).unwrap();
    for said in [
        "the reviewers' paper is complete",
        "its last page is missing",
        "second copy",
        "operator and witness",
    ] {
        assert!(record.contains(said), "{record}");
    }
    assert!(!record.contains("on purpose"), "what is typed wrong is counted, never kept: {record}");
}
