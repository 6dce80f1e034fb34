//! Closing: the record is closed, and trust and custody folders go onto media.
//!
//! Roof.

use std::collections::BTreeMap;
use std::path::Path;

use super::token::PINS;
use super::{CUSTODY, Session};
use crate::ceremony::fact::Fact;
use crate::ceremony::{self, closing};
use crate::check::Check;
use crate::paper;
use crate::record::{Body, Record};
use crate::refusal::{Exit, Refusal};
use crate::room::media::{self, Kind, Limits};

/// What a custody folder may hold.
pub(super) const CUSTODY_LIMITS: Limits =
    Limits { files: 100_000, bytes_each: 1 << 20, bytes_total: 256 << 20, depth: 4 };

impl Session<'_> {
    pub(super) fn close(&mut self) -> Result<Fact, Refusal> {
        let remarks = closing::remarks(&self.ceremony)?;
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
        own.insert("record.jsonl".to_owned(), record.bytes());
        let closed = ceremony::replay(self.inputs.inputs()?, &record)?;
        let report = paper::report::html(&closed, &record);
        own.insert("report.html".to_owned(), report.into_bytes());
        closing::trust_folder(&closed, own)
    }

    pub(super) fn export_folders(&mut self) -> Result<Fact, Refusal> {
        let folder = self.own_folder()?;
        let binding = self.room.binding.media.clone();
        for root in &binding.outward {
            media::expect(root, Kind::Out).map_err(|error| self.device(&error))?;
            media::expect_only(root, &["trust"]).map_err(|error| self.device(&error))?;
            media::write_tree(root, "trust", &folder.files).map_err(|error| self.device(&error))?;
        }
        let [first, second] = &binding.outward;
        self.compare(first, second, "trust", TRUST_LIMITS)?;
        for root in &binding.room {
            self.export_custody(root)?;
        }
        let [first, second] = &binding.room;
        self.compare(first, second, CUSTODY, CUSTODY_LIMITS)?;
        let media = u32::try_from(binding.outward.len() + binding.room.len()).unwrap_or(u32::MAX);
        Ok(Fact::FoldersExported { closing: folder.closing, media })
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

    fn export_custody(&self, root: &Path) -> Result<(), Refusal> {
        media::expect(root, Kind::Room).map_err(|error| self.device(&error))?;
        let mut files = self.inputs.folder(CUSTODY);
        let own = self.room.binding.work.join(CUSTODY);
        if media::exists(&own).map_err(|error| self.device(&error))? {
            let mine =
                media::read_tree(&own, CUSTODY_LIMITS).map_err(|error| self.device(&error))?;
            files.extend(mine.into_iter().filter(|(path, _)| self.is_kept(path)));
        }
        for (path, bytes) in &files {
            let target = root.join(CUSTODY).join(path);
            self.make_folders(root, path)?;
            media::write_new(&target, bytes).map_err(|error| self.device(&error))?;
        }
        Ok(())
    }

    /// Whether a file of the custody folder is of a token or a set that the public files commit to; sets that became void
    /// and identities of tokens that were begun anew stay behind.
    fn is_kept(&self, path: &str) -> bool {
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
            Some((folder, _)) => set(folder),
            None => path.starts_with(PINS),
        }
    }

    fn make_folders(&self, root: &Path, path: &str) -> Result<(), Refusal> {
        let mut folder = root.join(CUSTODY);
        media::make_folder(&folder).map_err(|error| self.device(&error))?;
        if let Some((inside, _)) = path.rsplit_once('/') {
            for part in inside.split('/') {
                folder.push(part);
                media::make_folder(&folder).map_err(|error| self.device(&error))?;
            }
        }
        Ok(())
    }

    /// Two of each, byte for byte. `[MEDIA-TWO]`
    fn compare(
        &self,
        first: &Path,
        second: &Path,
        name: &str,
        limits: Limits,
    ) -> Result<(), Refusal> {
        let read = |root: &Path| -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
            let path = root.join(name);
            let found = media::exists(&path).and_then(|is_there| match is_there {
                true => media::read_tree(&path, limits),
                false => Ok(BTreeMap::new()),
            });
            found.map_err(|error| self.device(&error))
        };
        let (one, other) = (read(first)?, read(second)?);
        media::compare((first, &one), (second, &other)).map_err(|error| {
            let refusal = self.device(&error);
            Refusal { check: refusal.check.or(Some(Check::MediaTwo)), ..refusal }
        })
    }
}

/// What a trust folder may hold.
const TRUST_LIMITS: Limits =
    Limits { files: 400_000, bytes_each: 512 << 20, bytes_total: 1 << 30, depth: 8 };
