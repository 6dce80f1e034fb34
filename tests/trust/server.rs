//! Keys that the server makes anew, and repositories that are begun: what `courier server` and `courier init` fetch for a
//! ceremony.

use officiant::root::Role;

use super::offline::Offline;
use super::{GUN, digest_of};
use crate::e2e::genesis::TOKENS;
use crate::e2e::rotate::rotation;
use crate::sitting::{Holding, PlanText, genesis};

/// The ids that the newest root has for a role.
fn ids(offline: &Offline, role: Role) -> Vec<String> {
    let root = offline.journey.newest();
    root.root().role_keys(role).map(|(id, _)| id.to_string()).collect()
}

/// Everybody signs and reads on: who was there before, and who comes now.
#[track_caller]
fn all_go_on(offline: &Offline, tag: &str) {
    let digest = digest_of(tag);
    let (ours, theirs) = (format!("ours-{tag}"), format!("theirs-{tag}"));
    let line = format!("add {GUN} {ours} --sha256 {digest} --length 528 --trust-on-first-use");
    offline.courier("ada", &line).ok();
    let line = format!("addhash -p {GUN} {theirs} 528 --sha256 {digest}");
    offline.notary("ada", &line).ok();
    for who in ["before", tag] {
        offline.courier(who, &format!("verify {GUN}:{theirs} --trust-on-first-use")).ok();
        let listed = offline.notary(who, &format!("list {GUN}")).ok().stdout;
        let inspected = offline.trust(who, &format!("inspect {GUN}")).ok().stdout;
        for tag in [&ours, &theirs] {
            assert!(listed.contains(tag) && inspected.contains(tag), "{listed}\n{inspected}");
        }
    }
}

#[test]
fn keys_that_the_server_made_anew_go_into_the_root_by_ceremonies_and_all_go_on() {
    let mut offline = Offline::of(GUN);
    offline.hold_genesis();
    all_go_on(&offline, "1");
    let first = [ids(&offline, Role::Timestamp), ids(&offline, Role::Snapshot)];

    // The root keys stay as they are.
    offline.journey.bench.next_room();
    let said =
        offline.courier("ada", &format!("server rotate-key {GUN} timestamp --out ../media/in-2"));
    let said = said.ok().stdout;
    let made = said.split_whitespace().nth(1).unwrap().to_owned();
    assert!(
        said.ends_with("next      a plan for `renew` or `rotate` in which `timestamp` gets its keys from the request\n"),
        "{said}"
    );
    // Until the ceremony all is as before.
    all_go_on(&offline, "2");
    offline.plan(&PlanText {
        ceremony: "renew",
        after: Some(offline.journey.bench.closing(1)),
        keys: Vec::new(),
        roles: vec![Role::Timestamp],
        ..genesis::on_tokens()
    });
    offline.conduct(&TOKENS);
    assert_eq!(ids(&offline, Role::Timestamp), [made]);
    assert_eq!(ids(&offline, Role::Snapshot), first[1]);
    all_go_on(&offline, "3");

    // The root keys give way at the same time.
    offline.journey.bench.next_room();
    offline.courier("ada", &format!("server rotate-key {GUN} snapshot --out ../media/in-3")).ok();
    let keys = vec![
        ("root-d", "ecdsa-p256", Holding::Token("later-a")),
        ("root-e", "ecdsa-p256", Holding::Token("later-b")),
    ];
    offline.plan(&PlanText { roles: vec![Role::Snapshot], ..rotation(&offline.journey, keys) });
    offline.conduct(&["officer-a", "officer-b", "officer-c", "later-a", "later-b"]);
    assert_ne!(ids(&offline, Role::Timestamp), first[0]);
    assert_ne!(ids(&offline, Role::Snapshot), first[1]);
    all_go_on(&offline, "4");
}

#[test]
fn a_repository_is_begun_once_and_by_one_key() {
    let offline = Offline::of(GUN);
    let init = |out: &str| offline.courier("ada", &format!("init {GUN} --out ../media/{out}"));
    let first = init("in-1").ok().stdout;
    let (key, made) = first.lines().next().unwrap().rsplit_once(", ").unwrap();
    assert_eq!(made, "made");
    let again = init("in-1");
    assert_eq!(
        again.stderr.lines().next().unwrap(),
        "error: `../media/in-1/request` already exists with other content [MEDIA-OWN]"
    );
    offline.home("media/in-again");
    let again = init("in-again").ok().stdout;
    assert_eq!(again.lines().next().unwrap(), format!("{key}, found"));
    offline.plan(&genesis::on_tokens());
    offline.prove("ada");
    offline.conduct(&TOKENS);
    offline.home("media/in-later");
    let refused = init("in-later");
    assert_eq!(
        (refused.code(), refused.stderr),
        (
            1,
            format!(
                "error: repository `{GUN}` has trust data on the server already, version 1 of its root\n\
                 hint: a root that is there goes offline by a plan for `rotate`: `courier fetch`\n\
                 nothing was trusted and nothing was changed\n"
            )
        )
    );
}
