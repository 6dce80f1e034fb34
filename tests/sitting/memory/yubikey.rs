//! What opens a YubiKey, searched for in the processes that drove it, and beside them.

use std::{collections::BTreeSet, path::Path};

use officiant::root::Dialect;
use serde_json::Value;

use super::{People, Sat, looked_at, search_folder};
use crate::harness::{
    media::may_mount,
    memory::{Search, Searched},
    yubikey::Readers,
};
use crate::sitting::{Bench, bind::module, genesis::on_one_token, so_holder::write_plan};

const YKCS11: &str = "/usr/lib/x86_64-linux-gnu/libykcs11.so";
/// PIV's object for what the PIN protects.
const PRINTED: &str = "6275337";

/// Eight digits: YubiKeys take no more.
fn people() -> People {
    People { pin: "83950274".to_owned(), ..People::new() }
}

fn bytes(kept: &Value) -> Vec<u8> {
    serde_json::from_value(kept.clone()).unwrap()
}

/// What is found of these in the processes of a ceremony, on its screen and in its folders.
pub(super) fn found(search: &Search, sat: &Sat, bench: &Bench) -> Vec<String> {
    let mut found: Vec<String> =
        sat.keeper.kept().flat_map(|memory| memory.holds(search)).collect();
    found.extend(search.found(sat.screen.as_bytes()));
    search_folder(search, bench.scratch.path(), &mut found);
    found
}

/// The crate that drives it, and pcscd's library, have all of it in their buffers.
#[test]
fn nothing_that_opens_a_yubikey_is_left_by_the_process_that_drove_it() {
    if !may_mount("nothing_that_opens_a_yubikey_is_left_by_the_process_that_drove_it") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, 1001, "5.7.1");
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room_bound(&["officer-a"], |_| ("yubikey = 1001\n".to_owned(), String::new()));
    bench.write_plan(&on_one_token());
    let mut people = people();
    let sat = people.sit_beside(&bench, "genesis", |command| readers.beside(&command));
    looked_at("yubikey", &sat.keeper);
    let kept = readers.kept(1001);
    let (management, puk) = (bytes(&kept["management"]["key"]), bytes(&kept["puk"]));
    assert_eq!((management.len(), puk.len()), (24, 8));
    assert_ne!(puk, b"12345678");
    let drawn = [
        Searched { name: "management key".into(), bytes: management },
        Searched { name: "PUK".into(), bytes: puk },
    ];
    let search = Search::of(&[people.typed(), drawn.to_vec()].concat());
    // The control: behind its PIN the card has the very key.
    let behind = bytes(&kept["objects"][PRINTED]);
    assert_eq!(search.found(&behind), ["management key raw"]);
    assert_eq!(found(&search, &sat, &bench), [""; 0]);
}

/// What a module keeps of what its token was given goes with its process, and is in no other.
#[test]
fn what_a_seat_types_for_a_yubikey_by_ykcs11_is_left_in_no_process_but_its_own() {
    if !may_mount("what_a_seat_types_for_a_yubikey_by_ykcs11_is_left_in_no_process_but_its_own") {
        return;
    }
    let readers = Readers::new(1);
    let _card = readers.put_in(0, 1001, "5.4.3");
    let mut people = people();
    let change = ["yubico-piv-tool", "--action=change-pin", "--pin=123456"];
    readers.tool(&[&change[..], &[&format!("--new-pin={}", people.pin)]].concat());
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room_bound(&["officer-a"], |token| {
        let (bound, needs) = module(token, Path::new(YKCS11), "sockets = [\"/run/pcscd\"]\n");
        (format!("{bound}uri = \"pkcs11:serial=1001\"\n"), needs)
    });
    write_plan(&bench, &on_one_token(), &[("officer-a", "seat S")]);
    let (management, puk) = ("d1c2b3a495867768594a3b2c1d0efeeddccbbaa998877665", "64738291");
    people.instead = vec![
        (
            "management key that token",
            "010203040506070801020304050607080102030405060708".to_owned(),
        ),
        ("PUK that token", "12345678".to_owned()),
        ("new PUK for", puk.to_owned()),
        ("management key for token", management.to_owned()),
    ];
    let sat = people.sit_beside(&bench, "genesis", |command| readers.beside(&command));
    looked_at("yubikey by ykcs11", &sat.keeper);
    assert_eq!(bytes(&readers.kept(1001)["puk"]), puk.as_bytes());
    let search = Search::of(&[
        Searched { name: "PIN".into(), bytes: people.pin.clone().into() },
        Searched { name: "management key".into(), bytes: management.into() },
        Searched { name: "PUK".into(), bytes: puk.into() },
    ]);
    let found: BTreeSet<String> = found(&search, &sat, &bench).into_iter().collect();
    let elsewhere =
        found.iter().filter(|what| !what.starts_with("end /proc/self/exe child token: "));
    assert_eq!(elsewhere.collect::<Vec<_>>(), [""; 0]);
}
