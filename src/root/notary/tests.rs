use super::*;
use crate::root::certificate::Bundle;
use crate::root::fixture::day;
use crate::root::profile::{NOTARY_CLIENT, NOTARY_SERVER, STRICTEST_NOTARY};
use crate::root::walk::{Chain, Walker};
use crate::root::{Dialect, Key, Role, Version, succession};

/// Made by the real `notary`: tests/vectors/notary/ORIGIN.md.
const FILES: [&[u8]; 4] = [
    include_bytes!("../../../tests/vectors/notary/1.root.json"),
    include_bytes!("../../../tests/vectors/notary/2.root.json"),
    include_bytes!("../../../tests/vectors/notary/3.root.json"),
    include_bytes!("../../../tests/vectors/notary/4.root.json"),
];

fn files() -> Vec<SignedRoot> {
    FILES.map(|bytes| SignedRoot::parse(Dialect::Notary, bytes).unwrap()).to_vec()
}

fn edited(from: &str, to: &str) -> SignedRoot {
    let text = String::from_utf8(FILES[0].to_vec()).unwrap();
    assert!(text.contains(from));
    SignedRoot::parse(Dialect::Notary, text.replace(from, to).as_bytes()).unwrap()
}

#[test]
fn go_and_we_write_the_same_bytes() {
    for file in files() {
        assert!(is_byte_exact(&file));
        let again = SignedRoot::assemble(file.root(), file.signatures());
        assert_eq!(again.digest(), Digest::of(&file_of(file.root().value(), again.signatures())));
    }
}

#[test]
fn both_ids_of_a_key_are_those_that_notary_prints() {
    let files = files();
    let id = |file: &SignedRoot, role| {
        let (listed, key) = file.root().role_keys(role).next().unwrap();
        assert_eq!(listed, key.id());
        key.canonical_id().unwrap().as_str().to_owned()
    };
    let first = "e37dda14bf340e7c102ae653fb5975caec2e9ac6a5aed1a813ed6bf8c7eca171";
    let second = "7d809d51038e823d457c64f5557984b884303beadf39a87803f5ea2209ef333f";
    let targets = "20a07283cd1eaf1ee887fe27fb7f6a485042ad5dc6eb29d2eda373a3a734729d";
    assert_eq!(id(&files[0], Role::Root), first);
    assert_eq!(id(&files[2], Role::Root), second);
    assert_eq!(id(&files[3], Role::Targets), targets);
}

#[test]
fn the_real_chain_holds_and_walks() {
    let files = files();
    for pair in files.windows(2) {
        assert_eq!(succession::check(Some(pair[0].root()), pair[1].root()), Ok(()));
    }
    let chain = Chain::new(files);
    for profile in [&NOTARY_CLIENT, &NOTARY_SERVER, &STRICTEST_NOTARY] {
        for start in 0..=4 {
            let at = day("2027-01-01");
            let walker = Walker { profile, repository: "localhost:5000/vector", at };
            assert_eq!(
                walker.walk(&chain, Version::new(start)),
                Ok(()),
                "{} {start}",
                profile.name
            );
        }
    }
}

#[test]
fn whatever_go_would_write_otherwise_is_found() {
    let pretty = serde_json::from_slice::<serde_json::Value>(FILES[0]).unwrap();
    let pretty = serde_json::to_vec_pretty(&pretty).unwrap();
    let rows = [
        SignedRoot::parse(Dialect::Notary, &pretty).unwrap(),
        SignedRoot::parse(Dialect::Notary, &[FILES[0], b"\n"].concat()).unwrap(),
        edited("\"version\":1}", "\"version\":1,\"x\":1}"),
        edited("\"method\":\"ecdsa\"", "\"method\":\"ECDSA\""),
        edited("989353283Z", "989353283+00:00"),
        edited("989353283Z", "500000000Z"),
        edited("\"private\":null,", ""),
        edited("{\"_type\":\"Root\",", "{\"\\u005ftype\":\"Root\","),
        edited("\"threshold\":1}", "\"threshold\":1,\"x\":1}"),
    ];
    for (index, file) in rows.iter().enumerate() {
        assert!(!is_byte_exact(file), "row {index}");
    }
    assert!(is_byte_exact(&edited("989353283Z", "5+02:00")));
}

#[test]
fn text_that_go_escapes_in_files_stands_raw_in_what_is_signed() {
    let file = edited("\"roles\":{", "\"roles\":{\"a\\u003cb\":{\"keyids\":[],\"threshold\":1},");
    assert!(is_byte_exact(&file));
    assert!(file.root().signed_bytes().windows(3).any(|bytes| bytes == b"a<b"));
}

#[test]
fn trailing_bytes_hundred_megabytes_and_deep_nesting_are_refused() {
    let parse = |bytes: &[u8]| SignedRoot::parse(Dialect::Notary, bytes).unwrap_err().to_string();
    let trailing = [FILES[0], b"x"].concat();
    assert!(parse(&trailing).ends_with("1 more byte after the end of the document"));
    assert_eq!(parse(&vec![b' '; 100 << 20]), "104857600 bytes, at most 4194304 are read");
    assert_eq!(parse(&[b'['; 99]), "byte 16: nested deeper than 16 levels");
}

#[test]
fn fields_that_are_missing_or_of_another_type_are_named() {
    let text = String::from_utf8(FILES[0].to_vec()).unwrap();
    let rows = [
        ("\"_type\":\"Root\"", "\"_type\":\"Targets\"", "expected `_type` `Root`, found `Targets`"),
        ("\"version\":1}", "\"version\":0}", "a version is a number from 1 to 2^53, found 0"),
        ("\"version\":1}", "\"version\":\"1\"}", "`version` is an integer"),
        ("\"threshold\":1}", "\"threshold\":null}", "`threshold` is an integer"),
        (
            "\"2036-",
            "\"never-",
            "`expires` is a date and time of RFC 3339, found `never-11-19T14:42:03.989353283Z`",
        ),
        ("\"signatures\":", "\"sigs\":", "`signatures` is missing in the file"),
        ("\"method\":", "\"m\":", "`method` is missing in signatures"),
    ];
    for (from, to, words) in rows {
        let bytes = text.replace(from, to);
        let error = SignedRoot::parse(Dialect::Notary, bytes.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), words);
    }
    assert!(SignedRoot::parse(Dialect::Tuf, FILES[0]).is_err());
}

#[test]
fn a_certificate_key_carries_its_bundle_whatever_its_type_says() {
    let files = files();
    let (_, key) = files[0].root().role_keys(Role::Root).next().unwrap();
    let bundle: &Bundle = key.bundle().unwrap();
    assert_eq!(bundle.leaf().name(), "localhost:5000/vector");
    let mut members = key.value().as_map().cloned().unwrap();
    members.insert("keytype", Value::text("ecdsa"));
    let plain = Key::of(Dialect::Notary, Value::Map(members));
    assert!(plain.public().is_none() && plain.bundle().is_some());
}

#[test]
fn any_byte_of_a_real_file_may_be_wrong_and_nothing_panics() {
    let tuf: &[u8] = include_bytes!("../../../tests/vectors/tuf/1.root.json");
    let at = day("2027-01-01");
    for (dialect, bytes) in [(Dialect::Notary, FILES[2]), (Dialect::Tuf, tuf)] {
        let good = SignedRoot::parse(dialect, bytes).unwrap();
        for index in (0..bytes.len()).step_by(37) {
            for wrong in [0, b'"', b'0', b'}', b'[', 0xff, bytes[index] ^ 1] {
                let mut hostile = bytes.to_vec();
                hostile[index] = wrong;
                let Ok(file) = SignedRoot::parse(dialect, &hostile) else { continue };
                let told = crate::root::diff::differences(Some(good.root()), file.root());
                let same = file.root().value() == good.root().value();
                let around = String::from_utf8_lossy(
                    &hostile[index.saturating_sub(60)..(index + 20).min(hostile.len())],
                )
                .into_owned();
                assert_eq!(told.is_empty(), same, "{around}");
                let again = SignedRoot::assemble(file.root(), file.signatures());
                let again = SignedRoot::parse(dialect, again.bytes()).unwrap();
                assert_eq!(again.root(), file.root());
                let version = file.version();
                let chain = Chain::new([file]);
                for profile in crate::root::profile::Profile::of(dialect) {
                    let walker = Walker { profile, repository: "localhost:5000/vector", at };
                    let walked =
                        walker.walk(&chain, Some(version)).and(walker.stands(&chain, version));
                    assert!(told.is_empty() || walked.is_err(), "{around}");
                }
            }
        }
    }
}
