//! Many repositories at once: what fails is told together, and what was done is told too.

use std::collections::BTreeMap;
use std::fs;

use officiant::name::Name;
use officiant::request::{Repository, Role};
use officiant::root::{Dialect, SignedRoot};

use super::fake::{Fake, reply, untouched};
use super::made::{Soft, Wish, sign};
use super::{courier, fetch, publish, request, said, text, trust};
use crate::harness::command::run;
use crate::harness::notary::NotaryServer;
use crate::harness::scratch::Scratch;

/// Repositories that a real server does not know yet, their first roots, and the file of their targets key.
struct Fleet {
    scratch: Scratch,
    server: NotaryServer,
    roots: BTreeMap<String, SignedRoot>,
    key: std::path::PathBuf,
}

impl Fleet {
    fn new(
        count: usize,
        change: impl Fn(&str, &mut BTreeMap<Role, officiant::key::PublicKey>),
    ) -> Self {
        let scratch = Scratch::new();
        let server = NotaryServer::memory(&scratch);
        let targets = Soft::new();
        let public = scratch.file("targets.pem", targets.public.to_pem());
        let names: Vec<String> = (1..=count).map(|n| format!("localhost/fleet/{n:02}")).collect();
        let list = scratch.file("names", names.join("\n"));
        let media = scratch.folder("in");
        let more = ["--list", text(&list), "--targets-key", text(&public)];
        fetch(&server, scratch.path(), &media, &more).ok();
        let keys: Vec<Soft> = (0..2).map(|_| Soft::new()).collect();
        let keys: Vec<&Soft> = keys.iter().collect();
        let root = |(name, repository): (&Name, &Repository)| {
            let roles = repository.keys.iter().map(|(role, keys)| (*role, keys[0].clone()));
            let mut roles = roles.collect();
            change(name.as_str(), &mut roles);
            let wish = Wish { gun: name.as_str(), keys: &keys, threshold: 2, roles, days: 3000 };
            (name.to_string(), sign(&wish.root(Dialect::Notary, None), &keys, None))
        };
        let roots = request(&media.join("request")).repositories.iter().map(root).collect();
        let key = scratch.file("key.pem", targets.pkcs8());
        Self { scratch, server, roots, key }
    }

    fn lay(&self, damaged: &[&str]) -> std::path::PathBuf {
        let bytes = |(name, root): (&String, &SignedRoot)| {
            let end: &[u8] = if damaged.contains(&name.as_str()) { b"\n" } else { b"" };
            (name.clone(), [root.bytes(), end].concat())
        };
        let files: Vec<_> = self.roots.iter().map(bytes).collect();
        let files: Vec<_> = files.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
        trust(self.scratch.path(), &files)
    }
}

#[test]
fn a_fleet_goes_up_together_or_not_at_all() {
    let it = Fleet::new(24, |_, _| {});
    let names: Vec<&str> = it.roots.keys().map(String::as_str).collect();
    let folder = it.lay(&[names[17], names[3]]);
    let key = ["--targets-key", text(&it.key)];
    let refused = publish(&it.server, it.scratch.path(), &folder, &key);
    assert_eq!(refused.code(), 1);
    let told = |name: &str| {
        format!(
            "error: repository `{name}`: version 1 is not byte for byte what the server writes [ROOT-BYTES]\n"
        )
    };
    assert_eq!(
        refused.stderr,
        told(names[3])
            + &told(names[17])
            + "hint: publish what a ceremony closed, unchanged\nnothing was published\n"
    );
    let bob = it.scratch.folder("bob");
    assert_ne!(run(it.server.notary(&bob).args(["list", names[0]])).code(), 0);

    let folder = it.lay(&[]);
    let more = [&key[..], &["--json"]].concat();
    let ran = publish(&it.server, it.scratch.path(), &folder, &more).ok();
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let published = told["published"].as_array().unwrap();
    assert_eq!(published.len(), 24);
    assert!(published.iter().all(|one| one["before"] == 0 && one["now"] == 1));
    for name in [names[0], names[23]] {
        run(it.server.notary(&bob).args(["list", name])).ok();
    }
    let only = ["--repository", names[3]];
    let only = publish(&it.server, it.scratch.path(), &folder, &only).ok();
    assert_eq!(said(&only), format!("{}: version 1 was there already, byte for byte\n", names[3]));
    let none = publish(&it.server, it.scratch.path(), &folder, &["--repository", "other"]);
    assert_eq!(none.code(), 2);
    assert!(none.stderr.starts_with("error: repository `other` is not in the trust folder\n"));
}

#[test]
fn what_is_published_and_what_is_not_is_told_when_one_fails() {
    // The server takes no root with a timestamp key that it does not have.
    let it = Fleet::new(3, |name, roles| {
        if name.ends_with("02") {
            roles.insert(Role::Timestamp, Soft::new().public);
        }
    });
    let folder = it.lay(&[]);
    let more = ["--targets-key", text(&it.key), "--jobs", "1", "--json"];
    let stopped = publish(&it.server, it.scratch.path(), &folder, &more);
    // The fault is its own: the others go up all the same.
    assert_eq!(stopped.code(), 1);
    let why = "repository `localhost/fleet/02`: version 1 names a timestamp key that the server does not have";
    assert_eq!(
        stopped.stderr,
        format!(
            "error: {why}\n\
             hint: plan a root whose timestamp key is the one that `courier fetch` brought from this server\n\
             2 repositories were published and compared, 1 failed, 0 not begun; publish again to see and finish\n"
        )
    );
    let told: serde_json::Value = serde_json::from_str(&stopped.stdout).unwrap();
    let published = told["published"].as_array().unwrap();
    let published: Vec<_> = published.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(published, ["localhost/fleet/01", "localhost/fleet/03"]);
    let failed = serde_json::json!([{ "name": "localhost/fleet/02", "error": why }]);
    assert_eq!(told["failed"], failed);
    assert_eq!(told["not_begun"], serde_json::json!([]));
    let again = publish(&it.server, it.scratch.path(), &folder, &more[..4]);
    assert_eq!(
        said(&again),
        "localhost/fleet/01: version 1 was there already, byte for byte\n\
         localhost/fleet/03: version 1 was there already, byte for byte\n\
         localhost/fleet/02: refused\n"
    );
    let without = [&more[..4], &["--exclude", "localhost/fleet/02"]].concat();
    let whole = publish(&it.server, it.scratch.path(), &folder, &without).ok();
    assert_eq!(
        said(&whole),
        "localhost/fleet/01: version 1 was there already, byte for byte\n\
         localhost/fleet/03: version 1 was there already, byte for byte\n\
         localhost/fleet/02: left out\n"
    );
    let stranger = publish(&it.server, it.scratch.path(), &folder, &["--exclude", "other"]);
    assert_eq!(stranger.code(), 2);
    assert!(stranger.stderr.starts_with("error: repository `other` is not in the trust folder\n"));
}

/// A server that is broken for every repository whose name begins with `bad`.
fn broken() -> Fake {
    Fake::new(|asked, stream| match asked.line.contains("/v2/bad") {
        true => reply(stream, "500 Broken", "", "out of order"),
        false => reply(stream, "404 None", "", ""),
    })
}

#[test]
fn every_repository_that_cannot_be_fetched_is_told() {
    let (scratch, fake) = (Scratch::new(), broken());
    let refused = fake.fetch(&scratch, &["bad/1", "bad/2"]);
    let told = |n: u8| {
        format!(
            "error: {}/v2/bad/{n}/_trust/tuf/root.json: the server answered 500\nbecause out of order\n",
            fake.url
        )
    };
    let own = "error: repository `a`: the server gives no `snapshot` key that can be read\n";
    assert_eq!(
        refused.stderr,
        format!(
            "{own}{}{}hint: see that it is a Notary server\nhint: ask who runs the server\nnothing was written\n",
            told(1),
            told(2)
        )
    );
    untouched(&scratch);
}

#[test]
fn a_server_that_refuses_twenty_is_not_asked_for_hundreds() {
    let (scratch, fake) = (Scratch::new(), broken());
    let names: Vec<String> = (1..=100).map(|n| format!("bad/{n:03}")).collect();
    let list = scratch.file("names", names.join("\n"));
    let mut courier = courier(scratch.path());
    courier.args(["fetch", "--server", &fake.url, "--jobs", "1", "--list"]).arg(list);
    let refused = run(courier.arg("--out").arg(scratch.folder("in")));
    assert_eq!(refused.stderr.matches("error: ").count(), 20);
    assert!(
        refused.stderr.ends_with(
            "nothing was written; after 20 refusals 80 more repositories were not looked at\n"
        ),
        "{}",
        refused.stderr
    );
    assert_eq!(fake.asked().len(), 20);
}

#[test]
fn a_list_names_the_targets_key_of_each_repository() {
    let scratch = Scratch::new();
    let server = NotaryServer::memory(&scratch);
    let keys: Vec<Soft> = (0..3).map(|_| Soft::new()).collect();
    for (name, key) in ["all", "one", "two"].iter().zip(&keys) {
        scratch.file(&format!("lists/{name}.pem"), key.public.to_pem());
    }
    let list = scratch.file(
        "lists/names",
        "  # a comment may begin anywhere\nlocalhost/1 targets-key=one.pem\n\
         localhost/2 more targets-key=one.pem targets-key=two.pem\nlocalhost/3\n",
    );
    let media = scratch.folder("in");
    let all = scratch.path().join("lists/all.pem");
    let more = ["--list", text(&list), "--targets-key", text(&all)];
    fetch(&server, scratch.path(), &media, &more).ok();
    let request = request(&media.join("request"));
    let offered =
        |name: &str| request.repositories[&name.parse().unwrap()].keys[&Role::Targets].clone();
    let [all, one, two] = [0, 1, 2].map(|at: usize| keys[at].public.clone());
    assert_eq!(offered("localhost/1"), offered("localhost/2")[..1]);
    assert_eq!(offered("localhost/2"), [one, two]);
    assert_eq!(offered("localhost/3"), [all]);

    fs::remove_file(scratch.path().join("lists/two.pem")).unwrap();
    let refused = fetch(&server, scratch.path(), &scratch.folder("in2"), &more);
    assert_eq!(refused.code(), 2);
    assert!(refused.stderr.contains("lists/two.pem` is missing or no PEM\n"), "{}", refused.stderr);
}

#[test]
fn more_repositories_than_a_request_has_are_refused_before_the_first_is_asked() {
    let scratch = Scratch::new();
    let fake = broken();
    let names: String = (0..20_000).map(|n| format!("x{n}\n")).collect();
    let list = scratch.file("names", names);
    let refused = fake.fetch(&scratch, &["--list", text(&list)]);
    assert_eq!(refused.code(), 1);
    assert_eq!(
        refused.stderr,
        "error: a request has at most 20000 repositories, 20001 are named\n\
         hint: fetch fewer repositories at once, and plan them apart\n\
         nothing was written\n"
    );
    assert_eq!(fake.asked().len(), 0);
}
