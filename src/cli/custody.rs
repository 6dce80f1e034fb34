//! `custody`: what every loss would leave of what a trust folder knows.
//!
//! Roof: reads a trust folder and a custody folder.

use std::collections::BTreeMap;

use serde::Serialize;

use super::args::Custody;
use super::command::print;
use super::folder::json;
use super::reading;
use crate::advisory;
use crate::ceremony::advice;
use crate::ceremony::survival::{Holdings, Left, Survival};
use crate::digest::Digest;
use crate::paper::{self, Paper, losses};
use crate::refusal::Refusal;
use crate::room::media::Files;
use crate::trust::{Held, Past};
use crate::wording::{Count, List};

/// What is printed for machines.
#[derive(Debug, Serialize)]
struct Kept {
    schema: &'static str,
    #[serde(flatten)]
    survival: Survival,
    copies: Vec<String>,
    advisories: Vec<String>,
}

/// Runs `custody`.
///
/// # Errors
/// A folder that cannot be read; a name that nothing has.
pub(super) fn custody(args: &Custody) -> Result<(), Refusal> {
    let only_read =
        |refusal: Refusal| refusal.standing("nothing was written; what is there was only read");
    let kept = kept(args).map_err(only_read)?;
    if args.json {
        return print(&json(&kept)?);
    }
    let mut paper = Paper::new("Custody", "");
    losses::losses(&kept.survival, &mut paper);
    if !kept.advisories.is_empty() {
        paper.section(format!("What is known of these tokens, until {}", advisory::KNOWN_UNTIL));
        paper.points(kept.advisories);
    }
    if !kept.copies.is_empty() {
        paper.section("In the custody folder");
        paper.points(kept.copies);
    }
    print(&paper::text(&paper))
}

fn kept(args: &Custody) -> Result<Kept, Refusal> {
    let past = reading::past(Some(&reading::trust_folder(&args.folder)))?;
    let mut holdings = Holdings::of_past(&past);
    let mut firmware = advice::firmware(&past);
    let copies = match &args.custody {
        Some(folder) => {
            let files = reading::custody_folder(folder)?;
            let attested = attested(&past, &files);
            for (token, firmware) in &attested {
                holdings.firmware(token, firmware);
            }
            firmware.extend(attested);
            copies(&past, &holdings.left, &files)
        }
        None => Vec::new(),
    };
    let advisories = advice::sentences(&past, &firmware);
    let survival = Survival::of(&holdings, &args.lost)?;
    Ok(Kept { schema: "officiant-survival-1", survival, copies, advisories })
}

/// The firmware of each token of which an attestation is kept.
fn attested(past: &Past, files: &Files) -> BTreeMap<String, String> {
    let said = files.iter().filter_map(|(path, text)| past.custody().attested(path, text));
    said.map(|(token, said)| (token.name.clone(), said.firmware())).collect()
}

/// Which sealed shares lie in the custody folder: those of today, and those of old sets.
fn copies(past: &Past, left: &[Left], files: &Files) -> Vec<String> {
    let mut said = Vec::new();
    for key in &past.custody().keys {
        let Held::Shares { set, shares, .. } = &key.held else { continue };
        let is_there = |index: u8, sealed: &Digest| {
            files
                .get(&format!("{set}/{index}.age"))
                .is_some_and(|bytes| Digest::of(bytes) == *sealed)
        };
        let missing = shares.iter().filter(|share| !is_there(share.index, &share.sealed));
        let missing: Vec<u8> = missing.map(|share| share.index).collect();
        said.push(if missing.is_empty() {
            format!(
                "Key `{}`: all of its {} lie here, sealed.",
                key.name,
                Count(shares.len(), "share")
            )
        } else {
            format!(
                "Key `{}`: share {} of {} is not here as it was sealed.",
                key.name,
                List::and(&missing),
                shares.len()
            )
        });
    }
    said.extend(left.iter().filter_map(|left| {
        let Left::Set { set, key, .. } = left else { return None };
        let many = files.keys().filter(|path| path.starts_with(&format!("{set}/"))).count();
        (many > 0).then(|| {
            format!(
                "{} of an old set of key `{key}` lie here: destroy them with the set.",
                Count(many, "sealed share")
            )
        })
    }));
    said
}
