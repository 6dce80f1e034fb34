//! The hostile files in tests/vectors/hostile, each folder named after its attack: each is refused in the exact words
//! that stand beside it, and each is what its attack makes of honest files.

mod folders;
mod judge;
mod make;
mod roots;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use officiant::check::Check;

use crate::harness::scratch::below;
use make::Maker;

/// Files by path.
type Files = BTreeMap<String, Vec<u8>>;

/// The file in the folder of an attack that holds the words in which it is refused.
const EXPECTED: &str = "expected";

/// Where the attacks lie.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/hostile")
}

/// Every committed file, by path.
fn committed() -> Files {
    let mut files = Files::new();
    gather(&folder(), "", &mut files);
    files
}

fn gather(folder: &Path, place: &str, files: &mut Files) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a plain name");
        let path = format!("{place}{name}");
        match entry.path().is_dir() {
            true => gather(&entry.path(), &format!("{path}/"), files),
            false => drop(files.insert(path, fs::read(entry.path()).expect("a file"))),
        }
    }
}

/// The first segments of the paths that have more than one.
fn heads(files: &Files) -> BTreeSet<String> {
    files.keys().filter_map(|path| Some(path.split_once('/')?.0.to_owned())).collect()
}

/// What the generator makes, and the signatures that it needed.
fn made() -> (Files, String) {
    let mut maker = Maker::new(&folder().join(SIGNATURES));
    let mut files = roots::attacks(&mut maker);
    files.extend(folders::attacks(&mut maker));
    (files, maker.signatures())
}

const SIGNATURES: &str = "signatures";

#[test]
fn every_attack_is_refused_in_its_exact_words() {
    let files = committed();
    let mut wrong = Vec::new();
    for attack in heads(&files) {
        let mut cases = below(&files, &format!("{attack}/"));
        let expected = cases.remove(EXPECTED).unwrap_or_default();
        let expected = String::from_utf8(expected).expect("text");
        let names = Check::ALL.iter().any(|check| expected.ends_with(&format!(" {check}\n")));
        if expected.lines().count() != 1 || !names {
            wrong.push(format!("{attack}: no line of expected words that end with a check"));
        }
        if heads(&cases).is_empty() || cases.keys().any(|path| !path.contains('/')) {
            wrong.push(format!("{attack}: expected folders of cases and nothing beside them"));
        }
        for case in heads(&cases) {
            let refused = judge::judge(&case, &below(&cases, &format!("{case}/")));
            let said = refused.map_or_else(|| "taken".to_owned(), |refusal| refusal.to_string());
            if expected != format!("{said}\n") {
                wrong.push(format!("{attack}/{case}: {said}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_attack_is_made_again_byte_for_byte() {
    let (made, signatures) = made();
    if std::env::var_os("HOSTILE").is_some_and(|mode| mode == "write") {
        for (path, bytes) in &made {
            let path = folder().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, bytes).expect("written");
        }
        fs::write(folder().join(SIGNATURES), &signatures).expect("written");
    }
    let mut found = committed();
    let page = found.remove("ORIGIN.md").expect("ORIGIN.md");
    let page = String::from_utf8(page).expect("text");
    assert_eq!(found.remove(SIGNATURES), Some(signatures.into_bytes()), "signatures");
    found.retain(|path, _| path.split('/').nth(1) != Some(EXPECTED));
    let paths = |files: &Files| files.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(paths(&found), paths(&made));
    let other: Vec<_> = made.iter().filter(|(path, bytes)| found[*path] != **bytes).collect();
    assert!(other.is_empty(), "{:?}", other.iter().map(|(path, _)| path).collect::<Vec<_>>());
    let told = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    assert_eq!(told.map(|(name, _)| name.to_owned()).collect::<BTreeSet<_>>(), heads(&made));
}

#[test]
fn the_honest_files_that_the_attacks_begin_with_are_taken() {
    let mut maker = Maker::new(&folder().join(SIGNATURES));
    let mut honest = roots::honest(&mut maker);
    honest.extend(folders::honest(&mut maker));
    for case in heads(&honest) {
        let refused = judge::judge(&case, &below(&honest, &format!("{case}/")));
        assert_eq!(refused, None, "{case}");
    }
}
