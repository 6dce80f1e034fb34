//! `courier sign`: what tags mean, signed by a publisher's keys. No engine takes part: the registry is asked, or an image
//! layout is read.
//!
//! Annex.

use std::collections::BTreeSet;

use officiant::root::targets::{Delegation, ListRole, Target};
use officiant::wording::List;

use super::change::Unchanged;
use super::change::at_hand::KeysAtHand;
use super::change::changed::{changed, each};
use super::change::draft::{self, Draft};
use super::images::{apart, by_repository};
use super::place::Places;
use super::{Error, args};
use crate::environment::Environment;
use crate::image::Image;
use crate::registry::{Layout, Registry};
use crate::report::Output;

/// Signs every tag, those of one repository in one upload.
///
/// # Errors
/// [`Error`], for the first repository that is refused; those before it are done.
pub(crate) async fn run(args: &args::Sign) -> Result<Output, Error> {
    let environment = Environment::read();
    let mut places = Places::new(&args.trust, &environment)?;
    let roles = args.role.iter().map(|role| role.parse());
    let roles = roles.collect::<Result<BTreeSet<ListRole>, _>>()?;
    let repositories = by_repository(&args.images)?;
    let apart = apart(&args.apart, repositories.len())?;
    let layout = args.layout.as_deref().map(Layout::open).transpose()?;
    let network =
        crate::args::Network { ca: args.registry_ca.clone(), ..args.trust.network.clone() };
    let registry = Registry::new(network, Environment::read());
    let mut all = Vec::new();
    for (gun, images) in repositories {
        let mut tags = Vec::new();
        for image in &images {
            tags.push(tag(image, layout.as_ref(), &registry).await?);
        }
        all.push((places.of(gun)?, tags));
    }
    each(all, async |place, tags| {
        let keys = KeysAtHand::of(place);
        let change = |draft: &mut Draft| {
            let own = own(draft, &keys)?;
            let put = |(tag, target): &(String, Target)| put(draft, &own, &roles, (tag, target));
            tags.iter().map(put).collect::<Result<Vec<_>, _>>()
        };
        let (told, published) = draft::change(place, apart, change).await?;
        Ok(changed(place, &published, &told))
    })
    .await
}

/// What a tag is to mean: the manifest that the registry or the layout has.
async fn tag(
    image: &Image,
    layout: Option<&Layout>,
    registry: &Registry,
) -> Result<(String, Target), Error> {
    let tag = image.tag().ok_or(Unchanged::Nothing { what: "name each image with its tag" })?;
    let manifest = match layout {
        Some(layout) => layout.manifest(tag)?,
        None => registry.manifest(image).await?,
    };
    match image.digest() {
        Some(asked) if *asked != manifest.digest => Err(Error::TagOther {
            gun: image.gun().clone(),
            tag: tag.to_owned(),
            signed: manifest.digest,
            asked: *asked,
        }),
        _ => Ok((tag.to_owned(), Target::new(manifest.digest, manifest.length))),
    }
}

/// Puts one tag into every list in which this person signs it.
fn put(
    draft: &mut Draft,
    own: &[Delegation],
    only: &BTreeSet<ListRole>,
    (tag, target): (&str, &Target),
) -> Result<String, Error> {
    let roles = match only.is_empty() {
        false => only.iter().cloned().collect(),
        true => roles(draft, own, tag)?,
    };
    for role in &roles {
        let list = draft.list_naming(role, tag)?;
        if list.targets.get(tag).is_none_or(|known| !known.is_same(target)) {
            list.targets.insert(tag.to_owned(), target.clone());
        }
    }
    let digest = target.sha256().map(|digest| digest.to_string()).unwrap_or_default();
    Ok(format!("`{tag}` is sha256:{digest} in {}", List::names(&roles)))
}

/// The roles in which docker would sign: directly below `targets`, of which a key is at hand.
fn own(draft: &Draft, keys: &KeysAtHand) -> Result<Vec<Delegation>, Error> {
    let mut own = Vec::new();
    for delegation in draft.read(&ListRole::top()).iter().flat_map(|top| &top.delegations) {
        let electorate = draft.electorate(&delegation.role);
        if electorate.map(|electorate| keys.holds_one_of(&electorate)).transpose()? == Some(true) {
            own.push(delegation.clone());
        }
    }
    Ok(own)
}

/// Those that may name a tag; `targets` where nobody is delegated to.
fn roles(draft: &Draft, own: &[Delegation], tag: &str) -> Result<Vec<ListRole>, Error> {
    if draft.read(&ListRole::top()).is_none_or(|top| top.delegations.is_empty()) {
        return Ok(vec![ListRole::top()]);
    }
    let roles = own.iter().filter(|delegation| delegation.allows(tag));
    let roles: Vec<_> = roles.map(|delegation| delegation.role.clone()).collect();
    match roles.is_empty() {
        true => Err(Error::from(Unchanged::NoSigner {
            gun: draft.view.gun.clone(),
            tag: tag.to_owned(),
        })),
        false => Ok(roles),
    }
}
