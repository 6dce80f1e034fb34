//! What is published now, and what is not, for people and for machines.
//!
//! Annex; pure.

use std::collections::BTreeMap;

use officiant::digest::Digest;
use officiant::name::Name;
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
}

/// Everything that is published now, fetched back and equal.
#[derive(Debug)]
pub(crate) struct Published {
    /// The closing digest of the trust folder that was published.
    pub(super) closing: Digest,
    pub(super) done: BTreeMap<Name, Done>,
}

impl Published {
    /// The closing digest, to be compared with the signed page, and one line for each repository.
    pub(crate) fn output(&self) -> Output {
        let mut text = format!("closing   {}\n", self.closing.grouped());
        text += &words("words     ", &self.closing);
        for (name, Done { before, now, notes }) in &self.done {
            text += &match before == now {
                true => format!("{name}: version {now} was there already, byte for byte\n"),
                false => format!("{name}: version {before} → {now}, fetched back and equal\n"),
            };
            for note in notes {
                text += &format!("  {note}\n");
            }
        }
        let one = |(name, Done { before, now, notes }): (&Name, &Done)| json!({ "name": name, "before": before, "now": now, "notes": notes });
        let published: Vec<Value> = self.done.iter().map(one).collect();
        let json = json!({
            "closing": self.closing, "words": self.closing.words(), "published": published,
        });
        Output { text, json }
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
        let Output { mut text, mut json } = self.published.output();
        for name in self.failed.errors.keys() {
            text += &format!("{name}: failed\n");
        }
        for name in &self.failed.not_begun {
            text += &format!("{name}: not begun\n");
        }
        let one =
            |(name, error): (&Name, &Error)| json!({ "name": name, "error": error.to_string() });
        json["failed"] = self.failed.errors.iter().map(one).collect();
        json["not_begun"] = json!(self.failed.not_begun);
        Output { text, json }
    }
}
