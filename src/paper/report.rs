//! The report of a ceremony: the script's steps with what really happened in each, and what was proved and what not.
//!
//! Roof, pure.

use jiff::Timestamp;

use super::script::{aim, foot, mark, parts, subject, tool_pairs};
use super::{Paper, Row, cells};
use crate::ceremony::fact::Fact;
use crate::ceremony::step::{Act, Step};
use crate::ceremony::{Ceremony, holding_words};
use crate::digest::{Digest, Hasher};
use crate::record::{Body, Entry, Mode, Record, Tool};
use crate::root::{Role, SignedRoot};
use crate::trust::{CEREMONIES, Held};
use crate::wording::{Count, List};

mod attested;
mod said;
mod signed;

/// The report as the one HTML file that goes into the trust folder.
pub fn html(ceremony: &Ceremony, record: &Record) -> String {
    super::html(&report(ceremony, record))
}

/// Writes the report of a ceremony as far as its record goes.
pub fn report(ceremony: &Ceremony, record: &Record) -> Paper {
    let plan = ceremony.plan();
    let mut paper = Paper::new(format!("Report: {}", plan.title()), foot(plan.digest()));
    let opened = opened(record);
    paper.mark = opened.and_then(|(_, mode)| mark(mode));
    cover(ceremony, record, opened.map(|(tool, _)| tool), &mut paper);
    for part in parts(ceremony.steps()) {
        paper.section(format!("Part {}: {}", part as u8 + 1, part.title()));
        paper.prose(aim(part));
        let steps = ceremony.steps().iter().filter(|step| step.part == part);
        let rows = steps.flat_map(|step| rows(step, ceremony, record)).collect();
        paper.table(&COLUMNS, rows);
    }
    holders(ceremony, &mut paper);
    attested::keys(ceremony, &mut paper);
    signed::roots(ceremony, &mut paper);
    for fact in ceremony.facts() {
        if let Fact::Closed { remarks } = fact {
            paper.section("Remarks at the close");
            paper.points(remarks.clone());
        }
    }
    digests(ceremony, record, &mut paper);
    paper.section("What was not proved");
    paper.points(unproved(ceremony, record));
    how_to_verify(ceremony, &mut paper);
    paper
}

/// What a ceremony left unproved, in plain words.
pub fn unproved(ceremony: &Ceremony, record: &Record) -> Vec<String> {
    let mut found = Vec::new();
    let mode = opened(record).map(|(_, mode)| mode);
    if mode == Some(Mode::Rehearsal) {
        found.push("This was a rehearsal: nothing of it is real.".to_owned());
    }
    if mode == Some(Mode::Practice) {
        found.push(
            "This was a practice: its tokens are software, and whoever had the machine could copy its keys."
                .to_owned(),
        );
    }
    let exceptions = entries(record).filter(|(_, fact)| matches!(fact, Fact::Exception { .. }));
    let exceptions = exceptions.count();
    if exceptions > 0 {
        let many = Count(exceptions, "exception");
        found.push(format!("{many}: in each, people went on without what the script asks for."));
    }
    if ceremony.plan().request().is_some_and(|request| request.second.is_none()) {
        found.push(
            "The request was fetched on one machine only: that all see the server's keys as it did is not proved."
                .to_owned(),
        );
    }
    for (_, fact) in entries(record) {
        found.extend(weakness(ceremony, fact));
        found.extend(attested::weak(fact));
        found.extend(attested::unattested(fact));
    }
    found.push(
        "That a token keeps its keys as it says, and that nobody saw a PIN, rests on the token and on the people."
            .to_owned(),
    );
    found
}

fn weakness(ceremony: &Ceremony, fact: &Fact) -> Option<String> {
    match fact {
        Fact::KeyMade { .. } | Fact::TokenEnrolled { .. } => attested::unknown_maker(fact),
        Fact::RootsRead { second_reader: false, .. } => {
            Some("No second machine read the candidates: this one could have shown others than it signed.".into())
        }
        Fact::SharesCombined { key, tried, of } if tried < of => {
            Some(format!("Of key `{key}`, {tried} of {of} combinations of shares were tried, not all."))
        }
        Fact::EntropyDrawn { reseeded: false, .. } => Some(
            "The kernel was not made to reseed at once; the tokens' entropy reached it only as it does so by itself."
                .into(),
        ),
        Fact::Intended { token, apart: true, .. } => Some(format!(
            "Token `{token}` signed at another site: that its custodian read the change there and consented stands in no record."
        )),
        Fact::Intended { token, stored: false, .. } if ceremony.roster().paper(token).is_some() => {
            Some(format!(
                "Paper `{token}` stores no data: what its custodian consented to stands on the receipt alone."
            ))
        }
        Fact::Intended { token, stored: false, .. }
            if ceremony.roster().recipient(token).is_some() =>
        {
            Some(format!(
                "Recipient `{token}` stores no data: what was consented to stands on the receipt alone."
            ))
        }
        Fact::Intended { token, stored: false, .. } => Some(format!(
            "Token `{token}` stores no data: what it meant to sign stands on its custodian's receipt alone."
        )),
        Fact::ShareStored { key, index, .. } if ceremony.paper_of(key, *index).is_some() => {
            Some(format!(
                "Share {index} of key `{key}` is sealed to a passphrase: that nobody but its custodian saw it rests on people."
            ))
        }
        Fact::ShareStored { key, index, .. } if ceremony.recipient_of(key, *index).is_some() => {
            Some(format!(
                "Share {index} of key `{key}` is sealed to a key of `age`: where its identity lies, and who else has it, rests on its holder."
            ))
        }
        Fact::ShareStored { key, index, on_token: false, .. } => Some(format!(
            "Share {index} of key `{key}` lies in the custody folder only: its token stores no data."
        )),
        _ => None,
    }
}

/// The tool that wrote a record.
pub fn tool(record: &Record) -> Option<&Tool> {
    opened(record).map(|(tool, _)| tool)
}

fn opened(record: &Record) -> Option<(&Tool, Mode)> {
    record.entries().iter().find_map(|entry| match &entry.body {
        Body::Opened { tool, mode, .. } => Some((tool, *mode)),
        _ => None,
    })
}

/// The facts of a record, each with its entry.
fn entries(record: &Record) -> impl Iterator<Item = (&Entry, &Fact)> {
    record.entries().iter().filter_map(|entry| match &entry.body {
        Body::Done { fact } => Some((entry, fact)),
        _ => None,
    })
}

fn cover(ceremony: &Ceremony, record: &Record, tool: Option<&Tool>, paper: &mut Paper) {
    paper.prose(state(ceremony));
    let mut pairs = subject(ceremony.plan());
    let first = record.entries().first().map(|entry| entry.at);
    let last = record.entries().last().map(|entry| entry.at);
    if let (Some(first), Some(last)) = (first, last) {
        pairs.push(("was held", format!("from {} until {}", minute(first), minute(last))));
    }
    if let Some(tool) = tool {
        pairs.extend(tool_pairs(tool));
    }
    pairs.push(("record", Count(record.entries().len(), "entry").to_string()));
    paper.pairs(pairs);
    paper.digest("The plan's digest", ceremony.plan().digest());
    paper.digest("The head of the record", record.head());
}

fn state(ceremony: &Ceremony) -> String {
    match ceremony.next() {
        None => "The ceremony is over, and its folders are on media.".to_owned(),
        Some(step) if matches!(ceremony.steps().last(), Some(last) if last == step) => {
            "The ceremony is over. Its folders go to media after this report was written; the closing \
             digest, which covers this report too, stands on the signed closing page."
                .to_owned()
        }
        Some(step) => format!("The ceremony is not over: step {} is next.", step.number),
    }
}

fn rows(step: &Step, ceremony: &Ceremony, record: &Record) -> Vec<Row> {
    let fact = ceremony.fact(step.number);
    let at = record.entries().iter().rev().find(|entry| {
        entry.step == step.number
            && matches!(&entry.body, Body::Done { fact: done } if Some(done) == fact)
    });
    let (state, came) = match (fact, ceremony.left_out(step)) {
        (Some(absent @ Fact::TokenAbsent { .. }), _) => ("not here", said::fact(ceremony, absent)),
        (Some(fact), _) => ("done", said::fact(ceremony, fact)),
        (None, Some(reason)) => ("left out", reason),
        // The report is one of the files that it writes.
        (None, None) if step.act == Act::ExportFolders => ("open", "after this report".to_owned()),
        (None, None) => ("open", String::new()),
    };
    let when = at.map_or_else(String::new, |entry| second(entry.at));
    let (roster, plan) = (ceremony.roster(), ceremony.plan());
    let number = step.number.to_string();
    let instruction = step.instruction(plan, roster);
    let mut rows = vec![cells([&number, &step.who(roster), &instruction, &came, state, &when])];
    let events = record.entries().iter().zip(record.heads());
    let events = events.filter(|(entry, _)| entry.step == step.number);
    rows.extend(events.filter_map(|(entry, head)| said::event(ceremony, (entry, head), fact)));
    rows
}

fn holders(ceremony: &Ceremony, paper: &mut Paper) {
    let custody = crate::ceremony::closing::custody(ceremony);
    paper.section("Who holds what now");
    let rows = ceremony.roster().keys().iter().map(|key| {
        let public = ceremony.public(&key.name).map_or_else(String::new, |key| key.id().grouped());
        let then = match (ceremony.plan().root(), key.stays) {
            (None, _) => "as before",
            (Some(_), true) => "in the new root",
            (Some(_), false) => "not in the new root",
        };
        cells([&key.name, &holding_words(key), then, &public])
    });
    let rows = rows.collect();
    paper.table(
        &[("Key", 12), ("Where", 22), ("Then", 10), ("SHA-256 of its public key", 24)],
        rows,
    );
    let rows = custody.tokens.iter().map(|token| {
        let seal = token.seal.as_ref().map_or("keys", |_| "keys, shares");
        let here = if ceremony.absent().contains_key(&token.name) { "not here" } else { "" };
        cells([&token.name, &token.seats(), &token.model, seal, here])
    });
    let rows = rows.collect();
    let columns = [("Token", 15), ("Seat", 15), ("Model", 20), ("Can hold", 10), ("", 8)];
    paper.table(&columns, rows);
    for key in &custody.keys {
        let Held::Shares { set, threshold, shares } = &key.held else { continue };
        paper.section(format!("Shares of key `{}`: {threshold} of {}", key.name, shares.len()));
        paper.pairs([("set", set.as_str())]);
        let rows = shares.iter().map(|share| {
            let place = match (share.on_token, custody.paper(&share.holder)) {
                _ if custody.is_share_gone(set, share.index) => "nowhere: destroyed",
                (true, _) => "token, custody folder",
                (false, Some(_)) => "paper, custody folder",
                (false, None) if custody.recipient(&share.holder).is_some() => {
                    "recipient, custody folder"
                }
                (false, None) => "custody folder",
            };
            cells([&share.index.to_string(), &share.holder, place, &share.commitment.grouped()])
        });
        let columns =
            [("Share", 5), ("Held by", 14), ("Sealed file lies on", 22), ("Commitment", 24)];
        paper.table(&columns, rows.collect());
    }
}

fn digests(ceremony: &Ceremony, record: &Record, paper: &mut Paper) {
    let mut rows: Vec<Row> = Vec::new();
    let (few, mut all) = (ceremony.recorded_roots() <= LISTED, Hasher::default());
    let mut add = |what: String, digest: Digest| rows.push(cells([&what, &digest.grouped()]));
    let plan = ceremony.plan();
    add("in: plan.toml".into(), plan.digest());
    if let (Some(name), Some(digest)) = (plan.list_name(), plan.list_digest()) {
        add(format!("in: {name}"), digest);
    }
    if let Some(after) = plan.after() {
        add("in: last closing digest".into(), after);
    }
    for (_, fact) in entries(record) {
        match fact {
            Fact::RequestRead { request, second } => {
                add("in: request/SHA256SUMS".into(), *request);
                if let Some(second) = second {
                    add("in: request-2/SHA256SUMS".into(), *second);
                }
            }
            Fact::RoomRead { room, modules } => {
                add("in: room.toml".into(), *room);
                modules
                    .iter()
                    .for_each(|module| add(format!("in: module {}", module.name), module.sha256));
            }
            Fact::RootsDrafted { consent, .. } => add("consent".into(), *consent),
            Fact::Assembled { roots } if few => roots.iter().for_each(|root| {
                add(format!("out: `{}` root {}", root.repository, root.version), root.sha256);
            }),
            Fact::Assembled { roots } => roots.iter().for_each(|root| {
                all.update(
                    format!("{}  {} {}\n", root.sha256, root.repository, root.version).as_bytes(),
                );
            }),
            _ => {}
        }
    }
    if !few {
        let many = Count(ceremony.recorded_roots(), "root");
        add(
            format!(
                "out: {many}: of a list with SHA-256, two spaces, name, space and version on each line"
            ),
            all.finish(),
        );
    }
    paper.section("Digests");
    paper.table(&[("What", 36), ("SHA-256", 39)], rows);
}

fn how_to_verify(ceremony: &Ceremony, paper: &mut Paper) {
    let number = u32::try_from(ceremony.past().ceremonies().len() + 1).unwrap_or(u32::MAX);
    let folder = crate::trust::folder_name(number, ceremony.plan().kind());
    paper.section("How a stranger verifies this");
    paper.points([
        "`officiant verify FOLDER --words \"…\"` on the trust folder, with the words of the signed closing page.".to_owned(),
        format!(
            "Without this tool: `sha256sum --check SHA256SUMS` in `{CEREMONIES}/{folder}`, then \
             `sha256sum --check {CEREMONIES}/{folder}/{}` in the trust folder.",
            crate::trust::TRUST_SUMS
        ),
    ]);
}

/// The public root keys of a root by the ceremony's names for them; those that it does not know by their digest.
fn names(ceremony: &Ceremony, root: &SignedRoot) -> Vec<String> {
    let keys = root.root().role_keys(Role::Root);
    keys.map(|(id, key)| match key.public() {
        Some(public) => name_of(ceremony, public).unwrap_or_else(|| public.id().to_string()),
        None => id.to_string(),
    })
    .collect()
}

fn name_of(ceremony: &Ceremony, public: &crate::key::PublicKey) -> Option<String> {
    let here = ceremony.roster().keys().iter();
    let mut here = here.filter(|key| ceremony.public(&key.name).as_ref() == Some(public));
    let here = here.next().map(|key| key.name.clone());
    here.or_else(|| ceremony.past().custody().key_of(public).map(|key| key.name.clone()))
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

const COLUMNS: [(&str, usize); 6] =
    [("No", 3), ("Who", 8), ("Do", 20), ("What came back", 17), ("State", 5), ("UTC", 10)];

/// Of more roots than this, those of which the same is said stand together.
const LISTED: usize = 64;

#[cfg(test)]
mod tests;
