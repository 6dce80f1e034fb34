//! Candidates: drafted, walked, signed once with throw-away keys, exported, and read by people and by a second machine.
//!
//! Roof.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use super::Session;
use super::hands::to_each;
use super::words::{Asked, YES_OR_NO, is_yes};
use crate::ceremony::draft::{self, Draft};
use crate::ceremony::fact::Fact;
use crate::ceremony::means::PIECE;
use crate::ceremony::{candidate, prospect, reach, reading};
use crate::check::Check;
use crate::files::{self, Bytes, Files};
use crate::key::ToSign;
use crate::record::Mode;
use crate::refusal::{Exit, Refusal};
use crate::room::console::{Expected, Prompt};
use crate::room::media::{self, Kind};
use crate::wording::Count;
use crate::wording::told::Told;

impl Session<'_> {
    pub(super) fn draft_roots(&mut self, step: u32) -> Result<Fact, Refusal> {
        let (at, ceremony) = (self.room.clock.now(), self.ceremony.clone());
        let of = ceremony.plan().repositories().len();
        let shelf = Arc::clone(self.inputs.shelf());
        let mut lines = files::Writer::new(&shelf);
        let horizon = Told::default();
        let look = |place: usize, draft: &Draft| {
            horizon.add(place, &draft.repository, prospect::walk(&ceremony, draft, at)?);
            Ok((draft.clone(), candidate::line(draft, &draft.candidate)))
        };
        let sheets = self.while_signing_dry(|session, dry| {
            draft::make(&ceremony, &look, &mut |place, (draft, line)| {
                lines.put(&line)?;
                dry(draft)?;
                session.progress(place + 1, of, "walked by every client")
            })
        })?;
        self.show_horizon(&horizon.finish())?;
        self.write_candidates(lines.finish()?)?;
        while self.ceremony.recorded_drafts() < sheets.count() {
            let first = self.ceremony.recorded_drafts();
            let roots = sheets.made(&self.ceremony, first..first + PIECE)?;
            self.take(step, Fact::Drafted { roots })?;
        }
        let consent = sheets.consent;
        let consent = consent.ok_or_else(|| Refusal::new(Exit::Ours, "no room was read"))?;
        Ok(Fact::RootsDrafted { consent })
    }

    /// Writes the folder of the candidates into the work folder and onto both `room` media.
    fn write_candidates(&mut self, lines: Bytes) -> Result<(), Refusal> {
        let mut files = Files::default();
        files.insert(candidate::CANDIDATES, lines);
        for name in ["plan.toml", "room.toml"].into_iter().chain(self.ceremony.plan().list_name()) {
            files.insert(name, self.inputs.lying(name).cloned().unwrap_or_default());
        }
        let name = candidate_folder(&self.ceremony.plan().digest());
        let room = self.room.binding.media.room.clone();
        for root in &room {
            media::expect(root, Kind::Room).map_err(|error| self.device(&error))?;
        }
        self.room.expect_apart(&room).map_err(|error| self.device(&error))?;
        let takes_long = self.ceremony.plan().repositories().len() > PIECE;
        let [first, second] = room;
        let places = [self.room.binding.work.clone(), first, second];
        to_each(&places, takes_long, |root| media::write_tree(root, &name, &files))
            .try_for_each(|written| written.map(drop))
            .map_err(|error| self.device(&error))?;
        // No word of the consent digest stands here before the second reader's machine gave some.
        self.show(&format!("        folder {name} is on both room media"))
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

    /// Has candidates, a few at a time, signed with keys that are thrown away at once, while more are made. `[DRY-SIGNATURE]`
    fn while_signing_dry<T>(
        &mut self,
        make: impl FnOnce(&mut Self, &mut dyn FnMut(Draft) -> Result<(), Refusal>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.vault()?;
        let gone = || Refusal::new(Exit::Ours, "the vault did not start");
        let (mut vault, ceremony) = (self.vault.take().ok_or_else(gone)?, self.ceremony.clone());
        let mut sign = |algorithm, inputs: &[ToSign]| {
            vault.sign_dry(algorithm, inputs).map_err(|error| error.refusal(ceremony.standing()))
        };
        let made = thread::scope(|scope| {
            let (ask, asked) = sync_channel::<Vec<Draft>>(1);
            let signing = scope.spawn(|| {
                asked
                    .into_iter()
                    .try_for_each(|drafts| draft::try_dry(&ceremony, &drafts, &mut sign))
            });
            let ended = || Refusal::new(Exit::Ours, "who signs dry is gone");
            let mut some = Vec::new();
            let send = |drafts| ask.send(drafts).map_err(|_| ended());
            let made = make(self, &mut |draft| {
                some.push(draft);
                if some.len() < DRY_AT_ONCE { Ok(()) } else { send(std::mem::take(&mut some)) }
            });
            let made = made.and_then(|made| send(some).map(|()| made));
            drop(ask);
            // What is wrong with one that was made earlier comes first.
            signing.join().unwrap_or_else(|_| Err(ended())).and(made)
        });
        self.vault = Some(vault);
        made
    }

    pub(super) fn read_roots(&mut self, step: u32) -> Result<Fact, Refusal> {
        let sheets = self.ceremony.sheets()?;
        for names in reading::alike(&sheets.page.look_alikes) {
            self.show(&format!("        look twice: {names}"))?;
        }
        let ceremony = self.ceremony.clone();
        let name = |place: usize| ceremony.plan().repositories()[place].name.as_str();
        for group in &sheets.page.uncommon {
            self.show(&group.text(&name))?;
            match group.alone() {
                Some(place) => self.ask_name(step, name(place))?,
                None => self.ask_number(step, name(group.first()), group.count())?,
            }
        }
        if let Some(group) = &sheets.page.common {
            self.show(&group.text(&name))?;
        }
        let (second_reader, wrong) = self.hear_second_reader(step)?;
        let alone = sheets.page.alone().map(|place| name(place).to_owned()).collect();
        let counted = sheets.page.counted();
        Ok(Fact::RootsRead { second_reader, alone, counted: counted.collect(), wrong })
    }

    /// Of repositories that change alike, and otherwise than most, the number is typed. `[FLEET-OUTLIER]`
    fn ask_number(&mut self, step: u32, first: &str, many: usize) -> Result<(), Refusal> {
        let prompt = Prompt {
            step,
            id: format!("outliers {first}"),
            who: "operator".to_owned(),
            text: "these change otherwise than most: type how many they are".to_owned(),
            expected: Some(Expected::Text(many.to_string())),
        };
        let is_it = |typed: &str| (typed == many.to_string()).then_some(());
        self.ask_until(&prompt, "that is not their number", is_it)?.ok_or_else(|| {
            let what = format!(
                "`{first}` and {} change otherwise than most, and their number was not typed",
                Count(many - 1, "other")
            );
            Refusal::of(Check::FleetOutlier, what)
                .hint("find out why they differ; `resume` shows them again")
        })
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
        let drafted = self.ceremony.drafted();
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
        let (at, ceremony) = (self.room.clock.now(), self.ceremony.clone());
        let of = ceremony.plan().repositories().len();
        let mut late = Vec::new();
        let wholes = draft::complete(&ceremony, Some(at), &mut |place, refused| {
            match refused {
                Some(refusal) if !ceremony.is_late() => return Err(refusal),
                refused => late.extend(refused.map(|refusal| refusal.what)),
            }
            self.progress(place + 1, of, "walked by every client")
        })?;
        // What was finished late is complete all the same, by the same people's decision.
        for what in late {
            self.ask_exception(step, reach::SAME_DAY.to_owned(), what)?;
        }
        while self.ceremony.recorded_roots() < wholes.count() {
            let first = self.ceremony.recorded_roots();
            let roots = wholes.made(&self.ceremony, first..first + PIECE)?;
            self.take(step, Fact::Assembled { roots })?;
        }
        let walked = if self.ceremony.is_late() { "" } else { ", walked by every client" };
        let roots_made = Count(wholes.count(), "root");
        self.show(&format!("        {roots_made} complete{walked}"))?;
        Ok(Fact::RootsAssembled)
    }
}

/// So many candidates are signed dry at once.
const DRY_AT_ONCE: usize = 32;

/// How many sentences of the horizon fit a screen.
const SHOWN: usize = 8;

/// The folder of the candidates: each plan its own, since `room` media stay.
fn candidate_folder(plan: &crate::digest::Digest) -> String {
    format!("candidate-{}", &plan.to_string()[..8])
}
