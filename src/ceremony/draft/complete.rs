//! Candidates with their signatures: counted, read back, complete.
//!
//! Second floor: pure.

use std::ops::Range;
use std::sync::Arc;

use data_encoding::BASE64;
use jiff::Timestamp;

use super::make::made;
use super::{Draft, Sheets};
use crate::ceremony::accept::EDITED;
use crate::ceremony::fact::{Fact, RootMade, Signed};
use crate::ceremony::means::{ByPiece, Means};
use crate::ceremony::prospect;
use crate::ceremony::{Ceremony, ours};
use crate::check::Check;
use crate::digest::Digest;
use crate::files::Bytes;
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::root::horizon::Fare;
use crate::root::threshold::{self, Counting, Tally};
use crate::root::{Dialect, Error, Signature, SignedRoot, notary};
use crate::shelf::Place;
use crate::wording::told::Told;

/// What is kept of all complete roots: where each lies.
#[derive(Clone, Debug, Default)]
pub struct Wholes {
    /// In the plan's order, each with its [`Head`] before its file.
    roots: Vec<Place>,
    /// Until when every client can follow, and until when old keys can mislead somebody, as sentences.
    pub remarks: Vec<String>,
}

/// What is said of a complete root without reading it; on the shelf it stands before the file.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// Its version.
    pub version: u64,
    /// Of its file.
    pub sha256: Digest,
    /// How many signatures count for the root before it, where there is one, and how many are needed.
    pub old: Option<(u32, i64)>,
    /// The same for itself.
    pub new: Option<(u32, i64)>,
}

impl Head {
    const LEN: usize = 66;

    fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&self.version.to_be_bytes());
        bytes[8..40].copy_from_slice(self.sha256.as_bytes());
        for (tally, bytes) in [self.old, self.new].iter().zip(bytes[40..].chunks_exact_mut(13)) {
            if let Some((counted, needed)) = tally {
                bytes[0] = 1;
                bytes[1..5].copy_from_slice(&counted.to_be_bytes());
                bytes[5..].copy_from_slice(&needed.to_be_bytes());
            }
        }
        bytes
    }

    fn of(bytes: &[u8; Self::LEN]) -> Self {
        let (mut version, mut sha256) = ([0; 8], [0; 32]);
        version.copy_from_slice(&bytes[..8]);
        sha256.copy_from_slice(&bytes[8..40]);
        let tally = |bytes: &[u8]| {
            let (mut counted, mut needed) = ([0; 4], [0; 8]);
            counted.copy_from_slice(&bytes[1..5]);
            needed.copy_from_slice(&bytes[5..]);
            (bytes[0] == 1).then(|| (u32::from_be_bytes(counted), i64::from_be_bytes(needed)))
        };
        let (old, new) = (tally(&bytes[40..53]), tally(&bytes[53..]));
        let (version, sha256) = (u64::from_be_bytes(version), Digest::from_bytes(sha256));
        Self { version, sha256, old, new }
    }
}

impl Wholes {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.roots.len()
    }

    /// The file of a repository's complete root, by the repository's place in the plan.
    ///
    /// # Errors
    /// Whatever keeps the room from its shelf.
    pub fn bytes(&self, means: &Means, at: usize) -> Result<Vec<u8>, Refusal> {
        means.take_up(self.lying(at)?)
    }

    /// The same where it lies.
    ///
    /// # Errors
    /// None for a place that the plan has.
    pub fn file(&self, means: &Means, at: usize) -> Result<Bytes, Refusal> {
        Ok(Bytes::lying(&means.shelf, self.lying(at)?))
    }

    /// What is said of it.
    ///
    /// # Errors
    /// As [`Wholes::bytes`].
    pub fn head(&self, means: &Means, at: usize) -> Result<Head, Refusal> {
        let mut head = [0; Head::LEN];
        means.shelf.get(self.place(at)?, 0, &mut head)?;
        Ok(Head::of(&head))
    }

    fn place(&self, at: usize) -> Result<Place, Refusal> {
        self.roots.get(at).copied().ok_or_else(|| ours("no such root"))
    }

    fn lying(&self, at: usize) -> Result<Place, Refusal> {
        let (place, head) = (self.place(at)?, Head::LEN as u64);
        Ok(place.part(head, u64::from(place.len).saturating_sub(head))?)
    }

    /// Roots as a record names them, as far as there are any.
    ///
    /// # Errors
    /// As [`Wholes::bytes`].
    pub fn made(&self, ceremony: &Ceremony, range: Range<usize>) -> Result<Vec<RootMade>, Refusal> {
        made(ceremony, range, self.count(), |at| {
            let head = self.head(&ceremony.inputs().means, at)?;
            Ok((head.version, head.sha256))
        })
    }
}

impl Ceremony {
    /// All complete roots, completed when they are first asked for.
    ///
    /// # Errors
    /// As [`complete`].
    pub fn wholes(&self) -> Result<Arc<Wholes>, Refusal> {
        match self.wholes.get() {
            Some(wholes) => Ok(Arc::clone(wholes)),
            None => complete(self, None, &mut |_, _| Ok(())),
        }
    }

    /// A candidate again, with its complete root.
    ///
    /// # Errors
    /// As [`complete`].
    pub fn whole(&self, at: usize) -> Result<(Draft, SignedRoot), Refusal> {
        let draft = self.sheets()?.draft(self, at)?;
        let bytes = self.wholes()?.bytes(&self.inputs().means, at)?;
        let file = SignedRoot::parse(self.plan().dialect(), &bytes);
        Ok((draft, file.map_err(|error| ours(error.to_string()))?))
    }

    /// The keys that signed all candidates of theirs, by their places in the roster.
    fn finished_keys(&self) -> Vec<(usize, &str)> {
        let signed = |name: &str| {
            self.facts().any(|fact| matches!(fact, Fact::RootsSigned { key } if key == name))
        };
        let keys = self.roster().keys().iter().map(|key| key.name.as_str()).enumerate();
        keys.filter(|(_, name)| signed(name)).collect()
    }
}

/// The names of the keys whose signatures a repository's complete root carries.
///
/// # Errors
/// As [`Ceremony::sheets`].
pub fn signers(ceremony: &Ceremony, at: usize) -> Result<Vec<&str>, Refusal> {
    let sheets = ceremony.sheets()?;
    let signed = ceremony.finished_keys().into_iter();
    Ok(signed.filter(|(key, _)| sheets.is_signed_by(at, *key)).map(|(_, name)| name).collect())
}

/// Completes every root from the recorded signatures, and counts them as the strictest reader would. Where `walked` is a
/// moment, every client walks to each at that moment.
///
/// # Errors
/// `[ROOT-THRESHOLD]` when old or new threshold is not met; `[ROOT-BYTES]` when the file does not read back as itself;
/// those of `each`, which gets what [`prospect::check`] refused, in the plan's order.
pub fn complete(
    ceremony: &Ceremony,
    walked: Option<Timestamp>,
    each: &mut dyn FnMut(usize, Option<Refusal>) -> Result<(), Refusal>,
) -> Result<Arc<Wholes>, Refusal> {
    let sheets = ceremony.sheets()?;
    let means = &ceremony.inputs().means;
    let signed = Collected::new(ceremony);
    let (mut wholes, told) = (Wholes::default(), Told::default());
    wholes.roots.reserve_exact(sheets.count());
    let (count, signatures) = (sheets.count(), ByPiece::default());
    let work = |at: usize| {
        let (signatures, within) = signatures.of(at, count, |range| signed.of(&sheets, range))?;
        let draft = sheets.draft(ceremony, at)?;
        let file = signed_by(ceremony, &draft, &signatures[within])?;
        let counted = check_complete(&draft, &file)?;
        let newest = prospect::Newest::Complete(&file);
        let fares = walked.map(|at| (at, prospect::check(ceremony.plan(), &draft, newest, at)));
        let (fares, refused) = match fares {
            Some((at, Ok(fares))) => (Some((at, fares)), None),
            Some((_, Err(refusal))) => (None, Some(refusal)),
            None => (None, None),
        };
        told.add(at, &draft.repository, remarks(ceremony, &draft, &file, fares));
        let [old, new] = counted;
        let head = Head { version: file.version().get(), sha256: file.digest(), old, new };
        let lying = means.shelf.put(&[&head.to_bytes()[..], file.bytes()].concat())?;
        Ok::<_, Refusal>((lying, refused))
    };
    means.map(0..count, work, |at, (lying, refused)| {
        wholes.roots.push(lying);
        each(at, refused)
    })?;
    wholes.remarks = told.finish();
    let wholes = Arc::new(wholes);
    // Somebody else may have completed the same ones meanwhile.
    let _ = ceremony.wholes.set(Arc::clone(&wholes));
    Ok(wholes)
}

/// What the closing page says of a complete root; how clients fare is known of another moment, or not.
fn remarks(
    ceremony: &Ceremony,
    draft: &Draft,
    file: &SignedRoot,
    known: Option<(Timestamp, Vec<Fare>)>,
) -> Vec<String> {
    let Some(at) = ceremony.attested() else { return Vec::new() };
    let fares = prospect::fares_known(draft, file, at, known);
    let mut said = prospect::sentences(&draft.repository, &fares);
    said.extend(prospect::old_keys(ceremony, draft, file));
    said
}

/// The recorded signatures.
struct Collected<'a> {
    ceremony: &'a Ceremony,
    /// Name and place of each key that signed.
    keys: Vec<(&'a str, usize)>,
}

impl<'a> Collected<'a> {
    fn new(ceremony: &'a Ceremony) -> Self {
        let keys = ceremony.finished_keys().into_iter();
        Self { ceremony, keys: keys.map(|(place, name)| (name, place)).collect() }
    }

    /// Those of a range of candidates: for each, key and signature.
    fn of(
        &self,
        sheets: &Sheets,
        range: Range<usize>,
    ) -> Result<Vec<Vec<(&'a str, Signed)>>, Refusal> {
        let means = &self.ceremony.inputs().means;
        let mut found: Vec<Vec<(&str, Signed)>> = range.clone().map(|_| Vec::new()).collect();
        for (name, place) in &self.keys {
            let signs = |at: &usize| sheets.is_signed_by(*at, *place);
            let before = (0..range.start).filter(signs).count();
            let mine: Vec<usize> = range.clone().filter(signs).collect();
            let next = before..before + mine.len();
            let heap = self.ceremony.bulk.signed.get(*name);
            let signed = heap.map_or_else(|| Ok(Vec::new()), |heap| heap.read(means, next))?;
            for (at, signed) in mine.into_iter().zip(signed) {
                found[at - range.start].push((name, signed));
            }
        }
        Ok(found)
    }
}

/// The file of a candidate under signatures that were recorded, by the names of their keys.
fn signed_by(
    ceremony: &Ceremony,
    draft: &Draft,
    signed: &[(&str, Signed)],
) -> Result<SignedRoot, Refusal> {
    let (mut signatures, mut known) = (Vec::new(), Vec::new());
    for (key, signed) in signed {
        let public =
            ceremony.public(key).ok_or_else(|| ours(format!("key `{key}` is not known")))?;
        let made = of_key(draft, &public, &signed.signature);
        let made = made.ok_or_else(|| ours(format!("key `{key}`: unreadable signature")))?;
        known.extend(made.iter().map(|signature| (signature.key.clone(), public.clone())));
        signatures.extend(made);
    }
    let file = SignedRoot::assemble(draft.root(), &signatures);
    for (id, public) in known {
        // They were verified when they were taken up.
        if let Ok(scheme) = draft.root().dialect().scheme(public.algorithm()) {
            file.dangerous_assume_good(&id, scheme, &public);
        }
    }
    Ok(file)
}

/// The first candidate under the signatures that are recorded of it, those of a key among them that has just signed all
/// of its own.
///
/// # Errors
/// As [`Ceremony::sheets`].
pub fn first_signed<'a>(
    ceremony: &'a Ceremony,
    key: &'a str,
) -> Result<(Draft, SignedRoot), Refusal> {
    let sheets = ceremony.sheets()?;
    let mut signed = Collected::new(ceremony);
    let place = ceremony.roster().place_of(key);
    if signed.keys.iter().all(|(name, _)| *name != key) {
        signed.keys.push((key, place));
    }
    let signatures = signed.of(&sheets, 0..1)?;
    let draft = sheets.draft(ceremony, 0)?;
    let file = signed_by(ceremony, &draft, &signatures[0])?;
    Ok((draft, file))
}

/// How many signatures of a candidate's file count for the root before it, where there is one, and for itself.
///
/// # Errors
/// `[ROOT-THRESHOLD]` for a signature that the strictest reader would not pass over.
pub fn tallies(draft: &Draft, file: &SignedRoot) -> Result<Vec<(&'static str, Tally)>, Refusal> {
    let old = draft.last().map(|last| ("old", last.root()));
    let holders = old.into_iter().chain([("new", draft.root())]);
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
    let again = SignedRoot::parse(draft.root().dialect(), file.bytes())?;
    let exact = draft.root().dialect() == Dialect::Tuf || notary::is_byte_exact(file);
    Ok(again == *file && again.root() == draft.root() && exact)
}

/// A recorded signature, under every id that the key has: one private key signs once, for the old root and the new.
fn of_key(draft: &Draft, public: &PublicKey, signature: &str) -> Option<Vec<Signature>> {
    let bytes = BASE64.decode(signature.as_bytes()).ok()?;
    let ids = draft.ids(public).into_iter();
    ids.map(|id| draft.root().signature_under(&id, public, bytes.clone()).ok()).collect()
}

fn check_complete(draft: &Draft, file: &SignedRoot) -> Result<[Option<(u32, i64)>; 2], Refusal> {
    let name = &draft.repository;
    let bytes = |what: String| Refusal::of(Check::RootBytes, format!("`{name}`: {what}"));
    if !reads_back(draft, file).map_err(|error| bytes(error.to_string()))? {
        return Err(bytes("the file does not read back as it was written".to_owned()));
    }
    let tallies = tallies(draft, file)?;
    if let Some((who, Tally { counted, needed })) =
        tallies.iter().find(|(_, tally)| !tally.is_met())
    {
        let what =
            format!("`{name}`: {} of the {needed} {who} signatures that it needs", counted.len());
        return Err(Refusal::of(Check::RootThreshold, what));
    }
    let counted =
        |tally: &Tally| (u32::try_from(tally.counted.len()).unwrap_or(u32::MAX), tally.needed);
    let mut counted = tallies.iter().map(|(_, tally)| counted(tally)).rev();
    let new = counted.next();
    Ok([counted.next(), new])
}

/// Checks the next recorded digests of completed roots.
pub(in crate::ceremony) fn check_assembled(
    ceremony: &Ceremony,
    roots: &[RootMade],
) -> Result<(), Refusal> {
    let first = ceremony.recorded_roots();
    let made = ceremony.wholes()?.made(ceremony, first..first + roots.len())?;
    if !roots.is_empty() && made == roots {
        return Ok(());
    }
    Err(Refusal::of(Check::RootBytes, "the recorded roots are not those that the record gives")
        .hint(EDITED))
}

/// Checks the next recorded candidates against those made anew.
pub(in crate::ceremony) fn check_drafted(
    ceremony: &Ceremony,
    roots: &[RootMade],
) -> Result<(), Refusal> {
    let (sheets, first) = (ceremony.sheets()?, ceremony.recorded_drafts());
    if !roots.is_empty() && sheets.made(ceremony, first..first + roots.len())? == roots {
        return Ok(());
    }
    Err(other_candidates())
}

/// A record that tells of other candidates than come out.
pub(in crate::ceremony) fn other_candidates() -> Refusal {
    let what = "the recorded candidates are not those that plan, request and record give";
    Refusal::of(Check::RootEquivocation, what).hint(EDITED)
}
