//! Bags and seals: what tokens came in, go into at a break and at the end; the break itself, and receipts.
//!
//! Roof. docs/threats.md rule 29.

use super::Session;
use super::closing::keep;
use super::pause::Shown;
use super::words::{ATTEMPTS, Asked, table};
use crate::ceremony::fact::{Bagged, Fact};
use crate::check::Check;
use crate::digest::Digest;
use crate::record::{Body, Record};
use crate::refusal::{Exit, Refusal};
use crate::room::console::{Expected, Prompt};
use crate::wording::word_rows;

impl Session<'_> {
    /// What each token that was enrolled before came in, held against what it was put into last.
    pub(super) fn open_bags(&mut self, step: u32) -> Result<Fact, Refusal> {
        let mut bags = Vec::new();
        for holder in self.ceremony.bagged_before() {
            bags.push(self.compare_bag(step, &holder)?);
        }
        Ok(Fact::BagsOpened { bags })
    }

    /// What each token that is here goes into.
    pub(super) fn bag_tokens(&mut self, step: u32) -> Result<Fact, Refusal> {
        Ok(Fact::TokensBagged { bags: self.ask_bags(step)? })
    }

    /// Whoever types `break` has what is here bagged and the head of the record on paper, and the run ends: a machine that
    /// is left alone holds no session, no key and no PIN. `resume` asks for those words and those bags.
    pub(super) fn take_break(&mut self, step: u32) -> Result<Refusal, Refusal> {
        self.vault = None;
        self.show("        A break: what was open is closed; tokens go into bags, and nobody stays alone here.")?;
        let bags = self.ask_bags(step)?;
        self.take(step, Fact::BreakTaken { bags })?;
        let head = self.record.head();
        self.show("\nA break. Write these words on the break sheet:")?;
        self.show(&table(&head))?;
        let act = "write these 24 words, and read them back";
        self.wait(&Shown { step, id: "break-sheet", who: "witness", act })?;
        Ok(Refusal::new(Exit::Refused, "a break was taken").hint(
            "after it, `officiant resume` asks for the words of the break sheet and for the bags",
        ))
    }

    /// After a break: its words from paper, and its bags. `[RESUME-HEAD]`
    pub(super) fn end_break(&mut self, step: u32, record: &Record) -> Result<u32, Refusal> {
        let Some((head, bags)) = last_break(record) else { return Ok(0) };
        let asked = Asked {
            step,
            id: "break-words",
            who: "operator",
            what: "the break sheet",
            check: Check::ResumeHead,
            count: 6,
        };
        let wrong = match self.ask_break_sheet(step)? {
            true => self.ask_words(&asked, &head)?,
            false => 0,
        };
        for bag in &bags {
            self.compare_bag(step, bag)?;
        }
        Ok(wrong)
    }

    /// Whether the break sheet has its words: it is recorded before they are shown. Without them there is the last page, and
    /// what everybody here says of the time since.
    fn ask_break_sheet(&mut self, step: u32) -> Result<bool, Refusal> {
        let prompt = Prompt {
            step,
            id: "break-page".to_owned(),
            who: "operator".to_owned(),
            text: "are the words of the break on their sheet: yes, or none".to_owned(),
            expected: Some(Expected::Text("yes".to_owned())),
        };
        let has = |typed: &str| match typed {
            "yes" => Some(true),
            "none" => Some(false),
            _ => None,
        };
        self.ask_until(&prompt, "type yes, or none", has)?.ok_or_else(|| {
            Refusal::new(Exit::Refused, "nobody said whether the break sheet has its words")
                .hint("look at the break sheet, and `resume`")
        })
    }

    fn ask_bags(&mut self, step: u32) -> Result<Vec<Bagged>, Refusal> {
        let mut bags = Vec::new();
        for holder in self.ceremony.holders_here() {
            let text = format!(
                "number of bag and seal that {} goes into",
                self.ceremony.roster().called(&holder)
            );
            let bag = self.ask_bag(step, &holder, text, None)?;
            bags.push(Bagged { holder, bag });
        }
        Ok(bags)
    }

    /// Another bag than the one that was written down needs a decision.
    fn compare_bag(&mut self, step: u32, known: &Bagged) -> Result<Bagged, Refusal> {
        let Bagged { holder, bag: expected } = known;
        let text = format!(
            "number of the bag and seal that {} is in, unbroken",
            self.ceremony.roster().called(holder)
        );
        let bag = self.ask_bag(step, holder, text, Some(expected))?;
        if bag != *expected {
            let happened = format!("{holder} came in bag {bag}, or its seal is broken");
            self.ask_exception(step, format!("{holder} is in bag {expected}, sealed"), happened)?;
        }
        Ok(Bagged { holder: holder.clone(), bag })
    }

    fn ask_bag(
        &mut self,
        step: u32,
        holder: &str,
        text: String,
        known: Option<&String>,
    ) -> Result<String, Refusal> {
        let who = self.ceremony.roster().custodian(holder).to_owned();
        let drawn = known.cloned().unwrap_or_else(|| format!("bag of {holder}"));
        let expected = Some(Expected::Text(drawn));
        let prompt = Prompt { step, id: format!("bag {holder}"), who, text, expected };
        for _ in 0..ATTEMPTS {
            let typed = self.hear(&prompt)?;
            if !typed.is_empty() && typed.len() <= MAX_BAG {
                return Ok(typed);
            }
            self.show("        type what is printed on bag and seal")?;
        }
        Err(Refusal::new(Exit::Refused, format!("nobody said in which bag {holder} is"))
            .hint("seal it in a bag, and `resume`"))
    }

    /// A page for the custodian of each token that is here: what it is, where the record ended, and when it is drilled.
    pub(super) fn write_receipts(&mut self, closed: &Record) -> Result<(), Refusal> {
        if self.ceremony.plan().people().next().is_none() {
            return Ok(());
        }
        let number = self.ceremony.past().ceremonies().len() + 1;
        for holder in self.ceremony.holders_here() {
            let page = self.receipt(&holder, closed)?;
            let path = format!("{RECEIPTS}{number:04}-{holder}.txt");
            keep(&self.room.binding.work, &path, page.as_bytes())
                .map_err(|error| self.device(&error))?;
            self.show(&format!("        receipt for its custodian: custody/{path}"))?;
        }
        Ok(())
    }

    fn receipt(&self, holder: &str, closed: &Record) -> Result<String, Refusal> {
        let (plan, roster) = (self.ceremony.plan(), self.ceremony.roster());
        let serial = match (roster.paper(holder), roster.recipient(holder)) {
            (Some(_), _) => "a paper".to_owned(),
            (None, Some(recipient)) => recipient.age.to_string(),
            (None, None) => self.identity(holder)?.serial,
        };
        let bags = self.ceremony.facts().find_map(|fact| match fact {
            Fact::TokensBagged { bags } => bags.iter().find(|bag| bag.holder == holder),
            _ => None,
        });
        let bag = bags.map_or("none", |bag| bag.bag.as_str());
        let drill =
            plan.next_drill().map_or_else(|| "by the next plan".to_owned(), |day| day.to_string());
        let head = closed.head();
        Ok(format!(
            "RECEIPT\n\nceremony    {}\nplan        {}\nseat        {}\nheld        {}\nserial      {serial}\n\
             bag, seal   {bag}\nnext drill  {drill}\n\nThe record was closed with this head:\n{}\n{}\n\n\
             I took it, in this bag, and keep it alone:\n\nsignature ______________________  date, UTC ____________\n",
            plan.title(),
            plan.digest(),
            roster.custodian(holder),
            roster.called(holder),
            word_rows(&head).join("\n"),
            head.grouped(),
        ))
    }
}

/// The last break that no restart followed yet: the head that was written down, and the bags.
fn last_break(record: &Record) -> Option<(Digest, Vec<Bagged>)> {
    let entries = record.entries().iter().zip(record.heads());
    let mut found = None;
    for (entry, head) in entries {
        match &entry.body {
            Body::Done { fact: Fact::BreakTaken { bags } } => found = Some((head, bags.clone())),
            Body::Done { fact: Fact::Resumed { .. } } => found = None,
            _ => {}
        }
    }
    found
}

/// Where the custody folder has the receipts.
pub(super) const RECEIPTS: &str = "receipts/";
/// The longest number of a bag, in bytes.
const MAX_BAG: usize = 64;
