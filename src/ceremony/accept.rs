//! Whether a fact may stand: the checks on what came back from the room.
//!
//! Second floor: pure.

mod keys;
mod piece;

use std::collections::BTreeSet;

use super::fact::{Fact, ModuleRead};
use super::statement::Said;
use super::step::{Act, Step};
use super::{Ceremony, admission, draft, statement};
use crate::check::Check;
use crate::refusal::Refusal;

impl Ceremony {
    /// Takes up a fact, or says why it may not stand.
    ///
    /// # Errors
    /// `[FACT-ORDER]` for a fact that the script has no place for; otherwise the rule that the fact breaks.
    pub fn accept(mut self, number: u32, fact: Fact) -> Result<Self, Refusal> {
        match &fact {
            Fact::Exception { expected, .. } => {
                self.exceptions.insert((number, expected.clone()));
            }
            Fact::Resumed { page, .. } => self.forget_volatile(*page),
            Fact::Intended { token, consent, .. } => {
                if self.drafted() != Some(*consent) {
                    let what =
                        format!("token `{token}` intends to sign something else than was drafted");
                    return Err(Refusal::of(Check::RootEquivocation, what)
                        .hint("a version once meant is never signed with other bytes"));
                }
                self.intended.insert(token.clone());
            }
            Fact::BreakTaken { bags } => self.check_bags(bags, &self.holders_here())?,
            Fact::LastTryConfirmed { token, by } => self.check_last_try(number, token, by)?,
            Fact::TokenAbsent { token, reason } => {
                let place = self.steps.iter().find(|step| step.number == number);
                if place.and_then(|step| step.act.token()) != Some(token.as_str()) {
                    return Err(self.no_place(number));
                }
                self.absent.insert(token.clone(), reason.clone());
                let hint = format!("bring token `{token}`: `resume` asks for it again");
                if place.is_some_and(|step| matches!(step.act, Act::PresentToken { .. })) {
                    self.done.insert(number, fact);
                }
                self.check_reachable().map_err(|refusal| match refusal.check {
                    Some(Check::QuorumPresent) => Refusal { hints: vec![hint], ..refusal },
                    _ => refusal,
                })?;
            }
            Fact::Assembled { .. }
            | Fact::Certified { .. }
            | Fact::Drafted { .. }
            | Fact::Signed { .. } => self.take_piece(number, &fact)?,
            _ => {
                let step = self.steps.iter().find(|step| step.number == number).cloned();
                let step = step.filter(|step| {
                    self.next() == Some(step) && !self.done.contains_key(&step.number)
                });
                let step = step.ok_or_else(|| self.no_place(number))?;
                self.check_fact(&step, &fact)?;
                self.done.insert(number, fact);
            }
        }
        Ok(self)
    }

    pub(super) fn no_place(&self, number: u32) -> Refusal {
        let expected = self.next().map_or(0, |step| step.number);
        let what = format!("the record says step {number} where step {expected} is next");
        Refusal::of(Check::FactOrder, what).hint(EDITED)
    }

    fn check_fact(&self, step: &Step, fact: &Fact) -> Result<(), Refusal> {
        match (&step.act, fact) {
            (Act::ConfirmPlan, Fact::PlanConfirmed { .. })
            | (Act::ConfirmTrust, Fact::TrustConfirmed { .. })
            | (Act::Close, Fact::Closed { .. })
            | (Act::DrawEntropy, Fact::EntropyDrawn { .. })
            | (Act::ExportFolders, Fact::FoldersExported { .. })
            | (Act::ReadUnfinished, Fact::UnfinishedRead { .. }) => Ok(()),
            (Act::ReadRoom, Fact::RoomRead { modules, .. }) => {
                self.check_modules(modules)?;
                self.check_excused(step.number, !self.plan().trusts_any_module())
            }
            (Act::BagTokens, Fact::TokensBagged { bags }) => {
                self.check_bags(bags, &self.holders_here())
            }
            (Act::OpenBags, Fact::BagsOpened { bags }) => {
                let before = self.bagged_before();
                let holders: Vec<String> = before.iter().map(|bag| bag.holder.clone()).collect();
                self.check_bags(bags, &holders)?;
                self.check_excused(step.number, *bags == before)
            }
            (Act::SeatPeople, Fact::PeopleSeated { taken, empty, .. }) => {
                super::people::check_seated(self.plan(), taken, empty)
            }
            (Act::ReadRoots, Fact::RootsRead { second_reader, alone, counted, .. }) => {
                self.check_read(step.number, *second_reader, (alone, counted))
            }
            (Act::DrillPaper { paper }, Fact::PaperDrilled { paper: p }) if p == paper => Ok(()),
            (Act::DrillRecipient { recipient }, Fact::RecipientDrilled { recipient: r })
                if r == recipient =>
            {
                Ok(())
            }
            (Act::DrillToken { token }, Fact::TokenDrilled { token: t, keys, statement })
                if t == token =>
            {
                super::drill::check(self, token, keys, statement.as_ref())
            }
            (
                Act::DestroyCopies
                | Act::RetirePaper { .. }
                | Act::RetireToken { .. }
                | Act::SeePublished { .. },
                _,
            ) => self.check_retiring(step, fact),
            (Act::DestroyKeys { token }, Fact::KeysDestroyed { token: t, keys }) if t == token => {
                self.check_destroyed(token, keys)
            }
            (Act::AttestClock, Fact::ClockAttested { watches }) => {
                super::opening::check_clock(self.inputs(), watches, self.has_any_intent())?;
                let read: BTreeSet<_> = watches.iter().map(|watch| watch.machine).collect();
                read.into_iter().try_for_each(|at| self.check_attested(at))
            }
            (Act::ReadRequest, Fact::RequestRead { request, second }) => {
                self.check_request(*request, *second)?;
                let excused = admission::seen_once(self.inputs()).is_none();
                self.check_excused(step.number, excused)
            }
            (
                Act::EnrolToken { token },
                Fact::TokenEnrolled { token: t, attest, seal, kem, .. },
            ) if t == token => {
                self.check_enrolled(token, attest, (seal.as_ref(), kem.as_ref()))?;
                super::attested::check(self, step.number, fact)
            }
            (Act::PresentToken { token }, Fact::TokenPresent { token: t }) if t == token => Ok(()),
            (Act::PresentToken { token }, Fact::TokenElsewhere { token: t })
                if t == token && self.may_sign_elsewhere(token) =>
            {
                Ok(())
            }
            (Act::AdoptToken { token, key }, Fact::TokenAdopted { token: t, public, .. })
                if t == token =>
            {
                self.check_adopted(key, public)
            }
            (
                Act::MakeKey { key, token },
                Fact::KeyMade { key: k, public, statement, advised, .. },
            ) if k == key => {
                self.check_made(key, public)?;
                let said = Said::KeyMade { key, public };
                statement::check(self, token, &said, statement.as_ref())?;
                super::attested::check(self, step.number, fact)?;
                self.check_excused(step.number, advised.is_empty() || self.plan().practice())
            }
            (Act::SplitKey { key }, Fact::KeySplit { key: k, public, set, shares }) if k == key => {
                self.check_made(key, public)?;
                self.check_same(key, public)?;
                self.check_set(set)?;
                self.check_shares(key, shares)
            }
            (
                Act::StoreShare { key, index, holder: token },
                Fact::ShareStored { key: k, index: i, statement, .. },
            ) if k == key && i == index => {
                self.check_stored(key, *index, token, statement.as_ref())
            }
            (Act::PlaceKey { key, token }, Fact::KeyPlaced { key: k, public, statement })
                if k == key =>
            {
                self.check_made(key, public)?;
                self.check_same(key, public)?;
                let said = Said::KeyPlaced { key, public };
                statement::check(self, token, &said, statement.as_ref())
            }
            (Act::CombineShares { key }, Fact::SharesCombined { key: k, tried, of })
                if k == key =>
            {
                self.check_combined(key, *tried, *of)
            }
            (
                Act::OpenShare { key, index, purpose, .. },
                Fact::ShareOpened { key: k, index: i, purpose: p },
            ) if k == key && i == index && p == purpose => Ok(()),
            (
                Act::Certify { key, .. } | Act::CertifyWithShares { key },
                Fact::KeyCertified { key: k },
            ) if k == key => self
                .check_all(step.number, (self.certified(key), draft::certificate_count(self, key))),
            (Act::DraftRoots, Fact::RootsDrafted { consent }) => {
                let sheets = self.sheets()?;
                self.check_all(step.number, (self.recorded_drafts(), sheets.count()))?;
                match sheets.consent == Some(*consent) {
                    true => Ok(()),
                    false => Err(draft::other_candidates()),
                }
            }
            (
                Act::SignRoots { key, .. } | Act::SignWithShares { key },
                Fact::RootsSigned { key: k },
            ) if k == key => self.check_all(step.number, (self.signed(key), self.signs(key)?)),
            (Act::AssembleRoots, Fact::RootsAssembled) => {
                let all = self.plan().repositories().len();
                self.check_all(step.number, (self.recorded_roots(), all))
            }
            _ => Err(self.no_place(step.number)),
        }
    }

    fn check_modules(&self, modules: &[ModuleRead]) -> Result<(), Refusal> {
        let pinned = self.plan().modules();
        match modules.iter().find(|module| !pinned.is_empty() && !pinned.contains(&module.sha256)) {
            None => Ok(()),
            Some(module) => {
                let what = format!(
                    "module `{}` has digest {}, which the plan does not pin",
                    module.name, module.sha256
                );
                Err(Refusal::of(Check::RoomModules, what)
                    .hint("install the module that was reviewed, or have the plan pin this one"))
            }
        }
    }

    fn check_request(
        &self,
        request: crate::digest::Digest,
        second: Option<crate::digest::Digest>,
    ) -> Result<(), Refusal> {
        let planned = self.plan().request();
        if planned.is_some_and(|planned| planned.sha256 == request && planned.second == second) {
            return Ok(());
        }
        Err(Refusal::of(
            Check::RequestDigest,
            "the recorded request is not the one that the plan names",
        )
        .hint("bring the media that the plan was written for"))
    }

    /// What people read: everything that stands alone, and a second reader or an exception.
    fn check_read(
        &self,
        number: u32,
        second: bool,
        (alone, counted): (&[String], &[u64]),
    ) -> Result<(), Refusal> {
        let sheets = self.sheets()?;
        let name = |place: usize| &self.plan().repositories()[place].name;
        if !sheets.page.alone().map(name).eq(alone)
            || !sheets.page.counted().eq(counted.iter().copied())
        {
            let what =
                "the record says that other repositories were typed by name than stand alone";
            return Err(Refusal::of(Check::FleetOutlier, what).hint(EDITED));
        }
        self.check_excused(number, second)
    }

    /// What the script asks for was there, or an exception says why not.
    pub(super) fn check_excused(&self, number: u32, is_there: bool) -> Result<(), Refusal> {
        if is_there || self.exceptions.iter().any(|(at, _)| *at == number) {
            return Ok(());
        }
        let what = format!("step {number} lacks the exception that it needs");
        Err(Refusal::of(Check::FactOrder, what).hint(EDITED))
    }

    fn check_destroyed(&self, token: &str, keys: &[String]) -> Result<(), Refusal> {
        let unfinished = self.inputs().unfinished.as_deref();
        let left = unfinished.map(|unfinished| super::abandon::left_on(unfinished, token));
        let left: Vec<String> =
            left.unwrap_or_default().into_iter().map(|(name, _)| name).collect();
        if left == keys {
            return Ok(());
        }
        let what = format!("other keys were destroyed on token `{token}` than were left there");
        Err(Refusal::of(Check::FactOrder, what).hint(EDITED))
    }
}

#[cfg(test)]
mod tests;

/// What to do about a record that somebody changed.
pub(super) const EDITED: &str =
    "bring the work folder as it was left: nothing in it is to be edited";
