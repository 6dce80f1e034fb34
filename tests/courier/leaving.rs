//! What `courier publish` takes from a folder, and what it leaves there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use officiant::digest::Digest;
use officiant::record::{Body, Mode, Record, Tool};
use officiant::request::Role;
use officiant::root::{Dialect, SignedRoot};
use officiant::sums::Sums;
use officiant::trust::Custody;

use super::made::{Soft, Wish, sign};
use super::{courier, text, trust};
use crate::harness::command::{Ran, run};
use crate::harness::scratch::Scratch;

/// A signed first TUF root.
fn root() -> SignedRoot {
    let roles: BTreeMap<Role, _> = Role::ONLINE.map(|role| (role, Soft::new().public)).into();
    let key = Soft::new();
    let wish = Wish { gun: "demo", keys: &[&key], threshold: 1, roles, days: 30 };
    sign(&wish.root(Dialect::Tuf, None), &[&key], None)
}

fn publish(scratch: &Scratch, trust: &Path, more: &[&str]) -> Ran {
    let mut courier = courier(scratch.path());
    courier.arg("publish").arg(trust).arg("--directory").arg(scratch.folder("published"));
    run(courier.args(more))
}

#[track_caller]
fn refused(ran: &Ran, code: i32, first: &str) {
    assert_eq!(ran.stderr.lines().next(), Some(first));
    assert!(ran.stderr.ends_with("nothing was published\n"), "{}", ran.stderr);
    assert_eq!(ran.code(), code);
}

/// A trust folder with one ceremony, whose record says `mode`.
fn closed(scratch: &Scratch, mode: Mode) -> PathBuf {
    let root = root();
    let folder = trust(scratch.path(), &[("demo", root.bytes())]);
    let custody = Custody::default().to_bytes();
    fs::write(folder.join("custody.json"), &custody).unwrap();
    let plan = "ceremony = \"abandon\"\ntitle = \"t\"\ndialect = \"tuf\"\nquorum_people = 1\n\
                [when]\nfrom = 2026-01-01\nuntil = 2027-01-01\n[[repository]]\nname = \"demo\"\n\
                [abandon]\nplan = \""
        .to_owned()
        + &format!("{}\"\n", Digest::of(b""));
    let mut record = Record::default();
    let tool = Tool { version: "0".to_owned(), sha256: Digest::of(b"") };
    let (plan_digest, inputs) = (Digest::of(plan.as_bytes()), Digest::of(b""));
    let opened = Body::Opened { tool, plan: plan_digest, after: None, inputs, mode };
    record.append("2026-11-22T14:00:00Z".parse().unwrap(), 0, opened).unwrap();
    let vouched = Sums::of(&BTreeMap::from([
        ("custody.json".to_owned(), custody),
        ("metadata/demo/1.root.json".to_owned(), root.bytes().to_vec()),
    ]));
    let mut files = BTreeMap::from([
        ("plan.toml".to_owned(), plan.into_bytes()),
        ("record.jsonl".to_owned(), record.bytes()),
        ("TRUST-SHA256SUMS".to_owned(), vouched.unwrap().to_text().into_bytes()),
    ]);
    files.insert("SHA256SUMS".to_owned(), Sums::of(&files).unwrap().to_text().into_bytes());
    for (name, bytes) in files {
        scratch.file(&format!("trust/ceremonies/0001-abandon/{name}"), bytes);
    }
    folder
}

#[test]
fn what_a_practice_closed_is_published() {
    let scratch = Scratch::new();
    let folder = closed(&scratch, Mode::Practice);
    let ran = publish(&scratch, &folder, &[]).ok();
    assert!(ran.stdout.starts_with("demo: version 0 → 1, fetched back and equal\n"));
}

#[test]
fn a_record_that_says_rehearsal_is_refused() {
    let scratch = Scratch::new();
    let folder = closed(&scratch, Mode::Rehearsal);
    let ran = publish(&scratch, &folder, &[]);
    refused(&ran, 1, "error: `ceremonies/0001-abandon/record.jsonl` is of a rehearsal [REHEARSAL]");
}

#[test]
fn dates_of_thirty_years_ago_are_a_rehearsals() {
    let scratch = Scratch::new();
    let now = String::from_utf8(root().bytes().to_vec()).unwrap();
    let year = now.split_once("\"expires\":\"").unwrap().1[..4].to_owned();
    let old = now.replace(&format!("\"{year}-"), "\"1996-");
    let folder = trust(scratch.path(), &[("demo", old.as_bytes())]);
    let ran = publish(&scratch, &folder, &[]);
    refused(&ran, 1, "error: `demo version 1` is of a rehearsal [REHEARSAL]");
}

#[test]
fn folders_that_are_none_are_told() {
    let scratch = Scratch::new();
    let empty = scratch.folder("empty");
    let ran = publish(&scratch, &empty, &[]);
    refused(&ran, 2, &format!("error: `{}` holds no `metadata` of repositories", empty.display()));
    let ran = publish(&scratch, Path::new("/none"), &[]);
    refused(&ran, 2, "error: `/none` holds no `metadata` of repositories");

    let root = root();
    let folder = trust(scratch.path(), &[("demo", root.bytes()), ("demo2", root.bytes())]);
    let ran = publish(&scratch, &folder, &[]);
    let place = scratch.folder("published");
    refused(
        &ran,
        2,
        &format!(
            "error: `{}` is one place for 2 repositories; name one by `--repository`, or put `{{name}}` into it",
            place.display()
        ),
    );
    publish(&scratch, &folder, &["--repository", "demo2"]).ok();

    let custody = scratch.folder("custody");
    let ran = publish(&scratch, &custody, &[]);
    let first = format!(
        "error: `{}` is a custody folder, which never leaves the room [MEDIA-KIND]",
        text(&custody)
    );
    refused(&ran, 1, &first);
}

#[test]
fn files_that_are_no_roots_are_told() {
    let good = root();
    let other =
        String::from_utf8(good.bytes().to_vec()).unwrap().replace("\"version\":1", "\"version\":2");
    for (path, bytes, words) in [
        (
            "metadata/demo/1.root.json",
            other.as_bytes(),
            "`metadata/demo/1.root.json` is not the root that its name says [ROOT-BYTES]",
        ),
        (
            "metadata/demo/root.json",
            good.bytes(),
            "`metadata/demo/root.json` is not the root that its name says [ROOT-BYTES]",
        ),
        (
            "metadata/Demo/1.root.json",
            good.bytes(),
            "folder `Demo` is not the folder name of any repository",
        ),
    ] {
        let scratch = Scratch::new();
        scratch.file(&format!("trust/{path}"), bytes);
        let ran = publish(&scratch, &scratch.path().join("trust"), &[]);
        assert_eq!(ran.stderr.lines().next().unwrap(), format!("error: {words}"));
        assert_eq!(fs::read_dir(scratch.folder("published")).unwrap().count(), 0);
    }
    let scratch = Scratch::new();
    let huge = "[".repeat(100_000);
    scratch.file("trust/metadata/demo/1.root.json", huge);
    let ran = publish(&scratch, &scratch.path().join("trust"), &[]);
    let first = ran.stderr.lines().next().unwrap();
    assert!(first.starts_with("error: `metadata/demo/1.root.json`: "), "{first}");
    assert!(first.ends_with(" [ROOT-BYTES]"), "{first}");
}

#[test]
fn a_signature_that_is_not_good_is_told() {
    let scratch = Scratch::new();
    let good = String::from_utf8(root().bytes().to_vec()).unwrap();
    let (head, _) = good.split_once("\"sig\":\"").unwrap();
    let at = head.len() + "\"sig\":\"".len() + 20;
    let digit = if &good[at..=at] == "0" { "1" } else { "0" };
    let bad = format!("{}{digit}{}", &good[..at], &good[at + 1..]);
    let folder = trust(scratch.path(), &[("demo", bad.as_bytes())]);
    let ran = publish(&scratch, &folder, &[]);
    let first = ran.stderr.lines().next().unwrap();
    assert!(
        first.starts_with("error: repository `demo`: version 1: the signature of key `"),
        "{first}"
    );
    assert!(first.ends_with("` is not good [ROOT-THRESHOLD]"), "{first}");
    assert_eq!(ran.code(), 1);
}
