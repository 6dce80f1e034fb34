//! What `courier key` does not do, in its exact words.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{close, done, file_of, id_of, ids, key, names, private, with_passphrase};
use crate::harness::command::{command, run};
use crate::harness::notary::PASSPHRASE;
use crate::harness::scratch::Scratch;

/// Sees that a command ends with this code and these words, and that the store is as it was.
#[track_caller]
fn refused(home: &Path, arguments: &[&str], code: i32, words: &str) {
    let before = private(home).exists().then(|| names(&private(home)));
    // Nobody sits at a terminal, whoever runs the tests.
    let asked = with_passphrase(home, arguments);
    let mut session = command("setsid", home);
    session.arg("--wait").arg(asked.get_program()).args(asked.get_args());
    session.envs(asked.get_envs().filter_map(|(name, value)| value.map(|v| (name, v))));
    let ran = run(&mut session);
    assert_eq!(ran.stderr, words);
    assert_eq!((ran.code(), ran.stdout.as_str()), (code, ""));
    assert_eq!(private(home).exists().then(|| names(&private(home))), before);
}

#[test]
fn names_that_no_signer_has_are_refused() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    for name in ["releases", "root", "snapshot", "targets", "timestamp"] {
        let words = format!(
            "error: `{name}` is the name of a role, and no signer has it\nhint: take another name\n\
             nothing was written\n"
        );
        refused(&home, &["generate", name], 2, &words);
        refused(&home, &["load", "none.pem", "--name", name], 2, &words);
    }
    for name in ["Ada", "_ada", "a b", "ad\u{e4}", "a/b", ""] {
        let words = format!(
            "error: `{name}` is no name of a signer: expected a-z, 0-9, `_` and `-`, and a letter or digit at its \
             beginning\nhint: take a name that docker takes, too\nnothing was written\n"
        );
        refused(&home, &["generate", name], 2, &words);
    }
    for role in ["root", "timestamp", "targets/releases"] {
        let words = format!(
            "error: keys of `{role}` are not made or loaded here; expected `targets` or `snapshot`\n\
             hint: root keys are made in the room by a ceremony, the key of `timestamp` by the server\n\
             nothing was written\n"
        );
        refused(&home, &["generate", "--role", role, "--gun", "x"], 2, &words);
    }
    assert!(!home.join("docker").exists());
}

#[test]
fn nothing_is_written_over() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    fs::write(home.join("ada.pub"), "mine").unwrap();
    refused(
        &home,
        &["generate", "ada"],
        1,
        "error: `ada.pub` already exists\n\
         hint: nothing is ever overwritten: take another name, or another folder by `--dir`\n\
         nothing was written\n",
    );
    refused(
        &home,
        &["generate", "bob", "--dir", "none"],
        3,
        "error: `none` is missing\n\
         hint: see that this account may read and write it, and that there is room\n\
         nothing was written\n",
    );
    done(&home, &["generate", "bob"]);
    refused(
        &home,
        &["export", "-o", "ada.pub"],
        1,
        "error: `ada.pub` already exists with other content\nhint: nothing is ever overwritten\n\
         nothing was written\n",
    );
    assert_eq!(fs::read(home.join("ada.pub")).unwrap(), b"mine");
    assert_eq!(names(&home), ["ada.pub", "bob.pub", "docker"]);
}

#[test]
fn a_passphrase_that_nobody_gives_or_that_is_too_short_makes_no_key() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    let mut session = command("setsid", &home);
    let asked = key(&home, &["generate", "ada"]);
    let ran = run(session.arg("--wait").arg(asked.get_program()).args(asked.get_args()));
    assert_eq!(
        ran.stderr,
        "error: nobody was asked for the passphrase of ada\n\
         because there is no terminal to ask people on\n\
         hint: set it in the environment, or run courier at a terminal\nnothing was written\n"
    );
    assert_eq!(ran.code(), 2);
    let mut short = key(&home, &["generate", "ada"]);
    let ran = run(short.env("NOTARY_DELEGATION_PASSPHRASE", "seven77"));
    assert_eq!(
        ran.stderr,
        "error: the passphrase in the environment is too short for a new key, expected 8 characters or more\n\
         hint: set a longer one for new keys\nnothing was written\n"
    );
    assert_eq!(ran.code(), 1);
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
}

#[test]
fn files_that_are_no_private_key_or_open_to_others_are_not_loaded() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    let openssl = |arguments: &str| {
        run(command("openssl", &home).args(arguments.split(' '))).ok();
    };
    openssl("ecparam -genkey -noout -name prime256v1 -out key.pem");
    openssl("pkey -in key.pem -pubout -out public.pem");
    openssl("ecparam -genkey -noout -name secp384r1 -out p384.pem");
    close(&home.join("p384.pem"));
    let mut seal = command("openssl", &home);
    seal.args(["pkcs8", "-topk8", "-in", "p384.pem", "-out", "sealed.pem", "-passout"]);
    run(seal.arg(format!("pass:{PASSPHRASE}"))).ok();
    close(&home.join("sealed.pem"));
    fs::set_permissions(home.join("key.pem"), fs::Permissions::from_mode(0o640)).unwrap();
    let load = |file: &str, code: i32, words: &str| {
        let words = format!("{words}nothing was written\n");
        refused(&home, &["load", file, "--name", "ada"], code, &words);
    };
    load(
        "none.pem",
        2,
        "error: `none.pem` is missing or no PEM\n\
         hint: name a key file as OpenSSL or `notary` writes it\n",
    );
    load(
        "key.pem",
        1,
        "error: `key.pem` is open to others (mode 640)\n\
         hint: see who read it, then close it by `chmod 600 key.pem`\n",
    );
    load(
        "public.pem",
        2,
        "error: `public.pem` holds a `PUBLIC KEY`, expected a `PRIVATE KEY`\n\
         hint: the private half is wanted\n",
    );
    load(
        "p384.pem",
        2,
        "error: `p384.pem` is no private key of ECDSA P-256 or P-521, Ed25519 or RSA\n\
         hint: make a key of ECDSA P-256, Ed25519 or RSA\n",
    );
    // The passphrase is the right one.
    load(
        "sealed.pem",
        2,
        "error: `sealed.pem` is no private key of ECDSA P-256 or P-521, Ed25519 or RSA\n\
         hint: make a key of ECDSA P-256, Ed25519 or RSA\n",
    );
    close(&home.join("key.pem"));
    refused(
        &home,
        &["load", "key.pem"],
        2,
        "error: `key.pem` does not say whose key it is\n\
         hint: say it by `--name NAME`, or by `--role targets --gun NAME`\nnothing was written\n",
    );
}

#[test]
fn a_file_is_not_loaded_as_the_key_of_somebody_else_and_no_root_key_is() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    done(&home, &["generate", "ada"]);
    let export = done(&home, &["export"]).stdout;
    for (role, arguments, code, words) in [
        (
            "ada",
            &["load", "key.pem", "--name", "bob"][..],
            2,
            "error: `key.pem` holds a key of `ada`, the command line says `bob`\n\
             hint: leave `--name` or `--role` away to load it as what it is\nnothing was written\n",
        ),
        (
            "root",
            &["load", "key.pem"],
            1,
            "error: the key in `key.pem` is a root key\n\
             hint: a ceremony takes it into the room by `import` in its plan, and `retire` ends it\n\
             nothing was written\n",
        ),
    ] {
        let other = scratch.folder(&format!("as-{role}"));
        fs::write(other.join("key.pem"), export.replace("role: ada", &format!("role: {role}")))
            .unwrap();
        close(&other.join("key.pem"));
        refused(&other, arguments, code, words);
    }
}

#[test]
fn a_key_is_named_by_enough_letters_of_its_id_and_its_file_holds_it() {
    let scratch = Scratch::new();
    let home = scratch.folder("ada");
    done(&home, &["generate", "ada"]);
    done(&home, &["generate", "bob"]);
    let ids = ids(&home);
    let store = private(&home).display().to_string();
    refused(
        &home,
        &["passwd", "abc"],
        2,
        "error: `abc` is too short for the id of a key, expected 7 letters or more\n\
         hint: `courier key list` shows whole ids\nthe key is as it was\n",
    );
    refused(
        &home,
        &["remove", "nothing"],
        2,
        &format!(
            "error: `{store}` holds no key with the id `nothing`\n\
             hint: `courier key list` shows what is there\nnothing was removed\n"
        ),
    );
    refused(
        &home,
        &["export", "--gun", "localhost:5000/no"],
        2,
        "error: no key of `localhost:5000/no` is in the store\n\
         hint: `courier key list` shows what is there\nnothing was written\n",
    );
    let short = &ids[0][..7];
    let owner = if id_of(&home.join("ada.pub")) == ids[0] { "ada" } else { "bob" };
    refused(
        &home,
        &["remove", short],
        2,
        &format!(
            "error: nobody was asked for the consent to remove key {short} ({owner})\n\
             because there is no terminal to ask people on\n\
             hint: run courier at a terminal\nnothing was removed\n"
        ),
    );
    // The file of one key under the name of the other.
    fs::copy(file_of(&home, &ids[0]), file_of(&home, &ids[1])).unwrap();
    refused(
        &home,
        &["passwd", &ids[1]],
        3,
        &format!(
            "error: `{}` holds another key than its name says: {}\n\
             hint: put a copy of the right file into its place, or move it away\nthe key is as it was\n",
            file_of(&home, &ids[1]).display(),
            ids[0]
        ),
    );
    // One that is damaged is in the way of all, and of no other.
    fs::write(file_of(&home, &ids[1]), "no key").unwrap();
    refused(
        &home,
        &["export"],
        3,
        &format!(
            "error: `{}` is no key: it holds no key in PEM\n\
             hint: put a copy of the right file into its place, or move it away\nnothing was written\n",
            file_of(&home, &ids[1]).display()
        ),
    );
    done(&home, &["export", "--key", &ids[0]]);
}
