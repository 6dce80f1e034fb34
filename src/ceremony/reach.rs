//! Whether a ceremony can still reach its end: with the tokens that are here, and on the day that it is.
//!
//! Second floor: pure. docs/threats.md rules 7 and 20.

use jiff::Timestamp;

use super::admission::last;
use super::fact::{Fact, Purpose};
use super::prospect::{self, Newest};
use super::roster::Key;
use super::step::Act;
use super::{Ceremony, draft};
use crate::refusal::Refusal;

/// What the script expects of the day on which a ceremony goes on in which a token has begun to sign. Where it is not
/// so, people decide to finish it all the same: those versions are never signed otherwise.
pub const SAME_DAY: &str =
    "what was drafted and begun is signed while every client can still follow it";

impl Ceremony {
    /// Whether a key has signed, or enough of its tokens are here.
    pub fn is_usable(&self, key: &Key) -> bool {
        let from = key.opened_from();
        let here = from.holders().iter().filter(|token| !self.absent.contains_key(*token));
        self.is_finished(&key.name, Purpose::Sign) || here.count() >= from.needed()
    }

    /// Refuses to go on when the tokens that are here cannot reach the thresholds any more, or when some client needs
    /// the signature of one that is not.
    pub(super) fn check_reachable(&self) -> Result<(), Refusal> {
        self.check_openable()?;
        draft::check_reachable(self, &|key| self.is_usable(key))?;
        match self.attested() {
            Some(at) if !self.is_late() => self.check_walks(at),
            _ => Ok(()),
        }
    }

    /// Looks again, on the day that the watches show, at what may have ended since: the roots that are followed, and
    /// every client's walk to the candidates. Over as soon as the roots are complete.
    ///
    /// # Errors
    /// `[WALK]`, `[HORIZON]`.
    pub fn check_day(&self, at: Timestamp) -> Result<(), Refusal> {
        if self.facts().any(|fact| matches!(fact, Fact::RootsAssembled)) {
            return Ok(());
        }
        last::check_all(self, at)?;
        self.check_walks(at)
    }

    /// The same of a recorded reading. Once a token has begun to sign, an exception lets it be finished.
    pub(super) fn check_attested(&self, at: Timestamp) -> Result<(), Refusal> {
        match self.check_day(at) {
            Err(refusal) if !(self.has_any_intent() && self.is_late()) => Err(refusal),
            _ => Ok(()),
        }
    }

    /// Whether people decided to finish although the day was over for some client.
    pub fn is_late(&self) -> bool {
        let clock = self.steps().iter().find(|step| step.act == Act::AttestClock);
        clock.is_some_and(|step| self.exceptions.contains(&(step.number, SAME_DAY.to_owned())))
    }

    fn check_walks(&self, at: Timestamp) -> Result<(), Refusal> {
        if self.drafted().is_none() {
            return Ok(());
        }
        let sheets = self.sheets()?;
        let walk = |place: usize| {
            let draft = sheets.draft(self, place)?;
            let ids = prospect::signers(self, &draft);
            prospect::check(self.plan(), &draft, Newest::Assumed(&ids), at).map(drop)
        };
        self.inputs().means.map(0..sheets.count(), walk, |_, ()| Ok(()))
    }
}
