//! Whether the online roles of a TUF repository have signed with their new keys before the root that names them is
//! there: clients read the new root first, and would then refuse what is served.
//!
//! Annex: the store.

use officiant::cjson::Value;
use officiant::name::Name;
use officiant::root::online::Signed;
use officiant::root::{Dialect, Role, SignedRoot};

use super::Error;
use super::store::Store;

/// Says whether the files that are served are signed by the keys that `root` names for those roles in `changed`. Where
/// no timestamp is served, no client is cut off.
///
/// # Errors
/// [`Error::OnlineUnsigned`] for the first role that has not signed.
pub(super) async fn check(
    store: &Store,
    name: &Name,
    root: &SignedRoot,
    changed: &[Role],
) -> Result<(), Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let mut file = "timestamp.json".to_owned();
    for role in [Role::Timestamp, Role::Snapshot, Role::Targets] {
        let found = store.get(&file, MOST).await?;
        if found.is_none() && role == Role::Timestamp {
            return Ok(());
        }
        let found = found.and_then(|found| Signed::parse(Dialect::Tuf, &found.bytes));
        let is_good = found.as_ref().is_some_and(|found| {
            found.kind() == Some(role.name()) && found.is_signed_for(root.root(), role)
        });
        if changed.contains(&role) && !is_good {
            let (name, version) = (name.clone(), root.version().get());
            return Err(Error::OnlineUnsigned { name, version, role, file });
        }
        let next = match role {
            Role::Timestamp => Role::Snapshot,
            _ => Role::Targets,
        };
        let path = format!("{next}.json");
        let version = found
            .as_ref()
            .and_then(|found| found.meta(&path)?.as_map()?.get("version")?.as_integer());
        file = match version {
            Some(version) if is_consistent(root) => format!("{version}.{path}"),
            _ => path,
        };
    }
    Ok(())
}

/// Whether files of the repository carry their version in their name.
fn is_consistent(root: &SignedRoot) -> bool {
    let member = root.root().value().as_map().and_then(|m| m.get("consistent_snapshot"));
    member.and_then(Value::as_bool).unwrap_or_default()
}

/// As much as is read of targets.
const MOST: usize = 64 << 20;
