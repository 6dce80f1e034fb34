//! `share print` and `share scan`: a share goes onto paper, and is read back from it.
//!
//! Roof: reads files and a trust folder, writes one new file where asked.

use std::path::Path;

use super::args::{Share, SharePrint, ShareScan};
use super::command::print;
use super::reading;
use crate::ceremony::fact::Fact;
use crate::check::Check;
use crate::conduct::paper_share;
use crate::conduct::sheet::{found, sheet_of};
use crate::digest::Digest;
use crate::paper::{self, png, svg};
use crate::record::{Body, Mode};
use crate::refusal::{Exit, Refusal};
use crate::share::paper::PaperShare;
use crate::trust::{Custody, CustodyKey, Held, LastCeremony, Past};

/// Runs one of the verbs.
///
/// # Errors
/// What cannot be read; what is no share, or not the one that was made.
pub(super) fn run(verb: &Share) -> Result<(), Refusal> {
    let done = match verb {
        Share::Print(args) => printed(args),
        Share::Scan(args) => scanned(args),
    };
    done.map_err(|refusal| match refusal.standing.as_str() {
        Refusal::NOTHING_DONE => refusal.standing(ONLY_READ),
        _ => refusal,
    })
}

fn printed(args: &SharePrint) -> Result<(), Refusal> {
    let past = reading::past(Some(&reading::trust_folder(&args.trust)))?;
    let sealed = reading::file(&args.share, crate::seal::MAX_FILE as u64)?;
    let known = found(past.custody(), &Digest::of(&sealed)).ok_or_else(|| {
        let what = format!("`{}` is no share that the trust folder knows", args.share.display());
        Refusal::of(Check::ShareCommitment, what).hint(
            "bring the sealed share as the custody folder has it, and the newest trust folder",
        )
    })?;
    let keeper = past.custody().paper(&known.share.holder).ok_or_else(|| {
        let holder = &known.share.holder;
        let (kind, hint) = match past.custody().recipient(holder) {
            None => ("token", "a token's share is opened by its token alone"),
            Some(_) => ("recipient", "a recipient's share is a file: it is copied as it is"),
        };
        let what = format!(
            "share {} of set {} is held by {kind} `{holder}`, not by a paper",
            known.share.index, known.set
        );
        Refusal::of(Check::ShareHolder, what).hint(hint)
    })?;
    let mut sheet = sheet_of(&known, &keeper.custodian, &sealed)?;
    sheet.mark = mode_of(&past, &sheet.set).and_then(paper::script::mark);
    let too_long = || Refusal::new(Exit::Ours, "a code cannot be drawn");
    if let Some(path) = &args.png {
        return write(path, &png(&sheet.codes).ok_or_else(too_long)?);
    }
    if let Some(path) = &args.svg {
        return write(path, svg(&sheet.codes).ok_or_else(too_long)?.as_bytes());
    }
    reading::give(&paper::sheet::sheet(&sheet), args.html.as_deref())
}

/// How much the ceremony counted that made a set.
fn mode_of(past: &Past, set: &str) -> Option<Mode> {
    let mut records = past.ceremonies().iter().flat_map(LastCeremony::records);
    let made = records.find(|record| {
        record.entries().iter().any(|entry| {
            matches!(&entry.body, Body::Done { fact: Fact::KeySplit { set: made, .. } } if made == set)
        })
    });
    made?.entries().iter().find_map(|entry| match &entry.body {
        Body::Opened { mode, .. } => Some(*mode),
        _ => None,
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    reading::write_new(path, bytes)?;
    print(&format!("written: {}\n", path.display()))
}

fn scanned(args: &ShareScan) -> Result<(), Refusal> {
    let share = paper_share(&args.images)?;
    let (index, threshold) = (share.index, share.threshold);
    let mut told = format!(
        "share {index} of {}, of which {} rebuild the key\nset           {}\nkey           {}\nsealed share  {}\n",
        threshold.total(),
        threshold.needed(),
        share.set,
        share.key.grouped(),
        share.digest().grouped()
    );
    match &args.trust {
        None => told += UNPROVED,
        Some(folder) => {
            let past = reading::past(Some(&reading::trust_folder(folder)))?;
            told += &proved(past.custody(), &share)?;
        }
    }
    print(&told)
}

/// Holds the share against what the trust folder says was made.
fn proved(custody: &Custody, share: &PaperShare) -> Result<String, Refusal> {
    let set = share.set.to_string();
    let is_of = |key: &&CustodyKey| matches!(&key.held, Held::Shares { set: s, .. } if *s == set);
    let Some(key) = custody.keys.iter().find(is_of) else {
        let what = format!(
            "the share on paper belongs to set {set}, which the trust folder does not know"
        );
        return Err(Refusal::of(Check::ShareSet, what).hint(
            "bring the newest trust folder; if it is, the paper is of another one, or forged",
        ));
    };
    let known = found(custody, &share.digest());
    let known =
        known.filter(|known| known.key == key.name && known.share.index == share.index.get());
    let is_same = share.key == key.public.id()
        && known.as_ref().is_some_and(|known| known.threshold == share.threshold);
    let Some(known) = known.filter(|_| is_same) else {
        let what = format!(
            "share {} of set {set}, as the paper has it, is not the one that was made",
            share.index
        );
        return Err(Refusal::of(Check::ShareCommitment, what)
            .hint("leave this paper out, and find out who made it"));
    };
    Ok(format!(
        "whole, and the share of key {} that was made for {}: when it was sealed, it was opened and held\n\
         against its commitment {}\n",
        known.key,
        known.share.holder,
        known.share.commitment.grouped()
    ))
}

const UNPROVED: &str = "whole; whether it is the share that was made, --trust says\n";
const ONLY_READ: &str = "nothing was written; what is there was only read";
