//! What losses would leave, as a table for one look, and the sentences below it.
//!
//! Roof, pure.

use super::{Paper, Row};
use crate::ceremony::survival::{Able, Fatal, Left, Loss, Survival};
use crate::wording::{Count, List};

/// Adds the table and what belongs to it.
pub fn losses(survival: &Survival, paper: &mut Paper) {
    paper.section("What if these are lost?");
    paper.prose(least(survival));
    paper.prose(
        "Sign: the next root. Rotate: replace keys, which takes the threshold of the last root. Restore: put every key \
         in shares together. NO: not any more. edge: yes, and one more person or site lost ends it.",
    );
    let mut rows: Vec<Row> = survival.losses.iter().map(row).collect();
    if survival.more_pairs > 0 {
        let text = format!(
            "{} more of which neither loss alone ends what both end together",
            Count(survival.more_pairs, "pair")
        );
        rows.push(Row::Note { kind: "not shown", text });
    }
    let columns = [("If lost", 27), ("Sign", 4), ("Rotate", 6), ("Restore", 7), ("Keys gone", 24)];
    paper.table(&columns, rows);
    paper.section("What ends signing, and what all of it rests on");
    paper.points(fatal(&survival.fatal));
    paper.points(survival.remarks.iter().cloned());
    paper.points(survival.left.iter().map(Left::sentence));
}

fn row(loss: &Loss) -> Row {
    let able = |able: Able| able.name().to_owned();
    let gone = if loss.gone.is_empty() { "none".to_owned() } else { loss.gone.join(", ") };
    Row::Cells(vec![
        loss.lost.clone(),
        able(loss.sign),
        able(loss.rotate),
        able(loss.restore),
        gone,
    ])
}

/// How far signing is from its end, in one sentence.
fn least(survival: &Survival) -> String {
    if survival.losses.first().is_some_and(|nothing| nothing.sign == Able::No) {
        return "Nobody can sign, though nothing is lost.".to_owned();
    }
    let Fatal { tokens, people, sites } = &survival.fatal;
    let kinds =
        [("holder", "holders", tokens), ("person", "people", people), ("site", "sites", sites)];
    let least = kinds.into_iter().filter_map(|(one, more, sets)| {
        let many = sets.as_ref()?.iter().map(Vec::len).min()?;
        Some(format!("{many} {}", if many == 1 { one } else { more }))
    });
    let least: Vec<String> = least.collect();
    if least.is_empty() {
        return "No loss that was counted ends signing.".to_owned();
    }
    format!("The least whose loss ends signing: {}.", List::or(&least))
}

/// The smallest losses that end signing, a sentence for each kind.
fn fatal(fatal: &Fatal) -> Vec<String> {
    let kinds = [("holders", &fatal.tokens), ("people", &fatal.people), ("sites", &fatal.sites)];
    let said = kinds.into_iter().filter_map(|(kind, sets)| match sets {
        None => Some(format!("Of so many {kind} the smallest fatal losses are not counted.")),
        Some(sets) if sets.is_empty() => None,
        Some(sets) => {
            let shown: Vec<String> =
                sets.iter().take(MOST_SETS).map(|set| set.join(" + ")).collect();
            let more = match sets.len().saturating_sub(MOST_SETS) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            Some(format!("Signing ends with the loss of {kind}: {}{more}.", shown.join("; ")))
        }
    });
    said.collect()
}

/// More sets than these are only counted.
const MOST_SETS: usize = 6;
