//! Which operation is disturbed, and how.

use std::{collections::HashMap, fs::File, io::Write, path::Path, process};

use fuser::Errno;

/// What becomes of data that a write was told is taken, or that an open file has.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    Flipped,
    Kept,
    Lost,
}

#[derive(Clone, Copy)]
enum Lie {
    Fail(Errno),
    Flip,
    Hang,
    Lose,
    Vanish,
}

struct Rule {
    operation: String,
    /// The nth, or each.
    number: Option<u32>,
    lie: Lie,
}

/// The rules, and what has been asked for so far.
pub(crate) struct Lies {
    rules: Vec<Rule>,
    counts: HashMap<&'static str, u32>,
    trace: File,
}

impl Lies {
    /// Reads the rules; a mistake in them ends the process, so that no test passes by one.
    pub(crate) fn read(text: &str, trace: &Path) -> Self {
        let rules = text.lines().filter(|line| !line.is_empty()).map(rule).collect();
        Self { rules, counts: HashMap::new(), trace: File::create(trace).expect("FOLDER/trace") }
    }

    /// Notes an operation and plays what the rules say of it: an error, or the fate of the data.
    pub(crate) fn meet(&mut self, operation: &'static str, name: &str) -> Result<Fate, Errno> {
        let count = self.counts.entry(operation).or_default();
        *count += 1;
        writeln!(self.trace, "{count} {operation} {name}").expect("FOLDER/trace");
        let matches =
            |rule: &&Rule| rule.operation == operation && rule.number.is_none_or(|n| n == *count);
        match self.rules.iter().find(matches).map(|rule| rule.lie) {
            None => Ok(Fate::Kept),
            Some(Lie::Fail(error)) => Err(error),
            Some(Lie::Flip) => Ok(Fate::Flipped),
            Some(Lie::Lose) => Ok(Fate::Lost),
            Some(Lie::Hang) => loop {
                std::thread::park();
            },
            // Without unmounting: every later call finds nobody at the other end.
            Some(Lie::Vanish) => process::exit(0),
        }
    }
}

fn rule(line: &str) -> Rule {
    let wrong = || -> ! { panic!("lies: `{line}`") };
    let words: Vec<_> = line.split_whitespace().collect();
    let [operation, number, lie @ ..] = words.as_slice() else { wrong() };
    let known =
        ["create", "mkdir", "open", "read", "remove", "rename", "sync", "truncate", "write"];
    if !known.contains(operation) {
        wrong();
    }
    let lie = match (*operation, lie) {
        (_, ["fail", "EIO"]) => Lie::Fail(Errno::EIO),
        (_, ["fail", "ENOSPC"]) => Lie::Fail(Errno::ENOSPC),
        (_, ["fail", "EROFS"]) => Lie::Fail(Errno::EROFS),
        (_, ["hang"]) => Lie::Hang,
        (_, ["vanish"]) => Lie::Vanish,
        ("open" | "write", ["flip"]) => Lie::Flip,
        ("write", ["lose"]) => Lie::Lose,
        _ => wrong(),
    };
    let number = (*number != "every").then(|| number.parse().unwrap_or_else(|_| wrong()));
    Rule { operation: (*operation).to_owned(), number, lie }
}
