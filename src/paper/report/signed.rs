//! The new roots: what changed against the old ones, and who signed them, counted for both thresholds.
//!
//! Roof, pure.

use super::{name_of, names};
use crate::ceremony::Ceremony;
use crate::ceremony::draft::{self, Draft};
use crate::paper::{Paper, Row, cells};
use crate::root::threshold::{self, Counting};
use crate::root::{Role, Root, SignedRoot};
use crate::wording::List;

/// Writes the section of the new roots, when there are any.
pub(super) fn roots(ceremony: &Ceremony, paper: &mut Paper) {
    let complete = match ceremony.plan().root() {
        Some(_) => draft::assemble(ceremony).unwrap_or_default(),
        None => Vec::new(),
    };
    if complete.is_empty() {
        return;
    }
    paper.section("The new roots, and who signed them");
    paper.prose(
        "Each signature was verified over the bytes that everybody read, and is counted once for each root \
         that lists its key: for the old root, which hands over, and for the new one.",
    );
    let rows = complete.iter().map(|(draft, file)| row(ceremony, draft, file)).collect();
    let columns =
        [("Repository", 20), ("Root", 6), ("Signed by", 18), ("Old root", 11), ("New root", 11)];
    paper.table(&columns, rows);
    for (draft, file) in complete.iter().take(SHOWN) {
        paper.section(format!("`{}`: root {}", draft.repository, file.version()));
        paper.points(changes(ceremony, draft, file));
    }
    let more = complete.len().saturating_sub(SHOWN);
    if more > 0 {
        paper.prose(format!("{more} more roots changed; `officiant show` prints each."));
    }
}

fn row(ceremony: &Ceremony, draft: &Draft, file: &SignedRoot) -> Row {
    let signed = ceremony.signatures(&draft.repository);
    let signed: Vec<&str> = signed.iter().map(|(key, _)| *key).collect();
    let old = draft.last().map_or_else(|| "none".to_owned(), |last| tally(last.root(), file));
    cells([
        &format!("`{}`", draft.repository),
        &file.version().to_string(),
        &signed.join(", "),
        &old,
        &tally(&draft.root, file),
    ])
}

/// How many signatures of `file` count for `holder`, as the strictest reader counts.
fn tally(holder: &Root, file: &SignedRoot) -> String {
    match threshold::tally(holder, file, Counting::ONE_SIDE) {
        Ok(tally) => format!("{} counted, {} needed", tally.counted.len(), tally.needed),
        Err(error) => error.to_string(),
    }
}

fn changes(ceremony: &Ceremony, draft: &Draft, file: &SignedRoot) -> Vec<String> {
    let keys = names(ceremony, file);
    let threshold = file.root().role(Role::Root).map_or(0, |role| role.threshold);
    let mut said =
        vec![format!("{threshold} of {} keys govern it: {}", keys.len(), List::names(&keys))];
    if let Some(last) = draft.last() {
        let before = names(ceremony, last);
        let gone: Vec<_> = before.iter().filter(|key| !keys.contains(key)).collect();
        let new: Vec<_> = keys.iter().filter(|key| !before.contains(key)).collect();
        if !new.is_empty() {
            said.push(format!("new root keys: {}", List::names(&new)));
        }
        if !gone.is_empty() {
            said.push(format!("root keys that go: {}", List::names(&gone)));
        }
    }
    for role in Role::ONLINE {
        let ids = |root: &Root| -> Vec<String> {
            let keys = root.role_keys(role);
            keys.filter_map(|(_, key)| key.public().map(|key| key.id().to_string())).collect()
        };
        let now = ids(&draft.root);
        let threshold = draft.root.role(role).map_or(0, |role| role.threshold);
        let changed = draft.last().is_some_and(|last| ids(last.root()) != now);
        let word = if changed { "changed" } else { "as before" };
        let word = if draft.last().is_none() { "first" } else { word };
        said.push(format!("role `{role}`, {word}: {threshold} of {}", List::names(&now)));
    }
    said.push(format!("expires {}", file.root().expires().text()));
    for (_, key) in file.root().role_keys(Role::Root) {
        let (Some(bundle), Some(public)) = (key.bundle(), key.public()) else { continue };
        let name = name_of(ceremony, public).unwrap_or_else(|| public.id().to_string());
        let leaf = bundle.leaf();
        said.push(format!(
            "certificate of key `{name}`: {}, until {}",
            leaf.name(),
            leaf.not_after()
        ));
    }
    said
}

/// Of more roots than this, the others are only counted.
const SHOWN: usize = 20;
