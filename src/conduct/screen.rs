//! The screen of a session: headings, what was seen of each step, checkpoints, and the end.
//!
//! Roof.

use std::path::PathBuf;

use super::pause::Shown;
use super::words::ATTEMPTS;
use super::{Session, words};
use crate::ceremony::draft;
use crate::ceremony::fact::Fact;
use crate::ceremony::plan::Kind;
use crate::ceremony::step::{Act, Step};
use crate::digest::Digest;
use crate::record::Body;
use crate::refusal::Refusal;
use crate::room::console::{Expected, Prompt};
use crate::room::media::{self, Kind as Marked};
use crate::wording::Count;

impl Session<'_> {
    /// The heading of a step, and before the first of a part the heading of the part.
    pub(super) fn announce(&mut self, step: &Step) -> Result<(), Refusal> {
        if self.begins_part(step) {
            let title = format!("--- {} ", step.part.title());
            self.show(&format!("\n{title:-<60}"))?;
        }
        let (plan, roster) = (self.ceremony.plan(), self.ceremony.roster());
        let of = self.ceremony.steps().len();
        let text = format!(
            "\n[{}/{of}] {}: {}\n        must see: {}",
            step.number,
            step.who(roster),
            step.instruction(plan, roster),
            step.must_see(plan)
        );
        self.show(&text)
    }

    /// Whether no step of its part is done yet.
    fn begins_part(&self, step: &Step) -> bool {
        let earlier = self.ceremony.steps().iter().filter(|other| other.number < step.number);
        !earlier
            .filter(|other| other.part == step.part)
            .any(|other| self.ceremony.fact(other.number).is_some())
    }

    /// Says which steps just before this one are left out, and why.
    pub(super) fn pass_over(&mut self, step: &Step) -> Result<(), Refusal> {
        let before =
            self.ceremony.steps().iter().rev().skip_while(|other| other.number >= step.number);
        let passed = before.map_while(|other| Some((other.number, self.ceremony.left_out(other)?)));
        let mut passed: Vec<(u32, String)> = passed.collect();
        passed.reverse();
        let of = self.ceremony.steps().len();
        for (number, reason) in passed {
            self.show(&format!("\n[{number}/{of}] left out: {reason}"))?;
        }
        Ok(())
    }

    /// What a step brought, in the words that the script says must be seen; nothing where it was shown on the way.
    pub(super) fn seen(&self, fact: &Fact) -> Result<String, Refusal> {
        let same = |text: &str| text.to_owned();
        Ok(match fact {
            Fact::PlanConfirmed { .. } | Fact::TrustConfirmed { .. } => same("the words are right"),
            Fact::PeopleSeated { taken, .. } => {
                format!("{} taken; the names are in the custody folder", Count(taken.len(), "seat"))
            }
            Fact::TokensBagged { bags } | Fact::BagsOpened { bags } => {
                Count(bags.len(), "bag").to_string()
            }
            Fact::ClockAttested { .. } => same("clock and watches agree"),
            Fact::TokenEnrolled { .. } => same("enrolled; its own keys are made and proven"),
            Fact::TokenElsewhere { .. } => same("noted: it signs at another site"),
            Fact::TokenPresent { .. } => same("serial and public keys are those enrolled"),
            Fact::TokenAdopted { public, .. } => format!("key {} is on it", public.id().grouped()),
            Fact::TokenAbsent { reason, .. } => format!("noted: not here, {reason}"),
            Fact::KeyMade { .. } => {
                same("generated on the token, never extractable, challenge verified")
            }
            Fact::KeyPlaced { .. } => same("unwrapped on the token, challenge verified"),
            Fact::KeySplit { shares, .. } => {
                format!("{}, each sealed to its holder", Count(shares.len(), "share"))
            }
            Fact::ShareStored { key, index, .. }
                if self.ceremony.paper_of(key, *index).is_some() =>
            {
                same("printed, its passphrase written down, read back, opened, equal")
            }
            Fact::ShareStored { key, index, .. }
                if self.ceremony.recipient_of(key, *index).is_some() =>
            {
                same("given, opened by its recipient's identity, equal")
            }
            Fact::ShareStored { on_token: true, .. } => same("stored, read back, opened, equal"),
            Fact::ShareStored { .. } => {
                same("this token stores nothing: the custody folder keeps it; opened, equal")
            }
            Fact::KeyCertified { key } => {
                let many = self.ceremony.certified(key);
                format!("{} made and verified", Count(many, "certificate"))
            }
            Fact::ShareOpened { index, .. } => {
                format!("share {index} is open, equal to its commitment")
            }
            Fact::RootsSigned { key } => {
                let roots = Count(self.ceremony.signed(key), "signature");
                format!("{roots} made and verified; {}", self.counted(key)?)
            }
            Fact::RootsRead { second_reader: true, .. } => same("the same words here and there"),
            Fact::TokenDrilled { .. } => same("it holds all of it"),
            Fact::PaperDrilled { .. } => same("the share that was made; the passphrase fits"),
            Fact::RecipientDrilled { .. } => same("every share is its own; the identity fits"),
            Fact::FoldersExported { .. } => same("written, read back, compared, equal"),
            _ => String::new(),
        })
    }

    /// How far the old and the new threshold are met in the first repository, with this key's signature.
    fn counted(&self, key: &str) -> Result<String, Refusal> {
        let (draft, file) = draft::first_signed(&self.ceremony, key)?;
        let tallies = draft::tallies(&draft, &file)?.into_iter();
        let said = tallies.map(|(who, tally)| {
            format!("{who} keys: {} signed, {} needed", tally.counted.len(), tally.needed)
        });
        Ok(said.collect::<Vec<_>>().join("; "))
    }

    /// Shows how far long work is. What is little is done before anybody could read it.
    pub(super) fn progress(&mut self, done: usize, of: usize, what: &str) -> Result<(), Refusal> {
        if of <= FEW {
            return Ok(());
        }
        let shown = self.room.console.progress(done as u64, of as u64, what);
        shown.map_err(|error| self.unheard(&error))
    }

    /// Closes a step on the screen, with the time that goes beside its box on paper: from when two people said what
    /// their watches show, who could else read it here.
    pub(super) fn done(&mut self, seen: &str) -> Result<(), Refusal> {
        let now = self.ceremony.attested().map(|_| self.room.clock.now());
        let at = now.map_or_else(String::new, |now| now.strftime(" %H:%M UTC").to_string());
        match seen {
            "" => self.show(&format!("        done{at}")),
            seen => self.show(&format!("        done{at}: {seen}")),
        }
    }

    /// Once the change was read and the second reader heard, the words that custodians consent by; after a restart
    /// again, until every root is complete.
    pub(super) fn show_consent(&mut self, step: u32) -> Result<(), Refusal> {
        let has = |is_it: fn(&Fact) -> bool| self.ceremony.facts().any(is_it);
        let is_read = has(|fact| matches!(fact, Fact::RootsRead { .. }));
        let is_over = has(|fact| matches!(fact, Fact::RootsAssembled));
        let consent = self.ceremony.drafted();
        let Some(consent) = consent.filter(|_| is_read && !is_over) else { return Ok(()) };
        self.show("        the consent digest, of which every custodian types words:")?;
        self.show(&words::table(&consent))?;
        let act = "write these 24 words under Consent digest, and read them back";
        self.wait(&Shown { step, id: "consent-page", who: "witness", act })
    }

    /// At the end of a part the head of the record goes onto paper.
    pub(super) fn checkpoint(&mut self, step: &Step) -> Result<(), Refusal> {
        if step.act == Act::ReadRoots {
            self.show_consent(step.number)?;
        }
        let next = self.ceremony.next().map(|next| next.part);
        if next == Some(step.part) || next.is_none() {
            return Ok(());
        }
        let part = step.part.title().to_owned();
        // A restart attests the clock anew in a part whose page is written.
        if self.record.checkpoints().iter().any(|(_, written)| *written == part) {
            return Ok(());
        }
        self.append(step.number, Body::Checkpoint { part: part.clone() })?;
        self.show_checkpoint(step.number, &part, &self.record.head())
    }

    /// Waits until the media are in: the empty ones are taken out of their bags only now.
    pub(super) fn ask_media(&mut self, step: u32) -> Result<(), Refusal> {
        let media = match self.goes_out() {
            true => "both out media, empty, and both room media",
            false => "both room media",
        };
        let prompt = Prompt {
            step,
            id: "media".to_owned(),
            who: "operator".to_owned(),
            text: format!("put in {media}, and press Enter"),
            expected: Some(Expected::Text(String::new())),
        };
        let mut left = ATTEMPTS;
        loop {
            self.ask(&prompt)?;
            left -= 1;
            match self.check_media() {
                Err(refusal) if left > 0 => self.say_again(&refusal)?,
                checked => return checked,
            }
        }
    }

    /// Whether the media that the folders go onto are in, and are what they should be.
    fn check_media(&self) -> Result<(), Refusal> {
        let binding = &self.room.binding.media;
        let outward: &[PathBuf] = if self.goes_out() { &binding.outward } else { &[] };
        for root in outward {
            media::expect(root, Marked::Out).map_err(|error| self.device(&error))?;
            media::expect_only(root, &["trust"]).map_err(|error| self.device(&error))?;
        }
        for root in &binding.room {
            media::expect(root, Marked::Room).map_err(|error| self.device(&error))?;
        }
        let media = outward.iter().chain(&binding.room);
        self.room.expect_apart(media).map_err(|error| self.device(&error))
    }

    /// The end: the words for the signed page, and what happens next.
    pub(super) fn show_end(&mut self, closing: &Digest) -> Result<(), Refusal> {
        self.show(
            "\nThe ceremony is closed. Write these words of the closing digest on the signed page:",
        )?;
        self.show(&words::table(closing))?;
        let next = match self.ceremony.plan().kind() {
            Kind::Abandon if !self.goes_out() => {
                "Nothing is to be published: complete roots that nobody wants lie on the room media, in the trust folder \
                 of this ceremony. The next plan follows it, and its roots go out together with these."
            }
            Kind::Abandon | Kind::Drill | Kind::Reshare | Kind::Restore | Kind::Retire => {
                "Nothing is to be published. Keep the media for the next ceremony."
            }
            _ => {
                "Next: one of the out media goes to the online machine, for `courier publish`; the other and \
                 both room media go to where they are kept, apart."
            }
        };
        self.show(next)
    }
}

/// So many signatures, walks or files are made without a word about how far they are.
pub(super) const FEW: usize = 16;
