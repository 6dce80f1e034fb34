use std::process::Command;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket};
use rustix::process::{Signal, getpid, getppid, kill_process};

use super::*;

/// A filter is for its thread and those after it, so each case has a thread of its own.
fn behind<T: Send + 'static>(sockets: Sockets, act: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::spawn(move || {
        deny(sockets).unwrap();
        act()
    });
    thread.join().unwrap()
}

#[test]
fn no_socket_but_those_of_the_machine_itself_can_be_opened() {
    let open = |sockets, family| {
        behind(sockets, move || socket(family, SocketType::STREAM, None).map(drop))
    };
    for family in [AddressFamily::INET, AddressFamily::INET6, AddressFamily::NETLINK] {
        assert_eq!(open(Sockets::Unix, family), Err(Errno::PERM));
        assert_eq!(open(Sockets::None, family), Err(Errno::PERM));
    }
    assert_eq!(open(Sockets::Unix, AddressFamily::UNIX), Ok(()));
    assert_eq!(open(Sockets::None, AddressFamily::UNIX), Err(Errno::PERM));
}

#[test]
fn no_descriptor_is_taken_out_of_another_process() {
    let flags = rustix::process::PidfdFlags::empty();
    let process = rustix::process::pidfd_open(getpid(), flags).unwrap();
    let take = move || {
        let flags = rustix::process::PidfdGetfdFlags::empty();
        rustix::process::pidfd_getfd(&process, 0, flags).map(drop)
    };
    assert_ne!(take(), Err(Errno::PERM));
    assert_eq!(behind(Sockets::Unix, take), Err(Errno::PERM));
}

#[test]
fn no_program_is_started_and_no_process_but_threads() {
    let start = || Command::new("/bin/true").status().map_err(|error| error.kind());
    assert!(start().unwrap().success());
    assert_eq!(behind(Sockets::Unix, start), Err(std::io::ErrorKind::PermissionDenied));
    let count = || std::thread::spawn(|| 1 + 1).join().unwrap();
    assert_eq!(behind(Sockets::Unix, count), 2);
}

#[test]
fn no_other_process_gets_a_signal() {
    // Of a kind that is ignored unless somebody waits for it.
    let send = |pid| move || kill_process(pid, Signal::WINCH);
    let (own, parent) = (getpid(), getppid().unwrap());
    assert_eq!(behind(Sockets::None, send(parent)), Err(Errno::PERM));
    assert_eq!(behind(Sockets::None, send(own)), Ok(()));
}

#[test]
fn no_file_is_cut_or_steered_that_may_only_be_read() {
    let path = std::env::temp_dir().join(format!("officiant-fence-{}", std::process::id()));
    std::fs::write(&path, "content").unwrap();
    let with = |flags| {
        let path = path.clone();
        move || openat(CWD, &path, flags, Mode::empty()).map(drop)
    };
    let read = OFlags::RDONLY;
    let steer = OFlags::from_bits_retain(3);
    for flags in [read | OFlags::TRUNC, steer, steer | OFlags::TRUNC] {
        assert_eq!(behind(Sockets::Unix, with(flags)), Err(Errno::PERM), "{flags:?}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), b"content");
    for flags in [read, OFlags::RDWR, OFlags::WRONLY | OFlags::TRUNC] {
        assert_eq!(behind(Sockets::Unix, with(flags)), Ok(()), "{flags:?}");
    }
    std::fs::remove_file(path).unwrap();
}
