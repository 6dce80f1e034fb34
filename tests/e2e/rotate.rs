//! Rotations of every root key, and a client that was away.

use std::fs;

use jiff::ToSpan;
use officiant::digest::Digest;
use officiant::trust::Custody;

use super::Journey;
use super::genesis::{SHARES, TOKENS, genesis as hold_genesis};
use super::journey::GUN;
use crate::courier::said;
use crate::harness::notary::NotaryServer;
use crate::sitting::{Holding, PlanText, genesis, today};

/// A rotation to new keys, all of them.
pub(crate) fn rotation(
    journey: &Journey,
    keys: Vec<(&'static str, &'static str, Holding)>,
) -> PlanText {
    let root: Vec<_> = keys.iter().map(|(name, _, _)| *name).collect();
    PlanText {
        ceremony: "rotate",
        after: Some(journey.bench.closing(journey.bench.number - 1)),
        threshold: if root.len() == 1 { 1 } else { 2 },
        root,
        keys,
        roles: Vec::new(),
        extra: String::new(),
    }
}

/// Fetches and plans the next ceremony.
fn prepare(journey: &mut Journey, keys: Vec<(&'static str, &'static str, Holding)>) {
    journey.bench.next_room();
    let plan = rotation(journey, keys);
    journey.fetch(&[]);
    journey.plan(&plan, "");
}

fn all<'a>(one: &[&'a str], other: &[&'a str]) -> Vec<&'a str> {
    one.iter().chain(other).copied().collect()
}

fn published(journey: &Journey, from: u32) {
    let told = said(&journey.publish().ok());
    assert_eq!(told, format!("{GUN}: version {from} → {}, fetched back and equal\n", from + 1));
    journey.release(&format!("{}.0", from + 1));
}

const SPARE: [&str; 3] = ["spare-1", "spare-2", "spare-3"];
const LATER: [&str; 2] = ["later-a", "later-b"];

#[test]
fn a_client_that_was_away_walks_from_the_first_root_to_the_fifth() {
    let mut journey = hold_genesis(NotaryServer::memory, &genesis::on_tokens(), &TOKENS);
    journey.clients_agree("away", "1.0");
    // From tokens to shares, at a terminal.
    prepare(&mut journey, vec![("root-s", "ecdsa-p256", Holding::Shares(3, &SHARES))]);
    journey.conduct_at_terminal(&all(&TOKENS, &SHARES));
    published(&journey, 1);
    journey.clients_agree("bob", "2.0");
    // From shares to shares, unattended from here.
    prepare(&mut journey, vec![("root-t", "ecdsa-p256", Holding::Shares(2, &SPARE))]);
    journey.conduct(&all(&SHARES, &SPARE));
    published(&journey, 2);
    // From shares to tokens.
    let on_tokens = |a, b, t: [&'static str; 2]| {
        vec![(a, "ecdsa-p256", Holding::Token(t[0])), (b, "ecdsa-p384", Holding::Token(t[1]))]
    };
    prepare(&mut journey, on_tokens("root-d", "root-e", LATER));
    journey.conduct(&all(&SPARE, &LATER));
    published(&journey, 3);
    // From tokens to tokens: those of the first ceremony, with new keys on them.
    prepare(&mut journey, on_tokens("root-f", "root-g", ["officer-a", "officer-b"]));
    journey.conduct(&all(&LATER, &TOKENS));
    published(&journey, 4);
    for person in ["away", "bob", "eve"] {
        journey.clients_agree(person, "5.0");
    }
    assert_eq!(journey.newest().version().get(), 5);
}

#[test]
fn a_key_in_shares_gives_way_to_keys_on_tokens_on_a_server_with_a_signer() {
    let mut journey = hold_genesis(NotaryServer::with_signer, &genesis::in_shares(), &SHARES);
    let keys = vec![
        ("root-a", "ecdsa-p256", Holding::Token("officer-a")),
        ("root-b", "rsa-3072", Holding::Token("officer-b")),
        ("root-c", "ecdsa-p256", Holding::Token("officer-c")),
    ];
    prepare(&mut journey, keys);
    journey.conduct_at_terminal(&all(&SHARES, &TOKENS));
    published(&journey, 1);
    for person in ["bob", "eve"] {
        journey.clients_agree(person, "2.0");
    }
}

/// Writes a plan that retires the keys of the first ceremony, by two requests that lie on the `in` media.
fn plan_retire(journey: &Journey) {
    let (bench, number) = (&journey.bench, journey.bench.number);
    let request = |folder: &str| {
        let sums = bench.path(&format!("media/in-{number}/{folder}/SHA256SUMS"));
        Digest::of(&fs::read(sums).unwrap())
    };
    let (from, until) = (today().yesterday().unwrap(), today().checked_add(3.days()).unwrap());
    let plan = format!(
        "ceremony = \"retire\"\ntitle = \"Retire\"\ndialect = \"notary\"\nquorum_people = 1\n\
         practice = true\nafter = \"{}\"\n[when]\nfrom = {from}\nuntil = {until}\n\
         [request]\nsha256 = \"{}\"\nsecond = \"{}\"\n[[repository]]\nname = \"{GUN}\"\n\
         [retire]\nkeys = [\"root-a\", \"root-b\", \"root-c\"]\nhold = 0\n",
        bench.closing(number - 1),
        request("request"),
        request("request-2"),
    );
    bench.scratch.file(&format!("plan-{number}.toml"), plan);
}

#[test]
fn keys_are_retired_once_a_real_server_signs_over_the_root_without_them() {
    let mut journey = hold_genesis(NotaryServer::with_signer, &genesis::on_tokens(), &TOKENS);
    let keys = vec![
        ("root-d", "ecdsa-p256", Holding::Token("later-a")),
        ("root-e", "ecdsa-p256", Holding::Token("later-b")),
    ];
    prepare(&mut journey, keys);
    journey.conduct(&all(&TOKENS, &LATER));
    published(&journey, 1);
    journey.bench.next_room();
    journey.fetch(&[]);
    journey.fetch_second();
    plan_retire(&journey);
    journey.conduct(&TOKENS);
    let custody = fs::read(journey.bench.trust(3).join("custody.json")).unwrap();
    let custody: Custody = serde_json::from_slice(&custody).unwrap();
    assert_eq!(custody.gone.len(), 3, "{:?}", custody.gone);
    for person in ["bob", "eve"] {
        journey.clients_agree(person, "2.0");
    }
}
