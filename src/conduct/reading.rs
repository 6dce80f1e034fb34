//! Candidates: drafted, walked, signed once with throw-away keys, exported, and read by people and by a second machine.
//!
//! Roof.

use std::collections::BTreeMap;

use super::Session;
use super::words::{Asked, YES_OR_NO, is_yes};
use crate::ceremony::draft::{self, Draft};
use crate::ceremony::fact::{Fact, RootMade};
use crate::ceremony::prospect::{self, Newest};
use crate::ceremony::{closing, reach, reading};
use crate::check::Check;
use crate::record::Mode;
use crate::refusal::{Exit, Refusal};
use crate::room::console::{Expected, Prompt};
use crate::room::media::{self, Kind};
use crate::root::SignedRoot;

impl Session<'_> {
    pub(super) fn draft_roots(&mut self) -> Result<Fact, Refusal> {
        let drafts = draft::drafts(&self.ceremony)?;
        let at = self.room.clock.now();
        let (mut horizon, mut walked) = (Vec::new(), 0);
        for draft in &drafts {
            let assumed = prospect::signers(&self.ceremony, draft);
            let newest = Newest::Assumed(&assumed);
            let fares = prospect::check(self.ceremony.plan(), draft, newest, at)?;
            horizon.extend(prospect::sentences(&draft.repository, &fares));
            walked += 1;
            self.progress(walked, drafts.len(), "walked by every client")?;
        }
        self.sign_dry(&drafts)?;
        self.show_horizon(&horizon)?;
        let files = self.candidate_files(&drafts)?;
        let name = candidate_folder(&self.ceremony.plan().digest());
        media::write_tree(&self.room.binding.work, &name, &files)
            .map_err(|error| self.device(&error))?;
        let room = self.room.binding.media.room.clone();
        for root in &room {
            media::expect(root, Kind::Room).map_err(|error| self.device(&error))?;
        }
        self.room.expect_apart(&room).map_err(|error| self.device(&error))?;
        for root in room {
            media::write_tree(&root, &name, &files).map_err(|error| self.device(&error))?;
        }
        let room = self.inputs.room_digest();
        let consent = draft::consent(self.ceremony.plan().digest(), room, &drafts);
        // No word of the consent digest stands here before the second reader's machine gave some.
        self.show(&format!("        folder {name} is on both room media"))?;
        Ok(Fact::RootsDrafted { roots: drafts.iter().map(Draft::made).collect(), consent })
    }

    /// The first days on which somebody fails; the rest stands in the report.
    fn show_horizon(&mut self, horizon: &[String]) -> Result<(), Refusal> {
        for sentence in horizon.iter().take(SHOWN) {
            self.show(&format!("        {sentence}"))?;
        }
        match horizon.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => self.show(&format!("        and {more} more; the report has them all")),
        }
    }

    /// Signs the candidates with keys that are thrown away at once. `[DRY-SIGNATURE]`
    fn sign_dry(&mut self, drafts: &[Draft]) -> Result<(), Refusal> {
        self.vault()?;
        let Self { ceremony, vault: Some(vault), .. } = self else {
            return Err(Refusal::new(Exit::Ours, "the vault did not start"));
        };
        draft::try_dry(ceremony, drafts, &mut |algorithm, inputs| {
            vault.sign_dry(algorithm, inputs).map_err(|error| error.refusal(ceremony.standing()))
        })
    }

    /// What the second reader's machine needs to see the same change and say the same words.
    fn candidate_files(&self, drafts: &[Draft]) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
        let mut files = BTreeMap::new();
        for name in ["plan.toml", "room.toml"].into_iter().chain(self.ceremony.plan().list_name()) {
            let bytes = self.inputs.file(name).unwrap_or_default();
            files.insert(name.to_owned(), bytes.to_vec());
        }
        for draft in drafts {
            let candidate = SignedRoot::assemble(&draft.root, &[]);
            let path = closing::root_path(&draft.repository, &candidate)?;
            files.insert(path, candidate.bytes().to_vec());
            if let Some(last) = draft.last() {
                let path = closing::root_path(&draft.repository, last)?;
                files.insert(format!("previous/{path}"), last.bytes().to_vec());
            }
        }
        Ok(files)
    }

    pub(super) fn read_roots(&mut self, step: u32) -> Result<Fact, Refusal> {
        let drafts = draft::drafts(&self.ceremony)?;
        let page = reading::page(&self.ceremony, &drafts);
        for names in reading::alike(&page.look_alikes) {
            self.show(&format!("        look twice: {names}"))?;
        }
        let mut alone = Vec::new();
        for group in &page.alone {
            self.show(&group.text())?;
            self.ask_name(step, &group.repositories[0])?;
            alone.push(group.repositories[0].clone());
        }
        if let Some(group) = &page.together {
            self.show(&group.text())?;
        }
        let (second_reader, wrong) = self.hear_second_reader(step)?;
        Ok(Fact::RootsRead { second_reader, alone, wrong })
    }

    /// A repository that stands alone is typed by name, so that nobody passes over it. `[FLEET-OUTLIER]`
    fn ask_name(&mut self, step: u32, repository: &str) -> Result<(), Refusal> {
        let prompt = Prompt {
            step,
            id: format!("outlier {repository}"),
            who: "operator".to_owned(),
            text: format!("{repository} stands alone: type its name in full"),
            expected: Some(Expected::Text(repository.to_owned())),
        };
        let is_it = |typed: &str| (typed == repository).then_some(());
        self.ask_until(&prompt, "that is not its name", is_it)?.ok_or_else(|| {
            let what = format!(
                "`{repository}` changes otherwise than the others, and was not typed by name"
            );
            Refusal::of(Check::FleetOutlier, what)
                .hint("find out why it differs; `resume` shows it again")
        })
    }

    /// The words that another machine shows for the exported candidate; without one, an exception.
    fn hear_second_reader(&mut self, step: u32) -> Result<(bool, u32), Refusal> {
        let prompt = Prompt {
            step,
            id: "second-reader".to_owned(),
            who: "operator".to_owned(),
            text: "is there a second reader with another machine, yes or no".to_owned(),
            expected: Some(Expected::Text("yes".to_owned())),
        };
        let folder = candidate_folder(&self.ceremony.plan().digest());
        let told = match (self.room.mode, &self.room.binding.media.room) {
            // Its media are folders of this machine.
            (Mode::Rehearsal, [room, _]) => {
                format!("`officiant show {}` at another terminal", room.join(folder).display())
            }
            _ => format!("`officiant show {folder}` on another machine, from room media"),
        };
        self.show(&format!("        a second reader runs {told}"))?;
        match self.ask_until(&prompt, YES_OR_NO, is_yes)? {
            Some(true) => self.ask_second_reader(step).map(|wrong| (true, wrong)),
            Some(false) => {
                let expected = "a second reader gives words from another machine".to_owned();
                self.ask_exception(step, expected, "there is no second reader".to_owned())?;
                Ok((false, 0))
            }
            None => {
                Err(Refusal::new(Exit::Refused, "nobody said whether there is a second reader")
                    .hint("decide, and `resume`"))
            }
        }
    }

    fn ask_second_reader(&mut self, step: u32) -> Result<u32, Refusal> {
        let drafted = self.ceremony.drafted().map(|(_, consent)| consent);
        let consent = drafted.ok_or_else(|| Refusal::new(Exit::Ours, "nothing was drafted"))?;
        let asked = Asked {
            step,
            id: "second-reader-words",
            who: "second reader",
            what: "what `officiant show` says on the other machine",
            check: Check::SecondReader,
            count: 4,
        };
        self.ask_words(&asked, &consent)
    }

    pub(super) fn assemble_roots(&mut self, step: u32) -> Result<Fact, Refusal> {
        let at = self.room.clock.now();
        let mut roots = Vec::new();
        let mut files = BTreeMap::new();
        let all = draft::assemble(&self.ceremony)?;
        for (draft, complete) in &all {
            let newest = Newest::Complete(complete);
            match prospect::check(self.ceremony.plan(), draft, newest, at) {
                // What was finished late is complete all the same, by the same people's decision.
                Err(refusal) if self.ceremony.is_late() => {
                    self.ask_exception(step, reach::SAME_DAY.to_owned(), refusal.what)?;
                }
                walked => walked.map(drop)?,
            }
            files.insert(
                closing::root_path(&draft.repository, complete)?,
                complete.bytes().to_vec(),
            );
            let (repository, version) = (draft.repository.clone(), complete.version().get());
            roots.push(RootMade { repository, version, sha256: complete.digest() });
            self.progress(roots.len(), all.len(), "walked by every client")?;
        }
        let written = media::write_tree(&self.room.binding.work, "complete", &files);
        written.map_err(|error| self.device(&error))?;
        let walked = if self.ceremony.is_late() { "" } else { ", walked by every client" };
        let roots_made = crate::wording::Count(roots.len(), "root");
        self.show(&format!("        {roots_made} complete{walked}"))?;
        Ok(Fact::RootsAssembled { roots })
    }
}

/// How many sentences of the horizon fit a screen.
const SHOWN: usize = 8;

/// The folder of the candidates: each plan its own, since `room` media stay.
fn candidate_folder(plan: &crate::digest::Digest) -> String {
    format!("candidate-{}", &plan.to_string()[..8])
}
