//! The new roots: what changed against the old ones, and who signed them, counted for both thresholds.
//!
//! Roof, pure.

use std::collections::BTreeMap;

use super::{LISTED, name_of, names};
use crate::ceremony::Ceremony;
use crate::ceremony::draft::{self, Draft, Wholes};
use crate::paper::{Paper, Row, cells};
use crate::root::{Role, Root, SignedRoot};
use crate::wording::{Count, List};

/// Writes the section of the new roots, when there are any.
pub(super) fn roots(ceremony: &Ceremony, paper: &mut Paper) {
    let Some(wholes) = ceremony.plan().root().and_then(|_| ceremony.wholes().ok()) else { return };
    paper.section("The new roots, and who signed them");
    paper.prose(
        "Each signature was verified over the bytes that everybody read, and is counted once for each root \
         that lists its key: for the old root, which hands over, and for the new one.",
    );
    let columns =
        [("Repository", 20), ("Root", 6), ("Signed by", 18), ("Old root", 11), ("New root", 11)];
    paper.table(&columns, rows(ceremony, &wholes));
    for at in 0..wholes.count().min(SHOWN) {
        let Ok((draft, file)) = ceremony.whole(at) else { return };
        paper.section(format!("`{}`: root {}", draft.repository, file.version()));
        paper.points(changes(ceremony, &draft, &file));
    }
    let more = wholes.count().saturating_sub(SHOWN);
    if more > 0 {
        paper.prose(format!("{more} more roots changed; `officiant show` prints each."));
    }
}

/// A row for each root; of many, a row for those of which it says the same, the fewest first.
fn rows(ceremony: &Ceremony, wholes: &Wholes) -> Vec<Row> {
    let mut alike: BTreeMap<[String; 4], Vec<String>> = BTreeMap::new();
    let mut rows = Vec::new();
    for (at, planned) in ceremony.plan().repositories().iter().enumerate() {
        let said = said(ceremony, wholes, at);
        let name = format!("`{}`", planned.name);
        match wholes.count() <= LISTED {
            true => rows.push(row(&name, &said)),
            false => alike.entry(said).or_default().push(name),
        }
    }
    let mut alike: Vec<_> = alike.into_iter().collect();
    alike.sort_by_key(|(_, names)| names.len());
    rows.extend(alike.into_iter().map(|(said, names)| match names.as_slice() {
        few if few.len() <= SHOWN => row(&few.join(", "), &said),
        many => row(&Count(many.len(), "repository").to_string(), &said),
    }));
    rows
}

fn row(names: &str, [version, signed, old, new]: &[String; 4]) -> Row {
    cells([names, version, signed, old, new])
}

/// Version, signers and tallies of a root.
fn said(ceremony: &Ceremony, wholes: &Wholes, at: usize) -> [String; 4] {
    let signers = draft::signers(ceremony, at).unwrap_or_default();
    let tally = |(counted, needed): (u32, i64)| format!("{counted} counted, {needed} needed");
    let Ok(head) = wholes.head(&ceremony.inputs().means, at) else {
        return ["could not be read".to_owned(), signers.join(", "), String::new(), String::new()];
    };
    let (old, new) = (head.old.map_or_else(|| "none".to_owned(), tally), head.new.map(tally));
    [head.version.to_string(), signers.join(", "), old, new.unwrap_or_default()]
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
        let now = ids(draft.root());
        let threshold = draft.root().role(role).map_or(0, |role| role.threshold);
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
