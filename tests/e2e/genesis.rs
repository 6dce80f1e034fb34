//! The first ceremony, from a real server and back to it, at a terminal.

use officiant::root::Role;

use super::Journey;
use super::journey::GUN;
use crate::courier::said;
use crate::harness::notary::NotaryServer;
use crate::harness::scratch::Scratch;
use crate::sitting::{PIN, PlanText, genesis};

/// The tokens of a genesis 2 of 3.
pub(crate) const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];
/// The tokens of a genesis split 3 of 5.
pub(super) const SHARES: [&str; 5] = ["share-1", "share-2", "share-3", "share-4", "share-5"];

/// Fetches, plans, conducts at a terminal and publishes a first root, and has a release signed under it.
pub(super) fn genesis(
    server: impl Fn(&Scratch) -> NotaryServer,
    plan: &PlanText,
    tokens: &[&str],
) -> Journey {
    let mut journey = Journey::new(server);
    journey.fetch(&["--targets-key", "targets.pem"]);
    journey.plan(plan, "");
    let ended = journey.conduct_at_terminal(tokens);
    assert!(!ended.transcript.contains(PIN), "a PIN is never on the screen");
    let published = said(&journey.publish().ok());
    let told = format!(
        "{GUN}: version 0 → 1, fetched back and equal\n  \
         `targets.json` version 1 with 0 targets signed for version 1: "
    );
    assert!(published.starts_with(&told), "{published}");
    journey.release("1.0");
    journey.clients_agree("bob", "1.0");
    journey
}

/// The publisher adds a signer with docker, while every root key is away.
fn signers_can_be_added(journey: &Journey) {
    let carol = journey.person("carol");
    let key = journey.home().join("targets-key.pem");
    let mut import = journey.server.notary(&journey.person("carol/docker"));
    import.args(["key", "import", "--role", "targets", "--gun", GUN]).arg(key);
    crate::harness::command::run(&mut import).ok();
    journey.docker("carol", &["key", "generate", "dave"]).ok();
    let public = carol.join("dave.pub");
    let add = ["signer", "add", "--key", public.to_str().unwrap(), "dave", GUN];
    journey.docker("carol", &add).ok();
    let inspected = journey.docker("bob", &["inspect", GUN]).ok().stdout;
    assert!(inspected.contains("\"Name\": \"dave\""), "{inspected}");
    assert_eq!(journey.newest().version().get(), 1);
}

#[test]
fn keys_on_tokens_sign_what_the_clients_of_a_server_with_keys_in_memory_take() {
    let journey = genesis(NotaryServer::memory, &genesis::on_tokens(), &TOKENS);
    let root = journey.newest();
    let role = root.root().role(Role::Root).unwrap();
    assert_eq!((role.threshold, role.ids.len(), root.signatures().len()), (2, 3, 3));
    signers_can_be_added(&journey);
}

#[test]
fn a_key_in_shares_signs_what_the_clients_of_a_server_with_keys_in_memory_take() {
    let journey = genesis(NotaryServer::memory, &genesis::in_shares(), &SHARES);
    signers_can_be_added(&journey);
}

#[test]
fn keys_on_tokens_sign_what_the_clients_of_a_server_with_a_signer_take() {
    genesis(NotaryServer::with_signer, &genesis::on_tokens(), &TOKENS);
}
