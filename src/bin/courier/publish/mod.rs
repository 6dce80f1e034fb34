//! `courier publish`: what the ceremony signed goes up, is fetched back and compared.
//!
//! Annex. First everything is judged for every repository, with the code of the room; only when nothing is
//! refused does the first byte go up. Twice published is once published.

pub(crate) mod apart;
mod error;
mod judge;
mod notary;
mod online;
mod outcome;
mod served;
mod store;
mod targets;
pub(crate) mod trust;
mod tuf;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use officiant::name::Name;
use officiant::root::Dialect;

use super::environment;
use super::fleet::{self, ENOUGH, Pace};
use super::keys::Private;
use super::net::Net;
use super::trust::change::at_hand::KeysAtHand;
use super::trust::change::candidate;
use super::{args, notary as server};
pub(crate) use error::Error;
pub(crate) use outcome::{Done, Failure, Published, Stopped};

/// Does it, and says what is published now.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn run(args: &args::Publish) -> Result<Published, Failure> {
    let (trust, to) = begin(args).map_err(Failure::Begin)?;
    let (to, jobs, closing) = (Arc::new(to), args.network.jobs, trust.closing);
    let pace = Pace { what: "judged", jobs, failures: ENOUGH };
    let judge = |name: Name, roots: Vec<_>| {
        let to = Arc::clone(&to);
        async move {
            match &*to {
                Destination::Notary(to) => to.judge(&name, &roots).await.map(Plan::Notary),
                Destination::Tuf(to) => to.judge(&name, &roots).await.map(Plan::Tuf),
            }
        }
    };
    let plans = fleet::each(pace, trust.roots, || Error::Task, judge).await.whole();
    let plans: BTreeMap<Name, Plan> = plans.map_err(Failure::Judged)?;
    // What failed once may fail for all: nothing further is begun, and what is under way ends.
    let pace = Pace { what: "published", jobs, failures: 1 };
    let publish = |name: Name, plan| {
        let to = Arc::clone(&to);
        async move {
            match (&*to, plan) {
                (Destination::Notary(to), Plan::Notary(plan)) => to.publish(&name, plan).await,
                (Destination::Tuf(to), Plan::Tuf(plan)) => to.publish(&name, plan).await,
                _ => Err(Error::Task),
            }
        }
    };
    let outcome = fleet::each(pace, plans, || Error::Task, publish).await;
    let published = Published { closing, done: outcome.done };
    match outcome.failed.errors.is_empty() {
        true => Ok(published),
        false => Err(Failure::Begun(Stopped { published, failed: outcome.failed })),
    }
}

/// Where roots go, with what is needed to bring them there.
enum Destination {
    Notary(notary::Publisher),
    Tuf(tuf::Publisher),
}

/// What is to be done for one repository.
enum Plan {
    Notary(notary::Plan),
    Tuf(tuf::Plan),
}

fn begin(args: &args::Publish) -> Result<(trust::Trust, Destination), Error> {
    let dialect = match args.to.server {
        Some(_) => Dialect::Notary,
        None => Dialect::Tuf,
    };
    let trust = trust::read(args, dialect)?;
    let to = match (&args.to.server, &args.to.directory, &args.to.bucket) {
        (Some(url), _, _) => {
            let server = server::Server::new(Arc::new(Net::new(&args.network)?), url)?;
            let others = match args.signed.is_empty() {
                true => None,
                false => Some(candidate::join(&args.signed).map_err(Box::new)?),
            };
            let (keys, is_apart) = (Mutex::new(keys(args)?), args.apart.is_some());
            Destination::Notary(notary::Publisher { server, keys, others, is_apart })
        }
        (_, Some(place), _) | (_, _, Some(place)) => {
            if trust.roots.len() > 1 && !place.contains("{name}") {
                return Err(Error::OnePlace { place: place.clone(), count: trust.roots.len() });
            }
            let (place, is_bucket) = (place.clone(), args.to.directory.is_none());
            Destination::Tuf(tuf::Publisher { place, is_bucket, network: args.network.clone() })
        }
        (None, None, None) => return Err(Error::NoPlace),
    };
    Ok((trust, to))
}

/// The targets keys that may sign: those that are named, and those of the person's store.
fn keys(args: &args::Publish) -> Result<KeysAtHand, Error> {
    let trust_dir = environment::trust_dir(args.trust_dir.as_deref());
    let mut keys = KeysAtHand::in_store(&trust_dir);
    for file in &args.targets_key {
        keys.add(Private::read(file)?)?;
    }
    Ok(keys)
}
