//! kryoptic: a token is a file, which its configuration names.

use std::fs;

use officiant::{root::Dialect, trust::Held};

use super::{Kind, LONG_PIN, SHARES, conduct, conduct_what, holds, in_three_shares, softhsm};
use crate::{
    harness::{
        command::{flat, run},
        peers::peer,
    },
    sitting::{
        Bench, Holding, PIN, PlanText,
        bind::module,
        drill::write_drill,
        genesis::on_one_token,
        reshare::{NEW, custody, write_reshare},
        restore::{KNOWN, write_restore},
    },
};

pub(super) const ROW: &str = "kryoptic";

struct Kryoptic;

impl Kind for Kryoptic {
    fn put_in(&mut self, bench: &Bench, token: &str) -> (String, String) {
        let folder = bench.scratch.folder("kryoptic").join(token);
        fs::create_dir_all(&folder).unwrap();
        let (file, conf) = (folder.join("token.sql"), folder.join("kryoptic.conf"));
        let text =
            format!("[[slots]]\nslot = 1\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n", file.display());
        fs::write(&conf, text).unwrap();
        let needs = format!(
            "writes = [\"kryoptic/{token}\"]\nenvironment = {{ KRYOPTIC_CONF = \"{}\" }}\n",
            conf.display()
        );
        module(token, &peer("kryoptic/libkryoptic.so"), &needs)
    }
}

#[test]
fn kryoptic_does_what_the_table_says() {
    holds(ROW, || Kryoptic);
}

#[test]
fn kryoptic_unwraps_a_restored_key_in_its_own_way() {
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    super::conduct(&bench, &mut Kryoptic, &SHARES, &super::in_three_shares()).ok();
    bench.next_room();
    let tokens = [&SHARES[..], &["officer-n"]].concat();
    super::conduct_what(&bench, &mut Kryoptic, &tokens, |bench| write_restore(bench, KNOWN)).ok();
    assert_eq!(bench.custody().keys[0].held, Held::Token { token: "officer-n".to_owned() });
    bench.officiant(&["verify", "media/out-2a"]).ok();
}

#[test]
fn ten_wrong_pins_lock_a_token_and_another_finishes_the_ceremony() {
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let tokens = ["officer-a", "officer-b"];
    let either = || PlanText {
        keys: vec![
            ("root-a", "ecdsa-p256", Holding::Token("officer-a")),
            ("root-b", "ecdsa-p256", Holding::Token("officer-b")),
        ],
        root: vec!["root-a", "root-b"],
        ..on_one_token()
    };
    super::conduct(&bench, &mut Kryoptic, &tokens, &either()).ok();
    bench.next_room();
    bench.write_room_bound(&tokens, |token| Kryoptic.put_in(&bench, token));
    let after = Some(bench.closing(1));
    let (keys, roles) = (Vec::new(), Vec::new());
    bench.write_plan(&PlanText { ceremony: "renew", after, keys, roles, ..either() });
    // What the refusal says of one PIN, tried once.
    let refused = |pin: &str, count: usize| {
        bench.scratch.file("answers-2.toml", format!("[pin]\nofficer-a = \"{pin}\"\n"));
        let ran = run(&mut bench.going_on());
        assert_eq!(ran.code(), 1, "{}", ran.stderr);
        let told = ran.stderr.split(" refused the PIN; ").nth(1).expect("a refused PIN");
        let (says, rest) = told.split_once("; ").unwrap();
        assert!(rest.starts_with(&format!("wrong here in a row: {count} [TOKEN-PIN]")), "{rest}");
        says.to_owned()
    };
    let says: Vec<String> = (1..=9).map(|count| refused("00000000", count)).collect();
    let unsaid = "the token does not say how many tries are left";
    let low = "the token says that tries are running low";
    assert_eq!(says, [unsaid, unsaid, unsaid, unsaid, unsaid, unsaid, low, low, "1 try left"]);
    // The last try is one that two people want: without them the PIN is not asked for, and the token has it still.
    let alone = "[answer]\n\"last-try-other officer-a\" = \"seat of officer-a officer-a\"\n";
    bench.scratch.file("answers-2.toml", format!("[pin]\nofficer-a = \"00000000\"\n{alone}"));
    let ran = run(&mut bench.going_on());
    let told = "error: another person did not say that the last try is used [TOKEN-LAST-TRY]\n";
    assert!(ran.code() == 1 && ran.stderr.contains(told), "{}", ran.stderr);
    assert!(!ran.stderr.contains("PIN for token officer-a ("), "{}", ran.stderr);
    // It locks it, and then the right one is refused, too.
    assert_eq!(refused("00000000", 10), "the token is locked");
    assert_eq!(refused(LONG_PIN, 11), "the token is locked");
    // Its holder says so, and the other key is enough.
    let absent = "\"insert officer-a\" = \"absent its PIN is locked\"\n";
    bench.write_answers(&tokens, absent);
    let answers = bench.path("answers-2.toml");
    fs::write(&answers, fs::read_to_string(&answers).unwrap().replace(PIN, LONG_PIN)).unwrap();
    bench.resume().ok();
    assert_eq!(bench.shape("repo.test", 2), "1 of root-a root-b, signed by root-b");
    let told = [
        "step 10 was left out: token officer-a is not here: its PIN is locked",
        "token officer-a was not here: its PIN is locked",
    ];
    assert_eq!(bench.remarks(), told);
}

/// The one module here that gives the points of such keys bare.
#[test]
fn an_ed25519_key_on_a_token_signs_a_first_root() {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let keys = vec![("root-a", "ed25519", Holding::Token("officer-a"))];
    let plan = PlanText { keys, ..on_one_token() };
    super::conduct(&bench, &mut Kryoptic, &["officer-a"], &plan).ok();
    assert_eq!(bench.shape("repo.test", 1), "1 of root-a, signed by root-a");
}

/// kryoptic, and one token of SoftHSM among it.
struct Mixed;

impl Kind for Mixed {
    fn put_in(&mut self, bench: &Bench, token: &str) -> (String, String) {
        match token {
            "share-4" => softhsm::SoftHsm.put_in(bench, token),
            _ => Kryoptic.put_in(bench, token),
        }
    }
}

/// The name of the stanza with which the sealed share of each holder begins, of the newest set.
fn stanzas(bench: &Bench, number: u32) -> Vec<(String, String)> {
    let custody = custody(bench, number);
    let Held::Shares { set, shares, .. } = &custody.keys[0].held else { panic!("no shares") };
    let stanza = |index: u8| {
        let file = fs::read(bench.path(&format!("media/room-1/custody/{set}/{index}.age")));
        let line = file.unwrap().split(|byte| *byte == b'\n').nth(1).unwrap().to_vec();
        let line = String::from_utf8(line).unwrap();
        line.strip_prefix("-> ").unwrap().split(' ').next().unwrap().to_owned()
    };
    shares.iter().map(|share| (share.holder.clone(), stanza(share.index))).collect()
}

/// The one module here that has ML-KEM: what is sealed to its tokens takes both halves to open, in every ceremony, and what
/// is sealed to others the one that they have.
#[test]
fn shares_are_sealed_to_ml_kem_where_a_token_has_it_and_open_in_every_ceremony() {
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    let genesis = conduct(&bench, &mut Kryoptic, &SHARES, &in_three_shares()).ok();
    let told = "what is sealed to it takes ML-KEM-768 beside P-256 to open";
    assert_eq!(flat(&genesis.stderr).matches(told).count(), SHARES.len());
    let hybrid = |holder: &str| (holder.to_owned(), "mlkem768p256tag".to_owned());
    assert_eq!(stanzas(&bench, 1), SHARES.map(hybrid));
    assert!(custody(&bench, 1).tokens.iter().all(|token| token.kem.is_some()));
    // Two of them open the key, and it signs.
    bench.next_room();
    let after = Some(bench.closing(1));
    let (keys, roles) = (Vec::new(), Vec::new());
    let renewal = PlanText { ceremony: "renew", after, keys, roles, ..in_three_shares() };
    conduct(&bench, &mut Kryoptic, &SHARES, &renewal).ok();
    assert_eq!(bench.shape("repo.test", 2), "1 of root-s, signed by root-s");
    bench.next_room();
    let drill = |bench: &Bench| write_drill(bench, &SHARES, &[]);
    let drilled = conduct_what(&bench, &mut Kryoptic, &SHARES, drill).ok();
    let whole = "is whole, on the token and in the custody folder; its seal opens";
    assert_eq!(flat(&drilled.stderr).matches(whole).count(), SHARES.len());
    // A new set, two of whose holders have no ML-KEM.
    bench.next_room();
    let tokens: Vec<&str> = SHARES.into_iter().chain(["share-4"]).collect();
    let reshare = |bench: &Bench| write_reshare(bench, "root-s", NEW);
    conduct_what(&bench, &mut Mixed, &tokens, reshare).ok();
    let others = [("share-4", "p256tag"), ("sheet-a", "scrypt")];
    let others = others.map(|(holder, stanza)| (holder.to_owned(), stanza.to_owned()));
    let expected: Vec<_> = ["share-1", "share-2"].map(hybrid).into_iter().chain(others).collect();
    assert_eq!(stanzas(&bench, 4), expected);
    assert_eq!(custody(&bench, 4).token("share-4").unwrap().kem, None);
    bench.officiant(&["verify", "media/out-4a"]).ok();
}
