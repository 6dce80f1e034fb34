//! Requests, proofs and trust folders as they stand.
//!
//! Roof, pure.

use jiff::Timestamp;
use serde::Serialize;

use crate::check::Check;
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::paper::{Paper, Row, cells};
use crate::refusal::Refusal;
use crate::request::Brought;
use crate::request::proof::Proof;
use crate::root::{Dialect, Role};
use crate::trust::{Custody, Held, Past};
use crate::wording::List;

/// A request.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    /// Its digest, which a plan names.
    pub sha256: Digest,
    /// The dialect.
    pub dialect: Dialect,
    /// Where it was fetched.
    pub server: String,
    /// When, by the clock of the machine that fetched.
    pub fetched: Timestamp,
    /// The repositories.
    pub repositories: Vec<AskedRepository>,
}

/// One repository of a request.
#[derive(Clone, Debug, Serialize)]
pub struct AskedRepository {
    /// Its name.
    pub name: String,
    /// Its newest version; 0 when the server does not know it.
    pub latest: u64,
    /// SHA-256 of its newest root.
    pub sha256: Option<Digest>,
    /// The keys that are offered, by role.
    pub keys: Vec<(Role, Digest)>,
}

impl Asked {
    pub(super) fn of(request: &Brought) -> Result<Self, Refusal> {
        let sha256 = request.digest;
        let repositories = request.names().map(|name| {
            let repository = request.repository(name);
            let repository = repository
                .map_err(|error| Refusal::of(Check::RequestForm, error.to_string()))?
                .unwrap_or_default();
            Ok(AskedRepository {
                name: name.to_owned(),
                latest: repository.latest(),
                sha256: repository.roots.last().map(|bytes| Digest::of(bytes)),
                keys: repository
                    .keys
                    .iter()
                    .flat_map(|(role, keys)| keys.iter().map(|key| (*role, key.id())))
                    .collect(),
            })
        });
        let repositories = repositories.collect::<Result<_, Refusal>>()?;
        let (dialect, server, fetched) = (request.dialect, request.server.clone(), request.fetched);
        Ok(Self { sha256, dialect, server, fetched, repositories })
    }

    pub(super) fn paper(&self) -> Paper {
        let mut paper = Paper::new("Request", "");
        paper.pairs([
            ("dialect", self.dialect.to_string()),
            ("from", self.server.clone()),
            ("fetched", self.fetched.to_string()),
        ]);
        paper.digest("Its digest, which the plan names", self.sha256);
        let mut rows: Vec<Row> = Vec::new();
        for repository in &self.repositories {
            let name = format!("`{}`", repository.name);
            let root =
                repository.sha256.map_or_else(|| "none".to_owned(), |digest| digest.grouped());
            rows.push(cells([&name, &format!("root {}", repository.latest), &root]));
            for (role, key) in &repository.keys {
                rows.push(cells(["", &format!("offers {role}"), &key.grouped()]));
            }
        }
        let columns = [("Repository", 26), ("What", 16), ("SHA-256 of root or key", 29)];
        paper.table(&columns, rows);
        paper
    }
}

/// A proof of possession, or those of one key for a list.
#[derive(Clone, Debug, Serialize)]
pub struct Possession {
    /// The plan that it is for.
    pub plan: Digest,
    /// The repositories.
    pub repositories: Vec<String>,
    /// The role.
    pub role: Role,
    /// SHA-256 of the key's SubjectPublicKeyInfo.
    pub key: Digest,
}

impl Possession {
    pub(super) fn of(first: &Proof, all: &[Proof]) -> Self {
        let claim = &first.claim;
        let names = all.iter().map(|proof| proof.claim.repository.as_str().to_owned());
        let repositories = names.collect();
        Self { plan: claim.plan, repositories, role: claim.role, key: first.key }
    }

    pub(super) fn paper(&self) -> Paper {
        let mut paper = Paper::new("Proof of possession", "");
        paper.prose("Whether it is good is for `check` and `conduct` to say: they have the key.");
        let names = List::names(&self.repositories);
        paper.pairs([
            ("repository", format!("{names}, role `{}`", self.role)),
            ("key", self.key.grouped()),
            ("for the plan", self.plan.grouped()),
        ]);
        paper
    }
}

/// A trust folder: who holds what, and how far each repository is.
#[derive(Clone, Debug, Serialize)]
pub struct Holders {
    /// The closing digest of the last ceremony.
    pub closing: Option<Digest>,
    /// `custody.json`.
    pub custody: Custody,
    /// The repositories: name, newest version, its expiry.
    pub repositories: Vec<(String, u64, Timestamp)>,
    /// Per repository, the names of the keys that govern it, and how many must sign.
    pub governed: Vec<(String, Vec<String>, i64)>,
}

impl Holders {
    pub(super) fn of(past: &Past) -> Self {
        let name_of = |public: &PublicKey| match past.custody().key_of(public) {
            Some(key) => key.name.clone(),
            None => super::document::short(public),
        };
        let governed = past.repositories().iter().map(|(name, lineage)| {
            let governed = lineage.governed();
            (name.to_owned(), governed.keys.iter().map(name_of).collect(), governed.threshold)
        });
        let repositories = past.repositories().iter().map(|(name, lineage)| {
            (name.to_owned(), lineage.versions(), lineage.governed().expires.instant())
        });
        Self {
            closing: past.last().map(|last| last.closing),
            custody: past.custody().clone(),
            governed: governed.collect(),
            repositories: repositories.collect(),
        }
    }

    pub(super) fn paper(&self) -> Paper {
        let mut paper = Paper::new("Trust folder", "");
        paper.prose("`officiant verify` says what of it is proved.");
        let rows = self.repositories.iter().zip(&self.governed).map(
            |((name, version, expires), (_, keys, m))| {
                let govern = format!("{m} of {}", keys.join(", "));
                let expires = expires.strftime("%Y-%m-%d").to_string();
                cells([&format!("`{name}`"), &version.to_string(), &expires, &govern])
            },
        );
        let columns = [("Repository", 28), ("Root", 4), ("Expires", 10), ("Governed by", 29)];
        paper.table(&columns, rows.collect());
        let rows = self.custody.keys.iter().map(|key| {
            let held = match &key.held {
                Held::Token { token } if self.custody.is_key_gone(&key.name, token) => {
                    format!("nobody: gone from token {token}")
                }
                Held::Token { token } => format!("token {token}"),
                held if self.custody.is_dead(held) => "nobody: its shares are gone".to_owned(),
                Held::Shares { threshold, shares, .. } => {
                    let holders: Vec<&str> =
                        shares.iter().map(|share| share.holder.as_str()).collect();
                    format!("{threshold} of {} shares: {}", holders.len(), holders.join(", "))
                }
            };
            cells([&key.name, &held, &key.public.id().grouped()])
        });
        paper.section("Keys");
        paper.table(&[("Key", 16), ("Held by", 26), ("SHA-256 of the key", 29)], rows.collect());
        let rows = self.custody.tokens.iter();
        let rows = rows.map(|token| cells([&token.name, &token.seats(), &token.model]));
        paper.section("Tokens");
        paper.table(&[("Token", 22), ("Seat", 22), ("Model", 27)], rows.collect());
        let rows = self.custody.papers.iter();
        let rows: Vec<_> = rows.map(|sheet| cells([&sheet.name, &sheet.custodian])).collect();
        if !rows.is_empty() {
            paper.section("Papers");
            paper.table(&[("Paper", 22), ("Seat", 49)], rows);
        }
        let rows = self.custody.recipients.iter();
        let rows: Vec<_> =
            rows.map(|known| cells([&known.name, &known.custodian, known.age.as_str()])).collect();
        if !rows.is_empty() {
            paper.section("Recipients");
            paper.table(&[("Recipient", 15), ("Seat", 15), ("Key of `age`", 41)], rows);
        }
        if let Some(closing) = self.closing {
            paper.digest("Closing digest", closing);
        }
        paper
    }
}
