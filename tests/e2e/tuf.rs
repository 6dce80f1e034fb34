//! Ten TUF roots, each with new keys, and the clients that walk all of them.

use std::{fs, path::Path};

use jiff::{Timestamp, ToSpan};
use officiant::{
    digest::Digest,
    root::{Dialect, Role, Root, SignedRoot},
};
use serde_json::{Value, json};

use crate::harness::{
    command::{command, run},
    peers::{peer, python},
    scratch::Scratch,
};
use crate::sitting::{Bench, Holding, PlanText, genesis};

const NAME: &str = "repo.test";

/// The tokens that odd versions and even versions hold their keys with.
const ODD: [&str; 2] = ["officer-a", "officer-b"];
const EVEN: [&str; 3] = ["share-1", "share-2", "share-3"];

/// Plans one version with new keys alone: kinds, thresholds and ways of holding them take turns.
fn plan(bench: &Bench) -> PlanText {
    let number = bench.number;
    let name = |mark: &str| -> &'static str { format!("root-{number}-{mark}").leak() };
    let keys = match number % 4 {
        0 => vec![(name("s"), "ed25519", Holding::Shares(2, &EVEN))],
        1 => vec![
            (name("a"), "ecdsa-p256", Holding::Token(ODD[0])),
            (name("b"), "ed25519", Holding::Token(ODD[1])),
        ],
        2 => vec![(name("s"), "ecdsa-p256", Holding::Shares(3, &EVEN))],
        _ => vec![(name("a"), "rsa-3072", Holding::Token(ODD[0]))],
    };
    let root: Vec<_> = keys.iter().map(|(name, _, _)| *name).collect();
    let threshold = u32::try_from(root.len()).unwrap();
    let first = PlanText { keys, root, threshold, ..genesis::on_tokens() };
    match number {
        1 => first,
        _ => PlanText {
            ceremony: "rotate",
            after: Some(bench.closing(number - 1)),
            roles: Vec::new(),
            ..first
        },
    }
}

/// Holds one ceremony unattended, and publishes what it signed.
fn hold(bench: &Bench, published: &Path) {
    let all = [&ODD[..], &EVEN].concat();
    bench.write_room(&all);
    bench.write_answers(&all, "");
    bench.write_plan(&plan(bench));
    bench.conduct().ok();
    let mut courier = command(env!("CARGO_BIN_EXE_courier"), bench.scratch.path());
    courier.arg("publish").arg(bench.trust(bench.number)).arg("--directory").arg(published);
    run(&mut courier).ok();
}

/// Signs what the online side of a new repository signs: no targets, their snapshot, and the timestamp.
pub(super) fn sign_online(bench: &Bench, root: &Root, published: &Path) {
    let expires = Timestamp::now() + 48.hours();
    let expires = expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let named = |name: &str| json!({ name: { "version": 1 } });
    for (role, file, more, content) in [
        (Role::Targets, "1.targets.json", "targets", json!({})),
        (Role::Snapshot, "1.snapshot.json", "meta", named("targets.json")),
        (Role::Timestamp, "timestamp.json", "meta", named("snapshot.json")),
    ] {
        let signed = json!({
            "_type": role.to_string(), "spec_version": "1.0.31", "version": 1,
            "expires": expires, more: content,
        });
        let (keyid, _) = root.role_keys(role).next().unwrap();
        // Plain text alone, sorted by serde_json: canonical as it is.
        let sig = bench.online[&role].sign(signed.to_string().as_bytes());
        let sig = data_encoding::HEXLOWER.encode(&sig);
        let signature = json!({ "keyid": keyid.to_string(), "sig": sig });
        let whole: Value = json!({ "signatures": [signature], "signed": signed });
        fs::write(published.join(file), whole.to_string()).unwrap();
    }
}

/// python-tuf's updater, from the first root as it was shipped; prints the version that it trusts in the end.
const UPDATE: &str = "
import json, os, sys
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater
class Folder(FetcherInterface):
    def _fetch(self, url):
        path = url.removeprefix('file://')
        if not os.path.exists(path):
            raise DownloadHTTPError('it is not there', 404)
        return iter([open(path, 'rb').read()])
folder, home = sys.argv[1:]
root = open(f'{folder}/1.root.json', 'rb').read()
Updater(home, f'file://{folder}/', bootstrap=root, fetcher=Folder()).refresh()
print(json.load(open(f'{home}/root.json'))['signed']['version'])
";

/// Has python-tuf's updater and tough's repository loader begin at the first root that is published, and end at `last`.
#[track_caller]
pub(super) fn clients_walk(scratch: &Scratch, published: &Path, last: u64) {
    let home = scratch.folder(&format!("client-{last}"));
    let folder = published.to_str().unwrap();
    let updated = python(scratch, UPDATE, &[folder, home.to_str().unwrap()]).ok();
    assert_eq!(updated.stdout.trim(), last.to_string());

    let cases = scratch.folder(&format!("tough-{last}"));
    let case = scratch.folder(&format!("tough-{last}/chain"));
    for version in 1..=last {
        let file = format!("{version}.root.json");
        fs::copy(published.join(&file), case.join(&file)).unwrap();
    }
    let walked = run(command(peer("tough/tough-walk"), scratch.path()).arg(cases)).ok();
    let expected: Vec<String> = (1..=last).map(|start| format!("chain {start} ok")).collect();
    let mut lines: Vec<&str> = walked.stdout.lines().collect();
    lines.sort_by_key(|line| line.len());
    assert_eq!(lines, expected);
}

#[test]
fn python_tuf_and_tough_walk_ten_versions_with_new_keys_in_each() {
    let mut bench = Bench::new(Dialect::Tuf, &[NAME]);
    let published = bench.scratch.folder("published");
    for version in 1..=10 {
        if version > 1 {
            bench.next_room();
        }
        hold(&bench, &published);
    }
    let roots = (1..=10).map(|version| {
        let bytes = fs::read(published.join(format!("{version}.root.json"))).unwrap();
        SignedRoot::parse(Dialect::Tuf, &bytes).unwrap()
    });
    let roots: Vec<SignedRoot> = roots.collect();
    let keys = |root: &SignedRoot| -> Vec<Digest> {
        root.root().role_keys(Role::Root).map(|(_, key)| key.public().unwrap().id()).collect()
    };
    for pair in roots.windows(2) {
        let old = keys(&pair[0]);
        assert!(keys(&pair[1]).iter().all(|key| !old.contains(key)), "every key is new");
    }
    sign_online(&bench, roots[9].root(), &published);
    clients_walk(&bench.scratch, &published, 10);
}
