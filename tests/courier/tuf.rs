//! TUF repositories in a folder and in an object store.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use officiant::key::PublicKey;
use officiant::request::Role;
use officiant::root::{Dialect, Key, SignedRoot};
use serde_json::json;

use super::made::{Soft, Wish, sign};
use super::{courier, request, said, text, trust};
use crate::harness::command::run;
use crate::harness::peers::python;
use crate::harness::scratch::Scratch;

pub(super) const NAME: &str = "demo";

/// A chain in which every root key is replaced at each step.
pub(super) fn chain(length: usize) -> Vec<SignedRoot> {
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

pub(super) fn trusted(scratch: &Scratch, chain: &[SignedRoot]) -> std::path::PathBuf {
    let roots: Vec<_> = chain.iter().map(|root| (NAME, root.bytes())).collect();
    trust(scratch.path(), &roots)
}

pub(super) fn publish(scratch: &Scratch, trust: &Path, to: &[&str]) -> Command {
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
        said(&ran),
        "demo: version 0 → 1, fetched back and equal\n  \
         `snapshot` has new keys or a new threshold: its service must sign now\n  \
         `targets` has new keys or a new threshold: its service must sign now\n  \
         `timestamp` has new keys or a new threshold: its service must sign now\n"
    );
    assert!(!folder.join("root.json").exists());
    fs::copy(folder.join("1.root.json"), folder.join("root.json")).unwrap();

    let trust = trusted(&scratch, &chain);
    let ran = run(&mut publish(&scratch, &trust, &to)).ok();
    assert_eq!(said(&ran), "demo: version 1 → 10, fetched back and equal\n");
    assert_eq!(fs::read(folder.join("root.json")).unwrap(), chain[9].bytes());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 11);
    let walked = python(&scratch, WALK, &[text(&folder), "10"]).ok();
    assert_eq!(walked.stdout.trim(), "10");
    let ran = run(&mut publish(&scratch, &trust, &to)).ok();
    assert_eq!(said(&ran), "demo: version 10 was there already, byte for byte\n");

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
fn a_chain_without_its_first_version_is_refused() {
    let scratch = Scratch::new();
    let folder = scratch.folder("published");
    let to = ["--directory", text(&folder)];
    let chain = chain(3);
    let trust = trusted(&scratch, &chain);
    fs::remove_file(trust.join("metadata/demo/1.root.json")).unwrap();
    let refused = run(&mut publish(&scratch, &trust, &to));
    assert_eq!(
        refused.stderr.lines().next().unwrap(),
        "error: the trust folder has no `metadata/demo/1.root.json` [TRUST-FOLDER]"
    );
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

/// What a service signs with `keys` over a file of a role, as canonical JSON.
fn signed(role: Role, more: &serde_json::Value, keys: &[&Soft]) -> String {
    let mut signed = json!({
        "_type": role.name(), "spec_version": "1.0.31", "version": 1,
        "expires": "2099-01-01T00:00:00Z",
    });
    signed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let text = signed.to_string();
    let signature = |key: &&Soft| {
        let scheme = Key::plain(Dialect::Tuf, &key.public).unwrap().scheme().unwrap();
        let sig = scheme.encode(key.public.algorithm(), &key.raw(text.as_bytes())).unwrap();
        let id = Key::plain(Dialect::Tuf, &key.public).unwrap().id().to_string();
        json!({ "keyid": id, "sig": data_encoding::HEXLOWER.encode(&sig) })
    };
    let signatures: Vec<_> = keys.iter().map(signature).collect();
    json!({ "signatures": signatures, "signed": signed }).to_string()
}

#[test]
fn an_online_key_that_is_new_goes_up_only_when_what_is_served_is_signed_by_it() {
    let scratch = Scratch::new();
    let folder = scratch.folder("published");
    let to = ["--directory", text(&folder)];
    let fresh = || Role::ONLINE.map(|role| (role, Soft::new())).into_iter().collect();
    let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) = (fresh(), fresh());
    let publics = |keys: &BTreeMap<Role, Soft>| {
        keys.iter().map(|(role, key)| (*role, key.public.clone())).collect::<BTreeMap<_, _>>()
    };
    let key = Soft::new();
    let keys = [&key];
    let wish = |roles| Wish { gun: NAME, keys: &keys, threshold: 1, roles, days: 30 };
    let first = sign(&wish(publics(&old)).root(Dialect::Tuf, None), &[&key], None);
    let before = first.root();
    let second = wish(publics(&new)).root(Dialect::Tuf, Some(before));
    let second = sign(&second, &[&key], None);
    run(&mut publish(&scratch, &trusted(&scratch, std::slice::from_ref(&first)), &to)).ok();

    let serve = |file: &str, role: Role, keys: &[&Soft]| {
        let more = match role {
            Role::Targets => json!({ "targets": {} }),
            Role::Snapshot => json!({ "meta": { "targets.json": { "version": 1 } } }),
            _ => json!({ "meta": { "snapshot.json": { "version": 1 } } }),
        };
        fs::write(folder.join(file), signed(role, &more, keys)).unwrap();
    };
    let files = [
        ("timestamp.json", Role::Timestamp),
        ("1.snapshot.json", Role::Snapshot),
        ("1.targets.json", Role::Targets),
    ];
    for (file, role) in files {
        serve(file, role, &[&old[&role]]);
    }
    let trust = trusted(&scratch, &[first, second]);
    for (file, role) in files {
        let refused = run(&mut publish(&scratch, &trust, &to));
        assert_eq!(refused.code(), 1);
        assert_eq!(
            refused.stderr,
            format!(
                "error: repository `demo`: version 2 has other keys for `{role}`, and the served `{file}` is not signed by them [TARGETS-UNSIGNED]\n\
                 hint: have its service sign what is served with the new keys too, beside the old ones; then publish\n\
                 nothing was published\n"
            )
        );
        assert!(!folder.join("2.root.json").exists());
        // By both, so that clients that hold either root go on.
        serve(file, role, &[&old[&role], &new[&role]]);
    }
    let ran = run(&mut publish(&scratch, &trust, &to)).ok();
    assert_eq!(said(&ran), "demo: version 1 → 2, fetched back and equal\n");
}
