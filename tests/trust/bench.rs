//! The benchmark in small: that every figure is measured beside its reference, and that what can be counted holds. It
//! looks at no time.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::harness::command::{command, run_with};
use crate::harness::scratch::Scratch;

/// Each figure, and how many are compared in it with the reference.
const FIGURES: [(&str, usize); 16] = [
    ("one", 4),
    ("batch", 5),
    ("slow", 3),
    ("calls", 6),
    ("rotation", 1),
    ("memory", 4),
    ("verify", 1),
    ("verify-two", 1),
    ("chain-notary", 3),
    ("chain-tuf", 3),
    ("check", 1),
    ("fetch", 1),
    ("publish", 1),
    ("status-cold", 1),
    ("status", 1),
    ("lookup", 1),
];

#[test]
fn the_benchmark_measures_every_figure_beside_its_reference() {
    let scratch = Scratch::new();
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut bench = command("sh", scratch.path());
    bench.arg(top.join("tests/bench/run.sh")).args(["--small", "--out"]);
    bench.arg(scratch.path().join("out"));
    bench.env("OFFICIANT", env!("CARGO_BIN_EXE_officiant"));
    bench.env("COURIER", env!("CARGO_BIN_EXE_courier"));
    bench.env("BENCH", built()).env("TMPDIR", scratch.path());
    let table = run_with(&mut bench, "", Duration::from_secs(1800)).ok().stdout;
    let out = |name: &str| fs::read_to_string(scratch.path().join("out").join(name)).unwrap();
    assert_eq!(table, out("figures.txt"));
    let all: serde_json::Value = serde_json::from_str(&out("figures.json")).unwrap();
    let figures = all["figures"].as_array().unwrap();
    let found: Vec<(&str, usize)> = figures
        .iter()
        .map(|figure| (figure["name"].as_str().unwrap(), figure["lines"].as_array().unwrap().len()))
        .collect();
    assert_eq!(found, FIGURES);
    for figure in figures {
        let lines = figure["lines"].as_array().unwrap().iter();
        let reference = Some(&figure["reference"]).filter(|line| !line.is_null());
        for line in lines.chain(reference) {
            assert_measured(figure["name"].as_str().unwrap(), line, &out("figures.md"), &table);
        }
    }
    assert_is_a_picture(&out("figures.svg"), figures.len());
}

/// What is measured is more than nothing; what is counted is what it is to be.
fn assert_measured(figure: &str, line: &serde_json::Value, markdown: &str, table: &str) {
    let who = line["who"].as_str().unwrap();
    assert!(markdown.contains(&format!("| {who} | ")), "{who}");
    assert!(table.contains(&format!("  {who} ")), "{who}");
    let values: Vec<f64> = serde_json::from_value(line["values"].clone()).unwrap();
    assert!(!values.is_empty(), "{figure}: {line}");
    match (figure, who) {
        ("calls", _) => assert_eq!(line["met"], true, "{line}"),
        // What has grown may be less than nothing.
        ("memory", who) if who.starts_with("grown") => {}
        _ => assert!(values.iter().all(|value| *value > 0.0), "{figure}: {line}"),
    }
}

/// A bar in the picture for each row is for people to see; here it is read as XML, with a head for each figure.
fn assert_is_a_picture(svg: &str, figures: usize) {
    let parse = "import sys, xml.dom.minidom as dom; \
                 print(len([t for t in dom.parseString(sys.stdin.read()).getElementsByTagName('text') \
                 if t.getAttribute('class') == 'head']))";
    let mut python = command("/usr/bin/python3", Path::new("/"));
    let heads = run_with(python.args(["-c", parse]), svg, Duration::from_secs(60)).ok().stdout;
    assert_eq!(heads.trim(), figures.to_string());
}

/// What measures, as the tests are built; it is no part of the package.
fn built() -> std::path::PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(top).args(["build", "--locked", "--quiet", "--manifest-path"]);
    // On a new machine it compiles the library once more, with other features.
    let long = Duration::from_secs(1800);
    run_with(cargo.arg("tests/bench/Cargo.toml").arg("--target-dir").arg(target), "", long).ok();
    target.join("debug/bench")
}
