//! `courier countersign`: a change that somebody else made is read, signed with the keys at hand, and published once
//! enough have signed.
//!
//! Annex: media, the key store, and the network.

use jiff::Timestamp;
use officiant::root::targets::{ListRole, Targets};

use super::change::Unchanged;
use super::change::at_hand::KeysAtHand;
use super::change::candidate::{self, Candidate};
use super::change::changed::{Shown, changed};
use super::change::difference;
use super::change::draft::{self, Draft, Published, Written};
use super::place::Place;
use super::{Error, args};
use crate::environment::Environment;
use crate::report::Output;

/// Shows the change; with `--agree`, signs it and publishes it or writes it for the next one.
///
/// # Errors
/// [`Error`].
pub(crate) async fn run(args: &args::Countersign) -> Result<Output, Error> {
    let read = candidate::join(&args.folders)?;
    let place = Place::of(read.gun.clone(), &args.trust, &Environment::read())?;
    let (view, is_ahead) = place.coming().await?;
    let mut draft = Draft::of(view);
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
        let signed = candidate::sign(&electorate, signed, &mut keys, role)?;
        written.push(Written::of(role, signed, &electorate));
    }
    let mut published = Published { lists: draft::lists(&draft, &written), apart: None };
    match &args.out {
        Some(out) => published.apart = Some(Candidate::write(out, &place.gun, &written)?),
        // Its root is not there yet, and goes up with it.
        None if is_ahead => {
            let what = "name a new folder by `--out`: `courier publish --signed` puts this up with its root";
            return Err(Error::from(Unchanged::Nothing { what }));
        }
        None => draft::upload(&place, &draft.view, &written, &mut keys).await?,
    }
    Ok(changed(&place, &published, &shown.lines))
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
