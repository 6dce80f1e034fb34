//! The doors of the library at which files of each kind are refused.

use jiff::Timestamp;
use officiant::check::Check;
use officiant::child;
use officiant::child::vault::Refused;
use officiant::refusal::Refusal;
use officiant::root::profile::{STRICTEST_NOTARY, STRICTEST_TUF};
use officiant::root::walk::{Chain, Walker};
use officiant::root::{Dialect, SignedRoot, Version, succession};
use officiant::secret::SecretBytes;
use officiant::share::{Set, ShareIndex};
use officiant::show;
use officiant::trust::Past;

use super::Files;

/// The day of all walks.
const TODAY: &str = "2027-01-01T00:00:00Z";
/// The repository of all roots.
pub(super) const REPOSITORY: &str = "localhost:5000/x";

/// Judges the files of a case, whose name begins with its kind; none means that they are taken.
pub(super) fn judge(case: &str, files: &Files) -> Option<Refusal> {
    let judged = match case.split('-').next() {
        Some("notary") => chain(Dialect::Notary, files),
        Some("tuf") => chain(Dialect::Tuf, files),
        Some("request") => show::folder(files.clone().into(), None).map(|_| ()),
        Some("trust") => Past::read(files.clone()).map(|_| ()).map_err(Refusal::from),
        Some("share") => share(files),
        _ => panic!("a case is of kind `notary`, `tuf`, `request`, `trust` or `share`: {case}"),
    };
    judged.err()
}

/// Roots by the rules of succession, then by the walk of the strictest reader from the first to the newest.
fn chain(dialect: Dialect, files: &Files) -> Result<(), Refusal> {
    let version = |path: &str| path.strip_suffix(".root.json")?.parse().ok().and_then(Version::new);
    let mut roots: Vec<(Version, SignedRoot)> = Vec::new();
    for (path, bytes) in files {
        let broken = |error: succession::Error| Refusal::of(error.check(), error.to_string());
        let root = SignedRoot::parse(dialect, bytes).map_err(|error| broken(error.into()))?;
        let last = roots.last().map(|(_, root)| root.root());
        succession::check(last, root.root()).map_err(broken)?;
        roots.push((version(path).expect("N.root.json"), root));
    }
    let profile = match dialect {
        Dialect::Notary => &STRICTEST_NOTARY,
        Dialect::Tuf => &STRICTEST_TUF,
    };
    let at: Timestamp = TODAY.parse().expect("an instant");
    let start = roots.first().map(|(version, _)| *version);
    Walker { profile, repository: REPOSITORY, at }
        .walk(&Chain::published(roots), start)
        .map_err(|stop| Refusal::of(Check::Walk, stop.to_string()))
}

/// A share as the vault is given it: `set.json`, and `N.hex`, brought as share N.
fn share(files: &Files) -> Result<(), Refusal> {
    let set: Set = serde_json::from_slice(&files["set.json"]).expect("a set");
    for (path, text) in files {
        let Some(index) = path.strip_suffix(".hex") else { continue };
        let index = index.parse().ok().and_then(ShareIndex::new).expect("an index");
        let bytes = data_encoding::HEXLOWER.decode(text.trim_ascii_end()).expect("hex");
        set.admit(index, &SecretBytes::copy_of(&bytes)).map_err(|error| {
            child::Error::from(Refused::Share(error)).refusal(Refusal::NOTHING_DONE)
        })?;
    }
    Ok(())
}
