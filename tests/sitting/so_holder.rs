//! A seat that holds what outranks the PIN of a token: who it may be, how it sets it, and what it can do with it.

use std::fs;

use officiant::root::Dialect;

use super::genesis::on_one_token;
use super::officer::Officer;
use super::{Bench, Holding, PIN, PlanText};
use crate::harness::{
    command::{Ran, command, flat, run},
    media::may_mount,
    scratch::Scratch,
    shim::Shim,
    softhsm::MODULE,
    yubikey::Readers,
};

/// What seat S thinks of: eight characters, as many as the PUK of a YubiKey has.
const SO_PIN: &str = "86420864";
const TOLD: &str = "seat of officer-a steps aside; seat S, and nobody else, acts: the SO PIN of token officer-a \
                    outranks its PIN";

/// Two keys on two tokens.
fn on_two_tokens() -> PlanText {
    let key = |name, token| (name, "ecdsa-p256", Holding::Token(token));
    PlanText {
        keys: vec![key("root-a", "officer-a"), key("root-b", "officer-b")],
        root: vec!["root-a", "root-b"],
        threshold: 2,
        ..on_one_token()
    }
}

/// Writes a plan in which a seat holds the SO PIN of each of these tokens.
pub(super) fn write_plan(bench: &Bench, plan: &PlanText, held: &[(&str, &str)]) {
    let path = bench.write_plan(plan);
    let mut text = fs::read_to_string(path).unwrap();
    for (token, seat) in held {
        let line = format!("custodian = \"seat of {token}\"\n");
        assert!(text.contains(&line), "{text}");
        text = text.replace(&line, &format!("{line}so_holder = \"{seat}\"\n"));
    }
    bench.lay_plan(&text, &plan.roles);
}

/// Writes answers in which the seat types its SO PIN.
fn write_answers(bench: &Bench, tokens: &[&str]) {
    let path = bench.write_answers(tokens, "");
    let text = fs::read_to_string(&path).unwrap();
    let held: String =
        tokens.iter().map(|token| format!("\"so {token}\" = \"{SO_PIN}\"\n")).collect();
    fs::write(path, text.replace("[pin]\n", &format!("[pin]\n{held}"))).unwrap();
}

fn bench() -> Bench {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&["officer-a"]);
    write_answers(&bench, &["officer-a"]);
    write_plan(&bench, &on_one_token(), &[("officer-a", "seat S")]);
    bench
}

/// Whether the soft token takes this as its SO PIN: it then sets the user PIN, to what it is anyway.
fn outranks(bench: &Bench, so_pin: &str) -> Ran {
    let mut tool = command("pkcs11-tool", bench.scratch.path());
    tool.env("SOFTHSM2_CONF", bench.path("tokens/officer-a/softhsm2.conf"));
    tool.args(["--module", MODULE, "--token-label", "officer-a", "--init-pin"]);
    run(tool.args(["--login", "--login-type", "so", "--so-pin", so_pin, "--new-pin", PIN]))
}

#[test]
fn a_seat_sets_the_so_pin_of_a_token_and_only_with_the_token_a_new_pin() {
    let mut bench = bench();
    let screen = flat(bench.conduct().ok().stderr);
    assert_eq!(screen.matches(TOLD).count(), 1, "{screen}");
    let asked = "seat S — new SO PIN for token officer-a, 6 characters or more, typed unseen";
    assert_eq!(screen.matches(asked).count(), 1, "{screen}");
    assert!(!screen.contains(SO_PIN));
    assert_eq!(bench.custody().tokens[0].so_holder.as_deref(), Some("seat S"));
    let script = flat(bench.officiant(&["script", "plan-1.toml"]).ok().stdout);
    let told = "Then seat S, and nobody else, sets its SO PIN, twice, unseen.";
    assert!(screen.contains(told), "{screen}");
    assert!(script.contains("seat S | SO PIN of officer-a"), "{script}");
    let shown = flat(bench.officiant(&["show", "media/out-1a/trust"]).ok().stdout);
    assert!(shown.contains("PIN: seat S"), "{shown}");
    assert!(!outranks(&bench, "12345678").status.success());
    outranks(&bench, SO_PIN).ok();
    // The next ceremony knows it from custody.json; its plan need not say it, and cannot say another.
    bench.next_room();
    bench.write_room(&["officer-a", "officer-b"]);
    bench.write_answers(&["officer-a", "officer-b"], "");
    let after = Some(bench.closing(1));
    let rotation = PlanText { ceremony: "rotate", after, roles: Vec::new(), ..on_two_tokens() };
    let keys = vec![("root-b", "ecdsa-p256", Holding::Token("officer-b"))];
    bench.write_plan(&PlanText { keys, ..rotation });
    let shown = bench.officiant(&["check", "plan-2.toml", "--room", "room-2.toml"]).ok().stdout;
    let shown = flat(shown);
    for told in [
        "can sign together: seat S + seat of officer-b; seat of officer-a + seat of officer-b",
        "can stop signing: seat of officer-a; seat of officer-b",
        "seat S holds the SO PIN of officer-a, which sets a PIN, and is counted as if the token were in their hands",
        "Token `officer-a`: `seat S` holds its SO PIN or PUK, and may set its PIN; losing that seat ends nothing.",
        "1 token is enrolled: the SO PIN is drawn and discarded unshown",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    bench.conduct().ok();
    assert_eq!(bench.shape("repo.test", 2), "2 of root-a root-b, signed by root-a root-b");
    let told = "Token `officer-a`: `seat S` holds its SO PIN or PUK";
    assert!(flat(bench.officiant(&["custody", "media/out-2a"]).ok().stdout).contains(told));
}

#[test]
fn who_holds_a_token_does_not_hold_what_outranks_its_pin() {
    let bench = bench();
    let check = |held: &[(&str, &str)], plan: &PlanText| {
        write_plan(&bench, plan, held);
        let ran = bench.officiant(&["check", "plan-1.toml"]);
        ran.stderr.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        check(&[("officer-a", "seat of officer-a")], &on_one_token()),
        "error: token `officer-a`: `seat of officer-a` holds it, and would hold its SO PIN [TOKEN-SO-HOLDER]"
    );
    let two = check(&[("officer-a", "seat  S")], &on_one_token());
    assert!(
        two.contains(": token `officer-a`: so_holder `seat  S`: a seat has 1 to 64 letters"),
        "{two}"
    );
    // Another spelling is no other person.
    assert_eq!(
        check(&[("officer-a", "Seat of Officer-A")], &on_one_token()),
        "error: seats `seat of officer-a` and `Seat of Officer-A` read alike [PLAN-QUORUM]"
    );
    // One who holds it of all tokens signs alone as soon as they are at hand.
    let extra = PlanText { extra: String::new(), ..on_two_tokens() };
    let both = [("officer-a", "seat S"), ("officer-b", "seat S")];
    assert_eq!(check(&both, &extra), "");
    write_plan(&bench, &extra, &both);
    let path = bench.path("plan-1.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("quorum_people = 1", "quorum_people = 2")).unwrap();
    let ran = bench.officiant(&["check", "plan-1.toml"]);
    let told = "error: 1 person can sign (seat S), the plan asks for 2 [PLAN-QUORUM]\n";
    assert!(ran.stderr.starts_with(told), "{}", ran.stderr);
    // A custodian of one token who holds it of the other is as good as two, and so is who holds it of two shares.
    let shares = &["share-1", "share-2", "share-3"];
    let shared = PlanText {
        keys: vec![("root-s", "ecdsa-p256", Holding::Shares(2, shares))],
        root: vec!["root-s"],
        ..on_one_token()
    };
    for (plan, held, who) in [
        (&extra, &[("officer-a", "seat of officer-b")][..], "seat of officer-b"),
        (&shared, &[("share-1", "seat S"), ("share-3", "seat S")], "seat S"),
    ] {
        write_plan(&bench, plan, held);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("quorum_people = 1", "quorum_people = 2")).unwrap();
        let ran = bench.officiant(&["check", "plan-1.toml"]);
        let told = format!("error: 1 person can sign ({who}), the plan asks for 2 [PLAN-QUORUM]\n");
        assert!(ran.stderr.starts_with(&told), "{}", ran.stderr);
    }
}

#[test]
fn a_later_plan_names_no_other_holder() {
    let mut bench = bench();
    bench.conduct().ok();
    bench.next_room();
    let drill = |seat: &str| {
        super::drill::write_drill(&bench, &["officer-a"], &[]);
        let path = bench.path("plan-2.toml");
        let text = fs::read_to_string(&path).unwrap();
        let line = "custodian = \"seat of officer-a\"\n";
        fs::write(&path, text.replace(line, &format!("{line}so_holder = \"{seat}\"\n"))).unwrap();
        bench.write_room(&["officer-a"]);
        bench.officiant(&["check", "plan-2.toml", "--room", "room-2.toml"])
    };
    drill("seat S").ok();
    let told = "error: token `officer-a`: its SO PIN is held by `seat S` by the trust folder, by `seat T` in the plan \
                [TOKEN-SO-HOLDER]\nhint: take `so_holder` out: it is said when a token is enrolled\n";
    let ran = drill("seat T");
    assert!(ran.stderr.starts_with(told), "{}", ran.stderr);
}

#[test]
fn an_enrolment_that_is_cut_off_at_the_so_pin_goes_on_with_the_one_that_holds() {
    for (when, sets) in [("before", 2), ("after", 1)] {
        let bench = bench();
        let scratch = Scratch::new();
        let rule = format!("C_SetPIN 1 {when} kill self");
        let shim = Shim::before(&scratch, "one", MODULE, &[&rule]);
        bench.write_room_with(&["officer-a"], shim.module().to_str().unwrap());
        let ran = bench.conduct();
        let told = "error: the process for `officer-a` was lost: it ended\n";
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
        shim.rules(MODULE, &[]);
        let screen = flat(bench.resume().ok().stderr);
        // Asked again only where the token was begun anew.
        assert_eq!(screen.matches(TOLD).count(), sets - 1, "{when}: {screen}");
        outranks(&bench, SO_PIN).ok();
    }
}

#[test]
fn people_at_a_terminal_are_told_who_acts_before_the_so_pin_is_asked_for() {
    let bench = bench();
    let mut asked = Vec::new();
    let ended = Officer::before(&bench).sit_beside(&bench.sitting(), |text| {
        asked.extend(text.contains("seat S ").then(|| text.to_owned()));
    });
    assert_eq!((ended.status.code(), asked.len()), (Some(0), 2), "{}", ended.transcript);
    let new = "seat S — new SO PIN for token officer-a, 6 characters or more, typed unseen:";
    assert!(
        asked[0].ends_with(new) && asked[1].ends_with("seat S — the same PIN once more:"),
        "{asked:?}"
    );
    let told = flat(&ended.transcript);
    assert!(told.find(TOLD).unwrap() < told.find(new).unwrap(), "{told}");
    // Everybody types the same here.
    outranks(&bench, PIN).ok();
}

#[test]
fn a_rehearsal_sets_it_too() {
    bench().rehearse().ok();
}

#[test]
fn the_puk_of_a_yubikey_is_set_by_the_seat_that_holds_it() {
    if !may_mount("the_puk_of_a_yubikey_is_set_by_the_seat_that_holds_it") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, 1001, "5.7.1");
    let bench = bench();
    bench.write_room_bound(&["officer-a"], |_| ("yubikey = 1001\n".to_owned(), String::new()));
    // What every one leaves the factory with is not taken, nor what is too short.
    for (puk, told) in [
        ("12345678", "has the PUK with which every one leaves the factory [TOKEN-FACTORY]"),
        ("654321", "takes PINs of 8 bytes, this one is shorter or longer"),
    ] {
        let answers = bench.path("answers-1.toml");
        let text = fs::read_to_string(&answers).unwrap();
        fs::write(&answers, text.replace(SO_PIN, puk)).unwrap();
        let ran = run(&mut readers.beside(&bench.going_on()));
        assert!(flat(&ran.stderr).contains(told), "{}", ran.stderr);
        assert_eq!(ran.stderr.matches("error: ").count(), 1, "{}", ran.stderr);
        fs::write(&answers, text).unwrap();
    }
    let screen = flat(run(&mut readers.beside(&bench.going_on())).ok().stderr);
    assert_eq!(screen.matches(&TOLD.replace("SO PIN", "PUK")).count(), 1, "{screen}");
    assert_eq!(bench.shape("repo.test", 1), "1 of root-a, signed by root-a");
    let puk = format!("--pin={SO_PIN}");
    readers.tool(&["yubico-piv-tool", "--action=unblock-pin", &puk, "--new-pin=97531357"]);
    readers.tool(&["yubico-piv-tool", "--action=verify-pin", "--pin=97531357"]);
}
