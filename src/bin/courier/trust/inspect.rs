//! `courier inspect`: who signs what in a repository, in the shape that docker has, and what docker leaves out: versions,
//! expiries, thresholds, both ids of every root key, and when the first client will fail.
//!
//! Annex.

mod pretty;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use officiant::digest::Digest;
use officiant::request::Role;
use officiant::root::KeyId;
use officiant::root::online::Signed;
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
        true => all.iter().map(pretty::page).collect::<Vec<_>>().join("\n"),
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
        let root = [Role::Root, Role::Targets, Role::Snapshot, Role::Timestamp];
        let mut roles: Vec<Keys> = root.into_iter().map(|role| self.role(role)).collect();
        for list in view.roles().iter().filter_map(|role| view.lists.get(role)) {
            roles.extend(list.targets.delegations.iter().map(|role| self.delegation(role)));
        }
        roles
    }

    fn role(&self, role: Role) -> Keys {
        let view = &self.seen.view;
        let root = view.root();
        let version = i64::try_from(root.version().get()).ok();
        let signed =
            |signed: &Signed| (signed.version(), signed.expires().map(|at| at.to_string()));
        let (version, expires) = match role {
            Role::Root => (version, Some(root.expires().text().to_owned())),
            Role::Targets => view.top().map_or((None, None), |top| signed(&top.signed)),
            Role::Snapshot => signed(&view.snapshot),
            Role::Timestamp => signed(&view.timestamp),
        };
        let ids = root.role_keys(role).map(|(id, key)| {
            let own = key.canonical_id().filter(|own| own != id);
            (id.clone(), own)
        });
        let (name, ids) = (role.name().to_owned(), ids.collect());
        Keys { name, version, expires, threshold: root.role(role).map_or(0, |r| r.threshold), ids }
    }

    fn delegation(&self, delegation: &Delegation) -> Keys {
        let own = self.seen.view.lists.get(&delegation.role).map(|list| &list.targets);
        Keys {
            name: delegation.role.to_string(),
            version: own.map(|own| own.version),
            expires: own.map(|own| own.expires.text().to_owned()),
            threshold: delegation.threshold,
            ids: delegation.ids.iter().map(|id| (id.clone(), None)).collect(),
        }
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
}

/// How docker calls whoever has the targets key.
const NOBODY: &str = "Repo Admin";
