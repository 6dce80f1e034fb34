//! `courier delegation`: to whom a repository's lists delegate.
//!
//! Annex.

use std::path::PathBuf;

use officiant::root::targets::{Delegation, ListRole, Targets};
use officiant::root::{Dialect, Key, KeyId};
use serde_json::json;

use super::change::Unchanged;
use super::change::at_hand::KeysAtHand;
use super::change::changed::changed;
use super::change::draft::{self, Draft};
use super::change::settle::settle;
use super::place::Place;
use super::{Error, args, client::Wanted};
use crate::environment::Environment;
use crate::image::Image;
use crate::keys;
use crate::report::Output;

/// Does what is asked.
///
/// # Errors
/// [`Error`].
pub(crate) async fn run(args: &args::Delegation) -> Result<Output, Error> {
    match &args.command {
        args::DelegationCommand::Add(args) => add(args).await,
        args::DelegationCommand::List(args) => list(args).await,
        args::DelegationCommand::Purge(args) => purge(args).await,
        args::DelegationCommand::Remove(args) => remove(args).await,
    }
}

async fn add(args: &args::DelegationAdd) -> Result<Output, Error> {
    let place = place(&args.repository, &args.trust)?;
    let (role, parent) = below(&args.role)?;
    let keys = read(&args.keys)?;
    let paths = match args.all_paths {
        true => vec![String::new()],
        false => args.paths.clone(),
    };
    let grant = Grant { keys: &keys, paths: &paths, threshold: args.threshold };
    let at_hand = KeysAtHand::of(&place);
    let change = |draft: &mut Draft| {
        grant.to(draft.list(&parent)?, &role)?;
        let mut told = vec![format!("`{role}` is delegated to")];
        told.extend(settle(draft, &at_hand, (&args.apart, &args.leave))?);
        Ok(told)
    };
    let (told, published) = draft::change(&place, args.apart.apart.as_deref(), change).await?;
    Ok(changed(&place, &published, &told))
}

async fn remove(args: &args::DelegationRemove) -> Result<Output, Error> {
    let place = place(&args.repository, &args.trust)?;
    let (role, parent) = below(&args.role)?;
    if !args.whole && args.keys.is_empty() && args.paths.is_empty() {
        return Err(Error::from(Unchanged::Nothing {
            what: "name keys or paths, or `--whole` for the whole role",
        }));
    }
    let ids: Vec<_> = args.keys.iter().map(KeyId::new).collect();
    let at_hand = KeysAtHand::of(&place);
    let change = |draft: &mut Draft| {
        let no_role = Unchanged::NoRole { gun: place.gun.clone(), role: role.clone() };
        let list = draft.list(&parent)?;
        if args.whole {
            list.remove_delegation(&role).ok_or(no_role)?;
            draft.forget_below(&role);
            return Ok(vec![format!("`{role}` is gone, with all that it listed")]);
        }
        let delegation = list.delegation_mut(&role).ok_or(no_role)?;
        for id in &ids {
            let found = delegation.ids.iter().position(|known| known == id);
            let unknown = || Unchanged::NoKey { role: role.clone(), id: id.clone() };
            delegation.ids.remove(found.ok_or_else(unknown)?);
        }
        delegation.paths.retain(|path| !args.paths.contains(path));
        enough(delegation)?;
        let mut told = vec![format!("`{role}` has fewer keys or paths")];
        told.extend(settle(draft, &at_hand, (&args.apart, &args.leave))?);
        Ok(told)
    };
    let (told, published) = draft::change(&place, args.apart.apart.as_deref(), change).await?;
    Ok(changed(&place, &published, &told))
}

async fn purge(args: &args::DelegationPurge) -> Result<Output, Error> {
    let place = place(&args.repository, &args.trust)?;
    let ids: Vec<_> = args.key.iter().map(KeyId::new).collect();
    let at_hand = KeysAtHand::of(&place);
    let change = |draft: &mut Draft| {
        let mut gone = Vec::new();
        for role in draft.view.roles() {
            let has = |delegation: &Delegation| delegation.ids.iter().any(|id| ids.contains(id));
            if !draft.read(&role).is_some_and(|list| list.delegations.iter().any(has)) {
                continue;
            }
            for delegation in draft.list(&role)?.delegations.iter_mut().filter(|d| has(d)) {
                delegation.ids.retain(|id| !ids.contains(id));
                enough(delegation)?;
                gone.push(format!("`{}` has the key no longer", delegation.role));
            }
        }
        gone.extend(settle(draft, &at_hand, (&args.apart, &args.leave))?);
        Ok(gone)
    };
    let (gone, published) = draft::change(&place, args.apart.apart.as_deref(), change).await?;
    Ok(changed(&place, &published, &gone))
}

async fn list(args: &args::Repository) -> Result<Output, Error> {
    let place = place(&args.repository, &args.trust)?;
    let view = place.look(Wanted::All).await?.view;
    let all = view.roles().into_iter().filter_map(|role| view.lists.get(&role));
    let all: Vec<&Delegation> = all.flat_map(|list| &list.targets.delegations).collect();
    let mut text = String::new();
    for delegation in &all {
        let Delegation { role, ids, threshold, paths, .. } = delegation;
        let paths: Vec<_> = paths.iter().map(|p| if p.is_empty() { "all" } else { p }).collect();
        text += &format!("{role}\n  paths      {}\n  threshold  {threshold}\n", paths.join(" "));
        for id in ids {
            text += &format!("  key        {id}\n");
        }
    }
    if all.is_empty() {
        text = format!("`{}` delegates to nobody\n", place.gun);
    }
    let one = |d: &&Delegation| {
        let ids: Vec<_> = d.ids.iter().map(KeyId::as_str).collect();
        json!({ "role": d.role, "paths": d.paths, "threshold": d.threshold, "keys": ids })
    };
    let json =
        json!({ "repository": place.gun, "delegations": all.iter().map(one).collect::<Vec<_>>() });
    Ok(Output { text, json })
}

/// What a delegation gets.
pub(super) struct Grant<'a> {
    pub(super) keys: &'a [Key],
    pub(super) paths: &'a [String],
    pub(super) threshold: Option<u8>,
}

impl Grant<'_> {
    /// Gives it to a role of `list`, which is made where it is not there.
    ///
    /// # Errors
    /// [`Unchanged::Threshold`] where more must sign than can; [`Unchanged::Nothing`] for a new role without keys or paths.
    pub(super) fn to(&self, list: &mut Targets, role: &ListRole) -> Result<(), Error> {
        let ids: Vec<_> = self.keys.iter().map(|key| list.add_key(key.clone())).collect();
        let at = list.delegations.iter().position(|delegation| delegation.role == *role);
        let delegation = match at {
            Some(at) => &mut list.delegations[at],
            None if ids.is_empty() || self.paths.is_empty() => {
                return Err(Error::from(Unchanged::Nothing {
                    what: "a new role needs a key, and `--paths` or `--all-paths`",
                }));
            }
            None => {
                let (ids, paths) = (Vec::new(), Vec::new());
                list.delegations.push(Delegation::new(role.clone(), ids, 1, paths));
                let last = list.delegations.len() - 1;
                &mut list.delegations[last]
            }
        };
        for id in ids {
            if !delegation.ids.contains(&id) {
                delegation.ids.push(id);
            }
        }
        for path in self.paths {
            if !delegation.paths.contains(path) {
                delegation.paths.push(path.clone());
            }
        }
        if let Some(threshold) = self.threshold {
            delegation.threshold = threshold.into();
        }
        enough(delegation)
    }
}

/// Refuses a delegation that cannot sign: more of its keys must than it has.
pub(super) fn enough(delegation: &Delegation) -> Result<(), Error> {
    match i64::try_from(delegation.ids.len()).is_ok_and(|keys| keys >= delegation.threshold) {
        true => Ok(()),
        false => Err(Error::from(Unchanged::Threshold {
            role: delegation.role.clone(),
            threshold: delegation.threshold,
            keys: delegation.ids.len(),
        })),
    }
}

/// Reads public keys, or those of certificates.
pub(super) fn read(files: &[PathBuf]) -> Result<Vec<Key>, Error> {
    let read = |file: &PathBuf| {
        let key = Key::plain(Dialect::Notary, &keys::public(file)?);
        Ok(key.map_err(|source| Unchanged::Kind { file: file.clone(), source })?)
    };
    files.iter().map(read).collect()
}

fn below(role: &str) -> Result<(ListRole, ListRole), Error> {
    let role: ListRole = role.parse()?;
    let parent = role.parent();
    Ok(parent.map(|parent| (role, parent)).ok_or(Unchanged::Top)?)
}

/// The place of a repository that a person named.
pub(super) fn place(repository: &str, trust: &args::Trust) -> Result<Place, Error> {
    Place::of(Image::parse(repository)?.gun().clone(), trust, &Environment::read())
}
