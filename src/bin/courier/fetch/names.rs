//! The repositories that the command line names, with the keys that a list gives to some of them.
//!
//! Annex: reads the list and the key files.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use officiant::key::PublicKey;
use officiant::name::Name;
use officiant::request::{MAX_REPOSITORIES, Role};

use super::Error;
use crate::args;
use crate::{files, keys};

/// The keys that one repository is offered in place of what the command line or the server offers to all, by role.
pub(crate) type Own = BTreeMap<Role, Vec<PublicKey>>;

/// Every repository, each once.
pub(super) fn all(args: &args::Fetch) -> Result<BTreeMap<Name, Own>, Error> {
    let mut names = BTreeMap::new();
    let mut add = |text: &str, own: Own| match names.entry(text.parse::<Name>()?) {
        Entry::Vacant(place) => {
            place.insert(own);
            Ok(())
        }
        Entry::Occupied(there) => Err(Error::Twice { name: there.key().clone() }),
    };
    for name in &args.names {
        add(name, Own::new())?;
    }
    if let Some(file) = &args.list {
        listed(file, &mut add)?;
    }
    match names.len() {
        found if found > MAX_REPOSITORIES => Err(Error::Many { found }),
        _ => Ok(names),
    }
}

fn listed(file: &Path, add: &mut impl FnMut(&str, Own) -> Result<(), Error>) -> Result<(), Error> {
    for (name, words) in lines(file)? {
        let own =
            words.iter().filter_map(|word| word.strip_prefix(KEY)).map(|key| beside(file, key));
        let own = own.collect::<Result<Vec<_>, _>>()?;
        let own = Some(own).filter(|own| !own.is_empty()).map(|own| (Role::Targets, own));
        add(&name, own.into_iter().collect())?;
    }
    Ok(())
}

/// The words of each line of a list of names, the name first; `#` begins a comment.
///
/// # Errors
/// [`Error::List`] for a file that names nothing.
pub(crate) fn lines(file: &Path) -> Result<Vec<(String, Vec<String>)>, Error> {
    let bad = || Error::List { file: file.to_owned() };
    let bytes = files::read(file, MAX_LIST)?.ok_or_else(bad)?;
    let text = String::from_utf8(bytes).map_err(|_| bad())?;
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let name = words.next().filter(|word| !word.starts_with('#'))?;
        Some((name, words.collect()))
    });
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() { Err(bad()) } else { Ok(lines) }
}

fn beside(list: &Path, key: &str) -> Result<PublicKey, Error> {
    let folder = list.parent().unwrap_or_else(|| Path::new(""));
    Ok(keys::to_offer(&folder.join(key), Role::Targets)?)
}

/// Most bytes of a list of names.
const MAX_LIST: usize = 32 << 20;
/// What a word that names a key file begins with.
const KEY: &str = "targets-key=";
