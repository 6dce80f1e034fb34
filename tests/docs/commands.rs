//! Every command that a page shows is one that the programs take.

use std::path::Path;

use super::{blocks, pages};
use crate::harness::{
    command::{command, run},
    scratch::Scratch,
};

/// The folder of the programs under test.
pub(super) fn programs() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_officiant")).parent().expect("a folder")
}

/// The command lines of `sh` and `console` blocks that begin with one of our programs.
fn lines(page: &str) -> Vec<String> {
    let blocks: Vec<String> = ["sh", "console"].iter().flat_map(|k| blocks(page, k)).collect();
    let lines = blocks.iter().flat_map(|block| block.lines());
    let lines = lines.map(|line| line.trim_start_matches("$ "));
    let ours = |line: &&str| {
        line.starts_with("officiant ") || (line.starts_with("courier ") && cfg!(feature = "online"))
    };
    lines.filter(ours).map(str::to_owned).collect()
}

#[test]
fn every_command_that_a_page_shows_is_taken() {
    let scratch = Scratch::new();
    let (mut count, mut findings) = (0, Vec::new());
    for (path, page) in pages() {
        for line in lines(&page) {
            // Help comes last: whatever stands before it has been understood by then, and nothing is done. After ` -- `
            // stands a command of others.
            let own = line.split(" -- ").next().unwrap_or(&line);
            let script = format!("PATH={}:$PATH; {own} --help", programs().display());
            let ran = run(command("sh", scratch.path()).args(["-c", &script]));
            count += 1;
            if !ran.status.success() || !ran.stdout.contains("Usage: ") {
                findings.push(format!("{path}: {line}\n{}", ran.stderr));
            }
        }
    }
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
    assert!(count >= 3, "{count} commands are shown");
}
