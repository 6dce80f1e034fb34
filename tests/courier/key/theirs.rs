//! Mixed teams: keys that docker and notary made, here; and keys that were made here, there.

use std::fs;
use std::path::Path;
use std::process::Command;

use officiant::key::file::KeyFile;

use super::{close, done, file_of, id_of, ids, key, text, with_passphrase};
use crate::harness::command::{Ran, run};
use crate::harness::notary::{NotaryServer, PASSPHRASE};
use crate::harness::pty::Pty;
use crate::harness::scratch::Scratch;

const GUN: &str = "localhost:5000/demo";

/// The notary of a person, over docker's trust folder.
fn notary(server: &NotaryServer, home: &Path) -> Command {
    let mut notary = server.notary(home);
    notary.arg("--trustDir").arg(home.join("docker/trust"));
    notary
}

#[track_caller]
fn docker(server: &NotaryServer, home: &Path, arguments: &[&str]) -> Ran {
    run(server.docker(home).arg("trust").args(arguments)).ok()
}

/// The ids of the keys that a list shows, by role.
fn listed(home: &Path, role: &str) -> Vec<String> {
    let json = run(&mut key(home, &["list", "--json"])).ok().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["unread"], serde_json::json!([]), "{json}");
    let keys = json["keys"].as_array().unwrap().iter();
    let of_role = keys.filter(|key| key["role"] == role);
    of_role.map(|key| key["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_signer_of_docker_signs_with_a_key_that_was_made_here() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let home = scratch.folder("ada");
    done(&home, &["generate", "ada"]);
    let id = id_of(&home.join("ada.pub"));
    docker(&server, &home, &["signer", "add", "--key", "ada.pub", "ada", GUN]);
    // A first tag, which docker itself would make with an engine at hand; the key signs it.
    let hash = "ab".repeat(32);
    let mut add = notary(&server, &home);
    add.args(["addhash", "-p", GUN, "1.0", "528", "--sha256", &hash, "-r", "targets/releases"]);
    run(&mut add).ok();
    docker(&server, &home, &["sign", &format!("{GUN}:1.0")]);
    let inspected = docker(&server, &home, &["inspect", GUN]).stdout;
    let inspected: serde_json::Value = serde_json::from_str(&inspected).unwrap();
    assert_eq!(inspected[0]["SignedTags"][0]["Signers"], serde_json::json!(["ada"]));
    assert_eq!(inspected[0]["SignedTags"][0]["Digest"], hash);
    assert_eq!(inspected[0]["Signers"][0]["Keys"][0]["ID"], id);
}

#[test]
fn notary_publishes_with_keys_that_were_made_here() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let home = scratch.folder("ada");
    run(notary(&server, &home).args(["init", "-p", GUN])).ok();
    done(&home, &["generate", "ada"]);
    done(&home, &["generate", "--role", "targets", "--gun", GUN]);
    let targets = id_of(&home.join("targets.pub"));
    // A targets key of ours takes the place of the one that notary made.
    done(&home, &["export", "--key", &targets, "-o", "targets.pem"]);
    let mut rotate = notary(&server, &home);
    run(rotate.args(["key", "rotate", GUN, "targets", "-k", "targets.pem"])).ok();
    let all = ["delegation", "add", "-p", GUN, "targets/ada", "ada.pub", "--all-paths"];
    run(notary(&server, &home).args(all)).ok();
    let file = scratch.file("ada/file", "content");
    for (role, name) in [("targets", "1.0"), ("targets/ada", "2.0")] {
        let add = ["add", "-p", GUN, name, text(&file), "-r", role];
        run(notary(&server, &home).args(add)).ok();
    }
    let listed = run(server.notary(&scratch.folder("bob")).args(["list", GUN])).ok().stdout;
    let rows = |name: &str, role: &str| {
        listed.lines().any(|row| row.starts_with(name) && row.ends_with(role))
    };
    assert!(rows("1.0", " targets") && rows("2.0", " targets/ada"), "{listed}");
}

#[test]
fn keys_of_docker_and_notary_are_listed_strengthened_and_still_theirs() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let home = scratch.folder("ada");
    docker(&server, &home, &["key", "generate", "ada"]);
    docker(&server, &home, &["signer", "add", "--key", "ada.pub", "ada", GUN]);
    run(notary(&server, &home).args(["key", "generate", "-r", "bob"])).ok();
    for (role, count) in [("ada", 1), ("bob", 1), ("root", 1), ("targets", 1)] {
        assert_eq!(listed(&home, role).len(), count, "{role}");
    }
    let [ada] = &listed(&home, "ada")[..] else { panic!("one key of ada") };
    let [targets] = &listed(&home, "targets")[..] else { panic!("one key of the repository") };
    // All of them get more rounds under the passphrase that they have.
    for id in ids(&home) {
        let mut passwd = with_passphrase(&home, &["passwd", &id]);
        let mut pty = Pty::start(passwd.env("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", PASSPHRASE));
        pty.expect("8 characters or more: ");
        pty.send_line(PASSPHRASE);
        pty.expect("the same passphrase again: ");
        pty.send_line(PASSPHRASE);
        let ended = pty.finish();
        assert!(ended.status.success(), "{}", ended.transcript);
        let block = KeyFile::read(&fs::read(file_of(&home, &id)).unwrap()).unwrap();
        assert_eq!(block.der()[43..48], [2, 3, 0x09, 0x27, 0xc0], "600 000");
    }
    let hash = "cd".repeat(32);
    for role in ["targets", "targets/ada"] {
        let mut add = notary(&server, &home);
        add.args(["addhash", "-p", GUN, "1.0", "528", "--sha256", &hash, "-r", role]);
        run(&mut add).ok();
    }
    let inspected = docker(&server, &home, &["inspect", GUN]).stdout;
    assert!(inspected.contains(ada) && inspected.contains(targets), "{inspected}");
}

#[test]
fn an_export_is_imported_by_notary_and_loaded_by_docker() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let home = scratch.folder("ada");
    done(&home, &["generate", "ada"]);
    done(&home, &["generate", "--role", "targets", "--gun", GUN]);
    done(&home, &["export", "-o", "all.pem"]);
    let (eve, bob) = (scratch.folder("eve"), scratch.folder("bob"));
    let all = home.join("all.pem");
    run(notary(&server, &eve).args(["key", "import"]).arg(&all)).ok();
    docker(&server, &bob, &["key", "load", text(&all)]);
    for other in [&eve, &bob] {
        assert_eq!(ids(other), ids(&home));
        for id in ids(&home) {
            let read = |home: &Path| fs::read(file_of(home, &id)).unwrap();
            assert_eq!(read(other), read(&home), "byte for byte");
        }
    }
    // And back: what notary exports is loaded here, without a passphrase typed.
    let fay = scratch.folder("fay");
    let back = fay.join("back.pem");
    run(notary(&server, &eve).args(["key", "export", "-o"]).arg(&back)).ok();
    close(&back);
    done(&fay, &["load", text(&back)]);
    assert_eq!(ids(&fay), ids(&home));
}

#[test]
fn what_docker_drops_without_a_word_is_loaded_here_and_read_there() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let home = scratch.folder("ada");
    done(&home, &["generate", "ada"]);
    let id = ids(&home).remove(0);
    // The file as it lies in the store: encrypted, and without the header `path`.
    let (bob, eve) = (scratch.folder("bob"), scratch.folder("eve"));
    let file = bob.join("key.pem");
    fs::copy(file_of(&home, &id), &file).unwrap();
    close(&file);
    docker(&server, &bob, &["key", "load", text(&file), "--name", "ada"]);
    assert!(!file_of(&bob, &id).exists(), "docker learned it: this test can go");
    done(&eve, &["load", text(&file), "--name", "ada"]);
    assert_eq!(ids(&eve), [id.as_str()]);
    let listed = run(notary(&server, &eve).args(["key", "list"])).ok().stdout;
    assert!(listed.contains(&id), "{listed}");
}

#[test]
fn a_publisher_proves_by_the_key_that_notary_made_and_never_names_a_file() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let home = scratch.folder("ada");
    run(notary(&server, &home).args(["init", "-p", GUN])).ok();
    scratch.file("ada/plan.toml", "ceremony = \"rotate\"\n");
    let prove = |repository: &str| {
        let mut prove = super::courier(&home);
        prove.args(["prove", "plan.toml", "--repository", repository, "--role", "targets"]);
        prove.arg("--out").arg(scratch.folder("in")).env("DOCKER_CONFIG", home.join("docker"));
        run(prove.env("NOTARY_TARGETS_PASSPHRASE", PASSPHRASE))
    };
    let ran = prove(GUN).ok();
    assert!(ran.stdout.contains(&format!("for       `targets` of `{GUN}`\n")), "{}", ran.stdout);
    // Notary's own trust folder, by its name.
    run(server.notary(&home).args(["init", "-p", "localhost:5000/other"])).ok();
    let mut named = super::courier(&home);
    named.args(["prove", "plan.toml", "--repository", "localhost:5000/other", "--role"]);
    named.args(["targets", "--trust-dir", "trust", "--out"]).arg(scratch.folder("in"));
    run(named.env("NOTARY_TARGETS_PASSPHRASE", PASSPHRASE)).ok();
    let refused = prove("localhost:5000/no");
    assert_eq!(
        refused.stderr,
        format!(
            "error: no key of targets of localhost:5000/no is in `{}`\n\
             hint: name its file by `--key`, or load it by `courier key load`\nnothing was written\n",
            super::private(&home).display()
        )
    );
    assert_eq!(refused.code(), 2);
}
