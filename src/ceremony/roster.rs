//! Who holds what in this ceremony: the plan's tokens and keys joined with those of the trust folder.
//!
//! Second floor: pure.

mod known;
mod paper;
mod recipient;
mod so_holder;

use std::collections::{BTreeMap, BTreeSet};

use super::plan::label::alike;
use super::plan::{Kind, Plan, PlannedKey};
use crate::check::Check;
use crate::digest::Digest;
use crate::key::{Algorithm, PublicKey};
use crate::refusal::{Exit, Refusal};
use crate::root::Dialect;
use crate::trust::{Custody, Past};
use crate::wording::List;

use known::{known_key, moved_key};
pub use paper::Paper;
use paper::papers_of;
pub use recipient::Recipient;
use recipient::recipients_of;

/// Tokens, papers, recipients and keys of one ceremony, by the plan's names.
#[derive(Clone, Debug)]
pub struct Roster {
    tokens: Vec<Token>,
    papers: Vec<Paper>,
    recipients: Vec<Recipient>,
    keys: Vec<Key>,
}

/// A token that takes part.
#[derive(Clone, Debug)]
pub struct Token {
    /// The plan's name for it.
    pub name: String,
    /// The seat that holds it.
    pub custodian: String,
    /// The seat that holds its SO PIN or PUK, if one does.
    pub so_holder: Option<String>,
    /// How it comes into the ceremony.
    pub origin: TokenOrigin,
    /// Whether a share is sealed to it, so that it needs a sealing key.
    pub seals: bool,
}

/// How a token comes into a ceremony.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenOrigin {
    /// It holds a key that the plan adopts; nobody here initialised it.
    Adopted,
    /// An earlier ceremony enrolled it.
    Known,
    /// This ceremony enrols it.
    New,
}

/// A root key that takes part.
#[derive(Clone, Debug)]
pub struct Key {
    /// The plan's name for it.
    pub name: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Where its private half is, or will be.
    pub holding: Holding,
    /// In a reshare or a restore, where its shares are until then.
    pub from: Option<Holding>,
    /// How it comes into the ceremony.
    pub origin: KeyOrigin,
    /// Whether it is in the new set.
    pub stays: bool,
    /// Whether it gets new certificates in a step of its own, not at its making.
    pub certified: bool,
}

/// Where a key's private half is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holding {
    /// In shares, one with each of these tokens, papers and recipients, in the order of the indices.
    Shares {
        /// How many rebuild it.
        threshold: u8,
        /// The tokens, papers and recipients.
        holders: Vec<String>,
    },
    /// On this token.
    Token(String),
}

/// How a key comes into a ceremony.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyOrigin {
    /// The plan adopts it from a token, by the SHA-256 of its SubjectPublicKeyInfo.
    Adopted(Digest),
    /// It comes from a file, by the same.
    Imported(Digest),
    /// An earlier ceremony made it.
    Known(PublicKey),
    /// This ceremony makes it.
    New,
}

impl KeyOrigin {
    /// The pin of a key that was there before, and that no earlier ceremony made.
    pub const fn pin(&self) -> Option<Digest> {
        match self {
            Self::Adopted(pin) | Self::Imported(pin) => Some(*pin),
            Self::Known(_) | Self::New => None,
        }
    }
}

impl Holding {
    /// Where the plan puts a key.
    fn planned(planned: &PlannedKey) -> Self {
        match (&planned.token, &planned.shares) {
            (Some(token), _) => Self::Token(token.clone()),
            (None, Some(shares)) => {
                let holders = shares.holders().cloned().collect();
                Self::Shares { threshold: shares.threshold, holders }
            }
            (None, None) => Self::Shares { threshold: 0, holders: Vec::new() },
        }
    }

    /// The tokens, papers and recipients that take part in using the key.
    pub fn holders(&self) -> &[String] {
        match self {
            Self::Shares { holders, .. } => holders,
            Self::Token(token) => std::slice::from_ref(token),
        }
    }

    /// How many of those are needed.
    pub fn needed(&self) -> usize {
        match self {
            Self::Shares { threshold, .. } => usize::from(*threshold),
            Self::Token(_) => 1,
        }
    }
}

impl Roster {
    /// Joins plan and past.
    ///
    /// # Errors
    /// A key or token that nobody knows, or that is known already; `[PLAN-QUORUM]`, `[ROOT-KEYS]`, `[SHARE-HOLDER]`,
    /// `[SHARE-THRESHOLD]`, `[TOKEN-SO-HOLDER]`.
    pub fn new(plan: &Plan, past: &Past) -> Result<Self, Refusal> {
        check_seats(plan, past.custody())?;
        let mut keys = Vec::new();
        for planned in plan.keys() {
            keys.push(match plan.kind() {
                Kind::Reshare | Kind::Restore => moved_key(plan, past, planned)?,
                _ => new_key(plan, planned, past.custody())?,
            });
        }
        let signed_before = past.governing(|name| plan.repository(name).is_some());
        let stays: BTreeSet<&str> = plan
            .root()
            .map_or_else(BTreeSet::new, |root| root.keys.iter().map(String::as_str).collect());
        for known in &past.custody().keys {
            if stays.contains(known.name.as_str()) && super::retire::is_gone(past, known) {
                let what = format!("key `{}` in `[root]` was retired", known.name);
                return Err(Refusal::of(Check::RootKeys, what)
                    .hint("nobody has it any more, or will: make another key"));
            }
            if stays.contains(known.name.as_str()) || signed_before.contains(&known.public) {
                keys.push(known_key(plan, past, known, stays.contains(known.name.as_str())));
            }
        }
        if let Some(unknown) = stays.iter().find(|name| !keys.iter().any(|key| key.name == **name))
        {
            let what = format!(
                "key `{unknown}` in `[root]` is neither in the plan nor in the trust folder"
            );
            return Err(
                Refusal::of(Check::RootKeys, what).hint("add a `[[key]]`, or correct the name")
            );
        }
        let papers = papers_of(plan, past.custody(), &keys)?;
        let recipients = recipients_of(plan, past.custody(), &keys)?;
        let others = papers.iter().map(|paper| paper.name.as_str());
        let others = others.chain(recipients.iter().map(|recipient| recipient.name.as_str()));
        let tokens = tokens_of(plan, past.custody(), (&keys, &others.collect()))?;
        let roster = Self { tokens, papers, recipients, keys };
        roster.check_shares()?;
        roster.check_threshold(plan)?;
        Ok(roster)
    }

    /// A roster of these tokens, and no key.
    pub(super) fn of_tokens(tokens: Vec<Token>) -> Self {
        Self { tokens, papers: Vec::new(), recipients: Vec::new(), keys: Vec::new() }
    }

    /// The tokens: those of the plan in its order, then the others by name.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The papers: those of the plan in its order, then the others by name.
    pub fn papers(&self) -> &[Paper] {
        &self.papers
    }

    /// The recipients: those of the plan in its order, then the others by name.
    pub fn recipients(&self) -> &[Recipient] {
        &self.recipients
    }

    /// The keys: those of the plan in its order, then the others as they were made.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The token of that name.
    pub fn token(&self, name: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| token.name == name)
    }

    /// Name and seat of every token, then of every paper, then of every recipient.
    pub fn held(&self) -> impl Iterator<Item = (&str, &str)> {
        let tokens =
            self.tokens.iter().map(|token| (token.name.as_str(), token.custodian.as_str()));
        let papers = self.papers.iter().map(|p| (p.name.as_str(), p.custodian.as_str()));
        let recipients = self.recipients.iter().map(|r| (r.name.as_str(), r.custodian.as_str()));
        tokens.chain(papers).chain(recipients)
    }

    /// The paper of that name.
    pub fn paper(&self, name: &str) -> Option<&Paper> {
        self.papers.iter().find(|paper| paper.name == name)
    }

    /// The recipient of that name.
    pub fn recipient(&self, name: &str) -> Option<&Recipient> {
        self.recipients.iter().find(|recipient| recipient.name == name)
    }

    /// What a holder is, and its name: `token officer-a`, `paper sheet-d`, `recipient lawyer`.
    pub fn called(&self, holder: &str) -> String {
        let what = match (self.paper(holder), self.recipient(holder)) {
            (Some(_), _) => "paper",
            (None, Some(_)) => "recipient",
            (None, None) => "token",
        };
        format!("{what} {holder}")
    }

    /// The key of that name.
    pub fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The place of a key among all of them; beyond them for one that is not known.
    pub fn place_of(&self, key: &str) -> usize {
        let place = self.keys.iter().position(|known| known.name == key);
        place.unwrap_or(self.keys.len())
    }

    /// The seat that holds a token, keeps a paper, or has the key of a recipient.
    pub fn custodian(&self, holder: &str) -> &str {
        let mut held = self.held();
        held.find(|(name, _)| *name == holder).map_or("operator", |(_, custodian)| custodian)
    }

    /// The seats that set or type what outranks the PIN of a token in this ceremony, each with the token: it is enrolled, or
    /// a key is made or destroyed on it, which some have done by that seat.
    pub fn outranking(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_made_on = |token: &Token| {
            let is_on = |key: &Key| key.holding == Holding::Token(token.name.clone());
            self.keys.iter().any(|key| key.origin == KeyOrigin::New && is_on(key))
        };
        // Those of a roster of holders alone destroy keys.
        let acts = move |token: &&Token| {
            token.origin == TokenOrigin::New || self.keys.is_empty() || is_made_on(token)
        };
        let tokens = self.tokens.iter().filter(acts);
        tokens.filter_map(|token| Some((token.so_holder.as_deref()?, token.name.as_str())))
    }

    /// The seats that can use a token or paper once it is in their hands: who holds it, and who may set its PIN.
    pub fn users(&self, holder: &str) -> Vec<&str> {
        let so_holder = self.token(holder).and_then(|token| token.so_holder.as_deref());
        std::iter::once(self.custodian(holder)).chain(so_holder).collect()
    }

    fn check_shares(&self) -> Result<(), Refusal> {
        for key in &self.keys {
            let Holding::Shares { threshold, holders: all } = &key.holding else { continue };
            let (k, n, name) = (usize::from(*threshold), all.len(), &key.name);
            if k < 2 || k > n {
                let what =
                    format!("key `{name}`: {k} of {n} shares, expected 2 or more and at most all");
                return Err(Refusal::of(Check::ShareThreshold, what)
                    .hint("correct `threshold` or the holders of its `shares`"));
            }
            let mut holders: BTreeMap<&str, &str> = BTreeMap::new();
            for holder in all {
                let custodian = self.custodian(holder);
                if let Some(other) = holders.insert(custodian, holder) {
                    let what = format!(
                        "key `{name}`: {custodian} holds two shares, on `{other}` and `{holder}`"
                    );
                    return Err(Refusal::of(Check::ShareHolder, what)
                        .hint("give each share of a set to another custodian"));
                }
            }
        }
        Ok(())
    }

    fn check_threshold(&self, plan: &Plan) -> Result<(), Refusal> {
        let Some(root) = plan.root() else { return Ok(()) };
        let (m, n) = (root.threshold as usize, root.keys.len());
        if m == 0 || m > n {
            let what = format!(
                "role `root`: threshold {m} needs 1 to {n} of the {n} keys that the plan lists"
            );
            return Err(Refusal::of(Check::RootKeys, what)
                .hint("correct `threshold` or `keys` in `[root]`"));
        }
        Ok(())
    }
}

/// Seats count as people, so one must not be two: those of plan and custody differ by more than their case and the
/// form of their letters. `[PLAN-QUORUM]`
fn check_seats(plan: &Plan, custody: &Custody) -> Result<(), Refusal> {
    let known = custody.tokens.iter().map(|token| token.custodian.as_str());
    let known = known.chain(custody.papers.iter().map(|paper| paper.custodian.as_str()));
    let known = known.chain(custody.tokens.iter().filter_map(|token| token.so_holder.as_deref()));
    let known = known.chain(custody.recipients.iter().map(|known| known.custodian.as_str()));
    let planned = plan.tokens().map(|token| token.custodian.as_str());
    let planned = planned.chain(plan.tokens().filter_map(|token| token.so_holder.as_deref()));
    let planned = planned.chain(plan.papers().map(|paper| paper.custodian.as_str()));
    let planned = planned.chain(plan.recipients().map(|planned| planned.custodian.as_str()));
    match alike(known.chain(planned)) {
        None => Ok(()),
        Some((first, seat)) => {
            let what = format!("seats `{first}` and `{seat}` read alike");
            Err(Refusal::of(Check::PlanQuorum, what)
                .hint("one person has one seat: write it in one way, or name another"))
        }
    }
}

fn new_key(plan: &Plan, planned: &PlannedKey, custody: &Custody) -> Result<Key, Refusal> {
    if custody.key(&planned.name).is_some() {
        let what = format!("key `{}` is in the trust folder already", planned.name);
        return Err(Refusal::new(Exit::Usage, what).hint("give the new key another name"));
    }
    let holding = Holding::planned(planned);
    let adopted = planned.adopt.map(KeyOrigin::Adopted);
    let origin = adopted.or(planned.import.map(KeyOrigin::Imported)).unwrap_or(KeyOrigin::New);
    let stays = plan.root().is_some_and(|root| root.keys.contains(&planned.name));
    let certified = stays && origin != KeyOrigin::New && plan.dialect() == Dialect::Notary;
    let (name, algorithm) = (planned.name.clone(), planned.algorithm);
    Ok(Key { name, algorithm, holding, from: None, origin, stays, certified })
}

fn tokens_of(
    plan: &Plan,
    custody: &Custody,
    (keys, others): (&[Key], &BTreeSet<&str>),
) -> Result<Vec<Token>, Refusal> {
    let is_token = |name: &&str| !others.contains(*name);
    let used = keys.iter().flat_map(Key::all_holders).map(String::as_str);
    let used: BTreeSet<&str> = used.filter(is_token).collect();
    let mut tokens = Vec::new();
    for planned in plan.tokens() {
        let adopted = plan
            .keys()
            .any(|key| key.adopt.is_some() && key.token.as_deref() == Some(planned.name.as_str()));
        let origin = match custody.token(&planned.name) {
            Some(known) if known.custodian != planned.custodian => {
                return Err(other_custodian(&planned.name, &planned.custodian, &known.custodian));
            }
            Some(_) => TokenOrigin::Known,
            None if adopted => TokenOrigin::Adopted,
            None => TokenOrigin::New,
        };
        if !used.contains(planned.name.as_str()) {
            let what = format!("token `{}` holds no key and no share of this plan", planned.name);
            return Err(Refusal::new(Exit::Usage, what).hint("take it out, or give it a key"));
        }
        let so_holder = so_holder::of(planned, (origin, custody.token(&planned.name)))?;
        let (name, custodian) = (planned.name.clone(), planned.custodian.clone());
        let seals = seals(keys, &planned.name);
        tokens.push(Token { name, custodian, so_holder, origin, seals });
    }
    let mut missing = Vec::new();
    for name in used {
        if tokens.iter().any(|token| token.name == name) {
            continue;
        }
        match custody.token(name) {
            Some(known) => tokens.push(Token {
                name: name.to_owned(),
                custodian: known.custodian.clone(),
                so_holder: known.so_holder.clone(),
                origin: TokenOrigin::Known,
                seals: false,
            }),
            None => missing.push(name),
        }
    }
    if missing.is_empty() {
        return Ok(tokens);
    }
    let (noun, verb) = if missing.len() == 1 { ("token", "is") } else { ("tokens", "are") };
    let what =
        format!("{noun} {} {verb} named by a key, and by no `[[token]]`", List::names(&missing));
    Err(Refusal::new(Exit::Usage, what).hint("add a `[[token]]` with its custodian for each"))
}

/// Who holds a token is what custody says: else a plan could put a token beside its own seat, and shares of one person
/// would look like those of two.
fn other_custodian(name: &str, planned: &str, known: &str) -> Refusal {
    let what =
        format!("`{name}` is held by `{known}` by the trust folder, by `{planned}` in the plan");
    Refusal::new(Exit::Usage, what).hint("name the custodian who holds it")
}

/// Whether something is sealed to a token here: a share, or a key that comes onto it.
fn seals(keys: &[Key], token: &str) -> bool {
    keys.iter().any(|key| {
        let is_sealed = key.is_split_here() || key.is_placed_here();
        is_sealed && key.holding.holders().iter().any(|holder| holder == token)
    })
}
