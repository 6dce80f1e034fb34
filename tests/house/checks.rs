//! docs/checks.md says of every named check what it rules, what decides it, and which test plays the attack.

use std::collections::BTreeMap;
use std::fs;

use officiant::check::Check;

use super::{
    none,
    source::{Source, files, sources},
    top,
};

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

#[test]
fn every_function_that_refuses_by_a_check_stands_in_its_entry() {
    let page = told();
    let mut findings = Vec::new();
    for (check, function) in sources("src").iter().flat_map(refusals) {
        let entry = page.iter().find(|told| told.name == check);
        if !entry.is_some_and(|told| told.decided.contains(&function)) {
            findings.push(format!("docs/checks.md, {check}: `{function}` is not named"));
        }
    }
    findings.dedup();
    none(&findings);
}

/// The checks that the functions of a file refuse by, each as `Refusal::of(Check::…` or `check: Check::…`. Where errors
/// are turned into checks, arm by arm, it is not that function which decides.
fn refusals(source: &Source) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, words) in source.code.match_indices("Check::") {
        let before = source.code[..at].trim_end();
        let refuses = before.ends_with('(') && !before.ends_with("Some(");
        if !refuses && !before.ends_with("check:") {
            continue;
        }
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let variant = source.code[at + words.len()..].split(|c| !is_word(c)).next();
        let check = Check::ALL.iter().find(|check| Some(&*format!("{check:?}")) == variant);
        let function =
            before.rsplit("fn ").next().and_then(|rest| rest.split(|c| !is_word(c)).next());
        if let (Some(check), Some(function)) = (check, function) {
            found.push((check.name().to_owned(), format!("{}::{function}", source.path)));
        }
    }
    found
}

#[test]
fn a_function_that_refuses_is_found_and_one_that_translates_is_not() {
    let code =
        "fn a() { of(Check::Walk); } fn b() { x => Check::Walk } fn c() { check: Check::Horizon }";
    let source = Source { path: "src/x.rs".to_owned(), code: code.to_owned() };
    let expected = [("WALK", "src/x.rs::a"), ("HORIZON", "src/x.rs::c")];
    assert_eq!(refusals(&source), expected.map(|(name, at)| (name.to_owned(), at.to_owned())));
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
