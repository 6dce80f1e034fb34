//! What a module in a child could see of the program that started it.

use std::{
    fs, io,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};

/// Reads a file of a process as a child does: the same user, without capabilities.
fn look(process: &Child, file: &str) -> io::Result<Vec<u8>> {
    let path = format!("/proc/{}/{file}", process.id());
    let looking = thread::spawn(move || {
        let none = CapabilitySet::empty();
        let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
        set_capabilities(None, sets).unwrap();
        fs::read(path)
    });
    looking.join().unwrap()
}

#[test]
fn nobody_of_the_same_user_looks_into_the_program_or_its_children() {
    let start = |command: &mut Command| {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let other = start(&mut Command::new("/bin/cat"));
    let child = start(Command::new(env!("CARGO_BIN_EXE_officiant")).args(["child", "vault"]));
    let refused = |file: &str| {
        let looked = look(&child, file).map_err(|error| error.kind());
        looked == Err(io::ErrorKind::PermissionDenied)
    };
    // It shuts itself off as its first act, which takes a moment.
    let shut = (0..200).any(|_| {
        thread::sleep(Duration::from_millis(10));
        refused("environ")
    });
    assert!(shut, "its environment is open");
    assert!(refused("mem") && refused("auxv"), "its memory is open");
    assert!(look(&other, "environ").is_ok(), "nobody could look into anything");
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"]);
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    assert!(status.contains("NoNewPrivs:"), "{status}");
    for mut process in [other, child] {
        drop(process.stdin.take());
        process.wait().unwrap();
    }
}
