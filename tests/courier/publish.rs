//! From a real server to a signed chain and back, with the real clients as judges.

use std::collections::BTreeMap;
use std::fs;

use officiant::request::Role;
use officiant::root::Dialect;

use super::genesis::{GUN, Genesis};
use super::made::{Soft, Wish, sign};
use super::{fetch, publish, request, text, trust};
use crate::harness::command::{command, run};
use crate::harness::notary::NotaryServer;
use crate::harness::scratch::Scratch;

fn a_genesis_and_a_rotation_of_all_keys(server: impl Fn(&Scratch) -> NotaryServer) {
    let it = Genesis::new(server);
    let key = it.key_file();
    let ran = it.publish(&[&it.first], &["--targets-key", text(&key)]).ok();
    assert_eq!(
        ran.stdout,
        format!(
            "{GUN}: version 0 → 1, fetched back and equal\n  `targets.json` signed for version 1\n"
        )
    );
    it.list("early").ok();

    let fresh: Vec<Soft> = (0..3).map(|_| Soft::new()).collect();
    let fresh: Vec<&Soft> = fresh.iter().collect();
    let second = it.next(&it.first, &it.all(), &fresh, BTreeMap::new());
    let third = it.next(&second, &fresh, &it.all(), BTreeMap::new());
    let ran = it.publish(&[&it.first, &second, &third], &[]).ok();
    assert_eq!(ran.stdout, format!("{GUN}: version 1 → 3, fetched back and equal\n"));
    assert_eq!(it.served("2.root.json").unwrap(), second.bytes());
    it.list("early").ok();
    it.list("late").ok();

    let again = it.publish(&[], &[]).ok();
    assert_eq!(again.stdout, format!("{GUN}: version 3 was there already, byte for byte\n"));
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
    assert_eq!(refused.code(), 1);
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
    assert!(ran.stdout.contains("`targets.json` signed for version 2"), "{}", ran.stdout);
    it.list("new").ok();
}

/// Each of these the server takes with 200, and is then broken for every client (facts of the API).
#[test]
fn a_damaged_root_is_refused_where_the_server_would_have_taken_it() {
    let it = Genesis::new(NotaryServer::memory);
    let key = it.key_file();
    let good = String::from_utf8(it.first.bytes().to_vec()).unwrap();
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&good).unwrap())
            .unwrap();
    for damaged in
        [format!("{good}\n"), good.replace("\"method\":\"ecdsa\"", "\"method\":\"ECDSA\""), pretty]
    {
        let path = trust(it.home(), &[(GUN, damaged.as_bytes())]);
        let refused = publish(&it.server, it.home(), &path, &["--targets-key", text(&key)]);
        assert_eq!(refused.code(), 1);
        assert_eq!(
            refused.stderr,
            format!(
                "error: repository `{GUN}`: version 1 is not byte for byte what the server writes [ROOT-BYTES]\n\
                 hint: publish what a ceremony closed, unchanged\n\
                 nothing was published\n"
            )
        );
    }
    assert_eq!(it.served("root.json"), None);
    // The same bytes by curl: taken, and broken.
    it.publish(&[&it.first], &["--targets-key", text(&key)]).ok();
    let second = it.next(&it.first, &it.all(), &it.all(), BTreeMap::new());
    let damaged = it.scratch.file("damaged", [second.bytes(), b"\n"].concat());
    let mut curl = command("curl", it.home());
    let form = format!("files=@{};filename=root", damaged.display());
    let url = format!("{}/v2/{GUN}/_trust/tuf/", it.server.url());
    run(curl.args(["-sf", "--cacert"]).arg(it.server.ca()).args(["-F", &form, &url])).ok();
    assert_ne!(it.list("new").code(), 0);
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
fn a_fleet_goes_up_together_or_not_at_all() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let targets = Soft::new();
    let public = scratch.file("targets.pem", targets.public.to_pem());
    let private = scratch.file("key.pem", targets.pkcs8());
    let names: Vec<String> = (1..=24).map(|n| format!("localhost:5000/fleet/{n}")).collect();
    let list = scratch.file("names", names.join("\n"));
    let media = scratch.folder("in");
    let more = ["--list", text(&list), "--targets-key", text(&public), "--jobs", "4"];
    fetch(&server, scratch.path(), &media, &more).ok();
    let request = request(&media.join("request"));
    let keys: Vec<Soft> = (0..2).map(|_| Soft::new()).collect();
    let keys: Vec<&Soft> = keys.iter().collect();
    let root = |(name, repository): (&officiant::name::Name, &officiant::request::Repository)| {
        let roles = repository.keys.iter().map(|(role, keys)| (*role, keys[0].clone())).collect();
        let wish = Wish { gun: name.as_str(), keys: &keys, threshold: 2, roles, days: 3000 };
        (name.to_string(), sign(&wish.root(Dialect::Notary, None), &keys, None))
    };
    let roots: Vec<_> = request.repositories.iter().map(root).collect();
    let mut files: Vec<_> =
        roots.iter().map(|(n, root)| (n.as_str(), root.bytes().to_vec())).collect();
    files[17].1.push(b'\n');
    let lay = |files: &[(&str, Vec<u8>)]| {
        trust(scratch.path(), &files.iter().map(|(n, b)| (*n, b.as_slice())).collect::<Vec<_>>())
    };
    let folder = lay(&files);
    let refused = publish(&server, scratch.path(), &folder, &["--targets-key", text(&private)]);
    assert_eq!(refused.code(), 1);
    assert!(refused.stderr.contains("[ROOT-BYTES]"), "{}", refused.stderr);
    assert!(refused.stderr.ends_with("nothing was published\n"));
    let bob = scratch.folder("bob");
    assert_ne!(run(server.notary(&bob).args(["list", &names[0]])).code(), 0);

    files[17].1.pop();
    let folder = lay(&files);
    let more = ["--targets-key", text(&private), "--json"];
    let ran = publish(&server, scratch.path(), &folder, &more).ok();
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let published = said["published"].as_array().unwrap();
    assert_eq!(published.len(), 24);
    assert!(published.iter().all(|one| one["before"] == 0 && one["now"] == 1));
    for name in [&names[0], &names[23]] {
        run(server.notary(&bob).args(["list", name])).ok();
    }
    let only = publish(&server, scratch.path(), &folder, &["--repository", &names[3]]).ok();
    assert_eq!(only.stdout, format!("{}: version 1 was there already, byte for byte\n", names[3]));
    let none = publish(&server, scratch.path(), &folder, &["--repository", "other"]);
    assert_eq!(none.code(), 2);
    assert!(none.stderr.starts_with("error: repository `other` is not in the trust folder\n"));
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
