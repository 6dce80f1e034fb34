//! Pieces: what a step brings for some repositories at a time, each checked once and laid on the shelf.
//!
//! Second floor: pure.

use super::EDITED;
use crate::ceremony::fact::Fact;
use crate::ceremony::step::Act;
use crate::ceremony::{Ceremony, draft};
use crate::check::Check;
use crate::refusal::Refusal;

impl Ceremony {
    /// Takes up the next piece of a step.
    pub(super) fn take_piece(&mut self, number: u32, fact: &Fact) -> Result<(), Refusal> {
        let step = self.steps.iter().find(|step| step.number == number);
        let act = step.filter(|step| self.is_pending(step)).map(|step| step.act.clone());
        let act = act.ok_or_else(|| self.no_place(number))?;
        let is_next = self.next().is_some_and(|next| next.number == number);
        match (&act, fact) {
            (
                Act::Certify { key, .. }
                | Act::CertifyWithShares { key }
                | Act::MakeKey { key, .. }
                | Act::SplitKey { key },
                Fact::Certified { key: of, certificates },
            ) if is_next && of == key => {
                let public = self.public(key).ok_or_else(|| self.no_place(number))?;
                draft::check_certificates(self, (key, &public), certificates)?;
                let heap = self.bulk.certified.entry(key.clone()).or_default();
                heap.push(&self.inputs.means, certificates)
            }
            (Act::DraftRoots, Fact::Drafted { roots }) if is_next => {
                draft::check_drafted(self, roots)?;
                self.bulk.drafted += roots.len();
                Ok(())
            }
            // Several tokens may sign at once: each said what it signs before.
            (
                Act::SignRoots { key, .. } | Act::SignWithShares { key },
                Fact::Signed { key: of, signatures },
            ) if of == key => {
                self.check_intended(number, key)?;
                draft::check_signed(self, key, signatures)?;
                let heap = self.bulk.signed.entry(key.clone()).or_default();
                heap.push(&self.inputs.means, signatures)
            }
            (Act::AssembleRoots, Fact::Assembled { roots }) if is_next => {
                draft::check_assembled(self, roots)?;
                self.bulk.assembled += roots.len();
                Ok(())
            }
            _ => Err(self.no_place(number)),
        }
    }

    /// A step ends when all pieces are there.
    pub(super) fn check_all(
        &self,
        number: u32,
        (found, of): (usize, usize),
    ) -> Result<(), Refusal> {
        if found == of {
            return Ok(());
        }
        let what = format!("step {number} ends with {found} of {of} recorded");
        Err(Refusal::of(Check::FactOrder, what).hint(EDITED))
    }
}
