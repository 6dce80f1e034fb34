//! Tokens that were made ready elsewhere: enrolled as they are, if nothing is on them. Here kryoptic's, made ready by OpenSC's
//! tool.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use officiant::root::Dialect;

use super::bad_answer::waits_at;
use super::bind::module;
use super::genesis::on_one_token;
use super::so_holder::write_plan;
use super::{Bench, PlanText};
use crate::harness::command::flat;
use crate::harness::{
    command::{Ran, command, run},
    peers::peer,
    scratch::Scratch,
    shim::Shim,
    softhsm::MODULE,
};

/// Eight characters: kryoptic takes no fewer.
const LONG_PIN: &str = "13579246";

/// Tokens with these labels in one configuration, and a room that says by this URI which is meant.
struct Ready {
    bench: Bench,
    conf: PathBuf,
}

impl Ready {
    fn new(labels: &[&str], uri: &str) -> Self {
        let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
        let folder = bench.scratch.folder("hsm");
        let slot = |slot: usize| {
            let file = folder.join(format!("{slot}.sql"));
            format!(
                "[[slots]]\nslot = {slot}\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n",
                file.display()
            )
        };
        let conf: String = (1..=labels.len()).map(slot).collect();
        let ready = Self { conf: bench.scratch.file("hsm/kryoptic.conf", conf), bench };
        for (slot, label) in (1..).zip(labels) {
            let slot = format!("{slot}");
            ready.tool(&[
                "--init-token",
                "--slot",
                &slot,
                "--label",
                label,
                "--so-pin",
                "12345678",
            ]);
            let pins = ["--so-pin", "12345678", "--pin", LONG_PIN];
            ready.tool(&[&["--init-pin", "--token-label", label][..], &pins].concat());
        }
        ready.bind(uri, &peer("kryoptic/libkryoptic.so"));
        ready
    }

    fn bind(&self, uri: &str, path: &Path) {
        let needs = format!(
            "writes = [\"hsm\", \"{}\"]\nenvironment = {{ KRYOPTIC_CONF = \"{}\" }}\n",
            path.parent().unwrap().display(),
            self.conf.display()
        );
        self.bench.write_room_bound(&["officer-a"], |token| {
            let (bound, needs) = module(token, path, &needs);
            (format!("{bound}uri = \"{uri}\"\n"), needs)
        });
        let answers = format!("[pin]\nofficer-a = \"{LONG_PIN}\"\n");
        self.bench.scratch.file(&format!("answers-{}.toml", self.bench.number), answers);
    }

    fn tool(&self, arguments: &[&str]) {
        run(&mut self.command(arguments)).ok();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut tool = command("pkcs11-tool", self.bench.scratch.path());
        tool.env("KRYOPTIC_CONF", &self.conf);
        tool.arg("--module").arg(peer("kryoptic/libkryoptic.so")).args(arguments);
        tool
    }

    fn conduct(&self) -> Ran {
        self.bench.write_plan(&on_one_token());
        self.bench.conduct()
    }
}

#[test]
fn a_token_that_was_made_ready_elsewhere_is_enrolled_as_it_is_and_signs_again() {
    let mut ready = Ready::new(&["partition 6", "partition 7"], "pkcs11:token=partition%207");
    let screen = ready.conduct().ok().stderr;
    let words = flat(&screen);
    let told = "token officer-a was made ready elsewhere: who did it may set its PIN anew";
    assert_eq!(words.matches(told).count(), 1, "{screen}");
    assert_eq!(ready.bench.shape("repo.test", 1), "1 of root-a, signed by root-a");
    let shown = ready.bench.officiant(&["token", "show", "officer-a", "--room", "room-1.toml"]);
    assert!(shown.ok().stdout.starts_with("label     partition 7\nserial    "));
    ready.bench.next_room();
    ready.bind("pkcs11:token=partition%207", &peer("kryoptic/libkryoptic.so"));
    let after = Some(ready.bench.closing(1));
    let (keys, roles) = (Vec::new(), Vec::new());
    ready.bench.write_plan(&PlanText { ceremony: "renew", after, keys, roles, ..on_one_token() });
    let screen = ready.bench.conduct().ok().stderr;
    assert!(!screen.contains("this module calls it"), "{screen}");
    assert_eq!(ready.bench.shape("repo.test", 2), "1 of root-a, signed by root-a");
}

#[test]
fn an_enrolment_that_was_cut_off_goes_on_with_the_keys_that_it_made() {
    let ready = Ready::new(&["partition 7"], "pkcs11:token=partition%207");
    let scratch = Scratch::new();
    // The shim loads it behind the fence, where it must be within reach.
    let module = ready.bench.path("hsm/libkryoptic.so");
    fs::copy(peer("kryoptic/libkryoptic.so"), &module).unwrap();
    let rules = ["C_GenerateKeyPair 1 after kill self"];
    let shim = Shim::before(&scratch, "one", module.to_str().unwrap(), &rules);
    ready.bind("pkcs11:token=partition%207", &shim.module());
    let ran = ready.conduct();
    let told = "error: the process for `officer-a` was lost: it ended\n";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    assert_eq!(shim.counts()["C_GenerateKeyPair"], 1);
    shim.rules(module.to_str().unwrap(), &[]);
    ready.bench.resume().ok();
    assert_eq!(ready.bench.shape("repo.test", 1), "1 of root-a, signed by root-a");
    // The root key alone was still to be made.
    assert_eq!(shim.counts()["C_GenerateKeyPair"], 1);
}

#[test]
fn a_token_that_holds_a_key_or_is_not_the_only_one_is_not_taken_up() {
    let uri = "pkcs11:manufacturer=Kryoptic%20Project";
    let ready = Ready::new(&["partition 6", "partition 7"], uri);
    let told = "the `uri` of token `officer-a` fits 2 tokens, expected one [TOKEN-ONE]";
    let hint = "make the token ready with its maker's tool, or say more of it in room.toml";
    ready.bench.write_plan(&on_one_token());
    ready.bench.stops(|| ready.bench.conduct(), 1, [told, hint, &waits_at(5)]);
    let ready = Ready::new(&["partition 7"], "pkcs11:token=partition%207");
    let login = ["--token-label", "partition 7", "--login", "--pin", LONG_PIN];
    let make = ["--keypairgen", "--key-type", "EC:prime256v1", "--label", "other", "--id", "01"];
    ready.tool(&[&login[..], &make].concat());
    let ran = ready.conduct();
    let told = "holds key `other` already [TOKEN-INIT]\nhint: use a token that holds no key\n";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    assert_eq!(ran.code(), 1);
}

#[test]
fn who_made_a_token_ready_no_longer_outranks_its_pin_once_a_seat_took_over() {
    let ready = Ready::new(&["partition 7"], "pkcs11:token=partition%207");
    let (now, next) = ("12345678", "24682468");
    let answers = |now: &str, next: &str| {
        let held = format!("\"so now officer-a\" = \"{now}\"\n\"so officer-a\" = \"{next}\"\n");
        let text = format!("[pin]\n{held}officer-a = \"{LONG_PIN}\"\n");
        ready.bench.scratch.file("answers-1.toml", text);
    };
    write_plan(&ready.bench, &on_one_token(), &[("officer-a", "seat S")]);
    answers(next, next);
    let ran = ready.bench.conduct();
    let told = "error: token `officer-a` refused the SO PIN [TOKEN-PIN]\n\
                hint: its holder decides whether to try again: `resume` asks once more\n";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    answers(now, next);
    let screen = flat(ready.bench.resume().ok().stderr);
    assert!(!screen.contains("was made ready elsewhere"), "{screen}");
    let asked = "seat S — SO PIN that token officer-a has now: (from the file of answers)";
    assert_eq!(screen.matches(asked).count(), 1, "{screen}");
    assert_eq!(ready.bench.custody().tokens[0].so_holder.as_deref(), Some("seat S"));
    let init = |so_pin| {
        ["--init-pin", "--token-label", "partition 7", "--so-pin", so_pin, "--pin", LONG_PIN]
    };
    assert!(!run(&mut ready.command(&init(now))).status.success());
    ready.tool(&init(next));
}

/// A pad that the shim has: it takes no PIN from here, and what is typed on it is in its rules.
#[test]
fn a_pin_is_typed_on_the_pad_of_a_token_that_has_one() {
    let ready = Ready::new(&["partition 7"], "pkcs11:token=partition%207");
    let scratch = Scratch::new();
    let module = ready.bench.path("hsm/libkryoptic.so");
    fs::copy(peer("kryoptic/libkryoptic.so"), &module).unwrap();
    let module = module.to_str().unwrap();
    let (has_pad, typed) = ("C_GetTokenInfo every after flags 0x100 0", "C_Login every before pad");
    let shim = Shim::before(&scratch, "one", module, &[has_pad, &format!("{typed} 00000000")]);
    ready.bind("pkcs11:token=partition%207", &shim.module());
    // Nobody types it here.
    ready.bench.scratch.file("answers-1.toml", "");
    let ran = ready.conduct();
    assert_eq!(ran.code(), 1, "{}", ran.stderr);
    let screen = flat(&ran.stderr);
    let asked = "seat of officer-a — press Enter, and then type the PIN of token officer-a on its own pad (";
    assert!(screen.contains(asked), "{screen}");
    assert!(screen.contains(" refused the PIN; "), "{screen}");
    assert!(!screen.contains("PIN for token"), "{screen}");
    assert_eq!(shim.counts()["C_Login"], 1);
    // One on which nobody types anything.
    shim.rules(module, &[has_pad, "C_Login every before return 0x50"]);
    let ran = ready.bench.resume();
    let told = "failed while logging in (CKR_FUNCTION_CANCELED)";
    assert!(ran.code() == 3 && ran.stderr.contains(told), "{}", ran.stderr);
    shim.rules(module, &[has_pad, &format!("{typed} {LONG_PIN}")]);
    ready.bench.resume().ok();
    assert_eq!(ready.bench.shape("repo.test", 1), "1 of root-a, signed by root-a");
    let shown = ready.bench.officiant(&["token", "show", "officer-a", "--room", "room-1.toml"]);
    let shown = shown.ok().stdout;
    assert!(shown.contains("state     initialised, PIN set, typed on its own pad, "), "{shown}");
}

#[test]
fn a_token_with_a_pad_is_not_initialised_from_here() {
    let scratch = Scratch::new();
    let rules = ["C_GetTokenInfo every after flags 0x100 0"];
    let shim = Shim::before(&scratch, "one", MODULE, &rules);
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room_with(&["officer-a"], shim.module().to_str().unwrap());
    bench.write_answers(&["officer-a"], "");
    bench.write_plan(&on_one_token());
    let told = "token `officer-a` (no serial yet) takes PINs on its own pad alone: nobody can initialise it from here";
    let hint = "make it ready with its maker's tool, and name it by a `uri` in room.toml";
    bench.stops(|| bench.conduct(), 3, [told, hint, &waits_at(5)]);
    assert_eq!(shim.counts().get("C_InitToken"), None);
}
