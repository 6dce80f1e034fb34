//! What a refusal must be: three lines, its exit code, and nothing written but its own entry in the record.

use std::{collections::BTreeMap, fs, path::Path};

use officiant::record::{Body, Record};

use super::Bench;
use crate::harness::command::Ran;

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
        assert_same(&before, &files(self.scratch.path()), |_| false);
    }

    /// Runs, and sees it refused at a step: these are the last lines, the record ends with the refusal, and neither
    /// media nor anything but record and custody in the work folder was written.
    #[track_caller]
    pub(crate) fn stops(&self, run: impl FnOnce() -> Ran, code: i32, lines: [&str; 3]) {
        let before = files(self.scratch.path());
        let ran = run();
        let told = self.told(&ran);
        let told: Vec<&str> = told.lines().collect();
        let last = &told[told.len().saturating_sub(3)..];
        let [what, hint, standing] = lines;
        let [what, hint] = [format!("error: {what}"), format!("hint: {hint}")];
        assert_eq!(last, [what.as_str(), hint.as_str(), standing]);
        assert_eq!((ran.code(), ran.stdout.as_str()), (code, ""));
        let work = format!("work-{}/", self.number);
        let candidate = |path: &str| path.starts_with("media/room-") && path.contains("candidate-");
        assert_same(&before, &files(self.scratch.path()), |path| {
            path.starts_with(&work) || path.starts_with("tokens/") || candidate(path)
        });
        assert!(!self.path(&work).join("complete").exists(), "roots were completed");
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

#[track_caller]
fn assert_same(
    before: &BTreeMap<String, Vec<u8>>,
    after: &BTreeMap<String, Vec<u8>>,
    may: impl Fn(&str) -> bool,
) {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let changed: Vec<&String> = changed.filter(|name| !may(name)).collect();
    assert!(changed.is_empty(), "written: {changed:?}");
}
