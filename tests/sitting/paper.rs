//! Script, report, show and verify over what real ceremonies left.

use std::{collections::BTreeSet, fs};

use officiant::{
    digest::Digest,
    room::media::{Limits, read_tree},
    root::Dialect,
};

use super::genesis::{in_shares, on_tokens};
use super::rotate::after_genesis;
use super::{Bench, PlanText};
use crate::harness::command::flat;

const ALL: [&str; 8] =
    ["officer-a", "officer-b", "officer-c", "share-1", "share-2", "share-3", "share-4", "share-5"];

/// Three keys on tokens, then one in shares.
fn two_ceremonies(dialect: Dialect) -> (Bench, String) {
    let bench = after_genesis(dialect);
    bench.write_room(&ALL);
    bench.write_answers(&ALL, "");
    let after = Some(bench.closing(1));
    bench.write_plan(&PlanText { ceremony: "rotate", after, roles: vec![], ..in_shares() });
    let screen = bench.conduct().ok().stderr;
    (bench, screen)
}

/// The first numbers of the rows of a table in text.
pub(super) fn rows(text: &str) -> BTreeSet<u32> {
    let first = |line: &str| line.split_once(" | ")?.0.trim().trim_end_matches(" ⊘").parse().ok();
    let table = text.lines().skip_while(|line| !line.starts_with("Part 1")).take_while(|line| {
        !line.starts_with("Exception sheet") && !line.starts_with("Who holds what")
    });
    let mut in_words = false;
    table
        .filter(|line| {
            in_words = (in_words || line.starts_with("words")) && !line.starts_with("No ");
            !in_words
        })
        .filter_map(first)
        .collect()
}

#[test]
fn script_screen_record_and_report_count_the_same_steps() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let (bench, screen) = two_ceremonies(dialect);
        let first = "media/out-1a/trust";
        let script = bench.officiant(&["script", "plan-2.toml", "--trust", first]).ok().stdout;
        let report = bench.officiant(&["report", "media/out-2a"]).ok().stdout;
        let unfinished = bench.officiant(&["report", "work-2"]).ok().stdout;
        let expected = rows(&script);
        assert_eq!(expected, (1..=u32::try_from(expected.len()).unwrap()).collect());
        assert!(expected.len() > 20, "{script}");
        assert_eq!(rows(&report), expected);
        assert_eq!(rows(&unfinished), expected);
        // Shares beyond the threshold are left out: nobody is asked for them, and screen and report say so.
        let all = expected.len();
        let unseen = expected.iter().filter(|n| !screen.contains(&format!("[{n}/{all}] ")));
        let left_out = report.lines().filter(|line| line.contains(" | left  |")).count();
        let passed = screen.matches("] left out: ").count();
        assert_eq!((unseen.count(), passed, left_out), (0, 2, 2), "{screen}\n{report}");
        let record = fs::read_to_string(bench.path("work-2/record.jsonl")).unwrap();
        let last = expected.last().unwrap();
        assert!(record.lines().last().unwrap().contains(&format!("\"step\":{last},")), "{record}");
        for text in [&script, &report, &unfinished] {
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
    }
}

#[test]
fn a_trust_folder_is_verified_with_its_words_and_refused_with_others() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let (bench, _) = two_ceremonies(dialect);
        let closing: Digest = bench.closing(2).parse().unwrap();
        let words = closing.words().join(" ");
        let ran = bench.officiant(&["verify", "media/out-2a", "--words", &words]).ok();
        for said in
            ["The closing digest is the one whose 24 words were given.", "This was a practice"]
        {
            assert!(ran.stdout.contains(said), "{said}: {}", ran.stdout);
        }
        assert!(!ran.stdout.contains("another binary wrote it"), "{}", ran.stdout);
        let ran = bench.officiant(&["verify", "media/out-2a/trust", "--json"]).ok();
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(json["closing"], closing.to_string());
        assert_eq!(json["repositories"][0]["version"], 2);
        let wrong: Digest = bench.closing(1).parse().unwrap();
        let ran = bench.officiant(&["verify", "media/out-2a", "--words", &wrong.words().join(" ")]);
        assert_eq!(ran.code(), 1);
        assert_eq!(ran.stderr.lines().count(), 3, "{}", ran.stderr);
        assert!(ran.stderr.contains("[TRUST-WORDS]"), "{}", ran.stderr);
    }
}

#[test]
fn one_changed_byte_of_any_file_is_refused_in_three_lines_that_name_it() {
    let (bench, _) = two_ceremonies(Dialect::Notary);
    let trust = bench.trust(2);
    let limits = Limits { files: 1000, bytes_each: 1 << 20, bytes_total: 1 << 24, depth: 8 };
    for (path, bytes) in read_tree(&trust, limits).unwrap() {
        let file = trust.join(&path);
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            fs::write(&file, &changed).unwrap();
            let ran = bench.officiant(&["verify", "media/out-2a"]);
            assert_eq!(ran.code(), 1, "{path}, byte {at}: {}", ran.stdout);
            assert_eq!(ran.stderr.lines().count(), 3, "{path}: {}", ran.stderr);
            let mut parts = path.rsplit('/');
            let named = parts.next().is_some_and(|name| ran.stderr.contains(name))
                || parts.next().is_some_and(|folder| ran.stderr.contains(folder));
            assert!(named, "{path}, byte {at}: {}", ran.stderr);
        }
        fs::write(&file, bytes).unwrap();
    }
    bench.officiant(&["verify", "media/out-2a"]).ok();
}

#[test]
fn the_second_reader_reads_the_words_that_were_consented_to() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let (bench, _) = two_ceremonies(dialect);
        let plan = Digest::of(&fs::read(bench.path("plan-2.toml")).unwrap()).to_string();
        let candidate = format!("media/room-2/candidate-{}", &plan[..8]);
        let own = "media/out-1b";
        let ran = bench.officiant(&["show", &candidate, "--previous", own, "--json"]).ok();
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let record = fs::read_to_string(bench.path("work-2/record.jsonl")).unwrap();
        let consent = json["consent"].as_str().unwrap();
        assert!(record.contains(&format!("\"consent\":\"{consent}\"")), "{consent}: {record}");
        let ran = bench.officiant(&["show", &candidate, "--previous", "media/out-2b"]);
        assert_eq!(ran.code(), 1, "{}", ran.stdout);
        assert!(ran.stderr.contains("does not follow root 2 of your trust folder [SECOND-READER]"));
    }
}

#[test]
fn papers_are_written_once_and_the_report_is_the_one_in_the_folder() {
    let bench = after_genesis(Dialect::Notary);
    let write = ["report", "media/out-1a", "--html", "report.html"];
    bench.officiant(&write).ok();
    let theirs = bench.trust(1).join("ceremonies/0001-genesis/report.html");
    assert_eq!(fs::read(bench.path("report.html")).unwrap(), fs::read(theirs).unwrap());
    bench.officiant(&["script", "plan-1.toml", "--html", "script.html"]).ok();
    let ran = bench.officiant(&["script", "plan-1.toml", "--html", "report.html"]);
    assert_eq!(ran.code(), 1);
    assert!(ran.stderr.contains("already exists with other content"), "{}", ran.stderr);
    bench.write_plan(&PlanText { after: Some(bench.closing(1)), ..on_tokens() });
    let ran = bench.officiant(&["script", "plan-2.toml"]);
    assert_eq!(ran.code(), 2);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(
        lines,
        [
            "error: the plan follows a ceremony, and no trust folder was given",
            "hint: `--trust` names the trust folder of the last ceremony, `--room` the room",
            "nothing was signed and nothing was written",
        ]
    );
}

#[test]
fn a_plan_is_checked_before_its_room_is_laid_and_in_it() {
    for dialect in [Dialect::Notary, Dialect::Tuf] {
        let bench = after_genesis(dialect);
        bench.write_room(&ALL);
        let after = Some(bench.closing(1));
        bench.write_plan(&PlanText { ceremony: "rotate", after, roles: vec![], ..in_shares() });
        let ran = bench.officiant(&["check", "plan-2.toml", "--trust", "media/out-1a"]);
        let without = flat(&ran.ok().stdout);
        assert!(without.contains("`--room` names them."), "{without}");
        let within = bench.officiant(&["check", "plan-2.toml", "--room", "room-2.toml"]);
        let within = flat(&within.ok().stdout);
        assert!(within.contains("Every client walks from every old root"), "{within}");
        assert!(within.contains("Until when every client can follow"), "{within}");
        assert!(!bench.path("work-2").exists());
        let json = bench.officiant(&["check", "plan-2.toml", "--room", "room-2.toml", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&json.ok().stdout).unwrap();
        assert_eq!(json["steps"], 35);
        assert_eq!(json["words"].as_array().unwrap().len(), 24);
    }
}

#[test]
fn a_root_that_asks_for_no_signature_has_too_few() {
    let bench = after_genesis(Dialect::Tuf);
    let root = fs::read_to_string(bench.trust(1).join("metadata/repo.test/1.root.json")).unwrap();
    let shown = |root: &str| {
        bench.scratch.file("1.root.json", root);
        flat(&bench.officiant(&["show", "1.root.json"]).ok().stdout)
    };
    let whole = shown(&root);
    assert!(whole.contains("new root: 3 counted, 2 needed: enough"), "{whole}");
    let asks_none = root.replace("\"threshold\":2", "\"threshold\":0");
    assert_ne!(asks_none, root);
    let shown = shown(&asks_none);
    assert!(shown.contains("new root: 0 counted, 0 needed: too few"), "{shown}");
    let json = bench.officiant(&["show", "1.root.json", "--json"]).ok().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let tally = serde_json::json!({"by": "new", "counted": 0, "needed": 0, "enough": false});
    assert_eq!(json["tallies"], serde_json::json!([tally]));
}
