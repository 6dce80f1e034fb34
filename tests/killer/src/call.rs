//! The calls that are counted, and what one is about.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
};

/// What a call is about.
#[derive(Clone, Copy)]
enum About {
    /// The file descriptor in this argument.
    File(usize),
    /// The path that this argument points to.
    Path(usize),
    /// The same, in the folder that is open as the argument before it.
    Below(usize),
}

/// What stands for the working folder.
const AT_FDCWD: i32 = -100;

/// Linux on x86-64: number, name, what it is about.
const CALLS: [(u32, &str, About); 23] = [
    (1, "write", About::File(0)),
    (18, "pwrite64", About::File(0)),
    (20, "writev", About::File(0)),
    (40, "sendfile", About::File(0)),
    (74, "fsync", About::File(0)),
    (75, "fdatasync", About::File(0)),
    (77, "ftruncate", About::File(0)),
    (82, "rename", About::Path(1)),
    (83, "mkdir", About::Path(0)),
    (84, "rmdir", About::Path(0)),
    (86, "link", About::Path(1)),
    (87, "unlink", About::Path(0)),
    (88, "symlink", About::Path(1)),
    (258, "mkdirat", About::Below(1)),
    (263, "unlinkat", About::Below(1)),
    (264, "renameat", About::Below(3)),
    (265, "linkat", About::Below(3)),
    (266, "symlinkat", About::Below(2)),
    (285, "fallocate", About::File(0)),
    (296, "pwritev", About::File(0)),
    (306, "syncfs", About::File(0)),
    (316, "renameat2", About::Below(3)),
    (326, "copy_file_range", About::File(2)),
];

/// The numbers of the calls that are counted.
pub fn numbers() -> impl ExactSizeIterator<Item = u32> {
    CALLS.iter().map(|(number, ..)| *number)
}

/// A call that a process is about to make.
pub struct Call {
    pub process: i32,
    pub number: u64,
    pub arguments: [u64; 6],
}

impl Call {
    pub fn name(&self) -> &'static str {
        self.known().map_or("?", |(_, name, _)| name)
    }

    fn known(&self) -> Option<&'static (u32, &'static str, About)> {
        CALLS.iter().find(|(number, ..)| u64::from(*number) == self.number)
    }

    /// The path of the file or name.
    pub fn object(&self) -> String {
        match self.known() {
            Some((_, _, About::File(argument))) => self.file(*argument),
            Some((_, _, About::Path(argument))) => self.path(*argument),
            Some((_, _, About::Below(argument))) => {
                let (folder, path) = (self.arguments[argument - 1] as i32, self.path(*argument));
                if folder == AT_FDCWD || path.starts_with('/') {
                    return path;
                }
                format!("{}/{path}", self.file(argument - 1))
            }
            None => "?".into(),
        }
    }

    fn file(&self, argument: usize) -> String {
        let link = format!("/proc/{}/fd/{}", self.process, self.arguments[argument] as i32);
        fs::read_link(link).map_or_else(|_| "?".into(), |path| path.display().to_string())
    }

    fn path(&self, argument: usize) -> String {
        let bytes = self.memory(self.arguments[argument], 4096);
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    }

    /// The step that it announces on standard error, if it does.
    pub fn announces(&self) -> Option<u64> {
        if (self.number, self.arguments[0]) != (1, 2) {
            return None;
        }
        let text = self.memory(self.arguments[1], 24);
        let text = String::from_utf8_lossy(&text);
        let (step, rest) = text.strip_prefix("\n[")?.split_once('/')?;
        if rest.contains("] left out") { None } else { step.parse().ok() }
    }

    fn memory(&self, at: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let memory = File::open(format!("/proc/{}/mem", self.process));
        let read = memory.and_then(|memory| memory.read_at(&mut bytes, at)).unwrap_or_default();
        bytes.truncate(read);
        bytes
    }
}
