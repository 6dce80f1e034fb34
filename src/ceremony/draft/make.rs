//! Making the candidates: piece by piece, each once; what later steps need of them stays on the shelf.
//!
//! Second floor: pure.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::certify::{certified_name, wildcard};
use super::{Consent, Draft, check_outlives, document};
use crate::ceremony::admission::{self, shared::Face, shared::Faces};
use crate::ceremony::fact::{Certified, RootMade};
use crate::ceremony::means::{ByPiece, Means};
use crate::ceremony::plan::{PlannedRoot, midnight};
use crate::ceremony::reading::{Page, Read, Reading};
use crate::ceremony::{Ceremony, closing, ours};
use crate::check::Check;
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::root::certificate::Bundle;
use crate::root::succession::{self, Change};
use crate::root::{self, Dialect, Root, SignedRoot, Version};
use crate::shelf::Place;

/// What is kept of all candidates: where each lies, and who signs it.
#[derive(Clone, Debug)]
pub struct Sheets {
    /// In the plan's order, each with its [`Head`] before its bytes.
    roots: Vec<Place>,
    /// Whether a key of the roster signs a candidate: for each candidate, for each key.
    signers: Vec<bool>,
    keys: usize,
    /// What consent is given to, once the room is known.
    pub consent: Option<Digest>,
    /// What people read.
    pub page: Page,
}

/// What stands on the shelf before a candidate's bytes: those that signatures cover, and its file without signatures.
struct Head {
    version: u64,
    /// Of the bytes that signatures cover.
    sha256: Digest,
    /// How many these are.
    signed: u32,
}

impl Head {
    const LEN: usize = 44;

    fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&self.version.to_be_bytes());
        bytes[8..40].copy_from_slice(self.sha256.as_bytes());
        bytes[40..].copy_from_slice(&self.signed.to_be_bytes());
        bytes
    }

    fn of(bytes: &[u8; Self::LEN]) -> Self {
        let (mut version, mut sha256, mut signed) = ([0; 8], [0; 32], [0; 4]);
        version.copy_from_slice(&bytes[..8]);
        sha256.copy_from_slice(&bytes[8..40]);
        signed.copy_from_slice(&bytes[40..]);
        let (version, signed) = (u64::from_be_bytes(version), u32::from_be_bytes(signed));
        Self { version, sha256: Digest::from_bytes(sha256), signed }
    }
}

impl Sheets {
    /// How many candidates there are.
    pub fn count(&self) -> usize {
        self.roots.len()
    }

    /// Whether the key at a place of the roster signs a candidate.
    pub fn is_signed_by(&self, at: usize, key: usize) -> bool {
        key < self.keys && self.signers.get(at * self.keys + key).copied().unwrap_or_default()
    }

    /// The candidates that a key signs.
    pub fn of_key(&self, key: usize) -> impl Iterator<Item = usize> {
        (0..self.count()).filter(move |at| self.is_signed_by(*at, key))
    }

    /// The bytes that signatures of a candidate cover.
    ///
    /// # Errors
    /// Whatever keeps the room from its shelf.
    pub fn bytes(&self, means: &Means, at: usize) -> Result<Vec<u8>, Refusal> {
        let (place, head) = self.head(means, at)?;
        means.take_up(place.part(Head::LEN as u64, u64::from(head.signed))?)
    }

    fn head(&self, means: &Means, at: usize) -> Result<(Place, Head), Refusal> {
        let place = *self.roots.get(at).ok_or_else(|| ours("no such candidate"))?;
        let mut head = [0; Head::LEN];
        means.shelf.get(place, 0, &mut head)?;
        Ok((place, Head::of(&head)))
    }

    /// A candidate again, as it was made.
    ///
    /// # Errors
    /// As [`Sheets::bytes`].
    pub fn draft(&self, ceremony: &Ceremony, at: usize) -> Result<Draft, Refusal> {
        let planned = ceremony.plan().repositories().get(at);
        let planned = planned.ok_or_else(|| ours("no such candidate"))?;
        let means = &ceremony.inputs().means;
        let (place, head) = self.head(means, at)?;
        let before = Head::LEN as u64 + u64::from(head.signed);
        let bytes =
            means.take_up(place.part(before, u64::from(place.len).saturating_sub(before))?)?;
        let chain = ceremony.chain(at)?;
        let file = SignedRoot::parse_after(ceremony.plan().dialect(), chain.last(), &bytes);
        let candidate = file.map_err(|error| ours(error.to_string()))?;
        Ok(Draft { repository: planned.name.clone(), chain, candidate })
    }

    /// Candidates as a record names them, as far as there are any.
    ///
    /// # Errors
    /// As [`Sheets::bytes`].
    pub fn made(&self, ceremony: &Ceremony, range: Range<usize>) -> Result<Vec<RootMade>, Refusal> {
        made(ceremony, range, self.count(), |at| {
            let (_, head) = self.head(&ceremony.inputs().means, at)?;
            Ok((head.version, head.sha256))
        })
    }
}

impl Ceremony {
    /// All candidates, made when they are first asked for.
    ///
    /// # Errors
    /// As [`make`].
    pub fn sheets(&self) -> Result<Arc<Sheets>, Refusal> {
        match self.sheets.get() {
            Some(sheets) => Ok(Arc::clone(sheets)),
            None => make(self, &|_, _| Ok(()), &mut |_, ()| Ok(())),
        }
    }
}

/// Makes every candidate, and hands on what comes of a look at each. Whoever made one lays it down: memory that goes from
/// hand to hand is waited for.
///
/// # Errors
/// As [`look_at_each`].
pub fn make<T: Send>(
    ceremony: &Ceremony,
    look: &Look<'_, T>,
    each: &mut Each<'_, T>,
) -> Result<Arc<Sheets>, Refusal> {
    let drafting = Drafting::new(ceremony)?;
    let mut keeping = Keeping::new(ceremony, &drafting);
    let keep = |drafted: Drafted<'_>| {
        let came = look(drafted.at, drafted.draft)?;
        Ok((drafting.sheet(drafted)?, came))
    };
    drafting.each(&keep, &mut |at, (sheet, came)| {
        keeping.add(at, sheet);
        each(at, came)
    })?;
    let sheets = Arc::new(keeping.finish());
    // Somebody else may have made the same ones meanwhile.
    let _ = ceremony.sheets.set(Arc::clone(&sheets));
    Ok(sheets)
}

/// Makes every candidate and keeps none: hands on what comes of a look at each.
///
/// # Errors
/// The rule of succession that one of them breaks; `[CERT-OUTLIVES-ROOT]`; `[ROOT-EQUIVOCATION]`; `[ROOT-SHARED]`; those
/// of `look` and of `each`.
pub fn look_at_each<T: Send>(
    ceremony: &Ceremony,
    look: &Look<'_, T>,
    each: &mut Each<'_, T>,
) -> Result<(), Refusal> {
    Drafting::new(ceremony)?.each(&|drafted| look(drafted.at, drafted.draft), each)
}

/// A look at a candidate, with the place of its repository in the plan: at each in any order.
pub(super) type Look<'a, T> = dyn Fn(usize, &Draft) -> Result<T, Refusal> + Sync + 'a;
/// Takes what came of that, with that place: in the plan's order.
pub(super) type Each<'a, T> = dyn FnMut(usize, T) -> Result<(), Refusal> + 'a;

/// A candidate that was just made.
struct Drafted<'a> {
    /// The place of its repository in the plan.
    at: usize,
    draft: &'a Draft,
    /// What a record calls it.
    made: RootMade,
    /// The bytes that signatures cover.
    signed: Vec<u8>,
}

/// What is kept of a candidate.
struct Sheet {
    made: RootMade,
    /// The digest of the root before it.
    last: Option<Digest>,
    lying: Place,
    signers: Vec<bool>,
    reading: Read,
}

/// What comes together of all candidates.
struct Keeping<'a> {
    ceremony: &'a Ceremony,
    sheets: Sheets,
    consent: Option<Consent>,
    reading: Reading,
}

impl<'a> Keeping<'a> {
    fn new(ceremony: &'a Ceremony, drafting: &Drafting<'_>) -> Self {
        let plan = ceremony.plan();
        let count = plan.repositories().len();
        let sheets = Sheets {
            roots: Vec::with_capacity(count),
            signers: Vec::with_capacity(count * drafting.signers.len()),
            keys: drafting.signers.len(),
            consent: None,
            page: Page::default(),
        };
        let consent = ceremony.room().map(|room| Consent::new(plan.digest(), room));
        Self { ceremony, sheets, consent, reading: Reading::default() }
    }

    fn add(&mut self, at: usize, sheet: Sheet) {
        let Sheet { made, last, lying, signers, reading } = sheet;
        self.sheets.roots.push(lying);
        self.sheets.signers.extend(signers);
        if let Some(consent) = &mut self.consent {
            consent.add(&made, last);
        }
        self.reading.add(at, &made.repository, reading);
    }

    fn finish(self) -> Sheets {
        let consent = self.consent.map(Consent::finish);
        let names = self.ceremony.plan().repositories().iter().map(|planned| planned.name.as_str());
        Sheets { consent, page: self.reading.finish(names), ..self.sheets }
    }
}

/// What all candidates are made of.
struct Drafting<'a> {
    ceremony: &'a Ceremony,
    planned: &'a PlannedRoot,
    /// The keys of the new root, with their names.
    keys: Vec<(&'a str, PublicKey)>,
    /// The keys of the roster, as far as they are known.
    signers: Vec<Option<PublicKey>>,
    earlier: Earlier<'a>,
}

/// What earlier ceremonies meant to sign: by repository and version, the digest and the ceremony's folder.
type Earlier<'a> = BTreeMap<(String, u64), Vec<(Digest, &'a str)>>;

/// The certificates of each key of the new root, of one piece, or the one for all repositories.
struct Certificates {
    of_all: bool,
    by_key: Vec<Vec<Certified>>,
}

impl<'a> Drafting<'a> {
    fn new(ceremony: &'a Ceremony) -> Result<Self, Refusal> {
        let planned = ceremony.plan().root().ok_or_else(|| ours("a draft without `[root]`"))?;
        let public = |name: &'a String| {
            let public = ceremony.public(name);
            let public = public.ok_or_else(|| ours(format!("key `{name}` is not known yet")))?;
            Ok((name.as_str(), public))
        };
        let keys = planned.keys.iter().map(public).collect::<Result<_, Refusal>>()?;
        let signers = ceremony.roster().keys().iter().map(|key| ceremony.public(&key.name));
        let signers = signers.collect();
        Ok(Self { ceremony, planned, keys, signers, earlier: earlier(ceremony)? })
    }

    /// Drafts and judges every candidate, with a look at each.
    fn each<T: Send>(
        &self,
        look: &(dyn Fn(Drafted<'_>) -> Result<T, Refusal> + Sync),
        each: &mut Each<'_, T>,
    ) -> Result<(), Refusal> {
        let (plan, means) = (self.ceremony.plan(), &self.ceremony.inputs().means);
        check_outlives(plan)?;
        let (certificates, all) = (ByPiece::default(), plan.repositories());
        let mut faces = Faces::new(plan, self.ceremony.past());
        let work = |at: usize| {
            let (made, within) =
                certificates.of(at, all.len(), |range| self.certificates(range))?;
            let draft = self.draft(&made, (at, within))?;
            let signed = draft.root().signed_bytes();
            let made = draft.made_of(&signed);
            self.check_equivocation(&made)?;
            let face = Face::of(&all[at].name, draft.root());
            Ok::<_, Refusal>((face, look(Drafted { at, draft: &draft, made, signed })?))
        };
        means.map(0..all.len(), work, |at, (face, came)| {
            faces.push(face);
            each(at, came)
        })?;
        faces.finish()
    }

    fn certificates(&self, range: Range<usize>) -> Result<Certificates, Refusal> {
        let ceremony = self.ceremony;
        let of_all = wildcard(self.planned).is_some();
        let range = if of_all { 0..1 } else { range };
        let means = &ceremony.inputs().means;
        let by_key = self.keys.iter().map(|(name, _)| match ceremony.bulk.certified.get(*name) {
            Some(heap) => heap.read(means, range.clone()),
            None => Ok(Vec::new()),
        });
        Ok(Certificates { of_all, by_key: by_key.collect::<Result<_, _>>()? })
    }

    /// The candidate at a place of the plan, and of the piece that the certificates are of.
    fn draft(&self, made: &Certificates, (at, within): (usize, usize)) -> Result<Draft, Refusal> {
        let plan = self.ceremony.plan();
        let repository = &plan.repositories()[at].name;
        let chain = self.ceremony.chain(at)?;
        let last = chain.last().map(SignedRoot::root);
        let version = last.map_or(Version::FIRST, |last| last.version().next());
        let mut root_keys = Vec::new();
        for ((name, public), made_here) in self.keys.iter().zip(&made.by_key) {
            let made = made_here.get(if made.of_all { 0 } else { within });
            root_keys.push(self.root_key(repository, (name, public), made, last)?);
        }
        let roles = self.roles(repository)?;
        let expires = midnight(self.planned.expires);
        let threshold = self.planned.threshold;
        let change = Change { version, root_keys, threshold, roles, expires };
        let root = succession::next(plan.dialect(), last, &change).map_err(|error| {
            Refusal::of(error.check(), format!("`{repository}`: {error}"))
                .hint("clients would not take such a root: correct the plan or the request")
        })?;
        let candidate = SignedRoot::assemble(&root, &[]);
        Ok(Draft { repository: repository.clone(), chain, candidate })
    }

    /// The online roles that change, with the keys that the request offers.
    fn roles(
        &self,
        repository: &str,
    ) -> Result<BTreeMap<root::Role, (Vec<root::Key>, u32)>, Refusal> {
        let plan = self.ceremony.plan();
        let mut roles = BTreeMap::new();
        for role in plan.roles() {
            let offered = admission::offered(self.ceremony.inputs(), repository, role.name)?;
            let keys = offered.iter().map(|key| root::Key::plain(plan.dialect(), key));
            let keys: Vec<_> =
                keys.collect::<Result<_, _>>().map_err(|error| document(repository, &error))?;
            roles.insert(role.name, (keys, role.threshold));
        }
        Ok(roles)
    }

    /// A root key as this repository's root will list it: made here, or as the last root has it.
    fn root_key(
        &self,
        repository: &str,
        (name, public): (&str, &PublicKey),
        made: Option<&Certified>,
        last: Option<&Root>,
    ) -> Result<root::Key, Refusal> {
        let plan = self.ceremony.plan();
        if plan.dialect() == Dialect::Tuf {
            return root::Key::plain(Dialect::Tuf, public)
                .map_err(|error| document(repository, &error));
        }
        let made = made.filter(|made| made.repository == certified_name(plan, repository));
        if let Some(made) = made {
            let bundle = Bundle::read_exact(&made.certificate)
                .map_err(|error| document(repository, &error))?;
            return Ok(root::Key::certificate(&bundle));
        }
        let kept = last.and_then(|last| last.root_key_id(public).and_then(|id| last.key(id)));
        kept.cloned()
            .ok_or_else(|| ours(format!("key `{name}` has no certificate for `{repository}`")))
    }

    /// A version that an earlier ceremony meant to sign is never signed with other bytes.
    fn check_equivocation(&self, made: &RootMade) -> Result<(), Refusal> {
        let earlier = self.earlier.get(&(made.repository.clone(), made.version));
        let other = earlier.into_iter().flatten().find(|(sha256, _)| *sha256 != made.sha256);
        let Some((_, folder)) = other else { return Ok(()) };
        let what = format!(
            "`{}`: version {} was meant to be something else in `{folder}`",
            made.repository, made.version
        );
        Err(Refusal::of(Check::RootEquivocation, what)
            .hint("a version once meant is never signed with other bytes"))
    }

    fn sheet(&self, drafted: Drafted<'_>) -> Result<Sheet, Refusal> {
        let Drafted { draft, made, signed, .. } = drafted;
        let ids = |public: &PublicKey| !draft.ids(public).is_empty();
        let signers = self.signers.iter().map(|public| public.as_ref().is_some_and(ids));
        let signers = signers.collect();
        let (reading, last) = (self.ceremony.read(draft), draft.last().map(SignedRoot::digest));
        let long = |_| ours("a candidate of more than 4 GiB");
        let len = u32::try_from(signed.len()).map_err(long)?;
        let head = Head { version: made.version, sha256: made.sha256, signed: len };
        let lying = [&head.to_bytes()[..], &signed, draft.candidate.bytes()].concat();
        let lying = self.ceremony.inputs().means.shelf.put(&lying)?;
        Ok(Sheet { made, last, lying, signers, reading })
    }
}

/// Roots as a record names them, as far as there are any of the range: what is at each place of the plan is asked for.
pub(super) fn made(
    ceremony: &Ceremony,
    range: Range<usize>,
    count: usize,
    root: impl Fn(usize) -> Result<(u64, Digest), Refusal>,
) -> Result<Vec<RootMade>, Refusal> {
    let names = ceremony.plan().repositories();
    let made = (range.start..range.end.min(count)).map(|at| {
        let (version, sha256) = root(at)?;
        Ok(RootMade { repository: names[at].name.clone(), version, sha256 })
    });
    made.collect()
}

fn earlier(ceremony: &Ceremony) -> Result<Earlier<'_>, Refusal> {
    let past = ceremony.past();
    // What came out of it is in the trust folder, and its version is not the next one.
    let is_next = |made: &RootMade| {
        let wanted = past.versions(&made.repository) - past.unwanted(&made.repository);
        made.version > wanted && ceremony.plan().repository(&made.repository).is_some()
    };
    let mut earlier = Earlier::new();
    for past in past.ceremonies() {
        for record in past.records() {
            for piece in closing::intended(record) {
                for made in piece?.into_iter().filter(is_next) {
                    let of = earlier.entry((made.repository, made.version)).or_default();
                    of.push((made.sha256, past.folder.as_str()));
                }
            }
        }
    }
    Ok(earlier)
}
