//! What people read before they consent: equal changes together, everything else alone and first.
//!
//! Second floor: pure. docs/threats.md rule 6.

use std::collections::BTreeMap;

use super::Ceremony;
use super::draft::Draft;
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The changes of single repositories: shown first, and typed by name.
    pub alone: Vec<Group>,
    /// The one change that most repositories share; with a single repository, its change.
    pub together: Option<Group>,
    /// Names that a tired reader takes for one another: groups that pairs of such names join.
    pub look_alikes: Vec<Vec<String>>,
}

impl Group {
    /// The change as it is shown.
    pub fn text(&self) -> String {
        let heading = match self.repositories.as_slice() {
            [one] => format!("        {one}:"),
            many => format!("        {}: {}:", Count(many.len(), "repository"), many.join(", ")),
        };
        let lines = self.sentences.iter().map(|sentence| format!("          {sentence}"));
        std::iter::once(heading).chain(lines).collect::<Vec<_>>().join("\n")
    }
}

/// Sorts the candidates of a ceremony into groups.
pub fn page(ceremony: &Ceremony, drafts: &[Draft]) -> Page {
    page_of(drafts, &|public| name_of(ceremony, public))
}

/// Sorts candidates into groups; `named` says how a key is called, where it has a name.
pub fn page_of(drafts: &[Draft], named: &dyn Fn(&PublicKey) -> Option<String>) -> Page {
    let mut groups: BTreeMap<Vec<String>, Vec<(String, Vec<String>)>> = BTreeMap::new();
    for draft in drafts {
        let shown = sentences(named, draft, false);
        let shape = sentences(named, draft, true);
        groups.entry(shape).or_default().push((draft.repository.clone(), shown));
    }
    let largest = groups.values().map(Vec::len).max().unwrap_or_default();
    let mut page = Page { alone: Vec::new(), together: None, look_alikes: Vec::new() };
    for (shape, members) in groups {
        let is_largest = page.together.is_none() && members.len() == largest;
        match members.as_slice() {
            [(name, shown)] => {
                let group = Group { repositories: vec![name.clone()], sentences: shown.clone() };
                if is_largest && drafts.len() == 1 {
                    page.together = Some(group);
                } else {
                    page.alone.push(group);
                }
            }
            _ if is_largest => {
                let sentences = together(shape, &members);
                let repositories = members.into_iter().map(|(name, _)| name).collect();
                page.together = Some(Group { repositories, sentences });
            }
            _ => page.alone.extend(
                members
                    .into_iter()
                    .map(|(name, sentences)| Group { repositories: vec![name], sentences }),
            ),
        }
    }
    let names: Vec<Name> =
        drafts.iter().filter_map(|draft| draft.repository.parse().ok()).collect();
    let texts = |group: Vec<&Name>| group.iter().map(|name| name.as_str().to_owned()).collect();
    page.look_alikes = alike_groups(&names).into_iter().map(texts).collect();
    page
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

/// What members of one shape say together: in full where all say the same, and else its shape.
fn together(shape: Vec<String>, members: &[(String, Vec<String>)]) -> Vec<String> {
    let full = |at: usize| {
        let mut said = members.iter().map(|(name, lines)| Some(nameless(lines.get(at)?, name)));
        let first = said.next()??;
        said.all(|other| other.as_ref() == Some(&first)).then_some(first)
    };
    shape.into_iter().enumerate().map(|(at, line)| full(at).unwrap_or(line)).collect()
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
