//! The folder of a candidate: the change that is about to be signed, and the words of the consent digest.
//!
//! Roof, pure.

use serde::Serialize;

use super::document::short;
use crate::ceremony::candidate;
use crate::ceremony::reading::{self, Group, names_digest, page_of};
use crate::check::Check;
use crate::digest::Digest;
use crate::files::Files;
use crate::key::PublicKey;
use crate::paper::Paper;
use crate::refusal::Refusal;
use crate::trust::Past;

/// A candidate.
#[derive(Clone, Debug, Serialize)]
pub struct Candidate {
    /// The plan's title.
    pub title: String,
    /// SHA-256 of the plan.
    pub plan: Digest,
    /// SHA-256 of the room file.
    pub room: Digest,
    /// What consent is given to.
    pub consent: Digest,
    /// Its 24 words.
    pub words: Vec<&'static str>,
    /// The changes: those of single repositories first.
    pub changes: Vec<Change>,
    /// Names that a tired reader takes for one another.
    pub look_alikes: Vec<Vec<String>>,
    /// Whether the old roots are those of the reader's own trust folder.
    pub past_compared: bool,
}

/// A change.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// The repositories that change so.
    pub repositories: Vec<String>,
    /// How, as sentences.
    pub sentences: Vec<String>,
}

impl Candidate {
    pub(super) fn read(files: &Files, own: Option<&Past>) -> Result<Self, Refusal> {
        let read = candidate::Candidate::read(files, own)?;
        if let Some(signed) = read.signed.iter().position(|root| !root.signatures().is_empty()) {
            let name = read.drafts.get(signed).map_or("", |draft| draft.repository.as_str());
            let what =
                format!("`{name}`: the candidate carries signatures before anybody consented");
            return Err(Refusal::of(Check::SecondReader, what));
        }
        let named = |public: &PublicKey| {
            own.and_then(|past| Some(past.custody().key_of(public)?.name.clone()))
        };
        let called =
            |public: &PublicKey| named(public).or_else(|| own.is_none().then(|| short(public)));
        let page = page_of(&read.drafts, &called);
        let consent = read.consent();
        let name = |place: usize| read.drafts[place].repository.clone();
        let change = |group: Group| Change {
            repositories: group.places().map(name).collect(),
            sentences: group.sentences,
        };
        Ok(Self {
            title: read.plan.title().to_owned(),
            plan: read.plan.digest(),
            room: read.room,
            consent,
            words: consent.words().to_vec(),
            changes: page.uncommon.into_iter().chain(page.common).map(change).collect(),
            look_alikes: page.look_alikes,
            past_compared: own.is_some(),
        })
    }

    pub(super) fn paper(&self) -> Paper {
        let mut paper = Paper::new(format!("Candidate: {}", self.title), "");
        paper.pairs([("plan", self.plan.grouped()), ("room.toml", self.room.grouped())]);
        paper.prose(if self.past_compared {
            "The old roots are those of your own trust folder."
        } else {
            "The old roots are those that came with the candidate; --previous compares them with your own trust folder."
        });
        for change in &self.changes {
            paper.section(match change.repositories.as_slice() {
                [one] => format!("`{one}` changes so"),
                many => format!("{} repositories change in one way", many.len()),
            });
            if change.repositories.len() > 1 {
                paper.prose(change.repositories.join(", "));
                // By it the two machines are compared where no screen has them all.
                let names = names_digest(change.repositories.iter().map(String::as_str)).grouped();
                paper.prose(format!("SHA-256 of all names, a line each: {names}"));
            }
            paper.points(change.sentences.clone());
        }
        for names in reading::alike(&self.look_alikes) {
            paper.prose(format!("Look twice: {names}."));
        }
        paper.prose("Read the changes first. Then give the words that the other machine asks for, by their numbers.");
        paper.digest("The consent digest", self.consent);
        paper
    }
}
