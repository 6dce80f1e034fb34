//! What if these are lost: whether the next root can still be signed, keys replaced and keys in shares restored, for
//! every single loss, for pairs, and for whatever somebody names.
//!
//! Second floor: pure. It counts with [`quorum`](super::quorum), which is the one place that does.

mod holdings;
mod left;

use std::collections::BTreeSet;

use serde::Serialize;

use super::quorum::{Members, everybody, members, smallest};
use crate::refusal::{Exit, Refusal};
use crate::wording::{Count, List, ticked};

pub use holdings::{Demand, HeldKey, Holder, Holdings, Medium};
pub use left::Left;

/// What a loss leaves possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Able {
    /// Yes, and one more person or site lost ends it.
    Edge,
    /// No more.
    No,
    /// There is nothing to do it with or for.
    Nothing,
    /// Yes, whoever or whichever site is lost next.
    Yes,
}

impl Able {
    /// The word in the table: what is not well is seen at once.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::No => "NO",
            Self::Nothing => "-",
            Self::Yes => "yes",
        }
    }
}

/// A loss, and what is possible after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// What is lost, in words.
    pub lost: String,
    /// The tokens and papers that are gone with it.
    pub holders: Vec<String>,
    /// Whether the next root reaches its threshold, in every repository.
    pub sign: Able,
    /// Whether keys can be replaced, which takes the threshold of the last root.
    pub rotate: Able,
    /// Whether every key in shares can be put together.
    pub restore: Able,
    /// The keys that nobody can use any more.
    pub gone: Vec<String>,
}

/// The smallest losses after which no root is signed; nothing where there are too many to count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fatal {
    /// Tokens and papers.
    pub tokens: Option<Vec<Vec<String>>>,
    /// People, by seat.
    pub people: Option<Vec<Vec<String>>>,
    /// Sites.
    pub sites: Option<Vec<Vec<String>>>,
}

/// Everything that may be asked about losses.
#[derive(Clone, Debug, Serialize)]
pub struct Survival {
    /// The tokens and papers.
    pub holders: Vec<Holder>,
    /// Without a loss, with what somebody named, with every single one, and with the pairs that matter.
    pub losses: Vec<Loss>,
    /// How many more pairs of which neither loss alone ends something, and both together do.
    pub more_pairs: usize,
    /// The smallest losses that end signing.
    pub fatal: Fatal,
    /// What is left of earlier times.
    pub left: Vec<Left>,
    /// What all this rests on, and what was not counted, as sentences.
    pub remarks: Vec<String>,
}

impl Survival {
    /// Counts what every loss leaves, and that of all in `named` together.
    ///
    /// # Errors
    /// A name that nothing has; more tokens and papers than are counted.
    pub fn of(holdings: &Holdings, named: &[String]) -> Result<Self, Refusal> {
        let asked = Asked::of(holdings)?;
        let mut losses = vec![asked.loss("nothing".to_owned(), 0)];
        if !named.is_empty() {
            let mut set = 0;
            for name in named {
                set |= asked.called(name)?;
            }
            losses.push(asked.loss(format!("what was named: {}", named.join(" + ")), set));
        }
        let single = asked.single();
        losses.extend(single.iter().map(|(set, names)| asked.loss(label(names), *set)));
        let pairs = asked.pairs();
        let more_pairs = pairs.len().saturating_sub(MOST_PAIRS);
        let pairs = pairs.into_iter().take(MOST_PAIRS);
        losses.extend(pairs.map(|(name, set)| asked.loss(name, set)));
        Ok(Self {
            holders: holdings.holders.clone(),
            losses,
            more_pairs,
            fatal: asked.fatal(),
            left: holdings.left.clone(),
            remarks: asked.remarks(),
        })
    }
}

/// Things that get lost as one: their names, and which of the holders each takes along.
#[derive(Debug, Default)]
struct Units(Vec<(String, Members)>);

impl Units {
    /// By what each holder has in common with others; one that has nothing of the kind is in none.
    fn by<'a>(holdings: &'a Holdings, common: impl Fn(&'a Holder) -> Option<&'a str>) -> Self {
        let mut units = Self::default();
        for (bit, holder) in holdings.holders.iter().enumerate() {
            let Some(name) = common(holder) else { continue };
            match units.0.iter_mut().find(|(known, _)| known == name) {
                Some((_, set)) => *set |= 1 << bit,
                None => units.0.push((name.to_owned(), 1 << bit)),
            }
        }
        units
    }

    /// The holders that go with some of the units.
    fn holders(&self, chosen: Members) -> Members {
        members(&self.0, chosen).fold(0, |all, (_, set)| all | set)
    }
}

/// Holdings as they are asked about.
struct Asked<'a> {
    holdings: &'a Holdings,
    questions: holdings::Questions,
    tokens: Units,
    people: Units,
    sites: Units,
    models: Units,
}

impl<'a> Asked<'a> {
    fn of(holdings: &'a Holdings) -> Result<Self, Refusal> {
        Ok(Self {
            questions: holdings.questions()?,
            tokens: Units::by(holdings, |holder| Some(&holder.name)),
            people: Units::by(holdings, |holder| Some(&holder.custodian)),
            sites: Units::by(holdings, |holder| holder.site.as_deref()),
            models: Units::by(holdings, |holder| holder.model.as_deref()),
            holdings,
        })
    }

    /// Every holder that a name means: its own, or that of a seat, a site or a model.
    fn called(&self, name: &str) -> Result<Members, Refusal> {
        let units = [&self.tokens, &self.people, &self.sites, &self.models];
        let all = units.iter().flat_map(|units| &units.0);
        let set = all.filter(|(known, _)| known == name).fold(0, |all, (_, set)| all | set);
        if set != 0 {
            return Ok(set);
        }
        let known: Vec<&String> =
            units[..3].iter().flat_map(|units| &units.0).map(|u| &u.0).collect();
        let what = format!("nothing that holds a key or share is called `{name}`");
        Err(Refusal::new(Exit::Usage, what)
            .hint(format!("what may be lost: {}", List::names(&known))))
    }

    fn loss(&self, lost: String, set: Members) -> Loss {
        let able = |question: fn(&holdings::Questions, Members) -> Option<bool>| {
            let ask = |set| question(&self.questions, set);
            match ask(set) {
                None => Able::Nothing,
                Some(false) => Able::No,
                Some(true) => {
                    let more = self.people.0.iter().chain(&self.sites.0);
                    let ends =
                        more.map(|(_, more)| set | more).any(|more| ask(more) == Some(false));
                    if ends { Able::Edge } else { Able::Yes }
                }
            }
        };
        Loss {
            lost,
            holders: members(&self.holdings.holders, set)
                .map(|holder| holder.name.clone())
                .collect(),
            sign: able(holdings::Questions::signs),
            rotate: able(holdings::Questions::rotates),
            restore: able(holdings::Questions::restores),
            gone: self.questions.gone(&self.holdings.keys, set),
        }
    }

    /// Every single loss once, by all the names that it has.
    fn single(&self) -> Vec<(Members, Vec<String>)> {
        let named = |units: &Units, what: &str| -> Vec<(Members, String)> {
            units.0.iter().map(|(name, set)| (*set, format!("{what}{name}"))).collect()
        };
        let tokens = self.tokens.0.iter().zip(&self.holdings.holders);
        let tokens =
            tokens.map(|((name, set), holder)| (*set, format!("{} {name}", holder.medium.name())));
        let all = named(&self.people, "").into_iter().chain(tokens);
        let all =
            all.chain(named(&self.sites, "site ")).chain(named(&self.models, "all of model "));
        let mut single: Vec<(Members, Vec<String>)> = Vec::new();
        for (set, name) in all {
            match single.iter_mut().find(|(known, _)| *known == set) {
                Some((_, names)) => names.push(name),
                None => single.push((set, vec![name])),
            }
        }
        single
    }

    /// The pairs that end something which neither loss alone ends.
    fn pairs(&self) -> Vec<(String, Members)> {
        let mut found: Vec<(String, Members)> = Vec::new();
        let ends = |set| self.questions.ended(set);
        for (units, what) in [(&self.people, ""), (&self.tokens, ""), (&self.sites, "site ")] {
            for (at, (one, a)) in units.0.iter().enumerate() {
                for (other, b) in &units.0[at + 1..] {
                    let alone: BTreeSet<_> = ends(*a).union(&ends(*b)).copied().collect();
                    let set = a | b;
                    if !ends(set).is_subset(&alone) && found.iter().all(|(_, known)| *known != set)
                    {
                        found.push((format!("{what}{one} + {what}{other}"), set));
                    }
                }
            }
        }
        found
    }

    /// Which advisory would reach all keys, and what nobody said.
    fn remarks(&self) -> Vec<String> {
        let mut said = self.holdings.remarks.clone();
        let all = everybody(self.holdings.holders.len());
        for (model, set) in &self.models.0 {
            let many = Count(set.count_ones() as usize, "token");
            let ends = self.questions.signs(*set) == Some(false);
            let signs = self.questions.signs(all & !set) == Some(true);
            let what = match (ends, signs) {
                (true, true) => "one advisory on it ends signing, and whoever breaks it can sign",
                (true, false) => "one advisory on it ends signing",
                (false, true) => "whoever breaks it can sign",
                (false, false) => continue,
            };
            said.push(format!("{many} of model {}: {what}.", ticked(model)));
        }
        let without =
            |is: &dyn Fn(&Holder) -> bool| self.holdings.holders.iter().filter(|h| is(h)).count();
        let unknown = without(&|holder| holder.model.is_none() && holder.medium == Medium::Token);
        if unknown > 0 {
            let many = Count(unknown, "token");
            said.push(format!(
                "{many} of a model that is known when enrolled: then `officiant custody` counts it."
            ));
        }
        let nowhere = without(&|holder| holder.site.is_none());
        if nowhere > 0 {
            let all = self.holdings.holders.len();
            said.push(format!("{nowhere} of {all} holders are at no `site` of a plan: what is lost in one place is not counted for them."));
        }
        said
    }

    fn fatal(&self) -> Fatal {
        let of = |units: &Units| {
            let ends = |chosen| self.questions.signs(units.holders(chosen)) == Some(false);
            let sets = smallest(units.0.len(), &ends)?.into_iter();
            let name = |set| members(&units.0, set).map(|(name, _)| name.clone()).collect();
            Some(sets.map(name).collect())
        };
        Fatal { tokens: of(&self.tokens), people: of(&self.people), sites: of(&self.sites) }
    }
}

/// The first name, and in brackets what else it is.
fn label(names: &[String]) -> String {
    match names {
        [first, more @ ..] if !more.is_empty() => format!("{first} ({})", more.join(", ")),
        names => names.concat(),
    }
}

/// More pairs than these are only counted: the table is for one look.
const MOST_PAIRS: usize = 12;

#[cfg(test)]
mod tests;
