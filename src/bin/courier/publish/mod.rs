//! `courier publish`: what the ceremony signed goes up, is fetched back and compared.
//!
//! Annex. First everything is judged for every repository, with the code of the room; only when nothing is
//! refused does the first byte go up. Twice published is once published.

mod error;
mod judge;
mod notary;
mod store;
mod targets;
mod trust;
mod tuf;

use std::sync::Arc;
use std::time::Duration;

use officiant::name::Name;
use officiant::root::{self, Dialect, Role};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::args;

use super::keys::Private;
use super::mouth::Progress;
use super::net::Net;
pub(crate) use error::Error;

/// Does it, and says what is published now.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn run(args: &args::Publish) -> Result<Published, Failure> {
    let work = begin(args).map_err(Failure::before)?;
    let jobs = Jobs { permits: args.network.jobs, work: Arc::new(work) };
    let plans = jobs.judge().await?;
    jobs.carry_out(plans).await
}

/// Where roots go, with what is needed to bring them there.
enum Destination {
    Notary(notary::Publisher),
    Tuf(tuf::Publisher),
}

struct Work {
    roots: trust::Roots,
    to: Destination,
}

/// What is to be done for one repository.
enum Plan {
    Notary(notary::Plan),
    Tuf(tuf::Plan),
}

fn begin(args: &args::Publish) -> Result<Work, Error> {
    let dialect = match args.to.server {
        Some(_) => Dialect::Notary,
        None => Dialect::Tuf,
    };
    let roots = trust::read(&args.trust, dialect, &args.repository)?;
    let keys = args.targets_key.iter().map(|file| Private::read(file));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let to = match (&args.to.server, &args.to.directory, &args.to.bucket) {
        (Some(url), _, _) => {
            let timeout = Duration::from_secs(args.network.timeout);
            let net = Arc::new(Net::new(args.network.ca.as_deref(), timeout)?);
            let server = super::notary::Server::new(net, url)?;
            Destination::Notary(notary::Publisher { server, keys })
        }
        (_, Some(place), _) | (_, _, Some(place)) => {
            if roots.len() > 1 && !place.contains("{name}") {
                return Err(Error::OnePlace { place: place.clone(), count: roots.len() });
            }
            let is_bucket = args.to.directory.is_none();
            Destination::Tuf(tuf::Publisher { place: place.clone(), is_bucket })
        }
        (None, None, None) => return Err(Error::NoPlace),
    };
    Ok(Work { roots, to })
}

struct Jobs {
    permits: u8,
    work: Arc<Work>,
}

impl Jobs {
    /// Looks at every repository and changes nothing; the first refusal ends it.
    async fn judge(&self) -> Result<Vec<(Name, Plan)>, Failure> {
        let permits = Arc::new(Semaphore::new(usize::from(self.permits)));
        let mut progress = Progress::new("judged", self.work.roots.len());
        let mut tasks = JoinSet::new();
        for name in self.work.roots.keys().cloned() {
            let (work, permits) = (Arc::clone(&self.work), Arc::clone(&permits));
            tasks.spawn(async move {
                let _permit = permits.acquire_owned().await.map_err(|_| Error::Task)?;
                let roots = work.roots.get(&name).ok_or(Error::Task)?;
                let plan = match &work.to {
                    Destination::Notary(to) => to.judge(&name, roots).await.map(Plan::Notary),
                    Destination::Tuf(to) => to.judge(&name, roots).await.map(Plan::Tuf),
                };
                plan.map(|plan| (name, plan))
            });
        }
        let mut plans = Vec::new();
        while let Some(done) = tasks.join_next().await {
            plans.push(
                done.map_err(|_| Error::Task).and_then(|plan| plan).map_err(Failure::before)?,
            );
            progress.step();
        }
        plans.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(plans)
    }

    /// Publishes; after the first failure no further repository is begun, and what is under way ends.
    async fn carry_out(&self, plans: Vec<(Name, Plan)>) -> Result<Published, Failure> {
        let permits = Arc::new(Semaphore::new(usize::from(self.permits)));
        let mut progress = Progress::new("published", plans.len());
        let mut tasks = JoinSet::new();
        for (name, plan) in plans {
            let (work, permits) = (Arc::clone(&self.work), Arc::clone(&permits));
            tasks.spawn(async move {
                let Ok(_permit) = permits.acquire().await else { return Ok(None) };
                let done = match (&work.to, plan) {
                    (Destination::Notary(to), Plan::Notary(plan)) => to.publish(&name, plan).await,
                    (Destination::Tuf(to), Plan::Tuf(plan)) => to.publish(&name, plan).await,
                    _ => Err(Error::Task),
                };
                if done.is_err() {
                    permits.close();
                }
                done.map(Some)
            });
        }
        let (mut done, mut failed) = (Vec::new(), None);
        while let Some(ended) = tasks.join_next().await {
            match ended.map_err(|_| Error::Task).and_then(|ended| ended) {
                Ok(repository) => done.extend(repository),
                Err(error) => failed = failed.or(Some(error)),
            }
            progress.step();
        }
        done.sort_by(|a, b| a.name.cmp(&b.name));
        match failed {
            Some(error) => Err(Failure { error, begun: true, done: done.len() }),
            None => Ok(Published(done)),
        }
    }
}

/// What became of one repository.
pub(crate) struct Done {
    name: Name,
    /// The latest version before; 0 for none.
    before: u64,
    /// The latest version now.
    now: u64,
    /// What else went up, or must be done by others now.
    notes: Vec<String>,
}

/// Everything that is published now, fetched back and equal.
pub(crate) struct Published(Vec<Done>);

impl Published {
    /// For people: one line for each repository.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for Done { name, before, now, notes } in &self.0 {
            text += &match before == now {
                true => format!("{name}: version {now} was there already, byte for byte\n"),
                false => format!("{name}: version {before} → {now}, fetched back and equal\n"),
            };
            for note in notes {
                text += &format!("  {note}\n");
            }
        }
        text
    }

    /// For machines.
    pub(crate) fn json(&self) -> serde_json::Value {
        let one = |Done { name, before, now, notes }: &Done| serde_json::json!({ "name": name, "before": before, "now": now, "notes": notes });
        serde_json::json!({ "published": self.0.iter().map(one).collect::<Vec<_>>() })
    }
}

/// Why not everything is published, and how far it went.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The first error.
    pub(crate) error: Error,
    begun: bool,
    done: usize,
}

impl Failure {
    fn before(error: Error) -> Self {
        Self { error, begun: false, done: 0 }
    }

    /// What is now true.
    pub(crate) fn standing(&self) -> String {
        match (self.begun, self.done) {
            (false, _) => "nothing was published".to_owned(),
            (true, 0) => {
                "no repository was published whole; publish again to see and finish".to_owned()
            }
            (true, 1) => {
                "1 repository was published and compared; publish again for the rest".to_owned()
            }
            (true, n) => {
                format!("{n} repositories were published and compared; publish again for the rest")
            }
        }
    }
}

/// The names of the online roles whose keys or thresholds differ.
fn changed_roles(before: Option<&root::Root>, after: &root::Root) -> Vec<Role> {
    let same = |role: &Role| {
        let keys = |root: &root::Root| {
            let keys = root.role_keys(*role).map(|(id, _)| id.clone());
            (keys.collect::<std::collections::BTreeSet<_>>(), root.role(*role).map(|r| r.threshold))
        };
        before.is_some_and(|before| keys(before) == keys(after))
    };
    Role::ONLINE.into_iter().filter(|role| !same(role)).collect()
}
