//! Memory, output, and everything written, searched for PINs, passphrases, shares and keys after each kind of ceremony.

mod brought;
mod yubikey;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use jiff::ToSpan;
use officiant::{
    root::{Dialect, Role},
    seal::open_by_passphrase,
    secret::{Passphrase, SecretBytes},
    trust::Held,
};

use super::bench::today;
use super::drill::{genesis, write_drill};
use super::genesis::{in_shares, on_one_token};
use super::officer::Officer;
use super::on_paper::on_paper;
use super::reshare::custody;
use super::restore::{KNOWN, write_restore};
use super::retire::{two, write_retire};
use super::{Bench, PlanText, Publisher};
use crate::harness::{
    memory::{Keeper, Memory, Search, Searched},
    scratch::Scratch,
    shim::Shim,
    softhsm::MODULE,
};

const TOKENS: [&str; 3] = ["officer-a", "share-1", "share-2"];
const PAPERS: [&str; 4] = ["sheet-a", "sheet-b", "sheet-c", "sheet-d"];

/// What people brought, and what they saw of one ceremony.
struct Sat {
    kind: &'static str,
    keeper: Keeper,
    /// Looked into while papers are proven: then the vault has what it made.
    midst: Keeper,
    screen: String,
}

/// People who come back to each ceremony with their PIN, cards and serials.
struct People {
    pin: String,
    cards: BTreeMap<String, Vec<String>>,
    serials: BTreeMap<String, String>,
    /// What is typed instead where a question has these words.
    instead: Vec<(&'static str, String)>,
}

impl People {
    fn new() -> Self {
        // Of letters that stand nowhere else, and whole in no binary.
        let pin = ["pin", "of", "every", "seat", &std::process::id().to_string()].join("-");
        let (cards, serials, instead) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Self { pin, cards, serials, instead }
    }

    /// Sits through a ceremony; its processes are looked into at its last question and at their ends.
    #[track_caller]
    fn sit(&mut self, bench: &Bench, kind: &'static str) -> Sat {
        self.sit_beside(bench, kind, |command| command)
    }

    /// The same, where what drives the tokens can be reached.
    #[track_caller]
    fn sit_beside(
        &mut self,
        bench: &Bench,
        kind: &'static str,
        beside: impl FnOnce(Command) -> Command,
    ) -> Sat {
        let (keeper, midst) = (Keeper::new(), Keeper::new());
        let mut officer = Officer {
            pin: self.pin.clone(),
            instead: self.instead.clone(),
            cards: std::mem::take(&mut self.cards),
            serials: std::mem::take(&mut self.serials),
            ..Officer::before(bench)
        };
        let ended = officer.sit_watched(&beside(keeper.wrap(&bench.sitting())), |pid, question| {
            keeper.look(pid);
            if question.contains("the ten words of paper") {
                midst.look(pid);
            }
        });
        assert!(ended.status.success(), "{}", ended.transcript);
        (self.cards, self.serials) = (officer.cards, officer.serials);
        Sat { kind, keeper, midst, screen: ended.transcript }
    }

    /// What people typed, in each form in which they may.
    fn typed(&self) -> Vec<Searched> {
        let mut typed = vec![Searched { name: "PIN".into(), bytes: self.pin.clone().into() }];
        for (question, text) in &self.instead {
            let name = format!("what was typed at `{question}`");
            typed.push(Searched { name, bytes: text.clone().into() });
        }
        for (paper, words) in &self.cards {
            let short: Vec<String> =
                words.iter().map(|word| word.chars().take(4).collect()).collect();
            for (form, text) in [
                ("with hyphens", words.join("-")),
                ("with spaces", words.join(" ")),
                ("of four letters", short.join(" ")),
                ("of four letters with hyphens", short.join("-")),
            ] {
                typed.push(Searched {
                    name: format!("words of {paper} {form}"),
                    bytes: text.into(),
                });
            }
        }
        typed
    }
}

/// The words of each card as the screen lists them.
fn listed(people: &People) -> Vec<Searched> {
    let lines = |(paper, words): (&String, &Vec<String>)| {
        let text: String =
            (1..).zip(words).map(|(n, word)| format!("        {n:>2}  {word}\n")).collect();
        Searched { name: format!("words of {paper} in lines"), bytes: text.into() }
    };
    people.cards.iter().map(lines).collect()
}

/// Everything secret of each set that papers can open: the key, and each share, in pieces that are found one by one.
fn opened(bench: &Bench, people: &People, number: u32) -> Vec<Searched> {
    let custody = custody(bench, number);
    let key = custody.keys.iter().find(|key| key.name == "root-s").unwrap();
    let Held::Shares { set, shares, threshold: 2 } = &key.held else { panic!("no set of two") };
    let folder = bench.path("media/room-1/custody").join(set);
    let mut raw = BTreeMap::new();
    for share in shares.iter().filter(|share| people.cards.contains_key(&share.holder)) {
        let words = people.cards[&share.holder].join("-");
        let words = Passphrase::typed(&SecretBytes::copy_of(words.as_bytes())).ok().unwrap();
        let sealed = fs::read(folder.join(format!("{}.age", share.index))).unwrap();
        let open = open_by_passphrase(&sealed, &words).ok().unwrap();
        raw.insert(share.index, [&[share.index], &open.expose()[56..168]].concat());
    }
    let [(_, a), (_, b)] = raw.clone().into_iter().collect::<Vec<_>>().try_into().unwrap();
    for share in shares {
        raw.entry(share.index).or_insert_with(|| on_the_line(&a, &b, share.index));
    }
    // Whichever two: the same key, and it is the one of the root.
    let all: Vec<&Vec<u8>> = raw.values().collect();
    let combined = |pair: &[&Vec<u8>]| {
        let pair: Vec<Vec<u8>> = pair.iter().map(|share| share.to_vec()).collect();
        shamirsecretsharing::combine_shares(&pair).unwrap().expect("a key")
    };
    let block = combined(&all[..2]);
    assert!(all.windows(2).all(|pair| combined(pair) == block));
    let point = key.public.material();
    EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &block[..32],
        point,
    )
    .unwrap();
    let mut secrets = pieces("the key", &block[..32]);
    secrets.extend(pieces(&format!("what all shares of set {set} have"), &a[33..]));
    for (index, share) in &raw {
        secrets.extend(pieces(&format!("share {index} of set {set}"), &share[1..33]));
    }
    secrets
}

/// Sixteen bytes each: also half of a secret is found.
fn pieces(name: &str, bytes: &[u8]) -> Vec<Searched> {
    let piece = |(at, bytes): (usize, &[u8])| Searched {
        name: format!("{name}, piece {at},"),
        bytes: bytes.to_vec(),
    };
    bytes.chunks(16).enumerate().map(piece).collect()
}

/// The share of another index of a set of which two make the key: each byte lies on a line over GF(2^8).
fn on_the_line(a: &[u8], b: &[u8], index: u8) -> Vec<u8> {
    let slope = inverse(a[0] ^ b[0]);
    let (of_a, of_b) = (product(index ^ b[0], slope), product(index ^ a[0], slope));
    let line = |at: usize| product(a[at], of_a) ^ product(b[at], of_b);
    let secret: Vec<u8> = (1..33).map(line).collect();
    [&[index], &secret[..], &a[33..]].concat()
}

fn product(mut a: u8, mut b: u8) -> u8 {
    let mut sum = 0;
    while b != 0 {
        sum ^= if b & 1 == 1 { a } else { 0 };
        a = a << 1 ^ if a & 0x80 == 0 { 0 } else { 0x1b };
        b >>= 1;
    }
    sum
}

fn inverse(a: u8) -> u8 {
    (1..=255).find(|b| product(a, *b) == 1).expect("not zero")
}

/// The root key in shares goes to other papers.
fn write_reshare(bench: &Bench) {
    let (from, until) = (today().yesterday().unwrap(), today().checked_add(3.days()).unwrap());
    let mut plan = format!(
        "ceremony = \"reshare\"\ntitle = \"Reshare\"\ndialect = \"{}\"\nquorum_people = 1\npractice = true\n\
         after = \"{}\"\n[when]\nfrom = {from}\nuntil = {until}\n",
        bench.dialect,
        bench.closing(bench.number - 1)
    );
    for name in &PAPERS[2..] {
        let _ = write!(plan, "[[paper]]\nname = \"{name}\"\ncustodian = \"seat of {name}\"\n");
    }
    plan += "[[key]]\nname = \"root-s\"\nalgorithm = \"ecdsa-p256\"\n\
             shares = { threshold = 2, tokens = [\"share-1\"], papers = [\"sheet-c\", \"sheet-d\"] }\n";
    bench.scratch.file(&format!("plan-{}.toml", bench.number), plan);
}

/// A root without the key that was restored.
fn go_without(bench: &mut Bench) {
    bench.next_room();
    bench.write_room(&[&TOKENS[..], &["officer-n"]].concat());
    bench.write_plan(&PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(bench.number - 1)),
        keys: Vec::new(),
        root: vec!["root-a"],
        threshold: 1,
        roles: Vec::new(),
        ..in_shares()
    });
}

#[test]
fn nothing_secret_is_left_in_memory_or_written_after_each_kind_of_ceremony() {
    let mut bench = Bench::new(Dialect::Notary, &["localhost:5000/one"]);
    let mut people = People::new();
    bench.write_room(&TOKENS);
    bench.write_plan(&genesis());
    let mut sat = vec![people.sit(&bench, "genesis")];
    bench.next_room();
    bench.write_room(&TOKENS);
    bench.online.insert(Role::Targets, Publisher::new());
    bench.write_plan(&PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(1)),
        keys: Vec::new(),
        root: vec!["root-a", "root-s"],
        threshold: 2,
        roles: vec![Role::Targets],
        ..in_shares()
    });
    sat.push(people.sit(&bench, "rotate"));
    bench.next_room();
    bench.write_room(&TOKENS);
    write_drill(&bench, &TOKENS, &PAPERS[..2]);
    sat.push(people.sit(&bench, "drill"));
    bench.next_room();
    bench.write_room(&TOKENS);
    write_reshare(&bench);
    sat.push(people.sit(&bench, "reshare"));
    bench.next_room();
    bench.write_room(&[&TOKENS[..], &["officer-n"]].concat());
    write_restore(&bench, KNOWN);
    sat.push(people.sit(&bench, "restore"));
    go_without(&mut bench);
    sat.push(people.sit(&bench, "last rotate"));
    bench.next_room();
    bench.write_room(&[&TOKENS[..], &["officer-n"]].concat());
    write_retire(&bench, "keys = [\"root-s\"]\nhold = 0", &two(&bench));
    sat.push(people.sit(&bench, "retire"));
    let made = [opened(&bench, &people, 1), opened(&bench, &people, 4)].concat();
    let mut secrets = [people.typed(), made.clone()].concat();
    let written = Search::of(&secrets);
    secrets.extend(listed(&people));
    let held = Search::of(&secrets);
    let mut found = Vec::new();
    for Sat { kind, keeper, screen, .. } in &sat {
        looked_at(kind, keeper);
        let memories = keeper.kept().flat_map(|memory| memory.holds(&held));
        let screens =
            written.found(screen.as_bytes()).into_iter().map(|what| format!("screen: {what}"));
        found.extend(memories.chain(screens).map(|what| format!("{kind}: {what}")));
    }
    search_folder(&written, bench.scratch.path(), &mut found);
    // A soft token is the memory of its process: in that which took the key up, or signs with it, the key may be.
    let is_its_own = |what: &String| {
        ["restore", "last rotate"].iter().any(|kind| {
            what.starts_with(&format!("{kind}: end /proc/self/exe child token: the key, "))
        })
    };
    found.retain(|what| !is_its_own(what));
    assert_eq!(found, [""; 0]);
    // The same search, while the vault has to have what it made, finds it there and nowhere else.
    let made = Search::of(&made);
    for (Sat { midst, .. }, shares) in [(&sat[0], 3), (&sat[3], 2)] {
        let holding: Vec<Memory> =
            midst.kept().filter(|memory| !memory.holds(&made).is_empty()).collect();
        let [vault] = holding.as_slice() else { panic!("in {} processes", holding.len()) };
        assert_eq!(vault.of, "now /proc/self/exe child vault");
        // Two pieces of each share that was there by then, and the five that all of a set have.
        assert_eq!(vault.holds(&made).len(), 2 * shares + 5, "{:?}", vault.holds(&made));
    }
}

/// Work folders, records, media, custody, trust folders, the tokens' own files.
fn search_folder(search: &Search, folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search_folder(search, &path, found);
        } else {
            let bytes = fs::read(&path).unwrap();
            let name = path.display().to_string();
            found.extend(search.found(&bytes).into_iter().map(|what| format!("{name}: {what}")));
        }
    }
}

/// Which processes there were to look into: an empty search finds nothing.
#[track_caller]
fn looked_at(kind: &str, keeper: &Keeper) {
    let looked: BTreeSet<String> = keeper.kept().map(|memory| process(&memory)).collect();
    let child = |moment: &str, kind: &str| format!("{moment} /proc/self/exe child {kind}");
    let mut expected = BTreeSet::from([
        child("end", "token"),
        child("end", "vault"),
        main_at("end"),
        main_at("now"),
    ]);
    // What only destroys has none at its last question.
    if kind != "retire" {
        expected.insert(child("now", "vault"));
    }
    assert_eq!(looked, expected, "{kind}");
}

/// A process and a moment, whatever the number of the ceremony.
fn process(memory: &Memory) -> String {
    let words = memory.of.split(' ').filter(|word| !word.ends_with(".toml"));
    words.collect::<Vec<_>>().join(" ")
}

fn main_at(moment: &str) -> String {
    format!("{moment} {} conduct --room", env!("CARGO_BIN_EXE_officiant"))
}

/// The control: a module that keeps the PIN is found out, in its own process and in no other.
#[test]
fn a_pin_that_a_module_keeps_is_found_in_its_process_and_nowhere_else() {
    let scratch = Scratch::new();
    let shim = Shim::before(&scratch, "all", MODULE, &["C_Login every after keep"]);
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room_with(&["officer-a"], &shim.module().display().to_string());
    bench.write_plan(&on_one_token());
    let mut people = People::new();
    let sat = people.sit(&bench, "genesis");
    let search = Search::of(&people.typed());
    let found: BTreeSet<String> =
        sat.keeper.kept().flat_map(|memory| memory.holds(&search)).collect();
    assert_eq!(found, BTreeSet::from(["end /proc/self/exe child token: PIN raw".to_owned()]));
}

/// The control for the rest: a secret that somebody made the name of a key.
#[test]
fn a_secret_that_a_plan_names_is_found_in_memory_on_the_screen_and_in_every_folder() {
    let bench = Bench::new(Dialect::Tuf, &["repo.test"]);
    bench.write_room(&["share-1"]);
    let mut people = People::new();
    let plan = bench.plan_toml(&on_paper(), bench.write_request(&BTreeMap::new()));
    bench.lay_plan(&plan.replace("root-s", &people.pin), &on_paper().roles);
    let sat = people.sit(&bench, "genesis");
    let search = Search::of(&[Searched { name: "it".into(), bytes: people.pin.clone().into() }]);
    let held = sat.keeper.kept().filter(|memory| !memory.holds(&search).is_empty());
    assert_eq!(held.map(|memory| process(&memory)).collect::<Vec<_>>(), [main_at("now")]);
    assert!(!search.found(sat.screen.as_bytes()).is_empty());
    let mut found = Vec::new();
    search_folder(&search, bench.scratch.path(), &mut found);
    for place in [
        "work-1/record.jsonl",
        "media/room-1/candidate-",
        "media/room-2/candidate-",
        "media/out-1a/trust/custody.json",
        "media/out-1b/trust/ceremonies/0001-genesis/record.jsonl",
    ] {
        let below = bench.path(place).display().to_string();
        assert!(found.iter().any(|what| what.starts_with(&below)), "{place}: {found:?}");
    }
}
