//! YubiKeys: by PIV without a module, and by the two modules that know them.

use std::{fs, path::Path, process::Command};

use officiant::root::Dialect;

use super::{Kind, LONG_PIN, SHARES, conduct, holds, in_three_shares};
use crate::{
    harness::{
        command::run,
        media::may_mount,
        yubikey::{Readers, YubiKey},
    },
    sitting::{
        Bench, PIN, PlanText,
        bad_token::{ANY, ONCE, as_a_ceremony, exceptions},
        bind::module,
        genesis::on_one_token,
        officer::Officer,
        restore::{KNOWN, write_restore},
    },
};

pub(super) const ROW: &str = "YubiKey";
pub(super) const YKCS11_ROW: &str = "YubiKey by ykcs11";
pub(super) const OPENSC_ROW: &str = "YubiKey by OpenSC";

/// Readers, and the cards that are in, by their names in the plan.
struct YubiKeys {
    readers: Readers,
    cards: Vec<(String, YubiKey)>,
    /// What drives the first card.
    by: Option<By>,
    /// The first card is laid out without a module, and a module drives it from the second ceremony on.
    is_laid_out: bool,
}

/// A module, and what it calls the first card: as its maker left it, and with an attest key of ours on it.
#[derive(Clone, Copy)]
struct By {
    path: &'static str,
    ready: &'static str,
    laid_out: &'static str,
    /// Whether it makes keys, for whoever holds the management key.
    makes_keys: bool,
}

impl YubiKeys {
    fn by(by: Option<By>) -> Self {
        Self { readers: Readers::new(2), cards: Vec::new(), by, is_laid_out: false }
    }

    /// Puts a new card in, with firmware of either kind: their management keys differ.
    fn add(&mut self, token: &str) -> u16 {
        let number = u16::try_from(self.cards.len()).unwrap();
        // The module makes keys where the management key is of the older kind.
        let is_older = number == 1 || self.by.is_some_and(|by| by.makes_keys);
        let firmware = if is_older { "5.4.3" } else { "5.7.1" };
        let card = self.readers.put_in(number, 1001 + u32::from(number), firmware);
        if self.by.is_some() && !self.is_laid_out {
            // What its holder does who makes it ready.
            change_pin(&self.readers, number, LONG_PIN);
        }
        self.cards.push((token.to_owned(), card));
        number
    }
}

impl Kind for YubiKeys {
    fn put_in(&mut self, bench: &Bench, token: &str) -> (String, String) {
        let there = self.cards.iter().position(|(name, _)| name == token);
        let number = match (there, self.by) {
            (Some(number), _) => u16::try_from(number).unwrap(),
            // A module that cannot tell cards apart has one before it.
            (None, Some(by)) if !(by.makes_keys || self.is_laid_out || self.cards.is_empty()) => 0,
            (None, _) => self.add(token),
        };
        match self.by {
            Some(by) if by.makes_keys && !self.is_laid_out => {
                bound(token, by.path, &format!("pkcs11:serial={}", 1001 + number))
            }
            Some(by) if number == 0 && (!self.is_laid_out || bench.number > 1) => {
                let uri = if self.is_laid_out { by.laid_out } else { by.ready };
                bound(token, by.path, uri)
            }
            _ => (format!("yubikey = {}\n", 1001 + number), String::new()),
        }
    }

    fn lay_out_first(&mut self) {
        self.is_laid_out = self.by.is_some_and(|by| !by.makes_keys);
    }

    fn so_holder(&self) -> &'static [(&'static str, &'static str)] {
        let makes_keys = self.by.is_some_and(|by| by.makes_keys && !self.is_laid_out);
        if makes_keys { &HELD } else { &[] }
    }

    fn beside(&self, command: Command) -> Command {
        self.readers.beside(&command)
    }
}

/// What its holder does who makes it ready.
fn change_pin(readers: &Readers, number: u16, pin: &str) {
    let reader = format!("--reader=Yubico YubiKey OTP+FIDO+CCID {} 00 0{}", number / 2, number % 2);
    let change = ["yubico-piv-tool", &reader, "--action=change-pin", "--pin=123456"];
    readers.tool(&[&change[..], &[&format!("--new-pin={pin}")]].concat());
}

/// What a seat types that takes over a YubiKey as it left the factory.
const HELD: [(&str, &str); 4] = [
    ("so now", "010203040506070801020304050607080102030405060708"),
    ("so", MANAGEMENT),
    ("puk now", "12345678"),
    ("puk", "86420864"),
];
/// 48 hexadecimal digits.
const MANAGEMENT: &str = "a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b8c1c2c3c4c5c6c7c8";

/// The lines of room.toml that bind a card to a module.
fn bound(token: &str, path: &str, uri: &str) -> (String, String) {
    let (bound, needs) = module(token, Path::new(path), "sockets = [\"/run/pcscd\"]\n");
    (format!("{bound}uri = \"{uri}\"\n"), needs)
}

#[test]
fn in_a_ceremony_somebody_decides_about_who_made_a_token_ready() {
    if !may_mount("in_a_ceremony_somebody_decides_about_who_made_a_token_ready") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, 1001, "5.7.1");
    let change = ["yubico-piv-tool", "--action=change-pin", "--pin=123456"];
    readers.tool(&[&change[..], &[&format!("--new-pin={PIN}")]].concat());
    let bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bench.write_room_bound(&["officer-a"], |token| bound(token, YKCS11.path, YKCS11.ready));
    as_a_ceremony(&bench, &on_one_token());
    let ended = Officer::before(&bench).sit(&readers.beside(&bench.sitting()));
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.transcript.contains(" [TOKEN-MAKES]"), "{}", ended.transcript);
    let ready = "token officer-a was made ready elsewhere: who did it may set its PIN anew";
    assert_eq!(exceptions(&bench), [ANY, ONCE, ready]);
}

#[test]
fn yubikeys_do_what_the_table_says() {
    if may_mount("yubikeys_do_what_the_table_says") {
        holds(ROW, || YubiKeys::by(None));
    }
}

#[test]
fn a_yubikey_takes_no_key_that_was_made_elsewhere() {
    if !may_mount("a_yubikey_takes_no_key_that_was_made_elsewhere") {
        return;
    }
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let mut kind = YubiKeys { readers: Readers::new(4), ..YubiKeys::by(None) };
    conduct(&bench, &mut kind, &SHARES, &in_three_shares()).ok();
    bench.next_room();
    let tokens = [&SHARES[..], &["officer-n"]].concat();
    let ran = super::conduct_what(&bench, &mut kind, &tokens, |bench| write_restore(bench, KNOWN));
    let what = "cannot do taking up a key that was made elsewhere: PIV takes none that is wrapped [TOKEN-UNWRAPS]\n\
                hint: name another token, or shares: a key in plain goes to no token\n";
    assert!(ran.stderr.contains(what) && ran.code() == 1, "{}", ran.stderr);
}

#[test]
fn ykcs11_does_what_the_table_says() {
    if may_mount("ykcs11_does_what_the_table_says") {
        holds(YKCS11_ROW, || YubiKeys::by(Some(YKCS11)));
    }
}

#[test]
fn a_yubikey_by_another_module_is_known_by_its_keys_before_its_pin_is_asked_for() {
    if !may_mount("a_yubikey_by_another_module_is_known_by_its_keys_before_its_pin_is_asked_for") {
        return;
    }
    let mut kind = YubiKeys::by(Some(YKCS11));
    kind.is_laid_out = true;
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    conduct(&bench, &mut kind, &["officer-a"], &on_one_token()).ok();
    bench.next_room();
    let after = Some(bench.closing(1));
    let (keys, roles) = (Vec::new(), Vec::new());
    let renewal = PlanText { ceremony: "renew", after, keys, roles, ..on_one_token() };
    // Another card, of which the room file says that it is the one.
    kind.by = Some(By { laid_out: "pkcs11:serial=1002", ..YKCS11 });
    kind.add("officer-b");
    let ran = conduct(&bench, &mut kind, &["officer-a"], &renewal);
    let told = "error: token `officer-a` (serial 1002) does not show the key that was enrolled \
                [TOKEN-KEY]\nhint: this is another token: put in the right one\n";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    assert!(!ran.stderr.contains("PIN for token"), "{}", ran.stderr);
    fs::remove_dir_all(bench.path("work-2")).unwrap();
    kind.by = Some(YKCS11);
    let screen = conduct(&bench, &mut kind, &["officer-a"], &renewal).ok().stderr;
    let told = "token officer-a was enrolled as `officer-a`, serial 1001; this module calls it \
                `YubiKey PIV #1001`, serial 1001, and shows the same keys";
    let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    // When it comes, and again when it signs.
    assert_eq!(words.matches(told).count(), 2, "{screen}");
    assert_eq!(bench.shape("repo.test", 2), "1 of root-a, signed by root-a");
}

/// What was sealed to cards without a module is opened by one of them through each.
#[test]
fn shares_that_are_sealed_to_yubikeys_open_by_either_module() {
    if !may_mount("shares_that_are_sealed_to_yubikeys_open_by_either_module") {
        return;
    }
    let mut kind = YubiKeys::by(None);
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    conduct(&bench, &mut kind, &SHARES, &in_three_shares()).ok();
    bench.next_room();
    bench.write_room_bound(&SHARES, |token| {
        let (path, uri) = match token {
            "share-1" => (YKCS11.path, "pkcs11:serial=1001"),
            "share-2" => (OPENSC.path, "pkcs11:token=share-2%20attest"),
            _ => return ("yubikey = 1003\n".to_owned(), String::new()),
        };
        bound(token, path, uri)
    });
    let answers = bench.write_answers(&SHARES, "");
    let text = fs::read_to_string(&answers).unwrap().replace(PIN, LONG_PIN);
    fs::write(answers, text).unwrap();
    let after = Some(bench.closing(1));
    let (keys, roles) = (Vec::new(), Vec::new());
    bench.write_plan(&PlanText { ceremony: "renew", after, keys, roles, ..in_three_shares() });
    run(&mut kind.beside(bench.conducting())).ok();
    assert_eq!(bench.shape("repo.test", 2), "1 of root-s, signed by root-s");
}

#[test]
fn opensc_does_what_the_table_says() {
    if may_mount("opensc_does_what_the_table_says") {
        holds(OPENSC_ROW, || YubiKeys::by(Some(OPENSC)));
    }
}

const YKCS11: By = By {
    path: "/usr/lib/x86_64-linux-gnu/libykcs11.so",
    ready: "pkcs11:serial=1001",
    laid_out: "pkcs11:serial=1001",
    makes_keys: true,
};

/// By the first certificate on it.
const OPENSC: By = By {
    path: "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
    ready: "pkcs11:manufacturer=piv_II",
    laid_out: "pkcs11:token=officer-a%20attest",
    makes_keys: false,
};
