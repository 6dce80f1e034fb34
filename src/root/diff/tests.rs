use super::*;
use crate::root::fixture::{self, Signer};
use crate::root::succession;

fn sentences(old: Option<&Root>, new: &Root, names: &[(&Signer, &str)]) -> Vec<String> {
    let call = |key: &Key| {
        let named = names.iter().find(|(signer, _)| Some(&signer.public) == key.public());
        named.map_or("a key".to_owned(), |(_, name)| format!("`{name}`"))
    };
    differences(old, new).iter().map(|difference| difference.sentence(&call)).collect()
}

#[test]
fn a_first_root_is_told_in_full() {
    let [a, b] = Signer::many::<2>();
    let keys = [a.key(Dialect::Tuf), b.key(Dialect::Tuf)];
    let mut told = sentences(None, fixture::first(Dialect::Tuf, &[a, b], 2).root(), &[]);
    assert_eq!(keys.len(), 2);
    told.sort();
    assert_eq!(
        told,
        [
            "It expires 2031-11-30T00:00:00Z.",
            "Role `root`: 2 of 2 must sign.",
            "Role `root`: a key joins.",
            "Role `root`: a key joins.",
            "Role `snapshot`: 1 of 1 must sign.",
            "Role `snapshot`: a key joins.",
            "Role `targets`: 1 of 1 must sign.",
            "Role `targets`: a key joins.",
            "Role `timestamp`: 1 of 1 must sign.",
            "Role `timestamp`: a key joins.",
            "This is version 1, the first here.",
        ]
    );
}

#[test]
fn when_the_last_one_ends_makes_no_other_shape_unless_the_new_one_ends_before() {
    let day = |text: &str| -> Timestamp { text.parse().unwrap() };
    let call = |_: &Key| String::new();
    let shape = |from: &str| {
        let (from, to) = (Some(day(from)), day("2031-11-30T00:00:00Z"));
        Difference::Expires { from, to }.shape(&call, "localhost:5000/x")
    };
    let longer = "It expires 2031-11-30T00:00:00Z, later than the last one.";
    for from in ["2029-05-16T01:29:22Z", "2031-11-29T23:59:59Z"] {
        assert_eq!(shape(from), longer);
    }
    let shorter = "It expires 2031-11-30T00:00:00Z; the last one expires 2036-01-01T00:00:00Z.";
    assert_eq!(shape("2036-01-01T00:00:00Z"), shorter);
}

#[test]
fn a_rotation_tells_what_goes_what_comes_and_what_is_renewed() {
    let signers = Signer::many::<2>();
    let new = Signer::new();
    let first = fixture::first(Dialect::Notary, &signers, 2);
    let renewed = signers[1].key_until("2035-01-01");
    let change = fixture::change(2, vec![new.key(Dialect::Notary), renewed.clone()], 1);
    let next = succession::next(Dialect::Notary, Some(first.root()), &change).unwrap();
    let names = [(&signers[0], "root-a"), (&signers[1], "root-b"), (&new, "root-c")];
    let mut told = sentences(Some(first.root()), &next, &names);
    told.sort();
    let last = signers[1].key(Dialect::Notary);
    assert_eq!(
        told,
        [
            "Role `root`: 1 of 2 must sign; before, 2 of 2.".to_owned(),
            "Role `root`: `root-a` leaves.".to_owned(),
            format!(
                "Role `root`: `root-b` stays, \
                 with a new certificate for `localhost:5000/x` from 2026-11-30T00:00:00Z until 2035-01-01T00:00:00Z \
                 (before: for `localhost:5000/x` from 2026-11-30T00:00:00Z until 2033-12-01T00:00:00Z), \
                 listed as `{}`, before `{}`.",
                renewed.id(),
                last.id()
            ),
            "Role `root`: `root-c` joins, with a certificate for `localhost:5000/x` \
             from 2026-11-30T00:00:00Z until 2033-12-01T00:00:00Z."
                .to_owned(),
            "The version goes from 1 to 2.".to_owned(),
        ]
    );
}

#[test]
fn equal_roots_have_no_difference_and_an_unknown_field_is_one() {
    let first = fixture::first(Dialect::Tuf, &[Signer::new()], 1);
    assert_eq!(differences(Some(first.root()), first.root()), []);
    let mut members = first.root().value().as_map().cloned().unwrap();
    members.insert("x-note", Value::text("hi"));
    let noted = Root::from_value(Dialect::Tuf, Value::Map(members)).unwrap();
    let told = sentences(Some(first.root()), &noted, &[]);
    assert_eq!(told, ["The field `x-note` says \"hi\"."]);
    let told = sentences(Some(&noted), first.root(), &[]);
    assert_eq!(told, ["The field `x-note` is gone."]);
}

#[test]
fn no_root_begins_a_sentence_of_its_own() {
    let id = KeyId::new("ab` stays.\nRole `root`");
    let told = Difference::Loose { id: id.clone(), is_new: true }.sentence(&|_| String::new());
    let shown = "`ab\\u{60} stays.\\u{a}Role \\u{60}root\\u{60}`";
    assert_eq!(told, format!("Key {shown} stands in the document, and no role lists it."));
    let name = || id.as_str().to_owned();
    let told = Difference::Role { name: name(), is_new: false }.sentence(&|_| String::new());
    assert_eq!(told, format!("The role {shown} is gone."));
    let (from, to) = (None, Some("\"a\nb\"".to_owned()));
    let told = Difference::Field { name: name(), from, to }.sentence(&|_| String::new());
    assert_eq!(told, format!("The field {shown} says \"a\\u{{a}}b\"."));
    let key = Box::new(Signer::new().key(Dialect::Tuf));
    let told = Difference::KeyOut { role: "root".to_owned(), key }.sentence(&|_| "a\nb".to_owned());
    assert_eq!(told, "Role `root`: a\\u{a}b leaves.");
}
