//! Servers that want credentials, and what they get.

use std::net::TcpStream;
use std::process::{Command, Stdio};

use super::fake::{Asked, Fake, FakeNotary, honest, reply, untouched};
use super::{courier, said};
use crate::harness::command::{Server, command, run};
use crate::harness::notary::certificates;
use crate::harness::scratch::Scratch;

/// `me:pass`.
const AUTH: &str = "bWU6cGFzcw==";

/// Where a server sends for a token for the repository `a`.
fn challenge(asked: &Asked, actions: &str) -> String {
    let host = asked.header("host").unwrap();
    format!(
        "WWW-Authenticate: Digest nonce=\"x\"\r\nWWW-Authenticate: Basic realm=\"x\", \
         Bearer realm=\"http://{host}/token\",service=\"s\",scope=\"repository:a:{actions}\"\r\n"
    )
}

/// Gives tokens to whoever shows the credentials, and lets nobody go on without one; each token names what it is good
/// for.
fn guard(asked: &Asked, stream: &mut TcpStream, go_on: impl FnOnce(&mut TcpStream)) {
    if asked.file().starts_with("token?") {
        let good = asked.header("authorization") == Some(&format!("Basic {AUTH}"));
        let (_, actions) = asked.line.split_once("scope=repository%3Aa%3A").unwrap();
        let actions = actions.split(' ').next().unwrap().replace("%2C", ",");
        let token = format!("{{\"token\":\"for {actions}\"}}");
        return match good {
            true => reply(stream, "200 OK", "", &token),
            false => reply(stream, "401 No", "", ""),
        };
    }
    let pushes = asked.is("POST") || asked.file().ends_with(".key");
    let wanted = if pushes { "push" } else { "pull" };
    match asked.header("authorization").and_then(|given| given.strip_prefix("Bearer for ")) {
        Some(given) if given.contains(wanted) => go_on(stream),
        _ => {
            let actions = if pushes { "push,pull" } else { "pull" };
            reply(stream, "401 Unauthorized", &challenge(asked, actions), "");
        }
    }
}

/// A server that guards nothing.
fn guarded() -> Fake {
    Fake::new(|asked, stream| guard(asked, stream, |stream| reply(stream, "404 None", "", "")))
}

/// A server without anything, which wants the credentials themselves.
fn basic() -> Fake {
    Fake::new(|asked, stream| {
        match asked.header("authorization") == Some(&format!("Basic {AUTH}")) {
            true => reply(stream, "404 None", "", ""),
            false => {
                reply(stream, "401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", "");
            }
        }
    })
}

/// Runs, and sees it refused with this first line and hint.
#[track_caller]
fn refuses(courier: &mut Command, code: i32, first: &str, hint: &str) {
    let refused = run(courier);
    let lines: Vec<&str> = refused.stderr.lines().collect();
    assert!(lines[0].ends_with(first), "{}", refused.stderr);
    assert!(lines.contains(&format!("hint: {hint}").as_str()), "{}", refused.stderr);
    assert_eq!(refused.code(), code, "{}", refused.stderr);
}

#[test]
fn a_token_is_asked_for_with_the_credentials_of_notary_auth_once_for_a_repository() {
    let scratch = Scratch::new();
    let fake = guarded();
    let hint = "put base64 of user:password into NOTARY_AUTH, as for `notary`";
    refuses(&mut fake.fetching(&scratch), 3, ": the server wants credentials", hint);
    let before = fake.asked().len();
    // Beyond the tokens there is no key to fetch: the point is that it got there.
    let first = "repository `a`: the server gives no `snapshot` key that can be read";
    let hint = "see that it is a Notary server";
    refuses(fake.fetching(&scratch).env("NOTARY_AUTH", AUTH), 3, first, hint);
    let asked: Vec<String> =
        fake.asked()[before..].iter().map(|asked| asked.file().to_owned()).collect();
    // One token to read, one to have keys made, whatever the number of files.
    assert_eq!(asked.iter().filter(|file| file.starts_with("token?")).count(), 2, "{asked:?}");
    assert_eq!(asked.iter().filter(|file| file.ends_with(".json")).count(), 3, "{asked:?}");
    untouched(&scratch);
}

#[test]
fn an_upload_goes_with_a_token_that_was_got_before_it() {
    let it = FakeNotary::answering(|asked, stream, served| {
        guard(asked, stream, |stream| honest(asked, stream, served));
    });
    let first = it.root(None, &it.targets);
    let mut courier = it.publishing(&[&first], &[&it.targets]);
    let ran = run(courier.env("NOTARY_AUTH", AUTH)).ok();
    assert!(said(&ran).starts_with("a: version 0 → 1, fetched back and equal\n"), "{ran:?}");
    // The body, which may be large, was sent once.
    let posts: Vec<_> = it.fake.asked().into_iter().filter(|asked| asked.is("POST")).collect();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].header("authorization"), Some("Bearer for pull,push"));
}

#[test]
fn a_server_that_takes_the_credentials_themselves_gets_them() {
    let scratch = Scratch::new();
    let fake = basic();
    let first = "repository `a`: the server gives no `snapshot` key that can be read";
    let hint = "see that it is a Notary server";
    refuses(fake.fetching(&scratch).env("NOTARY_AUTH", AUTH), 3, first, hint);
    let first = "/root.json: the server wants credentials";
    let hint = "put base64 of user:password into NOTARY_AUTH, as for `notary`";
    refuses(&mut fake.fetching(&scratch), 3, first, hint);
}

#[test]
fn a_trust_server_gets_what_docker_keeps_for_the_registry_of_the_repository() {
    let scratch = Scratch::new();
    let fake = basic();
    let fetching = |name: &str| {
        let mut courier = courier(scratch.path());
        courier.args(["fetch", name, "--server", &fake.url, "--out"]).arg(scratch.folder("in"));
        courier
    };
    let kept = format!(r#"{{"auths":{{"registry.test:5000":{{"auth":"{AUTH}"}}}}}}"#);
    scratch.file(".docker/config.json", kept);
    let there =
        "repository `registry.test:5000/a`: the server gives no `snapshot` key that can be read";
    refuses(&mut fetching("registry.test:5000/a"), 3, there, "see that it is a Notary server");
    // Those of another registry are of no use, and those in the environment go first.
    let wants = "/root.json: the server wants credentials";
    let hint = "put base64 of user:password into NOTARY_AUTH, as for `notary`, or `docker login other.test` as somebody who may";
    refuses(&mut fetching("other.test/a"), 3, wants, hint);
    let hint = "put base64 of user:password into NOTARY_AUTH, as for `notary`";
    refuses(&mut fetching("a/b"), 3, wants, hint);
    let first = "/root.json: the server does not let these credentials pull";
    let hint = "NOTARY_AUTH must be of somebody who may, and not be mistyped";
    let mut fetching = fetching("registry.test:5000/a");
    refuses(fetching.env("NOTARY_AUTH", "bWU6bm8="), 3, first, hint);
}

#[test]
fn credentials_that_may_not_are_not_told_as_missing() {
    let scratch = Scratch::new();
    let hint = "NOTARY_AUTH must be of somebody who may, and not be mistyped";
    // Wrong ones, at the token server.
    let fake = guarded();
    let first = "the server does not let these credentials pull";
    refuses(fake.fetching(&scratch).env("NOTARY_AUTH", "bWU6bm8="), 3, first, hint);
    // A token server gives less than was asked for, and the server refuses what it gave.
    let fake = Fake::new(|asked, stream| match asked.header("authorization") {
        _ if asked.file().starts_with("token?") => reply(stream, "200 OK", "", "{\"token\":\"T\"}"),
        Some("Bearer T") if !asked.file().ends_with(".key") => reply(stream, "404 None", "", ""),
        _ => reply(stream, "401 Unauthorized", &challenge(asked, "push,pull"), ""),
    });
    let first = "/snapshot.key: the server does not let these credentials push";
    refuses(fake.fetching(&scratch).env("NOTARY_AUTH", AUTH), 3, first, hint);
    let fake = Fake::new(|_, stream| reply(stream, "403 Forbidden", "", ""));
    let first = "/root.json: the server does not let these credentials pull";
    refuses(fake.fetching(&scratch).env("NOTARY_AUTH", AUTH), 3, first, hint);
    untouched(&scratch);
}

#[test]
fn a_token_server_that_is_down_is_not_told_as_one_that_wants_credentials() {
    let scratch = Scratch::new();
    let fake = Fake::new(|asked, stream| match asked.file().starts_with("token?") {
        true => reply(stream, "503 Busy", "", ""),
        false => reply(stream, "401 Unauthorized", &challenge(asked, "pull"), ""),
    });
    let refused = run(fake.fetching(&scratch).env("NOTARY_AUTH", AUTH));
    let first = refused.stderr.lines().next().unwrap();
    assert!(first.ends_with(": the server answered 503"), "{}", refused.stderr);
    let tokens = fake.asked().into_iter().filter(|asked| asked.file().starts_with("token?"));
    assert_eq!(tokens.count(), 3);
}

#[test]
fn credentials_go_to_another_host_only_when_it_is_named() {
    let scratch = Scratch::new();
    let elsewhere = Fake::new(|_, stream| reply(stream, "200 OK", "", "{\"token\":\"T\"}"));
    let realm = elsewhere.url.replace("127.0.0.1", "localhost");
    let fake = Fake::new(move |asked, stream| match asked.header("authorization") {
        Some("Bearer T") => reply(stream, "404 None", "", ""),
        _ => {
            let challenge =
                format!("WWW-Authenticate: Bearer realm=\"{realm}/token\",service=\"s\"\r\n");
            reply(stream, "401 Unauthorized", &challenge, "");
        }
    });
    let refused = run(fake.fetching(&scratch).env("NOTARY_AUTH", AUTH));
    assert_eq!(refused.code(), 1);
    assert_eq!(
        refused.stderr,
        format!(
            "error: {}/v2/a/_trust/tuf/root.json: the server asks for the credentials at another host, `localhost`\n\
             hint: if that is the token server of this one, let it have them by `--token-host localhost`\n\
             nothing was written\n",
            fake.url
        )
    );
    assert_eq!(elsewhere.asked().len(), 0);
    let first = "repository `a`: the server gives no `snapshot` key that can be read";
    let hint = "see that it is a Notary server";
    let mut named = fake.fetching(&scratch);
    refuses(named.env("NOTARY_AUTH", AUTH).args(["--token-host", "localhost"]), 3, first, hint);
    let given = elsewhere.asked()[0].header("authorization").map(str::to_owned);
    assert_eq!(given, Some(format!("Basic {AUTH}")));
    // Without credentials there is nothing to keep back.
    refuses(&mut fake.fetching(&scratch), 3, first, hint);
    assert_eq!(elsewhere.asked().last().unwrap().header("authorization"), None);
}

#[test]
fn credentials_that_are_none_are_told() {
    let scratch = Scratch::new();
    let fake = Fake::nowhere("https://127.0.0.1:1");
    let first = "error: `NOTARY_AUTH` is set, and is no base64 of user:password";
    let hint = "put base64 of user:password into NOTARY_AUTH, as for `notary`";
    refuses(fake.fetching(&scratch).env("NOTARY_AUTH", "me:pass"), 2, first, hint);
}

/// An https server that talks only to those whose certificate is of its authority, and says whose it was.
const MUTUAL: &str = "
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        subject = str(self.connection.getpeercert()['subject']).encode()
        self.send_response(500)
        self.send_header('Content-Length', str(len(subject)))
        self.end_headers()
        self.wfile.write(subject)
server = http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile='ca.crt')
context.load_cert_chain('server.crt', 'server.key')
context.verify_mode = ssl.CERT_REQUIRED
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
";

#[test]
fn a_server_that_wants_a_certificate_gets_the_one_that_is_named() {
    let scratch = Scratch::new();
    let folder = certificates(&scratch);
    let (_server, port) = Server::start(|port| {
        let mut python = command("python3", &folder);
        python.args(["-c", MUTUAL, &port.to_string()]).stderr(Stdio::null());
        python
    });
    let fetch = |more: &[&str]| {
        let fake = Fake::nowhere(&format!("https://localhost:{port}"));
        let mut courier = fake.fetching(&scratch);
        courier.args(["--ca", "notary/ca.crt"]);
        run(courier.args(more))
    };
    let refused = fetch(&[]);
    assert!(refused.stderr.contains("/root.json: no answer\n"), "{}", refused.stderr);
    let refused = fetch(&["--tls-cert", "notary/server.crt", "--tls-key", "notary/server.key"]);
    assert_eq!(refused.code(), 3);
    assert!(
        refused.stderr.contains(
            "/root.json: the server answered 500\nbecause ((('commonName', 'localhost'),),)\n"
        ),
        "{}",
        refused.stderr
    );
}
