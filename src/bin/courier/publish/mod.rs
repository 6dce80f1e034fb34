//! `courier publish`: what the ceremony signed goes up, is fetched back and compared.
//!
//! Annex. First everything is judged for every repository, with the code of the room; only when nothing is
//! refused does the first byte go up. Twice published is once published; what an unfinished run has seen published is
//! asked for by one question in the next.

pub(crate) mod apart;
mod error;
mod finished;
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
use std::time::Duration;

use officiant::name::Name;
use officiant::root::Dialect;

use super::environment;
use super::fleet::{self, Pace};
use super::keys::Private;
use super::net::Net;
use super::report::Output;
use super::trust::change::at_hand::KeysAtHand;
use super::trust::change::candidate;
use super::{args, notary as server};
pub(crate) use error::Error;
use finished::Finished;
use outcome::Published;
pub(crate) use outcome::{Done, Failure, Stopped};

/// Does it, and says what is published now.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn run(args: &args::Publish, is_json: bool) -> Result<Output, Failure> {
    let (trust, to) = begin(args).map_err(Failure::Begin)?;
    let finished = Finished::open(args, trust.closing).map_err(Failure::Begin)?;
    let left_out = args.exclude.iter().filter_map(|name| name.parse().ok()).collect();
    let mut published =
        Published { closing: trust.closing, done: BTreeMap::new(), left_out, is_json };
    let work = Arc::new(Work { trust, to, finished });

    let names: Vec<(Name, ())> = work.trust.names().map(|name| (name.clone(), ())).collect();
    let pace = Pace { what: "judged", jobs: args.network.jobs, weight: fleet::one };
    let mut plans = BTreeMap::new();
    let judge = |name: Name, ()| {
        let work = Arc::clone(&work);
        async move { work.judge(&name).await }
    };
    let keep = |name, judged| {
        match judged {
            Judged::Before(done) => drop(published.done.insert(name, done)),
            Judged::Now(plan) => drop(plans.insert(name, plan)),
        }
        Ok(())
    };
    let failed = fleet::each(pace, names, || Error::Task, judge, keep).await;
    if !failed.is_nothing() {
        return Err(Failure::Judged(failed));
    }

    let pace = Pace { what: "published", jobs: args.network.jobs, weight: Error::weight };
    let publish = |name: Name, plan| {
        let work = Arc::clone(&work);
        async move { work.publish(&name, plan).await }
    };
    let keep = |name, done| {
        published.done.insert(name, done);
        Ok(())
    };
    let failed = fleet::each(pace, plans, || Error::Task, publish, keep).await;
    if !failed.is_nothing() {
        return Err(Failure::Begun(Stopped { published, failed }));
    }
    if let Some(work) = Arc::into_inner(work) {
        work.finished.done();
    }
    Ok(published.output())
}

/// What is published, where to, and what an earlier run has finished.
struct Work {
    trust: trust::Trust,
    to: Destination,
    finished: Finished,
}

/// What is to be done for one repository.
enum Judged {
    /// An earlier run did all, and it is still so.
    Before(Done),
    /// What is missing.
    Now(Plan),
}

impl Work {
    async fn judge(&self, name: &Name) -> Result<Judged, Error> {
        let roots = self.trust.roots(name)?;
        let last = roots.last().ok_or(Error::Task)?;
        if let Some(seen) = self.finished.seen(name, last) {
            let is_still = match &self.to {
                Destination::Notary(to) => to.is_still(name, seen).await?,
                Destination::Tuf(to) => to.is_still(name, last).await?,
            };
            if is_still {
                return Ok(Judged::Before(Done::before(last, seen)));
            }
        }
        Ok(Judged::Now(match &self.to {
            Destination::Notary(to) => Plan::Notary(to.judge(name, &roots).await?),
            Destination::Tuf(to) => Plan::Tuf(to.judge(name, &roots).await?),
        }))
    }

    async fn publish(&self, name: &Name, plan: Plan) -> Result<Done, Error> {
        let roots = self.trust.roots(name)?;
        let done = match (&self.to, plan) {
            (Destination::Notary(to), Plan::Notary(plan)) => to.publish(name, &roots, plan).await?,
            (Destination::Tuf(to), Plan::Tuf(plan)) => to.publish(name, &roots, plan).await?,
            _ => return Err(Error::Task),
        };
        self.finished.keep(name, roots.last().ok_or(Error::Task)?, &done)?;
        Ok(done)
    }
}

/// Where roots go, with what is needed to bring them there.
enum Destination {
    Notary(notary::Publisher),
    Tuf(tuf::Publisher),
}

/// What is missing of one repository.
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
            let net = Net::new(&args.network)?;
            let net = Arc::new(net.patient(Duration::from_secs(args.going_on.patience)));
            let server = server::Server::new(net, url)?;
            let others = match args.signed.is_empty() {
                true => None,
                false => Some(candidate::join(&args.signed).map_err(Box::new)?),
            };
            let (keys, is_apart) = (Mutex::new(keys(args)?), args.apart.is_some());
            Destination::Notary(notary::Publisher { server, keys, others, is_apart })
        }
        (_, Some(place), _) => to_stores(&trust, place, store::Stores::Folders)?,
        (_, _, Some(place)) => to_stores(&trust, place, store::Stores::buckets(&args.network))?,
        (None, None, None) => return Err(Error::NoPlace),
    };
    Ok((trust, to))
}

fn to_stores(
    trust: &trust::Trust,
    place: &str,
    stores: store::Stores,
) -> Result<Destination, Error> {
    let count = trust.names().len();
    if count > 1 && !place.contains("{name}") {
        return Err(Error::OnePlace { place: place.to_owned(), count });
    }
    Ok(Destination::Tuf(tuf::Publisher { place: place.to_owned(), stores }))
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
