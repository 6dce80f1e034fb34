//! TUF repositories in an object store: a real S3 server, and stores whose answers go missing.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::fake::{Asked, Fake, reply};
use super::gate::{Act, Gate, Moment};
use super::tuf::{chain, publish, trusted};
use super::{said, text};
use crate::harness::command::{LIMIT, Ran, Server, command, end, run};
use crate::harness::notary::NotaryServer;
use crate::harness::peers::peer;
use crate::harness::scratch::Scratch;

/// Runs with the environment that names a store and its credentials.
fn run_in(mut courier: Command, url: &str) -> Ran {
    in_store(&mut courier, url);
    run(&mut courier)
}

fn in_store(courier: &mut Command, url: &str) {
    courier
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test");
}

const TO: [&str; 2] = ["--bucket", "s3://tuf/demo"];

/// A store that holds nothing but what `answer` says.
fn store(
    answer: impl Fn(&Asked, &mut std::net::TcpStream) -> bool + Send + Sync + 'static,
) -> Fake {
    Fake::new(move |asked, stream| {
        if !answer(asked, stream) {
            reply(stream, "404 Not Found", "", "<Error><Code>NoSuchKey</Code></Error>");
        }
    })
}

fn found(stream: &mut std::net::TcpStream, etag: &str, bytes: &str) -> bool {
    let more = format!("ETag: \"{etag}\"\r\nLast-Modified: Fri, 27 Nov 2026 00:00:00 GMT\r\n");
    reply(stream, "200 OK", &more, bytes);
    true
}

fn stale(stream: &mut std::net::TcpStream) -> bool {
    reply(stream, "412 Precondition Failed", "", "<Error><Code>PreconditionFailed</Code></Error>");
    true
}

#[test]
fn a_version_whose_answer_went_missing_is_found_written() {
    for (stored, told) in [
        (None, "demo: version 0 → 1, fetched back and equal\n"),
        (
            Some("another document"),
            "error: repository `demo`: the server's version 1 is not the trust folder's [PUBLISH-FORK]\n",
        ),
    ] {
        let scratch = Scratch::new();
        let kept = Mutex::new(None::<String>);
        // It writes, or somebody else did, and then says that there was something before.
        let fake = store(move |asked, stream| {
            let mut kept = kept.lock().unwrap();
            if asked.is("PUT") {
                assert_eq!(asked.header("if-none-match"), Some("*"));
                let body = asked.body(stream);
                *kept = Some(stored.map_or(body, str::to_owned));
                return stale(stream);
            }
            match &*kept {
                Some(bytes) if asked.file() == "1.root.json" => found(stream, "one", bytes),
                _ => false,
            }
        });
        let ran = run_in(publish(&scratch, &trusted(&scratch, &chain(1)), &TO), &fake.url);
        let all = if stored.is_none() { said(&ran) } else { ran.stderr };
        assert!(all.starts_with(told), "{all}");
    }
}

#[test]
fn the_root_json_that_was_judged_is_replaced_and_no_other() {
    let scratch = Scratch::new();
    let chain = chain(2);
    let [first, second] =
        [0, 1].map(|at: usize| String::from_utf8(chain[at].bytes().to_vec()).unwrap());
    let written = Mutex::new(false);
    let fake = store(move |asked, stream| {
        let mut written = written.lock().unwrap();
        match (asked.file(), asked.is("PUT")) {
            ("2.root.json", true) => {
                asked.body(stream);
                *written = true;
                found(stream, "two", "")
            }
            // Somebody replaced it in the meantime, by the same bytes even: it is another one.
            ("root.json", true) => {
                asked.body(stream);
                assert_eq!(asked.header("if-match"), Some("\"judged\""));
                stale(stream)
            }
            ("1.root.json", false) => found(stream, "one", &first),
            ("2.root.json", false) if *written => found(stream, "two", &second),
            ("root.json", false) if *written => found(stream, "later", &first),
            ("root.json", false) => found(stream, "judged", &first),
            _ => false,
        }
    });
    let refused = run_in(publish(&scratch, &trusted(&scratch, &chain), &TO), &fake.url);
    assert_eq!(refused.code(), 1);
    assert!(
        refused.stderr.starts_with(
            "error: repository `demo`: somebody changed `root.json` while the versions were written [PUBLISH-FORK]\n"
        ),
        "{}",
        refused.stderr
    );
    assert_eq!(fake.count("HEAD"), 0);
}

#[test]
fn a_store_is_reached_with_the_authority_and_the_time_of_the_command_line() {
    let scratch = Scratch::new();
    let trust = trusted(&scratch, &chain(1));
    let silent = Fake::new(|_, _| std::thread::park());
    let mut courier = publish(&scratch, &trust, &TO);
    courier.args(["--timeout", "1"]);
    let refused = run_in(courier, &silent.url);
    assert_eq!(refused.code(), 3);
    assert!(
        refused.stderr.starts_with("error: object store: cannot read `1.root.json`\n"),
        "{}",
        refused.stderr
    );
    // Any server with a certificate of its own authority will do: it has no such object either.
    let server = NotaryServer::memory(&scratch);
    let asked = |more: &[&str]| {
        let mut courier = publish(&scratch, &trust, &TO);
        courier.args(more);
        run_in(courier, &server.url()).stderr
    };
    let unknown = asked(&[]);
    assert!(unknown.starts_with("error: object store: cannot read `1.root.json`\n"), "{unknown}");
    let known = asked(&["--ca", text(&server.ca())]);
    assert!(known.starts_with("error: object store: cannot create `1.root.json`\n"), "{known}");
    let none = asked(&["--ca", "/none"]);
    assert!(none.starts_with("error: `/none` holds no certificate authority in PEM\n"), "{none}");
}

#[test]
fn an_object_store_gets_the_same_and_refuses_a_second_document_itself() {
    let scratch = Scratch::new();
    let (_server, url) = s3(&scratch);
    let chain = chain(3);
    let to = ["--bucket", "s3://tuf/demo/metadata"];
    let s3 = |courier: Command| run_in(courier, &url);
    let ran = s3(publish(&scratch, &trusted(&scratch, &chain[..2]), &to)).ok();
    assert!(said(&ran).starts_with("demo: version 0 → 2, fetched back and equal\n"), "{ran:?}");
    put(&scratch, &url, "tuf/demo/metadata/root.json", chain[1].bytes());
    let ran = s3(publish(&scratch, &trusted(&scratch, &chain), &to)).ok();
    assert_eq!(said(&ran), "demo: version 2 → 3, fetched back and equal\n");
    assert_eq!(get(&scratch, &url, "tuf/demo/metadata/3.root.json"), chain[2].bytes());
    assert_eq!(get(&scratch, &url, "tuf/demo/metadata/root.json"), chain[2].bytes());

    let other = Scratch::new();
    let refused = s3(publish(&other, &trusted(&other, &super::tuf::chain(1)), &to));
    assert!(refused.stderr.contains("[PUBLISH-FORK]"), "{}", refused.stderr);
    let nowhere = s3(publish(&scratch, &trusted(&scratch, &chain), &["--bucket", "s3://none/x"]));
    assert_eq!(nowhere.code(), 3);
    assert!(nowhere.stderr.starts_with("error: object store: "), "{}", nowhere.stderr);
}

#[test]
fn a_fleet_goes_to_an_object_store_each_repository_below_its_own_name_and_is_finished_after_a_kill()
{
    const COUNT: usize = 36;
    let scratch = Scratch::new();
    let (_server, url) = s3(&scratch);
    let chain = chain(2);
    let names: Vec<String> = (1..=COUNT).map(|n| format!("team/repository-{n:02}")).collect();
    let roots = |many: usize| {
        let of = |name: &'_ String| {
            chain[..many].iter().map(move |root| (name.clone(), root.bytes().to_vec())).collect()
        };
        let all: Vec<Vec<(String, Vec<u8>)>> = names.iter().map(of).collect();
        let all: Vec<_> = all.iter().flatten().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
        super::trust(scratch.path(), &all)
    };
    let gate = Gate::to(&url);
    let one_place = run_in(publish(&scratch, &roots(1), &TO), &gate.fake.url);
    assert_eq!(one_place.code(), 2);
    let to = ["--bucket", "s3://tuf/{name}/metadata", "--jobs", "4"];
    let ran = run_in(publish(&scratch, &roots(1), &to), &gate.fake.url).ok();
    assert_eq!(
        said(&ran),
        format!(
            "published 36 repositories: fetched back and equal\n\
             note      36 repositories: `snapshot` {NEW}\n\
             note      36 repositories: `targets` {NEW}\n\
             note      36 repositories: `timestamp` {NEW}\n"
        )
    );
    let trust = roots(2);
    gate.reached();
    let mut puts = 0;
    gate.rule(move |asked, moment| {
        puts += usize::from(asked.is("PUT") && moment == Moment::After);
        if puts == 20 { Act::Kill } else { Act::Pass }
    });
    let mut courier = publish(&scratch, &trust, &to);
    in_store(&mut courier, &gate.fake.url);
    let mut child = gate.start(&mut courier);
    assert_eq!(end(&mut child, LIMIT).unwrap().signal(), Some(9));
    gate.rule(|_, _| Act::Pass);
    let ran = run_in(publish(&scratch, &trust, &to), &gate.fake.url).ok();
    let told = said(&ran);
    let (new, there) = told.split_once('\n').unwrap();
    assert!(new.starts_with("published ") && there.starts_with("there     "), "{told}");
    let reached = gate.reached();
    for name in &names {
        let own = format!("PUT /tuf/{name}/metadata/2.root.json");
        let sent = reached.iter().filter(|line| line.starts_with(&own)).count();
        assert_eq!(sent, 1, "{name}");
        let path = format!("tuf/{name}/metadata/2.root.json");
        assert_eq!(get(&scratch, &url, &path), chain[1].bytes());
    }
}

const NEW: &str = "has new keys or a new threshold: its service must sign now";

/// moto's S3 server with an empty bucket `tuf`.
fn s3(scratch: &Scratch) -> (Server, String) {
    let (server, port) = Server::start(|port| {
        let mut moto = command(peer("moto/venv/bin/python"), scratch.path());
        moto.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        moto
    });
    let url = format!("http://127.0.0.1:{port}");
    assert!(curl(scratch, &["-X", "PUT", &format!("{url}/tuf")]).1);
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
