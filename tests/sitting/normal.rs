//! A trust folder with everything that is drawn anew in each run (keys, ids, serials, certificates, set ids, commitments,
//! signatures, times) replaced by the order of its first appearance, and without the traces of interruptions: two runs of
//! one plan are then one text.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use officiant::{
    digest::Digest,
    root::{Dialect, Role, SignedRoot},
    trust::Past,
};
use serde_json::{Map, Value};

use super::Bench;
use crate::harness::command::{command, run};

/// The text of what a bench's newest ceremony left: trust folder, custody folder, data objects of the tokens.
pub(crate) fn normal(bench: &Bench, tokens: &[&str]) -> String {
    let (first, second) =
        (bench.trust(bench.number), bench.path(&format!("media/out-{}b/trust", bench.number)));
    let files = read(&first);
    assert!(files == read(&second), "the two out media differ");
    let past = Past::read(files.clone()).unwrap();
    let folder = format!("ceremonies/{}/", past.last().unwrap().folder);
    let old = if bench.number > 1 { read(&bench.trust(bench.number - 1)) } else { BTreeMap::new() };
    let (mut names, mut text) = (Names::default(), String::new());
    let record = String::from_utf8(files[&format!("{folder}record.jsonl")].clone()).unwrap();
    names.record(&record, &mut text);
    names.value_of(&files["custody.json"], &mut text);
    for (path, bytes) in &files {
        let _ = writeln!(text, "== {path}");
        if old.get(path) == Some(bytes) {
            text.push_str("as before\n");
        } else if path.ends_with(".root.json") {
            names.root(bench.dialect, bytes, &past, &mut text);
        } else if let Some(own) = path.strip_prefix(&folder) {
            match own {
                "record.jsonl" => {}
                "report.html" => names.report(std::str::from_utf8(bytes).unwrap(), &mut text),
                "SHA256SUMS" | "TRUST-SHA256SUMS" => {
                    text.push_str(&names.line(std::str::from_utf8(bytes).unwrap()));
                }
                _ => {
                    let _ = writeln!(text, "{}", Digest::of(bytes));
                }
            }
        }
    }
    custody(bench, &mut text);
    for token in tokens {
        let _ = writeln!(text, "== token {token}\n{}", objects(bench, token));
    }
    text
}

fn read(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(inside) = open.pop() {
        for entry in fs::read_dir(folder.join(&inside)).unwrap() {
            let entry = entry.unwrap();
            let path = inside.join(entry.file_name());
            if entry.path().is_dir() {
                open.push(path);
            } else {
                files.insert(path.to_str().unwrap().to_owned(), fs::read(entry.path()).unwrap());
            }
        }
    }
    files
}

/// The names in the custody folder, which must be those of live tokens and sets alone.
fn custody(bench: &Bench, text: &mut String) {
    let room = |number: u32| read(&bench.path(&format!("media/room-{number}")));
    assert!(room(1) == room(2), "the two room media differ");
    let mut names: Vec<String> = room(1)
        .keys()
        .map(|path| {
            let parts = path.split(['/', '-', '.']);
            let is_drawn =
                |part: &str| part.len() >= 16 && part.bytes().all(|b| b.is_ascii_hexdigit());
            parts.map(|part| if is_drawn(part) { "#" } else { part }).collect::<Vec<_>>().join(" ")
        })
        .collect();
    names.sort();
    let _ = writeln!(text, "== room media\n{}", names.join("\n"));
}

/// The labels of the keys and data objects of a soft token: what an interruption made void must be gone. An object that
/// SoftHSM itself left without its attributes when it was killed is nobody's.
fn objects(bench: &Bench, token: &str) -> String {
    let mut tool = command("pkcs11-tool", bench.scratch.path());
    tool.env("SOFTHSM2_CONF", bench.path(&format!("tokens/{token}/softhsm2.conf")));
    tool.args(["--module", crate::harness::softhsm::MODULE, "--token-label", token]);
    tool.args(["--login", "--pin", super::bench::PIN, "--list-objects"]);
    let listed = run(&mut tool).ok().stdout;
    let labels = listed.lines().filter_map(|line| line.trim().strip_prefix("label:"));
    let mut labels: Vec<String> = labels
        .map(|label| {
            let words = label.trim().trim_matches('\'').split(' ');
            words
                .map(|word| if word.len() == 32 { "#" } else { word })
                .collect::<Vec<_>>()
                .join(" ")
        })
        .filter(|label| !["", "<empty>"].contains(&label.as_str()))
        .collect();
    labels.sort_unstable();
    labels.join("\n")
}

/// What was drawn, by the order of its first appearance.
#[derive(Default)]
struct Names(BTreeMap<String, usize>);

impl Names {
    fn name(&mut self, drawn: &str) -> String {
        let next = self.0.len() + 1;
        format!("<{}>", self.0.entry(drawn.to_owned()).or_insert(next))
    }

    /// Text with whatever looks drawn replaced: 32 letters and digits or more without a break, and times.
    fn line(&mut self, text: &str) -> String {
        let text = without_times(text);
        let (mut out, mut word) = (String::new(), String::new());
        for letter in text.chars().chain(['\0']) {
            if letter.is_ascii_alphanumeric() || "+/=".contains(letter) {
                word.push(letter);
                continue;
            }
            let long = word.len() >= 32;
            out.push_str(&if long { self.name(&word) } else { word.clone() });
            word.clear();
            out.push(letter);
        }
        out.trim_end_matches('\0').to_owned()
    }

    fn string(&mut self, text: &str) -> String {
        if text.contains("-----BEGIN ") { self.name(text) } else { self.line(text) }
    }

    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.string(text)),
            Value::Array(values) => values.iter().map(|value| self.value(value)).collect(),
            Value::Object(fields) => {
                let fields: BTreeMap<String, Value> = fields
                    .iter()
                    .map(|(name, value)| (self.string(name), self.value(value)))
                    .collect();
                Value::Object(Map::from_iter(fields))
            }
            other => other.clone(),
        }
    }

    fn value_of(&mut self, json: &[u8], text: &mut String) {
        let value = self.value(&serde_json::from_slice(json).unwrap());
        let _ = writeln!(text, "{value:#}");
    }

    /// The facts of a record, the last of each kind and subject in each step.
    fn record(&mut self, record: &str, text: &mut String) {
        let mut facts = BTreeMap::new();
        for line in record.lines() {
            let entry: Value = serde_json::from_str(line).unwrap();
            let fact = &entry["body"]["fact"];
            let kind = fact["is"].as_str().unwrap_or("resumed").to_owned();
            if kind != "resumed" {
                let about = format!("{}{}", fact["token"], fact["happened"]);
                facts.insert((entry["step"].as_u64(), kind, about), fact.clone());
            }
        }
        for ((step, ..), fact) in facts {
            let fact = self.value(&fact);
            let _ = writeln!(text, "{} {fact}", step.unwrap_or_default());
        }
    }

    /// A root: ids of keys that are the same in every run come first, then the root keys as custody has them.
    fn root(&mut self, dialect: Dialect, bytes: &[u8], past: &Past, text: &mut String) {
        let root = SignedRoot::parse(dialect, bytes).unwrap();
        let json: Value = serde_json::from_slice(bytes).unwrap();
        for role in Role::ONLINE {
            let ids: Vec<String> =
                root.root().role_keys(role).map(|(id, _)| id.to_string()).collect();
            ids.iter().for_each(|id| drop(self.name(id)));
        }
        for known in &past.custody().keys {
            let keys = root.root().role_keys(Role::Root);
            for (id, _) in keys.filter(|(_, key)| key.public() == Some(&known.public)) {
                let id = id.to_string();
                self.name(&id);
                drop(self.value(&json["signed"]["keys"][&id]));
                let signatures = json["signatures"].as_array().unwrap();
                let mine = signatures.iter().find(|signature| signature["keyid"] == *id);
                drop(mine.map(|signature| self.value(signature)));
            }
        }
        let mut value = self.value(&json);
        sort(&mut value);
        let _ = writeln!(text, "{value:#}");
    }

    /// The report without what it says of interruptions.
    fn report(&mut self, report: &str, text: &mut String) {
        for line in report.lines() {
            let is_trace = ["<tr class=\"note\">", "<dt>record</dt>", "<ol class=\"words\">"]
                .iter()
                .any(|start| line.starts_with(start));
            if !is_trace {
                let line = line.replace(" class=\"short\"", "");
                let _ = writeln!(text, "{}", self.line(&ungrouped(&line)));
            }
        }
    }
}

/// Digests in groups of four become whole.
fn ungrouped(line: &str) -> String {
    let mut out = String::new();
    for (index, part) in line.split("<code").enumerate() {
        if index > 0 {
            out.push_str("<code");
        }
        match part.split_once("</code>") {
            Some((code, after)) => {
                let (tag, code) = code.split_once('>').unwrap_or(("", code));
                let _ = write!(out, "{tag}>{}</code>{after}", code.replace(' ', ""));
            }
            None => out.push_str(part),
        }
    }
    out
}

/// `2026-12-01 09:00`, with `T`, seconds and `Z` or without, becomes one word.
fn without_times(text: &str) -> String {
    const FORM: &[u8] = b"0000-00-00_00:00";
    let bytes = text.as_bytes();
    let fits = |at: usize| {
        bytes.get(at..at + FORM.len()).is_some_and(|part| {
            part.iter().zip(FORM).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                b'_' => b" T".contains(byte),
                form => byte == form,
            })
        })
    };
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if fits(at) {
            out.extend(b"<time>");
            at += FORM.len();
            while bytes.get(at).is_some_and(|byte| b":Z".contains(byte) || byte.is_ascii_digit()) {
                at += 1;
            }
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).unwrap()
}

/// Lists whose order hangs on ids that are drawn.
fn sort(value: &mut Value) {
    match value {
        Value::Array(values) => {
            values.iter_mut().for_each(sort);
            values.sort_by_key(ToString::to_string);
        }
        Value::Object(fields) => fields.values_mut().for_each(sort),
        _ => {}
    }
}

#[test]
fn two_runs_are_one_text_and_a_change_is_another() {
    let mut names = Names::default();
    let (a, b) = ("a".repeat(64), "b".repeat(64));
    let first = names.line(&format!("{a} at 2026-12-01T09:00:00Z {b} {a}"));
    let second = Names::default().line(&format!("{b} at 2026-12-02T10:00:07Z {a} {b}"));
    assert_eq!(first, "<1> at <time> <2> <1>");
    assert_eq!(first, second);
    assert_ne!(first, Names::default().line(&format!("{a} at 2026-12-01T09:00:00Z {b} {b}")));
    assert_eq!(ungrouped("<code>1b41 486a</code> it"), "<code>1b41486a</code> it");
}
