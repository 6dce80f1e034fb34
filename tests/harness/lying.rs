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
        fs::write(folder.join("lies"), lies.join("\n")).expect("its lies");
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
        Self { folder, point, _server: server }
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        &self.point
    }

    /// Every operation so far, as `3 write`, `1 rename NAME`, before it was done.
    pub(crate) fn operations(&self) -> Vec<String> {
        let trace = fs::read_to_string(self.folder.join("trace")).unwrap_or_default();
        trace.lines().map(|line| line.trim_end().to_owned()).collect()
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
        fs::{CWD, RenameFlags, renameat_with},
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
        let order = ["1 create new", "1 write", "1 sync", "1 rename last", "2 sync"];
        assert_eq!(medium.operations()[..5], order);
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
            ("write 1 vanish", Errno::NOTCONN),
            ("sync 2 vanish", Errno::NOTCONN),
        ] {
            let scratch = Scratch::new();
            let medium = LyingMedium::new(&scratch, "out", &[lie]);
            let error = write(medium.path(), "content").unwrap_err();
            let expected = if lie.ends_with("vanish") {
                &[errno, Errno::CONNABORTED][..]
            } else {
                &[errno][..]
            };
            let found = Errno::from_io_error(&error).unwrap();
            assert!(expected.contains(&found), "{lie}: {error}");
            if lie.ends_with("vanish") {
                let gone = fs::metadata(medium.path()).unwrap_err();
                assert_eq!(Errno::from_io_error(&gone), Some(Errno::NOTCONN));
            }
        }
    }

    #[test]
    fn what_was_taken_without_complaint_can_be_lost_or_changed() {
        if !may_mount("what_was_taken_without_complaint_can_be_lost_or_changed") {
            return;
        }
        for (lie, found) in [("write 1 lose", "\0\0\0"), ("write every flip", "acc")] {
            let scratch = Scratch::new();
            let medium = LyingMedium::new(&scratch, "out", &[lie]);
            write(medium.path(), "abc").unwrap();
            assert_eq!(fs::read_to_string(medium.path().join("last")).unwrap(), found);
        }
    }
}
