//! A finished ceremony held again: its inputs read from its folder, its facts taken up one by one, its results made
//! anew and compared.
//!
//! Roof, pure.

use std::collections::BTreeSet;

use crate::ceremony::closing;
use crate::ceremony::fact::Fact;
use crate::ceremony::means::Means;
use crate::ceremony::plan::Plan;
use crate::ceremony::step::Act;
use crate::ceremony::{Ceremony, Inputs, replay};
use crate::check::Check;
use crate::digest::Digest;
use crate::files::Files;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::sums;
use crate::trust::{Alone, CEREMONIES, LastCeremony, Past, TRUST_SUMS};

/// A ceremony at its end, as its record gives it.
#[derive(Clone, Debug)]
pub struct Again {
    /// Its folder: `0001-genesis`.
    pub folder: String,
    /// SHA-256 of its `SHA256SUMS`.
    pub closing: Digest,
    /// The ceremony, with every fact.
    pub ceremony: Ceremony,
    /// Its record.
    pub record: Record,
}

/// Holds every ceremony of a trust folder again, oldest first, each over the folder that the ones before it gave.
///
/// # Errors
/// `[TRUST-FOLDER]` when something comes out otherwise; the rule that a record breaks, with its line.
pub fn all_again(past: &Past, means: &Means) -> Result<Vec<Again>, Refusal> {
    let mut rooms = Vec::new();
    let mut before = Past::default();
    for ceremony in past.ceremonies() {
        before = with_drills(before, past, &ceremony.drills)?;
        let (room, files) = one(past, ceremony, before, means)?;
        rooms.push(room);
        before = Past::read_by(files.packed(), means)?;
    }
    let before = with_drills(before, past, &past.alone().iter().map(Alone::path).collect())?;
    if let Some(path) = before.files().difference(past.files())? {
        let what = format!("`{path}` is not what the ceremonies give");
        return Err(Refusal::of(Check::TrustFolder, what));
    }
    Ok(rooms)
}

/// The statements of drills that came between two ceremonies: no ceremony gives them.
fn with_drills(before: Past, past: &Past, there: &BTreeSet<String>) -> Result<Past, Refusal> {
    let alone = past.alone().iter().map(Alone::path);
    let new: Vec<String> =
        alone.filter(|path| there.contains(path) && !before.files().contains(path)).collect();
    if new.is_empty() {
        return Ok(before);
    }
    let mut files = before.files().clone();
    for path in new {
        if let Some(bytes) = past.files().get(&path).cloned() {
            files.insert(path, bytes);
        }
    }
    Ok(Past::read(files)?)
}

/// Holds the ceremony with that number again; the last one without a number.
///
/// # Errors
/// As [`all_again`]; `[TRUST-FOLDER]` when no ceremony has the number.
pub fn again(past: &Past, number: Option<u32>, means: &Means) -> Result<Again, Refusal> {
    let last = u32::try_from(past.ceremonies().len()).unwrap_or(u32::MAX);
    let number = number.unwrap_or(last);
    let found = all_again(past, means)?.into_iter().zip(1..).find(|(_, at)| *at == number);
    found.map(|(room, _)| room).ok_or_else(|| {
        let what = format!("the trust folder has ceremonies 1 to {last}, not {number}");
        Refusal::new(crate::refusal::Exit::Usage, what)
    })
}

fn one(
    past: &Past,
    last: &LastCeremony,
    before: Past,
    means: &Means,
) -> Result<(Again, Files), Refusal> {
    let place = format!("{CEREMONIES}/{}", last.folder);
    let named = |refusal: Refusal| {
        let what = format!("`{place}`: {}", refusal.what);
        Refusal { what, ..refusal }
    };
    let mut own = past.ceremony_files(&last.folder);
    own.remove(sums::FILE);
    own.remove(TRUST_SUMS);
    check_layout(&last.plan, &own).map_err(named)?;
    let inputs = Inputs::read(&own, before, means.clone()).map_err(named)?;
    let ceremony = replay(inputs, &last.record).map_err(named)?;
    let over = ceremony.next().is_none_or(|step| step.act == Act::ExportFolders);
    let exported = ceremony.facts().any(|fact| matches!(fact, Fact::FoldersExported { .. }));
    if !over || exported {
        let what = format!("`{place}/record.jsonl` does not end where a ceremony is closed");
        return Err(Refusal::of(Check::FactOrder, what));
    }
    let made = closing::trust_folder(&ceremony, own).map_err(named)?;
    if made.folder != last.folder || made.closing != last.closing {
        let start = format!("{place}/");
        let (mut ours, mut theirs) = (made.files.below(&start), past.files().below(&start));
        // The sums differ with every other file: they are named only when they alone differ.
        if without_sums(&ours).difference(&without_sums(&theirs))?.is_some() {
            (ours, theirs) = (without_sums(&ours), without_sums(&theirs));
        }
        let path = ours.difference(&theirs)?;
        let what = format!(
            "`{start}{}` is not what plan, request and record give",
            path.unwrap_or_default()
        );
        return Err(Refusal::of(Check::TrustFolder, what));
    }
    let (folder, closing, record) = (last.folder.clone(), last.closing, last.record.clone());
    Ok((Again { folder, closing, ceremony, record }, made.files))
}

/// A ceremony's folder holds what its room read and wrote, and nothing else.
fn check_layout(plan: &Plan, own: &Files) -> Result<(), Refusal> {
    let known = |path: &str| {
        ["plan.toml", "record.jsonl", super::REPORT].contains(&path)
            || plan.list_name() == Some(path)
            || ["request/", "request-2/", "proofs/", "unfinished/"]
                .iter()
                .any(|folder| path.starts_with(folder))
    };
    let missing = ["plan.toml", "record.jsonl", super::REPORT].into_iter();
    if let Some(path) = missing.into_iter().find(|path| !own.contains(path)) {
        return Err(Refusal::of(Check::TrustFolder, format!("`{path}` is missing")));
    }
    let second = plan.request().is_some_and(|request| request.second.is_some());
    let spare = |path: &&str| {
        !known(path)
            || (path.starts_with("request-2/") && !second)
            || (path.starts_with("request/") && plan.request().is_none())
            || (path.starts_with("unfinished/") && plan.abandon().is_none())
    };
    match own.paths().find(spare) {
        None => Ok(()),
        Some(path) => {
            Err(Refusal::of(Check::TrustFolder, format!("`{path}` is no file of a ceremony")))
        }
    }
}

fn without_sums(files: &Files) -> Files {
    let mut files = files.clone();
    files.remove(sums::FILE);
    files
}
