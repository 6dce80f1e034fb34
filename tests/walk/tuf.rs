//! Chains of TUF roots, most of them with something wrong.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use officiant::cjson::{Members, Value};
use officiant::digest::Digest;
use officiant::key::{Algorithm, Scheme};
use officiant::root::{Dialect, Key, Role};

use super::chance::Chance;
use super::signer::Signer;
use super::{Case, in_days, member, pretty, push, remove};

/// Makes chains of keys that it made first.
pub(super) struct Maker {
    signers: Vec<Signer>,
    online: Signer,
    p384: Signer,
}

/// A root key as a document lists it.
#[derive(Clone)]
struct Listed {
    id: String,
    value: Value,
    signer: usize,
}

impl Maker {
    pub(super) fn new() -> Self {
        let mut signers: Vec<Signer> = (0..5).map(|_| Signer::ed25519()).collect();
        signers.extend((0..3).map(|_| Signer::p256()));
        signers.push(Signer::rsa());
        signers.push(Signer::p384());
        Self { signers, online: Signer::ed25519(), p384: Signer::p384() }
    }

    pub(super) fn case(&self, seed: u64) -> Case {
        let mut chance = Chance::new(seed);
        let mut case =
            Case { name: format!("{seed:04}"), story: Vec::new(), files: BTreeMap::new() };
        let length = 1 + chance.below(5) as u64;
        let troubled = 1 + chance.below(length as usize) as u64;
        let mut before: Vec<Listed> = Vec::new();
        for version in 1..=length {
            let keys = match chance.one_in(3) && !before.is_empty() {
                true => before.clone(),
                false => self.keys(&mut chance, &mut case.story),
            };
            let threshold = 1 + chance.below(keys.len());
            let mut signed = self.signed(version, &keys, threshold as i64);
            let is_troubled = version == troubled && !chance.one_in(4);
            if is_troubled && chance.one_in(2) {
                self.spoil(&mut signed, &mut chance, &mut case.story);
            }
            let mut all = before.clone();
            all.extend(keys.iter().filter(|key| !before.iter().any(|b| b.id == key.id)).cloned());
            if is_troubled && chance.one_in(2) {
                let gone = chance.below(all.len());
                case.story.push(format!("{version}: without a signature of {}", all.len()));
                all.remove(gone);
            }
            let mut signatures = self.signatures(&signed, &all);
            if is_troubled && chance.one_in(3) {
                self.spoil_signatures(&signed, &mut signatures, &mut chance, &mut case.story);
            }
            let file = Value::map([("signatures", Value::List(signatures)), ("signed", signed)]);
            let bytes = match chance.below(4) {
                0 => pretty(&file.json()),
                1 => [file.json(), b"\n".to_vec()].concat(),
                _ => file.json(),
            };
            case.files.insert(version, bytes);
            before = keys;
        }
        if length > 2 && chance.one_in(8) {
            let gone = 2 + chance.below(length as usize - 2) as u64;
            case.story.push(format!("{gone} is not published"));
            case.files.remove(&gone);
        }
        case
    }

    fn keys(&self, chance: &mut Chance, story: &mut Vec<String>) -> Vec<Listed> {
        let count = 1 + chance.below(4);
        let mut keys: Vec<Listed> = Vec::new();
        for _ in 0..count {
            let signer = chance.below(self.signers.len());
            let listed = self.listed(signer, chance, story);
            if !keys.iter().any(|key| key.id == listed.id) {
                keys.push(listed);
            }
        }
        if chance.one_in(8) {
            // The same key with a field that nobody knows has another id, and rightly so.
            story.push("a twin".to_owned());
            let mut twin = keys[0].clone();
            *member(&mut twin.value, &["x-twin"]) = Value::Integer(1);
            twin.id = Digest::of(&twin.value.go()).to_string();
            keys.push(twin);
        }
        keys
    }

    fn listed(&self, signer: usize, chance: &mut Chance, story: &mut Vec<String>) -> Listed {
        let public = &self.signers[signer].public;
        let key = Key::plain(Dialect::Tuf, public).unwrap();
        let mut value = key.value().clone();
        let is_ec = public.algorithm() == Algorithm::EcdsaP256;
        let text = member(&mut value, &["keyval", "public"]);
        match chance.below(12) {
            0 if is_ec => {
                story.push("a point in hex".to_owned());
                *text = Value::text(HEXLOWER.encode(public.material()));
                *member(&mut value, &["keytype"]) = Value::text("ecdsa-sha2-nistp256");
            }
            1 if is_ec => {
                *member(&mut value, &["keytype"]) = Value::text("ecdsa-sha2-nistp256");
            }
            2 if is_ec => *text = Value::text(public.to_pem().trim_end()),
            3 if is_ec => *text = Value::text(public.to_pem().replace('\n', "\r\n")),
            _ => {}
        }
        let mut id = Digest::of(&value.go()).to_string();
        if chance.one_in(20) {
            story.push("a key under another id".to_owned());
            id = Digest::of(id.as_bytes()).to_string();
        }
        Listed { id, value, signer }
    }

    fn signed(&self, version: u64, keys: &[Listed], threshold: i64) -> Value {
        let role = |ids: Vec<Value>, threshold| {
            Value::map([("keyids", Value::List(ids)), ("threshold", Value::Integer(threshold))])
        };
        let online = Key::plain(Dialect::Tuf, &self.online.public).unwrap();
        let mut all: Members = keys.iter().map(|key| (key.id.clone(), key.value.clone())).collect();
        all.insert(online.id().to_string(), online.value().clone());
        let roles = Role::ALL.map(|each| match each {
            Role::Root => {
                let ids = keys.iter().map(|key| Value::text(&*key.id)).collect();
                (each.name(), role(ids, threshold))
            }
            _ => (each.name(), role(vec![Value::text(online.id().as_str())], 1)),
        });
        Value::map([
            ("_type", Value::text("root")),
            ("consistent_snapshot", Value::Bool(true)),
            ("expires", Value::text(in_days(100))),
            ("keys", Value::Map(all)),
            ("roles", Value::map(roles)),
            ("spec_version", Value::text("1.0.31")),
            ("version", Value::Integer(version as i64)),
        ])
    }

    fn spoil(&self, signed: &mut Value, chance: &mut Chance, story: &mut Vec<String>) {
        let which = chance.below(26);
        let version = member(signed, &["version"]).as_integer().unwrap();
        story.push(format!("{version}: spoil {which}"));
        let mut put = |path: &[&str], value: Value| *member(signed, path) = value;
        let at = in_days(100);
        let plain = at.trim_end_matches('Z');
        match which {
            0 | 1 => put(&["expires"], Value::text(in_days(-10))),
            2 => put(&["expires"], Value::text(format!("{plain}.500Z"))),
            3 => put(&["expires"], Value::text(format!("{plain}.5Z"))),
            4 => put(&["expires"], Value::text(format!("{plain}+00:00"))),
            5 => put(&["version"], Value::Integer(version + 1)),
            6 => put(&["version"], Value::Integer((version - 1).max(1))),
            7 => remove(signed, &["roles"], "timestamp"),
            8 => {
                let role = [("keyids", Value::List(vec![])), ("threshold", Value::Integer(1))];
                put(&["roles", "mirror"], Value::map(role));
            }
            9 => put(&["roles", "root", "threshold"], Value::Integer(0)),
            10 => put(&["roles", "targets", "threshold"], Value::Integer(-1)),
            11 => put(&["roles", "root", "threshold"], Value::Integer(9)),
            12 => push(signed, &["roles", "root", "keyids"], Value::text("ab".repeat(32))),
            13 => {
                let again =
                    member(signed, &["roles", "root", "keyids"]).as_list().unwrap()[0].clone();
                push(signed, &["roles", "root", "keyids"], again);
            }
            14 => put(&["spec_version"], Value::text("2.0.0")),
            15 => put(&["spec_version"], Value::text("1.0")),
            16 => put(&["spec_version"], Value::text("1.0.31-beta")),
            17 => remove(signed, &[], "spec_version"),
            18 => remove(signed, &[], "consistent_snapshot"),
            19 => put(&["x-note"], Value::text("caf\u{e9} \"\\ <&>")),
            20 => put(&["roles", "root", "x-note"], Value::List(vec![Value::Null])),
            21 => self.add_key(
                signed,
                Value::map([
                    ("keytype", Value::text("foo")),
                    ("keyval", Value::map([("public", Value::text("00"))])),
                    ("scheme", Value::text("foo")),
                ]),
            ),
            22 => self.add_key(
                signed,
                Value::map([
                    ("keytype", Value::text("ecdsa")),
                    ("keyval", Value::map([("public", Value::text("-----BEGIN nothing"))])),
                    ("scheme", Value::text("ecdsa-sha2-nistp256")),
                ]),
            ),
            23 => {
                let key = Key::plain(Dialect::Tuf, &self.p384.public).unwrap();
                self.add_key(signed, key.value().clone());
            }
            24 => put(&["x-large"], Value::text("x".repeat(600_000))),
            _ => put(&["x-large"], Value::text("x".repeat(1_100_000))),
        }
    }

    fn add_key(&self, signed: &mut Value, key: Value) {
        let id = Digest::of(&key.go()).to_string();
        *member(signed, &["keys", &id]) = key;
    }

    fn signatures(&self, signed: &Value, by: &[Listed]) -> Vec<Value> {
        let message = signed.go();
        let sign = |key: &Listed| {
            let signer = &self.signers[key.signer];
            let scheme = Dialect::Tuf.scheme(signer.public.algorithm()).unwrap();
            signature(&key.id, &signer.sign(scheme, &message))
        };
        by.iter().map(sign).collect()
    }

    fn spoil_signatures(
        &self,
        signed: &Value,
        signatures: &mut Vec<Value>,
        chance: &mut Chance,
        story: &mut Vec<String>,
    ) {
        if signatures.is_empty() {
            return;
        }
        let which = chance.below(6);
        let at = chance.below(signatures.len());
        story.push(format!("signatures: spoil {which} at {at}"));
        match which {
            0 => {
                let again = signatures[at].clone();
                signatures.push(again);
            }
            1 => *member(&mut signatures[at], &["sig"]) = Value::text(""),
            2 => *member(&mut signatures[at], &["sig"]) = Value::text("00".repeat(64)),
            3 => {
                let bytes = self.online.sign(Scheme::Ed25519, &signed.go());
                signatures.push(signature(&"cd".repeat(32), &bytes));
            }
            4 => *member(&mut signatures[at], &["x-note"]) = Value::Null,
            _ => signatures.clear(),
        }
    }
}

fn signature(id: &str, bytes: &[u8]) -> Value {
    Value::map([("keyid", Value::text(id)), ("sig", Value::text(HEXLOWER.encode(bytes)))])
}
