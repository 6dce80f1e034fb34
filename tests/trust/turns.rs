//! Docker with its engine, notary and courier in turn on one repository, whoever made it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::walkthrough::Walk;
use super::{digest_in, digest_of, lists_re_encode};
use crate::harness::command::run;
use crate::harness::engine;

const FIRST_USE: &str = "--trust-on-first-use";

/// Docker makes it, with a root key online, for a signer whose key courier made.
fn made_by_docker(walk: &Walk) -> (String, &'static str) {
    let gun = walk.registry.name("made/docker");
    walk.courier("bob", "key generate bob").ok();
    let add = ["trust", "signer", "add", "--key", "../bob/bob.pub", "bob", &gun];
    run(walk.docker("ada").args(add)).ok();
    (gun, "bob")
}

/// Notary makes it, and its publisher keeps the snapshot key; the signer's key is notary's.
fn made_by_notary(walk: &Walk) -> (String, &'static str) {
    let gun = walk.registry.name("made/notary");
    walk.notary("ada", &format!("init -p {gun}")).ok();
    walk.notary("ada", "key generate ecdsa -r eve -o eve").ok();
    // Docker says that it loads such a key, and does not.
    walk.courier("ada", "key load eve-key.pem --name eve").ok();
    walk.courier("ada", &format!("signer add eve {gun} --key eve.pem")).ok();
    (gun, "ada")
}

/// A ceremony makes it; the signer's key is docker's.
fn made_by_ceremony(walk: &Walk) -> (String, &'static str) {
    walk.hold_genesis();
    let gun = walk.gun.clone();
    run(walk.docker("carl").args(["trust", "key", "generate", "carl"])).ok();
    let add =
        format!("signer add carl {gun} --key ../carl/carl.pub --trust-folder ../media/out-1a");
    walk.courier("ada", &add).ok();
    (gun, "carl")
}

/// What docker says that each tag is, and who signed it.
fn tags(walk: &Walk, gun: &str) -> BTreeMap<String, (String, Vec<String>)> {
    let inspected = run(walk.docker("guest").args(["trust", "inspect", gun])).ok().stdout;
    let inspected: Value = serde_json::from_str(&inspected).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let tags = inspected[0]["SignedTags"].as_array().unwrap().iter().map(|tag| {
        let signers = tag["Signers"].as_array().unwrap().iter().map(text).collect();
        (text(&tag["SignedTag"]), (format!("sha256:{}", text(&tag["Digest"])), signers))
    });
    tags.collect()
}

/// The three sign in turn, see each other's tags, and take them back in turn.
fn take_turns(walk: &Walk, gun: &str, (who, signer): (&str, &str)) {
    let image = |tag: &str| format!("{gun}:{tag}");
    let docker = |verb: &[&str], tag: &str| {
        run(walk.docker(who).args(verb).arg(image(tag))).ok();
    };
    for tag in ["1", "4"] {
        walk.push(&image(tag));
    }
    walk.courier(who, &format!("sign {} {FIRST_USE}", image("1"))).ok();
    walk.engine.import(walk.docker(who), &image("2"), gun);
    docker(&["trust", "sign"], "2");
    let roles = format!("-r targets/releases -r targets/{signer}");
    let third = digest_of("3");
    walk.notary(who, &format!("addhash -p {gun} 3 528 --sha256 {third} {roles}")).ok();
    walk.courier(who, &format!("sign {}", image("4"))).ok();
    walk.engine.import(walk.docker(who), &image("5"), gun);
    let mut push = walk.docker(who);
    run(push.env("DOCKER_CONTENT_TRUST", "1").args(["push", &image("5")])).ok();

    let seen = tags(walk, gun);
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["1", "2", "3", "4", "5"], "{gun}");
    let listed = walk.notary("guest", &format!("list {gun}")).ok().stdout;
    for (tag, (digest, signers)) in &seen {
        let verified = walk.courier("guest", &format!("verify {} {FIRST_USE}", image(tag))).ok();
        assert_eq!(
            (digest_in(&verified.stdout), &signers[..]),
            (digest.clone(), &[signer.to_owned()][..])
        );
        assert!(listed.contains(&digest["sha256:".len()..]), "{listed}");
        if tag != "3" {
            assert!(walk.pull("guest", &image(tag)).ok().stdout.contains(digest), "{tag}");
        }
    }

    docker(&["trust", "revoke", "--yes"], "1");
    walk.courier(who, &format!("revoke {}", image("2"))).ok();
    walk.notary(who, &format!("remove -p {gun} 4 {roles}")).ok();
    walk.courier(who, &format!("revoke {}", image("3"))).ok();
    assert_eq!(tags(walk, gun).keys().collect::<Vec<_>>(), ["5"], "{gun}");
    assert_eq!(walk.pull("guest", &image("1")).stderr, "No valid trust data for 1\n");
    let listed = walk.courier("guest", &format!("list {gun} --json")).ok().stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["targets"].as_array().unwrap().len(), 1, "{listed}");
    // What one took back another signs again.
    walk.courier(who, &format!("sign {}", image("1"))).ok();
    docker(&["trust", "sign"], "2");
    assert_eq!(tags(walk, gun).keys().collect::<Vec<_>>(), ["1", "2", "5"], "{gun}");
}

#[test]
fn docker_notary_and_courier_sign_and_revoke_in_turn_whoever_made_the_repository() {
    let test = "docker_notary_and_courier_sign_and_revoke_in_turn_whoever_made_the_repository";
    if !engine::may_start(test) {
        return;
    }
    let walk = Walk::begin();
    let (gun, who) = made_by_docker(&walk);
    take_turns(&walk, &gun, (who, "bob"));
    let (gun, who) = made_by_notary(&walk);
    take_turns(&walk, &gun, (who, "eve"));
    let (gun, who) = made_by_ceremony(&walk);
    take_turns(&walk, &gun, (who, "carl"));
    assert!(lists_re_encode(walk.journey.bench.scratch.path()) > 9);
}
