//! Media that fill up, vanish, turn read-only or lose what they took: real mounts, so for root alone.

use std::{
    fs,
    io::{Write, stderr},
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    command::{Ran, command, run},
    scratch::Scratch,
};

/// Whether this process may mount. A test that needs it fails where that is not so, unless [`LEAVE_OUT`] is set.
#[track_caller]
pub(crate) fn may_mount(test: &str) -> bool {
    if rustix::process::geteuid().is_root() {
        return true;
    }
    let is_known = std::env::var_os(LEAVE_OUT).is_some();
    assert!(is_known, "`{test}` mounts media, and needs root for it; {LEAVE_OUT}=1 leaves it out");
    leave_out(test, "mounts media, and needs root for it");
    false
}

/// Says that a test does not run, past the test runner's capture, in a line that tests/run.sh counts.
pub(crate) fn leave_out(test: &str, why: &str) {
    let _ = writeln!(stderr(), "\n*** NOT RUN: `{test}` {why} ***");
}

/// Set by whoever has no root and knows what then remains untested.
const LEAVE_OUT: &str = "OFFICIANT_WITHOUT_MOUNTS";

/// A mounted volume. Declare it after its [`Scratch`], so that it is unmounted first.
pub(crate) struct Medium {
    image: Option<PathBuf>,
    point: PathBuf,
    home: PathBuf,
}

impl Medium {
    /// A volume in memory that holds `kib` KiB and not one more.
    pub(crate) fn full_at(scratch: &Scratch, name: &str, kib: u32) -> Self {
        let medium = Self::unmounted(scratch, name, None);
        let size = format!("size={kib}k");
        medium.mount(&["-t", "tmpfs", "-o", &size, "tmpfs"]);
        medium
    }

    /// An ext4 volume of `mib` MiB with a journal, for power cuts.
    pub(crate) fn ext4(scratch: &Scratch, name: &str, mib: u32) -> Self {
        let image = scratch.file(&format!("{name}.image"), "");
        Self::format(scratch, name, &image, mib)
    }

    /// An ext4 volume that says it has 32 MiB on a device that has 3: writes succeed, and their sync does not.
    /// The device comes second, to be kept until the volume is gone.
    pub(crate) fn overstated(scratch: &Scratch, name: &str) -> (Self, Self) {
        let device = Self::full_at(scratch, &format!("{name}-device"), 3 * 1024);
        (Self::format(scratch, name, &device.path().join("image"), 32), device)
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        &self.point
    }

    /// Turns it read-only.
    pub(crate) fn turn_read_only(&self) {
        self.tool("mount", &["-o", "remount,ro"]).ok();
    }

    /// Pulls it out as power goes (ext4 alone): from now on every call fails, and what was not synced is lost.
    pub(crate) fn pull(&self) {
        Self::pull_all(&[self]);
    }

    /// Pulls several at once.
    pub(crate) fn pull_all(media: &[&Self]) {
        // EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH.
        let program = "import fcntl, os, struct, sys
for point in sys.argv[1:]:
    fcntl.ioctl(os.open(point, os.O_RDONLY), 0x8004587d, struct.pack('I', 2))";
        let home = &media.first().expect("a medium").home;
        let mut python = command("python3", home);
        python.args(["-c", program]).args(media.iter().map(|medium| &medium.point));
        run(&mut python).ok();
    }

    /// Puts it in again (ext4 alone), as its device has it: what survived is there. On a device of its own: whoever runs
    /// in other namespaces may keep the volume that went down, which would be found again on the same one.
    pub(crate) fn put_in_again(&self) {
        self.tool("umount", &[]).ok();
        let image = self.image.as_ref().expect("an image");
        let next = image.with_extension("next");
        run(command("cp", &self.home).arg("--sparse=always").args([image, &next])).ok();
        fs::rename(&next, image).expect("a name for the device");
        self.mount(&["-o", "loop", image.to_str().expect("a path")]);
    }

    fn unmounted(scratch: &Scratch, name: &str, image: Option<PathBuf>) -> Self {
        Self { image, point: scratch.folder(name), home: scratch.path().to_owned() }
    }

    fn format(scratch: &Scratch, name: &str, image: &Path, mib: u32) -> Self {
        let file = fs::File::create(image).expect("an image");
        file.set_len(u64::from(mib) << 20).expect("a sparse image");
        // At once, so that nothing is left to do behind a test's back.
        let now = "lazy_itable_init=0,lazy_journal_init=0,nodiscard";
        let mut mkfs = command("mkfs.ext4", scratch.path());
        run(mkfs.args(["-q", "-m", "0", "-J", "size=1", "-E", now]).arg(image)).ok();
        let medium = Self::unmounted(scratch, name, Some(image.to_owned()));
        medium.mount(&["-o", "loop", image.to_str().expect("a path")]);
        medium
    }

    #[track_caller]
    fn mount(&self, arguments: &[&str]) {
        self.tool("mount", arguments).ok();
    }

    fn tool(&self, program: &str, arguments: &[&str]) -> Ran {
        let mut tool: Command = command(program, &self.home);
        run(tool.args(arguments).arg(&self.point))
    }
}

impl Drop for Medium {
    fn drop(&mut self) {
        let ran = self.tool("umount", &["--lazy"]);
        if !ran.status.success() {
            eprintln!("{} stays mounted: {}", self.point.display(), ran.stderr);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io::{Error, ErrorKind},
    };

    use super::*;

    /// Writes `kib` KiB and syncs them; both answers.
    fn write(path: &Path, kib: usize) -> (Result<(), Error>, Result<(), Error>) {
        let mut file = match File::create(path) {
            Ok(file) => file,
            Err(error) => return (Err(error), Ok(())),
        };
        (file.write_all(&vec![7; kib << 10]), file.sync_all())
    }

    fn kind(answer: &Result<(), Error>) -> Option<ErrorKind> {
        answer.as_ref().err().map(Error::kind)
    }

    #[test]
    fn a_full_medium_says_so_at_the_write() {
        if !may_mount("a_full_medium_says_so_at_the_write") {
            return;
        }
        let scratch = Scratch::new();
        let medium = Medium::full_at(&scratch, "out", 64);
        assert_eq!(kind(&write(&medium.path().join("small"), 8).0), None);
        assert_eq!(kind(&write(&medium.path().join("big"), 100).0), Some(ErrorKind::StorageFull));
    }

    #[test]
    fn a_medium_smaller_than_it_says_fails_at_the_sync_alone() {
        if !may_mount("a_medium_smaller_than_it_says_fails_at_the_sync_alone") {
            return;
        }
        let scratch = Scratch::new();
        let (_device, medium);
        (medium, _device) = Medium::overstated(&scratch, "out");
        let (written, synced) = write(&medium.path().join("file"), 8 << 10);
        assert_eq!(kind(&written), None);
        assert!(synced.is_err());
    }

    #[test]
    fn a_medium_turned_read_only_takes_nothing() {
        if !may_mount("a_medium_turned_read_only_takes_nothing") {
            return;
        }
        let scratch = Scratch::new();
        let medium = Medium::full_at(&scratch, "out", 64);
        medium.turn_read_only();
        let written = write(&medium.path().join("file"), 1).0;
        assert_eq!(kind(&written), Some(ErrorKind::ReadOnlyFilesystem));
    }

    #[test]
    fn a_pulled_medium_fails_at_once_and_has_lost_what_was_not_synced() {
        if !may_mount("a_pulled_medium_fails_at_once_and_has_lost_what_was_not_synced") {
            return;
        }
        let scratch = Scratch::new();
        let medium = Medium::ext4(&scratch, "out", 8);
        let (kept, lost) = (medium.path().join("kept"), medium.path().join("lost"));
        assert_eq!(kind(&write(&kept, 8).1), None);
        File::open(medium.path()).unwrap().sync_all().unwrap();
        let mut file = File::create(&lost).unwrap();
        file.write_all(b"not synced").unwrap();
        medium.pull();
        assert!(file.write_all(b"more").and_then(|()| file.sync_all()).is_err());
        drop(file);
        medium.put_in_again();
        assert_eq!(fs::read(&kept).unwrap(), vec![7; 8 << 10]);
        assert!(!lost.exists());
    }
}
