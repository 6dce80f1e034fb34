//! What people bring in files: a key and its passphrase, identities of `age`.

use std::fs;

use data_encoding::BASE64;
use officiant::{key::file::scalar, root::Dialect};

use super::yubikey::found;
use super::{People, looked_at, pieces};
use crate::harness::{
    command::{LIMIT, command, run_with},
    memory::{Search, Searched},
};
use crate::sitting::{
    Bench,
    bad_root::{adopting, certified, first},
    identity::{among_people, identity},
};

/// Writes a key as OpenSSL encrypts it; in plain it goes through no file.
fn write_key(bench: &Bench, der: &[u8], passphrase: &str) {
    let plain = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        BASE64
            .encode(der)
            .as_bytes()
            .chunks(64)
            .map(String::from_utf8_lossy)
            .collect::<Vec<_>>()
            .join("\n")
    );
    let mut openssl = command("openssl", bench.scratch.path());
    openssl.args(["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-out", "old.pem", "-passout"]);
    run_with(openssl.arg(format!("pass:{passphrase}")), &plain, LIMIT).ok();
}

#[test]
fn nothing_of_a_key_from_a_file_is_left_in_memory_or_written() {
    let mut old = Vec::new();
    let bench = adopting(|bench, owner| {
        old = owner.pkcs8();
        first(bench, owner, vec![certified(owner, 1, (-1, 3000))], 900).bytes().to_vec()
    });
    let plan = fs::read_to_string(bench.path("plan-1.toml")).unwrap();
    let (before, after) = plan.split_once("token = \"officer-a\"\nadopt = ").unwrap();
    let shares = "shares = { threshold = 2, tokens = [\"officer-a\", \"officer-b\"] }\n";
    bench.lay_plan(&format!("{before}{shares}import = {after}"), &[]);
    let mut people = People::new();
    let passphrase = ["passphrase", "of", "the", "old", &people.pin].join("-");
    write_key(&bench, &old, &passphrase);
    people.instead = vec![
        ("path of the file", "old.pem".to_owned()),
        ("passphrase of the file", passphrase.clone()),
    ];
    let sat = people.sit(&bench, "import");
    looked_at("import", &sat.keeper);
    let key = scalar(&old).unwrap();
    let mut secrets = vec![
        Searched { name: "PIN".into(), bytes: people.pin.clone().into() },
        Searched { name: "passphrase".into(), bytes: passphrase.into() },
    ];
    secrets.extend(pieces("the key", key.expose()));
    let search = Search::of(&secrets);
    // The control: the key stands in its plain form as it is searched for.
    assert_eq!(search.found(&old), ["the key, piece 0, raw", "the key, piece 1, raw"]);
    assert_eq!(found(&search, &sat, &bench), [""; 0]);
}

/// One identity is typed unseen, the other read from its file; shares stay those of papers in the search of all kinds.
#[test]
fn nothing_of_an_identity_is_left_in_memory_or_written() {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&["share-1"]);
    let file = identity(&bench, "lawyer");
    let typed = identity(&bench, "notary");
    bench.write_plan(&among_people());
    let mut people = People::new();
    people.instead = vec![
        ("own media for the sealed share", "none".to_owned()),
        ("path of the identity file of lawyer", "lawyer.txt".to_owned()),
        ("path of the identity file of notary", "type".to_owned()),
        ("sealed share of key", "custody".to_owned()),
        ("identity of notary", typed.clone()),
    ];
    let sat = people.sit(&bench, "identities");
    looked_at("identities", &sat.keeper);
    let search = Search::of(&[
        Searched { name: "PIN".into(), bytes: people.pin.clone().into() },
        Searched { name: "identity from a file".into(), bytes: file.clone().into() },
        Searched { name: "identity that was typed".into(), bytes: typed.clone().into() },
    ]);
    // The control: the very files that people brought.
    let there = found(&search, &sat, &bench);
    assert_eq!(there.len(), 2, "{there:?}");
    assert!(there.iter().all(|what| what.contains("lawyer.txt") || what.contains("notary.txt")));
}
