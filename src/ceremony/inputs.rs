//! The inputs of a ceremony: everything that it is decided from, as values, from the bytes of files.
//!
//! Second floor: pure.

use super::means::Means;
use super::plan::Plan;
use super::{Ceremony, replay};
use crate::check::Check;
use crate::files::Files;
use crate::record::Record;
use crate::refusal::{Exit, Refusal};
use crate::request::Brought;
use crate::request::proof::Proof;
use crate::trust::Past;

/// Everything that a ceremony is decided from, read once and unchanged from then on.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The plan.
    pub plan: Plan,
    /// The trust folder of the last ceremony; empty before a genesis.
    pub past: Past,
    /// The request; none for a ceremony that signs nothing.
    pub request: Option<Brought>,
    /// The same, fetched on another machine.
    pub second: Option<Brought>,
    /// Proofs of possession that came beside the request.
    pub proofs: Vec<Proof>,
    /// The unfinished ceremony that an `abandon` closes, as far as it got.
    pub unfinished: Option<Box<Ceremony>>,
    /// What it works with.
    pub means: Means,
}

/// The plan's file among the inputs.
pub const PLAN: &str = "plan.toml";
/// The folder of an unfinished ceremony among the inputs: its `record.jsonl` and its own `inputs/`.
pub const UNFINISHED: &str = "unfinished";

impl Inputs {
    /// Plan and past without a request and what came beside it: what is at hand before there is a room.
    pub fn alone(plan: Plan, past: Past) -> Self {
        let (request, second, proofs, unfinished, means) = Default::default();
        Self { plan, past, request, second, proofs, unfinished, means }
    }

    /// Reads the inputs from files by path, to work with these means: what [`Documents::read`] reads, and `unfinished/`.
    ///
    /// # Errors
    /// Those of [`Documents::read`]; an unfinished record that cannot be read, or does not hold.
    pub fn read(files: &Files, past: Past, means: Means) -> Result<Self, Refusal> {
        Self::of(Documents::read(files)?, files, past, means)
    }

    /// The same where the documents are read already.
    ///
    /// # Errors
    /// An unfinished record that cannot be read, or does not hold.
    pub fn of(
        documents: Documents,
        files: &Files,
        past: Past,
        means: Means,
    ) -> Result<Self, Refusal> {
        let Documents { plan, request, second, proofs } = documents;
        let unfinished = files.below(&format!("{UNFINISHED}/"));
        let unfinished = self::unfinished(&unfinished, &past, &means)?.map(Box::new);
        Ok(Self { plan, past, request, second, proofs, unfinished, means })
    }
}

/// What was written for a ceremony, whatever there was before it: plan, request and proofs.
#[derive(Debug)]
pub struct Documents {
    plan: Plan,
    request: Option<Brought>,
    second: Option<Brought>,
    proofs: Vec<Proof>,
}

impl Documents {
    /// Reads it from files by path: `plan.toml`, the list that it names, `request/`, `request-2/` and `proofs/`. Other
    /// files are passed over.
    ///
    /// # Errors
    /// A plan, request or proof that cannot be read, or does not hold.
    pub fn read(files: &Files) -> Result<Self, Refusal> {
        let bytes = files.read(PLAN)?.unwrap_or_default();
        let plan = Plan::parse(&bytes, |name| files.read(name).ok().flatten())
            .map_err(|error| Refusal::new(Exit::Usage, error.to_string()))?;
        let (request, second) = (request(files, "request")?, request(files, "request-2")?);
        Ok(Self { plan, request, second, proofs: proofs(files)? })
    }
}

fn request(files: &Files, folder: &str) -> Result<Option<Brought>, Refusal> {
    let files = files.below(&format!("{folder}/"));
    if files.is_empty() {
        return Ok(None);
    }
    let bad = |error: crate::request::Error| {
        Refusal::of(Check::RequestForm, error.to_string()).hint("have the request fetched anew")
    };
    Brought::read(&files).map(Some).map_err(bad)
}

fn proofs(files: &Files) -> Result<Vec<Proof>, Refusal> {
    let mut proofs = Vec::new();
    for (path, bytes) in files.range("proofs/") {
        let bad = |error: crate::request::proof::Error| {
            Refusal::of(Check::RequestKeyPop, format!("`{path}`: {error}"))
                .hint("its owner runs `courier prove` with this plan")
        };
        proofs.extend(Proof::read_file(path, &bytes.read()?).map_err(bad)?);
    }
    Ok(proofs)
}

/// The unfinished ceremony, as far as its record got; it follows the same past.
fn unfinished(files: &Files, past: &Past, means: &Means) -> Result<Option<Ceremony>, Refusal> {
    let Some(record) = files.get("record.jsonl") else { return Ok(None) };
    let bad = |what: String| {
        Refusal::of(Check::AbandonPlan, format!("the unfinished record cannot be read: {what}"))
    };
    let (record, _) = Record::read(record).map_err(|error| bad(error.to_string()))?;
    let inputs = Inputs::read(&files.below("inputs/"), past.clone(), means.clone())?;
    replay(inputs, &record).map(Some)
}
