//! Death of a whole command, children included, before any call that changes the world: tests/killer.

use std::{fs, path::PathBuf, process::Command};

use super::{
    command::{Ran, run},
    peers::peer,
    scratch::Scratch,
};

/// When a command is to die.
#[derive(Clone, Copy)]
pub(crate) struct When<'a> {
    /// How many steps it announces before its calls count.
    pub(crate) skip: usize,
    /// Before which call; 0 for none.
    pub(crate) number: usize,
    /// At the latest before it announces a step after this one; 0 for none.
    pub(crate) last: u64,
    /// Writes to files whose path ends with this do not count; `-` for none.
    pub(crate) spared: &'a str,
    /// Only calls about paths that begin with this count; `-` for any.
    pub(crate) under: &'a str,
}

impl When<'_> {
    /// Never.
    pub(crate) const NEVER: When<'static> =
        When { skip: 0, number: 0, last: 0, spared: "-", under: "-" };
}

/// Where its log lies.
pub(crate) struct Killer {
    scratch: Scratch,
}

impl Killer {
    /// One that has killed nobody yet.
    pub(crate) fn new() -> Self {
        Self { scratch: Scratch::new() }
    }

    /// Runs a command and kills it, with all its children. What it said, and whether it was killed.
    #[track_caller]
    pub(crate) fn run(&self, command: &Command, when: When<'_>) -> (Ran, bool) {
        let mut killer = Command::new(peer("killer/killer"));
        killer.arg(self.log());
        killer.args([when.skip.to_string(), when.number.to_string(), when.last.to_string()]);
        killer.args([when.spared, when.under]);
        killer.arg(command.get_program()).args(command.get_args()).env_clear();
        killer.envs(command.get_envs().filter_map(|(name, value)| value.map(|v| (name, v))));
        if let Some(folder) = command.get_current_dir() {
            killer.current_dir(folder);
        }
        let ran = run(&mut killer);
        let killed = ran.status.code() == Some(137);
        (ran, killed)
    }

    /// The counted calls of the last run, the one that was not made included: name and object.
    pub(crate) fn calls(&self) -> Vec<String> {
        let log = fs::read_to_string(self.log()).expect("the killer's log");
        let call = |line: &str| line.splitn(3, ' ').nth(2).unwrap_or_default().to_owned();
        log.lines().map(call).collect()
    }

    fn log(&self) -> PathBuf {
        self.scratch.path().join("log")
    }
}

#[test]
fn all_processes_die_before_the_call_that_is_not_made() {
    let scratch = Scratch::new();
    let mut shell = super::command::command("sh", scratch.path());
    shell.args(["-c", "mkdir a; (mkdir b; mkdir c); mkdir d & wait; mkdir e"]);
    let killer = Killer::new();
    let at = |number| When { number, ..When::NEVER };
    let (ran, killed) = killer.run(&shell, at(0));
    assert!(!killed && ran.status.success(), "{ran:?}");
    let many = killer.calls().len();
    assert_eq!(many, 5, "{:?}", killer.calls());
    let d = When { number: 1, under: "d", ..When::NEVER };
    assert!(killer.run(&shell, d).1);
    assert_eq!(killer.calls(), ["mkdir d"]);
    for number in 1..=many {
        for name in ["a", "b", "c", "d", "e"] {
            let _ = fs::remove_dir(scratch.path().join(name));
        }
        assert!(killer.run(&shell, at(number)).1);
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), number - 1);
    }
}
