use std::collections::BTreeSet;

use super::*;
use crate::root::threshold::{Ballot, Counting, Electorate, count};
use crate::root::{Role, SignedRoot};

/// Made by python-tuf: tests/vectors/tuf/ORIGIN.md.
const FILE: &[u8] = include_bytes!("../../../tests/vectors/tuf/1.root.json");
const SIGNED: &[u8] = include_bytes!("../../../tests/vectors/tuf/1.root.signed");

#[test]
fn python_tuf_and_we_sign_the_same_bytes() {
    let file = SignedRoot::parse(Dialect::Tuf, FILE).unwrap();
    assert_eq!(file.root().signed_bytes(), SIGNED);
}

#[test]
fn four_kinds_of_keys_verify_and_have_their_own_ids() {
    let file = SignedRoot::parse(Dialect::Tuf, FILE).unwrap();
    assert!(file.root().keys().iter().all(|(id, key)| key.id() == id));
    let ballot =
        Ballot { message: SIGNED, signatures: file.signatures(), assumed: &BTreeSet::new() };
    let electorate = Electorate::of(file.root(), Role::Root);
    let tally = count(Dialect::Tuf, &electorate, ballot, Counting::STRICTEST).unwrap();
    assert_eq!((tally.counted.len(), tally.needed), (4, 4));
}

#[test]
fn our_key_objects_are_those_of_securesystemslib() {
    let file = SignedRoot::parse(Dialect::Tuf, FILE).unwrap();
    for key in file.root().keys().values() {
        assert_eq!(&Key::plain(Dialect::Tuf, key.public().unwrap()).unwrap(), key);
    }
}

#[test]
fn our_file_says_the_same() {
    let file = SignedRoot::parse(Dialect::Tuf, FILE).unwrap();
    let ours = SignedRoot::assemble(file.root(), file.signatures());
    let again = SignedRoot::parse(Dialect::Tuf, ours.bytes()).unwrap();
    assert_eq!(again.root(), file.root());
    assert_eq!(again, ours);
}

#[test]
fn text_that_is_not_nfc_is_refused() {
    let text = String::from_utf8(FILE.to_vec()).unwrap().replace("caf\\u00e9", "cafe\\u0301");
    let error = SignedRoot::parse(Dialect::Tuf, text.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("is not in Unicode form NFC"), "{error}");
}
