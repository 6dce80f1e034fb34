//! Names that a reader takes for one another, found among those of a whole fleet (docs/threats.md rule 6).
//!
//! Ground floor: pure, touches nothing. Whether the names are all alike or none, the time grows with their text alone;
//! the memory beyond them is that of one pass, some hundreds of kilobytes, and what is found.

use std::collections::{BTreeMap, BTreeSet};

use super::{Name, fold, folded, look_alike};

/// Every pair of `names` that [`look_alike`] finds, each once, in order of name.
pub fn look_alikes<'a>(
    names: impl IntoIterator<Item = &'a Name>,
) -> BTreeSet<(&'a Name, &'a Name)> {
    let texts = Texts::of(names);
    let mut pairs = BTreeSet::new();
    let mut add = |one: &[&'a Name], other: &[&'a Name]| {
        for a in one {
            pairs.extend(other.iter().filter(|b| *b != a).map(|b| (*a.min(b), *a.max(b))));
        }
    };
    for text in 0..texts.hashes.len() {
        add(texts.names(text), texts.names(text));
    }
    texts.each_class(&mut |class| {
        for (at, one) in class.iter().enumerate() {
            for other in &class[at + 1..] {
                add(texts.names(*one), texts.names(*other));
            }
        }
    });
    pairs
}

/// The groups of `names` that such pairs join, each in order of name, and so are the groups: what a person can read
/// where the pairs are too many.
pub fn alike_groups<'a>(names: impl IntoIterator<Item = &'a Name>) -> Vec<Vec<&'a Name>> {
    let texts = Texts::of(names);
    let mut leads: Vec<usize> = (0..texts.hashes.len()).collect();
    texts.each_class(&mut |class| {
        for pair in class.windows(2) {
            let (one, other) = (lead(&mut leads, pair[0]), lead(&mut leads, pair[1]));
            leads[one.max(other)] = one.min(other);
        }
    });
    let mut groups: BTreeMap<usize, Vec<&Name>> = BTreeMap::new();
    for text in 0..leads.len() {
        groups.entry(lead(&mut leads, text)).or_default().extend(texts.names(text));
    }
    let mut groups: Vec<_> = groups.into_values().filter(|group| group.len() > 1).collect();
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups.sort_unstable();
    groups
}

/// The first text of the group that a text is in so far.
fn lead(leads: &mut [usize], mut at: usize) -> usize {
    while leads[at] != at {
        leads[at] = leads[leads[at]];
        at = leads[at];
    }
    at
}

/// Names by what they are but for case, their text; texts are counted from 0 in order of their hashes.
struct Texts<'a> {
    names: Vec<&'a Name>,
    /// The hash of each text, and where its names begin.
    hashes: Vec<(u64, usize)>,
}

impl<'a> Texts<'a> {
    fn of(names: impl IntoIterator<Item = &'a Name>) -> Self {
        let mut rolled = Rolled::default();
        let mut all: Vec<(u64, &Name)> = names
            .into_iter()
            .map(|name| {
                rolled.take(name);
                (rolled.whole(), name)
            })
            .collect();
        all.sort_unstable();
        all.dedup();
        let mut texts = Self { names: Vec::with_capacity(all.len()), hashes: Vec::new() };
        for run in all.chunk_by(|a, b| a.0 == b.0) {
            let run_names = run.iter().map(|(_, name)| *name).collect();
            for same in parts(run_names, |name| name, |one, other| one == other) {
                texts.hashes.push((run[0].0, texts.names.len()));
                texts.names.extend(same);
            }
        }
        texts
    }

    /// The names that have a text.
    fn names(&self, text: usize) -> &[&'a Name] {
        let end = self.hashes.get(text + 1).map_or(self.names.len(), |(_, next)| *next);
        &self.names[self.hashes[text].1..end]
    }

    /// One name that has a text.
    fn name(&self, text: usize) -> &'a Name {
        self.names[self.hashes[text].1]
    }

    /// Tells `found` of sets of texts in which each looks like each other; all such pairs are in them.
    ///
    /// Two texts are alike in one of two ways. One is the other with a character left out or with two neighbours
    /// swapped: then its own hash is that of the other so changed. Or one character is another: then both have one hash
    /// without it, and so have all that differ there alone. A hash only says where to look.
    fn each_class(&self, found: &mut dyn FnMut(&[usize])) {
        let mut rolled = Rolled::default();
        let mut places = 0;
        for text in 0..self.hashes.len() {
            let name = self.name(text);
            rolled.take(name);
            places += rolled.chars.len();
            rolled.each_changed(&mut |hash| {
                let first = self.hashes.partition_point(|(other, _)| *other < hash);
                let same = self.hashes[first..].iter().take_while(|(other, _)| *other == hash);
                for other in first..first + same.count() {
                    if look_alike(name, self.name(other)) {
                        found(&[text, other]);
                    }
                }
            });
        }
        // One pass for each part of the hashes: not all of them are held at once.
        let passes = places.div_ceil(ROOM) as u128;
        for pass in 0..passes {
            let is_in_part = |hash| (u128::from(hash) * passes) >> 64 == pass;
            self.each_substituted(&mut rolled, is_in_part, found);
        }
    }

    /// Tells of the sets of texts that differ in one character, at one place, where the hash of the rest is in a part.
    fn each_substituted(
        &self,
        rolled: &mut Rolled,
        is_in_part: impl Fn(u64) -> bool,
        found: &mut dyn FnMut(&[usize]),
    ) {
        let mut rests: Vec<(u64, u32, u32)> = Vec::with_capacity(ROOM * 9 / 8);
        for text in 0..self.hashes.len() {
            rolled.take(self.name(text));
            for at in 0..rolled.chars.len() {
                let hash = mixed(rolled.without(at), at as u64);
                if is_in_part(hash) {
                    rests.push((hash, at as u32, text as u32));
                }
            }
        }
        rests.sort_unstable();
        for run in rests.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).filter(|run| run.len() > 1) {
            let at = run[0].1 as usize;
            let texts = run.iter().map(|(_, _, text)| *text as usize).collect();
            let is_rest = |one: &[char], other: &[char]| {
                one.len() == other.len()
                    && one[..at] == other[..at]
                    && one[at + 1..] == other[at + 1..]
            };
            parts(texts, |text| self.name(text), is_rest).iter().for_each(|class| found(class));
        }
    }
}

/// The parts of a set in which all are the same: nearly always one, since their hashes are.
fn parts<'a, T: Copy>(
    mut set: Vec<T>,
    name: impl Fn(T) -> &'a Name,
    is_same: impl Fn(&[char], &[char]) -> bool,
) -> Vec<Vec<T>> {
    let mut found = Vec::new();
    while set.len() > 1 {
        let first = folded(name(set[0]));
        let (same, others) =
            set.into_iter().partition(|other| is_same(&first, &folded(name(*other))));
        found.push(same);
        set = others;
    }
    found.extend((!set.is_empty()).then_some(set));
    found
}

/// A text with the hashes of its beginnings: from them follows, with one multiplication, that of the text with a
/// character changed. The hash of `abc` is `(a·B + b)·B + c`, without what overflows.
#[derive(Default)]
struct Rolled {
    chars: Vec<char>,
    before: Vec<u64>,
    powers: Vec<u64>,
}

impl Rolled {
    fn take(&mut self, name: &Name) {
        self.chars.clear();
        fold(name, &mut self.chars);
        self.before.clear();
        self.before.push(0);
        let mut hash = 0u64;
        for c in &self.chars {
            hash = hash.wrapping_mul(BASE).wrapping_add(u64::from(*c));
            self.before.push(hash);
        }
        while self.powers.len() <= self.chars.len() {
            self.powers.push(self.powers.last().map_or(1, |power| power.wrapping_mul(BASE)));
        }
    }

    fn whole(&self) -> u64 {
        self.before[self.chars.len()]
    }

    /// The hashes of the text without each of its characters, and with each two neighbours swapped.
    fn each_changed(&self, tell: &mut dyn FnMut(u64)) {
        for at in 0..self.chars.len() {
            tell(self.without(at));
            if at > 0 && self.chars[at - 1] != self.chars[at] {
                tell(self.swapped(at));
            }
        }
    }

    /// The hash without the character at a place.
    fn without(&self, at: usize) -> u64 {
        let moved = self.before[at].wrapping_sub(self.before[at + 1]);
        self.whole().wrapping_add(moved.wrapping_mul(self.powers[self.chars.len() - 1 - at]))
    }

    /// The hash with the character at a place and the one before it swapped.
    fn swapped(&self, at: usize) -> u64 {
        let more = u64::from(self.chars[at]).wrapping_sub(u64::from(self.chars[at - 1]));
        let power = self.powers[self.chars.len() - 1 - at];
        self.whole().wrapping_add(more.wrapping_mul(power.wrapping_mul(BASE).wrapping_sub(power)))
    }
}

/// Spreads a hash and a place, so that any part of the hashes holds its share of them.
fn mixed(hash: u64, at: u64) -> u64 {
    let hash = hash.wrapping_add(at.wrapping_mul(BASE));
    let hash = (hash ^ (hash >> 32)).wrapping_mul(SPREAD);
    hash ^ (hash >> 29)
}

/// How many hashes one pass holds, more only where very many names are alike: 16 bytes each.
const ROOM: usize = 1 << 15;
/// Two odd numbers without a pattern: 2^64 by the golden ratio, and one of the finalizer of `splitmix64`.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
const SPREAD: u64 = 0xbf58_476d_1ce4_e5b9;
