//! What is published now, and what is not, for people and for machines.
//!
//! Annex; pure. A few repositories are told one by one, a fleet in groups: what is well by its number, what is not by name.

use std::collections::{BTreeMap, BTreeSet};

use officiant::digest::Digest;
use officiant::name::Name;
use officiant::root::SignedRoot;
use officiant::wording::Count;
use serde_json::{Value, json};

use super::Error;
use crate::fleet::Failed;
use crate::report::{Output, words};

/// What became of one repository.
#[derive(Debug)]
pub(crate) struct Done {
    /// The latest version before; 0 for none.
    pub(super) before: u64,
    /// The latest version now.
    pub(super) now: u64,
    /// What else went up, or must be done by others now.
    pub(super) notes: Vec<String>,
    /// What stands for all that is served of it.
    pub(super) seen: Digest,
}

impl Done {
    /// An earlier run published this root.
    pub(super) fn before(last: &SignedRoot, seen: Digest) -> Self {
        let version = last.version().get();
        Self { before: version, now: version, notes: Vec::new(), seen }
    }

    const fn is_new(&self) -> bool {
        self.before != self.now
    }
}

/// Everything that is published now, fetched back and equal.
#[derive(Debug)]
pub(super) struct Published {
    /// The closing digest of the trust folder that was published.
    pub(super) closing: Digest,
    pub(super) done: BTreeMap<Name, Done>,
    /// What the command line left out.
    pub(super) left_out: BTreeSet<Name>,
    /// Whether it is told to a machine, which gets every repository.
    pub(super) is_json: bool,
}

impl Published {
    /// The closing digest, to be compared with the signed page, and what became of the repositories.
    pub(super) fn output(&self) -> Output {
        self.with(&Failed { errors: BTreeMap::new(), not_begun: Vec::new() })
    }

    fn with(&self, failed: &Failed<Error>) -> Output {
        let mut text = format!("closing   {}\n", self.closing.grouped());
        text += &words("words     ", &self.closing);
        let all = self.done.len() + failed.errors.len() + failed.not_begun.len();
        text += &if all > FEW { self.groups(failed) } else { self.each(failed) };
        let json = if self.is_json { self.json(failed) } else { Value::Null };
        Output { text, json }
    }

    fn each(&self, failed: &Failed<Error>) -> String {
        let mut text = String::new();
        for (name, done) in &self.done {
            let Done { before, now, notes, .. } = done;
            text += &match done.is_new() {
                false => format!("{name}: version {now} was there already, byte for byte\n"),
                true => format!("{name}: version {before} → {now}, fetched back and equal\n"),
            };
            for note in notes {
                text += &format!("  {note}\n");
            }
        }
        for (name, error) in &failed.errors {
            let word = if error.is_refused() { "refused" } else { "failed" };
            text += &format!("{name}: {word}\n");
        }
        for name in &failed.not_begun {
            text += &format!("{name}: not begun\n");
        }
        for name in &self.left_out {
            text += &format!("{name}: left out\n");
        }
        text
    }

    fn groups(&self, failed: &Failed<Error>) -> String {
        let new = self.done.values().filter(|done| done.is_new()).count();
        let (refusals, failures): (Vec<_>, Vec<_>) =
            failed.errors.iter().partition(|(_, error)| error.is_refused());
        let names = |errors: &[(&Name, &Error)]| {
            errors.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let left_out: Vec<&str> = self.left_out.iter().map(Name::as_str).collect();
        let mut text = String::new();
        for (head, count, more) in [
            ("published", new, "fetched back and equal".to_owned()),
            ("there", self.done.len() - new, "already, byte for byte".to_owned()),
            ("refused", refusals.len(), names(&refusals)),
            ("failed", failures.len(), names(&failures)),
            ("not begun", failed.not_begun.len(), "publish again".to_owned()),
            ("left out", left_out.len(), left_out.join(", ")),
        ] {
            if count > 0 {
                text += &format!("{head:9} {}: {more}\n", Count(count, "repository"));
            }
        }
        text + &self.notes()
    }

    /// What was noted, each with the repositories that it is of.
    fn notes(&self) -> String {
        let mut notes: BTreeMap<&str, Vec<&Name>> = BTreeMap::new();
        for (name, done) in &self.done {
            for note in &done.notes {
                notes.entry(note).or_default().push(name);
            }
        }
        let mut text = String::new();
        for (note, names) in notes.iter().take(FEW) {
            text += &match names[..] {
                [name] => format!("note      {name}: {note}\n"),
                _ => format!("note      {}: {note}\n", Count(names.len(), "repository")),
            };
        }
        match notes.len().checked_sub(FEW) {
            Some(more @ 1..) => text + &format!("note      {more} more, which `--json` shows\n"),
            _ => text,
        }
    }

    fn json(&self, failed: &Failed<Error>) -> Value {
        let one = |(name, done): (&Name, &Done)| json!({ "name": name, "before": done.before, "now": done.now, "notes": done.notes });
        let mut json = json!({
            "closing": self.closing,
            "words": self.closing.words(),
            "published": self.done.iter().map(one).collect::<Vec<_>>(),
            "left_out": self.left_out,
        });
        if !failed.is_nothing() {
            let one = |(name, error): (&Name, &Error)| json!({ "name": name, "error": error.to_string() });
            json["failed"] = failed.errors.iter().map(one).collect();
            json["not_begun"] = json!(failed.not_begun);
        }
        json
    }
}

/// Why not everything is published.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something went up, and then something failed.
    Begun(Stopped),
    /// Nothing was looked at.
    Begin(Error),
    /// What is to be published was refused.
    Judged(Failed<Error>),
}

/// How far it went.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(super) published: Published,
    /// What failed, and what was not begun.
    pub(crate) failed: Failed<Error>,
}

impl Stopped {
    /// What is now true.
    pub(crate) fn standing(&self) -> String {
        let count = |number| Count(number, "repository");
        let (failed, left) = (self.failed.errors.len(), self.failed.not_begun.len());
        let mut standing = match self.published.done.len() {
            0 => "no repository was published whole".to_owned(),
            1 => "1 repository was published and compared".to_owned(),
            n => format!("{} were published and compared", count(n)),
        };
        if failed > 1 || left > 0 || !self.published.done.is_empty() {
            standing += &format!(", {failed} failed, {left} not begun");
        }
        standing + "; publish again to see and finish"
    }

    /// What was done all the same, with the names of the rest.
    pub(crate) fn output(&self) -> Output {
        self.published.with(&self.failed)
    }
}

/// So many repositories are told one by one.
const FEW: usize = 20;
