//! Who holds what, for questions about losses: of a plan with its past, or of a trust folder.
//!
//! Second floor: pure.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Left;
use crate::ceremony::Inputs;
use crate::ceremony::admission;
use crate::ceremony::plan::Plan;
use crate::ceremony::quorum::{Ballots, MOST_MEMBERS, Members, everybody};
use crate::ceremony::roster::{Holding, Key, KeyOrigin, Roster, TokenOrigin};
use crate::key::PublicKey;
use crate::list::Last;
use crate::refusal::{Exit, Refusal};
use crate::trust::{Governed, Held, Past};
use crate::wording::ticked;

/// A token, paper or recipient, and what it has in common with others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// The plan's name for it.
    pub name: String,
    /// What it is.
    pub medium: Medium,
    /// The seat that holds it.
    pub custodian: String,
    /// The site where it lies, if a plan names one.
    pub site: Option<String>,
    /// Its model, from its enrolment on.
    pub model: Option<String>,
}

/// What holds a key or a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Medium {
    /// A page.
    Paper,
    /// An identity of `age`.
    Recipient,
    /// A token.
    Token,
}

impl Medium {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Recipient => "recipient",
            Self::Token => "token",
        }
    }
}

/// A root key by its holders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldKey {
    /// The plan's name for it.
    pub name: String,
    /// How many of its holders use it.
    pub needed: usize,
    /// The tokens and papers.
    pub holders: Vec<String>,
    /// Whether it is in shares, which rebuild it.
    pub is_in_shares: bool,
}

impl HeldKey {
    fn of(key: &Key) -> Self {
        Self {
            name: key.name.clone(),
            needed: key.holding.needed(),
            holders: key.holding.holders().to_vec(),
            is_in_shares: matches!(key.holding, Holding::Shares { .. }),
        }
    }

    fn vote(&self) -> (usize, Vec<Vec<&str>>) {
        (self.needed, self.holders.iter().map(|holder| vec![holder.as_str()]).collect())
    }
}

/// A number of keys that must be usable together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The names of the keys.
    pub keys: Vec<String>,
    /// How many of them.
    pub threshold: usize,
}

/// Who holds what, and what it takes.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    /// The tokens and papers.
    pub holders: Vec<Holder>,
    /// The keys.
    pub keys: Vec<HeldKey>,
    /// What it takes to sign the next root, of every repository.
    pub sign: Vec<Demand>,
    /// What it takes to replace keys: the thresholds of the last roots.
    pub rotate: Vec<Demand>,
    /// What is left of earlier times.
    pub left: Vec<Left>,
    /// What was not counted, as sentences.
    pub remarks: Vec<String>,
}

impl Holdings {
    /// Those after a plan; to hold it, the last roots of its repositories are still to be met, as the trust folder has them
    /// or else as the request brings them.
    ///
    /// # Errors
    /// As [`admission::chain`].
    pub fn of_plan(inputs: &Inputs, roster: &Roster) -> Result<Self, Refusal> {
        let (plan, past) = (&inputs.plan, &inputs.past);
        let sites = sites(std::iter::once(plan).chain(plans(past)));
        let holders = roster.held().map(|(name, custodian)| Holder {
            name: name.to_owned(),
            medium: match (roster.paper(name), roster.recipient(name)) {
                (Some(_), _) => Medium::Paper,
                (None, Some(_)) => Medium::Recipient,
                (None, None) => Medium::Token,
            },
            custodian: custodian.to_owned(),
            site: sites.get(name).map(|site| (*site).to_owned()),
            model: past.custody().token(name).map(|token| token.model.clone()),
        });
        let stays = roster.keys().iter().filter(|key| key.stays).map(|key| key.name.clone());
        let sign = plan
            .root()
            .map(|root| Demand { keys: stays.collect(), threshold: root.threshold as usize });
        let (last, unseen) = last_governed(inputs)?;
        let name_of = |public: &PublicKey| {
            let known = roster.keys().iter().find(|key| is_of(&key.origin, public));
            known.map(|key| key.name.clone())
        };
        let adopted = roster.tokens().iter().filter(|token| token.origin == TokenOrigin::Adopted);
        let adopted = adopted.map(|token| so_pin_elsewhere(&token.name));
        let held = roster.tokens().iter().filter_map(|token| {
            token.so_holder.as_ref().map(|seat| so_pin_held(&token.name, seat))
        });
        Ok(Self {
            holders: holders.collect(),
            keys: roster.keys().iter().map(HeldKey::of).collect(),
            sign: sign.into_iter().collect(),
            rotate: demands(&last, name_of),
            left: Left::after(plan, past),
            remarks: unseen.into_iter().chain(adopted).chain(held).collect(),
        })
    }

    /// Those of a trust folder: whatever governs a repository now.
    pub fn of_past(past: &Past) -> Self {
        let custody = past.custody();
        let mut last = Vec::new();
        past.repositories().values().for_each(|lineage| add(&mut last, lineage.governed()));
        let name_of = |public: &PublicKey| custody.key_of(public).map(|key| key.name.clone());
        let demands = demands(&last, name_of);
        let is_used = |name: &String| demands.iter().any(|demand| demand.keys.contains(name));
        let keys: Vec<HeldKey> = custody
            .keys
            .iter()
            .filter(|key| is_used(&key.name))
            .map(|key| HeldKey {
                name: key.name.clone(),
                needed: match &key.held {
                    Held::Shares { threshold, .. } => usize::from(*threshold),
                    Held::Token { .. } => 1,
                },
                holders: key.holders().into_iter().map(str::to_owned).collect(),
                is_in_shares: matches!(key.held, Held::Shares { .. }),
            })
            .collect();
        let sites = sites(plans(past));
        let holder = |name: &str, medium, custodian: &str, model: Option<&str>| Holder {
            name: name.to_owned(),
            medium,
            custodian: custodian.to_owned(),
            site: sites.get(name).map(|site| (*site).to_owned()),
            model: model.map(str::to_owned),
        };
        let tokens = custody
            .tokens
            .iter()
            .map(|token| holder(&token.name, Medium::Token, &token.custodian, Some(&token.model)));
        let papers = custody.papers.iter();
        let papers = papers.map(|paper| holder(&paper.name, Medium::Paper, &paper.custodian, None));
        let recipients = custody.recipients.iter();
        let recipients =
            recipients.map(|known| holder(&known.name, Medium::Recipient, &known.custodian, None));
        let holds = |holder: &Holder| keys.iter().any(|key| key.holders.contains(&holder.name));
        let holders = tokens.chain(papers).chain(recipients).filter(holds).collect();
        let adopted = custody.tokens.iter().filter(|token| token.attest.is_none());
        let adopted = adopted.map(|token| so_pin_elsewhere(&token.name));
        let held = custody.tokens.iter().filter_map(|token| {
            token.so_holder.as_ref().map(|seat| so_pin_held(&token.name, seat))
        });
        let remarks = adopted.chain(held).collect();
        Self {
            holders,
            keys,
            sign: demands.clone(),
            rotate: demands,
            left: Left::of(past),
            remarks,
        }
    }

    /// Tells tokens of one model apart by their firmware.
    pub fn firmware(&mut self, token: &str, firmware: &str) {
        let holder = self.holders.iter_mut().find(|holder| holder.name == token);
        if let Some(Holder { model: Some(model), .. }) = holder {
            *model = format!("{model}, firmware {firmware}");
        }
    }

    pub(super) fn questions(&self) -> Result<Questions, Refusal> {
        let counted: Vec<&str> = self.holders.iter().map(|holder| holder.name.as_str()).collect();
        if counted.len() > MOST_MEMBERS {
            let what =
                format!("{} holders, losses are counted of at most {MOST_MEMBERS}", counted.len());
            return Err(Refusal::new(Exit::Refused, what).hint("ask about fewer"));
        }
        let met = |demand: &Demand| {
            let keys = self.keys.iter().filter(|key| demand.keys.contains(&key.name));
            Ballots::over(&counted, keys.map(HeldKey::vote), demand.threshold)
        };
        let usable = |key: &HeldKey| Ballots::over(&counted, [key.vote()], 1);
        Ok(Questions {
            all: everybody(counted.len()),
            sign: self.sign.iter().map(met).collect(),
            rotate: self.rotate.iter().map(met).collect(),
            restore: self.keys.iter().filter(|key| key.is_in_shares).map(usable).collect(),
            keys: self.keys.iter().map(usable).collect(),
        })
    }
}

/// What is asked of those who are left.
pub(super) struct Questions {
    all: Members,
    sign: Vec<Ballots>,
    rotate: Vec<Ballots>,
    restore: Vec<Ballots>,
    keys: Vec<Ballots>,
}

impl Questions {
    pub(super) fn signs(&self, lost: Members) -> Option<bool> {
        self.all_reach(&self.sign, lost)
    }

    pub(super) fn rotates(&self, lost: Members) -> Option<bool> {
        self.all_reach(&self.rotate, lost)
    }

    pub(super) fn restores(&self, lost: Members) -> Option<bool> {
        self.all_reach(&self.restore, lost)
    }

    /// The keys that nobody can use after a loss.
    pub(super) fn gone(&self, keys: &[HeldKey], lost: Members) -> Vec<String> {
        let gone = keys.iter().zip(&self.keys).filter(|(_, key)| !key.reach(self.all & !lost));
        gone.map(|(key, _)| key.name.clone()).collect()
    }

    /// Which of all demands a loss ends, by their numbers.
    pub(super) fn ended(&self, lost: Members) -> BTreeSet<usize> {
        let all = self.sign.iter().chain(&self.rotate).chain(&self.restore).enumerate();
        all.filter(|(_, ballots)| !ballots.reach(self.all & !lost)).map(|(at, _)| at).collect()
    }

    fn all_reach(&self, ballots: &[Ballots], lost: Members) -> Option<bool> {
        let all = || ballots.iter().all(|ballots| ballots.reach(self.all & !lost));
        (!ballots.is_empty()).then(all)
    }
}

/// What governs the repositories of a plan by their last roots, once each; and what nobody could look at.
fn last_governed(inputs: &Inputs) -> Result<(Vec<Governed>, Vec<String>), Refusal> {
    let (mut last, mut unseen) = (Vec::new(), Vec::new());
    let repositories = inputs.plan.repositories();
    let look = |at: usize| {
        let name = &repositories[at].name;
        // What a request brings beside them is admitted only if it is the same.
        if let Some(known) = inputs.past.repositories().get(name) {
            return Ok(Some(Cow::Borrowed(known.governed())));
        }
        let newest = admission::chain(inputs, name)?.pop();
        Ok::<_, Refusal>(newest.map(|root| Cow::Owned(Governed::by(root.root()))))
    };
    inputs.means.map(0..repositories.len(), look, |at, governed| {
        let planned = &repositories[at];
        match (governed, &planned.last) {
            (Some(governed), _) => add(&mut last, &governed),
            (None, Some(Last::Root { version, .. })) => unseen.push(format!(
                "Root {version} of {} is not in the trust folder: whether its threshold is met was not counted.",
                ticked(&planned.name)
            )),
            (None, _) => {}
        }
        Ok(())
    })?;
    Ok((last, unseen))
}

/// Adds what is not there yet: repositories of a fleet are governed alike.
fn add(all: &mut Vec<Governed>, governed: &Governed) {
    if !all.contains(governed) {
        all.push(governed.clone());
    }
}

/// Whether a key of a ceremony that exists already is this one.
fn is_of(origin: &KeyOrigin, public: &PublicKey) -> bool {
    match origin {
        KeyOrigin::Adopted(pin) | KeyOrigin::Imported(pin) => public.id() == *pin,
        KeyOrigin::Known(known) => known == public,
        KeyOrigin::New => false,
    }
}

/// docs/threats.md rule 9: the SO PIN of a token that was enrolled here is nobody's, or that of a seat.
fn so_pin_elsewhere(token: &str) -> String {
    format!(
        "Token `{token}` was adopted: whoever has its SO PIN or PUK may set its PIN, and is not counted here."
    )
}

/// Whoever is lost with an SO PIN takes no key along.
fn so_pin_held(token: &str, seat: &str) -> String {
    format!(
        "Token `{token}`: {} holds its SO PIN or PUK, and may set its PIN; losing that seat ends nothing.",
        ticked(seat)
    )
}

/// What the last roots ask for, each demand once. A key that nobody here knows counts for nothing.
fn demands(last: &[Governed], name_of: impl Fn(&PublicKey) -> Option<String>) -> Vec<Demand> {
    let mut demands: Vec<Demand> = Vec::new();
    for governed in last {
        let mut keys: Vec<String> = governed.keys.iter().filter_map(&name_of).collect();
        keys.sort();
        let threshold = usize::try_from(governed.threshold).unwrap_or(usize::MAX);
        let demand = Demand { keys, threshold };
        if !demands.contains(&demand) {
            demands.push(demand);
        }
    }
    demands
}

/// The plans of the past, newest first.
fn plans(past: &Past) -> impl Iterator<Item = &Plan> {
    past.ceremonies().iter().rev().map(|ceremony| &ceremony.plan)
}

/// Where the newest plan that says so puts each holder.
fn sites<'a>(plans: impl Iterator<Item = &'a Plan>) -> BTreeMap<&'a str, &'a str> {
    let mut sites = BTreeMap::new();
    for plan in plans {
        let tokens = plan.tokens().map(|token| (&token.name, &token.site));
        let papers = plan.papers().map(|paper| (&paper.name, &paper.site));
        let recipients = plan.recipients().map(|planned| (&planned.name, &planned.site));
        for (name, site) in tokens.chain(papers).chain(recipients) {
            if let Some(site) = site {
                sites.entry(name.as_str()).or_insert(site.as_str());
            }
        }
    }
    sites
}
