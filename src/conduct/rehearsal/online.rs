//! The online side of a rehearsal's stand-in: keys of nobody, which a vault holds as long as the rehearsal lasts, and what
//! a Notary server would serve under them.
//!
//! Roof. docs/threats.md rule 26.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64;
use jiff::{SignedDuration, Timestamp};

use crate::child::vault::Vault;
use crate::child::{self, Launch};
use crate::cjson::Value;
use crate::conduct::token::seal_key;
use crate::digest::Digest;
use crate::key::{Algorithm, PublicKey};
use crate::refusal::{Exit, Refusal};
use crate::request::Served;
use crate::root::{self, Dialect, Expiry, Key, Role, Signature, SignedRoot, notary};
use crate::share::Threshold;

/// The keys by role, and the vault that holds their private halves.
pub(super) struct Online {
    vault: Vault,
    keys: BTreeMap<Role, PublicKey>,
}

impl Online {
    pub(super) fn start() -> Result<Self, Refusal> {
        let vault = Vault::start(&Launch::this_binary("vault")).map_err(|error| failed(&error))?;
        Ok(Self { vault, keys: BTreeMap::new() })
    }

    /// Makes new keys for these roles, and for those that have none yet.
    pub(super) fn renew(&mut self, roles: &BTreeSet<Role>) -> Result<(), Refusal> {
        for role in Role::ONLINE {
            if self.keys.contains_key(&role) {
                if !roles.contains(&role) {
                    continue;
                }
                self.vault.forget(role.name()).map_err(|error| failed(&error))?;
            }
            let public = self.make(role)?;
            self.keys.insert(role, public);
        }
        Ok(())
    }

    /// A vault makes no key but in shares: these are sealed to keys of nobody, and go nowhere.
    fn make(&mut self, role: Role) -> Result<PublicKey, Refusal> {
        let mut seals = Vec::new();
        for _ in 0..2 {
            let nobody = self.vault.stand_in(Algorithm::EcdsaP256);
            seals.push(seal_key(nobody.map_err(|error| failed(&error))?, None)?);
        }
        let both = Threshold::new(2, 2).map_err(|error| ours(&error))?;
        let made = self.vault.generate(role.name(), Algorithm::EcdsaP256, both, &seals);
        Ok(made.map_err(|error| failed(&error))?.set.key)
    }

    /// The keys that a request offers.
    pub(super) fn keys(&self) -> BTreeMap<Role, Vec<PublicKey>> {
        self.keys.iter().map(|(role, key)| (*role, vec![key.clone()])).collect()
    }

    /// The pins of the keys.
    pub(super) fn ids(&self) -> BTreeMap<Role, Digest> {
        self.keys.iter().map(|(role, key)| (*role, key.id())).collect()
    }

    /// What a server serves beside a root at a moment, as that version.
    pub(super) fn serve(
        &mut self,
        newest: &SignedRoot,
        signed: (i64, Timestamp),
    ) -> Result<Served, Refusal> {
        let snapshot = self.sign(Role::Snapshot, (Role::Root, newest.bytes()), signed)?;
        let timestamp = self.sign(Role::Timestamp, (Role::Snapshot, &snapshot), signed)?;
        Ok(Served { timestamp, snapshot })
    }

    fn sign(
        &mut self,
        role: Role,
        (of, bytes): (Role, &[u8]),
        (version, at): (i64, Timestamp),
    ) -> Result<Vec<u8>, Refusal> {
        let kind = if role == Role::Snapshot { "Snapshot" } else { "Timestamp" };
        let sha256 = Value::text(BASE64.encode(Digest::of(bytes).as_bytes()).as_str());
        let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let hashes = ("hashes", Value::map([("sha256", sha256)]));
        let named = Value::map([hashes, ("length", Value::Integer(length))]);
        let value = Value::map([
            ("_type", Value::text(kind)),
            ("expires", Value::text(Expiry::at(at + SignedDuration::from_hours(24)).text())),
            ("meta", Value::map([(of.name(), named)])),
            ("version", Value::Integer(version)),
        ]);
        let public = self.keys.get(&role).ok_or_else(|| ours(&"a role without a key"))?;
        let document = |error: root::Error| ours(&error);
        let scheme = Dialect::Notary.scheme(public.algorithm()).map_err(document)?;
        let id = Key::plain(Dialect::Notary, public).map_err(document)?.id().clone();
        let raw = self.vault.sign(role.name(), &[scheme.to_sign(&value.go())]);
        let raw = raw.map_err(|error| failed(&error))?.pop().unwrap_or_default();
        let bytes = scheme.encode(public.algorithm(), &raw).map_err(|error| ours(&error))?;
        let method = Some(notary::method(scheme).to_owned());
        Ok(notary::file_of(&value, &[Signature { key: id, method, bytes }]))
    }
}

fn failed(error: &child::Error) -> Refusal {
    error.refusal(Refusal::NOTHING_DONE)
}

fn ours(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(Exit::Ours, error.to_string())
}
