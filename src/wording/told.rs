//! Sentences about many repositories: those that are equal but for the name become one where they are many.
//!
//! Ground floor: pure.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::Count;

/// What was told of the repositories, by the sentences without their names. Hands tell it in any order.
#[derive(Debug, Default)]
pub struct Told(Mutex<BTreeMap<String, Alike>>);

/// Sentences that are equal but for the name.
#[derive(Debug, Default)]
struct Alike {
    /// The first few by their places: each sentence, and the name in it.
    first: BTreeMap<Place, (String, String)>,
    count: usize,
}

/// The place of a repository among all, and of a sentence among those of it.
type Place = (usize, usize);

impl Told {
    /// Adds the sentences of the repository at a place. Who made them lets them go: memory that goes from hand to hand is
    /// waited for.
    pub fn add(&self, at: usize, repository: &str, sentences: Vec<String>) {
        let name = format!("`{repository}`");
        for (nth, sentence) in sentences.into_iter().enumerate() {
            let shape = sentence.replace(&name, NAME);
            let mut shapes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let alike = shapes.entry(shape).or_default();
            alike.count += 1;
            let last = alike.first.last_key_value().map(|(last, _)| *last);
            if alike.first.len() < FEW || last.is_some_and(|last| (at, nth) < last) {
                alike.first.insert((at, nth), (sentence, name.clone()));
            }
            if alike.first.len() > FEW {
                alike.first.pop_last();
            }
        }
    }

    /// All of it, in the order of the places.
    pub fn finish(self) -> Vec<String> {
        let mut all: Vec<(Place, String)> = Vec::new();
        for (shape, alike) in self.0.into_inner().unwrap_or_else(PoisonError::into_inner) {
            if alike.count <= FEW {
                all.extend(alike.first.into_iter().map(|(at, (sentence, _))| (at, sentence)));
                continue;
            }
            let named: Vec<&str> =
                alike.first.values().take(NAMED).map(|(_, name)| name.as_str()).collect();
            let more = Count(alike.count - named.len(), "more repository");
            let names = format!("{} and {more}", named.join(", "));
            all.extend(alike.first.keys().next().map(|at| (*at, shape.replace(NAME, &names))));
        }
        all.sort();
        all.into_iter().map(|(_, sentence)| sentence).collect()
    }
}

/// Stands for a repository's name.
const NAME: &str = "`NAME`";
/// Up to so many equal sentences are said one by one; of more, so many names are.
const FEW: usize = 8;
const NAMED: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_many_is_one_sentence_whatever_the_order_in_which_it_was_told() {
        let of = |order: &[usize]| {
            let told = Told::default();
            for at in order {
                let name = format!("r{at}");
                let mut sentences = vec![format!("`{name}` is one of many")];
                if at % 5 == 0 {
                    sentences.push(format!("`{name}` is one of few"));
                }
                told.add(*at, &name, sentences);
            }
            told.finish()
        };
        let expected = [
            "`r0`, `r1`, `r2` and 17 more repositories is one of many",
            "`r0` is one of few",
            "`r5` is one of few",
            "`r10` is one of few",
            "`r15` is one of few",
        ];
        let forth: Vec<usize> = (0..20).collect();
        let back: Vec<usize> = (0..20).rev().collect();
        let mixed: Vec<usize> = (0..20).map(|n| n * 7 % 20).collect();
        for order in [forth, back, mixed] {
            assert_eq!(of(&order), expected);
        }
    }
}
