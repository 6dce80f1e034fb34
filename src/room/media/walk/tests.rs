use std::fs;
use std::os::unix::fs::symlink;

use super::*;
use crate::room::media::tests::Scratch;

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
    let files = laid(wide).unwrap();
    assert!(files.paths().is_sorted() && files.len() == 200);
    assert!(files.iter().all(|(_, bytes)| bytes.read().unwrap() == b"text"));
    assert!(matches!(laid(LIMITS), Err(Error::TooMany { .. })));
    assert!(matches!(laid(Limits { bytes_each: 3, ..wide }), Err(Error::TooLarge { .. })));
    assert!(matches!(laid(Limits { bytes_total: 99, ..wide }), Err(Error::TooMuch { .. })));
    assert!(matches!(laid(Limits { depth: 0, ..wide }), Err(Error::TooDeep { .. })));
}
