//! A module that turns on the ceremony which loads it: what it reaches, and what people see of it.

use std::collections::BTreeMap;
use std::fs;

use officiant::root::Dialect;
use seccompiler::{SeccompAction, SeccompFilter};

use super::Bench;
use super::bad_token::as_a_ceremony;
use super::genesis::on_one_token;
use super::officer::Officer;
use crate::harness::command::flat;
use crate::harness::{
    command::{command, run},
    pty::{Ended, Pty},
    scratch::Scratch,
    shim::Shim,
    softhsm::{MODULE, SoftHsm},
};

const TOKENS: [&str; 1] = ["officer-a"];

/// A bench whose one token is driven by a module that attacks when it is loaded for the first time.
struct Attacked {
    bench: Bench,
    shim: Shim,
    #[expect(dead_code, reason = "held for its lifetime")]
    scratch: Scratch,
}

impl Attacked {
    fn new() -> Self {
        let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
        let scratch = Scratch::new();
        let paths = [
            "work-1",
            "work-1/record.jsonl",
            "plan-1.toml",
            "media/out-1a",
            "media/room-1",
            "media/room-1/officiant-media",
            "tokens/officer-a",
            "tokens/officer-b",
        ];
        bench.scratch.folder("tokens/officer-b");
        let paths = paths.map(|path| bench.path(path).display().to_string()).join(" ");
        let shim = Shim::before(&scratch, "all", MODULE, &[&attack(&paths)]);
        bench.write_room_with(&TOKENS, shim.module().to_str().unwrap());
        bench.write_plan(&on_one_token());
        Self { bench, shim, scratch }
    }

    /// Conducts it at a terminal, beside which a file of nobody is left open for whoever inherits it.
    #[track_caller]
    fn sit(&self) -> Ended {
        let sitting = self.bench.sitting();
        let mut careless = command("sh", self.bench.scratch.path());
        careless.args(["-c", "exec \"$@\" 5<>/dev/tty 6>>media/room-1/letter", "sh"]);
        careless.arg(sitting.get_program()).args(sitting.get_args());
        Officer::before(&self.bench).sit(&careless)
    }
}

fn attack(paths: &str) -> String {
    format!("C_Initialize 1 before attack {paths}")
}

/// Runs on a kernel without Landlock, as far as a process can tell.
fn without_landlock<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    let (rules, arch) = ([(444, Vec::new())].into(), std::env::consts::ARCH.try_into().unwrap());
    let absent = SeccompAction::Errno(38);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, absent, arch).unwrap();
    let filter: seccompiler::BpfProgram = filter.try_into().unwrap();
    let act = move || {
        seccompiler::apply_filter(&filter).unwrap();
        act()
    };
    std::thread::scope(|scope| scope.spawn(act).join().unwrap())
}

fn told<const N: usize>(lines: [(&str, &str); N]) -> BTreeMap<String, String> {
    lines.map(|(name, outcome)| (name.to_owned(), outcome.to_owned())).into()
}

/// EPERM: seccomp said no.
const REFUSED: &str = "error 1";
/// EACCES: Landlock said no.
const CLOSED: &str = "error 13";

#[test]
fn a_module_that_turns_on_its_ceremony_reaches_nothing_but_its_token() {
    let attacked = Attacked::new();
    let ended = attacked.sit();
    assert!(ended.status.success(), "{}", ended.transcript);
    assert!(!ended.transcript.contains("FORGED"), "{}", ended.transcript);
    assert_eq!(
        attacked.shim.attacks(),
        told([
            ("terminal", CLOSED),
            ("foreground", REFUSED),
            ("typing", REFUSED),
            ("terminal by its path", CLOSED),
            ("terminal to steer", REFUSED),
            ("list work-1", CLOSED),
            ("write into work-1", CLOSED),
            ("link in work-1", CLOSED),
            ("open up work-1", REFUSED),
            ("read record.jsonl", CLOSED),
            ("change record.jsonl", CLOSED),
            ("cut record.jsonl", REFUSED),
            ("move record.jsonl", CLOSED),
            ("read plan-1.toml", CLOSED),
            ("change plan-1.toml", CLOSED),
            ("cut plan-1.toml", REFUSED),
            ("move plan-1.toml", CLOSED),
            ("list out-1a", CLOSED),
            ("write into out-1a", CLOSED),
            ("link in out-1a", CLOSED),
            ("open up out-1a", REFUSED),
            ("list room-1", CLOSED),
            ("write into room-1", CLOSED),
            ("link in room-1", CLOSED),
            ("open up room-1", REFUSED),
            ("read officiant-media", CLOSED),
            ("change officiant-media", CLOSED),
            ("cut officiant-media", REFUSED),
            ("move officiant-media", CLOSED),
            // Its own.
            ("list officer-a", "done"),
            ("write into officer-a", "done"),
            ("link in officer-a", CLOSED),
            ("open up officer-a", REFUSED),
            ("list officer-b", CLOSED),
            ("write into officer-b", CLOSED),
            ("link in officer-b", CLOSED),
            ("open up officer-b", REFUSED),
            ("fork", REFUSED),
            ("program", REFUSED),
            ("signal", REFUSED),
            ("environment of the parent", CLOSED),
            ("socket", REFUSED),
            ("socket of this machine", REFUSED),
            ("descriptor", "nothing"),
            ("namespace", REFUSED),
            ("exec", REFUSED),
        ])
    );
    assert_eq!(fs::read(attacked.bench.path("media/room-1/letter")).unwrap(), b"");
}

#[test]
fn a_kernel_without_landlock_is_told_and_still_keeps_terminal_and_processes() {
    let attacked = Attacked::new();
    let ended = without_landlock(|| attacked.sit());
    let screen = flat(&ended.transcript);
    let told = "this kernel has no Landlock: a module may open whatever this account may, media, work folder and \
                terminals included";
    assert!(screen.contains(told), "{screen}");
    assert!(!screen.contains("FORGED"), "{screen}");
    let came = attacked.shim.attacks();
    // ENXIO: a session of its own has no terminal.
    assert_eq!(came["terminal"], "error 6");
    for name in ["foreground", "typing", "terminal to steer", "cut record.jsonl", "open up work-1"]
    {
        assert_eq!(came[name], REFUSED, "{name}");
    }
    let socket = "socket of this machine";
    for name in ["fork", "program", "signal", "socket", socket, "namespace", "exec"] {
        assert_eq!(came[name], REFUSED, "{name}");
    }
    // What the fence is there for.
    assert_eq!(came["read plan-1.toml"], "done");
}

#[test]
fn in_a_ceremony_somebody_decides_about_a_kernel_without_landlock() {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    as_a_ceremony(&bench, &on_one_token());
    let ended = without_landlock(|| Officer::before(&bench).sit(&bench.sitting()));
    // It goes on to the token, which is a soft one.
    assert!(ended.transcript.contains("[TOKEN-SOFT]"), "{}", ended.transcript);
    let record = bench.record();
    let text = String::from_utf8(record.file().read().unwrap()).unwrap();
    let said = "\"is\":\"exception\",\"expected\":\"modules open only the files that they need\",\
                \"happened\":\"this kernel has no Landlock: ";
    assert!(text.contains(said), "{text}");
}

/// The same attacks by the same module in a process that nobody fenced in.
#[test]
fn without_a_fence_the_same_module_takes_all() {
    let scratch = Scratch::new();
    let softhsm = SoftHsm::token(&scratch, "one", "1234");
    let (folder, file) = (scratch.folder("media"), scratch.file("work/record.jsonl", "{}\n"));
    let paths = format!("{} {}", folder.display(), file.display());
    let shim = Shim::before(&scratch, "one", MODULE, &[&attack(&paths)]);
    let mut tool = command("pkcs11-tool", scratch.path());
    tool.env("SOFTHSM2_CONF", softhsm.configuration());
    tool.arg("--module").arg(shim.module()).arg("--list-slots");
    let ended = Pty::start(&tool).finish();
    assert!(ended.transcript.contains("FORGED LINE"), "{}", ended.transcript);
    let came = shim.attacks();
    for name in [
        "terminal",
        "terminal by its path",
        "terminal to steer",
        "foreground",
        "list media",
        "write into media",
        "link in media",
        "open up media",
        "read record.jsonl",
        "change record.jsonl",
        "cut record.jsonl",
        "move record.jsonl",
        "fork",
        "program",
        "signal",
        "environment of the parent",
        "socket",
        "socket of this machine",
        "descriptor",
    ] {
        assert_eq!(came[name], "done", "{name}");
    }
    // Programs that are started end it at once: nothing is said of them.
    assert!(!came.contains_key("exec"), "{came:?}");
    run(command("test", &folder).args(["-e", "forged"])).ok();
}
