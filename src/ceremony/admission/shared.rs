//! Whether repositories may share what nothing in a root tells apart: a certificate name, or a TUF root key.
//!
//! Second floor: pure. docs/threats.md rule 10. Decided twice: at the opening of what the plan will bring, before anybody is
//! asked, and of the candidates as they are, since a token that is not here leaves its key the certificate that it had.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::Asked;
use crate::ceremony::plan::Plan;
use crate::ceremony::roster::{Key, KeyOrigin, Roster};
use crate::check::Check;
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::root::{self, Dialect, Role, Root};
use crate::trust::Past;

/// The repositories of a plan, by what decides whether one's root could stand for another one's.
pub(in crate::ceremony) struct Faces<'a> {
    plan: &'a Plan,
    past: &'a Past,
    /// Who was first to have a mark that can be shared.
    holders: BTreeMap<String, Owned<'a>>,
    all: Vec<Owned<'a>>,
    refused: Option<Refusal>,
}

/// A repository, and who owns it.
#[derive(Clone, Copy)]
struct Owned<'a> {
    name: &'a str,
    /// Over its targets keys.
    targets: Digest,
}

impl<'a> Faces<'a> {
    pub(in crate::ceremony) fn new(plan: &'a Plan, past: &'a Past) -> Self {
        let (holders, all, refused) = (BTreeMap::new(), Vec::new(), None);
        Self { plan, past, holders, all, refused }
    }

    /// Adds a repository.
    pub(in crate::ceremony) fn push(&mut self, face: Face<'a>) {
        let Face { shared, owned } = face;
        self.all.push(owned);
        for mark in shared {
            let checked = check_owners(*self.holders.entry(mark).or_insert(owned), owned);
            // The first reason is told.
            self.refused = self.refused.take().or(checked.err());
        }
    }
}

/// The plan's wildcard is for all its repositories.
pub(super) fn check_covered(plan: &Plan) -> Result<(), Refusal> {
    let Some(wildcard) = wildcard(plan) else { return Ok(()) };
    let above = stem(wildcard).unwrap_or(wildcard);
    match plan.repositories().iter().find(|repository| !repository.name.starts_with(above)) {
        None => Ok(()),
        Some(other) => {
            let what = format!("certificate name `{wildcard}` does not cover `{}`", other.name);
            Err(Refusal::of(Check::RootShared, what)
                .hint("give it a plan of its own, or every repository its own certificates"))
        }
    }
}

fn wildcard(plan: &Plan) -> Option<&str> {
    let named = plan.root().and_then(|root| root.certificate_name.as_deref());
    named.filter(|name| *name != "gun")
}

/// What every name that a wildcard covers begins with; none for a name that is no wildcard.
fn stem(name: &str) -> Option<&str> {
    name.ends_with('*').then(|| name.trim_end_matches('*'))
}

/// A repository, by what decides whether its root could stand for another one's.
pub(in crate::ceremony) struct Face<'a> {
    owned: Owned<'a>,
    /// Of Notary the stems of its root certificates' wildcards, of TUF its root keys.
    shared: BTreeSet<String>,
}

impl<'a> Face<'a> {
    /// A root as it is.
    pub(in crate::ceremony) fn of(name: &'a str, root: &Root) -> Self {
        let marks = root.role_keys(Role::Root).filter_map(|(_, key)| mark(root.dialect(), key));
        let targets = owners(targets_of(root));
        Self { owned: Owned { name, targets }, shared: marks.collect() }
    }

    /// What the plan will make of a repository.
    pub(super) fn planned(plan: &Plan, roster: &Roster, asked: &Asked<'a>) -> Self {
        let targets = owners(will_own(plan, asked));
        let owned = Owned { name: &asked.planned.name, targets };
        Self { owned, shared: will_share(plan, roster, asked.last()) }
    }
}

fn mark(dialect: Dialect, key: &root::Key) -> Option<String> {
    match dialect {
        Dialect::Notary => stem(key.bundle()?.leaf().name()).map(str::to_owned),
        Dialect::Tuf => key.public().map(|public| public.id().to_string()),
    }
}

/// Keys in one digest, whatever their order.
fn owners(keys: BTreeSet<PublicKey>) -> Digest {
    let keys: Vec<&[u8]> = keys.iter().map(PublicKey::der).collect();
    Digest::of_parts("targets keys", &keys)
}

fn targets_of(root: &Root) -> BTreeSet<PublicKey> {
    root.role_keys(Role::Targets).filter_map(|(_, key)| key.public().cloned()).collect()
}

/// What the next root will share, as far as the plan says: a key that gets no new certificate keeps the one it has.
fn will_share(plan: &Plan, roster: &Roster, last: Option<&Root>) -> BTreeSet<String> {
    let kept = |public: &PublicKey| {
        let last = last?;
        mark(Dialect::Notary, last.key(last.root_key_id(public)?)?)
    };
    let shares = |key: &Key| match (plan.dialect(), &key.origin) {
        (Dialect::Notary, KeyOrigin::Known(public)) if !key.certified => kept(public),
        (Dialect::Notary, _) => wildcard(plan).and_then(stem).map(str::to_owned),
        (Dialect::Tuf, KeyOrigin::Known(public)) => Some(public.id().to_string()),
        (Dialect::Tuf, KeyOrigin::Adopted(id) | KeyOrigin::Imported(id)) => Some(id.to_string()),
        (Dialect::Tuf, KeyOrigin::New) => Some(key.name.clone()),
    };
    roster.keys().iter().filter(|key| key.stays).filter_map(shares).collect()
}

/// The targets keys of the next root.
fn will_own(plan: &Plan, asked: &Asked<'_>) -> BTreeSet<PublicKey> {
    match plan.roles().any(|role| role.name == Role::Targets) {
        true => asked.offered(Role::Targets).iter().cloned().collect(),
        false => asked.last().map(targets_of).unwrap_or_default(),
    }
}

impl Faces<'_> {
    /// One certificate name, or one TUF root key, for several repositories lets each take over the others: allowed only
    /// where the same people own their targets keys anyway. Repositories of earlier ceremonies count as well: a plan for
    /// each would else do what one plan for both may not. `[ROOT-SHARED]`
    pub(in crate::ceremony) fn finish(mut self) -> Result<(), Refusal> {
        let (plan, past) = (self.plan, self.past);
        for (name, lineage) in past.repositories().iter() {
            if lineage.dialect() == plan.dialect()
                && plan.repository(name).is_none()
                && let Some(last) = past.latest(name)?
            {
                self.push(Face::of(name, last.root()));
            }
        }
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        if plan.dialect() == Dialect::Tuf || self.holders.is_empty() {
            return Ok(());
        }
        let names: BTreeMap<&str, Owned<'_>> =
            self.all.iter().map(|owned| (owned.name, *owned)).collect();
        for (stem, holder) in &self.holders {
            let from = names.range::<str, _>((Bound::Included(stem.as_str()), Bound::Unbounded));
            let mut covered = from.take_while(|(name, _)| name.starts_with(stem));
            covered.try_for_each(|(_, owned)| check_owners(*holder, *owned))?;
        }
        Ok(())
    }
}

fn check_owners(one: Owned<'_>, other: Owned<'_>) -> Result<(), Refusal> {
    if one.targets == other.targets {
        return Ok(());
    }
    let (first, second) = (one.name.min(other.name), one.name.max(other.name));
    let what =
        format!("`{first}` and `{second}` would share root keys, and have different targets keys");
    Err(Refusal::of(Check::RootShared, what)
        .hint("nothing in a root names its repository: whoever owns one could take over the other"))
}
