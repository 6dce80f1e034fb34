//! Fixed keys, and what they make: keys of roots, certificates, roots with signatures.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use officiant::cjson::{Members, Value};
use officiant::digest::Digest;
use officiant::key::{Algorithm, Hash, PublicKey, Scheme};
use officiant::root::certificate::{Bundle, Certificate, Subject, Tbs};
use officiant::root::succession::{self, Change};
use officiant::root::{Dialect, Key, Role, Root, Signature, SignedRoot, Version};
use officiant::secret::Secret;
use officiant::share;

use super::judge::REPOSITORY;

/// A key whose private half is 32 times one byte: Ed25519 in TUF, P-256 in Notary.
#[derive(Clone)]
pub(super) struct Signer {
    pub(super) dialect: Dialect,
    pub(super) seed: u8,
    pub(super) public: PublicKey,
}

impl Signer {
    pub(super) fn new(dialect: Dialect, seed: u8) -> Self {
        let secret = Secret::copy_of(&[seed; 32]).expect("32 bytes");
        let algorithm = match dialect {
            Dialect::Notary => Algorithm::EcdsaP256,
            Dialect::Tuf => Algorithm::Ed25519,
        };
        let public = share::public_key(algorithm, &secret).expect("a key");
        Self { dialect, seed, public }
    }

    pub(super) fn many<const N: usize>(dialect: Dialect, seeds: [u8; N]) -> [Self; N] {
        seeds.map(|seed| Self::new(dialect, seed))
    }
}

/// A root key with the signer that holds it.
pub(super) type Held = (Signer, Key);

/// Makes things of fixed keys. Signatures with P-256 are random: they are made once and kept in a file.
pub(super) struct Maker {
    kept: BTreeMap<String, Vec<u8>>,
    used: BTreeSet<String>,
}

impl Maker {
    pub(super) fn new(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = |line: &str| {
            let (name, raw) = line.split_once(' ').expect("a name and a signature");
            (name.to_owned(), HEXLOWER.decode(raw.as_bytes()).expect("hex"))
        };
        Self { kept: text.lines().map(line).collect(), used: BTreeSet::new() }
    }

    /// The kept signatures that were used, one a line: `KEY-MESSAGE` by their SHA-256, and r‖s.
    pub(super) fn signatures(&self) -> String {
        self.used.iter().fold(String::new(), |mut text, name| {
            let _ = writeln!(text, "{name} {}", HEXLOWER.encode(&self.kept[name]));
            text
        })
    }

    /// The raw signature over a message, as a token gives it.
    pub(super) fn raw(&mut self, signer: &Signer, message: &[u8]) -> Vec<u8> {
        let seed = [signer.seed; 32];
        if signer.dialect == Dialect::Tuf {
            let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed");
            return pair.sign(message).as_ref().to_vec();
        }
        let name = format!("{}-{}", signer.public.id(), Digest::of(message));
        let (signing, point) = (&ECDSA_P256_SHA256_FIXED_SIGNING, signer.public.material());
        let raw = self.kept.entry(name.clone()).or_insert_with(|| {
            let pair = EcdsaKeyPair::from_private_key_and_public_key(signing, &seed, point);
            let signature = pair.expect("a key").sign(&SystemRandom::new(), message);
            signature.expect("a signature").as_ref().to_vec()
        });
        let scheme = Scheme::EcdsaRaw(Hash::Sha256);
        assert_eq!(signer.public.verify(scheme, message, raw), Ok(()), "{name}");
        self.used.insert(name);
        raw.clone()
    }

    /// A certificate for a name until the beginning of a day.
    pub(super) fn certificate(&mut self, signer: &Signer, name: &str, until: &str) -> Certificate {
        let tbs = tbs(signer, name, until);
        let raw = self.raw(signer, tbs.bytes());
        let pem = tbs.pem(&raw).expect("a signature");
        Bundle::read(&pem).expect("a certificate").leaf().clone()
    }

    /// A key as a root lists it, in Notary with a certificate of this name and end.
    pub(super) fn key(&mut self, signer: &Signer, (name, until): (&str, &str)) -> Held {
        let key = match signer.dialect {
            Dialect::Notary => {
                let pem = self.certificate(signer, name, until).to_pem();
                Key::certificate(&Bundle::read(&pem).expect("a certificate"))
            }
            Dialect::Tuf => Key::plain(Dialect::Tuf, &signer.public).expect("a key"),
        };
        (signer.clone(), key)
    }

    /// Keys as roots list them, in Notary with long-lived certificates for the repository.
    pub(super) fn keys<const N: usize>(&mut self, dialect: Dialect, seeds: [u8; N]) -> [Held; N] {
        Signer::many(dialect, seeds).map(|signer| self.key(&signer, (REPOSITORY, "2034-01-01")))
    }

    /// The file of a root with signatures of these, under the ids of their keys.
    pub(super) fn signed(&mut self, root: &Root, by: &[&Held]) -> SignedRoot {
        let signatures: Vec<Signature> = by
            .iter()
            .map(|(signer, key)| {
                let raw = self.raw(signer, &root.signed_bytes());
                root.signature(key.id(), &signer.public, &raw).expect("a signature")
            })
            .collect();
        SignedRoot::assemble(root, &signatures)
    }
}

/// What a certificate says before it is signed.
pub(super) fn tbs(signer: &Signer, name: &str, until: &str) -> Tbs {
    let subject = Subject {
        name: name.to_owned(),
        serial: [signer.seed; 16],
        key: signer.public.clone(),
        not_before: day("2026-11-30"),
        not_after: day(until),
    };
    Tbs::new(&subject).expect("what is to be signed")
}

/// A root of these keys after another one, or the first with online keys of its own, until the end of November 2031.
pub(super) fn root(previous: Option<&Root>, keys: &[&Held], threshold: u32) -> Root {
    let dialect = keys[0].0.dialect;
    let online = |role: Role, seed| {
        let key = Key::plain(dialect, &Signer::new(dialect, seed).public).expect("a key");
        (role, (vec![key], 1))
    };
    let roles = match previous {
        Some(_) => BTreeMap::new(),
        None => BTreeMap::from([
            online(Role::Snapshot, 0x21),
            online(Role::Targets, 0x22),
            online(Role::Timestamp, 0x23),
        ]),
    };
    let change = Change {
        version: previous.map_or(Version::FIRST, |root| root.version().next()),
        root_keys: keys.iter().map(|(_, key)| key.clone()).collect(),
        threshold,
        roles,
        expires: day("2031-11-30"),
    };
    succession::next(dialect, previous, &change).expect("a root")
}

/// The root with some of its members changed.
pub(super) fn edited(root: &Root, edit: impl FnOnce(&mut Members)) -> Root {
    let mut members = root.value().as_map().cloned().expect("an object");
    edit(&mut members);
    Root::from_value(root.dialect(), Value::Map(members)).expect("a root")
}

/// An object inside of another one.
pub(super) fn inside<'a>(members: &'a mut Members, name: &str) -> &'a mut Members {
    match members.get_mut(name) {
        Some(Value::Map(inner)) => inner,
        _ => panic!("`{name}` is an object"),
    }
}

/// The beginning of a day.
pub(super) fn day(text: &str) -> Timestamp {
    format!("{text}T00:00:00Z").parse().expect("a day")
}
