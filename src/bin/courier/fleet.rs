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
pub(crate) struct Pace<E> {
    /// What is said of a finished repository.
    pub(crate) what: &'static str,
    /// How many at once.
    pub(crate) jobs: u8,
    /// How much a failure weighs: after [`ENOUGH`] no further repository is begun; what is under way ends.
    pub(crate) weight: fn(&E) -> usize,
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

/// Every failure counts as one.
pub(crate) const fn one<E>(_: &E) -> usize {
    1
}

impl<E> Failed<E> {
    /// Whether nothing failed.
    pub(crate) fn is_nothing(&self) -> bool {
        self.errors.is_empty() && self.not_begun.is_empty()
    }
}

/// Does `work` for every item, and gives what comes of each to `keep`, one after the other. A task of ours that ends
/// early counts as `broken`.
pub(crate) async fn each<I, T, E, F>(
    pace: Pace<E>,
    items: impl IntoIterator<Item = (Name, I), IntoIter: ExactSizeIterator>,
    broken: fn() -> E,
    work: impl Fn(Name, I) -> F,
    keep: impl FnMut(Name, T) -> Result<(), E>,
) -> Failed<E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let items = items.into_iter();
    let permits = Arc::new(Semaphore::new(usize::from(pace.jobs)));
    let mut fleet = Fleet {
        left: Arc::new(Left { permits: Arc::clone(&permits), failures: AtomicUsize::new(ENOUGH) }),
        names: HashMap::new(),
        failed: Failed { errors: BTreeMap::new(), not_begun: Vec::new() },
        progress: Progress::new(pace.what, items.len()),
        weight: pace.weight,
        broken,
        keep,
    };
    let mut tasks = JoinSet::new();
    for (name, item) in items {
        // One after the other begins, in order of name.
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            fleet.failed.not_begun.push(name);
            continue;
        };
        let (left, weight, work) = (Arc::clone(&fleet.left), pace.weight, work(name.clone(), item));
        let task = tasks.spawn(async move {
            let result = work.await;
            // Before the permit goes to the next one.
            if let Err(error) = &result {
                left.less(weight(error));
            }
            drop(permit);
            result
        });
        fleet.names.insert(task.id(), name);
        while let Some(ended) = tasks.try_join_next_with_id() {
            fleet.take(ended);
        }
    }
    while let Some(ended) = tasks.join_next_with_id().await {
        fleet.take(ended);
    }
    fleet.failed
}

/// How many failures are left, and what ends with them.
struct Left {
    permits: Arc<Semaphore>,
    failures: AtomicUsize,
}

impl Left {
    fn less(&self, weight: usize) {
        let less = |left: usize| Some(left.saturating_sub(weight));
        let before = self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        if before.unwrap_or(0) <= weight {
            self.permits.close();
        }
    }
}

/// The repositories that are under way.
struct Fleet<E, K> {
    left: Arc<Left>,
    names: HashMap<Id, Name>,
    failed: Failed<E>,
    progress: Progress,
    weight: fn(&E) -> usize,
    broken: fn() -> E,
    keep: K,
}

impl<E, K> Fleet<E, K> {
    fn take<T>(&mut self, ended: Result<(Id, Result<T, E>), JoinError>)
    where
        K: FnMut(Name, T) -> Result<(), E>,
    {
        let (id, result) = ended.unwrap_or_else(|error| (error.id(), Err((self.broken)())));
        let Some(name) = self.names.remove(&id) else { return };
        let kept = result.and_then(|done| {
            (self.keep)(name.clone(), done)
                .inspect_err(|error| self.left.less((self.weight)(error)))
        });
        match kept {
            Ok(()) => self.progress.step(),
            Err(error) => drop(self.failed.errors.insert(name, error)),
        }
    }
}
