//! A share of a person whose identity of `age` is in a YubiKey that nobody here enrolled: age-plugin-yubikey made it.

use std::fs;
use std::process::Command;

use officiant::root::{Dialect, Role};
use officiant::trust::Held;

use super::genesis::in_shares;
use super::identity::identity;
use super::reshare::custody;
use super::{Bench, Holding, PIN, PlanText, Publisher};
use crate::harness::{
    command::{Ran, command, run},
    media::may_mount,
    peers::peer,
    pty::Pty,
    yubikey::Readers,
};

const TOKENS: [&str; 1] = ["share-1"];
const CARD_PIN: &str = "97531864";

/// Has the plugin make an identity in a new YubiKey, as its holder does, and keep its key and its stub.
fn set_up(readers: &Readers, bench: &Bench) {
    let plugin = peer("age-plugin-yubikey/bin/age-plugin-yubikey");
    let mut make = command(&plugin, bench.scratch.path());
    make.args(["--generate", "--slot", "1", "--name", "lawyer"]);
    make.args(["--pin-policy", "once", "--touch-policy", "never"]);
    let mut pty = Pty::start(&readers.beside(&make));
    for (asked, typed) in [
        ("Enter PIN for YubiKey", "123456"),
        ("Enter current PUK", "12345678"),
        ("Choose a new PIN", CARD_PIN),
        ("Repeat", CARD_PIN),
    ] {
        pty.expect_unseen(asked);
        pty.send_line(typed);
    }
    assert!(pty.finish().status.success());
    let told = |what: &str| readers.tool(&[plugin.to_str().unwrap(), what, "--slot", "1"]);
    let recipient = told("--list");
    let recipient = recipient.lines().find(|line| line.starts_with("age1yubikey1")).unwrap();
    bench.scratch.file("lawyer.pub", recipient);
    bench.scratch.file("lawyer.txt", told("--identity"));
}

fn answer(bench: &Bench, pin: &str, more: &str) {
    let text = format!(
        "[pin]\nshare-1 = \"{PIN}\"\nlawyer = \"{pin}\"\n[answer]\n\"identity notary\" = \"notary.txt\"\n{more}"
    );
    bench.scratch.file(&format!("answers-{}.toml", bench.number), text);
}

fn write_room(bench: &Bench, more: &str) {
    let path = bench.write_room(&TOKENS);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text + more).unwrap();
}

fn told(ran: &Ran) -> &str {
    ran.stderr.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or(&ran.stderr)
}

#[test]
fn a_share_in_a_yubikey_of_age_opens_in_the_room_and_by_age_itself() {
    if !may_mount("a_share_in_a_yubikey_of_age_opens_in_the_room_and_by_age_itself") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, 4242, "5.4.3");
    let mut bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    set_up(&readers, &bench);
    identity(&bench, "notary");
    let people = &["lawyer", "notary"];
    let keys = vec![("root-s", "ecdsa-p256", Holding::Recipients(2, &TOKENS, people))];
    bench.write_plan(&PlanText { keys, ..in_shares() });
    // Without its number in room.toml nobody knows which it is.
    write_room(&bench, "");
    answer(&bench, "00000000", "");
    let beside = |command: Command| run(&mut readers.beside(&command));
    let ran = beside(bench.conducting());
    assert_eq!(told(&ran), "room.toml binds recipient `lawyer` to no YubiKey");
    const BOUND: &str = "[[token]]\nname = \"lawyer\"\nyubikey = 4242\n";
    write_room(&bench, BOUND);
    for begun in ["work-1", "tokens"] {
        fs::remove_dir_all(bench.path(begun)).unwrap();
    }
    bench.scratch.folder("tokens");
    let ran = beside(bench.conducting());
    let refused = "the YubiKey of recipient `lawyer` refused the PIN; 2 tries left [TOKEN-PIN]";
    assert_eq!(told(&ran), refused);
    // Before the last try two people say that it is used.
    assert_ne!(beside(bench.resuming()).code(), 0);
    answer(&bench, CARD_PIN, "\"last-try lawyer\" = \"no\"\n");
    let ran = beside(bench.resuming());
    let refused = "seat of lawyer did not say that the last try is used [TOKEN-LAST-TRY]";
    assert_eq!(told(&ran), refused);
    answer(&bench, CARD_PIN, "");
    beside(bench.resuming()).ok();
    assert_eq!(bench.shape("repo.test", 1), "1 of root-s, signed by root-s");
    // What was made opens by `age` and the plugin, whatever becomes of this program.
    let Held::Shares { set, .. } = &custody(&bench, 1).keys[0].held else { panic!("no shares") };
    let file = bench.path(&format!("media/room-1/custody/{set}/2.age"));
    let mut age = command("age", bench.scratch.path());
    let plugins = peer("age-plugin-yubikey/bin");
    age.env("PATH", format!("{}:/usr/bin:/bin", plugins.display()));
    age.args(["--decrypt", "--identity", "lawyer.txt", "--output", "opened"]).arg(file);
    let mut pty = Pty::start(&readers.beside(&age));
    pty.expect_unseen("PIN");
    pty.send_line(CARD_PIN);
    assert!(pty.finish().status.success());
    let opened = fs::read(bench.path("opened")).unwrap();
    assert!(opened.starts_with(b"OFSH\x01") && opened.len() == 176 && opened[21] == 2);
    // And in the room it signs, beside the other person's, while the token stays away.
    bench.next_room();
    write_room(&bench, BOUND);
    answer(&bench, CARD_PIN, "\"insert share-1\" = \"absent on the train\"\n");
    bench.online.insert(Role::Targets, Publisher::new());
    bench.write_plan(&PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(1)),
        keys: Vec::new(),
        roles: vec![Role::Targets],
        ..in_shares()
    });
    beside(bench.conducting()).ok();
    assert_eq!(bench.shape("repo.test", 2), "1 of root-s, signed by root-s");
}
