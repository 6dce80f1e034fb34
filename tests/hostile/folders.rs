//! Attacks on request folders, trust folders and shares.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use data_encoding::HEXLOWER;
use officiant::digest::Digest;
use officiant::key::Algorithm;
use officiant::record::{Body, Mode, Record, Tool};
use officiant::request::{Repository, Request};
use officiant::root::{Dialect, Role};
use officiant::sums::{FILE, Predecessor, Sums};
use officiant::trust::{CUSTODY, Custody, CustodyKey, Held, TRUST_SUMS};

use crate::harness::scratch::below;

use super::Files;
use super::make::{Maker, Signer, day, edited, root};

/// The honest folders.
pub(super) fn honest(maker: &mut Maker) -> Files {
    let mut files = Files::new();
    lay(&mut files, "request", &request(maker));
    lay(&mut files, "trust", &trust(maker));
    lay(&mut files, "share", &shares());
    files
}

/// Every attack on folders.
pub(super) fn attacks(maker: &mut Maker) -> Files {
    let mut files = Files::new();
    requests(&request(maker), &mut files);
    trusts(maker, &mut files);
    of_shares(&mut files);
    files
}

fn lay(files: &mut Files, place: &str, folder: &Files) {
    files.extend(folder.iter().map(|(path, bytes)| (format!("{place}/{path}"), bytes.clone())));
}

/// A request for one repository of TUF with a first root.
fn request(maker: &mut Maker) -> Files {
    let keys = maker.keys(Dialect::Tuf, [0x11, 0x12]);
    let [a, b] = &keys;
    let first = maker.signed(&root(None, &[a, b], 2), &[a, b]);
    let offer = |role, seed| (role, vec![Signer::new(Dialect::Tuf, seed).public]);
    let offered = BTreeMap::from([
        offer(Role::Snapshot, 0x31),
        offer(Role::Targets, 0x32),
        offer(Role::Timestamp, 0x33),
    ]);
    let repository =
        Repository { roots: vec![first.bytes().to_vec()], keys: offered, served: None };
    let request = Request {
        dialect: Dialect::Tuf,
        fetched: day("2026-11-22"),
        server: "https://localhost:4443".to_owned(),
        repositories: BTreeMap::from([("demo".parse().expect("a name"), repository)]),
    };
    request.files().expect("files")
}

fn requests(base: &Files, files: &mut Files) {
    let mut case = |attack: &str, edit: &dyn Fn(&mut Files)| {
        let mut folder = base.clone();
        edit(&mut folder);
        lay(files, &format!("{attack}/request"), &folder);
    };
    case("extra-file", &|folder| {
        folder.insert("metadata/demo/2.root.json".to_owned(), b"{}".to_vec());
    });
    case("missing-file", &|folder| {
        folder.remove("repositories.jsonl");
    });
    case("changed-sum", &|folder| {
        let sums = folder.get_mut(FILE).expect("sums");
        sums[0] = if sums[0] == b'0' { b'1' } else { b'0' };
    });
    let listed = |folder: &mut Files, path: &str| {
        let sums = String::from_utf8(folder[FILE].clone()).expect("text");
        let digest = Digest::of(b"");
        folder.insert(FILE.to_owned(), format!("{digest}  {path}\n{sums}").into_bytes());
    };
    case("path-traversal", &|folder| listed(folder, "../../outside"));
    case("case-folded-twin", &|folder| listed(folder, "REPOSITORIES.jsonl"));
}

const GENESIS: &str = "ceremonies/0001-genesis";
const ROTATE: &str = "ceremonies/0002-rotate";

/// A trust folder of two ceremonies, as far as its sums, links and roots go.
fn trust(maker: &mut Maker) -> Files {
    let keys = maker.keys(Dialect::Tuf, [0x11, 0x12, 0x13]);
    let [a, b, c] = &keys;
    let first = root(None, &[a, b], 2);
    let second = root(Some(&first), &[b, c], 2);
    let mut files = Files::new();
    let put_root = |files: &mut Files, version: u64, bytes: &[u8]| {
        files.insert(format!("metadata/demo/{version}.root.json"), bytes.to_vec());
    };
    put_root(&mut files, 1, maker.signed(&first, &[a, b]).bytes());
    files.insert(CUSTODY.to_owned(), custody(&keys[..2].iter().map(|k| &k.0).collect::<Vec<_>>()));
    close(&mut files, GENESIS, None);
    put_root(&mut files, 2, maker.signed(&second, &[a, b, c]).bytes());
    files.insert(CUSTODY.to_owned(), custody(&keys.iter().map(|k| &k.0).collect::<Vec<_>>()));
    close(&mut files, ROTATE, Some(GENESIS));
    files
}

fn custody(signers: &[&Signer]) -> Vec<u8> {
    let keys = signers.iter().zip(["a", "b", "c"]).map(|(signer, letter)| CustodyKey {
        name: format!("root-{letter}"),
        algorithm: Algorithm::Ed25519,
        public: signer.public.clone(),
        held: Held::Token { token: format!("officer-{letter}") },
        former: Vec::new(),
    });
    Custody { keys: keys.collect(), ..Custody::default() }.to_bytes()
}

/// Adds the folder of a ceremony around what stands in the trust folder.
fn close(files: &mut Files, folder: &str, before: Option<&str>) {
    let after = before.map(|before| Digest::of(&files[&format!("{before}/{FILE}")]));
    let plan = match after {
        None => PLAN_GENESIS.to_owned(),
        Some(after) => PLAN_ROTATE.replace("AFTER", &after.to_string()),
    };
    let plan = plan.replace("REQUEST", &Digest::of(b"request").to_string());
    let mut own = Files::new();
    own.insert("record.jsonl".to_owned(), record(&[(Digest::of(plan.as_bytes()), after)]));
    own.insert("plan.toml".to_owned(), plan.into_bytes());
    let mut vouched = files.clone();
    vouched.retain(|path, _| !path.starts_with("ceremonies/"));
    let vouched = Sums::of(&vouched).expect("sums").to_text();
    own.insert(TRUST_SUMS.to_owned(), vouched.into_bytes());
    summed(&mut own, before.zip(after));
    lay(files, folder, &own);
}

/// A record of openings.
fn record(openings: &[(Digest, Option<Digest>)]) -> Vec<u8> {
    let mut record = Record::default();
    for (plan, after) in openings {
        let tool = Tool { version: "0.1.0".to_owned(), sha256: Digest::of(b"tool") };
        let inputs = Digest::of(b"inputs");
        let mode = Mode::Ceremony;
        let body = Body::Opened { tool, plan: *plan, after: *after, inputs, mode };
        record.append(day("2026-12-01"), 0, body).expect("an entry");
    }
    record.file().read().unwrap()
}

/// Writes the sums of a ceremony's folder.
fn summed(own: &mut Files, before: Option<(&str, Digest)>) {
    own.remove(FILE);
    let mut sums = Sums::of(own).expect("sums");
    if let Some((folder, digest)) = before {
        let folder = folder.replace("ceremonies/", "");
        sums = sums.after(Predecessor { folder, digest }).expect("sums");
    }
    own.insert(FILE.to_owned(), sums.to_text().into_bytes());
}

fn trusts(maker: &mut Maker, files: &mut Files) {
    let base = trust(maker);
    // One more line in the first record, with the sums of its folder made anew.
    let mut changed = base.clone();
    let mut own = below(&changed, &format!("{GENESIS}/"));
    let plan = (Digest::of(&own["plan.toml"]), None);
    own.insert("record.jsonl".to_owned(), record(&[plan, plan]));
    summed(&mut own, None);
    lay(&mut changed, GENESIS, &own);
    lay(files, "predecessor-changed/trust", &changed);
    // Another second root, signed by the very same keys.
    let mut replaced = base.clone();
    let [a, b, c] = &maker.keys(Dialect::Tuf, [0x11, 0x12, 0x13]);
    let second = root(Some(&root(None, &[a, b], 2)), &[b, c], 2);
    let other = edited(&second, |members| {
        let later = officiant::cjson::Value::text("2041-11-30T00:00:00Z");
        members.insert("expires".to_owned(), later);
    });
    let other = maker.signed(&other, &[a, b, c]);
    replaced.insert("metadata/demo/2.root.json".to_owned(), other.bytes().to_vec());
    lay(files, "root-replaced/trust", &replaced);
    let mut removed = base;
    removed.retain(|path, _| !path.starts_with(ROTATE));
    lay(files, "ceremony-removed/trust", &removed);
}

/// The shares of docs/format.md, which were made once: making them draws randomness.
fn shares() -> Files {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/format/share");
    let read = |name: &str| (name.to_owned(), fs::read(folder.join(name)).expect("a vector"));
    ["set.json", "1.hex", "2.hex", "3.hex"].map(read).into()
}

fn of_shares(files: &mut Files) {
    let honest = shares();
    let mut case = |attack: &str, edit: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = HEXLOWER.decode(honest["2.hex"].trim_ascii_end()).expect("hex");
        edit(&mut bytes);
        let text = format!("{}\n", HEXLOWER.encode(&bytes));
        let set = honest["set.json"].clone();
        let folder = [("set.json", set), ("2.hex", text.into_bytes())];
        let folder = folder.map(|(path, bytes)| (path.to_owned(), bytes)).into();
        lay(files, &format!("{attack}/share"), &folder);
    };
    case("flipped-bit", &|share| share[100] ^= 1);
    case("truncated", &|share| share.truncate(175));
    case("index-zero", &|share| mended(share, |share| share[21] = 0));
    case("index-beyond", &|share| mended(share, |share| share[21] = 4));
    case("other-set", &|share| mended(share, |share| share[5..21].fill(8)));
}

/// Changes a share and mends its checksum, as a forger would.
fn mended(share: &mut [u8], change: impl FnOnce(&mut [u8])) {
    change(share);
    let (checked, sum) = share.split_at_mut(168);
    let digest = Digest::of_parts("officiant share checksum v1", &[checked]);
    sum.copy_from_slice(&digest.as_bytes()[..8]);
}

const PLAN_GENESIS: &str = r#"ceremony = "genesis"
title = "Demo root"
dialect = "tuf"
quorum_people = 2
when = { from = 2026-12-01, until = 2026-12-15 }

[request]
sha256 = "REQUEST"

[[repository]]
name = "demo"

[[token]]
name = "officer-a"
custodian = "seat A"

[[token]]
name = "officer-b"
custodian = "seat B"

[[key]]
name = "root-a"
algorithm = "ed25519"
token = "officer-a"

[[key]]
name = "root-b"
algorithm = "ed25519"
token = "officer-b"

[[role]]
name = "targets"
keys = "request"
threshold = 1

[[role]]
name = "snapshot"
keys = "request"
threshold = 1

[[role]]
name = "timestamp"
keys = "request"
threshold = 1

[root]
keys = ["root-a", "root-b"]
threshold = 2
expires = 2031-11-30
"#;

const PLAN_ROTATE: &str = r#"ceremony = "rotate"
title = "Demo root, second ceremony"
dialect = "tuf"
after = "AFTER"
quorum_people = 2
when = { from = 2027-12-01, until = 2027-12-15 }

[request]
sha256 = "REQUEST"

[[repository]]
name = "demo"

[[token]]
name = "officer-c"
custodian = "seat C"

[[key]]
name = "root-c"
algorithm = "ed25519"
token = "officer-c"

[root]
keys = ["root-b", "root-c"]
threshold = 2
expires = 2032-11-30
"#;
