//! A repository of another tool: its root key is put on a token, adopted, and rotated away.

use std::fs;
use std::path::PathBuf;

use officiant::digest::Digest;
use officiant::key::PublicKey;
use officiant::request::Line;
use officiant::room::soft;
use officiant::root::{Dialect, Role, SignedRoot};

use super::Journey;
use super::genesis::TOKENS;
use super::journey::{GUN, make_key};
use crate::courier::said;
use crate::harness::command::{command, run};
use crate::harness::notary::{NotaryServer, PASSPHRASE};
use crate::harness::softhsm::SO_PIN;
use crate::sitting::{Bench, Holding, PIN, PlanText, genesis};

/// The repository as `notary init` makes it, with a root key that openssl made.
fn initialised(journey: &Journey) -> Digest {
    make_key(&journey.bench, "root");
    let key = encrypted(&journey.bench);
    let key = key.to_str().unwrap();
    journey.notary("ada", &["init", "--rootkey", key, "-p", GUN]).ok();
    pin(&journey.bench)
}

/// The root key in `root-key.pem` as `notary` takes it.
pub(super) fn encrypted(bench: &Bench) -> PathBuf {
    let openssl = "pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA1 -iter 2048 -in root-key.pem \
                   -out root-encrypted.pem -passout";
    let mut openssl_pkcs8 = command("openssl", bench.scratch.path());
    openssl_pkcs8.args(openssl.split_whitespace());
    run(openssl_pkcs8.arg(format!("pass:{PASSPHRASE}"))).ok();
    bench.path("root-encrypted.pem")
}

/// What a plan names the old root key by.
pub(super) fn pin(bench: &Bench) -> Digest {
    let public = fs::read_to_string(bench.path("root.pem")).unwrap();
    PublicKey::from_pem(&public).unwrap().id()
}

/// The tables by which a plan adopts it.
pub(super) fn adopting(key: Digest) -> String {
    format!(
        "[[token]]\nname = \"old\"\ncustodian = \"release engineer\"\n[[key]]\nname = \"root-old\"\n\
         algorithm = \"ecdsa-p256\"\ntoken = \"old\"\nadopt = \"{key}\"\n"
    )
}

/// Puts a private key on a new soft token, as its owner would before the ceremony.
pub(super) fn import(bench: &Bench, token: &str, file: &str) {
    let folder = bench.path(&format!("tokens/{token}"));
    let configuration = soft::make(&folder).unwrap();
    let util = |arguments: &[&str]| {
        let mut tool = command("softhsm2-util", bench.scratch.path());
        run(tool.env("SOFTHSM2_CONF", &configuration).args(arguments)).ok();
    };
    util(&["--init-token", "--free", "--label", token, "--so-pin", SO_PIN, "--pin", PIN]);
    let key = ["--label", "old root", "--id", "01", "--pin", PIN];
    util(&[&["--import", file, "--token", token], &key[..]].concat());
}

#[test]
fn a_repository_of_notary_is_adopted_and_its_root_key_rotated_away() {
    let mut journey = Journey::new(NotaryServer::memory);
    let old = initialised(&journey);
    journey.release("1.0");
    journey.notary("away", &["list", GUN]).ok();
    import(&journey.bench, "old", "root-key.pem");

    journey.fetch(&[]);
    let plan = PlanText { ceremony: "rotate", roles: vec![Role::Snapshot], ..genesis::on_tokens() };
    journey.plan(&plan, &adopting(old));
    let tokens = [&TOKENS[..], &["old"]].concat();
    journey.conduct_at_terminal(&tokens);
    let told = said(&journey.publish().ok());
    assert_eq!(told, format!("{GUN}: version 1 → 2, fetched back and equal\n"));
    assert_eq!(journey.newest().signatures().len(), 4);
    for person in ["ada", "away", "bob"] {
        journey.clients_agree(person, "1.0");
    }
    // The publisher's notary goes on, though the root key that it has is none any more.
    journey.release("2.0");
    journey.clients_agree("away", "2.0");

    journey.bench.next_room();
    let keys = genesis::in_shares();
    let plan = PlanText {
        ceremony: "rotate",
        after: Some(journey.bench.closing(1)),
        roles: vec![],
        ..keys
    };
    journey.fetch(&[]);
    journey.plan(&plan, "");
    journey.conduct(&[&TOKENS[..], &super::genesis::SHARES].concat());
    journey.publish().ok();
    for person in ["ada", "away", "eve"] {
        journey.clients_agree(person, "2.0");
    }
}

#[test]
fn an_adopted_key_can_stay_beside_a_new_one() {
    let mut journey = Journey::new(NotaryServer::with_signer);
    let old = initialised(&journey);
    journey.release("1.0");
    journey.notary("away", &["list", GUN]).ok();
    import(&journey.bench, "old", "root-key.pem");
    journey.fetch(&[]);
    let plan = PlanText {
        ceremony: "rotate",
        keys: vec![("root-a", "ecdsa-p256", Holding::Token("officer-a"))],
        root: vec!["root-a", "root-old"],
        roles: vec![Role::Snapshot],
        ..genesis::on_tokens()
    };
    journey.plan(&plan, &adopting(old));
    journey.conduct_at_terminal(&["officer-a", "old"]);
    journey.publish().ok();
    let root = journey.newest();
    let role = root.root().role(Role::Root).unwrap();
    assert_eq!((role.threshold, role.ids.len()), (2, 2));
    for person in ["away", "bob"] {
        journey.clients_agree(person, "1.0");
    }
}

#[test]
fn the_root_key_file_of_notary_goes_into_shares_signs_once_and_is_rotated_away() {
    goes_from_its_file(initialise_by_notary, &["old-1", "old-2"], IN_SHARES);
}

#[test]
fn the_root_key_file_of_docker_goes_into_shares_signs_once_and_is_rotated_away() {
    goes_from_its_file(initialise_by_docker, &["old-1", "old-2"], IN_SHARES);
}

#[test]
fn the_root_key_file_of_notary_goes_onto_a_token_signs_once_and_is_rotated_away() {
    goes_from_its_file(initialise_by_notary, &["old-1"], "token = \"old-1\"");
}

const IN_SHARES: &str = "shares = { threshold = 2, tokens = [\"old-1\", \"old-2\"] }";

/// As many repositories are: `notary` made the root key itself, and keeps it in a file of this folder.
fn initialise_by_notary(journey: &Journey) -> PathBuf {
    journey.notary("ada", &["init", "-p", GUN]).ok();
    journey.notary("ada", &["list", GUN]).ok();
    journey.person("ada").join("trust/private")
}

/// And most are so: `docker trust` made all of it when the first signer was added.
fn initialise_by_docker(journey: &Journey) -> PathBuf {
    journey.docker("ada", &["key", "generate", "ada"]).ok();
    let public = journey.person("ada").join("ada.pub");
    journey.docker("ada", &["signer", "add", "--key", public.to_str().unwrap(), "ada", GUN]).ok();
    journey.person("ada").join("docker/trust/private")
}

/// A root key that another tool made and keeps in a file is imported, to be held so.
fn goes_from_its_file(initialise: fn(&Journey) -> PathBuf, holders: &[&'static str], held: &str) {
    let journey = Journey::new(NotaryServer::memory);
    let private = initialise(&journey);
    let files = fs::read_dir(private).unwrap().map(|entry| entry.unwrap().path());
    let is_root = |path: &PathBuf| fs::read_to_string(path).unwrap().contains("role: root");
    let file = files.into_iter().find(is_root).unwrap();
    journey.fetch(&[]);
    let lines = fs::read(journey.bench.path("media/in-1/request/repositories.jsonl")).unwrap();
    let (_, repository) = Line::parse(&lines).unwrap();
    let root = SignedRoot::parse(Dialect::Notary, &repository.roots[0]).unwrap();
    let (_, old) = root.root().role_keys(Role::Root).next().unwrap();
    let old = old.public().unwrap().id();
    let tokens = holders
        .iter()
        .map(|name| format!("[[token]]\nname = \"{name}\"\ncustodian = \"seat of {name}\"\n"));
    let importing = format!(
        "{}[[key]]\nname = \"root-old\"\nalgorithm = \"ecdsa-p256\"\nimport = \"{old}\"\n{held}\n",
        tokens.collect::<String>()
    );
    let plan = PlanText { ceremony: "rotate", roles: vec![Role::Snapshot], ..genesis::on_tokens() };
    journey.plan(&plan, &importing);
    let tokens = [&TOKENS[..], holders].concat();
    journey.bench.write_room(&tokens);
    let answers = |file: &str, passphrase: &str| {
        let answers =
            journey.bench.write_answers(&tokens, &format!("\"import root-old\" = \"{file}\"\n"));
        let text = fs::read_to_string(&answers).unwrap();
        let pin = format!("[pin]\nroot-old = \"{passphrase}\"\n");
        fs::write(&answers, text.replace("[pin]\n", &pin)).unwrap();
    };
    journey.bench.rehearse().ok();
    // Another key, then another passphrase; nobody is locked out, and the ceremony goes on.
    let refused = |ran: crate::harness::command::Ran, what: &str| {
        assert!(ran.stderr.contains(what) && ran.code() == 1, "{what}: {}", ran.stderr);
    };
    answers("targets-key.pem", "unused");
    refused(journey.bench.conduct(), &format!(", the plan imports {old} [ADOPT-IN-CHAIN]\n"));
    let file = file.to_str().unwrap();
    answers(file, "another passphrase");
    refused(journey.bench.resume(), "error: the key file: the passphrase does not open it\n");
    answers(file, PASSPHRASE);
    let screen = journey.bench.resume().ok().stderr;
    let flat: Vec<&str> = screen.split_whitespace().collect();
    let destroy = "key root-old came from a file: destroy every copy of that file, of its backups and of its passphrase";
    assert!(flat.join(" ").contains(destroy), "{screen}");
    assert!(!screen.contains(PASSPHRASE), "{screen}");
    let told = said(&journey.publish().ok());
    assert_eq!(told, format!("{GUN}: version 1 → 2, fetched back and equal\n"));
    assert_eq!(journey.newest().signatures().len(), 4);
    for person in ["ada", "bob"] {
        journey.notary(person, &["list", GUN]).ok();
    }
    // Neither the key nor the file's passphrase lies anywhere that the ceremony wrote.
    let mut grep = command("grep", journey.home());
    grep.args(["-rlF", PASSPHRASE, "work-1", "media"]);
    assert_eq!(run(&mut grep).stdout, "");
}
