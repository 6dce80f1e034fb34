//! Media that are pulled out, or that say they are larger than they are: what the room then says, and what stands.

use officiant::room::media::{
    Error, Files, Limits, Written, append_line, make_folder, read_tree, write_new, write_tree,
};

use crate::harness::lying::{Lie, LyingMedium, every_lie};
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
    make_folder(&root.join("folder"))?;
    append_line(&root.join("record.jsonl"), "one")
}

#[test]
fn whatever_fails_at_any_operation_is_told_and_can_be_finished() {
    if !may_mount("whatever_fails_at_any_operation_is_told_and_can_be_finished") {
        return;
    }
    let scratch = Scratch::new();
    let peace = LyingMedium::new(&scratch, "peace", &[]);
    write_all(peace.path()).unwrap();
    let lies = every_lie(&peace.operations());
    assert!(lies.len() > 200, "{lies:?}");
    for (at, lie) in lies.iter().enumerate() {
        let medium = LyingMedium::new(&scratch, &at.to_string(), &[&lie.rule()]);
        one_lie(&medium, lie);
    }
}

/// It is told in the words of its kind; and whatever it left, the same media takes all when it lies no more.
fn one_lie(medium: &LyingMedium, lie: &Lie) {
    let root = medium.path();
    let told = write_all(root).expect_err(&lie.rule()).refusal("nothing was written");
    let (media, what) = (root.display().to_string(), told.what.clone());
    assert!(medium.has_lied() && lie.is_told(&media, &what, &told.hints[0]), "{lie:?}: {told}");
    assert_eq!((told.exit.code(), told.hints.len()), (3, 1), "{lie:?}: {told}");
    medium.lay(&[]);
    let finished = write_all(root);
    assert!(finished.is_ok(), "{lie:?}: {told}, and then {}", finished.unwrap_err());
    assert_eq!(read_tree(&root.join("trust"), WIDE).unwrap(), tree(1), "{lie:?}");
    assert_eq!(std::fs::read(root.join("file")).unwrap(), b"1", "{lie:?}");
    assert!(root.join("folder").is_dir(), "{lie:?}");
    let lines = std::fs::read_to_string(root.join("record.jsonl")).unwrap();
    assert!(["one\n", "one\none\n"].contains(&lines.as_str()), "{lie:?}: {lines}");
}
