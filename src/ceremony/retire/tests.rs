use data_encoding::BASE64;

use super::*;
use crate::ceremony::tests::Room;
use crate::cjson::Value;
use crate::digest::Digest;
use crate::request::{Request, Served};
use crate::root::fixture::{REPOSITORY, Signer, after, change, day, signed};
use crate::root::{Expiry, Key, Signature, notary, succession};

/// A second root that only `new` lists, signed by both, after a first one of `old` that has ended.
fn rotated(dialect: Dialect, old: &Signer, new: &Signer) -> Vec<SignedRoot> {
    let key = old.key(dialect);
    let ended = succession::Change {
        roles: crate::root::fixture::online(dialect),
        expires: day("2027-01-01"),
        ..change(1, vec![key.clone()], 1)
    };
    let root = succession::next(dialect, None, &ended).unwrap();
    let one = signed(&root, [(old, &key)]);
    let two = after(&one, std::slice::from_ref(old), std::slice::from_ref(new));
    vec![one, two]
}

#[test]
fn a_client_whose_old_root_has_ended_needs_the_old_key_once_more() {
    let [old, new] = Signer::many();
    let chain = rotated(Dialect::Notary, &old, &new);
    assert_eq!(walk::check(REPOSITORY, chain.clone(), day("2026-12-10")), Ok(()));
    let refusal = walk::check(REPOSITORY, chain, day("2027-06-01")).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "`localhost:5000/x`: without the keys that go, a Notary client that holds root 1 would not reach a next root: version 3: 0 of the keys before it count, they need 1 [RETIRE-WALK]"
    );
    let tuf = rotated(Dialect::Tuf, &old, &new);
    assert_eq!(walk::check(REPOSITORY, tuf, day("2027-06-01")), Ok(()));
}

/// A room after a rotation, and what retires the key that it left out.
struct Later {
    room: Room,
    past: Past,
}

impl Later {
    fn new() -> Self {
        let mut room = Room::new();
        let inputs = room.genesis();
        let first = room.play(inputs).unwrap();
        let inputs = room.rotate(&first);
        let second = room.play(inputs).unwrap();
        Self { room, past: Past::read(second.folder.files).unwrap() }
    }

    /// What a server signs of a role of a repository, over these bytes.
    fn sign(&self, name: &str, role: Role, of: (Role, &[u8]), signed: (i64, Timestamp)) -> Vec<u8> {
        let pair = &self.room.online[&(name.to_owned(), role)];
        let sha256 = Value::text(BASE64.encode(Digest::of(of.1).as_bytes()).as_str());
        let length = Value::Integer(of.1.len() as i64);
        let named = Value::map([("hashes", Value::map([("sha256", sha256)])), ("length", length)]);
        let kind = if role == Role::Snapshot { "Snapshot" } else { "Timestamp" };
        let value = Value::map([
            ("_type", Value::text(kind)),
            ("expires", Value::text(Expiry::at(signed.1).text())),
            ("meta", Value::map([(of.0.name(), named)])),
            ("version", Value::Integer(signed.0)),
        ]);
        let key = Key::plain(Dialect::Notary, &pair.public()).unwrap().id().clone();
        let (method, bytes) = (Some("ecdsa".to_owned()), pair.sign(&value.go()));
        notary::file_of(&value, &[Signature { key, method, bytes }])
    }

    /// A request of a day, with a timestamp of this version that ends on another day.
    fn request(&self, fetched: &str, version: i64, expires: &str) -> Request {
        let mut request = self.room.request.clone();
        request.fetched = day(fetched);
        for (name, repository) in &mut request.repositories {
            let chain = self.past.chain(name.as_str()).unwrap();
            repository.roots = chain.iter().map(|root| root.bytes().to_vec()).collect();
            let (name, newest) = (name.as_str(), chain.last().unwrap());
            let signed = (version, day(expires));
            let snapshot = self.sign(name, Role::Snapshot, (Role::Root, newest.bytes()), signed);
            let timestamp = self.sign(name, Role::Timestamp, (Role::Snapshot, &snapshot), signed);
            repository.served = Some(Served { timestamp, snapshot });
        }
        request
    }

    /// What opening the ceremony on a day would say of these two requests.
    fn check(&mut self, first: Request, second: Request) -> Result<(), Refusal> {
        self.room.request = first.clone();
        let text = self.room.plan_text(RETIRE, &self.past, false);
        let both = format!("\", second = \"{}\" }}\n", second.digest().unwrap());
        let text = text.replacen("\" }\n", &both, 1);
        let plan = Plan::parse(text.as_bytes(), |_| None).unwrap();
        let inputs = Inputs::alone(plan, self.past.clone());
        let brought = |request: &Request| Some(request.try_into().unwrap());
        let (request, second) = (brought(&first), brought(&second));
        let inputs = Inputs { request, second, ..inputs };
        check(&inputs, day("2027-02-16"))
    }
}

const RETIRE: &str = r#"
ceremony = "retire"
title = "Practice retire"
dialect = "notary"
quorum_people = 1
practice = true
when = { from = 2027-02-15, until = 2027-02-20 }
retire = { keys = ["root-a"] }
ROOT
"#;

#[test]
fn two_requests_of_two_months_show_that_the_newest_root_is_served() {
    let mut later = Later::new();
    let first = later.request("2027-01-01", 1, "2027-01-10");
    let second = later.request("2027-02-15", 4, "2027-02-20");
    // The plan may name them in either order.
    assert_eq!(later.check(first.clone(), second.clone()), Ok(()));
    assert_eq!(later.check(second, first), Ok(()));
}

#[test]
fn one_timestamp_in_both_requests_shows_no_day_after_another() {
    let mut later = Later::new();
    let first = later.request("2027-01-01", 1, "2027-06-01");
    let second = later.request("2027-02-15", 1, "2027-06-01");
    let refusal = later.check(first.clone(), second).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "`localhost:5000/a`: both requests bring one timestamp of the server [RETIRE-PUBLISHED]"
    );
    let ended = later.request("2027-02-15", 2, "2027-02-14");
    let refusal = later.check(first, ended).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "`localhost:5000/a`: the timestamp in the request of 2027-02-15 has expired [RETIRE-PUBLISHED]"
    );
}
