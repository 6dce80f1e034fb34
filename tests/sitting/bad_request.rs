//! Requests that a courier should never have brought: refused before anybody is asked anything.

use std::{collections::BTreeMap, fs};

use data_encoding::BASE64;
use officiant::{
    digest::Digest,
    key::PublicKey,
    request::Request,
    root::{Dialect, Role},
};

use super::genesis::{in_shares, on_tokens};
use super::rotate::after_genesis;
use super::{Bench, PlanText, Publisher};

const TOKENS: [&str; 3] = ["officer-a", "officer-b", "officer-c"];
const NAME: &str = "localhost:5000/one";
const KEEP: &str = "a key keeps its role: make a new one";
const ASK: &str =
    "ask the key's owner for its digest, not the courier, and pin it in the plan's list";
const ANEW: &str = "have the request fetched anew, from another machine";

pub(super) fn ready(dialect: Dialect, names: &[&str]) -> Bench {
    let bench = Bench::new(dialect, names);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    bench.write_plan(&on_tokens());
    bench
}

/// Lays a request, and a plan that was written for it, and sees the ceremony refused.
#[track_caller]
fn refused(bench: &Bench, text: &PlanText, request: &Request, (what, hint): (&str, &str)) {
    let digest = bench.lay_request(request);
    bench.lay_plan(&bench.plan_toml(text, digest), &text.roles);
    bench.refuses(1, what, hint);
}

#[test]
fn a_request_of_another_digest_is_refused() {
    let bench = ready(Dialect::Notary, &[NAME]);
    let (plan, planned) = (fs::read_to_string(bench.path("plan-1.toml")).unwrap(), {
        let sums = fs::read(bench.path("media/in-1/request/SHA256SUMS")).unwrap();
        Digest::of(&sums)
    });
    let hint = "bring the media that the plan was written for";
    let mut request = bench.request(&BTreeMap::new());
    request.server = "https://elsewhere.test".to_owned();
    let found = bench.lay_request(&request);
    let told =
        format!("the plan names request {planned}, the in media hold {found} [REQUEST-DIGEST]");
    bench.refuses(1, &told, hint);
    fs::remove_dir_all(bench.path("media/in-1/request")).unwrap();
    let told =
        format!("the plan names request {planned}, the in media hold no request [REQUEST-DIGEST]");
    bench.refuses(1, &told, hint);
    // One byte of a file that the sums list.
    bench.lay_request(&bench.request(&BTreeMap::new()));
    let page = bench.path("media/in-1/request/request.json");
    let sums = Digest::of(&fs::read(bench.path("media/in-1/request/SHA256SUMS")).unwrap());
    bench.lay_plan(&plan.replace(&planned.to_string(), &sums.to_string()), &[Role::Targets]);
    let text = fs::read_to_string(&page).unwrap();
    fs::write(&page, text.replace("https://localhost", "https://iocalhost")).unwrap();
    let [listed, found] = [text.as_bytes(), &fs::read(&page).unwrap()].map(Digest::of);
    let told = format!(
        "request: `request.json` has SHA-256 {found}, `SHA256SUMS` says {listed} [REQUEST-FORM]"
    );
    bench.refuses(1, &told, "have the request fetched anew");
}

#[test]
fn a_request_in_another_form_is_refused() {
    let bench = ready(Dialect::Notary, &[NAME]);
    let good = bench.request(&BTreeMap::new()).files().unwrap();
    let page = String::from_utf8(good["request.json"].clone()).unwrap();
    let with = |path: &str, bytes: &[u8]| {
        let mut files = good.clone();
        files.remove("SHA256SUMS");
        files.insert(path.to_owned(), bytes.to_vec());
        files
    };
    let schema = "not a page of schema `officiant-request-2`";
    let deep = format!("{{\"schema\":{}", "[".repeat(10_000));
    let spaced = page.replacen(":", ": ", 1);
    let unknown = page.replacen('{', "{\"more\":1,", 1);
    let twice = page.replacen('{', "{\"schema\":\"officiant-request-2\",", 1);
    let trailing = format!("{page}x");
    let line = String::from_utf8(good["repositories.jsonl"].clone()).unwrap();
    let padded = line.replacen(':', ": ", 1);
    let rows: [(&str, &str, String); 8] = [
        ("request.json", &unknown, format!("request/request.json:1:7: {schema}")),
        ("request.json", &twice, format!("request/request.json:2:10: {schema}")),
        ("request.json", &trailing, format!("request/request.json:8:1: {schema}")),
        ("request.json", &deep, format!("request/request.json:1:10: {schema}")),
        (
            "request.json",
            &spaced,
            "`request/request.json` is not written as a request writes it".into(),
        ),
        ("notes.txt", "hello", "`request/notes.txt` is no file of a request".into()),
        (
            "repositories.jsonl",
            &padded,
            "request/repositories.jsonl:1: not written as a request writes it".into(),
        ),
        (
            "repositories.jsonl",
            &line.repeat(2),
            format!("request/repositories.jsonl:2: repository `{NAME}` is in the request twice"),
        ),
    ];
    for (path, text, told) in rows {
        let digest = bench.lay_files(with(path, text.as_bytes()));
        bench.lay_plan(&bench.plan_toml(&on_tokens(), digest), &[Role::Targets]);
        bench.refuses(1, &format!("{told} [REQUEST-FORM]"), "have the request fetched anew");
    }
}

#[test]
fn a_hundred_megabytes_of_json_are_not_read() {
    let bench = ready(Dialect::Notary, &[NAME]);
    let hint = "this is not what `courier` or `officiant` wrote; have it written again";
    // Nothing but holes, and so no work to write; none of it is read.
    let path = "media/in-1/request/repositories.jsonl";
    fs::File::create(bench.path(path)).unwrap().set_len((1 << 30) + 1).unwrap();
    bench.refuses(3, &format!("`{path}` is larger than 1073741824 bytes"), hint);
    // A hundred megabytes pass for a file on media, and not for a page.
    let page = bench.request(&BTreeMap::new()).files().unwrap().remove("request.json").unwrap();
    let again = |files: BTreeMap<String, Vec<u8>>, told: &str| {
        let digest = bench.lay_files(files);
        bench.lay_plan(&bench.plan_toml(&on_tokens(), digest), &[Role::Targets]);
        bench.refuses(1, &format!("{told} [REQUEST-FORM]"), "have the request fetched anew");
    };
    let mut huge = b"{\"schema\":\"officiant-request-2\",\"x\":\"".to_vec();
    huge.resize(100 << 20, b'a');
    again(
        BTreeMap::from([("request.json".to_owned(), huge)]),
        "`request/request.json` has 104857600 bytes, at most 65536 are read",
    );
    // And five megabytes for a line, and not for the root in it.
    let root = BASE64.encode(&vec![b' '; 5 << 20]);
    let line = format!("{{\"name\":\"{NAME}\",\"roots\":[\"{root}\"],\"keys\":{{}}}}\n");
    again(
        [("request.json", page), ("repositories.jsonl", line.into_bytes())]
            .map(|(path, bytes)| (path.to_owned(), bytes))
            .into(),
        &format!(
            "request/repositories.jsonl:1: repository `{NAME}`: root 1 has 5242880 bytes, at most 4194304 are read"
        ),
    );
}

#[test]
fn roots_that_are_no_roots_are_refused() {
    let bench = after_genesis(Dialect::Notary);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let text = rotation(&bench);
    let first = bench.published()[NAME][0].clone();
    let deep = "[".repeat(100_000).into_bytes();
    let twice = String::from_utf8(first.clone()).unwrap().replacen('{', "{\"signed\":1,", 1);
    let trailing = [first.as_slice(), b" x"].concat();
    for (root, told) in [
        (deep, "root 1 of the request: byte 16: nested deeper than 16 levels"),
        (
            twice.into_bytes(),
            "root 1 of the request: byte 20: the key `signed` stands twice in one object",
        ),
        (
            trailing,
            &format!(
                "root 1 of the request: byte {}: 1 more byte after the end of the document",
                first.len() + 1
            ),
        ),
        (b"{}".to_vec(), "root 1 of the request: `signatures` is missing in the file"),
    ] {
        let request = bench.request(&BTreeMap::from([(NAME.to_owned(), vec![root])]));
        let told = format!("`{NAME}`: {told} [REQUEST-CHAIN]");
        refused(&bench, &text, &request, (&told, ANEW));
    }
}

/// A rotation of nothing but the expiry, for the second ceremony of a bench.
pub(super) fn rotation(bench: &Bench) -> PlanText {
    PlanText {
        ceremony: "rotate",
        after: Some(bench.closing(bench.number - 1)),
        keys: Vec::new(),
        roles: Vec::new(),
        ..on_tokens()
    }
}

#[test]
fn a_root_whose_snapshot_key_a_client_keeps_is_refused_before_anything_is_signed() {
    let bench = after_genesis(Dialect::Notary);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    // A server that does not have the key of the last root makes one of its own, and shows that.
    let mut request = bench.request(&bench.published());
    let repository = request.repositories.values_mut().next().unwrap();
    repository.keys.insert(Role::Snapshot, vec![Publisher::new().public()]);
    let told = format!(
        "`{NAME}`: the snapshot key of root 1 is not the server's, and the plan keeps it [SNAPSHOT-CLIENT]"
    );
    let hint = "add a `[[role]]` for `snapshot` to the plan, with `keys = \"request\"`: then the server signs, and takes the root";
    refused(&bench, &rotation(&bench), &request, (&told, hint));
    // Nor is a key taken for the server's that nobody says is.
    request.repositories.values_mut().next().unwrap().keys.remove(&Role::Snapshot);
    refused(&bench, &rotation(&bench), &request, (&told, hint));
}

#[test]
fn a_repository_more_or_fewer_is_refused() {
    let bench = ready(Dialect::Notary, &[NAME, "localhost:5000/two"]);
    let mut request = bench.request(&BTreeMap::new());
    let copy = request.repositories.values().next().unwrap().clone();
    request.repositories.insert("localhost:5000/three".parse().unwrap(), copy);
    let told =
        "the request names `localhost:5000/three`, which the plan does not [REQUEST-REPOSITORIES]";
    let hint = "have the request fetched for the plan's repositories alone";
    refused(&bench, &on_tokens(), &request, (told, hint));
    let mut request = bench.request(&BTreeMap::new());
    request.repositories.pop_first();
    let told =
        format!("the plan names `{NAME}`, which the request does not [REQUEST-REPOSITORIES]");
    let hint = "have the request fetched with every repository of the plan";
    refused(&bench, &on_tokens(), &request, (&told, hint));
    let mut request = bench.request(&BTreeMap::new());
    request.dialect = Dialect::Tuf;
    let told = "the request is of dialect `tuf`, the plan of `notary` [REQUEST-REPOSITORIES]";
    refused(&bench, &on_tokens(), &request, (told, ANEW));
}

#[test]
fn online_keys_that_nobody_vouched_for_are_refused() {
    let bench = ready(Dialect::Notary, &[NAME]);
    let request = bench.request(&BTreeMap::new());
    let id = |role: Role| bench.online[&role].public().id();
    let give = |role: Role, keys: Vec<PublicKey>| {
        let mut request = request.clone();
        request.repositories.values_mut().next().unwrap().keys.insert(role, keys);
        request
    };
    let stranger = Publisher::new().public();
    let told = format!(
        "`{NAME}`: key {} is new in `targets`, and the plan does not pin it [REQUEST-KEY-PINNED]",
        stranger.id()
    );
    refused(&bench, &on_tokens(), &give(Role::Targets, vec![stranger.clone()]), (&told, ASK));
    let told = format!(
        "`{NAME}`: key {} is new in `timestamp`, and the plan does not pin it [REQUEST-KEY-PINNED]",
        stranger.id()
    );
    refused(&bench, &on_tokens(), &give(Role::Timestamp, vec![stranger]), (&told, ASK));
    let mut none = request.clone();
    none.repositories.values_mut().next().unwrap().keys.remove(&Role::Snapshot);
    let told = format!(
        "`{NAME}`: role `snapshot`: threshold 1 needs as many keys, the request brings 0 [ROOT-KEYS]"
    );
    let hint = "have the request fetched with as many keys, or lower the threshold";
    refused(&bench, &on_tokens(), &none, (&told, hint));
    // One key for two roles, pinned for both.
    let targets = bench.online[&Role::Targets].public();
    let digest = bench.lay_request(&give(Role::Snapshot, vec![targets.clone()]));
    let plan = bench.plan_toml(&on_tokens(), digest);
    let plan = plan.replace(&id(Role::Snapshot).to_string(), &targets.id().to_string());
    bench.lay_plan(&plan, &[Role::Targets]);
    let told = format!(
        "`{NAME}`: key {} is offered for `snapshot` and for `targets` [REQUEST-KEY-ROLE]",
        targets.id()
    );
    bench.refuses(1, &told, "each role has keys of its own: make another one");
    // A pin of a key that is not offered.
    let digest = bench.lay_request(&request);
    let plan = bench.plan_toml(&on_tokens(), digest);
    let pin = id(Role::Timestamp).to_string();
    let other = Publisher::new().public().id();
    let plan = plan.replace(&format!("[\"{pin}\"]"), &format!("[\"{pin}\", \"{other}\"]"));
    bench.lay_plan(&plan, &[Role::Targets]);
    let told = format!(
        "`{NAME}`: the plan pins {other} for `timestamp`, and the request does not bring it [REQUEST-KEY-PINNED]"
    );
    bench.refuses(1, &told, "bring the request that the plan was written for, or correct the pin");
}

#[test]
fn two_requests_that_differ_are_refused() {
    let bench = ready(Dialect::Notary, &[NAME]);
    let first = bench.request(&BTreeMap::new());
    let mut second = first.clone();
    let stranger = Publisher::new().public();
    second.repositories.values_mut().next().unwrap().keys.insert(Role::Snapshot, vec![stranger]);
    let other = bench.lay_request(&second);
    fs::rename(bench.path("media/in-1/request"), bench.path("media/in-1/request-2")).unwrap();
    let digest = bench.lay_request(&first);
    let plan = bench.plan_toml(&on_tokens(), digest);
    let pin = format!("sha256 = \"{digest}\"");
    let plan = plan.replace(&pin, &format!("{pin}\nsecond = \"{other}\""));
    bench.lay_plan(&plan, &[Role::Targets]);
    bench.refuses(
        1,
        &format!("`{NAME}`: the two requests show different keys or roots [REQUEST-TWICE]"),
        "somebody stands between a machine and the server: fetch again, from elsewhere",
    );
}

#[test]
fn one_fetch_that_is_named_twice_is_refused() {
    let bench = ready(Dialect::Notary, &[NAME]);
    let digest = bench.lay_request(&bench.request(&BTreeMap::new()));
    let plan = bench.plan_toml(&on_tokens(), digest);
    let pin = format!("sha256 = \"{digest}\"");
    let plan = plan.replace(&pin, &format!("{pin}\nsecond = \"{digest}\""));
    bench.lay_plan(&plan, &[Role::Targets]);
    bench.refuses(
        1,
        &format!("`second` in the plan is the first request again, {digest} [REQUEST-TWICE]"),
        "have the second request fetched on another machine, or leave `second` out: that is an exception",
    );
}

#[test]
fn a_chain_that_is_not_the_trust_folders_is_refused() {
    // Two rotations of two rooms: one ours, one somebody else's.
    let (mut ours, mut theirs) = (after_genesis(Dialect::Notary), after_genesis(Dialect::Notary));
    let all: Vec<&str> =
        TOKENS.into_iter().chain(["share-1", "share-2", "share-3", "share-4", "share-5"]).collect();
    for bench in [&mut ours, &mut theirs] {
        let after = Some(bench.closing(1));
        bench.write_room(&all);
        bench.write_answers(&all, "");
        let roles = Vec::new();
        bench.write_plan(&PlanText { ceremony: "rotate", after, roles, ..in_shares() });
        bench.conduct().ok();
        bench.next_room();
    }
    let (own, foreign) = (ours.published()[NAME].clone(), theirs.published()[NAME].clone());
    ours.write_room(&all);
    ours.write_answers(&all, "");
    let text = PlanText { root: vec!["root-s"], threshold: 1, ..rotation(&ours) };
    let row = |roots: &[&Vec<u8>], what: &str, hint: &str| {
        let roots = roots.iter().map(|root| (*root).clone()).collect();
        let request = ours.request(&BTreeMap::from([(NAME.to_owned(), roots)]));
        refused(&ours, &text, &request, (&format!("`{NAME}`: {what}"), hint));
    };
    let stories =
        "server and trust folder tell different stories: find out why, before anything is signed";
    row(
        &[&own[0]],
        "the request ends at root 1, the trust folder at 2 [REQUEST-BEHIND]",
        "publish the last ceremony's roots first",
    );
    row(
        &[&foreign[0], &foreign[1]],
        "root 1 of the request is not the one of the trust folder [REQUEST-BEHIND]",
        stories,
    );
    row(
        &[&own[0], &foreign[1]],
        "root 2 does not follow root 1: 0 of the 2 old signatures it needs [REQUEST-CHAIN]",
        "somebody put a root there that its keys did not sign: find out who, before anything is signed",
    );
    row(&[&own[0], &own[0]], "root 2 of the request: says version 1 [REQUEST-CHAIN]", ANEW);
    row(
        &[],
        "the request ends at root 0, the trust folder at 2 [REQUEST-BEHIND]",
        "publish the last ceremony's roots first",
    );
    // The trust folder of the first ceremony, and a server that is further.
    let room = fs::read_to_string(ours.path("room-3.toml")).unwrap();
    ours.scratch.file("room-3.toml", room.replace("out-2a/trust", "out-1a/trust"));
    let old = PlanText { after: Some(ours.closing(1)), ..rotation(&ours) };
    let request = ours.request(&BTreeMap::from([(NAME.to_owned(), own)]));
    let told = format!(
        "`{NAME}`: the request brings root 2, which no ceremony here made [REQUEST-FOREIGN]"
    );
    let hint = "bring the newest trust folder; if this is it, find out who signs with these keys";
    refused(&ours, &old, &request, (&told, hint));
}

#[test]
fn a_key_that_moves_to_another_role_is_refused() {
    let bench = after_genesis(Dialect::Notary);
    bench.write_room(&TOKENS);
    bench.write_answers(&TOKENS, "");
    let text = PlanText { roles: vec![Role::Targets], ..rotation(&bench) };
    let mut request = bench.request(&bench.published());
    let snapshot = bench.online[&Role::Snapshot].public();
    let keys = &mut request.repositories.values_mut().next().unwrap().keys;
    keys.insert(Role::Targets, vec![snapshot.clone()]);
    let told = format!(
        "`{NAME}`: key {} of `targets` was a key of `snapshot` [REQUEST-KEY-ROLE]",
        snapshot.id()
    );
    refused(&bench, &text, &request, (&told, KEEP));
    // A root key, offered as a publisher's.
    let custody = fs::read_to_string(bench.trust(1).join("custody.json")).unwrap();
    let custody: officiant::trust::Custody = serde_json::from_str(&custody).unwrap();
    let root = custody.key("root-a").unwrap().public.clone();
    let mut request = bench.request(&bench.published());
    let keys = &mut request.repositories.values_mut().next().unwrap().keys;
    keys.insert(Role::Targets, vec![root.clone()]);
    let told =
        format!("`{NAME}`: key {} of `targets` was a key of `root` [REQUEST-KEY-ROLE]", root.id());
    refused(&bench, &text, &request, (&told, KEEP));
}

#[test]
fn a_repository_that_the_room_and_the_server_know_differently_is_refused() {
    let past = after_genesis(Dialect::Notary);
    let chain = past.published();
    let bench = ready(Dialect::Notary, &[NAME]);
    let told =
        format!("`{NAME}`: a genesis, and the server has a root already [REQUEST-FIRST-MET]");
    refused(&bench, &on_tokens(), &bench.request(&chain), (&told, "plan a `rotate` for it"));
    // A second repository, which the trust folder does not know.
    let mut past = past;
    past.repositories.push("localhost:5000/two".to_owned());
    past.write_room(&TOKENS);
    past.write_answers(&TOKENS, "");
    let text = rotation(&past);
    let none = past.request(&chain);
    let told = "`localhost:5000/two`: the server has no root of it [REQUEST-FIRST-MET]";
    refused(&past, &text, &none, (told, "plan a `genesis` for it"));
    let mut both = chain.clone();
    both.insert("localhost:5000/two".to_owned(), chain[NAME].clone());
    let digest = Digest::of(&chain[NAME][0]);
    let told = format!(
        "`localhost:5000/two`: the server is at root 1, {digest}; the plan names none [REQUEST-FIRST-MET]"
    );
    let hint = "ask the repository's owner for version and digest of its root, not the courier, and name them in the plan";
    refused(&past, &text, &past.request(&both), (&told, hint));
}
