//! A retirement: root keys that no newest root lists any more, and sets of shares that a reshare replaced, are destroyed
//! on their tokens and papers. No root changes.
//!
//! Second floor: pure. docs/threats.md rules 11 and 27.

mod published;
mod walk;

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::accept::EDITED;
use super::fact::{Fact, ShareGone, Statement};
use super::plan::Plan;
use super::roster::Roster;
use super::statement::{self, Said};
use super::step::{Act, Step};
use super::{Ceremony, Inputs, admission};
use crate::check::Check;
use crate::refusal::{Exit, Refusal};
use crate::root::{Dialect, Role, SignedRoot};
use crate::trust::{Custody, CustodyKey, Gone, Held, Holds, Past, ShareOf};
use crate::wording::List;

/// The holders of what the plan retires.
///
/// # Errors
/// A key or set that nobody knows, or of which nothing is left; a repository that the plan must name; `[RETIRE-LIVE]`.
pub(super) fn roster(plan: &Plan, past: &Past) -> Result<Roster, Refusal> {
    check_keys(plan, past)?;
    check_sets(plan, past)?;
    let custody = past.custody();
    let holders = holders(custody);
    let goes = |holder: &&String| !going(plan, custody, holder).is_nothing();
    let names: BTreeSet<String> = holders.iter().filter(goes).cloned().collect();
    if names.is_empty() {
        let what = "all that the plan retires is gone already";
        return Err(Refusal::new(Exit::Usage, what).hint("take it out of the plan"));
    }
    let stays = |token: &str| {
        let goes = going(plan, custody, token);
        !goes.shares.is_empty() && !seal_goes(plan, custody, token)
    };
    Ok(Roster::of_holders(past, &names, &stays))
}

/// Whether a key is gone, or was to go: a retire named it, whatever was there of it.
pub(super) fn is_gone(past: &Past, key: &CustodyKey) -> bool {
    let custody = past.custody();
    let is_named =
        |plan: &Plan| plan.retire().is_some_and(|retire| retire.keys.contains(&key.name));
    let is_destroyed = match &key.held {
        Held::Token { token } => custody.is_key_gone(&key.name, token),
        shares @ Held::Shares { .. } => custody.is_dead(shares),
    };
    is_destroyed || past.ceremonies().iter().any(|ceremony| is_named(&ceremony.plan))
}

/// The keys that go, those that stay in the newest roots of the plan's repositories, and those with an old set that goes,
/// each with everybody who holds a part of it: what a rehearsal must make first.
pub fn whole_roster(plan: &Plan, past: &Past) -> Roster {
    let Some(planned) = plan.retire() else { return Roster::of_sets(plan, past, &[]) };
    let newest =
        || plan.repositories().iter().filter_map(|named| past.repositories().get(&named.name));
    let mut known = Vec::new();
    for key in &past.custody().keys {
        let is_whole = planned.keys.contains(&key.name);
        let goes = |held: &&Held| matches!(held, Held::Shares { set, .. } if is_whole || planned.sets.contains(set));
        // Of a key that goes with all its sets, and was restored, the token alone is rehearsed.
        let is_restored = is_whole && matches!(key.held, Held::Token { .. });
        let former = key.former.iter().filter(|_| !is_restored);
        let before: Vec<&Held> = former.filter(goes).collect();
        let stays = newest().any(|lineage| lineage.is_governed_by(&key.public));
        if is_whole || stays || !before.is_empty() {
            known.push((key, before));
        }
    }
    Roster::of_sets(plan, past, &known)
}

/// Everything that a token or paper holds of what the plan retires, and that is not gone already.
pub fn going(plan: &Plan, custody: &Custody, holder: &str) -> Holds {
    let mut goes = Holds::default();
    let Some(planned) = plan.retire() else { return goes };
    for key in &custody.keys {
        let is_whole = planned.keys.contains(&key.name);
        for held in key.ever_held() {
            match held {
                Held::Token { token } => {
                    let is_left = token == holder && !custody.is_key_gone(&key.name, token);
                    if is_whole && is_left {
                        goes.keys.push((key.name.clone(), key.public.clone()));
                    }
                }
                Held::Shares { set, shares, .. } if is_whole || planned.sets.contains(set) => {
                    let is_left = |index| !custody.is_share_gone(set, index);
                    let mine = shares.iter().filter(|share| share.holder == holder);
                    let mine = mine.filter(|share| is_left(share.index));
                    goes.shares.extend(mine.map(|share| ShareOf {
                        key: key.name.clone(),
                        set: set.clone(),
                        share: share.clone(),
                    }));
                }
                Held::Shares { .. } => {}
            }
        }
    }
    goes
}

/// Whether a token's sealing key goes with its shares: nothing else is sealed to it. With that key every copy of those
/// shares is dead, wherever it lies.
pub fn seal_goes(plan: &Plan, custody: &Custody, token: &str) -> bool {
    let goes = going(plan, custody, token);
    let is_going = |set: &str, index: u8| {
        goes.shares.iter().any(|share| share.set == set && share.share.index == index)
    };
    let has_seal = custody.token(token).is_some_and(|token| token.seal.is_some());
    let sets = custody.keys.iter().flat_map(|key| key.ever_held());
    let stays = |held: &Held| match held {
        Held::Shares { set, shares, .. } => shares.iter().any(|share| {
            let is_left = !custody.is_share_gone(set, share.index);
            share.holder == token && is_left && !is_going(set, share.index)
        }),
        Held::Token { .. } => false,
    };
    has_seal && !goes.shares.is_empty() && !sets.into_iter().any(stays)
}

fn holders(custody: &Custody) -> BTreeSet<String> {
    let held = custody.keys.iter().flat_map(|key| key.ever_held());
    let names = held.flat_map(|held| match held {
        Held::Shares { shares, .. } => shares.iter().map(|share| share.holder.clone()).collect(),
        Held::Token { token } => vec![token.clone()],
    });
    names.collect()
}

/// A key goes only when no newest root lists it, and every repository that ever did is one of the plan.
fn check_keys(plan: &Plan, past: &Past) -> Result<(), Refusal> {
    let names = plan.retire().map_or(&[][..], |retire| &retire.keys);
    for name in names {
        let Some(key) = past.custody().key(name) else {
            let what = format!("key `{name}` is not in the trust folder");
            return Err(Refusal::new(Exit::Usage, what)
                .hint("a retire names keys as custody.json names them"));
        };
        if past.live_keys().any(|live| live.name == *name) {
            let what = format!("a newest root lists key `{name}`");
            return Err(Refusal::of(Check::RetireLive, what)
                .hint("plan a `rotate` that leaves it out, and publish that first"));
        }
        check_repositories(plan, past, key)?;
    }
    Ok(())
}

fn check_repositories(plan: &Plan, past: &Past, key: &CustodyKey) -> Result<(), Refusal> {
    let lists = |root: &SignedRoot| root.root().root_key_id(&key.public).is_some();
    let mut ever = BTreeSet::new();
    for name in past.repositories().keys() {
        if past.chain(name)?.iter().any(lists) {
            ever.insert(name);
        }
    }
    let named: BTreeSet<&str> = plan.repositories().iter().map(|r| r.name.as_str()).collect();
    let missing: Vec<&&str> = ever.difference(&named).collect();
    let what = match missing.as_slice() {
        [] if ever.is_empty() => format!("no root ever listed key `{}`", key.name),
        [] => return Ok(()),
        missing => {
            format!("key `{}` was a root key of {}", key.name, List::names(missing))
        }
    };
    Err(Refusal::new(Exit::Usage, what)
        .hint("the plan names every repository that ever listed the key, and no other key"))
}

/// A set goes only when another one has taken its place.
fn check_sets(plan: &Plan, past: &Past) -> Result<(), Refusal> {
    let sets = plan.retire().map_or(&[][..], |retire| &retire.sets);
    let is_it = |held: &Held, id: &String| matches!(held, Held::Shares { set, .. } if set == id);
    for id in sets {
        let keys = || past.custody().keys.iter();
        // Of a key that is on one token and in a newest root, the set that could bring it back.
        let is_last = |key: &&CustodyKey| {
            let set = past.custody().open_set(key).filter(|held| is_it(held, id));
            matches!(key.held, Held::Token { .. }) && set.is_some()
        };
        if let Some(key) = past.live_keys().find(is_last) {
            let what =
                format!("set {id} alone brings key `{}` back if its token is lost", key.name);
            return Err(Refusal::of(Check::RetireLive, what)
                .hint("plan the `rotate` that leaves the key out, and publish that first"));
        }
        if let Some(key) = keys().find(|key| key.former.iter().any(|held| is_it(held, id))) {
            if past.live_keys().any(|live| live.name == key.name) {
                continue;
            }
            let what = format!("set {id} is of key `{}`, which no newest root lists", key.name);
            return Err(Refusal::new(Exit::Usage, what)
                .hint("name the key in `keys`: it goes with all its sets"));
        }
        if let Some(key) = keys().find(|key| is_it(&key.held, id)) {
            let what = format!("set {id} is the one that opens key `{}` today", key.name);
            return Err(Refusal::of(Check::RetireLive, what)
                .hint("plan a `reshare` first; of a key that no newest root lists, name the key"));
        }
        let what = format!("set {id} is not in the trust folder");
        return Err(
            Refusal::new(Exit::Usage, what).hint("a retire names sets as custody.json does")
        );
    }
    Ok(())
}

/// Whether every client has the newest roots, and follows the next ones, without the keys that go.
///
/// # Errors
/// `[RETIRE-PUBLISHED]`, `[RETIRE-WALK]`; as [`admission::chain`].
pub(super) fn check(inputs: &Inputs, at: Timestamp) -> Result<(), Refusal> {
    let Some(retire) = inputs.plan.retire() else { return Ok(()) };
    if retire.keys.is_empty() {
        return Ok(());
    }
    if inputs.plan.dialect() == Dialect::Notary {
        published::check_dates(inputs, at)?;
    }
    for repository in inputs.plan.repositories() {
        let chain = admission::chain(inputs, &repository.name)?;
        if inputs.plan.dialect() == Dialect::Notary {
            published::check(inputs, &repository.name, &chain)?;
        }
        walk::check(&repository.name, chain, at)?;
    }
    Ok(())
}

impl Ceremony {
    /// Everything that goes from a token or paper.
    pub fn going(&self, holder: &str) -> Holds {
        going(self.plan(), self.past().custody(), holder)
    }

    /// Whether the sealing key of a token goes, too.
    pub fn seal_goes(&self, token: &str) -> bool {
        seal_goes(self.plan(), self.past().custody(), token)
    }

    /// The sealed shares that go and that some token or recipient would still open: the files of which every copy is to be
    /// destroyed.
    pub fn copies_going(&self) -> Vec<String> {
        let tokens = self.roster().tokens().iter().filter(|token| token.seals);
        let recipients = self.roster().recipients().iter().map(|recipient| &recipient.name);
        let openers = tokens.map(|token| &token.name).chain(recipients);
        let shares = openers.flat_map(|name| self.going(name).shares);
        shares.map(|share| format!("{}/{}.age", share.set, share.share.index)).collect()
    }

    /// Whether a file of the custody folder is of a set that this ceremony or an earlier one retired.
    pub fn is_retired(&self, set: &str) -> bool {
        let past = self.past().ceremonies().iter().map(|ceremony| &ceremony.plan);
        past.chain([self.plan()]).filter_map(Plan::retire).any(|retire| {
            let of_key = |key: &CustodyKey| {
                let held = key.ever_held();
                let has = |held: &Held| matches!(held, Held::Shares { set: s, .. } if s == set);
                retire.keys.contains(&key.name) && held.into_iter().any(has)
            };
            retire.sets.iter().any(|named| named == set)
                || self.past().custody().keys.iter().any(of_key)
        })
    }

    /// The newest root of a repository, as the client of somebody is to show it.
    ///
    /// # Errors
    /// What keeps it from being read again.
    pub fn newest(&self, repository: &str) -> Result<Option<SignedRoot>, Refusal> {
        Ok(self.past().latest(repository)?)
    }

    /// Whether a fact of a retire may stand.
    pub(super) fn check_retiring(&self, step: &Step, fact: &Fact) -> Result<(), Refusal> {
        match (&step.act, fact) {
            (
                Act::RetireToken { token },
                Fact::TokenRetired { token: t, keys, shares, seal, statement },
            ) if t == token => self.check_retired(token, (keys, shares, *seal), statement.as_ref()),
            (Act::RetirePaper { paper }, Fact::PaperRetired { paper: p, by }) if p == paper => {
                check_two(&format!("paper `{paper}`"), by)
            }
            (Act::DestroyCopies, Fact::CopiesDestroyed { kept: None, by }) => {
                check_two("every copy", by)
            }
            (Act::DestroyCopies, Fact::CopiesDestroyed { kept: Some(_), by }) if by.is_empty() => {
                Ok(())
            }
            (
                Act::SeePublished { repository },
                Fact::PublishedSeen { repository: r, version, by },
            ) if r == repository => self.check_seen(repository, *version, by),
            _ => Err(self.no_place(step.number)),
        }
    }

    /// A token destroyed what was to go from it, and says so.
    fn check_retired(
        &self,
        token: &str,
        (keys, shares, seal): (&[String], &[ShareGone], bool),
        statement: Option<&Statement>,
    ) -> Result<(), Refusal> {
        let goes = self.going(token);
        let expected: Vec<&String> = goes.keys.iter().map(|(name, _)| name).collect();
        let of = |share: &ShareOf| ShareGone { set: share.set.clone(), index: share.share.index };
        let right = expected.into_iter().eq(keys)
            && goes.shares.iter().map(of).eq(shares.iter().cloned())
            && seal == self.seal_goes(token);
        if !right {
            let what = format!("something else was destroyed on token `{token}` than was to go");
            return Err(Refusal::of(Check::FactOrder, what).hint(EDITED));
        }
        statement::check(self, token, &Said::Retired { goes: &goes, seal }, statement)
    }

    /// Two people, by their seats, saw the newest root of a repository.
    fn check_seen(&self, repository: &str, version: u64, by: &[String]) -> Result<(), Refusal> {
        let right = self.past().versions(repository) == version && is_two(by);
        if right {
            return Ok(());
        }
        let what = format!("`{repository}`: two people did not see its newest root");
        Err(Refusal::of(Check::RetirePublished, what).hint(
            "two people read version and digest of the root off their own clients, and `resume`",
        ))
    }
}

/// Two people saw what no machine sees.
fn check_two(what: &str, by: &[String]) -> Result<(), Refusal> {
    if is_two(by) {
        return Ok(());
    }
    let what = format!("{what} was not destroyed before two people");
    Err(Refusal::of(Check::FactOrder, what).hint(EDITED))
}

fn is_two(by: &[String]) -> bool {
    matches!(by, [first, second] if first != second)
}

/// What is gone by these facts, in custody.json.
pub(super) fn mark(ceremony: &Ceremony, custody: &mut Custody) {
    let copies =
        ceremony.facts().any(|fact| matches!(fact, Fact::CopiesDestroyed { kept: None, .. }));
    for recipient in ceremony.roster().recipients().iter().filter(|_| copies) {
        for ShareOf { set, share, .. } in ceremony.going(&recipient.name).shares {
            custody.mark_gone(Gone::Share { set, index: share.index });
        }
    }
    for fact in ceremony.facts() {
        match fact {
            Fact::TokenRetired { token, keys, shares, seal, .. } => {
                for key in keys {
                    let (key, token) = (key.clone(), token.clone());
                    custody.mark_gone(Gone::Key { key, token });
                }
                let dead = shares.iter().filter(|_| *seal || copies);
                for ShareGone { set, index } in dead {
                    custody.mark_gone(Gone::Share { set: set.clone(), index: *index });
                }
                let known = custody.tokens.iter_mut().find(|known| known.name == *token);
                if let Some(known) = known.filter(|_| *seal) {
                    known.seal = None;
                }
            }
            Fact::PaperRetired { paper, .. } => {
                for ShareOf { set, share, .. } in ceremony.going(paper).shares {
                    custody.mark_gone(Gone::Share { set, index: share.index });
                }
            }
            _ => {}
        }
    }
}

/// What the closing page says: what was not destroyed, which sets still open their keys, and which files go with them.
pub(super) fn remarks(ceremony: &Ceremony) -> Vec<String> {
    let Some(planned) = ceremony.plan().retire() else { return Vec::new() };
    let mut said = Vec::new();
    for holder in ceremony.absent().keys() {
        let (goes, called) = (ceremony.going(holder), ceremony.roster().called(holder));
        let keys = goes.keys.iter();
        said.extend(keys.map(|(key, _)| format!("key {key} was NOT destroyed: {called} holds it")));
        said.extend(goes.shares.iter().map(|ShareOf { key, set, share }| {
            let index = share.index;
            format!("share {index} of set {set} of key {key} was NOT destroyed: {called} holds it")
        }));
    }
    let custody = super::closing::custody(ceremony);
    for key in &custody.keys {
        for held in key.ever_held() {
            let Held::Shares { set, threshold, shares } = held else { continue };
            if !planned.keys.contains(&key.name) && !planned.sets.contains(set) {
                continue;
            }
            let (gone, of) = (custody.shares_gone(set), shares.len());
            let needed = (of + 1).saturating_sub(usize::from(*threshold));
            let name = &key.name;
            said.push(match custody.is_dead(held) {
                true => format!(
                    "set {set} of key {name} is dead: {gone} of its {of} shares are destroyed in every copy"
                ),
                false => format!(
                    "set {set} still opens key {name}: {gone} of its {of} shares are destroyed in every copy, {needed} are needed"
                ),
            });
            said.push(format!(
                "the folder `{set}` of the custody folder is not carried on: destroy it on every other media"
            ));
        }
    }
    said
}

/// The root keys of a root.
fn root_keys(root: &SignedRoot) -> impl Iterator<Item = &crate::root::KeyId> {
    root.root().role_keys(Role::Root).map(|(id, _)| id)
}

#[cfg(test)]
mod tests;
