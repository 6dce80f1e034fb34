//! Whether the trust server can sign the snapshot over the root that is planned, so that it goes up at all.
//!
//! Second floor: pure.

use super::Asked;
use crate::ceremony::plan::Plan;
use crate::check::Check;
use crate::refusal::Refusal;
use crate::root::{Dialect, Role};

/// Refuses a plan that leaves the snapshot key with a client: the key that the request brings is the server's own, and
/// the new root must list it. A server takes a root by itself only when it can sign the snapshot.
///
/// # Errors
/// `[SNAPSHOT-CLIENT]`.
pub(super) fn check(plan: &Plan, asked: &Asked<'_>) -> Result<(), Refusal> {
    let changes = plan.roles().any(|role| role.name == Role::Snapshot);
    let Some(last) = asked.last().filter(|_| plan.dialect() == Dialect::Notary && !changes) else {
        return Ok(());
    };
    let server = asked.offered(Role::Snapshot);
    let is_servers = |key| server.iter().any(|own| Some(own) == key);
    let mut kept = last.role_keys(Role::Snapshot).map(|(_, key)| key.public());
    let alone = last.role(Role::Snapshot).is_some_and(|role| role.threshold == 1);
    if plan.root().is_none() || (alone && kept.any(is_servers)) {
        return Ok(());
    }
    let what = format!(
        "`{}`: the snapshot key of root {} is not the server's, and the plan keeps it",
        asked.planned.name,
        last.version()
    );
    Err(Refusal::of(Check::SnapshotClient, what).hint(
        "add a `[[role]]` for `snapshot` to the plan, with `keys = \"request\"`: then the server signs, and takes the root",
    ))
}
