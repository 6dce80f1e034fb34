//! `courier key`: the equal of `docker trust key` and `notary key`, over the same files.
//!
//! Annex. What a command needs of people it asks before it writes.

mod change;
mod error;
mod export;
mod generate;
mod list;
mod load;

use std::path::PathBuf;

use officiant::name::Name;
use officiant::room::binding::Needs;
use officiant::root::targets::ListRole;

use super::args::{Key, KeyCommand, Needed};
use super::environment;
use super::report::Output;
use super::store::{KeyUri, Owner, Reach, Store, is_reserved, variable};
pub(crate) use error::{Error, Failure};

/// Does it, and says what is in the store now.
///
/// # Errors
/// [`Failure`].
pub(crate) fn run(args: &Key) -> Result<Output, Failure> {
    let store = Store::open(&environment::trust_dir(args.trust_dir.as_deref()));
    match &args.command {
        KeyCommand::Export(export) => export::run(&store, export),
        KeyCommand::Generate(generate) => generate::run(&store, generate),
        KeyCommand::List => list::run(&store),
        KeyCommand::Load(load) => load::run(&store, load),
        KeyCommand::Passwd(one) => change::passwd(&store, &one.id),
        KeyCommand::Remove(one) => change::remove(&store, &one.id),
    }
}

/// Whose a key shall be, as the command line says: a signer's, or a role's of a repository; none where it says nothing.
fn owner(
    name: Option<&str>,
    role: Option<&str>,
    gun: Option<&str>,
) -> Result<Option<Owner>, Error> {
    match (name, role, gun) {
        (Some(name), ..) if is_reserved(name) => Err(Error::Reserved { name: name.to_owned() }),
        (Some(name), ..) if ListRole::of_signer(name).is_none() => {
            Err(Error::Signer { name: name.to_owned() })
        }
        (Some(name), ..) => Ok(Some(Owner::signer(name))),
        (None, Some(role), Some(gun)) if ROLES.contains(&role) => {
            let gun: Name = gun.parse()?;
            Ok(Some(Owner { gun: Some(gun.as_str().to_owned()), role: role.to_owned() }))
        }
        (None, Some(role), Some(_)) => Err(Error::Role { role: role.to_owned() }),
        _ => Ok(None),
    }
}

/// How a key on a token is reached, as the command line and SoftHSM's own variable say. The child that goes there has
/// another working folder.
fn reach(uri: &str, needed: &Needed) -> Result<Reach, Error> {
    let whole = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let needs = Needs {
        environment: needed
            .environment
            .iter()
            .map(|text| variable(text))
            .collect::<Result<_, _>>()?,
        parameters: needed.parameters.clone(),
        sockets: needed.socket.iter().map(whole).collect(),
        writes: needed.writes.iter().map(whole).collect(),
    };
    let softhsm = environment::softhsm().as_ref().map(whole);
    Ok(Reach { uri: KeyUri::parse(uri)?, needs, softhsm })
}

/// Whether anything is said of what a module needs, where there is none.
fn refuse_needs(needed: &Needed) -> Result<(), Error> {
    let Needed { environment, parameters, socket, writes } = needed;
    for (option, is_given) in [
        ("--environment", !environment.is_empty()),
        ("--parameters", parameters.is_some()),
        ("--socket", !socket.is_empty()),
        ("--writes", !writes.is_empty()),
    ] {
        if is_given {
            return Err(Error::NoToken { option });
        }
    }
    Ok(())
}

/// The roles whose keys publishers hold: roots are made in the room, and a timestamp's by the server.
const ROLES: [&str; 2] = ["snapshot", "targets"];
