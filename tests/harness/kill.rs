//! Death from outside at every system call that changes the world, by strace's fault injection.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::scratch::Scratch;

/// Calls that put bytes somewhere: files, the terminal, a child's pipe.
pub(crate) const WRITES: &[&str] = &[
    "write",
    "writev",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "copy_file_range",
    "sendfile",
    "ftruncate",
    "fallocate",
];

/// Calls that make bytes last.
pub(crate) const SYNCS: &[&str] = &["fsync", "fdatasync", "syncfs", "sync_file_range"];

/// Calls that make, move or remove names.
pub(crate) const NAMES: &[&str] = &[
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "rmdir",
];

/// Whose calls count.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Whose {
    /// Those of the command itself. Its children live on and must notice.
    Own,
    /// Those of every process, each counted for itself: the nth of whoever comes to n first, and then of the others.
    Every,
}

/// The nth call of a name: the process that makes it dies instead, with the call not done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point<'a> {
    pub(crate) call: &'a str,
    pub(crate) number: usize,
}

/// strace in front of a command, with or without a point at which it dies.
pub(crate) struct Strace<'a> {
    log: PathBuf,
    calls: &'a [&'a str],
    whose: Whose,
    point: Option<Point<'a>>,
}

impl Strace<'_> {
    /// The same command line, environment and folder, under strace.
    pub(crate) fn wrap(&self, command: &Command) -> Command {
        let mut strace = Command::new("/usr/bin/strace");
        strace.arg("-q").arg("-o").arg(&self.log);
        strace.args(["-e", &format!("trace={}", self.calls.join(","))]);
        if self.whose == Whose::Every {
            strace.arg("-f");
        }
        if let Some(Point { call, number }) = self.point {
            strace.args(["-e", &format!("inject={call}:signal=SIGKILL:when={number}")]);
        }
        strace.arg("--").arg(command.get_program()).args(command.get_args()).env_clear();
        strace.envs(command.get_envs().filter_map(|(name, value)| value.map(|v| (name, v))));
        if let Some(folder) = command.get_current_dir() {
            strace.current_dir(folder);
        }
        strace
    }

    /// The point of this run; none when it is the clean one.
    pub(crate) fn point(&self) -> Option<Point<'_>> {
        self.point
    }
}

/// Runs once in peace, and then again and again, dying at the first, second, … call of each name until a run comes
/// through. `run` starts what `Strace::wrap` gives and waits for its end; after each death `check` is called.
/// Returns how many deaths there were of each name.
#[track_caller]
pub(crate) fn kill_at_every<'a>(
    scratch: &Scratch,
    (calls, whose): (&'a [&'a str], Whose),
    mut run: impl FnMut(&Strace<'_>),
    mut check: impl FnMut(Point<'a>),
) -> BTreeMap<&'a str, usize> {
    let log = scratch.path().join("strace.log");
    let mut strace = Strace { log: log.clone(), calls, whose, point: None };
    run(&strace);
    let clean = counts(&log, calls);
    let mut deaths = BTreeMap::new();
    for (&call, &expected) in &clean {
        for number in 1.. {
            let point = Point { call, number };
            strace.point = Some(point);
            let _ = fs::remove_file(&log);
            run(&strace);
            if !fs::read_to_string(&log).expect("strace's log").contains("killed by SIGKILL") {
                // What a run does may differ by a call or two from the last one, and not by more.
                assert!(number + 3 > expected, "{point:?} did not kill, of {expected} in peace");
                break;
            }
            assert!(number < 2 * expected + 10, "{point:?} still kills, of {expected} in peace");
            check(point);
            *deaths.entry(call).or_default() += 1;
        }
    }
    deaths
}

/// How many calls of each name the busiest process made.
fn counts<'a>(log: &Path, calls: &'a [&'a str]) -> BTreeMap<&'a str, usize> {
    let log = fs::read_to_string(log).expect("strace's log: is strace allowed here?");
    let mut each = BTreeMap::<(&str, &str), usize>::new();
    for line in log.lines() {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        let process = &line[..line.len() - rest.len()];
        let name = rest.trim_start().split('(').next().unwrap_or_default();
        if let Some(call) = calls.iter().find(|call| **call == name) {
            *each.entry((call, process)).or_default() += 1;
        }
    }
    let mut most = BTreeMap::new();
    for ((call, _), count) in each {
        let most = most.entry(call).or_default();
        *most = count.max(*most);
    }
    most
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::harness::{
        command::{command, run},
        pty::Pty,
    };

    /// Three lines, each written apart, synced at the end, then renamed.
    const SCRIPT: &str =
        "rm -f out new; for n in 1 2 3; do echo $n; done >new; sync new; mv new out";

    #[test]
    fn a_command_dies_at_each_call_that_changes_the_world() {
        let scratch = Scratch::new();
        let home = scratch.folder("home");
        let mut shell = command("sh", &home);
        shell.args(["-c", SCRIPT]);
        let written = |name: &str| fs::read_to_string(home.join(name)).unwrap_or_default();
        let mut seen = Vec::new();
        let calls: Vec<_> = [WRITES, SYNCS, NAMES].concat();
        let deaths = kill_at_every(
            &scratch,
            (&calls, Whose::Own),
            |strace| {
                let _ = fs::remove_file(home.join("out"));
                let ran = run(&mut strace.wrap(&shell));
                if strace.point().is_none() {
                    ran.ok();
                }
            },
            |point| {
                assert_eq!(written("out"), "", "{point:?}");
                seen.push(written("new"));
            },
        );
        // The shell writes by itself; rm, sync and mv are its children.
        assert_eq!(deaths, BTreeMap::from([("write", 3)]));
        assert_eq!(seen, ["", "1\n", "1\n2\n"]);
        assert_eq!(written("out"), "1\n2\n3\n");
    }

    #[test]
    fn every_process_is_killed_at_its_own_calls() {
        let scratch = Scratch::new();
        let home = scratch.folder("home");
        let mut shell = command("sh", &home);
        shell.args(["-c", SCRIPT]);
        let deaths = kill_at_every(
            &scratch,
            (&["fsync", "renameat2", "rename"], Whose::Every),
            |strace| drop(run(&mut strace.wrap(&shell))),
            |point| assert_eq!(home.join("out").exists(), point.call == "fsync", "{point:?}"),
        );
        assert_eq!(deaths.values().sum::<usize>(), 2, "{deaths:?}");
    }

    #[test]
    fn a_terminal_stays_a_terminal_under_strace() {
        let scratch = Scratch::new();
        let log = scratch.path().join("log");
        let strace = Strace { log, calls: WRITES, whose: Whose::Own, point: None };
        let mut shell = command("sh", scratch.path());
        shell.args(["-c", "read a </dev/tty; echo \"it is $a\" >/dev/tty"]);
        let mut pty = Pty::start(&strace.wrap(&shell));
        pty.send_line("Ada");
        pty.expect("it is Ada");
        assert!(pty.finish().status.success());
    }
}
