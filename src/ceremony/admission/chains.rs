//! The chains that a request brought, read again for whoever asks, and what was seen of them once for all.
//!
//! Second floor: pure.

use jiff::Timestamp;

use super::{FETCH_ANEW, last};
use crate::ceremony::{Ceremony, Inputs, ours};
use crate::check::Check;
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::request::{self, Brought};
use crate::root::{Role, SignedRoot};
use crate::trust::Lineage;

/// The chain of a repository as the request brought it, version 1 first, with what only the room has of it: complete
/// roots that nobody wanted, which the server never saw, and which the next one follows.
///
/// # Errors
/// `[REQUEST-CHAIN]` for bytes that are no root.
pub fn chain(inputs: &Inputs, repository: &str) -> Result<Vec<SignedRoot>, Refusal> {
    match brought(inputs, repository)? {
        Some(asked) => chain_of(inputs, repository, &asked),
        None => Ok(inputs.past.chain(repository)?),
    }
}

pub(super) fn chain_of(
    inputs: &Inputs,
    repository: &str,
    asked: &request::Repository,
) -> Result<Vec<SignedRoot>, Refusal> {
    let mut chain: Vec<SignedRoot> = Vec::new();
    for (version, bytes) in (1_u64..).zip(&asked.roots) {
        let bad = |what: String| {
            let what = format!("`{repository}`: root {version} of the request: {what}");
            Refusal::of(Check::RequestChain, what).hint(FETCH_ANEW)
        };
        let root = SignedRoot::parse_after(inputs.plan.dialect(), chain.last(), bytes)
            .map_err(|error| bad(error.to_string()))?;
        if root.version().get() != version {
            return Err(bad(format!("says version {}", root.version())));
        }
        chain.push(root);
    }
    if is_kept_back(inputs, repository, chain.len() as u64) {
        let known = inputs.past.chain(repository)?;
        chain.extend_from_slice(known.get(chain.len()..).unwrap_or_default());
    }
    Ok(chain)
}

/// The files of the same chain that are not in the trust folder yet, each with its version.
///
/// # Errors
/// What keeps the request from being read again.
pub fn new_files(inputs: &Inputs, repository: &str) -> Result<Vec<(u64, Vec<u8>)>, Refusal> {
    let known = inputs.past.versions(repository);
    let asked = brought(inputs, repository)?.unwrap_or_default();
    Ok((1..).zip(asked.roots).filter(|(version, _)| *version > known).collect())
}

/// Whether only the room has more of a chain than so many roots that the request brought.
fn is_kept_back(inputs: &Inputs, repository: &str, brought: u64) -> bool {
    let (known, unwanted) = (inputs.past.versions(repository), inputs.past.unwanted(repository));
    brought < known && known - unwanted <= brought
}

/// The keys that a role gets from the request.
///
/// # Errors
/// What keeps the request from being read again.
pub fn offered(inputs: &Inputs, repository: &str, role: Role) -> Result<Vec<PublicKey>, Refusal> {
    let asked = brought(inputs, repository)?;
    Ok(asked.and_then(|mut asked| asked.keys.remove(&role)).unwrap_or_default())
}

/// What the request says of a repository.
pub(super) fn brought(
    inputs: &Inputs,
    repository: &str,
) -> Result<Option<request::Repository>, Refusal> {
    inputs.request.as_ref().map_or(Ok(None), |request| again(request, repository))
}

/// What a request says of a repository.
///
/// # Errors
/// What keeps it from being read again.
pub(in crate::ceremony) fn again(
    request: &Brought,
    name: &str,
) -> Result<Option<request::Repository>, Refusal> {
    request.repository(name).map_err(|error| match error {
        request::Error::Lost(lost) => lost.into(),
        error => ours(error.to_string()),
    })
}

/// What was seen of the chains that a request brought, and does not change.
#[derive(Clone, Debug, Default)]
pub(in crate::ceremony) struct Seen {
    /// By the places of the repositories in the plan: whether every signature was good that roots of a chain have by keys
    /// of their own or of the root before.
    sound: Vec<bool>,
    /// The days on which all newest roots may be continued, as far as they are known.
    days: Option<(Timestamp, Timestamp)>,
}

impl Seen {
    pub(super) fn add(&mut self, is_sound: bool, (from, until): (Timestamp, Timestamp)) {
        self.sound.push(is_sound);
        let (first, last) = self.days.unwrap_or(last::EVER);
        self.days = Some((first.max(from), last.min(until)));
    }

    /// Whether all newest roots may be continued at a moment; where it is not known, they have to be looked at.
    pub(in crate::ceremony) fn may_continue(&self, at: Timestamp) -> bool {
        self.days.is_some_and(|(from, until)| from <= at && at <= until)
    }
}

impl Ceremony {
    /// The chain of the repository at a place of the plan, as [`chain`]: a signature that was found good when the ceremony
    /// was opened is not verified again.
    ///
    /// # Errors
    /// As [`chain`].
    pub fn chain(&self, at: usize) -> Result<Vec<SignedRoot>, Refusal> {
        let planned = self.plan().repositories().get(at);
        let name = &planned.ok_or_else(|| ours("no such repository"))?.name;
        let (inputs, past) = (self.inputs(), &self.inputs().past);
        // A request is admitted only if it brings of a repository that the trust folder knows the very roots of that.
        let known_in = past.repositories().get(name).map(Lineage::dialect);
        let chain = match known_in == Some(inputs.plan.dialect()) {
            true => past.chain(name)?,
            false => chain(inputs, name)?,
        };
        if self.seen.sound.get(at).copied().unwrap_or_default() {
            let mut before: Option<&SignedRoot> = None;
            for file in &chain {
                for holder in before.into_iter().chain([file]) {
                    for (id, key) in holder.root().role_keys(Role::Root) {
                        if let (Some(scheme), Some(public)) = (key.scheme(), key.public()) {
                            file.dangerous_assume_good(id, scheme, public);
                        }
                    }
                }
                before = Some(file);
            }
        }
        Ok(chain)
    }
}
