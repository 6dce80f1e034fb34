//! What stands where, how long it is, and what may not be left over in it.

use std::fs;

use super::{
    none,
    source::{Source, files, sources},
    top,
};

/// What a visitor sees at the top. Files that begin with a dot hold the settings of tools.
const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "ceremonies",
    "docs",
    "softhsm.conf",
    "src",
    "target",
    "tests",
];

/// The places that may ask the compiler for more than it can check, once each: an ioctl of the kernel, and an argument of
/// C_Initialize that `cryptoki` passes on.
const UNSAFE: [&str; 2] = ["src/room/entropy.rs", "src/room/pkcs11/start.rs"];

#[test]
fn the_top_holds_only_what_a_visitor_looks_for() {
    let entries = fs::read_dir(top()).unwrap().map(|entry| entry.unwrap().file_name());
    let names = entries.map(|name| name.into_string().unwrap());
    let findings: Vec<_> =
        names.filter(|name| !name.starts_with('.') && !TOP.contains(&name.as_str())).collect();
    none(&findings);
}

#[test]
fn nothing_is_left_over() {
    // In two parts, so that this file does not find itself.
    let markers = [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["todo", "!("],
        ["unimplemented", "!("],
        ["dbg", "!("],
        ["#[ign", "ore"],
        ["mod uti", "l;"],
        ["<<<<", "<<<"],
    ]
    .map(|parts| parts.concat());
    let mut findings = Vec::new();
    for path in ["src", "tests", "docs", "ceremonies", ".ci"].iter().flat_map(|f| files(f)) {
        let Ok(text) = fs::read_to_string(top().join(&path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if let Some(marker) = markers.iter().find(|marker| line.contains(*marker)) {
                findings.push(format!("{path}:{}: {marker}", number + 1));
            }
        }
    }
    none(&findings);
}

#[test]
fn what_the_compiler_cannot_check_stands_in_two_places_and_once() {
    let mut findings = Vec::new();
    for source in &sources("src") {
        let count = words(source, "unsafe");
        let allowances = words(source, "unsafe_code");
        let most = usize::from(UNSAFE.contains(&source.path.as_str()));
        if count > most || allowances > most {
            findings.push(format!("{}: unsafe {count} times", source.path));
        }
    }
    none(&findings);
}

/// How often a word stands in the code.
fn words(source: &Source, word: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    source.code.split(|c| !is_part(c)).filter(|w| *w == word).count()
}
