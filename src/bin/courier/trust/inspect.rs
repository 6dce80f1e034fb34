//! `courier inspect`: who signs what in a repository, in the shape that docker has, and what docker leaves out: versions,
//! expiries, thresholds, both ids of every root key, and when the first client will fail.
//!
//! Annex.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use officiant::digest::Digest;
use officiant::request::Role;
use officiant::root::KeyId;
use officiant::root::targets::{Delegation, ListRole};
use serde_json::{Value, json};

use super::client::Wanted;
use super::horizon::{self, End};
use super::place::{Places, Seen};
use super::{Error, args};
use crate::environment::Environment;
use crate::image::Image;
use crate::report::Output;

/// Inspects every image.
///
/// # Errors
/// [`Error`], for the first that is not trusted.
pub(crate) async fn run(args: &args::Inspect, is_json: bool) -> Result<Output, Error> {
    let environment = Environment::read();
    let mut places = Places::new(&args.trust, &environment)?;
    let mut all = Vec::new();
    for text in &args.images {
        let image = Image::parse(text)?;
        let place = places.of(image.gun().clone())?;
        let seen = place.look(Wanted::All).await?;
        let (typed, tag) = (text.clone(), image.tag().map(str::to_owned));
        all.push(Inspected { typed, tag, seen, at: Timestamp::now() });
    }
    let json: Value = all.iter().map(Inspected::json).collect();
    let text = match args.pretty && !is_json {
        true => all.iter().map(Inspected::pretty).collect::<Vec<_>>().join("\n"),
        false => serde_json::to_string_pretty(&json).unwrap_or_default() + "\n",
    };
    Ok(Output { text, json })
}

/// One repository, and what of it a person asked for.
struct Inspected {
    typed: String,
    tag: Option<String>,
    seen: Seen,
    at: Timestamp,
}

/// A role with the keys that sign for it.
struct Keys {
    name: String,
    version: Option<i64>,
    expires: Option<String>,
    threshold: i64,
    /// The ids, and beside those of certificates the ids of their keys.
    ids: Vec<(KeyId, Option<KeyId>)>,
}

impl Inspected {
    /// The tags that docker takes, by tag and digest, with the signers who say the same.
    fn tags(&self) -> BTreeMap<(&str, Digest), BTreeSet<&str>> {
        let released = [ListRole::releases(), ListRole::top()];
        let mut tags: BTreeMap<(&str, Digest), BTreeSet<&str>> = BTreeMap::new();
        for (role, tag, digest) in self.said().filter(|(role, ..)| released.contains(role)) {
            if self.seen.view.may_name(role, tag) && self.tag.as_ref().is_none_or(|t| t == tag) {
                tags.entry((tag, digest)).or_default();
            }
        }
        for (role, tag, digest) in self.said().filter(|(role, ..)| !released.contains(role)) {
            if let Some(signers) = tags.get_mut(&(tag, digest)) {
                signers.extend(role.as_str().strip_prefix("targets/"));
            }
        }
        tags
    }

    fn said(&self) -> impl Iterator<Item = (&ListRole, &str, Digest)> {
        self.seen.view.lists.iter().flat_map(|(role, list)| {
            let targets = list.targets.targets.iter();
            targets.filter_map(move |(tag, target)| Some((role, tag.as_str(), target.sha256()?)))
        })
    }

    fn signers(&self) -> Vec<(&str, &Delegation)> {
        let top = self.seen.view.top().map(|top| top.targets.delegations.as_slice());
        let mut signers: Vec<_> =
            top.unwrap_or_default().iter().filter_map(|d| Some((d.role.signer()?, d))).collect();
        signers.sort_by_key(|(name, _)| *name);
        signers
    }

    /// The roles of the root, and all delegations.
    fn roles(&self) -> Vec<Keys> {
        let view = &self.seen.view;
        let root = view.root();
        let mut roles: Vec<Keys> = [Role::Root, Role::Targets, Role::Snapshot, Role::Timestamp]
            .into_iter()
            .map(|role| {
                let (version, expires) = match role {
                    Role::Root => (
                        i64::try_from(root.version().get()).ok(),
                        Some(root.expires().text().to_owned()),
                    ),
                    Role::Targets => view.top().map_or((None, None), |top| {
                        (Some(top.targets.version), Some(top.targets.expires.text().to_owned()))
                    }),
                    Role::Snapshot => {
                        (view.snapshot.version(), view.snapshot.expires().map(|e| e.to_string()))
                    }
                    Role::Timestamp => {
                        (view.timestamp.version(), view.timestamp.expires().map(|e| e.to_string()))
                    }
                };
                let ids = root.role_keys(role).map(|(id, key)| {
                    let own = key.canonical_id().filter(|own| own != id);
                    (id.clone(), own)
                });
                let threshold = root.role(role).map_or(0, |role| role.threshold);
                Keys {
                    name: role.name().to_owned(),
                    version,
                    expires,
                    threshold,
                    ids: ids.collect(),
                }
            })
            .collect();
        for role in view.roles() {
            let Some(list) = view.lists.get(&role) else { continue };
            for delegation in &list.targets.delegations {
                let own = view.lists.get(&delegation.role).map(|list| &list.targets);
                roles.push(Keys {
                    name: delegation.role.to_string(),
                    version: own.map(|own| own.version),
                    expires: own.map(|own| own.expires.text().to_owned()),
                    threshold: delegation.threshold,
                    ids: delegation.ids.iter().map(|id| (id.clone(), None)).collect(),
                });
            }
        }
        roles
    }

    /// What ends first of all that clients need.
    fn first_failure(&self) -> Option<End> {
        let ends = horizon::ends(&self.seen.view, self.at);
        ends.into_iter().find(End::is_for_clients)
    }

    fn administrative(&self) -> Vec<(&'static str, Vec<&KeyId>)> {
        let root = self.seen.view.root();
        let ids = |role| root.role_keys(role).map(|(id, _)| id).collect();
        vec![("Root", ids(Role::Root)), ("Repository", ids(Role::Targets))]
    }

    /// What docker prints, and more beside it.
    fn json(&self) -> Value {
        let keys = |ids: &mut dyn Iterator<Item = &KeyId>| -> Value {
            ids.map(|id| json!({ "ID": id.as_str() })).collect()
        };
        let tags = self.tags().into_iter().map(|((tag, digest), signers)| {
            let signers: Vec<&str> = match signers.is_empty() {
                true => vec![NOBODY],
                false => signers.into_iter().collect(),
            };
            json!({ "SignedTag": tag, "Digest": digest, "Signers": signers })
        });
        let signers = self.signers().into_iter();
        let signers =
            signers.map(|(name, d)| json!({ "Name": name, "Keys": keys(&mut d.ids.iter()) }));
        let administrative = self.administrative().into_iter();
        let administrative = administrative
            .map(|(name, ids)| json!({ "Name": name, "Keys": keys(&mut ids.into_iter()) }));
        let roles = self.roles().into_iter().map(|role| {
            let ids = role.ids.iter().map(|(id, own)| match own {
                Some(own) => json!({ "ID": id.as_str(), "KeyID": own.as_str() }),
                None => json!({ "ID": id.as_str() }),
            });
            json!({
                "Name": role.name, "Version": role.version, "Expires": role.expires,
                "Threshold": role.threshold, "Keys": ids.collect::<Vec<_>>(),
            })
        });
        let broken = self.seen.view.broken.iter();
        let broken = broken.map(|(role, broken)| json!({ "Name": role, "Why": broken.why }));
        json!({
            "Name": self.typed,
            "SignedTags": tags.collect::<Vec<_>>(),
            "Signers": signers.collect::<Vec<_>>(),
            "AdministrativeKeys": administrative.collect::<Vec<_>>(),
            "TrustedBy": self.seen.because.word(),
            "Roles": roles.collect::<Vec<_>>(),
            "PassedOver": broken.collect::<Vec<_>>(),
            "FirstFailure": self.first_failure().map(|end| json!({
                "Day": horizon::day(end.at).to_string(), "Ends": end.what.word(), "Role": end.what.role(),
                "Means": end.what.means(),
            })),
        })
    }

    /// For people, as docker lays it out.
    fn pretty(&self) -> String {
        let name = &self.typed;
        let mut rows = vec![["SIGNED TAG".to_owned(), "DIGEST".to_owned(), "SIGNERS".to_owned()]];
        for ((tag, digest), signers) in self.tags() {
            let signers: Vec<&str> = signers.into_iter().collect();
            let signers =
                if signers.is_empty() { format!("({NOBODY})") } else { signers.join(", ") };
            rows.push([tag.to_owned(), digest.to_string(), signers]);
        }
        let mut text = match rows.len() {
            1 => format!("\nNo signatures for {name}\n\n"),
            _ => format!("\nSignatures for {name}\n\n{}\n", table(&rows)),
        };
        let mut rows = vec![["SIGNER".to_owned(), "KEYS".to_owned()]];
        for (signer, delegation) in self.signers() {
            let ids: Vec<&str> = delegation.ids.iter().map(short).collect();
            rows.push([signer.to_owned(), ids.join(", ")]);
        }
        if rows.len() > 1 {
            text += &format!("List of signers and their keys for {name}\n\n{}\n", table(&rows));
        }
        text += &format!("Administrative keys for {name}\n\n");
        for (who, ids) in self.administrative().into_iter().rev() {
            let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
            text += &format!("  {who} Key:\t{}\n", ids.join(", "));
        }
        let head = ["ROLE", "VERSION", "EXPIRES", "SIGN", "KEYS"].map(str::to_owned);
        let mut rows = vec![head];
        for role in self.roles() {
            let version = role.version.map(|version| version.to_string()).unwrap_or_default();
            let day = role.expires.unwrap_or_default();
            let day = day.split('T').next().unwrap_or_default().to_owned();
            let must = format!("{} of {}", role.threshold, role.ids.len());
            let ids = role.ids.iter().map(|(id, own)| match own {
                Some(own) => format!("{} (key {})", short(id), short(own)),
                None => short(id).to_owned(),
            });
            rows.push([role.name, version, day, must, ids.collect::<Vec<_>>().join(", ")]);
        }
        text += &format!(
            "\nRoles of {name}, trusted by {}\n\n{}",
            self.seen.because.word(),
            table(&rows)
        );
        if let Some(end) = self.first_failure() {
            let End { at, what, .. } = end;
            text += &format!("\nFirst to end: {what}, {}: {}\n", horizon::day(at), what.means());
        }
        for (role, broken) in &self.seen.view.broken {
            text +=
                &format!("\n`{role}` is passed over by every client: its list {}\n", broken.why);
        }
        text
    }
}

/// Rows under each other, two blanks between the columns.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        text += cells.collect::<Vec<_>>().join("   ").trim_end();
        text.push('\n');
    }
    text
}

fn short(id: &KeyId) -> &str {
    id.as_str().get(..12).unwrap_or(id.as_str())
}

/// How docker calls whoever has the targets key.
const NOBODY: &str = "Repo Admin";
