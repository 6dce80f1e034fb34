//! Whether the request may be believed: the courier must not decide what is signed.
//!
//! Second floor: pure. docs/threats.md rules 1 and 2.

pub(super) mod adopted;
mod chains;
mod known;
pub(super) mod last;
mod met;
pub(super) mod shared;
mod snapshot;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::plan::{Owner, Plan, PlannedRepository, PlannedRole};
use super::roster::Roster;
use super::{Inputs, opening};
use crate::check::Check;
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::name::Name;
use crate::refusal::Refusal;
use crate::request::proof::Claim;
use crate::request::{self, Brought};
use crate::root::threshold::{self, Counting, Fault, Signer};
use crate::root::{Role, Root, SignedRoot};
use crate::wording::List;
pub(super) use chains::{Seen, again};
use chains::{brought, chain_of};
pub use chains::{chain, new_files, offered};

/// Checks the request against plan and past, and says what need not be looked at again.
pub(super) fn check(inputs: &Inputs, roster: &Roster, at: Timestamp) -> Result<Seen, Refusal> {
    let mut seen = Seen::default();
    let Some(planned) = inputs.plan.request() else { return Ok(seen) };
    let request = inputs.request.as_ref().ok_or_else(opening::no_request)?;
    check_digest(request, planned.sha256, "request")?;
    if let Some(second) = planned.second {
        check_other(planned.sha256, second)?;
        let other = inputs.second.as_ref().ok_or_else(opening::no_request)?;
        check_digest(other, second, "second request")?;
        check_twice(inputs, request, other)?;
    }
    check_repositories(&inputs.plan, request)?;
    let mut faces = shared::Faces::new(&inputs.plan, &inputs.past);
    let repositories = inputs.plan.repositories();
    let look = |place: usize| {
        let asked = Asked::new(inputs, &repositories[place])?;
        if let Some(root) = asked.chain.last() {
            last::check(&asked.planned.name, root, at)?;
        }
        asked.check_chain()?;
        asked.check_met()?;
        asked.check_keys(roster)?;
        snapshot::check(&inputs.plan, &asked)?;
        let days = asked.chain.last().map_or(last::EVER, |root| last::days(root, at));
        let is_sound = asked.chain.iter().all(SignedRoot::is_sound);
        let face = shared::Face::planned(&inputs.plan, roster, &asked);
        Ok::<_, Refusal>((face, is_sound, days))
    };
    inputs.means.map(0..repositories.len(), look, |_, (face, is_sound, days)| {
        faces.push(face);
        seen.add(is_sound, days);
        Ok(())
    })?;
    adopted::check(inputs, roster)?;
    known::check(inputs, roster)?;
    shared::check_covered(&inputs.plan)?;
    faces.finish()?;
    super::retire::check(inputs, at)?;
    Ok(seen)
}

/// The server-made keys that only one machine fetched, as a sentence for the exception that they need.
pub fn seen_once(inputs: &Inputs) -> Option<String> {
    let planned = inputs.plan.request()?;
    let server = inputs.plan.roles().any(|role| role.owner() == Owner::Server);
    (planned.second.is_none() && server)
        .then(|| "server-made keys are fetched on two machines and compared".to_owned())
}

fn check_digest(request: &Brought, expected: Digest, what: &str) -> Result<(), Refusal> {
    let found = request.digest;
    if found == expected {
        return Ok(());
    }
    let what = format!("the {what} has digest {found}, the plan names {expected}");
    Err(Refusal::of(Check::RequestDigest, what)
        .hint("bring the media that the plan was written for"))
}

/// Two fetches differ at least in their instant, so one digest named twice is one fetch.
fn check_other(first: Digest, second: Digest) -> Result<(), Refusal> {
    if first != second {
        return Ok(());
    }
    let what = format!("`second` in the plan is the first request again, {first}");
    Err(Refusal::of(Check::RequestTwice, what)
        .hint("have the second request fetched on another machine, or leave `second` out: that is an exception"))
}

fn check_twice(inputs: &Inputs, first: &Brought, second: &Brought) -> Result<(), Refusal> {
    let names: Vec<&str> = first.names().collect();
    let is_same = |place: usize| {
        let (one, other) = (again(first, names[place])?, again(second, names[place])?);
        let what =
            |asked: Option<request::Repository>| asked.map(|asked| (asked.keys, asked.roots));
        if what(one) == what(other) {
            return Ok(());
        }
        let what = format!("`{}`: the two requests show different keys or roots", names[place]);
        Err(Refusal::of(Check::RequestTwice, what)
            .hint("somebody stands between a machine and the server: fetch again, from elsewhere"))
    };
    inputs.means.map(0..names.len(), is_same, |_, ()| Ok(()))
}

fn check_repositories(plan: &Plan, request: &Brought) -> Result<(), Refusal> {
    if request.dialect != plan.dialect() {
        let what = format!(
            "the request is of dialect `{}`, the plan of `{}`",
            request.dialect,
            plan.dialect()
        );
        return Err(Refusal::of(Check::RequestRepositories, what).hint(FETCH_ANEW));
    }
    let planned: BTreeSet<&str> = plan.repositories().iter().map(|r| r.name.as_str()).collect();
    let excluded: BTreeSet<&str> = plan.exclusions().iter().map(|r| r.name.as_str()).collect();
    let asked: BTreeSet<&str> = request.names().collect();
    let more: Vec<_> =
        asked.iter().filter(|n| !planned.contains(**n) && !excluded.contains(**n)).collect();
    if !more.is_empty() {
        let what = format!("the request names {}, which the plan does not", List::names(&more));
        return Err(Refusal::of(Check::RequestRepositories, what)
            .hint("have the request fetched for the plan's repositories alone"));
    }
    let fewer: Vec<_> = planned.difference(&asked).collect();
    if !fewer.is_empty() {
        let what = format!("the plan names {}, which the request does not", List::names(&fewer));
        return Err(Refusal::of(Check::RequestRepositories, what)
            .hint("have the request fetched with every repository of the plan"));
    }
    Ok(())
}

/// One repository: what the plan says, what the request brought, what the past knows.
struct Asked<'a> {
    inputs: &'a Inputs,
    planned: &'a PlannedRepository,
    brought: request::Repository,
    chain: Vec<SignedRoot>,
}

impl<'a> Asked<'a> {
    fn new(inputs: &'a Inputs, planned: &'a PlannedRepository) -> Result<Self, Refusal> {
        let brought = brought(inputs, &planned.name)?.unwrap_or_default();
        let chain = chain_of(inputs, &planned.name, &brought)?;
        Ok(Self { inputs, planned, brought, chain })
    }

    /// The keys that a role gets.
    fn offered(&self, role: Role) -> &[PublicKey] {
        self.brought.keys.get(&role).map_or(&[], Vec::as_slice)
    }

    fn last(&self) -> Option<&Root> {
        self.chain.last().map(SignedRoot::root)
    }

    fn refuse(&self, check: Check, what: impl std::fmt::Display) -> Refusal {
        Refusal::of(check, format!("`{}`: {what}", self.planned.name))
    }

    /// Each root vouches for the next one.
    fn check_chain(&self) -> Result<(), Refusal> {
        if let Some(first) = self.chain.first() {
            check_signed(first, ("own", first.root())).map_err(|why| {
                let what = format!("root 1 is not signed by its own keys: {why}");
                self.refuse(Check::RequestChain, what).hint(FETCH_ANEW)
            })?;
        }
        for pair in self.chain.windows(2) {
            let [old, new] = pair else { continue };
            check_link(old, new).map_err(|why| {
                let what =
                    format!("root {} does not follow root {}: {why}", new.version(), old.version());
                self.refuse(Check::RequestChain, what).hint(
                    "somebody put a root there that its keys did not sign: find out who, before anything is signed",
                )
            })?;
        }
        Ok(())
    }

    fn check_keys(&self, roster: &Roster) -> Result<(), Refusal> {
        let mut used: BTreeMap<PublicKey, Role> = BTreeMap::new();
        for role in self.inputs.plan.roles() {
            let offered = self.offered(role.name);
            if (offered.len() as u32) < role.threshold {
                let what = format!(
                    "role `{}`: threshold {} needs as many keys, the request brings {}",
                    role.name,
                    role.threshold,
                    offered.len()
                );
                return Err(self
                    .refuse(Check::RootKeys, what)
                    .hint("have the request fetched with as many keys, or lower the threshold"));
            }
            for key in offered {
                self.check_key(role, key, roster)?;
                if let Some(other) = used.insert(key.clone(), role.name) {
                    let what = format!(
                        "key {} is offered for `{other}` and for `{}`",
                        key.id(),
                        role.name
                    );
                    return Err(self
                        .refuse(Check::RequestKeyRole, what)
                        .hint("each role has keys of its own: make another one"));
                }
            }
            self.check_pins(role)?;
        }
        Ok(())
    }

    fn check_key(
        &self,
        role: &PlannedRole,
        key: &PublicKey,
        roster: &Roster,
    ) -> Result<(), Refusal> {
        let last = self.last();
        let holds = |of: Role| {
            last.is_some_and(|last| last.role_keys(of).any(|(_, k)| k.public() == Some(key)))
        };
        let own = role.name;
        if let Some(other) = Role::ALL.into_iter().find(|other| *other != own && holds(*other)) {
            let what = format!("key {} of `{}` was a key of `{other}`", key.id(), role.name);
            return Err(self
                .refuse(Check::RequestKeyRole, what)
                .hint("a key keeps its role: make a new one"));
        }
        let custody = self.inputs.past.custody();
        if custody.key_of(key).is_some()
            || roster
                .keys()
                .iter()
                .any(|k| k.origin == super::roster::KeyOrigin::Known(key.clone()))
        {
            let what = format!("key {} of `{}` is a root key", key.id(), role.name);
            return Err(self
                .refuse(Check::RequestKeyRole, what)
                .hint("a key keeps its role: make a new one"));
        }
        if holds(own) {
            return Ok(());
        }
        if !self.planned.pins.contains(role.name, key.id()) {
            let what =
                format!("key {} is new in `{}`, and the plan does not pin it", key.id(), role.name);
            return Err(self.refuse(Check::RequestKeyPinned, what)
                .hint("ask the key's owner for its digest, not the courier, and pin it in the plan's list"));
        }
        if role.owner() == Owner::Publisher {
            self.check_possession(role.name, key)
        } else {
            Ok(())
        }
    }

    /// Every pin is of a key that is offered: a pin that matches nothing is a plan for another request.
    fn check_pins(&self, role: &PlannedRole) -> Result<(), Refusal> {
        let offered: BTreeSet<_> = self.offered(role.name).iter().map(PublicKey::id).collect();
        match self.planned.pins.of(role.name).find(|pin| !offered.contains(pin)) {
            None => Ok(()),
            Some(pin) => {
                let what = format!(
                    "the plan pins {pin} for `{}`, and the request does not bring it",
                    role.name
                );
                Err(self
                    .refuse(Check::RequestKeyPinned, what)
                    .hint("bring the request that the plan was written for, or correct the pin"))
            }
        }
    }

    fn check_possession(&self, role: Role, key: &PublicKey) -> Result<(), Refusal> {
        let repository =
            self.planned.name.parse::<Name>().map_err(|e| super::ours(e.to_string()))?;
        let claim = Claim { plan: self.inputs.plan.digest(), repository, role };
        let proofs = &self.inputs.proofs;
        if proofs.iter().any(|proof| proof.verify(&claim, key).is_ok()) {
            return Ok(());
        }
        let what = format!("nobody proved to hold key {} of `{role}` for this plan", key.id());
        Err(self
            .refuse(Check::RequestKeyPop, what)
            .hint("its owner runs `courier prove` with this plan"))
    }
}

/// Whether the keys of the old root and those of the new one signed the new one, read as forgivingly as the most
/// forgiving client: what other tools published must be taken as it is.
fn check_link(old: &SignedRoot, new: &SignedRoot) -> Result<(), String> {
    check_signed(new, ("old", old.root()))?;
    check_signed(new, ("new", new.root()))
}

fn check_signed(root: &SignedRoot, (who, holder): (&str, &Root)) -> Result<(), String> {
    let tally = threshold::tally(holder, root, FOREIGN).map_err(|error| error.to_string())?;
    if tally.is_met() {
        return Ok(());
    }
    Err(format!("{} of the {} {who} signatures it needs", tally.counted.len(), tally.needed))
}

/// What to do about a request that is not what a courier brings.
const FETCH_ANEW: &str = "have the request fetched anew, from another machine";

/// How roots of other tools are counted: nothing wrong is an error, and nothing wrong counts.
const FOREIGN: Counting = Counting {
    signer: Signer::PublicKey,
    wrong_id: Fault::Skip,
    unknown_key: Fault::Ignore,
    bad_signature: Fault::Skip,
    second_signature: Fault::Ignore,
};

#[cfg(test)]
mod tests;
