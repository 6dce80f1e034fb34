//! What `courier publish` takes from a folder, and what it leaves there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use officiant::digest::Digest;
use officiant::record::Mode;
use officiant::request::Role;
use officiant::root::{Dialect, SignedRoot};

use super::folder::{close, trust};
use super::made::{Soft, Wish, sign};
use super::{courier, said, text};
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

#[test]
fn what_a_practice_closed_is_published() {
    let scratch = Scratch::new();
    let folder = trust(scratch.path(), &[("demo", root().bytes())]);
    let ran = publish(&scratch, &folder, &[]).ok();
    assert!(said(&ran).starts_with("demo: version 0 → 1, fetched back and equal\n"));
    // The digest and words to compare with the signed page.
    let closing = Digest::of(&fs::read(folder.join("ceremonies/0001-genesis/SHA256SUMS")).unwrap());
    let words = closing.words();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], format!("closing   {}", closing.grouped()));
    assert_eq!(lines[1], format!("words     {}", words[..6].join(" ")));
    let ran = publish(&scratch, &folder, &["--words", &words.join(" ")]).ok();
    assert_eq!(said(&ran), "demo: version 1 was there already, byte for byte\n");
    let other = Digest::of(b"another").words();
    let ran = publish(&scratch, &folder, &["--words", &other.join(" ")]);
    let at = (0..24).find(|at| other[*at] != words[*at]).unwrap() + 1;
    let first =
        format!("error: word {at} is not that of the closing digest of this folder [TRUST-WORDS]");
    refused(&ran, 1, &first);
}

#[test]
fn a_record_that_says_rehearsal_is_refused() {
    let scratch = Scratch::new();
    let folder = trust(scratch.path(), &[("demo", root().bytes())]);
    close(&folder, &[], Mode::Rehearsal);
    let ran = publish(&scratch, &folder, &[]);
    refused(&ran, 1, "error: `ceremonies/0001-genesis/record.jsonl` is of a rehearsal [REHEARSAL]");
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
    refused(
        &ran,
        2,
        &format!(
            "error: `{}` holds no `metadata` of repositories that are published there",
            empty.display()
        ),
    );
    let ran = publish(&scratch, Path::new("/none"), &[]);
    refused(&ran, 2, "error: `/none` holds no `metadata` of repositories that are published there");

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
fn a_folder_that_no_ceremony_closed_is_refused() {
    let scratch = Scratch::new();
    // Anybody can make a root that signs itself.
    scratch.file("trust/metadata/demo/1.root.json", root().bytes());
    let ran = publish(&scratch, &scratch.path().join("trust"), &[]);
    refused(&ran, 1, "error: the trust folder has no `ceremonies` [TRUST-FOLDER]");
    assert_eq!(fs::read_dir(scratch.folder("published")).unwrap().count(), 0);
}

#[test]
fn a_file_more_or_fewer_or_changed_is_refused() {
    let chain = super::tuf::chain(2);
    let other = root();
    let bytes = |root: &SignedRoot| Some(root.bytes().to_vec());
    for (path, bytes, told) in [
        // Without the newest one, what is published would look whole.
        ("metadata/demo/2.root.json", None, "the trust folder has no `metadata/demo/2.root.json`"),
        (
            "metadata/demo/1.root.json",
            bytes(&other),
            "`metadata/demo/1.root.json` is not the file that `0001-genesis` vouches for",
        ),
        (
            "metadata/other/1.root.json",
            bytes(&other),
            "`metadata/other/1.root.json` is in the trust folder, and no ceremony vouches for it",
        ),
        (
            "ceremonies/0001-genesis/plan.toml",
            None,
            "`ceremonies/0001-genesis/SHA256SUMS`: `plan.toml` is in `SHA256SUMS`, but the file is missing",
        ),
    ] {
        let scratch = Scratch::new();
        let folder = super::tuf::trusted(&scratch, &chain);
        match bytes {
            Some(bytes) => drop(scratch.file(&format!("trust/{path}"), bytes)),
            None => fs::remove_file(folder.join(path)).unwrap(),
        }
        let ran = publish(&scratch, &folder, &[]);
        refused(&ran, 1, &format!("error: {told} [TRUST-FOLDER]"));
        assert_eq!(fs::read_dir(scratch.folder("published")).unwrap().count(), 0);
    }
}

#[test]
fn files_that_are_no_roots_are_told() {
    let good = root();
    let other =
        String::from_utf8(good.bytes().to_vec()).unwrap().replace("\"version\":1", "\"version\":2");
    let huge = "[".repeat(100_000);
    for (path, bytes, words) in [
        (
            "metadata/demo/1.root.json",
            other.as_bytes(),
            "`metadata/demo/1.root.json` is not the version that its name says, or a version before it is missing",
        ),
        ("metadata/demo/root.json", good.bytes(), "`metadata/demo/root.json` is no name of ours"),
        (
            "metadata/Demo/1.root.json",
            good.bytes(),
            "`metadata/Demo/1.root.json` is no name of ours",
        ),
        ("metadata/demo/1.root.json", huge.as_bytes(), "`metadata/demo/1.root.json`: "),
    ] {
        let scratch = Scratch::new();
        scratch.file(&format!("trust/{path}"), bytes);
        close(&scratch.path().join("trust"), &["demo"], Mode::Practice);
        let ran = publish(&scratch, &scratch.path().join("trust"), &[]);
        let first = ran.stderr.lines().next().unwrap();
        assert!(first.starts_with(&format!("error: {words}")), "{first}");
        assert!(first.ends_with(" [TRUST-FOLDER]"), "{first}");
        assert_eq!(fs::read_dir(scratch.folder("published")).unwrap().count(), 0);
    }
}

#[test]
fn a_long_name_stands_in_nobodys_way() {
    let scratch = Scratch::new();
    let long = format!("long/{}", "name:".repeat(45));
    let root = root();
    let folder = trust(scratch.path(), &[("demo", root.bytes()), (&long, root.bytes())]);
    let ran = publish(&scratch, &folder, &["--repository", "demo"]).ok();
    assert!(said(&ran).starts_with("demo: version 0 → 1"));
    let ran = publish(&scratch, &folder, &["--repository", &long]).ok();
    assert!(said(&ran).starts_with(&format!("{long}: version 1 was there already")));
}

#[test]
fn what_is_not_for_the_place_is_told() {
    let scratch = Scratch::new();
    let folder = trust(scratch.path(), &[("demo", root().bytes())]);
    let elsewhere = |arguments: &[&str]| {
        let mut courier = courier(scratch.path());
        run(courier.arg("publish").arg(&folder).args(arguments))
    };
    let ran = elsewhere(&["--server", "https://localhost:1", "--repository", "demo"]);
    refused(&ran, 2, "error: repository `demo` is of dialect `tuf`, which is not published there");
    let ran = elsewhere(&["--server", "https://localhost:1"]);
    let first = "holds no `metadata` of repositories that are published there";
    assert!(ran.stderr.lines().next().unwrap().ends_with(first), "{}", ran.stderr);
    let ran = elsewhere(&["--directory", "/none/at/all"]);
    refused(&ran, 2, "error: `/none/at/all`, to publish to, is missing");
    assert!(ran.stderr.contains("hint: make it, or correct the path\n"), "{}", ran.stderr);
    let key = scratch.file("key.pem", Soft::new().pkcs8());
    for place in ["--directory", "--bucket"] {
        let ran = elsewhere(&[place, "s3://x", "--targets-key", text(&key)]);
        assert_eq!(ran.code(), 2);
        let first = ran.stderr.lines().next().unwrap();
        let told = "cannot be used with `--targets-key <FILE>`";
        assert!(first.starts_with("error: the argument `--") && first.ends_with(told), "{first}");
    }
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
