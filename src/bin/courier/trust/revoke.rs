//! `courier revoke`: tags whose signature is taken back.
//!
//! Annex.

use std::collections::BTreeSet;

use officiant::root::targets::ListRole;
use officiant::wording::{Count, List};

use super::change::Unchanged;
use super::change::at_hand::KeysAtHand;
use super::change::changed::{changed, each};
use super::change::draft::{self, Draft};
use super::client::view::List as Listed;
use super::images::{apart, by_repository};
use super::place::Places;
use super::{Error, args};
use crate::environment::Environment;
use crate::image::Image;
use crate::report::Output;

/// Revokes every tag, those of one repository in one upload.
///
/// # Errors
/// [`Error`], for the first repository that is refused; those before it are done.
pub(crate) async fn run(args: &args::Revoke) -> Result<Output, Error> {
    let environment = Environment::read();
    let mut places = Places::new(&args.trust, &environment)?;
    let repositories = by_repository(&args.images)?;
    let apart = apart(&args.apart, repositories.len())?;
    let mut all = Vec::new();
    for (gun, images) in repositories {
        if images.iter().any(|image| image.tag().is_none() != args.all_tags) {
            return Err(Error::from(Unchanged::Nothing {
                what: "name each tag, or no tag and `--all-tags` for all that a repository has",
            }));
        }
        all.push((places.of(gun)?, images));
    }
    each(all, async |place, images| {
        let keys = KeysAtHand::of(place);
        let change = |draft: &mut Draft| take(draft, &keys, &images);
        let (told, published) = draft::change(place, apart, change).await?;
        Ok(changed(place, &published, &told))
    })
    .await
}

/// Takes the tags out of every list whose keys are at hand. Docker must see none of them afterwards.
fn take(draft: &mut Draft, keys: &KeysAtHand, images: &[Image]) -> Result<Vec<String>, Error> {
    let tags: BTreeSet<&str> = images.iter().filter_map(Image::tag).collect();
    let is_meant = |tag: &str| tags.is_empty() || tags.contains(tag);
    let (mut gone, mut left) = (BTreeSet::new(), BTreeSet::new());
    for role in draft.view.roles() {
        let Some(list) = draft.read(&role) else { continue };
        let named: Vec<String> = list.targets.keys().filter(|tag| is_meant(tag)).cloned().collect();
        if named.is_empty() {
            continue;
        }
        let electorate = draft.electorate(&role);
        match electorate.map(|electorate| keys.holds_one_of(&electorate)).transpose()? {
            Some(true) => {
                draft.list(&role)?.targets.retain(|tag, _| !is_meant(tag));
                gone.extend(named);
            }
            _ => drop(left.insert(role)),
        }
    }
    let believed = [ListRole::releases(), ListRole::top()];
    if let Some(role) = believed.iter().find(|role| left.contains(*role)) {
        return Err(Error::from(Unchanged::NotOurs {
            gun: draft.view.gun.clone(),
            role: role.clone(),
        }));
    }
    if let Some(tag) = tags.iter().find(|tag| !gone.contains(**tag)) {
        let (gun, tag) = (draft.view.gun.clone(), (*tag).to_owned());
        return Err(Error::TagUnsigned { gun, tag });
    }
    let gone: Vec<_> = gone.into_iter().collect();
    let mut told = vec![format!("{} revoked: {}", Count(gone.len(), "tag"), List::names(&gone))];
    if !left.is_empty() {
        let left: Vec<_> = left.into_iter().collect();
        told.push(format!(
            "{} still names some of them, and docker does not ask there",
            List::names(&left)
        ));
    }
    let broken = draft.view.broken.iter();
    let named = |list: &Listed| list.targets.targets.keys().any(|tag| is_meant(tag));
    for (role, _) in broken.filter(|(_, broken)| broken.list.as_ref().is_some_and(named)) {
        told.push(format!("`{role}` names some of them, too: do not witness it"));
    }
    Ok(told)
}
