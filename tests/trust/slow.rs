//! Servers that are slow, huge, broken or greedy: every answer has an end, in time and in memory.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use officiant::root::Role;

use super::GUN;
use super::proxy::{Proxy, State};
use super::publisher::Publisher;
use crate::courier::fake::{Fake, reply};
use crate::harness::command::{command, run};
use crate::harness::scratch::Scratch;

/// The files that a client asks for, the bound of each answer, and their state.
struct Asked {
    scratch: Scratch,
    state: State,
    files: [(String, usize); 5],
}

impl Asked {
    fn new() -> Self {
        let mut own = Publisher::new();
        own.delegate(2, &[]);
        own.release(1, &["1.0"]);
        let state = own.state();
        let named = |role: &str| (state.name(role), state.file(role).len());
        let files = [
            ("root.json".to_owned(), 4 << 20),
            ("2.root.json".to_owned(), 4 << 20),
            ("timestamp.json".to_owned(), 1 << 20),
            named("snapshot"),
            named("targets/releases"),
        ];
        Self { scratch: Scratch::new(), state, files }
    }

    /// Has each file in turn answered by `answer`, and sees that this is told of it.
    #[track_caller]
    fn each(
        &self,
        answer: impl Fn(&str, &mut TcpStream) + Copy + Send + Sync + 'static,
        told: impl Fn(&str, &str, usize) -> (i32, String),
    ) {
        for (file, most) in &self.files {
            self.one(file, answer, |url| told(url, file, *most));
        }
    }

    /// The same of the timestamp, which is always asked for.
    #[track_caller]
    fn timestamp(
        &self,
        answer: impl Fn(&str, &mut TcpStream) + Copy + Send + Sync + 'static,
        told: &str,
    ) {
        self.one("timestamp.json", answer, |url| (3, format!("{url}: {told}")));
    }

    #[track_caller]
    fn one(
        &self,
        file: &str,
        answer: impl Fn(&str, &mut TcpStream) + Copy + Send + Sync + 'static,
        told: impl Fn(&str) -> (i32, String),
    ) {
        let disturbed = file.to_owned();
        let proxy = Proxy::disturbing(&self.state, move |file, right, stream| {
            if file == disturbed {
                answer(right, stream);
            }
            file == disturbed
        });
        let home = self.scratch.folder("cold");
        let line = format!("--timeout 1 --trust-on-first-use {GUN}:1.0");
        let (code, told) = told(&format!("{}/v2/{GUN}/_trust/tuf/{file}", proxy.fake.url));
        proxy.is_refused(&home, &line, code, &format!("error: {told}"));
    }
}

/// Ten gigabytes, or as much of it as is taken.
fn flood(stream: &mut TcpStream, chunk: &[u8]) {
    for _ in 0..10_000_000_000 / chunk.len() {
        if stream.write_all(chunk).is_err() {
            break;
        }
    }
}

/// What is told of a file that is larger than its bound, or than the one that is named.
fn large(url: &str, file: &str, most: usize) -> (i32, String) {
    let Some((role, _)) = file.split_once('.').filter(|(_, rest)| rest.len() > 64) else {
        return (3, format!("{url}: the answer is larger than {most} bytes"));
    };
    let why = "is not the one that is named by what was signed over it [TRUST-SERVED]";
    (1, format!("repository `{GUN}`: what the server has for `{role}` {why}"))
}

#[test]
fn ten_gigabytes_are_cut_at_the_bound_of_each_file() {
    let asked = Asked::new();
    // In chunks, with no length said.
    let chunked = |_: &str, stream: &mut TcpStream| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        flood(stream, &[b"10000\r\n", &[b' '; 0x10000][..], b"\r\n"].concat());
    };
    asked.each(chunked, large);
    // In one chunk that says to be of ten gigabytes.
    let chunk = |_: &str, stream: &mut TcpStream| {
        let _ =
            write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2540BE400\r\n");
        flood(stream, &[b' '; 0x10000]);
    };
    asked.each(chunk, large);
    // With a length that says so, or none.
    let said = |_: &str, stream: &mut TcpStream| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
        flood(stream, &[b' '; 0x10000]);
    };
    asked.each(said, large);
    let unsaid = |_: &str, stream: &mut TcpStream| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        flood(stream, &[b' '; 0x10000]);
    };
    asked.each(unsaid, large);
}

#[test]
fn one_byte_after_the_other_is_given_up_in_time() {
    let slowly = |mut text: &[u8], stream: &mut TcpStream| {
        while let [byte, rest @ ..] = text {
            if stream.write_all(&[*byte]).is_err() {
                break;
            }
            text = rest;
            thread::sleep(Duration::from_millis(300));
        }
    };
    let asked = Asked::new();
    // The body, and already the head.
    let body = move |right: &str, stream: &mut TcpStream| {
        let right = if right.is_empty() { "{}                  " } else { right };
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", right.len());
        slowly(right.as_bytes(), stream);
    };
    asked.each(body, |url, _, _| (3, format!("{url}: {LATE}")));
    asked.timestamp(
        move |_, stream| slowly(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", stream),
        LATE,
    );
}

#[test]
fn a_server_that_answers_each_question_just_in_time_is_given_up_as_a_whole() {
    let scratch = Scratch::new();
    let mut own = Publisher::new();
    for _ in 0..20 {
        own.rotate();
    }
    let first = own.chain[0].clone();
    let state = own.state();
    let proxy = Proxy::disturbing(&state, move |file, _, stream| {
        thread::sleep(Duration::from_millis(700));
        if file == "root.json" {
            reply(stream, "200 OK", "", str::from_utf8(first.bytes()).unwrap());
        }
        file == "root.json"
    });
    let home = scratch.folder("cold");
    let start = Instant::now();
    proxy.is_refused(
        &home,
        &format!("--timeout 1 --trust-on-first-use {GUN}:1.0"),
        3,
        &format!(
            "error: repository `{GUN}`: the server keeps us waiting, after 4 s there is no whole answer"
        ),
    );
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn what_breaks_the_protocol_or_leads_elsewhere_is_not_followed() {
    let asked = Asked::new();
    let head = |text: &'static str| {
        move |_: &str, stream: &mut TcpStream| drop(stream.write_all(text.as_bytes()))
    };
    // Heads without end, in one field and in many; answers that are none; a connection that ends.
    let field = |_: &str, stream: &mut TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ");
        flood(stream, &[b'x'; 0x10000]);
    };
    asked.timestamp(field, "no answer");
    let fields = |_: &str, stream: &mut TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        flood(stream, &b"X-Y: z\r\n".repeat(1000));
    };
    asked.timestamp(fields, "no answer");
    asked.timestamp(head("HTTP/9.9 nonsense\r\n\r\n"), "no answer");
    asked.timestamp(head(""), "no answer");
    // A head that is announced again and again: it is read as fast as it comes, and the clock looked at in between.
    let early = |_: &str, stream: &mut TcpStream| {
        flood(stream, &b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000));
    };
    asked.timestamp(early, LATE);
    // To another host, or to itself for ever.
    for to in
        ["http://127.0.0.1:1/", "https://trust.example/", "timestamp.json", "file:///etc/passwd"]
    {
        let proxy = Proxy::disturbing(&asked.state, move |_, _, stream| {
            reply(stream, "301 There", &format!("Location: {to}\r\n"), "");
            true
        });
        let home = asked.scratch.folder("cold");
        let first = format!(
            "error: {}/v2/{GUN}/_trust/tuf/root.json: the server answered 301",
            proxy.fake.url
        );
        proxy.is_refused(&home, &format!("--trust-on-first-use {GUN}:1.0"), 3, &first);
        assert_eq!(proxy.fake.asked().len(), 1, "{to}");
    }
}

#[test]
fn a_server_that_asks_for_tokens_for_ever_is_told_no() {
    let scratch = Scratch::new();
    let asked = Asked::new();
    let tokens = Fake::new(|_, stream| reply(stream, "200 OK", "", r#"{"token":"t"}"#));
    let realm = format!(
        "WWW-Authenticate: Bearer realm=\"{}/token\",service=\"s\",scope=\"repository:{GUN}:pull\"\r\n",
        tokens.url
    );
    let proxy = Proxy::disturbing(&asked.state, move |_, _, stream| {
        reply(stream, "401 Who", &realm, "");
        true
    });
    let home = scratch.folder("cold");
    let first = format!(
        "error: {}/v2/{GUN}/_trust/tuf/root.json: the server wants credentials",
        proxy.fake.url
    );
    proxy.is_refused(&home, &format!("--trust-on-first-use {GUN}:1.0"), 3, &first);
    assert_eq!((proxy.fake.asked().len(), tokens.asked().len()), (2, 1));
}

#[test]
fn a_compressed_answer_is_not_unpacked() {
    let scratch = Scratch::new();
    let asked = Asked::new();
    // More than may be held, in less than a timestamp may have.
    let mut gzip = command("sh", scratch.path());
    run(gzip.args(["-c", "head -c 600M /dev/zero | gzip > bomb"])).ok();
    let bomb = fs::read(scratch.path().join("bomb")).unwrap();
    assert!(bomb.len() < 1 << 20);
    let proxy = Proxy::disturbing(&asked.state, move |file, _, stream| {
        if file == "timestamp.json" {
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
                bomb.len()
            );
            let _ = stream.write_all(&bomb);
        }
        file == "timestamp.json"
    });
    let first = format!(
        "error: repository `{GUN}`: what the server has for `timestamp` is no metadata [TRUST-SERVED]"
    );
    let home = scratch.folder("cold");
    proxy.is_refused(&home, &format!("--trust-on-first-use {GUN}:1.0"), 1, &first);
    let heads = proxy.fake.asked();
    assert!(heads.iter().all(|asked| asked.header("accept-encoding").is_none()), "{heads:?}");
}

/// Documents that are small to send and large to hold, up to so many bytes.
fn bombs(most: usize) -> [String; 6] {
    let nested = format!("{}0{},", r#"{"":"#.repeat(29), "}".repeat(29));
    let fill = |head: &str, piece: &str, tail: &str| {
        let times = (most - head.len() - tail.len()) / piece.len();
        format!("{head}{}{tail}", piece.repeat(times))
    };
    [
        fill("[", r#"{"":0},"#, "0]"),
        fill("[", &nested, "0]"),
        fill("[", "[],", "0]"),
        fill("[", "0,", "0]"),
        fill("", "[", ""),
        fill("\"", "x", "\""),
    ]
}

#[test]
fn what_is_small_to_send_and_large_to_hold_is_refused() {
    let scratch = Scratch::new();
    let line = format!("--timeout 20 --trust-on-first-use {GUN}:1.0");
    let unsound = |role: &str, why: &str| {
        format!("error: repository `{GUN}`: what the server has for `{role}` {why} [TRUST-SERVED]")
    };
    let mut own = Publisher::new();
    let state = own.state();
    for (number, bomb) in bombs(1 << 20).into_iter().enumerate() {
        let home = scratch.folder("cold");
        let proxy = Proxy::showing(&state.with("timestamp", &bomb));
        proxy.is_refused(&home, &line, 1, &unsound("timestamp", "is no metadata"));
        // By a server that signs snapshot and timestamp over it.
        let files = [("snapshot", bomb.as_str())];
        proxy.show(&own.state_of(&bomb, files.into_iter()));
        proxy.is_refused(&home, &line, 1, &unsound("snapshot", "is no metadata"));
        let large = &bombs(4 << 20)[number];
        let mut roots = state.clone();
        roots.0.insert("2.root.json".to_owned(), large.clone());
        proxy.show(&roots);
        proxy.is_refused(&home, &line, 1, &unsound("root", "is no root"));
        // As large as a list may be, where that makes a difference.
        let list = &bombs(if number == 5 { 64 << 20 } else { 8 << 20 })[number];
        own.lists.insert(Role::Targets.name().to_owned(), list.clone());
        proxy.show(&own.state());
        proxy.is_refused(&home, &line, 1, &unsound("targets", "is no metadata"));
    }
}

const LATE: &str = "no whole answer in time";
