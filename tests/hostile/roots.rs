//! Attacks on roots: each begins with an honest chain of two.

use data_encoding::BASE64;
use officiant::cjson::{Members, Value};
use officiant::digest::Digest;
use officiant::key::{Algorithm, Scheme};
use officiant::root::{Dialect, Key, Role, Root, SignedRoot};

use super::Files;
use super::judge::REPOSITORY;
use super::make::{Held, Maker, Signer, edited, inside, root, tbs};

/// An honest chain, two of three: the second root replaces the third key.
struct Base {
    keys: [Held; 4],
    first: SignedRoot,
    second: SignedRoot,
}

impl Base {
    fn new(maker: &mut Maker, dialect: Dialect) -> Self {
        let keys = maker.keys(dialect, [0x11, 0x12, 0x13, 0x14]);
        let [a, b, c, d] = &keys;
        let first = root(None, &[a, b, c], 2);
        let first = maker.signed(&first, &[a, b]);
        let second = root(Some(first.root()), &[a, b, d], 2);
        let second = maker.signed(&second, &[a, b]);
        Self { keys, first, second }
    }
}

/// The files of a case: the bytes of each version.
fn put(files: &mut Files, case: &str, roots: &[(u64, &[u8])]) {
    for (version, bytes) in roots {
        files.insert(format!("{case}/{version}.root.json"), bytes.to_vec());
    }
}

const DIALECTS: [Dialect; 2] = [Dialect::Notary, Dialect::Tuf];

/// The honest chains.
pub(super) fn honest(maker: &mut Maker) -> Files {
    let mut files = Files::new();
    for dialect in DIALECTS {
        let base = Base::new(maker, dialect);
        let roots = [(1, base.first.bytes()), (2, base.second.bytes())];
        put(&mut files, &dialect.to_string(), &roots);
    }
    files
}

/// Every attack on roots.
pub(super) fn attacks(maker: &mut Maker) -> Files {
    let mut files = Files::new();
    for dialect in DIALECTS {
        let base = Base::new(maker, dialect);
        signatures(maker, &base, &mut files);
        versions(maker, &base, &mut files);
        contents(maker, &base, &mut files);
    }
    let tuf = Base::new(maker, Dialect::Tuf);
    moved(maker, &tuf, &mut files);
    json(&tuf, &mut files);
    let notary = Base::new(maker, Dialect::Notary);
    certificates(maker, &notary, &mut files);
    not_byte_exact(maker, &notary, &mut files);
    files
}

/// Signatures twice, by strangers, and by the new keys alone.
fn signatures(maker: &mut Maker, base: &Base, files: &mut Files) {
    let dialect = base.first.root().dialect();
    let [a, _, _, d] = &base.keys;
    let mut case = |attack: &str, second: &[u8]| {
        put(files, &format!("{attack}/{dialect}"), &[(1, base.first.bytes()), (2, second)]);
    };
    let [stranger] = maker.keys(dialect, [0x66]);
    let by_stranger = maker.signed(base.second.root(), &[a, &stranger]);
    case("signature-by-stranger", by_stranger.bytes());
    let lowered = root(Some(base.first.root()), &[d], 1);
    case("threshold-lowered-without-old-keys", maker.signed(&lowered, &[d]).bytes());
    if dialect == Dialect::Tuf {
        let once = maker.signed(base.second.root(), &[a]);
        case("duplicate-signature", &twice(once.bytes()));
    }
}

/// The file with its one signature in it twice.
fn twice(bytes: &[u8]) -> Vec<u8> {
    let limits = officiant::cjson::Limits::ROOT;
    let Ok(Value::Map(mut file)) = Value::parse(bytes, limits) else { panic!("an object") };
    let Some(Value::List(signatures)) = file.get_mut("signatures") else { panic!("a list") };
    signatures.push(signatures[0].clone());
    Value::Map(file).json()
}

/// Versions that are not the next one.
fn versions(maker: &mut Maker, base: &Base, files: &mut Files) {
    let dialect = base.first.root().dialect();
    let [a, b, _, _] = &base.keys;
    for (attack, name, version) in [("version-skipped", 3, 3), ("version-repeated", 2, 1)] {
        let other = edited(base.second.root(), |members| {
            members.insert("version".to_owned(), Value::Integer(version));
        });
        let other = maker.signed(&other, &[a, b]);
        let roots = [(1, base.first.bytes()), (name, other.bytes())];
        put(files, &format!("{attack}/{dialect}"), &roots);
    }
}

/// A root without a role, and one whose day is over.
fn contents(maker: &mut Maker, base: &Base, files: &mut Files) {
    let dialect = base.first.root().dialect();
    let [a, b, _, _] = &base.keys;
    let mut case = |attack: &str, root: &Root| {
        let file = maker.signed(root, &[a, b]);
        put(files, &format!("{attack}/{dialect}"), &[(1, file.bytes())]);
    };
    let without = edited(base.first.root(), |members| {
        inside(members, "roles").remove(Role::Snapshot.name());
    });
    case("role-missing", &without);
    let expired = edited(base.first.root(), |members| {
        members.insert("expires".to_owned(), Value::text("2026-12-15T00:00:00Z"));
    });
    case("expired-root", &expired);
}

/// Keys in another role than before, and under another id than their own.
fn moved(maker: &mut Maker, base: &Base, files: &mut Files) {
    let [a, b, _, _] = &base.keys;
    let first = base.first.root();
    let fresh = Signer::new(Dialect::Tuf, 0x24);
    let fresh = Key::plain(Dialect::Tuf, &fresh.public).expect("a key");
    let (old_targets, _) = first.role_keys(Role::Targets).next().expect("a key");
    let other = edited(base.second.root(), |members| {
        let keys = inside(members, "keys");
        keys.insert(fresh.id().as_str().to_owned(), fresh.value().clone());
        let roles = inside(members, "roles");
        for (role, id) in [("snapshot", old_targets), ("targets", fresh.id())] {
            let ids = Value::List(vec![Value::text(id.as_str())]);
            inside(roles, role).insert("keyids".to_owned(), ids);
        }
    });
    let other = maker.signed(&other, &[a, b]);
    let roots = [(1, base.first.bytes()), (2, other.bytes())];
    put(files, "key-moved-to-another-role/tuf", &roots);

    let renamed = edited(first, |members| {
        rename(members, a.1.id().as_str(), &"a".repeat(64));
    });
    put(files, "key-id-mismatch/tuf", &[(1, maker.signed(&renamed, &[a, b]).bytes())]);
}

/// Lists a root key under another id.
fn rename(members: &mut Members, from: &str, to: &str) {
    let keys = inside(members, "keys");
    let key = keys.remove(from).expect("a key");
    keys.insert(to.to_owned(), key);
    let role = inside(inside(members, "roles"), "root");
    let Some(Value::List(ids)) = role.get_mut("keyids") else { panic!("a list") };
    ids.iter_mut().filter(|id| id.as_text() == Some(from)).for_each(|id| *id = Value::text(to));
}

/// Bytes that two readers could take in two ways.
fn json(base: &Base, files: &mut Files) {
    let text = std::str::from_utf8(base.first.bytes()).expect("text");
    let mut case = |attack: &str, from: &str, to: &str| {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        put(files, &format!("{attack}/tuf"), &[(1, text.replace(from, to).as_bytes())]);
    };
    let deep = format!("\"version\":1,\"x\":{}{}", "[".repeat(20), "]".repeat(20));
    let name = "\"roles\":{\"cafe\u{301}\":{\"keyids\":[],\"threshold\":1},";
    case("duplicate-json-key", "\"threshold\":2", "\"threshold\":2,\"threshold\":1");
    case("deep-nesting", "\"version\":1", &deep);
    case("float-number", "\"version\":1", "\"version\":1.0");
    case("number-beyond-2^53", "\"version\":1", "\"version\":9007199254740993");
    case("non-nfc-name", "\"roles\":{", name);
    case("control-characters", "\"1.0.31\"", "\"1.0.31\n\"");
    let trailing = format!("{text}{{}}");
    put(files, "trailing-bytes/tuf", &[(1, trailing.as_bytes())]);
}

/// Certificates that Notary does not take, or takes for two keys.
fn certificates(maker: &mut Maker, base: &Base, files: &mut Files) {
    let signers = Signer::many(Dialect::Notary, [0x11, 0x12]);
    for (attack, name, until) in [
        ("expired-certificate", REPOSITORY, "2026-12-20"),
        ("certificate-of-another-name", "localhost:5000/y", "2034-01-01"),
    ] {
        let [a, b] = signers.each_ref().map(|signer| maker.key(signer, (name, until)));
        let file = root(None, &[&a, &b], 2);
        let file = maker.signed(&file, &[&a, &b]);
        put(files, &format!("{attack}/notary"), &[(1, file.bytes())]);
    }
    let [a, b, c, _] = &base.keys;
    let again = maker.key(&a.0, (REPOSITORY, "2035-01-01"));
    let ca = ca_certificate(maker, &c.0);
    let pem = |held: &Held| held.1.bundle().expect("a certificate").pem();
    let rows = [
        ("twin-key", pem(&again)),
        ("certificate-with-crlf", pem(b).replace('\n', "\r\n")),
        ("certificate-bundle-ca-first", format!("{ca}{}", pem(b))),
    ];
    for (attack, text) in rows {
        let (id, value) = key_object(&text);
        let other = edited(base.first.root(), |members| {
            inside(members, "keys").insert(b.1.id().as_str().to_owned(), value);
            rename(members, b.1.id().as_str(), &id);
        });
        let mut by = vec![a];
        by.extend((attack == "twin-key").then_some(&again));
        put(files, &format!("{attack}/notary"), &[(1, maker.signed(&other, &by).bytes())]);
    }
}

/// A Notary key object around PEM text, and its own id.
fn key_object(text: &str) -> (String, Value) {
    let public = Value::text(BASE64.encode(text.as_bytes()));
    let keyval = Value::map([("private", Value::Null), ("public", public)]);
    let value = Value::map([("keytype", Value::text("ecdsa-x509")), ("keyval", keyval)]);
    (Digest::of(&value.go()).to_string(), value)
}

/// The certificate of a key with `CA:TRUE`, signed by the key.
fn ca_certificate(maker: &mut Maker, signer: &Signer) -> String {
    let mut tbs = tbs(signer, REPOSITORY, "2034-01-01").bytes().to_vec();
    // basicConstraints, critical, an empty sequence; three bytes more say TRUE.
    let plain = [6, 3, 0x55, 0x1d, 0x13, 1, 1, 0xff, 4, 2, 0x30, 0];
    let at = tbs.windows(plain.len()).position(|bytes| bytes == plain).expect("basicConstraints");
    tbs.splice(at + 9.., [5, 0x30, 3, 1, 1, 0xff]);
    // The extension, their list, the tag before it, and the whole, in two bytes of length.
    let list = tbs.iter().rposition(|byte| *byte == 0xa3).expect("extensions");
    for length in [at - 1, list + 1, list + 3] {
        tbs[length] += 3;
    }
    let whole = u16::from_be_bytes([tbs[2], tbs[3]]) + 3;
    match tbs[1] {
        0x81 => tbs[2] += 3,
        _ => tbs[2..4].copy_from_slice(&whole.to_be_bytes()),
    }
    let raw = maker.raw(signer, &tbs);
    let scheme = Scheme::of_certificate(Algorithm::EcdsaP256);
    let signature = scheme.encode(Algorithm::EcdsaP256, &raw).expect("a signature");
    let algorithm = [0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let bits = [&[3, signature.len() as u8 + 1, 0][..], &signature].concat();
    let body = [&tbs[..], &algorithm, &bits].concat();
    let der = [&[0x30, 0x82][..], &(body.len() as u16).to_be_bytes(), &body].concat();
    let certificate = officiant::root::certificate::Certificate::from_der(&der);
    let certificate = certificate.expect("a certificate");
    assert!(certificate.is_ca());
    certificate.public().verify(scheme, &tbs, &signature).expect("its own signature");
    certificate.to_pem()
}

/// Files that a trust server would keep otherwise than it was given them.
fn not_byte_exact(maker: &mut Maker, base: &Base, files: &mut Files) {
    let [a, b, _, _] = &base.keys;
    let mut case = |way: &str, bytes: &[u8]| {
        put(files, &format!("not-byte-exact/notary-{way}"), &[(1, bytes)]);
    };
    let bytes = base.first.bytes();
    let text = std::str::from_utf8(bytes).expect("text");
    case("trailing-newline", &[bytes, b"\n"].concat());
    let json: serde_json::Value = serde_json::from_slice(bytes).expect("JSON");
    case("pretty-print", &serde_json::to_vec_pretty(&json).expect("JSON"));
    let upper = text.replace("\"method\":\"ecdsa\"", "\"method\":\"ECDSA\"");
    case("upper-case-method", upper.as_bytes());
    for (way, name, value) in [
        ("unknown-field", "x-note", Value::Integer(7)),
        ("offset-zero", "expires", Value::text("2031-11-30T00:00:00+00:00")),
    ] {
        let other = edited(base.first.root(), |members| drop(members.insert(name, value)));
        case(way, maker.signed(&other, &[a, b]).bytes());
    }
}
