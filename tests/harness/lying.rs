//! A medium that fails, vanishes or lies at a chosen operation: tests/lyingfs, for root alone.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use super::{
    command::{Server, command, run},
    peers::peer,
    scratch::Scratch,
};

/// An empty volume. Declare it after its [`Scratch`], so that it is unmounted first.
pub(crate) struct LyingMedium {
    folder: PathBuf,
    point: PathBuf,
    _server: Server,
}

impl LyingMedium {
    /// Mounts it with its lies, such as `write 3 fail ENOSPC`: tests/lyingfs/src/main.rs lists them.
    #[track_caller]
    pub(crate) fn new(scratch: &Scratch, name: &str, lies: &[&str]) -> Self {
        let (folder, point) = (scratch.folder(&format!("{name}.lies")), scratch.folder(name));
        fs::write(folder.join("lies"), "").expect("no lies yet");
        let mut program = command(peer("lyingfs/lyingfs"), scratch.path());
        program.arg(&point).arg(&folder).stdin(Stdio::null());
        let mut server = Server(program.spawn().expect("lyingfs"));
        let (start, device) =
            (Instant::now(), |path: &Path| fs::metadata(path).map(|m| m.dev()).ok());
        while device(&point) == device(&folder) {
            assert!(server.0.try_wait().expect("a child of ours").is_none(), "lyingfs ended");
            assert!(start.elapsed() < Duration::from_secs(20), "lyingfs does not mount");
            thread::sleep(Duration::from_millis(5));
        }
        let medium = Self { folder, point, _server: server };
        medium.lay(lies);
        medium
    }

    /// Puts other lies into the place of those before. Operations count from here; what was gone is there again.
    #[track_caller]
    pub(crate) fn lay(&self, lies: &[&str]) {
        let new = self.folder.join("new");
        fs::write(&new, lies.join("\n")).expect("its lies");
        fs::rename(new, self.folder.join("lies")).expect("its lies");
        // Which looks at them, and is no operation itself.
        rustix::fs::statvfs(&self.point).expect("a volume that is there");
        assert_eq!(self.trace(), "", "it has not begun anew");
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        &self.point
    }

    /// Every operation since its lies were laid, as `3 write PATH`, before it was done.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.trace().lines().filter(|line| *line != LIED).map(str::to_owned).collect()
    }

    /// Whether any operation since its lies were laid was disturbed.
    pub(crate) fn has_lied(&self) -> bool {
        self.trace().lines().any(|line| line == LIED)
    }

    fn trace(&self) -> String {
        fs::read_to_string(self.folder.join("trace")).expect("its trace")
    }
}

const LIED: &str = "lied";

/// One way for one operation to go wrong.
#[derive(Clone, Debug)]
pub(crate) struct Lie {
    operation: String,
    number: usize,
    way: &'static str,
}

/// Every way for each operation that changes the volume, and one way in turn for each that reads. Names are looked at so
/// often that those at its top do for all.
pub(crate) fn every_lie(operations: &[String]) -> Vec<Lie> {
    let chosen = |operation: &String| {
        let mut lies = lies(operation);
        match lies[0].operation.as_str() {
            "look" if operation.contains('/') => lies.clear(),
            "list" | "open" | "read" => lies = vec![lies.swap_remove(lies[0].number % 2)],
            _ => {}
        }
        lies
    };
    operations.iter().flat_map(chosen).collect()
}

/// One way for each operation that changes the volume, another each time.
pub(crate) fn lies_in_turn(operations: &[String]) -> Vec<Lie> {
    let mut turn = 0;
    let changes = operations.iter().map(|operation| lies(operation)).filter(|lies| lies.len() > 2);
    let one = |lies: Vec<Lie>| {
        turn += 1;
        lies[turn % lies.len()].clone()
    };
    changes.map(one).collect()
}

fn lies(operation: &str) -> Vec<Lie> {
    let [number, operation, _] =
        operation.splitn(3, ' ').collect::<Vec<_>>().try_into().expect("as the trace has it");
    let ways: &[&str] = match operation {
        "look" => &["vanish"],
        "list" | "open" | "read" => &["fail EIO", "vanish"],
        "sync" => &["fail EIO", "vanish", "fail ENOSPC", "fill", "lock"],
        "create" | "mkdir" | "rename" => {
            &["fail EIO", "vanish", "fail ENOSPC", "fill", "lock", "lose"]
        }
        "write" => &["fail EIO", "vanish", "fail ENOSPC", "fill", "lock", "lose", "flip"],
        _ => panic!("nobody said how `{operation}` goes wrong"),
    };
    let number = number.parse().expect("a number");
    ways.iter().map(|way| Lie { operation: operation.to_owned(), number, way }).collect()
}

impl Lie {
    /// The nth change of all, whichever that is.
    pub(crate) fn at_change(number: usize, way: &'static str) -> Self {
        Self { operation: "change".to_owned(), number, way }
    }

    /// The nth look at a name or at what it has.
    pub(crate) fn at_look(number: usize, way: &'static str) -> Self {
        Self { operation: "look".to_owned(), number, way }
    }

    /// What [`LyingMedium::lay`] takes.
    pub(crate) fn rule(&self) -> String {
        format!("{} {} {}", self.operation, self.number, self.way)
    }

    /// Whether what is said of it is what is to be said: the kind, the media, something on it; and what to do.
    pub(crate) fn is_told(&self, media: &str, what: &str, hint: &str) -> bool {
        let (words, advice) = match self.way {
            "fail EIO" | "vanish" => (
                "vanished while `_` was written",
                "insert it again, or a fresh one, and run `resume`",
            ),
            "fail ENOSPC" => (
                "says that it is full while 2147483648 bytes are free, at `_`",
                "it was pulled out, or is smaller than it says: put it aside and use a fresh one",
            ),
            "fill" => ("is full at `_`", "use a larger or an empty volume"),
            "flip" | "lose" => (
                "gives back other bytes than were written to `_`",
                "put this media aside and use a fresh one",
            ),
            "lock" => (
                "is read-only, `_` cannot be written",
                "set the switch of the media to write, or mount it for writing",
            ),
            way => panic!("nobody said what is told of `{way}`"),
        };
        let told = |words: &str| {
            let words = format!("media `{media}` {words}");
            let (before, after) = words.split_once('_').expect("a path");
            let path = what.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            let inside = path.and_then(|path| path.strip_prefix(media));
            inside.is_some_and(|inside| inside.is_empty() || inside.starts_with('/'))
        };
        let is_read = ["list", "look", "open", "read"].contains(&self.operation.as_str());
        hint == advice && (told(words) || is_read && told(&words.replace("written", "read")))
    }
}

impl Drop for LyingMedium {
    fn drop(&mut self) {
        let _ = run(command("umount", &self.folder).arg("--lazy").arg(&self.point));
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{File, OpenOptions},
        io::{Error, ErrorKind, Write},
    };

    use rustix::{
        fs::{CWD, RenameFlags, renameat_with, statvfs},
        io::Errno,
    };

    use super::*;
    use crate::harness::media::may_mount;

    /// As a careful program writes: to a new name, synced, renamed, folder synced.
    fn write(folder: &Path, text: &str) -> Result<(), Error> {
        let (new, last) = (folder.join("new"), folder.join("last"));
        let mut file = OpenOptions::new().write(true).create_new(true).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        renameat_with(CWD, &new, CWD, &last, RenameFlags::NOREPLACE)?;
        File::open(folder)?.sync_all()
    }

    #[test]
    fn without_a_lie_it_is_a_medium_like_any_other() {
        if !may_mount("without_a_lie_it_is_a_medium_like_any_other") {
            return;
        }
        let scratch = Scratch::new();
        let medium = LyingMedium::new(&scratch, "out", &[]);
        write(medium.path(), "content").unwrap();
        assert_eq!(fs::read_to_string(medium.path().join("last")).unwrap(), "content");
        let again = write(medium.path(), "other").unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AlreadyExists);
        fs::create_dir(medium.path().join("folder")).unwrap();
        fs::write(medium.path().join("folder/big"), vec![5; 1 << 20]).unwrap();
        assert_eq!(fs::read(medium.path().join("folder/big")).unwrap(), vec![5; 1 << 20]);
        let mut names: Vec<_> =
            fs::read_dir(medium.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["folder", "last", "new"]);
        fs::remove_dir_all(medium.path().join("folder")).unwrap();
        let mut operations = medium.operations();
        operations.retain(|line| !line.contains(" look "));
        let order = ["1 create new", "1 write new", "1 sync new", "1 rename last", "2 sync "];
        assert_eq!(operations[..5], order);
        assert!(!medium.has_lied());
    }

    #[test]
    fn each_operation_can_fail() {
        if !may_mount("each_operation_can_fail") {
            return;
        }
        for (lie, errno) in [
            ("create 1 fail EROFS", Errno::ROFS),
            ("write 1 fail ENOSPC", Errno::NOSPC),
            ("sync 1 fail EIO", Errno::IO),
            ("rename 1 fail EIO", Errno::IO),
            ("sync 2 fail ENOSPC", Errno::NOSPC),
            ("write 1 fill", Errno::NOSPC),
            ("rename 1 lock", Errno::ROFS),
            ("change 3 fail EIO", Errno::IO),
            ("look 1 vanish", Errno::NOTCONN),
            ("sync 2 vanish", Errno::NOTCONN),
        ] {
            let scratch = Scratch::new();
            let medium = LyingMedium::new(&scratch, "out", &[lie]);
            let error = write(medium.path(), "content").unwrap_err();
            assert_eq!(Errno::from_io_error(&error), Some(errno), "{lie}");
            assert!(medium.has_lied(), "{lie}");
        }
    }

    #[test]
    fn what_fills_locks_or_vanishes_stays_so_until_it_is_put_in_again() {
        if !may_mount("what_fills_locks_or_vanishes_stays_so_until_it_is_put_in_again") {
            return;
        }
        let scratch = Scratch::new();
        let medium = LyingMedium::new(&scratch, "out", &[]);
        for (way, errno) in
            [("fill", Errno::NOSPC), ("lock", Errno::ROFS), ("vanish", Errno::NOTCONN)]
        {
            medium.lay(&[&format!("create 1 {way}")]);
            for _ in 0..2 {
                let error = write(medium.path(), "content").unwrap_err();
                assert_eq!(Errno::from_io_error(&error), Some(errno), "{way}");
            }
            let free = statvfs(medium.path()).map(|space| space.f_bavail);
            match way {
                "fill" => assert_eq!(free, Ok(0)),
                "lock" => assert!(free.unwrap() > 0),
                _ => assert_eq!(free, Err(Errno::NOTCONN)),
            }
        }
        medium.lay(&[]);
        write(medium.path(), "content").unwrap();
        medium.lay(&["look every vanish"]);
        assert!(fs::metadata(medium.path().join("last")).is_err());
        medium.lay(&[]);
        assert_eq!(fs::read_to_string(medium.path().join("last")).unwrap(), "content");
    }

    #[test]
    fn what_was_taken_without_complaint_can_be_lost_or_changed() {
        if !may_mount("what_was_taken_without_complaint_can_be_lost_or_changed") {
            return;
        }
        for (lie, found) in [
            ("write 1 lose", Some("\0\0\0")),
            ("write every flip", Some("acc")),
            ("change 2 flip", Some("acc")),
            ("change 3 flip", Some("abc")),
            ("rename 1 lose", None),
            ("change 3 lose", None),
        ] {
            let scratch = Scratch::new();
            let medium = LyingMedium::new(&scratch, "out", &[lie]);
            write(medium.path(), "abc").unwrap();
            assert_eq!(medium.has_lied(), found != Some("abc"), "{lie}");
            let kept = fs::read_to_string(medium.path().join("last")).ok();
            assert_eq!(kept.as_deref(), found, "{lie}");
        }
        for lie in ["create 1 lose", "mkdir 1 lose"] {
            let scratch = Scratch::new();
            let medium = LyingMedium::new(&scratch, "out", &[lie]);
            let mut file = File::create(medium.path().join("file")).unwrap();
            file.write_all(b"abc").unwrap();
            fs::create_dir(medium.path().join("folder")).unwrap();
            assert_eq!(fs::read_dir(medium.path()).unwrap().count(), 1, "{lie}");
        }
    }
}
