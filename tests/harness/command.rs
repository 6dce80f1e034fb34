//! Commands with a clean environment, a time limit and all their output kept.

use std::{
    ffi::OsStr,
    fs,
    io::{Read, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::scratch::free_port;

/// What every command of the tests is given when it does not ask for more.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// The whole environment of a command that asks for nothing more.
pub(crate) const ENVIRONMENT: [(&str, &str); 3] = [
    ("LC_ALL", "C.UTF-8"),
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("TZ", "UTC"),
];

/// Starts a command line in a clean environment, with HOME and the working folder in `home`.
pub(crate) fn command(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(ENVIRONMENT).env("HOME", home).current_dir(home);
    command
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Panics with everything it said, unless it ended with 0.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert!(self.status.success(), "{}\n{}\n{}", self.status, self.stdout, self.stderr);
        self
    }

    /// The exit code; panics when a signal ended the command.
    #[track_caller]
    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("{}\n{}", self.status, self.stderr))
    }

    /// The signal that ended the command, if one did.
    pub(crate) fn signal(&self) -> Option<i32> {
        self.status.signal()
    }
}

/// Runs a command to its end with nothing on its standard input.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Ran {
    run_with(command, "", LIMIT)
}

/// Runs a command to its end, at most for `limit`, with `input` on its standard input. It leads a process group of its
/// own: what kills its group kills no test.
#[track_caller]
pub(crate) fn run_with(command: &mut Command, input: &str, limit: Duration) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0);
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let (mut stdin, input) = (child.stdin.take().expect("piped"), input.to_owned());
    let writer = thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let stdout = reader(child.stdout.take().expect("piped"));
    let stderr = reader(child.stderr.take().expect("piped"));
    let status = end(&mut child, limit);
    let (stdout, stderr) = (stdout.join().expect("stdout"), stderr.join().expect("stderr"));
    writer.join().expect("stdin");
    let status =
        status.unwrap_or_else(|| panic!("{command:?} ran over {limit:?}\n{stdout}\n{stderr}"));
    Ran { status, stdout, stderr }
}

/// Waits for a child. One that runs over its limit is killed, and the answer is none.
pub(crate) fn end(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            return Some(status);
        }
        if start.elapsed() > limit {
            kill_group(child);
            let _ = child.wait();
            return None;
        }
        thread::sleep(Duration::from_millis(3));
    }
}

/// Kills a child and, where it leads one, its process group.
fn kill_group(child: &mut Child) {
    if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
}

fn reader(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A server that ends with its owner.
pub(crate) struct Server(pub(crate) Child);

impl Server {
    /// Starts a server on a free port and waits until it, and nobody else, listens there. A port that was taken meanwhile
    /// is not insisted on.
    #[track_caller]
    pub(crate) fn start(start: impl Fn(u16) -> Command) -> (Self, u16) {
        for _ in 0..5 {
            let port = free_port();
            if let Some(server) = Self::start_at(port, start(port)) {
                return (server, port);
            }
        }
        panic!("it does not listen: {:?}", start(0));
    }

    /// Starts a server on a port and waits until it listens there; none where it ends before.
    pub(crate) fn start_at(port: u16, mut start: Command) -> Option<Self> {
        let mut server = Self(start.spawn().expect("a program"));
        let begun = Instant::now();
        while begun.elapsed() < LIMIT && server.0.try_wait().expect("a child").is_none() {
            if server.listens_on(port) {
                return Some(server);
            }
            thread::sleep(Duration::from_millis(20));
        }
        None
    }

    /// Whether this very process has a listening socket on the port of 127.0.0.1.
    fn listens_on(&self, port: u16) -> bool {
        let table = fs::read_to_string("/proc/net/tcp").expect("the kernel's table");
        // Local address, state 0A for listening, and in the tenth column the socket's number.
        let local = format!("0100007F:{port:04X}");
        let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let mut own = rows.filter(|row| row.len() > 9 && row[1] == local && row[3] == "0A");
        let Some(row) = own.next() else { return false };
        let socket = format!("socket:[{}]", row[9]);
        let files = fs::read_dir(format!("/proc/{}/fd", self.0.id()));
        files.is_ok_and(|files| {
            let mut links = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
            links.any(|link| link.as_os_str() == socket.as_str())
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_command_sees_only_what_it_is_given_and_ends_in_time() {
    let scratch = super::scratch::Scratch::new();
    let ran = run(&mut command("env", scratch.path())).ok();
    assert_eq!(ran.stdout.lines().count(), ENVIRONMENT.len() + 1, "{}", ran.stdout);
    let ran = run_with(&mut command("cat", scratch.path()), "in\n", LIMIT).ok();
    assert_eq!(ran.stdout, "in\n");
    let mut shell = command("sh", scratch.path());
    assert_eq!(run(shell.args(["-c", "echo no >&2; exit 3"])).code(), 3);
    let mut shell = command("sh", scratch.path());
    assert_eq!(run(shell.args(["-c", "kill -9 $$"])).signal(), Some(9));
    let mut slow = command("sleep", scratch.path()).arg("20").spawn().unwrap();
    assert!(end(&mut slow, Duration::from_millis(50)).is_none());
}

#[test]
fn a_server_is_ready_when_it_listens_itself_and_not_when_another_does() {
    let scratch = super::scratch::Scratch::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let stranger = Server(command("sleep", scratch.path()).arg("60").spawn().unwrap());
    assert!(!stranger.listens_on(port));
    let program = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)";
    let (server, port) = Server::start(|port| {
        let mut python = command("python3", scratch.path());
        python.args(["-c", program, &port.to_string()]);
        python
    });
    assert!(server.listens_on(port));
}

/// Debian's library that gives a command another clock: for LD_PRELOAD.
#[track_caller]
pub(crate) fn faketime() -> std::path::PathBuf {
    let folders = fs::read_dir("/usr/lib").expect("/usr/lib");
    let mut libraries =
        folders.map(|entry| entry.expect("a folder").path().join("faketime/libfaketime.so.1"));
    libraries.find(|path| path.exists()).expect("Debian's libfaketime")
}

/// Text as if no screen had broken its lines.
pub(crate) fn flat(text: impl AsRef<str>) -> String {
    text.as_ref().split_whitespace().collect::<Vec<_>>().join(" ")
}
