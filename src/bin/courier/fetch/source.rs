//! Where the repositories come from, with the keys that the command line offers.
//!
//! Annex: the network, or a folder.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use officiant::key::PublicKey;
use officiant::name::Name;
use officiant::request::{Repository, Role};
use officiant::root::Dialect;

use super::Error;
use super::names::Own;
use crate::budget::Budget;
use crate::net::Net;
use crate::{args, keys, notary, tuf};

/// A server or folder, what is offered, and what the room will still read.
pub(super) struct Source {
    place: Place,
    offered: BTreeMap<Role, Vec<PublicKey>>,
    budget: Budget,
}

enum Place {
    Notary(notary::Server),
    Tuf(tuf::Source),
}

impl Source {
    /// What the command line names, for so many repositories.
    pub(super) fn new(args: &args::Fetch, count: usize) -> Result<Self, Error> {
        let net = Net::new(&args.network)?.patient(Duration::from_secs(args.going_on.patience));
        let net = Arc::new(net);
        let offered = offered(args)?;
        let place = match args.dialect {
            args::DialectName::Notary => {
                for (role, option) in
                    [(Role::Snapshot, "--snapshot-key"), (Role::Timestamp, "--timestamp-key")]
                {
                    if offered.contains_key(&role) {
                        let why = "a Notary server makes this key itself";
                        return Err(Error::Option { option, why });
                    }
                }
                Place::Notary(notary::Server::new(net, &args.server)?)
            }
            args::DialectName::Tuf => {
                if count > 1 && !args.server.contains("{name}") {
                    let why = "several repositories need a `{name}` in it";
                    return Err(Error::Option { option: "--server", why });
                }
                Place::Tuf(tuf::Source::new(net, &args.server))
            }
        };
        Ok(Self { place, offered, budget: Budget::of_a_request() })
    }

    /// The dialect of its repositories.
    pub(super) fn dialect(&self) -> Dialect {
        match self.place {
            Place::Notary(_) => Dialect::Notary,
            Place::Tuf(_) => Dialect::Tuf,
        }
    }

    /// Whether what an earlier run fetched of a repository is what would be fetched now: with these keys, and, as far as
    /// one question tells, by what is served. A Notary server's timestamp stands for all that it serves of a repository.
    pub(super) async fn is_still(
        &self,
        name: &Name,
        own: &Own,
        known: &Repository,
    ) -> Result<bool, Error> {
        let mut keys = self.offered.clone();
        keys.extend(own.clone());
        let is_it = match (&self.place, &known.served) {
            (Place::Tuf(source), _) => {
                offers(known, &keys, true) && source.is_last(name, &known.roots).await?
            }
            (Place::Notary(_), _) if !offers(known, &keys, false) => false,
            (Place::Notary(server), None) => {
                known.roots.is_empty() && server.file(name, "root.json").await?.is_none()
            }
            (Place::Notary(server), Some(served)) => {
                server.file(name, "timestamp.json").await?.as_ref() == Some(&served.timestamp)
            }
        };
        if is_it {
            let served =
                known.served.iter().flat_map(|served| [&served.timestamp, &served.snapshot]);
            let keys = known.keys.values().flatten().map(|key| key.der().len());
            let bytes = known.roots.iter().chain(served).map(Vec::len).chain(keys);
            bytes.into_iter().try_for_each(|bytes| self.budget.take(bytes))?;
        }
        Ok(is_it)
    }

    /// One repository, with the keys that are its own.
    pub(super) async fn repository(&self, name: &Name, own: Own) -> Result<Repository, Error> {
        let mut keys = self.offered.clone();
        keys.extend(own);
        let mut served = None;
        let roots = match &self.place {
            Place::Tuf(source) => source.roots(name, &self.budget).await?,
            Place::Notary(server) => {
                let roots = server.roots(name, &self.budget).await?;
                for role in [Role::Snapshot, Role::Timestamp] {
                    if let Entry::Vacant(place) = keys.entry(role) {
                        place.insert(vec![server.key(name, role).await?]);
                    }
                }
                if !roots.is_empty() {
                    served = server.served(name, &self.budget).await?;
                }
                roots
            }
        };
        for key in keys.values().flatten() {
            self.budget.take(key.der().len())?;
        }
        Ok(Repository { roots, keys, served })
    }
}

/// What is wanted of a repository, as it would be fetched now.
fn offers(known: &Repository, wanted: &Own, is_all: bool) -> bool {
    wanted.iter().all(|(role, keys)| known.keys.get(role) == Some(keys))
        && (!is_all || known.keys.len() == wanted.len())
}

fn offered(args: &args::Fetch) -> Result<BTreeMap<Role, Vec<PublicKey>>, Error> {
    let mut offered = BTreeMap::new();
    for (role, files) in [
        (Role::Targets, &args.targets_key),
        (Role::Snapshot, &args.snapshot_key),
        (Role::Timestamp, &args.timestamp_key),
    ] {
        let keys = files.iter().map(|file| keys::to_offer(file, role));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        if !keys.is_empty() {
            offered.insert(role, keys);
        }
    }
    Ok(offered)
}
