//! `courier countersign`: a change that somebody else made is read, signed with the keys at hand, and published once
//! enough have signed.
//!
//! Annex: media, the key store, and the network.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use officiant::root::online::Signed;
use officiant::root::targets::{ListRole, Targets};
use officiant::root::threshold::{Electorate, verifies};
use officiant::root::{Dialect, KeyId, Signature};

use super::change::Unchanged;
use super::change::at_hand::KeysAtHand;
use super::change::candidate::{self, Candidate, Read};
use super::change::changed::{Shown, changed};
use super::change::difference;
use super::change::draft::{self, Draft, Published, Written};
use super::client::Wanted;
use super::place::Place;
use super::{Error, args};
use crate::environment::Environment;
use crate::report::Output;

/// Shows the change; with `--agree`, signs it and publishes it or writes it for the next one.
///
/// # Errors
/// [`Error`].
pub(crate) async fn run(args: &args::Countersign) -> Result<Output, Error> {
    let read = join(&args.folders)?;
    let place = Place::of(read.gun.clone(), &args.trust, &Environment::read())?;
    let mut draft = Draft::of(place.look(Wanted::All).await?.view);
    let mut lines = Vec::new();
    for (role, (_, list)) in &read.lists {
        follows(&place, role, draft.served(role), list)?;
        lines.push(format!("`{role}` version {}", list.version));
        // What too few have signed counts for nothing: all that the change says is new then.
        let says = difference::between(draft.read(role), list);
        lines.extend(says.into_iter().map(|line| format!("  {line}")));
    }
    for (role, (_, list)) in &read.lists {
        draft.put(role.clone(), list.clone());
    }
    let digest = candidate::digest(&read.gun, read.lists.iter().map(|(r, (s, _))| (r, s)));
    let roles = read.lists.keys().cloned().collect();
    let shown = Shown { gun: place.gun.clone(), roles, lines, digest };
    let Some(agreed) = &args.agree else { return Ok(shown.output()) };
    if !shown.is_agreed(agreed) {
        return Err(Error::from(Unchanged::Disagreed { digest }));
    }
    let mut keys = KeysAtHand::of(&place);
    let mut written = Vec::new();
    for (role, (signed, _)) in &read.lists {
        let no_role = || Unchanged::NoRole { gun: place.gun.clone(), role: role.clone() };
        let electorate = draft.electorate(role).ok_or_else(no_role)?;
        let signed = sign(&electorate, signed, &mut keys, role)?;
        written.push(Written::of(role, signed, &electorate));
    }
    let mut published = Published { lists: draft::lists(&draft, &written), apart: None };
    match &args.out {
        Some(out) => published.apart = Some(Candidate::write(out, &place.gun, &written)?),
        None => draft::upload(&place, &draft.view, &written, &mut keys).await?,
    }
    Ok(changed(&place, &published, &shown.lines))
}

/// Joins the signatures of folders that hold one change.
fn join(folders: &[PathBuf]) -> Result<Read, Error> {
    let mut joined: Option<Read> = None;
    for folder in folders {
        let read = candidate::read(folder)?;
        let Some(joined) = &mut joined else {
            joined = Some(read);
            continue;
        };
        let same = |joined: &Read| {
            let values = |read: &Read| -> Vec<_> {
                read.lists.iter().map(|(r, (s, _))| (r.clone(), s.value.clone())).collect()
            };
            joined.gun == read.gun && values(joined) == values(&read)
        };
        if !same(joined) {
            let why = "it holds another change than the first folder";
            return Err(Error::from(Unchanged::NoCandidate { folder: folder.clone(), why }));
        }
        for (role, (signed, _)) in read.lists {
            if let Some((first, _)) = joined.lists.get_mut(&role) {
                first.signatures.extend(signed.signatures);
            }
        }
    }
    Ok(joined.ok_or(Unchanged::Nothing { what: "name a candidate's folder" })?)
}

/// A change is made on what is there: after another publication it is made anew.
fn follows(
    place: &Place,
    role: &ListRole,
    old: Option<&Targets>,
    list: &Targets,
) -> Result<(), Error> {
    let version = old.map_or(0, |old| old.version);
    match list.version == version + 1 && list.expires.instant() > Timestamp::now() {
        true => Ok(()),
        false => Err(Error::from(Unchanged::Stale {
            gun: place.gun.clone(),
            role: role.clone(),
            found: list.version,
            wanted: version + 1,
        })),
    }
}

/// Keeps every good signature once, in the order of the keys' ids, and adds those of the keys at hand.
fn sign(
    electorate: &Electorate<'_>,
    signed: &Signed,
    keys: &mut KeysAtHand,
    role: &ListRole,
) -> Result<Signed, Error> {
    let message = signed.value.go();
    let mut all: BTreeMap<KeyId, Signature> = BTreeMap::new();
    for signature in &signed.signatures {
        let key = electorate.keys.get(&signature.key);
        if !key.is_some_and(|key| verifies(Dialect::Notary, key, &message, signature)) {
            return Err(Error::from(Unchanged::Stranger {
                role: role.clone(),
                id: signature.key.clone(),
            }));
        }
        all.insert(signature.key.clone(), signature.clone());
    }
    for signature in keys.sign(electorate, &message)? {
        all.entry(signature.key.clone()).or_insert(signature);
    }
    Ok(Signed { value: signed.value.clone(), signatures: all.into_values().collect() })
}
