//! Tokens that are not what was enrolled, and PINs that are not theirs.

use std::fs;

use officiant::{
    ceremony::fact::Fact,
    digest::Digest,
    record::{Body, Entry},
    root::{Dialect, Role},
};

use super::bad_answer::waits_at;
use super::genesis::on_tokens;
use super::officer::Officer;
use super::rotate::{after_genesis, renewal};
use super::{Bench, Holding, PlanText};
use crate::harness::command::flat;
use crate::harness::{
    command::{Ran, command, run},
    pty::Pty,
    scratch::Scratch,
    shim::Shim,
    softhsm::{MODULE, SoftHsm},
};

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];
const DECIDES: &str = "its holder decides whether to try again: `resume` asks once more";
const OTHER: &str = "this is another token: put in the right one";

/// A bench whose second ceremony is a renewal, the tokens driven by this module.
pub(super) fn renewing(module: &str) -> Bench {
    let bench = after_genesis(Dialect::Notary);
    bench.write_room_with(&TOKENS, module);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&renewal(&bench));
    bench
}

/// Forgets the second ceremony of the bench.
fn begin_anew(bench: &Bench) {
    fs::remove_dir_all(bench.path("work-2")).unwrap();
}

#[test]
fn a_wrong_pin_is_told_with_what_the_token_says_and_tried_once() {
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "all", MODULE, &[]);
    let bench = renewing(shim.module().to_str().unwrap());
    let serial = bench.serial("officer-a");
    let pins = "[pin]\nofficer-a = \"000000\"\nofficer-b = \"135792\"\nofficer-c = \"135792\"\n";
    let wrong = |rules: &[&str], says: &str, count: u32, run: &dyn Fn() -> Ran| {
        bench.scratch.file("answers-2.toml", pins);
        shim.rules(MODULE, rules);
        let told = format!(
            "token `officer-a` (serial {serial}) refused the PIN; {says}; wrong here in a row: {count} [TOKEN-PIN]"
        );
        bench.stops(run, 1, [&told, DECIDES, &waits_at(9)]);
        assert_eq!(shim.counts()["C_Login"], 1, "the program tried again");
    };
    // SoftHSM itself says that a PIN was wrong before.
    let low = "the token says that tries are running low";
    wrong(&[], low, 1, &|| bench.conduct());
    wrong(&[], low, 2, &|| bench.resume());
    for (rules, says) in [
        (
            ["C_GetTokenInfo every after flags 0 0x70000", ""],
            "the token does not say how many tries are left",
        ),
        (["C_GetTokenInfo every after flags 0x20000 0", ""], "1 try left"),
        (
            ["C_GetTokenInfo every after flags 0x40000 0", "C_Login 1 before return 0xA4"],
            "the token is locked",
        ),
    ] {
        begin_anew(&bench);
        wrong(&rules, says, 1, &|| bench.conduct());
    }
    // The right PIN, and the count begins anew.
    shim.rules(MODULE, &[]);
    bench.write_answers(&TOKENS, "");
    bench.resume().ok();
}

#[test]
fn no_serial_and_no_count_of_pins_gets_into_what_is_published() {
    let bench = renewing(MODULE);
    let serials = TOKENS.map(|token| bench.serial(token));
    // A wrong PIN, twice, and a token in the place of another: the screen tells serials and counts.
    bench.scratch.file("answers-2.toml", "[pin]\nofficer-a = \"000000\"\n");
    assert_eq!(bench.conduct().code(), 1);
    let told = bench.resume().stderr;
    assert!(told.contains(&format!("(serial {}) refused the PIN", serials[0])), "{told}");
    assert!(told.contains("wrong here in a row: 2 [TOKEN-PIN]"), "{told}");
    fs::rename(bench.path("tokens/officer-a"), bench.path("tokens/free")).unwrap();
    bench.write_answers(&TOKENS, "");
    let told = bench.resume().stderr;
    assert!(told.contains(&format!("no token with serial {} is present", serials[0])), "{told}");
    fs::remove_dir_all(bench.path("tokens/officer-a")).unwrap();
    fs::rename(bench.path("tokens/free"), bench.path("tokens/officer-a")).unwrap();
    bench.resume().ok();
    let mut public = super::refused::files(&bench.path("media/out-2a/trust"));
    let report = bench.officiant(&["report", "media/out-2a"]).ok().stdout;
    assert!(report.contains("refused: "), "{report}");
    public.insert("the report as text".to_owned(), report.into_bytes());
    for (path, bytes) in &public {
        let text = String::from_utf8_lossy(bytes);
        let secrets =
            serials.iter().map(String::as_str).chain(["in a row", "running low", "PINs of"]);
        for secret in secrets {
            assert!(!text.contains(secret), "{path} has `{secret}`");
        }
    }
    let record = &public["ceremonies/0002-renew/record.jsonl"];
    let record = String::from_utf8_lossy(record);
    let refused = "{\"kind\":\"refused\",\"check\":\"TOKEN-PIN\",\"exit\":\"refused\"}";
    assert_eq!(record.matches(refused).count(), 2, "{record}");
}

#[test]
fn a_token_with_another_serial_is_named() {
    let bench = renewing(MODULE);
    let [first, second] = ["officer-a", "officer-b"].map(|token| bench.serial(token));
    let swap = || {
        let [a, b, free] =
            ["tokens/officer-a", "tokens/officer-b", "tokens/free"].map(|name| bench.path(name));
        fs::rename(&a, &free).unwrap();
        fs::rename(&b, &a).unwrap();
        fs::rename(&free, &b).unwrap();
    };
    swap();
    let told = format!(
        "token `officer-a` was enrolled with serial {first}, the one that is here has {second} [TOKEN-KEY]"
    );
    bench.stops(|| bench.conduct(), 1, [&told, OTHER, &waits_at(6)]);
    // No token at all.
    fs::rename(bench.path("tokens/officer-a"), bench.path("tokens/free")).unwrap();
    let told = format!("no token with serial {first} is present");
    let hint = "insert it; `officiant token list` shows what is present";
    bench.stops(|| bench.resume(), 3, [&told, hint, &waits_at(6)]);
    fs::remove_dir_all(bench.path("tokens/officer-a")).unwrap();
    fs::rename(bench.path("tokens/free"), bench.path("tokens/officer-a")).unwrap();
    swap();
    bench.resume().ok();
}

#[test]
fn a_token_that_shows_another_key_is_named() {
    let bench = renewing(MODULE);
    let serial = bench.serial("officer-a");
    for kind in ["pubkey", "privkey"] {
        bench.tool("officer-a", &["--delete-object", "--type", kind, "--label", "root-a"]);
    }
    let made = ["--keypairgen", "--key-type", "EC:prime256v1", "--label", "root-a", "--id", "01"];
    bench.tool("officer-a", &made);
    let told = format!(
        "token `officer-a` (serial {serial}) does not show the key that was enrolled [TOKEN-KEY]"
    );
    bench.stops(|| bench.conduct(), 1, [&told, OTHER, &waits_at(6)]);
}

#[test]
fn a_label_that_is_there_already_is_refused() {
    let bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&on_tokens());
    // A token of that label, set up by another tool.
    let softhsm = SoftHsm::token(&bench.scratch, "officer-a", "9999");
    let serial = softhsm.serial(&bench.scratch);
    let folder = bench.scratch.folder("tokens/officer-a");
    let copy = |from: &SoftHsm| {
        let mut copy = command("cp", bench.scratch.path());
        run(copy.arg("-r").arg(from.tokens().join(".")).arg(&folder)).ok();
    };
    copy(&softhsm);
    let told =
        format!("a token labelled `officer-a` is there already (serial {serial}) [TOKEN-ONE]");
    bench.stops(|| bench.conduct(), 1, [&told, "enrol a token that is empty", &waits_at(5)]);
    // And a second one beside it.
    let other = Scratch::new();
    let second = SoftHsm::token(&other, "officer-a", "9999");
    copy(&second);
    let mut serials = [serial, second.serial(&other)];
    serials.sort();
    let ran = bench.resume();
    let told = bench.told(&ran);
    let [a, b] = serials;
    let either = [
        format!("serials {a} and {b}"),
        format!("serials {b} and {a}"),
        format!("serials {a}, {b}"),
        format!("serials {b}, {a}"),
    ];
    let said = told.lines().rev().nth(2).unwrap();
    let is = |which: &String| {
        said == format!("error: two tokens have the label `officer-a`: {which} [TOKEN-ONE]")
    };
    assert!(either.iter().any(is), "{said}");
    assert!(
        told.ends_with(&format!("hint: remove the token that is not meant\n{}\n", waits_at(5)))
    );
    assert_eq!(ran.code(), 1);
    // Both go, and an empty one comes.
    fs::remove_dir_all(&folder).unwrap();
    bench.resume().ok();
}

#[test]
fn a_key_that_is_there_already_is_refused() {
    let bench = after_genesis(Dialect::Notary);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let plan = |name: &'static str| PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(1)),
        keys: vec![(name, "ecdsa-p256", Holding::Token("officer-a"))],
        root: vec![name, "root-b", "root-c"],
        threshold: 2,
        roles: Vec::new(),
        extra: String::new(),
    };
    // The plan's own name for another key of the trust folder.
    bench.write_plan(&plan("root-a"));
    bench.refuses(
        2,
        "key `root-a` is in the trust folder already",
        "give the new key another name",
    );
    // A key that somebody put there.
    let made = ["--keypairgen", "--key-type", "EC:prime256v1", "--label", "root-d", "--id", "01"];
    bench.tool("officer-a", &made);
    bench.write_plan(&plan("root-d"));
    bench.stops(
        || bench.conduct(),
        1,
        [
            "token `officer-a` holds a key `root-d` already [TOKEN-KEY-TAKEN]",
            "give the new key another name, or use an empty token",
            &waits_at(9),
        ],
    );
}

#[test]
fn a_module_that_the_plan_does_not_pin_is_not_loaded() {
    let bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "all", MODULE, &[]);
    bench.write_room_with(&TOKENS, shim.module().to_str().unwrap());
    bench.write_answers(&TOKENS, "");
    let reviewed = Digest::of(b"the module that was reviewed");
    let extra = format!("modules = [\"{reviewed}\"]\n");
    bench.write_plan(&PlanText { extra, ..on_tokens() });
    let found = Digest::of(&fs::read(shim.module()).unwrap());
    let told =
        format!("module `soft` has digest {found}, which the plan does not pin [ROOM-MODULES]");
    let hint = "install the module that was reviewed, or have the plan pin this one";
    bench.stops(|| bench.conduct(), 1, [&told, hint, &waits_at(3)]);
    assert_eq!(shim.calls(), []);
}

/// A ceremony that is no practice, on soft tokens, up to the question for the first watch.
pub(crate) fn begun_for_real() -> (Bench, Pty) {
    let bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bench.write_room(&TOKENS);
    let plan = as_a_ceremony(&bench, &on_tokens());
    let mut conduct = command(env!("CARGO_BIN_EXE_officiant"), bench.scratch.path());
    conduct.args(["conduct", "plan-1.toml", "--room", "room-1.toml"]);
    let mut terminal = Pty::start(&conduct);
    terminal.expect("— words ");
    let asked = terminal.expect(" of the plan's digest");
    let words = Digest::of(plan.as_bytes()).words();
    let typed: Vec<&str> =
        asked.split(' ').map(|at| words[at.parse::<usize>().unwrap() - 1]).collect();
    terminal.send_line(&typed.join(" "));
    terminal.expect("your watch in UTC");
    (bench, terminal)
}

#[test]
fn a_module_that_was_swapped_after_it_was_read_is_not_loaded() {
    let bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "all", MODULE, &[]);
    let read = fs::read(shim.module()).unwrap();
    // A library that loads as well as the other.
    let other = [read.clone(), b"another".to_vec()].concat();
    let [expected, found] = [&read, &other].map(|bytes| Digest::of(bytes));
    let extra = format!("modules = [\"{expected}\", \"{found}\"]\n");
    bench.write_room_with(&TOKENS, shim.module().to_str().unwrap());
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&PlanText { extra, ..on_tokens() });
    let ended = Officer::before(&bench).sit_beside(&bench.sitting(), |question| {
        if question.contains("put in token officer-b") {
            // Another file takes its place: the first token's process has the old one open.
            let new = shim.folder().join("new");
            fs::write(&new, &other).unwrap();
            fs::rename(new, shim.module()).unwrap();
        }
    });
    let path = shim.module();
    let told = format!(
        "error: the module `{}` has digest {found}, and was read with {expected} [ROOM-MODULES]\n\
         hint: put back the module with which the ceremony began\n{}\n",
        path.display(),
        waits_at(6)
    );
    let words = |text: &str| flat(text);
    assert!(words(&ended.transcript).ends_with(&words(&told)), "{}", ended.transcript);
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(fs::read_dir(bench.path("tokens/officer-b")).unwrap().count(), 1, "it was set up");
    fs::write(shim.module(), &read).unwrap();
    bench.resume().ok();
}

/// Lays out a plan that is no practice.
pub(crate) fn as_a_ceremony(bench: &Bench, text: &PlanText) -> String {
    let plan = bench.plan_toml(text, bench.write_request(&Default::default()));
    let plan = plan.replace("practice = true\n", "");
    bench.lay_plan(&plan, &[Role::Targets]);
    plan
}

/// What people decided that the script did not foresee, by what happened.
pub(crate) fn exceptions(bench: &Bench) -> Vec<String> {
    let happened = |entry: &Entry| match &entry.body {
        Body::Done { fact: Fact::Exception { happened, .. } } => Some(happened.clone()),
        _ => None,
    };
    bench.record().entries().iter().filter_map(happened).collect()
}

pub(crate) const ONCE: &str = "they were fetched on one machine only";
pub(crate) const ANY: &str = "it pins none: what they say of their tokens is believed";

#[test]
fn a_ceremony_takes_no_soft_token() {
    let bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bench.write_room(&TOKENS);
    as_a_ceremony(&bench, &on_tokens());
    let ended = Officer::before(&bench).sit(&bench.sitting());
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.transcript.ends_with(&soft()), "{}", ended.transcript);
    assert_eq!(fs::read_dir(bench.path("tokens/officer-a")).unwrap().count(), 1, "it was set up");
    assert_eq!(exceptions(&bench), [ANY, ONCE]);
}

fn soft() -> String {
    format!(
        "error: token `officer-a` is a soft token: copying its folder copies its keys [TOKEN-SOFT]\n\
         hint: a practice plan takes soft tokens\n{}\n",
        waits_at(5)
    )
}

#[test]
fn a_token_that_hides_what_it_is_serves_by_a_pinned_module_or_by_an_exception() {
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "all", MODULE, &[]);
    let bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    // After the first token there is none that this room has.
    bench.write_room_with(&TOKENS[..1], shim.module().to_str().unwrap());
    let pinned = format!("modules = [\"{}\"]\n", Digest::of(&fs::read(shim.module()).unwrap()));
    let sit = |says: &str, plan: &str| {
        shim.rules(MODULE, &[&format!("C_GetTokenInfo every after model {says}")]);
        let _ = fs::remove_dir_all(bench.path("work-1"));
        let _ = fs::remove_dir_all(bench.path("tokens/officer-a"));
        as_a_ceremony(&bench, &PlanText { extra: plan.to_owned(), ..on_tokens() });
        Officer::before(&bench).sit(&bench.sitting()).transcript
    };
    for says in ["Kryoptic_Project v1", "Mozilla_Foundation NSS_3", "IBM SW___TPM"] {
        let transcript = sit(says, &pinned);
        assert!(transcript.ends_with(&soft()), "{transcript}");
    }
    let lie = "Maker_of_tokens Hard_1";
    for (plan, decided) in [(pinned.as_str(), &[ONCE][..]), ("", &[ANY, ONCE])] {
        let transcript = sit(lie, plan);
        assert!(transcript.contains("label officer-a, model Hard 1, serial "), "{transcript}");
        assert!(transcript.contains("error: room.toml has no token `officer-b`"), "{transcript}");
        assert_eq!(exceptions(&bench), decided);
    }
}
