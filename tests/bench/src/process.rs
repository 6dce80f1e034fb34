//! Processes, and what they cost: time on the wall and on processors, and memory, with all that they start.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::mem::MaybeUninit;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What a process and all that it started took.
#[derive(Debug)]
pub(crate) struct Spent {
    /// What it printed.
    pub(crate) stdout: String,
    /// From its start to its end.
    pub(crate) wall: Duration,
    /// User and system time, of those of its children too for which it waited.
    pub(crate) processor: Duration,
    /// The most memory; only where it was asked for.
    pub(crate) memory: Memory,
}

/// The most memory of a process and those below it at one moment, in bytes, by how many children that drive a token
/// there were in that moment.
#[derive(Debug, Default)]
pub(crate) struct Memory(BTreeMap<usize, u64>);

impl Memory {
    /// The most at any moment, less so much for each child that drove a token in that moment.
    pub(crate) fn beyond(&self, module: u64) -> u64 {
        let less = |(children, bytes): (&usize, &u64)| {
            bytes.saturating_sub(module * u64::try_from(*children).expect("a few"))
        };
        self.0.iter().map(less).max().unwrap_or_default()
    }
}

/// Runs to the end; a process that does not end well ends the benchmark with its own last words.
pub(crate) fn run(command: &mut Command) -> Spent {
    measured(command, false)
}

/// The same, and its memory is looked at every few milliseconds: the proportional set size of each process below it,
/// which counts a page that several share once.
pub(crate) fn watched(command: &mut Command) -> Spent {
    measured(command, true)
}

#[expect(clippy::zombie_processes, reason = "it is waited for below, by wait4(2)")]
fn measured(command: &mut Command, is_watched: bool) -> Spent {
    let what = format!("{command:?}");
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let pid = child.id();
    let (out, err) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let has_ended = AtomicBool::new(false);
    let (code, processor, wall, memory) = thread::scope(|scope| {
        let watch = is_watched.then(|| scope.spawn(|| watch(pid, &has_ended)));
        let (code, processor) = wait(&child);
        let wall = began.elapsed();
        has_ended.store(true, Ordering::Relaxed);
        let memory = watch.map(|thread| thread.join().expect("a watch")).unwrap_or_default();
        (code, processor, wall, memory)
    });
    let stdout = out.join().expect("its output");
    let stderr = err.join().expect("its words");
    assert_eq!(code, 0, "{what}\n{stdout}\n{stderr}");
    Spent { stdout, wall, processor, memory }
}

fn reader(from: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    let mut from = from.expect("a pipe");
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).expect("its words");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Waits as wait4(2) does, which the standard library has not: only it says what the process took.
fn wait(child: &Child) -> (i32, Duration) {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    let pid = child.id().cast_signed();
    let usage = unsafe {
        assert_eq!(libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr()), pid, "a child");
        usage.assume_init()
    };
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec.cast_unsigned())
            + Duration::from_micros(time.tv_usec.cast_unsigned())
    };
    let code = if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { -1 };
    (code, time(usage.ru_utime) + time(usage.ru_stime))
}

fn watch(pid: u32, has_ended: &AtomicBool) -> Memory {
    let mut memory = Memory::default();
    while !has_ended.load(Ordering::Relaxed) {
        let mut tree = below(pid);
        // A child that is not what it will be yet has the very memory of its parent.
        tree.retain(|child| *child == pid || words(*child) != words(pid));
        let bytes: u64 = tree.iter().filter_map(|pid| proportional(*pid)).sum();
        let children = tree.iter().filter(|pid| drives_token(**pid)).count();
        let most = memory.0.entry(children).or_default();
        *most = bytes.max(*most);
        thread::sleep(LOOK);
    }
    memory
}

/// A process and all below it. One that ended meanwhile has none.
fn below(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let mut at = 0;
    while let Some(pid) = found.get(at) {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let children = threads
            .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
            .collect::<String>();
        found.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        at += 1;
    }
    found
}

/// How a process was called.
fn words(pid: u32) -> Option<Vec<u8>> {
    fs::read(format!("/proc/{pid}/cmdline")).ok()
}

/// None where the process has ended; where the kernel shows it to root alone, all of its pages count in full.
fn proportional(pid: u32) -> Option<u64> {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes << 10)
    };
    field("smaps_rollup", "Pss:").or_else(|| field("status", "VmRSS:"))
}

fn drives_token(pid: u32) -> bool {
    words(pid).is_some_and(|words| words.ends_with(b"\0child\0token\0"))
}

const LOOK: Duration = Duration::from_millis(5);
