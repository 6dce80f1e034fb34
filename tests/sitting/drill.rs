//! Drills: tokens and papers prove what they hold, alone by their plan; nothing is opened, and nothing signed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::ToSpan;
use officiant::{
    ceremony::fact::Fact,
    digest::Digest,
    record::Body,
    root::Dialect,
    trust::{Alone, Custody, Held},
};

use super::bench::today;
use super::chain::Chain;
use super::forged::forge;
use super::kill::Stage;
use super::on_paper::{PAPERS, on_paper, passphrase, picture};
use super::{Bench, Holding, PIN, PlanText};
use crate::harness::command::{command, flat, run};
use crate::harness::killer::Killer;
use crate::harness::pty::{Ended, Pty};

const TOKENS: [&str; 3] = ["officer-a", "share-1", "share-2"];

/// One key on a token, one in shares over tokens and papers.
pub(super) fn genesis() -> PlanText {
    PlanText {
        keys: vec![
            ("root-a", "ecdsa-p256", Holding::Token("officer-a")),
            ("root-s", "ecdsa-p256", Holding::Papers(2, &["share-1", "share-2"], &PAPERS)),
        ],
        root: vec!["root-a", "root-s"],
        threshold: 2,
        ..on_paper()
    }
}

/// Writes a plan that drills these.
pub(super) fn write_drill(bench: &Bench, tokens: &[&str], papers: &[&str]) {
    let (from, until) = (today().yesterday().unwrap(), today().checked_add(3.days()).unwrap());
    let mut plan = format!(
        "ceremony = \"drill\"\ntitle = \"Drill\"\ndialect = \"{}\"\nquorum_people = 1\npractice = true\n\
         after = \"{}\"\n[when]\nfrom = {from}\nuntil = {until}\n",
        bench.dialect,
        bench.closing(bench.number - 1)
    );
    for (what, names) in [("token", tokens), ("paper", papers)] {
        for name in names {
            let _ = write!(plan, "[[{what}]]\nname = \"{name}\"\ncustodian = \"seat of {name}\"\n");
        }
    }
    bench.scratch.file(&format!("plan-{}.toml", bench.number), plan);
}

/// A room after a genesis, before a drill, and the passphrases of its papers.
fn after_genesis() -> (Bench, Vec<String>) {
    let mut bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&genesis());
    let screen = bench.conduct().ok().stderr;
    let words = PAPERS.iter().map(|paper| passphrase(&screen, paper)).collect();
    bench.next_room();
    bench.write_room(&TOKENS);
    (bench, words)
}

/// Writes answers: PINs, these words, and where the scans are.
fn answer(bench: &Bench, words: &[String], more: &str) {
    let mut pins: String = TOKENS.iter().map(|token| format!("{token} = \"{PIN}\"\n")).collect();
    let mut scans = String::new();
    for (paper, words) in PAPERS.iter().zip(words) {
        let _ = writeln!(pins, "{paper} = \"{words}\"");
        let _ = writeln!(scans, "\"scan {paper}\" = \"{}\"", picture(bench, paper).display());
    }
    let text = format!("[pin]\n{pins}[answer]\n{scans}{more}");
    bench.scratch.file(&format!("answers-{}.toml", bench.number), text);
}

#[test]
fn a_drill_proves_every_key_and_share_and_opens_and_signs_nothing() {
    let (bench, words) = after_genesis();
    write_drill(&bench, &TOKENS, &PAPERS);
    answer(&bench, &words, "");
    let checked = bench.officiant(&["check", "plan-2.toml", "--room", "room-2.toml"]).ok().stdout;
    assert!(
        checked.contains("What the plan says of keys and holders agrees with the trust folder."),
        "{checked}"
    );
    let ran = bench.conduct().ok();
    let screen = flat(&ran.stderr);
    for said in [
        "[5/11] seat of officer-a: Put in token officer-a, type the PIN: it proves the keys and shares that it holds, and opens none.",
        "key root-a signs:",
        "share 1 of key root-s is whole, on the token and in the custody folder; its seal opens",
        "share 2 of key root-s is whole, on the token and in the custody folder; its seal opens",
        "the share that was made; the passphrase fits",
        "Nothing is to be published.",
    ] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    // The roots are those of before, byte for byte, and whoever verifies is told of the drill.
    let same = run(command("diff", bench.scratch.path())
        .args(["-r"])
        .args([bench.trust(1).join("metadata"), bench.trust(2).join("metadata")]));
    assert_eq!(same.code(), 0, "{}", same.stdout);
    let told = bench.officiant(&["verify", "media/out-2a/trust"]).ok().stdout;
    let told = flat(&told);
    let said =
        "`0002-drill`: officer-a, share-1, share-2, sheet-a and sheet-b proved what they hold on";
    assert!(told.contains(said), "{told}");
    let report = fs::read_to_string(bench.trust(2).join("ceremonies/0002-drill/report.html"));
    assert!(report.unwrap().contains("proved root-a and what is sealed to it"));
}

#[test]
fn a_drill_goes_on_where_it_was_stopped_and_says_who_was_not_there() {
    let (bench, words) = after_genesis();
    write_drill(&bench, &TOKENS, &PAPERS);
    // The words of another paper: the drill stops there.
    answer(&bench, &[words[1].clone(), words[1].clone()], "\"insert share-2\" = \"absent ill\"\n");
    let ran = bench.conduct();
    let what = "error: share 3: the passphrase does not open the sealed file [SHARE-PASSPHRASE]\n";
    assert!(ran.stderr.contains(what) && ran.code() == 1, "{}", ran.stderr);
    answer(&bench, &words, "");
    let resumed = bench.resume().ok();
    assert!(!resumed.stderr.contains("PIN for token"), "{}", resumed.stderr);
    assert_eq!(
        bench.remarks(),
        ["step 7 was left out: token share-2 is not here: ill", "token share-2 was not here: ill"]
    );
}

#[test]
fn a_share_that_is_gone_from_its_token_or_changed_in_the_custody_folder_is_found() {
    let (bench, words) = after_genesis();
    write_drill(&bench, &["share-1"], &[]);
    answer(&bench, &words, "");
    let saved = bench.save();
    let custody = fs::read(bench.trust(1).join("custody.json")).unwrap();
    let custody: Custody = serde_json::from_slice(&custody).unwrap();
    let Held::Shares { set, .. } = &custody.keys[1].held else { panic!("no shares") };
    bench.take_away("share-1", &format!("officiant share {set} 1"));
    let ran = bench.conduct();
    let what = "error: token `share-1` no longer stores share 1 of key `root-s` [SHARE-PROVEN]\n";
    assert!(ran.stderr.contains(what) && ran.code() == 1, "{}", ran.stderr);
    bench.restore(&saved);
    for room in ["room-1", "room-2"] {
        let custody = bench.path(&format!("media/{room}/custody"));
        let share = run(command("find", &custody).args([".", "-name", "1.age"])).stdout;
        let path = custody.join(share.trim());
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let ran = bench.conduct();
    let what = "error: share 1 of key `root-s`, as the custody folder has it, is not the one that was made [SHARE-COMMITMENT]\n";
    assert!(ran.stderr.contains(what) && ran.code() == 1, "{}", ran.stderr);
}

#[test]
fn a_record_that_says_of_a_token_what_it_did_not_sign_is_not_gone_on_with() {
    let (bench, words) = after_genesis();
    write_drill(&bench, &["officer-a", "share-1"], &[]);
    answer(&bench, &words, "\"insert share-1\" = \"?\"\n");
    assert_eq!(bench.conduct().code(), 1);
    // What the key signed stands for what the token is to sign.
    forge(&bench, |body| match body.clone() {
        Body::Done { fact: Fact::TokenDrilled { token, keys, .. } } => {
            let statement = Some(keys[0].statement.clone());
            Some(Body::Done { fact: Fact::TokenDrilled { token, keys, statement } })
        }
        body => Some(body),
    });
    answer(&bench, &words, "");
    let ran = bench.resume();
    let what = "token `officer-a` did not say what the record says that it did [TOKEN-STATEMENT]\n";
    assert!(ran.stderr.contains(what) && ran.code() == 1, "{}", ran.stderr);
}

#[test]
fn a_drill_that_dies_at_its_calls_leaves_what_it_would_have_left() {
    let (bench, words) = after_genesis();
    write_drill(&bench, &TOKENS, &[]);
    answer(&bench, &words, "");
    let stage = Stage::before(bench, &TOKENS);
    // The clock is step 3, the tokens are 5 to 7.
    let chain = Chain {
        bench: &stage.bench,
        clock: 3,
        stride: &|_| 3,
        units: &[],
        enrolments: &[],
        restart_at: 0,
    };
    let deaths = chain.run(&mut Killer::new());
    let steps: BTreeSet<u64> = deaths.sites.iter().map(|(step, _)| *step).collect();
    assert!(steps.is_superset(&[5, 6, 7].into()) && deaths.count > 20, "{deaths:?}");
    stage.compare(deaths.count);
}

#[test]
fn a_drill_is_rehearsed_with_a_stand_in_of_all_who_hold_a_part() {
    let (bench, _) = after_genesis();
    write_drill(&bench, &["share-1"], &["sheet-b"]);
    let ran = bench.rehearse().ok();
    assert!(ran.stderr.contains("share 1 of key root-s is whole"), "{}", ran.stderr);
    assert!(
        flat(&ran.stderr).contains("the share that was made; the passphrase fits"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_drill_of_somebody_unknown_or_of_another_seat_is_refused() {
    let (bench, words) = after_genesis();
    answer(&bench, &words, "");
    let refused = |what: &str, hint: &str| {
        let ran = bench.conduct();
        assert_eq!(ran.code(), 2, "{}", ran.stderr);
        assert_eq!(
            ran.stderr,
            format!("error: {what}\nhint: {hint}\nnothing was signed and nothing was written\n"),
        );
    };
    write_drill(&bench, &["officer-z"], &[]);
    refused(
        "`officer-z` holds no key and no share of any newest root",
        "a drill names tokens, papers and recipients of the trust folder, as it names them",
    );
    write_drill(&bench, &["officer-a"], &[]);
    let path = bench.path("plan-2.toml");
    let plan = fs::read_to_string(&path).unwrap().replace("seat of officer-a", "seat of share-1");
    fs::write(&path, plan).unwrap();
    refused(
        "`officer-a` is held by `seat of officer-a` by the trust folder, by `seat of share-1` in the plan",
        "name the custodian who holds it",
    );
}

/// Has the custodian of a token drill it alone, against the trust folder of a ceremony.
pub(super) fn alone(bench: &Bench, trust: u32, token: &str, pin: &str) -> Ended {
    bench.scratch.folder("stick");
    let room = format!("room-{}.toml", bench.number);
    let trust = format!("media/out-{trust}a");
    let command = bench.command(&["drill", &trust, token, "--room", &room, "--out", "stick"]);
    let mut pty = Pty::start(&command);
    pty.expect(&format!("seat of {token} — PIN for token {token}"));
    pty.send_line(pin);
    pty.finish()
}

/// The statements that lie on the stick.
pub(super) fn statements(bench: &Bench) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(bench.path("stick")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Puts a statement into the trust folder of a ceremony.
pub(super) fn put(bench: &Bench, statement: &Path, number: u32) -> PathBuf {
    let folder = bench.trust(number).join("drills");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(statement.file_name().unwrap());
    fs::copy(statement, &path).unwrap();
    path
}

#[test]
fn a_custodian_drills_alone_and_the_trust_folder_takes_the_statement() {
    let (mut bench, words) = after_genesis();
    for token in ["officer-a", "share-1"] {
        let ended = alone(&bench, 1, token, PIN);
        assert!(
            ended.status.success() && ended.transcript.contains("written: stick/"),
            "{ended:?}"
        );
    }
    let found = statements(&bench);
    assert_eq!(found.len(), 2, "{found:?}");
    put(&bench, &found[0], 1);
    let share = put(&bench, &found[1], 1);
    let verified = bench.officiant(&["verify", "media/out-1a"]).ok().stdout;
    let told = flat(&verified);
    for said in [
        "officer-a proved alone that it holds key root-a, on",
        "share-1 proved alone that it holds share 1 of key root-s, on",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    // The next ceremony vouches for both; one that came after it stands beside them.
    write_drill(&bench, &["officer-a"], &[]);
    answer(&bench, &words, "");
    bench.conduct().ok();
    bench.next_room();
    bench.write_room(&TOKENS);
    assert!(alone(&bench, 2, "share-2", PIN).status.success());
    let last = statements(&bench).into_iter().find(|path| !found.contains(path)).unwrap();
    let last = put(&bench, &last, 2);
    let told = flat(&bench.officiant(&["verify", "media/out-2a"]).ok().stdout);
    assert!(
        told.contains("share-2 proved alone that it holds share 2 of key root-s, on"),
        "{told}"
    );
    let kept = bench.trust(2).join("drills").join(share.file_name().unwrap());
    let refused = |what: &str| {
        let ran = bench.officiant(&["verify", "media/out-2a"]);
        assert!(ran.stderr.contains(what) && ran.code() == 1, "{what}: {}", ran.stderr);
    };
    // One that is vouched for does not go; one that is not cannot be of another share, day, key or name.
    let bytes = fs::read(&kept).unwrap();
    fs::remove_file(&kept).unwrap();
    refused(" [TRUST-FOLDER]\n");
    fs::write(&kept, bytes).unwrap();
    let honest = fs::read_to_string(&last).unwrap();
    fs::remove_file(&last).unwrap();
    let forge = |from: &str, to: &str, what: &str| {
        assert!(honest.contains(from), "{from}: {honest}");
        let forged: Alone = serde_json::from_str(&honest.replace(from, to)).unwrap();
        let path = bench.trust(2).join(forged.path());
        fs::write(&path, forged.to_bytes()).unwrap();
        refused(&format!("`{}`: {what} [TRUST-FOLDER]\n", forged.path()));
        fs::remove_file(&path).unwrap();
    };
    forge("share-2", "share-1", "token `share-1` was given another share of `root-s`");
    forge("\"at\": \"20", "\"at\": \"21", "token `share-2` did not sign it");
    forge(
        &bench.closing(2),
        &Digest::of(b"another").to_string(),
        "token `share-2` did not sign it",
    );
    fs::write(bench.trust(2).join("drills/other.json"), &honest).unwrap();
    refused("`drills/other.json`: its name is to be `drills/share-2-");
}

#[test]
fn a_drill_alone_asks_no_pin_of_another_token_and_tries_a_wrong_one_once() {
    let (bench, _) = after_genesis();
    let ended = alone(&bench, 1, "officer-a", "246800");
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.transcript.contains("token `officer-a` refused the PIN; "), "{ended:?}");
    assert_eq!(statements(&bench), Vec::<PathBuf>::new());
    // The folders of two tokens were exchanged.
    for (from, to) in [("officer-a", "x"), ("share-1", "officer-a"), ("x", "share-1")] {
        fs::rename(bench.path("tokens").join(from), bench.path("tokens").join(to)).unwrap();
    }
    for token in ["officer-a", "share-1"] {
        let conf = bench.path(&format!("tokens/{token}/softhsm2.conf"));
        fs::remove_file(conf).unwrap();
    }
    let mut pty = Pty::start(&bench.command(&[
        "drill",
        "media/out-1a",
        "officer-a",
        "--room",
        "room-2.toml",
        "--out",
        "stick",
    ]));
    pty.expect("no token that is here shows the keys of token `officer-a` [TOKEN-KEY]");
    let ended = pty.finish();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(!ended.transcript.contains("PIN for"), "{ended:?}");
}
