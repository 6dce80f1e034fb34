//! `courier init`: a repository under an offline root. Its targets key is made here, or found; its root key is made in
//! the room, by the ceremony for which the request is fetched.
//!
//! Annex: the key store, the network, and media through `fetch`.

use std::collections::BTreeMap;

use officiant::key::PublicKey;
use officiant::name::Name;
use officiant::request::Role;

use super::change::Unchanged;
use super::images::by_repository;
use super::place::{Reach, fetching};
use super::{Error, args};
use crate::environment;
use crate::fetch::{self, Own};
use crate::keys::Private;
use crate::report::Output;
use crate::store::{Owner, Store, another, canonical_id, encrypted};

/// Makes or finds the keys, and fetches the request.
///
/// # Errors
/// [`Unchanged::Begun`] for a repository that is there already; those of the store; those of `fetch`.
pub(crate) async fn run(args: &args::Init) -> Result<Output, Error> {
    let guns: Vec<Name> = by_repository(&args.repositories)?.into_keys().collect();
    let Some(first) = guns.first() else {
        return Err(Error::from(Unchanged::Nothing { what: "name a repository" }));
    };
    let reach = Reach { server: args.server.as_deref(), network: &args.network };
    let fetch = fetching(first, reach, &args.out);
    let server = super::place::server(&fetch)?;
    for gun in &guns {
        if let Some(root) = server.file(gun, "root.json").await? {
            let version = crate::notary::version(&root).unwrap_or_default();
            return Err(Error::from(Unchanged::Begun { gun: gun.clone(), version }));
        }
    }
    let trust_dir = environment::trust_dir(args.trust_dir.as_deref());
    let store = Store::open(&trust_dir);
    let mut names: BTreeMap<Name, Own> = BTreeMap::new();
    let mut told = String::new();
    for gun in guns {
        let (public, is_new) = targets_key(&store, &gun)?;
        let made = if is_new { "made" } else { "found" };
        told += &format!("key       {} for `targets` of {gun}, {made}\n", canonical_id(&public)?);
        names.insert(gun, Own::from([(Role::Targets, vec![public])]));
    }
    let output = fetch::of(&fetch, names, true).await?;
    let text = format!("{told}{}{NEXT}", output.text);
    Ok(Output { text, json: output.json })
}

/// The targets key of a repository: the one in the store, or a new one.
fn targets_key(store: &Store, gun: &Name) -> Result<(PublicKey, bool), Error> {
    let owner = Owner { gun: Some(gun.to_string()), role: Role::Targets.name().to_owned() };
    if let Some(known) = store.of_owner(&owner)?.first() {
        return Ok((store.public(known)?, false));
    }
    let private = Private::generate().map_err(crate::store::Error::from)?;
    let text = encrypted(&private, &owner, &another(&owner)?)?;
    store.writing()?.add(&canonical_id(private.public())?, &text)?;
    Ok((private.public().clone(), true))
}

const NEXT: &str = "next      a plan for `genesis`, and the ceremony; then `courier publish` puts root and first list up\n";
