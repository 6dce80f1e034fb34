//! The folder of a candidate, read on its own: what is about to be signed, and what holders at other sites signed of it.
//!
//! Second floor: pure. Nothing of it is believed: drafts are made from its bytes, and held against the reader's own past.
//! docs/threats.md rules 3 and 5.

mod line;

use std::collections::BTreeMap;
use std::io::BufRead;

use super::Ceremony;
use super::draft::{self, Consent, Draft};
use super::fact::{Fact, RootMade};
use super::plan::{self, Plan};
use super::roster::Holding;
use crate::check::Check;
use crate::digest::Digest;
use crate::files::{Bytes, Files, Reader};
use crate::key::PublicKey;
use crate::refusal::{Exit, Refusal};
use crate::root::threshold::{Tally, verifies};
use crate::root::{KeyId, Role, Signature, SignedRoot, succession};
use crate::shelf::Lost;
use crate::trust::Past;

use line::Line;
pub use line::line;

/// The room file in the folder.
pub const ROOM: &str = "room.toml";
/// The candidates in the folder: a line for each repository, in the plan's order.
pub const CANDIDATES: &str = "candidates.jsonl";

/// `old`, where there is a root before, and `new`, with what each counts.
pub type Tallies = Vec<(&'static str, Tally)>;

impl Ceremony {
    /// Whether a token holds a root key, with which its custodian can sign at another site.
    pub fn may_sign_elsewhere(&self, token: &str) -> bool {
        let held = Holding::Token(token.to_owned());
        self.plan().root().is_some() && self.roster().keys().iter().any(|key| key.holding == held)
    }

    /// Whether a token is to sign at another site, and is not here.
    pub fn is_elsewhere(&self, token: &str) -> bool {
        self.facts().any(|fact| matches!(fact, Fact::TokenElsewhere { token: t } if t == token))
    }
}

/// A candidate.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The plan.
    pub plan: Plan,
    /// SHA-256 of the room file.
    pub room: Digest,
    /// The new roots, in the plan's order.
    pub drafts: Vec<Draft>,
    /// The same with the good signatures that the folder carries.
    pub signed: Vec<SignedRoot>,
    /// Every file but the new roots.
    others: Files,
}

impl Candidate {
    /// Reads the folder. `own` is the reader's own copy of the trust folder.
    ///
    /// # Errors
    /// `[SECOND-READER]` for a folder that contradicts itself or the reader's past; `[REQUEST-KEY-PINNED]`; the rule of
    /// succession that a root breaks; `[SIGNATURE-GOOD]`, `[ROOT-KEYS]` for a signature that is none, or a stranger's.
    pub fn read(files: &Files, own: Option<&Past>) -> Result<Self, Refusal> {
        let bad = |what: String| Refusal::of(Check::SecondReader, what);
        let text = files.read(plan::FILE)?.ok_or_else(|| {
            bad(format!("no `{}` is in it: it is no candidate", plan::FILE))
                .hint("name the folder `candidate-…` that the room exported")
        })?;
        let plan = Plan::parse(&text, |name| files.read(name).ok().flatten())
            .map_err(|error| bad(error.to_string()))?;
        let mut others = files.clone();
        others.remove(CANDIDATES);
        let known = [Some(plan::FILE), Some(ROOM), plan.list_name()];
        if let Some(spare) = others.paths().find(|path| !known.contains(&Some(*path))) {
            return Err(bad(format!("`{spare}` belongs to no repository of the plan")));
        }
        let room = Digest::of(&files.read(ROOM)?.unwrap_or_default());
        let lines = files.get(CANDIDATES).cloned().unwrap_or_default();
        let (mut drafts, mut signed) = (Vec::new(), Vec::new());
        let mut lines = Lines { reader: lines.reader(), at: 0 };
        for repository in plan.repositories() {
            let (draft, next) = one(&plan, lines.next(&repository.name)?)?;
            check_pins(&plan, &draft)?;
            check_own(own, &draft)?;
            check_signatures(&draft, &next)?;
            drafts.push(draft);
            signed.push(next);
        }
        lines.end()?;
        Ok(Self { plan, room, drafts, signed, others })
    }

    /// What consent is given to.
    pub fn consent(&self) -> Digest {
        Consent::new(self.plan.digest(), self.room).over(&self.drafts)
    }

    /// The new root of a repository as a record names it.
    pub fn made(&self, repository: &str) -> Option<RootMade> {
        let at = self.plan.place_of(repository)?;
        self.drafts.get(at).map(Draft::made)
    }

    /// Adds the raw signatures of a key, one for each root that it belongs to.
    ///
    /// # Errors
    /// `[SIGNATURE-GOOD]`.
    pub fn sign(&mut self, public: &PublicKey, raw: &[Vec<u8>]) -> Result<(), Refusal> {
        let mut answers = raw.iter();
        for (draft, signed) in self.drafts.iter().zip(&mut self.signed) {
            let ids = draft.ids(public);
            let Some(raw) = (!ids.is_empty()).then(|| answers.next()).flatten() else { continue };
            let made = ids.iter().map(|id| draft.root().signature(id, public, raw));
            let made = made.collect::<Result<Vec<_>, _>>().map_err(|error| {
                Refusal::of(Check::SignatureGood, format!("`{}`: {error}", draft.repository))
                    .hint(draft::SIGN_ANEW)
            })?;
            *signed = joined(draft, signed.signatures().iter().chain(&made));
        }
        Ok(())
    }

    /// The signature of a key over each root that it belongs to, in base64, by repository; none where one is missing.
    pub fn signatures_of(&self, public: &PublicKey) -> Option<Vec<(String, Vec<u8>)>> {
        let mut found = Vec::new();
        for (draft, signed) in self.drafts.iter().zip(&self.signed) {
            let ids = draft.ids(public);
            if !ids.is_empty() {
                let mine = signed.signatures().iter().find(|made| ids.contains(&made.key))?;
                found.push((draft.repository.clone(), mine.bytes.clone()));
            }
        }
        Some(found)
    }

    /// Joins what holders signed of one candidate; in any order the same bytes come out.
    ///
    /// # Errors
    /// `[ROOT-EQUIVOCATION]` for two candidates of one version; other plans, rooms or pasts.
    pub fn join(self, other: &Self) -> Result<Self, Refusal> {
        for (one, two) in self.drafts.iter().zip(&other.drafts) {
            let is_same_version =
                one.repository == two.repository && one.root().version() == two.root().version();
            if is_same_version && one.root().signed_digest() != two.root().signed_digest() {
                let what = format!(
                    "`{}`: version {} is one thing here and another there",
                    one.repository,
                    one.root().version()
                );
                return Err(Refusal::of(Check::RootEquivocation, what)
                    .hint("say stop: whoever signed had not the same candidate before them"));
            }
        }
        let is_same = self.others.difference(&other.others)?.is_none()
            && self.drafts.len() == other.drafts.len();
        if !is_same {
            return Err(Refusal::new(Exit::Refused, "these are candidates of two ceremonies")
                .hint("join what was signed of one candidate folder"));
        }
        let all = self.drafts.iter().zip(self.signed.iter().zip(&other.signed));
        let signed = all.map(|(draft, (one, two))| {
            joined(draft, one.signatures().iter().chain(two.signatures()))
        });
        Ok(Self { signed: signed.collect(), ..self })
    }

    /// How far the threshold of the root before and that of the new one are met, by repository.
    ///
    /// # Errors
    /// As [`draft::tallies`].
    pub fn tallies(&self) -> Result<Vec<(&str, Tallies)>, Refusal> {
        let all = self.drafts.iter().zip(&self.signed);
        all.map(|(draft, signed)| Ok((draft.repository.as_str(), draft::tallies(draft, signed)?)))
            .collect()
    }

    /// The folder again.
    pub fn files(&self) -> Files {
        let lines = self.drafts.iter().zip(&self.signed);
        let lines: Vec<u8> = lines.flat_map(|(draft, signed)| line(draft, signed)).collect();
        let mut files = self.others.clone();
        files.insert(CANDIDATES, lines);
        files
    }
}

/// The lines of the candidates.
struct Lines<'a> {
    reader: Reader<'a>,
    at: usize,
}

impl Lines<'_> {
    /// The line of the next repository.
    fn next(&mut self, repository: &str) -> Result<Line, Refusal> {
        self.at += 1;
        let bad = |what: &str| {
            let what = format!("{CANDIDATES}:{}: {what}", self.at);
            Refusal::of(Check::SecondReader, what)
        };
        let mut line = Vec::new();
        self.reader.read_until(b'\n', &mut line).map_err(Lost::from)?;
        if line.is_empty() {
            return Err(bad(&format!("the candidate of `{repository}` is missing")));
        }
        let line = Line::read(&line).ok_or_else(|| bad("it is not written as a candidate is"))?;
        if line.name != repository {
            return Err(bad(&format!("`{}` stands where `{repository}` is planned", line.name)));
        }
        Ok(line)
    }

    /// Nothing stands after them.
    fn end(mut self) -> Result<(), Refusal> {
        if self.reader.fill_buf().map_err(Lost::from)?.is_empty() {
            return Ok(());
        }
        let what = format!("{CANDIDATES}:{}: it belongs to no repository of the plan", self.at + 1);
        Err(Refusal::of(Check::SecondReader, what))
    }
}

/// A root under these signatures, one for each key: who signed twice made two that are good, and the first by its bytes
/// stays.
fn joined<'a>(draft: &Draft, all: impl Iterator<Item = &'a Signature>) -> SignedRoot {
    let mut by_key: BTreeMap<&KeyId, &Signature> = BTreeMap::new();
    for signature in all {
        let kept = by_key.entry(&signature.key).or_insert(signature);
        *kept = (*kept).min(signature);
    }
    let signatures: Vec<Signature> = by_key.into_values().cloned().collect();
    SignedRoot::assemble(draft.root(), &signatures)
}

/// The candidate of one repository, and the root before it.
fn one(plan: &Plan, line: Line) -> Result<(Draft, SignedRoot), Refusal> {
    let Line { name: repository, root, previous } = line;
    let read = |which: &str, last: Option<&SignedRoot>, bytes: &[u8]| {
        SignedRoot::parse_after(plan.dialect(), last, bytes).map_err(|error| {
            let what = format!("`{repository}`: the {which} root: {error}");
            Refusal::of(Check::SecondReader, what)
        })
    };
    let last = previous.map(|bytes| read("last", None, &bytes)).transpose()?;
    let next = read("new", last.as_ref(), &root)?;
    succession::check(last.as_ref().map(SignedRoot::root), next.root())
        .map_err(|error| Refusal::of(error.check(), format!("`{repository}`: {error}")))?;
    let chain = last.into_iter().collect();
    let candidate = SignedRoot::assemble(next.root(), &[]);
    Ok((Draft { repository, chain, candidate }, next))
}

/// Every online key that is new in its role is one that the plan pins. `[REQUEST-KEY-PINNED]`
fn check_pins(plan: &Plan, draft: &Draft) -> Result<(), Refusal> {
    let planned = plan.repository(&draft.repository);
    for role in Role::ONLINE {
        for (_, key) in draft.root().role_keys(role) {
            let held = draft.last().is_some_and(|last| {
                last.root().role_keys(role).any(|(_, old)| old.public() == key.public())
            });
            let is_pinned = key.public().is_some_and(|public| {
                planned.is_some_and(|planned| planned.pins.contains(role, public.id()))
            });
            if !held && !is_pinned {
                let id =
                    key.public().map_or_else(|| key.id().to_string(), |key| key.id().to_string());
                let what = format!(
                    "`{}`: key {id} is new in `{role}`, and the plan does not pin it",
                    draft.repository
                );
                return Err(Refusal::of(Check::RequestKeyPinned, what));
            }
        }
    }
    Ok(())
}

/// The old root is the one that the reader's own trust folder ends with, where it knows the repository.
fn check_own(own: Option<&Past>, draft: &Draft) -> Result<(), Refusal> {
    let newest = own.map_or(0, |past| past.versions(&draft.repository));
    let known = own.and_then(|past| past.root_file(&draft.repository, newest));
    let known = known.map(Bytes::read).transpose()?;
    match (known, draft.last()) {
        (Some(known), Some(last)) if known == last.bytes() => Ok(()),
        (Some(_), _) => {
            let what = format!(
                "`{}`: the candidate does not follow root {newest} of your trust folder",
                draft.repository
            );
            Err(Refusal::of(Check::SecondReader, what)
                .hint("say stop: the two machines do not see the same past"))
        }
        (None, _) => Ok(()),
    }
}

/// Each signature is by a key of the root before or of the new one, and good over these very bytes.
fn check_signatures(draft: &Draft, signed: &SignedRoot) -> Result<(), Refusal> {
    let (name, id) = (&draft.repository, |signature: &Signature| signature.key.to_string());
    let roots = [Some(draft.root()), draft.last().map(SignedRoot::root)];
    for signature in signed.signatures() {
        let listed = roots.iter().flatten().filter_map(|root| {
            let mut keys = root.role_keys(Role::Root);
            keys.find(|(id, _)| **id == signature.key).map(|(_, key)| key)
        });
        let mut listed = listed.peekable();
        if listed.peek().is_none() {
            let what = format!("`{name}`: signed by a stranger, key {}", id(signature));
            return Err(Refusal::of(Check::RootKeys, what)
                .hint("leave that file out, and find out whose key it is"));
        }
        let bytes = draft.root().signed_bytes();
        if !listed.any(|key| verifies(draft.root().dialect(), key, &bytes, signature)) {
            let what = format!("`{name}`: key {} signed other bytes than these", id(signature));
            return Err(Refusal::of(Check::SignatureGood, what)
                .hint("leave that file out: its holder signed something else"));
        }
    }
    Ok(())
}
