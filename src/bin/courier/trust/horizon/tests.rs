use std::collections::BTreeMap;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use officiant::cjson::Value;
use officiant::key::{Algorithm, PublicKey};
use officiant::root::certificate::{Bundle, Subject, Tbs};
use officiant::root::online::Signed;
use officiant::root::succession::{self, Change};
use officiant::root::targets::Targets;
use officiant::root::{Dialect, Key, Role, Root, SignedRoot, Version};

use super::*;
use crate::trust::client::view::{Broken, List};

const GUN: &str = "localhost:5000/x";

fn at(day: &str) -> Timestamp {
    format!("{day}T00:00:00Z").parse().unwrap()
}

struct Holder {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl Holder {
    fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        let public = PublicKey::from_ec_point(Algorithm::EcdsaP256, point).unwrap();
        Self { pair, public }
    }

    fn raw(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    fn certificate(&self, until: &str) -> Key {
        let subject = Subject {
            name: GUN.to_owned(),
            serial: *b"0123456789abcdef",
            key: self.public.clone(),
            not_before: at("2026-01-01"),
            not_after: at(until),
        };
        let tbs = Tbs::new(&subject).unwrap();
        let pem = tbs.pem(&self.raw(tbs.bytes())).unwrap();
        Key::certificate(&Bundle::read(&pem).unwrap())
    }
}

/// A root that expires with September 2031, by one key whose certificate is valid until 2036.
fn root() -> SignedRoot {
    let holder = Holder::new();
    let online =
        |role| (role, (vec![Key::plain(Dialect::Notary, &Holder::new().public).unwrap()], 1));
    let change = Change {
        version: Version::FIRST,
        root_keys: vec![holder.certificate("2036-01-01")],
        threshold: 1,
        roles: [Role::Targets, Role::Snapshot, Role::Timestamp].map(online).into(),
        expires: at("2031-09-30"),
    };
    let root: Root = succession::next(Dialect::Notary, None, &change).unwrap();
    let id = root.root_key_id(&holder.public).unwrap();
    let signature = root.signature(id, &holder.public, &holder.raw(&root.signed_bytes())).unwrap();
    SignedRoot::assemble(&root, &[signature])
}

fn list(until: &str) -> List {
    let targets = Targets::empty(at(until));
    List { signed: Signed { value: targets.value(), signatures: Vec::new() }, targets }
}

fn role(name: &str) -> ListRole {
    name.parse().unwrap()
}

/// A repository with lists until these days.
fn view(lists: &[(&str, &str)]) -> View {
    let expires = Value::map([("expires", Value::text("2029-03-01T00:00:00Z"))]);
    View {
        gun: GUN.parse().unwrap(),
        root: root(),
        timestamp: Signed { value: expires.clone(), signatures: Vec::new() },
        snapshot: Signed { value: expires, signatures: Vec::new() },
        lists: lists.iter().map(|(name, until)| (role(name), list(until))).collect(),
        broken: BTreeMap::new(),
    }
}

fn told(ends: &[End]) -> Vec<String> {
    ends.iter().map(|end| format!("{} {}: {}", day(end.at), end.what, end.fails)).collect()
}

#[test]
fn everything_that_ends_is_told_with_whom_it_fails_the_first_first() {
    let lists = [("targets", "2029-02-01"), ("targets/releases", "2028-02-01")];
    let ends = ends(&view(&lists), at("2027-01-01"));
    assert_eq!(
        told(&ends),
        [
            "2028-02-01 `targets/releases` expires: clients",
            "2029-02-01 `targets` expires: everyone",
            "2029-03-01 snapshot expires: clients",
            "2031-03-30 publishing without the root key ends: publishers",
            "2031-09-30 root expires: everyone",
            "2036-01-01 root certificates end: everyone",
        ]
    );
    let first = ends.iter().find(|end| end.is_for_clients()).unwrap();
    assert_eq!(first.what.role(), Some(&ListRole::releases()));
    assert!(!ends[3].is_for_clients());
}

#[test]
fn a_list_that_clients_pass_over_has_ended_when_it_expired_or_is_told_as_what_it_is() {
    let mut view = view(&[("targets", "2035-01-01")]);
    let targets = |until| Some(list(until));
    let broken = |why, list| Broken { why, list };
    view.broken.insert(role("targets/a"), broken("has expired", targets("2026-12-01")));
    let why = "is not signed by the keys that are named for it";
    view.broken.insert(role("targets/b"), broken(why, targets("2034-01-01")));
    view.broken.insert(role("targets/c"), broken("is no list of targets", None));
    let ends = ends(&view, at("2027-01-01"));
    assert_eq!(
        told(&ends[..3]),
        [
            "2026-12-01 `targets/a` expires: clients",
            "2027-01-01 `targets/b` is not signed by the keys that are named for it: clients",
            "2027-01-01 `targets/c` is no list of targets: clients",
        ]
    );
    let words: Vec<_> = ends.iter().map(|end| end.what.word()).collect();
    let rest = ["snapshot", "publishing", "root", "list", "certificates"];
    assert_eq!(words, [&["list", "unsound-list", "unsound-list"], &rest[..]].concat());
}

#[test]
fn the_root_key_is_wanted_six_months_before_as_go_adds_months() {
    // Each first day was computed with time.AddDate(0, 6, 0).
    for (expires, first) in [
        ("2031-09-30", "2031-03-30"),
        ("2031-02-28", "2030-08-28"),
        ("2031-03-01", "2030-08-29"),
        ("2031-03-02", "2030-08-30"),
        ("2031-03-03", "2030-08-31"),
        ("2031-03-04", "2030-09-04"),
        ("2031-12-01", "2031-05-31"),
    ] {
        assert_eq!(day(quiet_until(at(expires))).to_string(), first, "{expires}");
    }
}

#[test]
fn each_end_says_what_it_means() {
    let says = |what: What| what.means();
    assert!(says(What::Root).contains("until the next root is published"));
    assert!(says(What::Certificates).contains("no server takes the one after it"));
    assert!(says(What::Quiet).contains("courier goes on"));
    assert!(says(What::Snapshot).contains("unless the server holds its key"));
    assert!(says(What::List(ListRole::top())).contains("nothing is pulled"));
    let below = says(What::Unsound(role("targets/a"), "has expired"));
    assert_eq!(below, says(What::List(role("targets/a"))));
}
