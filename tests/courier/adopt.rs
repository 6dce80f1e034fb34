//! Repositories that other tools made or go on with, while the root is ours.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use officiant::request::Role;
use officiant::root::{Dialect, SignedRoot};

use super::genesis::{GUN, Genesis};
use super::made::Soft;
use super::{fetch, request, said, text};
use crate::harness::command::{command, run};
use crate::harness::notary::{NotaryServer, PASSPHRASE};
use crate::harness::scratch::Scratch;

#[test]
fn a_repository_of_notary_init_is_adopted_and_its_snapshot_key_moves_to_the_server() {
    let it = Genesis::new(NotaryServer::memory);
    let ada = it.scratch.folder("ada");
    run(it.server.notary(&ada).args(["init", "-p", GUN])).ok();
    let media = it.scratch.folder("in2");
    let ran = fetch(&it.server, it.home(), &media, &[GUN]).ok();
    assert!(
        ran.stdout.contains("holds     1 repository, 0 of them new to the server"),
        "{}",
        ran.stdout
    );
    let request = request(&media.join("request"));
    let repository = &request.repositories[&GUN.parse().unwrap()];
    let first = SignedRoot::parse(Dialect::Notary, &repository.roots[0]).unwrap();
    let draft = fs::read_to_string(media.join("repositories.txt")).unwrap();
    let line = draft.lines().last().unwrap();
    assert!(line.starts_with(&format!("{GUN} 1 {} snapshot=", first.digest())), "{line}");
    assert!(!line.contains("timestamp="), "the server's own timestamp key is in the root: {line}");

    let old = root_key_of_notary(&ada);
    let snapshot = repository.keys[&Role::Snapshot][0].clone();
    let kept = it.next(&first, &[&old], &it.all(), BTreeMap::new());
    let refused = it.publish(&[&first, &kept], &[]);
    assert_eq!(refused.code(), 1);
    assert_eq!(
        refused.stderr,
        format!(
            "error: repository `{GUN}`: version 2 leaves the snapshot key with a client [SNAPSHOT-CLIENT]\n\
             hint: plan a root whose snapshot key is the one that `courier fetch` brought from the server\n\
             nothing was published\n"
        )
    );
    // The next but one keeps the key that the server has by then: nobody asks for it again.
    let moved = it.next(&first, &[&old], &it.all(), [(Role::Snapshot, snapshot)].into());
    let third = it.next(&moved, &it.all(), &it.all(), BTreeMap::new());
    let ran = it.publish(&[&first, &moved, &third], &[]).ok();
    assert_eq!(said(&ran), format!("{GUN}: version 1 → 3, fetched back and equal\n"));
    it.list("ada").ok();
    it.list("new").ok();
}

/// The private root key that `notary` made and encrypted under the well-known passphrase.
fn root_key_of_notary(home: &Path) -> Soft {
    let private = home.join("trust/private");
    let files = fs::read_dir(private).unwrap().map(|file| file.unwrap().path());
    let text = files
        .map(|file| fs::read_to_string(file).unwrap())
        .find(|text| text.contains("role: root"));
    let text = text.unwrap();
    let bare: Vec<&str> =
        text.lines().filter(|line| !line.contains(": ")).filter(|l| !l.is_empty()).collect();
    let (encrypted, plain) = (home.join("encrypted.pem"), home.join("plain.der"));
    fs::write(&encrypted, bare.join("\n") + "\n").unwrap();
    // The version number in what Notary encrypts is 1, which openssl does not read: it decrypts, we read on.
    let mut openssl = command("openssl", home);
    openssl.args(["asn1parse", "-noout", "-in"]).arg(&encrypted);
    run(&mut openssl).ok();
    let der = decrypted(&bare, PASSPHRASE);
    fs::write(&plain, &der).unwrap();
    // SEC 1 stands in an octet string at the end.
    let sec1 = (1..der.len()).find_map(|at| {
        let signing = &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        aws_lc_rs::signature::EcdsaKeyPair::from_private_key_der(signing, &der[at..]).ok()
    });
    Soft::of(sec1.unwrap())
}

/// Undoes PBES2 with PBKDF2-HMAC-SHA1 and AES-256-CBC, in Python.
fn decrypted(lines: &[&str], passphrase: &str) -> Vec<u8> {
    let scratch = Scratch::new();
    let program = "
import base64, sys, hashlib
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
der = base64.b64decode(sys.argv[1])
def tlv(b, at):
    tag, n, at = b[at], b[at + 1], at + 2
    if n & 0x80:
        k = n & 0x7f
        n, at = int.from_bytes(b[at:at + k], 'big'), at + k
    return tag, b[at:at + n], at + n
def seq(b):
    out, at = [], 0
    while at < len(b):
        tag, v, at = tlv(b, at)
        out.append(v)
    return out
algorithm, data = seq(tlv(der, 0)[1])
kdf, cipher = seq(seq(algorithm)[1])
salt, rounds = seq(seq(kdf)[1])[:2]
iv = seq(cipher)[1]
key = hashlib.pbkdf2_hmac('sha1', sys.argv[2].encode(), salt, int.from_bytes(rounds, 'big'), 32)
d = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
plain = d.update(data) + d.finalize()
print(plain[:-plain[-1]].hex())
";
    let body = lines[1..lines.len() - 1].concat();
    let ran = crate::harness::peers::python(&scratch, program, &[&body, passphrase]).ok();
    data_encoding::HEXLOWER.decode(ran.stdout.trim().as_bytes()).unwrap()
}

#[test]
fn docker_adds_a_signer_while_the_root_is_offline() {
    let it = Genesis::new(NotaryServer::memory);
    let key = it.key_file();
    it.publish(&[&it.first], &["--targets-key", text(&key)]).ok();
    let ada = it.scratch.folder("ada");
    let (_, targets) = it.first.root().role_keys(Role::Targets).next().unwrap();
    let head = format!("-----BEGIN PRIVATE KEY-----\ngun: {GUN}\nrole: targets\n\n");
    let pem = it.targets.pkcs8().replace("-----BEGIN PRIVATE KEY-----\n", &head);
    it.scratch.file(&format!("ada/docker/trust/private/{}.key", targets.id()), pem);
    run(command("chmod", &ada).args(["-R", "go=", "docker"])).ok();
    let docker = |arguments: &[&str]| run(it.server.docker(&ada).args(arguments));
    docker(&["trust", "key", "generate", "ada"]).ok();
    docker(&["trust", "signer", "add", "--key", "ada.pub", "ada", GUN]).ok();
    let inspected = docker(&["trust", "inspect", GUN]).ok().stdout;
    assert!(inspected.contains("\"Name\": \"ada\""), "{inspected}");
    // The room's next root goes up beside the new delegation, and clients see both.
    let second = it.next(&it.first, &it.all(), &it.all(), BTreeMap::new());
    it.publish(&[&it.first, &second], &[]).ok();
    let inspected = docker(&["trust", "inspect", GUN]).ok().stdout;
    assert!(inspected.contains("\"Name\": \"ada\""), "{inspected}");
    it.list("new").ok();
}

#[test]
fn a_new_targets_key_signs_the_delegations_that_are_there() {
    let it = Genesis::new(NotaryServer::memory);
    let key = it.key_file();
    it.publish(&[&it.first], &["--targets-key", text(&key)]).ok();
    let ada = it.scratch.folder("ada");
    let (_, targets) = it.first.root().role_keys(Role::Targets).next().unwrap();
    let head = format!("-----BEGIN PRIVATE KEY-----\ngun: {GUN}\nrole: targets\n\n");
    let pem = it.targets.pkcs8().replace("-----BEGIN PRIVATE KEY-----\n", &head);
    it.scratch.file(&format!("ada/trust/private/{}.key", targets.id()), pem);
    run(command("chmod", &ada).args(["-R", "go=", "trust"])).ok();
    let file = it.scratch.file("ada/file", "content");
    // A target whose name Go escapes in files and does not escape in what is signed.
    let mut notary = it.server.notary(&ada);
    run(notary.args(["add", "-p", GUN, "a<b>&c"]).arg(file)).ok();

    let fresh = Soft::new();
    let roles = [(Role::Targets, fresh.public.clone())].into();
    let second = it.next(&it.first, &it.all(), &it.all(), roles);
    let key = it.scratch.file("fresh-key.pem", fresh.pkcs8());
    it.publish(&[&it.first, &second], &["--targets-key", text(&key)]).ok();
    for person in ["ada", "new"] {
        let listed = it.list(person).ok().stdout;
        assert!(listed.contains("a<b>&c"), "{listed}");
    }
}
