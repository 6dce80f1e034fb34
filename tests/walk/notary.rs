//! Chains of Notary roots, most of them with something wrong.

use std::collections::BTreeMap;
use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, KeyPair};
use data_encoding::BASE64;
use jiff::Timestamp;
use officiant::cjson::{Form, Members, Value};
use officiant::digest::Digest;
use officiant::key::{Algorithm, Hash, PublicKey, Scheme};
use officiant::root::{Dialect, Key, Role};

use super::chance::Chance;
use super::signer::Signer;
use super::{Case, GUN, in_days, member, pretty, push, remove};

/// Makes chains of keys that it made first.
pub(super) struct Maker {
    signers: Vec<Signer>,
    online: BTreeMap<Role, Key>,
    authority: Signer,
}

/// A root key as a document lists it, and the id under which it signs.
#[derive(Clone)]
struct Listed {
    id: String,
    signs_as: String,
    value: Value,
    signer: usize,
}

/// What a certificate says.
struct Said<'a> {
    name: &'a str,
    from: i64,
    until: i64,
    is_ca: bool,
    is_sha1: bool,
}

const USUAL: Said<'static> = Said { name: GUN, from: -1, until: 400, is_ca: false, is_sha1: false };

impl Maker {
    pub(super) fn new(scratch: &crate::harness::scratch::Scratch, folder: &Path) -> Self {
        let mut signers: Vec<Signer> = (0..7).map(|_| Signer::p256()).collect();
        signers.push(Signer::rsa());
        signers.push(Signer::p384_with_sha256(scratch));
        let online = |role: Role| {
            let signing = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
            let private = EcdsaKeyPair::generate_pkcs8(signing, &SystemRandom::new()).unwrap();
            std::fs::write(folder.join(format!("{role}.key")), private.as_ref()).unwrap();
            let pair = EcdsaKeyPair::from_pkcs8(signing, private.as_ref()).unwrap();
            let point = pair.public_key().as_ref();
            let public = PublicKey::from_ec_point(Algorithm::EcdsaP256, point).unwrap();
            (role, Key::plain(Dialect::Notary, &public).unwrap())
        };
        let online = Role::ONLINE.into_iter().map(online).collect();
        Self { signers, online, authority: Signer::p256() }
    }

    pub(super) fn case(&mut self, seed: u64) -> Case {
        let mut chance = Chance::new(seed);
        let mut case =
            Case { name: format!("{seed:04}"), story: Vec::new(), files: BTreeMap::new() };
        let length = 1 + chance.below(5) as u64;
        let troubled = 1 + chance.below(length as usize) as u64;
        let mut past: Vec<Listed> = Vec::new();
        let mut before: Vec<Listed> = Vec::new();
        for version in 1..=length {
            let is_troubled = version == troubled && !chance.one_in(4);
            let keys = match chance.one_in(3) && !before.is_empty() {
                true => before.clone(),
                false => self.keys(is_troubled, &mut chance, &mut case.story),
            };
            let threshold = 1 + chance.below(keys.len());
            let mut signed = self.signed(version, &keys, threshold as i64);
            if is_troubled && chance.one_in(2) {
                self.spoil(&mut signed, &mut chance, &mut case.story);
            }
            let mut all = if chance.one_in(6) { past.clone() } else { before.clone() };
            all.extend(keys.iter().cloned());
            if is_troubled && chance.one_in(2) {
                let gone = chance.below(all.len());
                case.story.push(format!("{version}: without a signature of {}", all.len()));
                all.remove(gone);
            }
            let mut signatures = self.signatures(&signed, &all, &mut chance);
            if is_troubled && chance.one_in(3) {
                self.spoil_signatures(&mut signatures, &mut chance, &mut case.story);
            }
            let bytes = file(&signed, &signatures);
            let bytes = match (chance.below(40), version == length) {
                (0, _) | (1..4, true) => {
                    case.story.push(format!("{version}: pretty"));
                    pretty(&bytes)
                }
                (4, _) | (5..8, true) => {
                    case.story.push(format!("{version}: line end"));
                    [bytes, b"\n".to_vec()].concat()
                }
                _ => bytes,
            };
            case.files.insert(version, bytes);
            past.append(&mut before);
            before = keys;
        }
        if length > 2 && chance.one_in(8) {
            let gone = 2 + chance.below(length as usize - 2) as u64;
            case.story.push(format!("{gone} is not published"));
            case.files.remove(&gone);
        }
        case
    }

    fn keys(&self, is_troubled: bool, chance: &mut Chance, story: &mut Vec<String>) -> Vec<Listed> {
        let count = 1 + chance.below(4);
        let mut keys: Vec<Listed> = Vec::new();
        for index in 0..count {
            let signer = chance.below(self.signers.len());
            if keys.iter().any(|key| key.signer == signer) {
                continue;
            }
            let which = match is_troubled && index < 2 {
                true => chance.below(22),
                false => chance.below(400),
            };
            let listed = self.listed(signer, which);
            if which < 20 {
                story.push(format!("key {} is of kind {which}", &listed.id[..8]));
            }
            keys.push(listed);
        }
        if chance.one_in(12) {
            story.push("a twin".to_owned());
            let said = Said { until: 500, ..USUAL };
            keys.push(self.of_text(keys[0].signer, &self.certificate(keys[0].signer, &said)));
        }
        keys
    }

    fn listed(&self, signer: usize, which: usize) -> Listed {
        let certificate = |said: &Said<'_>| self.certificate(signer, said);
        let usual = || certificate(&USUAL);
        let authority = |said: &Said<'_>| self.certified(&self.authority.public, said);
        let ca = Said { name: "ca", is_ca: true, ..USUAL };
        let text = match which {
            0 => certificate(&Said { name: "localhost:5000/y", ..USUAL }),
            1 => certificate(&Said { name: "localhost:5000/*", ..USUAL }),
            2 => certificate(&Said { name: "*", ..USUAL }),
            3 | 4 => certificate(&Said { from: -100, until: -10, ..USUAL }),
            5 => certificate(&Said { from: 3, ..USUAL }),
            6 => certificate(&Said { is_sha1: true, ..USUAL }),
            7 => certificate(&Said { is_ca: true, ..USUAL }),
            8 => usual() + &authority(&ca),
            9 => usual() + &authority(&Said { from: -100, until: -10, ..ca }),
            10 => authority(&ca) + &usual(),
            11 => usual() + &authority(&USUAL),
            12 => usual().replace('\n', "\r\n"),
            13 => format!("subject\n{}", usual()),
            14 => usual().trim_end().to_owned(),
            15 => usual().replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
            16 => certificate(&Said { from: 5, until: 2, ..USUAL }),
            _ => usual(),
        };
        let mut listed = self.of_text(signer, &text);
        match which {
            17 => {
                let key = Key::plain(Dialect::Notary, &self.signers[signer].public).unwrap();
                listed.value = key.value().clone();
                listed.id = key.id().to_string();
                listed.signs_as = listed.id.clone();
            }
            18 => {
                *member(&mut listed.value, &["keytype"]) = Value::text("ecdsa");
                listed.id = Digest::of(&listed.value.go()).to_string();
            }
            19 => listed.id = Digest::of(listed.id.as_bytes()).to_string(),
            _ => {}
        }
        listed
    }

    fn of_text(&self, signer: usize, text: &str) -> Listed {
        let kind = match self.signers[signer].public.algorithm() {
            Algorithm::Rsa(_) => "rsa-x509",
            _ => "ecdsa-x509",
        };
        let public = Value::text(BASE64.encode(text.as_bytes()));
        let keyval = Value::map([("private", Value::Null), ("public", public)]);
        let value = Value::map([("keytype", Value::text(kind)), ("keyval", keyval)]);
        let id = Digest::of(&value.go()).to_string();
        Listed { signs_as: id.clone(), id, value, signer }
    }

    fn certificate(&self, signer: usize, said: &Said<'_>) -> String {
        self.certified(&self.signers[signer].public, said)
    }

    /// A certificate with a signature that nobody verifies.
    fn certified(&self, key: &PublicKey, said: &Said<'_>) -> String {
        let algorithm: &[u8] = match said.is_sha1 {
            true => &[0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1],
            false => &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
        };
        let algorithm = tlv(0x30, algorithm);
        let cn = [tlv(0x06, &[0x55, 4, 3]), tlv(0x0c, said.name.as_bytes())].concat();
        let name = tlv(0x30, &tlv(0x31, &tlv(0x30, &cn)));
        let at = |days: i64| {
            let at = Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
            tlv(0x17, at.strftime("%y%m%d%H%M%SZ").to_string().as_bytes())
        };
        let constraints = if said.is_ca { tlv(0x30, &[1, 1, 0xff]) } else { tlv(0x30, &[]) };
        let extension =
            [tlv(0x06, &[0x55, 0x1d, 19]), tlv(1, &[0xff]), tlv(0x04, &constraints)].concat();
        let tbs = [
            tlv(0xa0, &[2, 1, 2]),
            tlv(0x02, &[1 + (said.until & 0x3f) as u8]),
            algorithm.clone(),
            name.clone(),
            tlv(0x30, &[at(said.from), at(said.until)].concat()),
            name,
            key.der().to_vec(),
            tlv(0xa3, &tlv(0x30, &tlv(0x30, &extension))),
        ];
        let signature = tlv(0x03, &[0, 0x30, 6, 2, 1, 1, 2, 1, 1]);
        let whole = tlv(0x30, &[tlv(0x30, &tbs.concat()), algorithm, signature].concat());
        let text = BASE64.encode(&whole);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }

    fn signed(&self, version: u64, keys: &[Listed], threshold: i64) -> Value {
        let role = |ids: Vec<Value>, threshold| {
            Value::map([("keyids", Value::List(ids)), ("threshold", Value::Integer(threshold))])
        };
        let mut all: Members = keys.iter().map(|key| (key.id.clone(), key.value.clone())).collect();
        let mut roles = Members::default();
        for (each, key) in &self.online {
            all.insert(key.id().to_string(), key.value().clone());
            roles.insert(each.to_string(), role(vec![Value::text(key.id().as_str())], 1));
        }
        let ids = keys.iter().map(|key| Value::text(&*key.id)).collect();
        roles.insert("root", role(ids, threshold));
        Value::map([
            ("_type", Value::text("Root")),
            ("consistent_snapshot", Value::Bool(false)),
            ("expires", Value::text(in_days(100))),
            ("keys", Value::Map(all)),
            ("roles", Value::Map(roles)),
            ("version", Value::Integer(version as i64)),
        ])
    }

    fn spoil(&self, signed: &mut Value, chance: &mut Chance, story: &mut Vec<String>) {
        let which = chance.below(20);
        let version = member(signed, &["version"]).as_integer().unwrap();
        story.push(format!("{version}: spoil {which}"));
        let mut put = |path: &[&str], value: Value| *member(signed, path) = value;
        let at = in_days(100);
        let plain = at.trim_end_matches('Z');
        match which {
            0..4 => put(&["expires"], Value::text(in_days(-10))),
            4 => put(&["expires"], Value::text(format!("{plain}.500Z"))),
            5 => put(&["expires"], Value::text(format!("{plain}.5Z"))),
            6 => put(&["expires"], Value::text(format!("{plain}+00:00"))),
            7 => put(&["expires"], Value::text(format!("{plain}+02:00"))),
            8 => put(&["version"], Value::Integer(version + 1)),
            9 => put(&["version"], Value::Integer((version - 1).max(1))),
            10 => remove(signed, &["roles"], "timestamp"),
            11 => {
                let role = [("keyids", Value::List(vec![])), ("threshold", Value::Integer(0))];
                put(&["roles", "a<&b"], Value::map(role));
            }
            12 => put(&["roles", "root", "threshold"], Value::Integer(0)),
            13 => put(&["roles", "root", "threshold"], Value::Integer(9)),
            14 => push(signed, &["roles", "root", "keyids"], Value::text("ab".repeat(32))),
            15 => {
                let again =
                    member(signed, &["roles", "root", "keyids"]).as_list().unwrap()[0].clone();
                push(signed, &["roles", "root", "keyids"], again);
            }
            16 => put(&["x-note"], Value::text("caf\u{e9} \"\\ <&>")),
            17 => put(&["roles", "root", "x-note"], Value::Null),
            18 => put(&["consistent_snapshot"], Value::Bool(true)),
            _ => {
                let key = self.listed(0, 3);
                put(&["keys", &key.id], key.value);
            }
        }
    }

    fn signatures(&self, signed: &Value, by: &[Listed], chance: &mut Chance) -> Vec<Value> {
        let message = signed.go();
        let mut signed_by = std::collections::BTreeSet::new();
        let mut signatures = Vec::new();
        for key in by {
            if !signed_by.insert(key.signs_as.clone()) {
                continue;
            }
            let signer = &self.signers[key.signer];
            let (scheme, method) = match signer.public.algorithm() {
                Algorithm::Rsa(_) if chance.one_in(3) => (Scheme::RsaPkcs1, "rsapkcs1v15"),
                Algorithm::Rsa(_) => (Scheme::RsaPss, "rsapss"),
                _ => (Scheme::EcdsaRaw(Hash::Sha256), "ecdsa"),
            };
            signatures.push(signature(&key.signs_as, method, &signer.sign(scheme, &message)));
        }
        signatures
    }

    fn spoil_signatures(
        &self,
        signatures: &mut Vec<Value>,
        chance: &mut Chance,
        story: &mut Vec<String>,
    ) {
        if signatures.is_empty() {
            return;
        }
        let which = chance.below(9);
        let at = chance.below(signatures.len());
        story.push(format!("signatures: spoil {which} at {at}"));
        let sig =
            BASE64.decode(signatures[at].as_map().unwrap()["sig"].as_text().unwrap().as_bytes());
        let sig = sig.unwrap();
        let mut put =
            |name: &str, value: &str| *member(&mut signatures[at], &[name]) = Value::text(value);
        match which {
            0 => signatures.push(signatures[at].clone()),
            1 => put("sig", ""),
            2 => put("sig", &BASE64.encode(&vec![0; sig.len()])),
            3 => put("sig", &BASE64.encode(&[&[0x30, 0x44, 2, 0x20], &sig[..]].concat())),
            4 => put("method", "ECDSA"),
            5 => put("method", "rsapss"),
            6 => put("method", "nothing"),
            7 => signatures.push(signature(&"cd".repeat(32), "ecdsa", &sig)),
            _ => signatures.clear(),
        }
    }
}

fn signature(id: &str, method: &str, bytes: &[u8]) -> Value {
    Value::map([
        ("keyid", Value::text(id)),
        ("method", Value::text(method)),
        ("sig", Value::text(BASE64.encode(bytes))),
    ])
}

/// As Go writes it: `signed` first, escaped for HTML.
fn file(signed: &Value, signatures: &[Value]) -> Vec<u8> {
    let go = |value: &Value| value.encode(Form::GoEmbedded);
    let signatures = Value::List(signatures.to_vec());
    [b"{\"signed\":", &go(signed)[..], b",\"signatures\":", &go(&signatures), b"}"].concat()
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        short @ 0..0x80 => out.push(short as u8),
        middle @ 0x80..0x100 => out.extend([0x81, middle as u8]),
        long => out.extend([0x82, (long >> 8) as u8, long as u8]),
    }
    out.extend_from_slice(content);
    out
}
