//! Errors as refusals: what is wrong, what to do, what is now true; and the exit code.
//!
//! Annex; the one place where an error of courier gets its hints.

mod causes;
mod key;

use std::collections::BTreeMap;

use officiant::digest::Digest;
use officiant::name::Name;
use officiant::refusal::{Exit, Refusal};
use officiant::wording::Count;

use super::fleet::Failed;
use super::trust::change::Unchanged;
use super::{digest, fetch, key as command, prove, publish, pull, run, trust};

/// What a command has done, for people and for machines.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) text: String,
    pub(crate) json: serde_json::Value,
}

impl Output {
    /// As JSON on a line, or as text.
    pub(crate) fn in_form(&self, is_json: bool) -> String {
        if is_json { format!("{}\n", self.json) } else { self.text.clone() }
    }
}

/// A command that was not done, or not whole.
#[derive(Debug)]
pub(crate) struct Undone {
    /// What was refused; at least one.
    pub(crate) refusals: Vec<Refusal>,
    /// What is now true.
    pub(crate) standing: String,
    /// What was done all the same.
    pub(crate) output: Option<Output>,
}

impl Undone {
    fn one(refusal: Refusal) -> Self {
        let standing = refusal.standing.clone();
        Self { refusals: vec![refusal], standing, output: None }
    }

    /// Whose fault it is: that of the first.
    pub(crate) fn exit(&self) -> Exit {
        self.refusals.first().map_or(Exit::Ours, |refusal| refusal.exit)
    }
}

/// The digest as four lines of six words, after `head` and then blanks of its width.
pub(crate) fn words(head: &str, digest: &Digest) -> String {
    let mut text = String::new();
    for (at, line) in digest.words().chunks(6).enumerate() {
        let head = if at == 0 { head.to_owned() } else { " ".repeat(head.len()) };
        text += &format!("{head}{}\n", line.join(" "));
    }
    text
}

impl From<digest::Error> for Undone {
    fn from(error: digest::Error) -> Self {
        Self::one(causes::of_digest(&error).standing("nothing was written"))
    }
}

/// Rows under each other, three blanks between the columns.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        text += cells.collect::<Vec<_>>().join("   ").trim_end();
        text.push('\n');
    }
    text
}

impl From<fetch::Failure> for Undone {
    fn from(failure: fetch::Failure) -> Self {
        match failure {
            fetch::Failure::Whole(error) => Self::one(causes::of_fetch(&error)),
            fetch::Failure::Some { failed: Failed { errors, not_begun }, kept } => {
                let refusals = each(&errors, causes::of_fetch);
                let kept = match kept {
                    0 => "nothing was written".to_owned(),
                    kept => format!(
                        "no request was written; {} fetched, and kept for the next run",
                        Count(kept, "repository")
                    ),
                };
                let standing = unasked(&refusals, &not_begun, &kept);
                Self { refusals, standing, output: None }
            }
        }
    }
}

impl From<trust::Error> for Undone {
    fn from(error: trust::Error) -> Self {
        match error {
            trust::Error::Fetch(failure) => Self::from(*failure),
            error => {
                let refusal = causes::of_trust(&error);
                let output = match error {
                    trust::Error::After { done, .. } => Some(done.output),
                    trust::Error::Change(Unchanged::Unvouched { shown, .. }) => {
                        Some(shown.output())
                    }
                    _ => None,
                };
                Self { output, ..Self::one(refusal) }
            }
        }
    }
}

impl From<trust::status::Failure> for Undone {
    fn from(failure: trust::status::Failure) -> Self {
        match failure {
            trust::status::Failure::Begin(error) => Self::from(error),
            trust::status::Failure::Found(found) => Self {
                refusals: found.fleet.refusals(causes::of_trust),
                standing: found.standing,
                output: Some(found.output),
            },
        }
    }
}

impl From<command::Failure> for Undone {
    fn from(failure: command::Failure) -> Self {
        Self::one(key::of_command(&failure.error).standing(failure.standing))
    }
}

impl From<prove::Error> for Undone {
    fn from(error: prove::Error) -> Self {
        Self::one(causes::of_prove(&error))
    }
}

impl From<publish::Failure> for Undone {
    fn from(failure: publish::Failure) -> Self {
        match failure {
            publish::Failure::Begin(error) => {
                Self::one(causes::of_publish(&error).standing("nothing was published"))
            }
            publish::Failure::Judged(Failed { errors, not_begun }) => {
                let refusals = each(&errors, causes::of_publish);
                let standing = unasked(&refusals, &not_begun, "nothing was published");
                Self { refusals, standing, output: None }
            }
            publish::Failure::Begun(stopped) => Self {
                refusals: each(&stopped.failed.errors, causes::of_publish),
                standing: stopped.standing(),
                output: Some(stopped.output()),
            },
        }
    }
}

impl From<pull::Failure> for Undone {
    fn from(failure: pull::Failure) -> Self {
        let standing = match &failure.pulled[..] {
            [] => "nothing was pulled".to_owned(),
            pulled => format!("pulled before it: {}", pulled.join(", ")),
        };
        Self::one(causes::of_pull(&failure.error).standing(standing))
    }
}

impl From<run::Error> for Undone {
    fn from(error: run::Error) -> Self {
        Self::one(causes::of_run(&error).standing("nothing was run"))
    }
}

/// The refusals of a fleet, each saying whose it is where its own words do not.
fn each<E>(errors: &BTreeMap<Name, E>, refusal: impl Fn(&E) -> Refusal) -> Vec<Refusal> {
    let named = |(name, error): (&Name, &E)| {
        let refusal = refusal(error);
        match errors.len() == 1 || refusal.what.contains(name.as_str()) {
            true => refusal,
            false => Refusal { what: format!("repository `{name}`: {}", refusal.what), ..refusal },
        }
    };
    errors.iter().map(named).collect()
}

/// What is now true, and how much nobody looked at.
fn unasked(refusals: &[Refusal], not_begun: &[Name], standing: &str) -> String {
    match not_begun.len() {
        0 => standing.to_owned(),
        more => format!(
            "{standing}; after {} refusals {more} more repositories were not looked at",
            refusals.len()
        ),
    }
}
