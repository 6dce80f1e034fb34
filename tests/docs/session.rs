//! The session of the README runs as it stands there.

use std::fs;

use officiant::root::Dialect;

use super::{blocks, commands::programs, top};
use crate::harness::command::{LIMIT, command, run_with};
use crate::sitting::{Bench, genesis::on_tokens};

#[test]
fn the_session_of_the_readme_runs() {
    let readme = fs::read_to_string(top().join("README.md")).expect("README.md");
    let session = blocks(&readme, "console").remove(0);
    let lines: Vec<&str> = session.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert!((1..=8).contains(&lines.len()), "{session}");
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let tokens = ["officer-a", "officer-b", "officer-c"];
    for (from, to) in [
        (bench.write_room(&tokens), "room.toml"),
        (bench.write_answers(&tokens, ""), "answers.toml"),
        (bench.write_plan(&on_tokens()), "plan.toml"),
    ] {
        fs::copy(from, bench.path(to)).expect("a copy");
    }
    let script = format!("set -e\nPATH={}:$PATH\n{}\n", programs().display(), lines.join("\n"));
    let ran = run_with(command("sh", bench.scratch.path()).args(["-c", &script]), "", LIMIT).ok();
    the_screens_of_the_runbook_are_those_of(&ran.stderr);
}

/// What docs/ceremony.md shows of the screen was on it; `…` stands for what differs from day to day, and a line may
/// have been broken to fit.
#[track_caller]
fn the_screens_of_the_runbook_are_those_of(said: &str) {
    let (said, page) = (plain(said), fs::read_to_string(top().join("docs/ceremony.md")));
    let screens = blocks(&page.expect("docs/ceremony.md"), "text").concat();
    assert!(screens.lines().count() >= 10, "{screens}");
    for line in screens.lines() {
        for piece in line.split('…').map(plain) {
            assert!(said.contains(&piece), "`{piece}` was not on the screen:\n{said}");
        }
    }
}

/// The words of a text, whatever stands between them.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
