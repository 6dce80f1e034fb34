//! What a refusal must be: three lines, its exit code, and nothing written but its own entry in the record.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use officiant::{
    ceremony::fact::Fact,
    record::{Body, Entry, Record},
};

use super::Bench;
use crate::harness::command::Ran;
use crate::harness::command::flat;

/// The last line of a refusal before any act.
pub(crate) const NOTHING: &str = "nothing was signed and nothing was written";

impl Bench {
    /// Conducts, and sees it refused before anybody was asked anything: these lines and no more, and no byte written.
    #[track_caller]
    pub(crate) fn refuses(&self, code: i32, what: &str, hint: &str) {
        let before = files(self.scratch.path());
        let ran = self.conduct();
        let lines = format!("error: {what}\nhint: {hint}\n{NOTHING}\n");
        assert_eq!(self.told(&ran), lines);
        assert_eq!((ran.code(), ran.stdout.as_str()), (code, ""));
        assert_same(&before, &files(self.scratch.path()), |_, _, _| false);
    }

    /// Runs, and sees it refused at a step: these are the last lines, the record ends with the refusal, and nothing was
    /// written but what a ceremony writes on its way ([`is_on_its_way`]) and the tokens that were asked for.
    #[track_caller]
    pub(crate) fn stops(&self, run: impl FnOnce() -> Ran, code: i32, lines: [&str; 3]) {
        let before = files(self.scratch.path());
        let ran = run();
        let told = self.told(&ran);
        let told: Vec<&str> = told.lines().collect();
        let last = &told[told.len().saturating_sub(3)..];
        let [what, hint, standing] = lines;
        let [what, hint] = [format!("error: {what}"), format!("hint: {hint}")];
        let standing = self.since_intents(standing);
        assert_eq!(last, [what.as_str(), hint.as_str(), standing.as_str()]);
        assert_eq!((ran.code(), ran.stdout.as_str()), (code, ""));
        let work = format!("work-{}/", self.number);
        // The screen breaks its lines where they are full.
        let screen = flat(told.join(" "));
        assert_same(&before, &files(self.scratch.path()), |path, was, is| {
            match path.strip_prefix("tokens/").and_then(|path| path.split_once('/')) {
                Some((token, _)) => screen.contains(&format!("put in token {token} ")),
                None => is_on_its_way(path, &work, was, is),
            }
        });
        let record = self.record();
        let Some(Body::Refused { check, exit }) = record.entries().last().map(|entry| &entry.body)
        else {
            panic!("the record does not end with the refusal");
        };
        assert_eq!(i32::from(exit.code()), code);
        match check {
            Some(check) => assert!(what.ends_with(&format!(" {check}")), "{what}"),
            None => assert!(!what.ends_with(']'), "{what}"),
        }
    }

    /// What is true, where no signature is recorded: once a token said what it will sign, it may have signed it.
    pub(crate) fn since_intents(&self, standing: &str) -> String {
        let is_intent =
            |entry: &Entry| matches!(&entry.body, Body::Done { fact: Fact::Intended { .. } });
        if self.record().entries().iter().any(is_intent) {
            return standing.replace("nothing was signed; the", "no signature was recorded; the");
        }
        standing.to_owned()
    }

    /// The record of this ceremony so far.
    pub(crate) fn record(&self) -> Record {
        let path = self.path(&format!("work-{}/record.jsonl", self.number));
        Record::parse(&fs::read(path).unwrap()).unwrap().0
    }

    /// What a run said on standard error, paths inside the room.
    pub(crate) fn told(&self, ran: &Ran) -> String {
        self.without_paths(&ran.stderr)
    }

    fn without_paths(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.scratch.path().display()), "")
    }
}

/// Every file below a folder, by path inside it; folders too, with a slash at their end.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                found.insert(format!("{name}/"), Vec::new());
                folders.push(path);
            } else {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Whether a ceremony that goes on writes this: in its work folder what it keeps of its inputs and of custody, its record
/// and journal of PINs at their ends, and candidates, these on room media too; each once.
fn is_on_its_way(path: &str, work: &str, was: Option<&[u8]>, is: Option<&[u8]>) -> bool {
    let is_new = was.is_none() && is.is_some();
    let grows = is.is_some_and(|is| is.starts_with(was.unwrap_or_default()));
    let Some(inside) = path.strip_prefix(work) else {
        return is_new && path.starts_with("media/room-") && path.contains("/candidate-");
    };
    match inside.split_once('/').unwrap_or((inside, "")) {
        ("record.jsonl", "") => grows,
        ("custody", file) if file.starts_with("pins-") => grows,
        ("" | "custody" | "inputs.tar", _) => is_new,
        (folder, _) => is_new && folder.starts_with("candidate-"),
    }
}

#[test]
fn what_a_refusal_must_not_write_is_seen() {
    let may = |path, was, is| is_on_its_way(path, "work-1/", was, is);
    let (none, some, more) = (None, Some(&b"some"[..]), Some(&b"some more"[..]));
    for path in ["work-1/record.jsonl", "work-1/custody/pins-0001.jsonl"] {
        assert!(may(path, none, some) && may(path, some, more));
        assert!(!may(path, more, some) && !may(path, some, none));
    }
    for path in [
        "work-1/",
        "work-1/inputs.tar",
        "work-1/custody/tokens/officer-a.json",
        "work-1/candidate-00000000/plan.toml",
        "media/room-1/candidate-00000000/plan.toml",
    ] {
        assert!(may(path, none, some) && !may(path, some, more) && !may(path, some, none));
    }
    for path in [
        "work-1/complete/metadata/demo/1.root.json",
        "work-2/record.jsonl",
        "media/out-1a/trust/custody.json",
        "media/out-1a/candidate-00000000/plan.toml",
        "media/room-1/custody/pins-0001.jsonl",
        "record.jsonl",
    ] {
        assert!(!may(path, none, some) && !may(path, some, more), "{path}");
    }
}

/// Nothing differs but what may, by its path and what it was and is.
#[track_caller]
pub(crate) fn assert_same(
    before: &BTreeMap<String, Vec<u8>>,
    after: &BTreeMap<String, Vec<u8>>,
    may: impl Fn(&str, Option<&[u8]>, Option<&[u8]>) -> bool,
) {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let bytes = |files: &BTreeMap<String, Vec<u8>>, name: &String| files.get(name).cloned();
    let changed: Vec<&String> = changed
        .filter(|name| !may(name, bytes(before, name).as_deref(), bytes(after, name).as_deref()))
        .collect();
    assert!(changed.is_empty(), "written: {changed:?}");
}
