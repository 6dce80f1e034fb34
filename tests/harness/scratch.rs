//! Temporary folders and free ports.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

/// The files below a folder, by path inside it.
pub(crate) fn below(files: &BTreeMap<String, Vec<u8>>, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let inside = files.iter().filter_map(|(path, bytes)| Some((path.strip_prefix(folder)?, bytes)));
    inside.map(|(path, bytes)| (path.to_owned(), bytes.clone())).collect()
}

/// A folder of one test. It goes with the test, unless the test fails: then it stays, and its path is printed.
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes an empty folder whose path holds neither blanks nor anything a shell reads.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{number}", process::id()));
        fs::create_dir_all(&path).expect("a scratch folder");
        Self { path }
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a folder in it, with those between, and returns its path.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir_all(&path).expect(name);
        path
    }

    /// Writes a file in it and returns its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect(name);
        fs::write(&path, content).expect(name);
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the folder of this test stays: {}", self.path.display());
        } else {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// A loopback port on which nobody listened a moment ago. Who uses it tries another when it is taken by now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its number").port()
}

#[test]
fn a_scratch_folder_is_empty_and_goes_with_its_test() {
    let scratch = Scratch::new();
    let path = scratch.path().to_owned();
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    let file = scratch.file("deep/down/file", "x");
    assert_eq!(fs::read(file).unwrap(), b"x");
    drop(scratch);
    assert!(!path.exists());
    TcpListener::bind(("127.0.0.1", free_port())).unwrap();
}
