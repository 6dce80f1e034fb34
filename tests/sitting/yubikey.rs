//! Ceremonies with keys on virtual YubiKeys.

use officiant::{root::Dialect, trust::Held};

use super::bad_answer::waits_at;
use super::bad_token::{ANY, ONCE, as_a_ceremony, exceptions};
use super::broken_token::AGAIN;
use super::genesis::{in_shares, on_one_token};
use super::officer::Officer;
use super::{Bench, Holding, PlanText, bench::PIN};
use crate::harness::{
    command::{Ran, run},
    media::{Medium, may_mount},
    pty::Pty,
    yubikey::Readers,
};

/// Binds tokens to YubiKeys, which have their place in the list as serial.
fn bind(bench: &Bench, tokens: &[&str]) {
    let mut serials = 1001..;
    let mut bound = |_: &str| format!("yubikey = {}\n", serials.next().unwrap());
    bench.write_room_bound(tokens, |token| (bound(token), String::new()));
}

fn conduct(readers: &Readers, bench: &Bench) -> Ran {
    run(&mut readers.beside(&bench.conducting()))
}

#[test]
fn a_yubikey_signs_a_first_root_and_the_next() {
    if !may_mount("a_yubikey_signs_a_first_root_and_the_next") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, 1001, "5.7.1");
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let tokens = ["officer-a"];
    bind(&bench, &tokens);
    bench.write_answers(&tokens, "");
    bench.write_plan(&on_one_token());
    let ran = conduct(&readers, &bench).ok();
    assert!(ran.stdout.contains("closed 0001-genesis"), "{}", ran.stdout);
    assert_eq!(bench.shape("repo.test", 1), "1 of root-a, signed by root-a");
    let (_other, tokens) = (readers.put_in(1, 1002, "5.4.3"), ["officer-a", "officer-b"]);
    bench.next_room();
    bind(&bench, &tokens);
    bench.write_answers(&tokens, "");
    bench.write_plan(&PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(1)),
        keys: vec![("root-b", "ecdsa-p256", Holding::Token("officer-b"))],
        root: vec!["root-a", "root-b"],
        threshold: 2,
        roles: Vec::new(),
        ..on_one_token()
    });
    conduct(&readers, &bench).ok();
    assert_eq!(bench.shape("repo.test", 2), "2 of root-a root-b, signed by root-a root-b");
    // What they attested tells the two apart, for advisories are on firmware.
    let ran = bench.officiant(&["custody", "media/out-2a", "--custody", "media/room-1", "--json"]);
    let kept: serde_json::Value = serde_json::from_str(&ran.ok().stdout).unwrap();
    let models = kept["holders"].as_array().unwrap().iter().map(|holder| &holder["model"]);
    let told = ["YubiKey, firmware 5.7.1", "YubiKey, firmware 5.4.3"];
    assert_eq!(models.collect::<Vec<_>>(), told);
}

#[test]
fn a_key_in_shares_over_yubikeys_signs_a_first_root() {
    if !may_mount("a_key_in_shares_over_yubikeys_signs_a_first_root") {
        return;
    }
    let tokens = ["share-1", "share-2", "share-3", "share-4", "share-5"];
    let readers = Readers::new(3);
    let _cards = readers.fill(5);
    let bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bind(&bench, &tokens);
    bench.write_answers(&tokens, "");
    bench.write_plan(&in_shares());
    conduct(&readers, &bench).ok();
    assert_eq!(bench.shape("localhost:5000/one", 1), "1 of root-s, signed by root-s");
    let Held::Shares { shares, .. } = &bench.custody().keys[0].held else { panic!("no shares") };
    assert!(shares.iter().all(|share| share.on_token));
}

#[test]
fn a_yubikey_that_attests_another_is_refused() {
    if !may_mount("a_yubikey_that_attests_another_is_refused") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in_as(0, 1001, &["--attests", "1002"]);
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bind(&bench, &["officer-a"]);
    bench.write_answers(&["officer-a"], "");
    bench.write_plan(&on_one_token());
    let ran = conduct(&readers, &bench);
    assert_eq!(ran.code(), 1);
    let said = "error: key `officer-a attest` on token `officer-a`: attested by YubiKey 1002, \
                expected 1001 [TOKEN-ATTESTED]";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}

#[test]
fn yubikeys_are_listed_and_shown() {
    if !may_mount("yubikeys_are_listed_and_shown") {
        return;
    }
    let readers = Readers::new(1);
    let _cards = readers.fill(2);
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bind(&bench, &["officer-a"]);
    bench.write_answers(&["officer-a"], "");
    bench.write_plan(&on_one_token());
    conduct(&readers, &bench).ok();
    let token = |arguments: &[&str]| {
        let command = [&["token"], arguments, &["--room", "room-1.toml"]].concat();
        run(&mut readers.beside(&bench.command(&command))).ok().stdout
    };
    let listed = "yubikey  token `officer-a` (serial 1001)  Yubico YubiKey  firmware 5.7.1  \
                  initialised, PIN set, 3 tries left\n\
                  yubikey  empty token (serial 1002)  Yubico YubiKey  firmware 5.7.1\n";
    assert_eq!(token(&["list"]), listed);
    let shown = "label     officer-a\nserial    1001\nmaker     Yubico\nmodel     YubiKey\n\
                 firmware  5.7.1\nstate     initialised, PIN set, 3 tries left\n";
    assert_eq!(token(&["show", "officer-a"]), shown);
}

/// It does what it was told, and is gone before it says so: the worst moment there is.
#[test]
fn a_yubikey_that_goes_in_the_middle_is_taken_up_again() {
    if !may_mount("a_yubikey_that_goes_in_the_middle_is_taken_up_again") {
        return;
    }
    let (mut commands, mut gone) = (1, 0);
    loop {
        let readers = Readers::new(1);
        let card = readers.put_in_as(0, 1001, &["--ends-after", &commands.to_string()]);
        let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
        bind(&bench, &["officer-a"]);
        bench.write_answers(&["officer-a"], "");
        bench.write_plan(&on_one_token());
        let ran = conduct(&readers, &bench);
        let is_whole = ran.status.success();
        if !is_whole {
            gone += 1;
            says_that_it_is_gone(&bench, &ran);
            readers.take_out(0, card);
            let _again = readers.put_in(0, 1001, "5.7.1");
            let resumed = run(&mut readers.beside(&bench.going_on()));
            assert!(resumed.status.success(), "{commands}: {}\n{}", ran.stderr, resumed.stderr);
        }
        assert_eq!(bench.shape("repo.test", 1), "1 of root-a, signed by root-a", "{commands}");
        if is_whole {
            break;
        }
        commands += 59;
    }
    assert!(gone > 3, "{gone}");
}

/// Three lines: what it was doing or that there is none, what to do, and where `resume` goes on.
#[track_caller]
fn says_that_it_is_gone(bench: &Bench, ran: &Ran) {
    let told = bench.told(ran);
    let (_, lines) = told.rsplit_once("\nerror: ").unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    let [what, hint, standing] = lines[..] else { panic!("{told}") };
    let failed = what.strip_prefix("token `officer-a` (serial 1001) failed while ");
    let is_known = match failed {
        Some(doing) => {
            doing.ends_with(" (YKPIV_GENERIC_ERROR)") && hint == format!("hint: {AGAIN}")
        }
        None => {
            what == "no uninitialised token is present"
                && hint
                    == "hint: insert the new token; what is initialised already is never wiped here"
        }
    };
    assert!(is_known && ran.code() == 3, "{told}");
    let step = standing.rsplit(' ').next().unwrap().parse().unwrap();
    assert_eq!(standing, bench.since_intents(&waits_at(step)));
}

#[test]
fn a_yubikey_is_initialised_at_the_terminal_once() {
    if !may_mount("a_yubikey_is_initialised_at_the_terminal_once") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, 1001, "5.4.3");
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bind(&bench, &["officer-a"]);
    let init = bench.command(&["token", "init", "officer-a", "--room", "room-1.toml"]);
    let mut pty = Pty::start(&readers.beside(&init));
    // What is typed before a question stands there is no answer to it.
    for (serial, said) in [("1002", "that is not it"), ("1001", "new PIN for token officer-a")] {
        pty.expect(
            "[1] operator — serial of the empty token that is initialised, as printed on it: ",
        );
        pty.send_line(serial);
        pty.expect(said);
    }
    pty.send_line(PIN);
    pty.expect("(taken)");
    pty.expect("the same PIN again: ");
    pty.send_line(PIN);
    pty.expect("(taken)");
    let ended = pty.finish();
    assert!(ended.status.success(), "{}", ended.transcript);
    let again = run(&mut readers.beside(&init));
    let said = "error: token `officer-a` (serial 1001) is initialised already";
    assert!(again.stderr.contains(said), "{}", again.stderr);
}

/// No practice: nothing about a YubiKey is soft. What nobody can vouch for is decided by people.
#[test]
fn a_ceremony_takes_a_yubikey_and_says_that_no_known_maker_vouches_for_it() {
    if !may_mount("a_ceremony_takes_a_yubikey_and_says_that_no_known_maker_vouches_for_it") {
        return;
    }
    let bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    let stick = |(name, kind): (&str, &str)| {
        let medium = Medium::full_at(&bench.scratch, &format!("media/{name}"), 8 * 1024);
        bench.scratch.file(&format!("media/{name}/officiant-media"), format!("{kind}\n"));
        medium
    };
    let _sticks =
        [("out-1a", "out"), ("out-1b", "out"), ("room-1", "room"), ("room-2", "room")].map(stick);
    // After the media, whose mounts it takes along.
    let readers = Readers::new(1);
    let _card = readers.put_in(0, 1001, "5.4.3");
    bind(&bench, &["officer-a"]);
    as_a_ceremony(&bench, &on_one_token());
    let ended = Officer::before(&bench).sit(&readers.beside(&bench.sitting()));
    assert!(ended.status.success(), "{}", ended.transcript);
    assert_eq!(bench.shape("localhost:5000/one", 1), "1 of root-a, signed by root-a");
    let unknown = |key| format!("key {key}: no maker that is known signed its token's attestation");
    let weak = "key root-a on token officer-a, firmware 5.4.3: YSA-2024-03 (CVE-2024-45678, EUCLEAK), 2024-09-03: \
                whoever has it in hands, with a laboratory and its PIN, can find its ECDSA keys while it signs";
    let decided = [
        ANY.to_owned(),
        ONCE.to_owned(),
        unknown("officer-a attest"),
        weak.to_owned(),
        unknown("root-a"),
    ];
    assert_eq!(exceptions(&bench), decided);
}
