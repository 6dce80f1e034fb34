//! What a ceremony left on its media, read by whoever looks at it.

use std::{collections::BTreeSet, fs};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Time},
    tz::TimeZone,
};
use officiant::{
    ceremony::fact::Fact,
    name::Name,
    record::Body,
    root::{Dialect, Key, Role, SignedRoot, threshold},
    trust::Custody,
};

use super::Bench;
use super::bench::today;
use crate::harness::command::flat;

impl Bench {
    /// A root that the ceremony of this number left.
    pub(super) fn root(&self, repository: &str, version: u64) -> SignedRoot {
        let folder = repository.parse::<Name>().unwrap().folder();
        let file = format!("metadata/{folder}/{version}.root.json");
        let bytes = fs::read(self.trust(self.number).join(file)).unwrap();
        SignedRoot::parse(self.dialect, &bytes).unwrap()
    }

    /// Threshold, root keys and signers of a root, by the names in custody.json and in its order. Every signature is of
    /// one of its root keys, or of the root before, and good.
    #[track_caller]
    pub(super) fn shape(&self, repository: &str, version: u64) -> String {
        let file = self.root(repository, version);
        let before = (version > 1).then(|| self.root(repository, version - 1));
        let custody = self.custody();
        let name = |key: &Key| {
            let known = custody.keys.iter().position(|known| Some(&known.public) == key.public());
            known.expect("a key of custody.json")
        };
        let listed = file.root().role_keys(Role::Root).map(|(_, key)| name(key)).collect();
        let mut signers = BTreeSet::new();
        for signature in file.signatures() {
            let roots = before.iter().chain([&file]).map(SignedRoot::root);
            let mut keys = roots.flat_map(|root| root.role_keys(Role::Root));
            let (_, key) = keys.find(|(id, _)| **id == signature.key).expect("a root key");
            let message = file.root().signed_bytes();
            assert!(threshold::verifies(self.dialect, key, &message, signature), "{signature:?}");
            signers.insert(name(key));
        }
        let names = |places: BTreeSet<usize>| {
            let names = places.into_iter().map(|place| custody.keys[place].name.as_str());
            names.collect::<Vec<_>>().join(" ")
        };
        let threshold = file.root().role(Role::Root).unwrap().threshold;
        format!("{threshold} of {}, signed by {}", names(listed), names(signers))
    }

    /// The certificates of a root: name, first and last day. Each is as we make them, and another than before.
    pub(super) fn certificates(&self, repository: &str, version: u64) -> Vec<(String, Date, Date)> {
        let file = self.root(repository, version);
        if version > 1 {
            let before = self.root(repository, version - 1);
            let mut old = before.root().role_keys(Role::Root);
            let is_new = |id, key: &Key| key.bundle().is_none() || file.root().key(id).is_none();
            assert!(old.all(|(id, key)| is_new(id, key)), "an old certificate");
        }
        let keys = file.root().role_keys(Role::Root);
        let leaves = keys.filter_map(|(_, key)| Some(key.bundle()?.leaf().clone()));
        leaves
            .map(|leaf| {
                leaf.verify_as_made().unwrap();
                let day = |at: Timestamp| {
                    let at = at.to_zoned(TimeZone::UTC);
                    assert_eq!(at.time(), Time::midnight());
                    at.date()
                };
                (leaf.name().to_owned(), day(leaf.not_before()), day(leaf.not_after()))
            })
            .collect()
    }

    /// What the closing page remarks beside the horizon, sorted.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let record = self.record();
        let mut facts = record.entries().iter().filter_map(|entry| match &entry.body {
            Body::Done { fact: Fact::Closed { remarks } } => Some(remarks.iter()),
            _ => None,
        });
        let remarks = facts.next().unwrap().filter(|remark| !remark.contains("` until "));
        let mut remarks: Vec<String> = remarks.cloned().collect();
        remarks.sort();
        remarks
    }

    /// The remark on a key that left: with as many keys of this root, a client that still holds it is not safe.
    pub(super) fn misled(&self, key: &str, root: u64, many: u64) -> String {
        let until = match self.dialect {
            Dialect::Notary => format!("until {}", certified_until()),
            Dialect::Tuf => "for ever".to_owned(),
        };
        let name = &self.repositories[0];
        format!(
            "`{name}`: with {many} of the keys of root {root}, {key} among them, a client that still holds it can be misled {until}"
        )
    }

    /// What custody.json says after the ceremony of this number.
    pub(super) fn custody(&self) -> Custody {
        let bytes = fs::read(self.trust(self.number).join("custody.json")).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// The report of the ceremony of this number, without its line ends.
    pub(super) fn report(&self) -> String {
        let media = format!("media/out-{}a", self.number);
        let text = self.officiant(&["report", &media]).ok().stdout;
        flat(&text)
    }
}

/// The certificates of so many keys by the plans of a bench: from the day before until the day that they name.
pub(super) fn planned(repository: &str, keys: usize) -> Vec<(String, Date, Date)> {
    vec![(repository.to_owned(), today().yesterday().unwrap(), certified_until()); keys]
}

fn certified_until() -> Date {
    today().checked_add(3000.days()).unwrap()
}
