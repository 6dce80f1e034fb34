//! Keys and roots for the unit tests of this floor.

use std::cell::RefCell;
use std::collections::BTreeMap;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use jiff::Timestamp;

use super::certificate::{Bundle, Certificate, Subject, Tbs};
use super::succession::{self, Change};
use super::walk::Chain;
use super::{Dialect, Key, Role, Root, Signature, SignedRoot, Version};
use crate::key::{Algorithm, PublicKey};

/// The repository of all tests.
pub(crate) const REPOSITORY: &str = "localhost:5000/x";

/// Reads an instant.
pub(crate) fn day(text: &str) -> Timestamp {
    format!("{text}T00:00:00Z").parse().unwrap()
}

/// A key with its private half.
pub(crate) struct Signer {
    pair: EcdsaKeyPair,
    pub(crate) public: PublicKey,
    /// ECDSA signs differently each time: a certificate is made once.
    keys: RefCell<BTreeMap<String, Key>>,
}

impl Signer {
    pub(crate) fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        let public = PublicKey::from_ec_point(Algorithm::EcdsaP256, point).unwrap();
        Self { pair, public, keys: RefCell::default() }
    }

    pub(crate) fn many<const N: usize>() -> [Self; N] {
        std::array::from_fn(|_| Self::new())
    }

    pub(crate) fn raw(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    pub(crate) fn certificate(&self, name: &str, until: &str) -> Certificate {
        let subject = Subject {
            name: name.to_owned(),
            serial: *b"0123456789abcdef",
            key: self.public.clone(),
            not_before: day("2026-11-30"),
            not_after: day(until),
        };
        let tbs = Tbs::new(&subject).unwrap();
        let pem = tbs.pem(&self.raw(tbs.bytes())).unwrap();
        Bundle::read(&pem).unwrap().leaf().clone()
    }

    /// The key as a root of `dialect` lists it, with a certificate until 2033.
    pub(crate) fn key(&self, dialect: Dialect) -> Key {
        match dialect {
            Dialect::Notary => self.key_until("2033-12-01"),
            Dialect::Tuf => Key::plain(dialect, &self.public).unwrap(),
        }
    }

    pub(crate) fn key_until(&self, until: &str) -> Key {
        let make = || {
            let pem = self.certificate(REPOSITORY, until).to_pem();
            Key::certificate(&Bundle::read(&pem).unwrap())
        };
        self.keys.borrow_mut().entry(until.to_owned()).or_insert_with(make).clone()
    }

    /// Signs under the id that `key` has.
    pub(crate) fn sign(&self, root: &Root, key: &Key) -> Signature {
        root.signature(key.id(), &self.public, &self.raw(&root.signed_bytes())).unwrap()
    }
}

/// A change to a root of these keys, with online roles of their own.
pub(crate) fn change(version: u64, keys: Vec<Key>, threshold: u32) -> Change {
    Change {
        version: Version::new(version).unwrap(),
        root_keys: keys,
        threshold,
        roles: BTreeMap::new(),
        expires: day("2031-11-30"),
    }
}

/// The three online roles with a new key each.
pub(crate) fn online(dialect: Dialect) -> BTreeMap<Role, (Vec<Key>, u32)> {
    let fresh = || Key::plain(dialect, &Signer::new().public).unwrap();
    Role::ONLINE.into_iter().map(|role| (role, (vec![fresh()], 1))).collect()
}

/// A first root of these signers, which all sign it.
pub(crate) fn first(dialect: Dialect, signers: &[Signer], threshold: u32) -> SignedRoot {
    let keys: Vec<Key> = signers.iter().map(|signer| signer.key(dialect)).collect();
    let change = Change { roles: online(dialect), ..change(1, keys.clone(), threshold) };
    let root = succession::next(dialect, None, &change).unwrap();
    signed(&root, signers.iter().zip(&keys))
}

/// The root after `last`, of the signers `new`, signed by `old` too.
pub(crate) fn after(last: &SignedRoot, old: &[Signer], new: &[Signer]) -> SignedRoot {
    let dialect = last.root().dialect();
    let keys: Vec<Key> = new.iter().map(|signer| signer.key(dialect)).collect();
    let change = change(last.version().next().get(), keys.clone(), new.len() as u32);
    let root = succession::next(dialect, Some(last.root()), &change).unwrap();
    let old_keys: Vec<Key> = old.iter().map(|signer| signer.key(dialect)).collect();
    signed(&root, old.iter().zip(&old_keys).chain(new.iter().zip(&keys)))
}

/// The root with the signatures of these.
pub(crate) fn signed<'a>(
    root: &Root,
    by: impl IntoIterator<Item = (&'a Signer, &'a Key)>,
) -> SignedRoot {
    let by: BTreeMap<_, _> =
        by.into_iter().map(|(signer, key)| (key.id(), (signer, key))).collect();
    let signatures: Vec<Signature> =
        by.values().map(|(signer, key)| signer.sign(root, key)).collect();
    SignedRoot::assemble(root, &signatures)
}

/// A chain in which every version has another key.
pub(crate) fn chain(dialect: Dialect, length: usize) -> Chain {
    let mut signers = [Signer::new()];
    let mut files = vec![first(dialect, &signers, 1)];
    for _ in 1..length {
        let next = [Signer::new()];
        let last = files.last().unwrap();
        files.push(after(last, &signers, &next));
        signers = next;
    }
    Chain::new(files)
}
