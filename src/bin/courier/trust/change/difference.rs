//! What a change of a list does, in lines that a person reads before signing.
//!
//! Annex; pure.

use std::collections::BTreeSet;

use officiant::root::targets::{Delegation, Target, Targets};

/// The difference from one list to the next. A list that is only signed again says so.
pub(crate) fn between(old: Option<&Targets>, new: &Targets) -> Vec<String> {
    let none = Targets::empty(new.expires.instant());
    let old = old.unwrap_or(&none);
    let mut lines = Vec::new();
    let tags: BTreeSet<&String> = old.targets.keys().chain(new.targets.keys()).collect();
    for tag in tags {
        match (old.targets.get(tag), new.targets.get(tag)) {
            (None, Some(new)) => lines.push(format!("adds `{tag}`: {}", what(new))),
            (Some(old), None) => lines.push(format!("takes `{tag}` away: {}", what(old))),
            (Some(old), Some(new)) if old != new => {
                lines.push(format!("changes `{tag}` from {} to {}", what(old), what(new)));
            }
            _ => {}
        }
    }
    let find = |list: &Targets, role: &Delegation| list.delegation(&role.role).cloned();
    for role in &new.delegations {
        match find(old, role) {
            None => lines.push(format!("delegates to {}", whom(role))),
            Some(before) if before != *role => {
                lines.push(format!("delegates to {}, before to {}", whom(role), whom(&before)));
            }
            Some(_) => {}
        }
    }
    for role in old.delegations.iter().filter(|role| new.delegation(&role.role).is_none()) {
        lines.push(format!("delegates no longer to {}", whom(role)));
    }
    if lines.is_empty() {
        lines.push("says what it said before".to_owned());
    }
    lines.push(format!("expires {}", new.expires.text()));
    lines
}

fn what(target: &Target) -> String {
    let digest = target.sha256().map(|digest| digest.to_string()).unwrap_or_default();
    let custom = if target.custom.is_some() { ", with something of its publisher's" } else { "" };
    format!("sha256:{digest}, {} bytes{custom}", target.length)
}

fn whom(role: &Delegation) -> String {
    let ids: Vec<&str> = role.ids.iter().map(|id| id.as_str()).collect();
    let paths: Vec<&str> =
        role.paths.iter().map(|path| if path.is_empty() { "all" } else { path }).collect();
    format!(
        "`{}` by {} of {}, paths {}",
        role.role,
        role.threshold,
        ids.join(" "),
        if paths.is_empty() { "none".to_owned() } else { paths.join(" ") }
    )
}
