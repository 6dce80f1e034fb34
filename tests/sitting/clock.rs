//! Clocks that are not the plan's, and floors that no clock goes below.

use std::{fs, process::Command};

use jiff::{ToSpan, civil::Date};
use officiant::{RELEASED, root::Dialect};

use super::bench::today;
use super::genesis::on_tokens;
use super::refused::NOTHING;
use super::rotate::{after_genesis, renewal};
use super::{Bench, PlanText};
use crate::harness::command::{faketime, run};

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];

impl Bench {
    /// Gives a command another clock: its offset, as `+40d` or `-1d`, is read from a file at every look at the clock.
    /// It is for this command alone, which gives its children no environment.
    pub(super) fn with_clock(&self, mut command: Command, offset: &str) -> Command {
        let library = faketime();
        let file = self.scratch.file("clock", offset);
        command.env("LD_PRELOAD", library).env("FAKETIME_NO_CACHE", "1");
        command.env("FAKETIME_TIMESTAMP_FILE", file);
        command
    }
}

/// Waits until two watches were compared with the clock, and sets the clock then.
fn set_after_the_watches(bench: &Bench, offset: &str) {
    let record = bench.path(&format!("work-{}/record.jsonl", bench.number));
    let is_attested =
        || fs::read_to_string(&record).is_ok_and(|text| text.contains("clock-attested"));
    for _ in 0..60_000 {
        if is_attested() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    // In one step: a look at the clock never meets an empty file.
    let new = bench.scratch.file("clock.new", offset);
    fs::rename(new, bench.path("clock")).unwrap();
}

#[test]
fn a_clock_outside_the_window_is_refused() {
    let bench = after_genesis(Dialect::Tuf);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&renewal(&bench));
    let today = today();
    let [from, until] = [-1, 3].map(|days: i64| today.checked_add(days.days()).unwrap());
    for time in ["+40d", "-3d"] {
        let ran = run(&mut bench.with_clock(bench.conducting(), time));
        let told = bench.told(&ran);
        let (what, rest) = told.split_once('\n').unwrap();
        assert!(what.starts_with("error: the clock says 20"), "{told}");
        assert!(
            what.ends_with(&format!(", the plan is for {from} until {until} [CLOCK-WINDOW]")),
            "{told}"
        );
        let hint = "hint: set the machine's clock, or have the plan dated anew";
        assert_eq!(rest, format!("{hint}\n{}\n", NOTHING));
        assert!(!bench.path("work-2").exists());
    }
    // A clock that is set while the ceremony is held.
    let mut conduct = bench.with_clock(bench.conducting(), "+0");
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| set_after_the_watches(&bench, "+10m"));
        run(&mut conduct)
    });
    let told = bench.told(&ran);
    let last: Vec<&str> = told.lines().rev().take(3).collect();
    assert!(last[2].starts_with("error: the clock of this machine moved by 6"), "{told}");
    assert!(last[2].contains(" it was set forward by "), "{told}");
    assert!(last[2].ends_with(" s [CLOCK-WINDOW]"), "{told}");
    assert_eq!(last[1], "hint: set the clock right, and `resume`");
    bench.resume().ok();
}

/// Writes the plan of a bench with other days on which it may be held, and lays it out.
fn lay_plan_of(bench: &Bench, text: &PlanText, from: Date, until: Date) {
    let chains = if bench.number > 1 { bench.published() } else { Default::default() };
    let plan = bench.plan_toml(text, bench.write_request(&chains));
    let (before, rest) = plan.split_once("from = ").unwrap();
    let (_, after) = rest.split_once("[request]").unwrap();
    let plan = format!("{before}from = {from}\nuntil = {until}\n[request]{after}");
    bench.lay_plan(&plan, &text.roles);
}

/// How many days back a day is.
fn back(day: Date) -> String {
    format!("-{}d", (today() - day).get_days())
}

/// What is true when a ceremony was begun, and nobody has answered anything.
const BEGUN: &str =
    "nothing was signed; the work folder holds a record; `resume` goes on at step 1";

#[test]
fn a_clock_before_the_release_of_the_tool_is_refused() {
    let bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let before = RELEASED.yesterday().unwrap();
    lay_plan_of(&bench, &on_tokens(), before, today().tomorrow().unwrap());
    let told =
        format!("the clock is before {RELEASED}, when this tool was released [CLOCK-WINDOW]");
    let hint = "set the clock right, and `resume`";
    let mut conduct = bench.with_clock(bench.conducting(), &back(before));
    bench.stops(|| run(&mut conduct), 1, [&told, hint, BEGUN]);
    bench.resume().ok();
}

#[test]
fn a_clock_before_the_last_ceremony_could_begin_is_refused() {
    let bench = after_genesis(Dialect::Notary);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let floor = today().yesterday().unwrap();
    let before = floor.yesterday().unwrap();
    lay_plan_of(&bench, &renewal(&bench), before, today().tomorrow().unwrap());
    let ran = run(&mut bench.with_clock(bench.conducting(), &back(before)));
    let lines = format!(
        "error: the clock is before {floor}, when the last ceremony could begin [CLOCK-WINDOW]\n\
         hint: set the machine's clock\n{NOTHING}\n"
    );
    assert_eq!((bench.told(&ran), ran.code()), (lines, 1));
    assert!(!bench.path("work-2").exists());
    bench.conduct().ok();
}

#[test]
fn a_practice_whose_tuf_root_lives_longer_than_thirty_days_is_refused() {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let plan = bench.plan_toml(&on_tokens(), bench.write_request(&Default::default()));
    let from = today().yesterday().unwrap();
    let (before, rest) = plan.split_once("expires = ").unwrap();
    let after = rest.split_once('\n').unwrap().1;
    let expires = |days: i64| {
        let expires = from.checked_add(days.days()).unwrap();
        bench.lay_plan(&format!("{before}expires = {expires}\n{after}"), &on_tokens().roles);
        expires
    };
    let ends = expires(31);
    let told = format!(
        "a TUF root of a practice expires within 30 days, the plan says {ends} [PRACTICE-NAMES]"
    );
    bench.refuses(1, &told, "set `expires` within 30 days of `when.from`");
    expires(30);
    bench.conduct().ok();
}
