//! A ceremony from its record: opened as it was, every fact that something rests on taken up in order, none believed
//! unchecked.
//!
//! Second floor: pure.

use std::collections::BTreeSet;

use super::accept::EDITED;
use super::fact::Fact;
use super::plan::rehearsal::PREFIX;
use super::{Ceremony, Inputs};
use crate::check::Check;
use crate::record::{Body, Entry, Mode, Record};
use crate::refusal::Refusal;

/// Opens a ceremony at the time of its record, and takes up the facts, all but idle readings of the clock. A refusal names the record's line.
///
/// # Errors
/// `[FACT-ORDER]` for a record of another plan or past; the rule that an input or a fact breaks.
pub fn replay(inputs: Inputs, record: &Record) -> Result<Ceremony, Refusal> {
    let first = record.entries().first();
    let first = first.ok_or_else(|| Refusal::of(Check::FactOrder, "the record is empty"))?;
    check_opened(first, &inputs)?;
    let mut ceremony = Ceremony::open(inputs, first.at)?;
    let (mut heads, mut before) = (record.heads(), BTreeSet::new());
    before.extend(heads.next());
    let entries = &record.entries()[1..];
    for (index, entry) in entries.iter().enumerate() {
        let at = |refusal: Refusal| {
            let what = format!("record line {}: {}", entry.seq, refusal.what);
            Refusal { what, ..refusal }
        };
        match &entry.body {
            Body::Done { fact } if is_idle(fact, &entries[index + 1..]) => {}
            Body::Done { fact } => {
                if fact.statements().any(|statement| !before.contains(&statement.head)) {
                    let what = "a token said so in another record";
                    return Err(at(Refusal::of(Check::TokenStatement, what).hint(EDITED)));
                }
                let whole = record.whole(index + 1)?;
                if let Body::Done { fact } = whole.body {
                    ceremony = ceremony.accept(entry.step, fact).map_err(at)?;
                }
            }
            Body::Opened { .. } => {
                return Err(at(Refusal::of(Check::FactOrder, "a ceremony is opened once")));
            }
            Body::Begun { .. } | Body::Checkpoint { .. } | Body::Refused { .. } => {}
        }
        before.extend(heads.next());
    }
    Ok(ceremony)
}

/// A clock that was read, and again after a restart before anything else was done: nothing rests on that reading, and
/// following every client's walk at it is what a long record costs most.
fn is_idle(fact: &Fact, after: &[Entry]) -> bool {
    let mut next = after.iter().filter_map(|entry| match &entry.body {
        Body::Done { fact } => Some(fact),
        _ => None,
    });
    matches!(fact, Fact::ClockAttested { .. }) && matches!(next.next(), Some(Fact::Resumed { .. }))
}

fn check_opened(first: &Entry, inputs: &Inputs) -> Result<(), Refusal> {
    let plan = &inputs.plan;
    let is_of = |mode: Mode| match mode {
        Mode::Ceremony => !plan.practice(),
        Mode::Practice => plan.practice(),
        Mode::Rehearsal => plan.repositories().iter().all(|named| named.name.starts_with(PREFIX)),
    };
    let right = match &first.body {
        Body::Opened { plan: named, after, mode, .. } => {
            *named == plan.digest() && *after == plan.after() && is_of(*mode)
        }
        _ => false,
    };
    if right && first.step == 0 {
        return Ok(());
    }
    let what = "record line 1: it opens another plan, another past or another kind of ceremony";
    Err(Refusal::of(Check::FactOrder, what).hint(EDITED))
}
