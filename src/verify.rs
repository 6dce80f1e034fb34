//! Verification of a trust folder by anyone: every ceremony is held again over its own plan, request and record, and
//! all that can be made anew must come out as the very bytes of the folder.
//!
//! Roof, pure; the bytes of files in, sentences out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::ceremony::fact::Fact;
use crate::ceremony::means::Means;
use crate::check::Check;
use crate::digest::Digest;
use crate::files::Files;
use crate::paper::{Paper, report};
use crate::refusal::{Exit, Refusal};
use crate::trust::{Alone, Past};
use crate::wording::{Count, List};

mod again;
mod attested;

pub use again::{Again, again, all_again};

/// The files of a custody folder, by path.
pub type Custody = BTreeMap<String, Vec<u8>>;

/// What the verifier brings besides the folder.
#[derive(Clone, Copy, Debug)]
pub struct Anchors<'a> {
    /// The custody folder, which few have.
    pub custody: Option<&'a Custody>,
    /// The words of the closing digest, from the signed page.
    pub words: Option<&'a str>,
    /// SHA-256 of the running binary: what it wrote itself it can write again and compare.
    pub tool: Option<Digest>,
    /// The day for which expiry is told.
    pub at: Timestamp,
}

/// What was found out about a trust folder whose every byte is as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// `officiant-verify-1`.
    pub schema: &'static str,
    /// SHA-256 of the last ceremony's `SHA256SUMS`.
    pub closing: Digest,
    /// The ceremonies, oldest first.
    pub ceremonies: Vec<Held>,
    /// The repositories with their newest roots.
    pub repositories: Vec<Newest>,
    /// What was proved, as sentences.
    pub proved: Vec<String>,
    /// What was not, as sentences.
    pub not_proved: Vec<String>,
}

/// A ceremony of the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Its folder.
    pub folder: String,
    /// Its title.
    pub title: String,
    /// SHA-256 of its `SHA256SUMS`.
    pub closing: Digest,
    /// The first entry of its record.
    pub from: Timestamp,
    /// The last one.
    pub until: Timestamp,
}

/// A repository's newest root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Newest {
    /// The repository.
    pub name: String,
    /// The version.
    pub version: u64,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// When it expires.
    pub expires: Timestamp,
}

/// Verifies the files of a trust folder.
///
/// # Errors
/// `[TRUST-FOLDER]` naming the first file that is not what it must be; `[TRUST-WORDS]`; the rule that a record breaks.
pub fn verify(files: Files, anchors: Anchors<'_>, means: &Means) -> Result<Verified, Refusal> {
    if files.is_empty() {
        return Err(Refusal::new(Exit::Usage, "the folder is empty"));
    }
    let past = Past::read_by(files, means)?;
    let vouched = past.files().iter().filter(|(path, _)| past.is_vouched(path));
    let bytes: u64 = vouched.clone().map(|(_, bytes)| bytes.len()).sum();
    let (many, bytes) = (vouched.count(), usize::try_from(bytes).unwrap_or(usize::MAX));
    let closing = past.last().map_or(Digest::of(b""), |last| last.closing);
    if let Some(words) = anchors.words {
        past.check_words(words)?;
    }
    let rooms = all_again(&past, means)?;
    let mut remade = Vec::new();
    for room in &rooms {
        if check_report(room, &past, anchors.tool)? {
            remade.push(room.folder.as_str());
        }
    }
    let attested = attested::held(&past, &rooms, anchors.custody)?;
    let mut repositories = Vec::new();
    for name in past.repositories().keys() {
        repositories.extend(newest(&past, name)?);
    }
    let mut verified = Verified {
        schema: "officiant-verify-1",
        closing,
        ceremonies: rooms.iter().filter_map(held).collect(),
        proved: proved(&past, &rooms, (many, bytes), anchors),
        not_proved: not_proved(&past, &rooms, &remade, anchors),
        repositories,
    };
    verified.proved.extend(attested.proved);
    verified.not_proved.extend(attested.not_proved);
    Ok(verified)
}

/// The verdict for people.
pub fn paper(found: &Verified) -> Paper {
    let mut paper = Paper::new("The trust folder is whole.", "");
    paper.section("Proved");
    paper.points(found.proved.clone());
    paper.section("Not proved");
    paper.points(found.not_proved.clone());
    paper.section("Ceremonies");
    paper.points(found.ceremonies.iter().map(|held| {
        let (from, until) = (held.from, held.until);
        format!("`{}`: {}, from {from} until {until}", held.folder, held.title)
    }));
    paper.digest("Closing digest", found.closing);
    paper
}

/// Writes the report again where this very binary wrote it, and says whether it did.
fn check_report(room: &Again, past: &Past, tool: Option<Digest>) -> Result<bool, Refusal> {
    if tool.is_none() || report::tool(&room.record).map(|tool| tool.sha256) != tool {
        return Ok(false);
    }
    let path = format!("{}/{}/{REPORT}", crate::trust::CEREMONIES, room.folder);
    let written = past.files().read(&path)?;
    if written == Some(report::html(&room.ceremony, &room.record).into_bytes()) {
        return Ok(true);
    }
    let what = format!("`{path}` is not the report that the record gives");
    Err(Refusal::of(Check::TrustFolder, what))
}

fn held(room: &Again) -> Option<Held> {
    let entries = room.record.entries();
    Some(Held {
        folder: room.folder.clone(),
        title: room.ceremony.plan().title().to_owned(),
        closing: room.closing,
        from: entries.first()?.at,
        until: entries.last()?.at,
    })
}

fn newest(past: &Past, name: &str) -> Result<Option<Newest>, Refusal> {
    Ok(past.latest(name)?.map(|last| Newest {
        name: name.to_owned(),
        version: last.version().get(),
        sha256: last.digest(),
        expires: last.root().expires().instant(),
    }))
}

fn proved(
    past: &Past,
    rooms: &[Again],
    (files, bytes): (usize, usize),
    anchors: Anchors<'_>,
) -> Vec<String> {
    let mut said = Vec::new();
    if anchors.words.is_some() {
        said.push("The closing digest is the one whose 24 words were given.".to_owned());
    }
    said.push(format!(
        "All {} ({}) are those that the last closing digest vouches for; none is missing, none is spare.",
        Count(files, "file"),
        Count(bytes, "byte"),
    ));
    let folders: Vec<&str> = rooms.iter().map(|room| room.folder.as_str()).collect();
    if folders.len() > 1 {
        said.push(format!(
            "{} follow one another; each names the digest of the one before.",
            List::names(&folders)
        ));
    }
    for room in rooms {
        said.push(format!(
            "`{}`: its record is one chain of {}; held again over plan and request, every fact stands, and \
             custody.json, roots and sums come out as the same bytes.",
            room.folder,
            Count(room.record.entries().len(), "entry"),
        ));
    }
    said.extend(rooms.iter().filter_map(drilled));
    said.extend(rooms.iter().filter_map(retired));
    said.extend(past.alone().iter().map(Alone::sentence));
    for (name, lineage) in past.repositories().iter() {
        let many = usize::try_from(lineage.versions()).unwrap_or(usize::MAX);
        let made = made_here(rooms, name);
        let whose = match (made, many) {
            (made, all) if made == all => "made here".to_owned(),
            (made, all) => format!("the first {} of another origin", all - made),
        };
        said.push(format!(
            "`{name}`: {} ({whose}), each signed by its own threshold, and by that of the root before where there is one; the newest is \
             {} and expires {}.",
            Count(many, "root"),
            lineage.versions(),
            lineage.governed().expires.text(),
        ));
    }
    said
}

/// Who proved what they hold, and when.
fn drilled(room: &Again) -> Option<String> {
    let proved = room.ceremony.facts().filter_map(|fact| match fact {
        Fact::TokenDrilled { token: name, .. }
        | Fact::PaperDrilled { paper: name }
        | Fact::RecipientDrilled { recipient: name } => Some(name.as_str()),
        _ => None,
    });
    let proved: Vec<&str> = proved.collect();
    let day = room.record.entries().last()?.at.strftime("%Y-%m-%d");
    let who = List::and(&proved);
    (!proved.is_empty())
        .then(|| format!("`{}`: {who} proved what they hold on {day}.", room.folder))
}

/// Which tokens said that what was retired is gone from them, and when.
fn retired(room: &Again) -> Option<String> {
    let said = room.ceremony.facts().filter_map(|fact| match fact {
        Fact::TokenRetired { token, statement: Some(_), .. } => Some(token.as_str()),
        _ => None,
    });
    let said: Vec<&str> = said.collect();
    let day = room.record.entries().last()?.at.strftime("%Y-%m-%d");
    let who = List::and(&said);
    (!said.is_empty()).then(|| {
        format!("`{}`: {who} said on {day} that what was retired is gone from them.", room.folder)
    })
}

/// How many roots of a repository these ceremonies made.
fn made_here(rooms: &[Again], repository: &str) -> usize {
    let governs = |room: &&Again| {
        let plan = room.ceremony.plan();
        plan.root().is_some() && plan.repository(repository).is_some()
    };
    rooms.iter().filter(governs).count()
}

fn not_proved(past: &Past, rooms: &[Again], remade: &[&str], anchors: Anchors<'_>) -> Vec<String> {
    let mut said = Vec::new();
    if anchors.words.is_none() {
        said.push(
            "That this is the folder that people signed for: no words of the closing page were given. Any changed \
             byte is found, but not a folder that somebody made up whole, its last sums included."
                .to_owned(),
        );
    }
    for (name, lineage) in past.repositories().iter() {
        let expires = &lineage.governed().expires;
        if expires.instant() <= anchors.at {
            said.push(format!(
                "`{name}`: its newest root expired {}; clients refuse it.",
                expires.text()
            ));
        }
    }
    let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for room in rooms {
        for reason in report::unproved(&room.ceremony, &room.record) {
            reasons.entry(reason).or_default().push(&room.folder);
        }
        if !remade.contains(&room.folder.as_str()) {
            let reason =
                "Its report.html is whole, but was not written again: another binary wrote it.";
            reasons.entry(reason.to_owned()).or_default().push(&room.folder);
        }
    }
    said.extend(
        reasons.into_iter().map(|(reason, rooms)| format!("{}: {reason}", List::names(&rooms))),
    );
    said
}

const REPORT: &str = "report.html";

#[cfg(test)]
mod tests;
