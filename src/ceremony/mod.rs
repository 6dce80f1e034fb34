//! The ceremony: given the plan, the past and the facts so far, it decides the next act, and whether a fact may stand.
//!
//! Second floor: pure. It decides and never does; it never sees a secret, a clock, a file or a person.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use crate::digest::Digest;
use crate::key::PublicKey;
use crate::refusal::{Exit, Refusal};
use crate::trust::Past;
use crate::wording::one_line;

pub mod abandon;
pub mod admission;
pub mod advice;
pub mod candidate;
pub mod closing;
pub mod draft;
pub mod drill;
pub mod fact;
mod inputs;
pub mod means;
pub mod people;
pub mod plan;
pub mod prospect;
pub mod quorum;
pub mod reach;
pub mod reading;
pub mod reshare;
mod restore;
pub mod retire;
pub mod roster;
pub mod statement;
pub mod step;
pub mod supposed;
pub mod survival;

mod accept;
mod attested;
mod bulk;
mod opening;
mod replay;
mod restart;

use bulk::Bulk;
use draft::{Sheets, Wholes};
use fact::{Fact, Purpose, ShareMade};
use plan::{Kind, Plan};
use roster::{Holding, Key, KeyOrigin, Roster};
use step::{Act, Step};

pub use inputs::{Documents, Inputs, PLAN, UNFINISHED};
pub use replay::replay;

/// A ceremony at some point of its script.
#[derive(Clone, Debug)]
pub struct Ceremony {
    inputs: Arc<Inputs>,
    seen: Arc<admission::Seen>,
    roster: Roster,
    steps: Vec<Step>,
    /// What each finished step brought.
    done: BTreeMap<u32, Fact>,
    /// What came for each repository.
    bulk: Bulk,
    /// The candidates, once they were made; what they are made of does not change from then on.
    sheets: Arc<OnceLock<Arc<Sheets>>>,
    /// The complete roots.
    wholes: Arc<OnceLock<Arc<Wholes>>>,
    /// Tokens that said what they are about to sign.
    intended: BTreeSet<String>,
    /// Tokens that are not here.
    absent: BTreeMap<String, String>,
    /// The steps at which an exception was recorded, and what was expected there.
    exceptions: BTreeSet<(u32, String)>,
    /// The splits that a restart made void.
    void: Vec<Fact>,
}

/// Who holds what in a ceremony, by plan, past and what it closes: all that can be known of it before there is a
/// request.
///
/// # Errors
/// The first rule that these break: [`opening`], [`draft`], [`roster`], [`quorum`], [`abandon`] say which.
pub fn roster_of(inputs: &Inputs) -> Result<Roster, Refusal> {
    let roster = held_by(inputs)?;
    people::check(&inputs.plan, &roster)?;
    Ok(roster)
}

fn held_by(inputs: &Inputs) -> Result<Roster, Refusal> {
    let (plan, past) = (&inputs.plan, &inputs.past);
    opening::check_after(plan, past)?;
    opening::check_practice(plan)?;
    match &inputs.unfinished {
        Some(unfinished) => return abandon::roster(inputs, unfinished),
        None if plan.kind() == Kind::Abandon => {
            let what = "the plan abandons a ceremony whose work folder is not here";
            return Err(Refusal::new(Exit::Usage, what)
                .hint("`--room` names the room file, whose `unfinished` is that work folder"));
        }
        None => {}
    }
    if plan.kind() == Kind::Drill {
        return drill::roster(plan, past);
    }
    if plan.kind() == Kind::Retire {
        return retire::roster(plan, past);
    }
    draft::check_outlives(plan)?;
    restore::check_replaced(plan, past.custody())?;
    let roster = Roster::new(plan, past)?;
    restore::check_sealed(&roster, past)?;
    draft::check_kept(plan, past, &roster)?;
    quorum::Quorum::of_plan(plan, &roster).check(plan.quorum_people())?;
    Ok(roster)
}

impl Ceremony {
    /// Takes up the inputs, and refuses whatever can be refused before anybody is asked anything.
    ///
    /// # Errors
    /// As [`roster_of`]; the first rule that clock or request break: [`opening`] and [`admission`] say which.
    pub fn open(inputs: Inputs, at: Timestamp) -> Result<Self, Refusal> {
        let roster = roster_of(&inputs)?;
        opening::check(&inputs, at)?;
        let seen = admission::check(&inputs, &roster, at)?;
        let steps = step::steps(&inputs.plan, &roster);
        let (done, bulk, sheets, wholes) = Default::default();
        let (intended, absent, exceptions, void) = Default::default();
        Ok(Self {
            inputs: Arc::new(inputs),
            seen: Arc::new(seen),
            roster,
            steps,
            done,
            bulk,
            sheets,
            wholes,
            intended,
            absent,
            exceptions,
            void,
        })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.inputs.plan
    }

    /// The past.
    pub fn past(&self) -> &Past {
        &self.inputs.past
    }

    /// All inputs.
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Who holds what.
    pub const fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The script.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The next step; none when the ceremony is over.
    pub fn next(&self) -> Option<&Step> {
        self.steps.iter().find(|step| self.is_pending(step))
    }

    /// The fact that a step brought.
    pub fn fact(&self, number: u32) -> Option<&Fact> {
        self.done.get(&number)
    }

    /// Why a step was, or will be, left out; none for a step that is done or to be done.
    pub fn left_out(&self, step: &Step) -> Option<String> {
        if self.done.contains_key(&step.number) {
            return None;
        }
        let gone = |token: &String| {
            let reason = one_line(self.absent.get(token)?);
            Some(format!("{} is not here: {reason}", self.roster.called(token)))
        };
        match &step.act {
            Act::Certify { token, .. }
            | Act::DestroyKeys { token }
            | Act::DrillPaper { paper: token }
            | Act::DrillRecipient { recipient: token }
            | Act::DrillToken { token }
            | Act::RetirePaper { paper: token }
            | Act::RetireToken { token }
            | Act::SignRoots { token, .. } => gone(token),
            Act::OpenShare { key, holder, purpose, .. } => gone(holder).or_else(|| {
                let finished = self.is_finished(key, *purpose);
                let enough = self.opened(key, *purpose).len() >= self.needed(key);
                (finished || enough)
                    .then(|| format!("enough shares of key {key} are open"))
                    .or_else(|| self.too_few_left(key))
            }),
            Act::CertifyWithShares { key } => self.too_few_here(key, Purpose::Certify),
            Act::SignWithShares { key } => self.too_few_here(key, Purpose::Sign),
            _ => None,
        }
    }

    fn is_pending(&self, step: &Step) -> bool {
        let is_done = self.done.contains_key(&step.number) && !self.lacks_certificates(step);
        !is_done && self.left_out(step).is_none()
    }

    /// Whether the key that a step made is still to be certified for some repository.
    fn lacks_certificates(&self, step: &Step) -> bool {
        match &step.act {
            Act::MakeKey { key, .. } | Act::SplitKey { key } => {
                self.certified(key) < draft::certificate_count(self, key)
            }
            _ => false,
        }
    }

    fn needed(&self, key: &str) -> usize {
        self.roster.key(key).map_or(0, |key| key.opened_from().needed())
    }

    fn is_finished(&self, key: &str, purpose: Purpose) -> bool {
        self.has_all(key, purpose)
            || self.facts().any(|fact| match (purpose, fact) {
                (Purpose::Certify, Fact::KeyCertified { key: done, .. })
                | (Purpose::Reshare, Fact::SharesCombined { key: done, .. })
                | (Purpose::Restore, Fact::KeyPlaced { key: done, .. })
                | (Purpose::Sign, Fact::RootsSigned { key: done, .. }) => done == key,
                _ => false,
            })
    }

    /// Whoever is still here cannot open enough: nobody opens a share for nothing.
    fn too_few_left(&self, key: &str) -> Option<String> {
        let is_usable = self.roster.key(key).is_some_and(|key| self.is_usable(key));
        (!is_usable).then(|| format!("too few shares of key {key} are here"))
    }

    fn too_few_here(&self, key: &str, purpose: Purpose) -> Option<String> {
        let waiting = self.steps.iter().any(|step| {
            matches!(&step.act, Act::OpenShare { key: of, purpose: p, .. } if of == key && *p == purpose)
                && self.is_pending(step)
        });
        let few = self.opened(key, purpose).len() < self.needed(key);
        (few && !waiting).then(|| format!("too few shares of key {key} are here"))
    }

    /// Every fact of a finished step, in script order.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.done.values()
    }

    /// The shares that are open for a key at this moment, by index.
    pub fn opened(&self, key: &str, purpose: Purpose) -> BTreeSet<u8> {
        self.facts()
            .filter_map(|fact| match fact {
                Fact::ShareOpened { key: of, index, purpose: p } if of == key && *p == purpose => {
                    Some(*index)
                }
                _ => None,
            })
            .collect()
    }

    /// The paper on which a share of a key stands, if it does.
    pub fn paper_of(&self, key: &str, index: u8) -> Option<&roster::Paper> {
        self.roster.paper(self.holder_of(key, index)?)
    }

    /// The recipient to whose key a share of a key is sealed, if it is.
    pub fn recipient_of(&self, key: &str, index: u8) -> Option<&roster::Recipient> {
        self.roster.recipient(self.holder_of(key, index)?)
    }

    fn holder_of(&self, key: &str, index: u8) -> Option<&str> {
        let holders = self.roster.key(key)?.holding.holders();
        holders.get(usize::from(index).checked_sub(1)?).map(String::as_str)
    }

    /// A key's public half, once it is known.
    pub fn public(&self, key: &str) -> Option<PublicKey> {
        if let Some(KeyOrigin::Known(public)) = self.roster.key(key).map(|key| &key.origin) {
            return Some(public.clone());
        }
        let adopting = |token: &str| {
            self.roster.key(key).is_some_and(|key| {
                matches!(key.origin, KeyOrigin::Adopted(_))
                    && key.holding.holders() == [token.to_owned()]
            })
        };
        self.facts().find_map(|fact| match fact {
            Fact::KeyMade { key: made, public, .. }
            | Fact::KeyPlaced { key: made, public, .. }
            | Fact::KeySplit { key: made, public, .. }
                if made == key =>
            {
                Some(public.clone())
            }
            Fact::TokenAdopted { token, public, .. } if adopting(token) => Some(public.clone()),
            _ => None,
        })
    }

    /// The set id and the shares that this ceremony made of a key.
    pub fn split(&self, key: &str) -> Option<(&str, &[ShareMade])> {
        self.facts().find_map(|fact| match fact {
            Fact::KeySplit { key: made, set, shares, .. } if made == key => {
                Some((set.as_str(), shares.as_slice()))
            }
            _ => None,
        })
    }

    /// The consent digest, once all candidates were drafted.
    pub fn drafted(&self) -> Option<Digest> {
        self.facts().find_map(|fact| match fact {
            Fact::RootsDrafted { consent } => Some(*consent),
            _ => None,
        })
    }

    /// The digest of room.toml as it was recorded.
    pub fn room(&self) -> Option<Digest> {
        self.facts().find_map(|fact| match fact {
            Fact::RoomRead { room, .. } => Some(*room),
            _ => None,
        })
    }

    /// What the machine's clock showed when it was last compared with two watches.
    pub fn attested(&self) -> Option<Timestamp> {
        self.facts().find_map(|fact| match fact {
            Fact::ClockAttested { watches } => watches.first().map(|watch| watch.machine),
            _ => None,
        })
    }

    /// Whether any token has stored what it will sign.
    pub fn has_any_intent(&self) -> bool {
        !self.intended.is_empty()
    }

    /// Whether a token has stored what it will sign.
    pub fn has_intended(&self, token: &str) -> bool {
        self.intended.contains(token)
    }

    /// The seats at which somebody sits, once a plan that names people has them seated.
    pub fn seats_taken(&self) -> Option<&[String]> {
        self.facts().find_map(|fact| match fact {
            Fact::PeopleSeated { taken, .. } => Some(taken.as_slice()),
            _ => None,
        })
    }

    /// The tokens and papers of which a step was done here.
    pub fn holders_here(&self) -> Vec<String> {
        let is_here = |holder: &&str| {
            let mut steps = self.steps.iter();
            !self.absent.contains_key(*holder)
                && steps.any(|step| {
                    let fact = self.done.get(&step.number);
                    let fact = fact.filter(|fact| !matches!(fact, Fact::TokenElsewhere { .. }));
                    step.act.token() == Some(*holder) && fact.is_some()
                })
        };
        self.roster.held().map(|(holder, _)| holder).filter(is_here).map(str::to_owned).collect()
    }

    /// What each token and paper of this ceremony was put into when it was last bagged, as far as a record says it.
    pub fn bagged_before(&self) -> Vec<fact::Bagged> {
        let mut last: BTreeMap<&str, &fact::Bagged> = BTreeMap::new();
        let records = self.past().ceremonies().iter().map(|ceremony| &ceremony.record);
        for entry in records.flat_map(|record| record.entries()) {
            if let crate::record::Body::Done { fact: Fact::TokensBagged { bags } } = &entry.body {
                last.extend(bags.iter().map(|bag| (bag.holder.as_str(), bag)));
            }
        }
        let known = self.roster.held().filter_map(|(holder, _)| last.get(holder));
        known.map(|bag| (*bag).clone()).collect()
    }

    /// The tokens that are not here, with the reason.
    pub const fn absent(&self) -> &BTreeMap<String, String> {
        &self.absent
    }

    /// What is now true, for the last line of a refusal.
    pub fn standing(&self) -> String {
        let signed = self.facts().filter(|fact| matches!(fact, Fact::RootsSigned { .. })).count();
        let any = |is_it: fn(&Fact) -> bool| self.facts().any(is_it);
        if any(|fact| matches!(fact, Fact::FoldersExported { .. })) {
            return "everything is signed, and on media".into();
        }
        let goes_on = self.goes_on();
        if signed > 0 {
            let keys = crate::wording::Count(signed, "key");
            // From the close on, this run or one before it may have written some of them.
            let media = if any(|fact| matches!(fact, Fact::Closed { .. })) {
                "out and room media are not complete"
            } else {
                "nothing is on out media"
            };
            return format!("{keys} signed, recorded; {media}; {goes_on}");
        }
        if self.done.is_empty() {
            return format!("nothing was signed; the work folder holds a record; {goes_on}");
        }
        let pieces = self.bulk.signed.values().map(bulk::Heap::count).sum();
        if pieces > 0 {
            let many = crate::wording::Count(pieces, "signature");
            return format!("{many} recorded; nothing is on out media; {goes_on}");
        }
        // Between an intent and its entry a token may have signed what nobody recorded.
        let signatures =
            if self.has_any_intent() { "no signature was recorded" } else { "nothing was signed" };
        format!("{signatures}; the record holds what was done; {goes_on}")
    }
}

/// A refusal that no user can cause.
pub(crate) fn ours(what: impl Into<String>) -> Refusal {
    Refusal::new(Exit::Ours, what)
}

/// Where a key of the roster is held, in words.
pub fn holding_words(key: &Key) -> String {
    match &key.holding {
        Holding::Token(token) => format!("on token {token}"),
        Holding::Shares { threshold, holders } => {
            format!("in shares, {threshold} of {}: {}", holders.len(), holders.join(", "))
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
