//! `courier signer`: who releases images, as docker has it: a delegation of their own, and their keys in
//! `targets/releases`, which docker pulls by.
//!
//! Annex.

use std::collections::BTreeSet;

use officiant::root::KeyId;
use officiant::root::targets::{Delegation, ListRole};
use officiant::wording::Count;
use serde_json::json;

use super::change::Unchanged;
use super::change::at_hand::KeysAtHand;
use super::change::changed::{changed, each};
use super::change::draft::{self, Draft};
use super::change::settle::{forget, settle};
use super::delegation::{Grant, enough, place, read};
use super::images::apart;
use super::place::{Place, Places};
use super::{Error, args, client::Wanted};
use crate::environment::Environment;
use crate::image::Image;
use crate::report::Output;

/// Does what is asked.
///
/// # Errors
/// [`Error`], for the first repository that is refused; those before it are done.
pub(crate) async fn run(args: &args::Signer) -> Result<Output, Error> {
    match &args.command {
        args::SignerCommand::Add(args) => add(args).await,
        args::SignerCommand::List(args) => list(args).await,
        args::SignerCommand::Remove(args) => remove(args).await,
    }
}

async fn add(args: &args::SignerAdd) -> Result<Output, Error> {
    let own = role(&args.name)?;
    let keys = read(&args.key)?;
    let paths = [String::new()];
    let apart = apart(&args.apart, args.repositories.len())?;
    each(places(&args.repositories, &args.trust)?, async |place, ()| {
        let at_hand = KeysAtHand::of(place);
        let change = |draft: &mut Draft| {
            let list = draft.list(&ListRole::top())?;
            let grant = Grant { keys: &keys, paths: &paths, threshold: args.threshold };
            grant.to(list, &own)?;
            let grant = Grant { threshold: args.releases_threshold, ..grant };
            grant.to(list, &ListRole::releases())?;
            let mut told = vec![format!("`{}` signs with {}", args.name, Count(keys.len(), "key"))];
            told.extend(settle(draft, &at_hand, (&args.apart, &args.leave))?);
            Ok(told)
        };
        let (told, published) = draft::change(place, apart, change).await?;
        Ok(changed(place, &published, &told))
    })
    .await
}

async fn remove(args: &args::SignerRemove) -> Result<Output, Error> {
    let own = role(&args.name)?;
    let apart = apart(&args.apart, args.repositories.len())?;
    each(places(&args.repositories, &args.trust)?, async |place, ()| {
        let keys = KeysAtHand::of(place);
        let change = |draft: &mut Draft| {
            let gone = take(draft, &own)?;
            let mut told = vec![format!("`{}` signs no longer", args.name)];
            if leave(draft, &own, &gone)? {
                told.extend(forget(draft, &ListRole::releases(), &args.leave)?);
            }
            told.extend(settle(draft, &keys, (&args.apart, &args.leave))?);
            Ok(told)
        };
        let (told, published) = draft::change(place, apart, change).await?;
        Ok(changed(place, &published, &told))
    })
    .await
}

/// The places of repositories that a person named.
fn places(repositories: &[String], trust: &args::Trust) -> Result<Vec<(Place, ())>, Error> {
    let environment = Environment::read();
    let mut places = Places::new(trust, &environment)?;
    let mut place = |name: &String| places.of(Image::parse(name)?.gun().clone());
    repositories.iter().map(|name| Ok((place(name)?, ()))).collect()
}

/// Takes a signer's role away, and says which keys it had.
fn take(draft: &mut Draft, own: &ListRole) -> Result<Vec<KeyId>, Error> {
    let gun = draft.view.gun.clone();
    let list = draft.list(&ListRole::top())?;
    let gone = list.remove_delegation(own);
    let gone = gone.ok_or_else(|| Unchanged::NoRole { gun, role: own.clone() })?;
    draft.forget_below(own);
    Ok(gone.ids)
}

/// Takes the keys out of `targets/releases` that no other signer has; says whether that was the last one.
fn leave(draft: &mut Draft, own: &ListRole, gone: &[KeyId]) -> Result<bool, Error> {
    let releases = ListRole::releases();
    let list = draft.list(&ListRole::top())?;
    let others = list.delegations.iter().filter(|d| d.role != releases && d.role != *own);
    let kept: BTreeSet<KeyId> = others.flat_map(|d| d.ids.iter().cloned()).collect();
    let Some(delegation) = list.delegation_mut(&releases) else { return Ok(false) };
    delegation.ids.retain(|id| !gone.contains(id) || kept.contains(id));
    if !delegation.ids.is_empty() {
        return enough(delegation).map(|()| false);
    }
    list.remove_delegation(&releases);
    Ok(true)
}

async fn list(args: &args::Repository) -> Result<Output, Error> {
    let place = place(&args.repository, &args.trust)?;
    let view = place.look(Wanted::All).await?.view;
    let all = view.top().map(|list| list.targets.delegations.as_slice()).unwrap_or_default();
    let all: Vec<(&str, &Delegation)> =
        all.iter().filter_map(|d| Some((d.role.signer()?, d))).collect();
    let mut text = String::new();
    for (name, delegation) in &all {
        for id in &delegation.ids {
            text += &format!("{name}  {id}\n");
        }
    }
    if all.is_empty() {
        text = format!("`{}` has no signers: its targets keys sign\n", place.gun);
    }
    let one = |(name, d): &(&str, &Delegation)| {
        let ids: Vec<_> = d.ids.iter().map(KeyId::as_str).collect();
        json!({ "name": name, "keys": ids, "threshold": d.threshold })
    };
    let json =
        json!({ "repository": place.gun, "signers": all.iter().map(one).collect::<Vec<_>>() });
    Ok(Output { text, json })
}

fn role(name: &str) -> Result<ListRole, Error> {
    Ok(ListRole::of_signer(name).ok_or_else(|| Unchanged::NotASigner { name: name.to_owned() })?)
}
