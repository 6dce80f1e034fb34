//! Every example under ceremonies/, held from first to last, and the step numbers that its papers count.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::harness::{
    command::{Ran, command, run, run_with},
    scratch::Scratch,
};

const TOP: &str = env!("CARGO_MANIFEST_DIR");
const OFFICIANT: &str = env!("CARGO_BIN_EXE_officiant");

/// Each line of ceremonies: later ones need the keys of earlier ones.
const LINES: [&[&str]; 4] = [
    &[
        "2026-example-genesis-tokens",
        "2027-example-rotate",
        "2028-example-renew",
        "2029-example-drill",
        "2030-example-reshare",
        "2031-example-restore",
    ],
    &["2026-example-genesis-shares", "2027-example-rotate-shares"],
    &["2026-example-paper"],
    &["2026-example-tuf"],
];

/// Holds a line of ceremonies; the folder of each.
fn held(scratch: &Scratch, line: &[&str]) -> Vec<PathBuf> {
    let folder = scratch.path().join("held");
    let mut script = command("sh", scratch.path());
    script.arg(Path::new(TOP).join("ceremonies/run.sh")).arg(OFFICIANT).arg(&folder).args(line);
    let ran = run_with(&mut script, "", Duration::from_secs(180)).ok();
    assert_eq!(ran.stdout.lines().count(), line.len(), "{}", ran.stdout);
    line.iter().enumerate().map(|(at, name)| folder.join(format!("{}-{name}", at + 1))).collect()
}

fn officiant(folder: &Path, arguments: &[&str]) -> Ran {
    run(command(OFFICIANT, folder).args(arguments)).ok()
}

/// The step numbers in the first column of the tables of steps in text: those that begin with `No` and end with an
/// empty line.
fn rows(text: &str) -> Vec<u32> {
    let mut steps = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        inside =
            (inside && !line.is_empty()) || (line.starts_with("No ") && line.contains("| Who"));
        let first = line.split('|').next().unwrap_or_default().replace('⊘', "");
        steps.extend(first.trim().parse::<u32>().ok().filter(|_| inside));
    }
    steps
}

/// The same of a page: the first cells of the rows of tables whose first heading is `No`.
fn cells(page: &str) -> Vec<u32> {
    let tables = page.split("<table").filter(|table| table.contains(">No</th>"));
    let rows = tables.flat_map(|table| table.split("<th scope=\"row\">").skip(1));
    let first = rows.map(|row| row.split(['<', ' ']).next().unwrap_or_default());
    first.map(|cell| cell.parse().unwrap()).collect()
}

/// The numbers that stood on the screen, those of steps that were left out too.
fn screen(text: &str, all: usize) -> BTreeSet<u32> {
    let number = |line: &str| {
        let (inside, rest) = line.strip_prefix('[')?.split_once(']')?;
        let whole = inside.strip_suffix(&format!("/{all}"));
        match whole {
            Some(number) => number.parse().ok(),
            None => rest.starts_with(" left out").then(|| inside.parse().ok()).flatten(),
        }
    };
    text.lines().filter_map(number).collect()
}

fn recorded(folder: &Path) -> BTreeSet<u32> {
    let text = fs::read_to_string(folder.join("work/record.jsonl")).unwrap();
    let step = |line: &str| {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        entry["step"].as_u64().unwrap() as u32
    };
    text.lines().map(step).filter(|step| *step > 0).collect()
}

#[test]
fn every_example_is_held_and_all_its_papers_count_the_same_steps() {
    for line in LINES {
        let scratch = Scratch::new();
        for folder in held(&scratch, line) {
            let mut script = vec!["script", "plan.toml"];
            if folder.join("last").exists() {
                script.extend(["--trust", "last/trust"]);
            }
            let text = officiant(&folder, &script).stdout;
            officiant(&folder, &[&script[..], &["--html", "script.html"]].concat());
            let page = fs::read_to_string(folder.join("script.html")).unwrap();
            let report = officiant(&folder, &["report", "media/out-1"]).stdout;
            let steps = rows(&text);
            assert!(steps.len() > 10, "{text}");
            assert_eq!((cells(&page), rows(&report)), (steps.clone(), steps.clone()));
            let shown =
                screen(&fs::read_to_string(folder.join("screen.txt")).unwrap(), steps.len());
            let all: BTreeSet<u32> = steps.into_iter().collect();
            assert_eq!(shown, all, "{}", folder.display());
            assert!(recorded(&folder).is_subset(&all));
            assert_eq!(recorded(&folder).last(), all.last());
            officiant(&folder, &["verify", "media/out-1"]);
            officiant(&folder, &["check", "plan.toml", "--room", "room.toml"]);
        }
    }
}

#[test]
fn every_example_is_in_a_line_and_tells_how_it_is_held() {
    let lines: BTreeSet<&str> = LINES.into_iter().flatten().copied().collect();
    let folders = fs::read_dir(Path::new(TOP).join("ceremonies")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let mut found = BTreeSet::new();
    for folder in folders {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        for file in ["README.md", "plan.toml", "room.toml", "answers.toml"] {
            assert!(folder.join(file).exists(), "{name} has no {file}");
        }
        let plan = fs::read_to_string(folder.join("plan.toml")).unwrap();
        assert_eq!(plan.contains("[repositories]"), folder.join("repositories.txt").exists());
        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        assert!(readme.contains(&format!("{name}\n```")), "{name}: its README does not hold it");
        found.insert(name);
    }
    assert_eq!(found.iter().map(String::as_str).collect::<BTreeSet<_>>(), lines);
}
