//! Where `tests/run.sh` put the programs that nobody here wrote, and Python with python-tuf.

use std::path::{Path, PathBuf};

use super::{
    command::{Ran, command, run},
    scratch::Scratch,
};

/// A file of a peer, such as `notary/notary-server`.
#[track_caller]
pub(crate) fn peer(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers").join(name);
    assert!(path.exists(), "{} is missing: `sh tests/peers/prepare.sh` makes it", path.display());
    path
}

/// Runs a Python program with python-tuf at hand, in the scratch folder.
pub(crate) fn python(scratch: &Scratch, program: &str, arguments: &[&str]) -> Ran {
    let mut python = command(peer("python/venv/bin/python"), scratch.path());
    run(python.arg("-c").arg(program).args(arguments))
}

#[test]
fn python_tuf_is_the_pinned_one() {
    let program = "import sys, tuf, tuf.ngclient, securesystemslib.signer; print(tuf.__version__, sys.argv[1])";
    let ran = python(&Scratch::new(), program, &["argument"]).ok();
    let pinned = include_str!("../peers/python.txt").lines().next().unwrap();
    assert_eq!(ran.stdout.trim(), format!("{} argument", pinned.strip_prefix("tuf==").unwrap()));
}
