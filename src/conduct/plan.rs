//! The plan, and the list that it names from beside it: read in one way for every verb.
//!
//! Roof.

use std::path::Path;

use crate::ceremony::PLAN;
use crate::ceremony::plan::{self, Plan};
use crate::list;
use crate::record::Mode;
use crate::refusal::{Exit, Refusal};
use crate::room::media::{self, Error, Files};

/// A plan as it was read, once.
pub struct PlanFile {
    pub(super) plan: Plan,
    /// The plan and the list that it names, by the names that the inputs have for them.
    pub(super) files: Files,
}

impl PlanFile {
    /// Reads a plan.
    ///
    /// # Errors
    /// As [`read_plan`].
    pub fn read(path: &Path) -> Result<Self, Refusal> {
        let (plan, files) = read_plan(path)?;
        Ok(Self { plan, files })
    }

    /// How much its ceremony counts.
    pub fn mode(&self) -> Mode {
        if self.plan.practice() { Mode::Practice } else { Mode::Ceremony }
    }
}

/// Reads a plan, and gives the files that it stands in by the names that the inputs have for them.
///
/// # Errors
/// A file that cannot be read; whatever is wrong in the plan or in its list, with the line.
pub fn read_plan(path: &Path) -> Result<(Plan, Files), Refusal> {
    let bytes = media::read_file(path, plan::MAX_BYTES as u64).map_err(|error| unread(&error))?;
    let mut files = Files::from([(PLAN.to_owned(), bytes.clone())]);
    let mut refused = None;
    let parsed = Plan::parse(&bytes, |name| {
        match media::read_file(&path.with_file_name(name), list::MAX_BYTES as u64) {
            Ok(list) => {
                files.insert(name.to_owned(), list.clone());
                Some(list)
            }
            Err(Error::Missing { .. }) => None,
            Err(error) => {
                refused = Some(unread(&error));
                None
            }
        }
    });
    match (parsed, refused) {
        (Ok(plan), _) => Ok((plan, files)),
        (Err(_), Some(refusal)) => Err(refusal),
        (Err(error), None) => Err(Refusal::new(Exit::Usage, error.to_string())
            .hint("correct the plan, and have it reviewed anew; docs/format.md shows every field")),
    }
}

/// A path that leads to no plan is a mistake on the command line; a file that the media does not give is the media's.
fn unread(error: &Error) -> Refusal {
    let refusal = error.refusal(Refusal::NOTHING_DONE);
    match error {
        Error::Denied { .. }
        | Error::Missing { .. }
        | Error::NotRegular { .. }
        | Error::TooLarge { .. } => {
            Refusal { exit: Exit::Usage, hints: vec![HINT.to_owned()], ..refusal }
        }
        _ => refusal,
    }
}

const HINT: &str =
    "PLAN.TOML names the reviewed plan, with its list beside it; docs/format.md shows both";
