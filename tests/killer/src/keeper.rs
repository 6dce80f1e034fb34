//! Keeps what stands in the memory of processes, for a test to search.
//!
//! ```text
//! keeper FOLDER run PROGRAM ARGUMENTS…     each process of a command, when it has done all that it will do
//! keeper FOLDER look PROCESS               each process that this one started, as it is now
//! ```
//!
//! FOLDER gets a file for each process, `end-PID` or `now-PID`: its command line and a line end, then every page that it
//! could read and that is not all zeros, in order, with zeros where pages are left out. What a mapping has word for word of a
//! file that it cannot write is left out too: that stands in the file. Ends as the command did.

use std::{
    env, fs,
    fs::File,
    io::{BufWriter, Write},
    os::unix::fs::FileExt,
    path::Path,
    process::{Command, ExitCode},
};

use killer::trace::{self, Event, Stops};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let mut next =
        || arguments.next().expect("keeper FOLDER run PROGRAM ARGUMENTS… | look PROCESS");
    let (folder, what, of) = (next(), next(), next());
    let folder = Path::new(&folder);
    if what == "look" {
        let first = of.to_str().and_then(|text| text.parse().ok()).expect("a process");
        started_by(first).into_iter().for_each(|process| keep(folder, "now", process));
        return ExitCode::SUCCESS;
    }
    let mut command = Command::new(of);
    command.args(arguments);
    let mut traced = trace::start(&mut command, Stops::Ends);
    loop {
        match traced.next() {
            Event::Ended(code) => return ExitCode::from(code),
            // The threads of a process have the same memory: its first one stands for it.
            Event::Leaving(thread) if leads(thread) => keep(folder, "end", thread),
            Event::Call(_) | Event::Leaving(_) => {}
        }
        traced.go_on();
    }
}

fn leads(thread: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
    status.lines().any(|line| line == format!("Tgid:\t{thread}"))
}

/// Those that a process started and those that they started.
fn started_by(process: i32) -> Vec<i32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children: Vec<i32> =
        children.unwrap_or_default().split(' ').filter_map(|pid| pid.parse().ok()).collect();
    let theirs = children.iter().flat_map(|child| started_by(*child));
    theirs.chain(children.iter().copied()).collect()
}

fn keep(folder: &Path, moment: &str, process: i32) {
    let read = |name: &str| fs::read(format!("/proc/{process}/{name}")).expect("a process");
    let file = File::create(folder.join(format!("{moment}-{process}"))).expect("a file");
    let mut file = BufWriter::new(file);
    let mut write = |bytes: &[u8]| file.write_all(bytes).expect("room for memory");
    let command: Vec<_> =
        read("cmdline").into_iter().map(|byte| if byte == 0 { b' ' } else { byte }).collect();
    write(&command);
    write(b"\n");
    let memory = File::open(format!("/proc/{process}/mem")).expect("memory: only root reads it");
    let maps = String::from_utf8(read("smaps")).expect("text");
    for Mapping { from, to } in mappings(&maps) {
        let mut page = [0; PAGE];
        for at in (from..to).step_by(PAGE) {
            memory.read_exact_at(&mut page, at).expect("a page that its process reads");
            write(if page.iter().all(|byte| *byte == 0) { &GAP } else { &page });
        }
        write(&GAP);
    }
}

struct Mapping {
    from: u64,
    to: u64,
}

/// Those that can be read and may hold what no file does.
fn mappings(smaps: &str) -> Vec<Mapping> {
    let mut found = Vec::new();
    let mut candidate = None;
    for line in smaps.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some((from, to)) = words[0].split_once('-') {
            let number = |digits| u64::from_str_radix(digits, 16).expect("an address");
            let (access, file) = (words[1].as_bytes(), words.get(5).copied().unwrap_or_default());
            let is_kernels = file == "[vvar]" || file == "[vsyscall]" || file == "[vvar_vclock]";
            let may_differ =
                !file.starts_with('/') || file.starts_with("/memfd:") || access[3] == b's';
            let mapping = Mapping { from: number(from), to: number(to) };
            candidate = (access[0] == b'r' && !is_kernels).then_some((mapping, may_differ));
        } else if words[0] == "Anonymous:" {
            // Pages of its own, also of a file: what was written there, and need not be writable now.
            let is_own = words[1] != "0";
            found.extend(candidate.take().filter(|(_, differs)| *differs || is_own).map(|c| c.0));
        }
    }
    found
}

const PAGE: usize = 4096;
const GAP: [u8; 64] = [0; 64];
