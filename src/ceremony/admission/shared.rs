//! Whether repositories may share what nothing in a root tells apart: a certificate name, or a TUF root key.
//!
//! Second floor: pure. docs/threats.md rule 10. Decided twice: at the opening of what the plan will bring, before anybody is
//! asked, and of the candidates as they are, since a token that is not here leaves its key the certificate that it had.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::offered;
use crate::ceremony::Inputs;
use crate::ceremony::plan::{Plan, PlannedRepository};
use crate::ceremony::roster::{Key, KeyOrigin, Roster};
use crate::check::Check;
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::root::{self, Dialect, Role, Root, SignedRoot};
use crate::trust::Past;

/// Checks what the plan will bring; `lasts` are the newest roots of its repositories, in its order. `[ROOT-SHARED]`
pub(super) fn check(
    inputs: &Inputs,
    roster: &Roster,
    lasts: &[Option<SignedRoot>],
) -> Result<(), Refusal> {
    check_covered(&inputs.plan)?;
    let mut faces = Faces::new(&inputs.plan, &inputs.past);
    for (repository, last) in inputs.plan.repositories().iter().zip(lasts) {
        let last = last.as_ref().map(SignedRoot::root);
        faces.faces.push(Face {
            name: &repository.name,
            shared: will_share(&inputs.plan, roster, last),
            targets: owners(will_own(inputs, repository, last)),
        });
    }
    faces.finish()
}

/// The repositories of a plan, by what decides whether one's root could stand for another one's.
pub(in crate::ceremony) struct Faces<'a> {
    plan: &'a Plan,
    past: &'a Past,
    faces: Vec<Face<'a>>,
}

impl<'a> Faces<'a> {
    pub(in crate::ceremony) const fn new(plan: &'a Plan, past: &'a Past) -> Self {
        Self { plan, past, faces: Vec::new() }
    }

    /// Adds a candidate as it is.
    pub(in crate::ceremony) fn add(&mut self, name: &'a str, root: &Root) {
        self.faces.push(Face::of(name, root));
    }
}

/// The plan's wildcard is for all its repositories.
fn check_covered(plan: &Plan) -> Result<(), Refusal> {
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
struct Face<'a> {
    name: &'a str,
    /// Of Notary the stems of its root certificates' wildcards, of TUF its root keys.
    shared: BTreeSet<String>,
    /// Over its targets keys.
    targets: Digest,
}

impl<'a> Face<'a> {
    fn of(name: &'a str, root: &Root) -> Self {
        let marks = root.role_keys(Role::Root).filter_map(|(_, key)| mark(root.dialect(), key));
        Self { name, shared: marks.collect(), targets: owners(targets_of(root)) }
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
fn will_own(
    inputs: &Inputs,
    repository: &PlannedRepository,
    last: Option<&Root>,
) -> BTreeSet<PublicKey> {
    let changes = inputs.plan.roles().any(|role| role.name == Role::Targets);
    match inputs.request.as_ref().filter(|_| changes) {
        Some(request) => offered(request, &repository.name, Role::Targets).into_iter().collect(),
        None => last.map(targets_of).unwrap_or_default(),
    }
}

impl Faces<'_> {
    /// One certificate name, or one TUF root key, for several repositories lets each take over the others: allowed only
    /// where the same people own their targets keys anyway. Repositories of earlier ceremonies count as well: a plan for
    /// each would else do what one plan for both may not. `[ROOT-SHARED]`
    pub(in crate::ceremony) fn finish(mut self) -> Result<(), Refusal> {
        let planned: BTreeSet<&str> = self.faces.iter().map(|face| face.name).collect();
        for (name, chain) in self.past.repositories() {
            let last = chain.last().map(SignedRoot::root);
            let last = last.filter(|last| last.dialect() == self.plan.dialect());
            if let (Some(last), false) = (last, planned.contains(name.as_str())) {
                self.faces.push(Face::of(name, last));
            }
        }
        let mut holders: BTreeMap<&str, &Face<'_>> = BTreeMap::new();
        for face in &self.faces {
            for mark in &face.shared {
                check_owners(holders.entry(mark).or_insert(face), face)?;
            }
        }
        if self.plan.dialect() == Dialect::Tuf || holders.is_empty() {
            return Ok(());
        }
        let faces = self.faces.iter();
        let names: BTreeMap<&str, &Face<'_>> = faces.map(|face| (face.name, face)).collect();
        for (stem, holder) in holders {
            let from = names.range::<str, _>((Bound::Included(stem), Bound::Unbounded));
            let mut covered = from.take_while(|(name, _)| name.starts_with(stem));
            covered.try_for_each(|(_, face)| check_owners(holder, face))?;
        }
        Ok(())
    }
}

fn check_owners(one: &Face<'_>, other: &Face<'_>) -> Result<(), Refusal> {
    if one.targets == other.targets {
        return Ok(());
    }
    let (first, second) = (one.name.min(other.name), one.name.max(other.name));
    let what =
        format!("`{first}` and `{second}` would share root keys, and have different targets keys");
    Err(Refusal::of(Check::RootShared, what)
        .hint("nothing in a root names its repository: whoever owns one could take over the other"))
}
