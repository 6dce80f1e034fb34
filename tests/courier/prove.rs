//! Proofs of possession, as the room reads them.

use std::fs;

use officiant::digest::Digest;
use officiant::request::Role;
use officiant::request::proof::{Claim, Proof};

use super::made::Soft;
use super::{courier, text};
use crate::harness::command::{command, run};
use crate::harness::scratch::Scratch;

#[test]
fn every_kind_of_private_key_proves_itself() {
    let scratch = Scratch::new();
    let plan = scratch.file("plan.toml", "ceremony = \"rotate\"\n");
    let openssl = |arguments: &str| {
        run(command("openssl", scratch.path()).args(arguments.split(' '))).ok();
    };
    openssl("genpkey -algorithm ed25519 -out ed25519.pem");
    openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out rsa.pem");
    openssl("rsa -traditional -in rsa.pem -out pkcs1.pem");
    openssl("ecparam -genkey -noout -name prime256v1 -out sec1.pem");
    openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out pkcs8.pem");
    let repository = "localhost:5000/x";
    for file in ["ed25519", "rsa", "pkcs1", "sec1", "pkcs8"] {
        let key = scratch.path().join(format!("{file}.pem"));
        openssl(&format!("pkey -in {file}.pem -pubout -out {file}.pub"));
        let public = fs::read_to_string(scratch.path().join(format!("{file}.pub"))).unwrap();
        let public = officiant::key::PublicKey::from_pem(&public).unwrap();
        let media = scratch.folder(&format!("in-{file}"));
        let mut courier = courier(scratch.path());
        courier.arg("prove").arg(&plan).args(["--repository", repository, "--role", "targets"]);
        let ran = run(courier.arg("--key").arg(&key).arg("--out").arg(&media)).ok();
        assert!(ran.stdout.contains(&public.id().grouped()), "{}", ran.stdout);

        let plan = Digest::of(&fs::read(&plan).unwrap());
        let claim = Claim { plan, repository: repository.parse().unwrap(), role: Role::Targets };
        let bytes = fs::read(media.join(claim.path())).unwrap();
        let proofs = Proof::parse(&bytes).unwrap();
        assert_eq!(proofs.len(), 1);
        assert_eq!(proofs[0].verify(&claim, &public), Ok(()));
        assert_eq!(fs::read(media.join("officiant-media")).unwrap(), b"in\n");
    }
}

#[test]
fn what_proves_nothing_is_told() {
    let scratch = Scratch::new();
    let plan = scratch.file("plan.toml", "");
    let key = scratch.file("key.pem", Soft::new().pkcs8());
    let public = scratch.file("public.pem", Soft::new().public.to_pem());
    let media = scratch.folder("in");
    let prove = |plan: &str, role: &str, key: &str| {
        let mut courier = courier(scratch.path());
        courier.args(["prove", plan, "--repository", "x", "--role", role, "--key", key, "--out"]);
        let ran = run(courier.arg(&media));
        assert_eq!(ran.code(), 2);
        ran.stderr
    };
    for (said, words) in [
        (prove("/none", "targets", text(&key)), "error: the plan `/none` is missing\n"),
        (
            prove(text(&plan), "root", text(&key)),
            "error: `root` is no online role; expected `snapshot`, `targets` or `timestamp`\n",
        ),
        (
            prove(text(&plan), "timestamp", text(&key)),
            "error: a `timestamp` key is the server's, and is not proved\n",
        ),
    ] {
        assert!(said.starts_with(words), "{said}");
        assert!(said.ends_with("nothing was written\n"), "{said}");
    }
    let said = prove(text(&plan), "targets", text(&public));
    assert!(said.contains("holds a `PUBLIC KEY`, expected a `PRIVATE KEY`"), "{said}");
    assert_eq!(fs::read_dir(&media).unwrap().count(), 0);
}
