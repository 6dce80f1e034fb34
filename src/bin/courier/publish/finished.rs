//! The journal of a publication: which repositories were published and compared, for the run that finishes the rest.
//!
//! Annex: the journal. What it says is asked for once more, by one question a repository.

use std::collections::BTreeMap;

use officiant::digest::Digest;
use officiant::name::Name;
use officiant::root::SignedRoot;

use super::{Done, Error};
use crate::args;
use crate::journal::Journal;

/// What earlier runs have finished.
pub(super) struct Finished {
    journal: Journal,
    /// The newest root, and what stood for all that was served of it.
    before: BTreeMap<Name, (Digest, Digest)>,
}

impl Finished {
    /// Takes up the journal of this trust folder and this place, or begins it.
    pub(super) fn open(args: &args::Publish, closing: Digest) -> Result<Self, Error> {
        let mut before = BTreeMap::new();
        let known = |text: &str, _| {
            if let Some((name, root, seen)) = fields(text) {
                before.insert(name, (root, seen));
            }
        };
        let to = &args.to;
        let places = [&to.server, &to.directory, &to.bucket].into_iter().flatten();
        let about: Vec<&[u8]> =
            [&closing.as_bytes()[..]].into_iter().chain(places.map(String::as_bytes)).collect();
        let journal = Journal::open(args.going_on.journal.as_deref(), "publish", &about, known)?;
        Ok(Self { journal, before })
    }

    /// What stood for all that was served of a repository when this root was published.
    pub(super) fn seen(&self, name: &Name, root: &SignedRoot) -> Option<Digest> {
        let (known, seen) = self.before.get(name)?;
        (*known == Digest::of(root.bytes())).then_some(*seen)
    }

    /// Keeps that a repository is published and compared.
    pub(super) fn keep(&self, name: &Name, root: &SignedRoot, done: &Done) -> Result<(), Error> {
        let root = Digest::of(root.bytes());
        self.journal.append(&format!("{name} {root} {}", done.seen))?;
        Ok(())
    }

    /// Everything is published: the journal is done.
    pub(super) fn done(self) {
        self.journal.remove();
    }
}

fn fields(text: &str) -> Option<(Name, Digest, Digest)> {
    let mut fields = text.split(' ');
    let mut next = || fields.next();
    Some((next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?))
}
