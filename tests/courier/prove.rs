//! Proofs of possession, as the room reads them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use officiant::digest::Digest;
use officiant::request::Role;
use officiant::request::proof::{Claim, Proof};
use officiant::root::{Dialect, SignedRoot};

use super::made::Soft;
use super::{courier, text};
use crate::harness::command::{command, flat, run};
use crate::harness::notary::{NotaryServer, PASSPHRASE};
use crate::harness::pty::Pty;
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
    // With `EC PARAMETERS` before the key, as OpenSSL writes it when it is not told otherwise.
    openssl("ecparam -genkey -name prime256v1 -out parameters.pem");
    openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out pkcs8.pem");
    let repository = "localhost:5000/x";
    for file in ["ed25519", "rsa", "pkcs1", "sec1", "parameters", "pkcs8"] {
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
        let found = proofs(&media);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].verify(&claim, &public), Ok(()));
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

/// The proof that `courier` makes with an encrypted key when the passphrase is typed at its terminal.
fn proved(scratch: &Scratch, key: &Path, media: &Path) -> Proof {
    let plan = scratch.file("plan.toml", "");
    let mut courier = courier(scratch.path());
    courier.arg("prove").arg(plan).args(["--repository", "x", "--role", "targets", "--key"]);
    let mut pty = Pty::start(courier.arg(key).arg("--out").arg(media));
    pty.expect("owner of the key — passphrase of");
    keeps_to_itself(pty.pid());
    pty.send_line(PASSPHRASE);
    let ended = pty.finish();
    assert!(ended.status.success(), "{}", ended.transcript);
    assert!(!ended.transcript.contains(PASSPHRASE));
    proofs(media).remove(0)
}

/// Sees that a process leaves no core dump, and that its memory is closed to others of the same user.
fn keeps_to_itself(process: u32) {
    let read = |file: &str| fs::read_to_string(format!("/proc/{process}/{file}")).unwrap();
    let limits = read("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    // What is not dumpable belongs to the administrator, whoever runs it; for the administrator's own it is the same.
    let owner = fs::metadata(format!("/proc/{process}/environ")).unwrap().uid();
    assert_eq!(owner, 0);
}

/// The proofs on media, each under its own path.
fn proofs(media: &Path) -> Vec<Proof> {
    let names = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = names(media.join("proofs")).flat_map(|path| match path.is_dir() {
        true => names(path).collect(),
        false => vec![path],
    });
    let read = |path: PathBuf| {
        let inside = path.strip_prefix(media).unwrap().to_str().unwrap();
        Proof::read_file(inside, &fs::read(&path).unwrap()).unwrap()
    };
    files.flat_map(read).collect()
}

#[test]
fn two_owners_of_one_role_prove_on_one_media() {
    let scratch = Scratch::new();
    let plan = scratch.file("plan.toml", "");
    let media = scratch.folder("in");
    let owners = [Soft::new(), Soft::new()];
    let prove = |owner: &Soft| {
        let key = scratch.file("key.pem", owner.pkcs8());
        let mut courier = courier(scratch.path());
        courier.arg("prove").arg(&plan).args(["--repository", "x", "--role", "targets", "--key"]);
        run(courier.arg(key).arg("--out").arg(&media))
    };
    for owner in &owners {
        prove(owner).ok();
    }
    let found = proofs(&media);
    assert_eq!(found.len(), 2);
    for owner in &owners {
        assert!(found.iter().any(|proof| proof.verify(&claim(b""), &owner.public) == Ok(())));
    }
    // What stands there stays.
    let again = prove(&owners[0]);
    assert_eq!(again.code(), 1);
    assert!(
        again.stderr.contains("already exists with other content [MEDIA-OWN]"),
        "{}",
        again.stderr
    );
}

fn claim(plan: &[u8]) -> Claim {
    Claim { plan: Digest::of(plan), repository: "x".parse().unwrap(), role: Role::Targets }
}

#[test]
fn the_encrypted_key_of_a_notary_publisher_is_opened_at_the_terminal() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let ada = scratch.folder("ada");
    run(server.notary(&ada).args(["init", "-p", "localhost:5000/demo"])).ok();
    let private = fs::read_dir(ada.join("trust/private")).unwrap().map(|file| file.unwrap().path());
    let is_targets = |path: &PathBuf| fs::read_to_string(path).unwrap().contains("role: targets");
    let key = private.into_iter().find(is_targets).unwrap();
    let root = fs::read(ada.join("trust/tuf/localhost:5000/demo/metadata/root.json")).unwrap();
    let root = SignedRoot::parse(Dialect::Notary, &root).unwrap();
    let (_, public) = root.root().role_keys(Role::Targets).next().unwrap();

    let proof = proved(&scratch, &key, &scratch.folder("in"));
    assert_eq!(proof.verify(&claim(b""), public.public().unwrap()), Ok(()));
}

#[test]
fn an_encrypted_key_of_openssl_is_opened_and_a_wrong_passphrase_is_told() {
    let scratch = Scratch::new();
    let key = Soft::new();
    scratch.file("plain.pem", key.pkcs8());
    let arguments = ["pkcs8", "-topk8", "-in", "plain.pem", "-out", "key.pem", "-passout"];
    let mut openssl = command("openssl", scratch.path());
    run(openssl.args(arguments).arg(format!("pass:{PASSPHRASE}"))).ok();
    let file = scratch.path().join("key.pem");
    let proof = proved(&scratch, &file, &scratch.folder("in"));
    assert_eq!(proof.verify(&claim(b""), &key.public), Ok(()));

    // OpenSSL's old form is read, too, but for ciphers that nobody should use.
    for cipher in ["-aes256", "-des3"] {
        let mut old = command("openssl", scratch.path());
        old.args(["ec", cipher, "-in", "plain.pem", "-out", "old.pem", "-passout"]);
        run(old.arg(format!("pass:{PASSPHRASE}"))).ok();
        if cipher == "-aes256" {
            let file = scratch.path().join("old.pem");
            let proof = proved(&scratch, &file, &scratch.folder("in-old"));
            assert_eq!(proof.verify(&claim(b""), &key.public), Ok(()));
        }
    }
    assert!(fs::read_to_string(scratch.path().join("old.pem")).unwrap().contains("Proc-Type: 4,"));
    let mut opening = courier(scratch.path());
    opening.args(["prove", "plan.toml", "--repository", "x", "--role", "targets", "--key"]);
    let refused = run(opening.args(["old.pem", "--out"]).arg(scratch.folder("other")));
    assert_eq!(
        refused.stderr,
        "error: `old.pem` is encrypted by a cipher that is not read\n\
         hint: `openssl pkcs8 -topk8 -in OLD -out NEW` writes it anew\n\
         nothing was written\n"
    );

    let prove = || {
        let mut courier = courier(scratch.path());
        let plan = scratch.path().join("plan.toml");
        courier.arg("prove").arg(plan).args(["--repository", "x", "--role", "targets", "--key"]);
        courier.arg(&file).arg("--out").arg(scratch.folder("other"));
        courier
    };
    let mut pty = Pty::start(&prove());
    pty.expect("passphrase of");
    pty.send_line("something else");
    let ended = pty.finish();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.transcript);
    assert!(
        ended.transcript.contains("is not opened by this passphrase\n"),
        "{}",
        ended.transcript
    );
    assert!(ended.transcript.ends_with("nothing was written\n"), "{}", ended.transcript);

    // Nobody at a terminal: it does not wait.
    let mut session = command("setsid", scratch.path());
    let prove = prove();
    let refused = run(session.arg("--wait").arg(prove.get_program()).args(prove.get_args()));
    assert_eq!(refused.code(), 2);
    assert!(refused.stderr.contains("is encrypted, and no passphrase was typed\n"));
}

#[test]
fn a_key_is_proved_for_every_repository_of_a_list_that_pins_it() {
    let scratch = Scratch::new();
    let plan = scratch.file("plan.toml", "ceremony = \"genesis\"\n");
    let (mine, other) = (Soft::new(), Soft::new());
    let key = scratch.file("key.pem", mine.pkcs8());
    let id = mine.public.id();
    let line = |name: &str, role: &str, id: Digest| format!("localhost/{name} 0 - {role}={id}\n");
    let list = |lines: &[String]| scratch.file("list.txt", lines.concat());
    let prove = |list: &Path, media: &Path| {
        let mut courier = courier(scratch.path());
        courier.arg("prove").arg(&plan).arg("--list").arg(list).args(["--role", "targets"]);
        run(courier.arg("--key").arg(&key).arg("--out").arg(media))
    };
    let media = scratch.folder("in");
    let three = list(&[
        line("a", "targets", id),
        line("b", "targets", id),
        line("c", "snapshot", other.public.id()),
    ]);
    let told = prove(&three, &media).ok().stdout;
    assert!(told.contains("for       `targets` of `localhost/b`\n"), "{told}");
    let file = media.join(format!("proofs/targets-{id}.jsonl"));
    assert_eq!(told.matches(&format!("written   {}\n", file.display())).count(), 2, "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
    let shown =
        run(command(env!("CARGO_BIN_EXE_officiant"), scratch.path()).arg("show").arg(&file));
    assert!(flat(&shown.ok().stdout).contains("`localhost/a` and `localhost/b`, role `targets`"));
    let found = proofs(&media);
    let mut names: Vec<&str> = found.iter().map(|proof| proof.claim.repository.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["localhost/a", "localhost/b"]);
    for proof in &found {
        assert_eq!(proof.verify(&proof.claim, &mine.public), Ok(()));
        assert_eq!(proof.claim.plan, Digest::of(&fs::read(&plan).unwrap()));
    }
    // A list with somebody else's key in it is not half proved.
    let empty = scratch.folder("in-2");
    let mixed = list(&[line("a", "targets", id), line("d", "targets", other.public.id())]);
    let refused = prove(&mixed, &empty);
    assert_eq!(
        refused.stderr,
        "error: `localhost/d`: the key that the list pins for `targets` is not at hand\n\
         hint: name the file of each key by `--key`, or take the repository out of the list\n\
         nothing was written\n"
    );
    let none = list(&[line("c", "snapshot", id)]);
    let refused = prove(&none, &empty);
    assert!(
        refused.stderr.starts_with("error: the list pins no key for `targets`\n"),
        "{}",
        refused.stderr
    );
    assert_eq!(fs::read_dir(&empty).unwrap().count(), 0);
}
