//! Whether the next root can do without the keys that go.
//!
//! Second floor: pure. docs/threats.md rule 27.

use jiff::Timestamp;

use super::root_keys;
use crate::ceremony::ours;
use crate::check::Check;
use crate::cjson::Value;
use crate::refusal::Refusal;
use crate::root::horizon;
use crate::root::walk::Chain;
use crate::root::{Root, SignedRoot};

/// Has every client that works today walk to a supposed next root that the keys of the newest one sign, and nobody else.
///
/// # Errors
/// `[RETIRE-WALK]` for the first that does not reach it.
pub(super) fn check(
    repository: &str,
    chain: Vec<SignedRoot>,
    at: Timestamp,
) -> Result<(), Refusal> {
    let Some(newest) = chain.last() else { return Ok(()) };
    let (next, signers) = (supposed(newest)?, root_keys(newest).cloned().collect());
    let dialect = newest.root().dialect();
    let before = Chain::new(chain.iter().cloned());
    let after = Chain::new(chain.iter().cloned()).with_candidate(next, signers);
    let lost = horizon::cut_off(&before, &after, dialect, (repository, at));
    let Some((start, profile, stop)) = lost.first() else { return Ok(()) };
    let holds = start.map_or_else(|| "no root".to_owned(), |start| format!("root {start}"));
    let what = format!(
        "`{repository}`: without the keys that go, a {} that holds {holds} would not reach a next root: {stop}",
        profile.name
    );
    Err(Refusal::of(Check::RetireWalk, what)
        .hint("keep them: have them sign the next root, and plan the retire after that"))
}

/// The newest root again, one version later.
fn supposed(newest: &SignedRoot) -> Result<SignedRoot, Refusal> {
    let root = newest.root();
    let mut members = root.value().as_map().cloned().unwrap_or_default();
    let version = i64::try_from(root.version().next().get()).unwrap_or(i64::MAX);
    members.insert("version", Value::Integer(version));
    let next = Root::from_value(root.dialect(), Value::Map(members));
    let next = next.map_err(|error| ours(error.to_string()))?;
    Ok(SignedRoot::assemble(&next, &[]))
}
