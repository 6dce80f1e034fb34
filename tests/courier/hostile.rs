//! Servers that are slow, huge, broken or greedy: every answer is bounded.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use officiant::request::Role;
use officiant::root::{Dialect, SignedRoot};

use super::made::{Soft, Wish, sign};
use super::{courier, trust};
use crate::harness::command::{Ran, run};
use crate::harness::scratch::Scratch;

/// A server on loopback that answers each request by a function of its first line; it keeps what it was asked.
struct Fake {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn new(answer: impl Fn(&str, &[String], &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    let lines = head(&stream);
                    let Some(first) = lines.first().cloned() else { return };
                    log.lock().unwrap().push(first.clone());
                    answer(&first, &lines, &mut stream);
                });
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn fetch(&self, scratch: &Scratch, more: &[&str]) -> Ran {
        let mut courier = courier(scratch.path());
        courier.args(["fetch", "a", "--server", &self.url, "--timeout", "2"]);
        run(courier.arg("--out").arg(scratch.folder("in")).args(more))
    }
}

/// The lines before the body, read byte by byte so that the body stays.
fn head(mut stream: &TcpStream) -> Vec<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap().lines().filter(|l| !l.is_empty()).map(str::to_owned).collect()
}

fn reply(stream: &mut TcpStream, status: &str, more: &str, body: &str) {
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n{body}"
    );
}

/// Nothing stands on media after a refusal.
fn untouched(scratch: &Scratch) {
    assert_eq!(std::fs::read_dir(scratch.folder("in")).unwrap().count(), 0);
}

#[test]
fn an_answer_without_end_is_cut_at_its_bound() {
    for announced in [true, false] {
        let scratch = Scratch::new();
        let fake = Fake::new(move |_, _, stream| {
            let length = if announced { "Content-Length: 999999999\r\n" } else { "" };
            let _ = write!(stream, "HTTP/1.1 200 OK\r\n{length}Connection: close\r\n\r\n");
            while stream.write_all(&[b' '; 65536]).is_ok() {}
        });
        let refused = fake.fetch(&scratch, &[]);
        assert_eq!(refused.code(), 3);
        assert_eq!(
            refused.stderr,
            format!(
                "error: {}/v2/a/_trust/tuf/root.json: the answer is larger than 4194304 bytes\nnothing was written\n",
                fake.url
            )
        );
        untouched(&scratch);
    }
}

#[test]
fn an_answer_that_never_ends_is_given_up_in_time() {
    let scratch = Scratch::new();
    let fake = Fake::new(|_, _, stream| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(200));
        }
    });
    let start = Instant::now();
    let refused = fake.fetch(&scratch, &[]);
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(refused.code(), 3);
    assert!(
        refused.stderr.ends_with(
            "no whole answer in time\nhint: `--timeout` gives it more seconds\nnothing was written\n"
        ),
        "{}",
        refused.stderr
    );
    untouched(&scratch);
}

#[test]
fn a_server_that_is_down_for_a_moment_is_asked_again_and_one_that_says_no_is_not() {
    let scratch = Scratch::new();
    let fake = Fake::new(|_, _, stream| reply(stream, "503 Busy", "", "later\n\u{1b}[2Jnow"));
    let refused = fake.fetch(&scratch, &[]);
    assert_eq!(refused.code(), 3);
    assert_eq!(fake.asked().len(), 3);
    assert!(
        refused.stderr.contains("the server answered 503\nbecause later  [2Jnow\n"),
        "{}",
        refused.stderr
    );

    let fake = Fake::new(|_, _, stream| reply(stream, "500 Broken", "", ""));
    assert_eq!(fake.fetch(&scratch, &[]).code(), 3);
    assert_eq!(fake.asked().len(), 1);

    let fake = Fake::new(|_, _, stream| {
        reply(stream, "302 Found", "Location: http://127.0.0.1:1/\r\n", "")
    });
    assert!(fake.fetch(&scratch, &[]).stderr.contains("the server answered 302"));
    untouched(&scratch);
}

#[test]
fn a_chain_that_cannot_be_is_refused() {
    let root = |version: &str| format!("{{\"signed\":{{\"version\":{version}}}}}");
    for (served, words) in [
        (root("0"), "the server's `root.json` has no version from 1 to 10000"),
        (root("99999999"), "the server's `root.json` has no version from 1 to 10000"),
        ("[".repeat(100_000), "the server's `root.json` has no version from 1 to 10000"),
        (root("2"), "the server has no version 2 of the root"),
        (root("1"), "the server's `root.json` and `1.root.json` differ"),
    ] {
        let scratch = Scratch::new();
        let fake = Fake::new(move |line, _, stream| match line {
            _ if line.contains("/root.json") => reply(stream, "200 OK", "", &served),
            _ if line.contains("/1.root.json") => reply(stream, "200 OK", "", "{}"),
            _ => reply(stream, "404 None", "", ""),
        });
        let refused = fake.fetch(&scratch, &[]);
        assert_eq!(refused.code(), 3);
        let first = refused.stderr.lines().next().unwrap();
        assert_eq!(first, format!("error: repository `a`: {words}"));
        assert!(fake.asked().iter().all(|line| !line.contains("/0.root.json")));
        untouched(&scratch);
    }
}

#[test]
fn a_token_is_asked_for_with_the_credentials_of_notary_auth() {
    let scratch = Scratch::new();
    let fake = Fake::new(|line, head, stream| {
        let has = |text: &str| head.iter().any(|line| line.to_lowercase() == text.to_lowercase());
        if line.starts_with("GET /token?service=s&scope=repository%3Aa%3Apull ") {
            let good = has("authorization: Basic bWU6cGFzcw==");
            let (status, body) =
                if good { ("200 OK", "{\"token\":\"T\"}") } else { ("401 No", "") };
            reply(stream, status, "", body);
        } else if has("authorization: Bearer T") {
            reply(stream, "404 None", "", "");
        } else {
            let host = head
                .iter()
                .find_map(|line| line.to_lowercase().strip_prefix("host: ").map(str::to_owned));
            let challenge = format!(
                "WWW-Authenticate: Bearer realm=\"http://{}/token\",service=\"s\",scope=\"repository:a:pull\"\r\n",
                host.unwrap()
            );
            reply(stream, "401 Unauthorized", &challenge, "");
        }
    });
    let refused = fake.fetch(&scratch, &[]);
    assert!(refused.stderr.contains("the server wants credentials\n"), "{}", refused.stderr);
    assert!(refused.stderr.contains("NOTARY_AUTH"));

    let mut courier = courier(scratch.path());
    courier.env("NOTARY_AUTH", "bWU6cGFzcw==").args(["fetch", "a", "--server", &fake.url, "--out"]);
    let refused = run(courier.arg(scratch.folder("in")));
    // Beyond the token there is no key to fetch: the point is that it got there.
    assert_eq!(
        refused.stderr.lines().next().unwrap(),
        "error: repository `a`: the server gives no `snapshot` key that can be read"
    );
    untouched(&scratch);
}

#[test]
fn plain_http_to_another_machine_is_never_asked() {
    let scratch = Scratch::new();
    let fake = Fake { url: "http://trust.example".to_owned(), asked: Arc::default() };
    let refused = fake.fetch(&scratch, &[]);
    assert_eq!(refused.code(), 2);
    assert!(refused.stderr.starts_with(
        "error: http://trust.example/: only https, or http to this machine, is asked\n"
    ));
}

/// A first root for `a`, its trust folder, and the file of its targets key.
fn first(scratch: &Scratch) -> (SignedRoot, PathBuf, PathBuf) {
    let targets = Soft::new();
    let mut roles: BTreeMap<Role, _> =
        [Role::Snapshot, Role::Timestamp].map(|role| (role, Soft::new().public)).into();
    roles.insert(Role::Targets, targets.public.clone());
    let (one, two) = (Soft::new(), Soft::new());
    let keys = [&one, &two];
    let wish = Wish { gun: "a", keys: &keys, threshold: 2, roles, days: 3000 };
    let root = sign(&wish.root(Dialect::Notary, None), &keys, None);
    let folder = trust(scratch.path(), &[("a", root.bytes())]);
    (root, folder, scratch.file("key.pem", targets.pkcs8()))
}

#[test]
fn a_server_that_serves_other_bytes_than_it_was_given_is_found_out() {
    for damaged in ["1.root.json", "root.json", "targets.json", "snapshot.json"] {
        let scratch = Scratch::new();
        let (root, folder, key) = first(&scratch);
        let hash = data_encoding::BASE64.encode(root.digest().as_bytes());
        let length = root.bytes().len();
        let root = String::from_utf8(root.bytes().to_vec()).unwrap();
        let kept = Mutex::new(String::new());
        let fake = Fake::new(move |line, lines, stream| {
            let mut kept = kept.lock().unwrap();
            let is = |name: &str| line.contains(&format!("/tuf/{name} "));
            let served = if line.starts_with("POST ") {
                *kept = part(&whole(lines, stream), "targets");
                String::new()
            } else if kept.is_empty() {
                return reply(stream, "404 None", "", "");
            } else if is("1.root.json") || is("root.json") {
                root.clone()
            } else if is("targets.json") {
                kept.clone()
            } else {
                format!(
                    r#"{{"signed":{{"meta":{{"root":{{"length":{length},"hashes":{{"sha256":"{hash}"}}}}}}}}}}"#
                )
            };
            let served =
                if is(damaged) { served.replacen(':', ": ", 1).replace(&hash, "") } else { served };
            reply(stream, "200 OK", "", &served);
        });
        let mut courier = courier(scratch.path());
        courier.arg("publish").arg(&folder).args(["--server", &fake.url, "--targets-key"]);
        let refused = run(courier.arg(&key));
        assert_eq!(refused.code(), 1);
        assert_eq!(
            refused.stderr,
            format!(
                "error: repository `a`: the server now serves another `{damaged}` than was uploaded [PUBLISH-COMPARED]\n\
                 hint: clients may be cut off now: call who runs the server, and fetch again to see\n\
                 no repository was published whole; publish again to see and finish\n"
            )
        );
    }
}

/// The body of a request whose head was read.
fn whole(head: &[String], stream: &mut TcpStream) -> String {
    let length = head
        .iter()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap()];
    stream.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

/// The part of a form that has this file name.
fn part(body: &str, name: &str) -> String {
    let (_, rest) = body.split_once(&format!("filename=\"{name}\"")).unwrap();
    let (_, rest) = rest.split_once("\r\n\r\n").unwrap();
    rest.split_once("\r\n--").unwrap().0.to_owned()
}

#[test]
fn an_upload_whose_answer_is_lost_is_found_published() {
    let scratch = Scratch::new();
    let (root, folder, key) = first(&scratch);
    let meta = snapshot(&root);
    let root = String::from_utf8(root.bytes().to_vec()).unwrap();
    let kept = Mutex::new(String::new());
    let fake = Fake::new(move |line, lines, stream| {
        let mut kept = kept.lock().unwrap();
        if line.starts_with("POST ") {
            *kept = part(&whole(lines, stream), "targets");
        } else if kept.is_empty() {
            reply(stream, "404 None", "", "");
        } else if line.contains("/targets.json ") {
            reply(stream, "200 OK", "", &kept);
        } else {
            reply(stream, "200 OK", "", if line.contains("root.json ") { &root } else { &meta });
        }
    });
    let mut courier = courier(scratch.path());
    courier.arg("publish").arg(&folder).args(["--server", &fake.url, "--targets-key"]);
    let ran = run(courier.arg(&key)).ok();
    assert!(ran.stdout.starts_with("a: version 0 → 1, fetched back and equal\n"), "{}", ran.stdout);
    assert_eq!(fake.asked().iter().filter(|line| line.starts_with("POST ")).count(), 1);
}

#[test]
fn a_tuf_repository_is_fetched_up_to_the_first_version_that_is_not_there() {
    for absent in ["404 None", "403 Forbidden"] {
        let scratch = Scratch::new();
        let fake = Fake::new(move |line, _, stream| match line {
            _ if line.contains("/md/a/1.root.json ") => reply(stream, "200 OK", "", "{\"one\":1}"),
            _ if line.contains("/md/a/2.root.json ") => reply(stream, "200 OK", "", "{\"two\":2}"),
            _ => reply(stream, absent, "", ""),
        });
        let mut courier = courier(scratch.path());
        let server = format!("{}/md/{{name}}/", fake.url);
        courier.args(["fetch", "a", "b", "--dialect", "tuf", "--server", &server, "--out"]);
        run(courier.arg(scratch.folder("in"))).ok();
        let request = super::request(&scratch.folder("in").join("request"));
        let latest = |name: &str| request.repositories[&name.parse().unwrap()].latest();
        assert_eq!((latest("a"), latest("b")), (2, 0));
    }
}

#[test]
fn a_tuf_repository_without_its_first_versions_is_refused() {
    let scratch = Scratch::new();
    let fake = Fake::new(|line, _, stream| match line {
        _ if line.contains("/root.json ") => reply(stream, "200 OK", "", "{}"),
        _ => reply(stream, "404 None", "", ""),
    });
    let refused = fake.fetch(&scratch, &["--dialect", "tuf"]);
    assert_eq!(refused.code(), 3);
    assert_eq!(
        refused.stderr,
        "error: repository `a` has a `root.json`, but no `1.root.json`\n\
         hint: every version stays published for ever: restore the first ones\n\
         nothing was written\n"
    );
    untouched(&scratch);
}

#[test]
fn an_upload_is_sent_once_whatever_the_server_says() {
    let scratch = Scratch::new();
    let (_, folder, key) = first(&scratch);
    let fake = Fake::new(|line, lines, stream| {
        let is_upload = line.starts_with("POST ");
        if is_upload {
            whole(lines, stream);
        }
        reply(stream, if is_upload { "503 Busy" } else { "404 None" }, "", "");
    });
    let mut courier = courier(scratch.path());
    courier.arg("publish").arg(&folder).args(["--server", &fake.url, "--targets-key"]);
    let refused = run(courier.arg(&key));
    assert_eq!(refused.code(), 3);
    assert_eq!(
        refused.stderr,
        format!(
            "error: {}/v2/a/_trust/tuf/: the server answered 503\n\
             no repository was published whole; publish again to see and finish\n",
            fake.url
        )
    );
    assert_eq!(fake.asked().iter().filter(|line| line.starts_with("POST ")).count(), 1);
}

#[test]
fn an_authority_that_is_none_and_a_server_that_is_not_there_are_told() {
    let scratch = Scratch::new();
    let nobody = Fake { url: "https://127.0.0.1:1".to_owned(), asked: Arc::default() };
    let refused = nobody.fetch(&scratch, &["--ca", "/none"]);
    assert_eq!(refused.code(), 2);
    assert!(refused.stderr.starts_with("error: `/none` holds no certificate authority in PEM\n"));
    let refused = nobody.fetch(&scratch, &[]);
    assert_eq!(refused.code(), 3);
    assert_eq!(
        refused.stderr,
        "error: https://127.0.0.1:1/v2/a/_trust/tuf/root.json: no answer\n\
         because Connection refused\n\
         nothing was written\n"
    );
    untouched(&scratch);
}

/// A snapshot that names a root, as far as courier reads it.
fn snapshot(root: &SignedRoot) -> String {
    let hash = data_encoding::BASE64.encode(root.digest().as_bytes());
    let length = root.bytes().len();
    format!(
        r#"{{"signed":{{"meta":{{"root":{{"length":{length},"hashes":{{"sha256":"{hash}"}}}}}}}}}}"#
    )
}
