//! A ceremony that dies again and again: at the first call of what it is about to do, at the second, and so on, until it
//! comes through, each time resumed over what the last death left.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::Value;

use super::{Bench, bench::Saved};
use officiant::root::Dialect;

use crate::harness::{
    command::Ran,
    killer::{Killer, When},
    shim::Shim,
    softhsm::MODULE,
};

/// When a run is to die.
#[derive(Clone, Copy)]
pub(crate) struct At {
    /// How many steps are announced before calls count.
    skip: usize,
    /// The number of the call.
    number: usize,
    /// The last step of what is to be done next.
    last: u64,
    /// It enrols a token.
    is_enrolment: bool,
}

/// What kills.
pub(crate) trait Death {
    /// Runs a command that dies at a call. What it said, and whether it died.
    fn run(&mut self, command: &Command, at: At) -> (Ran, bool);

    /// The call that was not made last.
    fn last(&self) -> String;

    /// Whether the room can be put back as it was.
    fn leaves_room(&self) -> bool {
        true
    }
}

impl Death for Killer {
    fn run(&mut self, command: &Command, at: At) -> (Ran, bool) {
        // SoftHSM empties a token's own file at each login before it writes it anew: who dies between has lost the
        // token. Only in an enrolment there is nothing to lose.
        let spared = if at.is_enrolment { "-" } else { "/token.object" };
        let At { skip, number, last, .. } = at;
        Self::run(self, command, When { skip, number, last, spared, ..When::NEVER })
    }

    fn last(&self) -> String {
        self.calls().last().cloned().unwrap_or_default()
    }
}

/// Before a PKCS#11 call, the process of the token dies and, unless it says so, its parent with it.
pub(crate) struct AtCall<'a> {
    pub(crate) shim: &'a Shim,
    pub(crate) victim: &'static str,
    /// Stops what comes after the step.
    pub(crate) killer: Killer,
    pub(crate) last: String,
}

impl Death for AtCall<'_> {
    fn run(&mut self, command: &Command, At { number, last, .. }: At) -> (Ran, bool) {
        self.shim.rules(MODULE, &[&format!("call {number} before kill {}", self.victim)]);
        let when = When { last, ..When::NEVER };
        let (ran, died) = self.killer.run(command, when);
        let call = self.shim.calls().into_iter().nth(number - 1);
        let died = died || call.is_some();
        self.last = call.map(|call| call.name).unwrap_or_default();
        self.shim.rules(MODULE, &[]);
        (ran, died)
    }

    fn last(&self) -> String {
        self.last.clone()
    }
}

/// How a chain goes.
pub(crate) struct Chain<'a> {
    pub(crate) bench: &'a Bench,
    /// The step at which the clock is read again after each restart.
    pub(crate) clock: u64,
    /// How many calls are passed over between two deaths, by the step that is next: 1 dies at every one.
    pub(crate) stride: &'a dyn Fn(u64) -> usize,
    /// First and last step of what is begun anew as a whole: shares made, a key used from shares.
    pub(crate) units: &'a [(u64, u64)],
    /// The steps that enrol tokens.
    pub(crate) enrolments: &'a [u64],
    /// A step before which the calls of the restart itself are counted too.
    pub(crate) restart_at: u64,
}

/// What a chain did.
#[derive(Debug, Default)]
pub(crate) struct Deaths {
    pub(crate) count: usize,
    /// Step and call of each.
    pub(crate) sites: BTreeSet<(u64, String)>,
}

/// Facts that a restart may ask for again: their use was not over, or they are about the moment.
const PASSING: [&str; 11] = [
    "assembled",
    "clock-attested",
    "drafted",
    "entropy-drawn",
    "exception",
    "intended",
    "key-split",
    "resumed",
    "share-opened",
    "share-stored",
    "signed",
];

/// What stands: whether there is a record, and the steps that are proven done.
#[derive(Clone, Debug, Default, PartialEq)]
struct Standing {
    has_inputs: bool,
    has_record: bool,
    done: BTreeSet<u64>,
}

impl Standing {
    fn of(bench: &Bench) -> Self {
        let work = bench.path(&format!("work-{}", bench.number));
        let record = fs::read_to_string(work.join("record.jsonl")).unwrap_or_default();
        let whole = record.rfind('\n').map_or(0, |end| end + 1);
        let (mut done, mut read) = (BTreeSet::new(), None);
        for line in record[..whole].lines() {
            let entry: Value = serde_json::from_str(line).unwrap();
            let step = entry["step"].as_u64().unwrap();
            match entry["body"]["fact"]["is"].as_str() {
                // That the change was read is believed once its page is on paper.
                Some("roots-read") => read = Some(step),
                // Its certificate comes next, and asks for the PIN once more.
                Some("key-made") if bench.dialect == Dialect::Notary => {}
                Some(kind) if !PASSING.contains(&kind) => drop(done.insert(step)),
                Some(_) => {}
                None if entry["body"]["part"] == "Reading" => done.extend(read),
                None => {}
            }
        }
        Self { has_inputs: work.join("inputs.tar").exists(), has_record: whole > 0, done }
    }
}

impl Chain<'_> {
    /// The first step that is not proven done; of what is begun anew as a whole the last step alone tells.
    fn next(&self, standing: &Standing) -> u64 {
        let is_done = |step: &u64| {
            let unit = self.units.iter().find(|(first, last)| (*first..=*last).contains(step));
            *step == self.clock || standing.done.contains(unit.map_or(step, |(_, last)| last))
        };
        (1..).find(|step| !is_done(step)).unwrap_or_default()
    }

    /// The last step of what is played with this one.
    fn last_with(&self, step: u64) -> u64 {
        let unit = self.units.iter().find(|(first, last)| (*first..=*last).contains(&step));
        unit.map_or(step, |(_, last)| *last)
    }

    /// Dies until it comes through. The room is put back after some deaths, or the record would be of nothing but deaths,
    /// and reading it the longest part of each. What one death left is cleared away by the next run, whose calls are
    /// other ones: where every call is played, some are therefore played again.
    #[track_caller]
    pub(crate) fn run(&self, death: &mut dyn Death) -> Deaths {
        let (mut number, mut deaths) = (1_usize, Deaths::default());
        let mut fresh = Fresh::default();
        loop {
            let before = Standing::of(self.bench);
            let next = self.next(&before);
            let stride = (self.stride)(next);
            let together = if stride > 1 { 8 } else { 64 };
            if death.leaves_room() && fresh.keep(self.bench, &before, (deaths.count, together)) {
                number = number.saturating_sub(together / 2 * usize::from(stride == 1)).max(1);
            }
            let passed_over = next <= self.clock || next == self.restart_at;
            let at = At {
                skip: if before.has_record && !passed_over { 2 } else { 0 },
                number,
                last: self.last_with(next),
                is_enrolment: self.enrolments.contains(&next),
            };
            if !self.die(death, at, &before) {
                return deaths;
            }
            deaths.count += 1;
            deaths.sites.insert((next, site(&death.last())));
            assert!(deaths.count < 5000, "{deaths:?}");
            number = if Standing::of(self.bench) == before {
                number + stride
            } else {
                1 + deaths.count % stride
            };
            assert!(number < 4000, "it comes no further: {deaths:?}");
        }
    }

    /// One death more; none when it came through.
    #[track_caller]
    fn die(&self, death: &mut dyn Death, at: At, before: &Standing) -> bool {
        let is_begun = before.has_record;
        let command = if is_begun { self.bench.resuming() } else { self.bench.conducting() };
        let (ran, died) = death.run(&command, at);
        if is_begun {
            check_questions(&ran, before, death);
        }
        if !died {
            ran.ok();
        }
        died
    }
}

/// The room as it was before the deaths that come one over the other.
#[derive(Default)]
struct Fresh(Option<(Standing, Saved, usize)>);

impl Fresh {
    /// Keeps the room when something more is done in it than before, and puts it back after so many deaths: whether it
    /// did.
    fn keep(
        &mut self,
        bench: &Bench,
        standing: &Standing,
        (deaths, together): (usize, usize),
    ) -> bool {
        match &mut self.0 {
            Some((kept, saved, since)) if kept == standing => {
                let is_due = deaths >= *since + together;
                if is_due {
                    bench.restore(saved);
                    *since = deaths;
                }
                is_due
            }
            kept => {
                *kept = Some((standing.clone(), bench.save(), deaths));
                false
            }
        }
    }
}

/// Nobody is asked about a step that is proven done, and nobody twice for one PIN.
#[track_caller]
fn check_questions(ran: &Ran, before: &Standing, death: &dyn Death) {
    let mut pins = BTreeSet::new();
    let screen = ran.stderr.replace('\n', " \n");
    for line in screen.lines() {
        let Some((step, question)) = line.strip_prefix('[').and_then(|line| line.split_once("] "))
        else {
            continue;
        };
        let Ok(step) = step.parse::<u64>() else { continue };
        // What stands on paper, and what was done since, is asked at every restart (rule 20).
        if ["plan's digest", "last closing digest", "checkpoint page", "ask everybody here"]
            .iter()
            .any(|page| question.contains(page))
        {
            continue;
        }
        let told = || format!("after a death at {}: {line}\n{}", death.last(), ran.stderr);
        assert!(!before.done.contains(&step), "step {step} is done; {}", told());
        for pin in ["— PIN for", "— new PIN", "— the same PIN"] {
            if question.contains(pin) {
                assert!(pins.insert((step, pin)), "asked twice; {}", told());
            }
        }
    }
}

/// A call without what differs from run to run: its name, and the last two parts of the path that it is about.
fn site(call: &str) -> String {
    let drawn = |part: &&str| {
        !(part.len() >= 16 && part.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'))
    };
    let (name, path) = call.split_once(' ').unwrap_or((call, ""));
    let path: Vec<&str> = path.split('/').filter(drawn).collect();
    let path = path[path.len().saturating_sub(2)..].join("/");
    format!("{name} {}", path.split('[').next().unwrap_or_default()).trim_end().to_owned()
}
