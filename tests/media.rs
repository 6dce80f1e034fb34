//! Media that are pulled out, or that say they are larger than they are: what the room then says, and what stands.

use officiant::room::media::{
    Error, Files, Limits, Written, append_line, read_tree, write_new, write_tree,
};

use crate::harness::lying::LyingMedium;
use crate::harness::media::{Medium, may_mount};
use crate::harness::scratch::Scratch;

const WIDE: Limits = Limits { files: 99, bytes_each: 9 << 20, bytes_total: 99 << 20, depth: 5 };

fn tree(kib: usize) -> Files {
    let names = ["custody.json", "metadata/a/1.root.json", "metadata/b/1.root.json"];
    names.map(|name| (name.to_owned(), vec![7; kib << 10])).into()
}

#[test]
fn a_pulled_media_is_told_by_its_mount_point_and_takes_the_tree_when_it_is_back() {
    if !may_mount("a_pulled_media_is_told_by_its_mount_point_and_takes_the_tree_when_it_is_back") {
        return;
    }
    let scratch = Scratch::new();
    let medium = Medium::ext4(&scratch, "out", 8);
    let root = medium.path();
    write_new(&root.join("kept"), b"1").unwrap();
    append_line(&root.join("record.jsonl"), "one").unwrap();
    medium.pull();
    let errors = [
        write_new(&root.join("lost"), b"2").unwrap_err(),
        write_tree(root, "trust", &tree(1)).unwrap_err(),
        append_line(&root.join("record.jsonl"), "two").unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(&error, Error::Vanished { volume, .. } if volume == root), "{error}");
        let hints = error.refusal("nothing was written").hints;
        assert_eq!(hints, ["insert it again, or a fresh one, and run `resume`"]);
    }
    medium.put_in_again();
    assert_eq!(write_new(&root.join("kept"), b"1").unwrap(), Written::AlreadyThere);
    append_line(&root.join("record.jsonl"), "two").unwrap();
    assert_eq!(std::fs::read(root.join("record.jsonl")).unwrap(), b"one\ntwo\n");
    assert_eq!(write_tree(root, "trust", &tree(1)).unwrap(), Written::New);
    assert_eq!(read_tree(&root.join("trust"), WIDE).unwrap(), tree(1));
}

#[test]
fn what_write_tree_called_written_is_there_after_the_power_went() {
    if !may_mount("what_write_tree_called_written_is_there_after_the_power_went") {
        return;
    }
    let scratch = Scratch::new();
    let medium = Medium::ext4(&scratch, "out", 8);
    write_tree(medium.path(), "trust", &tree(100)).unwrap();
    write_new(&medium.path().join("file"), b"1").unwrap();
    medium.pull();
    medium.put_in_again();
    assert_eq!(read_tree(&medium.path().join("trust"), WIDE).unwrap(), tree(100));
    assert_eq!(std::fs::read(medium.path().join("file")).unwrap(), b"1");
}

#[test]
fn a_media_smaller_than_it_says_is_never_taken_for_written() {
    if !may_mount("a_media_smaller_than_it_says_is_never_taken_for_written") {
        return;
    }
    let scratch = Scratch::new();
    let (_device, medium);
    (medium, _device) = Medium::overstated(&scratch, "out");
    for error in [
        write_tree(medium.path(), "trust", &tree(3 << 10)).unwrap_err(),
        write_new(&medium.path().join("file"), &vec![7; 8 << 20]).unwrap_err(),
    ] {
        let refusal = error.refusal("nothing was written");
        assert_eq!((refusal.exit.code(), refusal.hints.len()), (3, 1), "{refusal}");
    }
    assert!(!medium.path().join("trust").exists() && !medium.path().join("file").exists());
}

/// What is done to a volume in one run; what went wrong.
fn write_all(root: &std::path::Path) -> Result<(), Error> {
    write_tree(root, "trust", &tree(1))?;
    write_new(&root.join("file"), b"1")?;
    append_line(&root.join("record.jsonl"), "one")
}

#[test]
fn whatever_fails_at_any_operation_is_told_and_can_be_finished() {
    if !may_mount("whatever_fails_at_any_operation_is_told_and_can_be_finished") {
        return;
    }
    let scratch = Scratch::new();
    let medium = LyingMedium::new(&scratch, "all", &[]);
    write_all(medium.path()).unwrap();
    let operations: Vec<String> = medium
        .operations()
        .iter()
        .map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert!(operations.len() > 20, "{operations:?}");
    for (at, operation) in operations.iter().enumerate() {
        let (number, kind) = operation.split_once(' ').unwrap();
        for (nth, lie) in ["fail EIO", "fail ENOSPC", "vanish"].into_iter().enumerate() {
            let name = format!("{at}-{nth}");
            let medium = LyingMedium::new(&scratch, &name, &[&format!("{kind} {number} {lie}")]);
            one_lie(medium.path(), &format!("{operation} {lie}"));
        }
    }
}

fn one_lie(root: &std::path::Path, lie: &str) {
    let error = write_all(root).expect_err(lie);
    let refusal = error.refusal("nothing was written");
    assert_eq!((refusal.exit.code(), refusal.hints.len()), (3, 1), "{lie}: {refusal}");
    assert!(!matches!(error, Error::Failed { .. }), "{lie}: {refusal}");
    if lie.ends_with("vanish") {
        assert!(
            matches!(&error, Error::Vanished { volume, .. } if volume == root),
            "{lie}: {refusal}"
        );
        return;
    }
    let finished = write_all(root);
    assert!(finished.is_ok(), "{lie}: {refusal}, and then {}", finished.unwrap_err());
    assert_eq!(read_tree(&root.join("trust"), WIDE).unwrap(), tree(1), "{lie}");
    assert_eq!(std::fs::read(root.join("file")).unwrap(), b"1", "{lie}");
}

#[test]
fn a_media_that_loses_or_changes_a_byte_is_called_lying() {
    if !may_mount("a_media_that_loses_or_changes_a_byte_is_called_lying") {
        return;
    }
    let scratch = Scratch::new();
    for (at, lie) in
        ["write 1 lose", "write 2 lose", "write 3 flip", "write every flip"].iter().enumerate()
    {
        let medium = LyingMedium::new(&scratch, &at.to_string(), &[lie]);
        let error = write_tree(medium.path(), "trust", &tree(1)).unwrap_err();
        assert!(
            matches!(&error, Error::Lying { volume, .. } if volume == medium.path()),
            "{lie}: {error}"
        );
    }
}
