//! Which operation is disturbed, and how.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::Write,
    os::unix::fs::MetadataExt,
    path::PathBuf,
};

use fuser::Errno;

/// What becomes of a change that was said to be made, or of what an open file has.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    Flipped,
    Kept,
    Lost,
}

/// What becomes of everything from an operation on.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Full,
    Gone,
    Locked,
    Well,
}

#[derive(Clone, Copy)]
enum Lie {
    /// The operation fails.
    Fail(Errno),
    /// The operation is never answered.
    Hang,
    /// The operation is said to be done, and is not, or not so.
    Pretend(Fate),
    /// From here on.
    Turn(State),
}

struct Rule {
    operation: String,
    /// The nth, or each.
    number: Option<u32>,
    lie: Lie,
}

impl Rule {
    /// Whether it is about an operation that is the nth of its kind, and, if it is a change, the nth of all changes.
    fn is_for(&self, operation: &str, count: u32, changes: u32) -> bool {
        if self.operation == CHANGE {
            let is_time = self.number.is_none_or(|number| number <= changes);
            return is_time && is_change(operation) && self.lie.fits(operation);
        }
        self.operation == operation && self.number.is_none_or(|number| number == count)
    }
}

impl Lie {
    fn fits(self, operation: &str) -> bool {
        match self {
            Self::Pretend(Fate::Flipped) => ["open", "write"].contains(&operation),
            Self::Pretend(_) => ["create", "mkdir", "rename", "write"].contains(&operation),
            Self::Fail(_) | Self::Hang | Self::Turn(_) => true,
        }
    }
}

/// What a rule calls all operations together that change the volume.
const CHANGE: &str = "change";

/// Whether it is about a file that nobody finds again: a shelf, whose name is taken away as soon as it is made.
fn is_passing(operation: &str, path: &str) -> bool {
    path.starts_with(".officiant-new-shelf-")
        || (path.is_empty() && ["open", "read", "truncate", "write"].contains(&operation))
}

fn is_change(operation: &str) -> bool {
    !["list", "look", "open", "read"].contains(&operation)
}

/// The rules, and what has been asked for since they were laid.
pub(crate) struct Lies {
    folder: PathBuf,
    /// The file that the rules were read from.
    file: u64,
    rules: Vec<Rule>,
    counts: HashMap<&'static str, u32>,
    changes: u32,
    state: State,
    trace: File,
}

impl Lies {
    /// Reads the rules; a mistake in them ends the process, so that no test passes by one.
    pub(crate) fn read(folder: PathBuf) -> Self {
        let (path, trace) = (folder.join("lies"), folder.join("trace"));
        let text = fs::read_to_string(&path).expect("FOLDER/lies");
        let file = fs::metadata(path).expect("FOLDER/lies").ino();
        let rules = text.lines().filter(|line| !line.is_empty()).map(rule).collect();
        let trace = File::create(trace).expect("FOLDER/trace");
        let (counts, changes, state) = (HashMap::new(), 0, State::Well);
        Self { folder, file, rules, counts, changes, state, trace }
    }

    /// Begins anew when another file of rules was put into the place of the last one.
    pub(crate) fn look(&mut self) -> Result<(), Errno> {
        let file = fs::metadata(self.folder.join("lies")).expect("FOLDER/lies").ino();
        if file != self.file {
            *self = Self::read(self.folder.clone());
        }
        if self.state == State::Gone { Err(Errno::ENOTCONN) } else { Ok(()) }
    }

    /// Notes an operation and plays what the rules say of it: an error, or the fate of the change.
    pub(crate) fn meet(&mut self, operation: &'static str, path: &str) -> Result<Fate, Errno> {
        self.look()?;
        if is_passing(operation, path) {
            return self.fits(operation).map(|()| Fate::Kept);
        }
        let count = self.counts.entry(operation).or_default();
        *count += 1;
        self.changes += u32::from(is_change(operation));
        writeln!(self.trace, "{count} {operation} {path}").expect("FOLDER/trace");
        let (count, changes) = (*count, self.changes);
        let rule = self.rules.iter().position(|rule| rule.is_for(operation, count, changes));
        let lie = rule.map(|rule| self.rules[rule].lie);
        if let Some(rule) = rule {
            writeln!(self.trace, "lied").expect("FOLDER/trace");
            if self.rules[rule].number.is_some() {
                self.rules.remove(rule);
            }
        }
        match lie {
            Some(Lie::Fail(error)) => return Err(error),
            Some(Lie::Hang) => loop {
                std::thread::park();
            },
            Some(Lie::Pretend(fate)) => return Ok(fate),
            Some(Lie::Turn(state)) => self.state = state,
            None => {}
        }
        self.fits(operation).map(|()| Fate::Kept)
    }

    /// Whether the volume is in a state in which this can be done.
    fn fits(&self, operation: &str) -> Result<(), Errno> {
        // Who only takes away needs no room.
        let needs_room = is_change(operation) && !["remove", "truncate"].contains(&operation);
        match self.state {
            State::Full if needs_room => Err(Errno::ENOSPC),
            State::Gone => Err(Errno::ENOTCONN),
            State::Locked if is_change(operation) => Err(Errno::EROFS),
            _ => Ok(()),
        }
    }

    /// Whether room is left, as the volume says itself.
    pub(crate) fn has_room(&self) -> bool {
        self.state != State::Full
    }
}

fn rule(line: &str) -> Rule {
    let wrong = || -> ! { panic!("lies: `{line}`") };
    let words: Vec<_> = line.split_whitespace().collect();
    let [operation, number, lie @ ..] = words.as_slice() else { wrong() };
    let known = [
        CHANGE, "create", "list", "look", "mkdir", "open", "read", "remove", "rename", "sync",
        "truncate", "write",
    ];
    if !known.contains(operation) {
        wrong();
    }
    let lie = match lie {
        ["fail", "EIO"] => Lie::Fail(Errno::EIO),
        ["fail", "ENOSPC"] => Lie::Fail(Errno::ENOSPC),
        ["fail", "EROFS"] => Lie::Fail(Errno::EROFS),
        ["fill"] => Lie::Turn(State::Full),
        ["flip"] => Lie::Pretend(Fate::Flipped),
        ["hang"] => Lie::Hang,
        ["lock"] => Lie::Turn(State::Locked),
        ["lose"] => Lie::Pretend(Fate::Lost),
        ["vanish"] => Lie::Turn(State::Gone),
        _ => wrong(),
    };
    if *operation != CHANGE && !lie.fits(operation) {
        wrong();
    }
    let number = (*number != "every").then(|| number.parse().unwrap_or_else(|_| wrong()));
    Rule { operation: (*operation).to_owned(), number, lie }
}
