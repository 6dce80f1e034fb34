//! The inputs: read once from plan, room file and media, kept in the work folder, and from then on only those bytes are
//! checked, shown and signed. `[MEDIA-ONCE]`
//!
//! Roof.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::plan::PlanFile;
use super::{CUSTODY, INPUTS, Threads};
use crate::ceremony::plan::{Kind as PlanKind, Plan};
use crate::ceremony::{Inputs, UNFINISHED};
use crate::check::Check;
use crate::digest::Digest;
use crate::record::{Body, Record};
use crate::refusal::{Exit, Refusal};
use crate::request::proof::Proof;
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
    /// Takes plan, list and room file as they were read, and reads the last trust and custody folders, and from `in`
    /// media the requests that the plan names.
    pub(super) fn gather(binding: &Binding, read: &PlanFile) -> Result<Self, Refusal> {
        let device = |error: media::Error| error.refusal(Refusal::NOTHING_DONE);
        let PlanFile { plan, files } = read;
        let mut files = files.clone();
        files.insert(ROOM.to_owned(), binding.bytes.clone());
        if let Some(trust) = &binding.trust {
            add(&mut files, "trust", media::read_tree(trust, Limits::TRUST).map_err(device)?);
            add(&mut files, CUSTODY, read_custody(binding)?);
        }
        if plan.kind() == PlanKind::Abandon {
            add(&mut files, UNFINISHED, read_unfinished(binding)?);
            let custody = below(&files, &format!("{UNFINISHED}/{CUSTODY}/"));
            add(&mut files, CUSTODY, custody);
        }
        if let Some(planned) = plan.request() {
            let found = Found::on(binding, plan)?;
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
        let read = media::read_tree(&work.join(INPUTS), Limits::INPUTS);
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
        let inputs = Inputs::read(&self.files, Past::read(self.folder("trust"))?)?;
        Ok(Inputs { means: Threads::means(), ..inputs })
    }
}

/// What an unfinished ceremony left in its work folder: its record, its inputs, and its part of the custody folder.
fn read_unfinished(binding: &Binding) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
    let device = |error: media::Error| error.refusal(Refusal::NOTHING_DONE);
    let folder = binding.unfinished.as_ref().ok_or_else(|| {
        Refusal::new(Exit::Usage, "room.toml names no unfinished ceremony")
            .hint("add `unfinished`, the work folder of the ceremony to abandon")
    })?;
    let record =
        media::read_file(&folder.join(super::RECORD), media::LARGEST_RECORD).map_err(device)?;
    let (read, good) = Record::parse(&record)
        .map_err(|error| Refusal::of(Check::AbandonPlan, error.to_string()))?;
    let kept = Files::kept(folder, &read)?;
    let mut files = BTreeMap::from([(super::RECORD.to_owned(), record[..good].to_vec())]);
    add(&mut files, INPUTS, kept.files);
    if let Some(known) = media::read_tree_in(folder, CUSTODY, Limits::CUSTODY).map_err(device)? {
        // Identities of tokens, shares, and under another name the journal of PINs: wrong ones count in a row.
        let named = |path: String| match path.strip_suffix(".jsonl") {
            Some(journal) => format!("{journal}-abandoned.jsonl"),
            None => path,
        };
        let known = known.into_iter().map(|(path, bytes)| (named(path), bytes));
        add(&mut files, CUSTODY, known.collect());
    }
    Ok(files)
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
                let request = media::read_tree_in(root, name, Limits::REQUEST);
                found.requests.extend(request.map_err(device)?);
            }
            let proofs = media::read_tree_in(root, "proofs", PROOFS);
            if let Some(proofs) = proofs.map_err(device)? {
                check_proofs(plan, &proofs)?;
                found.add_proofs(proofs)?;
            }
        }
        Ok(found)
    }

    /// Two media may hold the same proof, and never two of one name: which of them counted would be by chance.
    fn add_proofs(&mut self, proofs: BTreeMap<String, Vec<u8>>) -> Result<(), Refusal> {
        for (path, bytes) in proofs {
            match self.proofs.entry(path) {
                Entry::Vacant(place) => drop(place.insert(bytes)),
                Entry::Occupied(there) if *there.get() == bytes => {}
                Entry::Occupied(there) => {
                    let what =
                        format!("`proofs/{}` is another one on each `in` media", there.key());
                    return Err(Refusal::of(Check::RequestKeyPop, what)
                        .hint("one is enough: take it off one of the media"));
                }
            }
        }
        Ok(())
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

/// What lies in `proofs/` goes into the public folder, so it is nothing but proofs: one file for each key, of the plan's
/// repositories and online roles. `[REQUEST-KEY-POP]`
fn check_proofs(plan: &Plan, proofs: &BTreeMap<String, Vec<u8>>) -> Result<(), Refusal> {
    let planned: BTreeSet<&str> = plan.repositories().iter().map(|r| r.name.as_str()).collect();
    let is_ours = |path: &str, bytes: &[u8]| {
        Proof::parse(bytes).is_ok_and(|proof| {
            proof.path() == format!("proofs/{path}")
                && Role::ONLINE.contains(&proof.claim.role)
                && planned.contains(proof.claim.repository.as_str())
        })
    };
    match proofs.iter().find(|(path, bytes)| !is_ours(path, bytes)) {
        None => Ok(()),
        Some((path, _)) => {
            let what = format!("`proofs/{path}` is no proof for a repository and role of the plan");
            Err(Refusal::of(Check::RequestKeyPop, what)
                .hint("take it off the media, and find out who put it there"))
        }
    }
}

/// The media that inputs were read from.
pub(super) fn media<'a>(
    binding: &'a Binding,
    read: &PlanFile,
) -> impl Iterator<Item = &'a PathBuf> + use<'a> {
    let inward = read.plan.request().map(|_| &binding.media.inward).into_iter().flatten();
    let room = binding.trust.as_ref().map(|_| &binding.media.room).into_iter().flatten();
    inward.chain(room)
}

/// The custody folder, from both `room` media, equal.
fn read_custody(binding: &Binding) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
    let device = |error: media::Error| error.refusal(Refusal::NOTHING_DONE);
    let mut copies = Vec::new();
    for root in &binding.media.room {
        media::expect(root, Kind::Room).map_err(device)?;
        let custody = media::read_tree_in(root, CUSTODY, Limits::CUSTODY).map_err(device)?;
        let missing = || device(media::Error::Missing { path: root.join(CUSTODY) });
        copies.push(custody.ok_or_else(missing)?);
    }
    let (first, second) = (&copies[0], &copies[1]);
    let [a, b] = &binding.media.room;
    media::compare((a, first), (b, second)).map_err(device)?;
    Ok(copies.swap_remove(0))
}

fn add(files: &mut BTreeMap<String, Vec<u8>>, folder: &str, more: BTreeMap<String, Vec<u8>>) {
    files.extend(more.into_iter().map(|(path, bytes)| (format!("{folder}/{path}"), bytes)));
}

/// What a folder of proofs may hold: files of a few lines.
const PROOFS: Limits = Limits {
    files: 30_000,
    bytes_each: crate::request::proof::MAX_BYTES as u64,
    bytes_total: 64 << 20,
    depth: 2,
};
