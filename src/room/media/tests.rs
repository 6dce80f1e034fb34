use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::refusal::Exit;

/// A folder of its own for each test, gone afterwards.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    pub(super) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "officiant-media-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let root = std::env::temp_dir().join(name);
        std::fs::create_dir(&root).unwrap();
        Self(root)
    }

    fn names(&self) -> Vec<String> {
        let entries = self.0.read_dir().unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A file system of its own on a scratch folder.
struct Mounted(Scratch);

impl Mounted {
    /// `None`, loudly, where mounting is not allowed.
    fn tmpfs(options: &str) -> Option<Self> {
        let scratch = Scratch::new();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "officiant-test"])
            .arg(&scratch.0)
            .output()
            .unwrap();
        if mount.status.success() {
            return Some(Self(scratch));
        }
        let is_known = std::env::var_os("OFFICIANT_WITHOUT_MOUNTS").is_some();
        let is_root = rustix::process::geteuid().is_root();
        assert!(
            !is_root && is_known,
            "no tmpfs can be mounted; without root, OFFICIANT_WITHOUT_MOUNTS=1 leaves this test out"
        );
        // Past the capture of the test runner; tests/run.sh counts these lines.
        let told =
            b"\n*** NOT RUN: a test of room::media mounts media, and needs root for it ***\n";
        let _ = std::io::stderr().write_all(told);
        None
    }

    fn root(&self) -> &Path {
        &self.0.0
    }

    fn remount(&self, options: &str) {
        let status = Command::new("mount").args(["-o", options]).arg(self.root()).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.root()).status();
    }
}

pub(super) fn files(list: &[(&str, &[u8])]) -> Files {
    list.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect()
}

pub(super) const WIDE: Limits =
    Limits { files: 100, bytes_each: 10_000, bytes_total: 100_000, depth: 5 };

#[test]
fn a_file_is_written_once_and_equal_bytes_are_no_second_time() {
    let scratch = Scratch::new();
    let path = scratch.0.join("7.root.json");
    assert_eq!(write_new(&path, b"{}").unwrap(), Written::New);
    assert_eq!(write_new(&path, b"{}").unwrap(), Written::AlreadyThere);
    for other in [&b"{}\n"[..], b"{", b"[]"] {
        let error = write_new(&path, other).unwrap_err();
        let expected = format!("`{}` already exists with other content", path.display());
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(std::fs::read(&path).unwrap(), b"{}");
    assert_eq!(scratch.names(), ["7.root.json"]);
}

#[test]
fn a_target_that_is_a_link_or_a_folder_is_refused_and_untouched() {
    let scratch = Scratch::new();
    std::fs::write(scratch.0.join("victim"), "old").unwrap();
    symlink("victim", scratch.0.join("link")).unwrap();
    symlink("nowhere", scratch.0.join("dangling")).unwrap();
    std::fs::create_dir(scratch.0.join("folder")).unwrap();
    for name in ["link", "dangling", "folder"] {
        assert!(matches!(write_new(&scratch.0.join(name), b"new"), Err(Error::NotRegular { .. })));
    }
    assert_eq!(std::fs::read(scratch.0.join("victim")).unwrap(), b"old");
    assert!(!scratch.0.join("nowhere").exists());
}

#[test]
fn names_that_fat_cannot_carry_are_refused_before_anything_is_touched() {
    let scratch = Scratch::new();
    for name in ["a:b", "a b", "a.", "CON", "com1.txt", "ä", &"x".repeat(201), ".officiant-new-x"]
    {
        let refused = write_new(&scratch.0.join(name), b"");
        assert!(matches!(refused, Err(Error::Name { .. })), "{name}");
    }
    for list in
        [&["a", "A"][..], &["a/x", "A/y"], &["a", "a/b"], &["a//b"], &["../a"], &["/a"], &["a\\b"]]
    {
        let list: Vec<(&str, &[u8])> = list.iter().map(|name| (*name, &b""[..])).collect();
        let refused = write_tree(&scratch.0, "trust", &files(&list));
        assert!(matches!(refused, Err(Error::Name { .. })), "{list:?}");
    }
    assert!(write_tree(&scratch.0, "a/b", &Files::new()).is_err());
    assert!(scratch.names().is_empty());
    for name in ["a%2fb", "7.root.json", "SHA256SUMS", "com10", ".hidden", "console"] {
        write_new(&scratch.0.join(name), b"").unwrap();
    }
}

#[test]
fn nothing_is_replaced_where_the_kernel_cannot_see_to_it() {
    let scratch = Scratch::new();
    let (from, to) = (scratch.0.join("from"), scratch.0.join("to"));
    std::fs::create_dir(&from).unwrap();
    Place::of(&from).move_by_looking(Place::of(&to)).unwrap();
    std::fs::create_dir(&from).unwrap();
    let moved = |to: &Path| Place::of(&from).move_by_looking(Place::of(to));
    assert!(matches!(moved(&to), Err(Error::Exists { .. })));
    symlink("nowhere", scratch.0.join("link")).unwrap();
    assert!(matches!(moved(&scratch.0.join("link")), Err(Error::Exists { .. })));
    assert_eq!(scratch.names(), ["from", "link", "to"]);
}

#[test]
fn a_tree_is_placed_whole_and_reads_back() {
    let scratch = Scratch::new();
    let tree = files(&[
        ("custody.json", b"{}"),
        ("metadata/a/1.root.json", b"1"),
        ("metadata/b/1.root.json", b"2"),
    ]);
    assert_eq!(write_tree(&scratch.0, "trust", &tree).unwrap(), Written::New);
    assert_eq!(write_tree(&scratch.0, "trust", &tree).unwrap(), Written::AlreadyThere);
    assert_eq!(read_tree(&scratch.0.join("trust"), WIDE).unwrap(), tree);
    assert_eq!(scratch.names(), ["trust"]);
}

#[test]
fn a_tree_that_differs_in_any_way_is_not_ours() {
    let scratch = Scratch::new();
    let tree = files(&[("a/1", b"1"), ("b", b"2")]);
    write_tree(&scratch.0, "trust", &tree).unwrap();
    let others = [
        files(&[("a/1", b"x"), ("b", b"2")]),
        files(&[("a/1", b"1")]),
        files(&[("a/1", b"1"), ("b", b"2"), ("c", b"3")]),
        files(&[("a/1", b"1"), ("b/1", b"2")]),
    ];
    for other in others {
        let error = write_tree(&scratch.0, "trust", &other).unwrap_err();
        assert!(matches!(error, Error::Exists { .. } | Error::NotRegular { .. }), "{error}");
    }
    std::fs::create_dir(scratch.0.join("trust/empty")).unwrap();
    assert!(matches!(write_tree(&scratch.0, "trust", &tree), Err(Error::Exists { .. })));
}

#[test]
fn of_many_files_the_first_is_told_that_differs() {
    let scratch = Scratch::new();
    let tree: Files = (0..700_u32).map(|n| (format!("{n:03}/1"), n.to_le_bytes().into())).collect();
    assert_eq!(write_tree(&scratch.0, "trust", &tree).unwrap(), Written::New);
    for other in [650, 413, 32_u32] {
        assert_eq!(write_tree(&scratch.0, "trust", &tree).unwrap(), Written::AlreadyThere);
        let first = scratch.0.join(format!("trust/{other:03}/1"));
        for (path, bytes) in [(first.clone(), b"12345"), (scratch.0.join("trust/651/1"), b"other")]
        {
            std::fs::write(path, bytes).unwrap();
        }
        let error = write_tree(&scratch.0, "trust", &tree).unwrap_err();
        assert!(matches!(&error, Error::Exists { path } if *path == first), "{error}");
        for n in [other, 651] {
            std::fs::write(scratch.0.join(format!("trust/{n:03}/1")), n.to_le_bytes()).unwrap();
        }
    }
}

#[test]
fn what_a_killed_run_left_gives_way_to_what_it_was_to_become_and_hinders_nothing() {
    let scratch = Scratch::new();
    let temporary = scratch.0.join(".officiant-new-trust");
    std::fs::create_dir(&temporary).unwrap();
    std::fs::write(temporary.join("half"), "x").unwrap();
    std::fs::write(scratch.0.join(".officiant-new-7.root.json"), "x").unwrap();
    std::fs::write(scratch.0.join("mine"), "x").unwrap();
    let tree = files(&[("a", b"1")]);
    write_tree(&scratch.0, "trust", &tree).unwrap();
    assert_eq!(read_tree(&scratch.0.join("trust"), WIDE).unwrap(), tree);
    assert_eq!(scratch.names(), [".officiant-new-7.root.json", "mine", "trust"]);
    expect_only(&scratch.0, &["mine", "trust"]).unwrap();
}

#[test]
fn a_huge_file_is_refused_without_being_read() {
    let scratch = Scratch::new();
    let file = File::create(scratch.0.join("huge")).unwrap();
    file.set_len(1 << 40).unwrap();
    let before = std::time::Instant::now();
    assert!(matches!(read_tree(&scratch.0, WIDE), Err(Error::TooLarge { .. })));
    assert!(before.elapsed() < std::time::Duration::from_secs(5));
}

#[test]
fn a_record_grows_by_whole_lines() {
    let scratch = Scratch::new();
    let path = scratch.0.join("record.jsonl");
    append_line(&path, "one").unwrap();
    append_line(&path, "two").unwrap();
    assert!(matches!(append_line(&path, "a\nb"), Err(Error::LineBreak { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
    std::fs::write(&path, "one\ntw").unwrap();
    assert!(matches!(append_line(&path, "three"), Err(Error::Torn { .. })));
    cut_to(&path, 4).unwrap();
    append_line(&path, "two").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
}

#[test]
fn a_media_is_what_its_marker_says() {
    let scratch = Scratch::new();
    let error = kind(&scratch.0).unwrap_err();
    let unmarked = format!("media `{}` has no marker file `officiant-media`", scratch.0.display());
    assert_eq!(error.to_string(), unmarked);
    mark(&scratch.0, Kind::In).unwrap();
    mark(&scratch.0, Kind::In).unwrap();
    assert_eq!(kind(&scratch.0).unwrap(), Kind::In);
    assert!(mark(&scratch.0, Kind::Out).is_err());
    let refusal = expect(&scratch.0, Kind::Out).unwrap_err().refusal("nothing was written");
    let expected =
        format!("media `{}` is marked `in`, expected `out` [MEDIA-KIND]", scratch.0.display());
    assert_eq!((refusal.to_string(), refusal.exit), (expected, Exit::Refused));
    for (text, good) in
        [("room", true), ("out\r\n", true), ("", false), ("in\nin\n", false), ("In", false)]
    {
        std::fs::write(scratch.0.join("officiant-media"), text).unwrap();
        assert_eq!(kind(&scratch.0).is_ok(), good, "{text:?}");
    }
}

#[test]
fn files_of_another_ceremony_are_named() {
    let scratch = Scratch::new();
    mark(&scratch.0, Kind::Out).unwrap();
    std::fs::create_dir(scratch.0.join("lost+found")).unwrap();
    std::fs::write(scratch.0.join(".officiant-new-trust"), "").unwrap();
    expect_only(&scratch.0, &[]).unwrap();
    std::fs::create_dir(scratch.0.join("trust")).unwrap();
    std::fs::write(scratch.0.join("holiday.jpg"), "").unwrap();
    expect_only(&scratch.0, &["trust", "holiday.jpg"]).unwrap();
    let error = expect_only(&scratch.0, &[]).unwrap_err();
    let expected = format!(
        "media `{}` holds `holiday.jpg` and `trust`, which this ceremony did not write",
        scratch.0.display()
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn two_media_are_compared_byte_for_byte() {
    let files = |all: &[(&str, &[u8])]| crate::files::Files::from(files(all));
    let (a, b) = (files(&[("x", b"1"), ("y", b"2")]), files(&[("x", b"1"), ("y", b"3")]));
    let (one, two) = (Path::new("/m/1"), Path::new("/m/2"));
    compare((one, &a), (two, &a)).unwrap();
    let error = compare((one, &a), (two, &b)).unwrap_err();
    assert_eq!(error.to_string(), "media `/m/1` and `/m/2` differ at `y`");
    assert!(compare((one, &a), (two, &files(&[("x", b"1")]))).is_err());
}

#[test]
fn a_folder_is_made_once_under_any_name() {
    let scratch = Scratch::new();
    let path = scratch.0.join("my work: 1");
    make_folder(&path).unwrap();
    make_folder(&path).unwrap();
    std::fs::write(scratch.0.join("file"), "").unwrap();
    assert!(matches!(make_folder(&scratch.0.join("file")), Err(Error::NotRegular { .. })));
}

#[test]
fn one_run_at_a_time_has_a_folder() {
    let scratch = Scratch::new();
    let lock = Lock::take(&scratch.0).unwrap();
    assert!(matches!(Lock::take(&scratch.0), Err(Error::Locked { .. })));
    drop(lock);
    Lock::take(&scratch.0).unwrap();
}

#[test]
fn a_full_media_says_so_and_keeps_what_it_had() {
    let Some(media) = Mounted::tmpfs("size=64k") else { return };
    let root = media.root();
    write_new(&root.join("first"), b"1").unwrap();
    let big = vec![7; 100_000];
    let error = write_new(&root.join("second"), &big).unwrap_err();
    let expected = format!("media `{}` is full at `{}/second`", root.display(), root.display());
    assert_eq!(error.to_string(), expected);
    let error = write_tree(root, "trust", &files(&[("a", b"1"), ("b", &big)])).unwrap_err();
    assert!(matches!(&error, Error::Full { volume, .. } if volume == root), "{error}");
    let refusal = error.refusal("1 root was signed and stands in the work folder");
    assert_eq!(refusal.exit, Exit::Device);
    assert_eq!(refusal.hints, ["use a larger or an empty volume"]);
    assert_eq!(media.0.names(), ["first"]);
}

#[test]
fn a_full_work_folder_leaves_no_torn_line() {
    let Some(media) = Mounted::tmpfs("size=16k") else { return };
    let path = media.root().join("record.jsonl");
    append_line(&path, "one").unwrap();
    assert!(matches!(append_line(&path, &"x".repeat(20_000)), Err(Error::Full { .. })));
    append_line(&path, "two").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
}

#[test]
fn a_media_without_names_left_is_full_whatever_its_bytes() {
    let Some(media) = Mounted::tmpfs("size=64m,nr_inodes=4") else { return };
    let error = (0..9).find_map(|n| write_new(&media.root().join(n.to_string()), b"").err());
    assert!(matches!(error, Some(Error::Full { .. })));
}

#[test]
fn a_read_only_media_says_so() {
    let Some(media) = Mounted::tmpfs("size=64k") else { return };
    media.remount("remount,ro");
    let root = media.root();
    let expected =
        format!("media `{0}` is read-only, `{0}/first` cannot be written", root.display());
    assert_eq!(write_new(&root.join("first"), b"1").unwrap_err().to_string(), expected);
    assert!(matches!(write_tree(root, "trust", &Files::new()), Err(Error::ReadOnly { .. })));
}

#[test]
fn what_the_system_answers_has_a_name() {
    let named = |errno: Errno| Error::of(Path::new("/nowhere/a"), "written", errno).to_string();
    assert_eq!(named(Errno::IO), "media `/nowhere` vanished while `/nowhere/a` was written");
    for gone in [Errno::NODEV, Errno::NOTCONN, Errno::STALE, Errno::NXIO, Errno::NOMEDIUM] {
        assert_eq!(named(gone), named(Errno::IO));
    }
    assert_eq!(named(Errno::DQUOT), "media `/nowhere` is full at `/nowhere/a`");
    assert_eq!(named(Errno::ACCESS), "`/nowhere/a` is closed to this account");
    assert_eq!(named(Errno::BADF), "`/nowhere/a` could not be written");
    // The root file system of a test machine is not full: the answer contradicts it.
    let Some(media) = Mounted::tmpfs("size=64m") else { return };
    let error = Error::of(&media.root().join("a"), "written", Errno::NOSPC);
    assert!(error.to_string().contains("says that it is full while"), "{error}");
}

#[test]
fn every_error_says_whose_and_what_to_do() {
    let (root, path) = (PathBuf::from("/m"), PathBuf::from("/m/a"));
    let (limit, volume) = (2, root.clone());
    let rows = [
        (
            Error::BadMarker { root: root.clone(), found: "x".to_owned() },
            "media `/m`: the marker file `officiant-media` says `x`, expected `in`, `out` or `room` [MEDIA-KIND]",
            Exit::Refused,
        ),
        (
            Error::Deceptive { volume: volume.clone(), path: path.clone(), free: 9 },
            "media `/m` says that it is full while 9 bytes are free, at `/m/a`",
            Exit::Device,
        ),
        (
            Error::Differ { first: root.clone(), second: path.clone(), file: "x".to_owned() },
            "media `/m` and `/m/a` differ at `x` [MEDIA-TWO]",
            Exit::Refused,
        ),
        (
            Error::Exists { path: path.clone() },
            "`/m/a` already exists with other content [MEDIA-OWN]",
            Exit::Refused,
        ),
        (
            Error::Lying { volume, path: path.clone() },
            "media `/m` gives back other bytes than were written to `/m/a`",
            Exit::Device,
        ),
        (
            Error::Locked { path: root.clone() },
            "folder `/m` is in use by another run",
            Exit::Device,
        ),
        (
            Error::LineBreak { path: path.clone() },
            "a line for `/m/a` has a line break in it",
            Exit::Ours,
        ),
        (Error::Missing { path: path.clone() }, "`/m/a` is missing", Exit::Device),
        (
            Error::Name { name: "CON".to_owned(), why: "it is a device on other systems" },
            "name `CON` cannot stand on media: it is a device on other systems",
            Exit::Usage,
        ),
        (
            Error::TooDeep { path: path.clone(), limit },
            "`/m/a` lies deeper than 2 folders",
            Exit::Device,
        ),
        (
            Error::TooMany { root: root.clone(), limit },
            "`/m` holds more than 2 files",
            Exit::Device,
        ),
        (
            Error::TooMuch { root, limit: 2 },
            "the files in `/m` are larger than 2 bytes together",
            Exit::Device,
        ),
        (Error::Torn { path }, "the last line of `/m/a` is torn", Exit::Device),
    ];
    for (error, words, exit) in rows {
        let refusal = error.refusal("nothing was written");
        assert_eq!((refusal.to_string().as_str(), refusal.exit), (words, exit));
        assert_eq!(refusal.hints.is_empty(), exit == Exit::Ours, "{words}");
    }
}
