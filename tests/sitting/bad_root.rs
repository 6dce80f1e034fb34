//! Roots of other tools that must not be continued.

use std::{collections::BTreeMap, fs};

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use officiant::{
    digest::Digest,
    key::PublicKey,
    root::{
        Dialect, Key, Role, SignedRoot, Version,
        certificate::{Bundle, Subject, Tbs},
        succession::{self, Change},
    },
};

use super::bad_answer::waits_at;
use super::bench::{Chains, PIN};
use super::genesis::on_tokens;
use super::{Bench, Holding, PlanText, Publisher};
use crate::harness::command::{command, run};
use crate::harness::softhsm::SoftHsm;

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];
const NAME: &str = "localhost:5000/one";

/// A certificate of a key for these days, and the key as a root lists it.
pub(super) fn certified(owner: &Publisher, serial: u8, days: (i64, i64)) -> Key {
    certified_for(NAME, owner, serial, days)
}

/// The same, of another repository.
pub(crate) fn certified_for(name: &str, owner: &Publisher, serial: u8, days: (i64, i64)) -> Key {
    let midnight = Timestamp::now().to_zoned(TimeZone::UTC).start_of_day().unwrap();
    let day = |days: i64| midnight.checked_add(days.days()).unwrap().timestamp();
    let subject = Subject {
        name: name.to_owned(),
        serial: [serial; 16],
        key: owner.public(),
        not_before: day(days.0),
        not_after: day(days.1),
    };
    let tbs = Tbs::new(&subject).unwrap();
    let pem = tbs.pem(&owner.raw(tbs.bytes())).unwrap();
    Key::certificate(&Bundle::read(&pem).unwrap())
}

/// A first root of these keys, signed under each that is the owner's.
pub(super) fn first(bench: &Bench, owner: &Publisher, keys: Vec<Key>, expires: i64) -> SignedRoot {
    first_with(|role| bench.online[&role].public(), owner, keys, expires)
}

/// The same with these online keys.
pub(crate) fn first_with(
    online: impl Fn(Role) -> PublicKey,
    owner: &Publisher,
    keys: Vec<Key>,
    expires: i64,
) -> SignedRoot {
    let online =
        |role: &Role| (*role, (vec![Key::plain(Dialect::Notary, &online(*role)).unwrap()], 1));
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let change = Change {
        version: Version::FIRST,
        root_keys: keys.clone(),
        threshold: 1,
        roles: Role::ONLINE.iter().map(online).collect(),
        expires: now.checked_add((24 * expires).hours()).unwrap(),
    };
    let root = succession::next(Dialect::Notary, None, &change).unwrap();
    let signature = |key: &Key| {
        root.signature(key.id(), &owner.public(), &owner.raw(&root.signed_bytes())).unwrap()
    };
    let mine = keys.iter().filter(|key| key.public() == Some(&owner.public()));
    SignedRoot::assemble(&root, &mine.map(signature).collect::<Vec<_>>())
}

/// A root with a field that Go's encoder does not know, and that a next root would carry on.
pub(crate) fn noted(good: &SignedRoot, owner: &Publisher, key: &Key) -> SignedRoot {
    let text = String::from_utf8(good.bytes().to_vec()).unwrap();
    let text = text.replacen("\"signed\":{", "\"signed\":{\"x-note\":\"hello\",", 1);
    let root = SignedRoot::parse(Dialect::Notary, text.as_bytes()).unwrap();
    let raw = owner.raw(&root.root().signed_bytes());
    let signature = root.root().signature(key.id(), &owner.public(), &raw).unwrap();
    SignedRoot::assemble(root.root(), &[signature])
}

/// A rotation of the repositories of the bench from the key that is adopted to a new one, after a request of all.
pub(super) fn lay_adoption(
    bench: &Bench,
    owner: &Publisher,
    (request, chains): (Digest, &Chains),
    end: &str,
) {
    let text = PlanText {
        ceremony: "rotate",
        keys: vec![
            ("root-old", "ecdsa-p256", Holding::Token("officer-a")),
            ("root-new", "ecdsa-p256", Holding::Token("officer-b")),
        ],
        root: vec!["root-new"],
        threshold: 1,
        roles: Vec::new(),
        ..on_tokens()
    };
    let mut plan = bench.plan_toml(&text, request);
    for name in &bench.repositories {
        let chain = &chains[name];
        let (version, digest) = (chain.len(), Digest::of(chain.last().unwrap()));
        let current = format!("current = {{ version = {version}, sha256 = \"{digest}\" }}\n");
        let (head, pins) = (format!("name = \"{name}\"\n"), "[repository.pins]\n");
        plan = plan.replace(&format!("{head}{pins}"), &format!("{head}{current}"));
    }
    let adopt = format!("token = \"officer-a\"\nadopt = \"{}\"\n", owner.public().id());
    bench.lay_plan(&(plan.replace("token = \"officer-a\"\n", &adopt) + end), &[]);
}

/// A bench for the rotation of a repository of another tool, whose root key a token holds.
pub(super) fn adopting(root: impl FnOnce(&Bench, &Publisher) -> Vec<u8>) -> Bench {
    let bench = Bench::new(Dialect::Notary, &[NAME]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let owner = Publisher::new();
    let root = root(&bench, &owner);
    let chains = BTreeMap::from([(NAME.to_owned(), vec![root])]);
    let request = bench.write_request(&chains);
    lay_adoption(&bench, &owner, (request, &chains), "");
    bench
}

/// The root with other root keys, signed by their owner under each: what our own encoder would not write.
fn with_keys(root: &SignedRoot, owner: &Publisher, keys: &[(Key, String)]) -> Vec<u8> {
    let mut file: serde_json::Value = serde_json::from_slice(root.bytes()).unwrap();
    let old = file["signed"]["roles"]["root"]["keyids"].as_array().unwrap().clone();
    let listed = file["signed"]["keys"].as_object_mut().unwrap();
    let pattern = listed.remove(old[0].as_str().unwrap()).unwrap();
    let mut ids = Vec::new();
    for (key, pem) in keys {
        let mut value = pattern.clone();
        value["keyval"]["public"] = data_encoding::BASE64.encode(pem.as_bytes()).into();
        listed.insert(key.id().to_string(), value);
        ids.push(serde_json::Value::from(key.id().as_str()));
    }
    file["signed"]["roles"]["root"]["keyids"] = ids.into();
    let unsigned = SignedRoot::parse(Dialect::Notary, file.to_string().as_bytes()).unwrap();
    let raw = owner.raw(&unsigned.root().signed_bytes());
    let signature = |key: &Key| unsigned.root().signature(key.id(), &owner.public(), &raw).unwrap();
    let signatures: Vec<_> = keys.iter().map(|(key, _)| signature(key)).collect();
    SignedRoot::assemble(unsigned.root(), &signatures).bytes().to_vec()
}

fn pem(key: &Key) -> String {
    key.bundle().unwrap().text().to_owned()
}

#[test]
fn a_key_that_no_root_lists_is_not_adopted() {
    let mut old = None;
    let bench = adopting(|bench, owner| {
        old = Some(owner.public().id().to_string());
        first(bench, owner, vec![certified(owner, 1, (-1, 3000))], 900).bytes().to_vec()
    });
    let check = ["check", "plan-1.toml", "--room", "room-1.toml"];
    bench.officiant(&check).ok();
    // Another key on the same token, which somebody put into the plan, or into the token.
    let other = Publisher::new().public().id();
    let plan = fs::read_to_string(bench.path("plan-1.toml")).unwrap();
    bench.lay_plan(&plan.replace(&old.unwrap(), &other.to_string()), &[]);
    let what = format!(
        "key `root-old` is adopted, and no root of the request lists {other} [ADOPT-IN-CHAIN]"
    );
    let hint = "correct the pin; a key that is new is made here, on a token of the plan";
    bench.refuses(1, &what, hint);
    assert_eq!(bench.officiant(&check).code(), 1);
}

#[test]
fn a_root_that_lists_one_public_key_twice_is_refused() {
    let mut twin: Option<PublicKey> = None;
    let bench = adopting(|bench, owner| {
        twin = Some(owner.public());
        let keys = [1, 2].map(|serial| certified(owner, serial, (-1, 3000)));
        let good = first(bench, owner, keys[..1].to_vec(), 900);
        let keys = keys.map(|key| (key.clone(), pem(&key)));
        with_keys(&good, owner, &keys)
    });
    let told =
        format!("`{NAME}`: root 1: it lists root key {} twice [ROOT-KEY-TWIN]", twin.unwrap().id());
    bench.refuses(1, &told, "one key counted twice is no threshold: find out who made this root");
}

#[test]
fn a_root_whose_certificate_has_the_line_ends_of_another_system_is_refused() {
    let mut id = String::new();
    let bench = adopting(|bench, owner| {
        let good = certified(owner, 1, (-1, 3000));
        let root = first(bench, owner, vec![good.clone()], 900);
        let crlf = pem(&good).replace('\n', "\r\n");
        let key = Key::certificate(&Bundle::read(&crlf).unwrap());
        id = key.id().to_string();
        with_keys(&root, owner, &[(key, crlf)])
    });
    let told = format!(
        "`{NAME}`: root 1: the certificate of key `{id}` is not PEM as Go writes it [ROOT-BYTES]"
    );
    let hint = "somebody rewrote it: have the root fetched anew, from the server itself";
    bench.refuses(1, &told, hint);
}

#[test]
fn a_root_whose_certificates_have_ended_is_refused() {
    let bench = adopting(|bench, owner| {
        first(bench, owner, vec![certified(owner, 1, (-900, -10))], 900).bytes().to_vec()
    });
    let today = super::bench::today();
    let told =
        format!("`{NAME}`: root 1: no certificate of its root keys is valid on {today} [WALK]");
    let hint = "no client that holds it can follow any more: leave it out by an `[[exclude]]`";
    bench.refuses(1, &told, hint);
}

#[test]
fn a_first_root_that_its_own_keys_did_not_sign_is_refused() {
    let bench = adopting(|bench, owner| {
        let root = first(bench, owner, vec![certified(owner, 1, (-1, 3000))], 900);
        SignedRoot::assemble(root.root(), &[]).bytes().to_vec()
    });
    let told = format!(
        "`{NAME}`: root 1 is not signed by its own keys: 0 of the 1 own signatures it needs [REQUEST-CHAIN]"
    );
    bench.refuses(1, &told, "have the request fetched anew, from another machine");
}

#[test]
fn a_form_that_no_server_writes_shows_before_any_real_key_signs() {
    let bench = adopting(|bench, owner| {
        let key = certified(owner, 1, (-1, 3000));
        let good = first(bench, owner, vec![key.clone()], 900);
        import(bench, owner);
        noted(&good, owner, &key).bytes().to_vec()
    });
    let told = format!(
        "`{NAME}`: a Notary client that holds root 2 would not reach the new root: version 2: its bytes are not those that a trust server writes [WALK]"
    );
    let hint = "keep what it needs: old keys that sign, certificates that are valid, one version at a time";
    bench.stops(|| bench.conduct(), 1, [&told, hint, &waits_at(8)]);
}

/// Writes a key as openssl does: `NAME.pem`.
pub(crate) fn write_pem(bench: &Bench, owner: &Publisher, name: &str) {
    bench.scratch.file(&format!("{name}.der"), owner.pkcs8());
    let mut openssl = command("openssl", bench.scratch.path());
    openssl.args(["pkcs8", "-topk8", "-nocrypt", "-inform", "DER"]);
    run(openssl.args(["-in", &format!("{name}.der"), "-out", &format!("{name}.pem")])).ok();
}

/// Puts the key of a tool of before onto the soft token `officer-a`.
pub(super) fn import(bench: &Bench, owner: &Publisher) {
    let softhsm = SoftHsm::token(&bench.scratch, "officer-a", PIN);
    write_pem(bench, owner, "key");
    let mut util = command("softhsm2-util", bench.scratch.path());
    util.env("SOFTHSM2_CONF", softhsm.configuration());
    util.args(["--import", "key.pem", "--token", "officer-a", "--label", "old", "--id", "01"]);
    run(util.args(["--pin", PIN])).ok();
    let mut copy = command("cp", bench.scratch.path());
    let folder = bench.scratch.folder("tokens/officer-a");
    run(copy.arg("-r").arg(softhsm.tokens().join(".")).arg(folder)).ok();
}

#[test]
fn a_plan_that_must_be_safe_for_longer_than_its_root_is_refused() {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let extra = "safe_until = 2100-01-01\n".to_owned();
    bench.write_plan(&PlanText { extra, ..on_tokens() });
    let ran = bench.conduct();
    let told = bench.told(&ran);
    let last: Vec<&str> = told.lines().rev().take(3).collect();
    let ends = super::bench::today().checked_add(25.days()).unwrap();
    assert!(last[2].starts_with(&format!("error: `repo.test`: from {ends} on, ")), "{last:?}");
    assert!(last[2].ends_with(" [HORIZON]"), "{last:?}");
    let hint = "hint: give certificates and root later dates, or the plan an earlier `safe_until`";
    assert_eq!(last[..2], [waits_at(11).as_str(), hint]);
    assert_eq!(ran.code(), 1);
}
