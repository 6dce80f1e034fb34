//! The candidates: the next root of every repository, what consent to them is called, and whether signatures and
//! completed files are theirs.
//!
//! Second floor: pure. The same inputs and facts always give the same bytes.

mod certify;
mod complete;
mod dry;

use std::collections::{BTreeMap, BTreeSet};

use super::accept::EDITED;
use super::admission;
use super::fact::{RootMade, Signed};
use super::plan::midnight;
use super::roster::Key;
use super::{Ceremony, ours};
use crate::check::Check;
use crate::digest::Digest;
use crate::key::{PublicKey, ToSign};
use crate::refusal::Refusal;
use crate::root::certificate::Bundle;
use crate::root::succession::{self, Change};
use crate::root::threshold;
use crate::root::{self, Dialect, KeyId, Role, Root, SignedRoot, Version};
use certify::certified_name;
pub use certify::{certificate_names, certificate_requests};
pub(super) use certify::{check_certificate, check_kept, check_outlives};
pub(super) use complete::check_assembled;
pub(super) use complete::of_key;
pub use complete::{assemble, signed_by, tallies};
use data_encoding::BASE64;
pub use dry::{SignDry, try_dry};

/// The next root of one repository, before it is signed.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The repository.
    pub repository: String,
    /// Every root before it, version 1 first.
    pub chain: Vec<SignedRoot>,
    /// What is to be signed.
    pub root: Root,
}

impl Draft {
    /// The root before it.
    pub fn last(&self) -> Option<&SignedRoot> {
        self.chain.last()
    }

    /// The ids under which a key signs it: in the old root, in the new one, or both.
    pub fn ids(&self, public: &PublicKey) -> BTreeSet<KeyId> {
        let old = self.last().map(SignedRoot::root);
        let roots = old.into_iter().chain([&self.root]);
        let keys = roots.flat_map(|root| root.role_keys(Role::Root));
        keys.filter(|(_, key)| key.public() == Some(public)).map(|(id, _)| id.clone()).collect()
    }

    /// Repository, version and digest of the signed part.
    pub fn made(&self) -> RootMade {
        RootMade {
            repository: self.repository.clone(),
            version: self.root.version().get(),
            sha256: self.root.signed_digest(),
        }
    }
}

/// Builds every candidate, in the plan's order.
///
/// # Errors
/// The rule of succession that one of them breaks; `[CERT-OUTLIVES-ROOT]`; `[ROOT-EQUIVOCATION]`; `[ROOT-SHARED]`.
pub fn drafts(ceremony: &Ceremony) -> Result<Vec<Draft>, Refusal> {
    check_outlives(ceremony.plan())?;
    let repositories = ceremony.plan().repositories();
    let drafts = repositories.iter().map(|planned| draft(ceremony, &planned.name));
    let drafts = drafts.collect::<Result<Vec<_>, _>>()?;
    admission::shared::check_drafts(ceremony, &drafts)?;
    Ok(drafts)
}

fn draft(ceremony: &Ceremony, repository: &str) -> Result<Draft, Refusal> {
    let plan = ceremony.plan();
    let planned = plan.root().ok_or_else(|| ours("a draft without `[root]`"))?;
    let chain = admission::chain(ceremony.inputs(), repository)?;
    let last = chain.last().map(SignedRoot::root);
    let version = last.map_or(Version::FIRST, |last| last.version().next());
    let mut root_keys = Vec::new();
    for name in &planned.keys {
        root_keys.push(root_key(ceremony, repository, name, last)?);
    }
    let mut roles = BTreeMap::new();
    for role in plan.roles() {
        let request = ceremony.inputs().request.as_ref();
        let offered = request.map(|request| admission::offered(request, repository, role.name));
        let keys: Result<Vec<_>, _> = offered
            .unwrap_or_default()
            .iter()
            .map(|key| root::Key::plain(plan.dialect(), key))
            .collect();
        let keys = keys.map_err(|error| document(repository, &error))?;
        roles.insert(role.name, (keys, role.threshold));
    }
    let expires = midnight(planned.expires);
    let change = Change { version, root_keys, threshold: planned.threshold, roles, expires };
    let root = succession::next(plan.dialect(), last, &change).map_err(|error| {
        Refusal::of(error.check(), format!("`{repository}`: {error}"))
            .hint("clients would not take such a root: correct the plan or the request")
    })?;
    let draft = Draft { repository: repository.to_owned(), chain, root };
    check_equivocation(ceremony, &draft)?;
    Ok(draft)
}

/// A root key as this repository's root will list it: made here, or as the last root has it.
fn root_key(
    ceremony: &Ceremony,
    repository: &str,
    name: &str,
    last: Option<&Root>,
) -> Result<root::Key, Refusal> {
    let public =
        ceremony.public(name).ok_or_else(|| ours(format!("key `{name}` is not known yet")))?;
    if ceremony.plan().dialect() == Dialect::Tuf {
        return root::Key::plain(Dialect::Tuf, &public)
            .map_err(|error| document(repository, &error));
    }
    let made = ceremony.certificates(name).unwrap_or_default();
    if let Some(made) =
        made.iter().find(|made| made.repository == certified_name(ceremony.plan(), repository))
    {
        let bundle =
            Bundle::read_exact(&made.certificate).map_err(|error| document(repository, &error))?;
        return Ok(root::Key::certificate(&bundle));
    }
    let kept = last.and_then(|last| last.root_key_id(&public).and_then(|id| last.key(id)));
    let Some(kept) = kept else {
        return Err(ours(format!("key `{name}` has no certificate for `{repository}`")));
    };
    Ok(kept.clone())
}

fn document(repository: &str, error: &dyn std::fmt::Display) -> Refusal {
    Refusal::of(Check::RootKeys, format!("`{repository}`: {error}"))
        .hint("clients would not take such a root: correct the plan or the request")
}

/// A version that an earlier ceremony meant to sign is never signed with other bytes.
fn check_equivocation(ceremony: &Ceremony, draft: &Draft) -> Result<(), Refusal> {
    let made = draft.made();
    for past in ceremony.past().ceremonies() {
        for earlier in past.records().flat_map(super::closing::intended) {
            if earlier.repository == made.repository
                && earlier.version == made.version
                && earlier.sha256 != made.sha256
            {
                let what = format!(
                    "`{}`: version {} was meant to be something else in `{}`",
                    made.repository, made.version, past.folder
                );
                return Err(Refusal::of(Check::RootEquivocation, what)
                    .hint("a version once meant is never signed with other bytes"));
            }
        }
    }
    Ok(())
}

/// What consent is given to: plan, room, and for every repository the old root and the candidate.
pub fn consent(plan: Digest, room: Digest, drafts: &[Draft]) -> Digest {
    let mut parts: Vec<Vec<u8>> = vec![plan.as_bytes().to_vec(), room.as_bytes().to_vec()];
    for draft in drafts {
        parts.push(draft.repository.as_bytes().to_vec());
        parts.push(draft.root.version().get().to_be_bytes().to_vec());
        parts.push(draft.root.signed_digest().as_bytes().to_vec());
        parts.push(draft.last().map_or(Vec::new(), |last| last.digest().as_bytes().to_vec()));
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Digest::of_parts("officiant consent v1", &parts)
}

/// Checks a recorded draft against one made anew.
pub(super) fn check_drafted(
    ceremony: &Ceremony,
    roots: &[RootMade],
    recorded: Digest,
) -> Result<(), Refusal> {
    let drafts = drafts(ceremony)?;
    let room = ceremony.room().ok_or_else(|| ours("a draft before the room was read"))?;
    let made: Vec<RootMade> = drafts.iter().map(Draft::made).collect();
    if made == roots && consent(ceremony.plan().digest(), room, &drafts) == recorded {
        return Ok(());
    }
    let what = "the recorded candidates are not those that plan, request and record give";
    Err(Refusal::of(Check::RootEquivocation, what).hint(EDITED))
}

/// What a key is asked to sign, one per repository that it belongs to, in the plan's order.
///
/// # Errors
/// A key of a kind that the dialect's roots do not take.
pub fn to_sign(drafts: &[Draft], public: &PublicKey) -> Result<Vec<(String, ToSign)>, Refusal> {
    let mut inputs = Vec::new();
    for draft in drafts.iter().filter(|draft| !draft.ids(public).is_empty()) {
        let input =
            draft.root.to_sign(public).map_err(|error| document(&draft.repository, &error))?;
        inputs.push((draft.repository.clone(), input));
    }
    Ok(inputs)
}

/// Turns raw answers into recorded signatures, each verified.
///
/// # Errors
/// `[SIGNATURE-GOOD]` for an answer that is none.
pub fn signatures(
    drafts: &[Draft],
    public: &PublicKey,
    raw: &[Vec<u8>],
) -> Result<Vec<Signed>, Refusal> {
    let mine: Vec<&Draft> = drafts.iter().filter(|draft| !draft.ids(public).is_empty()).collect();
    if mine.len() != raw.len() {
        return Err(ours("as many signatures as candidates were expected"));
    }
    let mut signed = Vec::new();
    for (draft, raw) in mine.into_iter().zip(raw) {
        let id = draft.ids(public).into_iter().next().ok_or_else(|| ours("a key without an id"))?;
        let signature = draft.root.signature(&id, public, raw).map_err(|error| {
            Refusal::of(Check::SignatureGood, format!("`{}`: {error}", draft.repository))
                .hint("run `resume`: it signs anew; if it stays so, use another token")
        })?;
        let (repository, signature) = (draft.repository.clone(), BASE64.encode(&signature.bytes));
        signed.push(Signed { repository, signature });
    }
    Ok(signed)
}

/// Checks recorded signatures.
pub(super) fn check_signed(
    ceremony: &Ceremony,
    key: &str,
    signed: &[Signed],
) -> Result<(), Refusal> {
    let public = ceremony.public(key).ok_or_else(|| ours(format!("key `{key}` is not known")))?;
    let drafts = drafts(ceremony)?;
    let expected: Vec<&str> = drafts
        .iter()
        .filter(|draft| !draft.ids(&public).is_empty())
        .map(|draft| draft.repository.as_str())
        .collect();
    let found: Vec<&str> = signed.iter().map(|signed| signed.repository.as_str()).collect();
    if expected != found {
        let what = format!("key `{key}` signed for other repositories than planned");
        return Err(Refusal::of(Check::FactOrder, what).hint(EDITED));
    }
    let mine = drafts.iter().filter(|draft| !draft.ids(&public).is_empty());
    for (draft, signed) in mine.zip(signed) {
        let bad = || {
            Refusal::of(
                Check::SignatureGood,
                format!("`{}`: the signature of key `{key}` is not good", draft.repository),
            )
            .hint(EDITED)
        };
        let signatures = of_key(draft, &public, &signed.signature).ok_or_else(bad)?;
        for signature in &signatures {
            let owner = [Some(&draft.root), draft.last().map(SignedRoot::root)];
            let listed = owner
                .into_iter()
                .flatten()
                .find_map(|root| root.key(&signature.key))
                .ok_or_else(bad)?;
            if !threshold::verifies(
                draft.root.dialect(),
                listed,
                &draft.root.signed_bytes(),
                signature,
            ) {
                return Err(bad());
            }
        }
    }
    Ok(())
}

/// Refuses when the keys that can still be used do not reach the old or the new threshold. `[QUORUM-PRESENT]`
pub(super) fn check_reachable(
    ceremony: &Ceremony,
    usable: &dyn Fn(&Key) -> bool,
) -> Result<(), Refusal> {
    let Some(planned) = ceremony.plan().root() else { return Ok(()) };
    let here = |keep: &dyn Fn(&Key) -> bool| {
        ceremony.roster().keys().iter().filter(|key| keep(key) && usable(key)).count()
    };
    let new = here(&|key| key.stays);
    let refuse = |found: usize, needed: i64, who: &str| {
        let what = format!("{found} of the {needed} {who} keys that must sign can still be used");
        Err(Refusal::of(Check::QuorumPresent, what).hint("bring the missing tokens, and `resume`"))
    };
    if new < planned.threshold as usize {
        return refuse(new, i64::from(planned.threshold), "new");
    }
    for repository in ceremony.plan().repositories() {
        let chain = admission::chain(ceremony.inputs(), &repository.name)?;
        let Some(last) = chain.last().map(SignedRoot::root) else { continue };
        let needed = last.role(Role::Root).map_or(0, |role| role.threshold);
        let old = here(&|key| {
            ceremony.public(&key.name).is_some_and(|public| last.root_key_id(&public).is_some())
                || key.origin.pin().is_some_and(|pin| {
                    let mut listed = last.role_keys(Role::Root);
                    listed.any(|(_, k)| k.public().is_some_and(|public| public.id() == pin))
                })
        });
        if (old as i64) < needed {
            return refuse(old, needed, "old");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
