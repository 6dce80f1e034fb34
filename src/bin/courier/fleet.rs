//! One task for each repository, a few at once; what failed is told together.
//!
//! Annex.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use officiant::name::Name;
use tokio::sync::Semaphore;
use tokio::task::{Id, JoinError, JoinSet};

use super::mouth::Progress;

/// How the work goes on.
pub(crate) struct Pace {
    /// What is said of a finished repository.
    pub(crate) what: &'static str,
    /// How many at once.
    pub(crate) jobs: u8,
    /// After so many failures no further repository is begun; what is under way ends.
    pub(crate) failures: usize,
}

/// What became of each repository.
pub(crate) struct Outcome<T, E> {
    pub(crate) done: BTreeMap<Name, T>,
    pub(crate) failed: Failed<E>,
}

/// What was not done.
#[derive(Debug)]
pub(crate) struct Failed<E> {
    /// Why, by repository.
    pub(crate) errors: BTreeMap<Name, E>,
    /// The repositories that were not begun.
    pub(crate) not_begun: Vec<Name>,
}

/// The failures after which nothing more is asked: a server that is down is not asked twenty thousand times.
pub(crate) const ENOUGH: usize = 20;

impl<T, E> Outcome<T, E> {
    /// What was done, if that is everything.
    pub(crate) fn whole(self) -> Result<BTreeMap<Name, T>, Failed<E>> {
        if self.failed.errors.is_empty() { Ok(self.done) } else { Err(self.failed) }
    }

    fn take(
        &mut self,
        ended: Result<(Id, Result<T, E>), JoinError>,
        names: &mut HashMap<Id, Name>,
        broken: fn() -> E,
        progress: &mut Progress,
    ) {
        let (id, result) = ended.unwrap_or_else(|error| (error.id(), Err(broken())));
        match (names.remove(&id), result) {
            (Some(name), Ok(done)) => {
                self.done.insert(name, done);
                progress.step();
            }
            (Some(name), Err(error)) => drop(self.failed.errors.insert(name, error)),
            (None, _) => {}
        }
    }
}

/// Does `work` for every item. A task of ours that ends early counts as `broken`.
pub(crate) async fn each<I, T, E, F>(
    pace: Pace,
    items: BTreeMap<Name, I>,
    broken: fn() -> E,
    work: impl Fn(Name, I) -> F,
) -> Outcome<T, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let permits = Arc::new(Semaphore::new(usize::from(pace.jobs)));
    let failures = Arc::new(AtomicUsize::new(pace.failures));
    let (mut tasks, mut names) = (JoinSet::new(), HashMap::new());
    let failed = Failed { errors: BTreeMap::new(), not_begun: Vec::new() };
    let mut outcome = Outcome { done: BTreeMap::new(), failed };
    let mut progress = Progress::new(pace.what, items.len());
    for (name, item) in items {
        // One after the other begins, in order of name.
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            outcome.failed.not_begun.push(name);
            continue;
        };
        let (permits, failures) = (Arc::clone(&permits), Arc::clone(&failures));
        let work = work(name.clone(), item);
        let task = tasks.spawn(async move {
            let result = work.await;
            // Before the permit goes to the next one.
            if result.is_err() && failures.fetch_sub(1, Ordering::Relaxed) == 1 {
                permits.close();
            }
            drop(permit);
            result
        });
        names.insert(task.id(), name);
        while let Some(ended) = tasks.try_join_next_with_id() {
            outcome.take(ended, &mut names, broken, &mut progress);
        }
    }
    while let Some(ended) = tasks.join_next_with_id().await {
        outcome.take(ended, &mut names, broken, &mut progress);
    }
    outcome
}
