use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

use super::*;
use crate::sums::Sums;

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

fn changed(path: &str, change: impl FnOnce(String) -> String) -> BTreeMap<String, Vec<u8>> {
    summed(|files| {
        let text = String::from_utf8(files[path].clone()).unwrap();
        files.insert(path.to_owned(), change(text).into_bytes());
    })
}

fn page(change: impl FnOnce(String) -> String) -> BTreeMap<String, Vec<u8>> {
    changed(PAGE, change)
}

fn lines(change: impl FnOnce(String) -> String) -> BTreeMap<String, Vec<u8>> {
    changed(REPOSITORIES, change)
}

fn refusal(files: &BTreeMap<String, Vec<u8>>) -> String {
    Request::parse(files).unwrap_err().to_string()
}

#[test]
fn a_request_is_read_as_it_was_written() {
    let files = files();
    let names: Vec<_> = files.keys().collect();
    assert_eq!(names, ["SHA256SUMS", "repositories.jsonl", "request.json"]);
    assert_eq!(Request::parse(&files), Ok(request()));
    assert_eq!(request().digest().unwrap(), Digest::of(&files["SHA256SUMS"]));
}

#[test]
fn the_page_is_plain_and_a_line_is_one_repository() {
    let files = files();
    assert_eq!(
        str::from_utf8(&files[PAGE]).unwrap(),
        r#"{
  "schema": "officiant-request-2",
  "dialect": "notary",
  "fetched": "2026-11-22T14:00:00Z",
  "server": "https://localhost:4443",
  "repositories": 2
}
"#
    );
    let keys = [1, 2, 3, 4].map(|seed| data_encoding::BASE64.encode(key(seed).der()));
    let [one, two, three, four] = keys;
    let known = format!(
        r#"{{"name":"localhost:5000/known","roots":["eyJ2IjoxfQ==","eyJ2IjoyfQ=="],"keys":{{"timestamp":["{one}"]}},"served":{{"timestamp":"eyJ0IjoxfQ==","snapshot":"eyJzIjoxfQ=="}}}}"#
    );
    let new = format!(
        r#"{{"name":"localhost:5000/new","roots":[],"keys":{{"snapshot":["{four}"],"targets":["{two}","{three}"]}}}}"#
    );
    assert_eq!(str::from_utf8(&files[REPOSITORIES]).unwrap(), format!("{known}\n{new}\n"));
}

#[test]
fn a_file_more_or_less_is_refused() {
    let mut bare = files();
    bare.insert("keys.pem".to_owned(), b"{}".to_vec());
    assert_eq!(refusal(&bare), "`request/keys.pem` is no file of a request");
    let stranger = summed(|files| drop(files.insert("run.sh".to_owned(), Vec::new())));
    assert_eq!(refusal(&stranger), "`request/run.sh` is no file of a request");
    for path in [PAGE, REPOSITORIES] {
        let less = summed(|files| drop(files.remove(path)));
        assert_eq!(refusal(&less), format!("`request/{path}` is missing"));
        let mut unlisted = files();
        let only = |path: &String| *path != sums::FILE;
        let others = files().into_iter().filter(|(other, _)| only(other) && other != path);
        let sums = Sums::of(&others.collect()).unwrap().to_text().into_bytes();
        unlisted.insert(sums::FILE.to_owned(), sums);
        assert_eq!(refusal(&unlisted), format!("request: `{path}` is not in `SHA256SUMS`"));
    }
    let mut sums = files();
    sums.remove("SHA256SUMS");
    assert_eq!(refusal(&sums), "`request/SHA256SUMS` is missing");
    let before = sums::Predecessor { folder: "0001-x".to_owned(), digest: Digest::of(b"") };
    let mut followed = files();
    let sums = Sums::parse(&followed[sums::FILE]).unwrap().after(before).unwrap();
    followed.insert(sums::FILE.to_owned(), sums.to_text().into_bytes());
    let form = "`request/SHA256SUMS` is not written as a request writes it";
    assert_eq!(refusal(&followed), form);
}

#[test]
fn an_odd_page_is_refused() {
    let form = "`request/request.json` is not written as a request writes it";
    let schema = "not a page of schema `officiant-request-2`";
    for (files, words) in [
        (page(|text| text + "\n"), form.to_owned()),
        (page(|text| text.replace("\n", "\r\n")), form.to_owned()),
        (page(|text| text.replace("14:00:00Z", "14:00:00+00:00")), form.to_owned()),
        (page(|text| text + "{}"), format!("request/request.json:8:1: {schema}")),
        (
            page(|text| text.replace("request-2", "request-1")),
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
            page(|text| text.replace(": 2\n", ": 3\n")),
            "`request/request.json` counts 3, `request/repositories.jsonl` has lines for 2".into(),
        ),
        (
            page(|text| text.replace(": 2\n", ": 0\n")),
            "a request has 1 to 20000 repositories, found 0".into(),
        ),
    ] {
        assert_eq!(refusal(&files), words);
    }
    let deep = page(|_| "[".repeat(10_000));
    assert!(refusal(&deep).ends_with(schema));
}

#[test]
fn an_odd_line_is_refused_by_its_number() {
    let spelling = "not written as a request writes it";
    let schema = "not a repository of schema `officiant-request-2`";
    let second = |change: fn(&str) -> String| {
        lines(|text| {
            let (first, second) = text.split_once('\n').unwrap();
            format!("{first}\n{}", change(second))
        })
    };
    for (files, words) in [
        (second(|line| line.trim_end().to_owned()), spelling.to_owned()),
        (second(|line| line.replace('\n', "\r\n")), spelling.to_owned()),
        (second(|line| line.replace("\"roots\"", " \"roots\"")), spelling.to_owned()),
        (second(|line| line.replace("}\n", ",\"served\":null}\n")), spelling.to_owned()),
        (
            second(|line| line.replace("\"keys\":{", "\"keys\":{\"timestamp\":[],")),
            spelling.to_owned(),
        ),
        (
            second(|line| {
                let (_, line) = line.split_once(',').unwrap();
                format!(
                    "{{{},\"name\":\"localhost:5000/new\"}}\n",
                    line.strip_suffix("}\n").unwrap()
                )
            }),
            spelling.to_owned(),
        ),
        (second(|line| line.replace("[]", "[\"AB==\"]")), spelling.to_owned()),
        (second(|line| line.replace("[]", "[\"AA\"]")), spelling.to_owned()),
        (second(|_| "\n".to_owned()), format!("column 0: {schema}")),
        (second(|line| line.replace("new", "\\u006eew")), format!("column 33: {schema}")),
        (second(|line| line.replace("\"roots\"", "\"root\"")), format!("column 35: {schema}")),
        (
            second(|line| line.replace("{\"name", "{\"roots\":[],\"name")),
            format!("column 47: {schema}"),
        ),
        (
            second(|line| line.replace("5000/new", "5000//new")),
            "repository name `localhost:5000//new` has an empty, `.` or `..` segment".into(),
        ),
        (
            second(|line| line.replace("5000/new", "5000/known")),
            "repository `localhost:5000/known` is in the request twice".into(),
        ),
        (
            second(|line| line.replace("5000/new", "5000/know")),
            "repository `localhost:5000/know` is out of order".into(),
        ),
    ] {
        assert_eq!(refusal(&files), format!("request/repositories.jsonl:2: {words}"));
    }
    let deep = lines(|_| "[".repeat(100_000));
    assert!(refusal(&deep).ends_with(schema));
}

#[test]
fn keys_are_of_a_kind_that_is_known_and_each_stands_once() {
    let place = "request/repositories.jsonl:2: repository `localhost:5000/new`: ";
    let words =
        "repository `localhost:5000/new`: expected 1 to 32 different keys for role `targets`";
    let [two, three, four] = [2, 3, 4].map(|seed| data_encoding::BASE64.encode(key(seed).der()));
    let twice = lines(|text| text.replace(&three, &two));
    assert_eq!(refusal(&twice), format!("request/repositories.jsonl:2: {words}"));
    let cut = lines(|text| text.replace(&four, &four[..four.len() - 4]));
    let told = "a key for role `snapshot`: no SubjectPublicKeyInfo in DER";
    assert_eq!(refusal(&cut), format!("{place}{told}"));
    let many: Vec<_> = (0..33).map(|seed| data_encoding::BASE64.encode(key(seed).der())).collect();
    let many = lines(|text| text.replace(&three, &many.join("\",\"")));
    assert_eq!(refusal(&many), format!("request/repositories.jsonl:2: {words}"));
    let mut twice = request();
    let new = twice.repositories.get_mut(&"localhost:5000/new".parse().unwrap()).unwrap();
    new.keys.insert(Role::Targets, vec![key(2), key(2)]);
    assert_eq!(twice.files().unwrap_err().to_string(), words);
}

#[test]
fn sizes_are_bounded() {
    let large = data_encoding::BASE64.encode(&vec![b' '; MAX_ROOT + 1]);
    let large = lines(|text| text.replace("eyJ2IjoyfQ==", &large));
    assert_eq!(
        refusal(&large),
        "request/repositories.jsonl:1: repository `localhost:5000/known`: root 2 has 4194305 bytes, at most 4194304 are read"
    );
    let large = page(|_| " ".repeat(MAX_PAGE + 1));
    assert_eq!(refusal(&large), "`request/request.json` has 65537 bytes, at most 65536 are read");
    let mut none = request();
    none.repositories.clear();
    assert_eq!(
        none.files().unwrap_err().to_string(),
        "a request has 1 to 20000 repositories, found 0"
    );
    let mut served = request();
    let known = served.repositories.values_mut().next().unwrap();
    known.served.as_mut().unwrap().snapshot = vec![b' '; MAX_SERVED + 1];
    assert_eq!(
        served.files().unwrap_err().to_string(),
        "repository `localhost:5000/known`: the snapshot has 4194305 bytes, at most 4194304 are read"
    );
    let mut versions = request();
    versions.repositories.values_mut().next().unwrap().roots = vec![Vec::new(); 10_001];
    assert_eq!(
        versions.files().unwrap_err().to_string(),
        "repository `localhost:5000/known` has 10001 versions, at most 10000 are read"
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

/// Gives bytes and then fails; counts what was taken of it.
struct Endless {
    line: Vec<u8>,
    at: usize,
    given: usize,
}

impl std::io::Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let rest = &self.line[self.at % self.line.len()..];
        let length = rest.len().min(into.len());
        into[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        self.given += length;
        Ok(length)
    }
}

#[test]
fn lines_come_one_at_a_time_and_end_with_the_first_that_is_wrong() {
    let line = Line::of(&"a".parse().unwrap(), &Repository::default()).unwrap();
    let endless = Endless { line: line.bytes().to_vec(), at: 0, given: 0 };
    let mut input = std::io::BufReader::with_capacity(64, endless);
    let mut lines = Lines::new(&mut input);
    assert_eq!(lines.next(), Some(Ok((line.name().clone(), Repository::default()))));
    let error = lines.next().unwrap().unwrap_err().to_string();
    assert_eq!(error, "request/repositories.jsonl:2: repository `a` is in the request twice");
    assert_eq!(lines.next(), None);
    assert_eq!(lines.digest(), Digest::of(&line.bytes().repeat(2)));
    assert!(input.get_ref().given < 200, "{}", input.get_ref().given);
    // A line without an end is not waited for.
    let endless = Endless { line: vec![b'['; 1 << 20], at: 0, given: 0 };
    let mut input = std::io::BufReader::with_capacity(1 << 20, endless);
    let error = Lines::new(&mut input).next().unwrap().unwrap_err().to_string();
    let told =
        "request/repositories.jsonl:1: the line of a repository takes at most 268435456 bytes";
    assert_eq!(error, told);
    assert!(input.get_ref().given <= MAX_LINE + (1 << 20));
}

/// Fails at once.
struct Broken;

impl std::io::Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::ConnectionReset.into())
    }
}

impl std::io::Write for Broken {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stream_that_fails_is_no_end_of_the_request() {
    let error = Lines::new(std::io::BufReader::new(Broken)).next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "`request/repositories.jsonl`: connection reset");
    let line = Line::of(&"a".parse().unwrap(), &Repository::default()).unwrap();
    let error = Writer::new(Broken).put(&line).unwrap_err();
    assert_eq!(error.to_string(), "`request/repositories.jsonl`: no storage space");
}

#[test]
fn a_writer_takes_names_in_order_alone() {
    let line = |name: &str| Line::of(&name.parse().unwrap(), &Repository::default()).unwrap();
    let mut writer = Writer::new(Vec::new());
    writer.put(&line("b")).unwrap();
    let told = |writer: &mut Writer<_>, name| writer.put(&line(name)).unwrap_err().to_string();
    assert_eq!(told(&mut writer, "a"), "repository `a` is out of order");
    assert_eq!(told(&mut writer, "b"), "repository `b` is in the request twice");
    writer.put(&line("c")).unwrap();
    let (bytes, digest) = writer.finish();
    assert_eq!(bytes, [line("b").bytes(), line("c").bytes()].concat());
    assert_eq!(digest, Digest::of(&bytes));
}

#[test]
fn any_one_changed_byte_is_refused() {
    let files = files();
    for path in files.keys() {
        for at in 0..files[path].len() {
            let mut other = files.clone();
            other.get_mut(path).unwrap()[at] ^= 1;
            assert!(Request::parse(&other).is_err(), "{path} {at}");
            // Whoever changes a file makes the sums anew.
            if path != sums::FILE {
                let sums = Sums::of(&other).unwrap().to_text().into_bytes();
                other.insert(sums::FILE.to_owned(), sums);
                let read = Request::parse(&other);
                assert!(read.is_err() || read.unwrap().files().unwrap() == other, "{path} {at}");
            }
        }
    }
}
