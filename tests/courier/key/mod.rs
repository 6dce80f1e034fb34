//! `courier key`, and the store that it shares with docker and notary.

mod change;
mod killed;
mod load;
mod refused;
mod theirs;
mod token;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use officiant::key::PublicKey;
use officiant::key::file::KeyFile;
use officiant::root::{Dialect, Key};

use super::{courier, text};
use crate::harness::command::{Ran, run};
use crate::harness::notary::PASSPHRASE;
use crate::harness::scratch::Scratch;

/// `courier key` of a person without any passphrase set, whose docker configuration is `home`/docker.
fn key(home: &Path, arguments: &[&str]) -> Command {
    let mut courier = courier(home);
    courier.arg("key").args(arguments).env("DOCKER_CONFIG", home.join("docker"));
    courier
}

/// The same with the passphrase set, as docker has it.
fn with_passphrase(home: &Path, arguments: &[&str]) -> Command {
    let mut key = key(home, arguments);
    key.env("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", PASSPHRASE);
    key
}

/// Does it with the passphrase set.
#[track_caller]
fn done(home: &Path, arguments: &[&str]) -> Ran {
    run(&mut with_passphrase(home, arguments)).ok()
}

/// The folder of a person's keys.
fn private(home: &Path) -> PathBuf {
    home.join("docker/trust/private")
}

/// What stands in a folder, by name.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The ids of a person's keys, as the names of the files say.
fn ids(home: &Path) -> Vec<String> {
    let names = names(&private(home)).into_iter();
    names.map(|name| name.strip_suffix(".key").expect("nothing else").to_owned()).collect()
}

/// The file of a key.
fn file_of(home: &Path, id: &str) -> PathBuf {
    private(home).join(format!("{id}.key"))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Closes a file to others, as keys are.
fn close(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The id under which Notary keeps a key.
fn id_of(public: &Path) -> String {
    let block = KeyFile::read(&fs::read(public).unwrap()).unwrap();
    let public = PublicKey::from_der(block.der()).unwrap();
    Key::plain(Dialect::Notary, &public).unwrap().id().to_string()
}

/// A file with every character replaced that belongs to the key and not to the form.
fn form(text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let body = lines.iter().position(String::is_empty).unwrap() + 1;
    // Up to the 36th letter the algorithm stands there.
    let (first, rest) = lines[body].split_at(36);
    lines[body] = format!("{first}{}", "x".repeat(rest.len()));
    let end = lines.len() - 1;
    for line in &mut lines[body + 1..end] {
        *line = line.chars().map(|c| if c == '=' { '=' } else { 'x' }).collect();
    }
    lines.join("\n") + if text.ends_with('\n') { "\n" } else { "" }
}

#[test]
fn a_new_key_lies_where_docker_looks_and_its_public_half_is_as_docker_writes_it() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    let ran = done(&home, &["generate", "ada"]);
    let public = home.join("ada.pub");
    let id = id_of(&public);
    let file = file_of(&home, &id);
    let expected =
        format!("key       {id}\nrole      ada\nprivate   {}\npublic    ada.pub\n", text(&file));
    assert_eq!(ran.stdout, expected);
    assert_eq!(ran.stderr, "");
    assert_eq!(ids(&home), [id]);
    assert_eq!([mode(&private(&home)), mode(&home.join("docker"))], [0o700, 0o700]);
    assert_eq!([mode(&file), mode(&public)], [0o600, 0o600]);
    assert_eq!(names(&home), ["ada.pub", "docker"]);

    let server = crate::harness::notary::NotaryServer::memory(&scratch);
    let other = scratch.folder("bob");
    run(server.docker(&other).args(["trust", "key", "generate", "ada"])).ok();
    let read = |path: PathBuf| fs::read_to_string(path).unwrap();
    let theirs = read(other.join("ada.pub"));
    assert_eq!(form(&read(public)), form(&theirs));
    assert_eq!(mode(&other.join("ada.pub")), 0o600);
    let theirs = read(file_of(&other, &ids(&other)[0]));
    let ours = read(file);
    let head = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nrole: ada\n\n";
    assert!(ours.starts_with(head) && theirs.starts_with(head), "{ours}{theirs}");
    // Byte for byte but for the rounds, which are longer by one byte, and for what is drawn: the plain key.
    let plain = |text: &str| {
        let block = KeyFile::read(text.as_bytes()).unwrap();
        block.open(PASSPHRASE.as_bytes()).unwrap()
    };
    let (ours, theirs) = (plain(&ours), plain(&theirs));
    // Version, kind, and SEC 1 with its curve stand around the 32 bytes of the key and the 64 of its point.
    let form = |der: &[u8]| [&der[..36], &der[68..86]].concat();
    assert_eq!(ours.len(), theirs.len());
    assert_eq!(form(&ours), form(&theirs));
}

#[test]
fn a_key_of_a_role_says_of_which_repository_it_is() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    let role = ["generate", "--role", "targets", "--gun", "localhost:5000/demo", "--dir", "keys"];
    fs::create_dir(home.join("keys")).unwrap();
    let ran = done(&home, &role);
    assert!(ran.stdout.ends_with("public    keys/targets.pub\n"), "{}", ran.stdout);
    let id = id_of(&home.join("keys/targets.pub"));
    let head = "gun: localhost:5000/demo\nrole: targets\n\n";
    for (file, label) in
        [(home.join("keys/targets.pub"), "PUBLIC KEY"), (file_of(&home, &id), ENCRYPTED)]
    {
        let found = fs::read_to_string(file).unwrap();
        assert!(found.starts_with(&format!("-----BEGIN {label}-----\n{head}")), "{found}");
    }
    let expected = format!(
        "ROLE     GUN                  KEY ID{:58}  LOCATION\ntargets  localhost:5000/demo  {id}  {}\n",
        "",
        private(&home).display()
    );
    assert_eq!(done(&home, &["list"]).stdout, expected);
}

#[test]
fn a_list_tells_each_key_and_each_file_that_is_none() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    let empty = run(&mut key(&home, &["list"])).ok();
    assert_eq!(empty.stdout, format!("no key is in {}\n", private(&home).display()));
    assert!(!home.join("docker").exists());

    done(&home, &["generate", "ada"]);
    let [id] = &ids(&home)[..] else { panic!("one key") };
    let (other, no_id) = ("0".repeat(64), "noid");
    fs::write(file_of(&home, &other), "no key").unwrap();
    fs::write(file_of(&home, no_id), fs::read(file_of(&home, id)).unwrap()).unwrap();
    // What docker and notary pass over, we do.
    fs::write(private(&home).join("note.txt"), "no key").unwrap();
    let listed = run(&mut key(&home, &["list"])).ok().stdout;
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 4, "{listed}");
    assert!(lines[1].starts_with(&format!("ada        {id}  ")), "{listed}");
    let told = |name: &str, why: &str| {
        format!("not a key: `{}` is no key: {why}", file_of(&home, name).display())
    };
    assert_eq!(lines[2], told(&other, "it holds no key in PEM"));
    assert_eq!(lines[3], told(no_id, "its name is no id of a key"));
    let mut json = key(&home, &["list", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&run(&mut json).ok().stdout).unwrap();
    let expected = serde_json::json!({
        "role": "ada", "gun": null, "id": id, "file": file_of(&home, id), "encrypted": true, "token": null,
    });
    assert_eq!(json["keys"], serde_json::json!([expected]));
    assert_eq!(json["unread"][1]["file"], file_of(&home, no_id).to_str().unwrap());
}

#[test]
fn keys_of_the_layout_before_notary_0_4_are_read_and_stay() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    done(&home, &["generate", "--role", "targets", "--gun", "localhost:5000/team/app"]);
    let id = ids(&home).remove(0);
    // As notary 0.3 had it: no headers, the role in the name, the repository in the path.
    let file = fs::read_to_string(file_of(&home, &id)).unwrap();
    let old = file.replace("gun: localhost:5000/team/app\nrole: targets\n\n", "");
    assert_ne!(old, file);
    let folder = private(&home).join("tuf_keys/localhost:5000/team/app");
    fs::create_dir_all(&folder).unwrap();
    fs::remove_file(file_of(&home, &id)).unwrap();
    let path = folder.join(format!("{id}_targets.key"));
    fs::write(&path, old).unwrap();
    let listed = done(&home, &["list"]).stdout;
    let row = format!("targets  localhost:5000/team/app  {id}  {}\n", folder.display());
    assert!(listed.ends_with(&row), "{listed}");
    // It goes on to notary of today with its role and its repository.
    let exported = done(&home, &["export", "--key", &id[..7]]).stdout;
    let head = format!("gun: localhost:5000/team/app\npath: {id}\nrole: targets\n\n");
    assert!(exported.contains(&head), "{exported}");
    assert!(path.exists());
}

const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
