//! `courier signer`: who releases images, as docker has it: a delegation of their own, and their keys in
//! `targets/releases`, which docker pulls by.
//!
//! Annex.

use std::collections::BTreeSet;

use officiant::root::Dialect;
use officiant::root::KeyId;
use officiant::root::targets::{Delegation, ListRole};
use officiant::wording::{Count, List};
use serde_json::json;

use super::change::Unchanged;
use super::change::at_hand::KeysAtHand;
use super::change::changed::{changed, joined};
use super::change::draft::{self, Draft};
use super::delegation::{Grant, enough, place, read};
use super::images::apart;
use super::{Error, args, client::Wanted};
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
    let mut outputs = Vec::new();
    for repository in &args.repositories {
        let place = place(repository, &args.trust)?;
        let change = |draft: &mut Draft| {
            let list = draft.list(&ListRole::top())?;
            let grant = Grant { keys: &keys, paths: &paths, threshold: args.threshold };
            grant.to(list, &own)?;
            let grant = Grant { threshold: args.releases_threshold, ..grant };
            grant.to(list, &ListRole::releases())
        };
        let ((), published) = draft::change(&place, apart, change).await?;
        let told = format!("`{}` signs with {}", args.name, Count(keys.len(), "key"));
        outputs.push(changed(&place, &published, &[told]));
    }
    Ok(joined(outputs))
}

async fn remove(args: &args::SignerRemove) -> Result<Output, Error> {
    let own = role(&args.name)?;
    let apart = apart(&args.apart, args.repositories.len())?;
    let mut outputs = Vec::new();
    for repository in &args.repositories {
        let place = place(repository, &args.trust)?;
        let keys = KeysAtHand::of(&place);
        let change = |draft: &mut Draft| {
            let gone = take(draft, &own)?;
            let told = format!("`{}` signs no longer", args.name);
            let Some(left) = leave(draft, &own, &gone)? else { return Ok(vec![told]) };
            let releases = ListRole::releases();
            let electorate = draft.electorate(&releases);
            if electorate.is_some_and(|electorate| keys.holds_one_of(&electorate).unwrap_or(false))
            {
                draft.list(&releases)?;
                let left = List::names(&left).to_string();
                return Ok(vec![
                    told,
                    format!("{left} in `{releases}`: signed again by those who stay"),
                ]);
            }
            if !args.leave_unsigned {
                return Err(Error::from(Unchanged::LeavesUnsigned {
                    gun: place.gun.clone(),
                    tags: left,
                }));
            }
            let tags = List::names(&left).to_string();
            Ok(vec![
                told,
                format!(
                    "{tags} in `{releases}`: not signed until another signer does, by `courier witness`"
                ),
            ])
        };
        let (told, published) = draft::change(&place, apart, change).await?;
        outputs.push(changed(&place, &published, &told));
    }
    Ok(joined(outputs))
}

/// Takes a signer's role away, and says which keys it had.
fn take(draft: &mut Draft, own: &ListRole) -> Result<Vec<KeyId>, Error> {
    let gun = draft.view.gun.clone();
    let list = draft.list(&ListRole::top())?;
    let at = list.delegations.iter().position(|delegation| delegation.role == *own);
    let at = at.ok_or_else(|| Unchanged::NoRole { gun, role: own.clone() })?;
    let gone = list.delegations.remove(at).ids;
    draft.forget_below(own);
    Ok(gone)
}

/// Takes the keys out of `targets/releases` that no other signer has; says which tags lose their signature by that.
fn leave(draft: &mut Draft, own: &ListRole, gone: &[KeyId]) -> Result<Option<Vec<String>>, Error> {
    let releases = ListRole::releases();
    let list = draft.list(&ListRole::top())?;
    let others = list.delegations.iter().filter(|d| d.role != releases && d.role != *own);
    let kept: BTreeSet<KeyId> = others.flat_map(|d| d.ids.iter().cloned()).collect();
    let Some(at) = list.delegations.iter().position(|d| d.role == releases) else {
        return Ok(None);
    };
    let delegation = &mut list.delegations[at];
    delegation.ids.retain(|id| !gone.contains(id) || kept.contains(id));
    if delegation.ids.is_empty() {
        list.delegations.remove(at);
    } else {
        enough(delegation)?;
    }
    let Some(signed) = draft.view.lists.get(&releases) else { return Ok(None) };
    let electorate = draft.electorate(&releases);
    let holds = electorate.and_then(|electorate| signed.signed.tally(Dialect::Notary, &electorate));
    let tags: Vec<String> = signed.targets.targets.keys().cloned().collect();
    Ok((!holds.is_some_and(|tally| tally.is_met()) && !tags.is_empty()).then_some(tags))
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
