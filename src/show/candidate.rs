//! The folder of a candidate: the change that is about to be signed, and the words of the consent digest.
//!
//! Roof, pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::document::{short, signed};
use crate::ceremony::closing::Files;
use crate::ceremony::draft::{self, Draft};
use crate::ceremony::plan::{self, Plan};
use crate::ceremony::reading::{self, Group, page_of};
use crate::check::Check;
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::name::Name;
use crate::paper::Paper;
use crate::refusal::Refusal;
use crate::root::{Role, SignedRoot, succession};
use crate::trust::{METADATA, Past, below};

/// The room file in the folder.
pub(super) const ROOM: &str = "room.toml";
const PREVIOUS: &str = "previous/";

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
    pub look_alikes: Vec<(String, String)>,
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
        let bad = |what: String| Refusal::of(Check::SecondReader, what);
        let text = files.get(plan::FILE).map_or(&[][..], Vec::as_slice);
        let plan = Plan::parse(text, |name| files.get(name).cloned())
            .map_err(|error| bad(error.to_string()))?;
        let room = Digest::of(files.get(ROOM).map_or(&[], Vec::as_slice));
        let mut used: BTreeSet<String> = [plan::FILE, ROOM].map(str::to_owned).into();
        used.extend(plan.list_name().map(str::to_owned));
        let mut drafts = Vec::new();
        for repository in plan.repositories() {
            let draft = draft(files, &repository.name, &mut used)?;
            check_pins(&plan, &draft)?;
            check_own(own, &draft)?;
            drafts.push(draft);
        }
        if let Some(spare) = files.keys().find(|path| !used.contains(*path)) {
            return Err(bad(format!("`{spare}` belongs to no repository of the plan")));
        }
        let named = |public: &PublicKey| {
            own.and_then(|past| Some(past.custody().key_of(public)?.name.clone()))
        };
        let called =
            |public: &PublicKey| named(public).or_else(|| own.is_none().then(|| short(public)));
        let page = page_of(&drafts, &called);
        let consent = draft::consent(plan.digest(), room, &drafts);
        let change =
            |group: Group| Change { repositories: group.repositories, sentences: group.sentences };
        Ok(Self {
            title: plan.title().to_owned(),
            plan: plan.digest(),
            room,
            consent,
            words: consent.words().to_vec(),
            changes: page.alone.into_iter().chain(page.together).map(change).collect(),
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

/// The candidate of one repository, and the root before it.
fn draft(files: &Files, repository: &str, used: &mut BTreeSet<String>) -> Result<Draft, Refusal> {
    let bad = |what: String| Refusal::of(Check::SecondReader, format!("`{repository}`: {what}"));
    let name: Name = repository.parse().map_err(|error| bad(format!("{error}")))?;
    let folder = format!("{METADATA}/{}/", name.folder());
    let mut only = |prefix: &str| -> Result<Option<SignedRoot>, Refusal> {
        let place = format!("{prefix}{folder}");
        let found: BTreeMap<String, Vec<u8>> = below(files, &place);
        let mut roots = found.into_iter();
        let (Some((file, bytes)), None) = (roots.next(), roots.next()) else {
            return if below(files, &place).is_empty() {
                Ok(None)
            } else {
                Err(bad(format!("`{place}` holds more than one root")))
            };
        };
        let root = signed(&bytes)?;
        if file != format!("{}.root.json", root.version()) {
            return Err(bad(format!("`{place}{file}` is version {}", root.version())));
        }
        used.insert(format!("{place}{file}"));
        Ok(Some(root))
    };
    let last = only(PREVIOUS)?;
    let next = only("")?.ok_or_else(|| bad("the candidate is missing".into()))?;
    if !next.signatures().is_empty() {
        return Err(bad("the candidate carries signatures before anybody consented".into()));
    }
    succession::check(last.as_ref().map(SignedRoot::root), next.root())
        .map_err(|error| Refusal::of(error.check(), format!("`{repository}`: {error}")))?;
    let (chain, root) = (last.into_iter().collect(), next.root().clone());
    Ok(Draft { repository: repository.to_owned(), chain, root })
}

/// Every online key that is new in its role is one that the plan pins. `[REQUEST-KEY-PINNED]`
fn check_pins(plan: &Plan, draft: &Draft) -> Result<(), Refusal> {
    let planned = plan.repositories().iter().find(|planned| planned.name == draft.repository);
    for role in Role::ONLINE {
        for (_, key) in draft.root.role_keys(role) {
            let held = draft.last().is_some_and(|last| {
                last.root().role_keys(role).any(|(_, old)| old.public() == key.public())
            });
            let pinned = planned.and_then(|planned| planned.pins.get(&role));
            let is_pinned = key
                .public()
                .is_some_and(|public| pinned.is_some_and(|pins| pins.contains(&public.id())));
            if !held && !is_pinned {
                let id =
                    key.public().map_or_else(|| key.id().to_string(), |key| key.id().to_string());
                let what = format!(
                    "`{}`: key {id} is new in `{role}`, and the plan does not pin it",
                    draft.repository
                );
                return Err(Refusal::of(Check::RequestKeyPinned, what));
            }
        }
    }
    Ok(())
}

/// The old root is the one that the reader's own trust folder ends with, where it knows the repository.
fn check_own(own: Option<&Past>, draft: &Draft) -> Result<(), Refusal> {
    let known = own.and_then(|past| past.latest(&draft.repository));
    match (known, draft.last()) {
        (Some(known), Some(last)) if known.bytes() == last.bytes() => Ok(()),
        (Some(known), _) => {
            let what = format!(
                "`{}`: the candidate does not follow root {} of your trust folder",
                draft.repository,
                known.version()
            );
            Err(Refusal::of(Check::SecondReader, what)
                .hint("say stop: the two machines do not see the same past"))
        }
        (None, _) => Ok(()),
    }
}
