//! What `courier fetch` brings, and what it refuses to touch.

use std::fs;

use officiant::digest::Digest;
use officiant::list::{Last, List};
use officiant::request::{Role, Served};
use officiant::root::online::{Named, Signed};
use officiant::root::{Dialect, SignedRoot};

use super::made::Soft;
use super::{fetch, request, text};
use crate::harness::command::{command, run};
use crate::harness::media::{Medium, may_mount};
use crate::harness::notary::NotaryServer;
use crate::harness::pty::Pty;
use crate::harness::scratch::Scratch;

#[test]
fn a_request_lies_on_media_with_its_digest_its_words_and_a_draft_of_the_list() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let media = scratch.folder("in");
    let targets = Soft::new();
    let public = scratch.file("targets.pem", targets.public.to_pem());
    let names = scratch.file("names", "# fleet\nlocalhost:5000/a1\nlocalhost:5000/a2 more\n");
    let more =
        ["localhost:5000/other", "--list", text(&names), "--targets-key", text(&public), "--json"];
    let ran = fetch(&server, scratch.path(), &media, &more).ok();
    assert_eq!(ran.stderr, "");
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();

    let sums = fs::read(media.join("request/SHA256SUMS")).unwrap();
    assert_eq!(said["request"], Digest::of(&sums).to_string());
    assert_eq!(said["words"].as_array().unwrap().len(), 24);
    assert_eq!(fs::read(media.join("officiant-media")).unwrap(), b"in\n");
    let mut check = command("sha256sum", &media.join("request"));
    run(check.args(["--check", "--strict", "--quiet", "SHA256SUMS"])).ok();

    let request = request(&media.join("request"));
    assert_eq!(request.repositories.len(), 3);
    assert_eq!(request.server, server.url());
    let list = List::parse(&fs::read(media.join("repositories.txt")).unwrap()).unwrap();
    for (name, repository) in &request.repositories {
        let entry = &list.0[name];
        assert_eq!(entry.last, Last::None);
        assert_eq!(repository.keys[&Role::Targets], std::slice::from_ref(&targets.public));
        assert_eq!(entry.pins.iter().count(), 3);
        for (role, keys) in &repository.keys {
            assert!(entry.pins.contains(*role, keys[0].id()));
        }
    }
}

#[test]
fn people_see_the_digest_as_hex_and_words_and_names_that_look_alike() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let media = scratch.folder("in");
    let ran =
        fetch(&server, scratch.path(), &media, &["localhost:5000/a1", "localhost:5000/a2"]).ok();
    let digest = Digest::of(&fs::read(media.join("request/SHA256SUMS")).unwrap());
    let words = digest.words();
    let expected = format!(
        "request   {}\nwords     {}\n          {}\n          {}\n          {}\n\
         holds     2 repositories, 2 of them new to the server\n\
         written   {}\n\
         draft     {}: compare each pin with its owner\n\
         alike     `localhost:5000/a1` and `localhost:5000/a2` are one character apart\n",
        digest.grouped(),
        words[..6].join(" "),
        words[6..12].join(" "),
        words[12..18].join(" "),
        words[18..].join(" "),
        media.join("request").display(),
        media.join("repositories.txt").display(),
    );
    assert_eq!(ran.stdout, expected);
}

#[test]
fn a_second_machine_fetches_the_same_keys_of_a_known_repository_beside_the_first() {
    let scratch = Scratch::new();
    let server = NotaryServer::with_signer(&scratch);
    let media = scratch.folder("in");
    // For a repository without a root the server makes new keys for each who asks: there the exception is recorded.
    let ada = scratch.folder("ada");
    run(server.notary(&ada).args(["init", "-p", "localhost:5000/a"])).ok();
    run(server.notary(&ada).args(["key", "rotate", "-r", "localhost:5000/a", "snapshot"])).ok();
    fetch(&server, scratch.path(), &media, &["localhost:5000/a"]).ok();
    fetch(&server, scratch.path(), &media, &["localhost:5000/a", "--second"]).ok();
    let (first, second) = (request(&media.join("request")), request(&media.join("request-2")));
    assert_eq!(first.repositories, second.repositories);
    // What the server signs beside the root comes along, and leads to it as clients follow it.
    let repository = first.repositories.values().next().unwrap();
    let newest = SignedRoot::parse(Dialect::Notary, repository.roots.last().unwrap()).unwrap();
    let Served { timestamp, snapshot } = repository.served.as_ref().unwrap();
    let read =
        |role, bytes: &[u8]| Signed::read(newest.root(), role, bytes, first.fetched).unwrap();
    let timestamp = read(Role::Timestamp, timestamp);
    assert!(Named::by(&timestamp, Role::Snapshot).unwrap().is(snapshot));
    let snapshot = read(Role::Snapshot, snapshot);
    assert!(Named::by(&snapshot, Role::Root).unwrap().is(newest.bytes()));
}

#[test]
fn media_of_another_kind_and_anything_that_stands_there_is_left_alone() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let media = scratch.folder("media");
    scratch.file("media/officiant-media", "out\n");
    let refused = fetch(&server, scratch.path(), &media, &["localhost:5000/a"]);
    assert_eq!(refused.code(), 1);
    let first = refused.stderr.lines().next().unwrap();
    assert_eq!(
        first,
        format!("error: media `{}` is marked `out`, expected `in` [MEDIA-KIND]", media.display())
    );
    assert!(
        refused.stderr.ends_with(
            "hint: take an empty volume, or one that is marked `in`\nno request was written\n"
        ),
        "{}",
        refused.stderr
    );
    assert_eq!(fs::read_dir(&media).unwrap().count(), 1);

    scratch.file("media/officiant-media", "in\n");
    scratch.file("media/request/x", "");
    let refused = fetch(&server, scratch.path(), &media, &["localhost:5000/a"]);
    assert_eq!(refused.code(), 1);
    assert!(
        refused.stderr.contains("request` already exists with other content [MEDIA-OWN]"),
        "{}",
        refused.stderr
    );

    // What has no marker and is not empty is no media of ours, but somebody's folder.
    let folder = scratch.folder("folder");
    scratch.file("folder/letter.txt", "");
    let refused = fetch(&server, scratch.path(), &folder, &["localhost:5000/a"]);
    assert_eq!(refused.code(), 1);
    let first = refused.stderr.lines().next().unwrap();
    let told = format!(
        "error: media `{}` holds `letter.txt`, which this ceremony did not write [MEDIA-OWN]",
        folder.display()
    );
    assert_eq!(first, told);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);

    let gone = scratch.path().join("none");
    let refused = fetch(&server, scratch.path(), &gone, &["localhost:5000/a"]);
    assert_eq!(refused.code(), 3);
    assert!(refused.stderr.contains("none` is missing\n"), "{}", refused.stderr);
}

#[test]
fn wrong_command_lines_are_told_with_code_2() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let media = scratch.folder("in");
    let secret = scratch.file("key.pem", Soft::new().pkcs8());
    let public = scratch.file("public.pem", Soft::new().public.to_pem());
    let openssl = "ecparam -genkey -noout -name secp384r1 -out p384-key.pem";
    run(command("openssl", scratch.path()).args(openssl.split(' '))).ok();
    let openssl = "pkey -in p384-key.pem -pubout -out p384.pem";
    run(command("openssl", scratch.path()).args(openssl.split(' '))).ok();
    let p384 = scratch.path().join("p384.pem");
    for (more, words) in [
        (vec!["a", "a"], "error: repository `a` is named twice"),
        (vec!["a/../b"], "error: repository name `a/../b` has an empty, `.` or `..` segment"),
        (
            vec!["a", "--targets-key", text(&secret)],
            "key.pem` holds a `PRIVATE KEY`, expected a `PUBLIC KEY`",
        ),
        (vec!["a", "--targets-key", "/none"], "error: `/none` is missing or no PEM"),
        (
            vec!["a", "--targets-key", text(&p384)],
            "p384.pem` is a key of ecdsa-p384, with which nothing is proved or signed here",
        ),
        (
            vec!["a", "--snapshot-key", text(&public)],
            "error: `--snapshot-key` does not fit: a Notary server makes this key itself",
        ),
        (
            vec!["a", "--timestamp-key", text(&public)],
            "error: `--timestamp-key` does not fit: a Notary server makes this key itself",
        ),
        (
            vec!["a", "--tls-cert", text(&public), "--tls-key", text(&public)],
            "public.pem` hold no certificate with its private key in PEM",
        ),
        (
            vec!["a", "--dialect", "tuf", "b"],
            "error: `--server` does not fit: several repositories need a `{name}` in it",
        ),
    ] {
        let refused = fetch(&server, scratch.path(), &media, &more);
        assert_eq!(refused.code(), 2, "{}", refused.stderr);
        let first = refused.stderr.lines().next().unwrap();
        assert!(first.ends_with(words), "{}", refused.stderr);
        assert!(refused.stderr.ends_with("nothing was written\n"));
    }
    assert_eq!(fs::read_dir(&media).unwrap().count(), 0);
}

#[test]
fn a_key_that_is_offered_twice_is_told_as_that() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let public = scratch.file("public.pem", Soft::new().public.to_pem());
    let key = ["--targets-key", text(&public)];
    let more = [&["localhost/a"], &key[..], &key[..]].concat();
    let refused = fetch(&server, scratch.path(), &scratch.folder("in"), &more);
    assert_eq!(refused.code(), 1);
    assert_eq!(
        refused.stderr,
        "error: repository `localhost/a`: expected 1 to 32 different keys for role `targets`\n\
         hint: offer each key once, and at most as many as that\n\
         nothing was written\n"
    );
}

#[test]
fn where_a_request_stands_its_draft_stands_too() {
    if !may_mount("where_a_request_stands_its_draft_stands_too") {
        return;
    }
    let scratch = Scratch::new();
    scratch.file("published/1.root.json", "x".repeat(60_000));
    let mut whole = false;
    // From media that hold nothing to media that hold everything.
    for kib in (4..).step_by(12) {
        let medium = Medium::full_at(&scratch, &format!("media-{kib}"), kib);
        let mut courier = super::courier(scratch.path());
        courier.args(["fetch", "a", "--dialect", "tuf", "--server", "published", "--out"]);
        let ran = run(courier.arg(medium.path()));
        let stands = |name: &str| medium.path().join(name).exists();
        assert!(stands("repositories.txt") || !stands("request"), "{kib} KiB");
        assert_eq!(stands("request"), ran.status.success(), "{kib} KiB: {}", ran.stderr);
        if stands("request") {
            whole = true;
            break;
        }
        assert!(ran.stderr.ends_with("no request was written\n"), "{}", ran.stderr);
    }
    assert!(whole);
}

#[test]
fn help_names_the_exit_codes_and_a_wrong_command_line_gets_three_lines() {
    let scratch = Scratch::new();
    let said = |arguments: &[&str]| run(super::courier(scratch.path()).args(arguments));
    let help = said(&["--help"]).ok();
    assert!(help.stdout.contains(
        "Exit codes: 0 done, 1 refused, 2 usage or plan, 3 media or network, 4 our fault.\n"
    ));
    let wrong = said(&["fetch", "--server", "x", "--out", "y"]);
    assert_eq!(wrong.code(), 2);
    assert_eq!(
        wrong.stderr,
        "error: the following required arguments were not provided: <NAME>...\n\
         hint: `courier help` and `courier help fetch` say what can be done\n\
         nothing was written\n"
    );
    let wrong = said(&["publish", "trust"]);
    assert!(
        wrong.stderr.contains("--server <URL>|--directory <FOLDER>|--bucket <URL>"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_terminal_shows_how_far_it_is() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let mut courier = super::courier(scratch.path());
    courier.args(["fetch", "localhost/a", "localhost/bc", "--jobs", "1"]);
    courier.args(["--server", &server.url(), "--ca"]);
    let mut pty = Pty::start(courier.arg(server.ca()).arg("--out").arg(scratch.folder("in")));
    pty.expect("fetched 0 of 2");
    pty.expect("fetched 2 of 2\n");
    pty.expect("request   ");
    assert!(pty.finish().status.success());
}
