//! The inputs: read once from plan, room file and media, kept in the work folder, and from then on only those bytes are
//! checked, shown and signed. `[MEDIA-ONCE]`
//!
//! Roof.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{CUSTODY, INPUTS};
use crate::ceremony::plan::Plan;
use crate::ceremony::{Inputs, PLAN, UNFINISHED};
use crate::check::Check;
use crate::digest::Digest;
use crate::name::Name;
use crate::record::{Body, Mode, Record};
use crate::refusal::{Exit, Refusal};
use crate::request::proof::Claim;
use crate::room::binding::Binding;
use crate::room::media::{self, Kind, Limits};
use crate::root::Role;
use crate::sums;
use crate::trust::{Past, below};

/// Every input by its path in the folder of inputs.
pub(super) struct Files {
    files: BTreeMap<String, Vec<u8>>,
}

const ROOM: &str = "room.toml";

impl Files {
    /// Reads the plan, the list that it names, the room file, the last trust and custody folders, and from `in` media
    /// the requests that the plan names.
    pub(super) fn gather(binding: &Binding, plan: &Path, mode: Mode) -> Result<Self, Refusal> {
        let device = |error: media::Error| error.refusal(Refusal::NOTHING_DONE);
        let bytes = media::read_file(plan, MAX_PLAN).map_err(device)?;
        let mut files = BTreeMap::from([(PLAN.to_owned(), bytes.clone())]);
        let parsed = parse_beside(plan, &bytes)?;
        if let Some((name, list)) = parsed.1 {
            if RESERVED.contains(&name.as_str()) {
                return Err(Refusal::new(Exit::Usage, format!("a list cannot be called `{name}`"))
                    .hint("call it `repositories.txt`"));
            }
            files.insert(name, list);
        }
        check_mode(&parsed.0, mode)?;
        files.insert(ROOM.to_owned(), binding.bytes.clone());
        if let Some(trust) = &binding.trust {
            add(&mut files, "trust", media::read_tree(trust, LIMITS).map_err(device)?);
            add(&mut files, CUSTODY, read_custody(binding)?);
        }
        if parsed.0.kind() == crate::ceremony::plan::Kind::Abandon {
            add(&mut files, UNFINISHED, read_unfinished(binding)?);
            let tokens = below(&files, &format!("{UNFINISHED}/{CUSTODY}/"));
            add(&mut files, CUSTODY, tokens);
        }
        if let Some(planned) = parsed.0.request() {
            let found = Found::on(binding, &parsed.0)?;
            add(&mut files, "request", found.pick(planned.sha256)?);
            if let Some(second) = planned.second {
                add(&mut files, "request-2", found.pick(second)?);
            }
            add(&mut files, "proofs", found.proofs);
        }
        Ok(Self { files })
    }

    /// Writes them into the work folder, whole or not at all.
    pub(super) fn keep(&self, work: &Path) -> Result<(), Refusal> {
        let written = media::write_tree(work, INPUTS, &self.files);
        written.map(|_| ()).map_err(|error| {
            let refusal = error.refusal(Refusal::NOTHING_DONE);
            match refusal.check {
                Some(Check::MediaOwn) => Refusal {
                    hints: vec!["a new ceremony needs an empty work folder".to_owned()],
                    ..refusal
                },
                _ => refusal,
            }
        })
    }

    /// Reads them back from the work folder, and holds them against the record.
    pub(super) fn kept(work: &Path, record: &Record) -> Result<Self, Refusal> {
        let read = media::read_tree(&work.join(INPUTS), LIMITS);
        let files = Self { files: read.map_err(|error| error.refusal(Refusal::NOTHING_DONE))? };
        let recorded = record.entries().first().map(|entry| &entry.body);
        match recorded {
            Some(Body::Opened { inputs, .. }) if *inputs == files.digest() => Ok(files),
            _ => {
                let what = "the inputs in the work folder are not those that the record began with";
                Err(Refusal::of(Check::MediaOnce, what)
                    .hint("bring the work folder as it was left: nothing in it is to be edited"))
            }
        }
    }

    /// One digest over every path and byte.
    pub(super) fn digest(&self) -> Digest {
        let parts = self.files.iter().flat_map(|(path, bytes)| [path.as_bytes(), bytes.as_slice()]);
        Digest::of_parts("officiant inputs v1", &parts.collect::<Vec<_>>())
    }

    /// SHA-256 of room.toml.
    pub(super) fn room_digest(&self) -> Digest {
        Digest::of(self.files.get(ROOM).map_or(&[], Vec::as_slice))
    }

    /// The files of one folder of the inputs, by path inside it.
    pub(super) fn folder(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        below(&self.files, &format!("{name}/"))
    }

    /// One file of the inputs.
    pub(super) fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// What the ceremony's folder in the trust folder takes from the inputs: all but room, past and custody.
    pub(super) fn published(&self) -> BTreeMap<String, Vec<u8>> {
        let private = |path: &str| {
            // However deep: an unfinished ceremony has inputs of its own.
            let mut inside = path;
            while let Some(deeper) =
                ["unfinished/", "inputs/"].iter().find_map(|outer| inside.strip_prefix(outer))
            {
                inside = deeper;
            }
            inside == ROOM
                || inside.starts_with("trust/")
                || inside.starts_with(&format!("{CUSTODY}/"))
        };
        let files = self.files.iter().filter(|(path, _)| !private(path));
        files.map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
    }

    /// The inputs as values.
    pub(super) fn inputs(&self) -> Result<Inputs, Refusal> {
        let past = Past::read(self.folder("trust")).map_err(|error| {
            Refusal::of(Check::TrustFolder, error.to_string())
                .hint("bring the trust folder as the last ceremony wrote it")
        })?;
        Inputs::read(&self.files, past)
    }
}

fn usage(error: crate::ceremony::plan::Error) -> Refusal {
    Refusal::new(Exit::Usage, error.to_string())
        .hint("correct the plan, and have it reviewed anew; docs/format.md shows every field")
}

/// Reads a plan with the list that lies beside it.
pub(super) fn read_plan(plan: &Path) -> Result<Plan, Refusal> {
    let bytes = media::read_file(plan, MAX_PLAN);
    let bytes = bytes.map_err(|error| error.refusal(Refusal::NOTHING_DONE))?;
    parse_beside(plan, &bytes).map(|read| read.0)
}

/// What an unfinished ceremony left in its work folder: its record, its inputs, and the identities of its tokens.
fn read_unfinished(binding: &Binding) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
    let device = |error: media::Error| error.refusal(Refusal::NOTHING_DONE);
    let folder = binding.unfinished.as_ref().ok_or_else(|| {
        Refusal::new(Exit::Usage, "room.toml names no unfinished ceremony")
            .hint("add `unfinished`, the work folder of the ceremony to abandon")
    })?;
    let record = media::read_file(&folder.join(super::RECORD), super::journal::MAX_RECORD)
        .map_err(device)?;
    let (read, good) = Record::parse(&record)
        .map_err(|error| Refusal::of(Check::AbandonPlan, error.to_string()))?;
    let kept = Files::kept(folder, &read)?;
    let mut files = BTreeMap::from([(super::RECORD.to_owned(), record[..good].to_vec())]);
    add(&mut files, INPUTS, kept.files);
    let tokens = folder.join(CUSTODY).join("tokens");
    if media::exists(&tokens).map_err(device)? {
        add(
            &mut files,
            &format!("{CUSTODY}/tokens"),
            media::read_tree(&tokens, LIMITS).map_err(device)?,
        );
    }
    Ok(files)
}

/// A file by its name.
type NamedFile = (String, Vec<u8>);

/// Reads a plan with the list that lies beside it, and returns the list too.
fn parse_beside(plan: &Path, bytes: &[u8]) -> Result<(Plan, Option<NamedFile>), Refusal> {
    let mut list = None;
    let folder = plan.parent().unwrap_or_else(|| Path::new(""));
    let parsed = Plan::parse(bytes, |name| {
        let plain = !name.is_empty() && !name.contains(['/', '\\']) && !name.starts_with('.');
        let bytes = plain.then(|| media::read_file(&folder.join(name), MAX_LIST).ok()).flatten()?;
        list = Some((name.to_owned(), bytes.clone()));
        Some(bytes)
    });
    Ok((parsed.map_err(usage)?, list))
}

fn check_mode(plan: &Plan, mode: Mode) -> Result<(), Refusal> {
    match (plan.practice(), mode) {
        (false, Mode::Practice) => {
            let what = "answers come from a file only in a practice";
            Err(Refusal::of(Check::PracticeOnly, what).hint("conduct the plan on a terminal"))
        }
        _ => Ok(()),
    }
}

/// Every request and proof on the `in` media.
struct Found {
    requests: Vec<BTreeMap<String, Vec<u8>>>,
    proofs: BTreeMap<String, Vec<u8>>,
}

impl Found {
    fn on(binding: &Binding, plan: &Plan) -> Result<Self, Refusal> {
        let device = |error: media::Error| error.refusal(Refusal::NOTHING_DONE);
        let mut found = Self { requests: Vec::new(), proofs: BTreeMap::new() };
        for root in &binding.media.inward {
            media::expect(root, Kind::In).map_err(device)?;
            for name in ["request", "request-2"] {
                if media::exists(&root.join(name)).map_err(device)? {
                    found
                        .requests
                        .push(media::read_tree(&root.join(name), LIMITS).map_err(device)?);
                }
            }
            if media::exists(&root.join("proofs")).map_err(device)? {
                let proofs = media::read_tree(&root.join("proofs"), PROOFS).map_err(device)?;
                check_proofs(plan, &proofs)?;
                found.proofs.extend(proofs);
            }
        }
        Ok(found)
    }

    fn pick(&self, digest: Digest) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
        let is_it = |files: &&BTreeMap<String, Vec<u8>>| {
            files.get(sums::FILE).is_some_and(|sums| Digest::of(sums) == digest)
        };
        if let Some(files) = self.requests.iter().find(is_it) {
            return Ok(files.clone());
        }
        let there = self.requests.iter().filter_map(|files| files.get(sums::FILE));
        let there: Vec<String> = there.map(|sums| Digest::of(sums).to_string()).collect();
        let found = if there.is_empty() { "no request".to_owned() } else { there.join(" and ") };
        let what = format!("the plan names request {digest}, the in media hold {found}");
        Err(Refusal::of(Check::RequestDigest, what)
            .hint("bring the media that the plan was written for"))
    }
}

/// What lies in `proofs/` goes into the public folder, so it is nothing but proofs: one file for each of the plan's
/// repositories and online roles. `[REQUEST-KEY-POP]`
fn check_proofs(plan: &Plan, proofs: &BTreeMap<String, Vec<u8>>) -> Result<(), Refusal> {
    let names = plan.repositories().iter().filter_map(|planned| planned.name.parse::<Name>().ok());
    let known: BTreeSet<String> = names
        .flat_map(|repository| {
            let plan = plan.digest();
            Role::ONLINE.map(|role| Claim { plan, repository: repository.clone(), role }.path())
        })
        .collect();
    match proofs.keys().find(|path| !known.contains(&format!("proofs/{path}"))) {
        None => Ok(()),
        Some(path) => {
            let what = format!("`proofs/{path}` is no proof for a repository and role of the plan");
            Err(Refusal::of(Check::RequestKeyPop, what)
                .hint("take it off the media, and find out who put it there"))
        }
    }
}

/// The custody folder, from both `room` media, equal.
fn read_custody(binding: &Binding) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
    let device = |error: media::Error| error.refusal(Refusal::NOTHING_DONE);
    let mut copies = Vec::new();
    for root in &binding.media.room {
        media::expect(root, Kind::Room).map_err(device)?;
        copies.push(media::read_tree(&root.join(CUSTODY), LIMITS).map_err(device)?);
    }
    let (first, second) = (&copies[0], &copies[1]);
    let [a, b] = &binding.media.room;
    media::compare((a, first), (b, second)).map_err(device)?;
    Ok(copies.swap_remove(0))
}

fn add(files: &mut BTreeMap<String, Vec<u8>>, folder: &str, more: BTreeMap<String, Vec<u8>>) {
    files.extend(more.into_iter().map(|(path, bytes)| (format!("{folder}/{path}"), bytes)));
}

/// Names that a list file cannot have, since the ceremony's folder has them already.
const RESERVED: [&str; 6] =
    [PLAN, ROOM, "record.jsonl", "report.html", "SHA256SUMS", crate::trust::TRUST_SUMS];
const MAX_PLAN: u64 = crate::ceremony::plan::MAX_BYTES as u64;
const MAX_LIST: u64 = 16 << 20;
/// What a folder of proofs may hold: files of a few lines.
const PROOFS: Limits = Limits {
    files: 30_000,
    bytes_each: crate::request::proof::MAX_BYTES as u64,
    bytes_total: 64 << 20,
    depth: 2,
};
/// What a folder of inputs may hold.
const LIMITS: Limits =
    Limits { files: 400_000, bytes_each: 32 << 20, bytes_total: 1 << 30, depth: 8 };
