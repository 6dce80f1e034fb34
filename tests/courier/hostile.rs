//! Servers that are slow, huge, broken or greedy: every answer is bounded.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use super::courier;
use super::fake::{Fake, reply, untouched};
use crate::harness::command::run;
use crate::harness::scratch::Scratch;

#[test]
fn an_answer_without_end_is_cut_at_its_bound() {
    for announced in [true, false] {
        let scratch = Scratch::new();
        let fake = Fake::new(move |_, stream| {
            let length = if announced { "Content-Length: 999999999\r\n" } else { "" };
            let _ = write!(stream, "HTTP/1.1 200 OK\r\n{length}Connection: close\r\n\r\n");
            while stream.write_all(&[b' '; 65536]).is_ok() {}
        });
        let refused = fake.fetch(&scratch, &[]);
        assert_eq!(refused.code(), 3);
        assert_eq!(
            refused.stderr,
            format!(
                "error: {}/v2/a/_trust/tuf/root.json: the answer is larger than 4194304 bytes\n\
                 hint: no repository has such a file: ask who runs the server\n\
                 nothing was written\n",
                fake.url
            )
        );
        untouched(&scratch);
    }
}

#[test]
fn an_answer_that_never_ends_is_given_up_in_time() {
    let scratch = Scratch::new();
    let fake = Fake::new(|_, stream| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    // It would last for more than an hour.
    let refused = fake.fetch(&scratch, &["--timeout", "1"]);
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
    let fake = Fake::new(|_, stream| reply(stream, "503 Busy", "", "later\n\u{1b}[2Jnow"));
    let refused = fake.fetch(&scratch, &[]);
    assert_eq!(refused.code(), 3);
    assert_eq!(fake.asked().len(), 3);
    assert!(
        refused.stderr.contains("the server answered 503\nbecause later  [2Jnow\n"),
        "{}",
        refused.stderr
    );

    let fake = Fake::new(|_, stream| reply(stream, "500 Broken", "", ""));
    assert_eq!(fake.fetch(&scratch, &[]).code(), 3);
    assert_eq!(fake.asked().len(), 1);

    let fake =
        Fake::new(|_, stream| reply(stream, "302 Found", "Location: http://127.0.0.1:1/\r\n", ""));
    assert!(fake.fetch(&scratch, &[]).stderr.contains("the server answered 302"));
    untouched(&scratch);
}

#[test]
fn a_server_that_says_when_it_may_be_asked_again_is_asked_then() {
    let scratch = Scratch::new();
    let fake = Fake::new(|_, stream| reply(stream, "429 Slowly", "Retry-After: 1\r\n", ""));
    let start = Instant::now();
    assert_eq!(fake.fetch(&scratch, &[]).code(), 3);
    assert_eq!(fake.asked().len(), 3);
    // Twice a second, where it would wait for less than one of its own accord.
    assert!(start.elapsed() >= Duration::from_secs(2));
}

#[test]
fn every_question_says_that_no_cache_may_answer_it() {
    let scratch = Scratch::new();
    let fake = Fake::new(|_, stream| reply(stream, "404 None", "", ""));
    fake.fetch(&scratch, &[]);
    assert!(!fake.asked().is_empty());
    for asked in fake.asked() {
        assert_eq!(asked.header("cache-control"), Some("no-cache"), "{asked:?}");
    }
}

#[test]
fn a_server_of_this_machine_is_asked_past_the_proxy_of_the_environment() {
    let scratch = Scratch::new();
    let fake = Fake::new(|_, stream| reply(stream, "500 Here", "", ""));
    let proxy = Fake::new(|_, stream| reply(stream, "500 Proxy", "", ""));
    let mut courier = fake.fetching(&scratch);
    let refused = run(courier.env("HTTP_PROXY", &proxy.url).env("http_proxy", &proxy.url));
    assert_eq!(refused.code(), 3);
    assert_eq!((fake.asked().len(), proxy.asked().len()), (1, 0));
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
        let fake = Fake::new(move |asked, stream| match asked.file() {
            "root.json" => reply(stream, "200 OK", "", &served),
            "1.root.json" => reply(stream, "200 OK", "", "{}"),
            _ => reply(stream, "404 None", "", ""),
        });
        let refused = fake.fetch(&scratch, &[]);
        assert_eq!(refused.code(), 3);
        let first = refused.stderr.lines().next().unwrap();
        assert_eq!(first, format!("error: repository `a`: {words}"));
        assert!(fake.asked().iter().all(|asked| asked.file() != "0.root.json"));
        untouched(&scratch);
    }
}

#[test]
fn a_repository_that_an_upload_damaged_is_not_taken_for_a_new_one() {
    let scratch = Scratch::new();
    let fake = Fake::new(|asked, stream| match asked.file() {
        "1.root.json" => reply(stream, "200 OK", "", "{}"),
        _ => reply(stream, "404 None", "", ""),
    });
    let refused = fake.fetch(&scratch, &[]);
    assert_eq!(refused.code(), 3);
    assert_eq!(
        refused.stderr,
        "error: repository `a`: the server has a `1.root.json`, but no `root.json`\n\
         hint: an upload damaged it, and no other can mend it: ask who runs the server, before anything is planned\n\
         nothing was written\n"
    );
    // No key was asked for: the server would have made one.
    assert!(fake.asked().iter().all(|asked| !asked.file().ends_with(".key")));
    untouched(&scratch);
}

#[test]
fn plain_http_to_another_machine_is_never_asked() {
    let scratch = Scratch::new();
    let refused = Fake::nowhere("http://trust.example").fetch(&scratch, &[]);
    assert_eq!(refused.code(), 2);
    assert!(refused.stderr.starts_with(
        "error: http://trust.example/: only https, or http to this machine, is asked\n"
    ));
}

#[test]
fn a_tuf_repository_is_fetched_up_to_the_first_version_that_is_not_there() {
    for absent in ["404 None", "403 Forbidden"] {
        let scratch = Scratch::new();
        let fake = Fake::new(move |asked, stream| match &asked.line {
            line if line.contains("/md/a/1.root.json ") => {
                reply(stream, "200 OK", "", "{\"one\":1}");
            }
            line if line.contains("/md/a/2.root.json ") => {
                reply(stream, "200 OK", "", "{\"two\":2}");
            }
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
    let fake = Fake::new(|asked, stream| match asked.file() {
        "root.json" => reply(stream, "200 OK", "", "{}"),
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
fn a_tuf_chain_that_is_cut_short_is_refused() {
    // The third version is hidden, and with it that there is a fourth.
    for hidden in ["403 Forbidden", "404 None"] {
        let scratch = Scratch::new();
        let fake = Fake::new(move |asked, stream| match asked.file() {
            "1.root.json" => reply(stream, "200 OK", "", "{\"one\":1}"),
            "2.root.json" => reply(stream, "200 OK", "", "{\"two\":2}"),
            "4.root.json" | "root.json" => reply(stream, "200 OK", "", "{\"four\":4}"),
            _ => reply(stream, hidden, "", ""),
        });
        let refused = fake.fetch(&scratch, &["--dialect", "tuf"]);
        assert_eq!(refused.code(), 3);
        assert_eq!(
            refused.stderr,
            "error: repository `a` has a `root.json` that is none of its versions, and no `3.root.json`\n\
             hint: every version stays published for ever: restore it, or see who may read it\n\
             nothing was written\n"
        );
        untouched(&scratch);
    }
}

#[test]
fn an_authority_that_is_none_and_a_server_that_is_not_there_are_told() {
    let scratch = Scratch::new();
    let nobody = Fake::nowhere("https://127.0.0.1:1");
    let refused = nobody.fetch(&scratch, &["--ca", "/none"]);
    assert_eq!(refused.code(), 2);
    assert!(refused.stderr.starts_with("error: `/none` holds no certificate authority in PEM\n"));
    let refused = nobody.fetch(&scratch, &[]);
    assert_eq!(refused.code(), 3);
    assert_eq!(
        refused.stderr,
        "error: https://127.0.0.1:1/v2/a/_trust/tuf/root.json: no answer\n\
         because Connection refused\n\
         hint: see that it runs, and that nothing stands between\n\
         nothing was written\n"
    );
    untouched(&scratch);
}
