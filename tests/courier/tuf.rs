//! TUF repositories in a folder and in an object store.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use officiant::key::PublicKey;
use officiant::request::Role;
use officiant::root::{Dialect, SignedRoot};

use super::made::{Soft, Wish, sign};
use super::{courier, request, text, trust};
use crate::harness::command::{Server, command, run};
use crate::harness::peers::{peer, python};
use crate::harness::scratch::{Scratch, free_port};

const NAME: &str = "demo";

/// A chain in which every root key is replaced at each step.
fn chain(length: usize) -> Vec<SignedRoot> {
    let role = |role| (role, Soft::new().public);
    let roles: BTreeMap<Role, PublicKey> = Role::ONLINE.into_iter().map(role).collect();
    let mut chain: Vec<SignedRoot> = Vec::new();
    let mut old: Vec<Soft> = Vec::new();
    for _ in 0..length {
        let new: Vec<Soft> = (0..3).map(|_| Soft::new()).collect();
        let keys: Vec<&Soft> = new.iter().collect();
        let before: Vec<&Soft> = old.iter().collect();
        let last = chain.last().map(SignedRoot::root);
        let roles = if last.is_some() { BTreeMap::new() } else { roles.clone() };
        let wish = Wish { gun: NAME, keys: &keys, threshold: 2, roles, days: 300 };
        let root = wish.root(Dialect::Tuf, last);
        chain.push(sign(&root, &keys, last.map(|last| (last, before.as_slice()))));
        old = new;
    }
    chain
}

fn trusted(scratch: &Scratch, chain: &[SignedRoot]) -> std::path::PathBuf {
    let roots: Vec<_> = chain.iter().map(|root| (NAME, root.bytes())).collect();
    trust(scratch.path(), &roots)
}

fn publish(scratch: &Scratch, trust: &Path, to: &[&str]) -> Command {
    let mut courier = courier(scratch.path());
    courier.arg("publish").arg(trust).args(to);
    courier
}

/// python-tuf's updater, from the first root as it was shipped; prints the version that it trusts in the end.
const WALK: &str = "
import sys
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
from tuf.ngclient.config import EnvelopeType
folder, last = sys.argv[1], int(sys.argv[2])
read = lambda n: open(f'{folder}/{n}.root.json', 'rb').read()
trusted = TrustedMetadataSet(read(1), EnvelopeType.METADATA)
for n in range(2, last + 1):
    trusted.update_root(read(n))
print(trusted.root.version)
";

#[test]
fn a_folder_gets_each_version_once_and_keeps_its_root_json_current() {
    let scratch = Scratch::new();
    let chain = chain(10);
    let folder = scratch.folder("published");
    let to = ["--directory", text(&folder)];
    let trust = trusted(&scratch, &chain[..1]);
    let ran = run(&mut publish(&scratch, &trust, &to)).ok();
    assert_eq!(
        ran.stdout,
        "demo: version 0 → 1, fetched back and equal\n  \
         `snapshot` has new keys or a new threshold: its service must sign again now\n  \
         `targets` has new keys or a new threshold: its service must sign again now\n  \
         `timestamp` has new keys or a new threshold: its service must sign again now\n"
    );
    assert!(!folder.join("root.json").exists());
    fs::copy(folder.join("1.root.json"), folder.join("root.json")).unwrap();

    let trust = trusted(&scratch, &chain);
    let ran = run(&mut publish(&scratch, &trust, &to)).ok();
    assert_eq!(ran.stdout, "demo: version 1 → 10, fetched back and equal\n");
    assert_eq!(fs::read(folder.join("root.json")).unwrap(), chain[9].bytes());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 11);
    let walked = python(&scratch, WALK, &[text(&folder), "10"]).ok();
    assert_eq!(walked.stdout.trim(), "10");
    let ran = run(&mut publish(&scratch, &trust, &to)).ok();
    assert_eq!(ran.stdout, "demo: version 10 was there already, byte for byte\n");

    let media = scratch.folder("in");
    let mut fetch = courier(scratch.path());
    fetch.args(["fetch", NAME, "--dialect", "tuf", "--server", text(&folder), "--out"]);
    run(fetch.arg(&media)).ok();
    let request = request(&media.join("request"));
    let roots = &request.repositories[&NAME.parse().unwrap()].roots;
    assert!(roots.iter().zip(&chain).all(|(root, made)| root == made.bytes()));
    assert_eq!(roots.len(), 10);
}

#[test]
fn another_document_under_a_published_version_is_never_overwritten() {
    let scratch = Scratch::new();
    let folder = scratch.folder("published");
    let to = ["--directory", text(&folder)];
    let first = chain(2);
    run(&mut publish(&scratch, &trusted(&scratch, &first), &to)).ok();
    let other = Scratch::new();
    let refused = run(&mut publish(&other, &trusted(&other, &chain(3)), &to));
    assert_eq!(refused.code(), 1);
    assert_eq!(
        refused.stderr.lines().next().unwrap(),
        "error: repository `demo`: the server's version 1 is not the trust folder's [PUBLISH-FORK]"
    );
    assert!(refused.stderr.ends_with("nothing was published\n"));
    let behind = Scratch::new();
    let refused = run(&mut publish(&behind, &trusted(&behind, &first[..1]), &to));
    assert_eq!(
        refused.stderr.lines().next().unwrap(),
        "error: repository `demo`: the server is at version 2, the trust folder at version 1 [PUBLISH-FORK]"
    );
    fs::write(folder.join("root.json"), chain(1)[0].bytes()).unwrap();
    let refused = run(&mut publish(&scratch, &trusted(&scratch, &first), &to));
    assert_eq!(
        refused.stderr.lines().next().unwrap(),
        "error: repository `demo`: the published `root.json` is none of the published versions [PUBLISH-FORK]"
    );
    assert_eq!(fs::read(folder.join("1.root.json")).unwrap(), first[0].bytes());
}

#[test]
fn a_version_that_does_not_follow_is_refused() {
    let scratch = Scratch::new();
    let folder = scratch.folder("published");
    let to = ["--directory", text(&folder)];
    let chain = chain(3);
    let trust = trusted(&scratch, &chain);
    fs::remove_file(trust.join("metadata/demo/1.root.json")).unwrap();
    let refused = run(&mut publish(&scratch, &trust, &to));
    assert_eq!(
        refused.stderr.lines().next().unwrap(),
        "error: repository `demo`: the server is at version 0, the trust folder begins at version 2 [ROOT-SEQUENCE]"
    );
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn an_object_store_gets_the_same_and_refuses_a_second_document_itself() {
    let scratch = Scratch::new();
    let (_server, url) = s3(&scratch);
    let chain = chain(3);
    let to = ["--bucket", "s3://tuf/demo/metadata"];
    let s3 = |mut courier: Command| {
        courier
            .env("AWS_ENDPOINT_URL", &url)
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test");
        run(&mut courier)
    };
    let ran = s3(publish(&scratch, &trusted(&scratch, &chain[..2]), &to)).ok();
    assert!(
        ran.stdout.starts_with("demo: version 0 → 2, fetched back and equal\n"),
        "{}",
        ran.stdout
    );
    put(&scratch, &url, "tuf/demo/metadata/root.json", chain[1].bytes());
    let ran = s3(publish(&scratch, &trusted(&scratch, &chain), &to)).ok();
    assert_eq!(ran.stdout, "demo: version 2 → 3, fetched back and equal\n");
    assert_eq!(get(&scratch, &url, "tuf/demo/metadata/3.root.json"), chain[2].bytes());
    assert_eq!(get(&scratch, &url, "tuf/demo/metadata/root.json"), chain[2].bytes());

    let other = Scratch::new();
    let refused = s3(publish(&other, &trusted(&other, &self::chain(1)), &to));
    assert!(refused.stderr.contains("[PUBLISH-FORK]"), "{}", refused.stderr);
    let nowhere = s3(publish(&scratch, &trusted(&scratch, &chain), &["--bucket", "s3://none/x"]));
    assert_eq!(nowhere.code(), 3);
    assert!(nowhere.stderr.starts_with("error: object store: "), "{}", nowhere.stderr);
}

/// moto's S3 server with an empty bucket `tuf`.
fn s3(scratch: &Scratch) -> (Server, String) {
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let mut moto = command(peer("moto/venv/bin/python"), scratch.path());
    moto.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
        .stdout(Stdio::null());
    let server = Server(moto.stderr(Stdio::null()).spawn().unwrap());
    let start = Instant::now();
    while !curl(scratch, &["-X", "PUT", &format!("{url}/tuf")]).1 {
        assert!(start.elapsed() < Duration::from_secs(60), "moto does not start");
        thread::sleep(Duration::from_millis(200));
    }
    (server, url)
}

fn put(scratch: &Scratch, url: &str, path: &str, bytes: &[u8]) {
    let file = scratch.file("put", bytes);
    assert!(curl(scratch, &["-T", text(&file), &format!("{url}/{path}")]).1);
}

fn get(scratch: &Scratch, url: &str, path: &str) -> Vec<u8> {
    curl(scratch, &[&format!("{url}/{path}")]).0
}

fn curl(scratch: &Scratch, arguments: &[&str]) -> (Vec<u8>, bool) {
    let out = scratch.path().join("answer");
    let _ = fs::remove_file(&out);
    let mut curl = command("curl", scratch.path());
    // The store trusts whoever signs as `test`; a header is enough for it.
    curl.args(["-sf", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", "test:test", "-o"]);
    let ran = run(curl.arg(&out).args(arguments));
    (fs::read(out).unwrap_or_default(), ran.status.success())
}
