use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

use super::*;

fn key(seed: u8) -> PublicKey {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    PublicKey::from_ed25519(pair.public_key().as_ref()).unwrap()
}

fn request() -> Request {
    let known = Repository {
        roots: vec![b"{\"v\":1}".to_vec(), b"{\"v\":2}".to_vec()],
        keys: BTreeMap::from([(Role::Timestamp, vec![key(1)])]),
        served: Some(Served { timestamp: b"{\"t\":1}".to_vec(), snapshot: b"{\"s\":1}".to_vec() }),
    };
    let new = Repository {
        roots: Vec::new(),
        keys: BTreeMap::from([
            (Role::Targets, vec![key(2), key(3)]),
            (Role::Snapshot, vec![key(4)]),
        ]),
        served: None,
    };
    Request {
        dialect: Dialect::Notary,
        fetched: "2026-11-22T14:00:00Z".parse().unwrap(),
        server: "https://localhost:4443".to_owned(),
        repositories: BTreeMap::from([
            ("localhost:5000/known".parse().unwrap(), known),
            ("localhost:5000/new".parse().unwrap(), new),
        ]),
    }
}

fn files() -> BTreeMap<String, Vec<u8>> {
    request().files().unwrap()
}

/// Changes files and writes the sums anew, as an attacker would.
fn summed(change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> BTreeMap<String, Vec<u8>> {
    let mut files = files();
    change(&mut files);
    let sums = Sums::of(&files).unwrap().to_text();
    files.insert(sums::FILE.to_owned(), sums.into_bytes());
    files
}

fn page(change: impl FnOnce(String) -> String) -> BTreeMap<String, Vec<u8>> {
    summed(|files| {
        let text = String::from_utf8(files[PAGE].clone()).unwrap();
        files.insert(PAGE.to_owned(), change(text).into_bytes());
    })
}

fn refusal(files: &BTreeMap<String, Vec<u8>>) -> String {
    Request::parse(files).unwrap_err().to_string()
}

#[test]
fn a_request_is_read_as_it_was_written() {
    let files = files();
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        [
            "SHA256SUMS",
            "keys/localhost%3a5000%2fknown/timestamp.pem",
            "keys/localhost%3a5000%2fnew/snapshot.pem",
            "keys/localhost%3a5000%2fnew/targets.pem",
            "metadata/localhost%3a5000%2fknown/1.root.json",
            "metadata/localhost%3a5000%2fknown/2.root.json",
            "request.json",
            "served/localhost%3a5000%2fknown/snapshot.json",
            "served/localhost%3a5000%2fknown/timestamp.json",
        ]
    );
    assert_eq!(Request::parse(&files), Ok(request()));
    assert_eq!(request().digest().unwrap(), Digest::of(&files["SHA256SUMS"]));
}

#[test]
fn the_page_is_plain() {
    let text = String::from_utf8(files()["request.json"].clone()).unwrap();
    let lines: Vec<&str> = text.lines().take(9).collect();
    assert_eq!(
        lines.join("\n"),
        r#"{
  "schema": "officiant-request-1",
  "dialect": "notary",
  "fetched": "2026-11-22T14:00:00Z",
  "server": "https://localhost:4443",
  "repositories": [
    {
      "name": "localhost:5000/known",
      "latest": 2,"#
    );
    assert!(text.ends_with("  ]\n}\n"));
}

#[test]
fn a_file_more_or_less_is_refused() {
    let root = "metadata/localhost%3a5000%2fknown/2.root.json";
    let third = "metadata/localhost%3a5000%2fknown/3.root.json";
    let mut bare = files();
    bare.insert(third.to_owned(), b"{}".to_vec());
    assert_eq!(refusal(&bare), format!("request: `{third}` is not in `SHA256SUMS`"));
    let more = summed(|files| drop(files.insert(third.to_owned(), b"{}".to_vec())));
    assert_eq!(refusal(&more), format!("`request/{third}` is not written as a request writes it"));
    let less = summed(|files| drop(files.remove(root)));
    assert_eq!(refusal(&less), format!("`request/{root}` is missing"));
    let keys = summed(|files| drop(files.remove("keys/localhost%3a5000%2fnew/targets.pem")));
    assert_eq!(refusal(&keys), "`request/keys/localhost%3a5000%2fnew/targets.pem` is missing");
    let stranger = summed(|files| drop(files.insert("run.sh".to_owned(), Vec::new())));
    assert_eq!(refusal(&stranger), "`request/run.sh` is no file of a request");
    let snapshot = "served/localhost%3a5000%2fknown/snapshot.json";
    let alone =
        summed(|files| drop(files.remove("served/localhost%3a5000%2fknown/timestamp.json")));
    let what = format!("`request/{snapshot}` is not written as a request writes it");
    assert_eq!(refusal(&alone), what);
    let mut sums = files();
    sums.remove("SHA256SUMS");
    assert_eq!(refusal(&sums), "`request/SHA256SUMS` is missing");
}

#[test]
fn an_odd_page_is_refused() {
    let form = "`request/request.json` is not written as a request writes it";
    let schema = "not a page of schema `officiant-request-1`";
    for (files, words) in [
        (page(|text| text + "\n"), form.to_owned()),
        (page(|text| text.replace("\n", "\r\n")), form.to_owned()),
        (page(|text| text.replace("14:00:00Z", "14:00:00+00:00")), form.to_owned()),
        (page(|text| text + "{}"), format!("request/request.json:31:1: {schema}")),
        (
            page(|text| text.replace("request-1", "request-2")),
            format!("request/request.json:2:1: {schema}"),
        ),
        (
            page(|text| text.replace("2026-11-22T", "")),
            "expected a time like `2026-11-22T14:00:00Z`, found `14:00:00Z`".into(),
        ),
        (
            page(|text| text.replace("\"dialect\"", "\"x\": 1, \"dialect\"")),
            format!("request/request.json:3:5: {schema}"),
        ),
        (
            page(|text| text.replace("5000/new", "5000/known")),
            "`request/keys/localhost%3a5000%2fknown/snapshot.pem` is missing".into(),
        ),
        (
            page(|text| text.replace(": 2,", ": 20000,")),
            "repository `localhost:5000/known` has 20000 versions, at most 10000 are read".into(),
        ),
    ] {
        assert_eq!(refusal(&files), words);
    }
    let deep = page(|_| "[".repeat(100_000));
    assert!(refusal(&deep).ends_with(schema));
}

#[test]
fn a_repository_that_stands_twice_is_named() {
    let mut one = request();
    one.repositories.remove(&"localhost:5000/known".parse().unwrap());
    let mut files = one.files().unwrap();
    let text = String::from_utf8(files[PAGE].clone()).unwrap();
    let (head, entry) = text.split_once("    {").unwrap();
    let entry = entry.strip_suffix("\n  ]\n}\n").unwrap();
    let twice = format!("{head}    {{{entry},\n    {{{entry}\n  ]\n}}\n");
    files.insert(PAGE.to_owned(), twice.into_bytes());
    let sums = Sums::of(&files).unwrap().to_text();
    files.insert(sums::FILE.to_owned(), sums.into_bytes());
    assert_eq!(refusal(&files), "repository `localhost:5000/new` is in the request twice");
}

#[test]
fn keys_are_those_of_the_page_and_each_once() {
    let path = "keys/localhost%3a5000%2fnew/targets.pem";
    let words = "repository `localhost:5000/new`: expected 1 to 32 different keys for role `targets`, \
                 those that `request.json` lists";
    let put = |text: String| summed(|files| drop(files.insert(path.to_owned(), text.into_bytes())));
    let (two, three) = (key(2).to_pem(), key(3).to_pem());
    assert_eq!(refusal(&put(two.clone())), words);
    assert_eq!(refusal(&put(format!("{three}{two}"))), words);
    assert_eq!(
        refusal(&put(format!("{two}x{three}"))),
        format!("`request/{path}`: no `PUBLIC KEY` in PEM")
    );
    assert_eq!(refusal(&put(String::new())), words);
    let mut twice = request();
    let new = twice.repositories.get_mut(&"localhost:5000/new".parse().unwrap()).unwrap();
    new.keys.insert(Role::Targets, vec![key(2), key(2)]);
    assert_eq!(twice.files().unwrap_err().to_string(), words);
}

#[test]
fn sizes_are_bounded() {
    let path = "metadata/localhost%3a5000%2fknown/1.root.json";
    let large = summed(|files| drop(files.insert(path.to_owned(), vec![b' '; MAX_ROOT + 1])));
    assert_eq!(
        refusal(&large),
        format!("`request/{path}` has 4194305 bytes, at most 4194304 are read")
    );
    let mut none = request();
    none.repositories.clear();
    assert_eq!(
        none.files().unwrap_err().to_string(),
        "a request has 1 to 20000 repositories, found 0"
    );
    let mut server = request();
    server.server = "a\nb".to_owned();
    assert_eq!(
        server.files().unwrap_err().to_string(),
        "the server of a request is named by at most 1024 bytes without control characters"
    );
    let mut time = request();
    time.fetched = "2026-11-22T14:00:00.5Z".parse().unwrap();
    assert_eq!(
        time.files().unwrap_err().to_string(),
        "expected a time like `2026-11-22T14:00:00Z`, found `2026-11-22T14:00:00.5Z`"
    );
    assert_eq!(
        online_role("root").unwrap_err().to_string(),
        "`root` is no online role; expected `snapshot`, `targets` or `timestamp`"
    );
}

#[test]
fn any_one_changed_byte_is_refused() {
    let files = files();
    for path in files.keys() {
        for at in 0..files[path].len() {
            let mut other = files.clone();
            other.get_mut(path).unwrap()[at] ^= 1;
            assert!(Request::parse(&other).is_err(), "{path} {at}");
        }
    }
}
