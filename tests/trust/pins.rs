//! What a pin, a trust folder and the cache make of each other, and of the chains of strangers.

use std::fs;
use std::path::PathBuf;

use officiant::root::certificate::Bundle;
use officiant::root::{Key, KeyId, SignedRoot};
use serde_json::json;

use super::proxy::{Proxy, State, cache, refused};
use super::publisher::{Publisher, plain};
use super::roots::right;
use super::{GUN, Team, cached};
use crate::courier::folder::trust;
use crate::courier::made::{Soft, sign};
use crate::harness::command::{command, run};
use crate::harness::scratch::Scratch;

/// The id of the first root key of a root, as notary pins it.
fn id(root: &SignedRoot, key: &Soft) -> KeyId {
    root.root().root_key_id(&key.public).unwrap().clone()
}

/// A configuration of notary's with these pins, and the line that verifies by it.
fn pinned(scratch: &Scratch, pinning: &serde_json::Value) -> String {
    let config = json!({ "trust_pinning": pinning }).to_string();
    let file = scratch.file("pins/config.json", config);
    format!("--pins {} {GUN}:1.0", file.display())
}

fn not_pinned() -> String {
    format!(
        "error: repository `{GUN}`: no root on the server is signed by the keys that are pinned for it [TRUST-ANCHOR]"
    )
}

fn no_anchor() -> String {
    format!(
        "error: repository `{GUN}`: nothing says which root is its own: no pin, no trust cache, no trust folder [TRUST-ANCHOR]"
    )
}

#[test]
fn a_pin_is_of_a_name_or_of_all_that_begin_so_and_the_longest_decides() {
    let scratch = Scratch::new();
    let mut own = Publisher::new();
    let proxy = Proxy::showing(&own.state());
    let key = &own.roots[0];
    let (good, canonical) = (id(&own.chain[0], key), plain(key).id().clone());
    let (good, canonical) = (good.as_str(), canonical.as_str());
    let bad = "00".repeat(32);
    for (certs, told) in [
        (json!({ GUN: [good] }), None),
        (json!({ GUN: [canonical] }), None),
        (json!({ GUN: [bad, good] }), None),
        (json!({ "localhost:5000/*": [good] }), None),
        (json!({ "*": [good] }), None),
        (json!({ "localhost:5000/admin/*": [good], "localhost:5000/*": [bad] }), None),
        (json!({ GUN: [good], "localhost:5000/admin/*": [bad] }), None),
        (json!({ GUN: [bad] }), Some(not_pinned())),
        (json!({ GUN: [] }), Some(not_pinned())),
        (json!({ GUN: [bad], "localhost:5000/*": [good] }), Some(not_pinned())),
        (
            json!({ "localhost:5000/admin/*": [bad], "localhost:5000/*": [good] }),
            Some(not_pinned()),
        ),
        (json!({ "localhost:5000/admin/demo2": [good] }), Some(no_anchor())),
        (json!({ "localhost:5000/admin": [good] }), Some(no_anchor())),
    ] {
        let home = scratch.folder("home");
        let line = pinned(&scratch, &json!({ "certs": certs }));
        match told {
            None => proxy.gives(&home, &line, &right()),
            Some(first) => proxy.is_refused(&home, &line, 1, &first),
        }
        fs::remove_dir_all(home).unwrap();
    }
    // A pin that fits the name is asked even where first use would do, and may forbid it.
    let home = scratch.folder("first");
    let line = pinned(&scratch, &json!({ "certs": { GUN: [bad] } }));
    proxy.is_refused(&home, &format!("--trust-on-first-use {line}"), 1, &not_pinned());
    let line = pinned(&scratch, &json!({ "disable_tofu": true }));
    proxy.is_refused(&home, &format!("--trust-on-first-use {line}"), 1, &no_anchor());
}

#[test]
fn as_many_pinned_keys_as_must_sign_have_signed() {
    let scratch = Scratch::new();
    let mut own = Publisher::new();
    own.rotate_to(vec![Soft::new(), Soft::new(), Soft::new()], 2);
    let proxy = Proxy::showing(&own.state());
    let ids: Vec<KeyId> = own.roots.iter().map(|key| id(&own.chain[1], key)).collect();
    let line = pinned(&scratch, &json!({ "certs": { GUN: [ids[0].as_str()] } }));
    proxy.is_refused(&scratch.folder("one"), &line, 1, &not_pinned());
    let line = pinned(&scratch, &json!({ "certs": { GUN: [ids[0].as_str(), ids[2].as_str()] } }));
    proxy.gives(&scratch.folder("two"), &line, &right());
}

#[test]
fn from_a_pinned_root_a_client_goes_on_to_the_newest() {
    let scratch = Scratch::new();
    let mut own = Publisher::new();
    let first = id(&own.chain[0], &own.roots[0]);
    own.rotate();
    own.rotate();
    let state = own.state();
    let proxy = Proxy::showing(&state);
    let home = scratch.folder("cold");
    let line = pinned(&scratch, &json!({ "certs": { GUN: [first.as_str()] } }));
    let ran = proxy.verify(&home, &format!("--json {line}")).ok();
    assert!(ran.stdout.contains("\"root\":3,\"trusted_by\":\"a pin\""), "{}", ran.stdout);
    // And again, from a cache that no pin names.
    proxy.gives(&home, &line, &right());
    // Whoever has the keys of today, and not the pinned ones, leads nowhere.
    let mut other = Publisher::new();
    other.rotate();
    let mut mixed = other.state();
    for file in ["1.root.json", "2.root.json"] {
        mixed.0.insert(file.to_owned(), state.0[file].clone());
    }
    mixed.0.insert("3.root.json".to_owned(), text(&other.chain[1]));
    mixed.0.insert("root.json".to_owned(), text(&own.chain[2]));
    proxy.show(&mixed);
    let cold = scratch.folder("colder");
    refused(
        &proxy.verify(&cold, &line),
        1,
        &format!(
            "error: repository `{GUN}`: the root does not hold: version 3: 0 of the keys before it count, they need 1 [WALK]"
        ),
    );
}

fn text(root: &SignedRoot) -> String {
    String::from_utf8(root.bytes().to_vec()).unwrap()
}

#[test]
fn the_whole_chain_of_a_stranger_is_refused_by_pin_trust_folder_and_cache() {
    let scratch = Scratch::new();
    let (mut own, mut stranger) = (Publisher::new(), Publisher::new());
    let (honest, evil) = (own.state(), stranger.state());
    let pin = id(&own.chain[0], &own.roots[0]);
    let pin = pinned(&scratch, &json!({ "certs": { GUN: [pin.as_str()] } }));
    let folder = trust(scratch.path(), &[(GUN, own.chain[0].bytes())]);
    let folder = format!("--trust-folder {} {GUN}:1.0", folder.display());
    let proxy = Proxy::showing(&honest);
    for line in [&pin, &folder] {
        let home = scratch.folder("fresh");
        proxy.show(&evil);
        match line == &pin {
            true => proxy.is_refused(&home, line, 1, &not_pinned()),
            // The root of the folder is trusted, whatever the server does.
            false => {
                refused(&proxy.verify(&home, line), 1, &unsigned("timestamp"));
                let root = cached(&home, GUN, "root");
                assert!(cache(&home) == [(root, own.chain[0].bytes().to_vec())].into());
            }
        }
        proxy.show(&honest);
        proxy.gives(&home, line, &right());
        // It has a cache now.
        proxy.show(&evil);
        proxy.is_refused(&home, &format!("{GUN}:1.0"), 1, &unsigned("timestamp"));
        fs::remove_dir_all(home).unwrap();
    }
    // Who let a stranger's first showing do is told, once a pin or a trust folder says otherwise.
    for (line, whose) in [(&pin, "a pin"), (&folder, "the trust folder")] {
        let home = scratch.folder("misled");
        proxy.show(&evil);
        proxy.verify(&home, &format!("--trust-on-first-use {GUN}:1.0")).ok();
        proxy.show(&honest);
        proxy.is_refused(
            &home,
            line,
            1,
            &format!(
                "error: repository `{GUN}`: version 1 of the root in the trust cache is not the one that {whose} leads to [TRUST-ANCHOR]"
            ),
        );
        fs::remove_dir_all(home).unwrap();
    }
    let other = format!(
        "--trust-folder {} localhost:5000/other:1.0",
        scratch.path().join("trust").display()
    );
    let ran = proxy.verify(&scratch.folder("fresh"), &other);
    let folder = scratch.path().join("trust");
    refused(
        &ran,
        2,
        &format!(
            "error: the trust folder `{}` has no root of `localhost:5000/other`",
            folder.display()
        ),
    );
}

fn unsigned(role: &str) -> String {
    format!(
        "error: repository `{GUN}`: what the server has for `{role}` is not signed by the keys that are named for it [TRUST-SERVED]"
    )
}

#[test]
fn a_chain_that_leaves_the_cache_aside_is_refused() {
    let scratch = Scratch::new();
    let mut own = Publisher::new();
    let folder = trust(scratch.path(), &[(GUN, own.chain[0].bytes())]);
    let line = format!("--trust-folder {} {GUN}:1.0", folder.display());
    // The owner of the first root's key makes two second ones.
    let [one, two] = [(), ()].map(|()| {
        let root = own.root(&[&own.roots[0]], 1);
        let (last, key) = (own.chain[0].root().clone(), &own.roots[0]);
        sign(&root, &[key], Some((&last, &[key])))
    });
    assert_ne!(one, two);
    let early = own.state();
    own.chain.push(one);
    let proxy = Proxy::showing(&own.state());
    let home = scratch.folder("warm");
    proxy.gives(&home, &line, &right());
    own.chain[1] = two;
    proxy.show(&own.state());
    proxy.is_refused(
        &home,
        &line,
        1,
        &format!(
            "error: repository `{GUN}`: version 2 of the root in the trust cache is not the one that the trust folder leads to [TRUST-ANCHOR]"
        ),
    );
    // Hidden, it is missed.
    proxy.show(&early);
    proxy.is_refused(
        &home,
        &line,
        1,
        &format!(
            "error: repository `{GUN}`: the server has `root` version 1, version 2 was seen before [TRUST-ROLLBACK]"
        ),
    );
}

/// An authority, an intermediate of it, and a certificate of that for a key, as openssl makes them: `ca.crt` and the
/// bundle of the other two.
fn certified(scratch: &Scratch, name: &str, key: &Soft) -> (PathBuf, Key) {
    let folder = scratch.folder(name);
    scratch.file(&format!("{name}/key.pem"), key.pkcs8());
    scratch.file(
        &format!("{name}/leaf"),
        "basicConstraints=critical,CA:FALSE\nkeyUsage=digitalSignature\n",
    );
    scratch.file(
        &format!("{name}/between"),
        "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n",
    );
    let new = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -sha256";
    for line in [
        format!("{new} -x509 -days 90 -subj /CN=authority -keyout ca.key -out ca.crt"),
        format!("{new} -subj /CN=between -keyout between.key -out between.csr"),
        "x509 -req -in between.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 80 -sha256 -extfile between -out between.crt".to_owned(),
        format!("req -new -key key.pem -subj /CN={} -out leaf.csr", GUN.replace('/', "\\/")),
        "x509 -req -in leaf.csr -CA between.crt -CAkey between.key -CAcreateserial -days 70 -sha256 -extfile leaf -out leaf.crt".to_owned(),
    ] {
        run(command("openssl", &folder).args(line.split_whitespace())).ok();
    }
    let pem =
        ["leaf.crt", "between.crt"].map(|file| fs::read_to_string(folder.join(file)).unwrap());
    (folder.join("ca.crt"), Key::certificate(&Bundle::read(&pem.concat()).unwrap()))
}

#[test]
fn an_authority_vouches_for_root_keys_through_its_intermediates_and_no_other_does() {
    let scratch = Scratch::new();
    let mut own = Publisher::new();
    let (ca, key) = certified(&scratch, "right", &own.roots[0]);
    let (other, _) = certified(&scratch, "wrong", &own.roots[0]);
    own.chain.clear();
    let root = own.root_of(vec![key], 1);
    own.chain.push(sign(&root, &[&own.roots[0]], None));
    let proxy = Proxy::showing(&own.state());
    let begin = "localhost:5000/";
    for (pins, told) in [
        (json!({ "ca": { begin: ca } }), None),
        (json!({ "ca": { begin: other, GUN: ca } }), None),
        (json!({ "ca": { begin: other } }), Some(not_pinned())),
        (json!({ "ca": { begin: ca, GUN: other } }), Some(not_pinned())),
        // Ids go before authorities.
        (json!({ "ca": { begin: ca }, "certs": { GUN: ["00"] } }), Some(not_pinned())),
    ] {
        let home = scratch.folder("home");
        let line = pinned(&scratch, &pins);
        match told {
            None => proxy.gives(&home, &line, &right()),
            Some(first) => proxy.is_refused(&home, &line, 1, &first),
        }
        fs::remove_dir_all(home).unwrap();
    }
    let line = pinned(&scratch, &json!({ "ca": { begin: "none.crt" } }));
    let file = scratch.path().join("pins/config.json");
    let first = format!(
        "error: `{}`: `{}` holds no certificate authority in PEM",
        file.display(),
        scratch.path().join("pins/none.crt").display()
    );
    proxy.is_refused(&scratch.folder("home"), &line, 2, &first);
}

#[test]
fn notary_with_the_same_configuration_says_the_same() {
    let team = Team::new();
    team.made_by_notary("ada", GUN, "1.0");
    let state = State::recorded(&team.server, &team.home("ada"), GUN);
    let root: serde_json::Value = serde_json::from_str(&state.0["root.json"]).unwrap();
    let good = root["signed"]["roles"]["root"]["keyids"][0].as_str().unwrap();
    let bad = "00".repeat(32);
    for (number, (pinning, is_trusted)) in [
        (json!({ "certs": { GUN: [good] } }), true),
        (json!({ "certs": { "localhost:5000/*": [good] } }), true),
        (json!({ "certs": { GUN: [good], "localhost:5000/*": [bad] } }), true),
        (json!({ "certs": { GUN: [bad] } }), false),
        (json!({ "certs": { "localhost:5000/*": [good], "localhost:5000/ad*": [bad] } }), false),
        (json!({ "disable_tofu": true }), false),
    ]
    .into_iter()
    .enumerate()
    {
        let (old, new) = (format!("old-{number}"), format!("new-{number}"));
        let config = json!({ "trust_pinning": pinning }).to_string();
        let file =
            |who: &str| -> PathBuf { team.scratch.file(&format!("{who}/config.json"), &config) };
        let line = format!("-c {} lookup {GUN} 1.0", file(&old).display());
        let notary = team.notary(&old, &line);
        let line = format!("verify --trust-on-first-use --pins {} {GUN}:1.0", file(&new).display());
        let courier = team.courier(&new, &line);
        let ends = [notary.status.success(), courier.status.success()];
        assert_eq!(ends, [is_trusted; 2], "{config}\n{}\n{}", notary.stderr, courier.stderr);
    }
}
