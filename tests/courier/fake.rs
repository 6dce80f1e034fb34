//! Small servers on loopback that do what a test wants of them: any answer, or those of a Notary server that lies.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use jiff::{Timestamp, ToSpan};
use officiant::digest::Digest;
use officiant::request::Role;
use officiant::root::{Dialect, Key, SignedRoot};
use serde_json::{Value, json};

use super::made::{Soft, Wish, sign};
use super::{courier, trust};
use crate::harness::command::{Ran, run};
use crate::harness::scratch::Scratch;

/// A request without its body: its first line, and the lines of its head.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(super) head: Vec<String>,
}

impl Asked {
    /// The value of a header; names do not know case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.iter().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    /// Whether it is of this method.
    pub(super) fn is(&self, method: &str) -> bool {
        self.line.starts_with(&format!("{method} "))
    }

    /// The last part of its path.
    pub(super) fn file(&self) -> &str {
        let path = self.line.split(' ').nth(1).unwrap();
        path.rsplit('/').next().unwrap()
    }

    /// The body that follows.
    pub(super) fn body(&self, stream: &mut TcpStream) -> String {
        let length = self.header("content-length").unwrap().parse().unwrap();
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        String::from_utf8(body).unwrap()
    }
}

/// A server on loopback that answers each request by a function; it keeps what it was asked.
pub(crate) struct Fake {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    pub(crate) fn new(answer: impl Fn(&Asked, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self::nowhere(&url);
        let (log, answer) = (Arc::clone(&fake.asked), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    let head = head(&stream);
                    let Some(line) = head.first().cloned() else { return };
                    let asked = Asked { line, head };
                    log.lock().unwrap().push(asked.clone());
                    answer(&asked, &mut stream);
                });
            }
        });
        fake
    }

    /// A server that is not there.
    pub(super) fn nowhere(url: &str) -> Self {
        Self { url: url.to_owned(), asked: Arc::default() }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How many requests there were of this method.
    pub(super) fn count(&self, method: &str) -> usize {
        self.asked().iter().filter(|asked| asked.is(method)).count()
    }

    /// What fetches the repository `a` from it.
    pub(super) fn fetching(&self, scratch: &Scratch) -> Command {
        let mut courier = courier(scratch.path());
        courier.args(["fetch", "a", "--server", &self.url, "--out"]).arg(scratch.folder("in"));
        courier
    }

    pub(super) fn fetch(&self, scratch: &Scratch, more: &[&str]) -> Ran {
        run(self.fetching(scratch).args(more))
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

pub(crate) fn reply(stream: &mut TcpStream, status: &str, more: &str, body: &str) {
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n{body}"
    );
}

/// The part of a form that has this file name.
fn part(body: &str, name: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("filename=\"{name}\""))?;
    let (_, rest) = rest.split_once("\r\n\r\n")?;
    Some(rest.split_once("\r\n--")?.0.to_owned())
}

/// Nothing stands on media after a refusal.
pub(super) fn untouched(scratch: &Scratch) {
    assert_eq!(std::fs::read_dir(scratch.folder("in")).unwrap().count(), 0);
}

/// What a server serves of one repository: it signs snapshot and timestamp itself, as a real one does.
pub(super) struct Served {
    pub(super) snapshot: Soft,
    pub(super) timestamp: Soft,
    /// By the names of the API.
    pub(super) files: BTreeMap<String, String>,
    /// How long what is signed holds; in the past for a server that shows what it showed once.
    pub(super) hours: i64,
}

impl Served {
    fn new() -> Self {
        let snapshot = Soft::new();
        let public = data_encoding::BASE64.encode(snapshot.public.der());
        let key = json!({ "keytype": "ecdsa", "keyval": { "public": public, "private": null } });
        let files = BTreeMap::from([("snapshot.key".to_owned(), key.to_string())]);
        Self { snapshot, timestamp: Soft::new(), files, hours: 24 }
    }

    /// Takes an upload.
    pub(super) fn take(&mut self, body: &str) {
        if let Some(root) = part(body, "root") {
            let version = super::version(root.as_bytes());
            self.files.insert(format!("{version}.root.json"), root.clone());
            self.files.insert("root.json".to_owned(), root);
        }
        if let Some(targets) = part(body, "targets") {
            self.files.insert("targets.json".to_owned(), targets);
        }
        self.sign();
    }

    /// Signs snapshot and timestamp over what is there.
    pub(super) fn sign(&mut self) {
        let named = |role: &str, bytes: &str| {
            let sha256 = data_encoding::BASE64.encode(Digest::of(bytes.as_bytes()).as_bytes());
            json!({ role: { "hashes": { "sha256": sha256 }, "length": bytes.len() } })
        };
        let file = |name: &str| self.files.get(name).cloned().unwrap_or_default();
        let mut meta = named("root", &file("root.json"));
        meta.as_object_mut()
            .unwrap()
            .extend(named("targets", &file("targets.json")).as_object().unwrap().clone());
        let snapshot = self.signed("Snapshot", &meta, &self.snapshot);
        let timestamp = self.signed("Timestamp", &named("snapshot", &snapshot), &self.timestamp);
        for (role, bytes) in [("targets", file("targets.json")), ("snapshot", snapshot)] {
            let digest = Digest::of(bytes.as_bytes());
            self.files.insert(format!("{role}.{digest}.json"), bytes);
        }
        self.files.insert("timestamp.json".to_owned(), timestamp);
    }

    fn signed(&self, kind: &str, meta: &Value, key: &Soft) -> String {
        let expires = Timestamp::now() + self.hours.hours();
        let expires = expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        // Plain text alone, sorted by serde_json: canonical as it is.
        let signed = json!({ "_type": kind, "expires": expires, "meta": meta, "version": 1 });
        let signed = signed.to_string();
        let id = Key::plain(Dialect::Notary, &key.public).unwrap().id().clone();
        let sig = data_encoding::BASE64.encode(&key.raw(signed.as_bytes()));
        format!(
            r#"{{"signed":{signed},"signatures":[{{"keyid":"{id}","method":"ecdsa","sig":"{sig}"}}]}}"#
        )
    }
}

/// Takes uploads, and serves what there is.
pub(super) fn honest(asked: &Asked, stream: &mut TcpStream, served: &mut Served) {
    if asked.is("POST") {
        served.take(&asked.body(stream));
        return reply(stream, "200 OK", "", "");
    }
    match served.files.get(asked.file()) {
        Some(bytes) => reply(stream, "200 OK", "", bytes),
        None => reply(stream, "404 None", "", ""),
    }
}

/// A Notary server of the repository `a`, which is new to it, and the keys of whoever publishes there.
pub(super) struct FakeNotary {
    pub(super) scratch: Scratch,
    pub(super) fake: Fake,
    pub(super) served: Arc<Mutex<Served>>,
    pub(super) targets: Soft,
    keys: [Soft; 2],
}

impl FakeNotary {
    /// An honest one.
    pub(super) fn new() -> Self {
        Self::answering(honest)
    }

    /// One whose answers are given by a function of what it has.
    pub(super) fn answering(
        answer: impl Fn(&Asked, &mut TcpStream, &mut Served) + Send + Sync + 'static,
    ) -> Self {
        let served = Arc::new(Mutex::new(Served::new()));
        let state = Arc::clone(&served);
        let fake = Fake::new(move |asked, stream| {
            answer(asked, stream, &mut state.lock().unwrap());
        });
        let keys = [Soft::new(), Soft::new()];
        Self { scratch: Scratch::new(), fake, served, targets: Soft::new(), keys }
    }

    /// A root after `last` with these targets keys, signed by the old keys and the new, which are the same.
    pub(super) fn root(&self, last: Option<&SignedRoot>, targets: &Soft) -> SignedRoot {
        let served = self.served.lock().unwrap();
        let roles = BTreeMap::from([
            (Role::Snapshot, served.snapshot.public.clone()),
            (Role::Targets, targets.public.clone()),
            (Role::Timestamp, served.timestamp.public.clone()),
        ]);
        let keys: Vec<&Soft> = self.keys.iter().collect();
        let wish = Wish { gun: "a", keys: &keys, threshold: 2, roles, days: 3000 };
        let root = wish.root(Dialect::Notary, last.map(SignedRoot::root));
        sign(&root, &keys, last.map(|last| (last.root(), keys.as_slice())))
    }

    /// What publishes these roots with these private targets keys.
    pub(super) fn publishing(&self, roots: &[&SignedRoot], keys: &[&Soft]) -> Command {
        let roots: Vec<_> = roots.iter().map(|root| ("a", root.bytes())).collect();
        let folder: PathBuf = trust(self.scratch.path(), &roots);
        let mut courier = courier(self.scratch.path());
        courier.arg("publish").arg(&folder).args(["--server", &self.fake.url]);
        for (number, key) in keys.iter().enumerate() {
            let file = self.scratch.file(&format!("key-{number}.pem"), key.pkcs8());
            courier.arg("--targets-key").arg(file);
        }
        courier
    }

    pub(super) fn publish(&self, roots: &[&SignedRoot], keys: &[&Soft]) -> Ran {
        run(&mut self.publishing(roots, keys))
    }

    /// Has a first root and its empty targets published.
    pub(super) fn first(&self) -> SignedRoot {
        let first = self.root(None, &self.targets);
        self.publish(&[&first], &[&self.targets]).ok();
        first
    }
}
