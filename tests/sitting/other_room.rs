//! A ceremony that goes on in another room than it began in: another module before its tokens, another room.toml.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use officiant::{ceremony::fact::Fact, digest::Digest, record::Body, root::Dialect};

use super::bad_answer::waits_at;
use super::genesis::on_one_token;
use super::{Bench, PlanText};
use crate::harness::{scratch::Scratch, shim::Shim, softhsm::MODULE};

const TOKENS: [&str; 1] = ["officer-a"];

/// A genesis that stopped before anybody consented, with a module of its own before its token.
fn stopped(scratch: &Scratch, pins: bool) -> (Bench, Shim) {
    let shim = Shim::before(scratch, "one", MODULE, &[]);
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room_with(&TOKENS, shim.module().to_str().unwrap());
    let modules = format!("modules = [\"{}\"]\n", digest(&shim));
    let extra = if pins { modules } else { String::new() };
    bench.write_plan(&PlanText { extra, ..on_one_token() });
    bench.write_answers(&TOKENS, "\"second-reader\" = \"perhaps\"\n");
    assert_eq!(bench.conduct().code(), 1);
    bench.write_answers(&TOKENS, "");
    (bench, shim)
}

fn digest(shim: &Shim) -> Digest {
    Digest::of(&fs::read(shim.module()).unwrap())
}

/// Puts another module in the place of the one that the ceremony began with. It does what that one did.
fn exchange(shim: &Shim) {
    let mut module = OpenOptions::new().append(true).open(shim.module()).unwrap();
    module.write_all(b"and more").unwrap();
}

/// What people went on without: expected and happened.
fn exceptions(bench: &Bench) -> Vec<[String; 2]> {
    let record = bench.record();
    let exception = |body: &Body| match body {
        Body::Done { fact: Fact::Exception { expected, happened, .. } } => {
            Some([expected.clone(), happened.clone()])
        }
        _ => None,
    };
    record.entries().iter().filter_map(|entry| exception(&entry.body)).collect()
}

#[test]
fn a_module_that_was_exchanged_is_not_loaded_where_the_plan_pins_modules() {
    let scratch = Scratch::new();
    let (bench, shim) = stopped(&scratch, true);
    let whole = fs::read(shim.module()).unwrap();
    exchange(&shim);
    shim.rules(MODULE, &[]);
    let found = digest(&shim);
    let told = format!(
        "module `soft` has digest {found}, and was not read in this ceremony [ROOM-MODULES]"
    );
    let hint = "put back the module with which the ceremony began";
    bench.stops(|| bench.resume(), 1, [&told, hint, &waits_at(8)]);
    assert_eq!(shim.calls(), []);
    assert_eq!(exceptions(&bench).len(), 1, "that the request was fetched once");
    fs::write(shim.module(), whole).unwrap();
    bench.resume().ok();
}

#[test]
fn a_module_that_was_exchanged_needs_a_decision_where_the_plan_pins_none() {
    let scratch = Scratch::new();
    let (bench, shim) = stopped(&scratch, false);
    exchange(&shim);
    // Asked for once, however often it is resumed.
    bench.write_answers(&TOKENS, "\"second-reader\" = \"perhaps\"\n");
    assert_eq!(bench.resume().code(), 1);
    bench.write_answers(&TOKENS, "");
    bench.resume().ok();
    let expected = "the modules that were read when the ceremony began drive its tokens";
    let happened = format!("module soft is now {}", digest(&shim));
    assert_eq!(exceptions(&bench)[1..], [[expected.to_owned(), happened.clone()]]);
    let report = bench.report();
    assert!(
        report.contains(&format!("happened: {happened}; decided: go on; by all seats")),
        "{report}"
    );
}

#[test]
fn a_restart_knows_modules_by_name_and_digest() {
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "all", MODULE, &[]);
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let real = Digest::of(&fs::read(MODULE).unwrap());
    let extra = format!("modules = [\"{real}\", \"{}\"]\n", digest(&shim));
    let room = bench.write_room(&TOKENS);
    let spare = format!(
        "[[module]]\nname = \"spare\"\npath = \"{}\"\nwrites = [\"{}\"]\n[[token]]",
        shim.module().display(),
        shim.folder().display()
    );
    let text = fs::read_to_string(&room).unwrap().replacen("[[token]]", &spare, 1);
    fs::write(&room, &text).unwrap();
    bench.write_answers(&TOKENS, "\"insert officer-a\" = \"absent on the train\"\n");
    bench.write_plan(&PlanText { extra, ..on_one_token() });
    assert_eq!(bench.conduct().code(), 1);
    bench.write_answers(&TOKENS, "");
    // Both were read and both are pinned, and each now stands under the name of the other.
    let swapped = text.replace("\"soft\"", "\"free\"").replace("\"spare\"", "\"soft\"");
    fs::write(&room, swapped.replace("\"free\"", "\"spare\"")).unwrap();
    let told = format!(
        "module `spare` has digest {real}, and was not read in this ceremony [ROOM-MODULES]"
    );
    let hint = "put back the module with which the ceremony began";
    bench.stops(|| bench.resume(), 1, [&told, hint, &waits_at(5)]);
    assert_eq!(shim.calls(), []);
    fs::write(&room, text).unwrap();
    bench.resume().ok();
}

#[test]
fn another_room_file_needs_a_decision_and_consent_stays_with_the_first() {
    let scratch = Scratch::new();
    let (bench, _shim) = stopped(&scratch, false);
    let path = bench.path("room-1.toml");
    let began = fs::read_to_string(&path).unwrap();
    let other = format!("# another machine\n{began}");
    fs::write(&path, &other).unwrap();
    bench.resume().ok();
    let [began, now] = [began, other].map(|text| Digest::of(text.as_bytes()));
    let expected = format!("room.toml {began}, with which the ceremony began");
    assert_eq!(exceptions(&bench)[1..], [[expected, format!("room.toml is now {now}")]]);
    let record = bench.record();
    let mut facts = record.entries().iter().filter_map(|entry| match &entry.body {
        Body::Done { fact: Fact::RoomRead { room, .. } } => Some(*room),
        _ => None,
    });
    assert_eq!((facts.next(), facts.next()), (Some(began), None));
    bench.officiant(&["verify", "media/out-1a/trust"]).ok();
}
