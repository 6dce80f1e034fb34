//! What a finished ceremony leaves: the new trust folder, byte for byte the old one and its own part.
//!
//! Second floor: pure.

use super::fact::{Fact, RootMade};
use super::means::PIECE;
use super::roster::{Holding, KeyOrigin, Recipient};
use super::{Ceremony, abandon, admission, ours, reshare, restore, retire};
use crate::digest::Digest;
use crate::files::{self, Bytes, Files};
use crate::name::Name;
use crate::record::{Body, Entry, Record};
use crate::refusal::Refusal;
use crate::sums::{self, Predecessor, Sums};
use crate::trust::{
    CEREMONIES, CUSTODY, Custody, CustodyKey, CustodyPaper, CustodyRecipient, CustodyShare,
    CustodyToken, Held, METADATA, TRUST_SUMS, folder_name,
};
use crate::wording::one_line;
use crate::wording::told::Told;

/// A finished trust folder.
#[derive(Clone, Debug)]
pub struct TrustFolder {
    /// Every file by path.
    pub files: Files,
    /// The ceremony's folder.
    pub folder: String,
    /// SHA-256 of the ceremony's `SHA256SUMS`.
    pub closing: Digest,
}

/// Builds the new trust folder; `own` are the ceremony's own files, by path inside its folder: plan, list, request, record
/// and report.
///
/// # Errors
/// As [`Ceremony::wholes`], when roots were signed; a path that no sums may hold.
pub fn trust_folder(ceremony: &Ceremony, mut own: Files) -> Result<TrustFolder, Refusal> {
    let mut files = ceremony.past().files().clone();
    files.insert(CUSTODY, custody(ceremony).to_bytes());
    if let Some(complete) = completed(ceremony) {
        add_roots(complete, &mut files)?;
    }
    let number = ceremony.past().ceremonies().len() + 1;
    let number = u32::try_from(number).map_err(|_| ours("too many ceremonies"))?;
    let folder = folder_name(number, ceremony.plan().kind());
    own.insert(TRUST_SUMS, vouched(ceremony, &files)?);
    let bad = |error: sums::Error| ours(error.to_string());
    let mut sums = Sums::default();
    for (path, bytes) in own.iter().filter(|(path, _)| *path != sums::FILE) {
        sums.insert(path, bytes.digest()?).map_err(bad)?;
    }
    if let Some(last) = ceremony.past().last() {
        let link = Predecessor { folder: last.folder.clone(), digest: last.closing };
        sums = sums.after(link).map_err(bad)?;
    }
    own.insert(sums::FILE, sums.to_text().into_bytes());
    files.put_below(&format!("{CEREMONIES}/{folder}/"), &own);
    Ok(TrustFolder { files, folder, closing: sums.digest() })
}

/// Adds the roots that are complete, and those before them that the trust folder did not know.
fn add_roots(complete: &Ceremony, files: &mut Files) -> Result<(), Refusal> {
    let (wholes, inputs) = (complete.wholes()?, complete.inputs());
    for (at, planned) in complete.plan().repositories().iter().enumerate() {
        let folder = folder_of(&planned.name)?;
        let version = wholes.head(&inputs.means, at)?.version;
        // Nearly always the trust folder has all before it.
        if inputs.past.versions(&planned.name) + 1 < version {
            for (version, bytes) in admission::new_files(inputs, &planned.name)? {
                let bytes = Bytes::laid(&inputs.means.shelf, &bytes)?;
                files.insert(format!("{folder}/{version}.root.json"), bytes);
            }
        }
        let bytes = wholes.file(&inputs.means, at)?;
        files.insert(format!("{folder}/{version}.root.json"), bytes);
    }
    Ok(())
}

/// The list of what a ceremony vouches for: all but what ceremonies have in their own folders.
fn vouched(ceremony: &Ceremony, files: &Files) -> Result<Bytes, Refusal> {
    let (start, mut lines) = (format!("{CEREMONIES}/"), sums::Writer::default());
    let means = &ceremony.inputs().means;
    let mut text = files::Writer::new(&means.shelf);
    let mut all = files.iter().filter(|(path, _)| !path.starts_with(&start)).peekable();
    while all.peek().is_some() {
        let some: Vec<(&str, &Bytes)> = all.by_ref().take(PIECE).collect();
        let digest = |at: usize| Ok::<_, Refusal>(some[at].1.digest()?);
        means.map(0..some.len(), digest, |at, digest| {
            let line = lines.line(some[at].0, digest).map_err(|error| ours(error.to_string()))?;
            Ok(text.put(line.as_bytes())?)
        })?;
    }
    Ok(text.finish()?)
}

/// The ceremony whose roots are complete when this one ends: itself, or the one that it abandons.
fn completed(ceremony: &Ceremony) -> Option<&Ceremony> {
    match ceremony.plan().root() {
        Some(_) => Some(ceremony),
        None => abandon::unwanted(ceremony),
    }
}

fn folder_of(repository: &str) -> Result<String, Refusal> {
    let name: Name =
        repository.parse().map_err(|error| ours(format!("`{repository}`: {error}")))?;
    Ok(format!("{METADATA}/{}", name.folder()))
}

/// The candidates of a record that somebody has begun to sign, as far as the room knows, piece by piece.
pub fn intended(record: &Record) -> impl Iterator<Item = Result<Vec<RootMade>, Refusal>> {
    let begun = |entry: &Entry| {
        let Body::Done { fact } = &entry.body else { return false };
        matches!(fact, Fact::Intended { .. } | Fact::Signed { .. })
    };
    let is_begun = record.entries().iter().any(begun);
    drafted(record).filter(move |_| is_begun)
}

/// The candidates of a record, piece by piece.
pub fn drafted(record: &Record) -> impl Iterator<Item = Result<Vec<RootMade>, Refusal>> {
    roots(record, |fact| match fact {
        Fact::Drafted { roots } => Some(roots),
        _ => None,
    })
}

/// The complete roots of a record, piece by piece.
pub fn assembled(record: &Record) -> impl Iterator<Item = Result<Vec<RootMade>, Refusal>> {
    roots(record, |fact| match fact {
        Fact::Assembled { roots } => Some(roots),
        _ => None,
    })
}

/// The roots of those facts of a record that `find` finds some in.
fn roots(
    record: &Record,
    find: impl Fn(Fact) -> Option<Vec<RootMade>>,
) -> impl Iterator<Item = Result<Vec<RootMade>, Refusal>> {
    let places = record.entries().iter().enumerate().filter_map(|(at, entry)| match &entry.body {
        Body::Done { fact } if fact.is_piece() => Some(at),
        _ => None,
    });
    places.filter_map(move |at| match record.whole(at).map(|entry| entry.body) {
        Ok(Body::Done { fact }) => find(fact).map(Ok),
        Ok(_) => None,
        Err(error) => Some(Err(error.into())),
    })
}

/// What consent was given to in a record.
pub fn consent(record: &Record) -> Option<Digest> {
    record.entries().iter().rev().find_map(|entry| match &entry.body {
        Body::Done { fact: Fact::RootsDrafted { consent } } => Some(*consent),
        _ => None,
    })
}

/// What the closing page says beside the digests: who was not here, which repositories and steps were left out, the first
/// days on which somebody fails, and how long old keys stay dangerous. Always the same for the same record.
///
/// # Errors
/// As [`Ceremony::wholes`].
pub fn remarks(ceremony: &Ceremony) -> Result<Vec<String>, Refusal> {
    let absent = ceremony.absent().iter();
    let mut remarks: Vec<String> = absent
        .map(|(token, why)| {
            format!("{} was not here: {}", ceremony.roster().called(token), one_line(why))
        })
        .collect();
    for left in ceremony.plan().exclusions() {
        remarks.push(format!("`{}` was left out: {}", left.name, left.reason));
    }
    for step in ceremony.steps() {
        if let Some(reason) = ceremony.left_out(step) {
            remarks.push(format!("step {} was left out: {reason}", step.number));
        }
    }
    if let Some(unfinished) = ceremony.inputs().unfinished.as_deref() {
        remarks.extend(abandon::papers_left(unfinished));
        remarks.extend(abandon::drafted_only(unfinished)?);
        for token in ceremony.absent().keys() {
            let left = abandon::left_on(unfinished, token).into_iter();
            remarks.extend(left.map(|(key, _)| abandon::not_destroyed(unfinished, &key, token)));
            let shares = abandon::shares_on(unfinished, token).into_iter();
            remarks.extend(shares.map(|(key, index)| {
                format!("share {index} of key {key}, which is not used, was NOT deleted: it may be on token {token}")
            }));
        }
    }
    if let Some(unwanted) = abandon::unwanted(ceremony) {
        let (wholes, told) = (unwanted.wholes()?, Told::default());
        let made = wholes.made(unwanted, 0..wholes.count())?.into_iter().enumerate();
        for (at, RootMade { repository, version, .. }) in made {
            let said = format!(
                "`{repository}`: root {version} is complete and unwanted: it stays in the room until root {} follows it",
                version + 1
            );
            told.add(at, &repository, vec![said]);
        }
        remarks.extend(told.finish());
    }
    remarks.extend(restore::remarks(ceremony));
    remarks.extend(reshare::remarks(ceremony));
    remarks.extend(retire::remarks(ceremony));
    remarks.extend(imported(ceremony));
    if ceremony.plan().root().is_none() {
        return Ok(remarks);
    }
    remarks.extend(ceremony.wholes()?.remarks.iter().cloned());
    Ok(remarks)
}

/// That whoever has a copy of an imported file has the key, as sentences (docs/threats.md rule 12).
fn imported(ceremony: &Ceremony) -> Vec<String> {
    let keys = ceremony.roster().keys().iter();
    let keys = keys.filter(|key| matches!(key.origin, KeyOrigin::Imported(_)));
    let by = |name: &str| {
        let planned = ceremony.plan().keys().find(|planned| planned.name == name);
        planned.and_then(|planned| planned.rotate_by)
    };
    let said = keys.map(|key| {
        let until = by(&key.name)
            .map_or_else(String::new, |day| format!("; a ceremony replaces it by {day}"));
        format!(
            "key {} came from a file: destroy every copy of that file, of its backups and of its passphrase{until}",
            key.name
        )
    });
    said.collect()
}

/// Who holds what after this ceremony.
pub fn custody(ceremony: &Ceremony) -> Custody {
    let mut custody = ceremony.past().custody().clone();
    let unfinished = ceremony.inputs().unfinished.as_deref();
    let roster = unfinished.unwrap_or(ceremony).roster();
    let before = unfinished.into_iter().flat_map(Ceremony::facts);
    for fact in before.chain(ceremony.facts()) {
        match fact {
            Fact::TokenEnrolled { token, model, identity, attest, seal, kem, .. } => {
                custody.tokens.push(CustodyToken {
                    name: token.clone(),
                    custodian: roster.custodian(token).to_owned(),
                    so_holder: roster.token(token).and_then(|token| token.so_holder.clone()),
                    model: model.clone(),
                    identity: *identity,
                    attest: Some(attest.clone()),
                    seal: seal.clone(),
                    kem: kem.clone(),
                });
            }
            Fact::TokenAdopted { token, model, identity, .. } => {
                custody.tokens.push(CustodyToken {
                    name: token.clone(),
                    custodian: roster.custodian(token).to_owned(),
                    so_holder: None,
                    model: model.clone(),
                    identity: *identity,
                    attest: None,
                    seal: None,
                    kem: None,
                });
            }
            _ => {}
        }
    }
    // The keys of roots that are complete, wanted or not.
    let signed = unfinished.filter(|unfinished| abandon::meant(unfinished));
    for key in ceremony.roster().keys().iter().chain(signed.iter().flat_map(|c| c.roster().keys()))
    {
        let ceremony = signed.unwrap_or(ceremony);
        if key.from.is_some() && ceremony.is_moved(&key.name) {
            custody.papers.extend(papers(ceremony, key));
            name_recipients(&mut custody, ceremony, key);
            custody.hold_anew(&key.name, held(ceremony, key));
        }
        let known = matches!(key.origin, KeyOrigin::Known(_));
        if let (false, Some(public)) = (known, ceremony.public(&key.name)) {
            let (name, algorithm) = (key.name.clone(), key.algorithm);
            custody.papers.extend(papers(ceremony, key));
            name_recipients(&mut custody, ceremony, key);
            let (held, former) = (held(ceremony, key), Vec::new());
            custody.keys.push(CustodyKey { name, algorithm, public, held, former });
        }
    }
    // What went is gone, whether or not its ceremony came to an end.
    for retiring in unfinished.into_iter().chain([ceremony]) {
        retire::mark(retiring, &mut custody);
    }
    custody
}

/// Names the recipients that have shares of a new set, each once.
fn name_recipients(custody: &mut Custody, ceremony: &Ceremony, key: &super::roster::Key) {
    let holders = key.holding.holders().iter();
    for recipient in holders.filter_map(|name| ceremony.roster().recipient(name)) {
        if custody.recipient(&recipient.name).is_none() {
            let Recipient { name, custodian, age } = recipient.clone();
            custody.recipients.push(CustodyRecipient { name, custodian, age });
        }
    }
}

/// The papers on which shares of a new key stand.
fn papers(ceremony: &Ceremony, key: &super::roster::Key) -> Vec<CustodyPaper> {
    let papers = key.holding.holders().iter().filter_map(|name| ceremony.roster().paper(name));
    let known = papers.map(|paper| {
        let (name, custodian) = (paper.name.clone(), paper.custodian.clone());
        CustodyPaper { name, custodian }
    });
    known.collect()
}

fn held(ceremony: &Ceremony, key: &super::roster::Key) -> Held {
    let (threshold, set) = match (&key.holding, ceremony.split(&key.name)) {
        (Holding::Shares { threshold, .. }, Some(set)) => (*threshold, set),
        (holding, _) => {
            let token = holding.holders().first().cloned().unwrap_or_default();
            return Held::Token { token };
        }
    };
    let stored = |index: u8| {
        ceremony.facts().any(|fact| {
            matches!(fact, Fact::ShareStored { key: of, index: i, on_token: true, .. }
                if *of == key.name && *i == index)
        })
    };
    let shares = set.1.iter().map(|share| CustodyShare {
        index: share.index,
        holder: share.holder.clone(),
        commitment: share.commitment,
        sealed: share.sealed,
        on_token: stored(share.index),
    });
    Held::Shares { set: set.0.to_owned(), threshold, shares: shares.collect() }
}
