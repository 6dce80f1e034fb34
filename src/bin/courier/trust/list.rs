//! `courier list` and `courier lookup`: what is signed.
//!
//! Annex.

use std::collections::{BTreeMap, BTreeSet};

use officiant::root::targets::{ListRole, Target};
use serde_json::{Value, json};

use super::change::Unchanged;
use super::change::content;
use super::delegation::place;
use super::{Error, args, client::Wanted};
use crate::report::Output;

/// Lists every target with the role that names it: of several, the first in the order in which notary looks.
///
/// # Errors
/// [`Error`].
pub(crate) async fn run(args: &args::List) -> Result<Output, Error> {
    let place = place(&args.repository, &args.trust)?;
    let only = args.role.iter().map(|role| role.parse());
    let only = only.collect::<Result<BTreeSet<ListRole>, _>>()?;
    let view = place.look(Wanted::All).await?.view;
    if let Some(role) = only.iter().find(|role| !view.lists.contains_key(role)) {
        let (gun, role) = (place.gun.clone(), role.clone());
        return Err(Error::from(Unchanged::NoRole { gun, role }));
    }
    let mut all: BTreeMap<&str, (ListRole, &Target)> = BTreeMap::new();
    for role in view.roles().into_iter().filter(|role| only.is_empty() || only.contains(role)) {
        let Some(list) = view.lists.get(&role) else { continue };
        for (name, target) in &list.targets.targets {
            if view.may_name(&role, name) {
                all.entry(name).or_insert_with(|| (role.clone(), target));
            }
        }
    }
    let width = all.keys().map(|name| name.len()).max().unwrap_or_default();
    let mut text = String::new();
    let mut rows = Vec::new();
    for (name, (role, target)) in &all {
        let digest = target.sha256().map(|digest| digest.to_string()).unwrap_or_default();
        text += &format!("{name:width$}  {digest}  {:>8}  {role}\n", target.length);
        rows.push(row(name, role, target));
    }
    for (role, broken) in &view.broken {
        text += &format!("`{role}` is passed over: its list {}\n", broken.why);
    }
    if all.is_empty() {
        text += &format!("`{}` has nothing signed\n", place.gun);
    }
    let broken = view.broken.iter().map(|(role, broken)| (role.to_string(), json!(broken.why)));
    let broken: serde_json::Map<String, Value> = broken.collect();
    Ok(Output {
        text,
        json: json!({ "repository": place.gun, "targets": rows, "passed_over": broken }),
    })
}

/// Says what one target is.
///
/// # Errors
/// [`Error::TagUnsigned`] where no list names it; [`Error`].
pub(crate) async fn lookup(args: &args::Lookup) -> Result<Output, Error> {
    let place = place(&args.repository, &args.trust)?;
    let view = place.look(Wanted::All).await?.view;
    let named = view.named(&args.target);
    let Some((role, target)) = named.into_iter().next() else {
        return Err(Error::TagUnsigned { gun: place.gun.clone(), tag: args.target.clone() });
    };
    if let Some(file) = &args.file
        && !content::of(file)?.is_same(target)
    {
        return Err(Error::Content { file: file.clone(), target: args.target.clone() });
    }
    let digest = target.sha256().map(|digest| digest.to_string()).unwrap_or_default();
    let text = format!("{} sha256:{digest} {}\n", args.target, target.length);
    Ok(Output { text, json: row(&args.target, &role, target) })
}

fn row(name: &str, role: &ListRole, target: &Target) -> Value {
    let custom = target
        .custom
        .as_ref()
        .map(|custom| serde_json::from_slice::<Value>(&custom.json()).unwrap_or_default());
    json!({
        "name": name, "role": role, "sha256": target.sha256(), "length": target.length, "custom": custom,
    })
}
