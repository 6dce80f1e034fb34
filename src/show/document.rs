//! One root as it stands in a file: what it says, who signed it, and how it differs from the one before.
//!
//! Roof, pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::cjson::{Limits, Value};
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::paper::{Paper, cells};
use crate::refusal::{Exit, Refusal};
use crate::root::diff::differences;
use crate::root::threshold::{self, Counting};
use crate::root::{Dialect, Key, Role, Root, SignedRoot};

/// A root, for people and for machines.
#[derive(Clone, Debug, Serialize)]
pub struct Document {
    /// The dialect.
    pub dialect: Dialect,
    /// The version.
    pub version: u64,
    /// When it expires.
    pub expires: Timestamp,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// SHA-256 of what signatures cover.
    pub signed_sha256: Digest,
    /// The four roles.
    pub roles: Vec<ShownRole>,
    /// By each root, how many signatures count and how many it needs.
    pub tallies: Vec<Tally>,
    /// How it differs from the root before, or all that it says.
    pub changes: Vec<String>,
}

/// A role.
#[derive(Clone, Debug, Serialize)]
pub struct ShownRole {
    /// Its name.
    pub role: Role,
    /// How many of its keys must sign.
    pub threshold: i64,
    /// Its keys.
    pub keys: Vec<ShownKey>,
}

/// A key.
#[derive(Clone, Debug, Serialize)]
pub struct ShownKey {
    /// The id under which the document lists it.
    pub id: String,
    /// For a certificate of Notary, the id of the key without it: what Notary's own tools print.
    pub canonical_id: Option<String>,
    /// SHA-256 of its SubjectPublicKeyInfo, unless it cannot be read.
    pub sha256: Option<Digest>,
    /// Whose name its certificate carries, and until when.
    pub certificate: Option<(String, Timestamp)>,
    /// Whether its signature over this root is here and good.
    pub signed: bool,
}

impl ShownKey {
    /// Its digest, and its ids.
    fn ids(&self) -> String {
        let called = self.sha256.map_or_else(|| "unreadable".to_owned(), |digest| brief(&digest));
        let id = &self.id;
        match &self.canonical_id {
            Some(canonical) => format!("{called} id {id}, without its certificate {canonical}"),
            None => format!("{called} id {id}"),
        }
    }
}

/// The signatures that count for one root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// `old` or `new`.
    pub by: &'static str,
    /// How many count, as the strictest reader counts.
    pub counted: usize,
    /// How many are needed.
    pub needed: i64,
    /// Whether that many count; a threshold below 1 is never met.
    pub enough: bool,
}

impl Document {
    /// Reads a root of either dialect, signed or not, and the one before it.
    ///
    /// # Errors
    /// Bytes that are no root.
    pub fn read(bytes: &[u8], previous: Option<&[u8]>) -> Result<Self, Refusal> {
        let file = signed(bytes)?;
        let before = previous.map(signed).transpose()?;
        let root = file.root();
        let old = before.as_ref().map(SignedRoot::root);
        Ok(Self {
            dialect: root.dialect(),
            version: root.version().get(),
            expires: root.expires().instant(),
            sha256: Digest::of(bytes),
            signed_sha256: root.signed_digest(),
            roles: Role::ALL.into_iter().filter_map(|role| shown_role(role, &file)).collect(),
            tallies: old
                .map(|old| ("old", old))
                .into_iter()
                .chain([("new", root)])
                .map(|(by, holder)| tally(by, holder, &file))
                .collect(),
            changes: differences(old, root).iter().map(|change| change.sentence(&call)).collect(),
        })
    }

    pub(super) fn paper(&self) -> Paper {
        let mut paper = Paper::new(format!("Root {}, {}", self.version, self.dialect), "");
        paper.pairs([
            ("expires", self.expires.to_string()),
            ("SHA-256 of the file", self.sha256.grouped()),
            ("of what is signed", self.signed_sha256.grouped()),
        ]);
        for tally in &self.tallies {
            let Tally { by, counted, needed, enough } = tally;
            let enough = if *enough { "enough" } else { "too few" };
            paper.pairs([(
                "signatures",
                format!("{by} root: {counted} counted, {needed} needed: {enough}"),
            )]);
        }
        let rows = self.roles.iter().flat_map(|role| {
            let (name, threshold, many) = (role.role, role.threshold, role.keys.len());
            role.keys.iter().map(move |key| {
                let digest = key
                    .sha256
                    .map_or_else(|| format!("unreadable, id {}", key.id), |d| d.grouped());
                let certificate = key.certificate.as_ref();
                let certificate = certificate
                    .map_or_else(String::new, |(name, until)| format!("{name}, until {until}"));
                let signed = if key.signed { "signed" } else { "" };
                cells([&format!("{name}, {threshold} of {many}"), &digest, &certificate, signed])
            })
        });
        paper.section("Roles and keys");
        let columns =
            [("Role", 17), ("SHA-256 of the key", 24), ("Certificate", 22), ("Signed", 6)];
        paper.table(&columns, rows.collect());
        paper.section("Ids of the keys");
        paper.points(self.roles.iter().flat_map(|role| {
            let ids = role.keys.iter().map(ShownKey::ids);
            ids.map(|ids| format!("{}: {ids}", role.role))
        }));
        paper.section(if self.tallies.len() > 1 {
            "Against the root before"
        } else {
            "What it says"
        });
        paper.points(self.changes.clone());
        paper
    }
}

/// Reads a root file of either dialect; the signed part alone is a file without signatures.
pub(super) fn signed(bytes: &[u8]) -> Result<SignedRoot, Refusal> {
    let bad = |what: String| Refusal::new(Exit::Refused, format!("the file is no root: {what}"));
    let value = Value::parse(bytes, Limits::ROOT).map_err(|error| bad(error.to_string()))?;
    let has_signed = value.as_map().is_some_and(|members| members.contains_key("signed"));
    let read = |dialect| match has_signed {
        true => SignedRoot::parse(dialect, bytes),
        false => {
            Root::from_value(dialect, value.clone()).map(|root| SignedRoot::assemble(&root, &[]))
        }
    };
    match (read(Dialect::Notary), read(Dialect::Tuf)) {
        (Ok(file), _) | (_, Ok(file)) => Ok(file),
        (Err(_), Err(error)) => Err(bad(error.to_string())),
    }
}

/// How a key is called where nobody gave it a name.
pub(super) fn call(key: &Key) -> String {
    match key.public() {
        Some(public) => short(public),
        None => key.id().to_string(),
    }
}

pub(super) fn short(public: &PublicKey) -> String {
    brief(&public.id())
}

fn brief(digest: &Digest) -> String {
    let grouped = digest.grouped();
    format!("{} …", grouped.get(..19).unwrap_or(&grouped))
}

fn shown_role(role: Role, file: &SignedRoot) -> Option<ShownRole> {
    let root = file.root();
    let (message, listed) = (root.signed_bytes(), root.role(role)?);
    let keys = root.role_keys(role).map(|(id, key)| {
        let mine = file.signatures().iter().filter(|signature| signature.key == *id);
        let mut good = mine.map(|made| threshold::verifies(root.dialect(), key, &message, made));
        ShownKey {
            id: id.to_string(),
            canonical_id: key.bundle().and(key.canonical_id()).map(|id| id.to_string()),
            sha256: key.public().map(PublicKey::id),
            certificate: key.bundle().map(|bundle| {
                let leaf = bundle.leaf();
                (leaf.name().to_owned(), leaf.not_after())
            }),
            signed: good.any(|good| good),
        }
    });
    Some(ShownRole { role, threshold: listed.threshold, keys: keys.collect() })
}

fn tally(by: &'static str, holder: &Root, file: &SignedRoot) -> Tally {
    // A signature that is not good makes the strictest reader refuse all: none count.
    let counted = threshold::tally(holder, file, Counting::ONE_SIDE).unwrap_or_else(|_| {
        let needed = holder.role(Role::Root).map_or(0, |role| role.threshold);
        threshold::Tally { counted: BTreeSet::new(), needed }
    });
    Tally { by, counted: counted.counted.len(), needed: counted.needed, enough: counted.is_met() }
}
