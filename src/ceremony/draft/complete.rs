//! Candidates with their signatures: counted, read back, complete.
//!
//! Second floor: pure.

use data_encoding::BASE64;

use super::{Draft, drafts};
use crate::ceremony::accept::EDITED;
use crate::ceremony::fact::{RootMade, Signed};
use crate::ceremony::{Ceremony, ours};
use crate::check::Check;
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::root::threshold::{self, Counting, Tally};
use crate::root::{Dialect, Error, Signature, SignedRoot, notary};

/// Completes every root from the recorded signatures, and counts them as the strictest reader would.
///
/// # Errors
/// `[ROOT-THRESHOLD]` when old or new threshold is not met; `[ROOT-BYTES]` when the file does not read back as itself.
pub fn assemble(ceremony: &Ceremony) -> Result<Vec<(Draft, SignedRoot)>, Refusal> {
    let mut complete = Vec::new();
    for draft in drafts(ceremony)? {
        let file = signed_by(ceremony, &draft, &ceremony.signatures(&draft.repository))?;
        check_complete(&draft, &file)?;
        complete.push((draft, file));
    }
    Ok(complete)
}

/// The file of a candidate under signatures that were recorded, by the names of their keys.
///
/// # Errors
/// A key that nobody knows, or a signature of another form than it makes: our own fault.
pub fn signed_by(
    ceremony: &Ceremony,
    draft: &Draft,
    signed: &[(&str, &Signed)],
) -> Result<SignedRoot, Refusal> {
    let mut signatures = Vec::new();
    for (key, signed) in signed {
        let public =
            ceremony.public(key).ok_or_else(|| ours(format!("key `{key}` is not known")))?;
        let made = of_key(draft, &public, &signed.signature);
        signatures.extend(made.ok_or_else(|| ours(format!("key `{key}`: unreadable signature")))?);
    }
    Ok(SignedRoot::assemble(&draft.root, &signatures))
}

/// How many signatures of a candidate's file count for the root before it, where there is one, and for itself.
///
/// # Errors
/// `[ROOT-THRESHOLD]` for a signature that the strictest reader would not pass over.
pub fn tallies(draft: &Draft, file: &SignedRoot) -> Result<Vec<(&'static str, Tally)>, Refusal> {
    let old = draft.last().map(|last| ("old", last.root()));
    let holders = old.into_iter().chain([("new", &draft.root)]);
    let tallies = holders.map(|(who, holder)| {
        let tally = threshold::tally(holder, file, Counting::ONE_SIDE).map_err(|error| {
            Refusal::of(Check::RootThreshold, format!("`{}`: {error}", draft.repository))
        })?;
        Ok((who, tally))
    });
    tallies.collect()
}

/// Whether a candidate's file reads back as itself, byte for byte as the trust server would write it.
///
/// # Errors
/// Bytes that are no root.
pub(super) fn reads_back(draft: &Draft, file: &SignedRoot) -> Result<bool, Error> {
    let again = SignedRoot::parse(draft.root.dialect(), file.bytes())?;
    let exact = draft.root.dialect() == Dialect::Tuf || notary::is_byte_exact(&again);
    Ok(again == *file && exact && again.signed_digest() == draft.root.signed_digest())
}

/// A recorded signature, under every id that the key has: one private key signs once, for the old root and the new.
pub(in crate::ceremony) fn of_key(
    draft: &Draft,
    public: &PublicKey,
    signature: &str,
) -> Option<Vec<Signature>> {
    let bytes = BASE64.decode(signature.as_bytes()).ok()?;
    let ids = draft.ids(public).into_iter();
    ids.map(|id| draft.root.signature_of(&id, public, bytes.clone()).ok()).collect()
}

fn check_complete(draft: &Draft, file: &SignedRoot) -> Result<(), Refusal> {
    let name = &draft.repository;
    let bytes = |what: String| Refusal::of(Check::RootBytes, format!("`{name}`: {what}"));
    if !reads_back(draft, file).map_err(|error| bytes(error.to_string()))? {
        return Err(bytes("the file does not read back as it was written".to_owned()));
    }
    match tallies(draft, file)?.into_iter().find(|(_, tally)| !tally.is_met()) {
        None => Ok(()),
        Some((who, Tally { counted, needed })) => {
            let what = format!(
                "`{name}`: {} of the {needed} {who} signatures that it needs",
                counted.len()
            );
            Err(Refusal::of(Check::RootThreshold, what))
        }
    }
}

/// Checks the recorded digests of completed roots.
pub(in crate::ceremony) fn check_assembled(
    ceremony: &Ceremony,
    roots: &[RootMade],
) -> Result<(), Refusal> {
    let made: Vec<RootMade> = assemble(ceremony)?
        .iter()
        .map(|(draft, file)| RootMade {
            repository: draft.repository.clone(),
            version: file.version().get(),
            sha256: file.digest(),
        })
        .collect();
    if made == roots {
        return Ok(());
    }
    Err(Refusal::of(Check::RootBytes, "the recorded roots are not those that the record gives")
        .hint(EDITED))
}
