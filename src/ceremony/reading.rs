//! What people read before they consent: equal changes together, everything else alone and first.
//!
//! Second floor: pure. docs/threats.md rule 6.

use std::collections::BTreeMap;

use super::Ceremony;
use super::draft::Draft;
use crate::digest::{Digest, Hasher};
use crate::key::PublicKey;
use crate::name::{Name, alike_groups};
use crate::root::diff::{Difference, differences};
use crate::root::{Key, Role, SignedRoot};
use crate::trust::CustodyKey;
use crate::wording::{Count, List};

/// Repositories that change in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The places of the repositories in the plan, at least one.
    members: Vec<u32>,
    /// The change, in sentences.
    pub sentences: Vec<String>,
}

/// Everything that is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What most repositories do not share, those of fewest first: shown first, and something of each is typed. Of few
    /// repositories that are not of the most common change each stands alone.
    pub uncommon: Vec<Group>,
    /// The one change that most repositories share; with a single repository, its change.
    pub common: Option<Group>,
    /// Names that a tired reader takes for one another: groups that pairs of such names join.
    pub look_alikes: Vec<Vec<String>>,
}

impl Page {
    /// Every group, as they are shown.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.uncommon.iter().chain(&self.common)
    }

    /// The places of the repositories that stand alone: each is typed by name.
    pub fn alone(&self) -> impl Iterator<Item = usize> {
        self.uncommon.iter().filter_map(Group::alone)
    }

    /// How many repositories the other uncommon groups have: each number is typed.
    pub fn counted(&self) -> impl Iterator<Item = u64> {
        let many = self.uncommon.iter().filter(|group| group.alone().is_none());
        many.map(|group| group.members.len() as u64)
    }
}

impl Group {
    /// The places of its repositories in the plan, in order.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        self.members.iter().map(|place| *place as usize)
    }

    /// How many they are.
    pub fn count(&self) -> usize {
        self.members.len()
    }

    /// The place of the first.
    pub fn first(&self) -> usize {
        self.places().next().unwrap_or_default()
    }

    /// The place of the repository, where it is one.
    pub fn alone(&self) -> Option<usize> {
        (self.members.len() == 1).then(|| self.first())
    }

    /// The change as it is shown, with the names of places. Of very many repositories the names of some are; all of them
    /// are in the candidate's list, and their digest is that of a file with one name on each line.
    pub fn text<'a>(&self, name: &dyn Fn(usize) -> &'a str) -> String {
        let many = Count(self.count(), "repository");
        let some = |most| self.places().take(most).map(name).collect::<Vec<_>>().join(", ");
        let heading = match self.count() {
            1 => format!("        {}:", some(1)),
            few if few <= NAMED => format!("        {many}: {}:", some(NAMED)),
            count => format!(
                "        {many}: {} and {} more; SHA-256 of all names, a line each: {}:",
                some(SOME),
                count - SOME,
                names_digest(self.places().map(name)).grouped()
            ),
        };
        let lines = self.sentences.iter().map(|sentence| format!("          {sentence}"));
        std::iter::once(heading).chain(lines).collect::<Vec<_>>().join("\n")
    }
}

/// SHA-256 of a file with one name on each line.
pub fn names_digest<'a>(names: impl Iterator<Item = &'a str>) -> Digest {
    let mut hasher = Hasher::default();
    for name in names {
        hasher.update(name.as_bytes());
        hasher.update(b"\n");
    }
    hasher.finish()
}

/// What one candidate says: in full, and as a shape that leaves out what may differ between equal changes.
pub struct Read {
    shown: Vec<String>,
    shape: Vec<String>,
}

impl Read {
    /// Reads a candidate; `named` says how a key is called, where it has a name.
    pub fn of(draft: &Draft, named: &dyn Fn(&PublicKey) -> Option<String>) -> Self {
        let differences = differences(draft.last().map(SignedRoot::root), draft.root());
        let told = |shape| sentences(named, draft, &differences, shape);
        Self { shown: told(false), shape: told(true) }
    }
}

impl Ceremony {
    /// Reads a candidate, with the names that keys have here.
    pub fn read(&self, draft: &Draft) -> Read {
        Read::of(draft, &|public| name_of(self, public))
    }
}

/// Sorts what candidates say into groups.
#[derive(Default)]
pub struct Reading(BTreeMap<Vec<String>, Members>);

/// Candidates of one shape.
#[derive(Default)]
struct Members {
    places: Vec<u32>,
    /// What each of the first few says in full.
    shown: Vec<Vec<String>>,
    /// What all say in full, but for their names; none for a sentence in which they differ.
    same: Vec<Option<String>>,
}

impl Reading {
    /// Adds the candidate at the next place.
    pub fn add(&mut self, place: usize, repository: &str, read: Read) {
        let Read { shown, shape } = read;
        let full = shown.iter().map(|line| nameless(line, repository));
        let members = self.0.entry(shape).or_default();
        if members.places.is_empty() {
            members.same = full.map(Some).collect();
        } else {
            for (same, line) in members.same.iter_mut().zip(full) {
                if same.as_ref() != Some(&line) {
                    *same = None;
                }
            }
        }
        members.places.push(u32::try_from(place).unwrap_or(u32::MAX));
        if members.shown.len() < FEW {
            members.shown.push(shown);
        }
    }

    /// The page; the names are those of all candidates, in order.
    pub fn finish<'a>(self, names: impl Iterator<Item = &'a str>) -> Page {
        let names: Vec<Name> = names.filter_map(|name| name.parse().ok()).collect();
        let largest = self.0.values().map(|members| members.places.len()).max();
        let only = names.len() == 1;
        let mut page = Page::default();
        for (shape, members) in self.0 {
            let many = members.places.len();
            if page.common.is_none() && Some(many) == largest && (many > 1 || only) {
                page.common = match many {
                    1 => members.alone().next(),
                    _ => Some(members.together(shape)),
                };
            } else if many <= FEW {
                page.uncommon.extend(members.alone());
            } else {
                page.uncommon.push(members.together(shape));
            }
        }
        let name = |group: &Group| names.get(group.first());
        page.uncommon.sort_by(|a, b| (a.count(), name(a)).cmp(&(b.count(), name(b))));
        let texts = |group: Vec<&Name>| group.iter().map(|name| name.as_str().to_owned()).collect();
        page.look_alikes = alike_groups(&names).into_iter().map(texts).collect();
        page
    }
}

impl Members {
    fn alone(self) -> impl Iterator<Item = Group> {
        let group = |(place, sentences)| Group { members: vec![place], sentences };
        self.places.into_iter().zip(self.shown).map(group)
    }

    /// What members of one shape say together: in full where all say the same, and else its shape.
    fn together(self, shape: Vec<String>) -> Group {
        let same = self.same.into_iter().chain(std::iter::repeat(None));
        let sentences = shape.into_iter().zip(same).map(|(shape, full)| full.unwrap_or(shape));
        let mut members = self.places;
        members.shrink_to_fit();
        Group { members, sentences: sentences.collect() }
    }
}

/// Sorts candidates into groups, by their places among them; `named` says how a key is called, where it has a name.
pub fn page_of(drafts: &[Draft], named: &dyn Fn(&PublicKey) -> Option<String>) -> Page {
    let mut reading = Reading::default();
    for (place, draft) in drafts.iter().enumerate() {
        reading.add(place, &draft.repository, Read::of(draft, named));
    }
    reading.finish(drafts.iter().map(|draft| draft.repository.as_str()))
}

/// Names that look alike, in sentences.
pub fn alike(groups: &[Vec<String>]) -> Vec<String> {
    let sentence =
        |names: &Vec<String>| format!("{} differ by one character", List::names(names.as_slice()));
    groups.iter().map(sentence).collect()
}

/// The change of one repository. As a shape, values that may differ between equal changes are left out: its own online
/// keys, each of which is unchanged or pinned by the plan, its own name, and the ids of certificates made for it.
fn sentences(
    named: &dyn Fn(&PublicKey) -> Option<String>,
    draft: &Draft,
    differences: &[Difference],
    shape: bool,
) -> Vec<String> {
    let told = differences.iter().map(|difference| {
        let own = match difference {
            Difference::KeyOut { .. } => "its own key (of its last root)",
            _ => "its own key (pinned by the plan)",
        };
        let call = |key: &Key| {
            let public = key.public();
            match (public.and_then(named), public) {
                (Some(name), _) => format!("{name} ({})", short(key)),
                (None, Some(_)) if shape && is_online(draft, key) => own.to_owned(),
                _ => short(key),
            }
        };
        match shape {
            true => difference.shape(&call, &draft.repository),
            false => difference.sentence(&call),
        }
    });
    if shape {
        told.map(|line| nameless(&line, &draft.repository)).collect()
    } else {
        told.collect()
    }
}

fn nameless(line: &str, repository: &str) -> String {
    line.replace(&format!("`{repository}`"), "`NAME`")
}

/// By the digest of the public key, as plans pin it: the id of a certificate differs for every repository.
fn short(key: &Key) -> String {
    let id = key.public().map_or_else(|| key.id().to_string(), |public| public.id().to_string());
    id.get(..16).unwrap_or(&id).to_owned()
}

fn is_online(draft: &Draft, key: &Key) -> bool {
    let roots = [Some(draft.root()), draft.last().map(SignedRoot::root)];
    let mut online = roots
        .into_iter()
        .flatten()
        .flat_map(|root| Role::ONLINE.into_iter().flat_map(|role| root.role_keys(role)));
    online.any(|(_, other)| other == key)
}

fn name_of(ceremony: &Ceremony, public: &PublicKey) -> Option<String> {
    let known: Option<&CustodyKey> = ceremony.past().custody().key_of(public);
    known.map(|key| key.name.clone()).or_else(|| {
        let keys = ceremony.roster().keys().iter();
        keys.map(|key| &key.name)
            .find(|name| ceremony.public(name).as_ref() == Some(public))
            .cloned()
    })
}

/// So many repositories that change otherwise than most stand alone, each of them.
const FEW: usize = 8;
/// So many names are shown, and of more than that [`SOME`].
const NAMED: usize = 64;
const SOME: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_stand_in_one_sentence() {
        let group = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let told = alike(&[group(&["a1", "a2", "a3"]), group(&["b1", "b2"])]);
        let expected = [
            "`a1`, `a2` and `a3` differ by one character",
            "`b1` and `b2` differ by one character",
        ];
        assert_eq!(told, expected);
    }
}
