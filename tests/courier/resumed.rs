//! A fleet whose fetching or publishing is interrupted, at every kind of moment: the next run finishes it, asks no more
//! than it must, and sends nothing twice.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use officiant::name::Name;
use officiant::request::{Repository, Request, Role};
use officiant::root::{Dialect, SignedRoot};

use super::gate::{Act, Gate, Moment};
use super::made::{Soft, Wish, sign};
use super::{courier, request, said, trust};
use crate::harness::command::{LIMIT, Ran, end, run};
use crate::harness::notary::{NotaryServer, PASSPHRASE};
use crate::harness::scratch::Scratch;

const COUNT: usize = 6;

/// A real server behind a gate, and repositories that it does not know yet.
struct Fleet {
    scratch: Scratch,
    gate: Gate,
    targets: Soft,
    root_keys: [Soft; 2],
    _server: NotaryServer,
}

impl Fleet {
    fn new() -> Self {
        let scratch = Scratch::new();
        let server = NotaryServer::plain(&scratch);
        let gate = Gate::to(&server.url());
        let (targets, root_keys) = (Soft::new(), [Soft::new(), Soft::new()]);
        scratch.file("targets.pem", targets.public.to_pem());
        let key = scratch.file("targets-key.pem", targets.pkcs8());
        fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
        let names: Vec<String> = (1..=COUNT).map(|n| format!("localhost/fleet/{n}\n")).collect();
        scratch.file("names", names.concat());
        Self { scratch, gate, targets, root_keys, _server: server }
    }

    /// What fetches all of them. One after the other: the server's memory of keys takes no two at once.
    fn fetching(&self, media: &str) -> Command {
        let mut courier = courier(self.scratch.path());
        courier.args(["fetch", "--jobs", "1", "--list", "names", "--targets-key", "targets.pem"]);
        courier.args(["--server", &self.gate.fake.url, "--out"]).arg(self.scratch.folder(media));
        courier
    }

    fn fetched(&self, media: &str) -> Request {
        request(&self.scratch.path().join(media).join("request"))
    }

    /// The first roots, or the next ones, as the ceremony makes them of a request.
    fn roots(&self, request: &Request) -> Vec<(String, SignedRoot)> {
        let keys: Vec<&Soft> = self.root_keys.iter().collect();
        let root = |(name, repository): (&Name, &Repository)| {
            let last = repository.roots.last();
            let last = last.map(|last| SignedRoot::parse(Dialect::Notary, last).unwrap());
            let offered = repository.keys.iter().map(|(role, keys)| (*role, keys[0].clone()));
            let roles: BTreeMap<Role, _> = offered.collect();
            let wish = Wish { gun: name.as_str(), keys: &keys, threshold: 2, roles, days: 3000 };
            let root = wish.root(Dialect::Notary, last.as_ref().map(SignedRoot::root));
            let signed = sign(&root, &keys, last.as_ref().map(|last| (last.root(), &keys[..])));
            (name.to_string(), signed)
        };
        request.repositories.iter().map(root).collect()
    }

    fn lay(&self, roots: &[(String, SignedRoot)]) -> PathBuf {
        let roots: Vec<_> = roots.iter().map(|(n, root)| (n.as_str(), root.bytes())).collect();
        trust(self.scratch.path(), &roots)
    }

    fn publishing(&self, folder: &Path, jobs: &str) -> Command {
        let mut courier = courier(self.scratch.path());
        courier.arg("publish").arg(folder).args(["--jobs", jobs, "--server", &self.gate.fake.url]);
        courier.args(["--targets-key", "targets-key.pem"]);
        courier
    }

    /// The fleet with its first roots published, and the next ones laid out.
    fn published() -> (Self, PathBuf) {
        let fleet = Self::new();
        run(&mut fleet.fetching("in-1")).ok();
        let folder = fleet.lay(&fleet.roots(&fleet.fetched("in-1")));
        run(&mut fleet.publishing(&folder, "2")).ok();
        run(&mut fleet.fetching("in-2")).ok();
        let folder = fleet.lay(&fleet.roots(&fleet.fetched("in-2")));
        fleet.gate.reached();
        (fleet, folder)
    }

    /// A publisher signs one more target.
    fn adds(&self, gun: &str) {
        for arguments in [
            ["key", "load", "targets-key.pem", "--role", "targets", "--gun", gun].as_slice(),
            &["add", gun, "more", "names", "--trust-on-first-use"],
        ] {
            let mut courier = courier(self.scratch.path());
            courier.env("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", PASSPHRASE);
            courier.env("DOCKER_CONTENT_TRUST_SERVER", &self.gate.fake.url);
            run(courier.args(arguments)).ok();
        }
    }

    fn journals(&self) -> usize {
        let folder = self.scratch.path().join(".local/state/officiant");
        fs::read_dir(folder).map_or(0, |entries| entries.count())
    }
}

/// Waits for a command that a rule of the gate kills.
fn killed(mut child: Child) {
    let ended = end(&mut child, LIMIT).expect("it ends");
    assert_eq!(ended.signal(), Some(9));
}

/// Kills at the nth request that is of this method and file.
fn at(
    nth: usize,
    (method, file): (&'static str, &'static str),
    moment: Moment,
) -> impl FnMut(&super::fake::Asked, Moment) -> Act + Send + 'static {
    let mut met = 0;
    move |asked, now| {
        let is_it = now == moment && asked.is(method) && asked.file() == file;
        met += usize::from(is_it);
        if is_it && met == nth { Act::Kill } else { Act::Pass }
    }
}

#[test]
fn a_fetch_that_was_killed_asks_once_for_what_it_has_and_fetches_the_rest() {
    // Of a repository that is known the timestamp stands for all of it; of a new one that there is no root still.
    for (nth, file, moment) in [
        (1, "root.json", Moment::Before),
        (3, "timestamp.key", Moment::Before),
        (3, "timestamp.key", Moment::After),
        (COUNT, "timestamp.key", Moment::After),
    ] {
        let fleet = Fleet::new();
        fleet.gate.rule(at(nth, ("GET", file), moment));
        killed(fleet.gate.start(&mut fleet.fetching("in")));
        assert_eq!(fs::read_dir(fleet.scratch.path().join("in")).unwrap().count(), 0);
        let whole = nth - 1;
        assert_eq!(fleet.journals(), 1);
        fleet.gate.reached();
        fleet.gate.rule(|_, _| Act::Pass);
        run(&mut fleet.fetching("in")).ok();
        let asked = fleet.gate.reached();
        assert_eq!(asked.len(), whole + 4 * (COUNT - whole), "{asked:?}");
        assert_eq!((fleet.fetched("in").repositories.len(), fleet.journals()), (COUNT, 0));
    }
    let (fleet, folder) = Fleet::published();
    run(&mut fleet.publishing(&folder, "2")).ok();
    fleet.gate.rule(at(4, ("GET", "2.root.json"), Moment::After));
    killed(fleet.gate.start(&mut fleet.fetching("in-3")));
    fleet.gate.reached();
    // Somebody publishes in between: what was fetched of that one is not the newest any more.
    fleet.gate.rule(|_, _| Act::Pass);
    fleet.adds("localhost/fleet/2");
    fleet.gate.reached();
    run(&mut fleet.fetching("in-3")).ok();
    let asked = fleet.gate.reached();
    assert_eq!(asked.len(), 3 + 7 * (COUNT - 2), "{asked:?}");
    let all = fleet.fetched("in-3");
    run(&mut fleet.fetching("in-4")).ok();
    assert_eq!(fleet.fetched("in-4").repositories, all.repositories);
}

#[test]
fn a_fetch_in_which_some_repositories_fail_keeps_the_others_for_the_next_run() {
    let fleet = Fleet::new();
    fleet.gate.rule(|asked, _| match asked.line.contains("/fleet/3/") {
        true => Act::Lose,
        false => Act::Pass,
    });
    let ran = run(fleet.fetching("in").args(["--patience", "0"]));
    assert_eq!(ran.code(), 3);
    let standing = "no request was written; 5 repositories fetched, and kept for the next run\n";
    assert!(ran.stderr.ends_with(standing), "{}", ran.stderr);
    fleet.gate.rule(|_, _| Act::Pass);
    fleet.gate.reached();
    // Whoever takes the bad one out, or mends it, goes on with the rest; other keys are another request.
    let names = fs::read_to_string(fleet.scratch.path().join("names")).unwrap();
    fleet.scratch.file("names", names.replace("localhost/fleet/3\n", ""));
    let other = Soft::new();
    fleet.scratch.file("other.pem", other.public.to_pem());
    let list = names.replace("fleet/3\n", "fleet/3 targets-key=other.pem\n");
    let list = list.replace("fleet/5\n", "fleet/5 targets-key=other.pem\n");
    fleet.scratch.file("names", list);
    run(&mut fleet.fetching("in")).ok();
    let asked = fleet.gate.reached();
    assert_eq!(asked.len(), 4 + 2 * 4, "{asked:?}");
    let offered = |name: &str| {
        let request = fleet.fetched("in");
        request.repositories[&name.parse::<Name>().unwrap()].keys[&Role::Targets].clone()
    };
    assert_eq!(offered("localhost/fleet/5"), [other.public]);
    assert_eq!(offered("localhost/fleet/4"), std::slice::from_ref(&fleet.targets.public));
}

#[test]
fn a_journal_that_another_run_has_or_that_cannot_be_is_told() {
    let fleet = Fleet::new();
    let (reached, waits) = std::sync::mpsc::channel();
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let mut first = true;
    fleet.gate.rule(move |_, _| {
        if std::mem::take(&mut first) {
            reached.send(()).unwrap();
            gone.recv().unwrap();
        }
        Act::Pass
    });
    let mut child = fleet.gate.start(&mut fleet.fetching("in"));
    waits.recv_timeout(LIMIT).unwrap();
    let ran = run(&mut fleet.fetching("in"));
    assert_eq!(ran.code(), 3);
    let told = "error: another `courier` is at the same work: it has the journal `";
    assert!(ran.stderr.starts_with(told), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("hint: wait until it has ended\nnothing was written\n"));
    go.send(()).unwrap();
    assert!(end(&mut child, LIMIT).unwrap().success());

    let ran = run(fleet.fetching("in-2").args(["--journal", "names/below"]));
    assert_eq!(ran.code(), 3);
    let hint = "hint: `--journal` names another folder for it\nnothing was written\n";
    assert!(ran.stderr.ends_with(hint), "{}", ran.stderr);
    assert!(!fleet.scratch.path().join("in-2/request").exists());
}

#[test]
fn a_publication_that_was_killed_is_finished_and_nothing_is_sent_twice() {
    for (nth, what, moment) in [
        // Before anything went up; before and after an upload; while what went up is compared.
        (2, ("GET", "timestamp.json"), Moment::Before),
        (1, ("POST", ""), Moment::Before),
        (1, ("POST", ""), Moment::After),
        (4, ("POST", ""), Moment::Before),
        (4, ("POST", ""), Moment::After),
        (3, ("GET", "2.root.json"), Moment::Before),
        (3, ("GET", "2.root.json"), Moment::After),
    ] {
        let (fleet, folder) = Fleet::published();
        fleet.gate.rule(at(nth, what, moment));
        killed(fleet.gate.start(&mut fleet.publishing(&folder, "2")));
        let before = fleet.gate.reached();
        fleet.gate.rule(|_, _| Act::Pass);
        let ran = run(&mut fleet.publishing(&folder, "2")).ok();
        let after = fleet.gate.reached();
        for n in 1..=COUNT {
            let posts = before.iter().chain(&after);
            let own = format!("POST /v2/localhost/fleet/{n}/_trust/tuf/ HTTP/1.1");
            assert_eq!(posts.filter(|line| **line == own).count(), 1, "{n} {what:?} {nth}");
        }
        assert_eq!(said(&ran).lines().count(), COUNT, "{}", ran.stdout);
        assert_eq!(fleet.journals(), 0);
        let again = run(&mut fleet.publishing(&folder, "2")).ok();
        assert_eq!(said(&again).matches("version 2 was there already").count(), COUNT);
        assert!(!fleet.gate.reached().iter().any(|line| line.starts_with("POST")));
    }
}

#[test]
fn what_was_seen_published_is_asked_for_once_in_the_next_run() {
    let (fleet, folder) = Fleet::published();
    fleet.gate.rule(at(5, ("POST", ""), Moment::Before));
    killed(fleet.gate.start(&mut fleet.publishing(&folder, "1")));
    fleet.gate.reached();
    fleet.gate.rule(|_, _| Act::Pass);
    run(&mut fleet.publishing(&folder, "1")).ok();
    let asked = fleet.gate.reached();
    let of = |n: usize| {
        let own = format!("/fleet/{n}/");
        asked.iter().filter(|line| line.contains(&own)).cloned().collect::<Vec<_>>()
    };
    for n in 1..=4 {
        let once = format!("GET /v2/localhost/fleet/{n}/_trust/tuf/timestamp.json HTTP/1.1");
        assert_eq!(of(n), [once]);
    }
    assert!(of(5).len() > 5 && of(6).len() > 5, "{asked:?}");
}

/// From the nth request that is of this method on, no connection gets an answer for a while: to whoever asks, the server
/// was stopped, and started again on its data.
fn down(
    nth: usize,
    method: &'static str,
    lost: Moment,
) -> impl FnMut(&super::fake::Asked, Moment) -> Act + Send + 'static {
    let (mut met, mut since) = (0, None::<Instant>);
    move |asked, now| {
        met += usize::from(now == lost && asked.is(method));
        if met == nth && since.is_none() {
            since = Some(Instant::now());
        }
        match since {
            // Longer than all attempts that are made without patience.
            Some(since) if since.elapsed() < Duration::from_secs(3) => Act::Lose,
            _ => Act::Pass,
        }
    }
}

#[track_caller]
fn waited(ran: &Ran) {
    let told = "note: no answer from 127.0.0.1; it is asked again for 60 seconds\n";
    assert_eq!(ran.stderr, told);
}

#[test]
fn a_server_that_is_stopped_and_started_in_the_middle_is_waited_for() {
    let fleet = Fleet::new();
    fleet.gate.rule(down(6, "GET", Moment::Before));
    waited(&run(&mut fleet.fetching("in")).ok());
    assert_eq!(fleet.fetched("in").repositories.len(), COUNT);
    for lost in [Moment::Before, Moment::After] {
        let (fleet, folder) = Fleet::published();
        fleet.gate.rule(down(3, "POST", lost));
        let ran = run(&mut fleet.publishing(&folder, "2")).ok();
        waited(&ran);
        assert_eq!(said(&ran).matches("version 1 → 2").count(), COUNT, "{}", ran.stdout);
        let reached = fleet.gate.reached();
        let posts = reached.iter().filter(|line| line.starts_with("POST"));
        assert_eq!(posts.count(), COUNT, "{reached:?}");
    }
    // And not for ever.
    let (fleet, folder) = Fleet::published();
    let mut met = 0;
    fleet.gate.rule(move |asked, _| {
        met += usize::from(asked.is("POST"));
        if met > 2 { Act::Lose } else { Act::Pass }
    });
    let ran = run(fleet.publishing(&folder, "1").args(["--patience", "2"]));
    assert_eq!(ran.code(), 3, "{}", ran.stderr);
    let standing = "1 repository was published and compared, 1 failed, 4 not begun; publish again to see and finish\n";
    assert!(ran.stderr.ends_with(standing), "{}", ran.stderr);
}
