//! Roots under software keys, as a first ceremony or a chain of rotations makes them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use officiant::digest::Digest;
use officiant::key::PublicKey;
use officiant::root::certificate::{Bundle, Subject, Tbs};
use officiant::root::succession::{Change, next};
use officiant::root::{Dialect, Key, Role, Signature, SignedRoot, Version};

use crate::keys::SoftKey;

/// The name in all certificates.
pub(crate) const GUN: &str = "localhost:5000/chain";

/// Whoever makes roots of one dialect.
pub(crate) struct Maker {
    dialect: Dialect,
    online: BTreeMap<Role, (Vec<Key>, u32)>,
    now: Timestamp,
}

/// A key of the root role.
struct Signer {
    key: SoftKey,
    public: PublicKey,
    listed: Key,
}

impl Maker {
    /// With these keys for the online roles.
    pub(crate) fn new(dialect: Dialect, online: &[(Role, SoftKey)]) -> Self {
        let listed = |key: &SoftKey| Key::plain(dialect, &key.public()).expect("a key");
        let online = online.iter().map(|(role, key)| (*role, (vec![listed(key)], 1))).collect();
        let now = Timestamp::from_second(Timestamp::now().as_second()).expect("now");
        Self { dialect, online, now }
    }

    /// A chain of so many versions, with a new root key in each, signed by it and the one before.
    pub(crate) fn chain(&self, count: usize) -> Vec<SignedRoot> {
        let mut chain: Vec<SignedRoot> = Vec::with_capacity(count);
        let mut before: Option<Signer> = None;
        for number in 1..=count as u64 {
            let signer = self.signer(number);
            let previous = chain.last().map(SignedRoot::root);
            let change = Change {
                version: Version::new(number).expect("a version"),
                root_keys: vec![signer.listed.clone()],
                threshold: 1,
                roles: self.online.clone(),
                expires: self.now + DAY * 1000,
            };
            let root = next(self.dialect, previous, &change).expect("a root");
            let sign = |by: &Signer| -> Signature {
                let raw = by.key.sign_fixed(&root.signed_bytes());
                root.signature(by.listed.id(), &by.public, &raw).expect("a signature")
            };
            let signatures: Vec<_> = before.iter().chain([&signer]).map(sign).collect();
            chain.push(SignedRoot::assemble(&root, &signatures));
            before = Some(signer);
        }
        chain
    }

    fn signer(&self, number: u64) -> Signer {
        let key = SoftKey::new();
        let public = key.public();
        let listed = match self.dialect {
            Dialect::Tuf => Key::plain(self.dialect, &public).expect("a key"),
            Dialect::Notary => Key::certificate(&self.certificate(&key, number)),
        };
        Signer { key, public, listed }
    }

    fn certificate(&self, key: &SoftKey, number: u64) -> Bundle {
        let mut serial = [1; 16];
        serial[..8].copy_from_slice(&Digest::of(&number.to_be_bytes()).as_bytes()[..8]);
        serial[0] &= 0x7f;
        let subject = Subject {
            name: GUN.to_owned(),
            serial,
            key: key.public(),
            not_before: self.now - DAY,
            not_after: self.now + DAY * 2000,
        };
        let tbs = Tbs::new(&subject).expect("a certificate");
        let pem = tbs.pem(&key.sign_fixed(tbs.bytes())).expect("a signature");
        Bundle::read(&pem).expect("a certificate")
    }
}

const DAY: SignedDuration = SignedDuration::from_hours(24);
