//! The candidates: the next root of every repository, what consent to them is called, and whether signatures and
//! completed files are theirs.
//!
//! Second floor: pure. The same inputs and facts always give the same bytes.

mod certify;
mod complete;
mod dry;
mod make;
mod signed;

use std::collections::BTreeSet;

use super::Ceremony;
use super::admission;
use super::fact::RootMade;
use super::roster::Key;
use crate::check::Check;
use crate::digest::{Digest, Hasher};
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::root::{KeyId, Role, Root, SignedRoot};
pub use certify::{bad_certificate, certificate_count, certificate_requests};
pub(super) use certify::{check_certificates, check_kept, check_outlives};
pub use complete::{Wholes, complete, first_signed, signers, tallies};
pub(super) use complete::{check_assembled, check_drafted, other_candidates};
pub use dry::{SignDry, try_dry};
pub use make::{Sheets, look_at_each, make};
pub(super) use signed::check_signed;
pub use signed::{SIGN_ANEW, signatures, to_sign};

/// The next root of one repository, before it is signed.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The repository.
    pub repository: String,
    /// Every root before it, version 1 first.
    pub chain: Vec<SignedRoot>,
    /// The root to be signed, as a file without signatures.
    pub candidate: SignedRoot,
}

impl Draft {
    /// What is to be signed.
    pub fn root(&self) -> &Root {
        self.candidate.root()
    }

    /// The root before it.
    pub fn last(&self) -> Option<&SignedRoot> {
        self.chain.last()
    }

    /// The ids under which a key signs it: in the old root, in the new one, or both.
    pub fn ids(&self, public: &PublicKey) -> BTreeSet<KeyId> {
        let old = self.last().map(SignedRoot::root);
        let roots = old.into_iter().chain([self.root()]);
        let keys = roots.flat_map(|root| root.role_keys(Role::Root));
        keys.filter(|(_, key)| key.public() == Some(public)).map(|(id, _)| id.clone()).collect()
    }

    /// Repository, version and digest of the signed part.
    pub fn made(&self) -> RootMade {
        self.made_of(&self.root().signed_bytes())
    }

    /// The same, by the bytes that signatures cover.
    fn made_of(&self, signed: &[u8]) -> RootMade {
        RootMade {
            repository: self.repository.clone(),
            version: self.root().version().get(),
            sha256: Digest::of(signed),
        }
    }
}

fn document(repository: &str, error: &dyn std::fmt::Display) -> Refusal {
    Refusal::of(Check::RootKeys, format!("`{repository}`: {error}"))
        .hint("clients would not take such a root: correct the plan or the request")
}

/// What consent is given to: plan, room, and for every repository the old root and the candidate.
pub struct Consent(Hasher);

impl Consent {
    /// Begins with plan and room.
    pub fn new(plan: Digest, room: Digest) -> Self {
        let mut consent = Self(Hasher::of_parts("officiant consent v1"));
        consent.0.part(plan.as_bytes());
        consent.0.part(room.as_bytes());
        consent
    }

    /// Adds the next candidate, with the digest of the root before it.
    pub fn add(&mut self, made: &RootMade, last: Option<Digest>) {
        self.0.part(made.repository.as_bytes());
        self.0.part(&made.version.to_be_bytes());
        self.0.part(made.sha256.as_bytes());
        self.0.part(last.as_ref().map_or(&[][..], |last| last.as_bytes()));
    }

    /// The digest.
    pub fn finish(self) -> Digest {
        self.0.finish()
    }

    /// The digest over all candidates.
    pub fn over(mut self, drafts: &[Draft]) -> Digest {
        for draft in drafts {
            self.add(&draft.made(), draft.last().map(SignedRoot::digest));
        }
        self.finish()
    }
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
