//! A PKCS#11 module that stands before a real one, counts its calls and disturbs those it is told to: tests/shim.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    thread,
};

use rustix::{
    fs::{CWD, FileType, Mode, mknodat},
    process::{Pid, Signal, kill_process},
};

use super::{peers::peer, scratch::Scratch};

/// A copy of the module in a folder of its own, with its rules and its counts.
pub(crate) struct Shim {
    folder: PathBuf,
    /// Where it says whom to kill: a fenced process cannot do it itself.
    victims: File,
}

/// One call, as the shim saw it.
#[derive(Debug, PartialEq)]
pub(crate) struct Call {
    /// Its number among all calls of all processes.
    pub(crate) number: u64,
    /// The process that made it.
    pub(crate) process: u32,
    /// Its name, such as `C_Sign`.
    pub(crate) name: String,
}

impl Shim {
    /// Puts a copy before the module `real`. The rules are those of `shim.conf`, such as `call 17 before kill self`
    /// or `C_Sign 3 before return 0x30`: tests/shim/src/lib.rs lists them.
    pub(crate) fn before(scratch: &Scratch, name: &str, real: &str, rules: &[&str]) -> Self {
        let folder = scratch.folder(&format!("shim/{name}"));
        let pipe = folder.join("victims");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RWXU, 0).expect("a pipe");
        // Both ends: it opens at once, and does not end with the last victim.
        let victims = OpenOptions::new().read(true).write(true).open(pipe).expect("a pipe");
        let told = victims.try_clone().expect("the pipe again");
        thread::spawn(move || kill_all(&told));
        let shim = Self { folder, victims };
        fs::copy(peer("shim/libshim.so"), shim.module()).expect("a copy of the shim");
        shim.rules(real, rules);
        shim
    }

    /// What room.toml must let it write.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What came of each attack of the last `attack`: its name and its outcome.
    #[track_caller]
    pub(crate) fn attacks(&self) -> BTreeMap<String, String> {
        let report = fs::read_to_string(self.folder.join("attacks")).expect("no attack was played");
        let line =
            |line: &str| line.split_once(": ").map(|(name, came)| (name.into(), came.into()));
        report.lines().map(|told| line(told).expect("a name and an outcome")).collect()
    }

    /// Gives the processes that load it from now on other rules, and forgets what was counted.
    pub(crate) fn rules(&self, real: &str, rules: &[&str]) {
        let text = format!("module {real}\n{}\n", rules.join("\n"));
        fs::write(self.folder.join("shim.conf"), text).expect("its rules");
        for name in ["counts", "trace"] {
            let _ = fs::remove_file(self.folder.join(name));
        }
    }

    /// The module to load.
    pub(crate) fn module(&self) -> PathBuf {
        self.folder.join("libshim.so")
    }

    /// Every call since the rules were given, of all processes, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        read(&self.folder.join("trace"))
    }

    /// How often each function was called.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.calls() {
            *counts.entry(call.name).or_default() += 1;
        }
        counts
    }

    /// Runs once in peace, and then again and again with `victim` (`self`, `parent`, `both` or `group`, as the calling
    /// process sees them) killed before the first, second, … call, until a run makes no such call. One shim may stand
    /// before several tokens: it counts the calls of all. After each death there are no rules when `check` is called with
    /// the call that was not made. Returns the number of deaths.
    #[track_caller]
    pub(crate) fn kill_at_every_call(
        &self,
        real: &str,
        victim: &str,
        mut run: impl FnMut(Option<usize>),
        mut check: impl FnMut(&Call),
    ) -> usize {
        self.rules(real, &[]);
        run(None);
        let peaceful = self.calls().len();
        assert!(peaceful > 0, "nothing called the module");
        for number in 1.. {
            self.rules(real, &[&format!("call {number} before kill {victim}")]);
            run(Some(number));
            let calls = self.calls();
            let Some(call) = calls.get(number - 1) else {
                // What a run does may differ by a few calls from the last one, and not by more.
                assert!(number + 10 > peaceful, "no call {number}, of {peaceful} in peace");
                return number - 1;
            };
            assert!(number < 2 * peaceful + 10, "call {number} of {peaceful} in peace");
            self.rules(real, &[]);
            check(call);
        }
        unreachable!("an endless run of numbers");
    }
}

impl Drop for Shim {
    fn drop(&mut self) {
        // The thread that kills ends.
        let _ = self.victims.write_all(b"\n");
    }
}

/// Kills whoever is named, in their order, until an empty line comes.
fn kill_all(told: &File) {
    for line in BufReader::new(told).lines().map_while(Result::ok).take_while(|l| !l.is_empty()) {
        for victim in line.split(' ').filter_map(|victim| Pid::from_raw(victim.parse().ok()?)) {
            let _ = kill_process(victim, Signal::KILL);
        }
    }
}

fn read(trace: &Path) -> Vec<Call> {
    let text = fs::read_to_string(trace).unwrap_or_default();
    text.lines()
        .map(|line| {
            let mut words = line.split(' ');
            let mut word = || words.next().expect("three words");
            Call {
                number: word().parse().expect("a number"),
                process: word().parse().expect("a process"),
                name: word().to_owned(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::harness::{
        command::{Ran, command, run, run_with},
        softhsm::{MODULE, SoftHsm},
    };

    const KEY: [&str; 8] = [
        "--keypairgen",
        "--key-type",
        "EC:prime256v1",
        "--id",
        "01",
        "--label",
        "key",
        "--usage-sign",
    ];

    struct Bench {
        scratch: Scratch,
        token: SoftHsm,
        shim: Shim,
    }

    impl Bench {
        fn new() -> Self {
            let scratch = Scratch::new();
            let token = SoftHsm::token(&scratch, "one", "1234");
            let shim = Shim::before(&scratch, "one", MODULE, &[]);
            let bench = Self { scratch, token, shim };
            run(bench.tool().args(KEY)).ok();
            bench.scratch.file("digest", [7; 32]);
            bench
        }

        /// OpenSC's tool on the token, through the shim.
        fn tool(&self) -> Command {
            let mut tool = command("pkcs11-tool", self.scratch.path());
            tool.env("SOFTHSM2_CONF", self.token.configuration());
            tool.arg("--module").arg(self.shim.module());
            tool.args(["--token-label", "one", "--login", "--pin", "1234"]);
            tool
        }

        fn sign(&self, rules: &[&str]) -> Ran {
            self.shim.rules(MODULE, rules);
            let mut tool = self.tool();
            tool.args(["--sign", "--id", "01", "--mechanism", "ECDSA"]);
            run(tool.args(["--input-file", "digest", "--output-file", "signature"]))
        }
    }

    #[test]
    fn calls_are_counted_forwarded_and_kept_in_order() {
        let bench = Bench::new();
        assert_eq!(bench.shim.counts()["C_GenerateKeyPair"], 1);
        bench.sign(&[]).ok();
        assert_eq!(fs::read(bench.scratch.path().join("signature")).unwrap().len(), 64);
        let (calls, counts) = (bench.shim.calls(), bench.shim.counts());
        assert_eq!((counts["C_SignInit"], counts["C_Sign"], counts["C_Login"]), (1, 1, 1));
        assert_eq!(calls.first().map(|call| call.name.as_str()), Some("C_Initialize"));
        assert!(calls.iter().zip(1..).all(|(call, number)| call.number == number));
        assert!(calls.iter().all(|call| call.process == calls[0].process));
    }

    #[test]
    fn an_answer_can_be_put_in_place_of_the_modules() {
        let ran = Bench::new().sign(&["C_SignInit 1 before return 0x32"]);
        assert!(ran.stderr.contains("CKR_DEVICE_REMOVED"), "{}", ran.stderr);
        assert_ne!(ran.code(), 0);
    }

    #[test]
    fn a_process_can_be_killed_at_every_call() {
        let bench = Bench::new();
        let mut ends = Vec::new();
        let mut seen = Vec::new();
        let deaths = bench.shim.kill_at_every_call(
            MODULE,
            "self",
            |number| {
                let mut tool = bench.tool();
                ends.push((number, run(tool.arg("--list-objects")).signal()));
            },
            |call| seen.push(call.name.clone()),
        );
        assert!(deaths > 10, "{deaths}");
        assert_eq!(ends.remove(0), (None, None));
        assert_eq!(ends.pop(), Some((Some(deaths + 1), None)));
        assert!(ends.iter().all(|(_, signal)| *signal == Some(9)), "{ends:?}");
        assert_eq!((seen.first().map(String::as_str), seen.len()), (Some("C_Initialize"), deaths));
        assert_eq!(bench.sign(&["C_SignInit 1 after abort"]).signal(), Some(6));
        assert_eq!(bench.sign(&["C_SignInit 1 after kill group"]).signal(), Some(9));
    }

    #[test]
    fn a_parent_can_be_killed_by_its_child() {
        let bench = Bench::new();
        bench.shim.rules(MODULE, &["C_Login 1 before kill both"]);
        let tool = bench.tool();
        let mut shell = command("sh", bench.scratch.path());
        shell.env("SOFTHSM2_CONF", bench.token.configuration());
        shell.args(["-c", "\"$@\" & wait", "sh"]).arg(tool.get_program()).args(tool.get_args());
        let ran = run(shell.arg("--list-objects"));
        assert_eq!(ran.signal(), Some(9), "{ran:?}");
    }

    #[test]
    fn what_a_module_answers_can_be_spoiled_or_late() {
        let bench = Bench::new();
        bench.sign(&["C_Sign 1 after garbage"]).ok();
        let mut tool = bench.tool();
        tool.args(["--verify", "--id", "01", "--mechanism", "ECDSA", "--input-file", "digest"]);
        let verified = run(tool.args(["--signature-file", "signature"]));
        assert!(!verified.stdout.contains("is valid"), "{verified:?}");
        for rule in ["C_Sign every before sleep 300", "C_Sign every before work 300"] {
            let start = std::time::Instant::now();
            bench.sign(&[rule]).ok();
            assert!(start.elapsed().as_millis() >= 300, "{rule}");
        }
    }

    #[test]
    #[should_panic(expected = "ran over")]
    fn a_module_can_hang() {
        let bench = Bench::new();
        bench.shim.rules(MODULE, &["C_Login 1 before hang"]);
        let mut tool = bench.tool();
        run_with(tool.arg("--list-objects"), "", std::time::Duration::from_millis(500));
    }
}
