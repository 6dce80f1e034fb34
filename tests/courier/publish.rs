//! From a real server to a signed chain and back, with the real clients as judges.

use std::collections::BTreeMap;
use std::fs;

use officiant::digest::Digest;
use officiant::request::Role;
use officiant::root::Dialect;

use super::genesis::{GUN, Genesis};
use super::made::{Soft, Wish, sign};
use super::{publish, said, text, trust};
use crate::harness::command::run;
use crate::harness::notary::NotaryServer;
use crate::harness::scratch::Scratch;

fn a_genesis_and_a_rotation_of_all_keys(server: impl Fn(&Scratch) -> NotaryServer) {
    let it = Genesis::new(server);
    let key = it.key_file();
    let ran = it.publish(&[&it.first], &["--targets-key", text(&key)]).ok();
    let targets = Digest::of(&it.served("targets.json").unwrap());
    assert_eq!(
        said(&ran),
        format!(
            "{GUN}: version 0 → 1, fetched back and equal\n  \
             `targets.json` version 1 with 0 targets signed for version 1: {targets}\n"
        )
    );
    it.list("early").ok();

    let fresh: Vec<Soft> = (0..3).map(|_| Soft::new()).collect();
    let fresh: Vec<&Soft> = fresh.iter().collect();
    let second = it.next(&it.first, &it.all(), &fresh, BTreeMap::new());
    let third = it.next(&second, &fresh, &it.all(), BTreeMap::new());
    let ran = it.publish(&[&it.first, &second, &third], &[]).ok();
    assert_eq!(said(&ran), format!("{GUN}: version 1 → 3, fetched back and equal\n"));
    assert_eq!(it.served("2.root.json").unwrap(), second.bytes());
    it.list("early").ok();
    it.list("late").ok();

    let again = it.publish(&[], &[]).ok();
    assert_eq!(said(&again), format!("{GUN}: version 3 was there already, byte for byte\n"));
    let inspected =
        run(it.server.docker(&it.scratch.folder("bob")).args(["trust", "inspect", GUN])).ok();
    assert!(inspected.stdout.contains("\"Name\": \"Root\""), "{}", inspected.stdout);
}

#[test]
fn a_genesis_and_a_rotation_go_up_to_a_server_with_keys_in_memory() {
    a_genesis_and_a_rotation_of_all_keys(NotaryServer::memory);
}

#[test]
fn a_genesis_and_a_rotation_go_up_to_a_server_with_a_signer() {
    a_genesis_and_a_rotation_of_all_keys(NotaryServer::with_signer);
}

#[test]
fn a_new_targets_key_goes_up_only_with_targets_that_it_signed() {
    let it = Genesis::new(NotaryServer::memory);
    let refused = it.publish(&[&it.first], &[]);
    assert_eq!(refused.code(), 1, "{}", refused.stderr);
    assert_eq!(
        refused.stderr,
        format!(
            "error: repository `{GUN}`: version 1 needs 1 of its targets keys to sign, 0 can [TARGETS-UNSIGNED]\n\
             hint: name the private targets key by `--targets-key`, where its owner publishes\n\
             nothing was published\n"
        )
    );
    let key = it.key_file();
    it.publish(&[&it.first], &["--targets-key", text(&key)]).ok();

    let fresh = Soft::new();
    let second =
        it.next(&it.first, &it.all(), &it.all(), [(Role::Targets, fresh.public.clone())].into());
    let refused = it.publish(&[&it.first, &second], &["--targets-key", text(&key)]);
    assert!(
        refused
            .stderr
            .contains("version 2 needs 1 of its targets keys to sign, 0 can [TARGETS-UNSIGNED]")
    );
    let sec1 = it.scratch.file("fresh-key.pem", fresh.sec1());
    let ran = it.publish(&[], &["--targets-key", text(&sec1)]).ok();
    let told = "`targets.json` version 2 with 0 targets signed for version 2: ";
    assert!(ran.stdout.contains(told), "{}", ran.stdout);
    it.list("new").ok();
}

/// Ways to write the second root of a repository that the server reads as the same and would not write itself. The
/// signatures hold: clients and servers verify what they read, not the bytes.
const DAMAGES: [(&str, Damage); 6] = [
    ("a line end", |it| second(it, DAY) + "\n"),
    ("upper case", |it| second(it, DAY).replace("\"method\":\"ecdsa\"", "\"method\":\"ECDSA\"")),
    ("blanks", |it| {
        let value: serde_json::Value = serde_json::from_str(&second(it, DAY)).unwrap();
        serde_json::to_string_pretty(&value).unwrap()
    }),
    ("an unknown field", |it| second(it, DAY).replacen("{\"signed\"", "{\"more\":1,\"signed\"", 1)),
    ("an offset", |it| second(it, "2034-01-02T03:04:05+00:00")),
    ("a long fraction", |it| second(it, "2034-01-02T03:04:05.500000000Z")),
];
type Damage = fn(&Genesis) -> String;
const DAY: &str = "2034-01-02T03:04:05Z";

fn second(it: &Genesis, expires: &str) -> String {
    let root = it.next_expiring(&it.first, expires);
    String::from_utf8(root.bytes().to_vec()).unwrap()
}

#[test]
fn a_damaged_root_is_refused_where_the_server_would_have_taken_it() {
    for (what, damage) in DAMAGES {
        // Each has a server of its own: nothing mends what it does.
        let it = Genesis::new(NotaryServer::memory);
        let key = it.key_file();
        it.publish(&[&it.first], &["--targets-key", text(&key)]).ok();
        let damaged = damage(&it);
        let path = trust(it.home(), &[(GUN, damaged.as_bytes())]);
        let refused = publish(&it.server, it.home(), &path, &[]);
        assert_eq!(refused.code(), 1, "{what}");
        assert_eq!(
            refused.stderr,
            format!(
                "error: repository `{GUN}`: version 2 is not byte for byte what the server writes [ROOT-BYTES]\n\
                 hint: publish what a ceremony closed, unchanged\n\
                 nothing was published\n"
            ),
            "{what}"
        );
        assert_eq!(it.served("2.root.json"), None, "{what}");
        it.list("early").ok();
        // The same bytes by curl: taken with 200, and then broken.
        it.upload_alone(damaged.as_bytes());
        assert_ne!(it.list("new").code(), 0, "{what}");
    }
    // Not so the root itself.
    let it = Genesis::new(NotaryServer::memory);
    let key = it.key_file();
    it.publish(&[&it.first], &["--targets-key", text(&key)]).ok();
    it.upload_alone(second(&it, DAY).as_bytes());
    it.list("new").ok();
}

#[test]
fn a_root_that_somebody_uploaded_alone_gets_its_targets_or_is_refused() {
    let it = Genesis::new(NotaryServer::memory);
    let key = it.key_file();
    it.publish(&[&it.first], &["--targets-key", text(&key)]).ok();
    let fresh = Soft::new();
    let roles = [(Role::Targets, fresh.public.clone())].into();
    let second = it.next(&it.first, &it.all(), &it.all(), roles);
    // The server takes it, does not look at its targets again, and every client refuses them.
    it.upload_alone(second.bytes());
    assert_ne!(it.list("new").code(), 0);
    let refused = it.publish(&[&second], &["--targets-key", text(&key)]);
    assert_eq!(
        refused.stderr,
        format!(
            "error: repository `{GUN}`: version 2 needs 1 of its targets keys to sign, 0 can [TARGETS-UNSIGNED]\n\
             hint: name the private targets key by `--targets-key`, where its owner publishes\n\
             nothing was published\n"
        )
    );
    // A root that changes nothing about it goes up, and says so.
    let third = it.next(&second, &it.all(), &it.all(), BTreeMap::new());
    let ran = it.publish(&[&third], &[]).ok();
    assert_eq!(
        said(&ran),
        format!(
            "{GUN}: version 2 → 3, fetched back and equal\n  \
             repository `{GUN}`: version 3 needs 1 of its targets keys to sign, 0 can [TARGETS-UNSIGNED]\n"
        )
    );
    let key = it.scratch.file("fresh-key.pem", fresh.pkcs8());
    let ran = it.publish(&[], &["--targets-key", text(&key)]).ok();
    let told = format!(
        "{GUN}: version 3 was there already, byte for byte\n  `targets.json` version 2 with 0 targets signed for version 3: "
    );
    assert!(said(&ran).starts_with(&told), "{ran:?}");
    it.list("new").ok();
}

#[test]
fn too_few_signatures_and_foreign_chains_are_refused() {
    let it = Genesis::new(NotaryServer::memory);
    let key = it.key_file();
    let more = ["--targets-key", text(&key)];
    it.publish(&[&it.first], &more).ok();
    let all = it.all();
    let strangers: Vec<Soft> = (0..3).map(|_| Soft::new()).collect();
    let strangers: Vec<&Soft> = strangers.iter().collect();

    let one = it.next(&it.first, &all[..1], &strangers, BTreeMap::new());
    let refused = it.publish(&[&it.first, &one], &[]);
    assert_eq!(refused.code(), 1);
    assert!(
        refused.stderr.starts_with(&format!(
            "error: repository `{GUN}`: version 2 has 1 of 2 signatures by the keys of version 1 [ROOT-THRESHOLD]\n"
        )),
        "{}",
        refused.stderr
    );
    let wish = Wish {
        gun: GUN,
        keys: &strangers,
        threshold: 2,
        roles: it
            .first
            .root()
            .role_keys(Role::Snapshot)
            .map(|(_, key)| (Role::Snapshot, key.public().unwrap().clone()))
            .chain(
                it.first
                    .root()
                    .role_keys(Role::Targets)
                    .map(|(_, key)| (Role::Targets, key.public().unwrap().clone())),
            )
            .chain(
                it.first
                    .root()
                    .role_keys(Role::Timestamp)
                    .map(|(_, key)| (Role::Timestamp, key.public().unwrap().clone())),
            )
            .collect(),
        days: 3000,
    };
    let other = sign(&wish.root(Dialect::Notary, None), &strangers, None);
    fs::remove_dir_all(it.home().join("trust")).unwrap();
    let refused = it.publish(&[&other], &[]);
    assert!(
        refused.stderr.starts_with(&format!(
            "error: repository `{GUN}`: the server's version 1 is not the trust folder's [PUBLISH-FORK]\n"
        )),
        "{}",
        refused.stderr
    );
}

#[test]
fn what_must_not_leave_is_refused() {
    let it = Genesis::new(NotaryServer::memory);
    let media = it.scratch.folder("media");
    let root = [(GUN, it.first.bytes())];
    trust(&media, &root);
    for (marker, words) in [
        ("in\n", "is marked `in`, expected `out` [MEDIA-KIND]"),
        ("room\n", "is marked `room`, expected `out` [MEDIA-KIND]"),
    ] {
        fs::write(media.join("officiant-media"), marker).unwrap();
        for path in [media.clone(), media.join("trust")] {
            let refused = publish(&it.server, it.home(), &path, &[]);
            assert_eq!(refused.code(), 1);
            assert!(refused.stderr.lines().next().unwrap().ends_with(words), "{}", refused.stderr);
            assert!(refused.stderr.ends_with("nothing was published\n"));
        }
    }
    fs::write(media.join("officiant-media"), "out\n").unwrap();
    fs::create_dir(media.join("custody")).unwrap();
    let refused = publish(&it.server, it.home(), &media, &[]);
    assert!(
        refused.stderr.contains("is a custody folder, which never leaves the room [MEDIA-KIND]")
    );
    fs::remove_dir(media.join("custody")).unwrap();

    let name = "rehearsal.invalid/demo";
    let rehearsed = trust(&it.scratch.folder("rehearsed"), &[(name, it.first.bytes())]);
    let refused = publish(&it.server, it.home(), &rehearsed, &[]);
    assert_eq!(refused.code(), 1);
    assert_eq!(
        refused.stderr.lines().next().unwrap(),
        format!("error: `{name}` is of a rehearsal [REHEARSAL]")
    );
}

#[test]
fn a_root_that_cuts_clients_off_is_refused() {
    let it = Genesis::new(NotaryServer::memory);
    let all = it.all();
    let roles = [Role::Snapshot, Role::Targets, Role::Timestamp].map(|role| {
        (role, it.first.root().role_keys(role).next().unwrap().1.public().unwrap().clone())
    });
    // Its certificates are of another repository.
    let wish = Wish {
        gun: "localhost:5000/other",
        keys: &all,
        threshold: 2,
        roles: roles.into(),
        days: 3000,
    };
    let root = sign(&wish.root(Dialect::Notary, None), &all, None);
    let key = it.key_file();
    let refused = it.publish(&[&root], &["--targets-key", text(&key)]);
    assert_eq!(refused.code(), 1);
    assert_eq!(
        refused.stderr,
        format!(
            "error: repository `{GUN}`: Notary client with no root is cut off: version 1: \
             no root certificate is valid for `{GUN}` [WALK]\n\
             hint: `officiant check` shows every client and every start\n\
             nothing was published\n"
        )
    );
}

#[test]
fn a_root_that_dies_of_its_certificates_is_refused() {
    let it = Genesis::new(NotaryServer::memory);
    let key = it.key_file();
    // Its certificates hold for 4000 days, and it for 3500.
    let all = it.all();
    let last = it.first.root();
    let own = |role: Role| (role, last.role_keys(role).next().unwrap().1.public().unwrap().clone());
    let roles = Role::ONLINE.map(own).into();
    let wish = Wish { gun: GUN, keys: &all, threshold: 2, roles, days: 3500 };
    let root = sign(&wish.root(Dialect::Notary, None), &all, None);
    let refused = it.publish(&[&root], &["--targets-key", text(&key)]);
    let first = refused.stderr.lines().next().unwrap();
    assert!(
        first.starts_with(&format!("error: repository `{GUN}`: version 1: the certificate of `")),
        "{first}"
    );
    assert!(first.contains(", less than two years after the root, which expires "), "{first}");
    assert!(first.ends_with(" [CERT-OUTLIVES-ROOT]"), "{first}");
    assert!(refused.stderr.ends_with("nothing was published\n"), "{}", refused.stderr);
}
