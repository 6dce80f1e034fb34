//! Whoever has every key of a repository, its server's too: makes any state, good or bad.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};
use officiant::cjson::Value;
use officiant::digest::Digest;
use officiant::root::online::Signed;
use officiant::root::succession::{self, Change};
use officiant::root::targets::{self, Delegation, ListRole, Target, Targets};
use officiant::root::{Dialect, Key, KeyId, Role, Root, SignedRoot, Version};

use super::proxy::State;
use super::{GUN, digest_of};
use crate::courier::made::{Soft, sign};

/// The keys of a repository, and what was made with them.
pub(super) struct Publisher {
    gun: &'static str,
    pub(super) roots: Vec<Soft>,
    pub(super) targets: Soft,
    pub(super) snapshot: Soft,
    pub(super) timestamp: Soft,
    /// The keys of `targets/releases`.
    pub(super) signers: [Soft; 2],
    /// Version 1 first.
    pub(super) chain: Vec<SignedRoot>,
    /// The files of lists by role.
    pub(super) lists: BTreeMap<String, String>,
    /// Of snapshot and timestamp.
    pub(super) version: i64,
    /// How long a root holds, in days.
    pub(super) days: i64,
    /// How long snapshot and timestamp hold; in the past for what has expired.
    pub(super) hours: i64,
}

impl Publisher {
    /// A repository with a first root of one key, and the tag `1.0` in its own list.
    pub(super) fn new() -> Self {
        Self::of(GUN)
    }

    /// The same of another name.
    pub(super) fn of(gun: &'static str) -> Self {
        let mut own = Self {
            gun,
            roots: vec![Soft::new()],
            targets: Soft::new(),
            snapshot: Soft::new(),
            timestamp: Soft::new(),
            signers: [Soft::new(), Soft::new()],
            chain: Vec::new(),
            lists: BTreeMap::new(),
            version: 0,
            days: 3000,
            hours: 24,
        };
        let first = own.root(&[&own.roots[0]], 1);
        own.chain.push(sign(&first, &[&own.roots[0]], None));
        own.list(1, &["1.0"]);
        own
    }

    /// The root after the newest one with these root keys, and all other keys as they are here.
    pub(super) fn root(&self, keys: &[&Soft], threshold: u32) -> Root {
        self.root_of(keys.iter().map(|key| key.certificate(self.gun, 4000)).collect(), threshold)
    }

    /// The same with these certificates.
    pub(super) fn root_of(&self, root_keys: Vec<Key>, threshold: u32) -> Root {
        let last = self.chain.last().map(SignedRoot::root);
        let online = [
            (Role::Snapshot, &self.snapshot),
            (Role::Targets, &self.targets),
            (Role::Timestamp, &self.timestamp),
        ];
        let change = Change {
            version: last.map_or(Version::FIRST, |last| last.version().next()),
            root_keys,
            threshold,
            roles: online.map(|(role, key)| (role, (vec![plain(key)], 1))).into(),
            expires: Timestamp::now() + (24 * self.days).hours(),
        };
        succession::next(Dialect::Notary, last, &change).unwrap()
    }

    /// Replaces every root key, as it should be done.
    pub(super) fn rotate(&mut self) {
        self.rotate_to(vec![Soft::new()], 1);
    }

    /// The same, to these keys.
    pub(super) fn rotate_to(&mut self, keys: Vec<Soft>, threshold: u32) {
        let new: Vec<&Soft> = keys.iter().collect();
        let old: Vec<&Soft> = self.roots.iter().collect();
        let last = self.chain.last().unwrap().root();
        let root = sign(&self.root(&new, threshold), &new, Some((last, &old)));
        self.chain.push(root);
        self.roots = keys;
    }

    /// The repository's own list, with these tags and no delegation.
    pub(super) fn list(&mut self, version: i64, tags: &[&str]) {
        let list = tagged(version, tags);
        let file = signed(&list.value(), &[(&plain(&self.targets), &self.targets)]);
        self.lists.insert("targets".to_owned(), file);
    }

    /// The same, with `targets/releases` under the first signer's key.
    pub(super) fn delegate(&mut self, version: i64, tags: &[&str]) {
        let first = plain(&self.signers[0]);
        self.delegate_to(version, tags, vec![first], 1, &[""]);
    }

    /// The same with these keys, threshold and paths.
    pub(super) fn delegate_to(
        &mut self,
        version: i64,
        tags: &[&str],
        keys: Vec<Key>,
        threshold: i64,
        paths: &[&str],
    ) {
        let mut list = tagged(version, tags);
        let ids: Vec<KeyId> = keys.into_iter().map(|key| list.add_key(key)).collect();
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        list.delegations.push(Delegation::new(ListRole::releases(), ids, threshold, paths));
        let file = signed(&list.value(), &[(&plain(&self.targets), &self.targets)]);
        self.lists.insert("targets".to_owned(), file);
    }

    /// `targets/releases` by the first signer's key.
    pub(super) fn release(&mut self, version: i64, tags: &[&str]) {
        let by = [(&plain(&self.signers[0]), &self.signers[0])];
        let file = signed(&tagged(version, tags).value(), &by);
        self.lists.insert("targets/releases".to_owned(), file);
    }

    /// What the server serves now: snapshot and timestamp are signed anew.
    pub(super) fn state(&mut self) -> State {
        self.version += 1;
        let root = str::from_utf8(self.chain.last().unwrap().bytes()).unwrap();
        let lists = self.lists.iter().map(|(role, file)| (role.as_str(), file.as_str()));
        let snapshot = self.naming("Snapshot", [("root", root)].into_iter().chain(lists.clone()));
        self.state_of(&snapshot, lists.chain([("snapshot", snapshot.as_str())]))
    }

    /// What the server serves when it signs the timestamp over this snapshot.
    pub(super) fn state_of<'f>(
        &self,
        snapshot: &str,
        files: impl Iterator<Item = (&'f str, &'f str)>,
    ) -> State {
        let timestamp = self.naming("Timestamp", [("snapshot", snapshot)].into_iter());
        let by_digest = |(role, file): (&str, &str)| {
            (format!("{role}.{}.json", Digest::of(file.as_bytes())), file.to_owned())
        };
        let mut state: BTreeMap<_, _> = files.map(by_digest).collect();
        state.insert("timestamp.json".to_owned(), timestamp);
        for root in &self.chain {
            let file = str::from_utf8(root.bytes()).unwrap();
            state.insert(format!("{}.root.json", root.version()), file.to_owned());
            state.insert(format!("root.{}.json", root.digest()), file.to_owned());
            state.insert("root.json".to_owned(), file.to_owned());
        }
        State(state)
    }

    /// A snapshot or timestamp over these files.
    pub(super) fn naming<'f>(
        &self,
        kind: &str,
        files: impl Iterator<Item = (&'f str, &'f str)>,
    ) -> String {
        let meta = files.map(|(role, file)| {
            let sha256 = data_encoding::BASE64.encode(Digest::of(file.as_bytes()).as_bytes());
            let hashes = Value::map([("sha256", Value::text(sha256))]);
            let length = Value::Integer(file.len().try_into().unwrap());
            (role, Value::map([("hashes", hashes), ("length", length)]))
        });
        let key = if kind == "Snapshot" { &self.snapshot } else { &self.timestamp };
        let expires = Timestamp::now() + self.hours.hours();
        let value = Value::map([
            ("_type", Value::text(kind)),
            ("expires", Value::text(expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())),
            ("meta", Value::map(meta)),
            ("version", Value::Integer(self.version)),
        ]);
        signed(&value, &[(&plain(key), key)])
    }
}

/// A list with these tags, each for the digest that it has here.
pub(super) fn tagged(version: i64, tags: &[&str]) -> Targets {
    let mut list = Targets::empty(Timestamp::now() + 240.hours());
    list.version = version;
    for tag in tags {
        list.targets.insert((*tag).to_owned(), Target::new(digest_of(tag), 528));
    }
    list
}

/// A key as lists have it.
pub(super) fn plain(key: &Soft) -> Key {
    Key::plain(Dialect::Notary, &key.public).unwrap()
}

/// The file around a value that these keys sign, each as it is listed.
pub(super) fn signed(value: &Value, by: &[(&Key, &Soft)]) -> String {
    let message = value.go();
    let signatures = by.iter().map(|(key, soft)| {
        targets::signature(key.id(), key, soft.raw(&message)).expect("a key that signs")
    });
    let signed = Signed { value: value.clone(), signatures: signatures.collect() };
    String::from_utf8(targets::file(&signed)).unwrap()
}
