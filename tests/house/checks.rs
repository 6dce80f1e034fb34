//! docs/checks.md says of every named check what it rules, what decides it, and which test plays the attack.

use std::collections::BTreeMap;
use std::fs;

use officiant::check::Check;

use super::{none, source::files, top};

/// What the page says of one check.
struct Told {
    name: String,
    rule: String,
    decided: Vec<String>,
    played: Vec<String>,
}

/// The entries of the page, in its order.
fn told() -> Vec<Told> {
    let page = fs::read_to_string(top().join("docs/checks.md")).expect("docs/checks.md");
    page.split("\n### ").skip(1).map(entry).collect()
}

fn entry(text: &str) -> Told {
    let mut lines = text.lines().filter(|line| !line.is_empty());
    let name = lines.next().unwrap_or_default().to_owned();
    let rule = lines.next().unwrap_or_default().to_owned();
    let list = |lead: &str| -> Vec<String> {
        let line = text.lines().find_map(|line| line.strip_prefix(lead)).unwrap_or_default();
        line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    Told { name, rule, decided: list("- decided by "), played: list("- attack played by ") }
}

#[test]
fn every_check_has_its_entry_and_every_entry_its_check() {
    let page: Vec<_> = told().into_iter().map(|told| (told.name, told.rule)).collect();
    let source: Vec<_> = Check::ALL
        .iter()
        .map(|check| (check.name().to_owned(), check.rule().trim().to_owned()))
        .collect();
    let mut findings: Vec<String> = Vec::new();
    for (name, rule) in &source {
        match page.iter().find(|(told, _)| told == name) {
            None => findings.push(format!("docs/checks.md has no entry `{name}`")),
            Some((_, told)) if told != rule => {
                findings.push(format!("docs/checks.md, {name}: `{told}`, src/check.rs: `{rule}`"));
            }
            Some(_) => {}
        }
    }
    let gone = page.iter().filter(|(told, _)| !source.iter().any(|(name, _)| name == told));
    findings.extend(gone.map(|(name, _)| format!("docs/checks.md: no check is called `{name}`")));
    none(&findings);
    assert_eq!(page, source, "the entries stand in the order of src/check.rs");
}

#[test]
fn every_function_and_test_that_the_page_names_exists() {
    let texts: BTreeMap<String, String> = ["src", "tests"]
        .iter()
        .flat_map(|folder| files(folder))
        .filter(|path| path.ends_with(".rs"))
        .map(|path| (path.clone(), fs::read_to_string(top().join(&path)).expect(&path)))
        .collect();
    let mut findings = Vec::new();
    for told in told() {
        if told.decided.is_empty() {
            findings.push(format!("{}: nothing decides it", told.name));
        }
        for reference in &told.decided {
            if !is_there(&texts, reference, "fn ") {
                findings.push(format!("{}: there is no function `{reference}`", told.name));
            }
        }
        for reference in &told.played {
            if !is_there(&texts, reference, "#[test]\nfn ") {
                findings.push(format!("{}: there is no test `{reference}`", told.name));
            }
        }
        if told.played.is_empty() {
            findings.push(format!("{}: no test plays its attack", told.name));
        }
    }
    none(&findings);
}

/// Whether `path::name` is there, after these words.
fn is_there(texts: &BTreeMap<String, String>, reference: &str, words: &str) -> bool {
    let Some((path, name)) = reference.split_once("::") else { return false };
    texts.get(path).is_some_and(|text| {
        let text: Vec<&str> = text.lines().map(str::trim_start).collect();
        let text = text.join("\n");
        ["(", "<"].iter().any(|end| text.contains(&format!("{words}{name}{end}")))
    })
}
