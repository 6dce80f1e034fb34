//! What a module may try against the ceremony that loads it, and what comes of it.

use std::{
    ffi::{c_char, c_int, c_long, c_ulong},
    fs::{self, File, OpenOptions, Permissions},
    io::{Error, Write},
    net::UdpSocket,
    os::{
        fd::AsRawFd,
        unix::{
            fs::{OpenOptionsExt, PermissionsExt, symlink},
            net::UnixDatagram,
        },
    },
    path::{Path, PathBuf},
    process::Command,
};

unsafe extern "C" {
    fn execve(
        path: *const c_char,
        arguments: *const *const c_char,
        environment: *const *const c_char,
    ) -> c_int;
    fn fork() -> c_int;
    fn getpgrp() -> c_int;
    fn getppid() -> c_int;
    fn ioctl(file: c_int, request: c_ulong, ...) -> c_int;
    fn kill(process: c_int, signal: c_int) -> c_int;
    fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    fn truncate(path: *const c_char, length: c_long) -> c_int;
    fn unshare(flags: c_int) -> c_int;
    fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn _exit(code: c_int) -> !;
}

const CLONE_NEWUSER: c_int = 0x1000_0000;
const O_NOCTTY: c_int = 0x100;
const O_STEER: c_int = 3;
const TIOCSPGRP: c_ulong = 0x5410;
const TIOCSTI: c_ulong = 0x5412;

/// Tries everything, and writes a line for each: its name and `done`, or the number of the error.
pub(crate) fn all(mut report: File, paths: &[PathBuf]) {
    let mut tell = |name: &str, outcome: Result<(), Error>| {
        let outcome = match outcome {
            Ok(()) => "done".to_owned(),
            Err(error) => {
                error.raw_os_error().map_or("nothing".to_owned(), |e| format!("error {e}"))
            }
        };
        writeln!(report, "{name}: {outcome}").expect("a report");
    };
    terminal(&mut tell);
    for path in paths {
        if path.is_dir() { folder(path, &mut tell) } else { file(path, &mut tell) }
    }
    processes(&mut tell);
    tell("socket", UdpSocket::bind("127.0.0.1:0").map(drop));
    tell("socket of this machine", UnixDatagram::unbound().map(drop));
    tell("descriptor", descriptor());
    tell("namespace", answer(unsafe { unshare(CLONE_NEWUSER) }));
    let none = std::ptr::null();
    tell("exec", answer(unsafe { execve(c"/bin/true".as_ptr(), none, none) }));
}

fn terminal(tell: &mut impl FnMut(&str, Result<(), Error>)) {
    let both = || OpenOptions::new().read(true).write(true).to_owned();
    let mut own = both().open("/dev/tty");
    tell("terminal", own.as_mut().map_err(again).and_then(|tty| tty.write_all(b"FORGED LINE\n")));
    // Without one, on standard input: it is the request that is refused, whatever it is for.
    let file = own.as_ref().map_or(0, |tty| tty.as_raw_fd());
    let group = unsafe { getpgrp() };
    tell("foreground", answer(unsafe { ioctl(file, TIOCSPGRP, &raw const group) }));
    tell("typing", answer(unsafe { ioctl(file, TIOCSTI, c"!".as_ptr()) }));
    let any = |open: &dyn Fn(&str) -> Result<(), Error>| {
        let paths = (0..4096).map(|n| format!("/dev/pts/{n}"));
        let there = paths.filter(|path| Path::new(path).exists()).map(|path| open(&path));
        there.reduce(Result::or).unwrap_or_else(nothing)
    };
    let by_path = |path: &str| both().custom_flags(O_NOCTTY).open(path).map(drop);
    tell("terminal by its path", any(&by_path));
    // Neither to read nor to write: for ioctl alone.
    let steer = |path: &str| {
        let path = format!("{path}\0");
        answer(unsafe { open(path.as_ptr().cast(), O_NOCTTY | O_STEER) })
    };
    tell("terminal to steer", any(&steer));
}

fn folder(path: &Path, tell: &mut impl FnMut(&str, Result<(), Error>)) {
    let name = name(path);
    tell(&format!("list {name}"), fs::read_dir(path).map(drop));
    tell(&format!("write into {name}"), fs::write(path.join("forged"), "forged"));
    tell(&format!("link in {name}"), symlink("/", path.join("link")));
    tell(&format!("open up {name}"), fs::set_permissions(path, Permissions::from_mode(0o777)));
}

fn file(path: &Path, tell: &mut impl FnMut(&str, Result<(), Error>)) {
    let name = name(path);
    tell(&format!("read {name}"), fs::read(path).map(drop));
    tell(&format!("change {name}"), OpenOptions::new().append(true).open(path).map(drop));
    let whole = fs::metadata(path).map_or(0, |file| file.len());
    let text = format!("{}\0", path.display());
    let cut = unsafe { truncate(text.as_ptr().cast(), whole.cast_signed()) };
    tell(&format!("cut {name}"), answer(cut));
    tell(&format!("move {name}"), fs::rename(path, path.with_extension("moved")));
}

fn processes(tell: &mut impl FnMut(&str, Result<(), Error>)) {
    tell("fork", split());
    tell("program", Command::new("/bin/true").status().map(drop));
    let parent = unsafe { getppid() };
    tell("signal", answer(unsafe { kill(parent, 0) }));
    tell("environment of the parent", fs::read(format!("/proc/{parent}/environ")).map(drop));
}

fn split() -> Result<(), Error> {
    match unsafe { fork() } {
        0 => unsafe { _exit(0) },
        child if child < 0 => answer(child),
        child => answer(unsafe { waitpid(child, std::ptr::null_mut(), 0) }),
    }
}

/// Writes to whatever terminal or file is open already.
fn descriptor() -> Result<(), Error> {
    let open =
        fs::read_dir("/proc/self/fd")?.filter_map(|entry| entry.ok()?.path().read_link().ok());
    let is_outside = |path: &PathBuf| {
        path.starts_with("/")
            && !["/dev/null", "/memfd:", "/proc/"]
                .iter()
                .any(|own| path.to_string_lossy().starts_with(own))
    };
    let mut ours = open.filter(is_outside).filter(|path| !path.ends_with("attacks"));
    ours.next().map_or_else(nothing, |_| Ok(()))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn answer(code: c_int) -> Result<(), Error> {
    if code < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}

/// There was nothing to try it on.
fn nothing() -> Result<(), Error> {
    Err(Error::other("nothing"))
}

fn again(error: &mut Error) -> Error {
    error.raw_os_error().map_or_else(|| Error::other("nothing"), Error::from_raw_os_error)
}
