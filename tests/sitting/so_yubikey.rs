//! YubiKeys whose keys are made through ykcs11, by the seat that holds their management key and PUK.

use std::path::Path;

use officiant::root::Dialect;

use super::abandon::write_abandon;
use super::bind::module;
use super::genesis::on_one_token;
use super::retire::{fetched, write_retire};
use super::so_holder::write_plan;
use super::{Bench, Holding, PIN, PlanText};
use crate::harness::{
    command::{Ran, flat, run_with},
    media::may_mount,
    scratch::Scratch,
    shim::Shim,
    yubikey::{Readers, YubiKey},
};

const YKCS11: &str = "/usr/lib/x86_64-linux-gnu/libykcs11.so";
/// What every YubiKey leaves the factory with.
const FACTORY: [&str; 3] =
    ["123456", "12345678", "010203040506070801020304050607080102030405060708"];
const MANAGEMENT: &str = "a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b8c1c2c3c4c5c6c7c8";
const PUK: &str = "86420864";
/// What is typed in the order of the questions: management key as it is and as it is to be, PUK as it is and as it is to be,
/// PIN.
const TYPED: [&str; 5] = [FACTORY[2], MANAGEMENT, FACTORY[1], PUK, PIN];
/// Cards are slow, and the machine may be busy.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(120);

struct Held {
    readers: Readers,
    bench: Bench,
    _card: YubiKey,
}

impl Held {
    /// A YubiKey of which only the PIN was changed.
    fn new(firmware: &str) -> Self {
        let held = Self::blank(firmware);
        held.change_pin();
        held
    }

    /// One as it left the factory.
    fn blank(firmware: &str) -> Self {
        let readers = Readers::new(1);
        let card = readers.put_in(0, 1001, firmware);
        let held = Self { readers, bench: Bench::new(Dialect::Tuf, &["repo.test"]), _card: card };
        held.bind(Path::new(YKCS11));
        write_plan(&held.bench, &on_one_token(), &[("officer-a", "seat S")]);
        held
    }

    fn change_pin(&self) {
        let change = ["yubico-piv-tool", "--action=change-pin", "--pin=123456"];
        self.readers.tool(&[&change[..], &[&format!("--new-pin={PIN}")]].concat());
    }

    fn bind(&self, path: &Path) {
        let writes = format!("writes = [\"{}\"]\n", path.parent().unwrap().display());
        let writes = if path == Path::new(YKCS11) { String::new() } else { writes };
        let needs = format!("sockets = [\"/run/pcscd\"]\n{writes}");
        self.bench.write_room_bound(&["officer-a"], |token| {
            let (bound, needs) = module(token, path, &needs);
            (format!("{bound}uri = \"pkcs11:serial=1001\"\n"), needs)
        });
    }

    /// Lays out a rotation to these keys, all of which sign; root-b is made.
    fn plan_rotation(&mut self, root: &[&'static str]) {
        self.bench.next_room();
        self.bind(Path::new(YKCS11));
        self.bench.write_plan(&PlanText {
            ceremony: "rotate",
            after: Some(self.bench.closing(1)),
            keys: vec![("root-b", "ecdsa-p256", Holding::Token("officer-a"))],
            root: root.to_vec(),
            threshold: u32::try_from(root.len()).unwrap(),
            roles: Vec::new(),
            ..on_one_token()
        });
    }

    /// Goes on to the end; its seat gives the management key once. Gives what stands on the screen.
    #[track_caller]
    fn asks_the_seat_once(&self) -> String {
        let screen = flat(self.goes_on(TYPED).ok().stderr);
        let asked = "seat S — management key for token officer-a: (from the file of answers)";
        assert_eq!(screen.matches(asked).count(), 1, "{screen}");
        screen
    }

    /// Goes on to the end, by which its first root key, which is this one, is gone.
    #[track_caller]
    fn destroys(&self, made: &str) {
        let screen = self.asks_the_seat_once();
        assert!(screen.contains("key root-a is gone from token officer-a"), "{screen}");
        assert_ne!(made, self.in_slot_82());
    }

    /// The public key of its first root key.
    fn in_slot_82(&self) -> String {
        let attested = self.readers.tool(&["yubico-piv-tool", "--action=attest", "--slot=82"]);
        self.readers.piped(&["openssl", "x509", "-noout", "-pubkey"], &attested)
    }

    /// Goes on while people type this.
    fn goes_on(&self, typed: [&str; 5]) -> Ran {
        self.goes_on_with(typed, "")
    }

    fn goes_on_with(&self, typed: [&str; 5], answers: &str) -> Ran {
        let asked = ["so now ", "so ", "puk now ", "puk ", ""];
        let lines = asked.iter().zip(typed);
        let pins: String =
            lines.map(|(what, typed)| format!("\"{what}officer-a\" = \"{typed}\"\n")).collect();
        let name = format!("answers-{}.toml", self.bench.number);
        self.bench.scratch.file(&name, format!("[pin]\n{pins}[answer]\n{answers}"));
        run_with(&mut self.readers.beside(&self.bench.going_on()), "", LIMIT)
    }

    #[track_caller]
    fn is_refused(&self, typed: [&str; 5], told: &str) {
        let ran = self.goes_on(typed);
        let refusal =
            ran.stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
        assert_eq!(refusal, format!("error: {told}"), "{}", ran.stderr);
    }
}

#[test]
fn nothing_stays_on_a_yubikey_by_ykcs11_with_which_it_leaves_the_factory() {
    if !may_mount("nothing_stays_on_a_yubikey_by_ykcs11_with_which_it_leaves_the_factory") {
        return;
    }
    let held = Held::blank("5.4.3");
    let [now, management, puk_now, puk, pin] = TYPED;
    let has = |what: &str| {
        let token = "token `YubiKey PIV #1001` (serial 1001)";
        format!("{token} has the {what} with which every one leaves the factory [TOKEN-FACTORY]")
    };
    held.is_refused(
        [MANAGEMENT, management, puk_now, puk, pin],
        "token `officer-a` refused the management key [TOKEN-PIN]",
    );
    held.is_refused([now, now, puk_now, puk, pin], &has("management key"));
    let no_key = "token `YubiKey PIV #1001` (serial 1001) does not take this PIN (a management key has 48 hexadecimal digits)";
    held.is_refused([now, "not hexadecimal", puk_now, puk, pin], no_key);
    // From here on the management key is that of the seat.
    held.is_refused(
        [now, management, puk, puk, pin],
        "token `officer-a` refused the PUK [TOKEN-PIN]",
    );
    held.is_refused([management, management, puk_now, puk_now, pin], &has("PUK"));
    held.is_refused([management, management, puk_now, puk, FACTORY[0]], &has("PIN"));
    held.change_pin();
    let screen = held.goes_on([management, management, puk, puk, pin]).ok().stderr;
    assert!(!screen.contains("was made ready elsewhere"), "{screen}");
    assert_eq!(screen.matches("key root-a: it is used without a touch").count(), 1, "{screen}");
    assert!(typed_nowhere(&screen), "{screen}");
    assert_eq!(held.bench.shape("repo.test", 1), "1 of root-a, signed by root-a");
    assert_eq!(held.bench.custody().tokens[0].so_holder.as_deref(), Some("seat S"));
    // Both are the seat's, and no other's.
    let key = format!("--key={MANAGEMENT}");
    held.readers.tool(&["yubico-piv-tool", &key, "--action=set-chuid"]);
    let puk = format!("--pin={PUK}");
    held.readers.tool(&["yubico-piv-tool", "--action=unblock-pin", &puk, "--new-pin=97531357"]);
}

fn typed_nowhere(screen: &str) -> bool {
    TYPED.iter().all(|typed| !screen.contains(typed))
}

#[test]
fn an_enrolment_by_ykcs11_that_is_cut_off_beside_a_new_key_goes_on() {
    if !may_mount("an_enrolment_by_ykcs11_that_is_cut_off_beside_a_new_key_goes_on") {
        return;
    }
    let held = Held::new("5.4.3");
    let scratch = Scratch::new();
    // The key is there, and its certificate is not.
    let shim = Shim::before(&scratch, "one", YKCS11, &["C_CreateObject 1 before kill self"]);
    held.bind(&shim.module());
    held.is_refused(TYPED, "the process for `officer-a` was lost: it ended");
    assert_eq!(shim.counts()["C_GenerateKeyPair"], 1);
    shim.rules(YKCS11, &[]);
    let [_, management, _, puk, pin] = TYPED;
    held.goes_on([management, management, puk, puk, pin]).ok();
    assert_eq!(held.bench.shape("repo.test", 1), "1 of root-a, signed by root-a");
}

#[test]
fn a_yubikey_by_ykcs11_takes_a_second_root_key_and_signs_with_both() {
    if !may_mount("a_yubikey_by_ykcs11_takes_a_second_root_key_and_signs_with_both") {
        return;
    }
    let mut held = Held::new("5.4.3");
    held.goes_on(TYPED).ok();
    held.plan_rotation(&["root-a", "root-b"]);
    held.asks_the_seat_once();
    assert_eq!(held.bench.shape("repo.test", 2), "2 of root-a root-b, signed by root-a root-b");
    // Others see them under their names.
    let shown = held.readers.tool(&["yubico-piv-tool", "--action=status"]);
    for subject in ["CN=officer-a attest", "OU=root-a, CN=root", "OU=root-b, CN=root"] {
        assert_eq!(shown.matches(&format!("Subject DN:\t{subject}\n")).count(), 1, "{shown}");
    }
}

#[test]
fn a_root_key_by_ykcs11_that_is_abandoned_is_destroyed_by_the_seat() {
    if !may_mount("a_root_key_by_ykcs11_that_is_abandoned_is_destroyed_by_the_seat") {
        return;
    }
    let mut held = Held::new("5.4.3");
    // Nobody gives the words of the second reader.
    let ran = held.goes_on_with(TYPED, "\"second-reader\" = \"maybe\"\n");
    assert_eq!(ran.code(), 1, "{}", ran.stderr);
    let made = held.in_slot_82();
    held.bench.next_room();
    held.bind(Path::new(YKCS11));
    write_abandon(&held.bench, None);
    held.destroys(&made);
    // It serves the next ceremony.
    let after = Some(held.bench.closing(2));
    held.bench.next_room();
    held.bind(Path::new(YKCS11));
    held.bench.write_plan(&PlanText { after, ..on_one_token() });
    held.goes_on(TYPED).ok();
    assert_eq!(held.bench.shape("repo.test", 1), "1 of root-a, signed by root-a");
}

#[test]
fn a_root_key_by_ykcs11_that_is_retired_is_destroyed_by_the_seat() {
    if !may_mount("a_root_key_by_ykcs11_that_is_retired_is_destroyed_by_the_seat") {
        return;
    }
    let mut held = Held::new("5.4.3");
    held.goes_on(TYPED).ok();
    let made = held.in_slot_82();
    held.plan_rotation(&["root-b"]);
    held.goes_on(TYPED).ok();
    held.bench.next_room();
    held.bind(Path::new(YKCS11));
    write_retire(&held.bench, "keys = [\"root-a\"]", &[fetched(&held.bench, 1)]);
    let script = held.bench.officiant(&["script", "plan-3.toml", "--room", "room-3.toml"]).ok();
    assert!(script.stdout.contains("SO PIN of officer-a"), "{}", script.stdout);
    held.destroys(&made);
    held.bench.officiant(&["verify", "media/out-3a"]).ok();
}

/// Version 2.2 of the module knows the older kind of management key alone.
#[test]
fn a_yubikey_with_a_management_key_that_ykcs11_does_not_know_is_refused_until_it_has_another() {
    if !may_mount(
        "a_yubikey_with_a_management_key_that_ykcs11_does_not_know_is_refused_until_it_has_another",
    ) {
        return;
    }
    Held::new("5.7.1")
        .is_refused(TYPED, "token `officer-a` refused the management key [TOKEN-PIN]");
}
