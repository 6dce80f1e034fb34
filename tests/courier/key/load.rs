//! Private keys of others, in every form, into the store.

use std::fs;
use std::path::Path;

use officiant::key::PublicKey;
use officiant::key::file::KeyFile;
use officiant::root::{Dialect, Key};

use super::{close, done, file_of, ids, key, with_passphrase};
use crate::harness::command::{command, run};
use crate::harness::notary::{NotaryServer, PASSPHRASE};
use crate::harness::pty::Pty;
use crate::harness::scratch::Scratch;

/// Runs openssl in a folder.
fn openssl(home: &Path, arguments: &str) {
    run(command("openssl", home).args(arguments.split(' '))).ok();
}

/// The public half of a file of openssl's, and Notary's id of it.
fn public(home: &Path, file: &str) -> (PublicKey, String) {
    openssl(home, &format!("pkey -in {file} -pubout -out public.pem"));
    let key = fs::read_to_string(home.join("public.pem")).unwrap();
    let key = PublicKey::from_pem(&key).unwrap();
    let id = Key::plain(Dialect::Notary, &key).unwrap().id().to_string();
    (key, id)
}

#[test]
fn every_form_that_needs_no_passphrase_is_loaded_and_read_by_notary() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let home = scratch.folder("ada");
    openssl(&home, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem");
    openssl(&home, "rsa -traditional -in rsa.pem -out pkcs1.pem");
    openssl(&home, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out pkcs8-rsa.pem");
    openssl(&home, "ecparam -genkey -noout -name prime256v1 -out sec1.pem");
    openssl(&home, "ecparam -genkey -name prime256v1 -out parameters.pem");
    openssl(&home, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out pkcs8.pem");
    openssl(&home, "genpkey -algorithm ed25519 -out ed25519.pem");
    let mut expected = Vec::new();
    for file in ["pkcs1", "pkcs8-rsa", "sec1", "parameters", "pkcs8", "ed25519"] {
        let pem = format!("{file}.pem");
        close(&home.join(&pem));
        let (_, id) = public(&home, &pem);
        let ran = done(&home, &["load", &pem, "--name", file]);
        assert_eq!(ran.stdout, format!("key       {id}\nrole      {file}, loaded\n"));
        let stored = fs::read_to_string(file_of(&home, &id)).unwrap();
        let head = format!("-----BEGIN ENCRYPTED PRIVATE KEY-----\nrole: {file}\n\n");
        assert!(stored.starts_with(&head), "{stored}");
        expected.push((id, file));
    }
    // Notary opens each of them: it has to, to give it another passphrase.
    let mut notary = server.notary(&home);
    notary.arg("--trustDir").arg(home.join("docker/trust"));
    let listed = run(notary.args(["key", "list"])).ok().stdout;
    for (id, file) in &expected {
        assert!(listed.contains(id.as_str()), "{file}: {listed}");
        let mut passwd = server.notary(&home);
        for role in ["ROOT", "TARGETS", "SNAPSHOT", "DELEGATION"] {
            passwd.env_remove(format!("NOTARY_{role}_PASSPHRASE"));
        }
        passwd.arg("--trustDir").arg(home.join("docker/trust"));
        let mut pty = Pty::start(passwd.args(["key", "passwd", id]));
        pty.expect_unseen("Enter passphrase for");
        pty.send_line(PASSPHRASE);
        pty.expect_unseen("Enter passphrase for new");
        pty.send_line("another passphrase");
        pty.expect_unseen("Repeat passphrase for new");
        pty.send_line("another passphrase");
        let ended = pty.finish();
        assert!(ended.status.success(), "{file}: {}", ended.transcript);
        // And what it wrote then is read here.
        let stored = KeyFile::read(&fs::read(file_of(&home, id)).unwrap()).unwrap();
        assert!(stored.open(b"another passphrase").is_ok(), "{file}");
    }
}

#[test]
fn encrypted_keys_are_opened_and_encrypted_anew_in_the_form_that_notary_reads() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    let secret = "the secret of the file";
    openssl(&home, "ecparam -genkey -noout -name prime256v1 -out plain.pem");
    let (_, id) = public(&home, "plain.pem");
    for (name, arguments) in [
        ("sha256", "pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256"),
        ("sha1", "pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA1"),
        ("dek256", "ec -aes256"),
        ("dek128", "ec -aes128"),
    ] {
        let mut encrypt = command("openssl", &home);
        encrypt.args(arguments.split(' ')).args(["-in", "plain.pem", "-out", "key.pem"]);
        run(encrypt.arg("-passout").arg(format!("pass:{secret}"))).ok();
        close(&home.join("key.pem"));
        // The file's passphrase is typed, the store's is set.
        let mut pty = Pty::start(&with_passphrase(&home, &["load", "key.pem", "--name", "ada"]));
        pty.expect("owner of the key — passphrase of `key.pem`");
        pty.send_line(secret);
        let ended = pty.finish();
        assert!(ended.status.success(), "{name}: {}", ended.transcript);
        assert!(!ended.transcript.contains(secret) && !ended.transcript.contains(PASSPHRASE));
        let path = file_of(&home, &id);
        let stored = KeyFile::read(&fs::read(&path).unwrap()).unwrap();
        assert!(stored.open(secret.as_bytes()).is_err(), "{name}");
        assert!(stored.open(PASSPHRASE.as_bytes()).is_ok(), "{name}");
        fs::remove_file(path).unwrap();
    }
    // One passphrase for both needs nobody to type.
    let mut encrypt = command("openssl", &home);
    encrypt.args(["pkcs8", "-topk8", "-in", "plain.pem", "-out", "key.pem"]);
    run(encrypt.arg("-passout").arg(format!("pass:{PASSPHRASE}"))).ok();
    close(&home.join("key.pem"));
    done(&home, &["load", "key.pem", "--name", "ada"]);
    assert_eq!(ids(&home), [id]);
}

#[test]
fn a_key_that_is_there_is_said_and_left_as_it_is() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    openssl(&home, "ecparam -genkey -noout -name prime256v1 -out key.pem");
    let (_, id) = public(&home, "key.pem");
    done(&home, &["load", "key.pem", "--name", "ada"]);
    let before = fs::read(file_of(&home, &id)).unwrap();
    // Nobody is asked for a passphrase, and it stays the key of whose it was.
    let ran = run(&mut key(&home, &["load", "key.pem", "--name", "bob"])).ok();
    assert_eq!(ran.stdout, format!("key       {id}\nrole      ada, already in the store\n"));
    assert_eq!(fs::read(file_of(&home, &id)).unwrap(), before);
}

#[test]
fn all_keys_of_an_export_are_loaded_as_what_they_are() {
    let scratch = Scratch::new();
    let (ada, bob) = (scratch.folder("ada"), scratch.folder("bob"));
    done(&ada, &["generate", "ada"]);
    done(&ada, &["generate", "--role", "targets", "--gun", "localhost:5000/demo"]);
    done(&ada, &["generate", "--role", "snapshot", "--gun", "localhost:5000/demo"]);
    let file = bob.join("export.pem");
    let target = file.to_str().unwrap();
    done(&ada, &["export", "-o", target]);
    let ran = done(&bob, &["load", target, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["keys"].as_array().unwrap().len(), 3);
    assert_eq!(ids(&bob), ids(&ada));
    let rows = |home: &Path| {
        let listed = done(home, &["list"]).stdout;
        let place = home.to_str().unwrap();
        listed.replace(place, "")
    };
    assert_eq!(rows(&bob), rows(&ada));

    // Notary before 0.4 wrote the repository into the path.
    let eve = scratch.folder("eve");
    let now = fs::read_to_string(&file).unwrap();
    let old =
        now.replace("gun: localhost:5000/demo\npath: ", "path: tuf_keys/localhost:5000/demo/");
    assert_ne!(old, now);
    fs::write(&file, old).unwrap();
    done(&eve, &["load", target]);
    assert_eq!(rows(&eve), rows(&ada));
}

#[test]
fn what_a_file_says_of_a_key_cannot_play_with_the_terminal() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    done(&home, &["generate", "ada"]);
    let id = ids(&home).remove(0);
    let text = fs::read_to_string(file_of(&home, &id)).unwrap();
    fs::write(file_of(&home, &id), text.replace("role: ada", "role: a\u{1b}[2Jb")).unwrap();
    let listed = done(&home, &["list"]).stdout;
    assert!(listed.contains("\na\\u{1b}[2Jb  "), "{listed}");
}
