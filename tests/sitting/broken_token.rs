//! Tokens that are full or locked or of one label, and modules that crash, hang or answer garbage, in the middle of an act.

use std::{fs, time::Duration};

use officiant::root::Dialect;

use super::Bench;
use super::bad_answer::waits_at;
use super::bad_token::renewing;
use super::genesis::on_tokens;
use super::rotate::renewal;
use crate::harness::{
    command::{command, run, run_with},
    media::{Medium, may_mount},
    scratch::Scratch,
    shim::Shim,
    softhsm::{MODULE, SoftHsm},
};

#[test]
fn a_module_that_breaks_is_named_and_the_ceremony_goes_on_once_it_is_whole() {
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "all", MODULE, &[]);
    let bench = renewing(shim.module().to_str().unwrap());
    let saved = bench.save();
    let token = format!("token `officer-a` (serial {})", bench.serial("officer-a"));
    let ended = "the process for `officer-a` was lost: it ended";
    let failed = format!("{token} failed while signing (CKR_DEVICE_ERROR)");
    let removed = format!("{token} was removed while signing");
    let full = format!("{token} is full; stopped while storing `officiant intent 2`");
    let other = format!("{token} does not show the key that was enrolled [TOKEN-KEY]");
    let bad = "certificate for `localhost:5000/one`: the signature is not by this key over these bytes [SIGNATURE-GOOD]";
    for (rule, code, what, hint, step) in [
        ("C_Initialize 1 before abort", 3, ended, LOST, 6),
        ("C_Login 1 after abort", 3, ended, LOST, 9),
        // It did what was asked, and is gone before it says so.
        ("C_Sign 2 after abort", 3, ended, LOST, 9),
        ("C_CreateObject 1 after abort", 3, ended, LOST, 14),
        ("C_Sign 2 before return 0x30", 3, &failed, AGAIN, 9),
        ("C_Sign 2 before return 0x32", 3, &removed, "insert it and run `resume`", 9),
        ("C_Sign every after garbage", 1, bad, ANEW, 9),
        ("C_GetAttributeValue every after garbage", 1, &other, OTHER, 6),
        ("C_CreateObject 1 before return 0x31", 3, &full, FULL, 14),
    ] {
        bench.restore(&saved);
        shim.rules(MODULE, &[rule]);
        bench.stops(|| bench.conduct(), code, [what, hint, &waits_at(step)]);
        shim.rules(MODULE, &[]);
        bench.resume().ok();
        assert_eq!(bench.shape(REPOSITORY, 2), ALL, "{rule}");
    }
}

/// The first certificate of a renewal is signed by nobody: the module waits for ever.
#[test]
fn a_module_that_hangs_is_given_up_and_the_ceremony_goes_on_once_it_is_whole() {
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "all", MODULE, &["C_Sign 2 before hang"]);
    let bench = renewing(shim.module().to_str().unwrap());
    let told = "the process for `officer-a` was lost: it did not answer within 120 s";
    let long = Duration::from_secs(240);
    let conduct = || run_with(&mut bench.conducting(), "", long);
    bench.stops(conduct, 3, [told, LOST, &waits_at(9)]);
    shim.rules(MODULE, &[]);
    bench.resume().ok();
    assert_eq!(bench.shape(REPOSITORY, 2), ALL);
}

/// A soft token's folder has no room, in a genesis at each thing that is made, and then for an intent.
#[test]
fn a_token_without_room_is_told_and_goes_on_once_there_is_some() {
    if !may_mount("a_token_without_room_is_told_and_goes_on_once_there_is_some") {
        return;
    }
    let mut bench = Bench::new(Dialect::Notary, &[REPOSITORY]);
    let _medium = Medium::full_at(&bench.scratch, "tokens/officer-a", 512);
    let filler = bench.path("tokens/officer-a/filler");
    let leave = |pages: usize| {
        let _ = fs::remove_file(&filler);
        let mut size = 512 << 10;
        while fs::write(&filler, vec![7; size]).is_err() {
            size -= 4096;
        }
        fs::write(&filler, vec![7; size - 4096 * pages]).unwrap();
    };
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&on_tokens());
    leave(0);
    let ran = bench.conduct();
    let told = "error: soft token folder `tokens/officer-a` cannot be used\nbecause no storage space\n\
                hint: give this account access to the folder, and room in it\n";
    assert!(bench.told(&ran).ends_with(&format!("{told}{}\n", waits_at(5))), "{}", ran.stderr);
    leave(1);
    let told = "token `officer-a` (no serial yet) failed while initialising it (CKR_DEVICE_ERROR)";
    bench.stops(|| bench.resume(), 3, [told, AGAIN, &waits_at(5)]);
    leave(2);
    let ran = bench.resume();
    let made = " failed while making ecdsa-p256 key `officer-a attest` (CKR_FUNCTION_FAILED)\n";
    let lines = format!("{made}hint: {AGAIN}\n{}\n", waits_at(5));
    assert!(bench.told(&ran).ends_with(&lines), "{}", ran.stderr);
    fs::remove_file(&filler).unwrap();
    bench.resume().ok();
    assert_eq!(bench.shape(REPOSITORY, 1), ALL);
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&renewal(&bench));
    leave(0);
    let serial = bench.serial("officer-a");
    let told = format!(
        "token `officer-a` (serial {serial}) took `officiant intent 2` and does not have it: it may be full"
    );
    bench.stops(|| bench.conduct(), 3, [&told, FULL, &waits_at(14)]);
    fs::remove_file(&filler).unwrap();
    bench.resume().ok();
    assert_eq!(bench.shape(REPOSITORY, 2), ALL);
}

#[test]
fn a_second_token_of_one_label_is_told_and_the_ceremony_goes_on_once_it_is_out() {
    let bench = renewing(MODULE);
    let serial = bench.serial("officer-a");
    let scratch = Scratch::new();
    let twin = SoftHsm::token(&scratch, "officer-a", "9999");
    let folder = bench.path("tokens/officer-a");
    let mut copy = command("cp", bench.scratch.path());
    run(copy.arg("-r").arg(twin.tokens().join(".")).arg(&folder)).ok();
    let ran = bench.conduct();
    let told = bench.told(&ran);
    let other = twin.serial(&scratch);
    let lines = |one: &str, two: &str| {
        format!(
            "\nerror: two tokens have the label `officer-a`: serials {one} and {two} [TOKEN-ONE]\n\
             hint: remove the token that is not meant\n{}\n",
            waits_at(6)
        )
    };
    let is_it = [lines(&serial, &other), lines(&other, &serial)].iter().any(|l| told.ends_with(l));
    assert!(is_it && ran.code() == 1, "{told}");
    for entry in fs::read_dir(twin.tokens()).unwrap() {
        fs::remove_dir_all(folder.join(entry.unwrap().file_name())).unwrap();
    }
    bench.resume().ok();
    assert_eq!(bench.shape(REPOSITORY, 2), ALL);
}

const REPOSITORY: &str = "localhost:5000/one";
const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];
const ALL: &str = "2 of root-a root-b root-c, signed by root-a root-b root-c";
const LOST: &str = "look at the token and its module, then run `resume`";
pub(super) const AGAIN: &str =
    "take the token out, put it in again and run `resume`; if it stays so, use its spare";
const ANEW: &str = "run `resume`: it signs anew; if it stays so, use another token";
const FULL: &str =
    "make room on it by its maker's tool, or use an empty token; nothing is removed here";
const OTHER: &str = "this is another token: put in the right one";
