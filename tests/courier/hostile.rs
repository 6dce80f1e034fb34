//! Servers that are slow, huge, broken or greedy: every answer is bounded.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::courier;
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

fn head(stream: &TcpStream) -> Vec<String> {
    let mut lines = Vec::new();
    for line in BufReader::new(stream.take(64 << 10)).lines().map_while(Result::ok) {
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    lines
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
