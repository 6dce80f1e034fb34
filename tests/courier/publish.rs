//! From a real server to a signed chain and back, with the real clients as judges.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use officiant::request::Role;
use officiant::root::{Dialect, SignedRoot};

use super::made::{Soft, Wish, sign};
use super::{fetch, publish, request, text, trust};
use crate::harness::command::{Ran, command, run};
use crate::harness::notary::{NotaryServer, PASSPHRASE};
use crate::harness::scratch::Scratch;

const GUN: &str = "localhost:5000/demo";

/// A fetched repository, the keys of its root and of its targets, and the first root.
struct Genesis {
    scratch: Scratch,
    server: NotaryServer,
    keys: Vec<Soft>,
    targets: Soft,
    first: SignedRoot,
}

impl Genesis {
    /// Fetches an unknown repository and makes its root, 2 of 3.
    fn new(server: impl Fn(&Scratch) -> NotaryServer) -> Self {
        let scratch = Scratch::new();
        let server = server(&scratch);
        let targets = Soft::new();
        let public = scratch.file("targets.pem", targets.public.to_pem());
        let media = scratch.folder("in");
        fetch(&server, scratch.path(), &media, &[GUN, "--targets-key", text(&public)]).ok();
        let request = request(&media.join("request"));
        let repository = &request.repositories[&GUN.parse().unwrap()];
        assert!(repository.roots.is_empty());
        let roles = repository.keys.iter().map(|(role, keys)| (*role, keys[0].clone())).collect();
        let keys: Vec<Soft> = (0..3).map(|_| Soft::new()).collect();
        let all: Vec<&Soft> = keys.iter().collect();
        let wish = Wish { gun: GUN, keys: &all, threshold: 2, roles, days: 3000 };
        let first = sign(&wish.root(Dialect::Notary, None), &all, None);
        Self { scratch, server, keys, targets, first }
    }

    fn all(&self) -> Vec<&Soft> {
        self.keys.iter().collect()
    }

    fn home(&self) -> &Path {
        self.scratch.path()
    }

    fn key_file(&self) -> PathBuf {
        self.scratch.file("targets-key.pem", self.targets.pkcs8())
    }

    /// The next root with `keys`, and `roles` changed, signed by the old keys and the new.
    fn next(
        &self,
        last: &SignedRoot,
        old: &[&Soft],
        keys: &[&Soft],
        roles: BTreeMap<Role, officiant::key::PublicKey>,
    ) -> SignedRoot {
        let wish = Wish { gun: GUN, keys, threshold: 2, roles, days: 3100 };
        sign(&wish.root(Dialect::Notary, Some(last.root())), keys, Some((last.root(), old)))
    }

    fn publish(&self, roots: &[&SignedRoot], more: &[&str]) -> Ran {
        let roots: Vec<_> = roots.iter().map(|root| (GUN, root.bytes())).collect();
        publish(&self.server, self.home(), &trust(self.home(), &roots), more)
    }

    /// What the real client of a person makes of the repository.
    fn list(&self, person: &str) -> Ran {
        run(self.server.notary(&self.scratch.folder(person)).args(["list", GUN]))
    }

    fn served(&self, file: &str) -> Option<Vec<u8>> {
        let url = format!("{}/v2/{GUN}/_trust/tuf/{file}", self.server.url());
        let out = self.home().join("served");
        let _ = fs::remove_file(&out);
        let mut curl = command("curl", self.home());
        let ran =
            run(curl.args(["-sf", "--cacert"]).arg(self.server.ca()).arg("-o").arg(&out).arg(url));
        ran.status.success().then(|| fs::read(out).unwrap())
    }
}

fn a_genesis_and_a_rotation_of_all_keys(server: impl Fn(&Scratch) -> NotaryServer) {
    let it = Genesis::new(server);
    let key = it.key_file();
    let ran = it.publish(&[&it.first], &["--targets-key", text(&key)]).ok();
    assert_eq!(
        ran.stdout,
        format!(
            "{GUN}: version 0 → 1, fetched back and equal\n  `targets.json` signed for version 1\n"
        )
    );
    it.list("early").ok();

    let fresh: Vec<Soft> = (0..3).map(|_| Soft::new()).collect();
    let fresh: Vec<&Soft> = fresh.iter().collect();
    let second = it.next(&it.first, &it.all(), &fresh, BTreeMap::new());
    let third = it.next(&second, &fresh, &it.all(), BTreeMap::new());
    let ran = it.publish(&[&it.first, &second, &third], &[]).ok();
    assert_eq!(ran.stdout, format!("{GUN}: version 1 → 3, fetched back and equal\n"));
    assert_eq!(it.served("2.root.json").unwrap(), second.bytes());
    it.list("early").ok();
    it.list("late").ok();

    let again = it.publish(&[], &[]).ok();
    assert_eq!(again.stdout, format!("{GUN}: version 3 was there already, byte for byte\n"));
    let inspected =
        run(it.server.docker(&it.scratch.folder("bob")).args(["trust", "inspect", GUN])).ok();
    assert!(inspected.stdout.contains("\"Name\": \"Root\""), "{}", inspected.stdout);
}

#[test]
fn a_genesis_and_a_rotation_go_up_to_a_server_with_keys_in_memory() {
    a_genesis_and_a_rotation_of_all_keys(NotaryServer::memory);
}

#[test]
fn a_genesis_and_a_rotation_go_up_to_a_server_with_a_signer() {
    a_genesis_and_a_rotation_of_all_keys(NotaryServer::with_signer);
}

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
    let moved = it.next(&first, &[&old], &it.all(), [(Role::Snapshot, snapshot)].into());
    it.publish(&[&first, &moved], &[]).ok();
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
fn a_new_targets_key_goes_up_only_with_targets_that_it_signed() {
    let it = Genesis::new(NotaryServer::memory);
    let refused = it.publish(&[&it.first], &[]);
    assert_eq!(refused.code(), 1);
    assert_eq!(
        refused.stderr,
        format!(
            "error: repository `{GUN}`: version 1 needs 1 of its targets keys to sign, 0 can [TARGETS-UNSIGNED]\n\
             hint: name the private targets key by `--targets-key`, where its owner publishes\n\
             nothing was published\n"
        )
    );
    let key = it.key_file();
    it.publish(&[&it.first], &["--targets-key", text(&key)]).ok();

    let fresh = Soft::new();
    let second =
        it.next(&it.first, &it.all(), &it.all(), [(Role::Targets, fresh.public.clone())].into());
    let refused = it.publish(&[&it.first, &second], &["--targets-key", text(&key)]);
    assert!(
        refused
            .stderr
            .contains("version 2 needs 1 of its targets keys to sign, 0 can [TARGETS-UNSIGNED]")
    );
    let sec1 = it.scratch.file("fresh-key.pem", fresh.sec1());
    let ran = it.publish(&[], &["--targets-key", text(&sec1)]).ok();
    assert!(ran.stdout.contains("`targets.json` signed for version 2"), "{}", ran.stdout);
    it.list("new").ok();
}

/// Each of these the server takes with 200, and is then broken for every client (facts of the API).
#[test]
fn a_damaged_root_is_refused_where_the_server_would_have_taken_it() {
    let it = Genesis::new(NotaryServer::memory);
    let key = it.key_file();
    let good = String::from_utf8(it.first.bytes().to_vec()).unwrap();
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&good).unwrap())
            .unwrap();
    for damaged in
        [format!("{good}\n"), good.replace("\"method\":\"ecdsa\"", "\"method\":\"ECDSA\""), pretty]
    {
        let path = trust(it.home(), &[(GUN, damaged.as_bytes())]);
        let refused = publish(&it.server, it.home(), &path, &["--targets-key", text(&key)]);
        assert_eq!(refused.code(), 1);
        assert_eq!(
            refused.stderr,
            format!(
                "error: repository `{GUN}`: version 1 is not byte for byte what the server writes [ROOT-BYTES]\n\
                 hint: publish what a ceremony closed, unchanged\n\
                 nothing was published\n"
            )
        );
    }
    assert_eq!(it.served("root.json"), None);
    // The same bytes by curl: taken, and broken.
    it.publish(&[&it.first], &["--targets-key", text(&key)]).ok();
    let second = it.next(&it.first, &it.all(), &it.all(), BTreeMap::new());
    let damaged = it.scratch.file("damaged", [second.bytes(), b"\n"].concat());
    let mut curl = command("curl", it.home());
    let form = format!("files=@{};filename=root", damaged.display());
    let url = format!("{}/v2/{GUN}/_trust/tuf/", it.server.url());
    run(curl.args(["-sf", "--cacert"]).arg(it.server.ca()).args(["-F", &form, &url])).ok();
    assert_ne!(it.list("new").code(), 0);
}

#[test]
fn too_few_signatures_and_foreign_chains_are_refused() {
    let it = Genesis::new(NotaryServer::memory);
    let key = it.key_file();
    let more = ["--targets-key", text(&key)];
    it.publish(&[&it.first], &more).ok();
    let all = it.all();
    let strangers: Vec<Soft> = (0..3).map(|_| Soft::new()).collect();
    let strangers: Vec<&Soft> = strangers.iter().collect();

    let one = it.next(&it.first, &all[..1], &strangers, BTreeMap::new());
    let refused = it.publish(&[&it.first, &one], &[]);
    assert_eq!(refused.code(), 1);
    assert!(
        refused.stderr.starts_with(&format!(
            "error: repository `{GUN}`: version 2 has 1 of 2 signatures by the keys of version 1 [ROOT-THRESHOLD]\n"
        )),
        "{}",
        refused.stderr
    );
    let wish = Wish {
        gun: GUN,
        keys: &strangers,
        threshold: 2,
        roles: it
            .first
            .root()
            .role_keys(Role::Snapshot)
            .map(|(_, key)| (Role::Snapshot, key.public().unwrap().clone()))
            .chain(
                it.first
                    .root()
                    .role_keys(Role::Targets)
                    .map(|(_, key)| (Role::Targets, key.public().unwrap().clone())),
            )
            .chain(
                it.first
                    .root()
                    .role_keys(Role::Timestamp)
                    .map(|(_, key)| (Role::Timestamp, key.public().unwrap().clone())),
            )
            .collect(),
        days: 3000,
    };
    let other = sign(&wish.root(Dialect::Notary, None), &strangers, None);
    fs::remove_dir_all(it.home().join("trust")).unwrap();
    let refused = it.publish(&[&other], &[]);
    assert!(
        refused.stderr.starts_with(&format!(
            "error: repository `{GUN}`: the server's version 1 is not the trust folder's [PUBLISH-FORK]\n"
        )),
        "{}",
        refused.stderr
    );
}

#[test]
fn what_must_not_leave_is_refused() {
    let it = Genesis::new(NotaryServer::memory);
    let media = it.scratch.folder("media");
    let root = [(GUN, it.first.bytes())];
    trust(&media, &root);
    for (marker, words) in [
        ("in\n", "is marked `in`, expected `out` [MEDIA-KIND]"),
        ("room\n", "is marked `room`, expected `out` [MEDIA-KIND]"),
    ] {
        fs::write(media.join("officiant-media"), marker).unwrap();
        for path in [media.clone(), media.join("trust")] {
            let refused = publish(&it.server, it.home(), &path, &[]);
            assert_eq!(refused.code(), 1);
            assert!(refused.stderr.lines().next().unwrap().ends_with(words), "{}", refused.stderr);
            assert!(refused.stderr.ends_with("nothing was published\n"));
        }
    }
    fs::write(media.join("officiant-media"), "out\n").unwrap();
    fs::create_dir(media.join("custody")).unwrap();
    let refused = publish(&it.server, it.home(), &media, &[]);
    assert!(
        refused.stderr.contains("is a custody folder, which never leaves the room [MEDIA-KIND]")
    );
    fs::remove_dir(media.join("custody")).unwrap();
    fs::write(media.join("trust/REHEARSAL"), "").unwrap();
    let refused = publish(&it.server, it.home(), &media, &[]);
    assert!(refused.stderr.contains("is of a rehearsal [REHEARSAL]"), "{}", refused.stderr);

    let name = "rehearsal.invalid/demo";
    let rehearsed = trust(&it.scratch.folder("rehearsed"), &[(name, it.first.bytes())]);
    let refused = publish(&it.server, it.home(), &rehearsed, &[]);
    assert_eq!(refused.code(), 1);
    assert_eq!(
        refused.stderr.lines().next().unwrap(),
        format!("error: `{name}` is of a rehearsal [REHEARSAL]")
    );
}

#[test]
fn a_fleet_goes_up_together_or_not_at_all() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let targets = Soft::new();
    let public = scratch.file("targets.pem", targets.public.to_pem());
    let private = scratch.file("key.pem", targets.pkcs8());
    let names: Vec<String> = (1..=24).map(|n| format!("localhost:5000/fleet/{n}")).collect();
    let list = scratch.file("names", names.join("\n"));
    let media = scratch.folder("in");
    let more = ["--list", text(&list), "--targets-key", text(&public), "--jobs", "4"];
    fetch(&server, scratch.path(), &media, &more).ok();
    let request = request(&media.join("request"));
    let keys: Vec<Soft> = (0..2).map(|_| Soft::new()).collect();
    let keys: Vec<&Soft> = keys.iter().collect();
    let root = |(name, repository): (&officiant::name::Name, &officiant::request::Repository)| {
        let roles = repository.keys.iter().map(|(role, keys)| (*role, keys[0].clone())).collect();
        let wish = Wish { gun: name.as_str(), keys: &keys, threshold: 2, roles, days: 3000 };
        (name.to_string(), sign(&wish.root(Dialect::Notary, None), &keys, None))
    };
    let roots: Vec<_> = request.repositories.iter().map(root).collect();
    let mut files: Vec<_> =
        roots.iter().map(|(n, root)| (n.as_str(), root.bytes().to_vec())).collect();
    files[17].1.push(b'\n');
    let lay = |files: &[(&str, Vec<u8>)]| {
        trust(scratch.path(), &files.iter().map(|(n, b)| (*n, b.as_slice())).collect::<Vec<_>>())
    };
    let folder = lay(&files);
    let refused = publish(&server, scratch.path(), &folder, &["--targets-key", text(&private)]);
    assert_eq!(refused.code(), 1);
    assert!(refused.stderr.contains("[ROOT-BYTES]"), "{}", refused.stderr);
    assert!(refused.stderr.ends_with("nothing was published\n"));
    let bob = scratch.folder("bob");
    assert_ne!(run(server.notary(&bob).args(["list", &names[0]])).code(), 0);

    files[17].1.pop();
    let folder = lay(&files);
    let more = ["--targets-key", text(&private), "--json"];
    let ran = publish(&server, scratch.path(), &folder, &more).ok();
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let published = said["published"].as_array().unwrap();
    assert_eq!(published.len(), 24);
    assert!(published.iter().all(|one| one["before"] == 0 && one["now"] == 1));
    for name in [&names[0], &names[23]] {
        run(server.notary(&bob).args(["list", name])).ok();
    }
    let only = publish(&server, scratch.path(), &folder, &["--repository", &names[3]]).ok();
    assert_eq!(only.stdout, format!("{}: version 1 was there already, byte for byte\n", names[3]));
    let none = publish(&server, scratch.path(), &folder, &["--repository", "other"]);
    assert_eq!(none.code(), 2);
    assert!(none.stderr.starts_with("error: repository `other` is not in the trust folder\n"));
}

#[test]
fn a_root_that_cuts_clients_off_is_refused() {
    let it = Genesis::new(NotaryServer::memory);
    let all = it.all();
    let roles = [Role::Snapshot, Role::Targets, Role::Timestamp].map(|role| {
        (role, it.first.root().role_keys(role).next().unwrap().1.public().unwrap().clone())
    });
    // Its certificates are of another repository.
    let wish = Wish {
        gun: "localhost:5000/other",
        keys: &all,
        threshold: 2,
        roles: roles.into(),
        days: 3000,
    };
    let root = sign(&wish.root(Dialect::Notary, None), &all, None);
    let key = it.key_file();
    let refused = it.publish(&[&root], &["--targets-key", text(&key)]);
    assert_eq!(refused.code(), 1);
    assert_eq!(
        refused.stderr,
        format!(
            "error: repository `{GUN}`: Notary client with no root is cut off: version 1: \
             no root certificate is valid for `{GUN}` [WALK]\n\
             hint: `officiant check` shows every client and every start\n\
             nothing was published\n"
        )
    );
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
