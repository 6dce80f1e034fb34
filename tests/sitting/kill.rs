//! Killed anywhere: at every call that changes a file, a name or a pipe, and at every PKCS#11 call.
//!
//! A chain dies at the calls of each step one after the other, each time over what the death before left, and so dies
//! in `conduct`, in `resume`, and in a `resume` of a `resume`; at its end stands what stands without any death. Every call
//! is played, those that SoftHSM makes in its own folders, a thousand in each enrolment, among them.

use std::collections::BTreeSet;

use officiant::root::{Dialect, Role};

use super::chain::{AtCall, Chain, Death, Deaths};
use super::normal::normal;
use super::{Bench, Holding, PlanText, bench::Saved};
use crate::harness::{killer::Killer, scratch::Scratch, shim::Shim, softhsm::MODULE};

const FIRST: [&str; 3] = ["officer-a", "share-1", "share-2"];
const ALL: [&str; 5] = ["officer-a", "officer-b", "share-1", "share-2", "share-3"];

/// One key on a token, one in two shares; both sign.
fn genesis() -> PlanText {
    PlanText {
        ceremony: "genesis",
        after: None,
        keys: vec![
            ("root-a", "ecdsa-p256", Holding::Token("officer-a")),
            ("root-s", "ecdsa-p256", Holding::Shares(2, &["share-1", "share-2"])),
        ],
        root: vec!["root-a", "root-s"],
        threshold: 2,
        roles: Role::ONLINE.to_vec(),
        extra: String::new(),
    }
}

/// Both give way to two others, of which one is on a new token and one in shares on two old and a new token.
fn rotate(bench: &Bench) -> PlanText {
    PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(bench.number - 1)),
        keys: vec![
            ("root-b", "ecdsa-p256", Holding::Token("officer-b")),
            ("root-t", "ecdsa-p256", Holding::Shares(2, &["officer-b", "share-3"])),
        ],
        root: vec!["root-b", "root-t"],
        roles: Vec::new(),
        ..genesis()
    }
}

/// A room before a ceremony, and what the ceremony leaves when nothing interrupts it.
pub(super) struct Stage {
    pub(super) bench: Bench,
    saved: Saved,
    peace: String,
    tokens: &'static [&'static str],
}

impl Stage {
    pub(super) fn new(dialect: Dialect, is_rotation: bool, shim: Option<&Shim>) -> Self {
        let name = if dialect == Dialect::Tuf { "repo.test" } else { "localhost:5000/one" };
        let mut bench = Bench::new(dialect, &[name]);
        let module = shim.map_or(MODULE.to_owned(), |shim| shim.module().display().to_string());
        let lay_out = |bench: &Bench, tokens: &[&str]| {
            bench.write_room_with(tokens, &module);
            bench.write_answers(tokens, "");
        };
        lay_out(&bench, &FIRST);
        bench.write_plan(&genesis());
        let tokens: &[&str] = if is_rotation { &ALL } else { &FIRST };
        if is_rotation {
            bench.conduct().ok();
            bench.next_room();
            lay_out(&bench, &ALL);
            bench.write_plan(&rotate(&bench));
        }
        Self::before(bench, tokens)
    }

    /// A room whose plan, tokens and answers are laid out.
    pub(super) fn before(bench: Bench, tokens: &'static [&'static str]) -> Self {
        let saved = bench.save();
        bench.conduct().ok();
        let peace = normal(&bench, tokens);
        bench.restore(&saved);
        Self { bench, saved, peace, tokens }
    }

    /// Dies until the ceremony comes through, and compares. Steps of a genesis: 1 to 4 opening (2 the clock), 5 to 7
    /// enrolments, 8 a key on a token, 9 to 13 a key in shares, 14 and 15 candidates, 16 to 19 signatures, 20 to 22
    /// closing. Of a rotation: 1 to 5 opening (3 the clock), 6 to 10 tokens (6 and 7 enrolments), 11 a key on a token, 12
    /// to 16 a key in shares, 17 and 18 candidates, 19 to 26 signatures, 27 to 29 closing.
    #[track_caller]
    fn die(&self, stride: &dyn Fn(u64) -> usize, death: &mut dyn Death) -> Deaths {
        let deaths = self.die_and_compare(stride, death);
        self.bench.restore(&self.saved);
        deaths
    }

    /// The same, and leaves the room as it then is.
    #[track_caller]
    pub(super) fn die_and_compare(
        &self,
        stride: &dyn Fn(u64) -> usize,
        death: &mut dyn Death,
    ) -> Deaths {
        let bench = &self.bench;
        let (clock, enrolments, units): (_, &[u64], &[(u64, u64)]) = match bench.number {
            1 => (2, &[5, 6, 7], &[(9, 13), (17, 19)]),
            _ => (3, &[6, 7], &[(12, 16), (20, 22), (24, 26)]),
        };
        let chain = Chain { bench, clock, stride, units, enrolments, restart_at: clock + 6 };
        let deaths = chain.run(death);
        self.compare(deaths.count);
        deaths
    }

    /// What stands is what stands without any death.
    #[track_caller]
    pub(super) fn compare(&self, deaths: usize) {
        let found = normal(&self.bench, self.tokens);
        if found != self.peace {
            let differing = self.peace.lines().zip(found.lines()).find(|(a, b)| a != b);
            let lengths = (self.peace.lines().count(), found.lines().count());
            panic!("after {deaths} deaths: {differing:#?} {lengths:?}");
        }
    }
}

/// No call is passed over.
fn every(_: u64) -> usize {
    1
}

/// Each file that must be right is one before a write, a sync or a rename of which a death was played.
#[track_caller]
fn assert_played(deaths: &Deaths, number: u32) {
    let sites: Vec<&str> = deaths.sites.iter().map(|(_, site)| site.as_str()).collect();
    let (work, room) = (format!("work-{number}"), format!("out-{number}a"));
    for expected in [
        "write work/record.jsonl",
        "fdatasync work/record.jsonl",
        "write custody/pins",
        "syncfs work",
        "work/inputs.tar",
        "renameat2 room-2/candidate",
        "renameat2 out/trust",
        "write pipe:",
        "generation",
        "token.object",
    ] {
        let expected =
            expected.replace("work/", &format!("{work}/")).replace("out/", &format!("{room}/"));
        let expected = if expected == "syncfs work" { format!("syncfs /{work}") } else { expected };
        let words: Vec<&str> = expected.split(['/', ' ']).collect();
        let is_it = |site: &&&str| words.iter().all(|word| site.contains(word));
        assert!(sites.iter().any(|site| is_it(&site)), "{expected}: {sites:#?}");
    }
}

#[test]
fn a_genesis_that_dies_at_its_calls_leaves_what_it_would_have_left() {
    let stage = Stage::new(Dialect::Notary, false, None);
    let deaths = stage.die(&every, &mut Killer::new());
    assert!(deaths.count > 2000, "{}", deaths.count);
    assert_played(&deaths, 1);
}

#[test]
fn a_rotation_that_dies_at_its_calls_leaves_what_it_would_have_left() {
    let stage = Stage::new(Dialect::Tuf, true, None);
    let deaths = stage.die(&every, &mut Killer::new());
    assert!(deaths.count > 2000, "{}", deaths.count);
    assert_played(&deaths, 2);
}

/// Dies at the PKCS#11 calls, at every `stride`th of enrolments and shares and at every one elsewhere.
fn die_at_calls(is_rotation: bool, victim: &'static str, stride: usize) {
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "all", MODULE, &[]);
    let dialect = if is_rotation { Dialect::Notary } else { Dialect::Tuf };
    let stage = Stage::new(dialect, is_rotation, Some(&shim));
    let many: &[u64] =
        if is_rotation { &[6, 7, 12, 13, 14, 15, 16] } else { &[5, 6, 7, 9, 10, 11, 12, 13] };
    let at = |step: u64| if many.contains(&step) { stride } else { 1 };
    let mut death = AtCall { shim: &shim, victim, killer: Killer::new(), last: String::new() };
    let deaths = stage.die(&at, &mut death);
    let called: BTreeSet<&str> = deaths.sites.iter().map(|(_, call)| call.as_str()).collect();
    for call in ["C_Initialize", "C_Login", "C_FindObjects", "C_SignInit", "C_Sign", "C_Logout"] {
        assert!(called.contains(call), "{call}: {called:?}");
    }
    if stride == 1 {
        for call in [
            "C_InitToken",
            "C_InitPIN",
            "C_SetPIN",
            "C_GenerateKeyPair",
            "C_CreateObject",
            "C_DeriveKey",
        ] {
            assert!(called.contains(call), "{call}: {called:?}");
        }
    }
}

#[test]
fn a_genesis_dies_with_its_token_at_every_pkcs11_call() {
    die_at_calls(false, "both", 1);
}

#[test]
fn a_rotation_dies_with_its_token_at_every_pkcs11_call() {
    die_at_calls(true, "both", 1);
}

#[test]
fn a_genesis_outlives_its_tokens_processes_and_goes_on() {
    die_at_calls(false, "self", 7);
}
