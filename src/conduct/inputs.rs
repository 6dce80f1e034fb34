//! The inputs: read once from plan, room file and media, kept in the work folder, and from then on only those bytes are
//! checked, shown and signed. `[MEDIA-ONCE]`
//!
//! Roof.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::hands::both;
use super::plan::PlanFile;
use super::{ARCHIVE, CUSTODY, INPUTS, Threads, archive};
use crate::ceremony::plan::{Kind as PlanKind, Plan};
use crate::ceremony::{Documents, Inputs, UNFINISHED};
use crate::check::Check;
use crate::digest::{Digest, Hasher};
use crate::files::{Bytes, Files};
use crate::record::{Body, Record};
use crate::refusal::{Exit, Refusal};
use crate::request::proof::Proof;
use crate::room::binding::Binding;
use crate::room::media::{self, Kind, Limits, Unnamed};
use crate::root::Role;
use crate::shelf::{Lost, Shelf};
use crate::sums;
use crate::trust::Past;

/// Every input by its path in the folder of inputs, and the shelf that those lie on which are too much to hold.
pub(super) struct Inward {
    /// All but the last trust folder.
    files: Files,
    /// The last trust folder.
    trust: Files,
    shelf: Arc<dyn Shelf>,
}

const ROOM: &str = "room.toml";
const TRUST: &str = "trust/";

impl Inward {
    /// Takes plan, list and room file as they were read, and reads the last trust and custody folders, and from `in`
    /// media the requests that the plan names.
    pub(super) fn gather(
        binding: &Binding,
        read: &PlanFile,
        shelf: Arc<dyn Shelf>,
    ) -> Result<Self, Refusal> {
        let PlanFile { plan, files: read } = read;
        let (mut files, mut trust) = <(Files, Files)>::default();
        for (path, bytes) in read {
            files.insert(path.as_str(), Bytes::laid(&shelf, bytes)?);
        }
        files.insert(ROOM, binding.bytes.clone());
        let found = || plan.request().map(|_| Found::on(binding, plan, &shelf)).transpose();
        let lay = |folder: &PathBuf| media::lay_tree(folder, Limits::TRUST, &shelf);
        let (found, laid) = both(found, || binding.trust.as_ref().map(lay).transpose());
        if let Some(laid) = laid.map_err(device)? {
            trust = laid;
            files.put_below(&below(CUSTODY), &read_custody(binding)?);
        }
        if plan.kind() == PlanKind::Abandon {
            let unfinished = read_unfinished(binding, &shelf)?;
            files.put_below(&below(CUSTODY), &unfinished.below(&below(CUSTODY)));
            files.put_below(&below(UNFINISHED), &unfinished);
        }
        if let (Some(planned), Some(found)) = (plan.request(), found?) {
            files.put_below("request/", &found.pick(planned.sha256)?);
            if let Some(second) = planned.second {
                files.put_below("request-2/", &found.pick(second)?);
            }
            files.put_below("proofs/", &found.proofs.into());
        }
        Ok(Self { files, trust, shelf })
    }

    /// Every file with its path, in the order of the paths.
    fn all(&self) -> impl Iterator<Item = (Cow<'_, str>, &Bytes)> {
        let trust = self.trust.iter().map(|(path, bytes)| (format!("{TRUST}{path}").into(), bytes));
        let (mut trust, mut files) = (trust.peekable(), self.files.iter().peekable());
        std::iter::from_fn(move || {
            let is_first = |(path, _): &(Cow<'_, str>, &Bytes)| {
                files.peek().is_none_or(|(other, _)| **path < **other)
            };
            let next = trust.next_if(is_first);
            next.or_else(|| files.next().map(|(path, bytes)| (path.into(), bytes)))
        })
    }

    /// Writes them beside the work folder, where nothing is seen of them, while they are judged; none where that cannot be
    /// done, or an earlier run was here.
    pub(super) fn keep_ahead(&self, work: &Path) -> Result<Option<Unnamed>, media::Error> {
        match media::exists(&work.join(ARCHIVE))? {
            true => Ok(None),
            false => archive::ahead(|| self.all(), work),
        }
    }

    /// Sees to it that they are in the work folder, whole or not at all.
    pub(super) fn keep(
        &self,
        work: &Path,
        ahead: Result<Option<Unnamed>, media::Error>,
    ) -> Result<(), Refusal> {
        let placed = ahead.and_then(|ahead| match ahead {
            Some(ahead) => ahead.place(&work.join(ARCHIVE)),
            None => Ok(false),
        });
        if placed.map_err(device)? {
            return Ok(());
        }
        let written = archive::write(|| self.all(), &work.join(ARCHIVE));
        written.map(drop).map_err(|error| {
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
    pub(super) fn kept(
        work: &Path,
        record: &Record,
        shelf: Arc<dyn Shelf>,
    ) -> Result<Self, Refusal> {
        let files = archive::read(&work.join(ARCHIVE), &shelf).map_err(device)?;
        let inputs = Self { trust: files.below(TRUST), files: files.without(TRUST), shelf };
        let recorded = record.entries().first().map(|entry| &entry.body);
        match recorded {
            Some(Body::Opened { inputs: digest, .. }) if *digest == inputs.digest()? => Ok(inputs),
            _ => {
                let what = "the inputs in the work folder are not those that the record began with";
                Err(Refusal::of(Check::MediaOnce, what)
                    .hint("bring the work folder as it was left: nothing in it is to be edited"))
            }
        }
    }

    /// The custody folder among them, in memory: it is small.
    pub(super) fn custody(&self) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
        Ok(self.folder(CUSTODY).held()?)
    }

    /// The shelf that they lie on.
    pub(super) const fn shelf(&self) -> &Arc<dyn Shelf> {
        &self.shelf
    }

    /// One digest over every path and byte.
    pub(super) fn digest(&self) -> Result<Digest, Refusal> {
        let mut hasher = Hasher::of_parts("officiant inputs v1");
        for (path, bytes) in self.all() {
            hasher.part(path.as_bytes());
            hasher.begin_part(bytes.len());
            bytes.each(|block| {
                hasher.update(block);
                Ok::<_, Lost>(())
            })?;
        }
        Ok(hasher.finish())
    }

    /// SHA-256 of room.toml.
    pub(super) fn room_digest(&self) -> Result<Digest, Refusal> {
        Ok(Digest::of(&self.file(ROOM)?.unwrap_or_default()))
    }

    /// The files of one folder of the inputs, by path inside it.
    pub(super) fn folder(&self, name: &str) -> Files {
        self.files.below(&below(name))
    }

    /// One file of the inputs.
    pub(super) fn file(&self, path: &str) -> Result<Option<Vec<u8>>, Refusal> {
        Ok(self.files.read(path)?)
    }

    /// The same where it lies.
    pub(super) fn lying(&self, path: &str) -> Option<&Bytes> {
        self.files.get(path)
    }

    /// What the ceremony's folder in the trust folder takes from the inputs: all but room, past and custody.
    pub(super) fn published(&self) -> Files {
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
        files.map(|(path, bytes)| (path, bytes.clone())).collect()
    }

    /// The inputs as values.
    pub(super) fn inputs(&self) -> Result<Inputs, Refusal> {
        let means = Threads::means(&self.shelf);
        let past = || Past::read_by(self.trust.clone(), &means);
        let (documents, past) = both(|| Documents::read(&self.files), past);
        let past = past?;
        Inputs::of(documents?, &self.files, past, means)
    }
}

/// The inputs of a plan as a ceremony in this room would read them.
///
/// # Errors
/// A plan, request, media or trust folder that cannot be read.
pub fn inputs_of(binding: &Binding, plan: &Path) -> Result<Inputs, Refusal> {
    let shelf = media::shelf_anywhere();
    Inward::gather(binding, &PlanFile::read(plan)?, shelf)?.inputs()
}

/// Record and inputs of the ceremony in a work folder, for whoever only reads them.
///
/// # Errors
/// A folder that holds none; inputs that are not those that the record began with.
pub fn unfinished(work: &Path) -> Result<(Record, Inputs), Refusal> {
    let shelf = media::shelf_anywhere();
    let bytes = media::lay_file(&work.join(super::RECORD), media::LARGEST_RECORD, &shelf);
    let (record, _) = Record::read(&bytes.map_err(device)?)
        .map_err(|error| Refusal::new(Exit::Refused, error.to_string()))?;
    let inputs = Inward::kept(work, &record, shelf)?.inputs()?;
    Ok((record, inputs))
}

/// Where this run lays what is too much to hold.
pub(super) fn shelf(work: &Path) -> Result<Arc<dyn Shelf>, Refusal> {
    media::shelf_near(work).map_err(device)
}

fn device(error: media::Error) -> Refusal {
    error.refusal(Refusal::NOTHING_DONE)
}

fn below(name: &str) -> String {
    format!("{name}/")
}

/// What an unfinished ceremony left in its work folder: its record, its inputs, and its part of the custody folder.
fn read_unfinished(binding: &Binding, shelf: &Arc<dyn Shelf>) -> Result<Files, Refusal> {
    let work = binding.unfinished.as_ref().ok_or_else(|| {
        Refusal::new(Exit::Usage, "room.toml names no unfinished ceremony")
            .hint("add `unfinished`, the work folder of the ceremony to abandon")
    })?;
    let record = media::lay_file(&work.join(super::RECORD), media::LARGEST_RECORD, shelf);
    let record = record.map_err(device)?;
    let (read, good) = Record::read(&record)
        .map_err(|error| Refusal::of(Check::AbandonPlan, error.to_string()))?;
    let kept = Inward::kept(work, &read, Arc::clone(shelf))?;
    let mut files = Files::default();
    files.insert(super::RECORD, record.part(0, good)?);
    for (path, bytes) in kept.all() {
        files.insert(format!("{INPUTS}/{path}"), bytes.clone());
    }
    if let Some(known) = media::read_tree_in(work, CUSTODY, Limits::CUSTODY).map_err(device)? {
        // Identities of tokens, shares, and under another name the journal of PINs: wrong ones count in a row.
        let named = |path: String| match path.strip_suffix(".jsonl") {
            Some(journal) => format!("{journal}-abandoned.jsonl"),
            None => path,
        };
        let known: Files = known.into_iter().map(|(path, bytes)| (named(path), bytes)).collect();
        files.put_below(&below(CUSTODY), &known);
    }
    Ok(files)
}

/// Every request and proof on the `in` media.
struct Found {
    requests: Vec<Files>,
    proofs: BTreeMap<String, Vec<u8>>,
}

impl Found {
    fn on(binding: &Binding, plan: &Plan, shelf: &Arc<dyn Shelf>) -> Result<Self, Refusal> {
        let mut found = Self { requests: Vec::new(), proofs: BTreeMap::new() };
        for root in &binding.media.inward {
            media::expect(root, Kind::In).map_err(device)?;
            for name in ["request", "request-2"] {
                let request = media::lay_tree_in(root, name, Limits::REQUEST, shelf);
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

    fn pick(&self, digest: Digest) -> Result<Files, Refusal> {
        let mut there = Vec::new();
        for files in &self.requests {
            let Some(sums) = files.get(sums::FILE) else { continue };
            let found = sums.digest()?;
            if found == digest {
                return Ok(files.clone());
            }
            there.push(found.to_string());
        }
        let found = if there.is_empty() { "no request".to_owned() } else { there.join(" and ") };
        let what = format!("the plan names request {digest}, the in media hold {found}");
        Err(Refusal::of(Check::RequestDigest, what)
            .hint("bring the media that the plan was written for"))
    }
}

/// What lies in `proofs/` goes into the public folder, so it is nothing but proofs: each key in files of its own, of the
/// plan's repositories and online roles. `[REQUEST-KEY-POP]`
fn check_proofs(plan: &Plan, proofs: &BTreeMap<String, Vec<u8>>) -> Result<(), Refusal> {
    let is_ours = |path: &str, bytes: &[u8]| {
        let is_planned = |proof: &Proof| {
            Role::ONLINE.contains(&proof.claim.role)
                && plan.repository(proof.claim.repository.as_str()).is_some()
        };
        let read = Proof::read_file(&format!("proofs/{path}"), bytes);
        read.is_ok_and(|proofs| proofs.iter().all(is_planned))
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
fn read_custody(binding: &Binding) -> Result<Files, Refusal> {
    let mut copies = Vec::new();
    for root in &binding.media.room {
        media::expect(root, Kind::Room).map_err(device)?;
        let custody = media::read_tree_in(root, CUSTODY, Limits::CUSTODY).map_err(device)?;
        let missing = || device(media::Error::Missing { path: root.join(CUSTODY) });
        copies.push(Files::from(custody.ok_or_else(missing)?));
    }
    let (first, second) = (&copies[0], &copies[1]);
    let [a, b] = &binding.media.room;
    media::compare((a, first), (b, second)).map_err(device)?;
    Ok(copies.swap_remove(0))
}

/// What a folder of proofs may hold.
const PROOFS: Limits = Limits {
    files: 30_000,
    bytes_each: crate::request::proof::MAX_FILE as u64,
    bytes_total: 64 << 20,
    depth: 2,
};
