//! Lists that a server, its keys in hand, or a signer shows, and that say nothing.

use jiff::{Timestamp, ToSpan};
use officiant::cjson::Value;
use officiant::root::online::Signed;
use officiant::root::targets::Target;
use officiant::root::{Dialect, Expiry, Key};

use super::GUN;
use super::proxy::refused;
use super::publisher::{Publisher, plain, signed, tagged};
use super::roots::{Seen, right};
use crate::courier::made::Soft;
use crate::harness::command::{command, run};
use crate::harness::peers::peer;

/// A repository whose `targets/releases` has the tag `1.0` in its second version, as its own list has `0.9` in its
/// second; snapshot and timestamp are at a second one, too.
fn released() -> Publisher {
    let mut own = Publisher::new();
    own.delegate(2, &["0.9"]);
    own.release(2, &["1.0"]);
    own.version = 1;
    own
}

/// Sees that a person who saw the repository, and one who did not, get nothing, and nothing but `why`. What was
/// verified before that stays.
#[track_caller]
fn is_no_tag(seen: &Seen, why: &str) {
    let cold = seen.scratch.folder("cold");
    for (home, more) in [(&seen.home, ""), (&cold, "--trust-on-first-use ")] {
        let ran = seen.proxy.verify(home, &format!("{more}{GUN}:1.0"));
        refused(&ran, 1, &format!("error: {why}"));
    }
}

const UNSIGNED: &str = "is not signed by the keys that are named for it [TRUST-SERVED]";

fn releases(why: &str) -> String {
    format!("repository `{GUN}`: what the server has for `targets/releases` {why}")
}

#[test]
fn a_server_that_signs_over_older_files_is_refused_by_whoever_saw_newer_ones() {
    let mut seen = Seen::of(released());
    let older = |seen: &mut Seen, role: &str, file: String| {
        let newer = seen.own.lists.insert(role.to_owned(), file).unwrap();
        seen.show();
        seen.is_refused(&format!(
            "the server has `{role}` version 1, version 2 was seen before [TRUST-ROLLBACK]"
        ));
        seen.own.lists.insert(role.to_owned(), newer);
    };
    let mut first = Publisher::new();
    std::mem::swap(&mut first.targets, &mut seen.own.targets);
    std::mem::swap(&mut first.signers, &mut seen.own.signers);
    first.delegate(1, &["1.0"]);
    first.release(1, &["1.0"]);
    std::mem::swap(&mut first.targets, &mut seen.own.targets);
    std::mem::swap(&mut first.signers, &mut seen.own.signers);
    older(&mut seen, "targets", first.lists["targets"].clone());
    older(&mut seen, "targets/releases", first.lists["targets/releases"].clone());
    // A new timestamp over an old snapshot.
    let version = std::mem::replace(&mut seen.own.version, 0);
    let state = seen.own.state();
    seen.own.version = version + 7;
    let (snapshot, lists) = (state.file("snapshot").to_owned(), seen.own.lists.clone());
    let files = lists.iter().map(|(role, file)| (role.as_str(), file.as_str()));
    let shown = seen.own.state_of(&snapshot, files.chain([("snapshot", snapshot.as_str())]));
    seen.proxy.show(&shown);
    seen.is_refused(
        "the server has `snapshot` version 1, version 2 was seen before [TRUST-ROLLBACK]",
    );
}

#[test]
fn an_older_list_that_has_expired_is_no_less_older() {
    let mut seen = Seen::of(released());
    let mut list = tagged(1, &["1.0"]);
    list.expires = Expiry::at(Timestamp::now() - 1.hours());
    let signer = &seen.own.signers[0];
    let file = signed(&list.value(), &[(&plain(signer), signer)]);
    seen.own.lists.insert("targets/releases".to_owned(), file);
    seen.show();
    seen.is_refused(
        "the server has `targets/releases` version 1, version 2 was seen before [TRUST-ROLLBACK]",
    );
}

#[test]
fn two_files_of_one_version_are_refused_by_whoever_saw_one() {
    let twice = |role: &str, version: i64, change: &dyn Fn(&mut Publisher)| {
        let mut seen = Seen::of(released());
        change(&mut seen.own);
        seen.show();
        seen.is_refused(&format!(
            "the server's `{role}` version {version} is not the one that was seen before [TRUST-ROLLBACK]"
        ));
    };
    twice("timestamp", 2, &|own| {
        own.version = 1;
        own.hours = 48;
    });
    twice("targets", 2, &|own| own.delegate(2, &["1.0", "0.9"]));
    twice("targets/releases", 2, &|own| own.release(2, &["1.0", "1.1"]));
    // Signed once more it says the same.
    let mut seen = Seen::of(released());
    let file = seen.own.lists["targets"].clone();
    let value = Signed::parse(Dialect::Notary, file.as_bytes()).unwrap().value;
    let again = signed(&value, &[(&plain(&seen.own.targets), &seen.own.targets)]);
    assert_ne!(again, file);
    seen.own.lists.insert("targets".to_owned(), again);
    seen.show();
    seen.proxy.gives(&seen.home, &format!("{GUN}:1.0"), &right());
}

#[test]
fn a_server_cannot_hide_the_list_that_it_has_shown() {
    let mut seen = Seen::of(released());
    let list = seen.own.lists.remove("targets/releases").unwrap();
    // The repository's own list names the tag, too: what it means there is another thing.
    seen.own.delegate(3, &["0.9", "1.0"]);
    seen.show();
    seen.is_refused(
        "the server has no `targets/releases` any more, version 2 was seen before [TRUST-ROLLBACK]",
    );
    // Named, and not there.
    seen.own.lists.insert("targets/releases".to_owned(), list);
    let state = seen.own.state();
    let file = state.name("targets/releases");
    let cold = seen.scratch.folder("cold");
    seen.proxy.show(&state.without(&file));
    seen.proxy.is_refused(
        &cold,
        &format!("--trust-on-first-use {GUN}:1.0"),
        1,
        &format!(
            "error: {}",
            releases("is not the one that is named by what was signed over it [TRUST-SERVED]")
        ),
    );
    // Its owners take the role away: then the own list says what a tag means.
    seen.own.lists.remove("targets/releases");
    seen.own.list(4, &["1.0"]);
    seen.show();
    seen.proxy.gives(&seen.home, &format!("{GUN}:1.0"), &right());
}

#[test]
fn a_list_that_its_keys_did_not_sign_never_makes_an_older_one_speak() {
    // Each time the repository's own list names the tag, too.
    let with = |change: &dyn Fn(&mut Publisher)| {
        let mut own = released();
        own.delegate(3, &["1.0"]);
        let mut seen = Seen::of(own);
        change(&mut seen.own);
        seen.show();
        seen
    };
    let released = |by: &[&Soft]| {
        let keys: Vec<_> = by.iter().map(|soft| plain(soft)).collect();
        let by: Vec<_> = keys.iter().zip(by.iter().copied()).collect();
        signed(&tagged(3, &["1.0"]).value(), &by)
    };
    let put = |own: &mut Publisher, file: String| {
        own.lists.insert("targets/releases".to_owned(), file);
    };
    // By a stranger, by the key of another role, by nobody.
    let seen = with(&|own| put(own, released(&[&Soft::new()])));
    is_no_tag(&seen, &releases(UNSIGNED));
    let seen = with(&|own| {
        let file = released(&[&own.targets]);
        put(own, file);
    });
    is_no_tag(&seen, &releases(UNSIGNED));
    let seen = with(&|own| put(own, released(&[])));
    is_no_tag(&seen, &releases(UNSIGNED));
    // Expired.
    let seen = with(&|own| {
        let key = plain(&own.signers[0]);
        let mut list = tagged(3, &["1.0"]);
        list.expires = "2026-01-01T00:00:00Z".parse().map(Expiry::at).unwrap();
        put(own, signed(&list.value(), &[(&key, &own.signers[0])]));
    });
    is_no_tag(&seen, &releases("has expired [TRUST-SERVED]"));
}

#[test]
fn where_we_refuse_notary_takes_what_an_older_list_says() {
    let mut seen = Seen::of(released());
    seen.own.delegate(3, &["1.0"]);
    let by = Soft::new();
    let file = signed(&tagged(3, &["1.0"]).value(), &[(&plain(&by), &by)]);
    seen.own.lists.insert("targets/releases".to_owned(), file);
    seen.show();
    is_no_tag(&seen, &releases(UNSIGNED));
    let home = seen.scratch.folder("notary");
    let mut notary = command(peer("notary/notary"), &home);
    notary.args(["-s", &seen.proxy.fake.url, "-d", "trust", "list", GUN]);
    let listed = run(notary.args(["-r", "targets/releases", "-r", "targets"])).ok().stdout;
    let row = listed.lines().find(|line| line.starts_with("1.0 ")).expect(&listed);
    assert!(row.contains(&super::digest_of("1.0").to_string()), "{listed}");
    assert!(row.ends_with(" targets"), "{listed}");
}

#[test]
fn one_key_is_one_signer_whatever_ids_it_has() {
    let certified = |own: &Publisher| own.signers[0].certificate(GUN, 400);
    let try_it = |keys: &dyn Fn(&Publisher) -> Vec<Key>| {
        let mut own = Publisher::new();
        let ids = keys(&own);
        let by: Vec<_> = ids.iter().map(|key| (key, &own.signers[0])).collect();
        let file = signed(&tagged(1, &["1.0"]).value(), &by);
        let listed = vec![ids[0].clone(), plain(&own.signers[1]), ids[1].clone()];
        own.delegate_to(2, &["1.0"], listed, 2, &[""]);
        own.lists.insert("targets/releases".to_owned(), file);
        let mut seen = Seen::new();
        // Only the lists of the other repository: its root is not this one's.
        std::mem::swap(&mut seen.own, &mut own);
        seen.proxy.show(&seen.own.state());
        let cold = seen.scratch.folder("cold");
        let ran = seen.proxy.verify(&cold, &format!("--trust-on-first-use {GUN}:1.0"));
        refused(&ran, 1, &format!("error: {}", releases(UNSIGNED)));
    };
    // Plain and in a certificate; in two signatures under one id.
    try_it(&|own| vec![plain(&own.signers[0]), certified(own)]);
    try_it(&|own| vec![plain(&own.signers[0]), plain(&own.signers[0])]);
}

#[test]
fn a_role_for_which_nobody_need_sign_is_signed_by_nobody() {
    for threshold in [0, -1] {
        let mut seen = Seen::new();
        let key = plain(&seen.own.signers[0]);
        seen.own.delegate_to(2, &["1.0"], vec![key], threshold, &[""]);
        let file = signed(&tagged(1, &["1.0"]).value(), &[]);
        seen.own.lists.insert("targets/releases".to_owned(), file);
        seen.show();
        is_no_tag(&seen, &releases(UNSIGNED));
        seen.own.release(1, &["1.0"]);
        seen.show();
        is_no_tag(&seen, &releases(UNSIGNED));
    }
}

#[test]
fn of_several_images_none_is_printed_when_one_is_not_signed() {
    let seen = Seen::of(released());
    for line in [format!("{GUN}:1.0 {GUN}:2.0"), format!("--json {GUN}:1.0 {GUN}:2.0")] {
        let ran = seen.proxy.verify(&seen.home, &line);
        refused(&ran, 1, &format!("error: `{GUN}:2.0` is not signed [TAG-UNSIGNED]"));
    }
    seen.proxy.gives(&seen.home, &format!("{GUN}:1.0 {GUN}:1.0"), &right().repeat(2));
}

#[test]
fn two_keys_are_two_signers() {
    let mut own = Publisher::new();
    let keys = [plain(&own.signers[0]), plain(&own.signers[1])];
    own.delegate_to(2, &[], keys.to_vec(), 2, &[""]);
    let by = [(&keys[0], &own.signers[0]), (&keys[1], &own.signers[1])];
    let file = signed(&tagged(1, &["1.0"]).value(), &by);
    own.lists.insert("targets/releases".to_owned(), file);
    Seen::of(own);
}

#[test]
fn a_tag_outside_the_paths_of_its_list_is_not_signed() {
    let mut own = Publisher::new();
    let key = plain(&own.signers[0]);
    own.delegate_to(2, &[], vec![key], 1, &["v", "1.0.0"]);
    own.release(1, &["1.0", "v1"]);
    let mut seen = Seen::new();
    std::mem::swap(&mut seen.own, &mut own);
    seen.show();
    let cold = seen.scratch.folder("cold");
    let line = format!("--trust-on-first-use {GUN}:1.0");
    let ran = seen.proxy.verify(&cold, &line);
    refused(&ran, 1, &format!("error: `{GUN}:1.0` is not signed [TAG-UNSIGNED]"));
    assert_eq!(
        ran.stderr.lines().next_back().unwrap(),
        "no digest was trusted; the trust cache has what was verified before"
    );
    seen.proxy.verify(&cold, &format!("{GUN}:v1")).ok();
}

#[test]
fn a_list_that_can_be_read_in_two_ways_is_none() {
    let list = |change: &dyn Fn(&str) -> String, why: &str| {
        let mut seen = Seen::new();
        seen.own.list(2, &["1.0"]);
        let file = change(&seen.own.lists["targets"]);
        seen.own.lists.insert("targets".to_owned(), file);
        seen.show();
        seen.is_refused(&format!("what the server has for `targets` {why} [TRUST-SERVED]"));
    };
    // A name twice: readers take the first, or the last.
    let twice = |file: &str| {
        file.replacen("\"1.0\":{", "\"1.0\":{\"hashes\":{},\"length\":1},\"1.0\":{", 1)
    };
    list(&twice, "is no metadata");
    list(&|file| file.replacen("528", "528.0", 1), "is no metadata");
    list(&|file| file.replacen("528", "529", 1), "is not signed by the keys that are named for it");
}

#[test]
fn a_tag_without_a_sha256_makes_its_list_none() {
    let mut seen = Seen::new();
    let mut list = tagged(2, &[]);
    list.targets.insert("1.0".to_owned(), Target::new(super::digest_of("1.0"), 528));
    let Value::Map(mut members) = list.value() else { panic!("a map") };
    let odd = Value::map([
        ("hashes", Value::map([("sha512", Value::text("AAAA"))])),
        ("length", Value::Integer(528)),
    ]);
    members.insert("targets", Value::map([("1.0", odd)]));
    let key = plain(&seen.own.targets);
    let file = signed(&Value::Map(members), &[(&key, &seen.own.targets)]);
    seen.own.lists.insert("targets".to_owned(), file);
    seen.show();
    seen.is_refused("what the server has for `targets` is no list of targets [TRUST-SERVED]");
}

#[test]
fn a_file_of_another_length_than_is_signed_over_it_is_refused() {
    let mut seen = Seen::new();
    for (said, why) in [
        (1_i64 << 40, "is said to be larger than any"),
        (-1, "is said to be larger than any"),
        (7, "is not the one that is named by what was signed over it"),
    ] {
        seen.own.version += 1;
        let root = str::from_utf8(seen.own.chain[0].bytes()).unwrap();
        let targets = seen.own.lists["targets"].clone();
        let naming =
            seen.own.naming("Snapshot", [("root", root), ("targets", &*targets)].into_iter());
        let length = format!("\"length\":{}", targets.len());
        let value = naming.replacen(&length, &format!("\"length\":{said}"), 1);
        assert_ne!(value, naming, "{length}");
        let value = officiant::root::online::Signed::parse(
            officiant::root::Dialect::Notary,
            value.as_bytes(),
        );
        let key = plain(&seen.own.snapshot);
        let snapshot = signed(&value.unwrap().value, &[(&key, &seen.own.snapshot)]);
        let files = [("targets", targets.as_str()), ("snapshot", snapshot.as_str())];
        seen.proxy.show(&seen.own.state_of(&snapshot, files.into_iter()));
        seen.is_refused(&format!("what the server has for `targets` {why} [TRUST-SERVED]"));
    }
}
