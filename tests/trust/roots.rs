//! Chains of roots that do not hold: what a client that trusts one of them does.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use officiant::cjson::Value;
use officiant::root::{Dialect, Root, SignedRoot};

use super::proxy::{Proxy, State, cache, refused};
use super::publisher::Publisher;
use super::{GUN, cached, digest_of};
use crate::courier::fake::reply;
use crate::courier::made::{Soft, sign};
use crate::harness::scratch::Scratch;

/// A repository, a server that shows it, and a person who has seen it.
pub(super) struct Seen {
    pub(super) scratch: Scratch,
    pub(super) own: Publisher,
    pub(super) proxy: Proxy,
    pub(super) home: PathBuf,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self::of(Publisher::new())
    }

    pub(super) fn of(mut own: Publisher) -> Self {
        let scratch = Scratch::new();
        let proxy = Proxy::showing(&own.state());
        let home = scratch.folder("warm");
        proxy.gives(&home, &first_use(), &right());
        Self { scratch, own, proxy, home }
    }

    /// Shows what there is now.
    pub(super) fn show(&mut self) {
        self.proxy.show(&self.own.state());
    }

    /// Sees that what is shown is refused by the person who saw it before, and changes nothing.
    #[track_caller]
    pub(super) fn is_refused(&self, why: &str) {
        let first = format!("error: repository `{GUN}`: {why}");
        self.proxy.is_refused(&self.home, &format!("{GUN}:1.0"), 1, &first);
    }

    /// Shows these roots as if they were all good.
    fn show_roots(&mut self, roots: Vec<SignedRoot>) {
        self.own.chain.extend(roots);
        self.show();
    }
}

/// What is printed of the tag `1.0`.
pub(super) fn right() -> String {
    format!("{GUN}@sha256:{}\n", digest_of("1.0"))
}

fn with(root: &Root, member: &str, value: Value) -> Root {
    let mut members = root.value().as_map().unwrap().clone();
    members.insert(member.to_owned(), value);
    Root::from_value(Dialect::Notary, Value::Map(members)).unwrap()
}

#[test]
fn a_root_that_is_rotated_rightly_is_followed_however_often() {
    let mut seen = Seen::new();
    for _ in 0..3 {
        seen.own.rotate();
    }
    seen.show();
    seen.proxy.gives(&seen.home, &format!("{GUN}:1.0"), &right());
    let root = fs::read(cached(&seen.home, GUN, "root")).unwrap();
    assert_eq!(root, seen.own.chain[3].bytes());
}

#[test]
fn a_root_that_expired_is_passed_on_the_way_and_never_the_newest() {
    let mut seen = Seen::new();
    seen.own.days = -1;
    seen.own.rotate();
    seen.show();
    let expired = seen.own.chain[1].root().expires().instant();
    seen.is_refused(&format!("the root does not hold: version 2: expired {expired} [WALK]"));
    seen.own.days = 3000;
    seen.own.rotate();
    seen.show();
    seen.proxy.gives(&seen.home, &format!("{GUN}:1.0"), &right());
}

#[test]
fn a_root_without_the_old_keys_or_without_its_own_is_refused() {
    let fresh = Soft::new();
    let mut seen = Seen::new();
    let root = seen.own.root(&[&fresh], 1);
    seen.show_roots(vec![sign(&root, &[&fresh], None)]);
    seen.is_refused(
        "the root does not hold: version 2: 0 of the keys before it count, they need 1 [WALK]",
    );

    let mut seen = Seen::new();
    let root = seen.own.root(&[&fresh], 1);
    let last = seen.own.chain[0].root().clone();
    let signed = sign(&root, &[], Some((&last, &[&seen.own.roots[0]])));
    seen.show_roots(vec![signed]);
    seen.is_refused(
        "the root does not hold: version 2: 0 of its own keys count, it needs 1 [WALK]",
    );
}

#[test]
fn a_root_that_fewer_than_the_threshold_signed_is_refused() {
    let mut own = Publisher::new();
    own.rotate_to(vec![Soft::new(), Soft::new(), Soft::new()], 2);
    let mut seen = Seen::of(own);
    let fresh = Soft::new();
    let root = seen.own.root(&[&fresh], 1);
    let last = seen.own.chain[1].root().clone();
    // One of three old keys, which needs a second.
    let signed = sign(&root, &[&fresh], Some((&last, &[&seen.own.roots[0]])));
    seen.show_roots(vec![signed]);
    seen.is_refused(
        "the root does not hold: version 3: 1 of the keys before it count, they need 2 [WALK]",
    );
}

#[test]
fn a_version_that_is_left_out_or_lies_about_itself_is_refused() {
    let mut seen = Seen::new();
    seen.own.rotate();
    seen.own.rotate();
    let state = seen.own.state();
    seen.proxy.show(&state.without("2.root.json"));
    seen.is_refused(
        "what the server has for `root` is not the one that is named by what was signed over it [TRUST-SERVED]",
    );
    let third = state.0["3.root.json"].clone();
    let mut lied = state.clone();
    lied.0.insert("2.root.json".to_owned(), third);
    seen.proxy.show(&lied);
    seen.is_refused(
        "the root does not hold: version 2: 0 of the keys before it count, they need 1 [WALK]",
    );

    // Signed by all who must, with the number of a version far away.
    let mut seen = Seen::new();
    let last = seen.own.chain[0].root().clone();
    let keys = [&seen.own.roots[0]];
    let root = with(&seen.own.root(&keys, 1), "version", Value::Integer(1 << 53));
    let signed = sign(&root, &keys, Some((&last, &keys)));
    let mut state = seen.own.state();
    let bytes = String::from_utf8(signed.bytes().to_vec()).unwrap();
    state.0.insert("2.root.json".to_owned(), bytes);
    seen.proxy.show(&state);
    seen.is_refused(
        "the root does not hold: version 2: says that it is version 9007199254740992, expected 2 [WALK]",
    );
}

#[test]
fn a_server_that_does_not_say_whether_there_is_a_newer_root_is_not_believed() {
    let mut seen = Seen::new();
    seen.own.rotate();
    let old = seen.own.state();
    for (status, told) in [
        ("500 Broken", "the server answered 500"),
        ("403 Never", "the server wants credentials"),
        ("204 Nothing", "the server answered 204"),
    ] {
        let proxy = Proxy::disturbing(&old, move |file, _, stream| {
            if file == "2.root.json" {
                reply(stream, status, "", "");
            }
            file == "2.root.json"
        });
        let first = format!("error: {}/v2/{GUN}/_trust/tuf/2.root.json: {told}", proxy.fake.url);
        proxy.is_refused(&seen.home, &format!("{GUN}:1.0"), 3, &first);
    }
}

#[test]
fn what_is_published_between_two_questions_is_fetched_anew_and_once() {
    let mut seen = Seen::new();
    let old = seen.own.state();
    seen.own.list(2, &["1.0"]);
    let new = seen.own.state();
    for (shown, is_new) in [(1, true), (2, false)] {
        let (count, before) = (AtomicUsize::new(0), old.file("timestamp").to_owned());
        let proxy = Proxy::disturbing(&new, move |file, _, stream| {
            let is_old = file == "timestamp.json" && count.fetch_add(1, Ordering::SeqCst) < shown;
            if is_old {
                reply(stream, "200 OK", "", &before);
            }
            is_old
        });
        match is_new {
            true => proxy.gives(&seen.scratch.folder("lucky"), &first_use(), &right()),
            false => proxy.is_refused(
                &seen.home,
                &format!("{GUN}:1.0"),
                1,
                &format!(
                    "error: repository `{GUN}`: what the server has for `snapshot` is not the one that is named by what was signed over it [TRUST-SERVED]"
                ),
            ),
        }
    }
}

fn first_use() -> String {
    format!("--trust-on-first-use {GUN}:1.0")
}

#[test]
fn a_chain_without_end_is_given_up() {
    let mut seen = Seen::new();
    for _ in 0..258 {
        seen.own.rotate();
    }
    seen.show();
    seen.is_refused("the newest root is more than 257 versions or 32 MiB away");
    let asked = seen.proxy.fake.asked();
    assert!(asked.iter().all(|asked| !asked.line.contains("/259.root.json")), "{asked:?}");
}

#[test]
fn no_root_is_asked_for_behind_one_that_does_not_hold() {
    let mut seen = Seen::new();
    let stranger = Soft::new();
    let root = seen.own.root(&[&stranger], 1);
    seen.show_roots(vec![sign(&root, &[&stranger], None)]);
    seen.own.roots = vec![stranger];
    for _ in 0..5 {
        seen.own.rotate();
    }
    seen.show();
    seen.is_refused(
        "the root does not hold: version 2: 0 of the keys before it count, they need 1 [WALK]",
    );
    let asked = seen.proxy.fake.asked();
    assert!(asked.iter().all(|asked| !asked.line.contains("/3.root.json")), "{asked:?}");
}

#[test]
fn a_root_that_holds_is_remembered_when_the_rest_does_not_and_the_last_line_says_so() {
    let mut seen = Seen::new();
    let before = cache(&seen.home);
    seen.own.rotate();
    let state = seen.own.state();
    seen.proxy.show(&state.with("snapshot", "{}"));
    let ran = seen.proxy.verify(&seen.home, &format!("{GUN}:1.0"));
    refused(
        &ran,
        1,
        &format!(
            "error: repository `{GUN}`: what the server has for `snapshot` is not the one that is named by what was signed over it [TRUST-SERVED]"
        ),
    );
    assert_eq!(
        ran.stderr.lines().next_back().unwrap(),
        "no digest was trusted; the trust cache has what was verified before"
    );
    let mut after = before;
    after.insert(cached(&seen.home, GUN, "root"), seen.own.chain[1].bytes().to_vec());
    assert!(cache(&seen.home) == after);
    // The old root cannot be shown any more.
    let old: State = state.without("2.root.json");
    seen.proxy.show(&old);
    seen.proxy.gives(&seen.home, &format!("{GUN}:1.0"), &right());
}

#[test]
fn a_first_showing_that_does_not_hold_as_a_whole_is_not_remembered() {
    let scratch = Scratch::new();
    let mut own = Publisher::new();
    let state = own.state();
    let proxy = Proxy::showing(&state.with("targets", "{}"));
    let home = scratch.folder("cold");
    let first = format!(
        "error: repository `{GUN}`: what the server has for `targets` is not the one that is named by what was signed over it [TRUST-SERVED]"
    );
    proxy.is_refused(&home, &first_use(), 1, &first);
    assert_eq!(cache(&home).len(), 0);
    // So nothing is trusted by it later.
    proxy.show(&state);
    let none = format!(
        "error: repository `{GUN}`: nothing says which root is its own: no pin, no trust cache, no trust folder [TRUST-ANCHOR]"
    );
    proxy.is_refused(&home, &format!("{GUN}:1.0"), 1, &none);
}

#[test]
fn a_server_key_that_ran_ahead_is_left_behind_by_its_rotation() {
    let mut seen = Seen::new();
    // Whoever stole the server's keys: the largest version that a client reads.
    seen.own.version = (1 << 53) - 1;
    seen.show();
    seen.proxy.gives(&seen.home, &format!("{GUN}:1.0"), &right());
    seen.own.version = 5;
    seen.show();
    seen.is_refused(
        "the server has `timestamp` version 6, version 9007199254740992 was seen before [TRUST-ROLLBACK]",
    );
    seen.own.version = 1 << 53;
    seen.show();
    seen.is_refused("what the server has for `timestamp` is no metadata [TRUST-SERVED]");
    // The next root has other keys for both, and the count begins again.
    (seen.own.snapshot, seen.own.timestamp) = (Soft::new(), Soft::new());
    seen.own.rotate();
    seen.own.version = 6;
    seen.show();
    seen.proxy.gives(&seen.home, &format!("{GUN}:1.0"), &right());
}
