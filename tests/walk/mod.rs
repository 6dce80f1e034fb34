//! The walk is right: over generated chains, each profile's verdict is that of the client that it stands for.
//!
//! The peers read the same bytes: Notary's client and server (tests/peers/walk/main.go), python-tuf
//! (tests/peers/walk/walk.py) and tough (tests/peers/tough), each in one process for all chains.

mod chance;
mod notary;
mod signer;
mod tuf;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use officiant::cjson::Value;
use officiant::root::profile::{NOTARY_CLIENT, NOTARY_SERVER, PYTHON_TUF, Profile, TOUGH};
use officiant::root::walk::{Chain, Walker};
use officiant::root::{Dialect, SignedRoot, Version};

use crate::harness::command::{command, run_with};
use crate::harness::peers::peer;
use crate::harness::scratch::Scratch;

/// Chains of each dialect.
const CHAINS: u64 = 200;
/// The name under which all Notary clients look.
const GUN: &str = "localhost:5000/x";

/// A chain as it is published, and what was done to it.
struct Case {
    name: String,
    story: Vec<String>,
    /// By the number in the file's name.
    files: BTreeMap<u64, Vec<u8>>,
}

impl Case {
    fn write(&self, folder: &Path) {
        let folder = folder.join(&self.name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("gun"), GUN).unwrap();
        for (version, bytes) in &self.files {
            std::fs::write(folder.join(format!("{version}.root.json")), bytes).unwrap();
        }
    }

    fn chain(&self, dialect: Dialect) -> Chain {
        let file = |(version, bytes): (&u64, &Vec<u8>)| {
            let file = SignedRoot::parse(dialect, bytes).unwrap_or_else(|error| {
                panic!("{} {version}: {error} {:?}", self.name, self.story)
            });
            (Version::new(*version).unwrap(), file)
        };
        Chain::published(self.files.iter().map(file))
    }
}

/// What a peer says of each walk: none for reached, or the version at which it stopped; and its words.
type Verdicts = BTreeMap<(String, u64), (Option<u64>, String)>;

/// Reads lines of `CASE START ok` and `CASE START stop VERSION REASON`.
fn verdicts<'a>(lines: impl Iterator<Item = &'a str>) -> Verdicts {
    let read = |line: &'a str| {
        let mut words = line.splitn(5, ' ');
        let case = words.next().unwrap().to_owned();
        let start = words.next().unwrap().parse().unwrap();
        let stop = match words.next().unwrap() {
            "ok" => None,
            _ => Some(words.next().unwrap().parse().unwrap()),
        };
        ((case, start), (stop, words.next().unwrap_or_default().to_owned()))
    };
    lines.map(read).collect()
}

fn ask(program: &str, arguments: &[&Path], scratch: &Scratch) -> String {
    let mut asked = command(peer(program), scratch.path());
    asked.args(arguments);
    run_with(&mut asked, "", Duration::from_secs(120)).ok().stdout
}

/// Compares the profile's verdicts with the peer's, and says every difference. Notary's walk from every version and
/// from none; TUF's clients ship with one.
fn compare(profile: &Profile, cases: &[Case], theirs: &Verdicts) -> Vec<String> {
    let mut differences = Vec::new();
    let mut walks = 0;
    for case in cases {
        let chain = case.chain(profile.dialect);
        let walker = Walker { profile, repository: GUN, at: Timestamp::now() };
        let without = (profile.dialect == Dialect::Notary).then_some(&0);
        for start in without.into_iter().chain(case.files.keys()) {
            walks += 1;
            let Some((stop, words)) = theirs.get(&(case.name.clone(), *start)) else {
                differences.push(format!("{} {} from {start}: no word", profile.name, case.name));
                continue;
            };
            let ours = walker.walk(&chain, Version::new(*start));
            let version = ours.as_ref().err().map(|stop| stop.version.get());
            if version != *stop {
                let ours = ours.map_or_else(|stop| stop.to_string(), |()| "ok".to_owned());
                let (name, story) = (&case.name, &case.story);
                differences.push(format!(
                    "{} {name} from {start}\n  ours:   {ours}\n  theirs: {stop:?} {words}\n  {story:?}",
                    profile.name
                ));
            }
        }
    }
    assert_eq!(walks, theirs.len(), "{}: as many walks as words of the peer", profile.name);
    let stops = theirs.values().filter(|(stop, _)| stop.is_some()).count();
    eprintln!("{}: {} chains, {walks} walks, {stops} of them stop", profile.name, cases.len());
    // Chains of which all or none are taken would compare nothing.
    assert!(
        stops * 5 > walks && stops * 5 < walks * 4,
        "{}: {stops} of {walks} stop",
        profile.name
    );
    differences
}

#[test]
fn notary_client_and_server_stop_where_their_profiles_say() {
    let scratch = Scratch::new();
    let folder = scratch.folder("cases");
    let mut maker = notary::Maker::new(&scratch, &folder);
    let cases: Vec<Case> = (1..=CHAINS).map(|seed| maker.case(seed)).collect();
    cases.iter().for_each(|case| case.write(&folder));
    let said = ask("walk/walk", &[&folder], &scratch);
    let of =
        |who: &'static str| verdicts(said.lines().filter_map(move |line| line.strip_prefix(who)));
    let mut differences = compare(&NOTARY_CLIENT, &cases, &of("client "));
    differences.extend(compare(&NOTARY_SERVER, &cases, &of("server ")));
    assert!(differences.is_empty(), "{}\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn python_tuf_and_tough_stop_where_their_profiles_say() {
    let scratch = Scratch::new();
    let folder = scratch.folder("cases");
    let maker = tuf::Maker::new();
    let cases: Vec<Case> = (1..=CHAINS).map(|seed| maker.case(seed)).collect();
    cases.iter().for_each(|case| case.write(&folder));
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/walk/walk.py");
    let python = ask("python/venv/bin/python", &[&program, &folder], &scratch);
    let mut differences = compare(&PYTHON_TUF, &cases, &verdicts(python.lines()));
    let tough = ask("tough/tough-walk", &[&folder], &scratch);
    differences.extend(compare(&TOUGH, &cases, &verdicts(tough.lines())));
    assert!(differences.is_empty(), "{}\n{}", differences.len(), differences.join("\n"));
}

/// The member of an object, to be changed.
fn member<'v>(value: &'v mut Value, path: &[&str]) -> &'v mut Value {
    path.iter().fold(value, |value, name| match value {
        Value::Map(members) => {
            if !members.contains_key(name) {
                members.insert(*name, Value::Null);
            }
            members.get_mut(name).unwrap()
        }
        _ => panic!("{name} of no object"),
    })
}

fn remove(value: &mut Value, path: &[&str], name: &str) {
    if let Value::Map(members) = member(value, path) {
        members.remove(name);
    }
}

fn push(value: &mut Value, path: &[&str], item: Value) {
    if let Value::List(items) = member(value, path) {
        items.push(item);
    }
}

/// A day so many days from today, as metadata writes it.
fn in_days(days: i64) -> String {
    let at = Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn pretty(bytes: &[u8]) -> Vec<u8> {
    let value: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    serde_json::to_vec_pretty(&value).unwrap()
}
