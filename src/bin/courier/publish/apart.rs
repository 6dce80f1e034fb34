//! `courier publish --apart`: the first list of a repository, or the first under new keys, written for others to sign.
//!
//! Annex: the network for what is published, and media.

use std::path::Path;

use serde_json::json;

use super::{Destination, Error, Failure, begin};
use crate::args;
use crate::report::Output;
use crate::trust::change::candidate::Candidate;

/// Judges what would be published, and writes the one list that has to be signed first.
///
/// # Errors
/// [`Failure::Begin`].
pub(crate) async fn run(args: &args::Publish, folder: &Path) -> Result<Output, Failure> {
    write(args, folder).await.map_err(Failure::Begin)
}

async fn write(args: &args::Publish, folder: &Path) -> Result<Output, Error> {
    let (trust, to) = begin(args)?;
    let Destination::Notary(to) = to else {
        return Err(Error::Apart { why: "`--apart` is for a Notary server" });
    };
    let mut repositories = trust.names();
    let (Some(name), None) = (repositories.next(), repositories.next()) else {
        return Err(Error::Apart {
            why: "`--apart` is for one repository: name it by `--repository`",
        });
    };
    let plan = to.judge(name, &trust.roots(name)?).await?;
    if plan.apart.is_empty() {
        return Err(Error::Apart { why: "there is no list to sign: publish without `--apart`" });
    }
    if plan.apart.len() > 1 {
        let why = "several roots give `targets` new keys: publish up to the last but one first";
        return Err(Error::Apart { why });
    }
    let candidate = Candidate::write(folder, name, &plan.apart).map_err(Box::new)?;
    let text = format!(
        "{name}\n{}and then `courier publish --signed {}` puts it up with its root\n",
        candidate.text(),
        folder.display()
    );
    let json = json!({ "repository": name, "apart": candidate.json() });
    Ok(Output { text, json })
}
