//! The suite: which figures there are, how large their work is, and where things lie.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use serde_json::json;

use crate::figure::Figure;
use crate::figures;
use crate::fleet::Room;
use crate::{plot, process, report};

/// How much work each figure does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Turns that all take.
    pub(crate) rounds: usize,
    /// Turns of what takes minutes.
    pub(crate) long_rounds: usize,
    /// Signatures in a batch.
    pub(crate) batch: usize,
    /// The same of what takes a process or a login for each.
    pub(crate) few: usize,
    /// Signatures on a slow token.
    pub(crate) slow: usize,
    /// Repositories of the fleet, and of the one that it is compared with.
    pub(crate) fleets: [usize; 2],
    /// Roots to verify.
    pub(crate) roots: usize,
    /// Versions of a chain.
    pub(crate) chain: usize,
    /// Repositories that couriers go for.
    pub(crate) carried: usize,
    /// Tags that are looked up.
    pub(crate) lookups: usize,
}

impl Size {
    /// That of docs/performance.md.
    const WHOLE: Self = Self {
        rounds: 7,
        long_rounds: 3,
        batch: 20_000,
        few: 30,
        slow: 300,
        fleets: [1_000, 10_000],
        roots: 10_000,
        chain: 1_000,
        carried: 1_000,
        lookups: 20,
    };
    /// That of the test that the suite runs.
    const SMALL: Self = Self {
        rounds: 1,
        long_rounds: 1,
        batch: 300,
        few: 2,
        slow: 4,
        fleets: [1, 3],
        roots: 8,
        chain: 4,
        carried: 2,
        lookups: 1,
    };
}

/// Where things lie, and how much is to be done.
#[derive(Debug)]
pub(crate) struct Suite {
    /// The program that is measured.
    pub(crate) officiant: PathBuf,
    /// The other one.
    pub(crate) courier: PathBuf,
    /// The top of the repository.
    pub(crate) top: PathBuf,
    /// A folder for everything.
    pub(crate) work: PathBuf,
    /// How much.
    pub(crate) size: Size,
    rooms: RefCell<BTreeMap<usize, Rc<Room>>>,
}

impl Suite {
    /// A room for so many repositories in which a rotation is laid out: one for all figures, so to be copied.
    pub(crate) fn room(&self, count: usize) -> Rc<Room> {
        let mut rooms = self.rooms.borrow_mut();
        let new = || {
            let room = Room::new(&self.folder(&format!("room-{count}")), count);
            room.prepare(self);
            Rc::new(room)
        };
        rooms.entry(count).or_insert_with(new).clone()
    }

    /// A peer, such as `shim/libshim.so`.
    pub(crate) fn peer(&self, path: &str) -> PathBuf {
        let peer = self.top.join("target/peers").join(path);
        assert!(peer.exists(), "`sh tests/peers/prepare.sh` makes {}", peer.display());
        peer
    }

    /// A new folder in the work folder.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let folder = self.work.join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    /// This very program, on the processors named where it matters.
    pub(crate) fn own(&self, processors: Option<&str>) -> Command {
        let own = std::env::current_exe().expect("this program");
        let Some(processors) = processors else { return Command::new(own) };
        let mut command = Command::new("taskset");
        command.args(["-c", processors]).arg(own);
        command
    }

    /// What one of this program's own parts measured by itself, in seconds.
    pub(crate) fn seconds(&self, command: &mut Command) -> f64 {
        let spent = process::run(command);
        let nanoseconds: f64 = spent.stdout.trim().parse().expect("nanoseconds");
        nanoseconds / 1e9
    }
}

/// The arguments of `bench suite`: `[--small] [--fleet N] [--rounds N] [--out FOLDER] [NAME…]`.
pub(crate) fn main(mut words: &[&str]) {
    let mut size = Size::WHOLE;
    let mut out = "target/bench";
    loop {
        match words {
            ["--small", rest @ ..] => (size, words) = (Size::SMALL, rest),
            ["--fleet", count, rest @ ..] => {
                let count = count.parse().expect("a number");
                (size.fleets, words) = ([count / 10, count], rest);
            }
            ["--rounds", count, rest @ ..] => {
                let count = count.parse().expect("a number");
                (size.rounds, size.long_rounds, words) = (count, count, rest);
            }
            ["--out", folder, rest @ ..] => (out, words) = (*folder, rest),
            _ => break,
        }
    }
    let path = |name: &str| PathBuf::from(std::env::var_os(name).expect(name));
    let top = std::env::current_dir().expect("a folder");
    let (officiant, courier) = (path("OFFICIANT"), path("COURIER"));
    let rooms = RefCell::default();
    let suite = Suite { officiant, courier, top, work: path("WORK"), size, rooms };
    run(&suite, Path::new(out), words);
}

fn run(suite: &Suite, out: &Path, names: &[&str]) {
    let known = figures::ALL.map(|(name, _)| name);
    for name in names {
        assert!(known.contains(name), "{name} is none of {}", known.join(", "));
    }
    let mut found: Vec<Figure> = Vec::new();
    for (name, measure) in figures::ALL {
        if names.is_empty() || names.contains(&name) {
            eprintln!("bench: {name}");
            found.extend(measure(suite));
            // What is measured is not lost when something after it goes wrong.
            keep(out, &found);
        }
    }
    print!("{}", report::text(&found));
}

/// Writes what was measured so far, in every form.
fn keep(out: &Path, found: &[Figure]) {
    fs::create_dir_all(out).expect("a folder");
    let write = |name: &str, text: String| fs::write(out.join(name), text).expect("a file");
    let all = json!({ "figures": found.iter().map(Figure::json).collect::<Vec<_>>() });
    write("figures.json", format!("{all:#}\n"));
    write("figures.svg", plot::svg(found));
    write("figures.md", report::markdown(found));
    write("figures.txt", report::text(found));
}
