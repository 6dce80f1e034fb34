//! Mixed teams without an engine: docker, notary and courier on the same roles, on snapshot keys that a publisher keeps,
//! on changes that were staged, and at the same instant.

use std::thread;

use super::{GUN, Team, agreed, digest_of, lists_re_encode};
use crate::harness::command::{command, run};

/// The lines of what was said that hold `text`.
fn lines<'a>(said: &'a str, text: &str) -> Vec<&'a str> {
    said.lines().filter(|line| line.contains(text)).collect()
}

/// What notary adds with a digest; to which roles is said in `more`.
fn addhash(tag: &str, more: &str) -> String {
    format!("addhash {GUN} {tag} 528 --sha256 {} {more}", digest_of(tag))
}

/// What courier adds with the same.
fn add(tag: &str, more: &str) -> String {
    format!("add {GUN} {tag} --sha256 {} --length 528 {more}", digest_of(tag))
}

/// The tags that notary lists for somebody.
fn listed(team: &Team, who: &str) -> Vec<String> {
    let listed = team.notary(who, &format!("list {GUN}")).ok().stdout;
    let rows = listed.lines().filter(|line| line.contains("528"));
    rows.map(|row| row.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn who_keeps_the_snapshot_key_signs_it_too_and_who_has_it_not_is_told() {
    the_snapshot_key_is_kept(&Team::new());
    the_snapshot_key_is_kept(&Team::with_signer());
}

fn the_snapshot_key_is_kept(team: &Team) {
    team.notary("ada", &format!("init -p {GUN}")).ok();
    team.courier("ada", &add("1", "")).ok();
    team.notary("ada", &addhash("2", "-p")).ok();
    team.courier("ada", &add("3", "")).ok();
    team.key("bob");
    team.courier("ada", &format!("signer add bob {GUN} --key ../bob/bob.pub")).ok();
    let sign = format!("{} --trust-on-first-use", add("4", "--role targets/releases"));
    let ran = team.courier("bob", &sign);
    assert_eq!(
        ran.stderr,
        format!(
            "error: repository `{GUN}`: its snapshot key is not with the server, and not in the key store\n\
             hint: who holds it publishes; or the next root gives the role to the server: `courier server rotate-key`\n\
             nothing was trusted and nothing was changed\n"
        )
    );
    // Bob signs, and ada sends what he signed.
    let ran = team.courier("bob", &format!("{sign} --apart ../change")).ok().stdout;
    let digest = agreed(&ran);
    team.courier("ada", &format!("countersign ../change --agree {digest}")).ok();
    assert_eq!(listed(team, "eve"), ["1", "2", "3", "4"]);
    // A list to which nobody delegates leaves the snapshot, and the next publication goes on from there.
    let ran = team.courier("ada", &format!("signer remove bob {GUN}"));
    assert_eq!(
        ran.stderr,
        format!(
            "error: repository `{GUN}`: `4` in `targets/releases` would be signed by too few of its keys\n\
             hint: have a signer who stays do it, or all of them by `--apart`; or `--leave-unsigned`, and a signer witnesses the list then\n\
             nothing was trusted and nothing was changed\n"
        )
    );
    let ran = team.courier("ada", &format!("signer remove bob {GUN} --leave-unsigned")).ok().stdout;
    assert_eq!(lines(&ran, "`4`"), ["  `4` in `targets/releases`: gone, nobody signs there"]);
    team.notary("ada", &addhash("5", "-p")).ok();
    team.courier("eve", &format!("verify {GUN}:5")).ok();
    assert_eq!(listed(team, "eve"), ["1", "2", "3", "5"]);
    assert!(lists_re_encode(team.scratch.path()) > 2);
}

#[test]
fn delegations_below_delegations_are_made_and_taken_away_by_either() {
    let team = Team::new();
    team.made_as_by_docker("ada", GUN, "0.1");
    for who in ["bob", "eve"] {
        team.key(who);
    }
    team.notary("ada", &format!("delegation add -p {GUN} targets/a ../bob/bob.pub --all-paths"))
        .ok();
    let line = format!("delegation add {GUN} targets/a/b ../eve/eve.pub --paths v1,v2");
    team.courier("bob", &format!("{line} --trust-on-first-use")).ok();
    team.notary("eve", &addhash("v1.0", "-p -r targets/a/b")).ok();
    let ran = team.courier("eve", &add("v3.0", "--role targets/a/b"));
    assert_eq!(
        lines(&ran.stderr, "error"),
        ["error: `targets/a/b` may not name `v3.0`: it is outside its paths"]
    );
    team.courier("eve", &add("v2.0", "--role targets/a/b")).ok();
    assert_eq!(listed(&team, "guest"), ["0.1", "v1.0", "v2.0"]);
    let ours = team.courier("guest", &format!("delegation list {GUN}")).ok().stdout;
    let theirs = team.notary("guest", &format!("delegation list {GUN}")).ok().stdout;
    let ids: Vec<_> =
        lines(&ours, "key ").iter().map(|l| l.split_whitespace().nth(1).unwrap()).collect();
    assert!(ids.len() == 2 && ids.iter().all(|id| theirs.contains(id)), "{ours}\n{theirs}");
    assert!(ours.contains("targets/a/b\n  paths      v1 v2\n  threshold  1\n"), "{ours}");

    // Paths, by the other one than who gave them.
    team.notary("bob", &format!("delegation remove -p {GUN} targets/a/b --paths v1")).ok();
    team.notary("bob", &format!("delegation add -p {GUN} targets/a/b --paths v3")).ok();
    team.courier("eve", &add("v3.0", "--role targets/a/b")).ok();
    assert_eq!(listed(&team, "guest"), ["0.1", "v2.0", "v3.0"]);
    // Keys: of all that they have at once.
    let ran = team.courier("bob", &format!("delegation purge {GUN} --key {}", ids[1]));
    assert_eq!(
        lines(&ran.stderr, "error"),
        ["error: `targets/a/b`: 1 of its keys must sign, and it would have 0 keys"]
    );
    team.courier("bob", &format!("delegation remove {GUN} targets/a/b --whole")).ok();
    assert_eq!(listed(&team, "guest"), ["0.1"]);
    team.notary("ada", &format!("delegation purge -p {GUN} --key {}", ids[0])).ok();
    let ours = team.courier("guest", &format!("delegation list {GUN}")).ok().stdout;
    let theirs = team.notary("guest", &format!("delegation list {GUN}")).ok().stdout;
    assert!(!ours.contains(ids[0]) && !theirs.contains(ids[0]), "{ours}\n{theirs}");
    team.courier("ada", &format!("delegation remove {GUN} targets/a --whole")).ok();
    let theirs = team.notary("guest", &format!("delegation list {GUN}")).ok().stdout;
    assert!(theirs.contains("No delegations present"), "{theirs}");
    assert!(lists_re_encode(team.scratch.path()) > 2);
}

#[test]
fn a_signer_is_added_by_one_and_removed_by_the_other_both_ways() {
    let team = Team::new();
    team.made_as_by_docker("ada", GUN, "0.1");
    for who in ["bob", "eve"] {
        team.key(who);
    }
    team.courier("ada", &format!("signer add bob {GUN} --key ../bob/bob.pub")).ok();
    team.docker("ada", &format!("trust signer add --key ../eve/eve.pub eve {GUN}")).ok();
    let signers =
        || team.courier("guest", &format!("signer list {GUN} --trust-on-first-use")).ok().stdout;
    assert_eq!((lines(&signers(), "bob").len(), lines(&signers(), "eve").len()), (1, 1));
    team.notary("eve", &addhash("1", "-p -r targets/releases -r targets/eve")).ok();
    team.docker("ada", &format!("trust signer remove --force bob {GUN}")).ok();
    assert_eq!((lines(&signers(), "bob").len(), lines(&signers(), "eve").len()), (0, 1));
    let inspected = team.docker("guest", &format!("trust inspect {GUN}")).ok().stdout;
    assert!(inspected.contains(&digest_of("1").to_string()) && !inspected.contains("bob"));
    team.courier("ada", &format!("signer remove eve {GUN} --leave-unsigned")).ok();
    let ran = team.courier("eve", &add("2", "--role targets/eve"));
    assert_eq!(
        lines(&ran.stderr, "error"),
        [format!("error: repository `{GUN}` has no role `targets/eve`")]
    );
    // Where nobody is a signer any more, the repository's own key signs, for docker, too.
    team.courier("ada", &add("3", "")).ok();
    let inspected = team.docker("guest", &format!("trust inspect {GUN}")).ok().stdout;
    assert!(inspected.contains(&digest_of("3").to_string()), "{inspected}");
}

#[test]
fn what_notary_had_staged_goes_up_on_what_courier_published_meanwhile() {
    let team = Team::new();
    team.made_as_by_docker("ada", GUN, "0.1");
    team.key("bob");
    team.courier("ada", &format!("signer add bob {GUN} --key ../bob/bob.pub")).ok();
    let roles = "-r targets/releases -r targets/bob";
    team.notary("bob", &format!("list {GUN}")).ok();
    team.notary("bob", &addhash("1", roles)).ok();
    team.notary("ada", &addhash("2", "")).ok();
    let layout = team.layout("bob", "3");
    team.courier("bob", &format!("sign {GUN}:3 --layout {layout}")).ok();
    team.courier("ada", &add("4", "")).ok();
    team.notary("bob", &format!("publish {GUN}")).ok();
    team.notary("ada", &format!("publish {GUN}")).ok();
    team.courier("bob", &format!("sign {GUN}:3 --layout {layout}")).ok();
    let listed = team.courier("guest", &format!("list {GUN} --trust-on-first-use")).ok().stdout;
    let tags: Vec<_> = listed.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(tags, ["0.1", "1", "2", "3", "4"]);
}

#[test]
fn whoever_publishes_at_the_same_instant_nothing_is_lost() {
    let team = Team::new();
    team.made_as_by_docker("ada", GUN, "0.1");
    let people = ["bob", "carl", "dave", "eve"];
    for who in people {
        team.key(who);
        team.courier("ada", &format!("signer add {who} {GUN} --key ../{who}/{who}.pub")).ok();
        team.notary(who, &format!("list {GUN}")).ok();
    }
    thread::scope(|scope| {
        for who in people {
            let line =
                add(&format!("by-{who}"), &format!("--role targets/releases --role targets/{who}"));
            let team = &team;
            scope.spawn(move || team.courier(who, &line).ok());
        }
        // Notary refuses where somebody was first, and keeps the change for the next time.
        scope.spawn(|| {
            team.notary("ada", &addhash("by-ada", "")).ok();
            let publish = format!("publish {GUN}");
            assert!((0..30).any(|_| team.notary("ada", &publish).status.success()));
        });
    });
    let mut listed = listed(&team, "guest");
    listed.sort();
    assert_eq!(listed, ["0.1", "by-ada", "by-bob", "by-carl", "by-dave", "by-eve"]);
    assert!(team.version(GUN, "targets/releases") >= 4);
}

#[test]
fn two_who_keep_the_snapshot_key_publish_at_the_same_instant_and_nothing_is_lost() {
    let team = Team::new();
    team.notary("ada", &format!("init -p {GUN}")).ok();
    let mut copy = command("cp", &team.home("ada"));
    run(copy.args(["-r", "docker"]).arg(team.home("bob"))).ok();
    thread::scope(|scope| {
        for who in ["ada", "bob"] {
            let team = &team;
            scope.spawn(move || {
                for tag in 0..4 {
                    team.courier(who, &add(&format!("{who}-{tag}"), "")).ok();
                }
            });
        }
    });
    let mut tags = listed(&team, "guest");
    tags.sort();
    let all = ["ada", "bob"].map(|who| (0..4).map(move |tag| format!("{who}-{tag}")));
    assert_eq!(tags, all.into_iter().flatten().collect::<Vec<_>>());
}
