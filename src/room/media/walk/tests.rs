use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::*;
use crate::room::media::tests::{Scratch, WIDE, files};
use crate::room::media::{read_file, write_tree};

const LIMITS: Limits = Limits { files: 100, depth: 3, bytes_each: 100, bytes_total: 1000 };

/// The files of the other tree, and which of all is told.
type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);

/// Lays files below a folder of a root, by path and text.
fn lay(root: &Path, files: &[(&str, &str)]) {
    fs::create_dir_all(root.join("trust")).unwrap();
    for (path, text) in files {
        let path = root.join("trust").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn two_trees_are_one_only_if_each_has_the_files_of_the_other() {
    let ours: &[_] = &[("a/1", "one"), ("a/2", "two"), ("b", "three")];
    let cases: &[Case] = &[
        (&[("a/1", "one"), ("a/2", "two"), ("b", "three")], None),
        (&[("a/1", "one"), ("a/2", "tw0"), ("b", "three")], Some("a/2")),
        (&[("a/1", "one"), ("a/2", "two "), ("b", "three")], Some("a/2")),
        (&[("a/1", "one"), ("a/2", "tw"), ("b", "three")], Some("a/2")),
        (&[("a/1", "one"), ("b", "three")], Some("a/2")),
        (&[("a/1", "one"), ("a/2", "two")], Some("b")),
        (&[("a/1", "one"), ("a/2", "two"), ("b", "three"), ("c", "")], Some("c")),
        // The first by its path is told.
        (&[("a/0", ""), ("a/1", "one"), ("a/2", "tw0"), ("b", "three")], Some("a/0")),
        (&[("a/1", "one"), ("a/2", "tw0"), ("b", "three"), ("c", "")], Some("a/2")),
        // A folder in the place of a file, and a file in the place of a folder.
        (&[("a/1/x", "one"), ("a/2", "two"), ("b", "three")], Some("a/1")),
        (&[("a", "one"), ("b", "three")], Some("a/1")),
        (&[], Some("a/1")),
    ];
    for (theirs, told) in cases {
        let (first, second) = (Scratch::new(), Scratch::new());
        lay(&first.0, ours);
        lay(&second.0, theirs);
        let compared = compare_trees((&first.0, &second.0), "trust", LIMITS);
        match (compared, told) {
            (Ok(()), None) => {}
            (Err(Error::Differ { file, .. }), Some(told)) => assert_eq!(file, *told),
            (compared, told) => panic!("{theirs:?}: {compared:?}, expected {told:?}"),
        }
        let back = compare_trees((&second.0, &first.0), "trust", LIMITS);
        assert_eq!(back.is_ok(), told.is_none(), "{theirs:?}");
    }
}

#[test]
fn a_link_is_refused_in_either_tree() {
    let (first, second) = (Scratch::new(), Scratch::new());
    lay(&first.0, &[("a/1", "one")]);
    lay(&second.0, &[]);
    symlink(first.0.join("trust/a"), second.0.join("trust/a")).unwrap();
    for pair in [(&*first.0, &*second.0), (&*second.0, &*first.0)] {
        let refused = compare_trees(pair, "trust", LIMITS);
        assert!(matches!(refused, Err(Error::NotRegular { .. })), "{refused:?}");
    }
}

#[test]
fn what_is_laid_on_a_shelf_keeps_its_limits_and_its_order() {
    let root = Scratch::new();
    let names: Vec<String> = (0..200).map(|n| format!("{}/{n}", n % 7)).collect();
    let all: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "text")).collect();
    lay(&root.0, &all);
    let shelf: Arc<dyn Shelf> = Arc::new(crate::shelf::Memory::default());
    let laid = |limits| lay_tree(&root.0.join("trust"), limits, &shelf);
    let wide = Limits { files: 300, ..LIMITS };
    let found = laid(wide).unwrap();
    assert!(found.paths().is_sorted() && found.len() == 200);
    assert!(found.iter().all(|(_, bytes)| bytes.read().unwrap() == b"text"));
    assert!(matches!(laid(LIMITS), Err(Error::TooMany { .. })));
    assert!(matches!(laid(Limits { bytes_each: 3, ..wide }), Err(Error::TooLarge { .. })));
    assert!(matches!(laid(Limits { bytes_total: 99, ..wide }), Err(Error::TooMuch { .. })));
    assert!(matches!(laid(Limits { depth: 0, ..wide }), Err(Error::TooDeep { .. })));
}

#[test]
fn links_devices_and_pipes_are_refused_by_their_name() {
    let scratch = Scratch::new();
    fs::write(scratch.0.join("a"), "1").unwrap();
    symlink("/etc/passwd", scratch.0.join("b")).unwrap();
    let error = read_tree(&scratch.0, WIDE).unwrap_err();
    let expected = format!(
        "`{}/b` is a symbolic link, expected a regular file or folder",
        scratch.0.display()
    );
    assert_eq!(error.to_string(), expected);
    assert!(matches!(read_file(&scratch.0.join("b"), 10), Err(Error::NotRegular { .. })));
    fs::remove_file(scratch.0.join("b")).unwrap();
    assert!(Command::new("mkfifo").arg(scratch.0.join("c")).status().unwrap().success());
    assert!(read_tree(&scratch.0, WIDE).unwrap_err().to_string().contains("is a pipe"));
    assert!(matches!(read_file(&scratch.0.join("c"), 10), Err(Error::NotRegular { .. })));
    assert!(matches!(read_file(Path::new("/dev/zero"), 10), Err(Error::NotRegular { .. })));
}

#[test]
fn every_limit_refuses_one_more() {
    let scratch = Scratch::new();
    let tree = files(&[("a/b/c", b"12345"), ("d", b"12345")]);
    write_tree(&scratch.0, "t", &tree).unwrap();
    let root = scratch.0.join("t");
    // Two folders and two files.
    let exact = Limits { files: 4, bytes_each: 5, bytes_total: 10, depth: 2 };
    assert_eq!(read_tree(&root, exact).unwrap(), tree);
    let refused = |limits| read_tree(&root, limits).unwrap_err();
    assert!(matches!(refused(Limits { files: 3, ..exact }), Error::TooMany { .. }));
    assert!(matches!(refused(Limits { bytes_each: 4, ..exact }), Error::TooLarge { .. }));
    assert!(matches!(refused(Limits { bytes_total: 9, ..exact }), Error::TooMuch { .. }));
    assert!(matches!(refused(Limits { depth: 1, ..exact }), Error::TooDeep { .. }));
    assert_eq!(read_file(&root.join("d"), 5).unwrap(), b"12345");
    let error = read_file(&root.join("d"), 4).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}/d` is larger than 4 bytes", root.display()));
}
