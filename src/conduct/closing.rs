//! Closing: the record is closed, and trust and custody folders go onto media.
//!
//! Roof.

use std::path::{Path, PathBuf};

use super::bags::RECEIPTS;
use super::hands::{both, to_each};
use super::token::PINS;
use super::{CUSTODY, Finished, Session};
use crate::ceremony::fact::Fact;
use crate::ceremony::means::PIECE;
use crate::ceremony::{self, Ceremony, abandon, closing};
use crate::paper;
use crate::record::{Body, Entry, Record};
use crate::refusal::{Exit, Refusal};
use crate::room::media::{self, Kind, Limits};
use crate::trust::{ATTESTATIONS, PEOPLE, People};
use crate::wording::{Count, List};

impl Session<'_> {
    pub(super) fn close(&mut self) -> Result<Fact, Refusal> {
        let remarks = closing::remarks(&self.ceremony)?;
        if remarks.is_empty() {
            self.show("        no remarks")?;
        }
        for remark in &remarks {
            self.show(&format!("        {remark}"))?;
        }
        Ok(Fact::Closed { remarks })
    }

    /// The trust folder as the closed record gives it, and as whoever verifies it will see it: a restart after the close
    /// changes no byte.
    pub(super) fn own_folder(&self) -> Result<closing::TrustFolder, Refusal> {
        let record = self.closed_record()?;
        let mut own = self.inputs.published();
        own.insert("record.jsonl", record.file());
        let closed = self.closed(&record)?;
        let report = paper::report::html(&closed, &record);
        own.insert("report.html", report.into_bytes());
        closing::trust_folder(&closed, own)
    }

    /// The ceremony as it was when it was closed: a restart since then has said more.
    fn closed(&self, record: &Record) -> Result<Ceremony, Refusal> {
        let is_fact = |entry: &Entry| matches!(entry.body, Body::Done { .. });
        let since = &self.record.entries()[record.entries().len()..];
        match since.iter().any(is_fact) {
            false => Ok(self.ceremony.clone()),
            true => ceremony::replay(self.inputs.inputs()?, record),
        }
    }

    pub(super) fn export_folders(&mut self) -> Result<Fact, Refusal> {
        let folder = self.own_folder()?;
        self.write_receipts(&self.closed_record()?)?;
        let (closing, name) = (folder.closing, folder.folder.clone());
        self.exported = Some(Finished { closing, folder: name });
        let mut whole = Vec::new();
        self.export(&folder, &mut whole).map_err(|refusal| match whole.as_slice() {
            [] => refusal,
            whole => refusal.standing(self.partly(whole)),
        })
    }

    /// What is true when only some media carry the trust folder.
    fn partly(&self, whole: &[String]) -> String {
        format!(
            "everything is signed, and the trust folder is whole on {}: keep that in the room; {}",
            List::names(whole),
            self.ceremony.goes_on()
        )
    }

    /// Writes the folders, and tells by `whole` which media carry the trust folder already.
    fn export(
        &mut self,
        folder: &closing::TrustFolder,
        whole: &mut Vec<String>,
    ) -> Result<Fact, Refusal> {
        let binding = self.room.binding.media.clone();
        let outward = self.goes_out();
        // Only wanted roots go out: a complete one that nobody wants stays in the room, with the folder that has it.
        let (roots, kind, name) = match outward {
            true => (&binding.outward, Kind::Out, "trust".to_owned()),
            false => (&binding.room, Kind::Room, format!("trust-{}", folder.folder)),
        };
        let files = folder.files.len();
        let write = |root: &Path| {
            media::expect(root, kind)?;
            if outward {
                media::expect_only(root, &["trust"])?;
            }
            media::write_tree(root, &name, &folder.files)
        };
        let mut failed = None;
        for (root, written) in roots.iter().zip(to_each(roots, files > PIECE, write)) {
            match written {
                Ok(_) => {
                    whole.push(root.display().to_string());
                    self.tell_written(&name, files, root)?;
                }
                Err(error) => drop(failed.get_or_insert(error)),
            }
        }
        if let Some(error) = failed {
            return Err(self.device(&error));
        }
        // Of two that differ nobody knows which is whole.
        let written = std::mem::take(whole);
        self.look_again(roots, &name)?;
        *whole = written;
        for root in &binding.room {
            self.export_custody(root)?;
        }
        let [first, second] = &binding.room;
        self.compare(first, second, CUSTODY, Limits::CUSTODY)?;
        let out = if outward { binding.outward.len() } else { 0 };
        let media = u32::try_from(out + binding.room.len()).unwrap_or(u32::MAX);
        Ok(Fact::FoldersExported { closing: folder.closing, media })
    }

    /// Whether the trust folder goes onto `out` media: everything that it completed is wanted.
    pub(super) fn goes_out(&self) -> bool {
        abandon::unwanted(&self.ceremony).is_none()
    }

    /// The record up to its close: what comes after is about the export itself, and differs when that is repeated.
    fn closed_record(&self) -> Result<Record, Refusal> {
        let close = self
            .record
            .entries()
            .iter()
            .position(|entry| matches!(&entry.body, Body::Done { fact: Fact::Closed { .. } }));
        let close = close.ok_or_else(|| Refusal::new(Exit::Ours, "the record is not closed"))?;
        Ok(self.record.first(close + 1))
    }

    /// Media are slow: whoever waits sees which of them is done.
    fn tell_written(&mut self, name: &str, files: usize, root: &Path) -> Result<(), Refusal> {
        let files = Count(files, "file");
        self.show(&format!("        {name} is on `{}`: {files}", root.display()))
    }

    fn export_custody(&mut self, root: &Path) -> Result<(), Refusal> {
        media::expect(root, Kind::Room).map_err(|error| self.device(&error))?;
        let (mut files, void) = (self.inputs.custody()?, self.void_sets()?);
        let goes = |set: &str| void.contains(set) || self.ceremony.is_retired(set);
        files.retain(|path, _| path.split_once('/').is_none_or(|(set, _)| !goes(set)));
        let mine = media::read_tree_in(&self.room.binding.work, CUSTODY, Limits::CUSTODY);
        let mine = mine.map_err(|error| self.device(&error))?.unwrap_or_default();
        files.extend(mine.into_iter().filter(|(path, bytes)| self.is_kept(path, bytes)));
        for (path, bytes) in &files {
            keep(root, path, bytes).map_err(|error| self.device(&error))?;
        }
        self.tell_written(CUSTODY, files.len(), root)
    }

    /// Whether a file of the custody folder is of a token, a key or a set that the public files commit to; sets that became
    /// void, and identities and attestations of tokens that were begun anew, stay behind.
    fn is_kept(&self, path: &str, bytes: &[u8]) -> bool {
        let custody = closing::custody(&self.ceremony);
        let set = |set: &str| {
            custody.keys.iter().any(
                |key| matches!(&key.held, crate::trust::Held::Shares { set: id, .. } if id == set),
            )
        };
        match path.split_once('/') {
            Some(("tokens", file)) => custody.tokens.iter().any(|token| {
                file == format!("{}-{}.json", token.name, &token.identity.to_string()[..16])
            }),
            Some(_) if path.starts_with(RECEIPTS) => true,
            Some(_) if path.starts_with(PEOPLE) => self.ceremony.facts().any(|fact| {
                matches!(fact, Fact::PeopleSeated { people, .. } if path == People::path(people))
            }),
            Some(_) if path.starts_with(ATTESTATIONS) => custody.attested(path, bytes).is_some(),
            Some((folder, _)) => set(folder),
            None => path.starts_with(PINS),
        }
    }

    /// Each was read back against the same files. Now both are there, with all of those and no more, and whoever reads them
    /// next will take so many.
    fn look_again(&self, [first, second]: &[PathBuf; 2], name: &str) -> Result<(), Refusal> {
        let listing = |root: &Path| media::listing(root, name, Limits::TRUST);
        let (one, other) = both(|| listing(first), || listing(second));
        let (one, other) = one.and_then(|one| Ok((one, other?))).map_err(|e| self.device(&e))?;
        if one == other {
            return Ok(());
        }
        // Which file it is shows when they are read.
        self.compare(first, second, name, Limits::TRUST)?;
        let (first, second, file) = (first.clone(), second.clone(), name.to_owned());
        Err(self.device(&media::Error::Differ { first, second, file }))
    }

    /// Two of each, byte for byte. `[MEDIA-TWO]`
    fn compare(
        &self,
        first: &Path,
        second: &Path,
        name: &str,
        limits: Limits,
    ) -> Result<(), Refusal> {
        let compared = media::compare_trees((first, second), name, limits);
        compared.map_err(|error| self.device(&error))
    }
}

/// Writes a file of the custody folder below `root`: the work folder or a `room` media.
pub(super) fn keep(root: &Path, path: &str, bytes: &[u8]) -> Result<(), media::Error> {
    media::write_new_in(root, &format!("{CUSTODY}/{path}"), bytes).map(drop)
}
