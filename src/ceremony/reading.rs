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
    /// The repositories, at least one.
    pub repositories: Vec<String>,
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

    /// The repositories that stand alone: each is typed by name.
    pub fn alone(&self) -> impl Iterator<Item = &String> {
        self.uncommon.iter().filter_map(Group::alone)
    }

    /// How many repositories the other uncommon groups have: each number is typed.
    pub fn counted(&self) -> impl Iterator<Item = u64> {
        let many = self.uncommon.iter().filter(|group| group.alone().is_none());
        many.map(|group| group.repositories.len() as u64)
    }
}

impl Group {
    /// The repository, where it is one.
    pub fn alone(&self) -> Option<&String> {
        match self.repositories.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The change as it is shown. Of very many repositories the names of some are; all of them are in the candidate's
    /// list, and their digest is that of a file with one name on each line.
    pub fn text(&self) -> String {
        let many = Count(self.repositories.len(), "repository");
        let heading = match self.repositories.as_slice() {
            [one] => format!("        {one}:"),
            few if few.len() <= NAMED => format!("        {many}: {}:", few.join(", ")),
            names => format!(
                "        {many}: {} and {} more; SHA-256 of all names, a line each: {}:",
                names[..SOME].join(", "),
                names.len() - SOME,
                names_digest(names).grouped()
            ),
        };
        let lines = self.sentences.iter().map(|sentence| format!("          {sentence}"));
        std::iter::once(heading).chain(lines).collect::<Vec<_>>().join("\n")
    }
}

/// SHA-256 of a file with one name on each line.
pub fn names_digest(names: &[String]) -> Digest {
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
        Self { shown: sentences(named, draft, false), shape: sentences(named, draft, true) }
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
pub struct Reading {
    groups: BTreeMap<Vec<String>, Members>,
    names: Vec<Name>,
}

/// Candidates of one shape.
#[derive(Default)]
struct Members {
    names: Vec<String>,
    /// What each of the first few says in full.
    shown: Vec<Vec<String>>,
    /// What all say in full, but for their names; none for a sentence in which they differ.
    same: Vec<Option<String>>,
}

impl Reading {
    /// Adds the next candidate.
    pub fn add(&mut self, repository: &str, read: Read) {
        self.names.extend(repository.parse::<Name>());
        let Read { shown, shape } = read;
        let full = shown.iter().map(|line| nameless(line, repository));
        let members = self.groups.entry(shape).or_default();
        if members.names.is_empty() {
            members.same = full.map(Some).collect();
        } else {
            for (same, line) in members.same.iter_mut().zip(full) {
                if same.as_ref() != Some(&line) {
                    *same = None;
                }
            }
        }
        members.names.push(repository.to_owned());
        if members.shown.len() < FEW {
            members.shown.push(shown);
        }
    }

    /// The page.
    pub fn finish(self) -> Page {
        let largest = self.groups.values().map(|members| members.names.len()).max();
        let only = self.names.len() == 1;
        let mut page = Page::default();
        for (shape, members) in self.groups {
            let many = members.names.len();
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
        let order = |group: &Group| (group.repositories.len(), group.repositories.first().cloned());
        page.uncommon.sort_by_key(order);
        let texts = |group: Vec<&Name>| group.iter().map(|name| name.as_str().to_owned()).collect();
        page.look_alikes = alike_groups(&self.names).into_iter().map(texts).collect();
        page
    }
}

impl Members {
    fn alone(self) -> impl Iterator<Item = Group> {
        let group = |(name, sentences)| Group { repositories: vec![name], sentences };
        self.names.into_iter().zip(self.shown).map(group)
    }

    /// What members of one shape say together: in full where all say the same, and else its shape.
    fn together(self, shape: Vec<String>) -> Group {
        let same = self.same.into_iter().chain(std::iter::repeat(None));
        let sentences = shape.into_iter().zip(same).map(|(shape, full)| full.unwrap_or(shape));
        Group { repositories: self.names, sentences: sentences.collect() }
    }
}

/// Sorts candidates into groups; `named` says how a key is called, where it has a name.
pub fn page_of(drafts: &[Draft], named: &dyn Fn(&PublicKey) -> Option<String>) -> Page {
    let mut reading = Reading::default();
    for draft in drafts {
        reading.add(&draft.repository, Read::of(draft, named));
    }
    reading.finish()
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
    shape: bool,
) -> Vec<String> {
    let old = draft.last().map(SignedRoot::root);
    let differences = differences(old, &draft.root);
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
    let roots = [Some(&draft.root), draft.last().map(SignedRoot::root)];
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
