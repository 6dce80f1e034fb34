//! A command on a terminal of its own, driven as a person would: read the screen, type a line.
//!
//! util-linux's `setsid --ctty` gives the command its controlling terminal, which safe Rust cannot.

use std::{
    fs::File,
    io::{Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    fs::{Mode, OFlags},
    process::{Pid, Signal, kill_process_group, test_kill_process_group},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};

use super::command::end;

/// How long a text may take to appear on the screen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running command with its terminal, 200 columns by 50 rows.
pub(crate) struct Pty {
    child: Child,
    master: File,
    screen: Arc<Screen>,
    /// Up to where the screen has been read.
    read: usize,
}

#[derive(Default)]
struct Screen {
    text: Mutex<(Vec<u8>, bool)>,
    changed: Condvar,
}

/// How a command on a terminal ended, and everything that stood on the screen (typed text too, where echoed).
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) transcript: String,
    /// Whether a process of its group outlived it by more than five seconds; it is killed then.
    pub(crate) left_running: bool,
}

impl Pty {
    /// Starts `command` as leader of a new session with the terminal as its standard input, output and error.
    #[track_caller]
    pub(crate) fn start(command: &Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("a terminal");
        grantpt(&master).expect("a terminal of ours");
        unlockpt(&master).expect("an open terminal");
        let name = ptsname(&master, Vec::new()).expect("the terminal's name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = rustix::fs::open(&name, flags, Mode::empty()).expect("the terminal");
        let size = Winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&terminal, size).expect("a size");

        let mut session = Command::new("/usr/bin/setsid");
        session.args(["--ctty", "--wait"]).arg(command.get_program()).args(command.get_args());
        session
            .env_clear()
            .env("TERM", "xterm")
            .envs(command.get_envs().filter_map(|(name, value)| value.map(|value| (name, value))));
        if let Some(folder) = command.get_current_dir() {
            session.current_dir(folder);
        }
        let end = || Stdio::from(terminal.try_clone().expect("the terminal again"));
        session.stdin(end()).stdout(end()).stderr(end());
        let child = session.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));

        let master = File::from(master);
        let screen = Arc::<Screen>::default();
        watch(master.try_clone().expect("the master again"), Arc::clone(&screen));
        Self { child, master, screen, read: 0 }
    }

    /// Waits until `text` stands on the screen below everything expected so far; returns what stood before it.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) -> String {
        let start = Instant::now();
        let mut state = self.screen.text.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let shown = plain(&state.0);
            if let Some((at, end)) = find(&shown[self.read..], text) {
                let before = shown[self.read..self.read + at].to_owned();
                self.read += end;
                return before;
            }
            let left = PATIENCE.saturating_sub(start.elapsed());
            if state.1 || left.is_zero() {
                let why = if state.1 { "the command ended" } else { "nothing came" };
                panic!("`{text}` is not on the screen, {why}:\n{shown}");
            }
            let changed = &self.screen.changed;
            (state, _) = changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for a question whose answer is not shown, until the terminal shows none: some programs throw away what is typed
    /// between the two.
    #[track_caller]
    pub(crate) fn expect_unseen(&mut self, text: &str) {
        self.expect(text);
        let start = Instant::now();
        let shows = |master: &File| {
            tcgetattr(master).expect("its modes").local_modes.contains(LocalModes::ECHO)
        };
        while shows(&self.master) {
            assert!(start.elapsed() < PATIENCE, "`{text}` would be answered on the screen");
            // Nothing tells when a mode changes.
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the screen below everything read so far is as `is_it` wants it, and takes all of it as read; none
    /// when the command ends before.
    #[track_caller]
    pub(crate) fn until<T>(&mut self, is_it: impl Fn(&str) -> Option<T>) -> Option<T> {
        let start = Instant::now();
        let mut state = self.screen.text.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let shown = plain(&state.0);
            if let Some(found) = is_it(&shown[self.read..]) {
                self.read = shown.len();
                return Some(found);
            }
            if state.1 {
                return None;
            }
            let left = PATIENCE.saturating_sub(start.elapsed());
            assert!(!left.is_zero(), "nothing came:\n{shown}");
            let changed = &self.screen.changed;
            (state, _) = changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Types a line and the return key.
    pub(crate) fn send_line(&mut self, line: &str) {
        self.send(&format!("{line}\r"));
    }

    /// Types keys as they are: `\u{3}` is control-C, `\u{4}` the end of input.
    pub(crate) fn send(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("a terminal that takes keys");
    }

    /// Everything that stood on the screen until now.
    pub(crate) fn transcript(&self) -> String {
        plain(&self.screen.text.lock().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// The process id of the command, which is its session and process group too.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills the command and all of its process group with SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(group) = Pid::from_raw(self.child.id().cast_signed()) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    fn outlived(&self) -> bool {
        let group = Pid::from_raw(self.child.id().cast_signed());
        let is_there = || group.is_some_and(|group| test_kill_process_group(group).is_ok());
        let start = Instant::now();
        while is_there() && start.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(5));
        }
        is_there()
    }

    /// Waits for the end of the command, and of what it left running.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Ended {
        let status = end(&mut self.child, PATIENCE);
        let state = self.screen.text.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = self.screen.changed.wait_timeout_while(state, Duration::from_secs(5), |s| !s.1);
        drop(wait);
        let left_running = self.outlived();
        self.kill();
        let transcript = self.transcript();
        let status = status.unwrap_or_else(|| panic!("the command does not end:\n{transcript}"));
        Ended { status, transcript, left_running }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill();
            let _ = self.child.wait();
        }
    }
}

/// Reads the screen until the last process has closed the terminal (EIO).
fn watch(mut master: File, screen: Arc<Screen>) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        loop {
            let count = master.read(&mut buffer).unwrap_or(0);
            let mut state = screen.text.lock().unwrap_or_else(PoisonError::into_inner);
            state.0.extend_from_slice(&buffer[..count]);
            state.1 = count == 0;
            screen.changed.notify_all();
            if count == 0 {
                return;
            }
        }
    });
}

/// Where `text` begins and ends on the screen, which breaks lines at spaces of its own choice and indents what follows.
fn find(shown: &str, text: &str) -> Option<(usize, usize)> {
    let ends = |at: usize| {
        let mut rest = &shown[at..];
        for letter in text.chars() {
            rest = match rest.strip_prefix(letter) {
                Some(rest) => rest,
                None if letter == ' ' => rest.strip_prefix('\n')?.trim_start_matches(' '),
                None => return None,
            };
        }
        Some(shown.len() - rest.len())
    };
    shown.char_indices().find_map(|(at, _)| Some((at, ends(at)?)))
}

/// The text without carriage returns and without escape sequences that colour or move.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' => {}
            '\u{1b}' if letters.peek() == Some(&'[') => {
                letters.next();
                letters.by_ref().find(|c| ('@'..='~').contains(c));
            }
            _ => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{command::command, scratch::Scratch};

    fn shell(script: &str) -> (Scratch, Pty) {
        let scratch = Scratch::new();
        let mut command = command("sh", scratch.path());
        command.args(["-c", script]);
        let pty = Pty::start(&command);
        (scratch, pty)
    }

    #[test]
    fn a_command_reads_its_controlling_terminal() {
        let script = r#"printf '\033[1mName?\033[0m ' >/dev/tty; read a </dev/tty; echo "it is $a"; stty size; exit 7"#;
        let (_scratch, mut pty) = shell(script);
        assert_eq!(pty.expect("? "), "Name");
        pty.send_line("Ada");
        pty.expect("it is Ada\n");
        let ended = pty.finish();
        assert_eq!(ended.status.code(), Some(7));
        assert_eq!(ended.transcript, "Name? Ada\nit is Ada\n50 200\n");
    }

    #[test]
    fn a_line_that_is_broken_is_found() {
        let (_scratch, mut pty) = shell("printf 'a: one\\n   two \\nthree'");
        assert_eq!(pty.expect("one two "), "a: ");
        assert_eq!(pty.expect("three"), "\n");
    }

    #[test]
    fn an_unechoed_line_is_not_on_the_screen() {
        let (_scratch, mut pty) =
            shell("stty -echo; printf 'PIN: '; read p; stty echo; echo \"${#p} letters\"");
        pty.expect("PIN: ");
        pty.send_line("123456");
        pty.expect("6 letters");
        assert!(!pty.finish().transcript.contains("1234"));
    }

    #[test]
    fn the_whole_group_ends_by_kill() {
        let (_scratch, mut pty) = shell("sleep 100 & echo started; wait");
        pty.expect("started");
        assert!(pty.pid() > 1);
        pty.kill();
        let ended = pty.finish();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended.status), Some(9));
        assert!(!ended.left_running);
    }

    #[test]
    fn what_outlives_its_command_is_told() {
        let (_scratch, mut pty) =
            shell("trap '' HUP; sleep 100 </dev/null >/dev/null 2>&1 & echo started");
        pty.expect("started");
        assert!(pty.finish().left_running);
    }

    #[test]
    #[should_panic(expected = "`never` is not on the screen, the command ended")]
    fn a_missing_text_fails_with_the_transcript() {
        let (_scratch, mut pty) = shell("echo always");
        pty.expect("never");
    }
}
