//! What a file or folder says, for people and for machines: roots, candidates, requests, proofs, trust folders.
//!
//! Roof, pure. On the second reader's machine it is the other pair of eyes (docs/threats.md rule 5): it believes nothing
//! of what the first machine says, and makes the consent digest anew from the bytes.

use serde::Serialize;

use crate::ceremony::candidate::ROOM;
use crate::ceremony::plan;
use crate::check::Check;
use crate::files::Files;
use crate::paper::Paper;
use crate::refusal::{Exit, Refusal};
use crate::request::Brought;
use crate::request::proof::Proof;
use crate::trust::{CUSTODY, Past};

mod candidate;
mod document;
mod folder;

pub use candidate::Candidate;
pub use document::Document;
pub use folder::{Asked, Holders, Possession};

/// What was shown.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Shown {
    /// The folder that a ceremony lays on `room` media for the second reader.
    Candidate(Candidate),
    /// A proof of possession.
    Proof(Possession),
    /// What `courier fetch` brought.
    Request(Asked),
    /// A root, signed or not.
    Root(Document),
    /// A trust folder.
    Trust(Holders),
}

/// Shows one file. `previous` is the root before it, if the reader has it.
///
/// # Errors
/// A file that is none of those that are shown.
pub fn file(bytes: &[u8], previous: Option<&[u8]>) -> Result<Shown, Refusal> {
    match Document::read(bytes, previous) {
        Ok(document) => Ok(Shown::Root(document)),
        Err(refusal) => match Proof::read_lines(bytes).as_deref() {
            Ok(all @ [first, ..]) if previous.is_none() => {
                Ok(Shown::Proof(Possession::of(first, all)))
            }
            _ => Err(refusal),
        },
    }
}

/// Shows a folder. `own` is the reader's own copy of the trust folder, against which a candidate's past is held.
///
/// # Errors
/// A folder that is none of those that are shown, or that contradicts itself.
pub fn folder(files: Files, own: Option<&Past>) -> Result<Shown, Refusal> {
    if files.contains(CUSTODY) {
        return Ok(Shown::Trust(Holders::of(&Past::read(files)?)));
    }
    if files.contains(plan::FILE) && files.contains(ROOM) {
        return Candidate::read(&files, own).map(Shown::Candidate);
    }
    if files.contains(crate::request::PAGE) {
        let request = Brought::read(&files)
            .map_err(|error| Refusal::of(Check::RequestForm, error.to_string()))?;
        return Asked::of(&request).map(Shown::Request);
    }
    let what = "the folder is no trust folder, no candidate and no request";
    Err(Refusal::new(Exit::Usage, what)
        .hint("on media they are called `trust`, `candidate-…` and `request`"))
}

/// What was shown, for people.
pub fn paper(shown: &Shown) -> Paper {
    match shown {
        Shown::Candidate(candidate) => candidate.paper(),
        Shown::Proof(proof) => proof.paper(),
        Shown::Request(asked) => asked.paper(),
        Shown::Root(document) => document.paper(),
        Shown::Trust(holders) => holders.paper(),
    }
}

#[cfg(test)]
mod tests;
