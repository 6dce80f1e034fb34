use std::collections::BTreeSet;

use super::*;
use crate::ceremony::roster::Roster;
use crate::ceremony::tests::Room;
use crate::ceremony::{Inputs, tests::Played};
use crate::trust::Past;

/// A small generator of our own (xorshift64*), so that every run tries the same plans.
struct Chance(u64);

impl Chance {
    /// From 0 to `n` - 1.
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % n
    }
}

/// Up to seven tokens and papers of few seats, sites and models; up to four keys on or across them; up to three demands.
fn random(chance: &mut Chance) -> Holdings {
    let many = 1 + chance.below(7);
    let holders: Vec<Holder> = (0..many)
        .map(|at| Holder {
            name: format!("token-{at}"),
            medium: if chance.below(4) == 0 { Medium::Paper } else { Medium::Token },
            custodian: format!("seat {}", chance.below(5)),
            site: (chance.below(4) > 0).then(|| format!("site {}", chance.below(3))),
            model: (chance.below(4) > 0).then(|| format!("model {}", chance.below(3))),
        })
        .collect();
    let keys: Vec<HeldKey> = (0..1 + chance.below(4))
        .map(|at| {
            let mut names: Vec<String> = holders
                .iter()
                .map(|holder| holder.name.clone())
                .filter(|_| chance.below(2) == 0)
                .collect();
            let is_in_shares = names.len() > 1;
            if !is_in_shares {
                names = vec![holders[chance.below(many)].name.clone()];
            }
            let needed = 1 + chance.below(names.len());
            HeldKey { name: format!("key-{at}"), needed, holders: names, is_in_shares }
        })
        .collect();
    let mut demands = |most: usize| -> Vec<Demand> {
        (0..chance.below(most + 1))
            .map(|_| {
                let chosen =
                    keys.iter().map(|key| key.name.clone()).filter(|_| chance.below(3) > 0);
                let chosen: Vec<String> = chosen.collect();
                let threshold = 1 + chance.below(chosen.len() + 1);
                Demand { keys: chosen, threshold }
            })
            .collect()
    };
    let (sign, rotate) = (demands(2), demands(1));
    Holdings { holders, keys, sign, rotate, ..Holdings::default() }
}

type Names<'a> = BTreeSet<&'a str>;

/// The same questions, asked as a person would: key by key, name by name.
struct Plain<'a>(&'a Holdings);

impl<'a> Plain<'a> {
    fn usable(&self, key: &HeldKey, lost: &Names) -> bool {
        key.holders.iter().filter(|name| !lost.contains(name.as_str())).count() >= key.needed
    }

    fn meets(&self, demand: &Demand, lost: &Names) -> bool {
        let mut usable = 0;
        for key in &self.0.keys {
            if demand.keys.contains(&key.name) && self.usable(key, lost) {
                usable += 1;
            }
        }
        usable >= demand.threshold
    }

    /// Sign, rotate, restore; nothing where nothing is asked for.
    fn answers(&self, lost: &Names) -> [Option<bool>; 3] {
        let all = |demands: &[Demand]| {
            (!demands.is_empty()).then(|| demands.iter().all(|demand| self.meets(demand, lost)))
        };
        let mut shared = self.0.keys.iter().filter(|key| key.is_in_shares).peekable();
        let restore = shared.peek().is_some().then(|| shared.all(|key| self.usable(key, lost)));
        [all(&self.0.sign), all(&self.0.rotate), restore]
    }

    fn units(&self, common: impl Fn(&'a Holder) -> Option<&'a str>) -> Vec<Names<'a>> {
        let names: Names = self.0.holders.iter().filter_map(&common).collect();
        let of = |name: &str| {
            let own = self.0.holders.iter().filter(|holder| common(holder) == Some(name));
            own.map(|holder| holder.name.as_str()).collect()
        };
        names.into_iter().map(of).collect()
    }

    fn able(&self, lost: &Names) -> [Able; 3] {
        let mut more = self.units(|holder| Some(&holder.custodian));
        more.extend(self.units(|holder| holder.site.as_deref()));
        let now = self.answers(lost);
        [0, 1, 2].map(|which| match now[which] {
            None => Able::Nothing,
            Some(false) => Able::No,
            Some(true) => {
                let ends =
                    more.iter().any(|unit| self.answers(&(lost | unit))[which] == Some(false));
                if ends { Able::Edge } else { Able::Yes }
            }
        })
    }

    /// The sets of units whose loss ends signing, and of which none can be left out.
    fn fatal(&self, units: &[Names]) -> BTreeSet<Vec<usize>> {
        let lost = |chosen: &[usize]| -> Names {
            chosen.iter().flat_map(|at| units[*at].iter().copied()).collect()
        };
        let ends = |chosen: &[usize]| self.answers(&lost(chosen))[0] == Some(false);
        let subsets = (1..1_usize << units.len())
            .map(|bits| (0..units.len()).filter(|at| bits & (1 << at) != 0).collect::<Vec<_>>());
        let is_smallest = |chosen: &Vec<usize>| {
            (0..chosen.len()).all(|out| {
                let mut fewer = chosen.clone();
                fewer.remove(out);
                !ends(&fewer)
            })
        };
        subsets.filter(|chosen| ends(chosen) && is_smallest(chosen)).collect()
    }
}

#[test]
fn every_answer_is_that_of_counting_name_by_name() {
    let mut chance = Chance(0x0ff1_c1a7);
    let (mut no, mut edge, mut pairs) = (0, 0, 0);
    for _ in 0..400 {
        let holdings = random(&mut chance);
        let plain = Plain(&holdings);
        let named: Vec<String> = holdings
            .holders
            .iter()
            .map(|holder| holder.name.clone())
            .filter(|_| chance.below(3) == 0)
            .collect();
        let survival = Survival::of(&holdings, &named).unwrap();
        for loss in &survival.losses {
            let lost: Names = loss.holders.iter().map(String::as_str).collect();
            assert_eq!(
                [loss.sign, loss.rotate, loss.restore],
                plain.able(&lost),
                "{loss:?}\n{holdings:?}"
            );
            let gone = holdings.keys.iter().filter(|key| !plain.usable(key, &lost));
            assert_eq!(loss.gone, gone.map(|key| key.name.clone()).collect::<Vec<_>>());
            no += usize::from(loss.sign == Able::No);
            edge += usize::from(loss.sign == Able::Edge);
        }
        let told: BTreeSet<Names> = survival
            .losses
            .iter()
            .map(|loss| loss.holders.iter().map(String::as_str).collect())
            .collect();
        let of = [
            plain.units(|holder| Some(&holder.name)),
            plain.units(|holder| Some(&holder.custodian)),
            plain.units(|holder| holder.site.as_deref()),
        ];
        for unit in of.iter().flatten().chain(&plain.units(|holder| holder.model.as_deref())) {
            assert!(told.contains(unit), "{unit:?} is not asked about");
        }
        pairs += pairs_are_told(&plain, &of, &told, &survival);
        fatal_sets_are_those_of(&plain, &of, &survival);
    }
    assert!(no > 100 && edge > 100 && pairs > 100, "{no} {edge} {pairs}");
}

/// Every pair that ends what neither of both ends is in the table, unless it was said how many are not.
fn pairs_are_told(
    plain: &Plain,
    of: &[Vec<Names>; 3],
    told: &BTreeSet<Names>,
    survival: &Survival,
) -> usize {
    let ended = |lost: &Names| -> BTreeSet<String> {
        let demands = plain.0.sign.iter().chain(&plain.0.rotate).enumerate();
        let demands =
            demands.filter(|(_, demand)| !plain.meets(demand, lost)).map(|(at, _)| at.to_string());
        let shared = plain.0.keys.iter().filter(|key| key.is_in_shares && !plain.usable(key, lost));
        demands.chain(shared.map(|key| key.name.clone())).collect()
    };
    let mut found = BTreeSet::new();
    for units in of {
        for (at, one) in units.iter().enumerate() {
            for other in &units[at + 1..] {
                let both = one | other;
                if !ended(&both).is_subset(&(&ended(one) | &ended(other))) {
                    found.insert(both);
                }
            }
        }
    }
    let missing = found.iter().filter(|pair| !told.contains(*pair)).count();
    assert!(missing <= survival.more_pairs, "{found:?}\n{survival:?}");
    assert!(found.len() >= survival.more_pairs);
    found.len()
}

fn fatal_sets_are_those_of(plain: &Plain, of: &[Vec<Names>; 3], survival: &Survival) {
    let fatal = [&survival.fatal.tokens, &survival.fatal.people, &survival.fatal.sites];
    let common: [fn(&Holder) -> Option<&str>; 3] = [
        |holder| Some(&holder.name),
        |holder| Some(&holder.custodian),
        |holder| holder.site.as_deref(),
    ];
    for ((units, fatal), common) in of.iter().zip(fatal).zip(common) {
        let names: Vec<&str> =
            plain.0.holders.iter().filter_map(common).collect::<Names>().into_iter().collect();
        let found: BTreeSet<BTreeSet<&str>> = plain
            .fatal(units)
            .iter()
            .map(|chosen| chosen.iter().map(|at| names[*at]).collect())
            .collect();
        let fatal = fatal.as_ref().unwrap();
        let told: BTreeSet<BTreeSet<&str>> =
            fatal.iter().map(|set| set.iter().map(String::as_str).collect()).collect();
        assert_eq!(told, found, "{:?}", plain.0);
        assert_eq!(fatal.len(), found.len());
    }
}

/// The table's rows, as words.
fn rows(survival: &Survival) -> Vec<String> {
    let row = |loss: &Loss| {
        let able = [loss.sign, loss.rotate, loss.restore].map(Able::name).join(" ");
        format!("{}: {able}; {}", loss.lost, loss.gone.join(", "))
    };
    survival.losses.iter().map(row).collect()
}

fn of(inputs: &Inputs, named: &[&str]) -> Result<Survival, Refusal> {
    let roster = Roster::new(&inputs.plan, &inputs.past).unwrap();
    let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
    Survival::of(&Holdings::of_plan(inputs, &roster)?, &named)
}

fn genesis(room: &mut Room) -> Played {
    let inputs = room.genesis();
    room.play(inputs).unwrap()
}

#[test]
fn a_genesis_has_nothing_to_rotate_and_its_fatal_pairs_are_told() {
    let mut room = Room::new();
    let survival = of(&room.genesis(), &["officer-a", "seat 1"]).unwrap();
    assert_eq!(
        rows(&survival),
        [
            "nothing: yes - yes; ",
            "what was named: officer-a + seat 1: edge - edge; root-a",
            "seat A (token officer-a): edge - yes; root-a",
            "seat B (token officer-b): edge - yes; root-b",
            "seat 1 (token officer-1): yes - edge; ",
            "seat 2 (token officer-2): yes - edge; ",
            "seat 3 (token officer-3): yes - edge; ",
            "seat A + seat B: NO - yes; root-a, root-b",
            "seat 1 + seat 2: edge - NO; root-spare",
            "seat 1 + seat 3: edge - NO; root-spare",
            "seat 2 + seat 3: edge - NO; root-spare",
        ]
    );
    assert_eq!(survival.fatal.people.unwrap()[0], ["seat A", "seat B"]);
    assert_eq!(
        survival.remarks,
        [
            "5 tokens of a model that is known when enrolled: then `officiant custody` counts it.",
            "5 of 5 holders are at no `site` of a plan: what is lost in one place is not counted for them.",
        ]
    );
}

#[test]
fn a_name_that_nothing_has_is_refused_with_those_that_are() {
    let mut room = Room::new();
    let refusal = of(&room.genesis(), &["seat Z"]).unwrap_err();
    assert_eq!(refusal.to_string(), "nothing that holds a key or share is called `seat Z`");
    assert!(
        refusal.hints[0].starts_with("what may be lost: `officer-a`, `officer-b`,"),
        "{refusal:?}"
    );
    assert_eq!(refusal.exit.code(), 2);
}

#[test]
fn a_rotation_is_held_by_the_old_threshold_and_leaves_the_old_key_on_its_token() {
    let mut room = Room::new();
    let played = genesis(&mut room);
    let inputs = room.rotate(&played);
    let survival = of(&inputs, &["officer-b", "officer-1", "officer-2"]).unwrap();
    // The old set can do without the new token, and the new set without the old one; neither without all of these.
    assert_eq!(
        rows(&survival)[1],
        "what was named: officer-b + officer-1 + officer-2: NO NO NO; root-b, root-spare"
    );
    let lost = |name: &str| rows(&survival).into_iter().find(|row| row.starts_with(name)).unwrap();
    assert_eq!(lost("seat C"), "seat C (token officer-c): edge yes yes; root-c");
    assert_eq!(lost("seat A"), "seat A (token officer-a): yes edge yes; root-a");
    let said =
        "Token `officer-a` still holds the old key `root-a`, which clients of old roots believe.";
    let after: Vec<String> = survival.left.iter().map(Left::sentence).collect();
    assert_eq!(after, [said]);
    let played = room.play(inputs).unwrap();
    let past = Past::read(played.folder.files).unwrap();
    let holdings = Holdings::of_past(&past);
    let survival = Survival::of(&holdings, &[]).unwrap();
    let left: Vec<String> = survival.left.iter().map(Left::sentence).collect();
    assert_eq!(
        left,
        ["Token `officer-a` still holds the old key `root-a`, which clients of old roots believe."]
    );
    let names: Vec<&str> = survival.holders.iter().map(|holder| holder.name.as_str()).collect();
    assert_eq!(names, ["officer-b", "officer-1", "officer-2", "officer-3", "officer-c"]);
    assert!(survival.losses.iter().all(|loss| loss.sign == loss.rotate));
}

#[test]
fn one_model_and_one_site_for_all_are_told() {
    let holder = |name: &str, site: &str| Holder {
        name: name.to_owned(),
        medium: Medium::Token,
        custodian: format!("seat of {name}"),
        site: Some(site.to_owned()),
        model: Some("Key 5".to_owned()),
    };
    let key = |name: &str, holder: &str| HeldKey {
        name: name.to_owned(),
        needed: 1,
        holders: vec![holder.to_owned()],
        is_in_shares: false,
    };
    let mut holdings = Holdings {
        holders: vec![holder("a", "vault 1"), holder("b", "vault 1"), holder("c", "vault 2")],
        keys: vec![key("root-a", "a"), key("root-b", "b"), key("root-c", "c")],
        sign: vec![Demand {
            keys: vec!["root-a".into(), "root-b".into(), "root-c".into()],
            threshold: 2,
        }],
        ..Holdings::default()
    };
    let survival = Survival::of(&holdings, &["vault 1".to_owned()]).unwrap();
    assert_eq!(rows(&survival)[1], "what was named: vault 1: NO - -; root-a, root-b");
    assert_eq!(survival.fatal.sites, Some(vec![vec!["vault 1".to_owned()]]));
    let told = "3 tokens of model `Key 5`: one advisory on it ends signing, and whoever breaks it can sign.";
    assert_eq!(survival.remarks, [told]);
    for (token, firmware) in [("a", "5.7.1"), ("b", "5.4.3"), ("c", "5.7.1")] {
        holdings.firmware(token, firmware);
    }
    let survival = Survival::of(&holdings, &[]).unwrap();
    let told = "2 tokens of model `Key 5, firmware 5.7.1`: one advisory on it ends signing, and whoever breaks it can sign.";
    assert_eq!(survival.remarks, [told]);
}
