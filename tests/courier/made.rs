//! Roots as a ceremony makes them, by keys in memory.

use std::collections::BTreeMap;

use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use jiff::{Timestamp, ToSpan};
use officiant::key::{Algorithm, PublicKey};
use officiant::root::certificate::{Bundle, Subject, Tbs};
use officiant::root::succession::{self, Change};
use officiant::root::{Dialect, Key, KeyId, Role, Root, SignedRoot, Version};

/// A P-256 key in memory.
pub(crate) struct Soft {
    pair: EcdsaKeyPair,
    pub(crate) public: PublicKey,
}

impl Soft {
    pub(crate) fn new() -> Self {
        Self::of(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// A key out of PEM of its owner's.
    pub(crate) fn of(pair: EcdsaKeyPair) -> Self {
        let public = PublicKey::from_ec_point(Algorithm::EcdsaP256, pair.public_key().as_ref());
        Self { pair, public: public.unwrap() }
    }

    pub(crate) fn raw(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    /// PKCS#8 in PEM.
    pub(crate) fn pkcs8(&self) -> String {
        pem("PRIVATE KEY", self.pair.to_pkcs8v1().unwrap().as_ref())
    }

    /// SEC 1 in PEM.
    pub(crate) fn sec1(&self) -> String {
        let der: EcPrivateKeyRfc5915Der<'_> = self.pair.private_key().as_der().unwrap();
        pem("EC PRIVATE KEY", der.as_ref())
    }

    /// A certificate for one repository, good from yesterday for `days`.
    pub(crate) fn certificate(&self, gun: &str, days: i64) -> Key {
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
        let subject = Subject {
            name: gun.to_owned(),
            serial: self.public.id().as_bytes()[..16].try_into().unwrap(),
            key: self.public.clone(),
            not_before: now - (24).hours() * 2,
            not_after: now + (24 * days).hours(),
        };
        let tbs = Tbs::new(&subject).unwrap();
        let pem = tbs.pem(&self.raw(tbs.bytes())).unwrap();
        Key::certificate(&Bundle::read(&pem).unwrap())
    }
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let body = data_encoding::BASE64.encode(der);
    let lines = body.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap());
    let lines: Vec<_> = lines.collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// What a next root shall be.
pub(crate) struct Wish<'a> {
    pub(crate) gun: &'a str,
    pub(crate) keys: &'a [&'a Soft],
    pub(crate) threshold: u32,
    pub(crate) roles: BTreeMap<Role, PublicKey>,
    pub(crate) days: i64,
}

impl Wish<'_> {
    /// The next root after `last`, unsigned.
    pub(crate) fn root(&self, dialect: Dialect, last: Option<&Root>) -> Root {
        let root_keys = self.keys.iter().map(|key| match dialect {
            Dialect::Notary => key.certificate(self.gun, 4000),
            Dialect::Tuf => Key::plain(dialect, &key.public).unwrap(),
        });
        let role = |(role, key): (&Role, &PublicKey)| {
            (*role, (vec![Key::plain(dialect, key).unwrap()], 1))
        };
        let change = Change {
            version: last.map_or(Version::FIRST, |last| last.version().next()),
            root_keys: root_keys.collect(),
            threshold: self.threshold,
            roles: self.roles.iter().map(role).collect(),
            expires: Timestamp::now() + (24 * self.days).hours(),
        };
        succession::next(dialect, last, &change).unwrap()
    }
}

/// Signs a root by its own keys, and by `old` keys under the ids of the root before.
pub(crate) fn sign(root: &Root, own: &[&Soft], last: Option<(&Root, &[&Soft])>) -> SignedRoot {
    let mut signatures = Vec::new();
    let pairs = own.iter().map(|key| (root, *key));
    let old = last.into_iter().flat_map(|(last, keys)| keys.iter().map(move |key| (last, *key)));
    for (of, key) in pairs.chain(old) {
        let id: &KeyId = of.root_key_id(&key.public).unwrap();
        let raw = key.raw(&root.signed_bytes());
        signatures.push(root.signature(id, &key.public, &raw).unwrap());
    }
    SignedRoot::assemble(root, &signatures)
}
